//! Static types of expressions, and cells that fit their column.

use std::collections::BTreeMap;

use super::{
    Bound, Comparison, Error, Expression, Node, Operator, Property, Test, Unary,
    eval::{Scope, calculate},
};
use crate::{
    types::Type,
    value::{Facts, Value},
};

/// Declared types by fact name.
pub(crate) type Types = BTreeMap<String, Type>;

/// The type of an expression; constants in it are folded.
pub(crate) fn check_expression(node: &mut Node, types: &Types) -> Result<Type, Error> {
    let ty = infer(node, types)?;
    fold(node)?;
    Ok(ty.unwrap_or(Type::Any))
}

/// Checks that a test fits an input of type `ty`, folds its constants, and reads texts as
/// values of the input's type where that is money or a quantity.
pub(crate) fn check_test(test: &mut Test, ty: &Type, types: &Types) -> Result<(), Error> {
    for alternative in test.alternatives_mut() {
        match alternative {
            Unary::Compare(comparison, value) => {
                let ordered = !matches!(comparison, Comparison::Equal);
                check_operand(value, ty, types, ordered)?;
            }
            Unary::Interval { low, high } => {
                check_operand(&mut low.value, ty, types, true)?;
                check_operand(&mut high.value, ty, types, true)?;
                check_order(low, high)?;
            }
        }
    }
    Ok(())
}

fn check_operand(node: &mut Node, ty: &Type, types: &Types, ordered: bool) -> Result<(), Error> {
    let found = infer(node, types)?;
    fold(node)?;
    let Some(found) = found else {
        return if ordered {
            Err(Error::new(node.at, "null has no order"))
        } else {
            Ok(())
        };
    };
    if ordered && matches!(ty, Type::Boolean) {
        return Err(Error::new(node.at, "true and false have no order"));
    }
    if let Some(literal) = node.literal().cloned() {
        node.expression = Expression::Literal(fit(node.at, literal, ty)?);
        return Ok(());
    }
    if comparable(ty, &found) {
        return Ok(());
    }
    Err(Error::new(
        node.at,
        format!("found {found}, but the input is {ty}"),
    ))
}

