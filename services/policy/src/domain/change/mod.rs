//! Changes: proposed new states of what is governed, on their way to being in force.
//!
//! [`Change`] is what is known of one, [`machine`](self::machine) the steps it may take and
//! by whom. Nothing here reads a clock or a store.

mod demand;
mod item;
mod machine;
mod rollback;
#[cfg(test)]
mod tests;

use approval::{Approval, Requirement, Subject};
use chrono::{DateTime, Utc};
use governance::{Effect, Scope};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use demand::{Demand, demand};
pub use item::{Action, Documents, Item, Key, Overlaid, overlay, scopes_of};
pub use machine::{Activated, Refused};
pub use rollback::RollbackStep;

/// Most bytes of a title.
pub const MAX_TITLE: usize = 200;
/// Most bytes of a reason or a comment.
pub const MAX_WORDS: usize = 2_000;
/// Most documents of a change.
pub const MAX_ITEMS: usize = 1_000;
/// Most bytes of all documents of a change.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// A proposed new state of something governed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// UUID version 7.
    pub id: Uuid,
    /// What it is, in a line.
    pub title: String,
    /// Why.
    pub reason: String,
    /// How far it is.
    pub state: State,
    /// What it puts or takes away, by kind and name.
    pub items: Vec<Item>,
    /// When it is to come into force; `None`: when somebody activates it.
    pub activate: Option<DateTime<Utc>>,
    /// Who wrote it, the proposer first.
    pub editors: Vec<Subject>,
    /// Scopes that its documents stand at.
    pub scopes: Vec<Scope>,
    /// What its check found.
    pub review: Option<Review>,
    /// What its tests came to.
    pub tests: Option<Tests>,
    /// What stored decisions would have become.
    pub backtest: Option<Backtest>,
    /// Who must approve.
    pub demand: Option<Demand>,
    /// The approvals given.
    pub approvals: Vec<Given>,
    /// Who scheduled it.
    pub scheduled_by: Option<Subject>,
    /// What happened to it, in order.
    pub history: Vec<Step>,
    /// Revision it came into force with.
    pub revision: Option<u64>,
    /// Its rollback, where it was asked for.
    pub rollback: Option<Rollback>,
    /// When it was proposed.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
    /// Counts its states, from 1.
    pub version: u64,
}

/// How far a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Being written.
    Draft,
    /// It compiles, and what it does is known.
    Checked,
    /// Its tests pass.
    Tested,
    /// Stored decisions were decided again; it waits for approvals.
    Backtested,
    /// All approvals are there.
    Approved,
    /// It comes into force at its time.
    Scheduled,
    /// It is in force.
    Active,
    /// A later change replaced something of it.
    Superseded,
    /// An approver refused it.
    Rejected,
    /// An editor gave it up.
    Withdrawn,
    /// It was taken back.
    RolledBack,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// Revision compared with.
    pub base: u64,
    /// Over exactly what is reviewed; empty where there are problems.
    pub digest: String,
    /// What keeps it from going on.
    pub problems: Vec<Problem>,
    /// What an editor should look at.
    pub warnings: Vec<Problem>,
    /// Whether anything becomes looser, or may.
    pub loosens: bool,
    /// Where answers differ.
    pub differences: Vec<ScopeDifference>,
    /// What differs beside tables.
    pub definitions: Vec<String>,
    /// Workflows whose answers or tests it touches.
    pub workflows: Vec<String>,
}

/// Something wrong in a document, or worth a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Path of the file.
    pub path: String,
    /// Line, from 1; 0: the document.
    pub line: usize,
    /// Column, from 1; 0: the line.
    pub column: usize,
    /// What was found and what was wanted.
    pub message: String,
}

/// What differs for a workflow at some scopes, all alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeDifference {
    /// Workflow.
    pub workflow: String,
    /// The scopes.
    pub scopes: Vec<Scope>,
    /// Regions of facts; the first of them.
    pub regions: Vec<RegionDifference>,
    /// Regions that there are.
    pub count: usize,
    /// What couldn't be settled.
    pub undecided: Vec<String>,
}

