//! Asking for an action on an exception.

use std::collections::BTreeMap;

use approval::Somebody;
use chrono::{DateTime, Utc};
use decision::{Met, Value};
use governance::{binding, canonical};
use serde_json::json;
use service_kit::{
    error::{Error, Kind, Reason, Result},
    identity::{self, Caller, Found, Principal},
    violations::Violations,
};

use super::{
    App, id_in, illegal, illegal_action, is_uuid, one_line, party, permission,
    ports::{Case, Change, Question},
    records::{Author, told},
    words,
};
use crate::domain::{
    action::{Action, Decision, Effect, Party, State, Step},
    catalog::ActionDefinition,
    document::{self, Document, Fact, Key},
    exception::Exception,
    state,
};

/// The internal service that passes recommendations on.
const AIGATE: &str = "bylaw-aigate";
/// Most actions asked for on one exception.
const MAX_ACTIONS: usize = 100;
/// Most arguments of an action.
pub(crate) const MAX_ARGUMENTS: usize = 64;
/// Most people who count as the requester.
const MAX_EXCLUDED: usize = 16;
/// Most bytes of a subject or a resource name.
const MAX_NAME: usize = 256;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `exceptions/{exception}`.
    pub parent: String,
    /// Operation of the inventory.
    pub operation: String,
    /// Arguments by name.
    pub arguments: BTreeMap<String, Value>,
    /// UUID that makes a retry return the first answer, or empty.
    pub request_id: String,
    /// Recommendation it comes from, or empty.
    pub recommendation: String,
    /// Others who count as the requester.
    pub excluded: Vec<Somebody>,
    /// In the requester's words.
    pub comment: String,
}

impl App {
    /// Asks for an action. The policy decides: allowed at once with a receipt, an
    /// approval is opened, or it is denied.
    ///
    /// # Errors
    /// For a request that the inventory doesn't know, a requester who can't be named, an
    /// exception that isn't open, and a policy service that can't decide; then nothing is
    /// kept. An action that is kept is the answer even if it can't be signed yet.
    pub async fn request(&self, caller: &Caller, request: &Request) -> Result<Action> {
        let id = id_in("parent", "exceptions", &request.parent)?;
        check(caller, request)?;
        let scopes = caller.scopes(permission::REQUEST);
        let (exception, _) = self
            .store
            .exception(id, &scopes)
            .await?
            .for_caller(caller, &request.parent)?;
        caller.require_person()?;
        caller.require_no_conflict()?;
        let requester = party(caller);
        if let Some(action) = self.retried(&requester, request).await? {
            return Ok(self.brought_on(action).await);
        }
        let definition = self.definition(request, &exception)?;
        let now = self.now();
        let arguments = arguments(definition, request, caller.actor(), now)?;
        open(&exception)?;
        let facts = self
            .facts(&exception.document, definition, &arguments)
            .await?;
        let question = Question {
            workflow: definition.workflow.clone(),
            scope: exception.scope.clone(),
            correlation_id: exception.correlation_id.clone(),
            facts,
        };
        let decision = self.policy.decide(&question).await?;
        let draft = Draft {
            definition,
            exception: &exception,
            requester,
            arguments,
            request,
            now,
        };
        let action = draft.action(self.id(), decision, &question);
        let action = self.open_action(caller, action, now).await?;
        Ok(self.brought_on(action).await)
    }

    /// The answer to the first request of this id, if this is a retry.
    async fn retried(&self, requester: &Party, request: &Request) -> Result<Option<Action>> {
        if request.request_id.is_empty() {
            return Ok(None);
        }
        let first = self.store.requested(requester, &request.request_id).await?;
        match first {
            Some(action) if action.request_digest != digest(request) => {
                Err(conflict(&request.request_id))
            }
            first => Ok(first),
        }
    }

