//! What tests compare values with, and whether that alone says which values meet them.

use std::collections::HashSet;

use crate::{
    sfeel::{Comparison, Node, Property, Test, Unary},
    types::Type,
    value::Value,
};

/// A currency that tests tell apart from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Currency {
    pub(super) code: String,
    /// Whether it stands for all that no test names.
    pub(super) other: bool,
}

/// The constants that the tests of a dimension compare with.
#[derive(Debug, Default)]
pub(super) struct Constants {
    pub(super) values: Vec<Value>,
    pub(super) currencies: Vec<String>,
    /// The texts among the values: of many rows they are few.
    texts: HashSet<String>,
    /// Whether a test asks for order.
    pub(super) ordered: bool,
    /// Whether a test tells currencies apart.
    pub(super) by_currency: bool,
}

impl Constants {
    /// Adds what a test on a fact, or a part of it, compares with.
    pub(super) fn add(&mut self, test: &Test, property: Option<Property>) {
        for unary in test.alternatives() {
            match unary {
                Unary::Compare(comparison, value) => {
                    self.ordered |= !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
                    self.add_operand(value, property);
                }
                Unary::Interval { low, high } => {
                    self.ordered = true;
                    self.add_operand(&low.value, property);
                    self.add_operand(&high.value, property);
                }
                _ => {}
            }
        }
    }

    fn add_operand(&mut self, node: &Node, property: Option<Property>) {
        match (property, node.literal()) {
            (Some(Property::Currency), Some(Value::String(code))) => {
                self.by_currency = true;
                self.currencies.push(code.clone());
            }
            (Some(Property::Currency | Property::Unit), _) | (_, None) => {}
            (_, Some(Value::Money { amount, currency })) => {
                self.by_currency = true;
                if self.currencies.last() != Some(currency) {
                    self.currencies.push(currency.clone());
                }
                self.values.push(Value::Number(*amount));
            }
            (_, Some(Value::Quantity { amount, .. })) => {
                self.values.push(Value::Number(*amount));
            }
            (_, Some(Value::String(text))) => {
                if !self.texts.contains(text) {
                    self.texts.insert(text.clone());
                    self.values.push(Value::String(text.clone()));
                }
            }
            (_, Some(value)) => self.values.push(value.clone()),
        }
    }
}

/// Whether constants alone say which values meet a test: comparisons and intervals with
/// constant operands on a type whose values have one order, or none.
pub(super) fn is_plain(test: &Test, ty: &Type) -> bool {
    let constant = |node: &Node| {
        node.literal()
            .is_some_and(|value| *value == Value::Null || has_order(value))
    };
    let plain = |unary: &Unary| match unary {
        Unary::Compare(_, value) => constant(value),
        Unary::Interval { low, high } => constant(&low.value) && constant(&high.value),
        _ => false,
    };
    has_classes(ty) && test.alternatives().iter().all(plain)
}

/// Whether a constant is of a kind whose values are told apart by order or equality.
fn has_order(value: &Value) -> bool {
    matches!(
        value,
        Value::Boolean(_)
            | Value::String(_)
            | Value::Number(_)
            | Value::Money { .. }
            | Value::Quantity { .. }
            | Value::Date(_)
            | Value::DateTime(_)
            | Value::LocalDateTime(_)
            | Value::Time(_)
            | Value::DaysDuration(_)
            | Value::MonthsDuration(_)
    )
}

/// Whether values of a type fall into classes by constants.
pub(super) fn has_classes(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Boolean
            | Type::String { .. }
            | Type::Number { .. }
            | Type::Money { .. }
            | Type::Quantity { .. }
            | Type::Date
            | Type::DateTime
            | Type::AnyDateTime
            | Type::Time
            | Type::DaysDuration
            | Type::MonthsDuration
    )
}

/// The currencies told apart: the declared one, or those that tests name and another.
pub(super) fn currencies(declared: Option<&String>, constants: &Constants) -> Vec<Currency> {
    let named = |code: &String| Currency {
        code: code.clone(),
        other: false,
    };
    if let Some(code) = declared {
        return vec![named(code)];
    }
    let mut all = constants.currencies.clone();
    all.sort();
    all.dedup();
    let letters = || 'A'..='Z';
    let common = ["EUR", "USD", "CHF", "GBP", "JPY"].map(str::to_owned);
    let made = letters()
        .flat_map(|a| letters().flat_map(move |b| letters().map(move |c| format!("{a}{b}{c}"))));
    let free = common
        .into_iter()
        .chain(made)
        .find(|code| !all.contains(code));
    let other = free.map(|code| Currency { code, other: true });
    all.iter().map(named).chain(other).collect()
}
