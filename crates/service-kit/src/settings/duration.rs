//! Durations as people write them: `500ms`, `10s`, `5m`, `1h`, `30d`.

use std::time::Duration;

use serde::{Deserialize as _, Deserializer, Serializer};

/// Reads a duration: a whole number and a unit.
///
/// # Errors
/// If the text has another form or is out of range.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wanted = || format!("{text:?} is not a duration such as 500ms, 10s, 5m, 1h or 30d");
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .ok_or_else(wanted)?;
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| wanted())?;
    let millis: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wanted()),
    };
    number
        .checked_mul(millis)
        .map(Duration::from_millis)
        .ok_or_else(wanted)
}

/// Writes a duration in the largest unit that divides it.
#[must_use]
pub fn format(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1_000, "s"),
    ];
    for (size, unit) in units {
        if millis >= size && millis.is_multiple_of(size) {
            return format!("{}{unit}", millis / size);
        }
    }
    format!("{millis}ms")
}

/// For `#[serde(with = "service_kit::settings::duration")]`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*duration))
}

/// For `#[serde(with = "service_kit::settings::duration")]`.
///
/// # Errors
/// If the text is no duration.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn durations_round_trip() {
        for text in ["0ms", "500ms", "1500ms", "10s", "5m", "1h", "30d"] {
            assert_eq!(format(parse(text).unwrap()), text);
        }
        assert_eq!(parse("90s").unwrap(), Duration::from_secs(90));
    }

    #[test]
    fn malformed_durations_are_refused() {
        for bad in [
            "",
            "10",
            "s",
            "-1s",
            "1.5s",
            "1 s",
            "99999999999999999999d",
            "1w",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
