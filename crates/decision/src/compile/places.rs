//! Where the rows of a table stand in its index.
//!
//! A bit's place decides which word it shares: rows that are met by the same values should
//! stand together, so that a word without common rows is the rule. Where a hit policy ranks
//! rows, the best stand first instead, and the first row found is the answer.

use super::{column::Prepared, order::Order};
use crate::table::{HitPolicy, Table};

/// The rows by place.
#[derive(Debug)]
pub(crate) struct Places {
    /// Empty where every row stands in its own place.
    rows: Vec<u32>,
    count: usize,
}

impl Places {
    pub(super) fn new(table: &Table, order: &Order, columns: &[Prepared<'_>]) -> Self {
        let count = table.rows.len();
        let mut rows: Vec<u32> = match table.hit_policy {
            HitPolicy::Priority | HitPolicy::OutputOrder => {
                let mut ranked: Vec<u32> = (0..count as u32).collect();
                ranked.sort_by_key(|&row| order.of(row as usize));
                ranked
            }
            // At most one row, or some that agree: putting them back in order costs nothing.
            HitPolicy::Unique | HitPolicy::Any => clustered(count, columns),
            // The first rows come first, or all in order.
            _ => Vec::new(),
        };
        if rows.is_sorted() {
            rows = Vec::new();
        }
        Self { rows, count }
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.count
    }

    /// Whether rows stand in places of other rows.
    pub(crate) fn moved(&self) -> bool {
        !self.rows.is_empty()
    }

    /// The row at a place.
    pub(crate) fn row(&self, place: usize) -> usize {
        self.rows.get(place).map_or(place, |&row| row as usize)
    }
}

/// Rows by the classes in which their cells begin, the columns with the fewest first.
fn clustered(count: usize, columns: &[Prepared<'_>]) -> Vec<u32> {
    let mut columns: Vec<&Prepared<'_>> = columns.iter().filter(|c| c.classes() > 0).collect();
    columns.sort_by_key(|column| column.classes());
    // As many columns as there is room for; what is left out only stands less close.
    let mut room = u128::MAX;
    columns.retain(|column| {
        room /= u128::from(column.classes());
        room > 0
    });
    let key = |row: usize| {
        columns.iter().fold(0_u128, |key, column| {
            let (first, classes) = column.start(row).unwrap_or((0, 1));
            key * u128::from(classes) + u128::from(first)
        })
    };
    let mut keyed: Vec<(u128, u32)> = (0..count).map(|row| (key(row), row as u32)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, row)| row).collect()
}
