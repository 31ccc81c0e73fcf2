//! Decisions by example, and against a naive twin.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use decision::{Facts, Value};

use crate::{
    AuditLevel, Bundle, Effect, Scope, Verdict, decide,
    files::{Source, compile},
};

pub(super) const SCOPES: &str = "
kind: ScopeTree
scopes:
  acme: {level: ENTERPRISE}
  acme/europe: {level: REGION}
  acme/europe/medical: {level: BUSINESS_UNIT}
  acme/europe/industrial: {level: BUSINESS_UNIT}
";

const WORKFLOW: &str = "
kind: Workflow
name: credit_hold_release
class: GLOBAL
owner: process-owner.order-to-cash
criticality: HIGH
control_sensitivity: FINANCIAL
executed_by: ERP
facts:
  order.total: {type: money, currency: EUR, provenance: [ERP], binding: true}
  customer.days_overdue: {type: number, unit: d, provenance: [ERP], max_age: 24h}
  item.regulated: {type: boolean, provenance: [ERP, INTEGRATION]}
  customer.licence_valid: {type: boolean, provenance: [ERP, PERSON]}
";

const ENTERPRISE: &str = "
kind: Policy
name: credit_hold_release.enterprise
workflow: credit_hold_release
scope: acme
mode: DEFAULT
audit_level: SUMMARY
inputs: [order.total, customer.days_overdue]
hit_policy: UNIQUE
rows:
  - id: small
    when: {order.total: '<= 10000', customer.days_overdue: '<= 30'}
    then: {effect: ALLOW}
  - id: medium
    when: {order.total: ']10000..100000]', customer.days_overdue: '<= 30'}
    then: {effect: REQUIRE_APPROVAL, approvals: [{role: credit-manager, count: 1}]}
  - id: overdue
    when: {order.total: '<= 100000', customer.days_overdue: '> 30'}
    then:
      effect: REQUIRE_APPROVAL
      approvals: [{role: credit-manager, count: 2}]
      obligations: [attach_payment_plan]
  - id: large
    when: {order.total: '> 100000'}
    then:
      effect: REQUIRE_APPROVAL
      approvals: [{role: credit-manager, count: 1}, {role: finance-director, at: acme, count: 1}]
";

const MEDICAL: &str = "
kind: Policy
name: credit_hold_release.medical
workflow: credit_hold_release
scope: acme/europe/medical
mode: GUARDRAIL
waivable: false
audit_level: FULL
inputs: [item.regulated, customer.licence_valid]
hit_policy: UNIQUE
rows:
  - id: unlicensed
    when: {item.regulated: 'true', customer.licence_valid: 'false'}
    then: {effect: DENY, reason: customer may not receive regulated items}
  - id: regulated
    when: {item.regulated: 'true', customer.licence_valid: 'true'}
    then:
      effect: REQUIRE_APPROVAL
      approvals: [{role: compliance-officer, count: 1}]
      obligations: [keep_licence_evidence]
";

pub(super) fn bundle(texts: &[&str]) -> Bundle {
    let sources: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| Source {
            path: format!("{index}.yaml"),
            lines_before: 0,
            text: (*text).into(),
            attachments: BTreeMap::new(),
            version: 1,
        })
        .collect();
    compile(&sources).unwrap_or_else(|errors| {
        let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    })
}

fn example() -> Bundle {
    bundle(&[SCOPES, WORKFLOW, ENTERPRISE, MEDICAL])
}

fn facts(pairs: &[(&str, &str)], bundle: &Bundle) -> Facts {
    let workflow = &bundle.workflows()["credit_hold_release"];
    let mut facts = Facts::new();
    for (name, text) in pairs {
        let value = match *text {
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            "null" => Value::Null,
            text => text
                .parse()
                .map_or_else(|_| Value::String(text.to_owned()), Value::Number),
        };
        facts.insert(*name, workflow.facts[*name].ty.coerce(value).unwrap());
    }
    facts
}

fn at(bundle: &Bundle, scope: &str, pairs: &[(&str, &str)]) -> Verdict {
    let scope: Scope = scope.parse().unwrap();
    let effective = bundle.effective("credit_hold_release", &scope).unwrap();
    decide(&effective, &scope, &facts(pairs, bundle))
}

