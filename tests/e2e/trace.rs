//! The story of one order is one trace, through all five services, their outboxes, the
//! event stream and the log, under one correlation id.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{
    aigate::{
        AcceptRecommendationRequest, GateVerdict, SubmitRecommendationRequest,
        recommendation_service_client::RecommendationServiceClient,
    },
    audit::{GetLineageRequest, audit_service_client::AuditServiceClient},
    exceptions::{
        ActionState, ApproveActionRequest, GetActionRequest, IngestEventRequest,
        RequestActionRequest, event_service_client::EventServiceClient,
        exception_service_client::ExceptionServiceClient,
    },
    masterdata::{
        Customer, RecordInput, ValidateRecordRequest, record_input::Record,
        validation_service_client::ValidationServiceClient,
    },
    types::Decimal,
};
use service_kit::{facts, identity::PrincipalKind};
use testkit::{
    eventually_ok,
    otlp::{Collector, Span},
};
use tonic::{Request, metadata::MetadataValue};

use crate::suite::{SOON, Suite, credit_limit_exceeded, order};

const SERVICES: [&str; 5] = ["audit", "policy", "exceptions", "masterdata", "aigate"];

/// The caller's own span, which no service knows.
const CALLER: &str = "00f067aa0ba902b7";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const ORDER: u32 = 4711;

/// A request of the caller's trace.
fn traced<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let parent = MetadataValue::try_from(parent).unwrap();
    request.metadata_mut().insert("traceparent", parent);
    request
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_order_is_one_trace() {
    let (collector, endpoint) = Collector::serve().await;
    let suite = Suite::start(&SERVICES, &endpoint);
    play(&suite).await;
    suite.delivered(&SERVICES).await;
    let spans = eventually_ok(SOON, || async {
        let spans = collector.trace(TRACE);
        complete(&spans).map(|()| spans)
    })
    .await;
    no_orphans(&spans);
    deliveries_are_linked(&spans, &collector);
    events_go_on(&spans);
    one_lineage(&suite).await;
    log_lines_carry_the_trace(&suite).await;
}

/// What goes wrong in a call is logged with the call's trace.
async fn log_lines_carry_the_trace(suite: &Suite) {
    let erp = suite.calls("exceptions", "erp-adapter", PrincipalKind::Service);
    let event = Some(credit_limit_exceeded(ORDER + 1));
    let raised = EventServiceClient::new(erp)
        .ingest_event(traced(IngestEventRequest { event }))
        .await
        .unwrap()
        .into_inner();
    suite.processes.service("policy").kill();
    let request = RequestActionRequest {
        parent: raised.exception,
        operation: "release_credit_hold".to_owned(),
        request_id: uuid::Uuid::now_v7().to_string(),
        ..RequestActionRequest::default()
    };
    let mut desk = ExceptionServiceClient::new(suite.person("exceptions", "order-desk.medical"));
    let refused = desk.request_action(traced(request)).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable, "{refused:?}");
    let traced = format!("\"trace_id\":\"{TRACE}\"");
    eventually_ok(SOON, || async {
        let service = suite.processes.service("exceptions");
        let line = service.log().lines().any(|line| line.contains(&traced));
        if line {
            Ok(())
        } else {
            Err(service.log_tail())
        }
    })
    .await;
}

/// Every service has spans of the trace, and so has each way between them.
fn complete(spans: &[Span]) -> Result<(), String> {
    for service in SERVICES {
        if !spans.iter().any(|span| is_of(span, service)) {
            return Err(format!("no span of {service}: {}", show(spans)));
        }
    }
    let wanted = [
        ("exceptions", "send audit"),
        ("aigate", "send audit"),
        ("masterdata", "send audit"),
        ("policy", "send audit"),
        ("masterdata", "send events"),
        ("exceptions", "send events"),
        ("exceptions", "process bylaw.masterdata.record.invalid.v1"),
        ("audit", "process audit record"),
    ];
    for (service, name) in wanted {
        if !spans
            .iter()
            .any(|span| is_of(span, service) && span.name == name)
        {
            return Err(format!("no span {name:?} of {service}: {}", show(spans)));
        }
    }
    // Parents leave after their children.
    let ids: BTreeSet<_> = spans.iter().map(|span| span.span_id.as_str()).collect();
    let orphan = spans
        .iter()
        .find(|span| span.parent_id != CALLER && !ids.contains(span.parent_id.as_str()));
    match orphan {
        Some(span) => Err(format!("{} of {} has no parent", span.name, span.service)),
        None => Ok(()),
    }
}

