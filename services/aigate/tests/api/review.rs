//! Reviewing, its crashes, and what becomes of it.

use std::time::Duration;

use chrono::TimeDelta;
use contracts::{
    aigate::{
        AcceptRecommendationRequest, ClaimRecommendationRequest, GetRecommendationRequest,
        ModifyRecommendationRequest, Recommendation, RecommendationState as State,
        RejectRecommendationRequest,
    },
    types,
};
use testkit::eventually;
use tonic::Code;

use crate::world::*;

pub(crate) fn accept(of: &Recommendation) -> AcceptRecommendationRequest {
    AcceptRecommendationRequest {
        name: of.name.clone(),
        ..Default::default()
    }
}

fn reject(of: &Recommendation) -> RejectRecommendationRequest {
    RejectRecommendationRequest {
        name: of.name.clone(),
        reason: "not from basel".into(),
        ..Default::default()
    }
}

fn modify(of: &Recommendation, quantity: &str) -> ModifyRecommendationRequest {
    ModifyRecommendationRequest {
        name: of.name.clone(),
        arguments: arguments(quantity),
        comment: "less is enough".into(),
        ..Default::default()
    }
}

fn claim(of: &Recommendation) -> ClaimRecommendationRequest {
    ClaimRecommendationRequest {
        name: of.name.clone(),
        ..Default::default()
    }
}

impl World {
    pub(crate) async fn now(&self, of: &Recommendation) -> Recommendation {
        let request = GetRecommendationRequest {
            name: of.name.clone(),
        };
        self.reviewer()
            .get_recommendation(request)
            .await
            .unwrap()
            .into_inner()
    }

    pub(crate) async fn becomes(&self, of: &Recommendation, state: State) -> Recommendation {
        let wait = Duration::from_secs(20);
        eventually(wait, || async { self.now(of).await.state() == state }).await;
        self.now(of).await
    }

