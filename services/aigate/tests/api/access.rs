//! Who may do what: every method refuses who may not, and what is out of scope isn't
//! there.

use contracts::aigate::{
    self as wire, RecommendationState as State,
    recommendation_service_client::RecommendationServiceClient as Client,
};
use service_kit::identity::PrincipalKind;
use testkit::identity::Calls;
use tonic::{Code, Status};

use crate::world::*;

const METHODS: [&str; 9] = [
    "SubmitRecommendation",
    "GetRecommendation",
    "ListRecommendations",
    "ClaimRecommendation",
    "AcceptRecommendation",
    "ModifyRecommendation",
    "RejectRecommendation",
    "GetModelVersion",
    "ListModelVersions",
];

async fn call(method: &str, client: &mut Client<Calls>, name: &str) -> Result<(), Status> {
    let name = name.to_owned();
    match method {
        "SubmitRecommendation" => client.submit_recommendation(story()).await.map(drop),
        "GetRecommendation" => client
            .get_recommendation(wire::GetRecommendationRequest { name })
            .await
            .map(drop),
        "ListRecommendations" => client
            .list_recommendations(wire::ListRecommendationsRequest::default())
            .await
            .map(drop),
        "ClaimRecommendation" => {
            let request = wire::ClaimRecommendationRequest {
                name,
                ..Default::default()
            };
            client.claim_recommendation(request).await.map(drop)
        }
        "AcceptRecommendation" => {
            let request = wire::AcceptRecommendationRequest {
                name,
                ..Default::default()
            };
            client.accept_recommendation(request).await.map(drop)
        }
        "ModifyRecommendation" => {
            let request = wire::ModifyRecommendationRequest {
                name,
                arguments: arguments("1"),
                comment: "less".into(),
                ..Default::default()
            };
            client.modify_recommendation(request).await.map(drop)
        }
        "RejectRecommendation" => {
            let request = wire::RejectRecommendationRequest {
                name,
                reason: "no".into(),
                ..Default::default()
            };
            client.reject_recommendation(request).await.map(drop)
        }
        "GetModelVersion" => {
            let name = "models/fulfilment-advisor/versions/3".to_owned();
            client
                .get_model_version(wire::GetModelVersionRequest { name })
                .await
                .map(drop)
        }
        "ListModelVersions" => client
            .list_model_versions(wire::ListModelVersionsRequest::default())
            .await
            .map(drop),
        other => panic!("no call for {other}"),
    }
}

