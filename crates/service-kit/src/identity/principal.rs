//! Principals, their grants, and the scopes that follow from them.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use contracts::types;
use governance::{Provenance, Scope};
use serde::{Deserialize, Serialize};

use super::{Asserts, claims::INTERNAL_PREFIX};
use crate::error::DOMAIN;

/// What kind of principal somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrincipalKind {
    /// A human being.
    Person,
    /// A program that acts by fixed rules.
    Service,
    /// An AI model or agent.
    Model,
}

/// Where a grant holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantScope {
    /// Everywhere, written `*`; only for principals of kind service.
    All,
    /// At a scope and below it.
    Under(Scope),
}

/// A role at a scope, written `role@scope`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// Role name, such as `credit-manager`.
    pub role: String,
    /// Where it holds.
    pub at: GrantScope,
}

/// A verified subject with what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// `iss` of the token.
    pub issuer: String,
    /// `sub` of the token.
    pub subject: String,
    /// Kind.
    pub kind: PrincipalKind,
    /// Roles at scopes.
    pub grants: Vec<Grant>,
    /// `jti` of the token, where it has one.
    pub token_id: Option<String>,
    /// When the token expires.
    pub expires: DateTime<Utc>,
    /// What it may assert beyond its kind's own, and of which facts; from settings only.
    pub asserts: Vec<Asserts>,
    /// For a model, the subject that owns it; from settings only.
    pub owner: Option<String>,
}

impl Principal {
    /// The service of this name itself, such as `policy`, for what it does without being
    /// asked. It holds no grants: it goes into records, not through guards.
    #[must_use]
    pub fn own(service: &str) -> Self {
        Self {
            issuer: DOMAIN.to_owned(),
            subject: format!("{INTERNAL_PREFIX}{service}"),
            kind: PrincipalKind::Service,
            grants: Vec::new(),
            token_id: None,
            expires: DateTime::<Utc>::MAX_UTC,
            asserts: Vec::new(),
            owner: None,
        }
    }

    /// The strongest provenance that whatever this principal asserts has; what it may
    /// assert of some facts only doesn't count. What a model says is a model's word,
    /// whatever settings say of its subject.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        self.strongest(Asserts::is_unlimited)
    }

    /// The strongest provenance that this fact has, asserted by this principal.
    #[must_use]
    pub fn provenance_of(&self, fact: &str) -> Provenance {
        self.strongest(|asserts| asserts.covers(fact))
    }

    fn strongest(&self, holds: impl Fn(&Asserts) -> bool) -> Provenance {
        let own = match self.kind {
            PrincipalKind::Service => Provenance::Integration,
            PrincipalKind::Person => Provenance::Person,
            PrincipalKind::Model => return Provenance::Model,
        };
        let held = self.asserts.iter().filter(|asserts| holds(asserts));
        held.map(Asserts::provenance).fold(own, Provenance::min)
    }

    /// Whether it holds the role at this scope or above it.
    #[must_use]
    pub fn holds(&self, role: &str, at: &Scope) -> bool {
        self.grants
            .iter()
            .any(|grant| grant.role == role && grant.at.covers(at))
    }

    /// Whether both are the same subject of the same issuer.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.issuer == other.issuer && self.subject == other.subject
    }

    /// As the contracts have it, without `via`.
    #[must_use]
    pub fn to_proto(&self) -> types::Principal {
        types::Principal {
            issuer: self.issuer.clone(),
            subject: self.subject.clone(),
            kind: self.kind.to_proto().into(),
            grants: self.grants.iter().map(Grant::to_proto).collect(),
            via: String::new(),
        }
    }
}

impl PrincipalKind {
    /// As the contracts have it.
    #[must_use]
    pub fn to_proto(self) -> types::PrincipalKind {
        match self {
            Self::Person => types::PrincipalKind::Person,
            Self::Service => types::PrincipalKind::Service,
            Self::Model => types::PrincipalKind::Model,
        }
    }

    /// `person`, `service` or `model`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Service => "service",
            Self::Model => "model",
        }
    }
}

impl FromStr for PrincipalKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "person" => Ok(Self::Person),
            "service" => Ok(Self::Service),
            "model" => Ok(Self::Model),
            _ => Err(format!(
                "kind {text:?} is none of `person`, `service`, `model`"
            )),
        }
    }
}

impl GrantScope {
    /// Whether the grant holds at `scope`.
    #[must_use]
    pub fn covers(&self, scope: &Scope) -> bool {
        match self {
            Self::All => true,
            Self::Under(at) => at.contains(scope),
        }
    }
}

impl Grant {
    /// Longest role name in bytes.
    pub const MAX_ROLE: usize = 64;

    /// A grant from its parts.
    #[must_use]
    pub fn new(role: impl Into<String>, at: GrantScope) -> Self {
        Self {
            role: role.into(),
            at,
        }
    }

    /// As the contracts have it; everywhere is `*`.
    #[must_use]
    pub fn to_proto(&self) -> types::Grant {
        types::Grant {
            role: self.role.clone(),
            scope: self.at.to_string(),
        }
    }
}

/// Whether a text may name a role: lower-case letters, digits and inner hyphens.
pub(crate) fn is_role(text: &str) -> bool {
    let inner = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    (1..=Grant::MAX_ROLE).contains(&bytes.len())
        && bytes.iter().all(|b| inner(b) || *b == b'-')
        && bytes.first().is_some_and(inner)
        && bytes.last().is_some_and(inner)
}

impl FromStr for Grant {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (role, at) = text
            .split_once('@')
            .ok_or_else(|| format!("grant {text:?} is not of the form `role@scope`"))?;
        if !is_role(role) {
            return Err(format!(
                "role {role:?} is not lower-case letters, digits and inner hyphens, \
                 1 to {} characters",
                Self::MAX_ROLE
            ));
        }
        let at = at.parse().map_err(|e| format!("grant {text:?}: {e}"))?;
        Ok(Self::new(role, at))
    }
}