fn is_of(span: &Span, service: &str) -> bool {
    span.service.trim_start_matches("bylaw-") == service
}

fn show(spans: &[Span]) -> String {
    let names: BTreeSet<_> = spans
        .iter()
        .map(|s| format!("{}: {}", s.service, s.name))
        .collect();
    format!("{names:#?}")
}

/// Every span leads up to the caller, without a circle.
fn no_orphans(spans: &[Span]) {
    let by_id: BTreeMap<_, _> = spans.iter().map(|s| (s.span_id.as_str(), s)).collect();
    for span in spans {
        let mut at = span;
        for _ in 0..spans.len() {
            if at.parent_id == CALLER {
                break;
            }
            at = by_id[at.parent_id.as_str()];
        }
        assert_eq!(at.parent_id, CALLER, "{span:?}");
    }
}

/// Batches have traces of their own and link to the deliveries in them.
fn deliveries_are_linked(spans: &[Span], collector: &Collector) {
    let all = collector.spans();
    let batches: Vec<_> = all
        .iter()
        .filter(|span| span.name.starts_with("relay "))
        .collect();
    let sends = spans.iter().filter(|span| span.name.starts_with("send "));
    let mut count = 0;
    for send in sends {
        let links_here = |batch: &&&Span| {
            let here = |(trace, id): &(String, String)| *trace == TRACE && *id == send.span_id;
            batch.links.iter().any(here)
        };
        let batch = batches.iter().find(links_here);
        let batch = batch.unwrap_or_else(|| panic!("no batch links to {send:?}"));
        assert_ne!(batch.trace_id, TRACE, "a batch belongs to no one trace");
        assert_eq!(batch.service, send.service);
        count += 1;
    }
    assert!(count >= 6, "{count} deliveries");
    for record in spans
        .iter()
        .filter(|span| span.name == "process audit record")
    {
        assert!(
            !record.links.is_empty(),
            "{record:?} doesn't link to its batch"
        );
    }
}

/// Handling an event is part of the trace that sent it, below its delivery.
fn events_go_on(spans: &[Span]) {
    let handled = spans
        .iter()
        .find(|span| span.name == "process bylaw.masterdata.record.invalid.v1")
        .unwrap();
    assert!(is_of(handled, "exceptions"));
    let send = spans
        .iter()
        .find(|span| span.span_id == handled.parent_id)
        .unwrap();
    assert_eq!(send.name, "send events");
    assert!(is_of(send, "masterdata"));
}

/// The log knows one trace of the order.
async fn one_lineage(suite: &Suite) {
    let mut audit = AuditServiceClient::new(suite.person("audit", "auditor"));
    let request = GetLineageRequest {
        correlation_id: order(ORDER),
        ..GetLineageRequest::default()
    };
    let lineage = audit.get_lineage(request).await.unwrap().into_inner();
    assert_eq!(lineage.trace_ids, [TRACE]);
    let producers: BTreeSet<_> = lineage
        .records
        .iter()
        .map(|r| r.producer.as_str())
        .collect();
    for producer in ["exceptions", "masterdata", "aigate", "policy"] {
        assert!(producers.contains(producer), "{producers:?}");
    }
    for record in &lineage.records {
        assert_eq!(record.correlation_id, order(ORDER));
        assert_eq!(record.trace_id, TRACE, "{record:?}");
    }
}

