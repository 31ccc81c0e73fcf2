//! How a log is written.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Seek as _},
};

/// Longest first line that is looked at.
const MAX_HEADER: u64 = 64 * 1024;

/// How a log is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header.
    Csv {
        /// Columns of the header.
        header: Vec<String>,
    },
    /// One JSON object a line.
    JsonLines,
}

impl Format {
    /// Looks at the first line: a JSON object begins with a brace, a header doesn't.
    pub fn of(file: &mut File) -> Result<Self, String> {
        file.rewind().map_err(|error| error.to_string())?;
        let mut first = String::new();
        BufReader::new(&mut *file)
            .take(MAX_HEADER)
            .read_line(&mut first)
            .map_err(|error| error.to_string())?;
        let first = first.trim_start_matches('\u{feff}');
        if first.trim().is_empty() {
            return Err("found nothing, expected a CSV header or a JSON object".to_owned());
        }
        if first.trim_start().starts_with('{') {
            return Ok(Self::JsonLines);
        }
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(first.as_bytes());
        let mut record = csv::StringRecord::new();
        reader
            .read_record(&mut record)
            .map_err(|error| error.to_string())?;
        let header: Vec<String> = record.iter().map(str::to_owned).collect();
        match header
            .iter()
            .enumerate()
            .find(|(at, name)| header[..*at].contains(name))
        {
            Some((_, twice)) => Err(format!("column {twice:?} stands twice in the header")),
            None => Ok(Self::Csv { header }),
        }
    }
}
