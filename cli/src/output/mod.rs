//! How results are printed: tables for people, exact JSON for programs.

pub mod escape;
mod json;
pub mod snippet;

use std::io::{self, Write as _};

use comfy_table::{ContentArrangement, Table, presets};
pub use json::View;
use serde::Serialize;

use crate::failure::Failure;

/// Prints a value as one JSON document with a newline.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(unwritable)?;
    print(&escape::json(&text))
}

/// Prints a value as JSON on one line.
pub fn json_line(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(unwritable)?;
    print(&escape::json(&text))
}

fn unwritable(error: serde_json::Error) -> Failure {
    Failure::failed(format!("the result can't be written as JSON: {error}"))
}

/// Prints a message of the contracts as JSON.
pub fn message<M: prost::Message + prost::Name>(message: &M) -> Result<(), Failure> {
    json(&View::of(message)?)
}

/// Prints a line to standard output. A reader that went away ends the output quietly.
/// What the data holds of characters that terminals act on is shown, not sent to them.
pub fn line(text: &str) -> Result<(), Failure> {
    print(&escape::text(text))
}

fn print(text: &str) -> Result<(), Failure> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            Err(Failure::said(crate::failure::Exit::Failed))
        }
        other => other.map_err(Failure::from),
    }
}

/// Says something on standard error beside the result.
pub fn warn(text: &str) {
    eprintln!("warning: {}", escape::text(text));
}

/// Prints a text for programs as it stands.
pub fn raw(text: &str) -> Result<(), Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            Err(Failure::said(crate::failure::Exit::Failed))
        }
        other => other.map_err(Failure::from),
    }
}

/// Prints rows under headings; nothing but the headings where there are no rows.
pub fn table<const N: usize>(
    headings: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<(), Failure> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(headings);
    for row in rows {
        table.add_row(row.map(|cell| escape::cell(&cell).into_owned()));
    }
    for text in table.lines() {
        line(text.trim_end())?;
    }
    Ok(())
}

/// A timestamp as people read it, to the second, in UTC.
pub fn time(timestamp: Option<&prost_types::Timestamp>) -> String {
    timestamp
        .and_then(contracts::time::instant)
        .map_or_else(String::new, |instant| {
            instant.format("%Y-%m-%d %H:%M:%SZ").to_string()
        })
}

/// The last segment of a resource name, which is enough to name it on the command line.
pub fn id(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// `count noun`, with an s where it isn't one.
pub fn count(number: impl Into<i128>, noun: &str) -> String {
    let number = number.into();
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}
