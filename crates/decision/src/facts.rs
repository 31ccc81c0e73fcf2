//! The facts that are known of a transaction.

use std::collections::BTreeMap;

use compact_str::CompactString;

use crate::value::Value;

/// Longest name of a fact, in bytes.
pub const MAX_FACT_NAME: usize = 256;

/// Whether a text can name a fact: what a cell can write, such as `order.total` or
/// `ship to.country`. The parts between dots begin with a letter or `_`, and hold letters,
/// digits, `_` and single spaces within.
#[must_use]
pub fn is_fact_name(name: &str) -> bool {
    let character = |c: char| c.is_alphanumeric() || c == '_' || c == ' ';
    name.len() <= MAX_FACT_NAME
        && name.split('.').all(|part| {
            part.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && part.chars().all(character)
                && !part.ends_with(' ')
                && !part.contains("  ")
        })
}

/// What is known of a transaction: values by fact name, such as `order.total`.
///
/// An absent name is unknown; [`Value::Null`] is known to be null.
#[derive(Clone)]
pub struct Facts(Store);

/// A few facts lie side by side, names included: looking one up costs a glance or two at
/// memory that is fetched as a whole. Many are kept in a tree.
#[derive(Clone)]
enum Store {
    Few(Vec<(CompactString, Value)>),
    Many(BTreeMap<CompactString, Value>),
}

/// Most facts that are kept side by side.
const FEW: usize = 32;
/// Up to so many, looking at one after the other beats halving.
const SCANNED: usize = 12;

impl Facts {
    /// Nothing known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a fact, if known.
    #[must_use]
    #[inline]
    pub fn get(&self, name: &str) -> Option<&Value> {
        match &self.0 {
            Store::Few(facts) if facts.len() <= SCANNED => {
                let named = |fact: &&(CompactString, Value)| fact.0.as_str() == name;
                facts.iter().find(named).map(|(_, value)| value)
            }
            Store::Few(facts) => place(facts, name).ok().map(|at| &facts[at].1),
            Store::Many(facts) => facts.get(name),
        }
    }

    /// Adds or replaces a fact; the former value, if there was one.
    pub fn insert(&mut self, name: impl AsRef<str>, value: impl Into<Value>) -> Option<Value> {
        self.put(CompactString::new(name), value.into())
    }

    fn put(&mut self, name: CompactString, value: Value) -> Option<Value> {
        match &mut self.0 {
            Store::Few(facts) => match place(facts, &name) {
                Ok(at) => return Some(std::mem::replace(&mut facts[at].1, value)),
                Err(at) => facts.insert(at, (name, value)),
            },
            Store::Many(facts) => return facts.insert(name, value),
        }
        if let Store::Few(facts) = &mut self.0
            && facts.len() > FEW
        {
            self.0 = Store::Many(facts.drain(..).collect());
        }
        None
    }

    /// Makes a fact unknown; its value, if it had one.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        match &mut self.0 {
            Store::Few(facts) => place(facts, name).ok().map(|at| facts.remove(at).1),
            Store::Many(facts) => facts.remove(name),
        }
    }

    /// All that is known, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        let (few, many) = match &self.0 {
            Store::Few(facts) => (Some(facts.iter().map(|(name, value)| (name, value))), None),
            Store::Many(facts) => (None, Some(facts.iter())),
        };
        let all = few.into_iter().flatten().chain(many.into_iter().flatten());
        all.map(|(name, value)| (name.as_str(), value))
    }

    /// Number of known facts.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Store::Few(facts) => facts.len(),
            Store::Many(facts) => facts.len(),
        }
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Facts from nested objects by path: `{"order": {"total": 5}}` is `order.total`. A name
    /// that two paths come to, as `{"a": {"b": 1}, "a.b": 2}`, is unknown: neither value is
    /// the one that was meant.
    #[must_use]
    pub fn flatten(value: Value) -> Self {
        let mut facts = Self::new();
        let mut twice = Vec::new();
        if let Value::Context(entries) = value {
            for (name, entry) in entries {
                facts.add_flat(name, entry, &mut twice);
            }
        }
        for name in twice {
            facts.remove(&name);
        }
        facts
    }

    fn add_flat(&mut self, name: String, value: Value, twice: &mut Vec<String>) {
        match value {
            Value::Context(entries) => {
                for (key, entry) in entries {
                    self.add_flat(format!("{name}.{key}"), entry, twice);
                }
            }
            scalar => {
                if self.put(CompactString::from(&name), scalar).is_some() {
                    twice.push(name);
                }
            }
        }
    }
}

