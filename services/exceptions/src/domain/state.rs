//! The states of an exception and the steps between them.

use serde::{Deserialize, Serialize};

/// Where an exception stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Nobody has it.
    Open,
    /// Somebody has it.
    Assigned,
    /// Somebody works on it.
    InProgress,
    /// Waits for somebody outside; the clocks stand.
    Waiting,
    /// An action waits for approval.
    PendingApproval,
    /// Done.
    Resolved,
    /// Done and checked.
    Closed,
    /// Was none.
    Cancelled,
}

/// What is done to an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Somebody takes it.
    Claim,
    /// The owner gives it back to the queue.
    Release,
    /// The owner starts to work.
    Start,
    /// Work waits for somebody outside.
    Wait,
    /// The wait is over.
    Resume,
    /// An action on it needs approval.
    AwaitApproval,
    /// No action waits any more, and there is an owner.
    ReturnToOwner,
    /// No action waits any more, and there is no owner.
    ReturnToQueue,
    /// It is done.
    Resolve,
    /// It was checked after it was done.
    Close,
    /// It turned out to be none.
    Cancel,
    /// It wasn't done after all: rework.
    Reopen,
}

/// A step that the state doesn't allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an exception that is {} can't {}", state.name(), step.name())]
pub struct IllegalStep {
    /// The state it is in.
    pub state: State,
    /// The step that was wanted.
    pub step: Step,
}

impl State {
    /// All states.
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::Assigned,
        Self::InProgress,
        Self::Waiting,
        Self::PendingApproval,
        Self::Resolved,
        Self::Closed,
        Self::Cancelled,
    ];

    /// The state after a step.
    ///
    /// # Errors
    /// If the state doesn't allow the step.
    pub fn after(self, step: Step) -> Result<Self, IllegalStep> {
        use State::{
            Assigned, Cancelled, Closed, InProgress, Open, PendingApproval, Resolved, Waiting,
        };
        Ok(match (self, step) {
            (Open, Step::Claim) => Assigned,
            (Assigned | InProgress | Waiting, Step::Release)
            | (PendingApproval, Step::ReturnToQueue)
            | (Resolved | Closed, Step::Reopen) => Open,
            (Assigned, Step::Start)
            | (Waiting, Step::Resume)
            | (PendingApproval, Step::ReturnToOwner) => InProgress,
            (Assigned | InProgress, Step::Wait) => Waiting,
            (Open | Assigned | InProgress | Waiting, Step::AwaitApproval) => PendingApproval,
            (Open | Assigned | InProgress | Waiting | PendingApproval, Step::Resolve) => Resolved,
            (Open | Assigned | InProgress | Waiting, Step::Cancel) => Cancelled,
            (Resolved, Step::Close) => Closed,
            (state, step) => return Err(IllegalStep { state, step }),
        })
    }

    /// Whether the exception still stands: neither resolved, closed nor cancelled.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Open
            | Self::Assigned
            | Self::InProgress
            | Self::Waiting
            | Self::PendingApproval => true,
            Self::Resolved | Self::Closed | Self::Cancelled => false,
        }
    }

    /// The name the API and the store use, such as `IN_PROGRESS`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Assigned => "ASSIGNED",
            Self::InProgress => "IN_PROGRESS",
            Self::Waiting => "WAITING",
            Self::PendingApproval => "PENDING_APPROVAL",
            Self::Resolved => "RESOLVED",
            Self::Closed => "CLOSED",
            Self::Cancelled => "CANCELLED",
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
    pub const ALL: [Self; 12] = [
        Self::Claim,
        Self::Release,
        Self::Start,
        Self::Wait,
        Self::Resume,
        Self::AwaitApproval,
        Self::ReturnToOwner,
        Self::ReturnToQueue,
        Self::Resolve,
        Self::Close,
        Self::Cancel,
        Self::Reopen,
    ];

    /// What is done, for a message.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Claim => "be claimed",
            Self::Release => "be released",
            Self::Start => "be started",
            Self::Wait => "wait",
            Self::Resume => "be resumed",
            Self::AwaitApproval => "await an approval",
            Self::ReturnToOwner | Self::ReturnToQueue => "come back from approval",
            Self::Resolve => "be resolved",
            Self::Close => "be closed",
            Self::Cancel => "be cancelled",
            Self::Reopen => "be reopened",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use proptest::prelude::*;

    /// Every legal move, written out: what isn't here is refused.
    const LEGAL: &[(&str, Step, &str)] = &[
        ("OPEN", Step::Claim, "ASSIGNED"),
        ("OPEN", Step::AwaitApproval, "PENDING_APPROVAL"),
        ("OPEN", Step::Resolve, "RESOLVED"),
        ("OPEN", Step::Cancel, "CANCELLED"),
        ("ASSIGNED", Step::Release, "OPEN"),
        ("ASSIGNED", Step::Start, "IN_PROGRESS"),
        ("ASSIGNED", Step::Wait, "WAITING"),
        ("ASSIGNED", Step::AwaitApproval, "PENDING_APPROVAL"),
        ("ASSIGNED", Step::Resolve, "RESOLVED"),
        ("ASSIGNED", Step::Cancel, "CANCELLED"),
        ("IN_PROGRESS", Step::Release, "OPEN"),
        ("IN_PROGRESS", Step::Wait, "WAITING"),
        ("IN_PROGRESS", Step::AwaitApproval, "PENDING_APPROVAL"),
        ("IN_PROGRESS", Step::Resolve, "RESOLVED"),
        ("IN_PROGRESS", Step::Cancel, "CANCELLED"),
        ("WAITING", Step::Release, "OPEN"),
        ("WAITING", Step::Resume, "IN_PROGRESS"),
        ("WAITING", Step::AwaitApproval, "PENDING_APPROVAL"),
        ("WAITING", Step::Resolve, "RESOLVED"),
        ("WAITING", Step::Cancel, "CANCELLED"),
        ("PENDING_APPROVAL", Step::ReturnToOwner, "IN_PROGRESS"),
        ("PENDING_APPROVAL", Step::ReturnToQueue, "OPEN"),
        ("PENDING_APPROVAL", Step::Resolve, "RESOLVED"),
        ("RESOLVED", Step::Close, "CLOSED"),
        ("RESOLVED", Step::Reopen, "OPEN"),
        ("CLOSED", Step::Reopen, "OPEN"),
    ];

    #[test]
    fn every_move_that_is_not_listed_is_refused() {
        for state in State::ALL {
            for step in Step::ALL {
                let listed = LEGAL
                    .iter()
                    .find(|(from, by, _)| *from == state.name() && *by == step)
                    .map(|(_, _, to)| State::from_name(to).unwrap());
                assert_eq!(state.after(step).ok(), listed, "{state:?} {step:?}");
            }
        }
    }

    #[test]
    fn a_refusal_names_state_and_step() {
        let refusal = State::Closed.after(Step::Claim).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "an exception that is CLOSED can't be claimed"
        );
    }

    proptest! {
        #[test]
        fn only_reopening_brings_back_what_ended(steps in prop::collection::vec(0..Step::ALL.len(), 0..40)) {
            let mut state = State::Open;
            for step in steps.into_iter().map(|index| Step::ALL[index]) {
                if let Ok(next) = state.after(step) {
                    prop_assert!(state.is_open() || !next.is_open() || step == Step::Reopen);
                    prop_assert!(state != State::Cancelled);
                    state = next;
                }
            }
        }
    }
}
