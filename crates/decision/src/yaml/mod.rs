//! YAML as an exact tree with positions.
//!
//! Scalars keep their text, so that a number never passes through a binary float.
//! Anchors, aliases, tags and duplicate keys are refused: a file that decides says each
//! thing once, where it stands.

pub(crate) mod build;
mod de;
mod fields;
mod reader;
mod write;

use std::collections::BTreeMap;

pub use de::from_node;
pub use fields::Fields;
pub use write::{flow, write};

use crate::{
    diagnostic::{Diagnostic, Mark},
    value::Value,
};

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    mark: Mark,
    kind: Kind,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A text and how it was written.
    Scalar(String, Style),
    /// Nodes in order.
    Sequence(Vec<Node>),
    /// Keys, all different texts, in the order of the file.
    Mapping(Vec<(Node, Node)>),
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Bare: may be a number, `true`, `false` or `null`.
    Plain,
    /// In quotes: always text. One column of quote stands before the text.
    Quoted,
    /// A block of lines.
    Block,
}

/// Reads all documents of a text; marks count from the start of the text.
///
/// # Errors
/// With the first problem.
pub fn parse(text: &str) -> Result<Vec<Node>, Diagnostic> {
    reader::read(text, 1)
}

/// Like [`parse`], for a text that begins on line `first_line` of its file.
///
/// # Errors
/// With the first problem.
pub fn parse_at(text: &str, first_line: usize) -> Result<Vec<Node>, Diagnostic> {
    reader::read(text, first_line)
}

impl Node {
    pub(crate) fn new(mark: Mark, kind: Kind) -> Self {
        Self { mark, kind }
    }

    /// Where it stands.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// What it holds.
    #[must_use]
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Where the text of a scalar begins: behind its opening quote.
    #[must_use]
    pub fn text_mark(&self) -> Mark {
        match self.kind {
            Kind::Scalar(_, Style::Quoted) => self.mark.right(1),
            _ => self.mark,
        }
    }

    /// The text of a scalar, however written.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// The nodes of a sequence.
    #[must_use]
    pub fn as_sequence(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a mapping.
    #[must_use]
    pub fn as_mapping(&self) -> Option<&[(Node, Node)]> {
        match &self.kind {
            Kind::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// The entries of a mapping, to be moved; none of anything else.
    pub(crate) fn into_mapping(self) -> Vec<(Node, Node)> {
        match self.kind {
            Kind::Mapping(entries) => entries,
            _ => Vec::new(),
        }
    }

    /// The value of a mapping's key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        let mut entries = self.as_mapping()?.iter();
        entries
            .find(|(k, _)| k.as_str() == Some(key))
            .map(|(_, value)| value)
    }

    /// Whether it is a bare `null`, `~` or nothing.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(text, Style::Plain) if is_null(text))
    }

    /// What kind of node it is, for messages.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::Scalar(text, _) => {
                let shown: String = text.chars().take(60).collect();
                format!("`{shown}`")
            }
            Kind::Sequence(_) => "a sequence".to_owned(),
            Kind::Mapping(_) => "a mapping".to_owned(),
        }
    }

    /// Something wrong with this node.
    #[must_use]
    pub fn problem(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.mark, message)
    }

    /// The text of a scalar, or a problem that says what was wanted.
    pub fn text(&self, problems: &mut Vec<Diagnostic>, wanted: &str) -> Option<&str> {
        let text = self.as_str().filter(|_| !self.is_null());
        if text.is_none() {
            problems.push(self.problem(format!("found {}, expected {wanted}", self.describe())));
        }
        text
    }

    /// The items of a sequence, or a problem that says what was wanted.
    pub fn items(&self, problems: &mut Vec<Diagnostic>, wanted: &str) -> &[Node] {
        self.as_sequence().unwrap_or_else(|| {
            problems.push(self.problem(format!("found {}, expected {wanted}", self.describe())));
            &[]
        })
    }

    /// A bare `true` or `false`, or a problem.
    pub fn boolean(&self, problems: &mut Vec<Diagnostic>) -> Option<bool> {
        match &self.kind {
            Kind::Scalar(text, Style::Plain) if text == "true" => Some(true),
            Kind::Scalar(text, Style::Plain) if text == "false" => Some(false),
            _ => {
                let message = format!("found {}, expected true or false", self.describe());
                problems.push(self.problem(message));
                None
            }
        }
    }

    /// The value: bare numbers exactly, bare `true`, `false`, `null`; all else as text.
    ///
    /// # Errors
    /// If a bare number has too many digits or is out of range.
    pub fn to_value(&self) -> Result<Value, Diagnostic> {
        match &self.kind {
            Kind::Scalar(text, Style::Plain) => plain(text).map_err(|m| self.problem(m)),
            Kind::Scalar(text, _) => Ok(Value::String(text.clone())),
            Kind::Sequence(items) => {
                let items: Result<_, _> = items.iter().map(Self::to_value).collect();
                Ok(Value::List(items?))
            }
            Kind::Mapping(entries) => {
                let entries: Result<BTreeMap<_, _>, Diagnostic> = entries
                    .iter()
                    .map(|(key, value)| {
                        let name = key.as_str().unwrap_or_default().to_owned();
                        Ok((name, value.to_value()?))
                    })
                    .collect();
                Ok(Value::Context(entries?))
            }
        }
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "null" | "~")
}

/// A bare scalar by YAML 1.2's JSON schema, so `no` and `1_000` stay text.
fn plain(text: &str) -> Result<Value, String> {
    use crate::number::{Number, ParseError};
    match text {
        "true" => return Ok(Value::Boolean(true)),
        "false" => return Ok(Value::Boolean(false)),
        _ if is_null(text) => return Ok(Value::Null),
        _ => {}
    }
    match text.parse::<Number>() {
        Ok(number) => Ok(Value::Number(number)),
        Err(ParseError::Syntax) => Ok(Value::String(text.to_owned())),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use proptest::prelude::*;

    fn problem(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn scalars_keep_their_text() {
        let docs =
            parse("a: 12345678901234567890.123\nb: no\nc: '7'\nd: ~\n---\n[true, x y]\n").unwrap();
        assert_eq!(docs.len(), 2);
        let value = docs[0].to_value().unwrap();
        assert_eq!(
            crate::json::write(&value),
            r#"{"a":12345678901234567890.123,"b":"no","c":"7","d":null}"#
        );
        assert_eq!(
            crate::json::write(&docs[1].to_value().unwrap()),
            r#"[true,"x y"]"#
        );
        assert_eq!(docs[1].mark(), Mark { line: 6, column: 1 });
    }

    #[test]
    fn what_a_deciding_file_must_not_hold_is_refused_with_its_place() {
        assert_eq!(
            problem("a: 1\na: 2\n"),
            "2:1: key `a` stands twice, first at 1:1"
        );
        assert_eq!(problem("a: &x 1\n"), "1:7: anchors are not supported");
        assert!(problem("a: *x\n").starts_with("1:4: "));
        assert!(problem("a: !!int 1\n").contains("tags are not supported"));
        assert_eq!(
            problem("[a]: 1\n"),
            "1:1: found a sequence as a key, expected a text"
        );
        assert!(problem("a: [1, 2\n").starts_with("1:4: malformed YAML"));
        let deep = "[".repeat(100) + &"]".repeat(100);
        assert!(problem(&deep).contains("nest"), "{}", problem(&deep));
        assert!(parse(&"[".repeat(10_000)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[-a:\\[\\]{},'\"#&*!|>?%\n \t☃]{0,60}") {
            let _ = parse(&text);
        }
    }
}
