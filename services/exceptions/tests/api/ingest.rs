//! Taking in events.

use contracts::{
    exceptions::{
        BatchIngestEventsRequest, EventEffect, GetDocumentRequest, IngestEventRequest,
        IngestOutcome, ListDeadLettersRequest, ReplayDeadLetterRequest,
        event_service_client::EventServiceClient,
    },
    types::{self, CloudEvent},
};
use service_kit::error::Reason;
use tonic::Code;

use crate::support::{
    CREDIT_EXCEEDED, INDUSTRIAL, MEDICAL, Suite, credit_exceeded, event, field, fields, morning,
    refusal, released,
};

fn architect(suite: &Suite) -> crate::support::Events {
    let calls = suite
        .harness
        .person("architect", &["integration-architect@acme"]);
    EventServiceClient::new(calls)
}

async fn batch(suite: &Suite, events: Vec<CloudEvent>) -> Vec<IngestOutcome> {
    let request = BatchIngestEventsRequest { events };
    let response = suite.erp().batch_ingest_events(request).await.unwrap();
    let results = response.into_inner().results;
    results.iter().map(|result| result.outcome()).collect()
}

/// Spoils an event.
type Change = fn(&mut CloudEvent);

testkit::backends! {
    async fn an_event_raises_a_routed_exception_and_leaves_facts(backend: Backend) {
        let suite = Suite::start(backend).await;
        let result = suite.ingest(credit_exceeded("SO-1", MEDICAL, "18450.00")).await;
        assert_eq!(result.outcome(), IngestOutcome::Accepted);
        assert_eq!(result.effect(), EventEffect::Raised);

        let exception = suite.get(&result.exception).await;
        assert_eq!(exception.r#type, "credit_hold");
        assert_eq!(exception.scope, MEDICAL);
        assert_eq!((exception.document_type.as_str(), exception.document_id.as_str()), ("order", "SO-1"));
        assert_eq!(exception.hold_source, "customer/C-9");
        // Medical's own table: regulated, so two hours to respond and eight to resolve.
        assert_eq!(exception.queue, "medical-credit");
        assert_eq!(exception.first_action, "release_credit_hold");
        let due = |time: Option<prost_types::Timestamp>| time.unwrap().seconds - morning().timestamp();
        assert_eq!(due(exception.response_by), 2 * 3_600);
        assert_eq!(due(exception.resolution_by), 8 * 3_600);
        assert!(exception.blocking && !exception.breached);
        assert_eq!((exception.evidence.len(), exception.evidence_count), (1, 1));
        assert_eq!(exception.evidence[0].asserted_by, "erp-adapter");

        let name = "documents/order/SO-1".to_owned();
        let document = suite.erp().get_document(GetDocumentRequest { name }).await.unwrap().into_inner();
        assert_eq!(document.open_exceptions, [result.exception]);
        let total = document.facts.iter().find(|fact| fact.name == "order.total").unwrap();
        assert_eq!(total.provenance(), types::Provenance::Erp);
        assert_eq!(total.asserted_by, "erp-adapter");
        let money = types::Money {
            amount: Some(types::Decimal { value: "18450.00".to_owned() }),
            currency_code: "EUR".to_owned(),
        };
        assert_eq!(total.value.as_ref().unwrap().kind, Some(types::value::Kind::MoneyValue(money)));

        let recorded = suite.recorded("SO-1", 2).await;
        assert!(recorded.contains(&"bylaw.exceptions.event.accepted.v1".to_owned()));
        assert!(recorded.contains(&"bylaw.exceptions.exception.raised.v1".to_owned()));
    }

    async fn the_same_event_counts_once_and_other_content_is_refused(backend: Backend) {
        let suite = Suite::start(backend).await;
        let event = credit_exceeded("SO-2", MEDICAL, "100.00");
        let first = suite.ingest(event.clone()).await;
        let again = suite.ingest(event.clone()).await;
        assert_eq!(again.outcome(), IngestOutcome::Duplicate);
        assert_eq!(again.exception, first.exception);
        assert_eq!(again.effect(), EventEffect::Unspecified);

        let other = CloudEvent {
            data: credit_exceeded("SO-2", MEDICAL, "999.00").data,
            ..event.clone()
        };
        let request = IngestEventRequest { event: Some(other.clone()) };
        let refused = refusal(suite.erp().ingest_event(request).await);
        assert_eq!(refused, (Code::AlreadyExists, Reason::IdempotencyConflict));
        let new = credit_exceeded("SO-3", MEDICAL, "5.00");
        assert_eq!(
            batch(&suite, vec![event, other, new.clone(), new]).await,
            [
                IngestOutcome::Duplicate,
                IngestOutcome::Refused,
                IngestOutcome::Accepted,
                IngestOutcome::Duplicate,
            ]
        );
        assert_eq!(suite.get(&first.exception).await.evidence_count, 1);
        let recorded = suite.recorded("SO-2", 4).await;
        let refusals = recorded.iter().filter(|kind| *kind == "bylaw.exceptions.event.refused.v1");
        assert_eq!(refusals.count(), 2);
    }

    async fn a_later_event_is_evidence_until_the_exception_is_resolved(backend: Backend) {
        let suite = Suite::start(backend).await;
        let first = suite.hold("SO-4").await;
        let later = suite.ingest(credit_exceeded("SO-4", MEDICAL, "18451.00")).await;
        assert_eq!((later.effect(), later.exception.as_str()), (EventEffect::Evidence, first.as_str()));

        let end = suite.ingest(released("SO-4", "{}")).await;
        assert_eq!((end.effect(), end.exception.as_str()), (EventEffect::Resolved, first.as_str()));
        let exception = suite.get(&first).await;
        assert_eq!(exception.resolution_code, "released");
        assert_eq!(exception.evidence_count, 2);
        // There is nothing left to resolve, and a new hold is a new exception.
        let nothing = suite.ingest(released("SO-4", "{}")).await;
        assert_eq!(nothing.effect(), EventEffect::Unspecified);
        assert_ne!(suite.hold("SO-4").await, first);

        // All of it in one batch comes out the same.
        let events = vec![
            credit_exceeded("SO-5", MEDICAL, "1.00"),
            credit_exceeded("SO-5", MEDICAL, "2.00"),
            released("SO-5", "{}"),
            credit_exceeded("SO-5", MEDICAL, "3.00"),
        ];
        let response = suite.erp().batch_ingest_events(BatchIngestEventsRequest { events }).await.unwrap();
        let effects = response.into_inner().results.iter().map(|r| r.effect()).collect::<Vec<_>>();
        use EventEffect::{Evidence, Raised, Resolved};
        assert_eq!(effects, [Raised, Evidence, Resolved, Raised]);
    }

    async fn lines_and_types_stand_beside_each_other(backend: Backend) {
        let suite = Suite::start(backend).await;
        let short = |line: &str| {
            let data = format!(r#"{{"order": {{"line": "{line}"}}, "item": {{"id": "I-1"}}, "customer": {{"commitment_met": true}}}}"#);
            event("com.example.wms.stock-short", "orders/SO-6", INDUSTRIAL, &data)
        };
        let first = suite.ingest(short("10")).await;
        let second = suite.ingest(short("20")).await;
        assert_eq!(second.effect(), EventEffect::Raised);
        let hold = suite.ingest(credit_exceeded("SO-6", INDUSTRIAL, "10.00")).await;
        assert_eq!(hold.effect(), EventEffect::Raised);
        let again = suite.ingest(short("10")).await;
        assert_eq!((again.effect(), again.exception), (EventEffect::Evidence, first.exception));
        // Stock for one line resolves that line alone.
        let data = r#"{"order": {"line": "20"}}"#;
        let received = event("com.example.wms.stock-received", "orders/SO-6", INDUSTRIAL, data);
        assert_eq!(suite.ingest(received).await.exception, second.exception);
        assert_eq!(suite.open().await.len(), 2);
    }

    async fn what_cannot_be_taken_in_is_kept_with_the_reason(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.hold("SO-7").await;
        let cases = [
            (event("com.example.unheard-of", "orders/1", MEDICAL, "{}"), "type"),
            (event(CREDIT_EXCEEDED, "orders/1", MEDICAL, "{\n \"order\": }"), "data: line 2"),
            (event(CREDIT_EXCEEDED, "orders/1", MEDICAL, "{}"), "data.order.total"),
            (event(CREDIT_EXCEEDED, "parcels/1", MEDICAL, r#"{"order": {"total": "1 EUR"}}"#), "subject"),
            // A document of another unit, whoever guesses its id.
            (credit_exceeded("SO-7", INDUSTRIAL, "1.00"), "scope"),
        ];
        for (event, place) in cases.clone() {
            let result = suite.ingest(event.clone()).await;
            assert_eq!(result.outcome(), IngestOutcome::DeadLettered);
            assert!(result.dead_letter_reason.starts_with(place), "{}", result.dead_letter_reason);
            assert_eq!(suite.ingest(event).await.outcome(), IngestOutcome::Duplicate);
        }
        let page = ListDeadLettersRequest { page_size: 2, ..Default::default() };
        let first = architect(&suite).list_dead_letters(page.clone()).await.unwrap().into_inner();
        assert_eq!(first.dead_letters.len(), 2);
        let rest = ListDeadLettersRequest { page_token: first.next_page_token, page_size: 10 };
        let rest = architect(&suite).list_dead_letters(rest).await.unwrap().into_inner();
        assert_eq!(rest.dead_letters.len(), 3);
        assert!(rest.next_page_token.is_empty());
        assert_eq!(rest.dead_letters[2].event.as_ref(), Some(&cases[0].0));
        let elsewhere = suite.harness.person("a", &["integration-architect@acme/asia"]);
        let mut elsewhere = EventServiceClient::new(elsewhere);
        let none = elsewhere.list_dead_letters(page).await.unwrap().into_inner();
        assert!(none.dead_letters.is_empty());

        // Nothing has changed, so it stays.
        let name = rest.dead_letters[2].name.clone();
        let replay = ReplayDeadLetterRequest { name: name.clone() };
        let result = architect(&suite).replay_dead_letter(replay.clone()).await.unwrap().into_inner();
        assert_eq!(result.outcome(), IngestOutcome::DeadLettered);
        assert_eq!(result.dead_letter, name);
        let hidden = refusal(elsewhere.replay_dead_letter(replay).await);
        assert_eq!(hidden, (Code::NotFound, Reason::NotFound));
    }

    async fn the_unit_is_the_documents_whatever_an_event_names(backend: Backend) {
        let suite = Suite::start(backend).await;
        let hold = suite.hold("SO-11").await;
        // The warehouse knows its site; the order is the unit's.
        let site = "acme/europe/medical/basel";
        let short = r#"{"item": {"id": "I-1", "regulated": false}, "customer": {"licence_valid": true}}"#;
        let event = event("com.example.wms.stock-short", "orders/SO-11", site, short);
        let local = suite.harness.program("basel", &["event-source@acme/europe/medical/basel"]);
        let mut local = EventServiceClient::new(local);
        let theirs = CloudEvent { source: "/examples/basel".to_owned(), ..event.clone() };
        let request = IngestEventRequest { event: Some(theirs) };
        let result = local.ingest_event(request).await.unwrap().into_inner();
        // Who brings events for the site alone says nothing of the unit's orders.
        assert_eq!(result.outcome(), IngestOutcome::DeadLettered);
        let again = CloudEvent { id: "again".to_owned(), ..event };
        let result = suite.ingest(again).await;
        assert_eq!(result.effect(), EventEffect::Raised);
        let stockout = suite.get(&result.exception).await;
        assert_eq!((stockout.scope.as_str(), stockout.queue.as_str()), (MEDICAL, "medical-supply"));
        assert_eq!(suite.get(&hold).await.scope, MEDICAL);
    }

    async fn malformed_attributes_are_refused_as_a_whole(backend: Backend) {
        let suite = Suite::start(backend).await;
        let good = credit_exceeded("SO-8", MEDICAL, "1.00");
        let bad: [(&str, Change); 6] = [
            ("id", |e| e.id.clear()),
            ("source", |e| e.source = "not a uri".to_owned()),
            ("type", |e| e.r#type.clear()),
            ("subject", |e| e.subject = "orders/\u{7}".to_owned()),
            ("scope", |e| e.scope = "Acme".to_owned()),
            ("data", |e| e.data = vec![b' '; 256 * 1024 + 1].into()),
        ];
        for (attribute, change) in bad {
            let mut event = good.clone();
            change(&mut event);
            let one = IngestEventRequest { event: Some(event.clone()) };
            assert_eq!(field(suite.erp().ingest_event(one).await), format!("event.{attribute}"));
            let two = BatchIngestEventsRequest { events: vec![good.clone(), event] };
            assert_eq!(field(suite.erp().batch_ingest_events(two).await), format!("events[1].{attribute}"));
        }
        // Everything that is wrong is named at once.
        let bare = CloudEvent { scope: MEDICAL.to_owned(), ..CloudEvent::default() };
        let one = IngestEventRequest { event: Some(bare) };
        let wrong = ["source", "id", "type", "subject"].map(|name| format!("event.{name}"));
        assert_eq!(fields(suite.erp().ingest_event(one).await), wrong);
        let two = BatchIngestEventsRequest { events: vec![good.clone(), CloudEvent::default()] };
        let wrong = ["source", "id", "type", "subject", "scope"].map(|name| format!("events[1].{name}"));
        assert_eq!(fields(suite.erp().batch_ingest_events(two).await), wrong);
        for count in [0, 501] {
            let request = BatchIngestEventsRequest { events: vec![good.clone(); count] };
            assert_eq!(field(suite.erp().batch_ingest_events(request).await), "events");
        }
        assert!(suite.open().await.is_empty());
    }

    async fn events_that_race_for_one_exception_share_it(backend: Backend) {
        let suite = Suite::start(backend).await;
        let mut racing = Vec::new();
        for index in 0..24 {
            let mut erp = suite.erp();
            let event = credit_exceeded("SO-9", MEDICAL, &format!("{index}.00"));
            racing.push(tokio::spawn(async move {
                let request = IngestEventRequest { event: Some(event) };
                erp.ingest_event(request).await.unwrap().into_inner().effect()
            }));
        }
        let mut raised = 0;
        for task in racing {
            raised += i32::from(task.await.unwrap() == EventEffect::Raised);
        }
        assert_eq!(raised, 1);
        let open = suite.open().await;
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].evidence_count, 24);
        assert_eq!(suite.get(&open[0].name).await.evidence.len(), 24);
    }

    async fn an_older_observation_does_not_replace_a_newer_one(backend: Backend) {
        let suite = Suite::start(backend).await;
        let at = |seconds: i64, total: &str| {
            let mut event = credit_exceeded("SO-10", MEDICAL, total);
            event.time = Some(prost_types::Timestamp { seconds, nanos: 0 });
            event
        };
        let noon = morning().timestamp() - 600;
        suite.ingest(at(noon, "2.00")).await;
        suite.ingest(at(noon - 60, "1.00")).await;
        let name = "documents/order/SO-10".to_owned();
        let read = || async {
            let request = GetDocumentRequest { name: name.clone() };
            let document = suite.erp().get_document(request).await.unwrap().into_inner();
            let fact = document.facts.into_iter().find(|fact| fact.name == "order.total").unwrap();
            (format!("{:?}", fact.value), fact.observe_time.unwrap().seconds)
        };
        let (value, observed) = read().await;
        assert!(value.contains("2.00"), "{value}");
        assert_eq!(observed, noon);
        // What claims to come from the future is observed now at best.
        suite.ingest(at(noon + 86_400, "3.00")).await;
        let (value, observed) = read().await;
        assert!(value.contains("3.00"), "{value}");
        assert_eq!(observed, morning().timestamp());
    }
}
