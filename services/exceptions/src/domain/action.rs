//! An action asked for on an exception: its states, and the approvals it waits for.

use approval::{Approval, Case, Exclusion, Requirement, Somebody};
use chrono::{DateTime, Utc};
use governance::Scope;
use serde::{Deserialize, Serialize};

use super::document::{Fact, Key};

/// Where an action stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Waits for approvals, or for the receipt once they are complete.
    PendingApproval,
    /// Allowed; the receipt is there.
    Authorized,
    /// The executing system reported it done.
    Executed,
    /// The policy denies it.
    Denied,
    /// An approver rejected it.
    Rejected,
    /// The time for approvals passed, what they were bound to changed, or the receipt
    /// expired without a report that it was used.
    Lapsed,
}

/// What ends an action, or brings it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// The policy signed it.
    Authorize,
    /// The policy denies it.
    Deny,
    /// An approver rejects it.
    Reject,
    /// It isn't wanted any more, or its time passed.
    Lapse,
    /// The executing system reports it done.
    Execute,
}

/// A step that the action's state doesn't allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an action that is {} can't {}", state.name(), step.name())]
pub struct IllegalStep {
    /// The state it is in.
    pub state: State,
    /// The step that was wanted.
    pub step: Step,
}

impl State {
    /// All states.
    pub const ALL: [Self; 6] = [
        Self::PendingApproval,
        Self::Authorized,
        Self::Executed,
        Self::Denied,
        Self::Rejected,
        Self::Lapsed,
    ];

    /// The state after a step.
    ///
    /// # Errors
    /// If the state doesn't allow the step.
    pub fn after(self, step: Step) -> Result<Self, IllegalStep> {
        Ok(match (self, step) {
            (Self::PendingApproval, Step::Authorize) => Self::Authorized,
            (Self::PendingApproval, Step::Deny) => Self::Denied,
            (Self::PendingApproval, Step::Reject) => Self::Rejected,
            (Self::PendingApproval, Step::Lapse) => Self::Lapsed,
            (Self::Authorized, Step::Lapse) => Self::Lapsed,
            // The report of a receipt that was used in time may come late.
            (Self::Authorized | Self::Lapsed, Step::Execute) => Self::Executed,
            (state, step) => return Err(IllegalStep { state, step }),
        })
    }

    /// The name the API and the store use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PendingApproval => "PENDING_APPROVAL",
            Self::Authorized => "AUTHORIZED",
            Self::Executed => "EXECUTED",
            Self::Denied => "DENIED",
            Self::Rejected => "REJECTED",
            Self::Lapsed => "LAPSED",
        }
    }

    /// The state of a [`Self::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl Step {
    /// All steps.
    pub const ALL: [Self; 5] = [
        Self::Authorize,
        Self::Deny,
        Self::Reject,
        Self::Lapse,
        Self::Execute,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Authorize => "be authorized",
            Self::Deny => "be denied",
            Self::Reject => "be rejected",
            Self::Lapse => "lapse",
            Self::Execute => "be executed",
        }
    }
}

/// The possible answers of the policy, in rising strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Effect {
    /// The step may happen.
    Allow,
    /// The step may happen once the approvals are given.
    RequireApproval,
    /// The step may not happen.
    Deny,
}

/// What one layer of the policy contributed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Policy name.
    pub policy: String,
    /// Version of the policy.
    pub version: i64,
    /// `sha256:` and hex.
    pub digest: String,
    /// Whether it is a guardrail; else a default.
    pub guardrail: bool,
    /// Scope of the policy.
    pub scope: String,
    /// Rows that produced the contribution.
    pub rows: Vec<String>,
    /// The layer's own effect; none where a guardrail had no hit.
    pub effect: Option<Effect>,
}

