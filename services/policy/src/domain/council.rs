//! How changes went: what the governance council looks at.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::change::{Change, State};

/// A change that held this long went well.
const HELD: TimeDelta = TimeDelta::days(14);

/// How the changes of a period went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Came into force.
    pub activated: u64,
    /// Of these, were taken back.
    pub rolled_back: u64,
    /// Of these, held for 14 days.
    pub succeeded: u64,
    /// From proposal to force: half took at most this long.
    pub median: Option<TimeDelta>,
    /// Nine of ten took at most this long.
    pub ninetieth: Option<TimeDelta>,
    /// Loosening rollbacks that no change has followed yet, and until when one must.
    pub follow_ups: Vec<(Uuid, DateTime<Utc>)>,
}

/// Counts changes that came into force from `from` on.
#[must_use]
pub fn record(changes: &[Change], from: DateTime<Utc>, now: DateTime<Utc>) -> Record {
    let mut record = Record::default();
    let mut times = Vec::new();
    for change in changes {
        let Some(active) = activated(change) else {
            continue;
        };
        record.follow_ups.extend(follow_up(change, changes));
        if active < from {
            continue;
        }
        record.activated += 1;
        times.push(active - change.created);
        if change.state == State::RolledBack {
            record.rolled_back += 1;
        } else if active + HELD <= now {
            record.succeeded += 1;
        }
    }
    times.sort();
    record.median = quantile(&times, 50);
    record.ninetieth = quantile(&times, 90);
    record.follow_ups.sort_by_key(|(_, until)| *until);
    record
}

fn activated(change: &Change) -> Option<DateTime<Utc>> {
    let mut steps = change.history.iter();
    steps
        .find(|step| step.state == State::Active)
        .map(|step| step.time)
}

/// A rollback that must be followed, where no later change of one of its documents came
/// into force since.
fn follow_up(change: &Change, changes: &[Change]) -> Option<(Uuid, DateTime<Utc>)> {
    let rollback = change.rollback.as_ref()?;
    let (until, made) = (rollback.follow_up?, rollback.revision?);
    let touches = |other: &Change| {
        let items = &change.items;
        other
            .items
            .iter()
            .any(|item| items.iter().any(|own| own.key() == item.key()))
    };
    let settled = changes
        .iter()
        .filter(|other| other.id != change.id && touches(other))
        .any(|other| other.revision.is_some_and(|revision| revision > made));
    (!settled).then_some((change.id, until))
}

/// The smallest value that so many of a hundred don't exceed.
fn quantile(sorted: &[TimeDelta], percent: usize) -> Option<TimeDelta> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let days: Vec<_> = (1..=10).map(TimeDelta::days).collect();
        assert_eq!(quantile(&days, 50), Some(TimeDelta::days(5)));
        assert_eq!(quantile(&days, 90), Some(TimeDelta::days(9)));
        assert_eq!(quantile(&days[..1], 90), Some(TimeDelta::days(1)));
        assert_eq!(quantile(&[], 50), None);
    }
}
