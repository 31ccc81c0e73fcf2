//! Every RPC refuses who has no token, the wrong role or the wrong scope.

use contracts::{
    exceptions::{
        event_service_client::EventServiceClient, exception_service_client::ExceptionServiceClient,
        *,
    },
    types::Effect,
};
use testkit::identity::{Bearer, Calls};
use tonic::{Code, Status};

use crate::{
    actions::{ask, wanted},
    support::{MEDICAL, Suite, credit_exceeded, event},
};

/// What every RPC is called with.
struct Names {
    exception: String,
    action: String,
    dead_letter: String,
}

fn code<T>(result: Result<T, Status>) -> Code {
    result.err().map_or(Code::Ok, |status| status.code())
}

/// The code that each RPC answers a caller with.
async fn codes(calls: Calls, names: &Names) -> Vec<(&'static str, Code)> {
    let mut events = EventServiceClient::new(calls.clone());
    let mut exceptions = ExceptionServiceClient::new(calls);
    let event = credit_exceeded("SO-9", MEDICAL, "1.00");
    let exception = || names.exception.clone();
    let action = || names.action.clone();
    let document = GetDocumentRequest {
        name: "documents/order/SO-1".to_owned(),
    };
    let replay = ReplayDeadLetterRequest {
        name: names.dead_letter.clone(),
    };
    let one = IngestEventRequest {
        event: Some(event.clone()),
    };
    let batch = BatchIngestEventsRequest {
        events: vec![event],
    };
    let claim = ClaimExceptionRequest {
        name: exception(),
        ..Default::default()
    };
    let resolve = ResolveExceptionRequest {
        name: exception(),
        resolution_code: "paid".to_owned(),
        ..Default::default()
    };
    let approve = ApproveActionRequest {
        name: action(),
        ..Default::default()
    };
    let reject = RejectActionRequest {
        name: action(),
        reason: "no".to_owned(),
        ..Default::default()
    };
    let actions = ListActionsRequest {
        parent: exception(),
        ..Default::default()
    };
    vec![
        ("IngestEvent", code(events.ingest_event(one).await)),
        (
            "BatchIngestEvents",
            code(events.batch_ingest_events(batch).await),
        ),
        ("GetDocument", code(events.get_document(document).await)),
        (
            "ListDeadLetters",
            code(
                events
                    .list_dead_letters(ListDeadLettersRequest::default())
                    .await,
            ),
        ),
        (
            "ReplayDeadLetter",
            code(events.replay_dead_letter(replay).await),
        ),
        (
            "GetException",
            code(
                exceptions
                    .get_exception(GetExceptionRequest { name: exception() })
                    .await,
            ),
        ),
        (
            "ListExceptions",
            code(
                exceptions
                    .list_exceptions(ListExceptionsRequest::default())
                    .await,
            ),
        ),
        (
            "ClaimException",
            code(exceptions.claim_exception(claim).await),
        ),
        (
            "ResolveException",
            code(exceptions.resolve_exception(resolve).await),
        ),
        (
            "RequestAction",
            code(exceptions.request_action(wanted(&exception())).await),
        ),
        (
            "GetAction",
            code(
                exceptions
                    .get_action(GetActionRequest { name: action() })
                    .await,
            ),
        ),
        ("ListActions", code(exceptions.list_actions(actions).await)),
        (
            "ApproveAction",
            code(exceptions.approve_action(approve).await),
        ),
        ("RejectAction", code(exceptions.reject_action(reject).await)),
        (
            "GetAgeingReport",
            code(
                exceptions
                    .get_ageing_report(GetAgeingReportRequest::default())
                    .await,
            ),
        ),
    ]
}

/// The methods that the contract declares.
fn methods() -> usize {
    let set = <prost_types::FileDescriptorSet as prost::Message>::decode(contracts::DESCRIPTORS);
    let files = set.unwrap().file;
    let own = files
        .iter()
        .filter(|file| file.package() == "bylaw.exceptions.v1");
    own.flat_map(|file| &file.service)
        .map(|service| service.method.len())
        .sum()
}

testkit::backends! {
    async fn every_method_refuses_who_may_not(backend: Backend) {
        let suite = Suite::start(backend).await;
        suite.policy.answer(Effect::RequireApproval, &["credit-manager@acme/europe/medical"]);
        let exception = suite.hold("SO-1").await;
        let action = ask(&mut suite.desk(), wanted(&exception)).await.unwrap().name;
        let letter = suite.ingest(event("com.example.unheard-of", "orders/1", MEDICAL, "{}")).await;
        let names = Names { exception, action, dead_letter: letter.dead_letter };

        let channel = suite.harness.channel();
        for token in ["", "not a token"] {
            let calls = Calls::new(channel.clone(), Bearer::new(&token.replace(' ', "-")));
            let answers = codes(calls, &names).await;
            assert_eq!(answers.len(), methods());
            for (method, code) in answers {
                assert_eq!(code, Code::Unauthenticated, "{method}");
            }
        }
        let wrong_role = suite.harness.person("steward", &["data-steward@acme"]);
        for (method, code) in codes(wrong_role, &names).await {
            assert_eq!(code, Code::PermissionDenied, "{method}");
        }
        let all = ["operator", "credit-manager", "event-source", "integration-architect", "auditor"];
        let elsewhere = all.map(|role| format!("{role}@acme/europe/industrial"));
        let elsewhere = elsewhere.iter().map(String::as_str).collect::<Vec<_>>();
        for (method, code) in codes(suite.harness.program("stranger", &elsewhere), &names).await {
            let wanted = match method {
                "IngestEvent" | "BatchIngestEvents" => Code::PermissionDenied,
                // Lists and reports hold what is in scope: nothing.
                "ListExceptions" | "ListDeadLetters" | "GetAgeingReport" => Code::Ok,
                _ => Code::NotFound,
            };
            assert_eq!(code, wanted, "{method}");
        }
    }
}
