//! The one canonical text of expressions and tests, and (by `{:#}`) the text that files hold:
//! the same, with every digit of numbers and instants by the clocks they were told by.

use std::fmt::{self, Display};

use super::{
    Arguments, Bound, Comparison, Expression, Function, Iteration, Node, Test, TypeName, Unary,
};
use crate::{limits, number::Number, value::Value};

/// Writes parts in order, each as the whole is asked for.
macro_rules! parts {
    ($f:expr, $($part:expr),+ $(,)?) => {{
        $(Display::fmt(&$part, $f)?;)+
        Ok(())
    }};
}

impl Display for Node {
    /// The canonical text: parses to the same expression, and is equal for equal ones.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expression {
            Expression::Compare(comparison, left, right) => {
                let symbol = comparison.symbol();
                parts!(f, Operand(left), " ", symbol, " ", Operand(right))
            }
            Expression::Logic(connective, left, right) => {
                let symbol = connective.symbol();
                parts!(f, Operand(left), " ", symbol, " ", Operand(right))
            }
            Expression::Between(parts) => {
                let [value, low, high] = parts.each_ref().map(Operand);
                parts!(f, value, " between ", low, " and ", high)
            }
            Expression::In(value, tests) => {
                parts!(f, Operand(value), " in (", Listed(tests), ")")
            }
            Expression::InstanceOf(value, ty) => parts!(f, Base(value), " instance of ", ty),
            Expression::If(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                parts!(f, "if ", condition, " then ", then, " else ", otherwise)
            }
            Expression::For(iterations, body) => {
                parts!(f, "for ", Listed(iterations), " return ", body)
            }
            Expression::Quantified(quantifier, iterations, condition) => {
                let iterations = Listed(iterations);
                parts!(
                    f,
                    quantifier.keyword(),
                    " ",
                    iterations,
                    " satisfies ",
                    condition
                )
            }
            Expression::Lambda(parameters, body) => {
                parts!(f, "function(", Listed(parameters), ") ", body)
            }
            _ => Operand(self).fmt(f),
        }
    }
}

/// A node where only an operand can stand: in parentheses unless it closes by itself.
struct Operand<'n>(&'n Node);

impl Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.expression {
            Expression::Literal(value) => literal(f, value),
            Expression::Fact(name, None) | Expression::Local(name) | Expression::Item(name, _) => {
                f.write_str(name)
            }
            Expression::Fact(name, Some(property)) => parts!(f, name, ".", property.name()),
            Expression::Negate(inner) => parts!(f, "-(", inner, ")"),
            Expression::Arithmetic(operator, left, right) => {
                let symbol = operator.symbol();
                parts!(f, "(", Operand(left), " ", symbol, " ", Operand(right), ")")
            }
            Expression::List(items) => parts!(f, "[", Listed(items), "]"),
            Expression::Context(entries) => {
                let entry = |(name, entry): &(String, Node), f: &mut fmt::Formatter<'_>| {
                    let name = crate::json::write(&name.as_str().into());
                    parts!(f, name, ": ", entry)
                };
                f.write_str("{")?;
                separated(f, entries.iter(), entry)?;
                f.write_str("}")
            }
            Expression::Range(low, high) => {
                interval(f, low, high, Operand(&low.value), Operand(&high.value))
            }
            Expression::Input => f.write_str("?"),
            Expression::Path(value, name) => parts!(f, Base(value), ".", name),
            Expression::Filter(value, condition) => {
                parts!(f, Base(value), "[", condition, "]")
            }
            Expression::Call(function, arguments) => parts!(f, function, "(", arguments, ")"),
            _ => parts!(f, "(", self.0, ")"),
        }
    }
}

/// What a test compares with. Of an instant only that counts, not by which clock it is told.
struct End<'n>(&'n Node);

impl Display for End<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.literal() {
            Some(Value::DateTime(instant)) if !f.alternate() => {
                literal(f, &Value::DateTime(instant.to_utc().fixed_offset()))
            }
            _ => Operand(self.0).fmt(f),
        }
    }
}

/// A node that a path or filter follows: a number would take the point for its own.
struct Base<'n>(&'n Node);

impl Display for Base<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.expression {
            Expression::Literal(Value::Number(_)) | Expression::Negate(_) => {
                parts!(f, "(", self.0, ")")
            }
            _ => Operand(self.0).fmt(f),
        }
    }
}

/// A constant as FEEL has it.
pub(crate) struct Constant<'v>(pub(crate) &'v Value);

impl Display for Constant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        literal(f, self.0)
    }
}

