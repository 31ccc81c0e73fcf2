//! From the domain to the contracts.

use approval::Somebody;
use contracts::{aigate as wire, time::timestamp, types};
use prost::Message as _;
use service_kit::{
    error::{Error, Result},
    facts,
};

use crate::domain::{
    gate::{GateResult, Verdict},
    model::{Autonomy, ModelVersion},
    recommendation::{Arguments, Confidence, Party, Recommendation, State},
};

pub(super) fn recommendation(r: &Recommendation) -> Result<wire::Recommendation> {
    let model = (types::Provenance::Model, &r.submitter);
    let alternatives = r.proposal.alternatives.iter().map(|alternative| {
        Ok(wire::Alternative {
            operation: alternative.operation.clone(),
            arguments: arguments(&alternative.arguments, model, r)?,
            confidence: alternative.confidence.map(confidence),
        })
    });
    let modified = match (&r.modified, &r.reviewer) {
        (Some(modified), Some(reviewer)) => {
            arguments(modified, (types::Provenance::Person, reviewer), r)?
        }
        _ => Vec::new(),
    };
    Ok(wire::Recommendation {
        name: r.name(),
        scope: r.proposal.scope.to_string(),
        model_version: r.proposal.model_version.clone(),
        use_case: r.proposal.use_case.clone(),
        exception: r.proposal.exception.clone(),
        document: r.document.clone(),
        operation: r.proposal.operation.clone(),
        arguments: arguments(&r.proposal.arguments, model, r)?,
        confidence: Some(confidence(r.proposal.confidence)),
        alternatives: alternatives.collect::<Result<_>>()?,
        rationale: r.proposal.rationale.clone(),
        input_digest: r.proposal.input_digest.clone(),
        state: state(r.state).into(),
        result: Some(result(&r.result)?),
        submitter: Some(party(&r.submitter)),
        reviewer: r.reviewer.as_ref().map(party),
        modified_arguments: modified,
        review_comment: r.comment.clone(),
        action: r.action.clone(),
        outcome: r.outcome.clone(),
        correlation_id: r.correlation_id.clone(),
        create_time: Some(timestamp(r.created)),
        update_time: Some(timestamp(r.updated)),
        expire_time: Some(timestamp(r.expires)),
        etag: r.version.to_string(),
    })
}

fn arguments(
    arguments: &Arguments,
    (provenance, by): (types::Provenance, &Party),
    r: &Recommendation,
) -> Result<Vec<types::Fact>> {
    let named = arguments.0.iter();
    named
        .map(|(name, value)| {
            Ok(types::Fact {
                name: name.clone(),
                value: Some(facts::value_to_proto(value)?),
                provenance: provenance.into(),
                asserted_by: by.subject.clone(),
                observe_time: Some(timestamp(r.created)),
            })
        })
        .collect()
}

fn confidence(confidence: Confidence) -> types::Decimal {
    types::Decimal {
        value: confidence.number().to_string(),
    }
}

fn result(result: &GateResult) -> Result<wire::GateResult> {
    let checks = result.checks.iter().map(|check| wire::GateCheck {
        check: check.check.clone(),
        verdict: verdict(check.verdict).into(),
        reason: check.reason.clone(),
    });
    let reviewers = result.reviewers();
    let reviewers = reviewers.iter().map(|set| wire::Reviewers {
        roles: set.to_vec(),
    });
    let decision = result.decision.as_ref().map(|decision| {
        types::Decision::decode(decision.encoded.as_slice()).map_err(Error::internal)
    });
    Ok(wire::GateResult {
        verdict: verdict(result.verdict()).into(),
        checks: checks.collect(),
        reviewer_roles: result.reviewer_roles.clone(),
        reviewers: reviewers.collect(),
        decision: decision.transpose()?,
        receipt: result.receipt.as_ref().map(|receipt| types::Receipt {
            id: receipt.id.clone(),
            jws: receipt.jws.clone(),
            expire_time: Some(timestamp(receipt.expires)),
            audience: receipt.audience.clone(),
        }),
    })
}

fn verdict(verdict: Verdict) -> wire::GateVerdict {
    match verdict {
        Verdict::Auto => wire::GateVerdict::Auto,
        Verdict::Review => wire::GateVerdict::Review,
        Verdict::Reject => wire::GateVerdict::Reject,
    }
}

fn state(state: State) -> wire::RecommendationState {
    use wire::RecommendationState as Wire;
    match state {
        State::InReview => Wire::InReview,
        State::Auto => Wire::Auto,
        State::Accepted => Wire::Accepted,
        State::Modified => Wire::Modified,
        State::Rejected => Wire::Rejected,
        State::Expired => Wire::Expired,
        State::Shadow => Wire::Shadow,
    }
}

fn party(party: &Party) -> types::Principal {
    let grants = party.grants.iter().filter_map(|grant| {
        let (role, scope) = grant.split_once('@')?;
        Some(types::Grant {
            role: role.to_owned(),
            scope: scope.to_owned(),
        })
    });
    types::Principal {
        issuer: party.issuer.clone(),
        subject: party.subject.clone(),
        kind: match party.kind.as_str() {
            "person" => types::PrincipalKind::Person,
            "service" => types::PrincipalKind::Service,
            "model" => types::PrincipalKind::Model,
            _ => types::PrincipalKind::Unspecified,
        }
        .into(),
        grants: grants.collect(),
        via: party.via.clone().unwrap_or_default(),
    }
}

/// Somebody by subject, and by issuer where it is known.
pub(crate) fn principal(who: &Somebody) -> types::Principal {
    types::Principal {
        issuer: who.issuer.clone().unwrap_or_default(),
        subject: who.subject.clone(),
        ..types::Principal::default()
    }
}

pub(super) fn model(model: &ModelVersion) -> wire::ModelVersion {
    let autonomy = model.autonomy.iter().map(|(use_case, autonomy)| {
        let autonomy = match autonomy {
            Autonomy::Off => wire::Autonomy::Off,
            Autonomy::Shadow => wire::Autonomy::Shadow,
            Autonomy::ReviewOnly => wire::Autonomy::ReviewOnly,
            Autonomy::AutoWithinPolicy => wire::Autonomy::AutoWithinPolicy,
        };
        wire::UseCaseAutonomy {
            use_case: use_case.clone(),
            autonomy: autonomy.into(),
        }
    });
    let figures = model.evaluation.iter();
    wire::ModelVersion {
        name: model.resource(),
        artifact_digest: model.artifact_digest.clone(),
        risk_tier: model.risk_tier.name().to_owned(),
        owner: model.owner.subject.clone(),
        subjects: model.subjects.iter().map(|s| s.subject.clone()).collect(),
        principals: model.subjects.iter().map(principal).collect(),
        owner_principal: Some(principal(&model.owner)),
        aliases: model.aliases.iter().map(|a| a.name().to_owned()).collect(),
        autonomy: autonomy.collect(),
        evaluation: figures
            .map(|(name, figure)| (name.clone(), figure.clone()))
            .collect(),
        released: model.released,
    }
}
