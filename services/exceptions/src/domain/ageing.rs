//! Open exceptions by age.

use chrono::{DateTime, TimeDelta, Utc};
use governance::Scope;

/// Upper bounds of the bands; the last band has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bands(Vec<TimeDelta>);

/// Why bounds make no bands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bands need 1 to {MAX_BANDS} rising bounds of whole seconds above zero")]
pub struct BadBands;

/// At most this many bounds.
pub const MAX_BANDS: usize = 16;

/// Open exceptions of one unit and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The unit.
    pub scope: Scope,
    /// The type.
    pub kind: String,
    /// How many in each band, the youngest first.
    pub counts: Vec<i64>,
    /// How many have passed a deadline.
    pub breached: i64,
    /// When the oldest was raised.
    pub oldest: DateTime<Utc>,
}

impl Bands {
    /// Bands from their upper bounds in seconds.
    ///
    /// # Errors
    /// If there are none or too many, or they don't rise.
    pub fn new(seconds: &[i64]) -> Result<Self, BadBands> {
        let fit = (1..=MAX_BANDS).contains(&seconds.len());
        if !fit || seconds[0] <= 0 || !seconds.is_sorted_by(|a, b| a < b) {
            return Err(BadBands);
        }
        let bounds = seconds
            .iter()
            .map(|&seconds| TimeDelta::try_seconds(seconds));
        bounds.collect::<Option<_>>().map(Self).ok_or(BadBands)
    }

    /// The bounds in seconds.
    pub fn seconds(&self) -> impl Iterator<Item = i64> + '_ {
        self.0.iter().map(TimeDelta::num_seconds)
    }

    /// The instants that part the bands: what was raised after the first is in the first
    /// band. An age that equals a bound is in the next band.
    #[must_use]
    pub fn since(&self, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        self.0
            .iter()
            .map(|&bound| {
                now.checked_sub_signed(bound)
                    .unwrap_or(DateTime::<Utc>::MIN_UTC)
            })
            .collect()
    }
}

impl Row {
    /// How many in all.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.counts.iter().sum()
    }
}

/// Counts by band from how many are younger than each bound, and how many there are.
#[must_use]
pub fn counts(younger: &[i64], total: i64) -> Vec<i64> {
    let mut before = 0;
    let mut counts = Vec::with_capacity(younger.len() + 1);
    for &count in younger.iter().chain(std::iter::once(&total)) {
        counts.push(count - before);
        before = count;
    }
    counts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bounds_must_rise() {
        assert!(Bands::new(&[3_600, 86_400]).is_ok());
        for bad in [&[][..], &[0], &[-1], &[5, 5], &[9, 3], &[i64::MAX]] {
            assert_eq!(Bands::new(bad), Err(BadBands), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn each_age_is_in_exactly_one_band(ages in prop::collection::vec(0_i64..1_000, 0..50)) {
            let bands = Bands::new(&[10, 100, 500]).unwrap();
            let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
            let created = ages.iter().map(|&age| now - TimeDelta::seconds(age)).collect::<Vec<_>>();
            let younger = bands.since(now).iter()
                .map(|since| created.iter().filter(|c| *c > since).count() as i64)
                .collect::<Vec<_>>();
            let naive = [0..10, 10..100, 100..500, 500..1_000_i64]
                .map(|band| ages.iter().filter(|&age| band.contains(age)).count() as i64);
            prop_assert_eq!(counts(&younger, ages.len() as i64), naive.to_vec());
        }
    }
}