/// Writes a constant as FEEL has it.
fn literal(f: &mut fmt::Formatter<'_>, value: &Value) -> fmt::Result {
    let exact = f.alternate();
    let digits = |number: Number| match exact {
        true => number.to_string(),
        false => written_out(number),
    };
    match value {
        Value::Number(number) => f.write_str(&digits(*number)),
        Value::Date(_) => write!(f, "date(\"{value}\")"),
        Value::DateTime(_) | Value::LocalDateTime(_) => write!(f, "date and time(\"{value}\")"),
        Value::Time(_) => write!(f, "time(\"{value}\")"),
        Value::DaysDuration(_) | Value::MonthsDuration(_) => write!(f, "duration(\"{value}\")"),
        Value::Null | Value::Boolean(_) => write!(f, "{value}"),
        Value::List(items) => {
            f.write_str("[")?;
            separated(f, items.iter(), |item, f| literal(f, item))?;
            f.write_str("]")
        }
        Value::Context(entries) => {
            f.write_str("{")?;
            separated(f, entries.iter(), |(name, entry), f| {
                write!(f, "{}: ", crate::json::write(&name.as_str().into()))?;
                literal(f, entry)
            })?;
            f.write_str("}")
        }
        Value::String(_) => f.write_str(&crate::json::canonical(value)),
        // FEEL has no such constants; a column of the type reads their texts.
        Value::Money {
            amount,
            currency: of,
        }
        | Value::Quantity { amount, unit: of } => {
            let amount = digits(*amount);
            f.write_str(&crate::json::canonical(&format!("{amount} {of}").into()))
        }
    }
}

/// The one text of a number that people read best: without trailing zeros behind the point,
/// and without an exponent where all digits fit.
fn written_out(number: Number) -> String {
    let number = number.normalized();
    let digits = number.coefficient().unsigned_abs().to_string().len();
    match usize::try_from(number.exponent()) {
        Ok(zeros) if !number.is_zero() && digits + zeros <= limits::DIGITS => {
            format!("{}{}", number.coefficient(), "0".repeat(zeros))
        }
        _ => number.to_string(),
    }
}

/// Items with commas between them.
fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    items: impl Iterator<Item = T>,
    write: impl Fn(T, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.enumerate() {
        f.write_str(if index > 0 { ", " } else { "" })?;
        write(item, f)?;
    }
    Ok(())
}

struct Listed<'i, T>(&'i [T]);

impl<T: Display> Display for Listed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        separated(f, self.0.iter(), Display::fmt)
    }
}

/// Tests of which one is to be met. None are those of an empty list: nothing is in it.
struct Alternatives<'t>(&'t [Unary]);

impl Display for Alternatives<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("[]"),
            tests => Listed(tests).fmt(f),
        }
    }
}

fn interval(
    f: &mut fmt::Formatter<'_>,
    low: &Bound,
    high: &Bound,
    from: impl Display,
    to: impl Display,
) -> fmt::Result {
    let open = if low.closed { "[" } else { "]" };
    let close = if high.closed { "]" } else { "[" };
    parts!(f, open, from, "..", to, close)
}

impl Display for Iteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.to {
            None => parts!(f, self.name, " in ", Operand(&self.from)),
            Some(to) => {
                let (from, to) = (Operand(&self.from), Operand(to));
                parts!(f, self.name, " in ", from, "..", to)
            }
        }
    }
}

impl Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(builtin) => f.write_str(builtin.name()),
            Self::Defined(name) | Self::Local(name) => f.write_str(name),
        }
    }
}

impl Display for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Positional(nodes) => Listed(nodes).fmt(f),
            Self::Named(nodes) => separated(f, nodes.iter(), |(name, node), f| {
                parts!(f, name, ": ", node)
            }),
        }
    }
}

impl Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(of) if **of == Self::Any => f.write_str("list"),
            Self::List(of) => write!(f, "list<{of}>"),
            simple => f.write_str(simple.name()),
        }
    }
}

fn negation(node: &Node) -> bool {
    let not = Function::Builtin(super::Builtin::Not);
    matches!(&node.expression, Expression::Call(function, _) if *function == not)
}

impl Display for Unary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(Comparison::Equal, value) => End(value).fmt(f),
            Self::Compare(comparison, value) => {
                parts!(f, comparison.symbol(), " ", End(value))
            }
            // A bare constant would be compared with the input.
            Self::Boolean(condition) if condition.literal().is_some() => {
                f.write_str(match condition.literal() {
                    Some(Value::Boolean(true)) => "true = true",
                    Some(Value::Boolean(false)) => "true = false",
                    _ => "null and null",
                })
            }
            // `not(…)` alone would be read as the negation of tests.
            Self::Boolean(condition) if negation(condition) => parts!(f, "(", condition, ")"),
            Self::Boolean(condition) => condition.fmt(f),
            Self::Interval { low, high } => {
                interval(f, low, high, End(&low.value), End(&high.value))
            }
        }
    }
}

impl Display for Test {
    /// The canonical text: parses to the same test, and is equal for equal tests.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("-"),
            Self::Positive(tests) => Alternatives(tests).fmt(f),
            Self::Not(tests) => parts!(f, "not(", Alternatives(tests), ")"),
        }
    }
}
