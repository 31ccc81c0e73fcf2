//! Rows and lines to CloudEvents.

use std::io::BufRead;

use chrono::{DateTime, Utc};
use contracts::{time::timestamp, types::CloudEvent};
use decision::Value;

use super::format::Format;
use crate::mapping::{self, Event, EventMapping, Row};

/// Longest line of JSON.
const MAX_LINE: usize = 1024 * 1024;

/// An event, or the line and what is wrong with it.
type Made = Result<CloudEvent, (u64, String)>;

/// Reads the log from its beginning. After the first problem nothing more comes.
pub fn read<'a>(
    format: &'a Format,
    mapping: Option<&'a EventMapping>,
    reader: Box<dyn BufRead + 'a>,
) -> Box<dyn Iterator<Item = Made> + 'a> {
    let made: Box<dyn Iterator<Item = Made>> = match (format, mapping) {
        (Format::Csv { header }, Some(mapping)) => csv_rows(header, mapping, reader),
        (Format::Csv { .. }, None) => {
            Box::new(std::iter::once(Err((1, "CSV needs a mapping".to_owned()))))
        }
        (Format::JsonLines, mapping) => json_lines(mapping, reader),
    };
    let mut failed = false;
    Box::new(made.take_while(move |event| {
        let go_on = !failed;
        failed = event.is_err();
        go_on
    }))
}

fn csv_rows<'a>(
    header: &'a [String],
    mapping: &'a EventMapping,
    reader: Box<dyn BufRead + 'a>,
) -> Box<dyn Iterator<Item = Made> + 'a> {
    let rows = csv::ReaderBuilder::new()
        .has_headers(true)
        .from_reader(reader)
        .into_records();
    Box::new(rows.map(move |record| {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            (line, error.to_string())
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        let row: Row = header
            .iter()
            .cloned()
            .zip(record.iter().map(str::to_owned))
            .collect();
        mapping::apply(mapping, &row)
            .map(encode)
            .map_err(|problem| (line, problem))
    }))
}

fn json_lines<'a>(
    mapping: Option<&'a EventMapping>,
    reader: Box<dyn BufRead + 'a>,
) -> Box<dyn Iterator<Item = Made> + 'a> {
    let lines = (1..).zip(Lines(reader));
    Box::new(
        lines
            .filter(|(_, line)| !matches!(line, Ok(text) if text.trim().is_empty()))
            .map(move |(number, line)| {
                let made = line.and_then(|line| json_line(mapping, &line));
                made.map_err(|problem| (number, problem))
            }),
    )
}

/// Lines of bounded length.
struct Lines<R>(R);

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<String, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        let limit = MAX_LINE as u64 + 1;
        match std::io::Read::take(&mut self.0, limit).read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(_) if line.len() > MAX_LINE => Some(Err(format!("a line of over {MAX_LINE} bytes"))),
            Ok(_) => Some(String::from_utf8(line).map_err(|error| error.to_string())),
            Err(error) => Some(Err(error.to_string())),
        }
    }
}

fn json_line(mapping: Option<&EventMapping>, line: &str) -> Result<CloudEvent, String> {
    let value = decision::json::parse(line.trim()).map_err(|error| error.to_string())?;
    let Value::Context(fields) = value else {
        return Err("found no JSON object, expected one a line".to_owned());
    };
    if let Some(mapping) = mapping {
        let row: Row = fields
            .into_iter()
            .map(|(name, value)| (name, cell(value)))
            .collect();
        return mapping::apply(mapping, &row).map(encode);
    }
    cloud_event(fields)
}

/// A member as the cell of a row that a mapping reads.
fn cell(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => decision::json::write(&other),
    }
}

/// A CloudEvent in the JSON event format, with a JSON object as data.
fn cloud_event(
    mut fields: std::collections::BTreeMap<String, Value>,
) -> Result<CloudEvent, String> {
    let mut take = |name: &str| match fields.remove(name) {
        Some(Value::String(text)) => Ok(text),
        None => Ok(String::new()),
        Some(other) => Err(format!(
            "{name}: found {}, expected a string",
            decision::json::write(&other)
        )),
    };
    match take("specversion")?.as_str() {
        "1.0" => {}
        "" => {
            return Err(
                "no specversion: this is no CloudEvent; give a mapping with --mapping".to_owned(),
            );
        }
        other => return Err(format!("specversion is {other:?}, expected \"1.0\"")),
    }
    let time = take("time")?;
    let time = (!time.is_empty())
        .then(|| {
            DateTime::parse_from_rfc3339(&time).map_err(|error| format!("time: {time:?}: {error}"))
        })
        .transpose()?;
    let mut event = CloudEvent {
        id: take("id")?,
        source: take("source")?,
        r#type: take("type")?,
        subject: take("subject")?,
        time: time.map(|time| timestamp(time.with_timezone(&Utc))),
        scope: take("scope")?,
        correlation_id: take("correlationid")?,
        trace_parent: take("traceparent")?,
        data_schema: take("dataschema")?,
        ..CloudEvent::default()
    };
    match take("datacontenttype")?.as_str() {
        "" | "application/json" => {}
        other => {
            return Err(format!(
                "datacontenttype is {other:?}, expected \"application/json\""
            ));
        }
    }
    match fields.remove("data") {
        Some(data @ Value::Context(_)) => event.data = decision::json::write(&data).into(),
        Some(_) => return Err("data is no JSON object".to_owned()),
        None => {}
    }
    match fields.keys().next() {
        Some(unknown) => Err(format!("unknown attribute {unknown:?}")),
        None => Ok(event),
    }
}

fn encode(event: Event) -> CloudEvent {
    CloudEvent {
        id: event.id,
        source: event.source,
        r#type: event.r#type,
        subject: event.subject,
        time: Some(timestamp(event.time)),
        scope: event.scope,
        correlation_id: event.correlation_id,
        data: decision::json::write(&event.data).into(),
        ..CloudEvent::default()
    }
}
