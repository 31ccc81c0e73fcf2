//! Tests of policies: facts at a pinned time, and what the layers must answer.
//!
//! [`crate::files::suite`] reads them from `kind: PolicyTest`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use decision::Value;

use crate::{
    Scope,
    admit::{Assertion, admit},
    answer::Effect,
    bundle::Bundle,
    decide::{Verdict, decide},
    workflow::{Provenance, Workflow},
};

/// The tests of one document.
#[derive(Debug, Clone)]
pub struct Suite {
    /// Path of its file.
    pub path: String,
    /// Its name.
    pub name: Arc<str>,
    /// The workflow it asks.
    pub workflow: Arc<str>,
    /// When it is, in all its tests.
    pub now: DateTime<Utc>,
    /// The tests, in order.
    pub cases: Vec<Case>,
}

/// One test.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// Its line in the file.
    pub line: usize,
    /// Scope of the transaction.
    pub scope: Scope,
    /// What is known.
    pub facts: BTreeMap<String, Given>,
    /// What must come out.
    pub expected: Expected,
}

/// A fact of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// Its value, as a caller would send it.
    pub value: Value,
    /// Where it came from; `None`: the first provenance that the workflow accepts.
    pub provenance: Option<Provenance>,
    /// When it was true at its source.
    pub observed: DateTime<Utc>,
}

/// What must come out of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The effect.
    pub effect: Effect,
    /// Whether the answer is settled.
    pub settled: bool,
    /// All approvals, as `role@scope` and count.
    pub approvals: BTreeMap<Arc<str>, u32>,
    /// All obligations.
    pub obligations: Vec<String>,
    /// All unknown facts that matter.
    pub unknown_facts: Vec<String>,
    /// For every policy with a hit its rows; `None`: not looked at.
    pub rows: Option<BTreeMap<String, Vec<String>>>,
    /// All reasons; `None`: not looked at.
    pub reasons: Option<Vec<String>>,
}

/// What became of the tests.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The tests that ran, in order.
    pub results: Vec<CaseResult>,
    /// Rows that no test with a settled answer hit, by policy; of the workflows asked.
    pub uncovered: Vec<(Arc<str>, Arc<str>)>,
    /// All rows of the policies of the workflows asked.
    pub rows: usize,
}

/// What became of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult {
    /// Path of its file.
    pub path: String,
    /// Its line.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// What came out otherwise than expected; empty: it passed.
    pub failures: Vec<String>,
}

impl Report {
    /// The tests that failed.
    pub fn failed(&self) -> impl Iterator<Item = &CaseResult> {
        self.results
            .iter()
            .filter(|result| !result.failures.is_empty())
    }
}

/// Runs tests against the policies in a bundle.
#[must_use]
pub fn run(bundle: &Bundle, suites: &[Suite]) -> Report {
    let mut report = Report::default();
    let mut covered: BTreeSet<(Arc<str>, Arc<str>)> = BTreeSet::new();
    for suite in suites {
        for case in &suite.cases {
            let failures = match answer(bundle, suite, case) {
                Err(problems) => problems,
                Ok(verdict) => {
                    if verdict.settled {
                        covered.extend(hits(&verdict));
                    }
                    compare(&case.expected, &verdict)
                }
            };
            report.results.push(CaseResult {
                path: suite.path.clone(),
                line: case.line,
                name: case.name.clone(),
                failures,
            });
        }
    }
    let asked: BTreeSet<_> = suites.iter().map(|suite| &suite.workflow).collect();
    let policies = bundle
        .policies()
        .values()
        .filter(|policy| asked.contains(&policy.workflow));
    let all = policies.flat_map(|policy| {
        policy
            .rows
            .iter()
            .map(|row| (policy.name.clone(), row.id.clone()))
    });
    let all: Vec<_> = all.collect();
    report.rows = all.len();
    report.uncovered = all
        .into_iter()
        .filter(|row| !covered.contains(row))
        .collect();
    report
}

