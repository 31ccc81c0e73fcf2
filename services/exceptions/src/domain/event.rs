//! CloudEvents as they come in: attributes checked, data read exactly.

use chrono::{DateTime, Utc};
use decision::{Value, json};
use governance::{Scope, canonical};

/// Most bytes of an id, a source, a type or a subject.
pub const MAX_ATTRIBUTE: usize = 256;
/// Most bytes of a correlation id.
pub const MAX_CORRELATION_ID: usize = 128;
/// Most bytes of the data.
pub const MAX_DATA: usize = 256 * 1024;
/// Deepest nesting of the data.
pub const MAX_DEPTH: usize = 32;

/// An event whose attributes are well-formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Unique within the source.
    pub id: String,
    /// The system it happened in.
    pub source: String,
    /// Its type.
    pub kind: String,
    /// What it is about within its source.
    pub subject: String,
    /// When it happened, if it says.
    pub time: Option<DateTime<Utc>>,
    /// Scope of the transaction.
    pub scope: Scope,
    /// The business transaction.
    pub correlation_id: String,
    /// W3C trace context, or empty.
    pub trace_parent: String,
    /// Schema of the data, or empty.
    pub data_schema: String,
    /// The payload as it came.
    pub data: Vec<u8>,
}

/// What is wrong with an attribute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{attribute}: {problem}")]
pub struct Malformed {
    /// The attribute as the API names it.
    pub attribute: &'static str,
    /// What was found and what was wanted.
    pub problem: String,
    /// Whether it is its size.
    pub too_large: bool,
}

/// The attributes of an event as they came, but time and scope.
#[derive(Debug, Clone, Copy)]
pub struct Attributes<'a> {
    /// Unique within the source.
    pub id: &'a str,
    /// The system it happened in.
    pub source: &'a str,
    /// Its type.
    pub kind: &'a str,
    /// What it is about within its source.
    pub subject: &'a str,
    /// The business transaction.
    pub correlation_id: &'a str,
    /// W3C trace context, or empty.
    pub trace_parent: &'a str,
    /// Schema of the data, or empty.
    pub data_schema: &'a str,
    /// The payload.
    pub data: &'a [u8],
}

impl Attributes<'_> {
    /// Every attribute that is missing, malformed or over its limit, by what CloudEvents
    /// and this service demand.
    #[must_use]
    pub fn problems(&self) -> Vec<Malformed> {
        let schema = match self.data_schema {
            "" => Ok(()),
            schema => uri_reference("data_schema", schema),
        };
        let size = self.data.len();
        let data = if size > MAX_DATA {
            Err(Malformed {
                attribute: "data",
                problem: format!("{size} bytes, at most {MAX_DATA} are taken"),
                too_large: true,
            })
        } else {
            Ok(())
        };
        let checks = [
            uri_reference("source", self.source),
            printable("id", self.id, 1..=MAX_ATTRIBUTE),
            printable("type", self.kind, 1..=MAX_ATTRIBUTE),
            printable("subject", self.subject, 1..=MAX_ATTRIBUTE),
            printable(
                "correlation_id",
                self.correlation_id,
                0..=MAX_CORRELATION_ID,
            ),
            printable("trace_parent", self.trace_parent, 0..=MAX_ATTRIBUTE),
            schema,
            data,
        ];
        checks.into_iter().filter_map(Result::err).collect()
    }
}

impl Event {
    /// Its attributes.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'_> {
        Attributes {
            id: &self.id,
            source: &self.source,
            kind: &self.kind,
            subject: &self.subject,
            correlation_id: &self.correlation_id,
            trace_parent: &self.trace_parent,
            data_schema: &self.data_schema,
            data: &self.data,
        }
    }

    /// The business transaction: as given, else the document.
    #[must_use]
    pub fn correlation(&self) -> &str {
        if self.correlation_id.is_empty() {
            clip(&self.subject, MAX_CORRELATION_ID)
        } else {
            &self.correlation_id
        }
    }

    /// `sha256:` and hex over everything that makes an event the same event: all but
    /// the trace context, which a retry may bring anew.
    #[must_use]
    pub fn digest(&self) -> String {
        let time = self.time.map(|time| time.to_rfc3339()).unwrap_or_default();
        let parts = [
            self.source.as_bytes(),
            self.id.as_bytes(),
            self.kind.as_bytes(),
            self.subject.as_bytes(),
            time.as_bytes(),
            self.scope.as_str().as_bytes(),
            self.correlation_id.as_bytes(),
            self.data_schema.as_bytes(),
            &self.data,
        ];
        let mut content = Vec::new();
        for part in parts {
            content.extend((part.len() as u64).to_be_bytes());
            content.extend(part);
        }
        canonical::sha256(&content)
    }

    /// The data, with numbers exactly as they are written; no data is an empty object.
    ///
    /// # Errors
    /// With the place where it isn't JSON, or is nested too deeply.
    pub fn read_data(&self) -> Result<Value, String> {
        if self.data.is_empty() {
            return Ok(Value::Context(std::collections::BTreeMap::new()));
        }
        let text = std::str::from_utf8(&self.data)
            .map_err(|error| format!("data: not UTF-8 from byte {}", error.valid_up_to()))?;
        if let Some(at) = too_deep(text.as_bytes()) {
            return Err(format!("data: nested deeper than {MAX_DEPTH} at byte {at}"));
        }
        // PostgreSQL's texts can't hold it, however it is written.
        if text.contains("\\u0000") {
            return Err("data: holds the character U+0000".to_owned());
        }
        json::parse(text).map_err(|error| format!("data: {error}"))
    }
}