/// The story, from the ERP's event to its confirmation.
async fn play(suite: &Suite) {
    let erp = || suite.calls("exceptions", "erp-adapter", PrincipalKind::Service);
    let event = credit_limit_exceeded(ORDER);
    let raised = EventServiceClient::new(erp())
        .ingest_event(traced(IngestEventRequest {
            event: Some(event.clone()),
        }))
        .await
        .unwrap()
        .into_inner();
    validate(suite).await;
    let action = recommend(suite, raised.exception).await;
    let receipt = approve(suite, action).await;
    let mut released = event;
    released.id = format!("released-{ORDER}");
    released.r#type = "com.example.erp.order-released".to_owned();
    let data = serde_json::json!({"receipt": receipt, "order": {"released": true}});
    released.data = data.to_string().into();
    EventServiceClient::new(erp())
        .ingest_event(traced(IngestEventRequest {
            event: Some(released),
        }))
        .await
        .unwrap();
}

/// A customer's record that isn't fit: told over the event stream.
async fn validate(suite: &Suite) {
    let calls = suite.calls("masterdata", "erp-adapter", PrincipalKind::Service);
    let record = Customer {
        id: "C-1017".to_owned(),
        name: "Clinique du Lac SA".to_owned(),
        ..Customer::default()
    };
    let request = ValidateRecordRequest {
        scope: "acme/europe/medical".to_owned(),
        record: Some(RecordInput {
            record: Some(Record::Customer(record)),
        }),
        correlation_id: order(ORDER),
        ..Default::default()
    };
    let validation = ValidationServiceClient::new(calls)
        .validate_record(traced(request))
        .await
        .unwrap()
        .into_inner();
    assert!(!validation.valid);
}

/// An agent recommends, a reviewer accepts; the action that came of it.
async fn recommend(suite: &Suite, exception: String) -> String {
    let agent = suite.calls("aigate", "order-agent.medical", PrincipalKind::Model);
    let request = SubmitRecommendationRequest {
        scope: "acme/europe/medical".to_owned(),
        model_version: "models/fulfilment-advisor/versions/3".to_owned(),
        use_case: "alternate_fulfilment".to_owned(),
        exception,
        operation: "release_partial".to_owned(),
        arguments: facts::from_json(r#"{"warehouse": "basel", "quantity": 40}"#).unwrap(),
        confidence: Some(Decimal {
            value: "0.81".to_owned(),
        }),
        rationale: "40 of 120 pieces are there".to_owned(),
        input_digest: format!("sha256:{}", "0".repeat(64)),
        request_id: uuid::Uuid::now_v7().to_string(),
        ..SubmitRecommendationRequest::default()
    };
    let submitted = RecommendationServiceClient::new(agent)
        .submit_recommendation(traced(request))
        .await
        .unwrap()
        .into_inner();
    let verdict = submitted.result.as_ref().unwrap().verdict();
    assert_eq!(verdict, GateVerdict::Review, "{submitted:?}");
    let request = AcceptRecommendationRequest {
        name: submitted.name,
        ..AcceptRecommendationRequest::default()
    };
    RecommendationServiceClient::new(suite.person("aigate", "reviewer.medical"))
        .accept_recommendation(traced(request))
        .await
        .unwrap()
        .into_inner()
        .action
}

/// Everybody approves who must; the receipt.
async fn approve(suite: &Suite, name: String) -> String {
    let mut reviewer = ExceptionServiceClient::new(suite.person("exceptions", "reviewer.medical"));
    let request = GetActionRequest { name: name.clone() };
    let mut action = reviewer
        .get_action(traced(request))
        .await
        .unwrap()
        .into_inner();
    while action.state() == ActionState::PendingApproval {
        let role = action.missing_approvals[0].role.clone();
        let approver = suite.person("exceptions", &format!("{role}.medical"));
        let request = ApproveActionRequest {
            name: name.clone(),
            ..ApproveActionRequest::default()
        };
        let mut approver = ExceptionServiceClient::new(approver);
        let approved = approver.approve_action(traced(request)).await;
        action = approved.unwrap().into_inner();
    }
    assert_eq!(action.state(), ActionState::Authorized, "{action:?}");
    action.receipt.unwrap().id
}
