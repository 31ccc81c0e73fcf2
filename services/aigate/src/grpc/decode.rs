//! From the contracts to the domain.

use contracts::{aigate as wire, types};
use governance::Scope;
use service_kit::{
    error::{Error, Result},
    facts,
};

use crate::{
    app::Submission,
    domain::recommendation::{Alternative, Arguments, Confidence, Proposal, State},
};

/// Most arguments of an operation.
const MAX_ARGUMENTS: usize = 64;

/// Most alternatives that are read; the use case has its own limit.
const MAX_ALTERNATIVES: usize = 16;

pub(super) fn submission(request: wire::SubmitRecommendationRequest) -> Result<Submission> {
    let scope = Scope::parse(&request.scope).map_err(|e| Error::invalid("scope", e.to_string()))?;
    if request.alternatives.len() > MAX_ALTERNATIVES {
        let problem = format!(
            "has {}, at most {MAX_ALTERNATIVES} are allowed",
            request.alternatives.len()
        );
        return Err(Error::too_large("alternatives", problem));
    }
    let alternatives = request.alternatives.iter().enumerate().map(alternative);
    Ok(Submission {
        proposal: Proposal {
            scope,
            arguments: arguments(&request.arguments, "arguments")?,
            confidence: confidence(request.confidence.as_ref(), "confidence")?
                .ok_or_else(|| Error::invalid("confidence", "is missing"))?,
            alternatives: alternatives.collect::<Result<_>>()?,
            model_version: request.model_version,
            use_case: request.use_case,
            exception: request.exception,
            operation: request.operation,
            rationale: request.rationale,
            input_digest: request.input_digest,
        },
        request_id: request.request_id,
    })
}

fn alternative((place, alternative): (usize, &wire::Alternative)) -> Result<Alternative> {
    let at = |part: &str| format!("alternatives[{place}].{part}");
    if alternative.operation.is_empty() || alternative.operation.len() > 64 {
        return Err(Error::invalid(at("operation"), "has 1 to 64 characters"));
    }
    Ok(Alternative {
        operation: alternative.operation.clone(),
        arguments: arguments(&alternative.arguments, &at("arguments"))?,
        confidence: confidence(alternative.confidence.as_ref(), &at("confidence"))?,
    })
}

fn confidence(given: Option<&types::Decimal>, field: &str) -> Result<Option<Confidence>> {
    given
        .map(|decimal| Confidence::parse(&decimal.value).map_err(|e| Error::invalid(field, e)))
        .transpose()
}

/// Arguments by name. Whatever they claim of their origin is left out: it follows from
/// who sends them.
pub(super) fn arguments(given: &[types::Fact], field: &str) -> Result<Arguments> {
    if given.len() > MAX_ARGUMENTS {
        let problem = format!("has {}, at most {MAX_ARGUMENTS} are allowed", given.len());
        return Err(Error::too_large(field, problem));
    }
    let read = facts::from_proto(given, field)?;
    let named = read.into_iter().map(|fact| (fact.name, fact.value));
    Ok(Arguments(named.collect()))
}

pub(super) fn state(code: i32) -> Result<Option<State>> {
    use wire::RecommendationState as Wire;
    let state = Wire::try_from(code).map_err(|_| Error::invalid("state", "is unknown"))?;
    Ok(match state {
        Wire::Unspecified => None,
        Wire::InReview => Some(State::InReview),
        Wire::Auto => Some(State::Auto),
        Wire::Accepted => Some(State::Accepted),
        Wire::Modified => Some(State::Modified),
        Wire::Rejected => Some(State::Rejected),
        Wire::Expired => Some(State::Expired),
        Wire::Shadow => Some(State::Shadow),
    })
}
