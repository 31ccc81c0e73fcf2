//! Values beside and between others, that really exist within their type.

use std::cmp::Ordering;

use chrono::TimeDelta;

pub(super) use crate::neighbours::{above, below};
use crate::{
    number::Number,
    temporal::{DaysDuration, MonthsDuration},
    types::Type,
    value::Value,
};

/// Some value of a type whose values have one total order.
pub(super) fn anchor(ty: &Type) -> Option<Value> {
    Some(match ty {
        Type::String { .. } => Value::String("any".to_owned()),
        Type::Number { .. } => Value::Number(Number::ZERO),
        Type::Date => Value::Date(chrono::NaiveDate::from_ymd_opt(2000, 1, 1)?),
        Type::DateTime => {
            Value::DateTime(chrono::DateTime::from_timestamp(946_684_800, 0)?.fixed_offset())
        }
        Type::DaysDuration => Value::DaysDuration(DaysDuration(TimeDelta::zero())),
        Type::MonthsDuration => Value::MonthsDuration(MonthsDuration(0)),
        _ => return None,
    })
}

/// A value strictly between two, if there is one.
pub(super) fn between(low: &Value, high: &Value) -> Option<Value> {
    let inside = |value: &Value| {
        value.compare(low).is_some_and(Ordering::is_gt)
            && value.compare(high).is_some_and(Ordering::is_lt)
    };
    if let (Value::Number(a), Value::Number(b)) = (low, high) {
        let half = a
            .checked_add(*b)
            .and_then(|sum| sum.checked_div(Number::from(2)));
        let plain = a.checked_add(Number::ONE).ok().map(Value::Number);
        return plain
            .filter(inside)
            .or_else(|| half.ok().map(Value::Number).filter(inside))
            .or_else(|| a.successor().map(Value::Number).filter(inside));
    }
    above(low).filter(inside)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::temporal::parse_date;

    fn number(text: &str) -> Value {
        Value::Number(text.parse().unwrap())
    }

    #[test]
    fn numbers_are_dense_and_days_are_not() {
        assert_eq!(between(&number("10"), &number("11")), Some(number("10.5")));
        let (low, high) = (
            "1.000000000000000000000000000000000",
            "1.000000000000000000000000000000001",
        );
        assert_eq!(between(&number(low), &number(high)), None);
        let day = |text: &str| Value::Date(parse_date(text).unwrap());
        assert_eq!(between(&day("2026-02-28"), &day("2026-03-01")), None);
        assert!(between(&day("2024-02-28"), &day("2024-03-01")).is_some());
        assert_eq!(above(&day("9999-12-31")), None);
        let months = |count| Value::MonthsDuration(MonthsDuration(count));
        assert_eq!(between(&months(3), &months(4)), None);
    }

    #[test]
    fn nothing_is_below_the_empty_text() {
        assert_eq!(below(&Value::from("")), None);
        let (a, b) = (Value::from("a"), Value::from("a\u{0}"));
        assert_eq!(between(&a, &b), None);
        assert!(between(&a, &Value::from("b")).is_some());
    }
}
