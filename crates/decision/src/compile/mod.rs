//! Tables compiled to an index: from the class of each input's value to the rows whose
//! cells it meets (aggregated bit vectors: Lakshman & Stiliadis 1998, Baboescu & Varghese
//! 2001).
//!
//! # Memory
//! The sets of a column take at most 64 bytes for each row, or 128 KiB where that is more,
//! and a 64th on top for summaries; its constants 8 or 16 bytes each (texts as they are) and
//! 8 for their classes. A column whose classes share sets keeps 8 bytes for each span of
//! classes that a cell accepts, and 4 for the row where there are several; one with opaque
//! cells 4 bytes a row.

mod bounds;
mod column;
mod draft;
mod members;
mod order;
mod places;
mod sets;

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

pub(crate) use column::{Column, Place};
pub(crate) use order::Order;
#[cfg(any(test, feature = "twin"))]
pub(crate) use order::compare;
pub(crate) use places::Places;
pub(crate) use sets::Sets;

use bounds::Kind;
use column::Prepared;
use draft::Draft;
use members::MemberDraft;

use crate::{evaluate::NullTests, sfeel::Node, table::Table, types::Type};

/// What evaluation looks up instead of trying every row.
#[derive(Debug)]
pub(crate) struct Index {
    /// The columns that some row puts a test on, in the table's order.
    pub(crate) columns: Vec<Column>,
    /// Which row each place of a set stands for.
    pub(crate) places: Places,
    /// The set of all rows.
    pub(crate) all: Sets,
    /// How rows rank, and which have the same outputs.
    pub(crate) order: Order,
}

impl Index {
    /// The index of a table, of at most so many sets of rows for each column.
    pub(crate) fn new(table: &Table, most: usize) -> Self {
        let rows = table.rows.len();
        let mut all = Sets::new(rows);
        let mut words = vec![u64::MAX; rows.div_ceil(64)];
        if let (Some(last), rest @ 1..) = (words.last_mut(), rows % 64) {
            *last = (1 << rest) - 1;
        }
        all.push(&words);
        let order = Order::new(table);
        let columns = prepared(table);
        let places = Places::new(table, &order, &columns);
        let built = columns
            .into_iter()
            .map(|column| column.build(&places, most));
        Self {
            columns: built.collect(),
            all,
            order,
            places,
        }
    }

    #[cfg(any(test, feature = "twin"))]
    pub(crate) fn bytes(&self) -> usize {
        self.columns.iter().map(Column::bytes).sum()
    }
}

/// The columns that some row puts a test on. Each cell is read once, row by row: that is
/// how they lie in memory.
fn prepared(table: &Table) -> Vec<Prepared<'_>> {
    let rows = table.rows.len();
    let inputs = || table.inputs.iter().enumerate();
    let kinds = inputs().map(|(at, input)| kind(table, at, &input.ty));
    let mut drafts: Vec<Draft<'_>> = kinds.map(|kind| Draft::new(kind, rows)).collect();
    let lists = inputs().map(|(_, input)| MemberDraft::new(&input.ty));
    let mut lists: Vec<Option<MemberDraft<'_>>> = lists.collect();
    for row in &table.rows {
        let drafts = drafts.iter_mut().zip(&mut lists);
        for ((draft, members), cell) in drafts.zip(&row.cells) {
            if !draft.add(&cell.test) {
                draft.add_opaque(&cell.test);
            }
            if let Some(members) = members {
                members.add(&cell.test);
            }
        }
    }
    let drafts = drafts.into_iter().zip(lists).enumerate();
    let asked = drafts.filter(|(_, (draft, _))| !draft.is_idle());
    asked
        .map(|(input, (draft, members))| Prepared::new(table, input, draft, members))
        .collect()
}

/// How the values of a column compare: by its type, or by what its cells name.
fn kind<'t>(table: &'t Table, column: usize, ty: &'t Type) -> Option<Kind<'t>> {
    let cells = table.rows.iter().filter_map(|row| row.cells.get(column));
    let constants = cells.flat_map(|cell| cell.test.operands().filter_map(Node::literal));
    Kind::of(ty).or_else(|| Kind::most(ty, constants))
}

/// A table's index, made when it is first asked for. A copy of a table, which may then be
/// changed, makes its own.
#[derive(Default)]
pub(crate) struct Compiled(OnceLock<Arc<Index>>, NullTests);

impl Compiled {
    pub(crate) fn index(&self, table: &Table) -> &Index {
        self.0
            .get_or_init(|| Arc::new(Index::new(table, usize::MAX)))
    }

    /// What null does in the table's columns.
    pub(crate) fn nulls(&self) -> &NullTests {
        &self.1
    }
}

impl Clone for Compiled {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.get().is_some() {
            "Compiled(..)"
        } else {
            "Compiled"
        })
    }
}

impl Table {
    /// Makes the index that evaluation looks rows up in, unless it is made already. The
    /// first evaluation does so otherwise: milliseconds for thousands of rows.
    pub fn compile(&self) {
        self.compiled.index(self);
    }
}
