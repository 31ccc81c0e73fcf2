//! Static types of expressions, and cells that fit their column.

mod compare;
mod infer;

use std::collections::BTreeMap;

use compare::has_order;
use infer::{Checker, shown};

use super::{
    Bound, Comparison, Error, Expression, Function, Mode, Node, Test, Unary,
    eval::{Scope, calculate},
};
use crate::{
    types::Type,
    value::{Facts, Value},
};

/// Declared types by fact name.
pub(crate) type Types = BTreeMap<String, Type>;

/// The type of an expression; constants in it are folded.
///
/// # Errors
/// With the first place where types don't go together, or a constant part has no result.
pub fn check_expression(node: &mut Node, types: &Types) -> Result<Type, Error> {
    check_expression_in(node, types, Mode::Strict)
}

/// The same; under [`Mode::Spec`] what has no type is of any, and there is no error.
///
/// # Errors
/// None under that mode; else as [`check_expression`].
pub fn check_expression_in(node: &mut Node, types: &Types, mode: Mode) -> Result<Type, Error> {
    Checker::new(types, mode).infer(node)?;
    fold(node, mode)?;
    // What is written is the folded expression, whose type may be narrower.
    let ty = Checker::new(types, mode).infer(node)?;
    Ok(ty.unwrap_or(Type::Any))
}

/// Checks that a test fits an input of type `ty`, folds its constants, and reads texts as
/// values of the input's type where that is money or a quantity.
///
/// # Errors
/// With the first place where the test doesn't fit.
pub fn check_test(test: &mut Test, ty: &Type, types: &Types) -> Result<(), Error> {
    check_test_in(test, ty, types, Mode::Strict)
}

/// The same; under [`Mode::Spec`] what doesn't fit is never met, and there is no error.
///
/// # Errors
/// None under that mode; else as [`check_test`].
pub fn check_test_in(test: &mut Test, ty: &Type, types: &Types, mode: Mode) -> Result<(), Error> {
    let column = Column { ty, types, mode };
    if let Test::Positive(alternatives) | Test::Not(alternatives) = test {
        let mut checked = Vec::with_capacity(alternatives.len());
        for alternative in alternatives.drain(..) {
            column.check(alternative, &mut checked)?;
        }
        *alternatives = checked;
    }
    Ok(())
}

/// What the tests of one input must fit.
struct Column<'t> {
    ty: &'t Type,
    types: &'t Types,
    mode: Mode,
}

