//! Arithmetic on dates, times and durations.

use chrono::{
    DateTime, Datelike, FixedOffset, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta,
};

use crate::{
    number::{Number, Rounding},
    sfeel::Operator,
    temporal::{DaysDuration, LocalDateTime, MonthsDuration, Time},
    value::Value,
};

/// What an operation gives. The outer `None`: it isn't defined; the inner one: the result is
/// out of range.
type Moved = Option<Option<Value>>;

const NANOS: i64 = 1_000_000_000;

pub(super) fn operate(operator: Operator, a: &Value, b: &Value) -> Moved {
    match operator {
        Operator::Add => moved(a, b, true).or_else(|| moved(b, a, true)),
        Operator::Subtract => difference(a, b).or_else(|| moved(a, b, false)),
        Operator::Multiply => {
            scaled(a, b, Number::checked_mul).or_else(|| scaled(b, a, Number::checked_mul))
        }
        Operator::Divide => ratio(a, b).or_else(|| scaled(a, b, Number::checked_div)),
        Operator::Power => None,
    }
}

/// Whether dividing by a value has no result.
pub(super) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_zero(),
        Value::DaysDuration(span) => span.0.is_zero(),
        Value::MonthsDuration(months) => months.0 == 0,
        _ => false,
    }
}

/// The time between two dates, times or date-times of one kind.
fn difference(a: &Value, b: &Value) -> Moved {
    let span = match (a, b) {
        (Value::Date(x), Value::Date(y)) => x.signed_duration_since(*y),
        (Value::Time(x), Value::Time(y)) => x.since(y)?,
        // A day alone is its midnight, by the clock that the other goes by.
        (Value::Date(x), Value::DateTime(y)) => midnight(*x).and_utc().signed_duration_since(*y),
        (Value::DateTime(x), Value::Date(y)) => x.signed_duration_since(midnight(*y).and_utc()),
        (Value::Date(x), Value::LocalDateTime(y)) if y.region.is_none() => midnight(*x) - y.at,
        (Value::LocalDateTime(x), Value::Date(y)) if x.region.is_none() => x.at - midnight(*y),
        (Value::LocalDateTime(x), Value::LocalDateTime(y))
            if x.region.is_none() && y.region.is_none() =>
        {
            x.at.signed_duration_since(y.at)
        }
        _ => instant(a)?.signed_duration_since(instant(b)?),
    };
    Some(Some(Value::DaysDuration(DaysDuration(span))))
}

fn midnight(day: NaiveDate) -> NaiveDateTime {
    day.and_time(NaiveTime::MIN)
}

fn instant(value: &Value) -> Option<DateTime<FixedOffset>> {
    match value {
        Value::DateTime(instant) => Some(*instant),
        Value::LocalDateTime(local) => local.instant(),
        _ => None,
    }
}

/// How often one duration goes into another.
fn ratio(a: &Value, b: &Value) -> Moved {
    let (x, y) = match (a, b) {
        (Value::DaysDuration(x), Value::DaysDuration(y)) => (nanos(x.0)?, nanos(y.0)?),
        (Value::MonthsDuration(x), Value::MonthsDuration(y)) => {
            (Number::from(x.0), Number::from(y.0))
        }
        _ => return None,
    };
    Some(x.checked_div(y).ok().map(Value::Number))
}

/// A duration times or by a number; a part of a nanosecond or month is dropped.
fn scaled(
    a: &Value,
    b: &Value,
    by: fn(Number, Number) -> Result<Number, crate::number::ArithmeticError>,
) -> Moved {
    let Value::Number(factor) = b else {
        return None;
    };
    let whole = |number: Number| by(number, *factor).ok()?.rounded_to(0, Rounding::Down);
    Some(match a {
        Value::DaysDuration(span) => nanos(span.0)
            .and_then(whole)
            .and_then(span_of)
            .map(|span| Value::DaysDuration(DaysDuration(span))),
        Value::MonthsDuration(months) => whole(Number::from(months.0))
            .and_then(Number::to_i64)
            .map(|months| Value::MonthsDuration(MonthsDuration(months))),
        _ => return None,
    })
}

