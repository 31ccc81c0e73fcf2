//! Texts that others wrote: what of them can be kept and shown.

/// The first character that can't stand in a line: any control character.
#[must_use]
pub fn unprintable(text: &str) -> Option<char> {
    text.chars().find(|c| c.is_control())
}

/// The first character that can't stand in a text of several lines: any control
/// character but tabs and the ends of lines.
#[must_use]
pub fn unwritable(text: &str) -> Option<char> {
    text.chars()
        .find(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// A text with its control characters spelt out.
#[must_use]
pub fn spelt(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_found_and_spelt_out() {
        assert_eq!(unprintable("Ünï 1"), None);
        assert_eq!(unprintable("a\tb"), Some('\t'));
        assert_eq!(unwritable("a\tb\r\n"), None);
        assert_eq!(unwritable("a\u{1b}[31m"), Some('\u{1b}'));
        assert_eq!(spelt("ä\u{0}\n"), "ä\\u{0}\\n");
    }
}
