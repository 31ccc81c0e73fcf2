//! Dates, times, date-times and durations in the ISO 8601 texts that FEEL uses.

mod clock;

use std::fmt;

use chrono::{DateTime, FixedOffset, NaiveDate, SecondsFormat, TimeDelta};

pub use clock::{LocalDateTime, Moment, Time, Zone, parse_moment, parse_time};

/// A duration of days and time, such as `P1DT2H`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DaysDuration(pub TimeDelta);

/// A duration of years and months, such as `P1Y6M`, in months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonthsDuration(pub i64);

/// Either kind of duration; the text says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duration {
    /// Of days and time.
    Days(DaysDuration),
    /// Of years and months.
    Months(MonthsDuration),
}

/// Reads a calendar date such as `2026-11-24`: four digits of year, no more, no less.
#[must_use]
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let &[y, e, a, r, b'-', m, n, b'-', d, q] = text.as_bytes() else {
        return None;
    };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0, |number, digit| {
            let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
            Some(number * 10 + digit)
        })
    };
    let year = i32::try_from(number(&[y, e, a, r])?).ok()?;
    NaiveDate::from_ymd_opt(year, number(&[m, n])?, number(&[d, q])?)
}

/// Reads an RFC 3339 date and time with offset, such as `2026-11-24T09:14:03.120Z`.
#[must_use]
pub fn parse_date_time(text: &str) -> Option<DateTime<FixedOffset>> {
    let instant = DateTime::parse_from_rfc3339(text).ok()?;
    (text.len() <= 64).then_some(instant)
}

/// Writes a date and time so that [`parse_date_time`] reads the same.
#[must_use]
pub fn format_date_time(instant: &DateTime<FixedOffset>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Reads an ISO 8601 duration: `P1DT2H30M`, `-PT5.5S`, `P1Y6M`. Months don't mix with days.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let rest = rest.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    if date.contains(['Y', 'M']) {
        if !time.is_empty() {
            return None;
        }
        let months = components(date, &[('Y', 12), ('M', 1)])?;
        let signed = if negative {
            months.checked_neg()?
        } else {
            months
        };
        return Some(Duration::Months(MonthsDuration(signed)));
    }
    let (time, nanos) = fraction(time)?;
    let whole = components(date, &[('D', 86_400)])?
        .checked_add(components(&time, &[('H', 3_600), ('M', 60), ('S', 1)])?)?;
    let total = TimeDelta::try_seconds(whole)?.checked_add(&TimeDelta::nanoseconds(nanos))?;
    let signed = if negative {
        TimeDelta::zero().checked_sub(&total)?
    } else {
        total
    };
    Some(Duration::Days(DaysDuration(signed)))
}

/// Adds up `12H30M` by the units given, each at most once and in order.
fn components(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut total = 0_i64;
    for &(unit, size) in units {
        if let Some((digits, rest)) = text.split_once(unit) {
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            total = total.checked_add(digits.parse::<i64>().ok()?.checked_mul(size)?)?;
            text = rest;
        }
    }
    text.is_empty().then_some(total)
}

/// Takes the fraction out of `5.25S`: whole text and nanoseconds.
fn fraction(time: &str) -> Option<(String, i64)> {
    let Some((whole, rest)) = time.split_once('.') else {
        return Some((time.to_owned(), 0));
    };
    let digits = rest.strip_suffix('S')?;
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nanos = format!("{digits:0<9}").parse().ok()?;
    Some((format!("{whole}S"), nanos))
}

impl fmt::Display for DaysDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let negative = self.0 < TimeDelta::zero();
        let magnitude = self.0.abs();
        let seconds = magnitude.num_seconds();
        let nanos = magnitude.subsec_nanos();
        if negative {
            f.write_str("-")?;
        }
        f.write_str("P")?;
        if seconds >= 86_400 {
            write!(f, "{}D", seconds / 86_400)?;
        }
        let within_day = seconds % 86_400;
        if within_day == 0 && nanos == 0 {
            return f.write_str(if seconds == 0 { "T0S" } else { "" });
        }
        f.write_str("T")?;
        let parts = [(within_day / 3_600, 'H'), (within_day % 3_600 / 60, 'M')];
        for (amount, unit) in parts.into_iter().filter(|(amount, _)| *amount > 0) {
            write!(f, "{amount}{unit}")?;
        }
        match (within_day % 60, nanos) {
            (0, 0) => Ok(()),
            (whole, 0) => write!(f, "{whole}S"),
            (whole, nanos) => {
                let digits = format!("{nanos:09}");
                write!(f, "{whole}.{}S", digits.trim_end_matches('0'))
            }
        }
    }
}

impl fmt::Display for MonthsDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        match (magnitude / 12, magnitude % 12) {
            (0, months) => write!(f, "{sign}P{months}M"),
            (years, 0) => write!(f, "{sign}P{years}Y"),
            (years, months) => write!(f, "{sign}P{years}Y{months}M"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_that_are_no_durations() {
        for bad in [
            "", "P", "PT", "1D", "P1DT", "P1M1D", "P1YT1H", "PT1M1H", "P-1D", "PT1.S", "PT1.5M",
            "P1D1D",
        ] {
            assert_eq!(parse_duration(bad), None, "{bad:?}");
        }
        assert!(parse_duration(&format!("P{}D", i64::MAX)).is_none());
    }

    #[test]
    fn dates_have_one_form() {
        assert!(parse_date("2026-11-24").is_some());
        for bad in [
            "2026-1-4",
            "2026-02-30",
            "+2026-11-24",
            "2026-11-24 ",
            "20261124",
        ] {
            assert_eq!(parse_date(bad), None, "{bad:?}");
        }
        assert_eq!(parse_date_time("2026-11-24T09:14:03"), None);
    }

    proptest! {
        #[test]
        fn days_round_trip(seconds in -10_000_000_i64..10_000_000, nanos in 0_i64..1_000_000_000) {
            let span = TimeDelta::seconds(seconds) + TimeDelta::nanoseconds(nanos);
            let text = DaysDuration(span).to_string();
            prop_assert_eq!(parse_duration(&text), Some(Duration::Days(DaysDuration(span))), "{}", text);
        }

        #[test]
        fn months_round_trip(months in -10_000_i64..10_000) {
            let text = MonthsDuration(months).to_string();
            prop_assert_eq!(parse_duration(&text), Some(Duration::Months(MonthsDuration(months))));
        }

        #[test]
        fn any_text_is_read_without_panic(text in "[-P0-9YMDTHS.]{0,30}") {
            let _ = parse_duration(&text);
            let _ = parse_date(&text);
            let _ = parse_date_time(&text);
        }
    }
}
