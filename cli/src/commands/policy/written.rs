//! Files that commands write, in a form of their own.

use std::{fs, path::Path};

use crate::{args::Output, failure::Failure, output};

/// Writes a text to a file, or to standard output where none is named.
pub(super) fn to(path: Option<&Path>, text: &str) -> Result<(), Failure> {
    match path.filter(|path| *path != Path::new("-")) {
        Some(path) => fs::write(path, text)
            .map_err(|error| Failure::failed(format!("{}: {error}", path.display()))),
        None => output::raw(text),
    }
}

/// Refuses JSON, which would be mistaken for the form that the command writes.
pub(super) fn no_json(form: Output, verb: &str, writes: &str) -> Result<(), Failure> {
    match form {
        Output::Json => Err(Failure::usage(format!(
            "`policy {verb}` writes {writes}, and has no --output json; -o names a file"
        ))),
        Output::Text | Output::Junit => Ok(()),
    }
}
