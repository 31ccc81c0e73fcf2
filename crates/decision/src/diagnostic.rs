//! What is wrong with a file, and where.

use std::fmt;

use crate::limits;

/// A place in a text: line and column in characters, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Mark {
    /// The start of a text.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The place `characters` further on the same line.
    #[must_use]
    pub fn right(self, characters: usize) -> Self {
        Self {
            column: self.column + characters,
            ..self
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One thing that is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file beside the one that was read, such as a table's CSV; `None`: that one.
    pub file: Option<String>,
    /// Where it stands.
    pub mark: Mark,
    /// The cell, such as `row small, order.total`, where it is in one.
    pub cell: Option<String>,
    /// What was found and what was wanted.
    pub message: String,
}

impl Diagnostic {
    /// Something wrong at a place of the text that was read.
    #[must_use]
    pub fn new(mark: Mark, message: impl Into<String>) -> Self {
        Self {
            file: None,
            mark,
            cell: None,
            message: clipped(message.into(), limits::MESSAGE),
        }
    }

    /// The same, in a named cell.
    #[must_use]
    pub fn in_cell(mut self, cell: impl Into<String>) -> Self {
        self.cell = Some(clipped(cell.into(), limits::NAME_BYTES));
        self
    }

    /// The same, in another file.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    /// `[file:]line:column: [cell: ]message`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
        }
        write!(f, "{}: ", self.mark)?;
        if let Some(cell) = &self.cell {
            write!(f, "{cell}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}

/// A text of no more than so many characters.
fn clipped(mut text: String, most: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

/// Whether so much is wrong that the rest needn't be read.
pub(crate) fn full(problems: &[Diagnostic]) -> bool {
    problems.len() >= limits::PROBLEMS
}

/// Puts diagnostics in the order of the text and cuts off beyond [`limits::DIAGNOSTICS`],
/// saying how many more there were.
pub(crate) fn settle(mut problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let least = if full(&problems) { "at least " } else { "" };
    problems.sort_by(|a, b| (&a.file, a.mark).cmp(&(&b.file, b.mark)));
    problems.dedup();
    if problems.len() > limits::DIAGNOSTICS {
        let more = problems.len() - limits::DIAGNOSTICS;
        problems.truncate(limits::DIAGNOSTICS);
        if let Some(last) = problems.last().cloned() {
            let note = format!("{least}{more} more problems are not shown");
            problems.push(Diagnostic {
                message: note,
                cell: None,
                ..last
            });
        }
    }
    problems
}
