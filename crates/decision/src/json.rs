//! Exact JSON: numbers are read and written as text, never through a binary float.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{limits, number, value::Value};

/// Why a text is no JSON that can be read exactly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct Error {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: String,
}

/// Reads one JSON text (RFC 8259). Duplicate names, numbers of more than 34 digits, deep
/// nesting and trailing text are refused.
///
/// # Errors
/// With the place of the first problem.
pub fn parse(text: &str) -> Result<Value, Error> {
    let mut reader = Reader { text, at: 0 };
    let value = if text.len() > limits::TEXT_BYTES {
        Err(format!("text is longer than {} bytes", limits::TEXT_BYTES))
    } else {
        reader.document()
    };
    value.map_err(|problem| {
        let before = text.get(..reader.at).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Error {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            problem,
        }
    })
}

/// Writes compact JSON: names in byte order, numbers exactly as they stand, money and
/// quantities as `18450.00 EUR`, dates and durations as ISO 8601 texts.
#[must_use]
pub fn write(value: &Value) -> String {
    let mut out = String::new();
    write_into(&mut out, value, Form::Plain);
    out
}

/// Writes the canonical form that digests are taken of: RFC 8785, with decimals as
/// normalised strings since its numbers are binary floats.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write_into(&mut out, value, Form::Canonical);
    out
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Plain,
    Canonical,
}

fn write_into(out: &mut String, value: &Value, form: Form) {
    match value {
        Value::Null | Value::Boolean(_) => {
            let _ = write!(out, "{value}");
        }
        Value::Number(number) if form == Form::Plain => {
            let _ = write!(out, "{number}");
        }
        Value::Number(number) => quote(out, &number.normalized().to_string()),
        Value::Money {
            amount,
            currency: unit,
        }
        | Value::Quantity { amount, unit }
            if form == Form::Canonical =>
        {
            quote(out, &format!("{} {unit}", amount.normalized()));
        }
        Value::DateTime(instant) if form == Form::Canonical => {
            // One instant, one text: offsets don't count.
            quote(
                out,
                &crate::temporal::format_date_time(&instant.to_utc().fixed_offset()),
            );
        }
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_into(out, item, form);
            }
            out.push(']');
        }
        Value::Context(entries) => write_entries(out, entries, form),
        text => quote(out, &text.to_string()),
    }
}

fn write_entries(out: &mut String, entries: &BTreeMap<String, Value>, form: Form) {
    let mut sorted: Vec<_> = entries.iter().collect();
    if form == Form::Canonical {
        sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    }
    out.push('{');
    for (index, (name, entry)) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        quote(out, name);
        out.push(':');
        write_into(out, entry, form);
    }
    out.push('}');
}

/// Appends a JSON string with the escapes of RFC 8785.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

struct Reader<'a> {
    text: &'a str,
    /// Byte offset of what comes next; always at a character's boundary.
    at: usize,
}

type Read<T> = Result<T, String>;

