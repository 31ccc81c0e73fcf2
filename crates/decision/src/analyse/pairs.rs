//! Pairs of rows that overlap: by bitsets of rows, so that all are found however large the
//! table is.

use std::collections::HashMap;

use super::{
    limits,
    set::ClassSet,
    space::{Space, index},
};

/// Up to this many classes, a bitset for each stands ready.
const FEW: u32 = 128;
/// How many rows lie between two bitsets of a prefix.
const STEP: usize = 1_024;

/// What overlaps.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// Pairs by row, the smaller first; as many as asked for.
    pub(super) listed: Vec<(u32, u32)>,
    /// How many there are.
    pub(super) total: u64,
    /// How many more weren't compared, as the budget ended.
    pub(super) left_out: u64,
}

/// All pairs of rows that overlap; of those with the same number in `alike` none.
pub(super) fn overlapping(space: &Space<'_>, alike: Option<&[u32]>, most: usize) -> Pairs {
    let mut search = Search {
        space,
        columns: Vec::new(),
        most,
        budget: limits::PAIRS,
        pairs: Pairs::default(),
    };
    if !space.is_void() {
        search.run(alike.map(Alike::new));
    }
    search.pairs
}

struct Search<'s, 't> {
    space: &'s Space<'t>,
    columns: Vec<Column>,
    most: usize,
    budget: usize,
    pairs: Pairs,
}

impl Search<'_, '_> {
    fn run(&mut self, alike: Option<Alike>) {
        let space = self.space;
        let rows = space.possible.len();
        self.columns = (0..)
            .zip(&space.dimensions)
            .map(|(at, dimension)| Column::new(space, at, dimension.scale.count(), rows))
            .collect();
        let words = rows.div_ceil(64);
        let (mut candidates, mut overlap, mut spare) =
            (vec![0_u64; words], vec![0_u64; words], vec![0_u64; words]);
        let possible = bits(rows, (0..rows).filter(|&row| space.possible[row]));
        for row in (0..rows).filter(|&row| space.possible[row]) {
            let number = u32::try_from(row).unwrap_or(u32::MAX);
            let first = row / 64;
            candidates[..first].fill(0);
            candidates[first..].copy_from_slice(&possible[first..]);
            // Only rows behind this one.
            candidates[first] &= !(u64::MAX >> (63 - row % 64));
            if let Some(alike) = &alike {
                alike.clear(row, &mut candidates);
            }
            let mut irregular = false;
            for &(dimension, set) in space.tests(number) {
                let column = &self.columns[index(dimension)];
                let set = &space.sets[index(set)];
                column.overlap(set, first, &mut overlap, &mut spare);
                irregular |= column.has_irregular(set);
                let mut left = 0;
                for (candidate, overlap) in candidates[first..].iter_mut().zip(&overlap[first..]) {
                    *candidate &= overlap;
                    left |= *candidate;
                }
                if left == 0 {
                    break;
                }
            }
            self.count(number, &candidates, irregular);
        }
    }

    /// Adds the candidates of a row, compared one by one where bitsets say too much.
    fn count(&mut self, row: u32, candidates: &[u64], compare: bool) {
        for (at, &word) in candidates.iter().enumerate().skip(index(row) / 64) {
            if !compare && self.pairs.listed.len() >= self.most {
                self.pairs.total += u64::from(word.count_ones());
                continue;
            }
            let mut rest = word;
            while rest != 0 {
                let other = u32::try_from(at * 64).unwrap_or(u32::MAX) + rest.trailing_zeros();
                rest &= rest - 1;
                if compare {
                    let Some(left) = self.budget.checked_sub(1) else {
                        self.pairs.left_out += 1;
                        continue;
                    };
                    self.budget = left;
                    if !meet(self.space, row, other) {
                        continue;
                    }
                }
                self.pairs.total += 1;
                if self.pairs.listed.len() < self.most {
                    self.pairs.listed.push((row, other));
                }
            }
        }
    }
}

/// Rows that don't contradict each other.
struct Alike {
    /// The group of each row.
    groups: Vec<u32>,
    /// The rows of each group, and for large ones their bitset.
    members: HashMap<u32, (Vec<usize>, Option<Vec<u64>>)>,
}

impl Alike {
    fn new(groups: &[u32]) -> Self {
        let mut members: HashMap<u32, (Vec<usize>, Option<Vec<u64>>)> = HashMap::new();
        for (row, &group) in groups.iter().enumerate() {
            members.entry(group).or_default().0.push(row);
        }
        for (rows, set) in members.values_mut() {
            if rows.len() > groups.len() / 64 {
                *set = Some(bits(groups.len(), rows.iter().copied()));
            }
        }
        Self {
            groups: groups.to_vec(),
            members,
        }
    }

