//! Taking a change back: at once, or by two people where that loosens.

use approval::{Approver, Subject};
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Change, Rollback, State,
    machine::{Refused, Result},
};

/// How long the second person of a loosening rollback has.
const SECOND_PERSON: TimeDelta = TimeDelta::hours(1);
/// Within what time a change must follow a rollback that loosens.
const FOLLOW_UP: TimeDelta = TimeDelta::hours(24);

/// What a call for a rollback comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RollbackStep {
    /// It waits for a second person.
    Asked,
    /// It is to be done.
    Due,
}

impl Change {
    /// Somebody asks to take it back, or is the second to.
    ///
    /// # Errors
    /// If it isn't in force, or for the first person again where two are needed.
    pub fn roll_back(
        &mut self,
        person: &Approver,
        reason: &str,
        loosens: bool,
        digest: &str,
        now: DateTime<Utc>,
    ) -> Result<RollbackStep> {
        if self.state != State::Active {
            return Err(Refused::State(
                self.state,
                "only what is in force is rolled back",
            ));
        }
        self.admit_activator(person)?;
        if loosens && let Some(asked) = self.asked(digest, now) {
            if asked.requester == person.who {
                return Err(Refused::SecondPerson);
            }
            return Ok(RollbackStep::Due);
        }
        self.rollback = Some(Rollback {
            requester: person.who.clone(),
            requested: now,
            reason: reason.to_owned(),
            loosens,
            digest: digest.to_owned(),
            revision: None,
            follow_up: None,
        });
        if !loosens {
            return Ok(RollbackStep::Due);
        }
        let comment = format!("rollback asked for: {reason}");
        self.step(State::Active, Some(&person.who), &comment, now);
        Ok(RollbackStep::Asked)
    }

    /// A rollback of the same effect that waits for its second person.
    fn asked(&self, digest: &str, now: DateTime<Utc>) -> Option<&Rollback> {
        let asked = self.rollback.as_ref()?;
        let waits = asked.revision.is_none() && asked.digest == digest;
        (waits && now < asked.requested + SECOND_PERSON).then_some(asked)
    }

    /// It is taken back with this revision; `reason` is that of who did it.
    pub fn rolled_back(
        &mut self,
        (by, reason): (&Subject, &str),
        revision: u64,
        now: DateTime<Utc>,
    ) {
        if let Some(rollback) = &mut self.rollback {
            rollback.revision = Some(revision);
            rollback.follow_up = rollback.loosens.then_some(now + FOLLOW_UP);
        }
        let comment = format!("revision {revision}: {reason}");
        self.step(State::RolledBack, Some(by), &comment, now);
    }
}
