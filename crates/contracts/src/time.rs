//! `google.protobuf.Timestamp` to and from [`chrono`].

use chrono::{DateTime, Utc};
use prost_types::Timestamp;

/// The timestamp of an instant, to the nanosecond.
#[must_use]
pub fn timestamp(instant: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: instant.timestamp(),
        // A leap second is counted in the second it follows.
        nanos: instant
            .timestamp_subsec_nanos()
            .min(999_999_999)
            .cast_signed(),
    }
}

/// The instant of a timestamp; `None` outside what a `DateTime` holds or where the
/// nanoseconds aren't within a second.
#[must_use]
pub fn instant(timestamp: &Timestamp) -> Option<DateTime<Utc>> {
    let nanos = u32::try_from(timestamp.nanos).ok()?;
    (nanos < 1_000_000_000)
        .then(|| DateTime::from_timestamp(timestamp.seconds, nanos))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_survive_the_round_trip() {
        let instant_before = DateTime::from_timestamp(-1, 5).unwrap_or_default();
        assert_eq!(instant(&timestamp(instant_before)), Some(instant_before));
    }

    #[test]
    fn nanoseconds_outside_a_second_are_refused() {
        for nanos in [-1, 1_000_000_000] {
            assert_eq!(instant(&Timestamp { seconds: 0, nanos }), None);
        }
    }
}
