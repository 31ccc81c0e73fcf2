//! From a complete approval to a receipt, and what happens without anybody calling.
//!
//! The policy service is asked outside every transaction. A process that dies between
//! the approval and the receipt leaves an action that waits for nothing but the receipt;
//! the sweep, or the next call that touches it, goes on from there. Authorizing is
//! idempotent by the action's name, so going on twice signs once.

use std::time::Duration;

use chrono::{DateTime, Utc};
use service_kit::{
    error::{Error, Kind, Reason, Result},
    identity::{Found, Scopes},
};

use super::{
    App, illegal, illegal_action,
    ports::{Authorization, Authorized, Case, Change, Question},
    records::{Author, told},
    request::{bound, denial},
};
use crate::domain::{
    action::{Action, Decision, Effect, Receipt, State, Step},
    catalog::ActionDefinition,
    document::Fact,
    state,
};

/// Most executed actions, and receipts of others that were used, that the policy service is told of, the last first.
const FINISHED: u64 = 100;
/// Most actions that one sweep takes on.
const SWEEP: u64 = 100;

impl App {
    /// Has the action signed if it waits for nothing else.
    pub(crate) async fn authorize_if_complete(&self, action: Action) -> Result<Action> {
        if action.state != State::PendingApproval || !action.missing(self.now()).is_empty() {
            return Ok(action);
        }
        let facts = self.facts_of(&action).await?;
        if bound(&action, &action.decision, &facts) != action.digest {
            let reason = "what approvals are bound to has changed";
            return self.lapse(&action, reason).await;
        }
        let authorization = self.authorization(&action, facts).await?;
        match self.policy.authorize(&authorization).await {
            Ok(answer) => self.conclude(&action, &answer).await,
            Err(error) if error.reason() == Reason::ReceiptStands => {
                self.held_up(action, error.message()).await
            }
            Err(error) if is_final(error.reason()) => self.lapse(&action, error.message()).await,
            Err(error) => Err(error),
        }
    }

    /// An action that is kept, signed where it can be. A failure is no answer to whoever
    /// asked for it: the action stands, and the sweep has it signed later.
    pub(crate) async fn brought_on(&self, action: Action) -> Action {
        match self.authorize_if_complete(action.clone()).await {
            Ok(action) => action,
            Err(error) => {
                let action_name = action.name();
                tracing::warn!(action = action_name, %error, "authorization waits");
                action
            }
        }
    }

    /// The action with a receipt that still holds, for the system that executes it: one
    /// that was away for longer than a receipt lives gets another, by the policy of now,
    /// while the exception is open and the time for the action hasn't passed.
    /// Where there is none to get, the action as it is.
    pub(crate) async fn renew(&self, action: Action) -> Result<Action> {
        let now = self.now();
        let expired = |receipt: &Receipt| receipt.is_expired(now);
        let over = action.expires.is_some_and(|expires| now >= expires);
        if over
            || action.state != State::Authorized
            || !action.receipt.as_ref().is_some_and(expired)
        {
            return Ok(action);
        }
        let facts = self.facts_of(&action).await?;
        let authorization = self.authorization(&action, facts).await?;
        let answer = match self.policy.authorize(&authorization).await {
            Ok(answer) => answer,
            Err(error) => {
                let action_name = action.name();
                tracing::info!(action = action_name, %error, "a receipt could not be renewed");
                return Ok(action);
            }
        };
        let Some(receipt) = answer.receipt else {
            return Ok(action);
        };
        let author = Author::own(self.now());
        self.change_action(&action, &|case, index| {
            let open = case.exception.state.is_open();
            let kept = &mut case.actions[index];
            if !open || kept.state != State::Authorized {
                return Ok(Change::default());
            }
            kept.receipt = Some(receipt.clone().renewing(kept.receipt.as_ref()));
            kept.touch(author.now);
            let entry = author.on_action("action.renewed", "exceptions.action.authorize", kept);
            Ok(Change {
                actions: vec![kept.id.clone()],
                entries: vec![entry],
                ..Change::default()
            })
        })
        .await
    }

    /// What approvals of the action are bound to now.
    pub(crate) async fn current_digest(&self, action: &Action) -> Result<String> {
        let facts = self.facts_of(action).await?;
        Ok(bound(action, &action.decision, &facts))
    }

    async fn facts_of(&self, action: &Action) -> Result<Vec<Fact>> {
        let definition = self.definition_of(action)?;
        self.facts(&action.document, definition, &action.arguments)
            .await
    }

