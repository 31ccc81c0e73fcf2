//! How a decision of a model is asked for, and what it comes to.

use crate::{sfeel, value::Value};

/// What an input that the facts don't hold counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// Null, as DMN engines take it.
    Null,
    /// Unknown: the result is unknown too, unless it is the same whatever the input is.
    Unknown,
}

/// How a decision is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// What an input that the facts don't hold counts as.
    pub absent: Absent,
    /// How much is told of the way.
    pub detail: Detail,
}

/// How much is told of the way to a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Nothing.
    Result,
    /// What decisions and tables came to, and by which rows.
    Hits,
    /// For every row of each table too, which inputs kept it from matching.
    Rows,
}

impl Options {
    /// As DMN engines take it: absent inputs are null.
    #[must_use]
    pub fn dmn() -> Self {
        Self::absent(Absent::Null)
    }

    /// Absent inputs count as this.
    #[must_use]
    pub fn absent(absent: Absent) -> Self {
        Self {
            absent,
            detail: Detail::Result,
        }
    }

    /// With so much told of the way.
    #[must_use]
    pub fn telling(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }
}

/// What a decision comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conclusion {
    /// Its result; `None` where it depends on what is unknown.
    pub value: Option<Value>,
    /// The unknown inputs that it can depend on; empty where the result is known.
    pub unknown: Vec<String>,
    /// What had no result on the way, for which null stands.
    pub problems: Vec<Problem>,
    /// What the decisions and tables on the way came to, in the order of evaluation.
    pub traces: Vec<Trace>,
}

/// Something that had no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{element}: {message}")]
pub struct Problem {
    /// The input, decision or function it was met in.
    pub element: String,
    /// What went wrong.
    pub message: String,
}

/// What a decision or a table came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The decision or function.
    pub element: String,
    /// The result; `None` where it is unknown.
    pub value: Option<Value>,
    /// The path of the table, as [`super::Model::tables`] has it, where it is one.
    pub table: Option<String>,
    /// The ids of the rows that answer, in the order of the answer.
    pub hits: Vec<String>,
    /// All rows of the table, where [`Detail::Rows`] was asked for.
    pub rows: Vec<RowTrace>,
}

/// Why a row of a table matched, or didn't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowTrace {
    /// The row's id.
    pub row: String,
    /// Whether it matches.
    pub matched: sfeel::Met,
    /// The inputs whose cells aren't met.
    pub failed: Vec<String>,
    /// The inputs whose cells depend on what is unknown.
    pub unknown: Vec<String>,
}
