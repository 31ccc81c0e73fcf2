//! Functions on numbers (DMN 1.5, 10.3.4.5).

use super::given::{self, need};
use crate::{
    number::{ArithmeticError, Number, Rounding},
    sfeel::eval::{Outcome, Work},
    temporal::{DaysDuration, MonthsDuration},
    value::Value,
};

fn settled(result: Result<Number, ArithmeticError>) -> Outcome {
    result.map(Value::Number).map_err(|error| error.to_string())
}

fn rounded(arguments: &[Value], rounding: Rounding) -> Outcome {
    let number = need!(given::number(arguments, 0));
    let scale = match arguments.len() {
        1 => 0,
        _ => need!(given::whole(arguments, 1)),
    };
    let in_range = (-6_111..=6_176).contains(&scale);
    let scale = i32::try_from(scale).ok().filter(|_| in_range);
    scale
        .and_then(|scale| number.rounded_to(scale, rounding))
        .map(Value::Number)
        .ok_or_else(|| "the scale is beyond the range of decimal128".to_owned())
}

pub(super) fn decimal(arguments: &[Value], _: &Work) -> Outcome {
    rounded(arguments, Rounding::HalfEven)
}

pub(super) fn floor(arguments: &[Value], _: &Work) -> Outcome {
    rounded(arguments, Rounding::Floor)
}

pub(super) fn ceiling(arguments: &[Value], _: &Work) -> Outcome {
    rounded(arguments, Rounding::Ceiling)
}

pub(super) fn round_up(arguments: &[Value], _: &Work) -> Outcome {
    rounded(arguments, Rounding::Up)
}

pub(super) fn round_down(arguments: &[Value], _: &Work) -> Outcome {
    rounded(arguments, Rounding::Down)
}

pub(super) fn round_half_up(arguments: &[Value], _: &Work) -> Outcome {
    rounded(arguments, Rounding::HalfUp)
}

pub(super) fn round_half_down(arguments: &[Value], _: &Work) -> Outcome {
    rounded(arguments, Rounding::HalfDown)
}

/// The magnitude of a number, an amount or a duration.
pub(super) fn abs(arguments: &[Value], _: &Work) -> Outcome {
    let too_long = || "the duration is too long".to_owned();
    Ok(match given::one(arguments, 0) {
        Value::Null => Value::Null,
        Value::Number(number) => Value::Number(number.magnitude()),
        Value::Money { amount, currency } => Value::Money {
            amount: amount.magnitude(),
            currency: currency.clone(),
        },
        Value::Quantity { amount, unit } => Value::Quantity {
            amount: amount.magnitude(),
            unit: unit.clone(),
        },
        Value::DaysDuration(span) => Value::DaysDuration(DaysDuration(span.0.abs())),
        Value::MonthsDuration(months) => {
            Value::MonthsDuration(MonthsDuration(months.0.checked_abs().ok_or_else(too_long)?))
        }
        other => return Err(format!("no magnitude of a {}", other.kind())),
    })
}

pub(super) fn modulo(arguments: &[Value], _: &Work) -> Outcome {
    let dividend = need!(given::number(arguments, 0));
    settled(dividend.checked_modulo(need!(given::number(arguments, 1))))
}

pub(super) fn sqrt(arguments: &[Value], _: &Work) -> Outcome {
    settled(need!(given::number(arguments, 0)).checked_sqrt())
}

pub(super) fn log(arguments: &[Value], work: &Work) -> Outcome {
    work.take(16)?;
    settled(need!(given::number(arguments, 0)).checked_ln())
}

pub(super) fn exp(arguments: &[Value], work: &Work) -> Outcome {
    work.take(16)?;
    settled(need!(given::number(arguments, 0)).checked_exp())
}

/// Whether a whole number leaves `rest` when halved; null for others.
fn halved(arguments: &[Value], rest: i32) -> Outcome {
    let number = need!(given::number(arguments, 0));
    let two = Number::from(2);
    match number.checked_modulo(two) {
        Ok(remainder) => Ok((remainder == Number::from(rest)).into()),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn odd(arguments: &[Value], _: &Work) -> Outcome {
    halved(arguments, 1)
}

pub(super) fn even(arguments: &[Value], _: &Work) -> Outcome {
    halved(arguments, 0)
}
