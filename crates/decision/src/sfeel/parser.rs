//! Recursive descent over S-FEEL's grammar (DMN 1.5, 9.2), with a bound on depth.

use super::{
    Bound, Comparison, Error, Expression, Node, Operator, Property, Test, Unary, lexer::Cursor,
};
use crate::{
    limits,
    number::Number,
    temporal::{Duration, parse_date, parse_date_time, parse_duration},
    value::Value,
};

/// The facts an expression may name, longest first: a name may hold spaces and the
/// characters of operators, so only the known ones tell where it ends.
#[derive(Debug, Clone, Default)]
pub struct Names(Vec<String>);

/// Words that begin something else than a name.
const RESERVED: [&str; 8] = [
    "true",
    "false",
    "null",
    "not",
    "date",
    "date and time",
    "duration",
    "time",
];

impl Names {
    /// Takes the names; reserved words aren't reachable as facts.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut sorted: Vec<String> = names.into_iter().map(str::to_owned).collect();
        sorted.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        sorted.dedup();
        Self(sorted)
    }

    /// Whether a word can't be the name of a fact.
    #[must_use]
    pub fn is_reserved(name: &str) -> bool {
        RESERVED.contains(&name)
    }
}

/// Reads an input expression: arithmetic, or one comparison of two such.
///
/// # Errors
/// With the place of the first problem.
pub fn parse_expression(text: &str, names: &Names) -> Result<Node, Error> {
    let mut parser = Parser::new(text, names)?;
    let left = parser.sum(0)?;
    let node = match parser.comparison(true) {
        None => left,
        Some(comparison) => {
            let right = parser.sum(0)?;
            Node {
                at: left.at,
                expression: Expression::Compare(comparison, Box::new(left), Box::new(right)),
            }
        }
    };
    parser.end(node)
}

/// Reads the unary tests of a cell.
///
/// # Errors
/// With the place of the first problem.
pub fn parse_test(text: &str, names: &Names) -> Result<Test, Error> {
    let mut parser = Parser::new(text, names)?;
    if text.trim() == "-" {
        return Ok(Test::Any);
    }
    let start = parser.cursor.at();
    if parser.cursor.eat_word("not") && parser.cursor.eat("(") {
        let tests = parser.alternatives()?;
        if !parser.cursor.eat(")") {
            return parser.cursor.unexpected("`,` or `)`");
        }
        return parser.end(Test::Not(tests));
    }
    parser.cursor.go_to(start);
    let tests = parser.alternatives()?;
    parser.end(Test::Positive(tests))
}

struct Parser<'n> {
    cursor: Cursor,
    names: &'n Names,
    operators: usize,
}

/// Most operators in one text: a chain of them is as deep as it is long.
const MAX_OPERATORS: usize = 256;

impl<'n> Parser<'n> {
    fn new(text: &str, names: &'n Names) -> Result<Self, Error> {
        if text.len() > limits::CELL_BYTES {
            let message = format!("expression is longer than {} bytes", limits::CELL_BYTES);
            return Err(Error::new(0, message));
        }
        Ok(Self {
            cursor: Cursor::new(text),
            names,
            operators: 0,
        })
    }

    fn end<T>(&mut self, parsed: T) -> Result<T, Error> {
        match self.cursor.peek() {
            None => Ok(parsed),
            Some(_) => self.cursor.unexpected("the end of the expression"),
        }
    }

    fn alternatives(&mut self) -> Result<Vec<Unary>, Error> {
        let mut tests = vec![self.alternative()?];
        while self.cursor.eat(",") {
            tests.push(self.alternative()?);
        }
        Ok(tests)
    }

    fn alternative(&mut self) -> Result<Unary, Error> {
        let start = self.cursor.peek().map(|first| (first, self.cursor.at()));
        match start {
            Some(('[' | ']', _)) => return self.interval(),
            // A parenthesis opens an interval or an operand; only `..` tells.
            Some(('(', at)) => {
                let interval = self.interval();
                if interval.is_ok() {
                    return interval;
                }
                let reached = self.cursor.at();
                self.cursor.go_to(at);
                let operand = self.sum(0);
                return match operand {
                    Ok(value) => Ok(Unary::Compare(Comparison::Equal, value)),
                    // The reading that got further knows better what is wrong.
                    Err(error) if reached > error.at => interval,
                    Err(error) => Err(error),
                };
            }
            _ => {}
        }
        let comparison = self.comparison(false).unwrap_or(Comparison::Equal);
        Ok(Unary::Compare(comparison, self.sum(0)?))
    }

