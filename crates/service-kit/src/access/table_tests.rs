//! The shipped table, and what an operator's may not be.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeSet;

use governance::Scope;

use super::*;
use crate::identity::{Grant, Principal, PrincipalKind, Scopes};

fn principal(grants: &[&str]) -> Principal {
    Principal {
        issuer: "i".into(),
        subject: "s".into(),
        kind: PrincipalKind::Person,
        grants: grants.iter().map(|g| g.parse::<Grant>().unwrap()).collect(),
        token_id: None,
        expires: chrono::DateTime::UNIX_EPOCH,
        asserts: Vec::new(),
        owner: None,
    }
}

#[test]
fn every_permission_has_a_role() {
    let table = AccessTable::shipped().unwrap();
    let methods = Methods::of_contracts().unwrap();
    let orphans: Vec<_> = methods
        .permissions()
        .filter(|p| !table.roles().iter().any(|role| table.permits(role, p)))
        .collect();
    assert!(orphans.is_empty(), "no role may: {orphans:?}");
}

#[test]
fn the_shipped_table_covers_the_example() {
    let table = AccessTable::shipped().unwrap();
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/distributor/principals.yaml"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let used: BTreeSet<&str> = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || "-@./".contains(c)))
        .filter_map(|word| word.split_once('@').map(|(role, _)| role))
        .filter(|role| !role.is_empty())
        .collect();
    assert!(used.len() > 15, "{used:?}");
    let missing: Vec<_> = used
        .iter()
        .filter(|role| !table.roles().contains(*role))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn sensitive_permissions_stay_where_they_belong() {
    let table = AccessTable::shipped().unwrap();
    let holders = |permission: &str| -> Vec<String> {
        let roles = table.roles();
        let held = roles
            .into_iter()
            .filter(|role| table.permits(role, permission));
        held.map(str::to_owned).collect()
    };
    assert_eq!(
        holders("policy.action.authorize"),
        ["bylaw-aigate", "bylaw-exceptions"]
    );
    assert_eq!(holders(REPRESENT), ["bylaw-aigate", "bylaw-exceptions"]);
    assert_eq!(holders("exceptions.event.ingest"), ["event-source"]);
    assert_eq!(holders("aigate.recommendation.submit"), ["recommender"]);
    assert_eq!(holders("aigate.recommendation.review"), ["reviewer"]);
    assert_eq!(holders("audit.record.export"), ["auditor"]);
    assert!(
        holders("audit.record.append")
            .iter()
            .all(|role| role.starts_with("bylaw-"))
    );
}

#[test]
fn a_grant_holds_at_its_scope_and_below() {
    let table = AccessTable::shipped().unwrap();
    let manager = principal(&["credit-manager@acme/europe/medical"]);
    let at = |scope: &str| Scope::parse(scope).unwrap();
    let approve = "exceptions.action.approve";
    assert!(table.allows(&manager, approve, &at("acme/europe/medical")));
    assert!(table.allows(&manager, approve, &at("acme/europe/medical/basel")));
    assert!(!table.allows(&manager, approve, &at("acme/europe")));
    assert!(!table.allows(&manager, approve, &at("acme/europe/industrial")));
    assert!(!table.allows(&manager, approve, &at("acme/europe/medical-devices")));
    assert!(!table.allows(
        &manager,
        "policy.action.authorize",
        &at("acme/europe/medical")
    ));
    assert_eq!(
        table.scopes(&manager, approve),
        Scopes::Under(vec![at("acme/europe/medical")])
    );
    assert!(
        table
            .scopes(&principal(&["unheard-of@acme"]), approve)
            .is_empty()
    );
}

#[test]
fn conflicts_are_found_both_ways_and_at_any_scope() {
    let table = AccessTable::shipped().unwrap();
    for roles in [
        ["policy-editor@acme", "council@acme"],
        ["council@acme", "policy-editor@acme/europe"],
        [
            "reviewer@acme/europe/medical",
            "model-owner@acme/europe/industrial",
        ],
    ] {
        assert!(table.conflict(&principal(&roles)).is_some(), "{roles:?}");
    }
    assert!(
        table
            .conflict(&principal(&["operator@acme", "reviewer@acme"]))
            .is_none()
    );
    assert!(table.conflict(&principal(&["council@acme"])).is_none());
}

#[test]
fn a_wrong_table_is_refused_with_its_place() {
    let head = "kind: AccessTable\n";
    for (bad, why) in [
        ("kind: Other\nroles: {}", "other"),
        ("roles: {}", "kind"),
        (
            "roles: {a: {description: x, permissions: [policy.nothing.read]}}",
            "policy.nothing.read",
        ),
        (
            "roles: {a: {description: x, permissions: [policy.scope.read, policy.scope.read]}}",
            "twice",
        ),
        ("roles: {a: {description: x, sets: [none]}}", "none"),
        ("roles: {A: {description: x}}", "lower-case"),
        ("roles: {a: {description: x, colour: red}}", "colour"),
        (
            "roles: {a: {description: x}, a: {description: y}}",
            "duplicate",
        ),
        ("sets: {s: [x.y.z]}\nroles: {}", "x.y.z"),
        (
            "roles: {a: {description: x}}\nconflicts: [{roles: [a], with: [b], reason: r}]",
            "\"b\"",
        ),
        (
            "roles: {a: {description: x}}\nconflicts: [{roles: [a], with: [a], reason: r}]",
            "itself",
        ),
        (
            "roles: {a: {description: x}}\nconflicts: [{roles: [], with: [a], reason: r}]",
            "empty",
        ),
        ("roles: [", ""),
    ] {
        let text = if why == "other" || why == "kind" {
            bad.to_owned()
        } else {
            format!("{head}{bad}")
        };
        let error = AccessTable::parse(&text).unwrap_err();
        assert!(error.to_lowercase().contains(why), "{bad}: {error}");
    }
    assert!(AccessTable::parse(&"#".repeat(2 * 1024 * 1024)).is_err());
}
