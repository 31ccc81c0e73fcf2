//! Requests that can't be read are refused as a whole, with the field.

use contracts::{
    masterdata::{
        BatchValidateRecordsRequest, Contact, GetMappingRequest, GetValidationRequest,
        ListMappingsRequest, ListQualityFiguresRequest, NormalizeRecordRequest, RecordInput,
        ValidateRecordRequest, record_input::Record,
    },
    types::{Decimal, Money},
};
use tonic::Code;

use crate::support::{
    MEDICAL, customer, fields, input, item, reason, request, source, start, steward,
};

testkit::backends! {
    async fn malformed_requests_name_their_fields(backend: Backend) {
        let harness = start(backend).await;
        let mut client = steward(&harness);

        let mut bad = item();
        bad.list_price = Some(Money { amount: Some(Decimal { value: "ten".into() }), currency_code: String::new() });
        bad.reorder_level = Some(Decimal { value: "1".repeat(40) });
        let status = client.validate_record(request(MEDICAL, Record::Item(bad))).await.unwrap_err();
        assert_eq!(
            fields(&status, Code::InvalidArgument),
            ["record.item.list_price.currency_code", "record.item.list_price.amount.value", "record.item.reorder_level.value"]
        );

        let mut many = customer();
        many.contacts = vec![Contact::default(); 51];
        let status = client.validate_record(request(MEDICAL, Record::Customer(many))).await.unwrap_err();
        assert_eq!(fields(&status, Code::InvalidArgument), ["record.customer.contacts"]);

        for (asked, field) in [
            (ValidateRecordRequest { scope: MEDICAL.into(), ..Default::default() }, "record"),
            (ValidateRecordRequest { scope: MEDICAL.into(), record: Some(RecordInput::default()), ..Default::default() }, "record"),
            (ValidateRecordRequest { correlation_id: "x".repeat(300), ..request(MEDICAL, Record::Item(item())) }, "correlation_id"),
            (ValidateRecordRequest { correlation_id: "a\nb".into(), ..request(MEDICAL, Record::Item(item())) }, "correlation_id"),
        ] {
            let status = client.validate_record(asked).await.unwrap_err();
            assert_eq!(fields(&status, Code::InvalidArgument), [field]);
        }
        for id in ["x", "019ABC4E-6F3E-7C11-9B1E-3F2F6F0A5D11"] {
            let asked = ValidateRecordRequest { request_id: id.into(), ..request(MEDICAL, Record::Item(item())) };
            let status = client.validate_record(asked).await.unwrap_err();
            assert_eq!(fields(&status, Code::InvalidArgument), ["request_id"]);
        }
        for scope in ["", "Acme", "acme//x"] {
            let status = client.validate_record(request(scope, Record::Item(item()))).await.unwrap_err();
            assert_eq!(fields(&status, Code::InvalidArgument), ["scope"], "{scope:?}");
        }
        let all = ValidateRecordRequest {
            scope: "Acme".into(),
            correlation_id: "a\nb".into(),
            request_id: "x".into(),
            ..Default::default()
        };
        let status = client.validate_record(all).await.unwrap_err();
        assert_eq!(fields(&status, Code::InvalidArgument), ["record", "scope", "correlation_id", "request_id"]);
    }

    async fn payloads_are_read_within_limits(backend: Backend) {
        let harness = start(backend).await;
        let mut client = steward(&harness);
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(40), "]".repeat(40));
        let long = format!("{{\"a\": \"{}\"}}", "x".repeat(256 * 1024));
        for (payload, wanted) in [
            ("", "INVALID_ARGUMENT"),
            ("{", "INVALID_ARGUMENT"),
            ("[1]", "INVALID_ARGUMENT"),
            ("{\"a\": 1e999999999}", "INVALID_ARGUMENT"),
            ("{\"sku\": \"1\", \"sku\": \"2\"}", "INVALID_ARGUMENT"),
            (&deep, "INVALID_ARGUMENT"),
            (&long, "TOO_LARGE"),
        ] {
            let asked = request(MEDICAL, Record::Source(source("erp-item", payload)));
            let status = client.validate_record(asked).await.unwrap_err();
            let shown: String = payload.chars().take(30).collect();
            assert_eq!(fields(&status, Code::InvalidArgument), ["record.source.payload"], "{shown}");
            assert_eq!(reason(&status), wanted, "{shown}");
            let normalize = NormalizeRecordRequest { source: Some(source("erp-item", payload)) };
            let status = client.normalize_record(normalize).await.unwrap_err();
            assert_eq!(fields(&status, Code::InvalidArgument), ["source.payload"], "{shown}");
        }
        let asked = request(MEDICAL, Record::Source(source("nothing", "{}")));
        let status = client.validate_record(asked).await.unwrap_err();
        assert_eq!(fields(&status, Code::InvalidArgument), ["record.source.mapping"]);
        let status = client.normalize_record(NormalizeRecordRequest::default()).await.unwrap_err();
        assert_eq!(fields(&status, Code::InvalidArgument), ["source"]);
    }

    async fn a_bad_record_of_a_batch_is_named_and_nothing_is_kept(backend: Backend) {
        let harness = start(backend).await;
        let mut client = steward(&harness);
        let batch = |records| BatchValidateRecordsRequest { scope: MEDICAL.into(), records, ..Default::default() };
        let records = vec![input(Record::Item(item())), input(Record::Source(source("erp-item", "{")))];
        let status = client.batch_validate_records(batch(records)).await.unwrap_err();
        assert_eq!(fields(&status, Code::InvalidArgument), ["records[1].source.payload"]);
        let bad = || input(Record::Source(source("erp-item", "")));
        let all = BatchValidateRecordsRequest { scope: "Acme".into(), ..batch(vec![bad(), input(Record::Item(item())), bad()]) };
        let status = client.batch_validate_records(all).await.unwrap_err();
        assert_eq!(
            fields(&status, Code::InvalidArgument),
            ["records[0].source.payload", "records[2].source.payload", "scope"]
        );
        let status = client.batch_validate_records(batch(Vec::new())).await.unwrap_err();
        assert_eq!(fields(&status, Code::InvalidArgument), ["records"]);
        let records = vec![input(Record::Item(item())); 501];
        let status = client.batch_validate_records(batch(records)).await.unwrap_err();
        assert_eq!((fields(&status, Code::InvalidArgument), reason(&status)), (vec!["records".to_owned()], "TOO_LARGE".to_owned()));
        let figures = client
            .list_quality_figures(ListQualityFiguresRequest { scope: "acme".into(), ..Default::default() })
            .await
            .unwrap()
            .into_inner();
        assert!(figures.figures.is_empty(), "{figures:?}");
    }

    async fn names_pages_and_dates_are_checked(backend: Backend) {
        let harness = start(backend).await;
        let mut client = steward(&harness);
        for name in ["", "validations/", "validations/x", "mappings/x"] {
            let status = client.get_validation(GetValidationRequest { name: name.into() }).await.unwrap_err();
            assert_eq!(fields(&status, Code::InvalidArgument), ["name"], "{name:?}");
        }
        let status = client.get_mapping(GetMappingRequest { name: "x".into() }).await.unwrap_err();
        assert_eq!(fields(&status, Code::InvalidArgument), ["name"]);
        let status = client.get_mapping(GetMappingRequest { name: "mappings/x".into() }).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        let status = client.list_mappings(ListMappingsRequest { page_size: -1, page_token: String::new() }).await.unwrap_err();
        assert_eq!(fields(&status, Code::InvalidArgument), ["page_size"]);
        let status = client.list_mappings(ListMappingsRequest { page_size: 0, page_token: "x".into() }).await.unwrap_err();
        assert_eq!(reason(&status), "PAGE_TOKEN_INVALID");
        let asked = |entity: &str, start: &str, end: &str| ListQualityFiguresRequest {
            scope: "acme".into(),
            entity: entity.into(),
            start_date: start.into(),
            end_date: end.into(),
            ..Default::default()
        };
        for (request, field) in [
            (asked("order", "", ""), "entity"),
            (asked("", "yesterday", ""), "start_date"),
            (asked("", "", "2026-02-30"), "end_date"),
            (asked("", "2026-02-02", "2026-02-01"), "end_date"),
        ] {
            let status = client.list_quality_figures(request).await.unwrap_err();
            assert_eq!(fields(&status, Code::InvalidArgument), [field]);
        }
        let all = ListQualityFiguresRequest { scope: "Acme".into(), ..asked("order", "yesterday", "x") };
        let status = client.list_quality_figures(all).await.unwrap_err();
        assert_eq!(fields(&status, Code::InvalidArgument), ["scope", "entity", "start_date", "end_date"]);
    }
}
