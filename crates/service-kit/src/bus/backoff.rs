//! Growing pauses between attempts.

use std::time::Duration;

use rand::RngExt as _;

/// Pauses that double up to a maximum, each of half to the whole of its length at
/// random, so that those who failed together don't come back together.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            next: first,
        }
    }

    /// The next pause.
    pub(crate) fn pause(&mut self) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(self.most);
        whole.mul_f64(rand::rng().random_range(0.5..=1.0))
    }

    /// Something worked: begins anew.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}
