//! One question put to a space: where does which verdict hold.

use super::witness::Witness;
use super::{
    Region,
    diagram::{Judge, Windows, build},
    limits,
    regions::{Sets, boxes},
    space::Space,
};
use crate::value::Facts;

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
}

impl Space<'_> {
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
