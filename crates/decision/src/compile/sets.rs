//! Sets of rows by class of a column's values, as bits with summaries.
//!
//! Going through the classes in order, rows enter and leave; where nothing does, the set
//! stays the same and is stored once. Where more distinct sets would be needed than the
//! budget has room for, neighbouring classes share the union of theirs, and what a set lets
//! through too much is found out by the row's own spans.

use std::collections::{HashMap, HashSet};

use super::places::Places;

/// Classes from the first to the second, both included.
pub(super) type Span = (u32, u32);

/// Most bytes that the sets of a column take, per row.
pub(crate) const BYTES_PER_ROW: usize = 64;
/// What a column may take however few rows there are.
pub(crate) const FLOOR_BYTES: usize = 128 * 1024;

/// Fewest sets that a column is divided into.
const LEAST: usize = 4;

/// The spans of each row of a column.
#[derive(Debug, Default)]
pub(super) struct Spans {
    pub(super) all: Vec<Span>,
    /// Where the spans of each row end; empty where every row has exactly one.
    pub(super) ends: Vec<u32>,
}

impl Spans {
    pub(super) fn of(&self, row: usize) -> &[Span] {
        if self.ends.is_empty() {
            return self.all.get(row..=row).unwrap_or_default();
        }
        let end = self.ends.get(row).copied().unwrap_or(0) as usize;
        let start = match row.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or(0) as usize,
            None => 0,
        };
        self.all.get(start..end).unwrap_or_default()
    }

    /// The spans of each row in its place.
    pub(super) fn placed(self, places: &Places) -> Self {
        if !places.moved() {
            return self;
        }
        let mut placed = Self::default();
        for place in 0..places.rows() {
            placed.all.extend_from_slice(self.of(places.row(place)));
            placed.ends.push(placed.all.len() as u32);
        }
        placed
    }

    /// Forgets where spans end, where that goes without saying.
    pub(super) fn settle(&mut self) {
        let own = |(row, end): (usize, &u32)| *end as usize == row + 1;
        if self.ends.iter().enumerate().all(own) {
            self.ends = Vec::new();
        }
    }

    /// Takes the last row's spans away.
    pub(super) fn pop(&mut self) -> Vec<Span> {
        self.ends.pop();
        let end = self.ends.last().copied().unwrap_or(0);
        self.all.split_off(end as usize)
    }

    /// Whether a row's cell is met by a class.
    #[inline]
    pub(super) fn hold(&self, row: usize, class: u32) -> bool {
        self.of(row)
            .iter()
            .any(|&(from, to)| from <= class && class <= to)
    }
}

/// Sets of rows, each with a summary before it: a bit for each of its words that isn't zero.
#[derive(Debug)]
pub(crate) struct Sets {
    summary: usize,
    words: usize,
    bits: Vec<u64>,
    counts: Vec<u32>,
}

impl Sets {
    pub(super) fn new(rows: usize) -> Self {
        let words = rows.div_ceil(64);
        Self {
            summary: words.div_ceil(64),
            words,
            bits: Vec::new(),
            counts: Vec::new(),
        }
    }

    /// How many sets a column may have, at most `most`.
    pub(super) fn budget(&self, most: usize) -> usize {
        let bytes = (self.words * 64 * BYTES_PER_ROW).max(FLOOR_BYTES);
        let room = bytes / ((self.summary + self.words).max(1) * 8);
        room.min(most).max(LEAST)
    }

    pub(super) fn push(&mut self, words: &[u64]) -> u32 {
        let id = self.counts.len() as u32;
        let count: u32 = words.iter().map(|word| word.count_ones()).sum();
        self.counts.push(count);
        for chunk in words.chunks(64) {
            let bits = chunk.iter().enumerate();
            let summary = bits.fold(0, |sum, (i, word)| sum | (u64::from(*word != 0) << i));
            self.bits.push(summary);
        }
        self.bits.extend_from_slice(words);
        id
    }

    /// A set: its summary and its words.
    #[inline]
    pub(crate) fn get(&self, id: u32) -> &[u64] {
        let stride = self.summary + self.words;
        let start = id as usize * stride;
        self.bits.get(start..start + stride).unwrap_or_default()
    }

    /// How many rows a set has.
    #[inline]
    pub(crate) fn count(&self, id: u32) -> u32 {
        self.counts.get(id as usize).copied().unwrap_or_default()
    }

    fn words_of(&self, id: u32) -> &[u64] {
        self.get(id).get(self.summary..).unwrap_or_default()
    }

    #[cfg(any(test, feature = "twin"))]
    pub(crate) fn bytes(&self) -> usize {
        self.bits.len() * 8 + self.counts.len() * 4
    }
}

/// The sets of a column, and the one of each class.
pub(super) struct Built {
    pub(super) sets: Sets,
    pub(super) by_class: Vec<u32>,
    /// Whether sets can hold rows whose spans don't.
    pub(super) coarse: bool,
}

/// Builds the sets of `rows` rows over `classes` classes, null the last of them; at most
/// `most` of them, where that is less than the budget has room for.
pub(super) fn build(rows: usize, classes: usize, spans: &Spans, most: usize) -> Built {
    let sets = Sets::new(rows);
    let mut sweep = Sweep::new(rows, classes, spans);
    let budget = sets.budget(most);
    if sweep.distinct_up_to(budget) {
        sweep.rewind();
        let (sets, by_class) = sweep.exact(sets, classes);
        return Built {
            sets,
            by_class,
            coarse: false,
        };
    }
    sweep.rewind();
    let (sets, by_class) = sweep.coarse(sets, classes, budget);
    Built {
        sets,
        by_class,
        coarse: true,
    }
}

