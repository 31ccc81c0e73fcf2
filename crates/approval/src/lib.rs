//! Who may approve, what is still missing, and when a quorum is reached.
//!
//! A [`Case`] says what is required of whom: for each role at a scope a number of
//! different people ([`Requirement`]), who is kept out for segregation of duties
//! ([`Exclusion`]), and the digest that approvals are bound to. [`Case::status`] judges
//! the approvals given so far, [`Case::may_approve`] a person who wants to give one.
//!
//! A person counts once over all roles, so whether a quorum is reached is a question of
//! bipartite matching between people and required places, not of counting each role:
//! with one credit manager and one compliance officer required, somebody who holds both
//! roles fills either place, whichever lets the others fill the rest.
//!
//! Nothing here reads a clock or does I/O: the caller gives the time.

mod case;
mod matching;
mod somebody;

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use governance::Scope;
use serde::{Deserialize, Serialize};

pub use case::{Case, Status, VoidReason};
pub use somebody::Somebody;

/// A number of different people of a role at a scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Requirement {
    /// Role, such as `credit-manager`.
    pub role: String,
    /// The scope an approver's grant must cover: the transaction's own or one above it.
    pub at: Scope,
    /// How many different people.
    pub count: u32,
}

/// Who somebody is: a subject of an issuer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// `iss` of the token.
    pub issuer: String,
    /// `sub` of the token.
    pub subject: String,
}

/// What somebody is. Only a person approves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// A human being.
    Person,
    /// A program that acts by fixed rules.
    Service,
    /// An AI model or agent.
    Model,
}

/// A role at a scope; it holds for all below the scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Grant {
    /// Role name.
    pub role: String,
    /// Where it is held.
    pub at: Scope,
}

/// Somebody who gave an approval or wants to, with the roles of the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approver {
    /// Who.
    pub who: Subject,
    /// What.
    pub kind: Kind,
    /// The roles held.
    pub grants: Vec<Grant>,
}

/// An approval as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who gave it, with the roles held then.
    pub approver: Approver,
    /// When.
    pub given: DateTime<Utc>,
    /// From when on it no longer counts.
    pub expires: DateTime<Utc>,
    /// The digest it was given for.
    pub digest: String,
    /// Whether the subject or its token has been revoked since.
    pub revoked: bool,
}

/// Somebody who may not approve, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// Who; without an issuer, the subject of every issuer.
    pub who: Somebody,
    /// Why.
    pub part: Part,
}

/// The part somebody has in what is to be approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Part {
    /// Asked for it.
    Requester,
    /// Wrote it.
    Editor,
    /// Owns the model whose recommendation it is, or is that model.
    ModelOwner,
    /// Handed the requester's or an approver's duty to somebody else.
    Delegator,
    /// Was handed such a duty.
    Delegate,
    /// Has the benefit of it.
    Beneficiary,
}

/// Why somebody may not approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Only a person approves.
    #[error("an approval needs a person who can be named")]
    NotAPerson,
    /// Requested it, or counts as the requester.
    #[error("who requested this can't approve it")]
    Requester,
    /// Edited it.
    #[error("who edited this can't approve it")]
    Editor,
    /// Owns the model that proposed it.
    #[error("who owns the model that recommended this can't approve it")]
    ModelOwner,
    /// Has the benefit of it.
    #[error("who has the benefit of this can't approve it")]
    Beneficiary,
    /// Has approved it already.
    #[error("an approval of this person is already there; one person counts once")]
    AlreadyApproved,
    /// Holds none of the required roles where they are required.
    #[error("none of the caller's roles is one that must approve this")]
    NotAnApprover,
    /// Holds a required role, but enough people of it have approved.
    #[error("the approvals that the caller could give are already complete")]
    NotNeeded,
    /// Approvals go in order, and it isn't this role's turn.
    #[error("approvals go in order, and another role's comes first")]
    NotYet,
}

impl Refusal {
    /// The documented reason, as `bylaw.type.v1.ErrorReason` names it without prefix.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotAPerson => "REQUESTER_UNKNOWN",
            Self::Requester => "SOD_REQUESTER",
            Self::Editor => "SOD_EDITOR",
            Self::ModelOwner => "SOD_MODEL_OWNER",
            Self::Beneficiary => "SOD_BENEFICIARY",
            Self::AlreadyApproved => "SOD_ALREADY_APPROVED",
            Self::NotAnApprover | Self::NotNeeded => "NOT_AN_APPROVER",
            Self::NotYet => "ILLEGAL_STATE",
        }
    }

    /// Whether this is segregation of duties at work, which is recorded.
    #[must_use]
    pub fn is_segregation(self) -> bool {
        match self {
            Self::NotAPerson
            | Self::Requester
            | Self::Editor
            | Self::ModelOwner
            | Self::Beneficiary
            | Self::AlreadyApproved => true,
            Self::NotAnApprover | Self::NotNeeded | Self::NotYet => false,
        }
    }
}

impl Approver {
    /// Whether a grant covers the requirement: the role, at its scope or above.
    #[must_use]
    pub fn fills(&self, requirement: &Requirement) -> bool {
        self.grants
            .iter()
            .any(|grant| grant.role == requirement.role && grant.at.contains(&requirement.at))
    }
}

impl Exclusion {
    fn keeps_out(&self, who: &Subject) -> bool {
        self.who.may_be(&who.issuer, &who.subject)
    }

    fn refusal(&self) -> Refusal {
        match self.part {
            // Who hands a duty on, or takes it, counts as the requester.
            Part::Requester | Part::Delegator | Part::Delegate => Refusal::Requester,
            Part::Editor => Refusal::Editor,
            Part::ModelOwner => Refusal::ModelOwner,
            Part::Beneficiary => Refusal::Beneficiary,
        }
    }
}
