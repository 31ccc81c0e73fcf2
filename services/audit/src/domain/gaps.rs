//! Producer sequences: each producer counts its records from 1 without gaps, so that
//! a record that never came is seen.

use std::collections::BTreeMap;

/// Most ranges that are kept of one producer; beyond, the oldest are joined into one,
/// which reports more rather than less.
const MAX_RANGES: usize = 1_000;

/// What came of one producer so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sequence {
    /// Highest number that came.
    pub last: u64,
    /// Numbers below it that didn't come: first to last, inclusive.
    missing: BTreeMap<u64, u64>,
    /// Numbers that came under more than one event id.
    pub repeated: u64,
}

impl Sequence {
    /// What is stored of a producer.
    pub fn new(last: u64, repeated: u64, missing: impl IntoIterator<Item = (u64, u64)>) -> Self {
        Self {
            last,
            repeated,
            missing: missing.into_iter().collect(),
        }
    }

    /// Takes note of a number.
    pub fn note(&mut self, number: u64) {
        if number > self.last {
            if number > self.last + 1 {
                self.missing.insert(self.last + 1, number - 1);
                self.join();
            }
            self.last = number;
            return;
        }
        let Some((&first, &last)) = self.missing.range(..=number).next_back() else {
            self.repeated += 1;
            return;
        };
        if number > last {
            self.repeated += 1;
            return;
        }
        self.missing.remove(&first);
        if first < number {
            self.missing.insert(first, number - 1);
        }
        if number < last {
            self.missing.insert(number + 1, last);
        }
    }

    fn join(&mut self) {
        while self.missing.len() > MAX_RANGES {
            let (Some((first, _)), Some((_, last))) =
                (self.missing.pop_first(), self.missing.pop_first())
            else {
                return;
            };
            self.missing.insert(first, last);
        }
    }

    /// Ranges of numbers that didn't come, first to last, inclusive.
    pub fn missing(&self) -> impl Iterator<Item = (u64, u64)> {
        self.missing.iter().map(|(first, last)| (*first, *last))
    }

    /// How many numbers didn't come.
    #[must_use]
    pub fn missing_count(&self) -> u64 {
        self.missing().map(|(first, last)| last - first + 1).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Sequence;

    fn after(numbers: &[u64]) -> Sequence {
        let mut sequence = Sequence::default();
        numbers.iter().for_each(|n| sequence.note(*n));
        sequence
    }

    #[test]
    fn a_hole_is_seen_and_filled() {
        assert_eq!(after(&[1, 2, 3]).missing_count(), 0);
        let holes = after(&[1, 5, 9]);
        assert_eq!(holes.missing().collect::<Vec<_>>(), [(2, 4), (6, 8)]);
        let filled = after(&[1, 5, 9, 3, 6, 8, 7]);
        assert_eq!(filled.missing().collect::<Vec<_>>(), [(2, 2), (4, 4)]);
        assert_eq!(after(&[3]).missing_count(), 2);
    }

    #[test]
    fn a_number_that_came_twice_is_counted() {
        assert_eq!(after(&[1, 2, 2, 1]).repeated, 2);
        assert_eq!(after(&[1, 5, 4, 4]).repeated, 1);
    }

    #[test]
    fn endless_holes_stay_bounded() {
        let numbers: Vec<_> = (1..5_000).map(|n| n * 2).collect();
        let sequence = after(&numbers);
        assert!(sequence.missing().count() <= 1_000);
        assert!(sequence.missing_count() >= 4_999);
    }
}
