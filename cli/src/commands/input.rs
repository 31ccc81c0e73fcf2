//! What commands read: JSON arguments, files, standard input.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::Path,
};

use contracts::types::Fact;

use crate::failure::Failure;

/// Largest JSON argument.
const MAX_ARGUMENT: u64 = 4 * 1024 * 1024;

/// An object of facts given as JSON, `@file`, or `-` for standard input.
pub fn facts(given: &str) -> Result<Vec<Fact>, Failure> {
    let text = argument(given)?;
    service_kit::facts::from_json(&text).map_err(|error| Failure::usage(error.to_string()))
}

/// A text given as it is, as `@file`, or `-` for standard input.
pub fn argument(given: &str) -> Result<String, Failure> {
    match given.strip_prefix('@') {
        Some(path) => limited(open(Path::new(path))?),
        None if given == "-" => limited(open(Path::new("-"))?),
        None => Ok(given.to_owned()),
    }
}

fn limited(reader: Box<dyn BufRead>) -> Result<String, Failure> {
    let mut text = String::new();
    let read = reader.take(MAX_ARGUMENT + 1).read_to_string(&mut text)?;
    if read as u64 > MAX_ARGUMENT {
        return Err(Failure::usage(format!(
            "more than {MAX_ARGUMENT} bytes of facts"
        )));
    }
    Ok(text)
}

/// A file, or standard input where the path is `-`.
pub fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(BufReader::with_capacity(1 << 16, file))),
        Err(error) => Err(Failure::usage(format!("{}: {error}", path.display()))),
    }
}

/// `collection/{id}` of an id that may have been given with or without its collection.
pub fn name(collection: &str, given: &str) -> String {
    if given.starts_with(collection) && given[collection.len()..].starts_with('/') {
        given.to_owned()
    } else {
        format!("{collection}/{given}")
    }
}
