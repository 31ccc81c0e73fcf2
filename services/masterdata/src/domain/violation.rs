//! What is wrong with a record.

use std::{fmt, str::FromStr};

use super::path::Path;

/// How bad a violation is, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Should be mended.
    Warning,
    /// The record isn't fit for use.
    Error,
}

/// Kinds of violations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A mandatory field is missing or a needed value isn't known.
    Missing,
    /// The form is wrong.
    Format,
    /// Too short or too long.
    Length,
    /// A check digit is wrong.
    Checksum,
    /// Not in the code list.
    CodeList,
    /// Fields contradict each other.
    CrossField,
    /// The same is there twice.
    Duplicate,
    /// A rule of the unit.
    Policy,
}

/// One thing that is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where in the canonical record.
    pub field: Path,
    /// Rule id, such as `medical.item.lot_tracking` or `gtin.checksum`.
    pub rule: String,
    /// How bad.
    pub severity: Severity,
    /// What kind.
    pub kind: Kind,
    /// What was found and what was wanted; never quotes a personal value.
    pub message: String,
    /// The standard it comes from; may be empty.
    pub standard: String,
    /// Field of the source payload the value came from; empty where none did.
    pub source_field: String,
}

impl Violation {
    /// A violation without standard and source field.
    #[must_use]
    pub fn new(
        field: Path,
        rule: impl Into<String>,
        severity: Severity,
        kind: Kind,
        message: impl Into<String>,
    ) -> Self {
        Self {
            field,
            rule: rule.into(),
            severity,
            kind,
            message: message.into(),
            standard: String::new(),
            source_field: String::new(),
        }
    }

    /// The same, from a standard.
    #[must_use]
    pub fn by(mut self, standard: impl Into<String>) -> Self {
        self.standard = standard.into();
        self
    }
}

/// Puts violations in their order, by field path, then rule, and keeps one of those with
/// the same field and rule: the most severe.
pub fn settle(violations: &mut Vec<Violation>) {
    violations.sort_by(|a, b| {
        (&a.field, &a.rule, b.severity, &a.message)
            .cmp(&(&b.field, &b.rule, a.severity, &b.message))
    });
    violations.dedup_by(|b, a| a.field == b.field && a.rule == b.rule);
}

/// A text that names no severity or kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("found `{found}`, expected one of {expected}")]
pub struct Unknown {
    found: String,
    expected: String,
}

/// Names of an enumeration, as files and payloads have them.
macro_rules! names {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            /// Upper-case name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $type {
            type Err = Unknown;

            fn from_str(text: &str) -> Result<Self, Unknown> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    other => Err(Unknown {
                        found: other.chars().take(40).collect(),
                        expected: [$($name),+].join(", "),
                    }),
                }
            }
        }
    };
}

names!(Severity { Info = "INFO", Warning = "WARNING", Error = "ERROR" });

names!(Kind {
    Missing = "MISSING",
    Format = "FORMAT",
    Length = "LENGTH",
    Checksum = "CHECKSUM",
    CodeList = "CODE_LIST",
    CrossField = "CROSS_FIELD",
    Duplicate = "DUPLICATE",
    Policy = "POLICY",
});

impl From<identifiers::ProblemKind> for Kind {
    fn from(kind: identifiers::ProblemKind) -> Self {
        match kind {
            identifiers::ProblemKind::Format => Self::Format,
            identifiers::ProblemKind::Length => Self::Length,
            identifiers::ProblemKind::Checksum => Self::Checksum,
            identifiers::ProblemKind::CodeList => Self::CodeList,
        }
    }
}
