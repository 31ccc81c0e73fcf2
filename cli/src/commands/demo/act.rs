//! The steps of the story.

use contracts::{
    aigate::{
        Autonomy, GateVerdict, ListModelVersionsRequest, RecommendationState,
        SubmitRecommendationRequest,
    },
    exceptions::{EventEffect, GetExceptionRequest, IngestEventRequest, IngestOutcome},
    masterdata::{RecordInput, ValidateRecordRequest, record_input::Record},
    types::{CloudEvent, Decimal},
};

use super::{
    change, lineage,
    records::{customer, item},
    release,
    stage::Stage,
    step::Step,
};
use crate::{commands::review, failure::Failure, output};

/// The story, in order.
pub const STORY: [Act; 6] = [
    Act::Hold,
    Act::Validate,
    Act::Recommend,
    Act::Release,
    Act::Change,
    Act::Audit,
];

/// A step of the story.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    /// An order exceeds its credit limit.
    Hold,
    /// Customer and item are validated.
    Validate,
    /// An AI agent recommends a partial release.
    Recommend,
    /// A reviewer accepts, approvers approve, the ERP releases.
    Release,
    /// The process owner proposes to raise a threshold.
    Change,
    /// An auditor verifies the lineage.
    Audit,
}

impl Act {
    /// Plays the step.
    pub async fn play(self, stage: &mut Stage) -> Step {
        let title = match self {
            Self::Hold => format!(
                "1. Order {} of {} exceeds its credit limit",
                stage.order, stage.unit
            ),
            Self::Validate => {
                "2. Customer and item are validated against the unit's rules".to_owned()
            }
            Self::Recommend => "3. An AI agent recommends a partial release".to_owned(),
            Self::Release => "4. A person accepts, approvers approve, the ERP releases".to_owned(),
            Self::Change => "5. The process owner proposes to raise a threshold".to_owned(),
            Self::Audit => "6. An auditor verifies what was recorded, offline".to_owned(),
        };
        let mut step = Step::new(title);
        let outcome = match self {
            Self::Hold => hold(stage, &mut step).await,
            Self::Validate => validate(stage, &mut step).await,
            Self::Recommend => recommend(stage, &mut step).await,
            Self::Release => release::release(stage, &mut step).await,
            Self::Change => change::change(stage, &mut step).await,
            Self::Audit => lineage::verify(stage, &mut step).await,
        };
        step.wrong = outcome.err().map(|failure| failure.message);
        step
    }
}

/// Fails the step unless what came out is what should have.
pub fn expect(holds: bool, wanted: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(Failure::failed(wanted()))
    }
}

/// An event of the ERP on the order.
pub fn event(stage: &Stage, kind: &str, data: &str) -> CloudEvent {
    CloudEvent {
        id: format!("{kind}-{}", stage.order),
        source: "/examples/erp".to_owned(),
        r#type: format!("com.example.erp.{kind}"),
        subject: format!("orders/{}", stage.order),
        time: Some(contracts::time::timestamp(chrono::Utc::now())),
        scope: stage.unit.to_string(),
        correlation_id: stage.order.clone(),
        data: data.to_owned().into(),
        ..CloudEvent::default()
    }
}

/// What the ERP says of the order: above its limit, of a regulated item.
const ORDER: &str = r#"{"order":{"total":"18450.00 EUR","margin_pct":31.5},"customer":{"id":"C-1017","days_overdue":12,"licence_valid":true,"commitment_met":true},"item":{"id":"I-2044","regulated":true,"export_controlled":false},"inventory":{"reserved":true}}"#;

