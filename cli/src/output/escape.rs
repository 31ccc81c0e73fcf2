//! Data on a terminal: characters that it acts on, and marks that show text in another
//! order than it is read, are shown by their number. A name in an event must not be able to
//! rewrite what a person sees of it.

use std::{borrow::Cow, fmt::Write as _};

/// Controls (C0, DEL, C1), line and paragraph separators, and the marks of the Unicode
/// Bidirectional Algorithm (UAX #9).
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn replaced(
    text: &str,
    hidden: impl Fn(char) -> bool,
    show: impl Fn(char) -> String,
) -> Cow<'_, str> {
    if !text.contains(&hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hidden(c) {
            out.push_str(&show(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn by_number(c: char) -> String {
    c.escape_default().to_string()
}

/// A text of one or more lines.
pub fn text(text: &str) -> Cow<'_, str> {
    replaced(text, |c| acts(c) && c != '\n' && c != '\t', by_number)
}

/// A cell of a table: one line, whatever is in it.
pub fn cell(text: &str) -> Cow<'_, str> {
    replaced(text, acts, by_number)
}

/// A JSON document: it stays the same document, since line feeds and the like stand
/// outside of its strings only.
pub fn json(text: &str) -> Cow<'_, str> {
    replaced(
        text,
        |c| acts(c) && c != '\n',
        |c| {
            let mut units = [0; 2];
            let mut out = String::new();
            for unit in c.encode_utf16(&mut units) {
                // Writing to a string doesn't fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
            out
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_on_is_shown() {
        let hostile = "C\u{1b}[31mred\u{1b}]0;owned\u{7}\u{9b}2J\u{7f}\u{202e}x\u{2066}\r";
        let shown = "C\\u{1b}[31mred\\u{1b}]0;owned\\u{7}\\u{9b}2J\\u{7f}\\u{202e}x\\u{2066}\\r";
        assert_eq!(text(hostile), shown);
        assert_eq!(cell(hostile), shown);
        assert_eq!(text("a\n\tb"), "a\n\tb");
        assert_eq!(cell("a\n\tb"), "a\\n\\tb");
        let harmless = "Ünïcødé 日本 → ✓ “x”";
        assert!(matches!(text(harmless), Cow::Borrowed(same) if same == harmless));
    }

    #[test]
    fn json_stays_the_same_document() {
        let value = serde_json::json!({"name": "C\u{1b}[31m\u{85}\u{202e}\u{7f}ü", "n": [1]});
        let pretty = serde_json::to_string_pretty(&value).unwrap_or_default();
        let shown = json(&pretty);
        assert!(!shown.contains(|c| acts(c) && c != '\n'), "{shown}");
        let read: serde_json::Value = serde_json::from_str(&shown).unwrap_or_default();
        assert_eq!(read, value);
    }
}