/// Rows that enter and leave on the way through the classes.
struct Sweep {
    /// The rows whose cells every class meets.
    always: Vec<u64>,
    current: Vec<u64>,
    /// A fingerprint of the current set.
    print: u128,
    starts: Vec<(u32, u32)>,
    ends: Vec<(u32, u32)>,
    next_start: usize,
    next_end: usize,
    null: u32,
}

impl Sweep {
    fn new(rows: usize, classes: usize, spans: &Spans) -> Self {
        let last = (classes - 1) as u32;
        let mut always = vec![0; rows.div_ceil(64)];
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        for row in 0..rows {
            for &(from, to) in spans.of(row) {
                if (from, to) == (0, last) {
                    always[row / 64] |= 1 << (row % 64);
                } else {
                    starts.push((from, row as u32));
                    ends.push((to, row as u32));
                }
            }
        }
        starts.sort_unstable();
        ends.sort_unstable();
        Self {
            current: always.clone(),
            always,
            print: 0,
            starts,
            ends,
            next_start: 0,
            next_end: 0,
            null: last,
        }
    }

    fn rewind(&mut self) {
        self.current.clone_from(&self.always);
        (self.print, self.next_start, self.next_end) = (0, 0, 0);
    }

    /// The next class at which a row enters or has left; null always is one.
    fn next(&self, after: Option<u32>) -> Option<u32> {
        let start = self.starts.get(self.next_start).map(|&(class, _)| class);
        let end = self.ends.get(self.next_end).map(|&(class, _)| class + 1);
        let null = after
            .is_none_or(|after| after < self.null)
            .then_some(self.null);
        let next = start.into_iter().chain(end).chain(null).min();
        next.filter(|&class| class <= self.null)
    }

    /// Lets rows leave and enter at a class; `entered` hears of those that enter.
    fn go_to(&mut self, class: u32, mut entered: impl FnMut(usize)) {
        while let Some(&(last, row)) = self.ends.get(self.next_end).filter(|(c, _)| *c < class) {
            debug_assert!(last < class);
            self.next_end += 1;
            self.toggle(row);
        }
        while let Some(&(_, row)) = self
            .starts
            .get(self.next_start)
            .filter(|(c, _)| *c <= class)
        {
            self.next_start += 1;
            self.toggle(row);
            entered(row as usize);
        }
    }

    fn toggle(&mut self, row: u32) {
        self.current[row as usize / 64] ^= 1 << (row % 64);
        self.print ^= fingerprint(row);
    }

    /// Whether there are at most so many distinct sets.
    fn distinct_up_to(&mut self, most: usize) -> bool {
        let mut seen = HashSet::from([0]);
        let mut at = None;
        while let Some(class) = self.next(at) {
            self.go_to(class, |_| {});
            seen.insert(self.print);
            if seen.len() > most {
                return false;
            }
            at = Some(class);
        }
        true
    }

    fn exact(&mut self, mut sets: Sets, classes: usize) -> (Sets, Vec<u32>) {
        let mut by_class = Vec::with_capacity(classes);
        let mut known: HashMap<u128, u32> = HashMap::new();
        let mut id = sets.push(&self.current);
        known.insert(self.print, id);
        let mut at = None;
        while let Some(class) = self.next(at) {
            by_class.resize(class as usize, id);
            self.go_to(class, |_| {});
            id = match known.get(&self.print) {
                Some(&id) if sets.words_of(id) == self.current => id,
                _ => sets.push(&self.current),
            };
            known.insert(self.print, id);
            at = Some(class);
        }
        by_class.resize(classes, id);
        (sets, by_class)
    }

    fn coarse(&mut self, mut sets: Sets, classes: usize, budget: usize) -> (Sets, Vec<u32>) {
        // One block for null, and two that the division may leave over.
        let blocks = budget.saturating_sub(3).max(1);
        let changes = self.starts.len() + self.ends.len();
        let share = changes.div_ceil(blocks).max(1);
        let mut by_class = Vec::with_capacity(classes);
        let mut union = self.current.clone();
        let mut used = 0;
        let mut at = None;
        while let Some(class) = self.next(at) {
            let before = self.next_start + self.next_end;
            if class == self.null || used >= share {
                let id = sets.push(&union);
                by_class.resize(class as usize, id);
                self.go_to(class, |_| {});
                union.clone_from(&self.current);
                used = 0;
            } else {
                self.go_to(class, |row| union[row / 64] |= 1 << (row % 64));
                used += self.next_start + self.next_end - before;
            }
            at = Some(class);
        }
        let id = sets.push(&union);
        by_class.resize(classes, id);
        (sets, by_class)
    }
}

/// A number for each row such that the exclusive or of a set's tells sets apart.
fn fingerprint(row: u32) -> u128 {
    // SplitMix64's output function, twice.
    let mix = |seed: u64| {
        let x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    };
    let row = u64::from(row) + 1;
    (u128::from(mix(row)) << 64) | u128::from(mix(row << 32))
}
