//! Submissions that are refused for their form.

use contracts::{aigate::SubmitRecommendationRequest, types};
use tonic::Code;

use crate::world::*;

/// Makes a good request a bad one.
type Change = Box<dyn Fn(&mut SubmitRecommendationRequest)>;

testkit::backends! {
    async fn malformed_submissions_are_refused(backend: Backend) {
        let world = World::start(backend).await;
        let invalid = (Code::InvalidArgument, "INVALID_ARGUMENT");
        let absent = (Code::NotFound, "NOT_FOUND");
        let changes: Vec<(&str, Change, (Code, &str))> = vec![
            ("no confidence", Box::new(|r| r.confidence = None), invalid),
            (
                "confidence above 1",
                Box::new(|r| r.confidence = Some(decimal("1.01"))),
                invalid,
            ),
            (
                "confidence below 0",
                Box::new(|r| r.confidence = Some(decimal("-0.01"))),
                invalid,
            ),
            (
                "confidence no number",
                Box::new(|r| r.confidence = Some(decimal("high"))),
                invalid,
            ),
            (
                "too many digits",
                Box::new(|r| r.confidence = Some(decimal(&format!("0.{}", "1".repeat(40))))),
                invalid,
            ),
            (
                "no such model",
                Box::new(|r| r.model_version = "models/x/versions/1".into()),
                absent,
            ),
            (
                "no such alias",
                Box::new(|r| r.model_version = "models/fulfilment-advisor/aliases/best".into()),
                absent,
            ),
            (
                "no such use case",
                Box::new(|r| r.use_case = "x".into()),
                invalid,
            ),
            (
                "no such exception",
                Box::new(|r| r.exception = "exceptions/none".into()),
                absent,
            ),
            (
                "exception malformed",
                Box::new(|r| r.exception = "exceptions/a/b".into()),
                invalid,
            ),
            (
                "no operation",
                Box::new(|r| r.operation = String::new()),
                invalid,
            ),
            (
                "argument missing",
                Box::new(|r| {
                    r.arguments.pop();
                }),
                invalid,
            ),
            (
                "argument unknown",
                Box::new(|r| {
                    r.arguments
                        .push(fact("x", number("1"), types::Provenance::Erp))
                }),
                invalid,
            ),
            (
                "argument twice",
                Box::new(|r| r.arguments.extend(arguments("1"))),
                invalid,
            ),
            (
                "argument of another type",
                Box::new(|r| {
                    r.arguments[1].value = Some(types::Value {
                        kind: Some(types::value::Kind::BooleanValue(true)),
                    })
                }),
                invalid,
            ),
            (
                "digest malformed",
                Box::new(|r| r.input_digest = "sha256:1".into()),
                invalid,
            ),
            (
                "request id malformed",
                Box::new(|r| r.request_id = "1".into()),
                invalid,
            ),
            (
                "rationale too long",
                Box::new(|r| r.rationale = "x".repeat(5000)),
                invalid,
            ),
            (
                "scope malformed",
                Box::new(|r| r.scope = "ACME".into()),
                invalid,
            ),
            (
                "scope missing",
                Box::new(|r| r.scope = String::new()),
                invalid,
            ),
        ];
        for (what, change, (code, why)) in changes {
            let mut request = story();
            change(&mut request);
            let status = world
                .agent()
                .submit_recommendation(request)
                .await
                .expect_err(what);
            assert_eq!(
                (status.code(), reason(&status).as_str()),
                (code, why),
                "{what}: {}",
                status.message()
            );
        }
        let listed = world
            .reviewer()
            .list_recommendations(contracts::aigate::ListRecommendationsRequest::default())
            .await;
        assert!(
            listed.unwrap().into_inner().recommendations.is_empty(),
            "nothing was kept"
        );
    }
}
