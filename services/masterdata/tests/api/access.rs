//! Who may call what: each method without a token, with a bad one, with the wrong role,
//! at the wrong scope, and with the right one.

use contracts::masterdata::{
    BatchValidateRecordsRequest, GetMappingRequest, GetValidationRequest, ListMappingsRequest,
    ListQualityFiguresRequest, NormalizeRecordRequest, record_input::Record,
};
use tonic::{Code, Status};

use crate::support::{
    Client, INDUSTRIAL, MEDICAL, input, item, reason, request, source, start, steward, validate,
};

const METHODS: [&str; 7] = [
    "ValidateRecord",
    "BatchValidateRecords",
    "NormalizeRecord",
    "GetValidation",
    "GetMapping",
    "ListMappings",
    "ListQualityFigures",
];

/// Calls a method at medical.
async fn call(mut client: Client, method: &str, validation: &str) -> Result<(), Status> {
    match method {
        "ValidateRecord" => client
            .validate_record(request(MEDICAL, Record::Item(item())))
            .await
            .map(drop),
        "BatchValidateRecords" => client
            .batch_validate_records(BatchValidateRecordsRequest {
                scope: MEDICAL.into(),
                records: vec![input(Record::Item(item()))],
                ..Default::default()
            })
            .await
            .map(drop),
        "NormalizeRecord" => client
            .normalize_record(NormalizeRecordRequest {
                source: Some(source("erp-item", r#"{"sku": "I-1"}"#)),
            })
            .await
            .map(drop),
        "GetValidation" => client
            .get_validation(GetValidationRequest {
                name: validation.into(),
            })
            .await
            .map(drop),
        "GetMapping" => client
            .get_mapping(GetMappingRequest {
                name: "mappings/erp-item".into(),
            })
            .await
            .map(drop),
        "ListMappings" => client
            .list_mappings(ListMappingsRequest::default())
            .await
            .map(drop),
        "ListQualityFigures" => client
            .list_quality_figures(ListQualityFiguresRequest {
                scope: MEDICAL.into(),
                ..ListQualityFiguresRequest::default()
            })
            .await
            .map(drop),
        other => panic!("{other} has no row here"),
    }
}

async fn refused(client: Client, method: &str, validation: &str) -> (Code, String) {
    let status = call(client, method, validation).await.expect_err(method);
    (status.code(), reason(&status))
}

testkit::backends! {
    async fn every_method_refuses_whom_it_must(backend: Backend) {
        let harness = start(backend).await;
        let validation = validate(&mut steward(&harness), MEDICAL, Record::Item(item())).await.name;
        for method in METHODS {
            let none = Client::new(harness.with_token(""));
            assert_eq!(
                refused(none, method, &validation).await,
                (Code::Unauthenticated, "TOKEN_MISSING".to_owned()),
                "{method}"
            );
            let bad = Client::new(harness.with_token("not.a.token"));
            assert_eq!(
                refused(bad, method, &validation).await,
                (Code::Unauthenticated, "TOKEN_INVALID".to_owned()),
                "{method}"
            );
            let role = Client::new(harness.person("council-member", &["council@acme"]));
            assert_eq!(
                refused(role, method, &validation).await,
                (Code::PermissionDenied, "PERMISSION_DENIED".to_owned()),
                "{method}"
            );
            call(steward(&harness), method, &validation).await.expect(method);
        }
    }

    async fn an_enterprise_without_rules_is_refused(backend: Backend) {
        let harness = start(backend).await;
        let everywhere = || Client::new(harness.person("steward", &["data-steward@acme", "data-steward@other"]));
        for scope in ["other", "other/europe/medical"] {
            let status = everywhere().validate_record(request(scope, Record::Item(item()))).await.unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{scope}");
            assert!(status.message().contains("there is no scope"), "{}", status.message());
        }
        let judged = validate(&mut everywhere(), MEDICAL, Record::Item(item())).await;
        assert!(!judged.rule_sets.is_empty(), "the answer names the rules");
    }

    async fn another_unit_is_out_of_reach(backend: Backend) {
        let harness = start(backend).await;
        let validation = validate(&mut steward(&harness), MEDICAL, Record::Item(item())).await.name;
        let industrial = || Client::new(harness.person("steward.industrial", &[&format!("data-steward@{INDUSTRIAL}")]));
        for method in ["ValidateRecord", "BatchValidateRecords", "ListQualityFigures"] {
            assert_eq!(
                refused(industrial(), method, &validation).await,
                (Code::PermissionDenied, "PERMISSION_DENIED".to_owned()),
                "{method}"
            );
        }
        // what exists elsewhere looks like what doesn't exist
        let elsewhere = refused(industrial(), "GetValidation", &validation).await;
        let nowhere = "validations/00000000-0000-7000-8000-000000000000";
        assert_eq!(elsewhere, (Code::NotFound, "NOT_FOUND".to_owned()));
        assert_eq!(elsewhere, refused(industrial(), "GetValidation", nowhere).await);
        // the log sees the difference
        let log = harness.log.clone();
        testkit::eventually(std::time::Duration::from_secs(20), || async {
            log.records().iter().any(|r| r.resource == validation && r.outcome() == contracts::audit::Outcome::Refused)
        })
        .await;
    }
}

#[test]
fn every_method_of_the_contract_has_a_row() {
    let service = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../proto/bylaw/masterdata/v1/validation_service.proto"
    ))
    .unwrap();
    let methods: Vec<_> = service
        .lines()
        .filter_map(|line| {
            line.trim()
                .strip_prefix("rpc ")?
                .split_once('(')
                .map(|(name, _)| name)
        })
        .collect();
    assert_eq!(methods, METHODS);
}
