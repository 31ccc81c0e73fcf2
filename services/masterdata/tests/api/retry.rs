//! Requests that name themselves, and units that there aren't.

use contracts::masterdata::{
    BatchValidateRecordsRequest, ListQualityFiguresRequest, record_input::Record,
};
use service_kit::bootstrap::Files;
use tonic::Code;

use crate::support::{
    INDUSTRIAL, MEDICAL, customer, example, fields, input, item, lines, reason, request, start,
    steward, validate,
};

const ID: &str = "019abc4e-6f3e-7c11-9b1e-3f2f6f0a5d11";

testkit::backends! {
    async fn a_retry_is_answered_as_the_first_was_and_counts_once(backend: Backend) {
        let harness = start(backend).await;
        let mut client = steward(&harness);
        let mut bad = item();
        bad.gtin = "1".into();
        let mut asked = request(MEDICAL, Record::Item(bad));
        asked.request_id = ID.to_owned();
        let first = client.validate_record(asked.clone()).await.unwrap().into_inner();
        assert!(!first.valid);
        for _ in 0..3 {
            let again = client.validate_record(asked.clone()).await.unwrap().into_inner();
            assert_eq!(again, first);
        }
        let query = ListQualityFiguresRequest { scope: MEDICAL.into(), ..Default::default() };
        let figures = client.list_quality_figures(query).await.unwrap().into_inner().figures;
        assert_eq!(figures.iter().map(|f| (f.record_count, f.invalid_record_count)).collect::<Vec<_>>(), [(1, 1)]);

        // The same id for something else is a mistake, and another's id is theirs.
        let mut other = asked.clone();
        other.correlation_id = "SO-1".into();
        let status = client.validate_record(other).await.unwrap_err();
        assert_eq!(fields(&status, Code::AlreadyExists), ["request_id"]);
        assert_eq!(reason(&status), "IDEMPOTENCY_CONFLICT");
        let calls = harness.person("another-steward", &["data-steward@acme"]);
        let mut another = crate::support::Client::new(calls);
        let theirs = another.validate_record(asked).await.unwrap().into_inner();
        assert_ne!(theirs.name, first.name);
    }

    async fn retries_at_once_are_one(backend: Backend) {
        let harness = start(backend).await;
        let records = vec![input(Record::Item(item())), input(Record::Customer(customer())), input(Record::Item(item()))];
        let asked = BatchValidateRecordsRequest {
            scope: INDUSTRIAL.into(),
            records,
            request_id: ID.to_owned(),
            ..Default::default()
        };
        let calls = (0..6).map(|_| {
            let (mut client, asked) = (steward(&harness), asked.clone());
            async move { client.batch_validate_records(asked).await.unwrap().into_inner() }
        });
        let answers = futures::future::join_all(calls).await;
        assert_eq!(answers[0].validations.len(), 3);
        assert!(answers.iter().all(|answer| answer == &answers[0]));
    }

    async fn a_unit_that_is_not_there_is_refused_with_those_that_are(backend: Backend) {
        let harness = start(backend).await;
        let mut client = steward(&harness);
        for (scope, wanted) in [
            (
                "acme/europe/medcal",
                "there is no scope acme/europe/medcal; below acme/europe there are \
                 acme/europe/field-service, acme/europe/industrial, acme/europe/medical",
            ),
            ("acme/asia/japan/tokyo", "below acme there are acme/europe"),
            ("acme/europe/medical/basel/shelf", "and none below acme/europe/medical/basel"),
        ] {
            let status = client.validate_record(request(scope, Record::Item(item()))).await.unwrap_err();
            assert_eq!(fields(&status, Code::InvalidArgument), ["scope"]);
            assert!(status.message().contains(wanted), "{}", status.message());
        }
        let found = validate(&mut client, "acme/europe/medical/basel", Record::Item(item())).await;
        assert_eq!(lines(&found), [""; 0]);
    }
}

#[test]
fn rules_hold_where_there_is_a_scope() {
    let files = example();
    let documents = files.documents().unwrap();
    assert!(
        documents
            .iter()
            .any(|document| document.kind == "ScopeTree")
    );
    let rules =
        "kind: RecordRules\nname: x\nentity: item\nscope: acme/asia\nraise: {gtin.length: ERROR}\n";
    let scopes = files.get("scopes.yaml").unwrap();
    let files = Files::embedded([("scopes.yaml", scopes), ("x.yaml", rules.as_bytes())]);
    let documents = files.documents().unwrap();
    let found = <masterdata::Service as service_kit::Service>::check(&files, &documents);
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        ["x.yaml:4:8: there is no scope acme/asia; below acme there are acme/europe"]
    );
}
