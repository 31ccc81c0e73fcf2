//! The classes of a scale that meet a test.

use super::{
    scale::{Class, Group, Scale},
    set::ClassSet,
};
use crate::{
    sfeel::{Comparison, Met, Property, Scope, Test, Unary, meets, part},
    value::{Facts, Value},
};

impl Scale {
    /// The classes that meet a test on the value, or on a part of it; `None` where that
    /// must be tried class by class.
    pub(super) fn by_constants(&self, test: &Test, property: Option<Property>) -> Option<ClassSet> {
        if !matches!(property, None | Some(Property::Amount)) {
            return None;
        }
        let (alternatives, wanted) = match test {
            Test::Any => return Some(ClassSet::range(0, self.count())),
            Test::Positive(alternatives) => (alternatives, true),
            Test::Not(alternatives) => (alternatives, false),
        };
        let null = self.null()?;
        if self.groups.iter().any(|group| group.currency.is_some()) {
            return None;
        }
        let mut ranges = Vec::with_capacity(alternatives.len() + 1);
        let mut beyond = Vec::new();
        for alternative in alternatives {
            let group = self.alternative(alternative, null, &mut ranges)?;
            // An order with what stands on another line is neither true nor false.
            if let Some(group) = group.filter(|_| !wanted) {
                beyond.extend([(0, group.from), (group.to, null)]);
            }
        }
        let mut met = ClassSet::of(ranges);
        if !wanted {
            beyond.retain(|(from, to)| from < to);
            met = met.union(&ClassSet::of(beyond)).complement(null);
        }
        let facts = Facts::new();
        if meets(test, &Value::Null, &Scope::untyped(&facts)) == Ok(Met::Yes) {
            met = met.union(&ClassSet::range(null, null + 1));
        }
        Some(met)
    }

    /// Adds the ranges of an alternative among the classes that aren't null; gives the line
    /// that it asks the order of.
    fn alternative(
        &self,
        alternative: &Unary,
        null: u32,
        ranges: &mut Vec<(u32, u32)>,
    ) -> Option<Option<&Group>> {
        match alternative {
            Unary::Compare(comparison, operand) => {
                let operand = operand.literal()?;
                if *operand == Value::Null {
                    match comparison {
                        Comparison::Equal => {}
                        Comparison::NotEqual => ranges.push((0, null)),
                        _ => return None,
                    }
                    return Some(None);
                }
                let (group, at) = self.constant(operand)?;
                match comparison {
                    Comparison::Equal => ranges.push((at, at + 1)),
                    Comparison::NotEqual => ranges.extend([(0, at), (at + 1, null)]),
                    _ if !self.line => return None,
                    Comparison::Less => ranges.push((group.from, at)),
                    Comparison::LessOrEqual => ranges.push((group.from, at + 1)),
                    Comparison::Greater => ranges.push((at + 1, group.to)),
                    Comparison::GreaterOrEqual => ranges.push((at, group.to)),
                }
                let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
                Some(ordered.then_some(group))
            }
            Unary::Interval { low, high } if self.line => {
                let (group, from) = self.constant(low.value.literal()?)?;
                let (other, to) = self.constant(high.value.literal()?)?;
                ranges.push((from + u32::from(!low.closed), to + u32::from(high.closed)));
                (group.from == other.from).then_some(Some(group))
            }
            _ => None,
        }
    }

    /// The class of a constant that a test names.
    fn constant(&self, value: &Value) -> Option<(&Group, u32)> {
        if !self.line {
            return Some((self.groups.first()?, *self.listed.get(value)?));
        }
        let bare = match value {
            Value::Money { amount, .. } | Value::Quantity { amount, .. } => Value::Number(*amount),
            other => other.clone(),
        };
        self.groups.iter().find_map(|group| {
            let order =
                |point: &(Value, u32)| point.0.compare(&bare).unwrap_or(std::cmp::Ordering::Less);
            let found = group.points.binary_search_by(order).ok()?;
            Some((group, group.points[found].1))
        })
    }

    /// The classes whose value meets a test, tried one by one.
    pub(super) fn by_trial(&self, test: &Test, property: Option<Property>) -> ClassSet {
        let facts = Facts::new();
        let scope = Scope::untyped(&facts);
        let met = |class: &Class| {
            meets(test, &part(class.value.clone(), property), &scope) == Ok(Met::Yes)
        };
        let ranges = (0..).zip(&self.classes);
        ClassSet::of(
            ranges
                .filter(|(_, class)| met(class))
                .map(|(at, _)| (at, at + 1))
                .collect(),
        )
    }
}
