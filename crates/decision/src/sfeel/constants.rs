//! Constants that texts stand for.

use super::Builtin;
use crate::{
    temporal::{self, Duration, parse_date, parse_moment, parse_time},
    value::Value,
};

/// What the text behind `@` is.
pub(super) fn any(text: &str) -> Option<Value> {
    date(text)
        .or_else(|| parse_moment(text).map(Value::from))
        .or_else(|| time(text))
        .or_else(|| duration(text))
}

/// How a constructor reads a text.
pub(super) fn reader(builtin: Builtin) -> Option<fn(&str) -> Option<Value>> {
    Some(match builtin {
        Builtin::Date => date,
        Builtin::Time => time,
        Builtin::DateAndTime => date_and_time,
        Builtin::Duration => duration,
        _ => return None,
    })
}

fn date(text: &str) -> Option<Value> {
    parse_date(text).map(Value::Date)
}

fn time(text: &str) -> Option<Value> {
    parse_time(text).map(Value::Time)
}

/// A date alone is its midnight, by the clock of a place that isn't said.
fn date_and_time(text: &str) -> Option<Value> {
    match parse_date(text) {
        Some(day) => parse_moment(&format!("{day}T00:00:00")).map(Value::from),
        None => parse_moment(text).map(Value::from),
    }
}

fn duration(text: &str) -> Option<Value> {
    Some(match temporal::parse_duration(text)? {
        Duration::Days(days) => Value::DaysDuration(days),
        Duration::Months(months) => Value::MonthsDuration(months),
    })
}