    fn definition(&self, request: &Request, exception: &Exception) -> Result<&ActionDefinition> {
        let operation = &request.operation;
        let definition = self.catalog.actions.get(operation).ok_or_else(|| {
            let problem = format!("no action {operation:?} in the inventory");
            Error::invalid("operation", problem)
        })?;
        if definition.applies_to.contains(&exception.kind) {
            return Ok(definition);
        }
        let kinds = definition.applies_to.join(", ");
        Err(Error::invalid(
            "operation",
            format!("{operation} applies to {kinds}, not to {}", exception.kind),
        ))
    }

    /// What the policy is told: of the document, the strongest word on each fact, and
    /// the arguments, which never stand in for a fact.
    pub(crate) async fn facts(
        &self,
        key: &Key,
        definition: &ActionDefinition,
        arguments: &[Fact],
    ) -> Result<Vec<Fact>> {
        let document = self.whole_document(key).await?;
        let known = document.map(|document| document.facts).unwrap_or_default();
        let strongest = document::strongest(&known);
        let mut facts = strongest.values().copied().cloned().collect::<Vec<_>>();
        for argument in arguments {
            let declared = definition.arguments.get(&argument.name);
            let name = declared.map_or_else(
                || format!("argument.{}", argument.name),
                |declared| declared.fact.clone(),
            );
            if !strongest.contains_key(name.as_str()) {
                facts.push(Fact {
                    name,
                    ..argument.clone()
                });
            }
        }
        Ok(facts)
    }

    /// The document of an exception that the caller may act on: where the exception is
    /// in scope, so is its document.
    async fn whole_document(&self, key: &Key) -> Result<Option<Document>> {
        match self.store.document(key, &identity::Scopes::All).await? {
            Found::Here(document) => Ok(Some(document)),
            Found::Elsewhere(_) | Found::Missing => Ok(None),
        }
    }

    async fn open_action(
        &self,
        caller: &Caller,
        action: Action,
        now: DateTime<Utc>,
    ) -> Result<Action> {
        let author = Author::of(caller, now);
        let decide = |case: &mut Case| {
            let first = case.actions.iter().find(|a| same_request(a, &action));
            if let Some(first) = first {
                // The same request came twice at once, and the other came first.
                if first.request_digest != action.request_digest {
                    return Err(conflict(&action.request_id));
                }
                return Ok(Change::default());
            }
            // Two receipts for one operation would have two effects.
            let unfinished = case.actions.iter().find(|other| {
                other.operation == action.operation
                    && matches!(other.state, State::PendingApproval | State::Authorized)
            });
            if let Some(other) = unfinished {
                let other = other.name();
                let problem = format!("{} is asked for already: {other}", action.operation);
                return Err(Error::illegal_state(problem));
            }
            if case.actions.len() >= MAX_ACTIONS {
                let problem = format!("{MAX_ACTIONS} actions were asked for on it already");
                return Err(Error::new(
                    Kind::ResourceExhausted,
                    Reason::TooLarge,
                    problem,
                ));
            }
            add(case, action.clone(), &author)
        };
        let case = self.store.change(&action.exception, &decide).await?;
        let kept = case.and_then(|case| {
            let ours = |other: &Action| other.id == action.id || same_request(other, &action);
            case.actions.into_iter().find(ours)
        });
        kept.ok_or_else(|| Error::not_found(action.name()))
    }
}

/// Whether two actions came of one request: the same id of the same requester.
fn same_request(one: &Action, other: &Action) -> bool {
    !one.request_id.is_empty()
        && one.request_id == other.request_id
        && one.requester.approver.who == other.requester.approver.who
}

/// Adds an action to a case that is still open.
fn add(case: &mut Case, mut action: Action, author: &Author) -> Result<Change> {
    open(&case.exception)?;
    let mut change = Change {
        exception: true,
        ..Change::default()
    };
    let verb = "exceptions.action.request";
    change
        .entries
        .push(author.on_action("action.requested", verb, &action));
    let exception = &mut case.exception;
    exception.respond(author.now);
    match action.decision.effect {
        Effect::Deny => {
            let reason = denial(&action.decision);
            action
                .step(Step::Deny, &reason, author.now)
                .map_err(illegal_action)?;
            let entry = author.on_action("action.denied", "exceptions.action.deny", &action);
            change.entries.push(told(entry));
            exception.touch(author.now);
        }
        Effect::RequireApproval if exception.state != state::State::PendingApproval => {
            exception
                .step(state::Step::AwaitApproval, author.now)
                .map_err(illegal)?;
        }
        Effect::Allow if exception.state == state::State::Assigned => {
            exception
                .step(state::Step::Start, author.now)
                .map_err(illegal)?;
        }
        Effect::RequireApproval | Effect::Allow => exception.touch(author.now),
    }
    change.actions.push(action.id.clone());
    case.actions.push(action);
    Ok(change)
}

