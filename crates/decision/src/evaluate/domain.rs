//! Representatives: values such that every value a table tells apart has one like it.

use chrono::TimeDelta;

use crate::{
    neighbours::{above, below},
    number::Number,
    temporal::{DaysDuration, MonthsDuration},
    types::Type,
    value::Value,
};

/// The constants that a fact's values are compared with.
#[derive(Debug, Default)]
pub(super) struct Constants {
    /// Compared with the value itself, or with its amount.
    pub(super) values: Vec<Value>,
    /// Compared with its currency, by itself or with the value.
    pub(super) currencies: Vec<String>,
}

/// Values of type `ty`, one for each class that comparisons with `constants` make: every
/// constant, one between each two, one beyond each end.
pub(super) fn representatives(ty: &Type, constants: &Constants) -> Vec<Value> {
    match ty {
        Type::Boolean => vec![Value::Boolean(false), Value::Boolean(true)],
        Type::String { values } if !values.is_empty() => {
            values.iter().cloned().map(Value::String).collect()
        }
        Type::Money { currency } => {
            let currencies = match currency {
                Some(code) => vec![code.clone()],
                None => with_another(&constants.currencies),
            };
            let amounts = points(&amounts(&constants.values), &Value::Number(Number::ZERO));
            let money = |amount: &Value, currency: &String| {
                let amount = amount.as_number()?;
                Some(Value::Money {
                    amount,
                    currency: currency.clone(),
                })
            };
            let each = |code| amounts.iter().filter_map(move |amount| money(amount, code));
            currencies.iter().flat_map(each).collect()
        }
        Type::Quantity { unit } => {
            let amounts = points(&amounts(&constants.values), &Value::Number(Number::ZERO));
            let quantity = |amount: Value| {
                Some(Value::Quantity {
                    amount: amount.as_number()?,
                    unit: unit.clone(),
                })
            };
            amounts.into_iter().filter_map(quantity).collect()
        }
        other => match anchor(other) {
            Some(anchor) => points(&constants.values, &anchor),
            None => Vec::new(),
        },
    }
}

/// Some value of a type with an order.
fn anchor(ty: &Type) -> Option<Value> {
    Some(match ty {
        Type::String { .. } => Value::String(String::new()),
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

fn amounts(values: &[Value]) -> Vec<Value> {
    let bare = |value: &Value| match value {
        Value::Money { amount, .. } | Value::Quantity { amount, .. } | Value::Number(amount) => {
            Some(Value::Number(*amount))
        }
        _ => None,
    };
    values.iter().filter_map(bare).collect()
}

/// The currencies named, and one that isn't.
fn with_another(named: &[String]) -> Vec<String> {
    let mut all = named.to_vec();
    all.sort();
    all.dedup();
    let letters = || 'A'..='Z';
    let other = letters()
        .flat_map(|a| letters().flat_map(move |b| letters().map(move |c| format!("{a}{b}{c}"))))
        .find(|code| !all.contains(code));
    all.extend(other);
    all
}

/// The constants in order, with a point between each two and beyond each end.
fn points(constants: &[Value], anchor: &Value) -> Vec<Value> {
    let mut sorted: Vec<Value> = constants
        .iter()
        .filter(|value| value.compare(anchor).is_some())
        .cloned()
        .collect();
    sorted.sort_by(|a, b| a.compare(b).unwrap_or(std::cmp::Ordering::Equal));
    sorted.dedup_by(|a, b| a.equals(b) == Some(true));
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
        return vec![anchor.clone()];
    };
    let mut out = Vec::with_capacity(sorted.len() * 2 + 1);
    out.extend(below(first));
    for pair in sorted.windows(2) {
        out.push(pair[0].clone());
        out.extend(between(&pair[0], &pair[1]));
    }
    out.push(last.clone());
    out.extend(above(last));
    out
}

/// A value strictly between two, if there is one.
fn between(low: &Value, high: &Value) -> Option<Value> {
    let inside = |value: &Value| {
        value.compare(low).is_some_and(std::cmp::Ordering::is_gt)
            && value.compare(high).is_some_and(std::cmp::Ordering::is_lt)
    };
    if let (Value::Number(a), Value::Number(b)) = (low, high) {
        let half = a
            .checked_add(*b)
            .and_then(|sum| sum.checked_div(Number::from(2)));
        if let Some(middle) = half.ok().map(Value::Number).filter(inside) {
            return Some(middle);
        }
        return a.successor().map(Value::Number).filter(inside);
    }
    above(low).filter(inside)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn numbers(texts: &[&str]) -> Vec<String> {
        let values = texts
            .iter()
            .map(|t| Value::Number(t.parse().unwrap()))
            .collect();
        let constants = Constants {
            values,
            currencies: Vec::new(),
        };
        representatives(&Type::number(), &constants)
            .iter()
            .map(Value::to_string)
            .collect()
    }

    #[test]
    fn every_class_of_numbers_has_one() {
        assert_eq!(
            numbers(&["10", "30", "10.0"]),
            ["9", "10", "20", "30", "31"]
        );
        assert_eq!(numbers(&[]), ["0"]);
        let adjacent = [
            "1.000000000000000000000000000000000",
            "1.000000000000000000000000000000001",
        ];
        assert_eq!(numbers(&adjacent).len(), 4);
        assert_eq!(
            numbers(&["9.999999999999999999999999999999999E+6144"]).len(),
            2
        );
    }

    #[test]
    fn money_of_any_currency_has_another_one() {
        let constants = Constants {
            values: vec![Value::Number(Number::from(5))],
            currencies: vec!["AAA".into(), "EUR".into()],
        };
        let all = representatives(&Type::Money { currency: None }, &constants);
        assert_eq!(all.len(), 9);
        assert!(all.iter().any(|money| money.to_string() == "5 AAB"));
    }
}
