//! The fourth step: a person accepts, approvers approve, the ERP releases.

use contracts::{
    aigate::{AcceptRecommendationRequest, ListRecommendationsRequest, RecommendationState},
    exceptions::{
        ActionState, ApproveActionRequest, EventEffect, ExceptionState, GetActionRequest,
        GetExceptionRequest, IngestEventRequest,
    },
    types::ApprovalRequirement,
};

use super::{
    act::{event, expect},
    stage::Stage,
    step::Step,
};
use crate::{failure::Failure, output};

/// Plays the release.
pub async fn release(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    accept(stage, step).await?;
    refuse_requester(stage, step).await?;
    while stage.action.state() == ActionState::PendingApproval {
        approve(stage, step).await?;
    }
    expect(stage.action.state() == ActionState::Authorized, || {
        format!(
            "the release should be authorized, not: {}",
            stage.action.state().as_str_name()
        )
    })?;
    execute(stage, step).await
}

async fn accept(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    let reviewer = stage.cast.reviewer.clone();
    let session = stage.session(&reviewer)?;
    let request = ListRecommendationsRequest {
        state: RecommendationState::InReview.into(),
        correlation_id: stage.order.clone(),
        ..ListRecommendationsRequest::default()
    };
    let queue = session
        .aigate()
        .list_recommendations(request)
        .await?
        .into_inner()
        .recommendations;
    expect(queue.iter().any(|r| r.name == stage.recommendation), || {
        "the recommendation should be in the reviewer's queue".to_owned()
    })?;
    let request = AcceptRecommendationRequest {
        name: stage.recommendation.clone(),
        etag: String::new(),
        comment: "the customer takes a part".to_owned(),
    };
    let accepted = session
        .aigate()
        .accept_recommendation(request)
        .await?
        .into_inner();
    let request = GetActionRequest {
        name: accepted.action.clone(),
    };
    stage.action = session.exceptions().get_action(request).await?.into_inner();
    let said = step.say(
        &reviewer,
        format!("accept {}", stage.recommendation),
        format!(
            "action {} waits for {}",
            output::id(&stage.action.name),
            missing(&stage.action.missing_approvals)
        ),
    );
    said.because("who accepts a recommendation becomes the requester of its action");
    for layer in stage
        .action
        .decision
        .iter()
        .flat_map(|decision| &decision.layers)
    {
        if !layer.rows.is_empty() {
            said.because(format!(
                "{} v{}: row {}",
                layer.policy,
                layer.version,
                layer.rows.join(", ")
            ));
        }
    }
    expect(stage.action.state() == ActionState::PendingApproval, || {
        format!(
            "the release should need an approval, not: {}",
            stage.action.state().as_str_name()
        )
    })
}

pub(super) fn missing(requirements: &[ApprovalRequirement]) -> String {
    let each: Vec<_> = requirements
        .iter()
        .map(|r| format!("{} × {} at {}", r.count, r.role, r.at))
        .collect();
    each.join(" and ")
}

/// The reviewer is the requester now, and so can't approve.
async fn refuse_requester(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    let reviewer = stage.cast.reviewer.clone();
    let request = ApproveActionRequest {
        name: stage.action.name.clone(),
        ..ApproveActionRequest::default()
    };
    match stage
        .session(&reviewer)?
        .exceptions()
        .approve_action(request)
        .await
    {
        Ok(_) => Err(Failure::failed(
            "the requester should not be able to approve",
        )),
        Err(status) if status.code() == tonic::Code::PermissionDenied => {
            step.say(&reviewer, "approve it too", "REFUSED")
                .because(Failure::from(status).message);
            Ok(())
        }
        Err(status) => Err(status.into()),
    }
}

