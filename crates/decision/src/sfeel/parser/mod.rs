//! Recursive descent over FEEL's grammar (DMN 1.5, 10.3.1), with bounds on depth and size.

mod blocks;
mod operand;
mod operators;
mod unary;

use super::{Error, Expression, Mode, Node, Test, lexer::Cursor, names::Names};
use crate::limits;

/// Reads an expression.
///
/// # Errors
/// With the place of the first problem.
pub fn parse_expression(text: &str, names: &Names) -> Result<Node, Error> {
    Parser::new(text, names)?.whole(Parser::expression)
}

/// Reads the unary tests of a cell.
///
/// # Errors
/// With the place of the first problem.
pub fn parse_test(text: &str, names: &Names) -> Result<Test, Error> {
    Parser::new(text, names)?.whole(Parser::test)
}

struct Parser<'n> {
    cursor: Cursor,
    names: &'n Names,
    /// What contexts, loops and functions bind around here, the innermost last.
    locals: Vec<Local>,
    /// The names of entries of contexts in this text, so far.
    entries: Vec<String>,
    /// How many filters stand around here.
    filters: usize,
    depth: usize,
    /// How often something was begun to be read.
    attempts: usize,
    most_attempts: usize,
    operators: usize,
    /// What was wrong with the reading that got furthest of those that were given up.
    given_up: Option<Error>,
}

/// A name that is bound, and how many filters stand around its binding: an item's entry of
/// that name hides it inside any further one.
struct Local {
    name: String,
    filters: usize,
}

/// Most operators in one text: a chain of them is as deep as it is long.
const MAX_OPERATORS: usize = 256;
/// Most beginnings in one text, and for each of its bytes: what is read in two ways is begun
/// twice.
const ATTEMPTS: usize = 256;
const ATTEMPTS_BY_BYTE: usize = 8;

impl<'n> Parser<'n> {
    fn new(text: &str, names: &'n Names) -> Result<Self, Error> {
        if text.len() > limits::CELL_BYTES {
            let message = format!("expression is longer than {} bytes", limits::CELL_BYTES);
            return Err(Error::new(0, message));
        }
        Ok(Self {
            cursor: Cursor::new(text),
            names,
            locals: Vec::new(),
            entries: Vec::new(),
            filters: 0,
            depth: 0,
            attempts: 0,
            most_attempts: ATTEMPTS + ATTEMPTS_BY_BYTE * text.len(),
            operators: 0,
            given_up: None,
        })
    }

    /// All of the text. A reading that was given up and got further than what failed in the
    /// end knows better what is wrong.
    fn whole<T>(mut self, parse: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let parsed = parse(&mut self).and_then(|parsed| match self.cursor.peek() {
            None => Ok(parsed),
            Some(_) => self.cursor.unexpected("the end of the expression"),
        });
        match (parsed, self.given_up) {
            (Err(error), Some(further)) if further.at > error.at => Err(further),
            (parsed, _) => parsed,
        }
    }

    /// Keeps what was wrong with a reading that is given up for another.
    fn give_up(&mut self, error: Error) {
        if self.given_up.as_ref().is_none_or(|kept| kept.at < error.at) {
            self.given_up = Some(error);
        }
    }

    /// A node from a place to where the cursor stands.
    fn node(&self, at: usize, expression: Expression) -> Node {
        Node {
            at,
            end: self.cursor.at(),
            expression,
        }
    }

    /// A node that an operator made of what stands before it.
    fn chained(&mut self, at: usize, expression: Expression) -> Result<Node, Error> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            let message = format!("expression has more than {MAX_OPERATORS} operators");
            return Err(Error::new(self.cursor.at(), message));
        }
        Ok(self.node(at, expression))
    }

    /// Goes one level deeper while `parse` runs.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth >= limits::EXPRESSION_DEPTH {
            let at = self.cursor.at();
            let message = format!("expression nests deeper than {}", limits::EXPRESSION_DEPTH);
            return Err(Error::new(at, message));
        }
        self.attempts += 1;
        if self.attempts > self.most_attempts {
            return Err(Error::new(self.cursor.at(), "expression is too intricate"));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn string(&mut self) -> Result<String, Error> {
        self.cursor.string(self.names.mode() == Mode::Spec)
    }

    fn require(&mut self, symbol: &str) -> Result<(), Error> {
        if self.cursor.eat(symbol) {
            return Ok(());
        }
        self.cursor.unexpected(&format!("`{symbol}`"))
    }

    fn require_word(&mut self, word: &str) -> Result<(), Error> {
        if self.cursor.eat_word(word) {
            return Ok(());
        }
        self.cursor.unexpected(&format!("`{word}`"))
    }

    /// Forgets the names bound since there were `count`.
    fn unbind(&mut self, count: usize) {
        self.locals.truncate(count);
    }

    fn bind(&mut self, name: &str) {
        self.locals.push(Local {
            name: name.to_owned(),
            filters: self.filters,
        });
    }
}