/// Where a name stands, or would stand.
fn place(facts: &[(CompactString, Value)], name: &str) -> Result<usize, usize> {
    // Facts that come in order are the rule.
    match facts.last() {
        Some((last, _)) if last.as_str() < name => Err(facts.len()),
        _ => facts.binary_search_by(|(other, _)| other.as_str().cmp(name)),
    }
}

impl Default for Facts {
    fn default() -> Self {
        Self(Store::Few(Vec::new()))
    }
}

impl PartialEq for Facts {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Facts {}

impl std::fmt::Debug for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<N: AsRef<str>, V: Into<Value>> FromIterator<(N, V)> for Facts {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(facts: I) -> Self {
        let mut all = Self::new();
        for (name, value) in facts {
            all.insert(name, value);
        }
        all
    }
}

impl IntoIterator for Facts {
    type Item = (String, Value);
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter(match self.0 {
            Store::Few(facts) => Rest::Few(facts.into_iter()),
            Store::Many(facts) => Rest::Many(facts.into_iter()),
        })
    }
}

/// The facts of a transaction, by name.
#[derive(Debug)]
pub struct IntoIter(Rest);

#[derive(Debug)]
enum Rest {
    Few(std::vec::IntoIter<(CompactString, Value)>),
    Many(std::collections::btree_map::IntoIter<CompactString, Value>),
}

impl Iterator for IntoIter {
    type Item = (String, Value);

    fn next(&mut self) -> Option<(String, Value)> {
        let (name, value) = match &mut self.0 {
            Rest::Few(facts) => facts.next()?,
            Rest::Many(facts) => facts.next()?,
        };
        Some((name.into_string(), value))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_what_a_cell_can_write() {
        for good in ["a", "order.total", "_x.y1", "ship to.country", "größe"] {
            assert!(is_fact_name(good), "{good:?}");
        }
        let long = "a".repeat(MAX_FACT_NAME + 1);
        for bad in [
            "", ".", "a.", ".a", "a..b", "1a", "a.1", "a-b", "@id", " a", "a ", "a  b", "a\u{7}",
            &long,
        ] {
            assert!(!is_fact_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn nested_objects_become_paths() {
        let flat = |text: &str| Facts::flatten(crate::json::parse(text).unwrap());
        let facts = flat(r#"{"order": {"total": 5, "lines": [1, 2]}, "x": null}"#);
        let names: Vec<_> = facts.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["order.lines", "order.total", "x"]);
        assert_eq!(facts.get("x"), Some(&Value::Null));
        assert_eq!(flat(r#"{"a": {"b": 1}, "a.b": 2, "c": 3}"#).len(), 1);
        assert!(flat("[1]").is_empty());
    }

    proptest! {
        #[test]
        fn facts_are_a_map_by_name(steps in prop::collection::vec((0..60_u32, any::<bool>(), any::<i32>()), 0..150)) {
            let mut facts = Facts::new();
            let mut twin = BTreeMap::new();
            for (name, keep, value) in steps {
                let (name, value) = (format!("fact.{name}"), Value::Number(value.into()));
                if keep {
                    prop_assert_eq!(facts.insert(name.clone(), value.clone()), twin.insert(name.clone(), value));
                } else {
                    prop_assert_eq!(facts.remove(&name), twin.remove(&name));
                }
                prop_assert_eq!(facts.get(&name), twin.get(&name));
                prop_assert_eq!(facts.len(), twin.len());
            }
            let names: Vec<_> = facts.iter().map(|(name, _)| name.to_owned()).collect();
            prop_assert_eq!(names, twin.keys().cloned().collect::<Vec<_>>());
            let mut backwards: Vec<_> = facts.clone().into_iter().collect();
            backwards.reverse();
            let again: Facts = backwards.into_iter().collect();
            prop_assert_eq!(again, facts);
        }
    }
}
