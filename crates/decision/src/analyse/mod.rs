//! What a table leaves open, decides twice or never decides, and where two versions differ:
//! exact, with the region each finding holds in and a fact set that shows it.
//!
//! Every witness is replayed through [`evaluate`](crate::evaluate) before it is given. What
//! can't be settled, since columns are computed from the same facts or a limit is met, is
//! [`Undecided`] with the reason: never silent, never a false alarm.
//!
//! The structure is an ordered decision diagram over intervals and value sets: M. Gouda and
//! A. Liu, *Structured firewall design* (2007), A. Liu and M. Gouda, *Diverse firewall
//! design* (2008); for DMN, D. Calvanese et al., *Semantics and analysis of DMN decision
//! tables* (2016).

mod asked;
#[cfg(test)]
mod beside_tests;
mod check;
#[cfg(test)]
mod clock_tests;
mod clocks;
mod computed;
#[cfg(test)]
mod computed_tests;
mod constants;
mod diagram;
mod difference;
mod fill;
mod finder;
mod gaps;
pub mod limits;
mod lines;
mod model;
mod outcome;
mod pairs;
mod parts;
mod points;
mod question;
mod regions;
mod relation;
mod rows;
mod scale;
mod set;
mod silent;
mod solve;
mod space;
mod stretches;
mod sweep;
#[cfg(test)]
mod tests;
mod witness;

use std::fmt;

pub use check::{Options, Report, check};
pub use diagram::{Judge, Path, Sure};
pub use difference::{Change, Difference, difference};
pub use outcome::Rules;
pub use question::{Answered, Found};
pub use set::ClassSet;
pub use space::Space;
pub use witness::Witness;

use crate::value::Facts;

/// A part of what the inputs can be, in the tables' own terms. Without cells: all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region {
    /// Inputs with the test that their values meet, in the order of the table; inputs that
    /// are left out may have any value.
    pub cells: Vec<RegionCell>,
}

/// What a region asks of an input.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegionCell {
    /// The input's expression.
    pub input: String,
    /// An S-FEEL test.
    pub test: String,
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cells.is_empty() {
            return f.write_str("everywhere");
        }
        for (at, cell) in self.cells.iter().enumerate() {
            let comma = if at == 0 { "" } else { "; " };
            write!(f, "{comma}{} {}", cell.input, cell.test)?;
        }
        Ok(())
    }
}

/// What is found in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingKind {
    /// Rows that overlap, and the hit policy doesn't say which holds.
    Conflict,
    /// Inputs that no row covers.
    Gap,
    /// A row that never answers.
    DeadRow,
    /// A row without which every answer would be the same.
    RedundantRow,
    /// Inputs that no row covers where one of them is null.
    NullInput,
}

impl FindingKind {
    /// The name in reports, such as `GAP`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conflict => "CONFLICT",
            Self::Gap => "GAP",
            Self::DeadRow => "DEAD_ROW",
            Self::RedundantRow => "REDUNDANT_ROW",
            Self::NullInput => "NULL_INPUT",
        }
    }
}

/// Something found, with where it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// The rows it is about, by index: of a conflict two.
    pub rows: Vec<usize>,
    /// Where: all of it, or one of several regions of the same kind.
    pub region: Region,
    /// A fact set that shows it; `None` only where a row's own cells rule each other out.
    pub witness: Option<Facts>,
    /// The rows that answer for the witness, by index.
    pub instead: Vec<usize>,
}

/// Why something isn't decided, or isn't listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// No fact set was found that comes to lie in the region: columns are computed from the
    /// same facts, and perhaps there is none.
    NoWitness,
    /// A limit on work or memory was met.
    Budget,
    /// Found and counted, but too many to be listed.
    Unlisted,
    /// An expression may have no result.
    Expression,
    /// Types or allowed values differ between the tables.
    Types,
}

impl Reason {
    /// The name in reports, such as `NO_WITNESS`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoWitness => "NO_WITNESS",
            Self::Budget => "BUDGET",
            Self::Unlisted => "UNLISTED",
            Self::Expression => "EXPRESSION",
            Self::Types => "TYPES",
        }
    }
}

/// Something that couldn't be settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// Why.
    pub reason: Reason,
    /// What it may be, where it is about one kind of finding.
    pub kind: Option<FindingKind>,
    /// The rows it is about, by index.
    pub rows: Vec<usize>,
    /// Where, if that is known.
    pub region: Option<Region>,
    /// How many regions, pairs of rows or subspaces it stands for.
    pub count: u64,
    /// What wasn't settled, for people.
    pub message: String,
}

impl Undecided {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            kind: None,
            rows: Vec::new(),
            region: None,
            count: 1,
            message: message.into(),
        }
    }

    pub(crate) fn about(mut self, kind: FindingKind) -> Self {
        self.kind = Some(kind);
        self
    }

    pub(crate) fn counted(mut self, count: u64) -> Self {
        self.count = count;
        self
    }
}
