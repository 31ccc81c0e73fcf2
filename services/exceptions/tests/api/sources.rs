//! Whose events of a source are.

use contracts::{
    exceptions::{
        BatchIngestEventsRequest, EventEffect, IngestEventRequest, IngestOutcome,
        event_service_client::EventServiceClient,
    },
    types::{CloudEvent, ErrorReason},
};
use exceptions::settings::Source;
use service_kit::{error::Reason, identity::PrincipalKind, settings::Settings};
use testkit::{Harness, harness::Options, identity::Provider};
use tonic::Code;

use crate::support::{
    Events, INDUSTRIAL, MEDICAL, Suite, credit_exceeded, exceptions_settings, files, refusal,
};

fn adapter(suite: &Suite, subject: &str) -> Events {
    EventServiceClient::new(suite.harness.program(subject, &["event-source@acme"]))
}

fn of(source: &str, event: CloudEvent) -> CloudEvent {
    CloudEvent {
        source: source.to_owned(),
        ..event
    }
}

fn one(event: &CloudEvent) -> IngestEventRequest {
    IngestEventRequest {
        event: Some(event.clone()),
    }
}

const FOREIGN: (Code, Reason) = (Code::PermissionDenied, Reason::EventSourceForeign);
const UNDECLARED: (Code, Reason) = (Code::PermissionDenied, Reason::EventSourceUndeclared);

/// The service as it is deployed, and the issuer of its adapters' tokens.
async fn deployed(backend: testkit::Backend) -> (Harness, Provider) {
    let provider = Provider::new("https://id.example");
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "own").unwrap();
    let mut service = exceptions_settings();
    service.sources = vec![Source {
        source: "/erp/medical".to_owned(),
        issuer: Some("https://id.example".to_owned()),
        subjects: vec!["erp-adapter".to_owned()],
    }];
    let mut settings = Settings::default();
    settings.identity.issuers = vec![provider.settings()];
    settings.identity.token_file = Some(token.path().to_owned());
    let options = Options {
        settings,
        files: files(),
        deployed: true,
        ..Options::default()
    };
    let harness = Harness::with::<exceptions::Service>(backend, service, options).await;
    (harness, provider)
}

