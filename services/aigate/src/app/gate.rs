//! The gate: registry, autonomy, gate table, facts of the document, policy. The strictest
//! wins, and what can't be asked or isn't known is for a person to look at.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use decision::Facts;
use governance::Scope;
use service_kit::{
    error::{Error, Kind, Result},
    facts::Fact,
    identity::{Caller, Provenance},
};

use super::{
    App,
    ports::{Action, Exception, Question},
};
use crate::domain::{
    catalog,
    gate::{Check, GateResult, Verdict},
    model::{Autonomy, ModelVersion},
    recommendation::{Arguments, Confidence, Proposal},
    use_case::{Operation, UseCase},
};

/// What is known of the document a recommendation is about.
pub(super) struct Situation {
    /// `documents/{type}/{id}`; empty where it isn't known.
    pub(super) document: String,
    /// Line of the document; empty: all of it.
    pub(super) line: String,
    /// The actions on the exception.
    pub(super) actions: Vec<Action>,
    pub(super) correlation_id: String,
    /// One fact a name, none of them a model's.
    pub(super) facts: BTreeMap<String, Fact>,
    check: Check,
}

/// Who says the arguments.
pub(super) struct Said<'a> {
    pub(super) arguments: &'a Arguments,
    pub(super) provenance: Provenance,
    pub(super) by: &'a str,
    pub(super) now: DateTime<Utc>,
}

impl App {
    /// Reads what is known of the exception and its document.
    ///
    /// # Errors
    /// If there is no such exception in the scope that was given. A service that can't be
    /// reached is no error: then nothing is known.
    pub(super) async fn situation(
        &self,
        caller: &Caller,
        scope: &Scope,
        name: &str,
        permission: &str,
    ) -> Result<Situation> {
        let exception = match self.exceptions.exception(name).await {
            Ok(exception) => exception,
            Err(error) if error.kind() == Kind::NotFound => return Err(Error::not_found(name)),
            Err(error) => return Ok(Situation::unknown(&error)),
        };
        if !caller.scopes(permission).contains(&exception.scope) {
            return Err(caller.out_of_scope(name, &exception.scope));
        }
        if exception.scope != *scope {
            let problem = format!("is not {}, the scope of {name}", exception.scope);
            return Err(Error::invalid("scope", problem));
        }
        let known = tokio::try_join!(
            self.exceptions.facts(&exception.document),
            self.exceptions.actions(name),
        );
        match known {
            Ok((facts, actions)) => Ok(Situation::known(exception, facts, actions)),
            Err(error) => Ok(Situation::unknown(&error).of(exception)),
        }
    }

    /// Whether the registry lets the version act in the use case at all, and how far.
    pub(super) fn admit(
        model: &ModelVersion,
        use_case: &UseCase,
        operation: &str,
        result: &mut GateResult,
    ) -> bool {
        let (name, autonomy) = (model.resource(), model.autonomy.get(&use_case.name));
        let refused = if !model.released {
            Some(format!("MODEL_NOT_RELEASED: {name}"))
        } else if autonomy.is_none() {
            Some(format!(
                "MODEL_NOT_RELEASED: {name} is not released for {}",
                use_case.name
            ))
        } else if !use_case.operations.contains_key(operation) {
            Some(format!(
                "OPERATION_NOT_ALLOWED: {operation} is not one of {}",
                use_case.name
            ))
        } else {
            None
        };
        if let Some(reason) = refused {
            result.add(Check::new("registry", Verdict::Reject, reason));
            return false;
        }
        result.add(Check::new(
            "registry",
            Verdict::Auto,
            format!("RELEASED: {name}"),
        ));
        let (verdict, shadow) = match autonomy.copied().unwrap_or(Autonomy::Off) {
            Autonomy::Off => (Verdict::Reject, false),
            Autonomy::Shadow => (Verdict::Review, true),
            Autonomy::ReviewOnly => (Verdict::Review, false),
            Autonomy::AutoWithinPolicy => (Verdict::Auto, false),
        };
        let reason = format!(
            "AUTONOMY_{}",
            autonomy.copied().unwrap_or(Autonomy::Off).name()
        );
        result.add(Check::new("autonomy", verdict, reason));
        shadow
    }

    /// The checks that depend on the document and the arguments.
    pub(super) async fn check(
        &self,
        gated: (&UseCase, &Operation, &ModelVersion),
        confidence: Confidence,
        scope: &Scope,
        situation: &Situation,
        said: &Said<'_>,
        result: &mut GateResult,
    ) -> Option<Question> {
        let (use_case, operation, model) = gated;
        let mut inputs = Facts::new();
        for (name, fact) in &situation.facts {
            if from_a_system(fact) {
                inputs.insert(name.as_str(), fact.value.clone());
            }
        }
        let arguments = said.facts(operation, situation);
        for fact in &arguments {
            inputs.insert(fact.name.as_str(), fact.value.clone());
        }
        for (name, value) in catalog::own_facts(confidence.number(), model.risk_tier.name()) {
            inputs.insert(name, value);
        }
        let answer = use_case.ask(&inputs);
        result.add(answer.check);
        result.reviewer_roles = named(&answer.reviewers);
        result.reviewers = answer.reviewers;
        result.add(situation.check.clone());
        if operation.execution.is_some() {
            result.add(situation.underway(&operation.name));
        }
        if result.is_rejected() {
            return None;
        }
        let Some(execution) = &operation.execution else {
            result.add(Check::new(
                "policy",
                Verdict::Auto,
                "ADVICE: nothing follows by itself",
            ));
            return None;
        };
        let question = Question {
            workflow: execution.workflow.clone(),
            scope: scope.clone(),
            correlation_id: situation.correlation_id.clone(),
            facts: situation.facts.values().cloned().chain(arguments).collect(),
        };
        match self.policy.decide(&question).await {
            Ok(decision) => {
                result.add(decision.check());
                result.decision = Some(decision);
            }
            Err(error) => {
                tracing::warn!(?error, "the policy can't be asked, a person must look");
                let reason = format!("POLICY_UNAVAILABLE: {}", error.message());
                result.add(Check::new("policy", Verdict::Review, reason));
            }
        }
        Some(question)
    }

