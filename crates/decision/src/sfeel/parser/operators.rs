//! Operators, from those that bind least to those that bind most.

use super::Parser;
use crate::{
    sfeel::{Comparison, Connective, Error, Expression, Node, Operator, TypeName, Unary},
    value::Value,
};

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Node, Error> {
        self.nested(Self::disjunction)
    }

    fn disjunction(&mut self) -> Result<Node, Error> {
        let mut left = self.conjunction()?;
        while self.cursor.eat_word("or") {
            let right = self.conjunction()?;
            left = self.logic(Connective::Or, left, right)?;
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Node, Error> {
        let mut left = self.comparison()?;
        while self.cursor.eat_word("and") {
            let right = self.comparison()?;
            left = self.logic(Connective::And, left, right)?;
        }
        Ok(left)
    }

    fn logic(&mut self, connective: Connective, left: Node, right: Node) -> Result<Node, Error> {
        let at = left.at;
        self.chained(
            at,
            Expression::Logic(connective, Box::new(left), Box::new(right)),
        )
    }

    fn comparison(&mut self) -> Result<Node, Error> {
        let mut left = self.sum()?;
        loop {
            let at = left.at;
            let expression = if let Some(comparison) = self.comparison_symbol() {
                let right = self.sum()?;
                Expression::Compare(comparison, Box::new(left), Box::new(right))
            } else if self.cursor.eat_word("between") {
                let low = self.sum()?;
                self.require_word("and")?;
                let high = self.sum()?;
                Expression::Between(Box::new([left, low, high]))
            } else if self.cursor.eat_word("in") {
                Expression::In(Box::new(left), self.tests_after_in()?)
            } else {
                return Ok(left);
            };
            left = self.chained(at, expression)?;
        }
    }

    /// `(a, b)`, or one test without parentheses.
    fn tests_after_in(&mut self) -> Result<Vec<Unary>, Error> {
        if self.cursor.eat("(") {
            let first = self.nested(Self::alternative)?;
            // A parenthesis opens a list of tests, or an interval without its lower end.
            if let Unary::Compare(Comparison::Equal, low) | Unary::Boolean(low) = &first
                && self.cursor.eat("..")
            {
                let (low, high) = self.upper_end(low.clone(), false)?;
                return Ok(vec![Unary::Interval { low, high }]);
            }
            let tests = self.alternatives_after(first)?;
            self.require(")")?;
            return Ok(tests);
        }
        Ok(vec![self.nested(Self::plain_alternative)?])
    }

    pub(super) fn comparison_symbol(&mut self) -> Option<Comparison> {
        // Longer symbols first.
        let symbols = [
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
            ("!=", Comparison::NotEqual),
            ("=", Comparison::Equal),
        ];
        symbols
            .into_iter()
            .find(|(symbol, _)| self.cursor.eat(symbol))
            .map(|(_, comparison)| comparison)
    }

    pub(super) fn sum(&mut self) -> Result<Node, Error> {
        let mut left = self.product()?;
        loop {
            let operator = match self.cursor.peek() {
                Some('+') => Operator::Add,
                Some('-') => Operator::Subtract,
                _ => return Ok(left),
            };
            self.cursor.go_to(self.cursor.at() + 1);
            let right = self.product()?;
            left = self.arithmetic(operator, left, right)?;
        }
    }

    fn product(&mut self) -> Result<Node, Error> {
        let mut left = self.power()?;
        loop {
            let operator = match self.cursor.peek() {
                Some('*') if self.cursor.peek_at(1) != Some('*') => Operator::Multiply,
                Some('/') => Operator::Divide,
                _ => return Ok(left),
            };
            self.cursor.go_to(self.cursor.at() + 1);
            let right = self.power()?;
            left = self.arithmetic(operator, left, right)?;
        }
    }

    /// Powers group from the left, and negation binds tighter, as FEEL's grammar says.
    fn power(&mut self) -> Result<Node, Error> {
        let mut left = self.negation()?;
        while self.cursor.eat("**") {
            let right = self.negation()?;
            left = self.arithmetic(Operator::Power, left, right)?;
        }
        Ok(left)
    }

    fn arithmetic(&mut self, operator: Operator, left: Node, right: Node) -> Result<Node, Error> {
        let at = left.at;
        self.chained(
            at,
            Expression::Arithmetic(operator, Box::new(left), Box::new(right)),
        )
    }

    fn negation(&mut self) -> Result<Node, Error> {
        if self.cursor.peek() != Some('-') {
            return self.instance();
        }
        let at = self.cursor.at();
        self.cursor.eat("-");
        let inner = self.nested(Self::negation)?;
        // A negative number is a constant; all else is negated when its value is known.
        let expression = match inner.expression {
            Expression::Literal(Value::Number(number)) => {
                Expression::Literal(Value::Number(number.negated()))
            }
            _ => Expression::Negate(Box::new(inner)),
        };
        Ok(self.node(at, expression))
    }

    fn instance(&mut self) -> Result<Node, Error> {
        let value = self.operand()?;
        if !self.cursor.eat_word("instance of") {
            return Ok(value);
        }
        let at = value.at;
        let ty = self.type_name()?;
        self.chained(at, Expression::InstanceOf(Box::new(value), ty))
    }

    fn type_name(&mut self) -> Result<TypeName, Error> {
        let simple = |parser: &mut Self| {
            TypeName::SIMPLE
                .into_iter()
                .find(|ty| parser.cursor.eat_word(ty.name()))
        };
        if let Some(ty) = simple(self) {
            return Ok(ty);
        }
        if !self.cursor.eat_word("list") {
            return self.cursor.unexpected("the name of a type");
        }
        if !self.cursor.eat("<") {
            return Ok(TypeName::List(Box::new(TypeName::Any)));
        }
        let of = self.nested(Self::type_name)?;
        self.require(">")?;
        Ok(TypeName::List(Box::new(of)))
    }
}