    pub(crate) async fn recorded(&self, of: &Recommendation, kind: &str) {
        let found = || async {
            let records = self.harness.log.records();
            records
                .iter()
                .any(|r| r.r#type.contains(kind) && r.resource == of.name)
        };
        eventually(Duration::from_secs(20), found).await;
    }
}

testkit::backends! {
    async fn who_accepts_becomes_the_requester(backend: Backend) {
        let world = World::start(backend).await;
        let found = world.submitted().await;
        let claimed = world
            .reviewer()
            .claim_recommendation(claim(&found))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(
            claimed.reviewer.as_ref().unwrap().subject,
            "reviewer.medical"
        );
        let request = AcceptRecommendationRequest {
            etag: claimed.etag.clone(),
            comment: "go".into(),
            ..accept(&found)
        };
        let accepted = world
            .reviewer()
            .accept_recommendation(request)
            .await
            .unwrap()
            .into_inner();
        assert_state(&accepted, State::Accepted);
        assert_eq!(accepted.action, format!("{EXCEPTION}/actions/1"));
        assert_eq!(accepted.review_comment, "go");
        let (asked, person) = world.peers.lock().requested.pop().unwrap();
        assert_eq!(asked.recommendation, found.name);
        assert_eq!(format!("recommendations/{}", asked.request_id), found.name);
        assert_eq!(
            excluded(&asked.excluded),
            [("", "model-owner.medical"), (DEVELOPMENT_ISSUER, "order-agent.medical")]
        );
        assert!(
            person.trim_start_matches("Bearer ").split('.').count() == 3,
            "the person's token goes along"
        );
        // Once is enough.
        refused(
            world.reviewer().accept_recommendation(accept(&found)).await,
            Code::FailedPrecondition,
            "ILLEGAL_STATE",
        );
        refused(
            world.reviewer().reject_recommendation(reject(&found)).await,
            Code::FailedPrecondition,
            "ILLEGAL_STATE",
        );
        for kind in ["submitted", "claimed", "acceptance-begun", "accepted"] {
            world.recorded(&found, kind).await;
        }
    }

    async fn of_accepts_that_race_one_leads_to_an_action(backend: Backend) {
        let world = World::start(backend).await;
        let found = world.submitted().await;
        let grant = "reviewer@acme/europe/medical";
        let reviewers = ["ann", "ann", "bob", "bob", "cleo", "dan"];
        let tries = reviewers.map(|name| {
            let (mut person, request) = (world.person(name, grant), accept(&found));
            async move { person.accept_recommendation(request).await }
        });
        let answers = futures::future::join_all(tries).await;
        let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        for answer in done {
            assert_eq!(answer.unwrap().into_inner().action, format!("{EXCEPTION}/actions/1"));
        }
        for answer in refused {
            let why = answer.unwrap_err();
            assert!(matches!(why.code(), Code::Aborted | Code::FailedPrecondition), "{why:?}");
        }
        assert_state(&world.now(&found).await, State::Accepted);
        assert_eq!(world.peers.lock().actions.len(), 1);
    }

    async fn other_arguments_are_checked_again(backend: Backend) {
        let world = World::start(backend).await;
        let found = world.submitted().await;
        let silent = ModifyRecommendationRequest {
            comment: " ".into(),
            ..modify(&found, "1")
        };
        refused(
            world.reviewer().modify_recommendation(silent).await,
            Code::InvalidArgument,
            "INVALID_ARGUMENT",
        );
        world.peers.lock().effect = types::Effect::Deny;
        refused(
            world
                .reviewer()
                .modify_recommendation(modify(&found, "90000"))
                .await,
            Code::FailedPrecondition,
            "POLICY_DENIED",
        );
        assert!(world.peers.lock().requested.is_empty());
        world.recorded(&found, "refused").await;
        world.peers.lock().effect = types::Effect::RequireApproval;
        let modified = world
            .reviewer()
            .modify_recommendation(modify(&found, "20"))
            .await
            .unwrap()
            .into_inner();
        assert_state(&modified, State::Modified);
        let quantity = modified
            .modified_arguments
            .iter()
            .find(|a| a.name == "quantity")
            .unwrap();
        assert_eq!(quantity.provenance(), types::Provenance::Person);
        let asked = world.peers.lock().asked.pop().unwrap();
        let argument = asked
            .facts
            .iter()
            .find(|f| f.name == "argument.quantity")
            .unwrap();
        assert_eq!(argument.provenance(), types::Provenance::Person);
        let (requested, _) = world.peers.lock().requested.pop().unwrap();
        let sent = requested
            .arguments
            .iter()
            .find(|f| f.name == "quantity")
            .unwrap();
        assert_eq!(
            sent.value,
            fact("quantity", number("20"), types::Provenance::Erp).value
        );
    }

    async fn a_rejection_says_why(backend: Backend) {
        let world = World::start(backend).await;
        let found = world.submitted().await;
        let silent = RejectRecommendationRequest {
            reason: String::new(),
            ..reject(&found)
        };
        refused(
            world.reviewer().reject_recommendation(silent).await,
            Code::InvalidArgument,
            "INVALID_ARGUMENT",
        );
        let rejected = world
            .reviewer()
            .reject_recommendation(reject(&found))
            .await
            .unwrap()
            .into_inner();
        assert_state(&rejected, State::Rejected);
        assert_eq!(rejected.review_comment, "not from basel");
        world.recorded(&found, "rejected").await;
        let words = world
            .harness
            .log
            .records()
            .iter()
            .any(|r| format!("{r:?}").contains("not from basel"));
        assert!(!words, "a person's words stay out of the records");
    }

    async fn nobody_reviews_their_own_model(backend: Backend) {
        let world = World::start(backend).await;
        let found = world.submitted().await;
        let grant = "reviewer@acme/europe/medical";
        let mut owner = world.person("model-owner.medical", grant);
        let denied = Code::PermissionDenied;
        refused(
            owner.claim_recommendation(claim(&found)).await,
            denied,
            "SOD_MODEL_OWNER",
        );
        refused(
            owner.accept_recommendation(accept(&found)).await,
            denied,
            "SOD_MODEL_OWNER",
        );
        refused(
            owner.modify_recommendation(modify(&found, "1")).await,
            denied,
            "SOD_MODEL_OWNER",
        );
        refused(
            owner.reject_recommendation(reject(&found)).await,
            denied,
            "SOD_MODEL_OWNER",
        );
        let mut agent = world.person("order-agent.medical", grant);
        refused(
            agent.accept_recommendation(accept(&found)).await,
            denied,
            "SOD_MODEL_OWNER",
        );
        // A program can't be the requester, whatever it holds.
        let calls = world.harness.program("bot", &[grant]);
        let mut bot =
            contracts::aigate::recommendation_service_client::RecommendationServiceClient::new(
                calls,
            );
        refused(
            bot.accept_recommendation(accept(&found)).await,
            denied,
            "REQUESTER_UNKNOWN",
        );
        let both = world
            .harness
            .person("both", &[grant, "model-owner@acme/europe/industrial"]);
        let mut both =
            contracts::aigate::recommendation_service_client::RecommendationServiceClient::new(
                both,
            );
        refused(
            both.accept_recommendation(accept(&found)).await,
            denied,
            "SOD_CONFLICTING_ROLES",
        );
        assert!(world.peers.lock().requested.is_empty());
        world.recorded(&found, "access.refused").await;
    }

    async fn a_claim_is_kept_for_a_while(backend: Backend) {
        let world = World::start(backend).await;
        let found = world.submitted().await;
        world
            .reviewer()
            .claim_recommendation(claim(&found))
            .await
            .unwrap();
        let mut other = world.person("other", "reviewer@acme/europe/medical");
        refused(
            other.claim_recommendation(claim(&found)).await,
            Code::FailedPrecondition,
            "ILLEGAL_STATE",
        );
        refused(
            other.accept_recommendation(accept(&found)).await,
            Code::FailedPrecondition,
            "ILLEGAL_STATE",
        );
        let stale = ClaimRecommendationRequest {
            etag: found.etag.clone(),
            ..claim(&found)
        };
        refused(
            world.reviewer().claim_recommendation(stale).await,
            Code::Aborted,
            "ETAG_MISMATCH",
        );
        world.clock.advance(TimeDelta::minutes(61));
        let mut other = world.person("other", "reviewer@acme/europe/medical");
        let taken = other
            .claim_recommendation(claim(&found))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(taken.reviewer.unwrap().subject, "other");
    }

    async fn what_nobody_reviews_lapses(backend: Backend) {
        let world = World::start(backend).await;
        let found = world.submitted().await;
        world
            .clock
            .advance(TimeDelta::hours(4) + TimeDelta::seconds(1));
        let lapsed = world.becomes(&found, State::Expired).await;
        refused(
            world
                .reviewer()
                .accept_recommendation(accept(&lapsed))
                .await,
            Code::FailedPrecondition,
            "ILLEGAL_STATE",
        );
        assert!(world.peers.lock().requested.is_empty());
        world.recorded(&found, "expired").await;
    }

    async fn an_answer_that_got_lost_is_found_by_a_retry(backend: Backend) {
        let world = World::start(backend).await;
        let found = world.submitted().await;
        world.peers.lock().loses_answer = true;
        refused(
            world.reviewer().accept_recommendation(accept(&found)).await,
            Code::Unavailable,
            "PEER_UNAVAILABLE",
        );
        // Until it is known what became of it, nothing else can.
        refused(
            world.reviewer().reject_recommendation(reject(&found)).await,
            Code::FailedPrecondition,
            "ILLEGAL_STATE",
        );
        refused(
            world
                .reviewer()
                .modify_recommendation(modify(&found, "1"))
                .await,
            Code::FailedPrecondition,
            "ILLEGAL_STATE",
        );
        let mut other = world.person("other", "reviewer@acme/europe/medical");
        refused(
            other.accept_recommendation(accept(&found)).await,
            Code::FailedPrecondition,
            "ILLEGAL_STATE",
        );
        let accepted = world
            .reviewer()
            .accept_recommendation(accept(&found))
            .await
            .unwrap()
            .into_inner();
        assert_state(&accepted, State::Accepted);
        assert_eq!(
            world.peers.lock().actions.len(),
            1,
            "asked for twice, done once"
        );
    }

    async fn an_answer_that_got_lost_is_found_without_one(backend: Backend) {
        let world = World::start(backend).await;
        let found = world.submitted().await;
        world.peers.lock().loses_answer = true;
        refused(
            world.reviewer().accept_recommendation(accept(&found)).await,
            Code::Unavailable,
            "PEER_UNAVAILABLE",
        );
        world.clock.advance(TimeDelta::minutes(3));
        let accepted = world.becomes(&found, State::Accepted).await;
        assert_eq!(accepted.action, format!("{EXCEPTION}/actions/1"));
    }

    async fn an_acceptance_of_which_nothing_came_is_given_up(backend: Backend) {
        let world = World::start(backend).await;
        let found = world.submitted().await;
        world.peers.lock().exceptions_down = true;
        refused(
            world.reviewer().accept_recommendation(accept(&found)).await,
            Code::Unavailable,
            "PEER_UNAVAILABLE",
        );
        world.peers.lock().exceptions_down = false;
        world.clock.advance(TimeDelta::minutes(3));
        let given_up = || async {
            let rejected = world.reviewer().reject_recommendation(reject(&found)).await;
            rejected.is_ok()
        };
        eventually(Duration::from_secs(20), given_up).await;
        assert!(world.peers.lock().actions.is_empty());
    }

    async fn a_refused_action_leaves_it_in_review(backend: Backend) {
        let world = World::start(backend).await;
        let found = world.submitted().await;
        let refusal = service_kit::Error::illegal_state("the exception is CLOSED");
        world.peers.lock().refusal = Some(refusal.into());
        refused(
            world.reviewer().accept_recommendation(accept(&found)).await,
            Code::FailedPrecondition,
            "ILLEGAL_STATE",
        );
        assert_state(&world.now(&found).await, State::InReview);
        world
            .reviewer()
            .reject_recommendation(reject(&found))
            .await
            .unwrap();
        world.recorded(&found, "recommendation.refused").await;
    }
}
