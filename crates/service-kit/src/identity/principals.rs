//! What the operator's settings say of subjects: kind, grants, what they may assert,
//! and who owns a model.

use std::{collections::HashMap, path::Path};

use serde::Deserialize;

use super::{Asserts, Grant, GrantScope, PrincipalKind};

/// Largest principals file.
const MAX_FILE: usize = 4 * 1024 * 1024;

/// Longest subject in bytes.
pub const MAX_SUBJECT: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    principals: HashMap<String, Item>,
}

/// What is known of a subject.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Item {
    /// Issuer of the subject, where the file speaks of several.
    #[serde(default)]
    issuer: Option<String>,
    /// Kind; overrides the token's.
    #[serde(default)]
    pub kind: Option<PrincipalKind>,
    /// Grants; where given, they replace the token's.
    #[serde(default)]
    pub grants: Option<Vec<Grant>>,
    /// What it may assert beyond its kind's own.
    #[serde(default)]
    pub asserts: Vec<Asserts>,
    /// Owner of a model.
    #[serde(default)]
    pub owner: Option<String>,
}

/// The subjects of the file, by issuer and subject.
#[derive(Debug, Default)]
pub(super) struct Principals(HashMap<String, HashMap<String, Item>>);

impl Principals {
    /// Reads a file of the form of `examples/distributor/principals.yaml`.
    pub(super) fn read(path: &Path, default_issuer: &str) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        Self::parse(&text, default_issuer).map_err(|e| format!("{}: {e}", path.display()))
    }

    pub(super) fn parse(text: &str, default_issuer: &str) -> Result<Self, String> {
        if text.len() > MAX_FILE {
            return Err(format!(
                "{} bytes, at most {MAX_FILE} are allowed",
                text.len()
            ));
        }
        let file: File = serde_saphyr::from_str(text).map_err(|e| e.to_string())?;
        let mut known: HashMap<String, HashMap<String, Item>> = HashMap::new();
        for (subject, item) in file.principals {
            item.check(&subject)
                .map_err(|e| format!("principals.{subject}: {e}"))?;
            let issuer = item
                .issuer
                .clone()
                .unwrap_or_else(|| default_issuer.to_owned());
            known.entry(issuer).or_default().insert(subject, item);
        }
        Ok(Self(known))
    }

    pub(super) fn get(&self, issuer: &str, subject: &str) -> Option<&Item> {
        self.0.get(issuer)?.get(subject)
    }
}

impl Item {
    fn check(&self, subject: &str) -> Result<(), String> {
        if subject.is_empty() || subject.len() > MAX_SUBJECT {
            return Err(format!("a subject has 1 to {MAX_SUBJECT} bytes"));
        }
        let everywhere = |grant: &&Grant| grant.at == GrantScope::All;
        if let Some(grant) = self.grants.iter().flatten().find(everywhere)
            && self.kind != Some(PrincipalKind::Service)
        {
            return Err(format!(
                "grant {grant} holds everywhere, which only a service may have"
            ));
        }
        if self.kind == Some(PrincipalKind::Model) && !self.asserts.is_empty() {
            return Err("a model asserts what a model says, and nothing beyond".into());
        }
        if self.kind.is_none() && !self.asserts.is_empty() {
            return Err(
                "asserts needs a kind: a token must not choose whose word its facts are".into(),
            );
        }
        if self.owner.is_some() && self.kind != Some(PrincipalKind::Model) {
            return Err("owner is for models, and this is none".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests"
    )]
    use super::{super::Provenance, *};

    #[test]
    fn the_example_is_read() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../examples/distributor/principals.yaml");
        let known = Principals::read(&path, "iss").unwrap();
        let adapter = known.get("iss", "erp-adapter").unwrap();
        assert_eq!(adapter.kind, Some(PrincipalKind::Service));
        assert_eq!(adapter.asserts, [Provenance::Erp.into()]);
        let agent = known.get("iss", "order-agent.medical").unwrap();
        assert_eq!(agent.owner.as_deref(), Some("model-owner.medical"));
        assert!(known.get("other", "erp-adapter").is_none());
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_place() {
        for (bad, why) in [
            ("principals: {a: {kind: robot}}", "robot"),
            ("principals: {a: {grants: [x]}}", "role@scope"),
            (
                "principals: {a: {kind: person, grants: [auditor@*]}}",
                "everywhere",
            ),
            ("principals: {a: {kind: model, asserts: [ERP]}}", "model"),
            ("principals: {a: {asserts: [ERP]}}", "needs a kind"),
            (
                "principals: {a: {kind: service, asserts: [{provenance: ERP, facts: [x*]}]}}",
                "dotted name",
            ),
            ("principals: {a: {kind: person, owner: b}}", "owner"),
            ("principals: {a: {kind: person, colour: red}}", "colour"),
            (
                "principals: {a: {kind: person}, a: {kind: person}}",
                "duplicate",
            ),
            ("people: {}", "people"),
        ] {
            let error = Principals::parse(bad, "iss").unwrap_err();
            assert!(error.to_lowercase().contains(why), "{bad}: {error}");
        }
    }
}
