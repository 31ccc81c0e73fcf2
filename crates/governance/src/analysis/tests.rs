//! Effective differences and variation, against decisions at every point.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use decision::{Facts, Value, analyse::Change};
use proptest::prelude::*;

use super::{difference, variation};
use crate::{
    Bundle, Scope, decide,
    files::{Source, compile},
};

const BASE: &str = "kind: ScopeTree
scopes:
  acme: {level: ENTERPRISE}
  acme/europe: {level: REGION}
  acme/europe/medical: {level: BUSINESS_UNIT}
---
kind: Workflow
name: w
class: LOCAL
owner: o
criticality: LOW
control_sensitivity: NONE
executed_by: ERP
facts:
  n: {type: number}
  b: {type: boolean}
";

fn bundle(policies: &[String]) -> Bundle {
    let texts = BASE
        .split("---\n")
        .map(str::to_owned)
        .chain(policies.iter().cloned());
    let sources: Vec<_> = texts
        .map(|text| Source {
            path: String::new(),
            lines_before: 0,
            text: text.into(),
            attachments: BTreeMap::new(),
            version: 1,
        })
        .collect();
    compile(&sources).unwrap()
}

/// A policy of rows: a test of each fact, and what then holds.
fn policy(
    name: &str,
    scope: &str,
    mode: &str,
    hit: &str,
    rows: &[(String, String, usize)],
) -> String {
    let effects = [
        "{effect: ALLOW}",
        "{effect: ALLOW, obligations: [note]}",
        "{effect: REQUIRE_APPROVAL, approvals: [{role: r, count: 1}]}",
        "{effect: REQUIRE_APPROVAL, approvals: [{role: r, at: acme, count: 2}]}",
        "{effect: DENY}",
    ];
    let mut text = format!(
        "kind: Policy\nname: {name}\nworkflow: w\nscope: {scope}\nmode: {mode}\naudit_level: SUMMARY\n\
         inputs: [n, b]\nhit_policy: {hit}\nrows:\n"
    );
    for (at, (n, b, effect)) in rows.iter().enumerate() {
        text += &format!(
            "  - {{id: r{at}, when: {{n: '{n}', b: '{b}'}}, then: {}}}\n",
            effects[*effect]
        );
    }
    text
}

fn rows() -> impl Strategy<Value = Vec<(String, String, usize)>> {
    let number = prop_oneof![
        Just("-".to_owned()),
        (0..3_i32).prop_map(|n| format!("<= {n}")),
        (0..3_i32).prop_map(|n| format!("> {n}")),
    ];
    let truth = prop::sample::select(vec!["-", "true", "false"]).prop_map(str::to_owned);
    prop::collection::vec((number, truth, 0..5_usize), 1..4)
}

fn policies() -> impl Strategy<Value = Vec<String>> {
    let hit = || prop::sample::select(vec!["FIRST", "UNIQUE", "COLLECT", "PRIORITY"]);
    let default =
        (rows(), hit()).prop_map(|(rows, hit)| policy("d", "acme", "DEFAULT", hit, &rows));
    let local = (rows(), hit())
        .prop_map(|(rows, hit)| policy("l", "acme/europe/medical", "DEFAULT", hit, &rows));
    let guardrail =
        (rows(), hit()).prop_map(|(rows, hit)| policy("g", "acme/europe", "GUARDRAIL", hit, &rows));
    (
        prop::option::weighted(0.9, default),
        prop::option::weighted(0.4, local),
        prop::option::weighted(0.6, guardrail),
    )
        .prop_map(|(a, b, c)| [a, b, c].into_iter().flatten().collect())
}

fn points() -> Vec<Facts> {
    let numbers = [-1, 0, 1, 2, 3].map(|n: i32| Value::Number(n.into()));
    let truths = [Value::Boolean(true), Value::Boolean(false), Value::Null];
    let mut points = Vec::new();
    for n in numbers.into_iter().chain([Value::Null]) {
        points.extend(
            truths
                .iter()
                .map(|b| Facts::from_iter([("n", n.clone()), ("b", b.clone())])),
        );
    }
    points
}

/// What a decision demands, part by part, and its reasons.
type Parts = (
    crate::Effect,
    Vec<crate::Requirement>,
    Vec<String>,
    crate::AuditLevel,
    Vec<String>,
);

