//! What a decision costs: layers found, tables evaluated, answers joined.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench that can't be set up has failed"
)]

use std::{collections::BTreeMap, fmt::Write as _};

use decision::{Facts, Value};
use divan::{Bencher, black_box};
use governance::{
    Bundle, Scope, decide,
    files::{Source, compile},
};

fn main() {
    divan::main();
}

const SCOPES: &str = "kind: ScopeTree
scopes:
  corp: {level: ENTERPRISE}
  corp/west: {level: REGION}
  corp/west/unit: {level: BUSINESS_UNIT}
";

const WORKFLOW: &str = "kind: Workflow
name: w
class: LOCAL
owner: o
criticality: LOW
control_sensitivity: NONE
executed_by: ERP
facts:
  total: {type: money, currency: EUR}
  regulated: {type: boolean}
";

const GUARDRAIL: &str = "kind: Policy
name: guardrail
workflow: w
scope: corp/west
mode: GUARDRAIL
audit_level: FULL
inputs: [regulated]
rows:
  - id: regulated
    when: {regulated: 'true'}
    then: {effect: REQUIRE_APPROVAL, approvals: [{role: compliance-lead}], obligations: [keep]}
";

/// A default with so many rows, each for a range of totals, and a guardrail.
fn bundle(rows: usize) -> Bundle {
    let mut default = String::from(
        "kind: Policy\nname: default\nworkflow: w\nscope: corp\nmode: DEFAULT\n\
         audit_level: FULL\ninputs: [total]\nrows:\n",
    );
    for row in 0..rows {
        let (from, to) = (row * 100, (row + 1) * 100);
        writeln!(
            default,
            "  - id: r{row}\n    when: {{total: '[{from}..{to})'}}\n    \
             then: {{effect: REQUIRE_APPROVAL, approvals: [{{role: credit-lead}}]}}"
        )
        .unwrap();
    }
    let sources = [SCOPES, WORKFLOW, GUARDRAIL, &default].map(|text| Source {
        path: "bench".to_owned(),
        lines_before: 0,
        text: text.into(),
        attachments: BTreeMap::new(),
        version: 1,
    });
    compile(&sources).unwrap()
}

fn facts(bundle: &Bundle, rows: usize, regulated: Option<bool>) -> Facts {
    let mut facts = Facts::new();
    let total = Value::String(format!("{}.50 EUR", rows * 50));
    let ty = &bundle.workflows()["w"].facts["total"].ty;
    facts.insert("total", ty.coerce(total).unwrap());
    if let Some(regulated) = regulated {
        facts.insert("regulated", Value::Boolean(regulated));
    }
    facts
}

#[divan::bench(args = [10, 100, 1_000])]
fn known(bencher: Bencher<'_, '_>, rows: usize) {
    let bundle = bundle(rows);
    let facts = facts(&bundle, rows, Some(true));
    let scope: Scope = "corp/west/unit".parse().unwrap();
    bencher.bench(|| {
        let effective = bundle.effective("w", black_box(&scope)).unwrap();
        decide(&effective, &scope, &facts)
    });
}

#[divan::bench(args = [10, 100, 1_000])]
fn unknown(bencher: Bencher<'_, '_>, rows: usize) {
    let bundle = bundle(rows);
    let facts = facts(&bundle, rows, None);
    let scope: Scope = "corp/west/unit".parse().unwrap();
    bencher.bench(|| {
        let effective = bundle.effective("w", black_box(&scope)).unwrap();
        decide(&effective, &scope, &facts)
    });
}
