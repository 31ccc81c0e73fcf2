//! What the operator's settings say of subjects: kind, grants, what they may assert,
//! and who owns a model.

use std::{collections::HashMap, path::Path};

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::bootstrap::Problem;

use super::{Asserts, Grant, GrantScope, PrincipalKind};

/// Largest principals file.
const MAX_FILE: usize = 4 * 1024 * 1024;

/// Longest subject in bytes.
pub const MAX_SUBJECT: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    principals: HashMap<String, Spanned<Item>>,
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
    ///
    /// # Errors
    /// With all that is wrong, a line each.
    pub(super) fn read(path: &Path, default_issuer: &str) -> Result<Self, String> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|e| format!("{shown}: {e}"))?;
        Self::parse(&shown, &text, default_issuer).map_err(|problems| {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            lines.join("\n")
        })
    }

    pub(super) fn parse(
        path: &str,
        text: &str,
        default_issuer: &str,
    ) -> Result<Self, Vec<Problem>> {
        if text.len() > MAX_FILE {
            let found = format!("{} bytes, at most {MAX_FILE} are allowed", text.len());
            return Err(vec![Problem::of_file(path, found)]);
        }
        let file: File =
            serde_saphyr::from_str(text).map_err(|e| vec![Problem::of_yaml(path, 0, &e)])?;
        let mut known: HashMap<String, HashMap<String, Item>> = HashMap::new();
        let mut problems = Vec::new();
        for (subject, spanned) in file.principals {
            let item = spanned.value;
            if let Err(what) = item.check(&subject) {
                let place = |number: u64| usize::try_from(number).unwrap_or(1);
                problems.push(Problem {
                    path: path.to_owned(),
                    line: place(spanned.referenced.line()),
                    column: place(spanned.referenced.column()),
                    message: format!("principals.{subject}: {what}"),
                });
            }
            let issuer = item
                .issuer
                .clone()
                .unwrap_or_else(|| default_issuer.to_owned());
            known.entry(issuer).or_default().insert(subject, item);
        }
        problems.sort();
        if problems.is_empty() {
            Ok(Self(known))
        } else {
            Err(problems)
        }
    }

    pub(super) fn get(&self, issuer: &str, subject: &str) -> Option<&Item> {
        self.0.get(issuer)?.get(subject)
    }
}

/// What is wrong with a principals file, wherever in it.
pub(crate) fn check_principals(path: &str, text: &str) -> Vec<Problem> {
    Principals::parse(path, text, "").err().unwrap_or_default()
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
            let found = Principals::parse("p.yaml", bad, "iss").unwrap_err();
            let error = found[0].to_string();
            assert!(error.to_lowercase().contains(why), "{bad}: {error}");
            assert!(error.starts_with("p.yaml:1:"), "{error}");
        }
        let two = "principals:\n  b: {kind: person}\n  a:\n    {asserts: [ERP]}\n  c: {owner: x}\n";
        let found = Principals::parse("p.yaml", two, "iss").unwrap_err();
        let places: Vec<_> = found.iter().map(|p| (p.line, p.column)).collect();
        assert_eq!(places, [(4, 5), (5, 6)]);
    }
}