testkit::backends! {
    async fn the_same_subject_of_another_issuer_is_somebody_else(backend: Backend) {
        let world = World::start(backend).await;
        let (agent, recommender) = ("order-agent.medical", "recommender@acme/europe/medical");
        let mut impostor = world.of_elsewhere(agent, PrincipalKind::Model, recommender);
        let denied = (Code::PermissionDenied, "PERMISSION_DENIED");
        refused(impostor.submit_recommendation(story()).await, denied.0, denied.1);
        let found = world.submitted().await;
        let grant = "reviewer@acme/europe/medical";
        let claim = |name: &str| wire::ClaimRecommendationRequest {
            name: name.to_owned(),
            ..Default::default()
        };
        // The owner is named without an issuer: whoever it may be is kept out.
        let owner = "model-owner.medical";
        for mut owner in [
            world.person(owner, grant),
            world.of_elsewhere(owner, PrincipalKind::Person, grant),
        ] {
            refused(
                owner.claim_recommendation(claim(&found.name)).await,
                Code::PermissionDenied,
                "SOD_MODEL_OWNER",
            );
        }
        // What speaks for the model is of one issuer; its namesake is kept out of nothing.
        let mut namesake = world.of_elsewhere(agent, PrincipalKind::Person, grant);
        let claimed = namesake
            .claim_recommendation(claim(&found.name))
            .await
            .unwrap();
        let reviewer = claimed.into_inner().reviewer.unwrap();
        assert_eq!(
            (reviewer.issuer.as_str(), reviewer.subject.as_str()),
            (ELSEWHERE, agent)
        );
        // What they have in review isn't their namesake's.
        let mut other = world.person("reviewer.medical", grant);
        refused(
            other.claim_recommendation(claim(&found.name)).await,
            Code::FailedPrecondition,
            "ILLEGAL_STATE",
        );
    }

    async fn every_method_refuses_who_may_not(backend: Backend) {
        let world = World::start(backend).await;
        let found = world.submitted().await;
        let methods = service_kit::access::Methods::of_contracts().unwrap();
        let prefix = "/bylaw.aigate.v1.RecommendationService/";
        let all: Vec<_> = methods
            .iter()
            .filter_map(|(path, _)| path.strip_prefix(prefix))
            .collect();
        assert_eq!(
            all.len(),
            METHODS.len(),
            "a method without its row: {all:?}"
        );
        for method in METHODS {
            let mut nobody = Client::new(world.harness.with_token(""));
            refused(
                call(method, &mut nobody, &found.name).await,
                Code::Unauthenticated,
                "TOKEN_MISSING",
            );
            let mut bad = Client::new(world.harness.with_token("a.b.c"));
            refused(
                call(method, &mut bad, &found.name).await,
                Code::Unauthenticated,
                "TOKEN_INVALID",
            );
            let mut editor = world.person("editor", "policy-editor@acme");
            refused(
                call(method, &mut editor, &found.name).await,
                Code::PermissionDenied,
                "PERMISSION_DENIED",
            );
        }
        let elsewhere =
            |role: &str| world.person("stranger", &format!("{role}@acme/europe/industrial"));
        refused(
            call("SubmitRecommendation", &mut elsewhere("recommender"), "").await,
            Code::PermissionDenied,
            "PERMISSION_DENIED",
        );
        for method in [
            "GetRecommendation",
            "ClaimRecommendation",
            "AcceptRecommendation",
            "ModifyRecommendation",
            "RejectRecommendation",
        ] {
            refused(
                call(method, &mut elsewhere("reviewer"), &found.name).await,
                Code::NotFound,
                "NOT_FOUND",
            );
        }
        assert_state(&world.submitted().await, State::InReview);
        assert!(world.peers.lock().requested.is_empty());
        // What was out of scope is in the log as refused.
        let refusals = || async {
            let records = world.harness.log.records();
            records
                .iter()
                .any(|r| r.r#type == "bylaw.aigate.access.refused.v1" && r.resource == found.name)
        };
        testkit::eventually(std::time::Duration::from_secs(20), refusals).await;
    }

    async fn only_who_speaks_for_a_model_submits_for_it(backend: Backend) {
        let world = World::start(backend).await;
        let grant = ["recommender@acme/europe/medical"];
        let kind = service_kit::identity::PrincipalKind::Model;
        let mut other = Client::new(world.harness.calls("order-agent.industrial", kind, &grant));
        refused(
            other.submit_recommendation(story()).await,
            Code::PermissionDenied,
            "PERMISSION_DENIED",
        );
        let mut person = world.person("order-agent.medical", grant[0]);
        refused(
            person.submit_recommendation(story()).await,
            Code::PermissionDenied,
            "PERMISSION_DENIED",
        );
        // An exception of another unit isn't there for it.
        world.peers.lock().exception.scope = "acme/europe/industrial".into();
        refused(
            world.agent().submit_recommendation(story()).await,
            Code::NotFound,
            "NOT_FOUND",
        );
        world.peers.lock().exception.scope = "acme/europe/medical/basel".into();
        refused(
            world.agent().submit_recommendation(story()).await,
            Code::InvalidArgument,
            "INVALID_ARGUMENT",
        );
    }

    async fn lists_hold_what_the_caller_sees(backend: Backend) {
        let world = World::start(backend).await;
        for _ in 0..5 {
            world.submitted().await;
            world.clock.advance(chrono::TimeDelta::seconds(1));
        }
        let ask = |state: State, size: i32, token: &str| wire::ListRecommendationsRequest {
            page_size: size,
            page_token: token.into(),
            state: state.into(),
            ..Default::default()
        };
        let mut names = Vec::new();
        let mut token = String::new();
        loop {
            let page = world
                .reviewer()
                .list_recommendations(ask(State::InReview, 2, &token))
                .await
                .unwrap()
                .into_inner();
            names.extend(
                page.recommendations
                    .into_iter()
                    .map(|r| (r.create_time.unwrap().seconds, r.name)),
            );
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(names.len(), 5);
        assert!(
            names.windows(2).all(|w| w[0].0 > w[1].0),
            "newest first: {names:?}"
        );
        let page = world
            .reviewer()
            .list_recommendations(ask(State::InReview, 2, ""))
            .await
            .unwrap()
            .into_inner();
        let other = ask(State::Unspecified, 2, &page.next_page_token);
        refused(
            world.reviewer().list_recommendations(other).await,
            Code::InvalidArgument,
            "PAGE_TOKEN_INVALID",
        );
        let empty = world
            .reviewer()
            .list_recommendations(ask(State::Expired, 0, ""))
            .await
            .unwrap()
            .into_inner();
        assert!(empty.recommendations.is_empty());
        let mut stranger = world.person("stranger", "reviewer@acme/europe/industrial");
        let none = stranger
            .list_recommendations(ask(State::InReview, 0, ""))
            .await
            .unwrap()
            .into_inner();
        assert!(none.recommendations.is_empty());
        refused(
            world
                .reviewer()
                .list_recommendations(ask(State::InReview, -1, ""))
                .await,
            Code::InvalidArgument,
            "INVALID_ARGUMENT",
        );
        let within = wire::ListRecommendationsRequest {
            scope: "acme/europe/medical/basel".into(),
            ..Default::default()
        };
        assert!(
            world
                .reviewer()
                .list_recommendations(within)
                .await
                .unwrap()
                .into_inner()
                .recommendations
                .is_empty()
        );
    }
}
