//! Business documents and what is known of them.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use decision::Value;
use governance::{Provenance, Scope};

/// Most bytes of a document's id.
pub const MAX_ID: usize = 128;

/// Which document: its kind and its id at its source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Kind, such as `order`.
    pub kind: String,
    /// Id at its source, such as `SO-4711`.
    pub id: String,
}

impl Key {
    /// Reads `documents/{kind}/{id}`; `None` for anything else.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let (kind, id) = name.strip_prefix("documents/")?.split_once('/')?;
        (is_kind(kind) && is_id(id)).then(|| Self {
            kind: kind.to_owned(),
            id: id.to_owned(),
        })
    }

    /// `documents/{kind}/{id}`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("documents/{self}")
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

/// Whether a text can name a kind of document: lower-case letters, digits and `_`.
#[must_use]
pub fn is_kind(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Whether a text can be a document's id: printable, without `/`.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len())
        && !text.contains('/')
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// A fact with where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// Dotted name.
    pub name: String,
    /// The value, typed as its event type declares.
    pub value: Value,
    /// Where it came from.
    pub provenance: Provenance,
    /// Subject that asserted it.
    pub asserted_by: String,
    /// When it was true at its source.
    pub observed: DateTime<Utc>,
}

/// A document with what events have said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Which.
    pub key: Key,
    /// The unit it belongs to.
    pub scope: Scope,
    /// The business transaction.
    pub correlation_id: String,
    /// The newest observation of each fact and provenance, by name.
    pub facts: Vec<Fact>,
    /// When anything about it last changed.
    pub updated: DateTime<Utc>,
    /// Ids of exceptions that are open on it, oldest first.
    pub open_exceptions: Vec<String>,
}

/// One fact a name: that of the strongest provenance. What the ERP says isn't outvoted
/// by what somebody else says of the same thing, however new.
#[must_use]
pub fn strongest(facts: &[Fact]) -> BTreeMap<&str, &Fact> {
    let mut chosen = BTreeMap::<&str, &Fact>::new();
    for fact in facts {
        let better = chosen
            .get(fact.name.as_str())
            .is_none_or(|held| rank(fact.provenance) < rank(held.provenance));
        if better {
            chosen.insert(&fact.name, fact);
        }
    }
    chosen
}

fn rank(provenance: Provenance) -> u8 {
    match provenance {
        Provenance::Erp => 0,
        Provenance::Integration => 1,
        Provenance::Person => 2,
        Provenance::Model => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_strictly() {
        let key = Key::from_name("documents/order/SO-4711");
        assert_eq!(
            key.map(|key| key.name()).as_deref(),
            Some("documents/order/SO-4711")
        );
        for bad in [
            "",
            "documents/",
            "documents/order",
            "documents/order/",
            "documents/Order/1",
            "documents/order/1/2",
            "documents/order/a b",
            "documents/order/a\u{0}",
            "orders/1",
        ] {
            assert_eq!(Key::from_name(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_strongest_provenance_speaks() {
        let fact = |provenance, value, seconds| Fact {
            name: "item.regulated".to_owned(),
            value: Value::Boolean(value),
            provenance,
            asserted_by: "somebody".to_owned(),
            observed: DateTime::from_timestamp(seconds, 0).unwrap_or_default(),
        };
        let facts = [
            fact(Provenance::Model, false, 9),
            fact(Provenance::Erp, true, 1),
            fact(Provenance::Integration, false, 5),
        ];
        let chosen = strongest(&facts);
        assert_eq!(chosen.len(), 1);
        assert_eq!(chosen["item.regulated"].provenance, Provenance::Erp);
    }
}