/// The policy's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// UUID.
    pub id: String,
    /// Workflow that was asked about.
    pub workflow: String,
    /// Scope of the transaction.
    pub scope: String,
    /// The business transaction.
    pub correlation_id: String,
    /// The answer.
    pub effect: Effect,
    /// Whether unknown facts could still change it.
    pub settled: bool,
    /// Reasons.
    pub reasons: Vec<String>,
    /// Who must approve.
    pub approvals: Vec<Requirement>,
    /// What the caller must also do.
    pub obligations: Vec<String>,
    /// Facts that the rows demand.
    pub required_facts: Vec<String>,
    /// Unknown facts that matter.
    pub unknown_facts: Vec<String>,
    /// Contributions, default first.
    pub layers: Vec<Layer>,
    /// Waivers that were used.
    pub waivers: Vec<String>,
    /// Revision of the policies.
    pub revision: i64,
    /// Whether it is recorded in full.
    pub recorded_in_full: bool,
    /// When it was decided.
    pub decided: Option<DateTime<Utc>>,
    /// Facts that approvals are bound to.
    pub binding_facts: Vec<String>,
}

/// A signed decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Its id.
    pub id: String,
    /// Compact JWS.
    pub jws: String,
    /// When it stops being valid.
    pub expires: Option<DateTime<Utc>>,
    /// Executing system it is meant for.
    pub audience: String,
    /// Ids of the receipts that this one renewed: the executing system may have acted on
    /// any of them.
    #[serde(default)]
    pub renewed: Vec<String>,
}

impl Receipt {
    /// Whether it can't be used any more at `now`.
    #[must_use]
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires.is_none_or(|expires| now >= expires)
    }

    /// Whether this receipt, or one that it renewed, has the id.
    #[must_use]
    pub fn is_called(&self, id: &str) -> bool {
        self.id == id || self.renewed.iter().any(|earlier| earlier == id)
    }

    /// This receipt in the place of another.
    #[must_use]
    pub fn renewing(self, earlier: Option<&Self>) -> Self {
        let renewed = earlier.map_or_else(Vec::new, |earlier| {
            let mut ids = earlier.renewed.clone();
            ids.push(earlier.id.clone());
            ids
        });
        Self { renewed, ..self }
    }
}

/// Who acts, with the roles held then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Who, what, and the roles.
    pub approver: approval::Approver,
    /// The service that called on the person's behalf, or empty.
    pub via: String,
}

/// An approval that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Who gave it.
    pub party: Party,
    /// When.
    pub time: DateTime<Utc>,
    /// From when on it no longer counts.
    pub expires: DateTime<Utc>,
    /// `jti` of the token it came with, or empty.
    pub token_id: String,
    /// What it is bound to.
    pub digest: String,
    /// In the approver's words.
    pub comment: String,
}

/// An action asked for on an exception.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// UUID version 7.
    pub id: String,
    /// The exception's id.
    pub exception: String,
    /// The document acted on.
    pub document: Key,
    /// What is asked for, from the inventory.
    pub operation: String,
    /// Workflow that governs it.
    pub workflow: String,
    /// System that executes it.
    pub audience: String,
    /// The document's scope.
    pub scope: Scope,
    /// The business transaction.
    pub correlation_id: String,
    /// Arguments, with the requester's provenance.
    pub arguments: Vec<Fact>,
    /// Who asked.
    pub requester: Party,
    /// Others who count as the requester.
    pub excluded: Vec<Somebody>,
    /// Where it stands.
    pub state: State,
    /// The policy's newest answer.
    pub decision: Decision,
    /// What the approvals are bound to.
    pub digest: String,
    /// Approvals given, oldest first.
    pub approvals: Vec<Given>,
    /// Facts without which the policy couldn't decide when it was last asked to sign.
    pub missing_facts: Vec<String>,
    /// The receipt, once authorized.
    pub receipt: Option<Receipt>,
    /// When the wait for approvals ends, and that for the execution.
    pub expires: Option<DateTime<Utc>>,
    /// `recommendations/{recommendation}` it came from, or empty.
    pub recommendation: String,
    /// In the requester's words.
    pub comment: String,
    /// Why it was denied, rejected or lapsed.
    pub reason: String,
    /// UUID of the request, or empty.
    pub request_id: String,
    /// Digest of the request's content, for retries.
    pub request_digest: String,
    /// When it was asked for.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
    /// Rises with each change.
    pub version: i64,
}

