//! Texts: length, stray blanks, control characters; e-mail addresses and languages.

use super::{Found, Path};
use crate::domain::violation::{Kind, Severity, Violation};

/// Length, control characters and stray blanks.
pub(super) fn hygiene(path: &Path, text: &str, max: usize, found: &mut Found) {
    let length = text.chars().count();
    if length > max {
        let message = format!("found {length} characters, expected at most {max}");
        found.add(
            path,
            "text.length",
            (Severity::Error, Kind::Length),
            message,
        );
    }
    if text.chars().any(char::is_control) {
        let message = "found a control character, such as a line break or a tab";
        found.add(
            path,
            "text.control_character",
            (Severity::Warning, Kind::Format),
            message,
        );
    }
    if text.trim() != text || text.contains("  ") {
        let message = "found blanks at an end, or two in a row";
        found.add(path, "text.blanks", (Severity::Info, Kind::Format), message);
    }
}

/// `local@domain.tld`, without quoting, as every mail system takes it.
pub(super) fn email(text: &str, path: &Path, found: &mut Found) {
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let local = |l: &str| {
        !l.is_empty()
            && l.len() <= 64
            && l.split('.').all(|atom| {
                !atom.is_empty()
                    && atom
                        .chars()
                        .all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c))
            })
    };
    let fits = text.rsplit_once('@').is_some_and(|(user, domain)| {
        local(user) && domain.contains('.') && domain.split('.').all(label)
    });
    if !fits {
        let message = "expected a mailbox and a domain, such as orders@example.com";
        found.0.push(
            Violation::new(
                path.clone(),
                "email.format",
                Severity::Warning,
                Kind::Format,
                message,
            )
            .by("RFC 5321"),
        );
    }
}

/// Two lower-case letters of ISO 639-1.
pub(super) fn language(text: &str, path: &Path, found: &mut Found) {
    if let Err(problem) = identifiers::language::check(text) {
        found.problem(path, "language", Severity::Error, problem);
    }
}
