//! Arithmetic on values: numbers, money, quantities, dates and durations.

mod calendar;

use chrono::TimeDelta;

use super::{Failure, Operator, eval::fail};
use crate::{
    number::{ArithmeticError, Number},
    temporal::{DaysDuration, MonthsDuration},
    value::Value,
};

pub(super) fn negate(at: usize, value: Value) -> Result<Value, Failure> {
    let too_long = || fail(at, "the duration is too long");
    Ok(match value {
        Value::Null => Value::Null,
        Value::Number(number) => Value::Number(number.negated()),
        Value::Money { amount, currency } => Value::Money {
            amount: amount.negated(),
            currency,
        },
        Value::Quantity { amount, unit } => Value::Quantity {
            amount: amount.negated(),
            unit,
        },
        Value::DaysDuration(DaysDuration(span)) => {
            let negative = TimeDelta::zero().checked_sub(&span).ok_or_else(too_long)?;
            Value::DaysDuration(DaysDuration(negative))
        }
        Value::MonthsDuration(MonthsDuration(months)) => {
            Value::MonthsDuration(MonthsDuration(months.checked_neg().ok_or_else(too_long)?))
        }
        other => return Err(fail(at, format!("no negative of a {}", other.kind()))),
    })
}

/// Whether dividing by a value has no result.
pub(super) fn is_zero(value: &Value) -> bool {
    measured(value).is_some_and(|(amount, _)| amount.is_zero())
}

/// What an operation gives on two values that aren't null.
pub(super) fn operate(
    at: usize,
    operator: Operator,
    a: &Value,
    b: &Value,
) -> Result<Value, Failure> {
    let result = match (measured(a), measured(b)) {
        (Some((x, like_a)), Some((y, like_b))) => {
            let Some(like) = result_measure(operator, like_a, like_b) else {
                return Err(undefined(at, operator, a, b));
            };
            let amount = on_numbers(operator, x, y).map_err(|e| fail(at, e.to_string()))?;
            return Ok(like.of(amount));
        }
        _ => match (operator, a, b) {
            (Operator::Add, Value::String(x), Value::String(y)) => {
                return Ok(Value::String(format!("{x}{y}")));
            }
            (Operator::Divide, _, b) if calendar::is_zero(b) => {
                return Err(fail(at, ArithmeticError::DivisionByZero.to_string()));
            }
            _ => calendar::operate(operator, a, b),
        },
    };
    match result {
        None => Err(undefined(at, operator, a, b)),
        Some(None) => Err(fail(at, "the result is out of the calendar's range")),
        Some(Some(value)) => Ok(value),
    }
}

fn undefined(at: usize, operator: Operator, a: &Value, b: &Value) -> Failure {
    let symbol = operator.symbol();
    let message = format!(
        "`{symbol}` isn't defined for {} `{a}` and {} `{b}`",
        a.kind(),
        b.kind()
    );
    fail(at, message)
}

/// What an amount is counted in.
#[derive(Clone, Copy, PartialEq)]
enum Measure<'v> {
    Nothing,
    Currency(&'v str),
    Unit(&'v str),
}

impl Measure<'_> {
    fn of(self, amount: Number) -> Value {
        match self {
            Self::Nothing => Value::Number(amount),
            Self::Currency(code) => Value::Money {
                amount,
                currency: code.to_owned(),
            },
            Self::Unit(unit) => Value::Quantity {
                amount,
                unit: unit.to_owned(),
            },
        }
    }
}

fn measured(value: &Value) -> Option<(Number, Measure<'_>)> {
    match value {
        Value::Number(number) => Some((*number, Measure::Nothing)),
        Value::Money { amount, currency } => Some((*amount, Measure::Currency(currency))),
        Value::Quantity { amount, unit } => Some((*amount, Measure::Unit(unit))),
        _ => None,
    }
}

/// What the result is counted in, where the operation is defined: amounts add up in one
/// measure, are multiplied and divided by bare numbers, and their ratio is one.
fn result_measure<'v>(operator: Operator, a: Measure<'v>, b: Measure<'v>) -> Option<Measure<'v>> {
    match (operator, a, b) {
        (Operator::Add | Operator::Subtract, a, b) => (a == b).then_some(a),
        (Operator::Multiply, Measure::Nothing, like) => Some(like),
        (Operator::Multiply | Operator::Divide, like, Measure::Nothing) => Some(like),
        (Operator::Divide, a, b) => (a == b).then_some(Measure::Nothing),
        (Operator::Power, Measure::Nothing, Measure::Nothing) => Some(Measure::Nothing),
        _ => None,
    }
}