fn approvals(verdict: &Verdict) -> Vec<String> {
    let texts = verdict.approvals.iter();
    texts
        .map(|r| format!("{}@{} {}", r.role, r.at, r.count))
        .collect()
}

#[test]
fn layers_are_joined() {
    let verdict = at(
        &example(),
        "acme/europe/medical",
        &[
            ("order.total", "18450.00 EUR"),
            ("customer.days_overdue", "12"),
            ("item.regulated", "true"),
            ("customer.licence_valid", "true"),
        ],
    );
    assert_eq!(verdict.effect, Effect::RequireApproval);
    assert!(verdict.settled && verdict.reasons.is_empty());
    assert_eq!(
        approvals(&verdict),
        [
            "compliance-officer@acme/europe/medical 1",
            "credit-manager@acme/europe/medical 1"
        ]
    );
    assert_eq!(verdict.obligations, ["keep_licence_evidence".into()]);
    let rows: Vec<_> = verdict
        .layers
        .iter()
        .map(|l| (&*l.policy.name, &*l.rows[0]))
        .collect();
    assert_eq!(
        rows,
        [
            ("credit_hold_release.enterprise", "medium"),
            ("credit_hold_release.medical", "regulated")
        ]
    );
    assert_eq!(verdict.audit_level, AuditLevel::Full);
}

#[test]
fn a_guardrail_without_a_hit_adds_nothing_and_binds_nobody_else() {
    let small = [("order.total", "100 EUR"), ("customer.days_overdue", "0")];
    let verdict = at(&example(), "acme/europe/industrial", &small);
    assert_eq!((verdict.effect, verdict.layers.len()), (Effect::Allow, 1));
    assert_eq!(verdict.audit_level, AuditLevel::Summary);
    let mut medical = small.to_vec();
    medical.push(("item.regulated", "false"));
    let verdict = at(&example(), "acme/europe/medical", &medical);
    assert_eq!((verdict.effect, verdict.settled), (Effect::Allow, true));
    assert_eq!(verdict.layers[1].effect, None);
}

#[test]
fn an_unknown_fact_gives_the_strictest_and_is_named() {
    let verdict = at(
        &example(),
        "acme/europe/medical",
        &[
            ("order.total", "18450 EUR"),
            ("customer.days_overdue", "12"),
            ("item.regulated", "true"),
        ],
    );
    assert_eq!((verdict.effect, verdict.settled), (Effect::Deny, false));
    assert_eq!(verdict.reasons, ["UNKNOWN_FACTS".into()]);
    assert_eq!(verdict.unknown_facts, ["customer.licence_valid".into()]);
    assert_eq!(
        verdict.layers[1].rows,
        ["unlicensed".into(), "regulated".into()]
    );
}

#[test]
fn an_unknown_fact_that_no_cell_needs_does_not_unsettle() {
    let verdict = at(
        &example(),
        "acme/europe/industrial",
        &[("order.total", "100000.01 EUR")],
    );
    assert!(verdict.settled, "{verdict:?}");
    assert_eq!(
        approvals(&verdict),
        [
            "credit-manager@acme/europe/industrial 1",
            "finance-director@acme 1"
        ]
    );
}

#[test]
fn a_known_null_is_not_unknown() {
    let pairs = [("order.total", "null"), ("customer.days_overdue", "1")];
    let verdict = at(&example(), "acme/europe/industrial", &pairs);
    assert_eq!(verdict.effect, Effect::Deny);
    assert_eq!(verdict.reasons, ["NO_ROW".into()]);
    assert!(verdict.settled);
}

#[test]
fn no_default_on_the_path_denies() {
    let bundle = bundle(&[SCOPES, WORKFLOW, MEDICAL]);
    let verdict = at(
        &bundle,
        "acme/europe/medical",
        &[("item.regulated", "false")],
    );
    assert_eq!((verdict.effect, verdict.settled), (Effect::Deny, true));
    assert_eq!(verdict.reasons, ["NO_POLICY".into()]);
    assert_eq!(verdict.audit_level, AuditLevel::Full);
}

