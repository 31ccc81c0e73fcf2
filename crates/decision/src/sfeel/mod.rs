//! S-FEEL (DMN 1.5, chapter 9): the expressions of inputs and the unary tests of cells.

mod arithmetic;
mod ast;
mod check;
mod eval;
mod lexer;
mod parser;

pub use ast::{Bound, Comparison, Expression, Node, Operator, Property, Test, Unary};
pub(crate) use check::{check_expression, check_test};
pub use eval::{Failure, Met};
pub(crate) use eval::{Scope, calculate, holds, meets, part};
pub use parser::{Names, parse_expression, parse_test};

/// Something wrong in a text, at a place counted in characters from its start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Characters before the place.
    pub at: usize,
    /// What was found and what was wanted.
    pub message: String,
}

impl Error {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
        }
    }
}
