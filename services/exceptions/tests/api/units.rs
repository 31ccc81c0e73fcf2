//! Which units there are, and everything that one event means there.

use contracts::{
    exceptions::{
        EventEffect, GetDocumentRequest, IngestEventRequest, IngestOutcome, IngestResult,
        ListExceptionsRequest, event_service_client::EventServiceClient,
    },
    types::CloudEvent,
};

use crate::support::{CREDIT_EXCEEDED, INDUSTRIAL, MEDICAL, Suite, credit_exceeded, event, field};

const BASEL: &str = "acme/europe/medical/basel";

fn meanings(result: &IngestResult) -> Vec<(&str, EventEffect)> {
    let meanings = result.meanings.iter();
    meanings
        .map(|meaning| (meaning.exception_type.as_str(), meaning.effect()))
        .collect()
}

testkit::backends! {
    async fn a_unit_that_is_not_there_has_no_documents(backend: Backend) {
        let suite = Suite::start(backend).await;
        for (scope, reason) in [
            ("acme/europe/nope", "scope: there is no unit acme/europe/nope"),
            ("acme/europe/medical/nope", "scope: there is no unit acme/europe/medical/nope"),
            ("acme/europe", "scope: acme/europe is no business unit, and none is known to have order/SO-1"),
            ("acme", "scope: acme is no business unit, and none is known to have order/SO-1"),
        ] {
            let result = suite.ingest(credit_exceeded("SO-1", scope, "1.00")).await;
            assert_eq!(result.outcome(), IngestOutcome::DeadLettered);
            assert_eq!(result.dead_letter_reason, reason);
        }
        assert!(suite.open().await.is_empty());
        // None of them has bound the order: the true event comes through.
        let hold = suite.hold("SO-1").await;
        assert_eq!(suite.get(&hold).await.scope, MEDICAL);
        // Whose order it is known to be, an event may leave to this service.
        let above = suite.ingest(credit_exceeded("SO-1", "acme/europe", "2.00")).await;
        assert_eq!((above.effect(), above.exception), (EventEffect::Evidence, hold));
    }

    async fn a_site_means_the_unit_that_it_belongs_to(backend: Backend) {
        let suite = Suite::start(backend).await;
        let event = credit_exceeded("SO-1", BASEL, "1.00");
        let local = suite.harness.program("basel", &[&format!("event-source@{BASEL}")]);
        let mut local = EventServiceClient::new(local);
        let theirs = CloudEvent { source: "/examples/basel".to_owned(), ..event.clone() };
        let request = IngestEventRequest { event: Some(theirs) };
        let alone = local.ingest_event(request).await.unwrap().into_inner();
        assert_eq!(alone.outcome(), IngestOutcome::DeadLettered);
        assert!(alone.dead_letter_reason.contains("of acme/europe/medical"), "{}", alone.dead_letter_reason);
        let result = suite.ingest(event).await;
        assert_eq!(suite.get(&result.exception).await.scope, MEDICAL);
        let name = "documents/order/SO-1".to_owned();
        let document = suite.erp().get_document(GetDocumentRequest { name }).await.unwrap().into_inner();
        assert_eq!(document.scope, MEDICAL);
    }

    async fn every_meaning_of_an_event_is_told(backend: Backend) {
        let suite = Suite::start(backend).await;
        let unlicensed = r#"{"order": {"total": "1.00 EUR"}, "item": {"regulated": true},
            "customer": {"licence_valid": false}}"#;
        let both = event(CREDIT_EXCEEDED, "orders/SO-1", MEDICAL, unlicensed);
        let result = suite.ingest(both.clone()).await;
        use EventEffect::{Evidence, Raised, Resolved};
        assert_eq!(meanings(&result), [("compliance_review", Raised), ("credit_hold", Raised)]);
        assert_eq!(result.meanings[0].exception, result.exception);
        assert_eq!(result.meanings[0].exception_type, result.exception_type);
        let again = suite.ingest(both).await;
        assert_eq!((again.outcome(), again.exception.as_str()), (IngestOutcome::Duplicate, result.exception.as_str()));
        assert!(again.meanings.is_empty());
        // What is new comes first.
        let short = r#"{"item": {"id": "I-1", "regulated": true}, "customer": {"licence_valid": false}}"#;
        let short = suite.ingest(event("com.example.wms.stock-short", "orders/SO-1", MEDICAL, short)).await;
        assert_eq!(meanings(&short), [("stockout", Raised), ("compliance_review", Evidence)]);

        let line = |line: &str| {
            let data = format!(r#"{{"order": {{"line": "{line}"}}, "item": {{"id": "I-1"}}, "customer": {{"licence_valid": true}}}}"#);
            event("com.example.wms.stock-short", "orders/SO-2", INDUSTRIAL, &data)
        };
        suite.ingest(line("10")).await;
        suite.ingest(line("20")).await;
        let received = suite.ingest(event("com.example.wms.stock-received", "orders/SO-2", INDUSTRIAL, "{}")).await;
        assert_eq!(meanings(&received), [("stockout", Resolved), ("stockout", Resolved)]);
        assert_ne!(received.meanings[0].exception, received.meanings[1].exception);
    }

    async fn control_characters_are_refused_on_every_store(backend: Backend) {
        let suite = Suite::start(backend).await;
        let data = |id: &str| format!(r#"{{"order": {{"total": "1.00 EUR"}}, "customer": {{"id": "{id}"}}}}"#);
        for (id, place) in [
            (r"C-\u0000x", "data: "),
            (r"C-\u001b[31mred", "data.customer.id: holds the control character"),
            (r"C-\u0085", "data.customer.id: holds the control character"),
        ] {
            let result = suite.ingest(event(CREDIT_EXCEEDED, "orders/SO-1", MEDICAL, &data(id))).await;
            assert_eq!(result.outcome(), IngestOutcome::DeadLettered, "{id}");
            assert!(result.dead_letter_reason.starts_with(place), "{}", result.dead_letter_reason);
        }
        for (request, wrong) in [
            (ListExceptionsRequest { r#type: "a\0".to_owned(), ..Default::default() }, "type"),
            (ListExceptionsRequest { queue: "a\0".to_owned(), ..Default::default() }, "queue"),
            (ListExceptionsRequest { correlation_id: "a\0".to_owned(), ..Default::default() }, "correlation_id"),
        ] {
            assert_eq!(field(suite.auditor().list_exceptions(request).await), wrong);
        }
    }
}
