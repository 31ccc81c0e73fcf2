//! What somebody may assert beyond its kind's own, and of which facts.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::Provenance;

/// Most patterns of one item.
const MAX_FACTS: usize = 256;

/// A provenance that somebody may assert: of every fact, written `ERP`, or of some,
/// written `{provenance: ERP, facts: [order.*, customer.credit]}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asserts {
    provenance: Provenance,
    /// `None`: every fact.
    facts: Option<Vec<String>>,
}

impl From<Provenance> for Asserts {
    fn from(provenance: Provenance) -> Self {
        Self {
            provenance,
            facts: None,
        }
    }
}

impl Asserts {
    /// A provenance of some facts: names, or all below a name, such as `order.*`.
    ///
    /// # Errors
    /// If there is none, there are too many, or one is malformed.
    pub fn of(provenance: Provenance, facts: Vec<String>) -> Result<Self, String> {
        if !(1..=MAX_FACTS).contains(&facts.len()) {
            return Err(format!(
                "facts has {} names, expected 1 to {MAX_FACTS}",
                facts.len()
            ));
        }
        match facts.iter().find(|fact| !is_pattern(fact)) {
            Some(bad) => Err(format!(
                "fact {bad:?} is neither a dotted name such as `order.total` nor all below one \
                 such as `order.*`"
            )),
            None => Ok(Self {
                provenance,
                facts: Some(facts),
            }),
        }
    }

    /// The provenance.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        self.provenance
    }

    /// Whether it holds for every fact.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.facts.is_none()
    }

    /// Whether it holds for the fact of this name.
    #[must_use]
    pub fn covers(&self, fact: &str) -> bool {
        let Some(facts) = &self.facts else {
            return true;
        };
        facts
            .iter()
            .any(|pattern| match pattern.strip_suffix(".*") {
                Some(above) => fact
                    .strip_prefix(above)
                    .and_then(|rest| rest.strip_prefix('.'))
                    .is_some_and(|below| !below.is_empty()),
                None => pattern == fact,
            })
    }
}

fn is_pattern(text: &str) -> bool {
    decision::is_fact_name(text.strip_suffix(".*").unwrap_or(text))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limited {
    provenance: Provenance,
    facts: Vec<String>,
}

impl Serialize for Asserts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.facts {
            None => self.provenance.serialize(serializer),
            Some(facts) => Limited {
                provenance: self.provenance,
                facts: facts.clone(),
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Asserts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Form)
    }
}

/// Reads both forms.
struct Form;

impl<'de> Visitor<'de> for Form {
    type Value = Asserts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a provenance such as ERP, or {provenance: ERP, facts: [order.*]}")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Asserts, E> {
        Provenance::deserialize(de::value::StrDeserializer::new(text)).map(Asserts::from)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Asserts, A::Error> {
        let limited = Limited::deserialize(MapAccessDeserializer::new(map))?;
        Asserts::of(limited.provenance, limited.facts).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn read(text: &str) -> Result<Asserts, String> {
        serde_saphyr::from_str(text).map_err(|e| e.to_string())
    }

    #[test]
    fn both_forms_are_read_and_written() {
        let plain = read("ERP").unwrap();
        assert_eq!(plain, Asserts::from(Provenance::Erp));
        assert!(plain.is_unlimited() && plain.covers("anything"));
        let some = read("{provenance: ERP, facts: [order.*, customer.credit]}").unwrap();
        assert!(!some.is_unlimited());
        for (fact, covered) in [
            ("order.total", true),
            ("order.line.quantity", true),
            ("order", false),
            ("order.", false),
            ("orders.total", false),
            ("customer.credit", true),
            ("customer.credit.limit", false),
            ("customer", false),
        ] {
            assert_eq!(some.covers(fact), covered, "{fact}");
        }
        for asserts in [plain, some] {
            let text = serde_json::to_string(&asserts).unwrap();
            assert_eq!(serde_json::from_str::<Asserts>(&text).unwrap(), asserts);
        }
    }

    #[test]
    fn a_limit_that_limits_nothing_is_refused() {
        for (bad, why) in [
            ("TRUTH", "TRUTH"),
            ("5", "provenance"),
            ("{provenance: ERP}", "facts"),
            ("{provenance: ERP, facts: []}", "0 names"),
            ("{provenance: ERP, facts: ['*']}", "dotted name"),
            ("{provenance: ERP, facts: ['.*']}", "dotted name"),
            ("{provenance: ERP, facts: ['order.*.total']}", "dotted name"),
            ("{provenance: ERP, facts: ['order*']}", "dotted name"),
            ("{provenance: ERP, facts: ['']}", "dotted name"),
            (
                "{provenance: ERP, facts: [order], scopes: [acme]}",
                "scopes",
            ),
        ] {
            let error = read(bad).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }
}
