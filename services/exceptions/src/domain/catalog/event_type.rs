//! Types of events: what their data must look like, and what it says of which document.

use decision::{Facts, Type, Value};
use governance::{Provenance, Scope};

use crate::domain::{
    document::{self, Key},
    text,
};

/// Most bytes of a text that is kept as a fact or a name.
const MAX_TEXT: usize = 4_096;
/// Most bytes of a document's line.
const MAX_LINE: usize = 64;

/// A declared type of event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventType {
    /// CloudEvents type.
    pub name: String,
    /// Documents an event can be about; the first that its subject fits.
    pub documents: Vec<DocumentRule>,
    /// Where the data names the document's line, if it does.
    pub line: Option<Path>,
    /// The fields of the data that are read; others may be there.
    pub fields: Vec<Field>,
    /// Where the hold came from: the first that the data has.
    pub hold_source: Vec<(String, Path)>,
    /// What such an event resolves.
    pub resolves: Option<Resolves>,
    /// What such an event says was executed.
    pub executes: Option<Executes>,
    /// Whose word such an event must be; empty: anybody's who may bring events.
    pub provenance: Vec<Provenance>,
}

impl EventType {
    /// Whether an event of this type may be somebody's word.
    ///
    /// # Errors
    /// Whose it is, and whose it should be.
    pub fn check_provenance(&self, asserted: Provenance) -> Result<(), String> {
        if self.provenance.is_empty() || self.provenance.contains(&asserted) {
            return Ok(());
        }
        let wanted: Vec<_> = self.provenance.iter().map(|p| p.as_str()).collect();
        Err(format!(
            "type: asserted by {}, events of this type are taken from {}",
            asserted.as_str(),
            wanted.join(" or ")
        ))
    }
}

/// How a subject names a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRule {
    /// Kind of the document.
    pub kind: String,
    /// What the subject begins with; the rest of it is the document's id.
    pub prefix: String,
    /// Whether units share what the subject names, such as a customer's record, so that
    /// each has a document of its own on it: `{id}@{scope}`, with dots in the scope.
    pub per_scope: bool,
}

/// Keys that lead to a value in the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<String>);

/// A field of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Where it stands.
    pub path: Path,
    /// Its type.
    pub ty: Type,
    /// Whether it must be there, and not null.
    pub required: bool,
    /// Name under which tables see it.
    pub name: String,
    /// Whether it is kept as a fact of the document.
    pub kept: bool,
}

/// Exceptions of the document that an event resolves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolves {
    /// Their types.
    pub exceptions: Vec<String>,
    /// Resolution code.
    pub code: String,
}

/// Actions on the document that an event reports as executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executes {
    /// Their operations.
    pub operations: Vec<String>,
    /// Where the data names the receipt, if it does; else the oldest action is meant.
    pub receipt: Option<Path>,
}

/// What an event says.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The document it is about.
    pub document: Key,
    /// Whether units share what the document is on.
    pub shared: bool,
    /// Line of the document; empty for the header.
    pub line: String,
    /// What tables see, without the event's type.
    pub inputs: Facts,
    /// What is kept as facts, by name.
    pub facts: Vec<(String, Value)>,
    /// Where a hold came from; may be empty.
    pub hold_source: String,
    /// The receipt that was executed, where the data names one.
    pub receipt: Option<String>,
}

impl Path {
    /// Reads `order.total`: keys joined by dots.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let keys = text.split('.').map(str::to_owned).collect::<Vec<_>>();
        let short = text.len() <= decision::limits::NAME_BYTES;
        (short && keys.iter().all(|key| !key.is_empty())).then_some(Self(keys))
    }

    fn find<'v>(&self, data: &'v Value) -> Option<&'v Value> {
        self.0
            .iter()
            .try_fold(data, |value, key| value.as_context()?.get(key))
    }

    fn text(&self) -> String {
        self.0.join(".")
    }
}

