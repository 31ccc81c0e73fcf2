//! The unary tests of cells, and of `in`.

use super::Parser;
use crate::sfeel::{Bound, Comparison, Error, Expression, Function, Node, Test, Unary};

impl Parser<'_> {
    pub(super) fn test(&mut self) -> Result<Test, Error> {
        if self.cursor.eat("-") && self.cursor.peek().is_none() {
            return Ok(Test::Any);
        }
        self.cursor.go_to(0);
        if let Some(negated) = self.negated()? {
            return Ok(negated);
        }
        self.alternatives().map(Test::Positive)
    }

    /// `not(…)` and nothing behind it; else it is only the beginning of a condition.
    fn negated(&mut self) -> Result<Option<Test>, Error> {
        let start = self.cursor.at();
        if self.cursor.eat_word("not") && self.cursor.eat("(") {
            let tests = self.alternatives();
            let reached = self.cursor.at();
            match tests {
                Ok(tests) if self.cursor.eat(")") => {
                    if self.cursor.peek().is_none() {
                        return Ok(Some(Test::Not(tests)));
                    }
                }
                Ok(_) => return self.cursor.unexpected("`,` or `)`"),
                Err(error) => {
                    self.cursor.go_to(reached);
                    return Err(error);
                }
            }
        }
        self.cursor.go_to(start);
        Ok(None)
    }

    pub(super) fn alternatives(&mut self) -> Result<Vec<Unary>, Error> {
        let first = self.nested(Self::alternative)?;
        self.alternatives_after(first)
    }

    pub(super) fn alternatives_after(&mut self, first: Unary) -> Result<Vec<Unary>, Error> {
        let mut tests = vec![first];
        while self.cursor.eat(",") {
            tests.push(self.nested(Self::alternative)?);
        }
        Ok(tests)
    }

    pub(super) fn alternative(&mut self) -> Result<Unary, Error> {
        if let Some(comparison) = self.comparison_symbol() {
            return Ok(Unary::Compare(comparison, self.sum()?));
        }
        self.condition()
    }

    /// One test without parentheses around it, as `in` takes it: no `and` belongs to it.
    pub(super) fn plain_alternative(&mut self) -> Result<Unary, Error> {
        let start = self.cursor.peek();
        let at = self.cursor.at();
        if let Some('[' | ']') = start {
            match self.interval() {
                Err(error) => self.give_up(error),
                interval => return interval,
            }
            self.cursor.go_to(at);
        }
        let comparison = self.comparison_symbol();
        Ok(Unary::Compare(
            comparison.unwrap_or(Comparison::Equal),
            self.sum()?,
        ))
    }

    fn condition(&mut self) -> Result<Unary, Error> {
        let node = self.expression()?;
        Ok(match node.expression {
            // A bracket opens an interval, a list or an operand; only `..` tells.
            Expression::Range(low, high) => Unary::Interval {
                low: *low,
                high: *high,
            },
            _ if is_condition(&node) => Unary::Boolean(node),
            _ => Unary::Compare(Comparison::Equal, node),
        })
    }

    /// `[a..b]`, with `(` or `]` for an open lower end and `)` or `[` for an upper one.
    pub(super) fn interval(&mut self) -> Result<Unary, Error> {
        let low_closed = self.cursor.eat("[");
        if !low_closed && !self.cursor.eat("]") && !self.cursor.eat("(") {
            return self.cursor.unexpected("an interval");
        }
        let low = self.sum()?;
        self.require("..")?;
        let (low, high) = self.upper_end(low, low_closed)?;
        Ok(Unary::Interval { low, high })
    }

    /// What follows `..`.
    pub(super) fn upper_end(&mut self, low: Node, closed: bool) -> Result<(Bound, Bound), Error> {
        let high = self.sum()?;
        let high_closed = self.cursor.eat("]");
        if !high_closed && !self.cursor.eat("[") && !self.cursor.eat(")") {
            return self
                .cursor
                .unexpected("the closing bracket of the interval");
        }
        let low = Bound { value: low, closed };
        let high = Bound {
            value: high,
            closed: high_closed,
        };
        Ok((low, high))
    }
}

/// Whether an expression is true or false by its form, or says itself what it asks of `?`.
fn is_condition(node: &Node) -> bool {
    match &node.expression {
        Expression::Compare(..)
        | Expression::Logic(..)
        | Expression::Between(_)
        | Expression::In(..)
        | Expression::InstanceOf(..)
        | Expression::Quantified(..) => true,
        Expression::Call(Function::Builtin(builtin), _) if builtin.is_condition() => true,
        _ => node.has_input(),
    }
}
