//! The values next to a value, as far as they can be written.

use chrono::{Days, TimeDelta};

use crate::{
    number::Number,
    temporal::{DaysDuration, LocalDateTime, MonthsDuration, Time},
    value::Value,
};

/// The next value there is, or for numbers a plain one further on.
pub(crate) fn above(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Number(number) => {
            let plain = number
                .checked_add(Number::ONE)
                .ok()
                .filter(|next| next > number);
            Value::Number(plain.or_else(|| number.successor())?)
        }
        Value::String(text) => Value::String(format!("{text}\u{0}")),
        Value::Date(day) => {
            let next = Value::Date(day.checked_add_days(Days::new(1))?);
            return written(next);
        }
        Value::DateTime(time) => {
            let next = Value::DateTime(time.checked_add_signed(TimeDelta::nanoseconds(1))?);
            return written(next);
        }
        Value::Time(_) | Value::LocalDateTime(_) => {
            return moved(value, TimeDelta::nanoseconds(1)).filter(|next| is_below(value, next));
        }
        Value::DaysDuration(span) => Value::DaysDuration(DaysDuration(
            span.0.checked_add(&TimeDelta::nanoseconds(1))?,
        )),
        Value::MonthsDuration(months) => {
            Value::MonthsDuration(MonthsDuration(months.0.checked_add(1)?))
        }
        _ => return None,
    })
}

/// The value before, or for numbers a plain one further down.
pub(crate) fn below(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Number(number) => {
            let plain = number
                .checked_sub(Number::ONE)
                .ok()
                .filter(|next| next < number);
            Value::Number(plain.or_else(|| number.predecessor())?)
        }
        // Nothing comes before the empty text, which is below every other.
        Value::String(text) if text.is_empty() => return None,
        Value::String(_) => Value::String(String::new()),
        Value::Date(day) => {
            let last = Value::Date(day.checked_sub_days(Days::new(1))?);
            return written(last);
        }
        Value::DateTime(time) => {
            let last = Value::DateTime(time.checked_sub_signed(TimeDelta::nanoseconds(1))?);
            return written(last);
        }
        Value::Time(_) | Value::LocalDateTime(_) => {
            return moved(value, TimeDelta::nanoseconds(-1)).filter(|last| is_below(last, value));
        }
        Value::DaysDuration(span) => Value::DaysDuration(DaysDuration(
            span.0.checked_sub(&TimeDelta::nanoseconds(1))?,
        )),
        Value::MonthsDuration(months) => {
            Value::MonthsDuration(MonthsDuration(months.0.checked_sub(1)?))
        }
        _ => return None,
    })
}

fn is_below(a: &Value, b: &Value) -> bool {
    a.compare(b).is_some_and(std::cmp::Ordering::is_lt)
}

/// A time by the same clock, or an instant where a region says which.
fn moved(value: &Value, by: TimeDelta) -> Option<Value> {
    match value {
        Value::Time(time) => {
            let (clock, days) = time.clock.overflowing_add_signed(by);
            (days == 0).then_some(Value::Time(Time { clock, ..*time }))
        }
        Value::LocalDateTime(local) => written(match local.instant() {
            Some(instant) => Value::DateTime(instant.checked_add_signed(by)?),
            None => Value::LocalDateTime(LocalDateTime {
                at: local.at.checked_add_signed(by)?,
                region: None,
            }),
        }),
        _ => None,
    }
}

/// Years beyond four digits have no text that a fact could be sent as.
fn written(value: Value) -> Option<Value> {
    use chrono::Datelike as _;
    let year = match &value {
        Value::Date(day) => day.year(),
        Value::DateTime(time) => time.year(),
        Value::LocalDateTime(local) => local.at.year(),
        _ => return Some(value),
    };
    (0..=9_999).contains(&year).then_some(value)
}
