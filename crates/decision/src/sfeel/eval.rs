//! What expressions come to, and whether tests are met, where facts may be unknown.

use std::{cmp::Ordering, fmt};

use super::{
    Comparison, Expression, Node, Operator, Property, Test, Unary,
    arithmetic::{is_zero, negate, operate},
    check::Types,
};
use crate::{
    number::ArithmeticError,
    types::Type,
    value::{Facts, Value},
};

/// An operation of an expression that has no result for these facts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Failure {
    /// The input whose expression failed, or whose cell did; set by the table.
    pub input: usize,
    /// The row whose cell failed; `None`: the input's own expression.
    pub row: Option<usize>,
    /// Characters before the operation in its text.
    pub at: usize,
    /// What went wrong.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "input {}", self.input + 1)?;
        if let Some(row) = self.row {
            write!(f, ", row {}", row + 1)?;
        }
        write!(f, ", character {}: {}", self.at + 1, self.message)
    }
}

impl std::error::Error for Failure {}

/// Whether a test is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Met {
    /// It isn't.
    No,
    /// It depends on facts that are unknown.
    Unknown,
    /// It is.
    Yes,
}

/// Facts, and the types they must have to count as known.
pub(crate) struct Scope<'f> {
    facts: &'f Facts,
    types: Option<&'f Types>,
}

impl<'f> Scope<'f> {
    pub(crate) fn new(facts: &'f Facts, types: &'f Types) -> Self {
        Self {
            facts,
            types: Some(types),
        }
    }

    pub(crate) fn untyped(facts: &'f Facts) -> Self {
        Self { facts, types: None }
    }

    /// The declared type of a fact.
    pub(crate) fn declared(&self, name: &str) -> Option<&'f Type> {
        self.types?.get(name)
    }

    /// The value of a fact as its type has it. One of another type, currency or unit is
    /// unknown: nothing in the table speaks of it.
    pub(crate) fn get(&self, name: &str) -> Option<Value> {
        let value = self.facts.get(name)?.clone();
        match self.declared(name) {
            Some(ty) => ty.coerce(value).ok(),
            None => Some(value),
        }
    }
}

pub(super) fn fail(at: usize, message: impl Into<String>) -> Failure {
    Failure {
        input: 0,
        row: None,
        at,
        message: message.into(),
    }
}

/// The value of an expression; `None` where it depends on unknown facts. Arithmetic on
/// null gives null.
pub(crate) fn calculate(node: &Node, scope: &Scope<'_>) -> Result<Option<Value>, Failure> {
    match &node.expression {
        Expression::Literal(value) => Ok(Some(value.clone())),
        Expression::Fact(name, property) => Ok(scope.get(name).map(|value| part(value, *property))),
        Expression::Negate(inner) => match calculate(inner, scope)? {
            Some(value) => negate(node.at, value).map(Some),
            None => Ok(None),
        },
        Expression::Arithmetic(operator, left, right) => {
            match (calculate(left, scope)?, calculate(right, scope)?) {
                (Some(Value::Null), _) | (_, Some(Value::Null)) => Ok(Some(Value::Null)),
                (Some(a), Some(b)) => operate(node.at, *operator, &a, &b).map(Some),
                // Whatever the dividend turns out to be.
                (None, Some(b)) if *operator == Operator::Divide && is_zero(&b) => {
                    Err(fail(node.at, ArithmeticError::DivisionByZero.to_string()))
                }
                _ => Ok(None),
            }
        }
        Expression::Compare(comparison, left, right) => {
            let truth = match (calculate(left, scope)?, calculate(right, scope)?) {
                (Some(a), Some(b)) => holds(*comparison, &a, &b),
                // What is unknown isn't null, so it differs from what is.
                (Some(Value::Null), None) | (None, Some(Value::Null)) => match comparison {
                    Comparison::Equal => Some(false),
                    Comparison::NotEqual => Some(true),
                    _ => None,
                },
                _ => return Ok(None),
            };
            Ok(Some(truth.map_or(Value::Null, Value::Boolean)))
        }
    }
}

/// Whether a value meets a test. Null counts as DMN has it: a comparison with it is
/// neither true nor false, and neither is met, nor its `not(…)`.
pub(crate) fn meets(test: &Test, value: &Value, scope: &Scope<'_>) -> Result<Met, Failure> {
    let (alternatives, wanted) = match test {
        Test::Any => return Ok(Met::Yes),
        Test::Positive(alternatives) => (alternatives, true),
        Test::Not(alternatives) => (alternatives, false),
    };
    let mut unknown = false;
    let mut null = false;
    for alternative in alternatives {
        match alternative_holds(alternative, value, scope)? {
            Holds::Truth(Some(true)) => return Ok(if wanted { Met::Yes } else { Met::No }),
            Holds::Truth(Some(false)) => {}
            Holds::Truth(None) => null = true,
            Holds::Unknown => unknown = true,
        }
    }
    Ok(match (unknown, null, wanted) {
        // `not` of null isn't met whatever the unknown alternatives come to.
        (_, true, false) => Met::No,
        (true, ..) => Met::Unknown,
        (false, _, true) => Met::No,
        (false, false, false) => Met::Yes,
    })
}

enum Holds {
    /// FEEL's true, false or null.
    Truth(Option<bool>),
    Unknown,
}

fn alternative_holds(test: &Unary, value: &Value, scope: &Scope<'_>) -> Result<Holds, Failure> {
    match test {
        Unary::Compare(comparison, operand) => Ok(match calculate(operand, scope)? {
            Some(operand) => Holds::Truth(holds(*comparison, value, &operand)),
            None => Holds::Unknown,
        }),
        Unary::Interval { low, high } => {
            let lower = if low.closed {
                Comparison::GreaterOrEqual
            } else {
                Comparison::Greater
            };
            let upper = if high.closed {
                Comparison::LessOrEqual
            } else {
                Comparison::Less
            };
            let a = calculate(&low.value, scope)?.map(|low| holds(lower, value, &low));
            let b = calculate(&high.value, scope)?.map(|high| holds(upper, value, &high));
            Ok(match (a, b) {
                // False on one side decides, whatever the other is.
                (Some(Some(false)), _) | (_, Some(Some(false))) => Holds::Truth(Some(false)),
                (None, _) | (_, None) => Holds::Unknown,
                (Some(a), Some(b)) => Holds::Truth(a.zip(b).map(|(a, b)| a && b)),
            })
        }
    }
}

/// FEEL's comparison: `None` is null.
pub(crate) fn holds(comparison: Comparison, a: &Value, b: &Value) -> Option<bool> {
    let ordered = |accept: fn(Ordering) -> bool| a.compare(b).map(accept);
    match comparison {
        Comparison::Less => ordered(Ordering::is_lt),
        Comparison::LessOrEqual => ordered(Ordering::is_le),
        Comparison::Greater => ordered(Ordering::is_gt),
        Comparison::GreaterOrEqual => ordered(Ordering::is_ge),
        Comparison::Equal => a.equals(b),
        Comparison::NotEqual => a.equals(b).map(|equal| !equal),
    }
}

pub(crate) fn part(value: Value, property: Option<Property>) -> Value {
    match (property, value) {
        (None, value) => value,
        (Some(Property::Amount), Value::Money { amount, .. } | Value::Quantity { amount, .. }) => {
            Value::Number(amount)
        }
        (Some(Property::Currency), Value::Money { currency: text, .. })
        | (Some(Property::Unit), Value::Quantity { unit: text, .. }) => Value::String(text),
        _ => Value::Null,
    }
}
