//! What files may not say.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use super::{Source, compile, head};

const SCOPES: &str = "kind: ScopeTree
scopes:
  acme: {level: ENTERPRISE}
  acme/europe: {level: REGION}
";
const WORKFLOW: &str = "kind: Workflow
name: w
class: GLOBAL
owner: o
criticality: LOW
control_sensitivity: NONE
executed_by: ERP
facts:
  total: {type: money, currency: EUR, max_age: 24h}
";
const POLICY: &str = "kind: Policy
name: p
workflow: w
scope: acme
mode: DEFAULT
audit_level: FULL
inputs: [total]
hit_policy: UNIQUE
rows:
  - id: all
    then: {effect: ALLOW}
";

fn source(path: &str, text: &str) -> Source {
    Source {
        path: path.to_owned(),
        lines_before: 0,
        text: text.into(),
        attachments: BTreeMap::new(),
        version: 1,
    }
}

fn errors(scopes: &str, workflow: &str, policies: &[&str]) -> Vec<String> {
    let mut sources = vec![source("s.yaml", scopes), source("w.yaml", workflow)];
    for (index, text) in policies.iter().enumerate() {
        sources.push(source(&format!("p{index}.yaml"), text));
    }
    match compile(&sources) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

fn policy_error(from: &str, to: &str) -> String {
    assert!(POLICY.contains(from), "{from}");
    errors(SCOPES, WORKFLOW, &[&POLICY.replace(from, to)]).join(" | ")
}

#[test]
fn good_files_compile_in_any_order() {
    let sources = [
        source("p", POLICY),
        source("w", WORKFLOW),
        source("s", SCOPES),
    ];
    let bundle = compile(&sources).unwrap();
    assert_eq!(bundle.policies().len(), 1);
    assert!(bundle.digest().starts_with("sha256:"));
    let mut other = sources;
    other[0].text = POLICY.replace("ALLOW", "DENY").into();
    assert_ne!(compile(&other).unwrap().digest(), bundle.digest());
    other[0].text = format!("# a comment\n{POLICY}").into();
    assert_eq!(compile(&other).unwrap().digest(), bundle.digest());
}

#[test]
fn every_error_has_its_place() {
    for (from, to, want) in [
        (
            "mode: DEFAULT",
            "mode: FALLBACK",
            "p0.yaml:5:7: mode: found \"FALLBACK\"",
        ),
        (
            "audit_level: FULL\n",
            "",
            "p0.yaml:1:1: audit_level is missing",
        ),
        (
            "scope: acme",
            "scope: acme/asia",
            "p0.yaml:4:8: scope: there is no scope acme/asia",
        ),
        (
            "scope: acme",
            "scope: Acme",
            "p0.yaml:4:8: scope: scope segment \"Acme\"",
        ),
        (
            "workflow: w",
            "workflow: v",
            "p0.yaml:3:11: workflow: there is no workflow v",
        ),
        (
            "name: p",
            "name: P",
            "p0.yaml:2:7: name: expected lower-case",
        ),
        ("effect: ALLOW", "effect: MAYBE", "MAYBE"),
        (
            "effect: ALLOW",
            "effect: REQUIRE_APPROVAL",
            "row all: REQUIRE_APPROVAL without approvals",
        ),
        (
            "effect: ALLOW",
            "effect: ALLOW, approvals: [{role: r}]",
            "row all: ALLOW with approvals",
        ),
        (
            "effect: ALLOW",
            "effect: ALLOW, required_facts: [other]",
            "declares no fact other",
        ),
        ("effect: ALLOW", "effect: DENY, waived: true", "waived"),
        (
            "effect: ALLOW",
            "effect: REQUIRE_APPROVAL, approvals: [{role: r, at: acme/europe}]",
            "neither the policy's scope acme nor above it",
        ),
        (
            "effect: ALLOW",
            "effect: REQUIRE_APPROVAL, approvals: [{role: r, count: 0}]",
            "count is a whole number of 1 to 100",
        ),
        (
            "effect: ALLOW",
            "effect: REQUIRE_APPROVAL, approvals: [{role: r, counts: 1}]",
            "unknown key counts",
        ),
        (
            "hit_policy: UNIQUE",
            "hit_policy: RULE_ORDER",
            "p0.yaml:8:13: hit_policy: found RULE_ORDER",
        ),
        ("inputs: [total]", "inputs: [totals]", "totals"),
        (
            "mode: DEFAULT",
            "mode: DEFAULT\nextra: 1",
            "unknown key `extra`",
        ),
    ] {
        let found = policy_error(from, to);
        assert!(found.contains(want), "{to}: {found}");
    }
}

#[test]
fn what_refers_to_something_broken_is_not_reported_too() {
    let both = POLICY
        .replace("name: p", "name: q")
        .replace("mode: DEFAULT", "mode: MAYBE");
    let scopes = SCOPES.replace("level: REGION", "level: COUNTY");
    let found = errors(&scopes, WORKFLOW, &[POLICY, &both]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("s.yaml:4:"), "{found:?}");
    let workflow = WORKFLOW.replace("owner: o", "owner: o\ncolour: red");
    let found = errors(SCOPES, &workflow, &[POLICY, &both]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("w.yaml:5:"), "{found:?}");
}

#[test]
fn lines_count_from_the_start_of_the_file() {
    let mut bad = source("many.yaml", &POLICY.replace("mode: DEFAULT", "mode: X"));
    bad.lines_before = 40;
    let all = [source("s", SCOPES), source("w", WORKFLOW), bad];
    let found = compile(&all).unwrap_err();
    assert_eq!((found[0].line, found[0].column), (45, 7));
}

#[test]
fn the_class_says_where_defaults_stand() {
    let lower = POLICY.replace("scope: acme", "scope: acme/europe");
    let found = errors(SCOPES, WORKFLOW, &[&lower]).join("");
    assert!(found.starts_with("p0.yaml:5:7: a default of the GLOBAL workflow w can't stand at"));
    let regional = WORKFLOW.replace("GLOBAL", "REGIONAL");
    assert!(errors(SCOPES, &regional, &[&lower]).is_empty());
    let guardrail = lower.replace("DEFAULT", "GUARDRAIL");
    assert!(errors(SCOPES, WORKFLOW, &[&guardrail]).is_empty());
}

#[test]
fn names_and_defaults_are_unique() {
    let second = POLICY.replace("name: p", "name: q");
    let found = errors(SCOPES, WORKFLOW, &[POLICY, &second]).join("");
    assert!(
        found.contains("a second default of w at acme, beside p"),
        "{found}"
    );
    let same = POLICY.replace("DEFAULT", "GUARDRAIL");
    let found = errors(SCOPES, WORKFLOW, &[&same, &same]).join("");
    assert!(found.contains("a second policy p"), "{found}");
}

#[test]
fn workflows_are_strict() {
    for (from, to, want) in [
        (
            "class: GLOBAL",
            "class: PLANETARY",
            "w.yaml:3:8: class: found \"PLANETARY\"",
        ),
        (
            "currency: EUR, ",
            "",
            "w.yaml:9:10: money declares its currency",
        ),
        (
            "max_age: 24h",
            "max_age: soon",
            "max_age: expected a positive duration",
        ),
        (
            "max_age: 24h",
            "provenance: [ERP, GUESS]",
            "provenance: found \"GUESS\"",
        ),
        ("max_age: 24h", "provenance: [ERP, ERP]", "twice"),
        ("total:", "9total:", "fact \"9total\""),
        ("owner: o\n", "", "owner is missing"),
    ] {
        let found = errors(SCOPES, &WORKFLOW.replace(from, to), &[]).join(" | ");
        assert!(found.contains(want), "{to}: {found}");
    }
}

#[test]
fn what_is_no_document_is_refused() {
    for bad in [
        "",
        "[]",
        "a: [",
        "kind: Other",
        "kind: Policy",
        "kind: Policy\nname: p\n---\nkind: x",
    ] {
        assert!(head(&source("x", bad)).is_err(), "{bad:?}");
    }
    let csv = POLICY.replace(
        "rows:\n  - id: all\n    then: {effect: ALLOW}\n",
        "rows_csv: p.csv\n",
    );
    assert_eq!(head(&source("x", &csv)).unwrap().attachments, ["p.csv"]);
    let found = errors(SCOPES, WORKFLOW, &[&csv]).join("");
    assert!(
        found.contains("there is no file p.csv beside the policy"),
        "{found}"
    );
}

proptest::proptest! {
    #[test]
    fn damaged_files_are_refused_without_panic(
        which in 0..3_usize,
        at in 0..400_usize,
        with in "[-a-z0-9'\"{}\\[\\]:,<>. \n#&*!|é]{0,4}",
        gone in 0..6_usize,
    ) {
        let mut texts = [SCOPES, WORKFLOW, POLICY].map(|text| text.chars().collect::<Vec<_>>());
        let text = &mut texts[which];
        let at = at.min(text.len());
        let end = (at + gone).min(text.len());
        text.splice(at..end, with.chars());
        let sources = texts.map(|text| source("x", &text.into_iter().collect::<String>()));
        if let Err(errors) = compile(&sources) {
            proptest::prop_assert!(!errors.is_empty());
            proptest::prop_assert!(errors.iter().all(|e| e.line > 0 && e.column > 0));
        }
    }
}