async fn approve(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    let wanted = stage
        .action
        .missing_approvals
        .first()
        .cloned()
        .ok_or_else(|| Failure::failed("the action waits for an approval, but says of nobody"))?;
    let barred: Vec<&str> = stage
        .action
        .approvals
        .iter()
        .filter_map(|approval| approval.approver.as_ref())
        .chain(&stage.action.requester)
        .map(|principal| principal.subject.as_str())
        .collect();
    let approver = stage
        .development
        .holder(&wanted.role, &wanted.at, &barred)
        .ok_or_else(|| {
            Failure::usage(format!(
                "nobody among the principals is {} at {}",
                wanted.role, wanted.at
            ))
        })?;
    let request = ApproveActionRequest {
        name: stage.action.name.clone(),
        comment: "within the customer's plan".to_owned(),
        ..ApproveActionRequest::default()
    };
    stage.action = stage
        .session(&approver)?
        .exceptions()
        .approve_action(request)
        .await?
        .into_inner();
    let got = match &stage.action.receipt {
        Some(receipt) => format!("authorized, receipt {}", receipt.id),
        None => format!(
            "still waits for {}",
            missing(&stage.action.missing_approvals)
        ),
    };
    let said = step.say(
        &approver,
        format!("approve {}", output::id(&stage.action.name)),
        got,
    );
    said.because(format!(
        "holds {} at {} and didn't request it",
        wanted.role, wanted.at
    ));
    if stage.action.receipt.is_some() {
        said.because("at the quorum the policy in force was asked again, and signed");
    }
    Ok(())
}

/// The adapter fetches the receipt, checks it with the published key, and releases.
async fn execute(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    let adapter = stage.cast.adapter.clone();
    let session = stage.session(&adapter)?;
    let request = GetActionRequest {
        name: stage.action.name.clone(),
    };
    let action = session.exceptions().get_action(request).await?.into_inner();
    let receipt = action
        .receipt
        .ok_or_else(|| Failure::failed("the action should carry its receipt"))?;
    let url = format!("http://{}/.well-known/jwks.json", stage.http_addr);
    let jwks: policy::receipt::Jwks = serde_json::from_str(&published(&url).await?)
        .map_err(|error| Failure::failed(format!("{url}: {error}")))?;
    let claims =
        policy::receipt::verify(&receipt.jws, &jwks, &receipt.audience, chrono::Utc::now())
            .map_err(|error| Failure::failed(format!("the receipt should verify: {error}")))?;
    step.say(
        &adapter,
        format!(
            "may {} do {} on {}",
            receipt.audience, claims.operation, claims.document
        ),
        "yes: the receipt's signature, audience and time are good",
    )
    .because(format!(
        "checked with the key published at {url}, without calling back"
    ));
    expect(claims.document == format!("order/{}", stage.order), || {
        format!(
            "the receipt should be for order/{}, not {}",
            stage.order, claims.document
        )
    })?;

    let released = event(
        stage,
        "order-released",
        &format!(r#"{{"receipt":"{}"}}"#, receipt.id),
    );
    let result = session
        .events()
        .ingest_event(IngestEventRequest {
            event: Some(released),
        })
        .await?
        .into_inner();
    expect(result.effect() == EventEffect::Resolved, || {
        "the release should resolve the hold".to_owned()
    })?;
    let request = GetExceptionRequest {
        name: stage.exception.clone(),
    };
    let exception = session
        .exceptions()
        .get_exception(request)
        .await?
        .into_inner();
    let state = exception.state();
    step.say(
        &adapter,
        "take in that the order is released",
        format!(
            "{} is {}",
            stage.exception,
            state.as_str_name().trim_start_matches("EXCEPTION_STATE_")
        ),
    );
    expect(state == ExceptionState::Resolved, || {
        "the hold should be resolved".to_owned()
    })
}

/// Largest key set that is read.
const MAX_KEYS: usize = 64 * 1024;

async fn published(url: &str) -> Result<String, Failure> {
    let wrong =
        |problem: String| Failure::failed(format!("the published keys can't be read: {problem}"));
    let body = service_kit::identity::Fetch::new(url, None)
        .map_err(wrong)?
        .get(MAX_KEYS)
        .await
        .map_err(wrong)?;
    String::from_utf8(body).map_err(|error| wrong(error.to_string()))
}
