//! Waivers, against decisions put together row by row.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use decision::{Facts, Value};
use proptest::prelude::*;

use crate::{
    AuditLevel, Bundle, Effect, Scope, decide,
    files::{Diagnostic, Source, compile},
};

const BASE: &str = "kind: ScopeTree
scopes:
  acme: {level: ENTERPRISE}
  acme/a: {level: BUSINESS_UNIT}
  acme/b: {level: BUSINESS_UNIT}
---
kind: Workflow
name: w
class: GLOBAL
owner: o
criticality: LOW
control_sensitivity: NONE
executed_by: ERP
facts: {n: {type: number}, b: {type: boolean}}
---
kind: Policy
name: p
workflow: w
scope: acme
mode: DEFAULT
audit_level: SUMMARY
inputs: [n]
hit_policy: UNIQUE
rows:
  - {id: low, when: {n: '<= 10'}, then: {effect: ALLOW}}
  - {id: high, when: {n: '> 10'}, then: {effect: REQUIRE_APPROVAL, approvals: [{role: r, count: 2}], obligations: [note], reason: high}}
---
kind: Policy
name: g
workflow: w
scope: acme
mode: GUARDRAIL
waivable: false
audit_level: SUMMARY
inputs: [b]
hit_policy: UNIQUE
rows:
  - {id: barred, when: {b: 'true'}, then: {effect: DENY}}
";

fn sources(more: &str) -> Vec<Source> {
    let all = format!("{BASE}{more}");
    all.split("---\n")
        .map(|text| Source {
            path: String::new(),
            lines_before: 0,
            text: text.into(),
            attachments: BTreeMap::new(),
            version: 1,
        })
        .collect()
}

fn bundle(more: &str) -> Bundle {
    compile(&sources(more)).unwrap()
}

fn problem(more: &str) -> String {
    let found: Vec<Diagnostic> = compile(&sources(more)).unwrap_err();
    found
        .iter()
        .map(|d| d.message.clone())
        .collect::<Vec<_>>()
        .join("; ")
}

/// Digest of the row that is waived.
fn digest(row: &str) -> String {
    let bundle = bundle("");
    let table = &bundle.policies()["p"].table;
    let row = table.rows().iter().find(|found| found.id() == row).unwrap();
    table.row_digest(row)
}

fn waiver(name: &str, scope: &str, test: &str, then: &str) -> String {
    format!(
        "---\nkind: Waiver\nname: {name}\npolicy: p\nrow: high\nrow_digest: '{}'\nscope: {scope}\n\
         beneficiary: carl\nexpires: 2026-12-31T00:00:00Z\nreason: quarter end\ninputs: [n, b]\n\
         hit_policy: COLLECT\nrows:\n  - {{id: x, when: {{{test}}}, then: {then}}}\n",
        digest("high")
    )
}

const LESS: &str = "{effect: REQUIRE_APPROVAL, approvals: [{role: r, count: 1}]}";
const ALLOW: &str = "{effect: ALLOW}";