/// Where brackets are nested deeper than allowed. It needs no valid JSON to be right
/// about what a parser would have to hold.
fn too_deep(text: &[u8]) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.iter().enumerate() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some(at);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

fn printable(
    attribute: &'static str,
    text: &str,
    length: std::ops::RangeInclusive<usize>,
) -> Result<(), Malformed> {
    let malformed = |problem: String| Malformed {
        attribute,
        problem,
        too_large: false,
    };
    if text.is_empty() && *length.start() > 0 {
        return Err(malformed("is required".to_owned()));
    }
    if !length.contains(&text.len()) {
        let (found, most) = (text.len(), length.end());
        return Err(malformed(format!(
            "has {found} bytes, at most {most} are taken"
        )));
    }
    match text.chars().find(|c| c.is_control()) {
        Some(control) => Err(malformed(format!(
            "holds the control character {control:?}"
        ))),
        None => Ok(()),
    }
}

/// A URI reference (RFC 3986) as far as its characters go.
fn uri_reference(attribute: &'static str, text: &str) -> Result<(), Malformed> {
    printable(attribute, text, 1..=MAX_ATTRIBUTE)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c);
    match text.chars().find(|&c| !allowed(c)) {
        Some(other) => Err(Malformed {
            attribute,
            problem: format!("{other:?} can't stand in a URI reference"),
            too_large: false,
        }),
        None => Ok(()),
    }
}

fn clip(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use proptest::prelude::*;

    /// Spoils an event.
    type Change = fn(&mut Event);

    fn event() -> Event {
        Event {
            id: "1".to_owned(),
            source: "/examples/erp".to_owned(),
            kind: "com.example.something".to_owned(),
            subject: "orders/1".to_owned(),
            time: None,
            scope: Scope::parse("acme").unwrap(),
            correlation_id: String::new(),
            trace_parent: String::new(),
            data_schema: String::new(),
            data: Vec::new(),
        }
    }

    fn with_data(data: &str) -> Event {
        Event {
            data: data.as_bytes().to_vec(),
            ..event()
        }
    }

    #[test]
    fn attributes_are_held_to_their_limits() {
        assert_eq!(event().attributes().problems(), []);
        let bad: [(&str, Change); 8] = [
            ("id", |e| e.id.clear()),
            ("id", |e| e.id = "x".repeat(257)),
            ("id", |e| e.id = "a\nb".to_owned()),
            ("source", |e| e.source.clear()),
            ("source", |e| e.source = "a b".to_owned()),
            ("type", |e| e.kind.clear()),
            ("subject", |e| e.subject.clear()),
            ("data", |e| e.data = vec![b' '; MAX_DATA + 1]),
        ];
        for (attribute, change) in bad {
            let mut event = event();
            change(&mut event);
            let problems = event.attributes().problems();
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert_eq!(problems[0].attribute, attribute);
            assert_eq!(problems[0].too_large, attribute == "data");
        }
        let mut event = event();
        event.id.clear();
        event.subject.clear();
        let named = event.attributes().problems();
        let named = named.iter().map(|problem| problem.attribute);
        assert_eq!(named.collect::<Vec<_>>(), ["id", "subject"]);
    }

    #[test]
    fn data_is_read_exactly_or_refused_with_its_place() {
        let value = with_data(r#"{"n": 12345678901234567890.123}"#)
            .read_data()
            .unwrap();
        let number = value.as_context().unwrap()["n"].as_number().unwrap();
        assert_eq!(number.to_string(), "12345678901234567890.123");
        for (bad, place) in [
            ("{", "line 1"),
            ("{\"a\": 1,\n \"b\" 2}", "line 2"),
            ("\u{fffd}", "line 1"),
        ] {
            let error = with_data(bad).read_data().unwrap_err();
            assert!(error.contains(place), "{bad:?}: {error}");
        }
        let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
        assert!(
            with_data(&deep)
                .read_data()
                .unwrap_err()
                .contains("nested deeper")
        );
        let flat = format!("{}{}", "[".repeat(32), "]".repeat(32));
        assert!(with_data(&flat).read_data().is_ok());
        let quoted = format!("{{\"a\": \"\\\"{}\"}}", "[".repeat(99));
        assert!(with_data(&quoted).read_data().is_ok());
    }

    #[test]
    fn the_digest_is_that_of_the_content() {
        let one = with_data("{}");
        assert_eq!(one.digest(), one.clone().digest());
        assert_ne!(one.digest(), with_data("{ }").digest());
        let traced = Event {
            trace_parent: "00-x".to_owned(),
            ..one.clone()
        };
        assert_eq!(one.digest(), traced.digest());
        // No two attributes run into each other.
        let (mut a, mut b) = (one.clone(), one);
        (a.id, a.kind) = ("ab".to_owned(), "c".to_owned());
        (b.id, b.kind) = ("a".to_owned(), "bc".to_owned());
        assert_ne!(a.digest(), b.digest());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(data in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Event { data, ..event() }.read_data();
        }
    }
}
