//! Pairs of rows that overlap: by bitsets of rows, so that all are found however large the
//! table is.

use std::collections::HashMap;

use super::{
    limits,
    set::ClassSet,
    space::{Space, index},
    stretches::{Ordered, Segments, bits},
};

/// Up to this many classes, a bitset for each stands ready.
const FEW: u32 = 128;

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
    let mut pairs = Pairs::default();
    if space.is_void() {
        return pairs;
    }
    let alike = alike.map(Alike::new);
    let rows = space.possible.len();
    let columns = columns(space, rows);
    let possible = bits(rows, (0..rows).filter(|&row| space.possible[row]));
    let mut candidates = Candidates {
        words: vec![0; possible.len()],
        live: Vec::new(),
        fresh: None,
        work: limits::PAIRS,
    };
    for row in (0..rows).filter(|&row| space.possible[row]) {
        if candidates.work == 0 {
            let left = (row..rows).filter(|&row| space.possible[row]).count() as u64;
            pairs.left_out = left * left.saturating_sub(1) / 2;
            break;
        }
        let number = u32::try_from(row).unwrap_or(u32::MAX);
        candidates.begin(row, &possible);
        if let Some(alike) = &alike {
            alike.clear(row, &mut candidates.words);
        }
        // What leaves the fewest rows comes first.
        let tests = space.tests(number).iter();
        let mut tests: Vec<_> = tests
            .map(|&(dimension, set)| (&columns[index(dimension)], &space.sets[index(set)]))
            .map(|(column, set)| (column.estimate(set, rows), column, set))
            .collect();
        tests.sort_by_key(|(estimate, ..)| *estimate);
        for (_, column, set) in tests {
            column.narrow(set, &mut candidates);
            if candidates.live.is_empty() {
                break;
            }
        }
        if candidates.fresh.is_some() {
            candidates.keep(|_| u64::MAX);
        }
        for &at in &candidates.live {
            let word = candidates.words[index(at)];
            pairs.total += u64::from(word.count_ones());
            let mut rest = word;
            while rest != 0 && pairs.listed.len() < most {
                pairs.listed.push((number, at * 64 + rest.trailing_zeros()));
                rest &= rest - 1;
            }
        }
    }
    pairs
}

fn columns(space: &Space<'_>, rows: usize) -> Vec<Column> {
    let sets = |dimension: u32| {
        (0..rows).filter_map(move |row| {
            let row = u32::try_from(row).ok()?;
            Some((row, space.set(row, dimension)?))
        })
    };
    let several = |dimension: &u32| sets(*dimension).any(|(_, set)| set.ranges().len() > 1);
    let many = (0..)
        .zip(&space.dimensions)
        .filter(|(_, dimension)| dimension.scale.count() > FEW);
    let several: Vec<u32> = many.map(|(at, _)| at).filter(several).collect();
    let dimensions = (0..).zip(&space.dimensions);
    dimensions
        .map(|(at, dimension)| {
            let classes = dimension.scale.count();
            if classes <= FEW {
                Column::few(sets(at), classes, rows)
            } else if several.contains(&at) {
                let memory = limits::PAIRS_MEMORY / several.len();
                Column::Several(Segments::new(sets(at), rows, memory))
            } else {
                let ranges = sets(at).filter_map(|(row, set)| Some((row, *set.ranges().first()?)));
                let (begins, ends) = ranges
                    .map(|(row, (from, to))| ((from, row), (to, row)))
                    .unzip();
                Column::Many {
                    begins: Ordered::new(begins, rows),
                    ends: Ordered::new(ends, rows),
                }
            }
        })
        .collect()
}

/// Rows that may overlap the present one.
pub(super) struct Candidates {
    pub(super) words: Vec<u64>,
    /// The places of words that aren't zero, or weren't; others hold what was left there.
    live: Vec<u32>,
    /// From which on all are live, before anything was dropped.
    fresh: Option<usize>,
    /// How many steps may still be taken.
    work: u64,
}

impl Candidates {
    /// All possible rows behind one.
    fn begin(&mut self, row: usize, possible: &[u64]) {
        let first = row / 64;
        self.words[first..].copy_from_slice(&possible[first..]);
        self.words[first] &= !(u64::MAX >> (63 - row % 64));
        self.live.clear();
        self.fresh = Some(first);
    }

    /// Keeps what `mask` has, word by word.
    pub(super) fn keep(&mut self, mask: impl Fn(usize) -> u64) {
        let words = &mut self.words;
        if let Some(first) = self.fresh.take() {
            let count = words.len();
            for (at, word) in (first..count).zip(&mut words[first..]) {
                *word &= mask(at);
            }
            let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            let live = (first..count).filter(|&at| words[at] != 0);
            self.live.extend(live.map(number));
            self.spend(count - first);
            return;
        }
        self.live.retain(|&at| {
            let word = &mut words[index(at)];
            *word &= mask(index(at));
            *word != 0
        });
        self.spend(self.live.len());
    }

    pub(super) fn drop_row(&mut self, row: u32) {
        self.words[index(row) / 64] &= !(1 << (row % 64));
    }