fn nanos(span: TimeDelta) -> Option<Number> {
    let seconds = Number::from(span.num_seconds());
    let whole = seconds.checked_mul(Number::from(NANOS)).ok()?;
    whole.checked_add(Number::from(span.subsec_nanos())).ok()
}

fn span_of(nanos: Number) -> Option<TimeDelta> {
    let rest = nanos.checked_modulo(Number::from(NANOS)).ok()?;
    let whole = nanos.checked_sub(rest).ok()?;
    let seconds = whole.checked_div(Number::from(NANOS)).ok()?.to_i64()?;
    TimeDelta::new(seconds, u32::try_from(rest.to_i64()?).ok()?)
}

/// A date, time, date-time or duration moved by a duration.
fn moved(a: &Value, b: &Value, forward: bool) -> Moved {
    match b {
        Value::DaysDuration(span) => {
            let Some(span) = signed(span.0, forward) else {
                return Some(None);
            };
            by_span(a, span)
        }
        Value::MonthsDuration(months) => {
            let signed = match forward {
                true => Some(months.0),
                false => months.0.checked_neg(),
            };
            let Some(months) = signed else {
                return Some(None);
            };
            by_months(a, months)
        }
        _ => None,
    }
}

fn by_span(value: &Value, span: TimeDelta) -> Moved {
    Some(match value {
        Value::DaysDuration(x) => {
            let sum = x.0.checked_add(&span);
            sum.map(|span| Value::DaysDuration(DaysDuration(span)))
        }
        Value::Date(day) => {
            let days = TimeDelta::try_days(span.num_days());
            let there = days.and_then(|days| day.checked_add_signed(days));
            there.filter(has_text).map(Value::Date)
        }
        Value::DateTime(time) => {
            let there = time.checked_add_signed(span);
            there
                .filter(|time| has_text(&time.date_naive()))
                .map(Value::DateTime)
        }
        Value::LocalDateTime(local) => local_by_span(*local, span)
            .filter(|local| has_text(&local.at.date()))
            .map(Value::LocalDateTime),
        Value::Time(time) => {
            let (clock, _) = time.clock.overflowing_add_signed(span);
            Some(Value::Time(Time { clock, ..*time }))
        }
        _ => return None,
    })
}

/// In a region the time goes on, whatever its clock does.
fn local_by_span(local: LocalDateTime, span: TimeDelta) -> Option<LocalDateTime> {
    let at = match (local.region, local.instant()) {
        (Some(region), Some(instant)) => {
            let there = instant.checked_add_signed(span)?;
            there.with_timezone(&region).naive_local()
        }
        _ => local.at.checked_add_signed(span)?,
    };
    Some(LocalDateTime { at, ..local })
}

fn by_months(value: &Value, months: i64) -> Moved {
    Some(match value {
        Value::MonthsDuration(x) => {
            let sum = x.0.checked_add(months);
            sum.map(|months| Value::MonthsDuration(MonthsDuration(months)))
        }
        Value::Date(day) => {
            let there = date_by_months(*day, months);
            there.filter(has_text).map(Value::Date)
        }
        Value::DateTime(time) => {
            let there = time_by_months(*time, months);
            there
                .filter(|time| has_text(&time.date_naive()))
                .map(Value::DateTime)
        }
        Value::LocalDateTime(local) => {
            let there = date_by_months(local.at.date(), months).filter(has_text);
            there.map(|day| {
                let at = day.and_time(local.at.time());
                Value::LocalDateTime(LocalDateTime { at, ..*local })
            })
        }
        _ => return None,
    })
}

fn signed(span: TimeDelta, forward: bool) -> Option<TimeDelta> {
    if forward {
        Some(span)
    } else {
        TimeDelta::zero().checked_sub(&span)
    }
}

/// Years beyond four digits have no text that reads back.
fn has_text(day: &NaiveDate) -> bool {
    (0..=9_999).contains(&day.year())
}

fn date_by_months(day: NaiveDate, months: i64) -> Option<NaiveDate> {
    let count = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    if months < 0 {
        day.checked_sub_months(count)
    } else {
        day.checked_add_months(count)
    }
}

fn time_by_months(time: DateTime<FixedOffset>, months: i64) -> Option<DateTime<FixedOffset>> {
    let count = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    if months < 0 {
        time.checked_sub_months(count)
    } else {
        time.checked_add_months(count)
    }
}
