//! Rows by where they begin and end in one dimension, as bitsets.

use super::{pairs::Candidates, set::ClassSet, space::index};

pub(super) fn bits(rows: usize, members: impl Iterator<Item = usize>) -> Vec<u64> {
    let mut words = vec![0; rows.div_ceil(64)];
    for row in members {
        words[row / 64] |= 1 << (row % 64);
    }
    words
}

fn set(words: &mut [u64], row: u32) {
    words[index(row) / 64] |= 1 << (row % 64);
}

/// Rows in some order, with a bitset of all before every so manieth.
pub(super) struct Ordered {
    order: Vec<(u32, u32)>,
    step: usize,
    before: Vec<Vec<u64>>,
}

impl Ordered {
    pub(super) fn new(mut order: Vec<(u32, u32)>, rows: usize) -> Self {
        order.sort_unstable();
        let step = (rows / 256).max(64);
        let mut all = vec![0_u64; rows.div_ceil(64)];
        let mut before = vec![all.clone()];
        for chunk in order.chunks(step) {
            for &(_, row) in chunk {
                set(&mut all, row);
            }
            before.push(all.clone());
        }
        Self {
            order,
            step,
            before,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// How many rows have a key below a bound.
    pub(super) fn count_below(&self, bound: u32) -> usize {
        self.order.partition_point(|&(key, _)| key < bound)
    }

    /// The rows with a key below a bound, some of them one by one.
    pub(super) fn below(&self, bound: u32) -> (&[u64], &[(u32, u32)]) {
        let count = self.count_below(bound);
        let stored = count / self.step;
        (&self.before[stored], &self.order[stored * self.step..count])
    }

    /// The rows with a key below a bound and more, those one by one.
    pub(super) fn below_or_more(&self, bound: u32) -> (&[u64], &[(u32, u32)]) {
        let count = self.count_below(bound);
        let stored = count.div_ceil(self.step);
        let end = (stored * self.step).min(self.order.len());
        (&self.before[stored], &self.order[count..end])
    }

    pub(super) fn all(&self) -> &[u64] {
        self.before.last().map_or(&[], Vec::as_slice)
    }
}

/// Rows with any number of ranges each.
pub(super) struct Segments {
    /// Rows that don't test the dimension.
    wild: Vec<u64>,
    /// Where ranges begin, with their rows.
    begins: Vec<(u32, u32)>,
    step: usize,
    /// The rows of `1 << level` blocks of `step` beginnings each, by level and first block.
    unions: Vec<Vec<Vec<u64>>>,
    /// Where ranges of several classes begin and end: class, whether it begins, row.
    events: Vec<(u32, bool, u32)>,
    /// The rows within a range before every `step`th event.
    within: Vec<Vec<u64>>,
}

impl Segments {
    /// Takes up to `memory` bytes for bitsets.
    pub(super) fn new<'s>(
        sets: impl Iterator<Item = (u32, &'s ClassSet)>,
        rows: usize,
        memory: usize,
    ) -> Self {
        let mut wild = bits(rows, 0..rows);
        let (mut begins, mut events) = (Vec::new(), Vec::new());
        for (row, set) in sets {
            wild[index(row) / 64] &= !(1 << (row % 64));
            for &(from, to) in set.ranges() {
                begins.push((from, row));
                if to - from > 1 {
                    events.push((from, true, row));
                    events.push((to, false, row));
                }
            }
        }
        begins.sort_unstable();
        events.sort_unstable();
        let words = wild.len();
        // Eight levels of unions and the rows within, of 8 bytes a word.
        let blocks = (memory / (words.max(1) * 8 * 10)).clamp(4, 256);
        let step = begins.len().max(events.len()).div_ceil(blocks).max(64);
        let union = |chunk: &[(u32, u32)]| {
            let mut union = vec![0_u64; words];
            chunk.iter().for_each(|&(_, row)| set(&mut union, row));
            union
        };
        let mut unions: Vec<Vec<Vec<u64>>> = vec![begins.chunks(step).map(union).collect()];
        while let Some(last) = unions.last()
            && let span = 1 << (unions.len() - 1)
            && last.len() > span
        {
            let joined = last.iter().zip(&last[span..]);
            let joined = joined.map(|(a, b)| a.iter().zip(b).map(|(a, b)| a | b).collect());
            unions.push(joined.collect());
        }
        let mut active = vec![0_u64; words];
        let mut within = Vec::new();
        for chunk in events.chunks(step) {
            within.push(active.clone());
            chunk.iter().for_each(|event| change(&mut active, event));
        }
        within.push(active);
        Self {
            wild,
            begins,
            step,
            unions,
            events,
            within,
        }
    }

    /// Keeps the rows that overlap a set.
    pub(super) fn narrow(&self, classes: &ClassSet, candidates: &mut Candidates) {
        let mut overlap = self.wild.clone();
        let mut steps = overlap.len();
        for &(low, high) in classes.ranges() {
            steps += self.add_within(low, &mut overlap);
            steps += self.add_begun(low, high, &mut overlap);
        }
        candidates.spend(steps);
        candidates.keep(|at| overlap[at]);
    }

    /// Adds the rows in a range of several classes that began before a class and reaches it.
    fn add_within(&self, class: u32, overlap: &mut [u64]) -> usize {
        if self.events.is_empty() {
            return 0;
        }
        let passed = self.events.partition_point(|event| event.0 <= class);
        let stored = passed / self.step;
        let mut active = self.within[stored].clone();
        let rest = &self.events[stored * self.step..passed];
        rest.iter().for_each(|event| change(&mut active, event));
        join(overlap, &active);
        rest.len() + 2 * active.len()
    }

    /// Adds the rows of which a range begins from one class on, before another.
    fn add_begun(&self, low: u32, high: u32, overlap: &mut [u64]) -> usize {
        let from = self.begins.partition_point(|begin| begin.0 < low);
        let to = self.begins.partition_point(|begin| begin.0 < high);
        let (first, last) = (from.div_ceil(self.step), to / self.step);
        if first >= last {
            let single = &self.begins[from..to];
            single.iter().for_each(|&(_, row)| set(overlap, row));
            return single.len();
        }
        let (head, tail) = (
            &self.begins[from..first * self.step],
            &self.begins[last * self.step..to],
        );
        for &(_, row) in head.iter().chain(tail) {
            set(overlap, row);
        }
        // Two runs of blocks that together are all of them.
        let level = (last - first).ilog2();
        let level = usize::try_from(level).unwrap_or(0);
        join(overlap, &self.unions[level][first]);
        join(overlap, &self.unions[level][last - (1 << level)]);
        head.len() + tail.len() + 2 * overlap.len()
    }
}

fn change(active: &mut [u64], &(_, begins, row): &(u32, bool, u32)) {
    let bit = 1 << (row % 64);
    let word = &mut active[index(row) / 64];
    if begins { *word |= bit } else { *word &= !bit }
}

fn join(words: &mut [u64], more: &[u64]) {
    for (word, more) in words.iter_mut().zip(more) {
        *word |= more;
    }
}
