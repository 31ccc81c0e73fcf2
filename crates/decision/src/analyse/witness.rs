//! Fact sets that lie in a region.

use super::{
    constants::Constants,
    limits, points,
    regions::Sets,
    scale::Scale,
    space::{Dimension, Key, Space},
};
use crate::{
    sfeel::{Expression, Met, Node, Operator, Scope, Unary, calculate, holds, meets, part},
    types::Type,
    value::{Facts, Value},
};

impl Space<'_> {
    /// A fact set in a box that `accept` agrees to. All facts of all tables are in it. Where
    /// dimensions depend on each other it may not be found though there is one.
    pub(super) fn witness(
        &self,
        sets: &Sets,
        accept: &mut dyn FnMut(&Facts) -> bool,
    ) -> Option<Facts> {
        let choices = self.choices(sets);
        let attempts = if self.has_dependent() {
            limits::ATTEMPTS
        } else {
            4
        };
        for attempt in 0..attempts {
            let mut rest = attempt;
            let mut facts = Facts::new();
            for (name, values) in &choices {
                let count = values.len().max(1);
                let value = values.get(rest % count)?;
                rest /= count;
                facts.insert(name.clone(), value.clone());
            }
            if self.has_dependent() && !self.adjust(&mut facts, sets, attempt) {
                continue;
            }
            if accept(&facts) {
                return Some(facts);
            }
            if rest > 0 {
                break;
            }
        }
        None
    }

    /// Values that each fact may have, the plainest first.
    fn choices(&self, sets: &Sets) -> Vec<(String, Vec<Value>)> {
        let mut choices = Vec::new();
        for (name, ty) in self.facts() {
            let found = (0..)
                .zip(&self.dimensions)
                .find(|(_, dimension)| matches!(&dimension.key, Key::Fact(fact) if *fact == name));
            let values = match found {
                Some((at, dimension)) => in_set(dimension, sets.get(&at)),
                None => self.plausible(&ty),
            };
            choices.push((name, values));
        }
        choices
    }

    /// The facts that the tables read.
    fn facts(&self) -> Vec<(String, Type)> {
        let read = self.tables.iter().flat_map(|table| table.facts());
        let mut facts: Vec<(String, Type)> = read
            .map(|(name, ty)| (name.to_owned(), ty.clone()))
            .collect();
        facts.sort_by(|a, b| a.0.cmp(&b.0));
        facts.dedup_by(|a, b| a.0 == b.0);
        facts
    }

    /// Values of a fact that no column tests by itself: beside the constants of the
    /// expressions that it may stand in.
    fn plausible(&self, ty: &Type) -> Vec<Value> {
        let mut constants = Constants::default();
        for dimension in &self.dimensions {
            if matches!(dimension.key, Key::Fact(_)) {
                continue;
            }
            let values = dimension
                .scale
                .classes
                .iter()
                .map(|class| class.value.clone());
            let bare = values.map(|value| match value {
                Value::Money { amount, .. } | Value::Quantity { amount, .. } => {
                    Value::Number(amount)
                }
                other => other,
            });
            constants.values.extend(bare.take(16));
        }
        if matches!(
            ty,
            Type::Number { .. } | Type::Money { .. } | Type::Quantity { .. }
        ) {
            constants
                .values
                .push(Value::Number(crate::number::Number::ONE));
        }
        let scale = Scale::new(ty, &constants);
        let mut values: Vec<Value> = scale
            .map(|scale| scale.classes.into_iter().map(|class| class.value).collect())
            .unwrap_or_default();
        if values.is_empty() {
            values.push(match ty {
                Type::List(_) => Value::List(Vec::new()),
                _ => Value::Null,
            });
        }
        values
    }

    /// Moves facts so that computed columns and tests come to lie where the box wants them;
    /// false where they don't, or facts left their own place.
    fn adjust(&self, facts: &mut Facts, sets: &Sets, attempt: usize) -> bool {
        for _ in 0..3 {
            let mut settled = true;
            for (at, dimension) in (0..).zip(&self.dimensions) {
                let Some(set) = sets.get(&at) else { continue };
                if self
                    .class_of(dimension, facts)
                    .is_some_and(|class| set.contains(class))
                {
                    continue;
                }
                settled = false;
                match (&dimension.key, dimension.test) {
                    (Key::Fact(_), _) => return false,
                    (Key::Expression(_), _) => {
                        let classes: Vec<u32> = set.iter().take(64).collect();
                        let wanted = classes.get(attempt % classes.len().max(1));
                        let target = wanted.and_then(|&class| dimension.scale.class(class));
                        if let Some(target) = target.map(|class| class.value.clone()) {
                            self.solve(dimension.input, &target, facts, attempt);
                        }
                    }
                    (Key::Test(..), Some(test)) => {
                        let operand = match test
                            .alternatives()
                            .get(attempt % test.alternatives().len().max(1))
                        {
                            Some(Unary::Compare(_, operand)) => Some(operand),
                            Some(Unary::Interval { low, high }) => {
                                Some(if attempt.is_multiple_of(2) {
                                    &low.value
                                } else {
                                    &high.value
                                })
                            }
                            _ => None,
                        };
                        let here = self.value(dimension.input, facts);
                        if let (Some(operand), Some(here)) = (operand, here) {
                            let beside = [
                                Some(here.clone()),
                                beyond(&here, true),
                                beyond(&here, false),
                            ];
                            let target = beside[attempt % 3].clone().unwrap_or(here);
                            self.solve(operand, &target, facts, attempt);
                        }
                    }
                    (Key::Test(..), None) => {}
                }
            }
            if settled {
                return true;
            }
        }
        false
    }

    /// The class that facts come to in a dimension.
    pub(super) fn class_of(&self, dimension: &Dimension<'_>, facts: &Facts) -> Option<u32> {
        let scope = Scope::new(facts, &self.types);
        match (&dimension.key, dimension.test) {
            (Key::Fact(name), _) => dimension.scale.locate(facts.get(name)?),
            (_, None) => dimension.scale.locate(&self.value(dimension.input, facts)?),
            (_, Some(test)) => {
                let value = self.value(dimension.input, facts)?;
                match meets(test, &value, &scope) {
                    Ok(Met::Yes) => Some(1),
                    Ok(Met::No) => Some(0),
                    Ok(Met::Unknown) | Err(_) => None,
                }
            }
        }
    }

    fn value(&self, node: &Node, facts: &Facts) -> Option<Value> {
        calculate(node, &Scope::new(facts, &self.types))
            .ok()
            .flatten()
    }

    /// Changes one fact of an expression so that it comes to a value, as far as its
    /// operations can be undone.
    fn solve(&self, node: &Node, target: &Value, facts: &mut Facts, attempt: usize) {
        match &node.expression {
            Expression::Fact(name, None) => {
                if let Some(ty) = self.types.get(name)
                    && let Ok(value) = ty.coerce(measured(ty, target))
                {
                    facts.insert(name.clone(), value);
                }
            }
            Expression::Fact(name, Some(property)) => {
                // Only an amount can be changed by itself.
                if let (Some(Value::Money { currency, .. }), Value::Number(amount)) =
                    (facts.get(name), target)
                    && part(
                        Value::Money {
                            amount: *amount,
                            currency: currency.clone(),
                        },
                        Some(*property),
                    ) == *target
                {
                    let currency = currency.clone();
                    facts.insert(
                        name.clone(),
                        Value::Money {
                            amount: *amount,
                            currency,
                        },
                    );
                }
            }
            Expression::Negate(inner) => {
                if let Some(value) =
                    self.combined(Operator::Multiply, target, &Value::Number((-1_i32).into()))
                {
                    self.solve(inner, &value, facts, attempt / 2);
                }
            }
            Expression::Arithmetic(operator, left, right) => {
                self.solve_arithmetic(*operator, (left, right), target, facts, attempt);
            }
            Expression::Compare(comparison, left, right) => {
                let Some(other) = self.value(right, facts) else {
                    return;
                };
                let near = [
                    Some(other.clone()),
                    beyond(&other, true),
                    beyond(&other, false),
                ];
                let wanted = target.as_bool();
                let found = near
                    .into_iter()
                    .flatten()
                    .find(|value| holds(*comparison, value, &other) == wanted);
                if let Some(value) = found {
                    self.solve(left, &value, facts, attempt);
                }
            }
            #[allow(
                unreachable_patterns,
                reason = "other expressions are tried as they come"
            )]
            _ => {}
        }
    }

    fn solve_arithmetic(
        &self,
        operator: Operator,
        (left, right): (&Node, &Node),
        target: &Value,
        facts: &mut Facts,
        attempt: usize,
    ) {
        let (Some(a), Some(b)) = (self.value(left, facts), self.value(right, facts)) else {
            return;
        };
        let has_fact = |node: &Node| {
            let mut found = false;
            node.facts(&mut |_| found = true);
            found
        };
        let left_first = has_fact(left) && (attempt.is_multiple_of(2) || !has_fact(right));
        let undone = match (operator, left_first) {
            (Operator::Add, true) => self.combined(Operator::Subtract, target, &b),
            (Operator::Add, false) => self.combined(Operator::Subtract, target, &a),
            (Operator::Subtract, true) => self.combined(Operator::Add, target, &b),
            (Operator::Subtract, false) => self.combined(Operator::Subtract, &a, target),
            (Operator::Multiply, true) => self.combined(Operator::Divide, target, &b),
            (Operator::Multiply, false) => self.combined(Operator::Divide, target, &a),
            (Operator::Divide, true) => self.combined(Operator::Multiply, target, &b),
            (Operator::Divide, false) => self.combined(Operator::Divide, &a, target),
            (Operator::Power, _) => None,
        };
        // Each level decides by a bit of its own.
        if let Some(value) = undone {
            let side = if left_first { left } else { right };
            self.solve(side, &value, facts, attempt / 2);
        }
    }

    fn combined(&self, operator: Operator, a: &Value, b: &Value) -> Option<Value> {
        let literal = |value: &Value| {
            Box::new(Node {
                at: 0,
                end: 0,
                expression: Expression::Literal(value.clone()),
            })
        };
        let node = Node {
            at: 0,
            end: 0,
            expression: Expression::Arithmetic(operator, literal(a), literal(b)),
        };
        self.value(&node, &Facts::new())
            .filter(|value| *value != Value::Null)
    }
}

