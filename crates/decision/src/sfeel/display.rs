//! The one canonical text of expressions and tests.

use std::fmt;

use super::{
    Arguments, Bound, Comparison, Expression, Function, Iteration, Node, Test, TypeName, Unary,
};
use crate::{limits, number::Number, value::Value};

impl fmt::Display for Node {
    /// The canonical text: parses to the same expression, and is equal for equal ones.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expression {
            Expression::Compare(comparison, left, right) => {
                let symbol = comparison.symbol();
                write!(f, "{} {symbol} {}", Operand(left), Operand(right))
            }
            Expression::Logic(connective, left, right) => {
                let symbol = connective.symbol();
                write!(f, "{} {symbol} {}", Operand(left), Operand(right))
            }
            Expression::Between(parts) => {
                let [value, low, high] = parts.each_ref().map(Operand);
                write!(f, "{value} between {low} and {high}")
            }
            Expression::In(value, tests) => {
                write!(f, "{} in (", Operand(value))?;
                list(f, tests)?;
                f.write_str(")")
            }
            Expression::InstanceOf(value, ty) => {
                write!(f, "{} instance of {ty}", Base(value))
            }
            Expression::If(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                write!(f, "if {condition} then {then} else {otherwise}")
            }
            Expression::For(iterations, body) => {
                f.write_str("for ")?;
                list(f, iterations)?;
                write!(f, " return {body}")
            }
            Expression::Quantified(quantifier, iterations, condition) => {
                write!(f, "{} ", quantifier.keyword())?;
                list(f, iterations)?;
                write!(f, " satisfies {condition}")
            }
            Expression::Lambda(parameters, body) => {
                f.write_str("function(")?;
                list(f, parameters)?;
                write!(f, ") {body}")
            }
            _ => write!(f, "{}", Operand(self)),
        }
    }
}

/// A node where only an operand can stand: in parentheses unless it closes by itself.
struct Operand<'n>(&'n Node);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.expression {
            Expression::Literal(value) => literal(f, value),
            Expression::Fact(name, None) | Expression::Local(name) | Expression::Item(name, _) => {
                f.write_str(name)
            }
            Expression::Fact(name, Some(property)) => write!(f, "{name}.{}", property.name()),
            Expression::Negate(inner) => write!(f, "-({inner})"),
            Expression::Arithmetic(operator, left, right) => {
                let symbol = operator.symbol();
                write!(f, "({} {symbol} {})", Operand(left), Operand(right))
            }
            Expression::List(items) => {
                f.write_str("[")?;
                list(f, items)?;
                f.write_str("]")
            }
            Expression::Context(entries) => {
                f.write_str("{")?;
                for (index, (name, entry)) in entries.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    write!(
                        f,
                        "{comma}{}: {entry}",
                        crate::json::write(&name.as_str().into())
                    )?;
                }
                f.write_str("}")
            }
            Expression::Range(low, high) => interval(f, low, high),
            Expression::Input => f.write_str("?"),
            Expression::Path(value, name) => write!(f, "{}.{name}", Base(value)),
            Expression::Filter(value, condition) => write!(f, "{}[{condition}]", Base(value)),
            Expression::Call(function, arguments) => write!(f, "{function}({arguments})"),
            _ => write!(f, "({})", self.0),
        }
    }
}

/// A node that a path or filter follows: a number would take the point for its own.
struct Base<'n>(&'n Node);

impl fmt::Display for Base<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.expression {
            Expression::Literal(Value::Number(_)) | Expression::Negate(_) => {
                write!(f, "({})", self.0)
            }
            _ => write!(f, "{}", Operand(self.0)),
        }
    }
}

/// Writes a constant as FEEL has it.
fn literal(f: &mut fmt::Formatter<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::Number(number) => f.write_str(&written_out(*number)),
        Value::Date(_) => write!(f, "date(\"{value}\")"),
        Value::DateTime(instant) => {
            let utc = Value::DateTime(instant.to_utc().fixed_offset());
            write!(f, "date and time(\"{utc}\")")
        }
        Value::LocalDateTime(_) => write!(f, "date and time(\"{value}\")"),
        Value::Time(_) => write!(f, "time(\"{value}\")"),
        Value::DaysDuration(_) | Value::MonthsDuration(_) => write!(f, "duration(\"{value}\")"),
        Value::Null | Value::Boolean(_) => write!(f, "{value}"),
        Value::List(items) => {
            f.write_str("[")?;
            for (index, item) in items.iter().enumerate() {
                f.write_str(if index > 0 { ", " } else { "" })?;
                literal(f, item)?;
            }
            f.write_str("]")
        }
        Value::Context(entries) => {
            f.write_str("{")?;
            for (index, (name, entry)) in entries.iter().enumerate() {
                let comma = if index > 0 { ", " } else { "" };
                write!(f, "{comma}{}: ", crate::json::write(&name.as_str().into()))?;
                literal(f, entry)?;
            }
            f.write_str("}")
        }
        Value::String(_) => f.write_str(&crate::json::canonical(value)),
        // FEEL has no such constants; a column of the type reads their texts.
        Value::Money {
            amount,
            currency: of,
        }
        | Value::Quantity { amount, unit: of } => {
            let amount = written_out(*amount);
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

/// Tests of which one is to be met. None are those of an empty list: nothing is in it.
fn alternatives<T: fmt::Display>(f: &mut fmt::Formatter<'_>, tests: &[T]) -> fmt::Result {
    match tests {
        [] => f.write_str("[]"),
        tests => list(f, tests),
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        write!(f, "{comma}{item}")?;
    }
    Ok(())
}

fn interval(f: &mut fmt::Formatter<'_>, low: &Bound, high: &Bound) -> fmt::Result {
    let open = if low.closed { '[' } else { ']' };
    let close = if high.closed { ']' } else { '[' };
    write!(
        f,
        "{open}{}..{}{close}",
        Operand(&low.value),
        Operand(&high.value)
    )
}

impl fmt::Display for Iteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.to {
            None => write!(f, "{} in {}", self.name, Operand(&self.from)),
            Some(to) => {
                let (from, to) = (Operand(&self.from), Operand(to));
                write!(f, "{} in {from}..{to}", self.name)
            }
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(builtin) => f.write_str(builtin.name()),
            Self::Defined(name) | Self::Local(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Positional(nodes) => list(f, nodes),
            Self::Named(nodes) => {
                for (index, (name, node)) in nodes.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    write!(f, "{comma}{name}: {node}")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for TypeName {
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

impl fmt::Display for Unary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(Comparison::Equal, value) => write!(f, "{}", Operand(value)),
            Self::Compare(comparison, value) => {
                write!(f, "{} {}", comparison.symbol(), Operand(value))
            }
            // `not(…)` alone would be read as the negation of tests.
            Self::Boolean(condition) if negation(condition) => write!(f, "({condition})"),
            Self::Boolean(condition) => write!(f, "{condition}"),
            Self::Interval { low, high } => interval(f, low, high),
        }
    }
}

impl fmt::Display for Test {
    /// The canonical text: parses to the same test, and is equal for equal tests.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("-"),
            Self::Positive(tests) => alternatives(f, tests),
            Self::Not(tests) => {
                f.write_str("not(")?;
                alternatives(f, tests)?;
                f.write_str(")")
            }
        }
    }
}