impl EventType {
    /// Reads an event of this type.
    ///
    /// # Errors
    /// With the place and what is wrong there.
    pub fn read(&self, scope: &Scope, subject: &str, data: &Value) -> Result<Reading, String> {
        let (document, shared) = self.document(scope, subject)?;
        if data.as_context().is_none() {
            return Err(format!("data: found a {}, expected an object", data.kind()));
        }
        let mut reading = Reading {
            document,
            shared,
            line: self.line(data)?,
            inputs: Facts::default(),
            facts: Vec::new(),
            hold_source: self.hold_source(data)?,
            receipt: self.receipt(data)?,
        };
        for field in &self.fields {
            field.read(data, &mut reading)?;
        }
        Ok(reading)
    }

    /// The document, and whether units share what it is on.
    fn document(&self, scope: &Scope, subject: &str) -> Result<(Key, bool), String> {
        let mut keys = self.documents.iter().filter_map(|rule| {
            let mut id = subject.strip_prefix(&rule.prefix)?.to_owned();
            if rule.per_scope && !id.is_empty() {
                id = format!("{id}@{}", scope.as_str().replace('/', "."));
            }
            let kind = rule.kind.clone();
            document::is_id(&id).then_some((Key { kind, id }, rule.per_scope))
        });
        keys.next().ok_or_else(|| {
            let prefixes = self
                .documents
                .iter()
                .map(|rule| format!("{:?}", rule.prefix));
            format!(
                "subject: found {subject:?}, expected {} and an id of at most {} characters",
                prefixes.collect::<Vec<_>>().join(" or "),
                document::MAX_ID
            )
        })
    }

    fn line(&self, data: &Value) -> Result<String, String> {
        let line = optional_text(self.line.as_ref(), data)?.unwrap_or_default();
        if line.len() > MAX_LINE {
            return Err(format!("line is longer than {MAX_LINE} bytes"));
        }
        Ok(line)
    }

    fn hold_source(&self, data: &Value) -> Result<String, String> {
        for (prefix, path) in &self.hold_source {
            if let Some(id) = optional_text(Some(path), data)? {
                return Ok(format!("{prefix}{id}"));
            }
        }
        Ok(String::new())
    }

    fn receipt(&self, data: &Value) -> Result<Option<String>, String> {
        let path = self.executes.as_ref().and_then(|e| e.receipt.as_ref());
        optional_text(path, data)
    }
}

impl Field {
    fn read(&self, data: &Value, reading: &mut Reading) -> Result<(), String> {
        let place = || format!("data.{}", self.path.text());
        let Some(found) = self.path.find(data) else {
            return if self.required {
                Err(format!("{}: is missing, expected {}", place(), self.ty))
            } else {
                Ok(())
            };
        };
        if self.required && *found == Value::Null {
            return Err(format!("{}: is null, expected {}", place(), self.ty));
        }
        let value = self
            .ty
            .coerce(found.clone())
            .map_err(|mismatch| format!("{}: {mismatch}", place()))?;
        check_texts(&value).map_err(|problem| format!("{}: {problem}", place()))?;
        if self.kept {
            reading.facts.push((self.name.clone(), value.clone()));
        }
        reading.inputs.insert(self.name.clone(), value);
        Ok(())
    }
}

/// Checks the texts of a value that may be kept.
fn check_texts(value: &Value) -> Result<(), String> {
    match value {
        Value::String(text) if text.len() > MAX_TEXT => {
            Err(format!("is longer than {MAX_TEXT} bytes"))
        }
        Value::String(text) => match text::unwritable(text) {
            Some(control) => Err(format!("holds the control character {control:?}")),
            None => Ok(()),
        },
        Value::List(items) => items.iter().try_for_each(check_texts),
        _ => Ok(()),
    }
}

/// A text or number of the data, as text of one line.
fn optional_text(path: Option<&Path>, data: &Value) -> Result<Option<String>, String> {
    let Some((path, found)) = path.and_then(|path| Some((path, path.find(data)?))) else {
        return Ok(None);
    };
    let text = match found {
        Value::Null => return Ok(None),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        other => {
            let kind = other.kind();
            return Err(format!(
                "data.{}: found a {kind}, expected a text",
                path.text()
            ));
        }
    };
    if text.len() > document::MAX_ID {
        let max = document::MAX_ID;
        return Err(format!("data.{}: is longer than {max} bytes", path.text()));
    }
    if let Some(control) = text::unprintable(&text) {
        let problem = format!("holds the control character {control:?}");
        return Err(format!("data.{}: {problem}", path.text()));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}
