//! Reads a file line by line, with a limit on each.

use std::io::{BufRead, Read as _};

use super::{PROGRESS_EVERY, Problem, What};
use crate::domain::line::{self, Line, MAX_LEN};

/// A line, with what a digest over the lines needs.
pub(super) struct Read {
    pub line: Line,
    pub bytes: Vec<u8>,
}

pub(super) struct Lines<'p, R> {
    reader: R,
    number: u64,
    peeked: Option<Read>,
    /// What the next line's record should be, for errors of lines that can't be read.
    pub due: Option<u64>,
    records: u64,
    progress: &'p mut dyn FnMut(u64),
}

impl<'p, R: BufRead> Lines<'p, R> {
    pub fn new(reader: R, progress: &'p mut dyn FnMut(u64)) -> Self {
        Self {
            reader,
            number: 0,
            peeked: None,
            due: Some(0),
            records: 0,
            progress,
        }
    }

    /// Number of the line that was read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// A problem of the line that was read last.
    pub fn problem(&self, index: Option<u64>, what: What) -> Problem {
        Problem::new(index, self.number, what)
    }

    pub fn peek(&mut self) -> Result<Option<&Line>, Problem> {
        if self.peeked.is_none() {
            self.peeked = self.read()?;
        }
        Ok(self.peeked.as_ref().map(|read| &read.line))
    }

    /// The next line. None at the end of the file.
    pub fn next(&mut self) -> Result<Option<Read>, Problem> {
        let read = match self.peeked.take() {
            Some(read) => Some(read),
            None => self.read()?,
        };
        if matches!(&read, Some(read) if matches!(read.line, Line::Record(_))) {
            self.records += 1;
            if self.records.is_multiple_of(PROGRESS_EVERY) {
                (self.progress)(self.records);
            }
        }
        Ok(read)
    }

    /// Tells the final count.
    pub fn finish(&mut self, records: u64) {
        (self.progress)(records);
    }

    fn read(&mut self) -> Result<Option<Read>, Problem> {
        let limit = u64::try_from(MAX_LEN).unwrap_or(u64::MAX) + 1;
        let mut bytes = Vec::new();
        self.number += 1;
        let read = (&mut self.reader).take(limit).read_until(b'\n', &mut bytes);
        if let Err(error) = read {
            return Err(self.problem(None, What::Io(error.to_string())));
        }
        if bytes.is_empty() {
            self.number -= 1;
            return Ok(None);
        }
        match line::parse(&bytes) {
            Ok(line) => Ok(Some(Read { line, bytes })),
            Err(error) => Err(self.problem(self.due, What::Line(error.to_string()))),
        }
    }
}