impl FromStr for GrantScope {
    type Err = governance::scope::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "*" => Ok(Self::All),
            path => Scope::parse(path).map(Self::Under),
        }
    }
}

impl fmt::Display for GrantScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Under(scope) => scope.fmt(f),
        }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.role, self.at)
    }
}

impl Serialize for Grant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Grant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// The scopes at which somebody holds a permission: what every finder takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scopes {
    /// Everywhere.
    All,
    /// At these scopes and below them; none contains another. Empty: nowhere.
    Under(Vec<Scope>),
}

impl Scopes {
    /// From where grants hold.
    pub fn of<'a>(grants: impl IntoIterator<Item = &'a GrantScope>) -> Self {
        let mut tops: Vec<Scope> = Vec::new();
        for at in grants {
            match at {
                GrantScope::All => return Self::All,
                GrantScope::Under(scope) => push_top(&mut tops, scope),
            }
        }
        tops.sort();
        Self::Under(tops)
    }

    /// Whether `scope` is at or below one of them.
    #[must_use]
    pub fn contains(&self, scope: &Scope) -> bool {
        match self {
            Self::All => true,
            Self::Under(tops) => tops.iter().any(|top| top.contains(scope)),
        }
    }

    /// The topmost scopes; `None` is everywhere.
    #[must_use]
    pub fn prefixes(&self) -> Option<&[Scope]> {
        match self {
            Self::All => None,
            Self::Under(tops) => Some(tops),
        }
    }

    /// Whether there is no scope at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Under(tops) if tops.is_empty())
    }

    /// What is in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let (Self::Under(ours), Self::Under(theirs)) = (self, other) else {
            return match self {
                Self::All => other.clone(),
                Self::Under(_) => self.clone(),
            };
        };
        let mut tops = Vec::new();
        for a in ours {
            for b in theirs {
                if a.contains(b) {
                    push_top(&mut tops, b);
                } else if b.contains(a) {
                    push_top(&mut tops, a);
                }
            }
        }
        tops.sort();
        Self::Under(tops)
    }

    /// What of this is at or below `scope`.
    #[must_use]
    pub fn within(&self, scope: &Scope) -> Self {
        self.intersect(&Self::Under(vec![scope.clone()]))
    }
}

fn push_top(tops: &mut Vec<Scope>, scope: &Scope) {
    if tops.iter().any(|top| top.contains(scope)) {
        return;
    }
    tops.retain(|top| !scope.contains(top));
    tops.push(scope.clone());
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests"
    )]
    use super::*;

    fn at(text: &str) -> GrantScope {
        text.parse().unwrap()
    }

    fn scopes(texts: &[&str]) -> Scopes {
        let at: Vec<_> = texts.iter().map(|t| at(t)).collect();
        Scopes::of(&at)
    }

    #[test]
    fn grants_are_read_and_written() {
        for good in ["credit-manager@acme/europe/medical", "bylaw-policy@*"] {
            assert_eq!(good.parse::<Grant>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "@",
            "role",
            "role@",
            "@acme",
            "Role@acme",
            "role@acme/",
            "a b@acme",
            "role@acme@x",
            "-r@acme",
        ] {
            assert!(bad.parse::<Grant>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn scopes_keep_only_the_topmost() {
        let found = scopes(&["acme/europe/medical", "acme/europe", "acme/asia"]);
        let want = ["acme/asia", "acme/europe"].map(|s| Scope::parse(s).unwrap());
        assert_eq!(found.prefixes(), Some(&want[..]));
        assert_eq!(scopes(&["acme", "*"]), Scopes::All);
        assert!(scopes(&[]).is_empty());
    }

    #[test]
    fn an_intersection_is_in_both() {
        let a = scopes(&["acme/europe", "acme/asia/jp"]);
        let b = scopes(&["acme/europe/medical", "acme/asia"]);
        assert_eq!(
            a.intersect(&b),
            scopes(&["acme/europe/medical", "acme/asia/jp"])
        );
        assert_eq!(a.intersect(&Scopes::All), a);
        assert_eq!(Scopes::All.intersect(&a), a);
        assert!(a.intersect(&scopes(&["other"])).is_empty());
        assert_eq!(
            Scopes::All.within(&Scope::parse("acme").unwrap()),
            scopes(&["acme"])
        );
    }

    #[test]
    fn a_principal_asserts_the_strongest_it_may() {
        let mut principal = Principal {
            issuer: "i".into(),
            subject: "s".into(),
            kind: PrincipalKind::Service,
            grants: Vec::new(),
            token_id: None,
            expires: DateTime::UNIX_EPOCH,
            asserts: Vec::new(),
            owner: None,
        };
        assert_eq!(principal.provenance(), Provenance::Integration);
        principal.asserts = vec![Provenance::Person.into(), Provenance::Erp.into()];
        assert_eq!(principal.provenance(), Provenance::Erp);
        assert_eq!(principal.provenance_of("order.total"), Provenance::Erp);
        let orders = Asserts::of(Provenance::Erp, vec!["order.*".into()]).unwrap();
        principal.asserts = vec![orders];
        assert_eq!(principal.provenance(), Provenance::Integration);
        assert_eq!(principal.provenance_of("order.total"), Provenance::Erp);
        assert_eq!(
            principal.provenance_of("customer.credit"),
            Provenance::Integration
        );
        principal.kind = PrincipalKind::Model;
        assert_eq!(principal.provenance_of("order.total"), Provenance::Model);
    }
}