    pub(super) fn spend(&mut self, steps: usize) {
        self.work = self.work.saturating_sub(steps as u64);
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

/// Which rows lie where in one dimension.
enum Column {
    /// For each class the rows that match there, and how many.
    Few(Vec<(Vec<u64>, usize)>),
    /// Rows by where they begin and where they end.
    Many { begins: Ordered, ends: Ordered },
    /// Rows of which some have several ranges.
    Several(Segments),
}

impl Column {
    fn few<'s>(sets: impl Iterator<Item = (u32, &'s ClassSet)>, classes: u32, rows: usize) -> Self {
        let whole = bits(rows, 0..rows);
        let mut by_class = vec![(whole, rows); index(classes)];
        for (row, set) in sets {
            for class in set.complement(classes).iter() {
                let (words, count) = &mut by_class[index(class)];
                words[index(row) / 64] &= !(1 << (row % 64));
                *count -= 1;
            }
        }
        Self::Few(by_class)
    }

    /// About how many rows overlap a set.
    fn estimate(&self, set: &ClassSet, rows: usize) -> usize {
        match self {
            Self::Few(by_class) => {
                let counts = set.iter().map(|class| by_class[index(class)].1);
                counts.sum::<usize>().min(rows)
            }
            Self::Many { begins, ends } => match set.ranges() {
                [(low, high)] => {
                    rows - ends.count_below(low + 1) - (begins.len() - begins.count_below(*high))
                }
                _ => 0,
            },
            Self::Several(_) => rows,
        }
    }

    /// Keeps the rows that overlap a set.
    fn narrow(&self, set: &ClassSet, candidates: &mut Candidates) {
        match self {
            Self::Few(by_class) => {
                let classes: Vec<&[u64]> = set
                    .iter()
                    .map(|class| by_class[index(class)].0.as_slice())
                    .collect();
                if let [only] = classes.as_slice() {
                    candidates.keep(|at| only[at]);
                    return;
                }
                candidates.keep(|at| classes.iter().fold(0, |all, words| all | words[at]));
                candidates.spend(candidates.live.len() * classes.len());
            }
            Self::Many { begins, ends } => {
                // All but those that end before this begins, or begin behind its end. Rows
                // that don't test the dimension are in neither order.
                let [(low, high)] = set.ranges() else {
                    candidates.keep(|_| 0);
                    return;
                };
                let (before, rest) = ends.below(low + 1);
                let (until, beyond) = begins.below_or_more(*high);
                let all = begins.all();
                candidates.keep(|at| !(before[at] | (all[at] & !until[at])));
                candidates.spend(rest.len() + beyond.len());
                for &(_, row) in rest.iter().chain(beyond) {
                    candidates.drop_row(row);
                }
            }
            Self::Several(segments) => segments.narrow(set, candidates),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::tests::{cases, read},
        *,
    };

    /// Tests of a column with many constants: ranges, values apart, and all but some.
    fn cell() -> impl Strategy<Value = String> {
        let bound = || 0..200_u32;
        let list = |values: &[u32]| {
            let texts: Vec<_> = values.iter().map(ToString::to_string).collect();
            texts.join(", ")
        };
        prop_oneof![
            2 => Just("-".to_owned()),
            3 => bound().prop_map(|n| n.to_string()),
            2 => (bound(), 0..60_u32).prop_map(|(n, width)| format!("[{n}..{}]", n + width)),
            2 => prop::collection::vec(bound(), 1..6).prop_map(move |values| list(&values)),
            1 => prop::collection::vec(bound(), 1..3).prop_map(move |values| format!("not({})", list(&values))),
            1 => bound().prop_map(|n| format!("< {n}, > {}", n + 20)),
        ]
    }

    fn range() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("-".to_owned()),
            (0..200_u32, 0..60_u32).prop_map(|(n, width)| format!("[{n}..{}]", n + width)),
            (0..200_u32).prop_map(|n| format!("> {n}")),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: cases().cases / 4, ..cases() })]

        #[test]
        fn pairs_are_those_that_have_a_point_in_common(
            rows in prop::collection::vec((cell(), range(), 0..4_u32), 100..400),
            groups in prop::option::of(Just(3_u32)),
        ) {
            let mut text = "name: t\ninputs:\n  - {expression: x, type: number}\n  \
                 - {expression: y, type: number}\n  - {expression: z, type: number}\nrows:\n".to_owned();
            for (at, (x, y, z)) in rows.iter().enumerate() {
                text += &format!("  - {{id: r{at}, when: {{x: '{x}', y: '{y}', z: '{z}'}}, then: {{o: 1}}}}\n");
            }
            let table = read(&text);
            let space = Space::new(vec![&table]);
            let many = space.dimensions.iter().filter(|d| d.scale.count() > FEW).count();
            prop_assert!(many >= 1, "columns of many classes are what this is about");
            let group = |row: u32| groups.map(|count| row % count);
            let meet = |a: u32, b: u32| {
                space.tests(a).iter().all(|&(dimension, set)| {
                    let other = space.set(b, dimension);
                    other.is_none_or(|other| !space.sets[index(set)].intersect(other).is_empty())
                })
            };
            let count = u32::try_from(rows.len()).unwrap();
            let mut expected = Vec::new();
            for a in 0..count {
                expected.extend(
                    (a + 1..count)
                        .filter(|&b| (group(a).is_none() || group(a) != group(b)) && meet(a, b))
                        .map(|b| (a, b)),
                );
            }
            let alike: Option<Vec<u32>> = groups.map(|count_of| (0..count).map(|row| row % count_of).collect());
            let found = overlapping(&space, alike.as_deref(), usize::MAX);
            prop_assert_eq!(&found.listed, &expected);
            prop_assert_eq!((found.total, found.left_out), (expected.len() as u64, 0));
            let some = overlapping(&space, alike.as_deref(), 10);
            prop_assert_eq!((some.listed.len(), some.total), (expected.len().min(10), found.total));
        }
    }
}
