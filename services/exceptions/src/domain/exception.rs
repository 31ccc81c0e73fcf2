//! An exception: a business transaction that can't go on by itself.

use chrono::{DateTime, Utc};
use governance::Scope;
use serde::{Deserialize, Serialize};

use super::{
    document::Key,
    state::{IllegalStep, State, Step},
};

/// How bad it is, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Severity {
    /// Can wait.
    Low,
    /// Ordinary work.
    Medium,
    /// Before ordinary work.
    High,
    /// At once.
    Critical,
}

impl Severity {
    /// All severities, in rising order.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name the API, the files and the store use, such as `HIGH`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }

    /// The severity of a [`Self::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.name() == name)
    }
}

/// An event that speaks for an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// CloudEvents source.
    pub source: String,
    /// CloudEvents id.
    pub event: String,
    /// CloudEvents type.
    pub kind: String,
    /// When it happened.
    pub occurred: DateTime<Utc>,
    /// Who brought it.
    pub asserted_by: String,
}

/// A business transaction that can't go on by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// UUID version 7.
    pub id: String,
    /// Type in the taxonomy.
    pub kind: String,
    /// The document's scope.
    pub scope: Scope,
    /// How bad it is.
    pub severity: Severity,
    /// Whether the document can't go on.
    pub blocking: bool,
    /// The document.
    pub document: Key,
    /// Line of the document; empty for the header.
    pub line: String,
    /// What the hold came from, such as `customer/C-17`; may be empty.
    pub hold_source: String,
    /// Until when it holds by itself.
    pub hold_until: Option<DateTime<Utc>>,
    /// Subject that works on it.
    pub owner: Option<String>,
    /// Queue.
    pub queue: String,
    /// Where it stands.
    pub state: State,
    /// Why it came about; may be empty.
    pub root_cause_code: String,
    /// How it ended; may be empty.
    pub resolution_code: String,
    /// When somebody must have taken it.
    pub response_by: Option<DateTime<Utc>>,
    /// When it must be resolved.
    pub resolution_by: Option<DateTime<Utc>>,
    /// When somebody first took it or asked for an action on it.
    pub responded: Option<DateTime<Utc>>,
    /// First action the routing proposes; may be empty.
    pub first_action: String,
    /// How many events speak for it.
    pub evidence_count: i64,
    /// The business transaction.
    pub correlation_id: String,
    /// When it was raised.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
    /// When it was resolved.
    pub resolved: Option<DateTime<Utc>>,
    /// How often it was reopened.
    pub reopen_count: i32,
    /// Rises with each change.
    pub version: i64,
}

impl Exception {
    /// `exceptions/{exception}`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("exceptions/{}", self.id)
    }

    /// Changes with each change.
    #[must_use]
    pub fn etag(&self) -> String {
        self.version.to_string()
    }

    /// Whether it passed a deadline unmet by `now`.
    #[must_use]
    pub fn breached(&self, now: DateTime<Utc>) -> bool {
        let late = |due: Option<DateTime<Utc>>, met: Option<DateTime<Utc>>| {
            due.is_some_and(|due| met.unwrap_or(now) > due)
        };
        // What was resolved has been responded to, whoever did it.
        late(self.response_by, self.responded.or(self.resolved))
            || late(self.resolution_by, self.resolved)
    }

    /// Takes a step.
    ///
    /// # Errors
    /// If the state doesn't allow it; nothing is changed then.
    pub fn step(&mut self, step: Step, now: DateTime<Utc>) -> Result<(), IllegalStep> {
        self.state = self.state.after(step)?;
        match step {
            Step::Resolve => self.resolved = Some(now),
            Step::Reopen => {
                self.resolved = None;
                self.owner = None;
                self.resolution_code.clear();
                self.reopen_count += 1;
            }
            Step::Release => self.owner = None,
            Step::Claim | Step::Start | Step::AwaitApproval => self.respond(now),
            Step::Wait
            | Step::Resume
            | Step::ReturnToOwner
            | Step::ReturnToQueue
            | Step::Close
            | Step::Cancel => {}
        }
        self.touch(now);
        Ok(())
    }

    /// Notes that somebody has taken care of it.
    pub fn respond(&mut self, now: DateTime<Utc>) {
        self.responded.get_or_insert(now);
    }

    /// Notes a change.
    pub fn touch(&mut self, now: DateTime<Utc>) {
        self.updated = self.updated.max(now);
        self.version += 1;
    }
}