fn hits(verdict: &Verdict) -> impl Iterator<Item = (Arc<str>, Arc<str>)> + '_ {
    verdict.layers.iter().flat_map(|layer| {
        layer
            .rows
            .iter()
            .map(|row| (layer.policy.name.clone(), row.clone()))
    })
}

fn answer(bundle: &Bundle, suite: &Suite, case: &Case) -> Result<Verdict, Vec<String>> {
    let Some(effective) = bundle.effective(&suite.workflow, &case.scope) else {
        return Err(vec![format!("there is no workflow {}", suite.workflow)]);
    };
    if bundle.scopes().get(&case.scope).is_none() {
        return Err(vec![format!("there is no scope {}", case.scope)]);
    }
    let sent = case.facts.iter().map(|(name, given)| Assertion {
        name,
        value: &given.value,
        provenance: given
            .provenance
            .unwrap_or_else(|| accepted(effective.workflow, name)),
        observed: given.observed,
    });
    let admission = admit(&effective, sent, suite.now);
    // A fact that isn't declared or of its type is a slip of the test, never its point.
    let slips: Vec<_> = admission
        .notes
        .iter()
        .filter(|note| admission.facts.get(&note.name).is_none())
        .filter(|note| !case.may_be_refused(&note.name))
        .map(|note| format!("fact {}: {}", note.name, note.message))
        .collect();
    if slips.is_empty() {
        Ok(decide(&effective, &case.scope, &admission.facts))
    } else {
        Err(slips)
    }
}

impl Case {
    /// Whether the test expects a fact to count as unknown though it gives one.
    fn may_be_refused(&self, fact: &str) -> bool {
        self.expected.unknown_facts.iter().any(|name| name == fact)
    }
}

fn accepted(workflow: &Workflow, fact: &str) -> Provenance {
    let schema = workflow.facts.get(fact);
    schema
        .and_then(|schema| schema.provenance.first())
        .copied()
        .unwrap_or(Provenance::Erp)
}

fn compare(expected: &Expected, verdict: &Verdict) -> Vec<String> {
    let mut failures = Vec::new();
    let mut check = |what: &str, wanted: String, found: String| {
        if wanted != found {
            failures.push(format!("{what}: found {found}, expected {wanted}"));
        }
    };
    check(
        "effect",
        expected.effect.to_string(),
        verdict.effect.to_string(),
    );
    check(
        "settled",
        expected.settled.to_string(),
        verdict.settled.to_string(),
    );
    let approvals: BTreeMap<Arc<str>, u32> = verdict
        .approvals
        .iter()
        .map(|needed| {
            (
                format!("{}@{}", needed.role, needed.at).into(),
                needed.count,
            )
        })
        .collect();
    let counted = |approvals: &BTreeMap<Arc<str>, u32>| {
        listed(
            approvals
                .iter()
                .map(|(who, count)| format!("{who}: {count}")),
        )
    };
    check(
        "approvals",
        counted(&expected.approvals),
        counted(&approvals),
    );
    check(
        "obligations",
        listed(&expected.obligations),
        listed(&verdict.obligations),
    );
    check(
        "unknown_facts",
        listed(&expected.unknown_facts),
        listed(&verdict.unknown_facts),
    );
    if let Some(reasons) = &expected.reasons {
        check("reasons", listed(reasons), listed(&verdict.reasons));
    }
    if let Some(rows) = &expected.rows {
        let wanted = rows
            .iter()
            .map(|(policy, rows)| format!("{policy}: {}", listed(rows)));
        let bound = verdict.layers.iter().filter(|layer| !layer.rows.is_empty());
        let found = bound.map(|layer| format!("{}: {}", layer.policy.name, listed(&layer.rows)));
        check("rows", listed(wanted), listed(found));
    }
    failures
}

/// A list in one order, since the order of requirements says nothing.
fn listed<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let mut texts: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    texts.sort();
    format!("[{}]", texts.join(", "))
}
