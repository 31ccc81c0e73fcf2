//! JSON in its canonical form (RFC 8785), read strictly.
//!
//! Canonical: no white space, members sorted by UTF-16 code units, strings with the
//! fewest escapes, numbers as ECMAScript writes them. Texts that have no faithful
//! canonical form are refused: duplicate members, lone surrogates, and numbers that a
//! double can't hold exactly.

use std::{borrow::Cow, fmt::Write as _};

/// Deepest nesting that is read.
pub const MAX_DEPTH: usize = 64;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number in canonical form.
    Number(Cow<'a, str>),
    /// A string.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object, its members in canonical order.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// Why a text isn't JSON that has a canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {offset}")]
pub struct Error {
    /// Where, in bytes from 0.
    pub offset: usize,
    /// What.
    pub problem: &'static str,
}

/// Reads a text that is one JSON value.
///
/// # Errors
/// If it is no JSON, or JSON without a faithful canonical form.
pub fn parse(text: &[u8]) -> Result<Json<'_>, Error> {
    let text = std::str::from_utf8(text).map_err(|e| Error {
        offset: e.valid_up_to(),
        problem: "text isn't UTF-8",
    })?;
    let mut parser = Parser { text, at: 0 };
    parser.space();
    let value = parser.value(0)?;
    parser.space();
    if parser.at == text.len() {
        Ok(value)
    } else {
        Err(parser.error("text after the value"))
    }
}

impl Json<'_> {
    /// Writes the canonical form.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// Appends the canonical form.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(text) => out.push_str(text),
            Self::String(text) => write_string(out, text),
            Self::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => write_object(out, members),
        }
    }
}

/// Appends the canonical form of an object whose members are in canonical order.
pub fn write_object(out: &mut String, members: &[(Cow<'_, str>, Json<'_>)]) {
    out.push('{');
    for (i, (name, value)) in members.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write_string(out, name);
        out.push(':');
        value.write(out);
    }
    out.push('}');
}