/// A bare amount with the measure that a type declares.
fn measured(ty: &Type, value: &Value) -> Value {
    match (ty, value) {
        (
            Type::Money {
                currency: Some(code),
            },
            Value::Number(amount),
        ) => Value::Money {
            amount: *amount,
            currency: code.clone(),
        },
        (Type::Quantity { unit }, Value::Number(amount)) => Value::Quantity {
            amount: *amount,
            unit: unit.clone(),
        },
        _ => value.clone(),
    }
}

/// A value a little more or less, with its measure.
fn beyond(value: &Value, up: bool) -> Option<Value> {
    let step = |bare: &Value| {
        if up {
            points::above(bare)
        } else {
            points::below(bare)
        }
    };
    match value {
        Value::Money { amount, currency } => Some(Value::Money {
            amount: step(&Value::Number(*amount))?.as_number()?,
            currency: currency.clone(),
        }),
        Value::Quantity { amount, unit } => Some(Value::Quantity {
            amount: step(&Value::Number(*amount))?.as_number()?,
            unit: unit.clone(),
        }),
        Value::Boolean(truth) => Some(Value::Boolean(!truth)),
        other => step(other),
    }
}

/// The values of some classes of a fact that a box lets through.
fn in_set(dimension: &Dimension<'_>, set: Option<&super::set::ClassSet>) -> Vec<Value> {
    let scale = &dimension.scale;
    let value = |class: u32| scale.class(class).map(|class| class.value.clone());
    let known = |class: &u32| Some(*class) != scale.null();
    let mut values: Vec<Value> = match set {
        Some(set) => set
            .iter()
            .filter(known)
            .take(32)
            .filter_map(value)
            .collect(),
        None => (0..scale.count())
            .filter(known)
            .take(32)
            .filter_map(value)
            .collect(),
    };
    if values.is_empty() {
        values.extend(
            scale
                .null()
                .filter(|null| set.is_none_or(|set| set.contains(*null)))
                .and_then(value),
        );
    }
    values
}
