//! Fact sets that lie in a region.

use super::{
    constants::Constants,
    limits,
    model::{Model, Models},
    regions::Sets,
    relation::Relation,
    scale::Scale,
    set::ClassSet,
    solve::beyond,
    space::{Dimension, Key, Space},
};
use crate::{
    sfeel::{Expression, Met, Node, Scope, Unary, calculate, meets},
    types::Type,
    value::{Facts, Value},
};

/// What shows a region.
#[derive(Debug, Clone, PartialEq)]
pub enum Witness {
    /// A fact set in it.
    Facts(Facts),
    /// Nothing: it is empty, since its columns are computed from the same facts, or compare
    /// them with each other.
    Nowhere,
    /// No fact set was found, though there may be one.
    Unfound,
}

impl Witness {
    /// The fact set.
    #[must_use]
    pub fn facts(self) -> Option<Facts> {
        match self {
            Self::Facts(facts) => Some(facts),
            Self::Nowhere | Self::Unfound => None,
        }
    }
}

impl Space<'_> {
    /// A fact set in a box that `accept` agrees to. All facts of all tables are in it.
    pub(super) fn witness(&self, sets: &Sets, accept: &mut dyn FnMut(&Facts) -> bool) -> Witness {
        let models = match self.models(sets) {
            Models::Nowhere => return Witness::Nowhere,
            Models::Some(models) => models,
        };
        let choices = self.choices(sets, &models);
        let ways = models.iter().map(Vec::len).max().unwrap_or(0);
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
                let Some(value) = values.get(rest % count) else {
                    return Witness::Nowhere;
                };
                rest /= count;
                facts.insert(name.clone(), value.clone());
            }
            for ways in &models {
                if let Some(model) = ways.get(attempt % ways.len().max(1)) {
                    self.follow(model, &mut facts, attempt / ways.len().max(1));
                }
            }
            if self.has_dependent() && !self.adjust(&mut facts, sets, attempt) {
                continue;
            }
            if accept(&facts) {
                return Witness::Facts(facts);
            }
            // With several ways, expressions can be solved for one or another fact.
            if rest > 0 && attempt >= ways * 4 {
                break;
            }
        }
        Witness::Unfound
    }

    /// Gives facts the values of a model, then changes others so that expressions have theirs.
    fn follow(&self, model: &Model<'_>, facts: &mut Facts, attempt: usize) {
        let is_fact = |node: &Node| matches!(node.expression, Expression::Fact(_, None));
        for (node, value) in model.iter().filter(|(node, _)| is_fact(node)) {
            self.solve(node, value, facts, attempt);
        }
        for (node, value) in model.iter().filter(|(node, _)| !is_fact(node)) {
            if self.value(node, facts).as_ref() != Some(value) {
                self.solve(node, value, facts, attempt);
            }
        }
    }

    /// Values that each fact may have, the plainest first.
    fn choices(&self, sets: &Sets, models: &[Vec<Model<'_>>]) -> Vec<(String, Vec<Value>)> {
        let mut choices = Vec::new();
        for (name, ty) in &self.facts {
            let found = (0..)
                .zip(&self.dimensions)
                .find(|(_, dimension)| matches!(&dimension.key, Key::Fact(fact) if fact == name));
            let mut values = match found {
                Some((at, dimension)) => in_set(dimension, sets.get(&at)),
                None => match ty {
                    Type::List(of) => self.lists(name, of, sets),
                    _ => self.plausible(ty),
                },
            };
            let models = models.iter().filter_map(|ways| ways.first());
            let is_it = |node: &Node| matches!(&node.expression, Expression::Fact(fact, None) if fact == name);
            if models.flatten().any(|(node, _)| is_it(node)) {
                values.truncate(1);
            }
            choices.push((name.clone(), values));
        }
        choices
    }

    /// Lists of what the tests on a fact name: all that those to be met do, with and without
    /// what others name, none, and each alone.
    fn lists(&self, name: &str, of: &Type, sets: &Sets) -> Vec<Value> {
        let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
        for (at, dimension) in (0..).zip(&self.dimensions) {
            let is_it =
                matches!(&dimension.input.expression, Expression::Fact(fact, None) if fact == name);
            let (Some(test), Some(set), true) = (dimension.test, sets.get(&at), is_it) else {
                continue;
            };
            let found = if set.contains(1) {
                &mut wanted
            } else {
                &mut unwanted
            };
            for operand in test.operands() {
                literals(operand, &mut |value| {
                    if let Ok(item) = of.coerce(value.clone())
                        && item != Value::Null
                        && !found.contains(&item)
                        && found.len() < limits::CANDIDATES
                    {
                        found.push(item);
                    }
                });
            }
        }
        let kept = wanted.iter().filter(|item| !unwanted.contains(item));
        let mut lists = vec![kept.cloned().collect(), wanted.clone(), Vec::new()];
        lists.extend(wanted.into_iter().chain(unwanted).map(|item| vec![item]));
        let mut seen: Vec<Vec<Value>> = Vec::new();
        for list in lists.into_iter().take(32) {
            if !seen.contains(&list) {
                seen.push(list);
            }
        }
        seen.into_iter().map(Value::List).collect()
    }

    /// Values of a fact that no column tests by itself: beside the constants of the
    /// expressions that it may stand in.
    fn plausible(&self, ty: &Type) -> Vec<Value> {
        let mut constants = Constants::default();
        for dimension in &self.dimensions {
            if matches!(dimension.key, Key::Fact(_) | Key::Pair(..)) {
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
                Type::Any => Value::from("any"),
                Type::Context => Value::Context(std::collections::BTreeMap::new()),
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
                    (Key::Pair(..), _) => self.bring_to(dimension, set, facts, attempt),
                    (Key::Test(..), None) => {}
                }
            }
            if settled {
                return true;
            }
        }
        false
    }

    /// Changes one side of two that are compared so that they lie as a box has it.
    fn bring_to(
        &self,
        dimension: &Dimension<'_>,
        set: &ClassSet,
        facts: &mut Facts,
        attempt: usize,
    ) {
        let Some(pair) = &dimension.pair else {
            return;
        };
        let relations = pair.relations(Some(set));
        let (Some(left), Some(right), Some(&relation)) = (
            self.value(pair.left, facts),
            self.value(pair.right, facts),
            relations.get(attempt % relations.len().max(1)),
        ) else {
            return;
        };
        let left_first = (attempt / relations.len()).is_multiple_of(2);
        let (node, other, up) = match relation {
            Relation::LeftNull | Relation::BothNull if left != Value::Null => {
                return self.solve(pair.left, &Value::Null, facts, attempt / 2);
            }
            Relation::RightNull | Relation::BothNull => {
                return self.solve(pair.right, &Value::Null, facts, attempt / 2);
            }
            Relation::LeftNull => return,
            _ if left_first => (pair.left, &right, relation == Relation::Greater),
            _ => (pair.right, &left, relation == Relation::Less),
        };
        let target = match relation {
            Relation::Equal => Some(other.clone()),
            _ => beyond(other, up),
        };
        if let Some(target) = target {
            self.solve(node, &target, facts, attempt / 2);
        }
    }

    /// The class that facts come to in a dimension.
    pub(super) fn class_of(&self, dimension: &Dimension<'_>, facts: &Facts) -> Option<u32> {
        if let Some(pair) = &dimension.pair {
            let (left, right) = (
                self.value(pair.left, facts)?,
                self.value(pair.right, facts)?,
            );
            return pair.class(Relation::of(&left, &right));
        }
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

    pub(super) fn value(&self, node: &Node, facts: &Facts) -> Option<Value> {
        calculate(node, &Scope::new(facts, &self.types))
            .ok()
            .flatten()
    }
}

/// Calls `visit` with every constant in an expression.
fn literals<'n>(node: &'n Node, visit: &mut dyn FnMut(&'n Value)) {
    if let Expression::Literal(value) = &node.expression {
        visit(value);
    }
    node.children(&mut |child| literals(child, visit));
}

/// The values of some classes of a fact that a box lets through.
fn in_set(dimension: &Dimension<'_>, set: Option<&ClassSet>) -> Vec<Value> {
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
