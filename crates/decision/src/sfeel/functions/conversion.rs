//! Conversions to dates, times and durations, and negation.

use chrono::{FixedOffset, NaiveDate, NaiveTime};

use super::{
    Builtin,
    given::{self, need},
};
use crate::{
    number::Number,
    sfeel::{
        constants,
        eval::{Outcome, Work},
    },
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

/// The number that a text stands for, whose digits a separator may group.
pub(super) fn number(arguments: &[Value], _: &Work) -> Outcome {
    if let Value::Number(number) = given::one(arguments, 0)
        && arguments.len() == 1
    {
        return Ok(Value::Number(*number));
    }
    let text = need!(given::text(arguments, 0));
    let grouping = given::text(arguments, 1)?;
    let point = given::text(arguments, 2)?;
    if grouping.is_some_and(|separator| ![" ", ",", "."].contains(&separator)) {
        return Err("the grouping separator is none of space, `,` and `.`".to_owned());
    }
    if point.is_some_and(|separator| ![",", "."].contains(&separator)) {
        return Err("the decimal separator is neither `,` nor `.`".to_owned());
    }
    if grouping.is_some() && grouping == point {
        return Err("the separators are the same".to_owned());
    }
    let plain = match grouping {
        Some(separator) => text.replace(separator, ""),
        None => text.to_owned(),
    };
    let plain = match point {
        Some(",") if plain.contains('.') => return Err(format!("`{text}` is no number")),
        Some(",") => plain.replace(',', "."),
        _ => plain,
    };
    let number: Result<Number, _> = plain.trim().parse();
    number
        .map(Value::Number)
        .map_err(|error| format!("`{text}`: {error}"))
}

/// The text of a value, as FEEL writes it.
pub(super) fn string(arguments: &[Value], work: &Work) -> Outcome {
    let value = arguments.first().unwrap_or(&Value::Null);
    if *value == Value::Null {
        return Ok(Value::Null);
    }
    let mut out = String::new();
    write(value, &mut out, true);
    work.take(out.len() / 64)?;
    Ok(Value::String(out))
}

/// Texts within others stand in quotes.
fn write(value: &Value, out: &mut String, outermost: bool) {
    match value {
        Value::String(text) if outermost => out.push_str(text),
        Value::String(_) => out.push_str(&crate::json::write(value)),
        Value::Number(number) => out.push_str(&plain(*number)),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write(item, out, false);
            }
            out.push(']');
        }
        Value::Context(entries) => {
            out.push('{');
            for (index, (name, entry)) in entries.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                out.push_str(name);
                out.push_str(": ");
                write(entry, out, false);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// A number without trailing zeros behind the point, and without an exponent
/// where it is of a size that people write out.
fn plain(number: Number) -> String {
    let number = number.normalized();
    let (coefficient, exponent) = (number.coefficient(), number.exponent());
    match usize::try_from(exponent) {
        Ok(zeros @ 1..=34) if coefficient != 0 => format!("{coefficient}{}", "0".repeat(zeros)),
        _ => number.to_string(),
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
