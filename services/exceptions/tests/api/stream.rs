//! Events of other services.

use std::{sync::Arc, time::Duration};

use contracts::{exceptions::GetDocumentRequest, types};
use service_kit::bus::{self, Positioned};

use crate::support::{INDUSTRIAL, MEDICAL, Suite, morning};

testkit::backends! {
    async fn a_record_that_is_not_fit_raises_an_exception(backend: Backend) {
        let suite = Suite::start(backend).await;
        let event = |position: u64, kind: &str, subject: &str, scope: &str| Positioned {
            position,
            event: Arc::new(bus::Event {
                id: format!("event-{position}"),
                source: "/bylaw/masterdata".to_owned(),
                r#type: kind.to_owned(),
                subject: subject.to_owned(),
                time: morning(),
                scope: scope.to_owned(),
                correlation_id: "SO-1".to_owned(),
                trace_parent: String::new(),
                data_schema: String::new(),
                data: r#"{"entity": "customer", "errors": 2, "warnings": 0, "record_id": "C-9"}"#.into(),
            }),
        };
        let invalid = "bylaw.masterdata.record.invalid.v1";
        let events = [
            // Nothing that this service knows of.
            event(1, "bylaw.masterdata.record.valid.v1", "customer/C-8", MEDICAL),
            event(2, invalid, "customer/C-9", MEDICAL),
            // Units share customers, and each has its own trouble with them.
            event(3, invalid, "customer/C-9", INDUSTRIAL),
            // A record without an id, which somebody validated for the whole enterprise.
            event(4, invalid, "records/019abc4e-6f3e-8c11-9b1e-3f2f6f0a5d11", "acme"),
            // The same again: it speaks for the exception that is open.
            event(5, invalid, "records/019abc4e-6f3e-8c11-9b1e-3f2f6f0a5d11", "acme"),
        ];
        let stream = bus::Stream { producer: "masterdata", incarnation: "one" };
        suite.harness.bus.publish(stream, 0, &events).await.unwrap();
        testkit::eventually(Duration::from_secs(20), || async {
            suite.open().await.iter().map(|exception| exception.evidence_count).sum::<i64>() == 4
        })
        .await;
        let mut open = suite.open().await;
        let evidence = open.iter().map(|exception| (exception.document_type.as_str(), exception.evidence_count));
        assert_eq!(evidence.collect::<Vec<_>>(), [("customer", 1), ("customer", 1), ("record", 2)]);

        let exception = open.remove(0);
        assert_eq!(exception.r#type, "address_validation_failure");
        assert_eq!(exception.correlation_id, "SO-1");
        let name = "documents/customer/C-9@acme.europe.medical".to_owned();
        let document = suite.erp().get_document(GetDocumentRequest { name }).await.unwrap().into_inner();
        // A service's word isn't the ERP's.
        assert!(document.facts.iter().all(|fact| fact.provenance() == types::Provenance::Integration));
        assert!(document.facts.iter().all(|fact| fact.asserted_by == "bylaw-masterdata"));
    }
}
