//! The mapping file (`kind: EventMapping`).

use std::collections::BTreeMap;

use serde::Deserialize;

/// How rows of one kind of log become CloudEvents.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventMapping {
    /// Always `EventMapping`.
    pub kind: String,
    /// Name of the mapping, that of its file.
    pub name: String,
    /// Which logs it is for.
    #[serde(default)]
    pub r#match: Match,
    /// How cells are read.
    #[serde(default)]
    pub csv: Csv,
    /// The event's context attributes.
    pub event: Attributes,
    /// The event's data, by field.
    #[serde(default)]
    pub data: BTreeMap<String, Data>,
}

/// Which logs a mapping is for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// Columns that the header must have.
    #[serde(default)]
    pub csv_header: Vec<String>,
}

/// How cells are read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Csv {
    /// Texts that mean an absent value; the empty one always does.
    #[serde(default)]
    pub blank: Vec<String>,
    /// How a cell that holds a list is written.
    pub list: Option<ListStyle>,
}

/// How a cell that holds a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListStyle {
    /// As Python prints a list of strings: `['a', 'b']`.
    Python,
}

/// The context attributes of the event.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attributes {
    /// `id`.
    pub id: Expression,
    /// `source`.
    pub source: Expression,
    /// `type`.
    pub r#type: Expression,
    /// `time`.
    pub time: Expression,
    /// `subject`.
    pub subject: Expression,
    /// `correlationid`; without one, the subject.
    pub correlationid: Option<Expression>,
    /// `scope`.
    pub scope: Expression,
}

/// Where a text comes from: exactly one of `column`, `const`, `first`, `same` and
/// `modulo`, with what is done to it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expression {
    /// A column's cell.
    pub column: Option<String>,
    /// A text.
    pub r#const: Option<String>,
    /// The first of these that isn't absent.
    pub first: Option<Vec<Expression>>,
    /// What another attribute came to.
    pub same: Option<String>,
    /// Digits at the end of another attribute, modulo the number of `of`.
    pub modulo: Option<String>,
    /// The texts that `modulo` picks from.
    pub of: Option<Vec<String>>,
    /// Put before the text.
    pub prefix: Option<String>,
    /// Lower case, with everything but letters and digits as single hyphens.
    #[serde(default)]
    pub slug: bool,
    /// How a time is written (strftime); the time is UTC.
    pub format: Option<String>,
}

/// A field of the event's data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// The column.
    pub column: String,
    /// How it is read.
    #[serde(default)]
    pub r#type: DataType,
}

/// How a cell is read into data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataType {
    /// As text.
    #[default]
    String,
    /// As an exact number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// As a list of strings.
    List,
}

/// Reads a mapping file.
///
/// # Errors
/// What is wrong, with line and column.
pub fn parse(text: &str) -> Result<EventMapping, String> {
    let mapping: EventMapping = serde_saphyr::from_str(text).map_err(|error| {
        // The library draws the source; one line with the place is wanted here.
        error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    })?;
    if mapping.kind != "EventMapping" {
        return Err(format!(
            "kind is {:?}, expected \"EventMapping\"",
            mapping.kind
        ));
    }
    for (name, expression) in mapping.event.all() {
        expression.check(name)?;
    }
    Ok(mapping)
}

impl Attributes {
    /// The attributes in the order they are worked out, so that `same` and `modulo` find
    /// those before them.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &Expression)> {
        [
            ("id", Some(&self.id)),
            ("source", Some(&self.source)),
            ("type", Some(&self.r#type)),
            ("time", Some(&self.time)),
            ("subject", Some(&self.subject)),
            ("correlationid", self.correlationid.as_ref()),
            ("scope", Some(&self.scope)),
        ]
        .into_iter()
        .filter_map(|(name, expression)| Some((name, expression?)))
    }
}

impl Expression {
    fn check(&self, name: &str) -> Result<(), String> {
        let given = [
            self.column.is_some(),
            self.r#const.is_some(),
            self.first.is_some(),
            self.same.is_some(),
            self.modulo.is_some(),
        ];
        if given.iter().filter(|given| **given).count() != 1 {
            return Err(format!(
                "event.{name}: exactly one of column, const, first, same and modulo is needed"
            ));
        }
        if self.modulo.is_some() != self.of.as_ref().is_some_and(|of| !of.is_empty()) {
            return Err(format!("event.{name}: modulo and a list `of` go together"));
        }
        for other in self.same.iter().chain(&self.modulo) {
            if !matches!(
                other.as_str(),
                "id" | "source" | "type" | "time" | "subject"
            ) {
                return Err(format!(
                    "event.{name}: {other:?} is no attribute that can be named"
                ));
            }
        }
        self.first
            .iter()
            .flatten()
            .try_for_each(|inner| inner.check(name))
    }
}
