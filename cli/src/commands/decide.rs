//! `bylaw decide`.

use contracts::{
    policy::{DecideRequest, Match},
    types::{Decision, Effect},
};

use crate::{
    args::{Common, Decide, Output},
    connect::{Session, Wants},
    failure::{Exit, Failure},
    output,
};

pub async fn run(common: &Common, args: &Decide) -> Result<(), Failure> {
    let facts = super::input::facts("--facts", &args.facts)?;
    let session = Session::open(common, Wants::erp("policy.decision.decide")).await?;
    let request = DecideRequest {
        workflow: args.workflow.clone(),
        scope: args.scope.clone(),
        correlation_id: args.correlation_id.clone(),
        facts,
        explain: args.explain,
        ..DecideRequest::default()
    };
    let answer = session.decisions().decide(request).await?.into_inner();
    let decision = answer.decision.clone().unwrap_or_default();
    match common.output {
        Output::Json => json(&answer)?,
        Output::Text | Output::Junit => {
            text(&decision)?;
            for note in &answer.fact_notes {
                output::line(&format!(
                    "note: {} is unknown: {} ({})",
                    note.name, note.message, note.reason
                ))?;
            }
            let rows = answer.explanation.iter().map(|row| {
                let matched = match row.r#match() {
                    Match::Yes => "yes",
                    Match::No => "no",
                    Match::Unknown | Match::Unspecified => "unknown",
                };
                [
                    row.policy.clone(),
                    row.row.clone(),
                    matched.into(),
                    row.failed_inputs.join(", "),
                ]
            });
            if args.explain {
                output::table(["policy", "row", "matched", "inputs not met"], rows)?;
            }
        }
    }
    match decision.effect() {
        Effect::Allow => Ok(()),
        Effect::RequireApproval => Err(Failure::said(Exit::RequireApproval)),
        Effect::Deny | Effect::Unspecified => Err(Failure::said(Exit::Deny)),
    }
}

/// The decision with an always present, always absent receipt: deciding signs nothing,
/// and programs read the same form wherever a decision is printed.
fn json(answer: &contracts::policy::DecideResponse) -> Result<(), Failure> {
    #[derive(serde::Serialize)]
    struct Printed {
        decision: output::View,
        receipt: Option<()>,
        explanation: Vec<output::View>,
        fact_notes: Vec<output::View>,
    }
    output::json(&Printed {
        decision: output::View::of(&answer.decision.clone().unwrap_or_default())?,
        receipt: None,
        explanation: answer
            .explanation
            .iter()
            .map(output::View::of)
            .collect::<Result<_, _>>()?,
        fact_notes: answer
            .fact_notes
            .iter()
            .map(output::View::of)
            .collect::<Result<_, _>>()?,
    })
}

/// The effect as one word, as the protos name it without their prefix.
pub fn effect(effect: Effect) -> &'static str {
    effect.as_str_name().trim_start_matches("EFFECT_")
}

/// A decision for people.
pub fn text(decision: &Decision) -> Result<(), Failure> {
    let settled = if decision.settled {
        ""
    } else {
        " (not settled)"
    };
    output::line(&format!("{}{settled}", effect(decision.effect())))?;
    for reason in &decision.reasons {
        output::line(&format!("  because     {reason}"))?;
    }
    for approval in &decision.approvals {
        output::line(&format!(
            "  approval    {} × {} at {}",
            approval.count, approval.role, approval.at
        ))?;
    }
    for obligation in &decision.obligations {
        output::line(&format!("  obligation  {obligation}"))?;
    }
    for fact in &decision.unknown_facts {
        output::line(&format!("  unknown     {fact}"))?;
    }
    for layer in &decision.layers {
        let rows = if layer.rows.is_empty() {
            "no row".to_owned()
        } else {
            layer.rows.join(", ")
        };
        output::line(&format!(
            "  layer       {} v{} at {}: {rows} → {}",
            layer.policy,
            layer.version,
            layer.scope,
            match layer.effect() {
                Effect::Unspecified => "no constraint",
                other => effect(other),
            },
        ))?;
    }
    output::line(&format!(
        "  decision    {} at revision {}",
        decision.id, decision.revision
    ))
}
