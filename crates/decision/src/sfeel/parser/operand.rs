//! Operands: constants, names, calls, and the paths and filters behind them.

use super::Parser;
use crate::{
    number::Number,
    sfeel::{
        Arguments, Builtin, Error, Expression, Function, Mode, Node, Property, constants,
        lexer::is_name_part, names::Index,
    },
    value::Value,
};

/// What a name stands for.
enum Named {
    Local(String),
    Entry(String),
    Fact(String),
    Function(String),
}

impl Parser<'_> {
    pub(super) fn operand(&mut self) -> Result<Node, Error> {
        let next = self.cursor.peek();
        let at = self.cursor.at();
        let base = match next {
            Some('(') => self.parenthesis(at)?,
            Some('"') => {
                let text = self.string()?;
                self.node(at, Expression::Literal(Value::String(text)))
            }
            Some('@') => self.at_literal(at)?,
            Some('[' | ']') => {
                let list = self.nested(Self::list)?;
                self.node(at, list)
            }
            Some('{') => {
                let context = self.nested(Self::context)?;
                self.node(at, context)
            }
            Some('?') => {
                self.cursor.eat("?");
                self.node(at, Expression::Input)
            }
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(at)?,
            _ => self.word(at)?,
        };
        self.behind(base)
    }

    /// What stands in parentheses, or an interval whose lower end is open.
    fn parenthesis(&mut self, at: usize) -> Result<Node, Error> {
        self.cursor.eat("(");
        let inner = self.expression()?;
        if self.cursor.eat("..") {
            let range = self.range(inner, false)?;
            return Ok(self.node(at, range));
        }
        self.require(")")?;
        Ok(inner)
    }

    fn number(&mut self, at: usize) -> Result<Node, Error> {
        let Some(text) = self.cursor.number() else {
            return self.cursor.unexpected("a value");
        };
        let number: Number = text
            .parse()
            .map_err(|error: crate::number::ParseError| Error::new(at, error.to_string()))?;
        Ok(self.node(at, Expression::Literal(Value::Number(number))))
    }

    /// `@"2026-11-24"`: the text says what it is.
    fn at_literal(&mut self, at: usize) -> Result<Node, Error> {
        self.cursor.eat("@");
        if self.cursor.peek_at(0) != Some('"') {
            return self.cursor.unexpected("a text in quotes after `@`");
        }
        let text = self.string()?;
        match constants::any(&text) {
            Some(value) => Ok(self.node(at, Expression::Literal(value))),
            None => Err(Error::new(
                at,
                format!("`{text}` is no date, time, date and time or duration"),
            )),
        }
    }

    /// A call, a name, a keyword, or a constant by name.
    fn word(&mut self, at: usize) -> Result<Node, Error> {
        let named = self.longest_name();
        if let Some((function, end)) = self.longest_function()
            && named.as_ref().is_none_or(|(_, name_end)| end >= *name_end)
        {
            self.cursor.go_to(end);
            return self.call(at, function);
        }
        if let Some((named, end)) = named {
            self.cursor.go_to(end);
            let expression = self.meaning(at, named);
            return Ok(self.node(at, expression));
        }
        for (word, value) in [
            ("true", Value::Boolean(true)),
            ("false", Value::Boolean(false)),
            ("null", Value::Null),
        ] {
            if self.cursor.eat_word(word) {
                return Ok(self.node(at, Expression::Literal(value)));
            }
        }
        if let Some(block) = self.nested(|parser| parser.block(at))? {
            return Ok(block);
        }
        self.strange(at)
    }

    /// A word that nothing is known by: inside a filter an entry, elsewhere wrong.
    fn strange(&mut self, at: usize) -> Result<Node, Error> {
        if self.filters > 0 && self.cursor.peek().is_some_and(char::is_alphabetic) {
            let name = self.new_word();
            return Ok(self.node(at, Expression::Item(name, None)));
        }
        match self.cursor.strange_name() {
            Some(name) if self.cursor.peek() == Some('(') => Err(Error::new(
                at,
                format!("`{name}` is no function that is known here"),
            )),
            Some(name) => {
                let message = format!("`{name}` is no fact that is declared here");
                Err(Error::new(at, message))
            }
            None => self.cursor.unexpected("a value"),
        }
    }

    /// The longest name that stands here, and where it ends.
    fn longest_name(&self) -> Option<(Named, usize)> {
        let mut best: Option<(Named, usize)> = None;
        let mut offer = |named: fn(String) -> Named, found: Option<(&str, usize)>| {
            if let Some((name, end)) = found
                && best.as_ref().is_none_or(|(_, longest)| end > *longest)
            {
                best = Some((named(name.to_owned()), end));
            }
        };
        // Of equal ones the innermost meaning comes first.
        for local in self.locals.iter().rev() {
            offer(Named::Local, self.stands(&local.name));
        }
        if self.filters > 0 {
            for entries in self.names.entries() {
                offer(Named::Entry, self.longest_of(entries));
            }
            for name in &self.entries {
                offer(Named::Entry, self.stands(name));
            }
        }
        offer(Named::Fact, self.longest_of(self.names.facts()));
        // A function that isn't called is one to be called by another.
        offer(Named::Function, self.longest_of(self.names.functions()));
        best
    }

    /// A name and where it ends, if it stands here.
    fn stands<'s>(&self, name: &'s str) -> Option<(&'s str, usize)> {
        Some((name, self.cursor.end_of(name)?))
    }

    /// The longest of some names that stands here, and where it ends.
    fn longest_of<'s>(&self, names: &'s Index) -> Option<(&'s str, usize)> {
        let text = self.cursor.rest();
        let ends = |at: usize| !text.get(at).copied().is_some_and(is_name_part);
        let (name, length) = names.longest(text, ends)?;
        Some((name, self.cursor.at() + length))
    }

    fn meaning(&self, at: usize, named: Named) -> Expression {
        let fact = |name: &str| {
            let known = self.names.facts().contains(name);
            known.then(|| Expression::Fact(name.to_owned(), None))
        };
        let (name, outside) = match named {
            Named::Local(name) => {
                let local = self.locals.iter().rev().find(|local| local.name == name);
                let expression = Expression::Local(name.clone());
                if local.is_none_or(|local| local.filters == self.filters) {
                    return expression;
                }
                (name, Some(expression))
            }
            Named::Function(name) => return Expression::Local(name),
            Named::Entry(name) => {
                let outside = fact(&name);
                (name, outside)
            }
            Named::Fact(name) => {
                let outside = Expression::Fact(name.clone(), None);
                if self.filters == 0 {
                    return outside;
                }
                (name, Some(outside))
            }
        };
        let outside = outside.map(|expression| Box::new(self.node(at, expression)));
        Expression::Item(name, outside)
    }

    /// The longest name of a function that is called here.
    fn longest_function(&self) -> Option<(Function, usize)> {
        let first = self.cursor.peek_at(0)?;
        let called = |name: &str| {
            let end = self.cursor.end_of(name)?;
            (self.cursor.beyond(end) == Some('(')).then_some(end)
        };
        let mut found: Vec<(Function, usize)> = Vec::new();
        for local in self.locals.iter().rev() {
            let end = called(&local.name);
            found.extend(end.map(|end| (Function::Local(local.name.clone()), end)));
        }
        let (at, text) = (self.cursor.at(), self.cursor.rest());
        let ends = |length: usize| {
            !text.get(length).copied().is_some_and(is_name_part)
                && self.cursor.beyond(at + length) == Some('(')
        };
        let defined = self.names.functions().longest(text, ends);
        found.extend(
            defined.map(|(name, length)| (Function::Defined(name.to_owned()), at + length)),
        );
        for builtin in Builtin::ALL.iter().filter(|b| b.name().starts_with(first)) {
            let end = called(builtin.name());
            found.extend(end.map(|end| (Function::Builtin(*builtin), end)));
        }
        // `max_by_key` would take the last of equals, and the innermost comes first.
        found.into_iter().rev().max_by_key(|(_, end)| *end)
    }

    fn call(&mut self, at: usize, function: Function) -> Result<Node, Error> {
        self.cursor.eat("(");
        let arguments = self.nested(Self::arguments)?;
        let Function::Builtin(builtin) = function else {
            return Ok(self.node(at, Expression::Call(function, arguments)));
        };
        if self.names.mode() == Mode::Strict
            && let Err(message) = builtin.takes(&arguments)
        {
            return Err(Error::new(at, message));
        }
        if let (Some(node), 1) = (arguments.nodes().next(), arguments.nodes().count())
            && let Some(Value::String(text)) = node.literal()
            && let Some(read) = constants::reader(builtin)
        {
            match read(text) {
                Some(value) => return Ok(self.node(at, Expression::Literal(value))),
                None if self.names.mode() == Mode::Strict => {
                    let name = builtin.name();
                    let message = format!("`{text}` is no {name} in ISO 8601 form");
                    return Err(Error::new(node.at, message));
                }
                None => {}
            }
        }
        Ok(self.node(at, Expression::Call(function, arguments)))
    }

    /// Up to the closing parenthesis.
    fn arguments(&mut self) -> Result<Arguments, Error> {
        if self.cursor.eat(")") {
            return Ok(Arguments::Positional(Vec::new()));
        }
        if let Some(name) = self.argument_name() {
            let mut named: Vec<(String, Node)> = vec![(name, self.expression()?)];
            while !self.cursor.eat(")") {
                if !self.cursor.eat(",") {
                    return self.cursor.unexpected("`,` or `)`");
                }
                let Some(name) = self.argument_name() else {
                    return self.cursor.unexpected("the name of a parameter and `:`");
                };
                let value = self.expression()?;
                if named.iter().any(|(other, _)| *other == name) {
                    let message = format!("argument `{name}` stands twice");
                    return Err(Error::new(value.at, message));
                }
                named.push((name, value));
            }
            return Ok(Arguments::Named(named));
        }
        let mut positional = vec![self.expression()?];
        while !self.cursor.eat(")") {
            if !self.cursor.eat(",") {
                return self.cursor.unexpected("`,` or `)`");
            }
            positional.push(self.expression()?);
        }
        Ok(Arguments::Positional(positional))
    }

    /// A name and the colon behind it. It may hold what names of parameters hold, but no
    /// symbol that only expressions have.
    fn argument_name(&mut self) -> Option<String> {
        self.cursor.peek();
        let symbols = |c: &char| ":\"'(){}[],@?<>=".contains(*c);
        let rest = self.cursor.rest();
        let end = rest.iter().position(symbols)?;
        if rest[end] != ':' {
            return None;
        }
        let name: String = rest[..end].iter().collect();
        let words: Vec<_> = name.split_whitespace().collect();
        let place = self.cursor.at() + end + 1;
        self.cursor.go_to(place);
        Some(words.join(" ")).filter(|name| !name.is_empty())
    }

    /// Paths and filters behind an operand.
    fn behind(&mut self, mut base: Node) -> Result<Node, Error> {
        loop {
            let next = self.cursor.peek();
            let at = base.at;
            base = match next {
                Some('.') if self.cursor.peek_at(1) != Some('.') => match self.path_name() {
                    None => return Ok(base),
                    Some(name) => {
                        let expression = path(base, name);
                        self.chained(at, expression)?
                    }
                },
                Some('[') if !matches!(base.expression, Expression::Range(..)) => {
                    let start = self.cursor.at();
                    match self.filter() {
                        Ok(condition) => {
                            let filter = Expression::Filter(Box::new(base), Box::new(condition));
                            self.chained(at, filter)?
                        }
                        // The bracket may close an interval.
                        Err(error) => {
                            self.give_up(error);
                            self.cursor.go_to(start);
                            return Ok(base);
                        }
                    }
                }
                _ => return Ok(base),
            };
        }
    }

    fn filter(&mut self) -> Result<Node, Error> {
        self.cursor.eat("[");
        self.filters += 1;
        let bound = self.locals.len();
        self.bind("item");
        let condition = self.expression();
        self.unbind(bound);
        self.filters -= 1;
        let condition = condition?;
        self.require("]")?;
        Ok(condition)
    }

    /// The name behind a point, if one stands there.
    fn path_name(&mut self) -> Option<String> {
        let dot = self.cursor.at();
        self.cursor.go_to(dot + 1);
        let first = self.cursor.peek()?;
        let own = self.entries.iter().map(String::as_str);
        let longest = own
            .chain(["time offset", "start included", "end included"])
            .filter_map(|name| self.stands(name))
            .chain(
                self.names
                    .entries()
                    .into_iter()
                    .filter_map(|names| self.longest_of(names)),
            )
            .max_by_key(|(_, end)| *end);
        if let Some((name, end)) = longest {
            let name = name.to_owned();
            self.cursor.go_to(end);
            return Some(name);
        }
        if first.is_alphabetic() || first == '_' {
            return Some(self.new_word());
        }
        self.cursor.go_to(dot);
        None
    }

    /// One word that stands here.
    fn new_word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.cursor.peek_at(0).filter(|c| is_name_part(*c)) {
            word.push(c);
            self.cursor.go_to(self.cursor.at() + 1);
        }
        word
    }
}

/// A part of money or a quantity where that may be meant, else any entry.
fn path(base: Node, name: String) -> Expression {
    let properties = [Property::Amount, Property::Currency, Property::Unit];
    match (
        &base.expression,
        properties.into_iter().find(|p| p.name() == name),
    ) {
        (Expression::Fact(fact, None), Some(property)) => {
            Expression::Fact(fact.clone(), Some(property))
        }
        _ => Expression::Path(Box::new(base), name),
    }
}