/// A region in which the answer differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionDifference {
    /// `TIGHTER`, `LOOSER`, `MIXED` or `OTHER`.
    pub change: String,
    /// Where.
    pub region: String,
    /// Facts that show it, as JSON.
    pub witness: String,
    /// What holds there before.
    pub before: String,
    /// What would hold.
    pub after: String,
}

/// What tests came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tests {
    /// How many ran.
    pub run: usize,
    /// Those that failed.
    pub failures: Vec<Problem>,
    /// Rows of the affected policies.
    pub rows: usize,
    /// Rows that no test hits.
    pub uncovered: Vec<String>,
}

/// What stored decisions would have become.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Backtest {
    /// Decisions from here on.
    pub from: DateTime<Utc>,
    /// Decided again.
    pub decisions: u64,
    /// That can't be.
    pub not_replayable: u64,
    /// How many became what.
    pub cells: Vec<Cell>,
    /// Some whose answer differs.
    pub samples: Vec<Sample>,
    /// Answers that differ and are looser.
    pub looser: u64,
    /// Answers that differ and aren't.
    pub tighter: u64,
    /// Whether there were more than were asked for.
    pub truncated: bool,
    /// Whether it covers the usual period as a whole.
    #[serde(default)]
    pub complete: bool,
}

/// How many decisions of one effect become one of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// As in force.
    pub before: Effect,
    /// As it would be.
    pub after: Effect,
    /// How many.
    pub decisions: u64,
    /// Of these, with another answer.
    pub changed: u64,
}

/// A decision whose answer would differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Its id.
    pub decision: Uuid,
    /// Its business transaction.
    pub correlation_id: String,
    /// Its scope.
    pub scope: Scope,
    /// What was recorded then.
    pub recorded: String,
    /// As in force now.
    pub before: String,
    /// As it would be.
    pub after: String,
}

/// An approval, with the token it came with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Who, when, for what.
    pub approval: Approval,
    /// `jti`.
    pub token_id: String,
    /// What was said.
    pub comment: String,
}

/// Something that happened to a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// State after it.
    pub state: State,
    /// Who; `None`: the service by itself.
    pub by: Option<Subject>,
    /// When.
    pub time: DateTime<Utc>,
    /// What was said or found.
    pub comment: String,
}

/// A rollback that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    /// Who asked.
    pub requester: Subject,
    /// When.
    pub requested: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// Whether it loosens.
    pub loosens: bool,
    /// Over what it would do.
    pub digest: String,
    /// Revision that it made.
    pub revision: Option<u64>,
    /// Until when a change must follow.
    pub follow_up: Option<DateTime<Utc>>,
}

impl State {
    /// The name in records, such as `ROLLED_BACK`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Checked => "CHECKED",
            Self::Tested => "TESTED",
            Self::Backtested => "BACKTESTED",
            Self::Approved => "APPROVED",
            Self::Scheduled => "SCHEDULED",
            Self::Active => "ACTIVE",
            Self::Superseded => "SUPERSEDED",
            Self::Rejected => "REJECTED",
            Self::Withdrawn => "WITHDRAWN",
            Self::RolledBack => "ROLLED_BACK",
        }
    }

    /// Whether it may still come into force.
    #[must_use]
    pub fn is_open(self) -> bool {
        self <= Self::Scheduled
    }
}

impl Change {
    /// `changes/{change}`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("changes/{}", self.id)
    }

    /// Names this state of it.
    #[must_use]
    pub fn etag(&self) -> String {
        self.version.to_string()
    }

    /// Digest of what is reviewed; empty in DRAFT.
    #[must_use]
    pub fn digest(&self) -> &str {
        match &self.review {
            Some(review) if self.state > State::Draft => &review.digest,
            _ => "",
        }
    }

    /// Who must approve.
    #[must_use]
    pub fn required(&self) -> &[Requirement] {
        self.demand
            .as_ref()
            .map_or(&[], |demand| demand.approvals.as_slice())
    }
}
