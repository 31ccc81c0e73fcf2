//! Conversions to dates, times and durations, and negation.

use chrono::{FixedOffset, NaiveDate, NaiveTime};

use super::super::{
    Builtin, constants,
    eval::{Outcome, Work},
};
use crate::{
    number::Number,
    temporal::{DaysDuration, LocalDateTime, Time, Zone},
    value::Value,
};

/// The negation of a boolean; null for anything else.
pub(super) fn not(arguments: &[Value], _: &Work) -> Outcome {
    Ok(match arguments {
        [Value::Boolean(value)] => Value::Boolean(!value),
        _ => Value::Null,
    })
}

pub(super) fn date(arguments: &[Value], _: &Work) -> Outcome {
    Ok(match arguments {
        [Value::Date(day)] => Value::Date(*day),
        [Value::DateTime(instant)] => Value::Date(instant.date_naive()),
        [Value::LocalDateTime(local)] => Value::Date(local.at.date()),
        [
            Value::Number(year),
            Value::Number(month),
            Value::Number(day),
        ] => {
            let part = |number: &Number| u32::try_from(number.to_i64()?).ok();
            let built = || {
                let year = i32::try_from(year.to_i64()?).ok()?;
                NaiveDate::from_ymd_opt(year, part(month)?, part(day)?)
                    .filter(|_| (0..=9_999).contains(&year))
            };
            let unknown = || format!("there is no day {year}-{month}-{day}");
            Value::Date(built().ok_or_else(unknown)?)
        }
        other => read(Builtin::Date, other)?,
    })
}

pub(super) fn time(arguments: &[Value], _: &Work) -> Outcome {
    let midnight = NaiveTime::MIN;
    Ok(match arguments {
        [Value::Time(time)] => Value::Time(*time),
        [Value::Date(_)] => Value::Time(Time {
            clock: midnight,
            zone: FixedOffset::east_opt(0).map(Zone::Offset),
        }),
        [Value::DateTime(instant)] => Value::Time(Time {
            clock: instant.time(),
            zone: Some(Zone::Offset(*instant.offset())),
        }),
        [Value::LocalDateTime(local)] => Value::Time(Time {
            clock: local.at.time(),
            zone: local.region.map(Zone::Region),
        }),
        [
            Value::Number(hour),
            Value::Number(minute),
            Value::Number(second),
            offset @ ..,
        ] => {
            let zone = match offset {
                [] | [Value::Null] => None,
                [Value::DaysDuration(ahead)] => Some(Zone::Offset(
                    offset_of(ahead).ok_or("the offset is beyond 14 hours")?,
                )),
                _ => return Err("the offset of `time` is no days and time duration".to_owned()),
            };
            let clock = clock(*hour, *minute, *second)
                .ok_or_else(|| format!("there is no time {hour}:{minute}:{second}"))?;
            Value::Time(Time { clock, zone })
        }
        other => read(Builtin::Time, other)?,
    })
}

fn offset_of(ahead: &DaysDuration) -> Option<FixedOffset> {
    let seconds = ahead.0.num_seconds();
    let within = seconds.abs() <= 14 * 3_600 && ahead.0.subsec_nanos() == 0;
    FixedOffset::east_opt(i32::try_from(seconds).ok()?).filter(|_| within)
}

/// A clock's time, whose seconds may have a fraction.
fn clock(hour: Number, minute: Number, second: Number) -> Option<NaiveTime> {
    let whole = |number: Number| u32::try_from(number.to_i64()?).ok();
    let nanos = second
        .checked_mul(Number::from(1_000_000_000))
        .ok()?
        .to_i64()?;
    let (seconds, nanos) = (
        nanos.div_euclid(1_000_000_000),
        nanos.rem_euclid(1_000_000_000),
    );
    NaiveTime::from_hms_nano_opt(
        whole(hour)?,
        whole(minute)?,
        u32::try_from(seconds).ok()?,
        u32::try_from(nanos).ok()?,
    )
}

pub(super) fn date_and_time(arguments: &[Value], _: &Work) -> Outcome {
    Ok(match arguments {
        [Value::DateTime(instant)] => Value::DateTime(*instant),
        [Value::LocalDateTime(local)] => Value::LocalDateTime(*local),
        [Value::Date(day)] => Value::LocalDateTime(LocalDateTime {
            at: day.and_time(NaiveTime::MIN),
            region: None,
        }),
        [day, Value::Time(time)] => {
            let day = match day {
                Value::Date(day) => *day,
                Value::DateTime(instant) => instant.date_naive(),
                Value::LocalDateTime(local) => local.at.date(),
                Value::Null => return Ok(Value::Null),
                other => return Err(format!("found {}, expected a date", other.kind())),
            };
            Value::from(time.on(day))
        }
        other => read(Builtin::DateAndTime, other)?,
    })
}

pub(super) fn duration(arguments: &[Value], _: &Work) -> Outcome {
    match arguments {
        [value @ (Value::DaysDuration(_) | Value::MonthsDuration(_))] => Ok(value.clone()),
        other => read(Builtin::Duration, other),
    }
}

/// What a constructor makes of a text.
fn read(builtin: Builtin, arguments: &[Value]) -> Outcome {
    if arguments.contains(&Value::Null) {
        return Ok(Value::Null);
    }
    let name = builtin.name();
    match arguments {
        [Value::String(text)] => constants::reader(builtin)
            .and_then(|read| read(text))
            .ok_or_else(|| {
                let shown: String = text.chars().take(80).collect();
                format!("`{shown}` is no {name} in ISO 8601 form")
            }),
        other => {
            let kinds: Vec<_> = other.iter().map(Value::kind).collect();
            Err(format!("`{name}` can't be made of {}", kinds.join(", ")))
        }
    }
}
