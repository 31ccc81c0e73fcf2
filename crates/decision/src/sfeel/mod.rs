//! FEEL (DMN 1.5, chapters 9 and 10): input expressions, and the unary tests of cells.

mod arithmetic;
mod ast;
mod check;
mod constants;
mod display;
mod eval;
mod functions;
mod lexer;
mod mode;
mod names;
mod parser;

pub use ast::{
    Arguments, Bound, Comparison, Connective, Expression, Function, Iteration, Node, Operator,
    Property, Quantifier, Test, TypeName, Unary,
};
pub use check::{check_expression, check_expression_in, check_test, check_test_in};
pub(crate) use display::Constant;
pub(crate) use eval::may_meet;
pub use eval::{Environment, Failure, Given, Met, Scope, calculate, meets};
pub(crate) use eval::{fail, holds, part};
pub use functions::Builtin;
pub(crate) use lexer::is_name_part;
pub use mode::Mode;
pub(crate) use names::Entries;
pub use names::Names;
pub use parser::{parse_expression, parse_test};

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
