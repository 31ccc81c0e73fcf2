//! A naive twin: every way the unknown facts could turn out is decided for itself, by
//! walking up the scopes and down the rows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::{collections::BTreeSet, fmt::Write as _};

use decision::{Facts, Value};
use proptest::{collection, option, prelude::*, sample::select};

use super::tests::{SCOPES, bundle};
use crate::{Answer, Effect, Scope, decide};

const FACTS: [&str; 3] = ["a", "b", "c"];

/// A cell: what `a`, `b`, `c` must be; `None`: anything.
type Cells = [Option<bool>; 3];

#[derive(Debug, Clone)]
struct Row {
    cells: Cells,
    answer: Answer,
    demand: Option<usize>,
}

#[derive(Debug, Clone)]
struct Policy {
    scope: &'static str,
    default: bool,
    hit_policy: &'static str,
    rows: Vec<Row>,
}

fn row() -> impl Strategy<Value = Row> {
    let cells = [
        option::of(any::<bool>()),
        option::of(any::<bool>()),
        option::of(any::<bool>()),
    ];
    let roles = collection::btree_map(select(vec!["r", "s"]), 1_u32..3, 1..3);
    let obligations = collection::btree_set(select(vec!["o", "p"]), 0..2);
    (
        cells,
        0..3_usize,
        roles,
        obligations,
        option::weighted(0.1, 0..3_usize),
    )
        .prop_map(|(cells, effect, roles, obligations, demand)| {
            let effects = [Effect::Allow, Effect::RequireApproval, Effect::Deny];
            let mut answer = Answer {
                effect: effects[effect],
                obligations: obligations.into_iter().map(Into::into).collect(),
                ..Answer::default()
            };
            if answer.effect == Effect::RequireApproval {
                for (role, count) in roles {
                    answer.approvals.demand(role.into(), scope("acme"), count);
                }
            }
            if let Some(fact) = demand {
                answer.required_facts.insert(FACTS[fact].into());
            }
            Row {
                cells,
                answer,
                demand,
            }
        })
}

fn policies() -> impl Strategy<Value = Vec<Policy>> {
    let scopes = vec![
        "acme",
        "acme/europe",
        "acme/europe/medical",
        "acme/europe/industrial",
    ];
    let hit_policies = vec!["UNIQUE", "FIRST", "ANY", "COLLECT"];
    let policy = (
        select(scopes),
        any::<bool>(),
        select(hit_policies),
        collection::vec(row(), 1..4),
    );
    collection::vec(policy, 0..5).prop_map(|policies| {
        let mut defaults = BTreeSet::new();
        policies
            .into_iter()
            .map(|(scope, default, hit_policy, rows)| Policy {
                scope,
                default: default && defaults.insert(scope),
                hit_policy,
                rows,
            })
            .collect()
    })
}

fn scope(path: &str) -> Scope {
    path.parse().unwrap()
}

fn workflow() -> String {
    let facts: String = FACTS
        .iter()
        .map(|f| format!("  {f}: {{type: boolean}}\n"))
        .collect();
    format!(
        "kind: Workflow\nname: w\nclass: LOCAL\nowner: o\ncriticality: LOW\n\
         control_sensitivity: NONE\nexecuted_by: ERP\nfacts:\n{facts}"
    )
}

fn file(index: usize, policy: &Policy) -> String {
    let mode = if policy.default {
        "DEFAULT"
    } else {
        "GUARDRAIL"
    };
    let mut text = format!(
        "kind: Policy\nname: p{index}\nworkflow: w\nscope: {}\nmode: {mode}\n\
         audit_level: SUMMARY\ninputs: [a, b, c]\nhit_policy: {}\nrows:\n",
        policy.scope, policy.hit_policy
    );
    for (at, row) in policy.rows.iter().enumerate() {
        let cells: Vec<_> = FACTS
            .iter()
            .zip(row.cells)
            .filter_map(|(fact, cell)| Some(format!("{fact}: '{}'", cell?)))
            .collect();
        let effect = row.answer.effect;
        let approvals: Vec<_> = row
            .answer
            .approvals
            .iter()
            .map(|r| format!("{{role: {}, at: acme, count: {}}}", r.role, r.count))
            .collect();
        let obligations: Vec<_> = row
            .answer
            .obligations
            .iter()
            .map(ToString::to_string)
            .collect();
        let demand: Vec<_> = row.demand.iter().map(|fact| FACTS[*fact]).collect();
        writeln!(
            text,
            "  - id: r{at}\n    when: {{{}}}\n    then: {{effect: {effect}, approvals: [{}], \
             obligations: [{}], required_facts: [{}]}}",
            cells.join(", "),
            approvals.join(", "),
            obligations.join(", "),
            demand.join(", ")
        )
        .unwrap();
    }
    text
}

