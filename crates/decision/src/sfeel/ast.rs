//! The syntax tree, and its one canonical text.

use std::fmt;

use crate::value::Value;

/// An expression and where it begins, in characters from the start of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it begins.
    pub at: usize,
    /// What it is.
    pub expression: Expression,
}

/// An arithmetic expression or comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// A constant.
    Literal(Value),
    /// The value of a fact, or a part of it.
    Fact(String, Option<Property>),
    /// The negation of a number or duration.
    Negate(Box<Node>),
    /// Arithmetic on two operands.
    Arithmetic(Operator, Box<Node>, Box<Node>),
    /// A comparison of two operands, with a boolean result.
    Compare(Comparison, Box<Node>, Box<Node>),
}

/// A part of a value of money or a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// The bare number.
    Amount,
    /// The ISO 4217 code.
    Currency,
    /// The unit.
    Unit,
}

/// An arithmetic operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `**`
    Power,
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
}

/// What a cell asks of its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// `-`: nothing.
    Any,
    /// At least one of these.
    Positive(Vec<Unary>),
    /// `not(…)`: none of these.
    Not(Vec<Unary>),
}

/// One alternative of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unary {
    /// Equal to a value, or ordered to it as a comparison says.
    Compare(Comparison, Node),
    /// Between two values.
    Interval {
        /// The lower end.
        low: Bound,
        /// The upper end.
        high: Bound,
    },
}

/// An end of an interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The value at the end.
    pub value: Node,
    /// Whether the value itself belongs to the interval.
    pub closed: bool,
}

impl Node {
    /// Calls `visit` with the name of every fact in this expression.
    pub fn facts<'n>(&'n self, visit: &mut dyn FnMut(&'n str)) {
        match &self.expression {
            Expression::Literal(_) => {}
            Expression::Fact(name, _) => visit(name),
            Expression::Negate(inner) => inner.facts(visit),
            Expression::Arithmetic(_, left, right) | Expression::Compare(_, left, right) => {
                left.facts(visit);
                right.facts(visit);
            }
        }
    }

    /// The constant, if this is one.
    #[must_use]
    pub fn literal(&self) -> Option<&Value> {
        match &self.expression {
            Expression::Literal(value) => Some(value),
            _ => None,
        }
    }
}

impl Test {
    /// The alternatives, whichever way they count.
    #[must_use]
    pub fn alternatives(&self) -> &[Unary] {
        match self {
            Self::Any => &[],
            Self::Positive(tests) | Self::Not(tests) => tests,
        }
    }

    pub(crate) fn alternatives_mut(&mut self) -> &mut [Unary] {
        match self {
            Self::Any => &mut [],
            Self::Positive(tests) | Self::Not(tests) => tests,
        }
    }

    /// Every end and operand in this test.
    pub fn operands(&self) -> impl Iterator<Item = &Node> {
        self.alternatives().iter().flat_map(|test| match test {
            Unary::Compare(_, value) => [Some(value), None].into_iter().flatten(),
            Unary::Interval { low, high } => {
                [Some(&low.value), Some(&high.value)].into_iter().flatten()
            }
        })
    }
}

impl Property {
    /// The name behind the dot.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Amount => "amount",
            Self::Currency => "currency",
            Self::Unit => "unit",
        }
    }
}

impl Comparison {
    /// The operator.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "=",
            Self::NotEqual => "!=",
        }
    }
}

impl Operator {
    /// The operator.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Power => "**",
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expression {
            Expression::Literal(value) => literal(f, value),
            Expression::Fact(name, None) => f.write_str(name),
            Expression::Fact(name, Some(property)) => write!(f, "{name}.{}", property.name()),
            Expression::Negate(inner) => write!(f, "-({inner})"),
            Expression::Arithmetic(operator, left, right) => {
                write!(f, "({left} {} {right})", operator.symbol())
            }
            Expression::Compare(comparison, left, right) => {
                write!(f, "{left} {} {right}", comparison.symbol())
            }
        }
    }
}

/// Writes a constant as S-FEEL has it.
fn literal(f: &mut fmt::Formatter<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::Number(number) => write!(f, "{}", number.normalized()),
        Value::Date(_) => write!(f, "date(\"{value}\")"),
        Value::DateTime(instant) => {
            let utc = Value::DateTime(instant.to_utc().fixed_offset());
            write!(f, "date and time(\"{utc}\")")
        }
        Value::DaysDuration(_) | Value::MonthsDuration(_) => write!(f, "duration(\"{value}\")"),
        Value::Null | Value::Boolean(_) => write!(f, "{value}"),
        other => f.write_str(&crate::json::canonical(other)),
    }
}

impl fmt::Display for Unary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(Comparison::Equal, value) => write!(f, "{value}"),
            Self::Compare(comparison, value) => write!(f, "{} {value}", comparison.symbol()),
            Self::Interval { low, high } => {
                let open = if low.closed { '[' } else { ']' };
                let close = if high.closed { ']' } else { '[' };
                write!(f, "{open}{}..{}{close}", low.value, high.value)
            }
        }
    }
}

impl fmt::Display for Test {
    /// The canonical text: parses to the same test, and is equal for equal tests.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, tests: &[Unary]| {
            for (index, test) in tests.iter().enumerate() {
                if index > 0 {
                    f.write_str(", ")?;
                }
                write!(f, "{test}")?;
            }
            Ok(())
        };
        match self {
            Self::Any => f.write_str("-"),
            Self::Positive(tests) => list(f, tests),
            Self::Not(tests) => {
                f.write_str("not(")?;
                list(f, tests)?;
                f.write_str(")")
            }
        }
    }
}
