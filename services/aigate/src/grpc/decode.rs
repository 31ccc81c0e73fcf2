//! From the contracts to the domain.

use contracts::{aigate as wire, types};
use governance::Scope;
use service_kit::{
    error::{Error, Result},
    facts,
    violations::Violations,
};

use crate::{
    app::{Filter, Submission, id_in, is_uuid, required, words},
    domain::{
        is_digest,
        recommendation::{Alternative, Arguments, Confidence, Proposal, State},
    },
};

/// Longest name of an operation, in bytes.
const MAX_OPERATION: usize = 64;

/// Most arguments of an operation.
const MAX_ARGUMENTS: usize = 64;

/// Most alternatives.
const MAX_ALTERNATIVES: usize = 16;

/// A submission, with everything that is wrong with it.
pub(super) fn submission(request: wire::SubmitRecommendationRequest) -> Result<Submission> {
    let mut wrong = Violations::default();
    let scope = wrong.take(
        Scope::parse(&request.scope).map_err(|error| Error::invalid("scope", error.to_string())),
    );
    wrong.take(exception(&request.exception));
    wrong.take(operation("operation", &request.operation));
    let arguments = wrong.take(arguments(request.arguments.clone(), "arguments"));
    let confidence = wrong.take(
        confidence(request.confidence.as_ref(), "confidence")
            .and_then(|given| given.ok_or_else(|| Error::invalid("confidence", "is missing"))),
    );
    let alternatives = wrong.take(alternatives(&request.alternatives));
    wrong.take(words("rationale", &request.rationale));
    wrong.take(input_digest(&request.input_digest));
    wrong.take(request_id(&request.request_id));
    wrong.finish(|| {
        Some(Submission {
            proposal: Proposal {
                scope: scope?,
                arguments: arguments?,
                confidence: confidence?,
                alternatives: alternatives?,
                model_version: request.model_version,
                use_case: request.use_case,
                exception: request.exception,
                operation: request.operation,
                rationale: request.rationale,
                input_digest: request.input_digest,
            },
            request_id: request.request_id,
        })
    })
}

fn exception(name: &str) -> Result<()> {
    let id = name.strip_prefix("exceptions/").unwrap_or_default();
    if !id.is_empty() && id.len() <= 64 && !id.contains('/') {
        return Ok(());
    }
    let problem = format!("{name:?} is not of the form exceptions/{{exception}}");
    Err(Error::invalid("exception", problem))
}

fn operation(field: &str, name: &str) -> Result<()> {
    if (1..=MAX_OPERATION).contains(&name.len()) {
        return Ok(());
    }
    let problem = format!("has {} bytes, expected 1 to {MAX_OPERATION}", name.len());
    Err(Error::invalid(field, problem))
}

fn input_digest(digest: &str) -> Result<()> {
    if digest.is_empty() || is_digest(digest) {
        return Ok(());
    }
    let problem = "is not `sha256:` and 64 hexadecimal digits in lower case";
    Err(Error::invalid("input_digest", problem))
}

fn request_id(id: &str) -> Result<()> {
    if id.is_empty() || is_uuid(id) {
        return Ok(());
    }
    Err(Error::invalid("request_id", "is not a UUID in lower case"))
}

fn alternatives(given: &[wire::Alternative]) -> Result<Vec<Alternative>> {
    if given.len() > MAX_ALTERNATIVES {
        let problem = format!(
            "has {}, at most {MAX_ALTERNATIVES} are allowed",
            given.len()
        );
        return Err(Error::too_large("alternatives", problem));
    }
    let mut wrong = Violations::default();
    let mut read = Vec::with_capacity(given.len());
    for (place, alternative) in given.iter().enumerate() {
        read.extend(wrong.take(self::alternative(place, alternative)));
    }
    wrong.finish(|| Some(read))
}

fn alternative(place: usize, alternative: &wire::Alternative) -> Result<Alternative> {
    let at = |part: &str| format!("alternatives[{place}].{part}");
    let mut wrong = Violations::default();
    wrong.take(operation(&at("operation"), &alternative.operation));
    let arguments = wrong.take(arguments(alternative.arguments.clone(), &at("arguments")));
    let confidence = wrong.take(confidence(
        alternative.confidence.as_ref(),
        &at("confidence"),
    ));
    wrong.finish(|| {
        Some(Alternative {
            operation: alternative.operation.clone(),
            arguments: arguments?,
            confidence: confidence?,
        })
    })
}

/// Checks an acceptance.
pub(super) fn accept(request: &wire::AcceptRecommendationRequest) -> Result<()> {
    let mut wrong = Violations::default();
    wrong.take(id_in(&request.name));
    wrong.take(words("comment", &request.comment));
    wrong.finish(|| Some(()))
}

/// The arguments of an acceptance with others.
pub(super) fn modify(request: &wire::ModifyRecommendationRequest) -> Result<Arguments> {
    let mut wrong = Violations::default();
    wrong.take(id_in(&request.name));
    let arguments = wrong.take(arguments(request.arguments.clone(), "arguments"));
    wrong.take(required("comment", &request.comment));
    wrong.finish(|| arguments)
}

/// Checks a rejection.
pub(super) fn reject(request: &wire::RejectRecommendationRequest) -> Result<()> {
    let mut wrong = Violations::default();
    wrong.take(id_in(&request.name));
    wrong.take(required("reason", &request.reason));
    wrong.finish(|| Some(()))
}

/// What a list is narrowed to.
pub(super) fn filter(request: &wire::ListRecommendationsRequest) -> Result<Filter> {
    let mut wrong = Violations::default();
    let state = wrong.take(state(request.state));
    let scope = wrong.take(match request.scope.as_str() {
        "" => Ok(None),
        path => Scope::parse(path)
            .map(Some)
            .map_err(|error| Error::invalid("scope", error.to_string())),
    });
    wrong.finish(|| {
        Some(Filter {
            state: state?,
            scope: scope?,
            correlation_id: request.correlation_id.clone(),
        })
    })
}

fn confidence(given: Option<&types::Decimal>, field: &str) -> Result<Option<Confidence>> {
    given
        .map(|decimal| Confidence::parse(&decimal.value).map_err(|e| Error::invalid(field, e)))
        .transpose()
}

/// Arguments by name. Whatever they claim of their origin is left out: it follows from
/// who sends them.
fn arguments(given: Vec<types::Fact>, field: &str) -> Result<Arguments> {
    facts::values_from_proto(given, field, MAX_ARGUMENTS).map(Arguments)
}

fn state(code: i32) -> Result<Option<State>> {
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
