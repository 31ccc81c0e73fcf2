//! JSON in the one form that hashes and comparisons need (RFC 8785).

use std::fmt::Write as _;

use serde_json::Value;

use crate::error::{Error, Result};

/// Integers beyond this can't be told apart by a reader that holds numbers as doubles.
const MAX_EXACT: u64 = 1 << 53;

/// Levels of objects and arrays.
const MAX_DEPTH: usize = 64;

/// The canonical form of a JSON value: no white space, members ordered by their names'
/// UTF-16 code units, numbers as ECMAScript writes them.
///
/// # Errors
/// Internal for an integer beyond 2^53, which belongs into a string, and for more than
/// 64 levels.
pub fn canonical(value: &Value) -> Result<Vec<u8>> {
    let mut out = String::new();
    write(value, 0, &mut out).map_err(Error::internal)?;
    Ok(out.into_bytes())
}

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("integer {0} is beyond 2^53; write it as a string")]
    Integer(String),
    #[error("more than {MAX_DEPTH} levels")]
    Depth,
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

fn write(value: &Value, depth: usize, out: &mut String) -> Result<(), Problem> {
    if depth > MAX_DEPTH {
        return Err(Problem::Depth);
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(n) => number(n, out)?,
        Value::String(s) => string(s, out)?,
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, depth + 1, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (i, (name, member)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                string(name, out)?;
                out.push(':');
                write(member, depth + 1, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// serde_json escapes exactly what RFC 8785 wants escaped, in the same way.
fn string(text: &str, out: &mut String) -> Result<(), Problem> {
    out.push_str(&serde_json::to_string(text)?);
    Ok(())
}

fn number(n: &serde_json::Number, out: &mut String) -> Result<(), Problem> {
    let whole = n.as_i64().map(i64::unsigned_abs).or_else(|| n.as_u64());
    match (whole, n.as_f64()) {
        (Some(size), _) if size > MAX_EXACT => Err(Problem::Integer(n.to_string())),
        (Some(_), _) => {
            let _ = write!(out, "{n}");
            Ok(())
        }
        (None, Some(float)) => {
            ecmascript(float, out);
            Ok(())
        }
        (None, None) => Err(Problem::Integer(n.to_string())),
    }
}

/// `Number::toString` of ECMA-262: the shortest digits, plain between 1e-6 and 1e21.
fn ecmascript(float: f64, out: &mut String) {
    if float == 0.0 {
        out.push('0');
        return;
    }
    if float < 0.0 {
        out.push('-');
    }
    let scientific = format!("{:e}", float.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(|&c| c != '.').collect();
    let point = exponent.parse::<i32>().unwrap_or(0) + 1;
    let length = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap_or(0));
    let split = usize::try_from(point).unwrap_or(0).min(digits.len());
    let _ = match point {
        p if p >= length && p <= 21 => write!(out, "{digits}{}", zeros(p - length)),
        1..=21 => write!(out, "{}.{}", &digits[..split], &digits[split..]),
        -5..=0 => write!(out, "0.{}{digits}", zeros(-point)),
        p => {
            let sign = if p > 0 { '+' } else { '-' };
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            write!(out, "{first}{dot}{rest}e{sign}{}", (p - 1).abs())
        }
    };
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(value: &Value) -> String {
        String::from_utf8(canonical(value).unwrap()).unwrap()
    }

    #[test]
    fn members_are_in_utf16_order() {
        let value = json!({"\u{e000}": 1, "\u{1f600}": 2, "b": {"d": null, "c": [true, false]}, "a": "x\n\u{1}é"});
        assert_eq!(
            text(&value),
            "{\"a\":\"x\\n\\u0001é\",\"b\":{\"c\":[true,false],\"d\":null},\"\u{1f600}\":2,\"\u{e000}\":1}"
        );
    }

    #[test]
    fn numbers_are_as_ecmascript_writes_them() {
        for (number, wanted) in [
            (json!(0), "0"),
            (json!(-0.0), "0"),
            (json!(-17), "-17"),
            (json!(9_007_199_254_740_992_u64), "9007199254740992"),
            (json!(0.81), "0.81"),
            (json!(-1.5), "-1.5"),
            (json!(1e21), "1e+21"),
            (json!(1e20), "100000000000000000000"),
            (json!(123456789012345680000.0), "123456789012345680000"),
            (json!(1e-6), "0.000001"),
            (json!(1e-7), "1e-7"),
            (json!(1.25e-9), "1.25e-9"),
            (json!(333333333.3333333), "333333333.3333333"),
            (json!(5e-324), "5e-324"),
            (json!(1.7976931348623157e308), "1.7976931348623157e+308"),
        ] {
            assert_eq!(text(&number), wanted);
        }
        assert!(canonical(&json!(9_007_199_254_740_993_u64)).is_err());
        assert!(canonical(&json!(i64::MIN)).is_err());
    }

    #[test]
    fn depth_is_bounded() {
        let deep = (0..100).fold(json!(1), |value, _| json!([value]));
        assert!(canonical(&deep).is_err());
    }
}
