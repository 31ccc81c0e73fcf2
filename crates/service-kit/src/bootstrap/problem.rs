//! What is wrong in the files of a bootstrap, and where.

use std::fmt;

use crate::error::{Error, Kind, Reason};

/// At most this many problems are told at once.
const MAX_TOLD: usize = 50;

/// Something that is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Path of the file, as [`super::Files`] has it.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What was found and what was wanted.
    pub message: String,
}

impl Problem {
    /// Something wrong at the start of a file, or with it as a whole.
    pub fn of_file(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            line: 1,
            column: 1,
            message: message.into(),
        }
    }

    /// What a YAML reader says of a text, before which `lines_before` lines of the file
    /// stand.
    pub(crate) fn of_yaml(path: &str, lines_before: usize, error: &serde_saphyr::Error) -> Self {
        let error = error.without_snippet();
        let at = error.location();
        let place = |number: u64| usize::try_from(number).unwrap_or(1).max(1);
        let (line, column) = at.map_or((1, 1), |at| (place(at.line()), place(at.column())));
        let said = error.to_string();
        // The place is said already, in front.
        let said = said.split(" at line ").next().unwrap_or(&said);
        let said = said.strip_prefix("error: ").unwrap_or(said);
        Self {
            path: path.to_owned(),
            line: lines_before + line,
            column,
            message: said.to_owned(),
        }
    }
}

impl fmt::Display for Problem {
    /// `path:line:column: message`, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path, line, column, ..
        } = self;
        write!(f, "{path}:{line}:{column}: ")?;
        for (at, part) in self.message.split_whitespace().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(part)?;
        }
        Ok(())
    }
}

/// One error of all problems, each on a line, in the order of files and places.
pub(super) fn refuse(mut problems: Vec<Problem>) -> Error {
    problems.sort();
    problems.dedup();
    let mut lines: Vec<_> = problems
        .iter()
        .take(MAX_TOLD)
        .map(ToString::to_string)
        .collect();
    if problems.len() > MAX_TOLD {
        lines.push(format!("and {} more problems", problems.len() - MAX_TOLD));
    }
    let message = lines.join("\n");
    Error::new(Kind::InvalidArgument, Reason::InvalidArgument, message)
}
