//! What an expression may name.

use std::collections::{BTreeMap, BTreeSet};

use super::Mode;
use crate::types::Type;

/// The names an expression may use: of facts, of the entries of structured facts, and of
/// functions. A name may hold spaces and the characters of operators, so only the known ones
/// tell where it ends; the longest that fits is meant.
#[derive(Debug, Clone, Default)]
pub struct Names {
    facts: Index,
    entries: Index,
    functions: Index,
    mode: Mode,
}

/// Names by their first character, longest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Index(BTreeMap<char, Vec<String>>);

/// Words that begin something else than a name.
const RESERVED: [&str; 13] = [
    "true",
    "false",
    "null",
    "not",
    "date",
    "date and time",
    "duration",
    "time",
    "if",
    "for",
    "some",
    "every",
    "function",
];

impl Names {
    /// Takes the names of facts; reserved words aren't reachable as such.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            facts: Index::new(names),
            ..Self::default()
        }
    }

    /// Takes the names of declared facts, and of what they are structured into.
    #[must_use]
    pub fn declared(types: &BTreeMap<String, Type>) -> Self {
        let mut entries = BTreeSet::new();
        for ty in types.values() {
            entries_of(ty, &mut entries);
        }
        Self {
            entries: Index::new(entries),
            ..Self::new(types.keys().map(String::as_str))
        }
    }

    /// Takes the names of functions too.
    #[must_use]
    pub fn with_functions<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            functions: Index::new(names),
            ..self
        }
    }

    /// Reads as a mode asks: under [`Mode::Spec`] a constructor that no value comes of is no
    /// error of the text.
    #[must_use]
    pub fn in_mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// Whether a word can't be the name of a fact.
    #[must_use]
    pub fn is_reserved(name: &str) -> bool {
        RESERVED.contains(&name)
    }

    pub(super) fn facts(&self) -> &Index {
        &self.facts
    }

    pub(super) fn entries(&self) -> &Index {
        &self.entries
    }

    pub(super) fn functions(&self) -> &Index {
        &self.functions
    }

    pub(super) fn mode(&self) -> Mode {
        self.mode
    }
}

fn entries_of<'t>(ty: &'t Type, entries: &mut BTreeSet<&'t str>) {
    match ty {
        Type::List(of) => entries_of(of, entries),
        Type::Structure(fields) => {
            for (name, field) in fields {
                entries.insert(name);
                entries_of(field, entries);
            }
        }
        _ => {}
    }
}

impl Index {
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut index: BTreeMap<char, Vec<String>> = BTreeMap::new();
        for name in names {
            if let Some(first) = name.chars().next() {
                index.entry(first).or_default().push(name.to_owned());
            }
        }
        for names in index.values_mut() {
            names.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
            names.dedup();
        }
        Self(index)
    }

    /// The names that begin with a character, longest first.
    pub(super) fn starting(&self, first: char) -> &[String] {
        self.0.get(&first).map_or(&[], Vec::as_slice)
    }
}
