//! Payloads of source systems: JSON objects, read exactly and within limits.

use std::{borrow::Cow, collections::BTreeMap};

use decision::{Value, json};

/// Largest payload, in bytes.
pub const MAX_PAYLOAD: usize = 256 * 1024;
/// Deepest nesting of objects and lists.
pub const MAX_DEPTH: usize = 32;

/// Why a payload can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// More than [`MAX_PAYLOAD`].
    #[error("found {0} bytes, at most {MAX_PAYLOAD} are allowed")]
    TooLarge(usize),
    /// More than [`MAX_DEPTH`].
    #[error("objects and lists nest deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// Not UTF-8.
    #[error("byte {0} isn't UTF-8")]
    Encoding(usize),
    /// Not JSON.
    #[error("{0}")]
    Json(json::Error),
    /// JSON, but no object.
    #[error("found a {0}, expected a JSON object")]
    NotAnObject(&'static str),
}

/// A payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload(BTreeMap<String, Value>);

impl Payload {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// If it is too large, too deep, not UTF-8, not JSON, or no object.
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        if bytes.len() > MAX_PAYLOAD {
            return Err(PayloadError::TooLarge(bytes.len()));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| PayloadError::Encoding(error.valid_up_to()))?;
        if depth(text) > MAX_DEPTH {
            return Err(PayloadError::TooDeep);
        }
        match json::parse(text).map_err(PayloadError::Json)? {
            Value::Context(fields) => Ok(Self(fields)),
            other => Err(PayloadError::NotAnObject(other.kind())),
        }
    }

    /// A payload of fields that are there already.
    #[must_use]
    pub fn new(fields: BTreeMap<String, Value>) -> Self {
        Self(fields)
    }

    /// Names of the fields of the object itself.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The text of a scalar: numbers as they stand, flags as `true` and `false`. A column
    /// that begins with `/` is a JSON pointer (RFC 6901), any other a field's name.
    #[must_use]
    pub fn scalar(&self, column: &str) -> Option<Cow<'_, str>> {
        let value = match column.strip_prefix('/') {
            None => self.0.get(column)?,
            Some(pointer) => self.pointed(pointer)?,
        };
        match value {
            Value::String(text) => Some(Cow::Borrowed(text)),
            Value::Number(_) | Value::Boolean(_) => Some(Cow::Owned(value.to_string())),
            _ => None,
        }
    }

    fn pointed(&self, pointer: &str) -> Option<&Value> {
        let mut tokens = pointer.split('/').map(unescaped);
        let mut value = self.0.get(&*tokens.next()?)?;
        for token in tokens {
            value = match value {
                Value::Context(entries) => entries.get(&*token)?,
                Value::List(items) => items.get(token.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(value)
    }
}

/// The top-level field that a column reads.
pub(super) fn first_name(column: &str) -> Cow<'_, str> {
    match column.strip_prefix('/') {
        None => Cow::Borrowed(column),
        Some(pointer) => unescaped(pointer.split('/').next().unwrap_or_default()),
    }
}

fn unescaped(token: &str) -> Cow<'_, str> {
    if token.contains('~') {
        Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
    } else {
        Cow::Borrowed(token)
    }
}

/// Deepest nesting of a JSON text, counted without reading it: brackets outside of texts.
fn depth(text: &str) -> usize {
    let (mut now, mut most, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !quoted => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_read_exactly() {
        let payload = Payload::parse(
            br#"{"price": 12345678901234567890.1230, "a/b": {"c": ["x", 7, true]}, "none": null}"#,
        )
        .unwrap();
        assert_eq!(
            payload.scalar("price").unwrap(),
            "12345678901234567890.1230"
        );
        assert_eq!(payload.scalar("/a~1b/c/0").unwrap(), "x");
        assert_eq!(payload.scalar("/a~1b/c/2").unwrap(), "true");
        assert_eq!(payload.scalar("/a~1b/c/9"), None);
        assert_eq!(payload.scalar("none"), None);
        assert_eq!(first_name("/a~1b/c"), "a/b");
    }

    #[test]
    fn what_is_no_payload_is_refused() {
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(32), "]".repeat(32));
        assert_eq!(Payload::parse(deep.as_bytes()), Err(PayloadError::TooDeep));
        assert_eq!(
            Payload::parse(b"{\"a\": \"\xff\"}"),
            Err(PayloadError::Encoding(7))
        );
        assert_eq!(
            Payload::parse(b"[]"),
            Err(PayloadError::NotAnObject("list"))
        );
        assert!(matches!(
            Payload::parse(b"{\"a\": 1,}"),
            Err(PayloadError::Json(_))
        ));
        assert!(matches!(
            Payload::parse(b"{\"a\": 1, \"a\": 2}"),
            Err(PayloadError::Json(_))
        ));
        let long = vec![b' '; MAX_PAYLOAD + 1];
        assert_eq!(
            Payload::parse(&long),
            Err(PayloadError::TooLarge(MAX_PAYLOAD + 1))
        );
        let brackets = format!("{{\"a\": \"{}\"}}", "[".repeat(100));
        assert!(Payload::parse(brackets.as_bytes()).is_ok());
    }
}
