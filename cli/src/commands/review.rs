//! `bylaw review`.

use contracts::aigate::{
    AcceptRecommendationRequest, ClaimRecommendationRequest, GateVerdict,
    ListRecommendationsRequest, ModifyRecommendationRequest, Recommendation, RecommendationState,
    RejectRecommendationRequest,
};

use super::input;
use crate::{
    args::{Common, Output, ReviewCommand},
    connect::{Session, Wants},
    failure::Failure,
    output,
};

const COLLECTION: &str = "recommendations";

pub async fn run(common: &Common, command: ReviewCommand) -> Result<(), Failure> {
    let wants = match command {
        ReviewCommand::List { .. } => Wants::permission("aigate.recommendation.read"),
        _ => Wants::permission("aigate.recommendation.review"),
    };
    let session = Session::open(common, wants).await?;
    let mut client = session.aigate();
    let etag = String::new();
    let changed = match command {
        ReviewCommand::List { scope, limit } => return list(common, &session, scope, limit).await,
        ReviewCommand::Claim { name } => {
            let name = input::name(COLLECTION, &name);
            client
                .claim_recommendation(ClaimRecommendationRequest { name, etag })
                .await
        }
        ReviewCommand::Accept { name, comment } => {
            let name = input::name(COLLECTION, &name);
            client
                .accept_recommendation(AcceptRecommendationRequest {
                    name,
                    etag,
                    comment,
                })
                .await
        }
        ReviewCommand::Modify {
            name,
            arguments,
            comment,
        } => {
            let name = input::name(COLLECTION, &name);
            let arguments = input::facts("--arguments", &arguments)?;
            let request = ModifyRecommendationRequest {
                name,
                etag,
                arguments,
                comment,
            };
            client.modify_recommendation(request).await
        }
        ReviewCommand::Reject { name, reason } => {
            let name = input::name(COLLECTION, &name);
            client
                .reject_recommendation(RejectRecommendationRequest { name, etag, reason })
                .await
        }
    };
    show(common, &changed?.into_inner())
}

async fn list(
    common: &Common,
    session: &Session,
    scope: String,
    limit: usize,
) -> Result<(), Failure> {
    let mut found: Vec<Recommendation> = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListRecommendationsRequest {
            page_size: i32::try_from((limit - found.len()).min(1_000)).unwrap_or(1_000),
            page_token,
            scope: scope.clone(),
            state: RecommendationState::InReview.into(),
            correlation_id: String::new(),
        };
        let page = session
            .aigate()
            .list_recommendations(request)
            .await?
            .into_inner();
        found.extend(page.recommendations);
        page_token = page.next_page_token;
        if page_token.is_empty() || found.len() >= limit {
            break;
        }
    }
    match common.output {
        Output::Json => {
            #[derive(serde::Serialize)]
            struct Listed {
                recommendations: Vec<output::View>,
            }
            let recommendations = found
                .iter()
                .map(output::View::of)
                .collect::<Result<_, _>>()?;
            output::json(&Listed { recommendations })
        }
        Output::Text | Output::Junit => {
            output::table(
                [
                    "recommendation",
                    "use case",
                    "unit",
                    "document",
                    "operation",
                    "confidence",
                    "why a person",
                    "until",
                ],
                found.iter().map(|r| {
                    [
                        output::id(&r.name).to_owned(),
                        r.use_case.clone(),
                        r.scope.clone(),
                        r.document.trim_start_matches("documents/").to_owned(),
                        r.operation.clone(),
                        r.confidence
                            .as_ref()
                            .map_or_else(String::new, |c| c.value.clone()),
                        reasons(r).join("; "),
                        output::time(r.expire_time.as_ref()),
                    ]
                }),
            )?;
            output::line(&format!(
                "{} in review",
                output::count(
                    i64::try_from(found.len()).unwrap_or(i64::MAX),
                    "recommendation"
                )
            ))
        }
    }
}

/// The reasons of the checks that didn't let it act by itself.
pub fn reasons(recommendation: &Recommendation) -> Vec<String> {
    recommendation
        .result
        .iter()
        .flat_map(|result| &result.checks)
        .filter(|check| check.verdict() != GateVerdict::Auto)
        .map(|check| format!("{}: {}", check.check, check.reason))
        .collect()
}

fn show(common: &Common, recommendation: &Recommendation) -> Result<(), Failure> {
    if common.output == Output::Json {
        return output::message(recommendation);
    }
    let state = recommendation
        .state()
        .as_str_name()
        .trim_start_matches("RECOMMENDATION_STATE_");
    output::line(&format!("{} is {state}", recommendation.name))?;
    if let Some(reviewer) = &recommendation.reviewer {
        output::line(&format!("  reviewer  {}", reviewer.subject))?;
    }
    for reason in reasons(recommendation) {
        output::line(&format!("  gate      {reason}"))?;
    }
    if !recommendation.action.is_empty() {
        output::line(&format!("  action    {}", recommendation.action))?;
    }
    Ok(())
}