    /// The use case and operation of a proposal that was admitted.
    pub(super) fn operation<'c>(
        &'c self,
        proposal: &Proposal,
    ) -> Option<(&'c UseCase, &'c Operation)> {
        let use_case = self.catalog.use_case(&proposal.use_case)?;
        Some((use_case, use_case.operations.get(&proposal.operation)?))
    }
}

impl Situation {
    fn unknown(error: &Error) -> Self {
        tracing::warn!(
            ?error,
            "the document's facts can't be read, a person must look"
        );
        let reason = format!("EXCEPTIONS_UNAVAILABLE: {}", error.message());
        Self {
            document: String::new(),
            line: String::new(),
            actions: Vec::new(),
            correlation_id: String::new(),
            facts: BTreeMap::new(),
            check: Check::new("facts", Verdict::Review, reason),
        }
    }

    fn of(mut self, exception: Exception) -> Self {
        self.document = exception.document;
        self.line = exception.line;
        self.correlation_id = exception.correlation_id;
        self
    }

    fn known(exception: Exception, known: Vec<Fact>, actions: Vec<Action>) -> Self {
        let check = if exception.open {
            let reason = format!("KNOWN: {} facts of {}", known.len(), exception.document);
            Check::new("facts", Verdict::Auto, reason)
        } else {
            let reason = format!("EXCEPTION_ENDED: it is {}", exception.state);
            Check::new("facts", Verdict::Reject, reason)
        };
        Self {
            document: exception.document,
            line: exception.line,
            actions,
            correlation_id: exception.correlation_id,
            facts: strongest(known),
            check,
        }
    }
}

/// All roles of some sets.
fn named(reviewers: &[Vec<String>]) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    for role in reviewers.iter().flatten() {
        if !named.contains(role) {
            named.push(role.clone());
        }
    }
    named
}

/// States of actions of which something may still come.
const UNFINISHED: [&str; 2] = ["PENDING_APPROVAL", "AUTHORIZED"];

impl Situation {
    /// What is done about the operation already: two actions would do it twice.
    pub(super) fn underway(&self, operation: &str) -> Check {
        let mut same = self.actions.iter().filter(|a| a.operation == operation);
        match same.find(|action| UNFINISHED.contains(&action.state.as_str())) {
            Some(action) => {
                let reason = format!("ACTION_UNDERWAY: {} is {}", action.name, action.state);
                Check::new("actions", Verdict::Review, reason)
            }
            None => Check::new("actions", Verdict::Auto, "NONE_UNDERWAY"),
        }
    }

    /// The actions that were executed.
    pub(super) fn finished(&self) -> Vec<String> {
        let executed = self.actions.iter().filter(|a| a.state == "EXECUTED");
        executed.map(|action| action.name.clone()).collect()
    }
}

/// One fact a name, of the strongest provenance. What a model says of a document satisfies
/// no guardrail, so it isn't passed on at all.
fn strongest(known: Vec<Fact>) -> BTreeMap<String, Fact> {
    let mut chosen: BTreeMap<String, Fact> = BTreeMap::new();
    for fact in known {
        let Some(provenance) = fact.provenance.filter(|p| *p != Provenance::Model) else {
            continue;
        };
        let held = chosen.get(&fact.name).and_then(|held| held.provenance);
        if held.is_none_or(|held| provenance < held) {
            chosen.insert(fact.name.clone(), fact);
        }
    }
    chosen
}

/// Whether a system says it, not a person. A policy declares what it takes from whom; a
/// gate table doesn't, so what only a person says is unknown to it.
fn from_a_system(fact: &Fact) -> bool {
    matches!(
        fact.provenance,
        Some(Provenance::Erp | Provenance::Integration)
    )
}

impl Said<'_> {
    /// The arguments as facts; one that the document says itself is left to the document.
    fn facts(&self, operation: &Operation, situation: &Situation) -> Vec<Fact> {
        let named = self.arguments.0.iter().filter_map(|(name, value)| {
            let declared = operation.arguments.get(name)?;
            Some((declared.fact.clone(), value))
        });
        named
            .filter(|(name, _)| !situation.facts.contains_key(name))
            .map(|(name, value)| self.fact(name, value.clone()))
            .collect()
    }

    /// The arguments under their own names, as a receipt has them.
    pub(super) fn arguments(&self) -> Vec<Fact> {
        let named = self.arguments.0.iter();
        named
            .map(|(name, value)| self.fact(name.clone(), value.clone()))
            .collect()
    }

    fn fact(&self, name: String, value: decision::Value) -> Fact {
        Fact {
            name,
            value,
            provenance: Some(self.provenance),
            asserted_by: self.by.to_owned(),
            observed: Some(self.now),
        }
    }
}
