//! Changing facts so that an expression comes to a value.

use super::{model::strict_facts, points, space::Space};
use crate::{
    sfeel::{Expression, Node, Operator, holds, part},
    types::Type,
    value::{Facts, Value},
};

impl Space<'_> {
    /// Changes one fact of an expression so that it comes to a value, as far as its
    /// operations can be undone.
    pub(super) fn solve(&self, node: &Node, target: &Value, facts: &mut Facts, attempt: usize) {
        if *target == Value::Null {
            let mut strict = Vec::new();
            strict_facts(node, &mut |name| strict.push(name));
            if let Some(name) = strict.get(attempt % strict.len().max(1)) {
                facts.insert(name, Value::Null);
            }
            return;
        }
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
pub(super) fn measured(ty: &Type, value: &Value) -> Value {
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
pub(super) fn beyond(value: &Value, up: bool) -> Option<Value> {
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