testkit::backends! {
    async fn deployed_nobody_has_a_source_by_bringing_it_first(backend: Backend) {
        let (harness, provider) = deployed(backend).await;
        let adapter = |subject: &str| {
            let grants = ["event-source@acme"];
            let token = provider.mint(subject, PrincipalKind::Service, &grants, harness.clock.now());
            EventServiceClient::new(harness.with_token(&token))
        };
        let (mut erp, mut wms) = (adapter("erp-adapter"), adapter("wms-adapter"));
        // Neither of them has a source that no setting names, the first no more than the second.
        let event = of("/wms", credit_exceeded("SO-1", MEDICAL, "1.00"));
        for client in [&wms, &erp, &wms] {
            let answer = client.clone().ingest_event(one(&event)).await;
            assert_eq!(refusal(answer), UNDECLARED);
        }
        let own = of("/erp/medical", credit_exceeded("SO-2", MEDICAL, "1.00"));
        let batch = BatchIngestEventsRequest { events: vec![event, own.clone()] };
        let results = erp.batch_ingest_events(batch).await.unwrap().into_inner().results;
        assert_eq!(results[0].outcome(), IngestOutcome::Refused);
        assert_eq!(results[0].refusal(), ErrorReason::EventSourceUndeclared);
        assert_eq!(results[1].outcome(), IngestOutcome::Accepted);
        assert_eq!(refusal(wms.ingest_event(one(&own)).await), FOREIGN);

        let wait = std::time::Duration::from_secs(20);
        let recorded = |kind: &str| {
            let records = harness.log.records();
            records.iter().filter(|record| record.r#type == kind).count()
        };
        let refused = "bylaw.exceptions.event.refused.v1";
        testkit::eventually(wait, || async { recorded(refused) == 5 }).await;
        assert_eq!(recorded("bylaw.exceptions.source.bound.v1"), 0);
    }

    async fn nobody_uses_up_the_ids_of_anothers_source(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.hold("SO-1").await;
        // The true event, and what somebody else brings under its id before it comes.
        let event = credit_exceeded("SO-2", MEDICAL, "18450.00");
        let theft = CloudEvent { scope: INDUSTRIAL.to_owned(), ..event.clone() };
        let local = suite.harness.program("industrial-adapter", &["event-source@acme/europe/industrial"]);
        let mut local = EventServiceClient::new(local);
        assert_eq!(refusal(local.ingest_event(one(&theft)).await), FOREIGN);
        let own = of("/industrial/erp", credit_exceeded("SO-3", INDUSTRIAL, "1.00"));
        let batch = BatchIngestEventsRequest { events: vec![theft, own] };
        let results = local.batch_ingest_events(batch).await.unwrap().into_inner().results;
        assert_eq!(results[0].outcome(), IngestOutcome::Refused);
        assert_eq!(results[0].refusal(), ErrorReason::EventSourceForeign);
        assert_eq!(results[1].outcome(), IngestOutcome::Accepted);

        let result = suite.ingest(event.clone()).await;
        assert_eq!((result.outcome(), result.effect()), (IngestOutcome::Accepted, EventEffect::Raised));
        // The source of the other is theirs just so, and the same subject of its own keeps it.
        let theirs = of("/industrial/erp", credit_exceeded("SO-4", INDUSTRIAL, "1.00"));
        assert_eq!(refusal(suite.erp().ingest_event(one(&theirs)).await), FOREIGN);
        let again = local.ingest_event(one(&theirs)).await.unwrap().into_inner();
        assert_eq!(again.outcome(), IngestOutcome::Accepted);
        let records = suite.recorded("SO-2", 4).await;
        let refused = records.iter().filter(|kind| *kind == "bylaw.exceptions.event.refused.v1");
        assert_eq!(refused.count(), 2, "{records:?}");
    }

    async fn the_settings_say_whose_a_source_is(backend: Backend) {
        let mut settings = exceptions_settings();
        settings.sources = vec![Source {
            source: "/examples/wms".to_owned(),
            issuer: None,
            subjects: vec!["wms-adapter".to_owned(), "wms-standby".to_owned()],
        }];
        let suite = Suite::start_with(backend, settings).await;
        let event = of("/examples/wms", credit_exceeded("SO-1", MEDICAL, "1.00"));
        assert_eq!(refusal(suite.erp().ingest_event(one(&event)).await), FOREIGN);
        let first = adapter(&suite, "wms-adapter").ingest_event(one(&event)).await.unwrap();
        assert_eq!(first.into_inner().outcome(), IngestOutcome::Accepted);
        // Both bring the same events.
        let again = adapter(&suite, "wms-standby").ingest_event(one(&event)).await.unwrap();
        assert_eq!(again.into_inner().outcome(), IngestOutcome::Duplicate);
    }

    async fn the_suites_own_sources_come_over_the_stream_alone(backend: Backend) {
        let suite = Suite::start(backend).await;
        for source in ["/bylaw/masterdata", "/bylaw/nobody", "/bylaw/"] {
            let event = of(source, credit_exceeded("SO-1", MEDICAL, "1.00"));
            assert_eq!(refusal(suite.erp().ingest_event(one(&event)).await), FOREIGN, "{source}");
            let own = of(source, credit_exceeded("SO-1", MEDICAL, "1.00"));
            let mut named = adapter(&suite, "bylaw-nobody");
            assert_eq!(refusal(named.ingest_event(one(&own)).await), FOREIGN, "{source}");
        }
        assert!(suite.open().await.is_empty());
    }

    async fn of_two_who_bring_a_source_first_one_has_it(backend: Backend) {
        let suite = Suite::start(backend).await;
        let mut racing = Vec::new();
        for index in 0..8 {
            let mut client = adapter(&suite, &format!("adapter-{index}"));
            let event = of("/shared", credit_exceeded(&format!("SO-{index}"), MEDICAL, "1.00"));
            racing.push(tokio::spawn(async move {
                client.ingest_event(one(&event)).await.map(|answer| answer.into_inner().outcome())
            }));
        }
        let mut taken = 0;
        for task in racing {
            match task.await.unwrap() {
                Ok(outcome) => {
                    assert_eq!(outcome, IngestOutcome::Accepted);
                    taken += 1;
                }
                Err(status) => assert_eq!(refusal::<()>(Err(status)), FOREIGN),
            }
        }
        assert_eq!(taken, 1);
    }
}