#[test]
fn rows_that_disagree_under_unique_deny() {
    let overlapping = ENTERPRISE.replace("'<= 10000'", "'<= 20000'");
    let bundle = bundle(&[SCOPES, WORKFLOW, &overlapping]);
    let pairs = [("order.total", "15000 EUR"), ("customer.days_overdue", "1")];
    let verdict = at(&bundle, "acme", &pairs);
    assert_eq!(verdict.effect, Effect::Deny);
    assert_eq!(verdict.reasons, ["POLICY_CONFLICT".into()]);
    assert_eq!(verdict.layers[0].rows, ["small".into(), "medium".into()]);
}

#[test]
fn a_missing_required_fact_denies_and_is_named() {
    let demanding = ENTERPRISE.replace(
        "then: {effect: ALLOW}",
        "then: {effect: ALLOW, required_facts: [item.regulated]}",
    );
    let bundle = bundle(&[SCOPES, WORKFLOW, &demanding]);
    let small = [("order.total", "1 EUR"), ("customer.days_overdue", "1")];
    let verdict = at(&bundle, "acme", &small);
    assert_eq!((verdict.effect, verdict.settled), (Effect::Deny, false));
    assert_eq!(verdict.reasons, ["FACTS_MISSING".into()]);
    assert_eq!(verdict.unknown_facts, ["item.regulated".into()]);
    let mut with_it = small.to_vec();
    with_it.push(("item.regulated", "false"));
    assert_eq!(at(&bundle, "acme", &with_it).effect, Effect::Allow);
    with_it[2].1 = "null";
    assert_eq!(at(&bundle, "acme", &with_it).effect, Effect::Deny);
}

#[test]
fn two_layers_that_vary_against_each_other_are_settled_together() {
    let guardrail = |name: &str, when: &str| {
        MEDICAL
            .replace("credit_hold_release.medical", name)
            .split("  - id: regulated")
            .next()
            .unwrap()
            .replace(
                "{item.regulated: 'true', customer.licence_valid: 'false'}",
                when,
            )
    };
    let [yes, no] = ["true", "false"].map(|flag| {
        guardrail(
            &format!("guardrail.{flag}"),
            &format!("{{item.regulated: '{flag}'}}"),
        )
    });
    let bundle = bundle(&[SCOPES, WORKFLOW, ENTERPRISE, &yes, &no]);
    let small = [("order.total", "1 EUR"), ("customer.days_overdue", "1")];
    let verdict = at(&bundle, "acme/europe/medical", &small);
    assert_eq!((verdict.effect, verdict.settled), (Effect::Deny, true));
}

#[test]
fn an_unknown_fact_may_turn_out_null_where_a_row_speaks_of_it() {
    let guardrail = |when: &str| {
        let row = format!(
            "rows:\n  - id: r\n    when: {{item.regulated: '{when}'}}\n    then: {{effect: DENY}}\n"
        );
        let head = MEDICAL.split("rows:").next().unwrap();
        bundle(&[SCOPES, WORKFLOW, ENTERPRISE, &(head.to_owned() + &row)])
    };
    let small = [("order.total", "1 EUR"), ("customer.days_overdue", "1")];
    for when in ["null", "? = null", "not(true, false)"] {
        let bundle = guardrail(when);
        let verdict = at(&bundle, "acme/europe/medical", &small);
        assert_eq!(
            (verdict.effect, verdict.settled),
            (Effect::Deny, false),
            "{when}"
        );
        assert_eq!(verdict.unknown_facts, ["item.regulated".into()], "{when}");
        let mut known = small.to_vec();
        known.push(("item.regulated", "null"));
        let verdict = at(&bundle, "acme/europe/medical", &known);
        assert_eq!(
            (verdict.effect, verdict.settled),
            (Effect::Deny, true),
            "{when}"
        );
        known[2].1 = "false";
        let verdict = at(&bundle, "acme/europe/medical", &known);
        assert_eq!(
            (verdict.effect, verdict.settled),
            (Effect::Allow, true),
            "{when}"
        );
    }
    // No row is met by null: the fact counts as one that has a value.
    let bundle = guardrail("not(true, null)");
    let verdict = at(&bundle, "acme/europe/medical", &small);
    assert_eq!((verdict.effect, verdict.settled), (Effect::Deny, false));
    let bundle = guardrail("not(true, false, null)");
    let verdict = at(&bundle, "acme/europe/medical", &small);
    assert_eq!((verdict.effect, verdict.settled), (Effect::Allow, true));
}