fn on_numbers(operator: Operator, x: Number, y: Number) -> Result<Number, ArithmeticError> {
    match operator {
        Operator::Add => x.checked_add(y),
        Operator::Subtract => x.checked_sub(y),
        Operator::Multiply => x.checked_mul(y),
        Operator::Divide => x.checked_div(y),
        Operator::Power => x.checked_pow(y),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use crate::{
        Facts, Value,
        sfeel::{Names, Scope, calculate, parse_expression},
    };

    fn value(text: &str) -> String {
        let facts: Facts = [
            ("a", "7.50 EUR"),
            ("b", "2.50 EUR"),
            ("c", "1 USD"),
            ("q", "3 KGM"),
        ]
        .map(|(name, text)| {
            let (amount, unit) = text.split_once(' ').unwrap();
            let (amount, unit) = (amount.parse().unwrap(), unit.to_owned());
            let value = if name == "q" {
                Value::Quantity { amount, unit }
            } else {
                Value::Money {
                    amount,
                    currency: unit,
                }
            };
            (name, value)
        })
        .into_iter()
        .collect();
        let node = parse_expression(text, &Names::new(["a", "b", "c", "q"])).unwrap();
        match calculate(&node, &Scope::untyped(&facts)) {
            Ok(value) => value.unwrap().to_string(),
            Err(failure) => failure.message,
        }
    }

    #[test]
    fn amounts_keep_their_measure() {
        assert_eq!(value("a + b"), "10.00 EUR");
        assert_eq!(value("a / b"), "3");
        assert_eq!(value("2 * a - b"), "12.50 EUR");
        assert_eq!(value("-q / 2"), "-1.5 KGM");
        assert_eq!(
            value("a + c"),
            "`+` isn't defined for money `7.50 EUR` and money `1 USD`"
        );
        assert_eq!(
            value("1 / (a - 3 * b)"),
            "`/` isn't defined for number `1` and money `0.00 EUR`"
        );
        assert_eq!(value("a / (a - 3 * b)"), "division by zero");
    }

    #[test]
    fn clocks_go_round_and_regions_keep_their_hours() {
        assert_eq!(value("time(\"23:30:00\") + duration(\"PT1H\")"), "00:30:00");
        assert_eq!(
            value("time(\"10:00:00+01:00\") - time(\"08:30:00Z\")"),
            "PT30M"
        );
        assert_eq!(
            value("date and time(\"2024-01-31T10:00:00\") + duration(\"P1M\")"),
            "2024-02-29T10:00:00"
        );
        let paris = "date and time(\"2026-03-28T12:00:00@Europe/Paris\")";
        assert_eq!(
            value(&format!("{paris} + duration(\"PT24H\")")),
            "2026-03-29T13:00:00@Europe/Paris"
        );
        assert_eq!(
            value(&format!(
                "{paris} - date and time(\"2026-03-28T10:00:00Z\")"
            )),
            "PT1H"
        );
        assert_eq!(
            value(
                "date and time(\"2026-03-28T12:00:00\") - date and time(\"2026-03-28T10:00:00Z\")"
            ),
            "`-` isn't defined for local date and time `2026-03-28T12:00:00` and date and time \
             `2026-03-28T10:00:00Z`"
        );
    }

    #[test]
    fn the_calendar_is_counted_as_it_is() {
        assert_eq!(
            value("date(\"2024-01-31\") + duration(\"P1M\")"),
            "2024-02-29"
        );
        assert_eq!(
            value("date(\"2024-03-01\") - duration(\"P1D\")"),
            "2024-02-29"
        );
        assert_eq!(value("date(\"2024-03-01\") - date(\"2024-02-01\")"), "P29D");
        assert_eq!(value("duration(\"P1D\") - duration(\"PT25H\")"), "-PT1H");
        assert_eq!(value("duration(\"P1D\") * 1.5"), "P1DT12H");
        assert_eq!(value("2 * duration(\"-P7M\")"), "-P1Y2M");
        assert_eq!(value("duration(\"PT1S\") / 3"), "PT0.333333333S");
        assert_eq!(value("duration(\"P1Y\") / duration(\"P5M\")"), "2.4");
        assert_eq!(
            value("duration(\"P1Y\") / duration(\"P0M\")"),
            "division by zero"
        );
        assert_eq!(value("duration(\"P1D\") / 0"), "division by zero");
        assert_eq!(
            value("duration(\"P1D\") + date(\"2024-02-28\")"),
            "2024-02-29"
        );
        let later = "date and time(\"2026-10-25T00:30:00+02:00\") + duration(\"P1DT1H\")";
        assert_eq!(value(later), "2026-10-26T01:30:00+02:00");
        assert_eq!(
            value("date(\"9999-12-31\") + duration(\"P1D\")"),
            "the result is out of the calendar's range"
        );
        let endless = "duration(\"P9999999999Y\") + duration(\"P1M\") + duration(\"P1M\")";
        assert_eq!(value(endless), "P9999999999Y2M");
        assert_eq!(value("\"a\" + \"b\""), "ab");
        assert_eq!(
            value("\"a\" - \"b\""),
            "`-` isn't defined for string `a` and string `b`"
        );
    }
}