    /// What the policy service is asked to sign.
    async fn authorization(&self, action: &Action, facts: Vec<Fact>) -> Result<Authorization> {
        let scopes = Scopes::All;
        let line = match self.store.exception(&action.exception, &scopes).await? {
            Found::Here((exception, _)) => exception.line,
            Found::Elsewhere(_) | Found::Missing => return Err(Error::not_found(action.name())),
        };
        // Of exceptions before this one too: what was executed has ended them.
        let finished = self.store.executed(&action.document, FINISHED).await?;
        let used = self
            .store
            .used(&action.document, &action.operation, FINISHED)
            .await?;
        Ok(Authorization {
            action: action.name(),
            operation: action.operation.clone(),
            document: action.document.to_string(),
            line,
            finished,
            used,
            arguments: action.arguments.clone(),
            audience: action.audience.clone(),
            question: Question {
                workflow: action.workflow.clone(),
                scope: action.scope.clone(),
                correlation_id: action.correlation_id.clone(),
                facts,
            },
            requester: action.requester.clone(),
            excluded: action.excluded.clone(),
            approvals: action.approvals.clone(),
            digest: action.digest.clone(),
        })
    }

    fn definition_of(&self, action: &Action) -> Result<&ActionDefinition> {
        self.catalog.actions.get(&action.operation).ok_or_else(|| {
            let operation = &action.operation;
            Error::illegal_state(format!("the inventory no longer has {operation}"))
        })
    }

    /// Keeps what the policy made of a complete action.
    async fn conclude(&self, action: &Action, answer: &Authorized) -> Result<Action> {
        let author = Author::own(self.now());
        self.change_action(action, &|case, index| {
            let kept = &mut case.actions[index];
            if kept.state != State::PendingApproval {
                // Somebody else went on from here first.
                return Ok(Change::default());
            }
            if answer.decision.effect == Effect::Deny && !answer.decision.settled {
                return Ok(wait(kept, action.version, &answer.decision, &author));
            }
            kept.decision = answer.decision.clone();
            let (what, verb) = if let Some(receipt) = &answer.receipt {
                kept.receipt = Some(receipt.clone());
                kept.step(Step::Authorize, "", author.now)
                    .map_err(illegal_action)?;
                ("action.authorized", "exceptions.action.authorize")
            } else if answer.decision.effect == Effect::Deny {
                kept.step(Step::Deny, &denial(&answer.decision), author.now)
                    .map_err(illegal_action)?;
                ("action.denied", "exceptions.action.deny")
            } else {
                // The policy demands more than it did: those given stand.
                kept.touch(author.now);
                if kept.missing(author.now).is_empty() {
                    // Only the policy knows whom it no longer counts, such as somebody
                    // who was revoked; waiting would never end.
                    let reason = "an approval that was given is no longer valid";
                    kept.step(Step::Lapse, reason, author.now)
                        .map_err(illegal_action)?;
                    ("action.lapsed", "exceptions.action.lapse")
                } else {
                    ("action.reopened", "exceptions.action.authorize")
                }
            };
            let entry = told(author.on_action(what, verb, kept));
            let mut change = Change {
                actions: vec![kept.id.clone()],
                entries: vec![entry],
                ..Change::default()
            };
            change.exception = settle(case, author.now)?;
            Ok(change)
        })
        .await
    }

    /// Keeps why a complete action has no receipt yet: another one stands for the same
    /// operation. The sweep asks again.
    async fn held_up(&self, action: Action, why: &str) -> Result<Action> {
        if action.reason == why {
            return Ok(action);
        }
        let author = Author::own(self.now());
        self.change_action(&action, &|case, index| {
            let kept = &mut case.actions[index];
            // The sweep and whoever asked may find it held up at once.
            if kept.state != State::PendingApproval || kept.reason == why {
                return Ok(Change::default());
            }
            why.clone_into(&mut kept.reason);
            kept.touch(author.now);
            let entry = author.on_action("action.held-up", "exceptions.action.authorize", kept);
            Ok(Change {
                actions: vec![kept.id.clone()],
                entries: vec![entry],
                ..Change::default()
            })
        })
        .await
    }

    async fn lapse(&self, action: &Action, reason: &str) -> Result<Action> {
        let author = Author::own(self.now());
        self.change_action(action, &|case, index| {
            let kept = &mut case.actions[index];
            let renewed = kept.state == State::Authorized && kept.overdue(author.now).is_none();
            if renewed || kept.step(Step::Lapse, reason, author.now).is_err() {
                return Ok(Change::default());
            }
            let entry = told(author.on_action("action.lapsed", "exceptions.action.lapse", kept));
            let mut change = Change {
                actions: vec![kept.id.clone()],
                entries: vec![entry],
                ..Change::default()
            };
            change.exception = return_exception(case, author.now)?;
            Ok(change)
        })
        .await
    }

