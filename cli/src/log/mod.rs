//! Event logs: CSV through a mapping, or JSON lines that are CloudEvents or go through a
//! mapping. Read twice: once to find what is wrong before anything is sent, and to know
//! how much there is; once to send.

mod events;
mod format;

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Seek as _, Write as _},
    path::Path,
};

use contracts::types::CloudEvent;

use crate::{
    example,
    failure::Failure,
    mapping::{self, EventMapping},
};
use format::Format;

/// An event log that has been found readable.
#[derive(Debug)]
pub struct Log {
    shown: String,
    file: File,
    format: Format,
    mapping: Option<EventMapping>,
}

impl Log {
    /// Opens a log and finds out how it is written and which mapping fits it.
    pub fn open(path: &Path, mapping: Option<&str>) -> Result<Self, Failure> {
        let (shown, mut file) = if path == Path::new("-") {
            ("standard input".to_owned(), spool()?)
        } else {
            let shown = path.display().to_string();
            let file =
                File::open(path).map_err(|error| Failure::usage(format!("{shown}: {error}")))?;
            (shown, file)
        };
        let format = Format::of(&mut file)
            .map_err(|problem| Failure::usage(format!("{shown}:1: {problem}")))?;
        let mapping = match mapping {
            Some(given) => Some(named(given)?),
            None => fitting(&format, &shown)?,
        };
        Ok(Self {
            shown,
            file,
            format,
            mapping,
        })
    }

    /// The events, each with its line; stops at the first that can't be made.
    pub fn events(
        &self,
    ) -> Result<impl Iterator<Item = Result<CloudEvent, Failure>> + '_, Failure> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        let reader: Box<dyn BufRead> = Box::new(BufReader::with_capacity(1 << 16, file));
        Ok(
            events::read(&self.format, self.mapping.as_ref(), reader).map(|event| {
                event.map_err(|(line, problem)| {
                    Failure::usage(format!("{}:{line}: {problem}", self.shown))
                })
            }),
        )
    }
}

/// Standard input in a file of its own, so that it can be read twice.
fn spool() -> Result<File, Failure> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut io::stdin().lock(), &mut file)?;
    file.flush()?;
    Ok(file)
}

/// The mapping of a name in the example, or of a file.
fn named(given: &str) -> Result<EventMapping, Failure> {
    let path = Path::new(given);
    if path.extension().is_some() || path.components().count() > 1 {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("{given}: {error}")))?;
        return mapping::parse(&text)
            .map_err(|problem| Failure::usage(format!("{given}: {problem}")));
    }
    let known = known()?;
    let names: Vec<_> = known.iter().map(|mapping| mapping.name.clone()).collect();
    known
        .into_iter()
        .find(|mapping| mapping.name == given)
        .ok_or_else(|| {
            Failure::usage(format!(
                "no mapping {given:?}; there are: {}, or give a file",
                names.join(", ")
            ))
        })
}

/// The one mapping whose header the log has; JSON lines may need none.
fn fitting(format: &Format, shown: &str) -> Result<Option<EventMapping>, Failure> {
    let Format::Csv { header, .. } = format else {
        return Ok(None);
    };
    let mut fits: Vec<_> = known()?
        .into_iter()
        .filter(|mapping| {
            let wanted = &mapping.r#match.csv_header;
            !wanted.is_empty() && wanted.iter().all(|column| header.contains(column))
        })
        .collect();
    match fits.len() {
        1 => Ok(fits.pop()),
        0 => Err(Failure::usage(format!(
            "{shown}: no mapping fits the header {}; give one with --mapping FILE",
            header.join(",")
        ))),
        _ => {
            let names: Vec<_> = fits.iter().map(|mapping| mapping.name.as_str()).collect();
            Err(Failure::usage(format!(
                "{shown}: several mappings fit: {}; name one with --mapping",
                names.join(", ")
            )))
        }
    }
}

fn known() -> Result<Vec<EventMapping>, Failure> {
    example::mappings()
        .map(|(path, text)| {
            mapping::parse(text).map_err(|problem| Failure::failed(format!("{path}: {problem}")))
        })
        .collect()
}