/// What a policy answers where all facts are known.
fn layer(policy: &Policy, way: [Option<bool>; 3]) -> Answer {
    let hits: Vec<_> = policy
        .rows
        .iter()
        .filter(|row| {
            row.cells
                .iter()
                .zip(way)
                .all(|(cell, fact)| cell.is_none() || *cell == fact)
        })
        .collect();
    let mut answer = Answer::default();
    match (hits.as_slice(), policy.hit_policy) {
        ([], _) if policy.default => return Answer::deny(),
        ([_, _, ..], "UNIQUE") => return Answer::deny(),
        ([first, rest @ ..], "ANY") if rest.iter().any(|row| row.answer != first.answer) => {
            return Answer::deny();
        }
        ([first, ..], "FIRST") => answer.join(&first.answer),
        _ => hits.iter().for_each(|row| answer.join(&row.answer)),
    }
    answer
}

/// What all policies answer at a scope where all facts are known.
fn all(policies: &[Policy], at: &Scope, way: [Option<bool>; 3]) -> Answer {
    let mut answer = Answer::default();
    let default = at.ancestors().find_map(|above| {
        policies
            .iter()
            .find(|p| p.default && scope(p.scope) == above)
    });
    match default {
        Some(policy) => answer.join(&layer(policy, way)),
        None => answer.join(&Answer::deny()),
    }
    for policy in policies
        .iter()
        .filter(|p| !p.default && scope(p.scope).contains(at))
    {
        answer.join(&layer(policy, way));
    }
    answer
}

fn ways(known: [Option<bool>; 3]) -> Vec<[Option<bool>; 3]> {
    let mut ways = vec![known];
    for fact in 0..3 {
        ways = ways
            .into_iter()
            .flat_map(|way| match way[fact] {
                Some(_) => vec![way],
                None => [true, false]
                    .map(|value| {
                        let mut way = way;
                        way[fact] = Some(value);
                        way
                    })
                    .to_vec(),
            })
            .collect();
    }
    ways
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn decisions_agree_with_the_twin(
        policies in policies(),
        known in [option::of(any::<bool>()), option::of(any::<bool>()), option::of(any::<bool>())],
        at in select(vec!["acme", "acme/europe/medical", "acme/europe/industrial"]),
    ) {
        let workflow = workflow();
        let files: Vec<_> = policies.iter().enumerate().map(|(i, p)| file(i, p)).collect();
        let mut texts = vec![SCOPES, &workflow];
        texts.extend(files.iter().map(String::as_str));
        let bundle = bundle(&texts);
        let at = scope(at);
        let mut facts = Facts::new();
        for (name, value) in FACTS.iter().zip(known) {
            if let Some(value) = value {
                facts.insert(*name, Value::Boolean(value));
            }
        }
        let verdict = decide(&bundle.effective("w", &at).unwrap(), &at, &facts);

        let answers: Vec<_> = ways(known).into_iter().map(|way| all(&policies, &at, way)).collect();
        let mut want = Answer::default();
        answers.iter().for_each(|answer| want.join(answer));
        let mut settled = answers.iter().all(|answer| *answer == answers[0]);
        prop_assert_eq!(settled, !verdict.reasons.iter().any(|r| &**r == "UNKNOWN_FACTS"));
        let missing = want
            .required_facts
            .iter()
            .any(|name| facts.get(name).is_none());
        if missing {
            settled &= want.effect == Effect::Deny;
            want.effect = Effect::Deny;
        }
        prop_assert_eq!(missing, verdict.reasons.iter().any(|r| &**r == "FACTS_MISSING"));
        prop_assert_eq!(verdict.effect, want.effect);
        prop_assert_eq!(verdict.settled, settled);
        prop_assert_eq!(verdict.approvals, want.approvals.iter().collect::<Vec<_>>());
        prop_assert_eq!(verdict.obligations, want.obligations.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(verdict.required_facts, want.required_facts.into_iter().collect::<Vec<_>>());
        // Knowing the facts that are said to matter settles the answer.
        if !settled {
            prop_assert!(!verdict.unknown_facts.is_empty());
            let mut more = facts.clone();
            for name in &verdict.unknown_facts {
                more.insert(name, Value::Boolean(true));
            }
            prop_assert!(decide(&bundle.effective("w", &at).unwrap(), &at, &more).settled);
        }
    }
}