    async fn change_action(
        &self,
        action: &Action,
        change: &(dyn Fn(&mut Case, usize) -> Result<Change> + Send + Sync),
    ) -> Result<Action> {
        let position = |case: &Case| case.actions.iter().position(|a| a.id == action.id);
        let decide = |case: &mut Case| match position(case) {
            Some(index) => change(case, index),
            None => Err(Error::not_found(action.name())),
        };
        let case = self.store.change(&action.exception, &decide).await?;
        let kept = case.and_then(|case| {
            let index = position(&case)?;
            case.actions.into_iter().nth(index)
        });
        kept.ok_or_else(|| Error::not_found(action.name()))
    }

    /// Ends what is overdue and goes on with what is complete, until `shutdown`.
    pub async fn sweep_until(self, every: Duration, shutdown: impl Future<Output = ()>) {
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                () = tokio::time::sleep(every) => {}
            }
            if let Err(error) = self.sweep().await {
                tracing::warn!(%error, "sweep of waiting actions failed");
            }
        }
    }

    /// One sweep.
    ///
    /// # Errors
    /// If the database can't be read. What can't be finished is tried again next time.
    pub async fn sweep(&self) -> Result<()> {
        let now = self.now();
        for (exception, id) in self.store.due(now, SWEEP).await? {
            let scopes = Scopes::All;
            let Found::Here(action) = self.store.action(&exception, &id, &scopes).await? else {
                continue;
            };
            let name = action.name();
            let done = match action.overdue(now) {
                Some(reason) => self.lapse(&action, reason).await,
                None => self.authorize_if_complete(action).await,
            };
            match done {
                Ok(_) => {}
                Err(error) if error.kind() == Kind::Unavailable => {
                    tracing::info!(action = name, %error, "authorization waits");
                }
                Err(error) => tracing::warn!(action = name, %error, "authorization failed"),
            }
        }
        Ok(())
    }
}

/// Has an action wait for the facts without which the policy can't decide: an event may
/// still bring them. The decision that was approved stands, with whom it demands.
fn wait(kept: &mut Action, asked_at: i64, decision: &Decision, author: &Author) -> Change {
    if kept.version != asked_at {
        // What came meanwhile may be what was missing: the sweep asks again.
        return Change::default();
    }
    let mut change = Change {
        actions: vec![kept.id.clone()],
        ..Change::default()
    };
    kept.touch(author.now);
    let facts = if decision.unknown_facts.is_empty() {
        &decision.required_facts
    } else {
        &decision.unknown_facts
    };
    if kept.missing_facts != *facts {
        kept.missing_facts.clone_from(facts);
        kept.reason = denial(decision);
        let entry = author.on_action("action.waiting", "exceptions.action.authorize", kept);
        change.entries.push(told(entry));
    }
    change
}

/// Whether the policy's refusal of an action stands however often it is asked.
fn is_final(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::ApprovalLapsed
            | Reason::RequesterUnknown
            | Reason::SodRequester
            | Reason::SodEditor
            | Reason::SodModelOwner
    )
}

/// Brings the exception in line with its actions: waiting for approval where one of them
/// does, back with whoever had it where none does. Says whether it changed.
fn settle(case: &mut Case, now: DateTime<Utc>) -> Result<bool> {
    let waits =
        |action: &Action| action.state == State::PendingApproval && !action.missing(now).is_empty();
    let exception = &mut case.exception;
    if !case.actions.iter().any(waits) {
        return return_exception(case, now);
    }
    if exception.state.is_open() && exception.state != state::State::PendingApproval {
        exception
            .step(state::Step::AwaitApproval, now)
            .map_err(illegal)?;
        return Ok(true);
    }
    Ok(false)
}

/// Returns an exception to whoever had it, once no action waits. Says whether it did.
pub(crate) fn return_exception(case: &mut Case, now: DateTime<Utc>) -> Result<bool> {
    let waits =
        |action: &Action| action.state == State::PendingApproval && !action.missing(now).is_empty();
    let exception = &mut case.exception;
    if exception.state != state::State::PendingApproval || case.actions.iter().any(waits) {
        return Ok(false);
    }
    let step = if exception.owner.is_some() {
        state::Step::ReturnToOwner
    } else {
        state::Step::ReturnToQueue
    };
    exception.step(step, now).map_err(illegal)?;
    Ok(true)
}