impl Action {
    /// `exceptions/{exception}/actions/{action}`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("exceptions/{}/actions/{}", self.exception, self.id)
    }

    /// Changes with each change.
    #[must_use]
    pub fn etag(&self) -> String {
        self.version.to_string()
    }

    /// Takes a step, with the reason where it ends the action without effect.
    ///
    /// # Errors
    /// If the state doesn't allow it, or what lapsed without a receipt were to be executed;
    /// nothing is changed then.
    pub fn step(
        &mut self,
        step: Step,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<(), IllegalStep> {
        let state = self.state;
        if (state, step) == (State::Lapsed, Step::Execute) && self.receipt.is_none() {
            return Err(IllegalStep { state, step });
        }
        self.state = state.after(step)?;
        reason.clone_into(&mut self.reason);
        self.missing_facts.clear();
        self.touch(now);
        Ok(())
    }

    /// Notes a change.
    pub fn touch(&mut self, now: DateTime<Utc>) {
        self.updated = self.updated.max(now);
        self.version += 1;
    }

    /// The case that the approvals decide.
    #[must_use]
    pub fn case(&self) -> Case {
        let requester = &self.requester.approver.who;
        let mut excluded = vec![Exclusion {
            who: Somebody::of(&requester.issuer, &requester.subject),
            part: approval::Part::Requester,
        }];
        excluded.extend(self.excluded.iter().map(|who| Exclusion {
            who: who.clone(),
            part: approval::Part::ModelOwner,
        }));
        Case {
            requirements: self.decision.approvals.clone(),
            excluded,
            digest: self.digest.clone(),
            ordered: false,
        }
    }

    /// The approvals in the form that decides.
    #[must_use]
    pub fn given(&self) -> Vec<Approval> {
        self.approvals
            .iter()
            .map(|given| Approval {
                approver: given.party.approver.clone(),
                given: given.time,
                expires: given.expires,
                digest: given.digest.clone(),
                revoked: false,
            })
            .collect()
    }

    /// What is still missing at `now`; nothing once it has left the wait.
    #[must_use]
    pub fn missing(&self, now: DateTime<Utc>) -> Vec<Requirement> {
        match self.state {
            State::PendingApproval => self.case().status(&self.given(), now).missing,
            State::Authorized
            | State::Executed
            | State::Denied
            | State::Rejected
            | State::Lapsed => Vec::new(),
        }
    }

    /// Why the action is over by `now`: the time for approvals passed, or its receipt
    /// can neither be used nor renewed any more.
    #[must_use]
    pub fn overdue(&self, now: DateTime<Utc>) -> Option<&'static str> {
        if self.expires.is_none_or(|expires| now < expires) {
            return None;
        }
        match self.state {
            State::PendingApproval => Some("the time for approvals has passed"),
            State::Authorized => {
                let usable = self.receipt.as_ref().is_some_and(|r| !r.is_expired(now));
                (!usable).then_some("the receipt expired before anybody reported its use")
            }
            State::Executed | State::Denied | State::Rejected | State::Lapsed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_that_is_not_listed_is_refused() {
        let legal = [
            (State::PendingApproval, Step::Authorize, State::Authorized),
            (State::PendingApproval, Step::Deny, State::Denied),
            (State::PendingApproval, Step::Reject, State::Rejected),
            (State::PendingApproval, Step::Lapse, State::Lapsed),
            (State::Authorized, Step::Execute, State::Executed),
            (State::Authorized, Step::Lapse, State::Lapsed),
            (State::Lapsed, Step::Execute, State::Executed),
        ];
        for state in State::ALL {
            assert_eq!(State::from_name(state.name()), Some(state));
            for step in Step::ALL {
                let listed = legal
                    .iter()
                    .find(|(from, by, _)| *from == state && *by == step)
                    .map(|(_, _, to)| *to);
                assert_eq!(state.after(step).ok(), listed, "{state:?} {step:?}");
            }
        }
    }
}
