//! One question put to a space: where does which verdict hold.

use super::witness::Witness;
use super::{
    Region,
    diagram::{Judge, Windows, build},
    limits,
    regions::{Sets, boxes},
    space::{Space, index},
};
use crate::{
    neighbours::{above, below},
    number::Number,
    value::{Facts, Value},
};

/// Where verdicts hold.
#[derive(Debug, Default)]
pub struct Answered {
    /// The regions with a verdict other than 0, in a fixed order.
    pub found: Vec<Found>,
    /// How many more regions there are than are listed.
    pub more: u64,
    /// How many parts of the space weren't looked at, as the budget ended.
    pub cut: u64,
}

/// A region with one verdict.
#[derive(Debug, Clone)]
pub struct Found {
    /// The verdict.
    pub verdict: u32,
    /// The region.
    pub region: Region,
    sets: Sets,
}

impl Found {
    /// A fact set in the region that `accept` agrees to, after replaying it.
    pub fn witness(&self, space: &Space<'_>, accept: &mut dyn FnMut(&Facts) -> bool) -> Witness {
        space.witness(&self.sets, accept)
    }

    /// The same, for questions that values within a class tell apart too: facts are moved a
    /// little, one at a time.
    pub(super) fn witness_nearby(
        &self,
        space: &Space<'_>,
        accept: &mut dyn FnMut(&Facts) -> bool,
    ) -> Witness {
        let mut shown = None;
        let mut near = |facts: &Facts| {
            let moved = facts.iter().flat_map(|(name, value)| {
                let moved = nearby(value).into_iter();
                moved.map(move |value| {
                    let mut changed = facts.clone();
                    changed.insert(name, value);
                    changed
                })
            });
            shown = moved
                .into_iter()
                .find(|changed| space.contains(&self.sets, changed) && accept(changed));
            shown.is_some()
        };
        match (space.witness(&self.sets, &mut near), shown) {
            (Witness::Facts(_), Some(facts)) => Witness::Facts(facts),
            (witness, _) => witness,
        }
    }
}

/// Values a little above and below.
fn nearby(value: &Value) -> Vec<Value> {
    let amount = match value {
        Value::Number(amount) | Value::Money { amount, .. } | Value::Quantity { amount, .. } => {
            *amount
        }
        other => return [above(other), below(other)].into_iter().flatten().collect(),
    };
    let with = |number: Number| match value {
        Value::Money { currency, .. } => Value::Money {
            amount: number,
            currency: currency.clone(),
        },
        Value::Quantity { unit, .. } => Value::Quantity {
            amount: number,
            unit: unit.clone(),
        },
        _ => Value::Number(number),
    };
    let mut step = Number::from(100);
    let mut found = Vec::new();
    for _ in 0..5 {
        found.extend(amount.checked_add(step).ok().map(with));
        found.extend(amount.checked_sub(step).ok().map(with));
        let Ok(smaller) = step.checked_div(Number::from(10)) else {
            break;
        };
        step = smaller;
    }
    found
}

impl Space<'_> {
    /// Whether facts lie in a box.
    fn contains(&self, sets: &Sets, facts: &Facts) -> bool {
        sets.iter().all(|(&at, set)| {
            let dimension = self.dimensions.get(index(at));
            let class = dimension.and_then(|dimension| self.class_of(dimension, facts));
            class.is_some_and(|class| set.contains(class))
        })
    }

    /// Where a judge's verdicts hold, inputs that are null among them.
    pub fn ask<J: Judge>(&self, judge: &mut J) -> Answered {
        self.ask_within(&Windows::all(self), judge, limits::WORK)
    }

    pub(super) fn ask_within<J: Judge>(
        &self,
        windows: &Windows,
        judge: &mut J,
        work: u64,
    ) -> Answered {
        let diagram = build(self, windows, judge, work);
        let boxes = boxes(&diagram, windows);
        let mut answered = Answered {
            found: Vec::new(),
            more: boxes.more,
            cut: diagram.cut,
        };
        for (sets, verdict) in boxes.found {
            if answered.found.len() >= limits::FINDINGS {
                answered.more += 1;
                continue;
            }
            for (region, mut sets) in self.regions(&sets, windows.is_known(self)) {
                windows.narrow(self, &mut sets);
                answered.found.push(Found {
                    verdict,
                    region,
                    sets,
                });
            }
        }
        answered
    }
}

impl Found {
    /// Narrows the box to one class of a dimension.
    pub(super) fn pin(&mut self, dimension: u32, class: u32) {
        let set = super::set::ClassSet::range(class, class + 1);
        self.sets.insert(dimension, set);
    }
}
