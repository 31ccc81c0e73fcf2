//! What expressions come to, and whether tests are met, where facts may be unknown.

mod blocks;
mod env;
mod logic;
mod path;
mod scope;
mod sort;

use std::{cmp::Ordering, fmt};

use env::Env;
use logic::Truth;
pub(super) use scope::Work;
pub use scope::{Environment, Given, Scope};

use super::{Comparison, Node, Property, Test};
use crate::value::Value;

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

/// What a function gives, or why it gives nothing.
pub(super) type Outcome = Result<Value, String>;

pub(crate) fn fail(at: usize, message: impl Into<String>) -> Failure {
    Failure {
        input: 0,
        row: None,
        at,
        message: message.into(),
    }
}

/// The value of an expression; `None` where it depends on unknown facts. Arithmetic on
/// null gives null.
///
/// # Errors
/// If an operation has no result, under [`Mode::Strict`](super::Mode::Strict), or a limit is
/// met.
pub fn calculate(node: &Node, scope: &Scope<'_>) -> Result<Option<Value>, Failure> {
    Env::new(scope, None).value(node)
}

/// Whether a value meets a test. Null counts as DMN has it: a comparison with it is
/// neither true nor false, and neither is met, nor its `not(…)`.
///
/// # Errors
/// As [`calculate`].
pub fn meets(test: &Test, value: &Value, scope: &Scope<'_>) -> Result<Met, Failure> {
    met(test, Some(value), scope)
}

/// The same of a value that is unknown, and may be null.
pub(crate) fn may_meet(test: &Test, scope: &Scope<'_>) -> Result<Met, Failure> {
    met(test, None, scope)
}

fn met(test: &Test, value: Option<&Value>, scope: &Scope<'_>) -> Result<Met, Failure> {
    let (alternatives, wanted) = match test {
        Test::Any => return Ok(Met::Yes),
        Test::Positive(alternatives) => (alternatives, true),
        Test::Not(alternatives) => (alternatives, false),
    };
    let any = Env::new(scope, value).any_holds(alternatives)?;
    Ok(match (any, wanted) {
        (Truth::Known(Some(met)), _) if met == wanted => Met::Yes,
        // `not` of null isn't met whatever the unknown alternatives come to.
        (Truth::Known(_), _) | (Truth::NullOr, false) => Met::No,
        (Truth::Unknown | Truth::NullOr, _) => Met::Unknown,
    })
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
        (Some(property), value) => path::part(value, property.name()).unwrap_or(Value::Null),
    }
}