/// Appends the canonical form of a string.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            8 => out.push_str("\\b"),
            9 => out.push_str("\\t"),
            10 => out.push_str("\\n"),
            12 => out.push_str("\\f"),
            13 => out.push_str("\\r"),
            other => {
                // writing to a string can't fail
                let _ = write!(out, "\\u{other:04x}");
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn error(&self, problem: &'static str) -> Error {
        Error {
            offset: self.at,
            problem,
        }
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

    fn value(&mut self, depth: usize) -> Result<Json<'a>, Error> {
        if depth > MAX_DEPTH {
            return Err(self.error("nested more than 64 deep"));
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) => Err(self.error("expected a value")),
            None => Err(self.error("text ends where a value was expected")),
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, Error> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.error("expected a value"))
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json<'a>, Error> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.eat(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            self.space();
            items.push(self.value(depth + 1)?);
            self.space();
            if self.eat(b']') {
                return Ok(Json::Array(items));
            }
            if !self.eat(b',') {
                return Err(self.error("expected `,` or `]`"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, Error> {
        let start = self.at;
        self.at += 1;
        let mut members: Vec<(Cow<'a, str>, Json<'a>)> = Vec::new();
        self.space();
        if self.eat(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a member name"));
            }
            let name = self.string()?;
            self.space();
            if !self.eat(b':') {
                return Err(self.error("expected `:`"));
            }
            self.space();
            members.push((name, self.value(depth + 1)?));
            self.space();
            if self.eat(b'}') {
                break;
            }
            if !self.eat(b',') {
                return Err(self.error("expected `,` or `}`"));
            }
        }
        members.sort_by(|(a, _), (b, _)| utf16_order(a, b));
        if members.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(Error {
                offset: start,
                problem: "a member occurs twice in the object",
            });
        }
        Ok(Json::Object(members))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Error> {
        self.at += 1;
        let start = self.at;
        let mut owned: Option<String> = None;
        let mut piece = start;
        loop {
            match self.peek() {
                None => return Err(self.error("text ends within a string")),
                Some(b'"') => {
                    let rest = &self.text[piece..self.at];
                    self.at += 1;
                    return Ok(match owned {
                        None => Cow::Borrowed(rest),
                        Some(mut text) => {
                            text.push_str(rest);
                            Cow::Owned(text)
                        }
                    });
                }
                Some(b'\\') => {
                    let text = owned.get_or_insert_default();
                    text.push_str(&self.text[piece..self.at]);
                    self.at += 1;
                    let escaped = self.escape()?;
                    if let Some(text) = owned.as_mut() {
                        text.push(escaped);
                    }
                    piece = self.at;
                }
                Some(0..=0x1f) => return Err(self.error("control character within a string")),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        let escaped = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.error("unknown escape")),
        };
        self.at += 1;
        Ok(escaped)
    }

    fn unicode(&mut self) -> Result<char, Error> {
        let high = self.hex()?;
        let code = match high {
            0xd800..=0xdbff => {
                if !self.eat(b'\\') || self.peek() != Some(b'u') {
                    return Err(self.error("lone surrogate"));
                }
                let low = self.hex()?;
                if !(0xdc00..=0xdfff).contains(&low) {
                    return Err(self.error("lone surrogate"));
                }
                0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)
            }
            code => code,
        };
        char::from_u32(code).ok_or(self.error("lone surrogate"))
    }

    /// Reads `uXXXX`.
    fn hex(&mut self) -> Result<u32, Error> {
        let digits = self.text.as_bytes().get(self.at + 1..self.at + 5);
        let mut code = 0;
        for digit in digits.ok_or(self.error("expected four hexadecimal digits"))? {
            let value = char::from(*digit)
                .to_digit(16)
                .ok_or(self.error("expected four hexadecimal digits"))?;
            code = code * 16 + value;
        }
        self.at += 5;
        Ok(code)
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<Json<'a>, Error> {
        let start = self.at;
        let mut plain = !self.eat(b'-');
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return Err(self.error("malformed number"));
        }
        if self.eat(b'.') {
            plain = false;
            if self.digits() == 0 {
                return Err(self.error("malformed number"));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            plain = false;
            self.at += 1;
            if !self.eat(b'-') {
                self.eat(b'+');
            }
            if self.digits() == 0 {
                return Err(self.error("malformed number"));
            }
        }
        let text = &self.text[start..self.at];
        // 15 digits always fit a double
        if plain && whole <= 15 {
            return Ok(Json::Number(Cow::Borrowed(text)));
        }
        match super::number::canonical(text) {
            Some(canonical) if canonical == text => Ok(Json::Number(Cow::Borrowed(text))),
            Some(canonical) => Ok(Json::Number(Cow::Owned(canonical))),
            None => Err(Error {
                offset: start,
                problem: "a double can't hold this number exactly (write it as a string)",
            }),
        }
    }
}

fn utf16_order(a: &str, b: &str) -> std::cmp::Ordering {
    if a.is_ascii() && b.is_ascii() {
        a.cmp(b)
    } else {
        a.encode_utf16().cmp(b.encode_utf16())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Result<String, &'static str> {
        parse(text.as_bytes())
            .map(|value| value.canonical())
            .map_err(|e| e.problem)
    }

    #[test]
    fn the_example_of_rfc_8785_comes_out() {
        let text = r#"{
            "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false]
        }"#;
        // the RFC's first number isn't exact as a double, and so is refused here
        assert!(canonical(text).unwrap_err().contains("exactly"));
        let text = text.replace("333333333.33333329", "333333333.3333333");
        assert_eq!(
            canonical(&text).unwrap(),
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
             \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        );
    }

    #[test]
    fn members_are_sorted_by_utf16_code_units() {
        // the example of RFC 8785 section 3.2.3
        let text = r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#;
        assert_eq!(
            canonical(text).unwrap(),
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}"
        );
    }

    #[test]
    fn what_has_no_faithful_form_is_refused() {
        for bad in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\":1,\"a\":1}",
            "{\"a\":1,\"\\u0061\":2}",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"\\x\"",
            "\"\u{1}\"",
            "01",
            "1.",
            ".5",
            "-",
            "+1",
            "1e",
            "NaN",
            "tru",
            "nul",
            "1 2",
            "\"",
            "12345678901234567890.123",
            "9007199254740993",
            "1e400",
            "0.1000000000000000055511151231257827",
            "'a'",
            "\"\\u12\"",
        ] {
            assert!(canonical(bad).is_err(), "{bad}");
        }
        assert!(parse(b"\"\xff\"").is_err());
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(canonical(&deep(64)).is_ok());
        assert!(canonical(&deep(66)).is_err());
        assert!(canonical(&"[".repeat(1_000_000)).is_err());
    }
}