impl Reader<'_> {
    fn document(&mut self) -> Read<Value> {
        let value = self.value(0)?;
        self.space();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err("text after the end of the JSON value".to_owned()),
        }
    }

    fn value(&mut self, depth: usize) -> Read<Value> {
        if depth > limits::VALUE_DEPTH {
            return Err(format!("nested deeper than {}", limits::VALUE_DEPTH));
        }
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Boolean(true)),
            Some(b'f') => self.word("false", Value::Boolean(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => Err("expected a JSON value".to_owned()),
            None => Err("expected a JSON value, found the end of the text".to_owned()),
        }
    }

    fn object(&mut self, depth: usize) -> Read<Value> {
        self.at += 1;
        let mut entries = BTreeMap::new();
        self.space();
        if self.eat(b'}') {
            return Ok(Value::Context(entries));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err("expected a name in double quotes".to_owned());
            }
            let start = self.at;
            let name = self.string()?;
            self.space();
            if !self.eat(b':') {
                return Err("expected `:`".to_owned());
            }
            let entry = self.value(depth + 1)?;
            if entries.contains_key(&name) {
                self.at = start;
                return Err(format!("name {name:?} stands twice"));
            }
            entries.insert(name, entry);
            self.space();
            if self.eat(b'}') {
                return Ok(Value::Context(entries));
            }
            if !self.eat(b',') {
                return Err("expected `,` or `}`".to_owned());
            }
        }
    }

    fn array(&mut self, depth: usize) -> Read<Value> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.eat(b']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.eat(b']') {
                return Ok(Value::List(items));
            }
            if !self.eat(b',') {
                return Err("expected `,` or `]`".to_owned());
            }
        }
    }

    fn number(&mut self) -> Read<Value> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'))
            .unwrap_or(rest.len());
        let text = &rest[..end];
        let digits = text.strip_prefix('-').unwrap_or(text);
        let leading_zero =
            digits.starts_with('0') && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        if leading_zero || digits.starts_with(['.', '+', '-']) {
            return Err("not a JSON number".to_owned());
        }
        let number: number::Number = text
            .parse()
            .map_err(|e: number::ParseError| e.to_string())?;
        self.at += end;
        Ok(Value::Number(number))
    }

    fn word(&mut self, word: &str, value: Value) -> Read<Value> {
        if !self.rest().starts_with(word) {
            return Err("expected a JSON value".to_owned());
        }
        self.at += word.len();
        Ok(value)
    }

    /// Reads a string; stands at its opening quote.
    fn string(&mut self) -> Read<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let stop = rest
                .find(|c: char| c == '"' || c == '\\' || c < ' ')
                .ok_or("string without a closing quote")?;
            out.push_str(&rest[..stop]);
            self.at += stop;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => return Err("control character in a string".to_owned()),
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let escaped = self.text.as_bytes().get(self.at + 1).copied();
        let plain = match escaped {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err("unknown escape in a string".to_owned()),
        };
        self.at += 2;
        Ok(plain)
    }

    fn unicode_escape(&mut self) -> Read<char> {
        let bad = || "malformed \\u escape in a string".to_owned();
        let first = self.hex().ok_or_else(bad)?;
        if let Some(c) = char::from_u32(first) {
            return Ok(c);
        }
        // The first half of a surrogate pair; only its second half may follow.
        let second = self.hex().ok_or_else(bad)?;
        char::decode_utf16([first as u16, second as u16])
            .next()
            .and_then(Result::ok)
            .ok_or_else(bad)
    }

    /// Four hexadecimal digits after `\u`.
    fn hex(&mut self) -> Option<u32> {
        let digits = self.rest().strip_prefix("\\u")?.get(..4)?;
        let hexadecimal = digits.bytes().all(|b| b.is_ascii_hexdigit());
        let unit = u32::from_str_radix(digits, 16)
            .ok()
            .filter(|_| hexadecimal)?;
        self.at += 6;
        Some(unit)
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_survive_exactly() {
        let text = r#"{"a":[12345678901234567890.123,-0.10,1E+3],"b":null,"c":"é\"\n"}"#;
        assert_eq!(write(&parse(text).unwrap()), text);
    }

    #[test]
    fn the_canonical_form_has_one_text_for_one_value() {
        let canon = |text: &str| canonical(&parse(text).unwrap());
        assert_eq!(canon(r#"{"b":1.50,"a":1}"#), r#"{"a":"1","b":"1.5"}"#);
        assert_eq!(canon("1E+2"), canon("100.0"));
        // UTF-16 order puts the surrogate pair before U+FF61.
        assert_eq!(canon("{\"｡\":1,\"😀\":2}"), "{\"😀\":\"2\",\"｡\":\"1\"}");
    }

    #[test]
    fn malformed_texts_are_refused_with_their_place() {
        let place = |text: &str| {
            let error = parse(text).unwrap_err();
            (error.line, error.column)
        };
        assert_eq!(place("{\"a\":1,\n \"a\":2}"), (2, 2));
        assert_eq!(place("[1,\n 2 3]"), (2, 4));
        for bad in [
            "",
            "01",
            "-",
            "+1",
            ".5",
            "1.",
            "[1,]",
            "{\"a\"}",
            "{a:1}",
            "tru",
            "nul",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\u+123\"",
            "\"a\nb\"",
            "\"",
            "[",
            "{",
            "1 2",
            "NaN",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert!(parse(&"[".repeat(10_000)).is_err());
        assert!(parse(&"1".repeat(35)).is_err());
        assert_eq!(parse(r#""\ud83d\ude00""#).unwrap(), Value::from("😀"));
    }

    /// Values that JSON itself has.
    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Boolean),
            ".{0,8}".prop_map(Value::String),
            (any::<i64>(), -20_i32..20)
                .prop_map(|(c, e)| Value::Number(format!("{c}E{e}").parse().unwrap())),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
                prop::collection::btree_map(".{0,4}", inner, 0..5).prop_map(Value::Context),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_round_trip(value in values()) {
            let text = write(&value);
            let again = parse(&text).unwrap();
            prop_assert_eq!(&again, &value);
            prop_assert_eq!(write(&again), text);
        }

        #[test]
        fn any_text_is_read_without_panic(text in "[\\[\\]{}:,\"\\\\u0-9a-f.eE +\\-\n☃]{0,40}") {
            let _ = parse(&text);
        }
    }
}
