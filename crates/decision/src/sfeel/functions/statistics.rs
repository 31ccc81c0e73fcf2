//! Functions that make one value of many (DMN 1.5, 10.3.4.4). They take one list, or the
//! values themselves. Null stands for no value: with one among them there is none.

use std::cmp::Ordering;

use super::given;
use crate::{
    number::{ArithmeticError, Number},
    sfeel::{
        Operator, arithmetic,
        eval::{Outcome, Work},
    },
    value::Value,
};

pub(super) fn count(arguments: &[Value], _: &Work) -> Outcome {
    let Some(items) = given::items(arguments) else {
        return Ok(Value::Null);
    };
    let count = i64::try_from(items.len()).map_err(|error| error.to_string())?;
    Ok(Value::Number(count.into()))
}

/// The one that comes first as `wanted` says.
fn extreme(arguments: &[Value], wanted: Ordering) -> Outcome {
    let mut items = given::items(arguments).unwrap_or_default().iter();
    let Some(mut best) = items.next() else {
        return Ok(Value::Null);
    };
    for item in items {
        if matches!((best, item), (Value::Null, _) | (_, Value::Null)) {
            return Ok(Value::Null);
        }
        match item.compare(best) {
            Some(order) if order == wanted => best = item,
            Some(_) => {}
            None => {
                let (a, b) = (best.kind(), item.kind());
                return Err(format!("{a} `{best}` and {b} `{item}` have no order"));
            }
        }
    }
    // One alone must have an order too.
    match (best, best.compare(best)) {
        (Value::Null, _) | (_, Some(_)) => Ok(best.clone()),
        _ => Err(format!("a {} has no order", best.kind())),
    }
}

pub(super) fn min(arguments: &[Value], _: &Work) -> Outcome {
    extreme(arguments, Ordering::Less)
}

pub(super) fn max(arguments: &[Value], _: &Work) -> Outcome {
    extreme(arguments, Ordering::Greater)
}

/// All values put together by an operator; null for none.
fn folded(arguments: &[Value], operator: Operator) -> Outcome {
    let mut items = given::items(arguments).unwrap_or_default().iter();
    let Some(mut total) = items.next().cloned() else {
        return Ok(Value::Null);
    };
    if !matches!(
        total,
        Value::Null
            | Value::Number(_)
            | Value::Money { .. }
            | Value::Quantity { .. }
            | Value::DaysDuration(_)
            | Value::MonthsDuration(_)
    ) {
        return Err(format!("found a {}, expected numbers", total.kind()));
    }
    for item in items {
        if total == Value::Null || *item == Value::Null {
            return Ok(Value::Null);
        }
        total =
            arithmetic::operate(0, operator, &total, item).map_err(|failure| failure.message)?;
    }
    Ok(total)
}

pub(super) fn sum(arguments: &[Value], _: &Work) -> Outcome {
    folded(arguments, Operator::Add)
}

pub(super) fn product(arguments: &[Value], _: &Work) -> Outcome {
    folded(arguments, Operator::Multiply)
}

pub(super) fn mean(arguments: &[Value], _: &Work) -> Outcome {
    let total = folded(arguments, Operator::Add)?;
    let count = given::items(arguments).unwrap_or_default().len();
    let count = i64::try_from(count).map_err(|error| error.to_string())?;
    if total == Value::Null {
        return Ok(total);
    }
    let count = Value::Number(count.into());
    arithmetic::operate(0, Operator::Divide, &total, &count).map_err(|failure| failure.message)
}

/// Numbers in order; `None` with a null among them.
fn sorted(arguments: &[Value]) -> Result<Option<Vec<Number>>, String> {
    let mut numbers = Vec::new();
    let Some(items) = given::items(arguments) else {
        return Ok(None);
    };
    for item in items {
        match item {
            Value::Number(number) => numbers.push(*number),
            Value::Null => return Ok(None),
            other => return Err(format!("found a {}, expected numbers", other.kind())),
        }
    }
    numbers.sort();
    Ok(Some(numbers))
}

fn settled(result: Result<Number, ArithmeticError>) -> Outcome {
    result.map(Value::Number).map_err(|error| error.to_string())
}

pub(super) fn median(arguments: &[Value], _: &Work) -> Outcome {
    let Some(numbers) = sorted(arguments)? else {
        return Ok(Value::Null);
    };
    let middle = numbers.len() / 2;
    match (numbers.len() % 2, numbers.get(middle)) {
        (_, None) => Ok(Value::Null),
        (1, Some(number)) => Ok(Value::Number(*number)),
        (_, Some(upper)) => {
            let sum = upper.checked_add(numbers[middle - 1]);
            settled(sum.and_then(|sum| sum.checked_div(Number::from(2))))
        }
    }
}

/// The standard deviation of a sample.
pub(super) fn stddev(arguments: &[Value], _: &Work) -> Outcome {
    let Some(numbers) = sorted(arguments)?.filter(|numbers| numbers.len() > 1) else {
        return Ok(Value::Null);
    };
    let count = i64::try_from(numbers.len()).map_err(|error| error.to_string())?;
    let spread = || {
        let mut total = Number::ZERO;
        for number in &numbers {
            total = total.checked_add(*number)?;
        }
        let mean = total.checked_div(count.into())?;
        let mut squares = Number::ZERO;
        for number in &numbers {
            let distance = number.checked_sub(mean)?;
            squares = squares.checked_add(distance.checked_mul(distance)?)?;
        }
        squares.checked_div((count - 1).into())?.checked_sqrt()
    };
    settled(spread())
}

/// The most frequent numbers, in order.
pub(super) fn mode(arguments: &[Value], _: &Work) -> Outcome {
    let Some(numbers) = sorted(arguments)? else {
        return Ok(Value::Null);
    };
    let runs: Vec<&[Number]> = numbers.chunk_by(|a, b| a == b).collect();
    let most = runs.iter().map(|run| run.len()).max().unwrap_or(0);
    let frequent = runs.iter().filter(|run| run.len() == most);
    Ok(Value::List(
        frequent.map(|run| Value::Number(run[0])).collect(),
    ))
}

/// Three-valued logic over all items: `decisive` among them is the result.
fn all_or_any(arguments: &[Value], decisive: bool) -> Outcome {
    let Some(items) = given::items(arguments) else {
        return Ok(Value::Null);
    };
    let mut null = false;
    for item in items {
        match item {
            Value::Boolean(value) if *value == decisive => return Ok(decisive.into()),
            Value::Boolean(_) => {}
            Value::Null => null = true,
            other => return Err(format!("found a {}, expected booleans", other.kind())),
        }
    }
    Ok(if null {
        Value::Null
    } else {
        Value::Boolean(!decisive)
    })
}

pub(super) fn all(arguments: &[Value], _: &Work) -> Outcome {
    all_or_any(arguments, false)
}

pub(super) fn any(arguments: &[Value], _: &Work) -> Outcome {
    all_or_any(arguments, true)
}
