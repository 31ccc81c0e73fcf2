//! What an expression may name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

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
    /// Entries beside those of the facts.
    more: Entries,
    mode: Mode,
}

/// Names of entries, shared between places that know the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entries(Arc<Index>);

impl Entries {
    /// Of all that values of these types are structured into.
    pub(crate) fn of<'t>(types: impl IntoIterator<Item = &'t Type>) -> Self {
        let mut entries = BTreeSet::new();
        types
            .into_iter()
            .for_each(|ty| entries_of(ty, &mut entries));
        Self(Arc::new(Index::new(entries)))
    }
}

/// Names in order, each once.
#[derive(Debug, Clone, Default)]
pub(super) struct Index(Vec<String>);

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

    /// Adds the name of a fact.
    pub(crate) fn add(&mut self, name: &str) {
        self.facts.add(name);
    }

    /// Takes the names of functions too.
    #[must_use]
    pub fn with_functions<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            functions: Index::new(names),
            ..self
        }
    }

    /// Takes the names of more entries.
    #[must_use]
    pub(crate) fn with_entries(self, more: Entries) -> Self {
        Self { more, ..self }
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

    pub(super) fn entries(&self) -> [&Index; 2] {
        [&self.entries, &self.more.0]
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
        let names = names.into_iter().filter(|name| !name.is_empty());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        Self(names)
    }

    fn add(&mut self, name: &str) {
        if let Err(place) = self.place(name) {
            self.0.insert(place, name.to_owned());
        }
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|known| known.as_str().cmp(name))
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.place(name).is_ok()
    }

    /// The longest name that the characters begin with, and how many those are. A space in a
    /// name stands for any run of space. `ends` says whether a name may end after so many.
    pub(super) fn longest(
        &self,
        text: &[char],
        ends: impl Fn(usize) -> bool,
    ) -> Option<(&str, usize)> {
        let mut names = self.0.as_slice();
        // What the names that are left begin with, in bytes, and where that ends in the text.
        let (mut same, mut at) = (0, 0);
        let mut best = None;
        while let Some(&first) = text.get(at) {
            let mut next = first;
            at += 1;
            if first.is_whitespace() {
                next = ' ';
                let more = text.get(at..).unwrap_or_default();
                at += more.iter().take_while(|c| c.is_whitespace()).count();
            }
            let follows = |name: &String| name.get(same..).and_then(|rest| rest.chars().next());
            let from = names.partition_point(|name| follows(name) < Some(next));
            let to = names.partition_point(|name| follows(name) <= Some(next));
            names = names.get(from..to).unwrap_or_default();
            same += next.len_utf8();
            match names.first() {
                None => break,
                Some(name) if name.len() == same && ends(at) => best = Some((name.as_str(), at)),
                Some(_) => {}
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Where a name ends if the characters begin with it.
    fn end(name: &str, text: &[char]) -> Option<usize> {
        let mut at = 0;
        for wanted in name.chars() {
            let start = at;
            match wanted {
                ' ' => {
                    while text.get(at).is_some_and(|c| c.is_whitespace()) {
                        at += 1;
                    }
                }
                wanted => at += usize::from(text.get(at) == Some(&wanted)),
            }
            if at == start {
                return None;
            }
        }
        Some(at)
    }

    proptest! {
        #[test]
        fn the_longest_name_is_found(
            names in prop::collection::vec("[ab.é]([ab.é ]{0,3}[abé])?", 0..12),
            text in "[ab.é \n]{0,8}",
            stops in prop::collection::vec(any::<bool>(), 10),
        ) {
            let names: Vec<_> = names.iter().map(|name| crate::table::collapsed(name)).collect();
            let text: Vec<char> = text.chars().collect();
            let index = Index::new(names.iter().map(String::as_str));
            let ends = |at: usize| stops[at];
            let all = names.iter().filter_map(|name| Some((name.as_str(), end(name, &text)?)));
            let wanted = all.filter(|(_, at)| ends(*at)).max_by_key(|(_, at)| *at);
            prop_assert_eq!(index.longest(&text, ends), wanted);
            prop_assert!(names.iter().all(|name| index.contains(name)));
        }
    }
}