/// Why the policy denies, in one line.
pub(crate) fn denial(decision: &Decision) -> String {
    let mut reasons = decision.reasons.clone();
    if !decision.unknown_facts.is_empty() {
        reasons.push(format!("unknown: {}", decision.unknown_facts.join(", ")));
    }
    if reasons.is_empty() {
        "the policy denies it".to_owned()
    } else {
        reasons.join("; ")
    }
}

fn open(exception: &Exception) -> Result<()> {
    if exception.state.is_open() {
        return Ok(());
    }
    let state = exception.state.name();
    Err(Error::illegal_state(format!("the exception is {state}")))
}

/// Checks what holds whatever the inventory says.
fn check_form(request: &Request) -> Result<()> {
    let mut violations = Violations::default();
    let mut demand = |holds: bool, field: &str, problem: String| {
        let checked = holds
            .then_some(())
            .ok_or_else(|| Error::invalid(field, problem));
        violations.take(checked);
    };
    let id = &request.request_id;
    let problem = "is not a UUID in lower case".to_owned();
    demand(id.is_empty() || is_uuid(id), "request_id", problem);
    let problem = format!("more than {MAX_ARGUMENTS} arguments");
    demand(
        request.arguments.len() <= MAX_ARGUMENTS,
        "arguments",
        problem,
    );
    let problem = format!("more than {MAX_EXCLUDED} subjects");
    demand(request.excluded.len() <= MAX_EXCLUDED, "excluded", problem);
    let fits = |who: &Somebody| {
        let issuer = who.issuer.as_ref().map_or(0, String::len);
        (1..=MAX_NAME).contains(&who.subject.len()) && issuer <= MAX_NAME
    };
    let problem =
        format!("expected subjects of 1 to {MAX_NAME} bytes, and issuers of at most that");
    demand(request.excluded.iter().all(fits), "excluded", problem);
    let problem = format!("is longer than {MAX_NAME} bytes");
    demand(
        request.recommendation.len() <= MAX_NAME,
        "recommendation",
        problem,
    );
    violations.take(words("comment", &request.comment));
    violations.take(one_line("recommendation", &request.recommendation));
    for who in &request.excluded {
        violations.take(one_line("excluded", &who.subject));
        violations.take(one_line(
            "excluded",
            who.issuer.as_deref().unwrap_or_default(),
        ));
    }
    violations.finish(|| Some(()))
}

fn check(caller: &Caller, request: &Request) -> Result<()> {
    check_form(request)?;
    // Whoever could say so could also leave somebody out.
    let passed_on = !request.recommendation.is_empty() || !request.excluded.is_empty();
    if passed_on && !(caller.is_service(AIGATE) && caller.on_behalf_of().is_some()) {
        return Err(Error::new(
            Kind::PermissionDenied,
            Reason::PermissionDenied,
            "recommendation and excluded are open to the aigate service alone, acting for a \
             person",
        ));
    }
    Ok(())
}

/// The arguments as the inventory declares them, asserted by the requester.
fn arguments(
    definition: &ActionDefinition,
    request: &Request,
    requester: &Principal,
    now: DateTime<Utc>,
) -> Result<Vec<Fact>> {
    let mut violations = Violations::default();
    for (name, declared) in &definition.arguments {
        let given = request.arguments.get(name);
        if declared.required && given.is_none_or(|value| *value == Value::Null) {
            let problem = format!("is missing, expected {}", declared.ty);
            violations.take::<()>(Err(Error::invalid(field(name), problem)));
        }
    }
    let read = request.arguments.iter().filter_map(|(name, value)| {
        let value = violations.take(argument(definition, name, value))?;
        Some(Fact {
            name: name.clone(),
            value,
            provenance: requester.provenance(),
            asserted_by: requester.subject.clone(),
            observed: now,
        })
    });
    let arguments = read.collect();
    violations.finish(|| Some(arguments))
}

