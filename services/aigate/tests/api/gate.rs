//! What the gate answers.

use contracts::{
    aigate::{GateVerdict, RecommendationState as State, SubmitRecommendationRequest},
    exceptions as ex, types,
};
use service_kit::identity::PrincipalKind;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::world::*;

testkit::backends! {
    async fn the_story_is_for_a_person(backend: Backend) {
        let world = World::start(backend).await;
        let found = world.submitted().await;
        assert_state(&found, State::InReview);
        let result = found.result.clone().unwrap();
        assert_eq!(result.verdict(), GateVerdict::Review);
        assert_eq!(result.reviewer_roles, ["reviewer"]);
        let checks: Vec<_> = result.checks.iter().map(|c| c.check.as_str()).collect();
        assert_eq!(
            checks,
            ["registry", "autonomy", "gate_table", "facts", "actions", "policy"]
        );
        assert!(
            reasons(&found).contains("gate_table=LOW_CONFIDENCE"),
            "{}",
            reasons(&found)
        );
        assert!(
            reasons(&found).contains("policy=REQUIRE_APPROVAL"),
            "{}",
            reasons(&found)
        );
        assert_eq!(found.document, "documents/order/SO-4711");
        assert_eq!(found.correlation_id, "SO-4711");
        assert_eq!(found.confidence, Some(decimal("0.81")));
        assert!(result.receipt.is_none());
        assert_eq!(result.decision.unwrap().revision, 7);
        // The policy saw the ERP's facts, and the arguments as the model's.
        let asked = world.peers.lock().asked.pop().unwrap();
        assert_eq!(asked.workflow, "order_release");
        let of = |name: &str| {
            asked
                .facts
                .iter()
                .find(|f| f.name == name)
                .unwrap()
                .provenance()
        };
        assert_eq!(of("order.total"), types::Provenance::Erp);
        assert_eq!(of("argument.quantity"), types::Provenance::Model);
    }

    async fn what_is_allowed_and_sure_acts_with_a_receipt(backend: Backend) {
        let world = World::start(backend).await;
        world.allow();
        let found = world
            .agent()
            .submit_recommendation(sure())
            .await
            .unwrap()
            .into_inner();
        assert_state(&found, State::Auto);
        assert_eq!(found.result.unwrap().receipt.unwrap().audience, "erp");
        let asked = world.peers.lock().authorized.pop().unwrap();
        assert_eq!(asked.action, found.name);
        assert_eq!(asked.document, "order/SO-4711");
        assert_eq!(asked.operation, "release_partial");
        let names: Vec<_> = asked.arguments.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["quantity", "warehouse"]);
        assert_eq!(asked.requester.unwrap().subject, "order-agent.medical");
        assert_eq!(excluded(&asked.excluded), [("", "model-owner.medical"), (DEVELOPMENT_ISSUER, "order-agent.medical")]);
        assert!(asked.approvals.is_empty());
    }

    async fn nothing_is_done_twice(backend: Backend) {
        let world = World::start(backend).await;
        world.allow();
        let state = async || {
            let found = world.agent().submit_recommendation(sure()).await.unwrap();
            let found = found.into_inner();
            (found.state(), reasons(&found))
        };
        // An action of a person waits, or may still be executed.
        let action = |state: ex::ActionState| ex::Action {
            name: format!("{EXCEPTION}/actions/1"),
            operation: "release_partial".into(),
            state: state.into(),
            ..Default::default()
        };
        for underway in [ex::ActionState::PendingApproval, ex::ActionState::Authorized] {
            world.peers.lock().actions = vec![action(underway)];
            let (state, reasons) = state().await;
            assert_eq!(state, State::InReview, "{reasons}");
            assert!(reasons.contains("actions=ACTION_UNDERWAY"), "{reasons}");
        }
        assert!(world.peers.lock().authorized.is_empty());
        // One that was executed is told to the policy, which has the last word.
        world.peers.lock().actions = vec![action(ex::ActionState::Executed)];
        assert_eq!(state().await.0, State::Auto);
        let asked = world.peers.lock().authorized.pop().unwrap();
        assert_eq!(asked.finished_actions, [format!("{EXCEPTION}/actions/1")]);
        let refusal = service_kit::Error::new(
            service_kit::error::Kind::FailedPrecondition,
            service_kit::error::Reason::ReceiptStands,
            "another receipt stands",
        );
        world.peers.lock().no_receipt = Some(refusal.into());
        let (state, reasons) = state().await;
        assert_eq!(state, State::InReview, "{reasons}");
        assert!(reasons.contains("policy=RECEIPT_STANDS"), "{reasons}");
    }

    async fn in_doubt_a_person_looks(backend: Backend) {
        let world = World::start(backend).await;
        world.allow();
        let agent = || world.agent();
        // A policy that can't be reached, or leaves it open, or doesn't sign.
        world.peers.lock().policy_down = true;
        let found = agent()
            .submit_recommendation(sure())
            .await
            .unwrap()
            .into_inner();
        assert_state(&found, State::InReview);
        assert!(reasons(&found).contains("POLICY_UNAVAILABLE"));
        world.peers.lock().policy_down = false;
        for effect in [types::Effect::Allow, types::Effect::Deny] {
            world.peers.lock().effect = effect;
            world.peers.lock().settled = false;
            let found = agent()
                .submit_recommendation(sure())
                .await
                .unwrap()
                .into_inner();
            assert_state(&found, State::InReview);
            assert!(
                reasons(&found).contains("policy=UNKNOWN_FACTS"),
                "{}",
                reasons(&found)
            );
        }
        world.allow();
        world.peers.lock().settled = true;
        world.peers.lock().signs = false;
        let found = agent()
            .submit_recommendation(sure())
            .await
            .unwrap()
            .into_inner();
        assert_state(&found, State::InReview);
        assert!(found.result.unwrap().receipt.is_none());
        world.peers.lock().signs = true;
        // A fact that the gate table needs and that nobody but a model says.
        world.peers.lock().facts =
            vec![fact("order.total", money("1.00"), types::Provenance::Model)];
        let found = agent()
            .submit_recommendation(sure())
            .await
            .unwrap()
            .into_inner();
        assert_state(&found, State::InReview);
        assert!(
            reasons(&found).contains("UNKNOWN_FACTS: order.total"),
            "{}",
            reasons(&found)
        );
        let asked = world.peers.lock().asked.pop().unwrap();
        assert!(asked.facts.iter().all(|f| f.name != "order.total"));
        // Exceptions that can't be reached.
        world.peers.lock().exceptions_down = true;
        let found = agent()
            .submit_recommendation(sure())
            .await
            .unwrap()
            .into_inner();
        assert_state(&found, State::InReview);
        assert!(reasons(&found).contains("EXCEPTIONS_UNAVAILABLE"));
    }

    async fn the_strictest_check_wins(backend: Backend) {
        let world = World::start(backend).await;
        world.allow();
        let submit = async |request: SubmitRecommendationRequest| {
            world
                .agent()
                .submit_recommendation(request)
                .await
                .unwrap()
                .into_inner()
        };
        let guess = SubmitRecommendationRequest {
            confidence: Some(decimal("0.4999999999999999999999")),
            ..story()
        };
        assert_state(&submit(guess).await, State::Rejected);
        world.peers.lock().facts = vec![fact(
            "order.total",
            money("25000.01"),
            types::Provenance::Erp,
        )];
        let found = submit(sure()).await;
        assert_state(&found, State::InReview);
        assert!(reasons(&found).contains("HIGH_VALUE"));
        world.peers.lock().effect = types::Effect::Deny;
        world.peers.lock().reasons = vec!["export-controlled items are not released".into()];
        let found = submit(sure()).await;
        assert_state(&found, State::Rejected);
        assert!(reasons(&found).contains("POLICY_DENIED: export-controlled"));
        // Not every use case, not every operation, not every version.
        let other = SubmitRecommendationRequest {
            operation: "expedite_replenishment".into(),
            ..sure()
        };
        let found = submit(other).await;
        assert_state(&found, State::Rejected);
        assert!(reasons(&found).contains("OPERATION_NOT_ALLOWED"));
        let shadow = SubmitRecommendationRequest {
            model_version: "models/fulfilment-advisor/aliases/challenger".into(),
            ..sure()
        };
        world.peers.lock().facts = vec![fact("order.total", money("1.00"), types::Provenance::Erp)];
        world.allow();
        let signed = world.peers.lock().authorized.len();
        let found = submit(shadow).await;
        assert_state(&found, State::Shadow);
        assert_eq!(found.model_version, "models/fulfilment-advisor/versions/4");
        assert_eq!(
            world.peers.lock().authorized.len(),
            signed,
            "shadow is only observed"
        );
        world.peers.lock().exception.state = contracts::exceptions::ExceptionState::Resolved.into();
        let found = submit(sure()).await;
        assert_state(&found, State::Rejected);
        assert!(reasons(&found).contains("EXCEPTION_ENDED: it is RESOLVED"));
    }

    async fn versions_that_are_not_released_are_refused(backend: Backend) {
        let world = World::start(backend).await;
        let grants = ["recommender@acme/europe"];
        let calls = world
            .harness
            .calls("order-agent.industrial", PrincipalKind::Model, &grants);
        let mut agent =
            contracts::aigate::recommendation_service_client::RecommendationServiceClient::new(
                calls,
            );
        let request = SubmitRecommendationRequest {
            model_version: "models/document-reader/versions/1".into(),
            use_case: "supplier_document_extraction".into(),
            operation: "propose_record".into(),
            arguments: vec![],
            ..sure()
        };
        refused(
            agent.submit_recommendation(request.clone()).await,
            Code::InvalidArgument,
            "INVALID_ARGUMENT",
        );
        let text = |name: &str| {
            fact(
                name,
                types::value::Kind::StringValue("x".into()),
                types::Provenance::Erp,
            )
        };
        let arguments = vec![text("supplier"), text("field"), text("value")];
        let request = SubmitRecommendationRequest {
            arguments,
            ..request
        };
        let found = agent
            .submit_recommendation(request)
            .await
            .unwrap()
            .into_inner();
        assert_state(&found, State::Rejected);
        assert!(reasons(&found).contains("MODEL_NOT_RELEASED"));
        // Whatever the sender claims, arguments are the model's.
        assert!(
            found
                .arguments
                .iter()
                .all(|a| a.provenance() == types::Provenance::Model)
        );
    }

    async fn a_retry_gets_the_first_answer(backend: Backend) {
        let world = World::start(backend).await;
        world.allow();
        let request = sure();
        let first = world
            .agent()
            .submit_recommendation(request.clone())
            .await
            .unwrap()
            .into_inner();
        world.peers.lock().effect = types::Effect::Deny;
        let again = world
            .agent()
            .submit_recommendation(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(first, again);
        let other = SubmitRecommendationRequest {
            arguments: arguments("41"),
            ..request.clone()
        };
        refused(
            world.agent().submit_recommendation(other).await,
            Code::AlreadyExists,
            "IDEMPOTENCY_CONFLICT",
        );
        // Both at once: one is kept.
        let request = story();
        let (mut a, mut b) = (world.agent(), world.agent());
        let (a, b) = tokio::join!(
            a.submit_recommendation(request.clone()),
            b.submit_recommendation(request)
        );
        assert_eq!(a.unwrap().into_inner().name, b.unwrap().into_inner().name);
    }

    async fn everything_that_is_wrong_is_said_at_once(backend: Backend) {
        let world = World::start(backend).await;
        let fields = |status: &tonic::Status| -> Vec<String> {
            let details = status.get_error_details();
            let bad = details.bad_request().unwrap().field_violations.iter();
            bad.map(|violation| violation.field.clone()).collect()
        };
        let bad = SubmitRecommendationRequest {
            exception: "exceptions/a/b".into(),
            operation: String::new(),
            confidence: None,
            rationale: "x".repeat(4_097),
            input_digest: "sha256:1".into(),
            request_id: "no".into(),
            ..story()
        };
        let status = world.agent().submit_recommendation(bad).await.unwrap_err();
        let all = [
            "exception", "operation", "confidence", "rationale", "input_digest", "request_id",
        ];
        assert_eq!(fields(&status), all);
        let mut undeclared = story();
        undeclared.arguments[0].name = "depot".into();
        undeclared.arguments[1].value = Some(types::Value {
            kind: Some(types::value::Kind::BooleanValue(true)),
        });
        let status = world.agent().submit_recommendation(undeclared).await.unwrap_err();
        let mut found = fields(&status);
        found.sort();
        assert_eq!(found, ["arguments[depot]", "arguments[quantity]", "arguments[warehouse]"]);
        let modify = contracts::aigate::ModifyRecommendationRequest {
            name: "x".into(),
            arguments: vec![types::Fact::default()],
            ..Default::default()
        };
        let status = world.reviewer().modify_recommendation(modify).await.unwrap_err();
        let all = ["name", "arguments[0].name", "arguments[0].value", "comment"];
        assert_eq!(fields(&status), all);
    }

    async fn advice_needs_no_policy_and_asks_for_nothing(backend: Backend) {
        let world = World::start(backend).await;
        let text = fact(
            "type",
            types::value::Kind::StringValue("stockout".into()),
            types::Provenance::Unspecified,
        );
        let request = SubmitRecommendationRequest {
            model_version: "models/exception-classifier/aliases/champion".into(),
            use_case: "exception_classification".into(),
            operation: "classify".into(),
            arguments: vec![text],
            ..sure()
        };
        let found = world
            .agent()
            .submit_recommendation(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert_state(&found, State::Auto);
        assert!(found.result.unwrap().receipt.is_none());
        let unsure = SubmitRecommendationRequest {
            confidence: Some(decimal("0.5")),
            request_id: String::new(),
            ..request
        };
        let found = world
            .agent()
            .submit_recommendation(unsure)
            .await
            .unwrap()
            .into_inner();
        assert_state(&found, State::InReview);
        let accept = contracts::aigate::AcceptRecommendationRequest {
            name: found.name,
            ..Default::default()
        };
        let accepted = world
            .reviewer()
            .accept_recommendation(accept)
            .await
            .unwrap()
            .into_inner();
        assert_state(&accepted, State::Accepted);
        assert!(accepted.action.is_empty());
        assert!(world.peers.lock().requested.is_empty());
        assert!(world.peers.lock().asked.is_empty());
    }
}
