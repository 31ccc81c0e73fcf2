//! Functions on texts (DMN 1.5, 10.3.4.3). Positions count characters.

use regex::{Regex, RegexBuilder};

use super::given::{self, need};
use crate::{
    sfeel::eval::{Outcome, Work},
    value::Value,
};

/// Most bytes that a compiled pattern takes.
const PATTERN_BYTES: usize = 1 << 20;

pub(super) fn length(arguments: &[Value], _: &Work) -> Outcome {
    let text = need!(given::text(arguments, 0));
    let length = i64::try_from(text.chars().count()).map_err(|error| error.to_string())?;
    Ok(Value::Number(length.into()))
}

pub(super) fn substring(arguments: &[Value], _: &Work) -> Outcome {
    let text = need!(given::text(arguments, 0));
    let start = need!(given::whole(arguments, 1));
    let chars: Vec<char> = text.chars().collect();
    let Some(start) = given::place(start, chars.len()) else {
        return Err(format!("the text has no position {start}"));
    };
    let rest = &chars[start..];
    let length = match given::whole(arguments, 2)? {
        None => rest.len(),
        Some(length) => match usize::try_from(length) {
            Ok(length @ 1..) => length.min(rest.len()),
            _ => return Err(format!("the length is {length}, expected at least 1")),
        },
    };
    Ok(Value::String(rest[..length].iter().collect()))
}

pub(super) fn upper_case(arguments: &[Value], _: &Work) -> Outcome {
    Ok(Value::String(
        need!(given::text(arguments, 0)).to_uppercase(),
    ))
}

pub(super) fn lower_case(arguments: &[Value], _: &Work) -> Outcome {
    Ok(Value::String(
        need!(given::text(arguments, 0)).to_lowercase(),
    ))
}

pub(super) fn contains(arguments: &[Value], _: &Work) -> Outcome {
    let text = need!(given::text(arguments, 0));
    Ok(text.contains(need!(given::text(arguments, 1))).into())
}

pub(super) fn starts_with(arguments: &[Value], _: &Work) -> Outcome {
    let text = need!(given::text(arguments, 0));
    Ok(text.starts_with(need!(given::text(arguments, 1))).into())
}

pub(super) fn ends_with(arguments: &[Value], _: &Work) -> Outcome {
    let text = need!(given::text(arguments, 0));
    Ok(text.ends_with(need!(given::text(arguments, 1))).into())
}

pub(super) fn before(arguments: &[Value], _: &Work) -> Outcome {
    let text = need!(given::text(arguments, 0));
    let found = text.split_once(need!(given::text(arguments, 1)));
    Ok(found.map_or("", |(before, _)| before).into())
}

pub(super) fn after(arguments: &[Value], _: &Work) -> Outcome {
    let text = need!(given::text(arguments, 0));
    let found = text.split_once(need!(given::text(arguments, 1)));
    Ok(found.map_or("", |(_, after)| after).into())
}

pub(super) fn matches(arguments: &[Value], work: &Work) -> Outcome {
    let text = need!(given::text(arguments, 0));
    let pattern = need!(given::text(arguments, 1));
    let flags = given::text(arguments, 2)?.unwrap_or_default();
    Ok(compiled(text, pattern, flags, work)?.is_match(text).into())
}

pub(super) fn replace(arguments: &[Value], work: &Work) -> Outcome {
    let text = need!(given::text(arguments, 0));
    let pattern = need!(given::text(arguments, 1));
    let replacement = need!(given::text(arguments, 2));
    let flags = given::text(arguments, 3)?.unwrap_or_default();
    let regex = compiled(text, pattern, flags, work)?;
    if regex.is_match("") {
        return Err(format!("pattern `{pattern}` matches the empty text"));
    }
    let replacement = if flags.contains('q') {
        replacement.replace('$', "$$")
    } else {
        groups(replacement)?
    };
    // Counted before it is made: every match may grow.
    let matches = regex.find_iter(text).count();
    work.take(matches.saturating_mul(replacement.len() + text.len() / 8) / 64)?;
    Ok(Value::String(
        regex.replace_all(text, replacement.as_str()).into_owned(),
    ))
}

pub(super) fn split(arguments: &[Value], work: &Work) -> Outcome {
    let text = need!(given::text(arguments, 0));
    let delimiter = need!(given::text(arguments, 1));
    let regex = compiled(text, delimiter, "", work)?;
    let parts: Vec<Value> = regex.split(text).map(Value::from).collect();
    work.take(parts.len())?;
    Ok(Value::List(parts))
}

pub(super) fn join(arguments: &[Value], work: &Work) -> Outcome {
    let items = need!(given::list(arguments, 0));
    let delimiter = given::text(arguments, 1)?.unwrap_or_default();
    let mut joined = String::new();
    let mut first = true;
    for item in items.iter() {
        let text = match item {
            Value::Null => continue,
            Value::String(text) => text,
            other => {
                return Err(format!(
                    "the list holds a {}, expected strings",
                    other.kind()
                ));
            }
        };
        work.take((delimiter.len() + text.len()) / 64)?;
        if !first {
            joined.push_str(delimiter);
        }
        first = false;
        joined.push_str(text);
    }
    Ok(Value::String(joined))
}

/// The pattern as it is compiled. Its dialect is that of the `regex` crate, which ends in
/// time linear in the text.
fn compiled(text: &str, pattern: &str, flags: &str, work: &Work) -> Result<Regex, String> {
    work.take(64 + pattern.len() + text.len() / 16)?;
    let mut literal = None;
    let mut builder = RegexBuilder::new(pattern);
    for flag in flags.chars() {
        match flag {
            's' => builder.dot_matches_new_line(true),
            'm' => builder.multi_line(true),
            'i' => builder.case_insensitive(true),
            'x' => builder.ignore_whitespace(true),
            'q' => {
                literal = Some(regex::escape(pattern));
                &mut builder
            }
            _ => {
                return Err(format!(
                    "`{flag}` is no flag of a pattern: s, m, i, x and q are"
                ));
            }
        };
    }
    if let Some(literal) = literal {
        builder = RegexBuilder::new(&literal);
        builder.case_insensitive(flags.contains('i'));
    }
    builder
        .size_limit(PATTERN_BYTES)
        .dfa_size_limit(PATTERN_BYTES)
        .nest_limit(64)
        .build()
        .map_err(|error| format!("pattern `{pattern}`: {}", reason(&error)))
}

/// The last line of what the compiler says; those before draw the pattern.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// `$1` as the crate spells it, whatever follows the number; `\$` and `\\` as they are meant.
fn groups(replacement: &str) -> Result<String, String> {
    let mut out = String::with_capacity(replacement.len());
    let mut chars = replacement.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek().copied()) {
            ('\\', Some('$')) => {
                out.push_str("$$");
                chars.next();
            }
            ('\\', Some('\\')) => {
                out.push('\\');
                chars.next();
            }
            ('$', Some(digit)) if digit.is_ascii_digit() => {
                out.push_str("${");
                while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                    out.push(digit);
                }
                out.push('}');
            }
            ('\\' | '$', _) => {
                return Err(format!(
                    "`{c}` in a replacement stands before a digit, `$` or `\\`"
                ));
            }
            (c, _) => out.push(c),
        }
    }
    Ok(out)
}
