//! The values next to a value, as far as they can be written.

use chrono::{Days, TimeDelta};

use crate::{
    number::Number,
    temporal::{DaysDuration, MonthsDuration},
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
        Value::DaysDuration(span) => Value::DaysDuration(DaysDuration(
            span.0.checked_sub(&TimeDelta::nanoseconds(1))?,
        )),
        Value::MonthsDuration(months) => {
            Value::MonthsDuration(MonthsDuration(months.0.checked_sub(1)?))
        }
        _ => return None,
    })
}

/// Years beyond four digits have no text that a fact could be sent as.
fn written(value: Value) -> Option<Value> {
    use chrono::Datelike as _;
    let year = match &value {
        Value::Date(day) => day.year(),
        Value::DateTime(time) => time.year(),
        _ => return Some(value),
    };
    (0..=9_999).contains(&year).then_some(value)
}
