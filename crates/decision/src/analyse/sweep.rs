//! The rows that match from class to class of one dimension.

use super::space::Space;

/// Up to how many rows are taken in and out one by one.
const FEW: usize = 16;

/// Runs over the classes of a dimension.
#[derive(Debug)]
pub(super) struct Sweep {
    /// Rows that don't test it.
    wild: Vec<u32>,
    /// Rows that match at the present class.
    active: Vec<u32>,
    /// Where rows begin and end to match: class, whether it begins, row.
    pub(super) events: Vec<(u32, bool, u32)>,
    next: usize,
    at: u32,
    end: u32,
}

impl Sweep {
    pub(super) fn new(
        space: &Space<'_>,
        live: &[u32],
        dimension: u32,
        (from, to): (u32, u32),
    ) -> Self {
        let mut sweep = Self {
            wild: Vec::new(),
            active: Vec::new(),
            events: Vec::new(),
            next: 0,
            at: from,
            end: to,
        };
        for &row in live {
            match space.set(row, dimension) {
                None => sweep.wild.push(row),
                Some(set) => {
                    for &(begin, end) in set.ranges() {
                        let (begin, end) = (begin.max(from), end.min(to));
                        if begin < end {
                            sweep.events.push((begin, true, row));
                            sweep.events.push((end, false, row));
                        }
                    }
                }
            }
        }
        sweep.events.sort_unstable();
        sweep
    }

    /// Takes rows in and out where the present class begins.
    fn change(&mut self) {
        let rest = &self.events[self.next..];
        let due = rest.partition_point(|event| event.0 <= self.at);
        let (ended, begun) = rest[..due].split_at(rest[..due].partition_point(|event| !event.1));
        self.next += due;
        if due < FEW {
            for &(_, begins, row) in ended.iter().chain(begun) {
                match (self.active.binary_search(&row), begins) {
                    (Ok(place), false) => {
                        self.active.remove(place);
                    }
                    (Err(place), true) => self.active.insert(place, row),
                    _ => {}
                }
            }
            return;
        }
        let mut ended = ended.iter().map(|event| event.2).peekable();
        self.active.retain(|&row| {
            while ended.next_if(|&gone| gone < row).is_some() {}
            ended.next_if_eq(&row).is_none()
        });
        let begun: Vec<u32> = begun.iter().map(|event| event.2).collect();
        self.active = merge(&self.active, &begun);
    }

    /// The next run, and the rows that match in it.
    pub(super) fn step(&mut self) -> Option<(u32, u32, Vec<u32>)> {
        if self.at >= self.end {
            return None;
        }
        self.change();
        let from = self.at;
        self.at = self
            .events
            .get(self.next)
            .map_or(self.end, |event| event.0.min(self.end));
        Some((from, self.at, merge(&self.wild, &self.active)))
    }
}

/// Two ascending lists as one.
fn merge(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut out = Vec::with_capacity(a.len() + b.len() + 1);
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        if a[i] < b[j] {
            out.push(a[i]);
            i += 1;
        } else {
            out.push(b[j]);
            j += 1;
        }
    }
    out.extend_from_slice(&a[i..]);
    out.extend_from_slice(&b[j..]);
    out
}