fn then(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn answer(bundle: &Bundle, scope: &str, at: &str, facts: &[(&str, Value)]) -> crate::Verdict {
    let scope = Scope::parse(scope).unwrap();
    let effective = bundle.waived("w", &scope, then(at)).unwrap();
    decide(&effective, &scope, &Facts::from_iter(facts.iter().cloned()))
}

fn n(of: i64) -> (&'static str, Value) {
    ("n", Value::Number(of.into()))
}

fn b(of: bool) -> (&'static str, Value) {
    ("b", Value::Boolean(of))
}

const NOW: &str = "2026-12-01T00:00:00Z";

#[test]
fn it_replaces_its_row_and_nothing_else() {
    let with = bundle(&waiver("quarter-end", "acme/a", "n: '<= 50'", ALLOW));
    let found = answer(&with, "acme/a", NOW, &[n(20), b(false)]);
    assert_eq!((found.effect, found.settled), (Effect::Allow, true));
    assert_eq!(found.waivers, ["quarter-end".into()]);
    assert_eq!(found.audit_level, AuditLevel::Full);
    assert!(found.approvals.is_empty() && found.obligations.is_empty() && found.reasons.is_empty());
    // The row is still the one that hit.
    assert_eq!(found.layers[0].rows, ["high".into()]);
    // Not elsewhere, not where its condition doesn't hold, not after its time.
    for (scope, at, of) in [
        ("acme/b", NOW, 20),
        ("acme/a", NOW, 51),
        ("acme/a", "2026-12-31T00:00:00Z", 20),
    ] {
        let found = answer(&with, scope, at, &[n(of), b(false)]);
        assert_eq!(found.effect, Effect::RequireApproval, "{scope} {at} {of}");
        assert!(found.waivers.is_empty());
    }
    // The other layers still join, and rows it isn't about are as they are.
    let found = answer(&with, "acme/a", NOW, &[n(20), b(true)]);
    assert_eq!(found.effect, Effect::Deny);
    let found = answer(&with, "acme/a", NOW, &[n(5), b(false)]);
    assert!(found.waivers.is_empty() && found.effect == Effect::Allow);
}

#[test]
fn of_several_the_strictest_holds() {
    let two = waiver("x", "acme", "n: '-'", ALLOW) + &waiver("y", "acme/a", "n: '-'", LESS);
    let found = answer(&bundle(&two), "acme/a", NOW, &[n(20), b(false)]);
    assert_eq!(found.approvals[0].count, 1);
    assert_eq!(found.waivers, ["x".into(), "y".into()]);
}

#[test]
fn what_is_not_known_waives_nothing() {
    let with = bundle(&waiver("x", "acme", "b: 'false'", ALLOW));
    let found = answer(&with, "acme", NOW, &[n(20)]);
    assert_eq!((found.effect, found.settled), (Effect::Deny, false));
    assert!(found.waivers.is_empty());
    assert_eq!(found.unknown_facts, ["b".into()]);
    // It says nothing where its row doesn't hit.
    let found = answer(&with, "acme", NOW, &[n(5), b(true)]);
    assert!(found.settled);
    let other = bundle(&waiver("x", "acme", "n: '<= 50'", ALLOW).replace("[n, b]", "[n]"));
    let found = answer(&other, "acme", NOW, &[n(5), b(false)]);
    assert_eq!((found.effect, found.settled), (Effect::Allow, true));
    // Whether its row hits isn't known either: what could be demanded without it.
    let with = bundle(&waiver("x", "acme", "b: 'false'", ALLOW));
    let found = answer(&with, "acme", NOW, &[b(false)]);
    assert_eq!(found.effect, Effect::Allow);
}

#[test]
fn it_lapses_when_its_row_changes() {
    let other = waiver("x", "acme", "n: '-'", ALLOW).replace(&digest("high"), &digest("low"));
    let with = bundle(&other);
    assert!(!with.waivers()["x"].stands());
    let found = answer(&with, "acme", NOW, &[n(20), b(false)]);
    assert_eq!(found.effect, Effect::RequireApproval);
}

#[test]
fn what_it_may_not_be_is_refused() {
    let stricter = "{effect: REQUIRE_APPROVAL, approvals: [{role: r, count: 3}]}";
    for (text, wanted) in [
        (
            waiver("x", "acme", "n: '-'", "{effect: DENY}"),
            "demands more",
        ),
        (waiver("x", "acme", "n: '-'", stricter), "demands more"),
        (
            waiver("x", "acme", "n: '-'", ALLOW).replace("policy: p", "policy: g"),
            "can't be waived",
        ),
        (
            waiver("x", "acme", "n: '-'", ALLOW).replace("policy: p", "policy: z"),
            "there is no policy z",
        ),
        (
            waiver("x", "acme/c", "n: '-'", ALLOW),
            "there is no scope acme/c",
        ),
        (
            waiver("x", "acme", "n: '-'", ALLOW).replace("2026-12-31T00:00:00Z", "soon"),
            "expected an instant",
        ),
        (
            waiver("x", "acme", "n: '-'", ALLOW) + &waiver("x", "acme", "n: '-'", ALLOW),
            "a second waiver",
        ),
    ] {
        let found = problem(&text);
        assert!(found.contains(wanted), "{found}");
    }
}

#[test]
fn a_new_one_is_told_as_a_difference() {
    let found =
        crate::analysis::difference(&bundle(""), &bundle(&waiver("x", "acme", "n: '-'", ALLOW)));
    assert_eq!(found.definitions.len(), 1);
    assert!(found.definitions[0].starts_with("waiver x is new: row high of p at acme until"));
    assert!(found.scopes.is_empty());
}

#[test]
fn one_that_holds_again_is_told_too() {
    let text = waiver("x", "acme", "n: '-'", ALLOW);
    let mut other = sources(&text);
    for source in &mut other {
        source.text = source.text.replace("reason: high", "reason: higher").into();
    }
    let lapsed = compile(&other).unwrap();
    assert!(!lapsed.waivers()["x"].stands());
    let told = |old: &Bundle, new: &Bundle| crate::analysis::difference(old, new).definitions;
    let back = told(&lapsed, &bundle(&text));
    assert!(
        back.len() == 1 && back[0].starts_with("waiver x holds again"),
        "{back:?}"
    );
    assert!(told(&bundle(&text), &lapsed).is_empty());
}

proptest! {
    /// Where everything is known: each row by itself, replaced where a waiver of it holds.
    #[test]
    fn known_facts_are_decided_row_by_row(
        waivers in prop::collection::vec((0..3_usize, 0..25_i64, any::<bool>(), any::<bool>()), 0..4),
        at in 0..3_usize,
        value in 0..30_i64,
        flag in any::<bool>(),
    ) {
        let scopes = ["acme", "acme/a", "acme/b"];
        let mut text = String::new();
        for (index, (scope, bound, less, tests_flag)) in waivers.iter().enumerate() {
            let test = if *tests_flag { format!("n: '<= {bound}', b: 'false'") } else { format!("n: '<= {bound}'") };
            text += &waiver(&format!("w{index}"), scopes[*scope], &test, if *less { LESS } else { ALLOW });
        }
        let found = answer(&bundle(&text), scopes[at], NOW, &[n(value), b(flag)]);
        let holding: Vec<_> = waivers
            .iter()
            .enumerate()
            .filter(|(_, (scope, bound, _, tests_flag))| {
                let here = scopes[at] == scopes[*scope] || *scope == 0;
                value > 10 && here && value <= *bound && (!tests_flag || !flag)
            })
            .collect();
        let count = match (value > 10, holding.is_empty()) {
            (false, _) => 0,
            (true, true) => 2,
            (true, false) => u32::from(holding.iter().any(|(_, (_, _, less, _))| *less)),
        };
        let effect = match (flag, count) {
            (true, _) => Effect::Deny,
            (false, 0) => Effect::Allow,
            (false, _) => Effect::RequireApproval,
        };
        prop_assert_eq!(found.effect, effect);
        prop_assert_eq!(found.approvals.first().map_or(0, |needed| needed.count), count);
        let used: Vec<_> = found.waivers.iter().map(ToString::to_string).collect();
        let expected: Vec<_> = holding.iter().map(|(index, _)| format!("w{index}")).collect();
        prop_assert_eq!(used, expected);
        prop_assert!(found.settled);
    }
}
