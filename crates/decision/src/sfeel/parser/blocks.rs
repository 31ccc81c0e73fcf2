//! Expressions with keywords of their own, and those that bind names.

use super::Parser;
use crate::sfeel::{Bound, Error, Expression, Iteration, Node, Quantifier, lexer::is_name_part};

impl Parser<'_> {
    /// `if`, `for`, `some`, `every` or `function`, if one stands here.
    pub(super) fn block(&mut self, at: usize) -> Result<Option<Node>, Error> {
        let expression = if self.cursor.eat_word("if") {
            self.conditional()?
        } else if self.cursor.eat_word("for") {
            let bound = self.locals.len();
            // What was returned so far is a list by this name.
            self.bind("partial");
            let iterations = self.iterations()?;
            self.require_word("return")?;
            let body = self.expression()?;
            self.unbind(bound);
            Expression::For(iterations, Box::new(body))
        } else if self.cursor.eat_word("some") {
            self.quantified(Quantifier::Some)?
        } else if self.cursor.eat_word("every") {
            self.quantified(Quantifier::Every)?
        } else if self.cursor.eat_word("function") {
            self.lambda()?
        } else {
            return Ok(None);
        };
        Ok(Some(self.node(at, expression)))
    }

    fn conditional(&mut self) -> Result<Expression, Error> {
        let condition = self.expression()?;
        self.require_word("then")?;
        let then = self.expression()?;
        self.require_word("else")?;
        let otherwise = self.expression()?;
        Ok(Expression::If(Box::new([condition, then, otherwise])))
    }

    fn quantified(&mut self, quantifier: Quantifier) -> Result<Expression, Error> {
        let bound = self.locals.len();
        let iterations = self.iterations()?;
        self.require_word("satisfies")?;
        let condition = self.expression()?;
        self.unbind(bound);
        Ok(Expression::Quantified(
            quantifier,
            iterations,
            Box::new(condition),
        ))
    }

    /// `x in list, i in 1..3`; later ones see the names of those before.
    fn iterations(&mut self) -> Result<Vec<Iteration>, Error> {
        let mut iterations = Vec::new();
        loop {
            let name = self.new_name("in")?;
            self.require_word("in")?;
            let from = self.nested(Self::sum)?;
            let to = match self.cursor.eat("..") {
                true => Some(self.nested(Self::sum)?),
                false => None,
            };
            self.bind(&name);
            iterations.push(Iteration { name, from, to });
            if !self.cursor.eat(",") {
                return Ok(iterations);
            }
        }
    }

    /// `(a, b: number) body`
    fn lambda(&mut self) -> Result<Expression, Error> {
        let bound = self.locals.len();
        let mut parameters = Vec::new();
        self.require("(")?;
        while !self.cursor.eat(")") {
            if !parameters.is_empty() {
                self.require(",")?;
            }
            let name = self.new_name("")?;
            if self.cursor.eat(":") {
                self.skip_type();
            }
            self.bind(&name);
            parameters.push(name);
        }
        let body = self.expression()?;
        self.unbind(bound);
        Ok(Expression::Lambda(parameters, Box::new(body)))
    }

    /// The type of a parameter: nothing here depends on it.
    fn skip_type(&mut self) {
        while self.cursor.peek().is_some_and(|c| !matches!(c, ',' | ')')) {
            self.cursor.go_to(self.cursor.at() + 1);
        }
    }

    /// A name that is bound here: words up to a symbol, or to the keyword that follows.
    pub(super) fn new_name(&mut self, keyword: &str) -> Result<String, Error> {
        let mut name = String::new();
        let starts = |c: char| c.is_alphabetic() || c == '_';
        while self.cursor.peek().is_some_and(is_name_part) {
            let at = self.cursor.at();
            if name.is_empty() && !self.cursor.peek().is_some_and(starts) {
                break;
            }
            if !name.is_empty() && !keyword.is_empty() && self.cursor.eat_word(keyword) {
                self.cursor.go_to(at);
                break;
            }
            if !name.is_empty() {
                name.push(' ');
            }
            while let Some(c) = self.cursor.peek_at(0).filter(|c| is_name_part(*c)) {
                name.push(c);
                self.cursor.go_to(self.cursor.at() + 1);
            }
        }
        if name.is_empty() {
            return self.cursor.unexpected("a name");
        }
        Ok(name)
    }

    /// `{a: 1, "b c": a + 1}`; stands at the brace.
    pub(super) fn context(&mut self) -> Result<Expression, Error> {
        self.cursor.eat("{");
        let bound = self.locals.len();
        let mut entries: Vec<(String, Node)> = Vec::new();
        while !self.cursor.eat("}") {
            if !entries.is_empty() && !self.cursor.eat(",") {
                return self.cursor.unexpected("`,` or `}`");
            }
            let at = {
                self.cursor.peek();
                self.cursor.at()
            };
            let name = match self.cursor.peek() {
                Some('"') => self.string()?,
                _ => self.entry_name()?,
            };
            if entries.iter().any(|(other, _)| *other == name) {
                return Err(Error::new(at, format!("entry `{name}` stands twice")));
            }
            self.require(":")?;
            let value = self.expression()?;
            self.bind(&name);
            self.entries.push(name.clone());
            entries.push((name, value));
        }
        self.unbind(bound);
        Ok(Expression::Context(entries))
    }

    /// A name up to the colon.
    fn entry_name(&mut self) -> Result<String, Error> {
        let starts = |c: char| c.is_alphabetic() || c == '_';
        if !self.cursor.peek().is_some_and(starts) {
            return self.cursor.unexpected("the name of an entry, or `}`");
        }
        let mut name = String::new();
        while let Some(c) = self
            .cursor
            .peek_at(0)
            .filter(|c| !matches!(c, ':' | ',' | '{' | '}' | '"'))
        {
            match (c.is_whitespace(), name.ends_with(' ')) {
                (true, true) => {}
                (true, false) => name.push(' '),
                (false, _) => name.push(c),
            }
            self.cursor.go_to(self.cursor.at() + 1);
        }
        Ok(name.trim_end().to_owned())
    }

    /// `[1, 2]`, or an interval as a value; stands at the bracket.
    pub(super) fn list(&mut self) -> Result<Expression, Error> {
        let start = self.cursor.at();
        if self.cursor.eat("]") {
            return match self.expression() {
                Ok(first) if self.cursor.eat("..") => self.range(first, false),
                // It rather closes something than that it opens an interval.
                _ => {
                    self.cursor.go_to(start);
                    self.cursor.unexpected("a value")
                }
            };
        }
        self.cursor.eat("[");
        if self.cursor.eat("]") {
            return Ok(Expression::List(Vec::new()));
        }
        let first = self.expression()?;
        if self.cursor.eat("..") {
            return self.range(first, true);
        }
        let mut items = vec![first];
        while !self.cursor.eat("]") {
            if !self.cursor.eat(",") {
                return self.cursor.unexpected("`,` or `]`");
            }
            items.push(self.expression()?);
        }
        Ok(Expression::List(items))
    }

    pub(super) fn range(&mut self, low: Node, closed: bool) -> Result<Expression, Error> {
        let (low, high): (Bound, Bound) = self.upper_end(low, closed)?;
        Ok(Expression::Range(Box::new(low), Box::new(high)))
    }
}
