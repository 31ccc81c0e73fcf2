//! Entries of contexts, and parts of dates, times, durations and amounts.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, TimeDelta, Timelike as _};

use crate::{
    number::Number,
    temporal::{DaysDuration, Zone},
    value::Value,
};

/// `value.name`: of a list, that of each item. Null where a context has no such entry.
pub(super) fn of(value: Value, name: &str) -> Result<Value, String> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::Context(mut entries) => Ok(entries.remove(name).unwrap_or(Value::Null)),
        Value::List(items) => {
            let parts = items.into_iter().map(|item| of(item, name));
            parts.collect::<Result<_, _>>().map(Value::List)
        }
        other => {
            let kind = other.kind();
            part(other, name).ok_or_else(|| format!("a {kind} has no `{name}`"))
        }
    }
}

/// A part of a value that has parts by itself, or an entry of a context.
pub(super) fn part(value: Value, name: &str) -> Option<Value> {
    match value {
        Value::Context(mut entries) => Some(entries.remove(name).unwrap_or(Value::Null)),
        Value::Money { amount, .. } | Value::Quantity { amount, .. } if name == "amount" => {
            Some(Value::Number(amount))
        }
        Value::Money { currency: text, .. } if name == "currency" => Some(Value::String(text)),
        Value::Quantity { unit: text, .. } if name == "unit" => Some(Value::String(text)),
        Value::Date(day) => of_day(day, name),
        Value::DateTime(instant) => of_day(instant.date_naive(), name)
            .or_else(|| of_clock(instant.time(), Some(offset_zone(&instant)), name)),
        Value::LocalDateTime(local) => of_day(local.at.date(), name).or_else(|| {
            // A region's offset is known for a date.
            if let (Some(instant), "time offset") = (local.instant(), name) {
                return of_clock(instant.time(), Some(offset_zone(&instant)), name);
            }
            of_clock(local.at.time(), local.region.map(Zone::Region), name)
        }),
        Value::Time(time) => of_clock(time.clock, time.zone, name),
        Value::DaysDuration(DaysDuration(span)) => of_span(span, name),
        Value::MonthsDuration(months) => match name {
            "years" => Some(number(months.0 / 12)),
            "months" => Some(number(months.0 % 12)),
            _ => None,
        },
        _ => None,
    }
}

fn offset_zone(instant: &DateTime<chrono::FixedOffset>) -> Zone {
    Zone::Offset(*instant.offset())
}

fn number(number: impl Into<i64>) -> Value {
    Value::Number(Number::from(number.into()))
}

fn of_day(day: NaiveDate, name: &str) -> Option<Value> {
    Some(match name {
        "year" => number(day.year()),
        "month" => number(day.month()),
        "day" => number(day.day()),
        "weekday" => number(day.weekday().number_from_monday()),
        _ => return None,
    })
}

fn of_clock(clock: NaiveTime, zone: Option<Zone>, name: &str) -> Option<Value> {
    Some(match name {
        "hour" => number(clock.hour()),
        "minute" => number(clock.minute()),
        "second" => seconds(clock)?,
        "time offset" => match zone {
            Some(Zone::Offset(offset)) => {
                let ahead = TimeDelta::try_seconds(i64::from(offset.local_minus_utc()))?;
                Value::DaysDuration(DaysDuration(ahead))
            }
            _ => Value::Null,
        },
        "timezone" => match zone {
            Some(Zone::Region(region)) => Value::String(region.name().to_owned()),
            _ => Value::Null,
        },
        _ => return None,
    })
}

/// The seconds of a clock, with as much of a fraction as it has.
fn seconds(clock: NaiveTime) -> Option<Value> {
    let whole = Number::from(i64::from(clock.second()));
    if clock.nanosecond() == 0 {
        return Some(Value::Number(whole));
    }
    let nanos = Number::from(i64::from(clock.nanosecond()));
    let fraction = nanos.checked_div(Number::from(1_000_000_000)).ok()?;
    Some(Value::Number(
        whole.checked_add(fraction).ok()?.normalized(),
    ))
}

fn of_span(span: TimeDelta, name: &str) -> Option<Value> {
    let seconds = span.num_seconds();
    Some(match name {
        "days" => number(seconds / 86_400),
        "hours" => number(seconds % 86_400 / 3_600),
        "minutes" => number(seconds % 3_600 / 60),
        "seconds" => number(seconds % 60),
        _ => return None,
    })
}
