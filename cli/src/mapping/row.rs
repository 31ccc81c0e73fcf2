//! One row of a log through a mapping.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use decision::{Number, Value};

use super::file::{Data, DataType, EventMapping, Expression, ListStyle};
use super::list;

/// A row: cells by column.
pub type Row = BTreeMap<String, String>;

/// What a row became.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// `id`.
    pub id: String,
    /// `source`.
    pub source: String,
    /// `type`.
    pub r#type: String,
    /// `time`.
    pub time: DateTime<Utc>,
    /// `subject`.
    pub subject: String,
    /// `correlationid`.
    pub correlation_id: String,
    /// `scope`.
    pub scope: String,
    /// The data: a context.
    pub data: Value,
}

/// Turns a row into an event.
///
/// # Errors
/// The attribute or field that could not be made, with what was found.
pub fn apply(mapping: &EventMapping, row: &Row) -> Result<Event, String> {
    let cells = Cells { mapping, row };
    let mut made: BTreeMap<&str, String> = BTreeMap::new();
    for (name, expression) in mapping.event.all() {
        let text = cells
            .text(expression, &made)
            .map_err(|problem| format!("{name}: {problem}"))?;
        let text = text.ok_or_else(|| format!("{name}: no value"))?;
        made.insert(name, text);
    }
    let mut take = |name| made.remove(name).unwrap_or_default();
    let time = time(&take("time"), mapping.event.time.format.as_deref())
        .map_err(|problem| format!("time: {problem}"))?;
    let subject = take("subject");
    let correlation_id = match take("correlationid") {
        text if text.is_empty() => subject.clone(),
        text => text,
    };
    let mut data = BTreeMap::new();
    for (field, from) in &mapping.data {
        let value = cells
            .value(from)
            .map_err(|problem| format!("data.{field}: {problem}"))?;
        if let Some(value) = value {
            data.insert(field.clone(), value);
        }
    }
    Ok(Event {
        id: take("id"),
        source: take("source"),
        r#type: take("type"),
        time,
        subject,
        correlation_id,
        scope: take("scope"),
        data: Value::Context(data),
    })
}

fn time(text: &str, format: Option<&str>) -> Result<DateTime<Utc>, String> {
    match format {
        Some(format) => NaiveDateTime::parse_from_str(text, format)
            .map(|time| time.and_utc())
            .map_err(|error| format!("{text:?} isn't written as {format:?}: {error}")),
        None => DateTime::parse_from_rfc3339(text)
            .map(|time| time.to_utc())
            .map_err(|error| format!("{text:?} is no RFC 3339 time: {error}")),
    }
}

struct Cells<'a> {
    mapping: &'a EventMapping,
    row: &'a Row,
}

impl Cells<'_> {
    /// A cell, absent where it is blank.
    fn cell(&self, column: &str) -> Result<Option<&str>, String> {
        let text = self
            .row
            .get(column)
            .ok_or_else(|| format!("there is no column {column:?}"))?;
        let blank = text.is_empty() || self.mapping.csv.blank.iter().any(|blank| blank == text);
        Ok((!blank).then_some(text.as_str()))
    }

    /// A cell as one text: a list must have one item.
    fn single(&self, column: &str) -> Result<Option<String>, String> {
        let Some(text) = self.cell(column)? else {
            return Ok(None);
        };
        if self.mapping.csv.list != Some(ListStyle::Python) || !text.starts_with('[') {
            return Ok(Some(text.to_owned()));
        }
        let mut items = list::python(text).map_err(|problem| format!("{column:?}: {problem}"))?;
        match items.len() {
            0 => Ok(None),
            1 => Ok(items.pop()),
            many => Err(format!("{column:?} holds {many} values, expected one")),
        }
    }

    fn text(
        &self,
        expression: &Expression,
        made: &BTreeMap<&str, String>,
    ) -> Result<Option<String>, String> {
        let named = |name: &String| {
            made.get(name.as_str())
                .cloned()
                .ok_or_else(|| format!("{name:?} isn't known yet"))
        };
        let text = if let Some(column) = &expression.column {
            self.single(column)?
        } else if let Some(text) = &expression.r#const {
            Some(text.clone())
        } else if let Some(choices) = &expression.first {
            self.first(choices, made)?
        } else if let Some(name) = &expression.same {
            Some(named(name)?)
        } else if let (Some(name), Some(of)) = (&expression.modulo, &expression.of) {
            Some(modulo(&named(name)?, of)?)
        } else {
            None
        };
        Ok(text.map(|text| {
            let text = if expression.slug { slug(&text) } else { text };
            match &expression.prefix {
                Some(prefix) => format!("{prefix}{text}"),
                None => text,
            }
        }))
    }

    fn first(
        &self,
        choices: &[Expression],
        made: &BTreeMap<&str, String>,
    ) -> Result<Option<String>, String> {
        for choice in choices {
            if let Some(text) = self.text(choice, made)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    fn value(&self, from: &Data) -> Result<Option<Value>, String> {
        let column = &from.column;
        let Some(text) = self.cell(column)? else {
            return Ok(None);
        };
        let value = match from.r#type {
            DataType::String => Value::String(text.to_owned()),
            DataType::Number => {
                let number: Number = text
                    .parse()
                    .map_err(|error| format!("{text:?} is no number: {error}"))?;
                Value::Number(number)
            }
            DataType::Boolean => match text {
                "true" => Value::Boolean(true),
                "false" => Value::Boolean(false),
                other => return Err(format!("{other:?} is neither `true` nor `false`")),
            },
            DataType::List => {
                let items =
                    list::python(text).map_err(|problem| format!("{column:?}: {problem}"))?;
                Value::List(items.into_iter().map(Value::String).collect())
            }
        };
        Ok(Some(value))
    }
}

/// The text that the digits at the end of `from` pick.
fn modulo(from: &str, of: &[String]) -> Result<String, String> {
    let start = from
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + 1);
    let digits = from.get(start..).unwrap_or_default();
    let number: u64 = digits
        .parse()
        .map_err(|_| format!("{from:?} doesn't end in a number that a modulo can be taken of"))?;
    let count = u64::try_from(of.len()).unwrap_or(u64::MAX).max(1);
    usize::try_from(number % count)
        .ok()
        .and_then(|at| of.get(at).cloned())
        .ok_or_else(|| "there is nothing to pick from".to_owned())
}

fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() {
            slug.extend(c.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}