fn parts(bundle: &Bundle, scope: &Scope, facts: &Facts) -> Parts {
    let verdict = decide(&bundle.effective("w", scope).unwrap(), scope, facts);
    let texts =
        |all: &[std::sync::Arc<str>]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut reasons = texts(&verdict.reasons);
    reasons.sort();
    (
        verdict.effect,
        verdict.approvals.clone(),
        texts(&verdict.obligations),
        verdict.audit_level,
        reasons,
    )
}

fn cases() -> ProptestConfig {
    let set = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: set.unwrap_or(100),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn scopes_differ_where_decisions_do(old in policies(), new in policies()) {
        let (old, new) = (bundle(&old), bundle(&new));
        let found = difference(&old, &new);
        for (scope, _) in old.scopes().iter() {
            let here = found.scopes.iter().find(|found| found.scopes.contains(scope));
            let differs = points().iter().any(|facts| parts(&old, scope, facts) != parts(&new, scope, facts));
            prop_assert_eq!(here.is_some(), differs, "{}", scope);
            for changed in here.iter().flat_map(|found| &found.difference.changes) {
                let (before, after) = (parts(&old, scope, &changed.witness), parts(&new, scope, &changed.witness));
                prop_assert_ne!(&before, &after);
                match changed.change {
                    Change::Tighter => prop_assert!(before.0 <= after.0),
                    Change::Looser => prop_assert!(before.0 >= after.0),
                    Change::Other => prop_assert_eq!(before.0, after.0),
                    Change::Mixed => {}
                }
            }
            prop_assert!(here.is_none_or(|found| found.difference.undecided.is_empty()));
        }
    }
}

fn row(n: &str, effect: usize) -> (String, String, usize) {
    (n.to_owned(), "-".to_owned(), effect)
}

#[test]
fn a_raised_threshold_is_looser_where_it_was() {
    let with = |limit: &str| {
        let rows = [
            row(&format!("<= {limit}"), 0),
            row(&format!("> {limit}"), 2),
        ];
        bundle(&[policy("d", "acme", "DEFAULT", "UNIQUE", &rows)])
    };
    let found = difference(&with("10"), &with("20"));
    assert_eq!(found.scopes.len(), 1);
    assert_eq!(found.scopes[0].scopes.len(), 3);
    let changes = &found.scopes[0].difference.changes;
    let texts: Vec<_> = changes
        .iter()
        .map(|c| format!("{} {}", c.change.as_str(), c.region))
        .collect();
    assert_eq!(texts, ["LOOSER n ]10..20]"]);
    assert!(found.scopes[0].difference.loosens());
    let back = difference(&with("20"), &with("10"));
    assert_eq!(back.scopes[0].difference.changes[0].change, Change::Tighter);
    assert!(!back.scopes[0].difference.loosens());
    assert!(difference(&with("10"), &with("10")).is_none());
}

#[test]
fn a_guardrail_masks_what_a_change_below_it_loosens() {
    let guardrail = policy("g", "acme", "GUARDRAIL", "UNIQUE", &[row("> 5", 4)]);
    let with = |limit: &str| {
        let rows = [
            row(&format!("<= {limit}"), 0),
            row(&format!("> {limit}"), 4),
        ];
        bundle(&[
            guardrail.clone(),
            policy("d", "acme", "DEFAULT", "UNIQUE", &rows),
        ])
    };
    let found = difference(&with("3"), &with("9"));
    let changes = &found.scopes[0].difference.changes;
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].region.to_string(), "n ]3..5]");

    let varied = variation(&with("9"));
    assert_eq!(varied.len(), 1);
    assert_eq!(varied[0].masked.len(), 1);
    assert_eq!(varied[0].masked[0].region.to_string(), "n ]5..9]");
    assert!(variation(&with("3")).is_empty());
}

#[test]
fn definitions_are_compared_too() {
    let old = bundle(&[]);
    let changed = BASE
        .replace("n: {type: number}", "n: {type: number, max_age: 1h}")
        .replace("LOCAL", "GLOBAL");
    let sources: Vec<_> = changed
        .split("---\n")
        .map(|text| Source {
            path: String::new(),
            lines_before: 0,
            text: text.into(),
            attachments: BTreeMap::new(),
            version: 1,
        })
        .collect();
    let new = compile(&sources).unwrap();
    assert_eq!(
        difference(&old, &new).definitions,
        [
            "workflow w was LOCAL and is GLOBAL",
            "workflow w: fact n has another max_age"
        ]
    );
}