/// A constant as the column has it.
fn fit(at: usize, literal: Value, ty: &Type) -> Result<Value, Error> {
    let amount = matches!(ty, Type::Money { .. } | Type::Quantity { .. });
    if amount && matches!(literal, Value::Number(_)) {
        return Ok(literal);
    }
    // Texts of other types are no constants of this one: `"2026-11-24"` is a string.
    let other_text =
        matches!(literal, Value::String(_)) && !amount && !matches!(ty, Type::String { .. });
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

/// The type of a node; `None` for null.
fn infer(node: &Node, types: &Types) -> Result<Option<Type>, Error> {
    match &node.expression {
        Expression::Literal(value) => Ok(type_of(value)),
        Expression::Fact(name, property) => {
            let Some(ty) = types.get(name) else {
                let message = format!("`{name}` is no fact that is declared here");
                return Err(Error::new(node.at, message));
            };
            part(node.at, name, ty, *property).map(Some)
        }
        Expression::Negate(inner) => match infer(inner, types)? {
            Some(
                ty @ (Type::Number { .. }
                | Type::Money { .. }
                | Type::Quantity { .. }
                | Type::DaysDuration
                | Type::MonthsDuration),
            ) => Ok(Some(ty)),
            other => Err(Error::new(
                node.at,
                format!("no negative of {}", shown(other.as_ref())),
            )),
        },
        Expression::Arithmetic(operator, left, right) => {
            let (a, b) = (infer(left, types)?, infer(right, types)?);
            match a
                .as_ref()
                .zip(b.as_ref())
                .and_then(|(a, b)| result_of(*operator, a, b))
            {
                Some(ty) => Ok(Some(ty)),
                None => {
                    let (a, b) = (shown(a.as_ref()), shown(b.as_ref()));
                    let message = format!("`{}` isn't defined for {a} and {b}", operator.symbol());
                    Err(Error::new(node.at, message))
                }
            }
        }
        Expression::Compare(comparison, left, right) => {
            check_comparison(
                *comparison,
                infer(left, types)?,
                infer(right, types)?,
                node.at,
            )?;
            Ok(Some(Type::Boolean))
        }
    }
}

fn check_comparison(
    comparison: Comparison,
    left: Option<Type>,
    right: Option<Type>,
    at: usize,
) -> Result<(), Error> {
    let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
    let fits = match (&left, &right) {
        (Some(a), Some(b)) => comparable(a, b) && (equality || *a != Type::Boolean),
        _ => equality,
    };
    if fits {
        return Ok(());
    }
    let (a, b) = (shown(left.as_ref()), shown(right.as_ref()));
    Err(Error::new(
        at,
        format!("`{}` isn't defined for {a} and {b}", comparison.symbol()),
    ))
}

fn shown(ty: Option<&Type>) -> String {
    ty.map_or_else(|| "null".to_owned(), Type::to_string)
}

fn type_of(value: &Value) -> Option<Type> {
    Some(match value {
        Value::Null => return None,
        Value::Boolean(_) => Type::Boolean,
        Value::String(_) => Type::string(),
        Value::Number(_) => Type::number(),
        Value::Money { currency, .. } => Type::Money {
            currency: Some(currency.clone()),
        },
        Value::Quantity { unit, .. } => Type::Quantity { unit: unit.clone() },
        Value::Date(_) => Type::Date,
        Value::DateTime(_) => Type::DateTime,
        Value::DaysDuration(_) => Type::DaysDuration,
        Value::MonthsDuration(_) => Type::MonthsDuration,
        Value::List(_) => Type::List(Box::new(Type::Any)),
        Value::Context(_) => Type::Context,
    })
}

fn part(at: usize, name: &str, ty: &Type, property: Option<Property>) -> Result<Type, Error> {
    match (property, ty) {
        (None, ty) if ty.is_testable() => Ok(ty.clone()),
        (None, ty) => Err(Error::new(
            at,
            format!("`{name}` is a {ty}, which nothing can test"),
        )),
        (Some(Property::Amount), Type::Money { .. } | Type::Quantity { .. }) => Ok(Type::number()),
        (Some(Property::Currency), Type::Money { .. })
        | (Some(Property::Unit), Type::Quantity { .. }) => Ok(Type::string()),
        (Some(property), ty) => {
            let part = property.name();
            Err(Error::new(
                at,
                format!("`{name}` is a {ty}, which has no `{part}`"),
            ))
        }
    }
}

/// Whether values of two types have an order or equality between them.
fn comparable(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Money { currency: Some(x) }, Type::Money { currency: Some(y) })
        | (Type::Quantity { unit: x }, Type::Quantity { unit: y })
        | (Type::Number { unit: Some(x) }, Type::Number { unit: Some(y) }) => x == y,
        (Type::Money { .. } | Type::Quantity { .. }, Type::Number { .. })
        | (Type::Number { .. }, Type::Money { .. } | Type::Quantity { .. }) => true,
        _ => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

/// The type that arithmetic gives, where it is defined.
fn result_of(operator: Operator, a: &Type, b: &Type) -> Option<Type> {
    use Operator::{Add, Divide, Multiply, Power, Subtract};
    use Type::{Date, DateTime, DaysDuration, Money, MonthsDuration, Number, Quantity, String};
    let same_kind = comparable(a, b) && std::mem::discriminant(a) == std::mem::discriminant(b);
    match (operator, a, b) {
        (_, Number { unit }, Number { .. }) if matches!(operator, Add | Subtract) && same_kind => {
            Some(Number { unit: unit.clone() })
        }
        (Multiply | Divide | Power, Number { .. }, Number { .. }) => Some(Type::number()),
        (Add | Subtract, Money { .. }, Money { .. })
        | (Add | Subtract, Quantity { .. }, Quantity { .. }) => same_kind.then(|| a.clone()),
        (Divide, Money { .. }, Money { .. }) | (Divide, Quantity { .. }, Quantity { .. }) => {
            same_kind.then(Type::number)
        }
        (Multiply | Divide, Money { .. } | Quantity { .. }, Number { .. }) => Some(a.clone()),
        (Multiply, Number { .. }, Money { .. } | Quantity { .. }) => Some(b.clone()),
        (Add, String { .. }, String { .. }) => Some(Type::string()),
        (Add | Subtract, DaysDuration, DaysDuration)
        | (Add | Subtract, MonthsDuration, MonthsDuration) => Some(a.clone()),
        (Add | Subtract, Date | DateTime, MonthsDuration)
        | (Add | Subtract, DateTime, DaysDuration) => Some(a.clone()),
        (Add | Subtract, Date, DaysDuration) => Some(Date),
        (Subtract, Date, Date) | (Subtract, DateTime, DateTime) => Some(DaysDuration),
        _ => None,
    }
}

/// Replaces whatever depends on no fact by its value.
fn fold(node: &mut Node) -> Result<(), Error> {
    match &mut node.expression {
        Expression::Literal(_) | Expression::Fact(..) => return Ok(()),
        Expression::Negate(inner) => fold(inner)?,
        Expression::Arithmetic(_, left, right) | Expression::Compare(_, left, right) => {
            fold(left)?;
            fold(right)?;
        }
    }
    let mut constant = true;
    node.facts(&mut |_| constant = false);
    if constant {
        let facts = Facts::new();
        let known = calculate(node, &Scope::untyped(&facts))
            .map_err(|failure| Error::new(failure.at, failure.message))?;
        // Without facts nothing is unknown.
        if let Some(value) = known {
            node.expression = Expression::Literal(value);
        }
    }
    Ok(())
}
