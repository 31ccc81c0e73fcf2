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

/// An object of facts that the option was given: JSON, `@file`, or `-` for standard input.
pub fn facts(option: &str, given: &str) -> Result<Vec<Fact>, Failure> {
    let text = argument(given)?;
    let place = file(given).map_or_else(|| option.to_owned(), shown);
    service_kit::facts::from_json(&text).map_err(|error| {
        let problem = error.violations().first().map(|v| v.problem.clone());
        let problem = problem.unwrap_or_else(|| error.message().to_owned());
        Failure::usage(format!("{place}: {problem}"))
    })
}

/// A text given as it is, as `@file`, or `-` for standard input.
pub fn argument(given: &str) -> Result<String, Failure> {
    match file(given) {
        Some(path) => limited(path),
        None => Ok(given.to_owned()),
    }
}

/// The file that an argument stands for.
fn file(given: &str) -> Option<&Path> {
    match given.strip_prefix('@') {
        Some(path) => Some(Path::new(path)),
        None if given == "-" => Some(Path::new("-")),
        None => None,
    }
}

fn limited(path: &Path) -> Result<String, Failure> {
    let wrong = |problem: String| Failure::usage(format!("{}: {problem}", shown(path)));
    let mut text = String::new();
    let mut reader = open(path)?.take(MAX_ARGUMENT + 1);
    let read = reader
        .read_to_string(&mut text)
        .map_err(|error| wrong(error.to_string()))?;
    if read as u64 > MAX_ARGUMENT {
        return Err(wrong(format!("more than {MAX_ARGUMENT} bytes")));
    }
    Ok(text)
}

/// The path as messages name it.
pub fn shown(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
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