    /// `[a..b]`, with `(` or `]` for an open lower end and `)` or `[` for an upper one.
    fn interval(&mut self) -> Result<Unary, Error> {
        let low_closed = self.cursor.eat("[");
        if !low_closed && !self.cursor.eat("]") && !self.cursor.eat("(") {
            return self.cursor.unexpected("an interval");
        }
        let low = self.sum(0)?;
        if !self.cursor.eat("..") {
            return self.cursor.unexpected("`..`");
        }
        let high = self.sum(0)?;
        let high_closed = self.cursor.eat("]");
        if !high_closed && !self.cursor.eat("[") && !self.cursor.eat(")") {
            return self
                .cursor
                .unexpected("the closing bracket of the interval");
        }
        Ok(Unary::Interval {
            low: Bound {
                value: low,
                closed: low_closed,
            },
            high: Bound {
                value: high,
                closed: high_closed,
            },
        })
    }

    fn comparison(&mut self, equality: bool) -> Option<Comparison> {
        // Longer symbols first.
        let ordered = [
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let equal = [("!=", Comparison::NotEqual), ("=", Comparison::Equal)];
        let symbols = ordered.iter().chain(equal.iter().filter(|_| equality));
        symbols
            .into_iter()
            .find(|(symbol, _)| self.cursor.eat(symbol))
            .map(|(_, c)| *c)
    }

    fn sum(&mut self, depth: usize) -> Result<Node, Error> {
        let mut left = self.product(depth)?;
        loop {
            let operator = match self.cursor.peek() {
                Some('+') => Operator::Add,
                Some('-') => Operator::Subtract,
                _ => return Ok(left),
            };
            self.cursor.go_to(self.cursor.at() + 1);
            let right = self.product(depth)?;
            left = self.arithmetic(operator, left, right)?;
        }
    }

    fn product(&mut self, depth: usize) -> Result<Node, Error> {
        let mut left = self.power(depth)?;
        loop {
            let operator = match self.cursor.peek() {
                Some('*') if self.cursor.peek_at(1) != Some('*') => Operator::Multiply,
                Some('/') => Operator::Divide,
                _ => return Ok(left),
            };
            self.cursor.go_to(self.cursor.at() + 1);
            let right = self.power(depth)?;
            left = self.arithmetic(operator, left, right)?;
        }
    }

    /// Powers group from the left, and negation binds tighter, as FEEL's grammar says.
    fn power(&mut self, depth: usize) -> Result<Node, Error> {
        let mut left = self.operand(depth)?;
        while self.cursor.eat("**") {
            let right = self.operand(depth)?;
            left = self.arithmetic(Operator::Power, left, right)?;
        }
        Ok(left)
    }

    fn arithmetic(&mut self, operator: Operator, left: Node, right: Node) -> Result<Node, Error> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            let message = format!("expression has more than {MAX_OPERATORS} operators");
            return Err(Error::new(self.cursor.at(), message));
        }
        Ok(Node {
            at: left.at,
            expression: Expression::Arithmetic(operator, Box::new(left), Box::new(right)),
        })
    }

    fn operand(&mut self, depth: usize) -> Result<Node, Error> {
        let next = self.cursor.peek();
        let at = self.cursor.at();
        if depth > limits::EXPRESSION_DEPTH {
            let message = format!("expression nests deeper than {}", limits::EXPRESSION_DEPTH);
            return Err(Error::new(at, message));
        }
        let expression = match next {
            Some('(') => {
                self.cursor.eat("(");
                let inner = self.sum(depth + 1)?;
                if !self.cursor.eat(")") {
                    return self.cursor.unexpected("`)`");
                }
                return Ok(inner);
            }
            Some('-') => {
                self.cursor.eat("-");
                negate(self.operand(depth + 1)?)
            }
            Some('"') => Expression::Literal(Value::String(self.cursor.string()?)),
            Some('@') => {
                self.cursor.eat("@");
                self.at_literal(at)?
            }
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(at)?,
            _ => self.word(at)?,
        };
        Ok(Node { at, expression })
    }

    fn number(&mut self, at: usize) -> Result<Expression, Error> {
        let Some(text) = self.cursor.number() else {
            return self.cursor.unexpected("a value");
        };
        let number: Number = text
            .parse()
            .map_err(|error: crate::number::ParseError| Error::new(at, error.to_string()))?;
        Ok(Expression::Literal(Value::Number(number)))
    }

    /// A fact, a constant by name, or a constructor of a date or duration.
    fn word(&mut self, at: usize) -> Result<Expression, Error> {
        let names = self.names;
        if let Some(name) = names.0.iter().find(|name| self.cursor.eat_word(name)) {
            return Ok(Expression::Fact(name.clone(), self.property()));
        }
        for (word, value) in [
            ("true", Value::Boolean(true)),
            ("false", Value::Boolean(false)),
            ("null", Value::Null),
        ] {
            if self.cursor.eat_word(word) {
                return Ok(Expression::Literal(value));
            }
        }
        for constructor in ["date and time", "date", "duration"] {
            if self.cursor.eat_word(constructor) {
                return self.constructor(constructor);
            }
        }
        match self.cursor.strange_name() {
            Some(name) => Err(Error::new(
                at,
                format!("`{name}` is no fact that is declared here"),
            )),
            None => self.cursor.unexpected("a value"),
        }
    }

    /// `.amount`, `.currency` or `.unit` behind a fact; other dots are left standing.
    fn property(&mut self) -> Option<Property> {
        if self.cursor.peek_at(0) != Some('.') {
            return None;
        }
        let dot = self.cursor.at();
        self.cursor.go_to(dot + 1);
        let found = [Property::Amount, Property::Currency, Property::Unit]
            .into_iter()
            .find(|property| self.cursor.eat_word(property.name()));
        if found.is_none() {
            self.cursor.go_to(dot);
        }
        found
    }

    fn constructor(&mut self, name: &str) -> Result<Expression, Error> {
        if !self.cursor.eat("(") || self.cursor.peek() != Some('"') {
            return self.cursor.unexpected(&format!("`(\"…\")` after `{name}`"));
        }
        let at = self.cursor.at();
        let text = self.cursor.string()?;
        if !self.cursor.eat(")") {
            return self.cursor.unexpected("`)`");
        }
        let value = match name {
            "date" => parse_date(&text).map(Value::Date),
            "date and time" => parse_date_time(&text).map(Value::DateTime),
            _ => duration(&text),
        };
        value
            .map(Expression::Literal)
            .ok_or_else(|| Error::new(at, format!("`{text}` is no {name} in ISO 8601 form")))
    }

    /// `@"2026-11-24"`: the text says what it is.
    fn at_literal(&mut self, at: usize) -> Result<Expression, Error> {
        if self.cursor.peek_at(0) != Some('"') {
            return self.cursor.unexpected("a text in quotes after `@`");
        }
        let text = self.cursor.string()?;
        parse_date(&text)
            .map(Value::Date)
            .or_else(|| parse_date_time(&text).map(Value::DateTime))
            .or_else(|| duration(&text))
            .map(Expression::Literal)
            .ok_or_else(|| {
                Error::new(
                    at,
                    format!("`{text}` is no date, date and time or duration"),
                )
            })
    }
}

fn duration(text: &str) -> Option<Value> {
    Some(match parse_duration(text)? {
        Duration::Days(days) => Value::DaysDuration(days),
        Duration::Months(months) => Value::MonthsDuration(months),
    })
}

/// A negative number is a constant; all else is negated when its value is known.
fn negate(operand: Node) -> Expression {
    match operand.expression {
        Expression::Literal(Value::Number(number)) => {
            Expression::Literal(Value::Number(number.negated()))
        }
        _ => Expression::Negate(Box::new(operand)),
    }
}
