//! The time and new ids, behind traits, so that tests decide them.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in whole microseconds: what databases keep, so that a stored time is equal
    /// to the one that was answered.
    fn now(&self) -> DateTime<Utc>;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// A clock that moves only when told.
#[derive(Debug)]
pub struct Manual(Mutex<DateTime<Utc>>);

impl Manual {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn new(start: DateTime<Utc>) -> Self {
        Self(Mutex::new(start.trunc_subsecs(6)))
    }

    /// Moves the clock.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now.trunc_subsecs(6);
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for Manual {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes ids.
pub trait Ids: Send + Sync {
    /// A UUID version 7, greater than those before it from the same process.
    fn uuid7(&self) -> Uuid;
}

/// Ids by the machine's clock and random numbers; a counter keeps those of one
/// millisecond in order.
#[derive(Debug, Clone, Copy, Default)]
pub struct Uuid7;

impl Ids for Uuid7 {
    fn uuid7(&self) -> Uuid {
        Uuid::now_v7()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise() {
        let ids: Vec<_> = (0..10_000).map(|_| Uuid7.uuid7()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn times_survive_a_store_of_microseconds() {
        assert_eq!(System.now().timestamp_subsec_nanos() % 1_000, 0);
    }
}
