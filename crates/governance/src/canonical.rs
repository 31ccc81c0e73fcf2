//! The canonical form that digests are taken over: RFC 8785 (JSON canonicalization
//! scheme) with decimals as normalised strings, so that no number is a double and equal
//! amounts have equal digests however they were written.

use std::fmt::Write as _;

use decision::Value;
use serde_json::{Map, Value as Json};
use sha2::{Digest as _, Sha256};

/// Exponents up to this many digits are written out; beyond, scientific notation.
const PLAIN_DIGITS: i64 = 40;

/// `sha256:` and 64 hexadecimal digits over the canonical form.
#[must_use]
pub fn digest(json: &Json) -> String {
    sha256(text(json).as_bytes())
}

/// `sha256:` and 64 hexadecimal digits over bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    let mut out = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        // Writing to a string doesn't fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// The text of RFC 8785: keys in the order of their UTF-16 code units, no white space,
/// strings with the fewest escapes.
///
/// Integers outside ±2^53 and fractions have no exact place in RFC 8785, whose numbers
/// are doubles; they are written as strings. Callers write decimals with [`decimal`].
#[must_use]
pub fn text(json: &Json) -> String {
    let mut out = String::new();
    write(json, &mut out);
    out
}

fn write(json: &Json, out: &mut String) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Json::Number(number) => {
            let exact = number
                .as_i64()
                .is_some_and(|n| n.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS);
            if exact {
                let _ = write!(out, "{number}");
            } else {
                write_string(&number.to_string(), out);
            }
        }
        Json::String(string) => write_string(string, out),
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Json::Object(fields) => {
            let mut keys: Vec<_> = fields.iter().collect();
            keys.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (index, (key, value)) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

fn write_string(string: &str, out: &mut String) {
    out.push('"');
    for character in string.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// A decision value in the canonical form: numbers as normalised strings, money as
/// `{amount, currency}`, quantities as `{amount, unit}`, dates, times and durations as
/// their ISO 8601 texts.
#[must_use]
pub fn value(value: &Value) -> Json {
    let pair = |amount: &decision::Number, key: &str, text: &str| {
        let mut fields = Map::new();
        fields.insert("amount".into(), decimal(&amount.to_string()).into());
        fields.insert(key.into(), text.into());
        Json::Object(fields)
    };
    match value {
        Value::Null => Json::Null,
        Value::Boolean(flag) => Json::Bool(*flag),
        Value::String(text) => Json::String(text.clone()),
        Value::Number(number) => Json::String(decimal(&number.to_string())),
        Value::Money { amount, currency } => pair(amount, "currency", currency),
        Value::Quantity { amount, unit } => pair(amount, "unit", unit),
        Value::List(items) => Json::Array(items.iter().map(self::value).collect()),
        Value::Context(fields) => Json::Object(
            fields
                .iter()
                .map(|(key, item)| (key.clone(), self::value(item)))
                .collect(),
        ),
        other => Json::String(other.to_string()),
    }
}

/// A decimal number's normalised text: no plus sign, no leading or trailing zeros, no
/// negative zero; plain notation where that takes few digits. `1.50E+3` gives `1500`.
/// A text that is no decimal number is given back as it stands.
#[must_use]
pub fn decimal(text: &str) -> String {
    parts(text).map_or_else(|| text.to_owned(), |parts| parts.normalised())
}

/// A decimal number `digits × 10^exponent`.
struct Parts {
    negative: bool,
    digits: String,
    exponent: i64,
}

fn parts(text: &str) -> Option<Parts> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    Some(Parts {
        negative,
        digits,
        exponent,
    })
}

impl Parts {
    fn normalised(&self) -> String {
        let significant = self.digits.trim_start_matches('0');
        let digits = significant.trim_end_matches('0');
        if digits.is_empty() {
            return "0".to_owned();
        }
        let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
        let exponent = self
            .exponent
            .saturating_add(length(significant) - length(digits));
        let sign = if self.negative { "-" } else { "" };
        // Where the decimal point stands, counted from the first digit.
        let point = exponent.saturating_add(length(digits));
        if exponent >= 0 && point <= PLAIN_DIGITS {
            let zeros = usize::try_from(exponent).unwrap_or(0);
            format!("{sign}{digits}{}", "0".repeat(zeros))
        } else if exponent < 0 && point > 0 {
            let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
            format!("{sign}{whole}.{fraction}")
        } else if exponent < 0 && point > -PLAIN_DIGITS {
            let zeros = usize::try_from(-point).unwrap_or(0);
            format!("{sign}0.{}{digits}", "0".repeat(zeros))
        } else {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            format!("{sign}{first}{dot}{rest}e{}", point - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_decimals_have_one_text() {
        for (from, to) in [
            ("18450.00", "18450"),
            ("1.50E+3", "1500"),
            ("+007", "7"),
            ("-0.0", "0"),
            ("0.0500", "0.05"),
            ("-12.340", "-12.34"),
            ("1E-45", "1e-45"),
            ("12E+50", "1.2e51"),
            (
                "9999999999999999999999999999999999",
                "9999999999999999999999999999999999",
            ),
            ("Infinity", "Infinity"),
        ] {
            assert_eq!(decimal(from), to, "{from}");
        }
    }

    #[test]
    fn the_text_is_that_of_rfc_8785() {
        // RFC 8785, 3.2.2 and 3.2.3, without its doubles.
        let sample = json!({
            "string": "\u{20ac}$\u{f}\nA'\u{42}\"\\\\\"/",
            "literals": [null, true, false],
            "numbers": [1, -2],
        });
        assert_eq!(
            text(&sample),
            "{\"literals\":[null,true,false],\"numbers\":[1,-2],\
             \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        );
        let keys = json!({
            "\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7,
        });
        assert_eq!(
            text(&keys),
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}"
        );
    }

    #[test]
    fn digests_are_sha_256() {
        assert_eq!(
            sha256(b"abc"),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
