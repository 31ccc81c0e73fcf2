//! Somebody who is named: a subject of an issuer, the same of another issuer being somebody
//! else; or where the issuer isn't known, a subject of any.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
    ser::SerializeStruct as _,
};

/// A subject of an issuer, or of any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Somebody {
    /// `iss`; `None` where it isn't known.
    pub issuer: Option<String>,
    /// `sub`.
    pub subject: String,
}

impl Somebody {
    /// A subject of an issuer; where that is empty, of any.
    #[must_use]
    pub fn of(issuer: &str, subject: &str) -> Self {
        Self {
            issuer: Some(issuer.to_owned()).filter(|issuer| !issuer.is_empty()),
            subject: subject.to_owned(),
        }
    }

    /// Whether it is this subject of this issuer for certain: what is asked where somebody
    /// is let in.
    #[must_use]
    pub fn is(&self, issuer: &str, subject: &str) -> bool {
        self.subject == subject && self.issuer.as_deref() == Some(issuer)
    }

    /// Whether it may be this subject of this issuer: what is asked where somebody is kept
    /// out.
    #[must_use]
    pub fn may_be(&self, issuer: &str, subject: &str) -> bool {
        self.subject == subject && self.issuer.as_deref().is_none_or(|known| known == issuer)
    }

    /// Whether both may be the same.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        match &other.issuer {
            Some(issuer) => self.may_be(issuer, &other.subject),
            None => self.subject == other.subject,
        }
    }
}

impl fmt::Display for Somebody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.issuer {
            Some(issuer) => write!(f, "{} of {issuer}", self.subject),
            None => f.write_str(&self.subject),
        }
    }
}

/// The subject alone where the issuer isn't known.
impl Serialize for Somebody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(issuer) = &self.issuer else {
            return serializer.serialize_str(&self.subject);
        };
        let mut whole = serializer.serialize_struct("Somebody", 2)?;
        whole.serialize_field("issuer", issuer)?;
        whole.serialize_field("subject", &self.subject)?;
        whole.end()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    issuer: Option<String>,
    subject: String,
}

/// `{issuer: …, subject: …}`, or the subject alone.
impl<'de> Deserialize<'de> for Somebody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Form)
    }
}

struct Form;

impl<'de> Visitor<'de> for Form {
    type Value = Somebody;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a subject, or {issuer: …, subject: …}")
    }

    fn visit_str<E: de::Error>(self, subject: &str) -> Result<Somebody, E> {
        Ok(Somebody {
            issuer: None,
            subject: subject.to_owned(),
        })
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Somebody, M::Error> {
        let Whole { issuer, subject } = Whole::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Somebody { issuer, subject })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_subject_without_issuer_is_kept_out_everywhere_and_let_in_nowhere() {
        let known = Somebody::of("https://a", "ann");
        let unknown: Somebody = serde_json::from_str("\"ann\"").unwrap();
        for (who, issuer, is, may_be) in [
            (&known, "https://a", true, true),
            (&known, "https://b", false, false),
            (&unknown, "https://a", false, true),
            (&unknown, "https://b", false, true),
        ] {
            assert_eq!(
                (who.is(issuer, "ann"), who.may_be(issuer, "ann")),
                (is, may_be)
            );
            assert!(!who.is(issuer, "bob") && !who.may_be(issuer, "bob"));
        }
    }

    #[test]
    fn both_forms_survive() {
        for subject in [
            Somebody::of("i", "s"),
            Somebody {
                issuer: None,
                subject: "s".into(),
            },
        ] {
            let text = serde_json::to_string(&subject).unwrap();
            assert_eq!(text.starts_with('{'), subject.issuer.is_some(), "{text}");
            assert_eq!(serde_json::from_str::<Somebody>(&text).unwrap(), subject);
        }
    }
}
