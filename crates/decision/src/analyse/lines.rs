//! Subspaces of two dimensions in which the verdict is a matter of a sum: the sums along one
//! dimension are kept while the other is swept, so that a row that comes or goes costs a
//! stretch of them, and not a look at all other rows.

use std::{collections::HashMap, hash::BuildHasherDefault};

use super::{
    diagram::{Builder, CUT, Judge, Mix, Node},
    limits,
    set::ClassSet,
    space::index,
};

/// Most classes of a line.
const LINE: u32 = 1_024;
/// Fewer rows are as fast one by one; the small tables of tests go this way too.
const ROWS: usize = if cfg!(test) { 2 } else { 12 };

/// Lines that were seen: the node of each, by dimension and where its sums aren't zero.
#[derive(Debug, Default)]
pub(super) struct Lines(HashMap<u32, Known>);

type Known = HashMap<Box<[u8]>, u32, BuildHasherDefault<Mix>>;

/// Sums along a dimension, and whether each isn't zero.
struct Line {
    low: u32,
    high: u32,
    sums: Vec<u64>,
    differs: Vec<u8>,
}

impl Line {
    fn new((low, high): (u32, u32)) -> Self {
        let count = index(high - low);
        Self {
            low,
            high,
            sums: vec![0; count],
            differs: vec![0; count],
        }
    }

    /// Adds a weight where a row matches; gives about what that took.
    fn add(&mut self, set: Option<&ClassSet>, weight: u64) -> u64 {
        let whole = [(self.low, self.high)];
        let ranges = set.map_or(whole.as_slice(), ClassSet::ranges);
        let mut steps = 2;
        for &(from, to) in ranges {
            let (from, to) = (from.max(self.low), to.min(self.high));
            if from >= to {
                continue;
            }
            let range = index(from - self.low)..index(to - self.low);
            steps += 1 + range.len() as u64 / 16;
            let sums = self.sums[range.clone()].iter_mut();
            for (sum, differs) in sums.zip(&mut self.differs[range]) {
                *sum = sum.wrapping_add(weight);
                *differs = u8::from(*sum != 0);
            }
        }
        steps
    }
}

impl<J: Judge> Builder<'_, '_, J> {
    /// The node of a subspace that only two dimensions are left of, if its verdict is a
    /// matter of sums.
    pub(super) fn plane(&mut self, live: &[u32], first: u32) -> Option<u32> {
        let space = self.space;
        if live.len() < ROWS {
            return None;
        }
        let mut second = None;
        for &row in live {
            let tests = space.tests(row);
            let later = tests.partition_point(|&(dimension, _)| dimension <= first);
            match (&tests[later..], second) {
                ([], _) => {}
                ([(only, _)], None) => second = Some(*only),
                ([(only, _)], Some(other)) if *only == other => {}
                _ => return None,
            }
        }
        let second = second?;
        let window = self.windows.get(second);
        if window.1 - window.0 > LINE {
            return None;
        }
        let weights = self.judge.weights(live)?;
        let mut known = self.lines.0.remove(&second).unwrap_or_default();
        let node = self.swept(live, &weights, (first, second), &mut known);
        self.lines.0.insert(second, known);
        Some(node)
    }

    fn swept(
        &mut self,
        live: &[u32],
        weights: &[u64],
        (first, second): (u32, u32),
        known: &mut Known,
    ) -> u32 {
        let space = self.space;
        let (from, to) = self.windows.get(first);
        let mut line = Line::new(self.windows.get(second));
        let mut events = Vec::with_capacity(live.len() * 2);
        let mut steps = 0;
        for (&row, &weight) in live.iter().zip(weights) {
            let along = space.set(row, second);
            let Some(set) = space.set(row, first) else {
                steps += line.add(along, weight);
                continue;
            };
            for &(begin, end) in set.ranges() {
                let (begin, end) = (begin.max(from), end.min(to));
                if begin < end {
                    events.push((begin, weight, along));
                    events.push((end, weight.wrapping_neg(), along));
                }
            }
        }
        events.sort_unstable_by_key(|&(class, ..)| class);
        let mut events = events.into_iter().peekable();
        let mut runs: Vec<(u32, u32)> = Vec::new();
        let mut at = from;
        while at < to {
            while let Some((_, weight, along)) = events.next_if(|&(class, ..)| class <= at) {
                steps += line.add(along, weight);
            }
            let end = events.peek().map_or(to, |&(class, ..)| class);
            steps += 4 + line.sums.len() as u64 / 16;
            let Some(left) = self.work.checked_sub(steps) else {
                self.work = 0;
                self.diagram.cut += 1;
                return self.node(Node::Leaf(CUT));
            };
            (self.work, steps) = (left, 0);
            let node = match known.get(line.differs.as_slice()) {
                Some(&node) => node,
                None => self.line(&line, second, known),
            };
            match runs.last_mut() {
                Some(run) if run.1 == node => run.0 = end,
                _ => runs.push((end, node)),
            }
            at = end;
        }
        match runs.as_slice() {
            [(_, only)] => *only,
            _ => self.node(Node::Split {
                dimension: first,
                from,
                runs: runs.into_boxed_slice(),
            }),
        }
    }

    /// The node of a line that wasn't seen yet.
    fn line(&mut self, line: &Line, dimension: u32, known: &mut Known) -> u32 {
        let leaves = [0, 1].map(|verdict| self.node(Node::Leaf(verdict)));
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for (end, &differs) in (line.low + 1..).zip(&line.differs) {
            let leaf = leaves[usize::from(differs)];
            match runs.last_mut() {
                Some(run) if run.1 == leaf => run.0 = end,
                _ => runs.push((end, leaf)),
            }
        }
        let count = runs.len();
        let node = match runs.as_slice() {
            [(_, only)] => *only,
            _ => self.node(Node::Split {
                dimension,
                from: line.low,
                runs: runs.into_boxed_slice(),
            }),
        };
        if self.remembered < limits::MEMORY {
            self.remembered += line.differs.len() / 4 + 4 * count + 8;
            known.insert(line.differs.as_slice().into(), node);
        }
        node
    }
}