    fn clear(&self, row: usize, candidates: &mut [u64]) {
        match self.members.get(&self.groups[row]) {
            Some((_, Some(set))) => {
                for (candidate, same) in candidates.iter_mut().zip(set) {
                    *candidate &= !same;
                }
            }
            Some((rows, None)) => {
                for &row in rows {
                    candidates[row / 64] &= !(1 << (row % 64));
                }
            }
            None => {}
        }
    }
}

/// Whether two rows have a point in common.
fn meet(space: &Space<'_>, a: u32, b: u32) -> bool {
    let shared = |&(dimension, set): &(u32, u32)| {
        space
            .set(b, dimension)
            .is_none_or(|other| space.sets[index(set)].meets(other))
    };
    space.tests(a).iter().all(shared)
}

fn bits(rows: usize, members: impl Iterator<Item = usize>) -> Vec<u64> {
    let mut words = vec![0; rows.div_ceil(64)];
    for row in members {
        words[row / 64] |= 1 << (row % 64);
    }
    words
}

/// Which rows lie where in one dimension.
enum Column {
    /// For each class the rows that match there.
    Few(Vec<Vec<u64>>),
    /// Rows by where they begin and where they end; those in several ranges by the whole
    /// that these span, and to be compared.
    Many {
        begins: Prefixes,
        ends: Prefixes,
        irregular: bool,
    },
}

/// Bitsets of the first rows in some order, for every [`STEP`]th, and of all.
struct Prefixes {
    order: Vec<(u32, u32)>,
    sets: Vec<Vec<u64>>,
    all: Vec<u64>,
}

impl Prefixes {
    fn new(mut order: Vec<(u32, u32)>, rows: usize) -> Self {
        order.sort_unstable();
        let mut all = vec![0_u64; rows.div_ceil(64)];
        let mut sets = vec![all.clone()];
        for (at, &(_, row)) in order.iter().enumerate() {
            all[index(row) / 64] |= 1 << (row % 64);
            if (at + 1) % STEP == 0 {
                sets.push(all.clone());
            }
        }
        Self { order, sets, all }
    }

    /// The rows with a key below a bound, from the word `first` on.
    fn below(&self, bound: u32, first: usize, out: &mut [u64]) {
        let count = self.order.partition_point(|&(key, _)| key < bound);
        let stored = count / STEP;
        out[first..].copy_from_slice(&self.sets[stored][first..]);
        for &(_, row) in &self.order[stored * STEP..count] {
            out[index(row) / 64] |= 1 << (row % 64);
        }
    }
}

impl Column {
    fn new(space: &Space<'_>, dimension: u32, classes: u32, rows: usize) -> Self {
        let sets = (0..rows).filter_map(|row| {
            let row = u32::try_from(row).ok()?;
            Some((row, space.set(row, dimension)?))
        });
        if classes <= FEW {
            let whole = bits(rows, 0..rows);
            let mut by_class = vec![whole; index(classes)];
            for (row, set) in sets {
                for class in set.complement(classes).iter() {
                    by_class[index(class)][index(row) / 64] &= !(1 << (row % 64));
                }
            }
            return Self::Few(by_class);
        }
        let (mut begins, mut ends, mut irregular) = (Vec::new(), Vec::new(), false);
        for (row, set) in sets {
            let (Some(first), Some(last)) = (set.ranges().first(), set.ranges().last()) else {
                continue;
            };
            irregular |= set.ranges().len() > 1;
            begins.push((first.0, row));
            ends.push((last.1, row));
        }
        Self::Many {
            begins: Prefixes::new(begins, rows),
            ends: Prefixes::new(ends, rows),
            irregular,
        }
    }

    fn has_irregular(&self, set: &ClassSet) -> bool {
        match self {
            Self::Few(_) => false,
            Self::Many { irregular, .. } => *irregular || set.ranges().len() > 1,
        }
    }

    /// The rows from the word `first` on that overlap a set, or may.
    fn overlap(&self, set: &ClassSet, first: usize, out: &mut [u64], spare: &mut [u64]) {
        match self {
            Self::Few(by_class) => {
                out[first..].fill(0);
                for class in set.iter() {
                    let here = &by_class[index(class)][first..];
                    for (word, more) in out[first..].iter_mut().zip(here) {
                        *word |= more;
                    }
                }
            }
            Self::Many { begins, ends, .. } => {
                let (Some(low), Some(high)) = (set.ranges().first(), set.ranges().last()) else {
                    out[first..].fill(0);
                    return;
                };
                // All but those that end before this begins, or begin behind its end. Rows
                // that don't test the dimension are in neither order.
                ends.below(low.0 + 1, first, out);
                begins.below(high.1, first, spare);
                let words = out[first..].iter_mut().zip(&spare[first..]);
                for ((word, before), all) in words.zip(&begins.all[first..]) {
                    *word = !(*word | (all & !before));
                }
            }
        }
    }
}