impl Column<'_> {
    /// Adds what an alternative comes to: a list of constants is one for each.
    fn check(&self, alternative: Unary, checked: &mut Vec<Unary>) -> Result<(), Error> {
        match plain(alternative) {
            Unary::Compare(Comparison::Equal, node) => return self.check_equal(node, checked),
            Unary::Compare(comparison, mut node) => {
                let ordered = comparison != Comparison::NotEqual;
                self.check_operand(&mut node, ordered)?;
                checked.push(Unary::Compare(comparison, node));
            }
            Unary::Interval { mut low, mut high } => {
                self.check_operand(&mut low.value, true)?;
                self.check_operand(&mut high.value, true)?;
                if self.mode == Mode::Strict {
                    check_order(&low, &high)?;
                }
                checked.push(Unary::Interval { low, high });
            }
            Unary::Boolean(node) => checked.push(self.check_condition(node)?),
        }
        Ok(())
    }

    /// A value, a list that holds it, or a condition about something else.
    fn check_equal(&self, mut node: Node, checked: &mut Vec<Unary>) -> Result<(), Error> {
        let found = Checker::new(self.types, self.mode)
            .testing(self.ty)
            .infer(&node)?;
        fold(&mut node, self.mode)?;
        let scalar = !matches!(self.ty, Type::Any | Type::List(_));
        match (found, &node.expression) {
            // Of another kind than the input an item is none that equals it, while alone it
            // would be neither equal nor not.
            (Some(Type::List(_)), Expression::Literal(Value::List(items)))
                if scalar && (self.mode == Mode::Strict || self.all_fit(items)) =>
            {
                for item in items {
                    let mut item = Node {
                        expression: Expression::Literal(item.clone()),
                        ..node
                    };
                    self.check_operand(&mut item, false)?;
                    checked.push(Unary::Compare(Comparison::Equal, item));
                }
            }
            (Some(Type::List(of)), _) if scalar => {
                if self.mode == Mode::Strict && !compare::comparable(self.ty, &of) {
                    let message = format!("found list of {of}, but the input is {}", self.ty);
                    return Err(Error::new(node.at, message));
                }
                let (at, end) = (node.at, node.end);
                let at_input = |expression| Node {
                    at,
                    end,
                    expression,
                };
                let input = Box::new(at_input(Expression::Input));
                let tests = vec![Unary::Compare(Comparison::Equal, node)];
                checked.push(Unary::Boolean(at_input(Expression::In(input, tests))));
            }
            (Some(Type::Boolean), expression)
                if !matches!(self.ty, Type::Boolean | Type::Any)
                    && !matches!(expression, Expression::Literal(_)) =>
            {
                checked.push(Unary::Boolean(node));
            }
            _ => {
                self.check_operand(&mut node, false)?;
                checked.push(Unary::Compare(Comparison::Equal, node));
            }
        }
        Ok(())
    }

    fn all_fit(&self, items: &[Value]) -> bool {
        let fits = |item: &Value| fit(0, item.clone(), self.ty).is_ok();
        items.iter().all(fits)
    }

    fn check_condition(&self, mut node: Node) -> Result<Unary, Error> {
        let found = Checker::new(self.types, self.mode)
            .testing(self.ty)
            .infer(&node)?;
        fold(&mut node, self.mode)?;
        match found {
            None | Some(Type::Boolean | Type::Any) => Ok(Unary::Boolean(node)),
            Some(_) if self.mode == Mode::Spec => Ok(Unary::Boolean(node)),
            found => {
                let found = shown(found.as_ref());
                let message = format!("found {found}, expected a condition of `?`");
                Err(Error::new(node.at, message))
            }
        }
    }

    fn check_operand(&self, node: &mut Node, ordered: bool) -> Result<(), Error> {
        let found = Checker::new(self.types, self.mode).infer(node)?;
        fold(node, self.mode)?;
        match self.fitting(node, found, ordered) {
            Ok(Some(value)) => {
                node.expression = Expression::Literal(value);
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(_) if self.mode == Mode::Spec => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What a constant is as the column has it; `None` for an operand that is no constant.
    fn fitting(
        &self,
        node: &Node,
        found: Option<Type>,
        ordered: bool,
    ) -> Result<Option<Value>, Error> {
        let Some(found) = found else {
            return if ordered {
                Err(Error::new(node.at, "null has no order"))
            } else {
                Ok(None)
            };
        };
        if ordered && *self.ty == Type::Boolean {
            return Err(Error::new(node.at, "true and false have no order"));
        }
        if ordered && !has_order(self.ty) {
            return Err(Error::new(node.at, format!("a {} has no order", self.ty)));
        }
        if let Some(literal) = node.literal() {
            return fit(node.at, literal.clone(), self.ty).map(Some);
        }
        if compare::comparable(self.ty, &found) {
            return Ok(None);
        }
        let message = format!("found {found}, but the input is {}", self.ty);
        Err(Error::new(node.at, message))
    }
}

/// A condition that only compares `?` is the plain test that says the same.
fn plain(alternative: Unary) -> Unary {
    let Unary::Boolean(condition) = alternative else {
        return alternative;
    };
    let input = |node: &Node| node.expression == Expression::Input;
    match condition.expression {
        Expression::Compare(comparison, left, right)
            if input(&left) && !right.has_input() && comparison != Comparison::Equal =>
        {
            Unary::Compare(comparison, *right)
        }
        Expression::Between(parts)
            if input(&parts[0]) && !parts[1..].iter().any(Node::has_input) =>
        {
            let [_, low, high] = *parts;
            let closed = |value| Bound {
                value,
                closed: true,
            };
            Unary::Interval {
                low: closed(low),
                high: closed(high),
            }
        }
        expression => Unary::Boolean(Node {
            expression,
            ..condition
        }),
    }
}

/// A constant as the column has it.
fn fit(at: usize, literal: Value, ty: &Type) -> Result<Value, Error> {
    let amount = matches!(ty, Type::Money { .. } | Type::Quantity { .. });
    if amount && matches!(literal, Value::Number(_)) {
        return Ok(literal);
    }
    // Texts of other types are no constants of this one: `"2026-11-24"` is a string.
    let other_text = matches!(literal, Value::String(_))
        && !amount
        && !matches!(ty, Type::String { .. } | Type::Any);
    if other_text {
        let message = format!("found string `{literal}`, but the input is {ty}");
        return Err(Error::new(at, message));
    }
    ty.coerce(literal)
        .map_err(|mismatch| Error::new(at, mismatch.message))
}

/// An interval with constant ends the wrong way round can never match.
fn check_order(low: &Bound, high: &Bound) -> Result<(), Error> {
    let (Some(a), Some(b)) = (low.value.literal(), high.value.literal()) else {
        return Ok(());
    };
    let empty = match a.compare(b) {
        Some(order) => order.is_gt() || (order.is_eq() && !(low.closed && high.closed)),
        None => {
            return Err(Error::new(
                high.value.at,
                format!("{a} and {b} have no order"),
            ));
        }
    };
    if empty {
        let message = format!("no value lies between {a} and {b} as this interval asks");
        return Err(Error::new(low.value.at, message));
    }
    Ok(())
}

/// Replaces whatever depends on no fact by its value.
fn fold(node: &mut Node, mode: Mode) -> Result<(), Error> {
    let mut folded = Ok(());
    node.children_mut(&mut |child| {
        if folded.is_ok() {
            folded = fold(child, mode);
        }
    });
    folded?;
    let mut constant = foldable(&node.expression);
    node.children(&mut |child| constant &= child.literal().is_some());
    if !constant {
        return Ok(());
    }
    let facts = Facts::new();
    match calculate(node, &Scope::untyped(&facts)) {
        // Without facts nothing is unknown.
        Ok(Some(value)) => node.expression = Expression::Literal(value),
        Ok(None) => {}
        // What has no result is null when it is asked for, with a warning.
        Err(_) if mode == Mode::Spec => {}
        Err(failure) => return Err(Error::new(failure.at, failure.message)),
    }
    Ok(())
}

/// Whether an expression of constants alone is one.
fn foldable(expression: &Expression) -> bool {
    matches!(
        expression,
        Expression::Negate(_)
            | Expression::Arithmetic(..)
            | Expression::Compare(..)
            | Expression::Logic(..)
            | Expression::Between(_)
            | Expression::In(..)
            | Expression::InstanceOf(..)
            | Expression::If(_)
            | Expression::List(_)
            | Expression::Context(_)
            | Expression::Path(..)
            | Expression::Call(Function::Builtin(_), _)
    )
}