async fn hold(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    let adapter = stage.cast.adapter.clone();
    let session = stage.session(&adapter)?;
    let sent = event(stage, "credit-limit-exceeded", ORDER);
    let asked = format!("take in the event {} of {}", sent.r#type, sent.subject);
    let result = session
        .events()
        .ingest_event(IngestEventRequest { event: Some(sent) })
        .await?
        .into_inner();
    step.say(
        &adapter,
        asked,
        format!("{} {}", result.exception_type, result.exception),
    );
    expect(
        result.outcome() == IngestOutcome::Accepted && result.effect() == EventEffect::Raised,
        || {
            format!(
                "an exception should have been raised, not: {} {}",
                result.outcome().as_str_name(),
                result.dead_letter_reason
            )
        },
    )?;
    stage.exception = result.exception;
    let watcher = stage.cast.reviewer.clone();
    let request = GetExceptionRequest {
        name: stage.exception.clone(),
    };
    let exception = stage
        .session(&watcher)?
        .exceptions()
        .get_exception(request)
        .await?
        .into_inner();
    step.say(
        &watcher,
        "where it went",
        format!(
            "queue {}, severity {}, first action {}",
            exception.queue, exception.severity, exception.first_action
        ),
    )
    .because(format!("the routing table of {} says so", exception.scope))
    .because(format!(
        "its clock runs in the unit's business hours: respond by {}, resolve by {}",
        output::time(exception.response_by.as_ref()),
        output::time(exception.resolution_by.as_ref())
    ));
    expect(exception.scope == stage.unit.as_str(), || {
        format!("it should be of {}", stage.unit)
    })?;
    expect(
        exception.resolution_by.is_some() && !exception.queue.is_empty(),
        || "it should have a queue and a deadline".to_owned(),
    )
}

async fn validate(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    let adapter = stage.cast.adapter.clone();
    for (what, record) in [
        ("customer C-1017", Record::Customer(customer())),
        ("item I-2044", Record::Item(item())),
    ] {
        let request = ValidateRecordRequest {
            scope: stage.unit.to_string(),
            record: Some(RecordInput {
                record: Some(record),
            }),
            correlation_id: stage.order.clone(),
            ..Default::default()
        };
        let validation = stage
            .session(&adapter)?
            .masterdata()
            .validate_record(request)
            .await?
            .into_inner();
        let said = step.say(
            &adapter,
            format!("is {what} fit for use"),
            if validation.valid { "fit" } else { "NOT fit" },
        );
        said.because(format!("rules: {}", validation.rule_sets.join(", ")));
        for violation in &validation.violations {
            said.because(format!(
                "{}: {} ({})",
                violation.field, violation.message, violation.rule
            ));
        }
        expect(validation.valid, || format!("{what} should be fit for use"))?;
    }
    Ok(())
}

async fn recommend(stage: &mut Stage, step: &mut Step) -> Result<(), Failure> {
    let agent = stage.cast.agent.clone();
    let (model_version, use_case) = model(stage, &agent).await?;
    let request = SubmitRecommendationRequest {
        scope: stage.unit.to_string(),
        model_version: model_version.clone(),
        use_case: use_case.clone(),
        exception: stage.exception.clone(),
        operation: "release_partial".to_owned(),
        arguments: Stage::arguments()?,
        confidence: Some(Decimal {
            value: "0.81".to_owned(),
        }),
        rationale: "40 of 120 pieces are in Basel and reserved; the rest follows on Thursday"
            .to_owned(),
        input_digest: format!("sha256:{}", "0".repeat(64)),
        request_id: uuid::Uuid::now_v7().to_string(),
        ..SubmitRecommendationRequest::default()
    };
    let gated = stage
        .session(&agent)?
        .aigate()
        .submit_recommendation(request)
        .await?
        .into_inner();
    let verdict = gated
        .result
        .as_ref()
        .map_or(GateVerdict::Unspecified, |result| result.verdict());
    let said = step.say(
        &agent,
        format!(
            "may I release a part from Basel (confidence 0.81, {use_case}, {})",
            output::id(&model_version)
        ),
        format!(
            "{}: a person must look",
            verdict.as_str_name().trim_start_matches("GATE_VERDICT_")
        ),
    );
    for reason in review::reasons(&gated) {
        said.because(reason);
    }
    stage.recommendation = gated.name.clone();
    expect(
        verdict == GateVerdict::Review && gated.state() == RecommendationState::InReview,
        || {
            format!(
                "a person should have to look, not: {}",
                gated.state().as_str_name()
            )
        },
    )
}

/// The model version that the agent speaks for, and the use case a person reviews.
async fn model(stage: &Stage, agent: &str) -> Result<(String, String), Failure> {
    let request = ListModelVersionsRequest {
        page_size: 1_000,
        page_token: String::new(),
    };
    let reviewer = stage.session(&stage.cast.reviewer)?;
    let versions = reviewer
        .aigate()
        .list_model_versions(request)
        .await?
        .into_inner()
        .model_versions;
    versions
        .into_iter()
        .filter(|version| {
            version.released && version.subjects.iter().any(|subject| subject == agent)
        })
        .find_map(|version| {
            let acting = version
                .autonomy
                .iter()
                .find(|a| a.use_case == "alternate_fulfilment" && a.autonomy() != Autonomy::Off)?;
            Some((version.name.clone(), acting.use_case.clone()))
        })
        .ok_or_else(|| Failure::failed(format!("no released model version speaks through {agent}")))
}
