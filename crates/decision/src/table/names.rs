//! Names that files give: of inputs, decisions, columns and parts.

use crate::limits;

/// A text in which every run of space is one, as FEEL reads names.
pub(crate) fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Why a text can't be a name; `None` where it can.
pub(crate) fn name_problem(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        Some("it is empty")
    } else if text.len() > limits::NAME_BYTES {
        Some("it is too long")
    } else if text.chars().any(char::is_control) {
        Some("it holds a control character or goes over lines")
    } else if collapsed(text) != text {
        Some("single spaces separate words, and none stands around them")
    } else {
        None
    }
}
