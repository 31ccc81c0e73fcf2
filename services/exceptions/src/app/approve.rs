//! Approving and rejecting actions.

use approval::{Refusal, Requirement};
use service_kit::{
    error::{Error, Kind, Reason, Result},
    identity::Caller,
};

use super::{
    App, action_ids,
    authorize::return_exception,
    check_etag, illegal_action, party, permission,
    ports::{Case, Change},
    records::{Author, told},
    words,
};
use crate::domain::action::{Action, Given, Party, State, Step};

/// An approval or a rejection.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Etag that was read; empty: any.
    pub etag: String,
    /// Digest that was read; empty: the current one.
    pub digest: String,
    /// In the approver's words.
    pub words: String,
}

impl App {
    /// Approves an action. With the quorum reached, the policy is asked again and signs.
    ///
    /// # Errors
    /// For whoever may not approve, an action that doesn't wait, one whose approvals
    /// lapse, and a policy service that can't be reached; the approval is kept then.
    pub async fn approve(&self, caller: &Caller, name: &str, verdict: &Verdict) -> Result<Action> {
        words("comment", &verdict.words)?;
        let action = self.to_judge(caller, name).await?;
        let approver = party(caller);
        let token_id = caller.actor().token_id.clone().unwrap_or_default();
        // What the approval is bound to may have changed since the request.
        let current = self.current_digest(&action).await?;
        let author = Author::of(caller, self.now());
        let decide = |case: &mut Case| {
            let Some(action) = case.actions.iter_mut().find(|other| other.id == action.id) else {
                return Err(Error::not_found(name));
            };
            check_waiting(name, action, &verdict.etag)?;
            if !verdict.digest.is_empty() && verdict.digest != action.digest {
                return Err(Error::invalid("digest", "is not the action's current one"));
            }
            let lapse = if let Some(reason) = action.overdue(author.now) {
                Some(reason)
            } else if current != action.digest {
                Some("what approvals are bound to has changed")
            } else {
                None
            };
            if let Some(reason) = lapse {
                let id = action.id.clone();
                return lapse_one(case, &id, reason, &author);
            }
            may_approve(action, &approver, author.now)?;
            give(action, &approver, &token_id, verdict, &author);
            let entry = author.on_action("action.approved", "exceptions.action.approve", action);
            Ok(Change {
                actions: vec![action.id.clone()],
                entries: vec![entry],
                ..Change::default()
            })
        };
        let action = self.judged(&action, name, &decide).await?;
        self.authorize_if_complete(action).await
    }

    /// Rejects an action, which ends it.
    ///
    /// # Errors
    /// For whoever couldn't approve it either, and an action that doesn't wait.
    pub async fn reject(&self, caller: &Caller, name: &str, verdict: &Verdict) -> Result<Action> {
        words("reason", &verdict.words)?;
        if verdict.words.trim().is_empty() {
            return Err(Error::invalid("reason", "is required"));
        }
        let action = self.to_judge(caller, name).await?;
        let approver = party(caller);
        let author = Author::of(caller, self.now());
        let decide = |case: &mut Case| {
            let Some(action) = case.actions.iter_mut().find(|other| other.id == action.id) else {
                return Err(Error::not_found(name));
            };
            check_waiting(name, action, &verdict.etag)?;
            may_reject(action, &approver)?;
            action
                .step(Step::Reject, &verdict.words, author.now)
                .map_err(illegal_action)?;
            let entry = author.on_action("action.rejected", "exceptions.action.reject", action);
            let mut change = Change {
                actions: vec![action.id.clone()],
                entries: vec![told(entry)],
                ..Change::default()
            };
            change.exception = return_exception(case, author.now)?;
            Ok(change)
        };
        self.judged(&action, name, &decide).await
    }

    /// The action that somebody wants to judge: a named person, in scope.
    async fn to_judge(&self, caller: &Caller, name: &str) -> Result<Action> {
        let (exception, id) = action_ids("name", name)?;
        let scopes = caller.scopes(permission::APPROVE);
        let action = self
            .store
            .action(exception, id, &scopes)
            .await?
            .for_caller(caller, name)?;
        caller.require_person()?;
        caller.require_no_conflict()?;
        Ok(action)
    }

    async fn judged(
        &self,
        action: &Action,
        name: &str,
        decide: super::ports::Decide<'_>,
    ) -> Result<Action> {
        let case = self.store.change(&action.exception, decide).await?;
        let kept = case.and_then(|case| case.actions.into_iter().find(|a| a.id == action.id));
        kept.ok_or_else(|| Error::not_found(name))
    }
}

fn check_waiting(name: &str, action: &Action, etag: &str) -> Result<()> {
    check_etag(name, etag, &action.etag())?;
    if action.state == State::PendingApproval {
        return Ok(());
    }
    let state = action.state.name();
    Err(Error::illegal_state(format!("the action is {state}")).with_metadata("state", state))
}

/// Ends one action because its approvals lapsed, and says so to whoever came with one.
fn lapse_one(case: &mut Case, id: &str, reason: &str, author: &Author) -> Result<Change> {
    let mut change = Change::default();
    if let Some(action) = case.actions.iter_mut().find(|action| action.id == id) {
        action
            .step(Step::Lapse, reason, author.now)
            .map_err(illegal_action)?;
        change.actions.push(action.id.clone());
        let entry = author.on_action("action.lapsed", "exceptions.action.lapse", action);
        change.entries.push(told(entry));
    }
    change.exception = return_exception(case, author.now)?;
    change.refusal = Some(Error::new(
        Kind::FailedPrecondition,
        Reason::ApprovalLapsed,
        reason,
    ));
    Ok(change)
}

fn may_approve(
    action: &Action,
    approver: &Party,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<()> {
    action
        .case()
        .may_approve(&approver.approver, &action.given(), now)
        .map_err(|refusal| refused(refusal, &action.decision.approvals))
}

fn may_reject(action: &Action, approver: &Party) -> Result<()> {
    let requirements = &action.decision.approvals;
    action
        .case()
        .admit(&approver.approver)
        .map_err(|refusal| refused(refusal, requirements))?;
    if requirements
        .iter()
        .any(|needed| approver.approver.fills(needed))
    {
        return Ok(());
    }
    Err(refused(Refusal::NotAnApprover, requirements))
}

fn refused(refusal: Refusal, requirements: &[Requirement]) -> Error {
    let reason = Reason::from_code(refusal.code()).unwrap_or(Reason::NotAnApprover);
    let error = if refusal == Refusal::NotYet {
        Error::illegal_state(refusal.to_string())
    } else {
        Error::sod(reason, refusal.to_string())
    };
    let needed = requirements
        .iter()
        .map(|r| format!("{} {} at {}", r.count, r.role, r.at))
        .collect::<Vec<_>>();
    error.with_metadata("approvals", needed.join(", "))
}

fn give(action: &mut Action, approver: &Party, token_id: &str, verdict: &Verdict, author: &Author) {
    let expires = action.expires.unwrap_or(author.now);
    action.approvals.push(Given {
        party: approver.clone(),
        time: author.now,
        expires,
        token_id: token_id.to_owned(),
        digest: action.digest.clone(),
        comment: verdict.words.clone(),
    });
    action.touch(author.now);
}