fn field(argument: &str) -> String {
    format!("arguments[{argument}]")
}

/// The value of an argument, as the inventory declares it.
fn argument(definition: &ActionDefinition, name: &str, value: &Value) -> Result<Value> {
    let wrong = |problem: String| Error::invalid(field(name), problem);
    let declared = definition
        .arguments
        .get(name)
        .ok_or_else(|| wrong(format!("{} has no such argument", definition.operation)))?;
    let value = declared
        .ty
        .coerce(value.clone())
        .map_err(|mismatch| wrong(mismatch.to_string()))?;
    if let Some(text) = value.as_str() {
        words(&field(name), text)?;
    }
    match &declared.test {
        Some(test) if value != Value::Null && test.met(&value) != Met::Yes => {
            Err(wrong(format!("found {value}, expected {test}")))
        }
        _ => Ok(value),
    }
}

fn conflict(request_id: &str) -> Error {
    Error::new(
        Kind::AlreadyExists,
        Reason::IdempotencyConflict,
        format!("request {request_id} came before with other content"),
    )
}

/// Digest of a request's content, for retries.
fn digest(request: &Request) -> String {
    let arguments = request
        .arguments
        .iter()
        .map(|(name, value)| (name.clone(), canonical::value(value)))
        .collect::<serde_json::Map<_, _>>();
    canonical::digest(&json!({
        "parent": request.parent,
        "operation": request.operation,
        "arguments": arguments,
        "recommendation": request.recommendation,
        "excluded": request.excluded,
    }))
}

/// What approvals of an action are bound to, given the facts of now.
pub(crate) fn bound(action: &Action, decision: &Decision, facts: &[Fact]) -> String {
    let arguments = action
        .arguments
        .iter()
        .map(|fact| (fact.name.clone(), fact.value.clone()))
        .collect();
    let facts = facts
        .iter()
        .filter(|fact| decision.binding_facts.contains(&fact.name))
        .map(|fact| (fact.name.clone(), fact.value.clone()))
        .collect();
    binding::digest(&binding::Binding {
        workflow: &action.workflow,
        scope: &action.scope,
        document: &action.document.to_string(),
        operation: &action.operation,
        audience: &action.audience,
        arguments: &arguments,
        facts: &facts,
    })
}

/// What becomes an action once the policy has answered.
struct Draft<'a> {
    definition: &'a ActionDefinition,
    exception: &'a Exception,
    requester: Party,
    arguments: Vec<Fact>,
    request: &'a Request,
    now: DateTime<Utc>,
}

impl Draft<'_> {
    fn action(self, id: String, decision: Decision, question: &Question) -> Action {
        let mut action = Action {
            id,
            exception: self.exception.id.clone(),
            document: self.exception.document.clone(),
            operation: self.definition.operation.clone(),
            workflow: self.definition.workflow.clone(),
            audience: self.definition.audience.clone(),
            scope: self.exception.scope.clone(),
            correlation_id: self.exception.correlation_id.clone(),
            arguments: self.arguments,
            requester: self.requester,
            excluded: self.request.excluded.clone(),
            state: State::PendingApproval,
            decision,
            digest: String::new(),
            approvals: Vec::new(),
            missing_facts: Vec::new(),
            receipt: None,
            expires: Some(self.now + self.definition.approval_ttl),
            recommendation: self.request.recommendation.clone(),
            comment: self.request.comment.clone(),
            reason: String::new(),
            request_id: self.request.request_id.clone(),
            request_digest: digest(self.request),
            created: self.now,
            updated: self.now,
            version: 1,
        };
        action.digest = bound(&action, &action.decision, &question.facts);
        action
    }
}
