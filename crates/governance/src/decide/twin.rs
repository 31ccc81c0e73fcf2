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

/// A fact that is known: true, false or null.
type Fact = Option<bool>;

/// What a row asks of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Anything,
    Is(bool),
    Null,
    /// `not(true)` or `not(false)`, which null meets too.
    IsNot(bool),
}

impl Cell {
    fn met(self, fact: Fact) -> bool {
        match self {
            Self::Anything => true,
            Self::Is(wanted) => fact == Some(wanted),
            Self::Null => fact.is_none(),
            Self::IsNot(unwanted) => fact != Some(unwanted),
        }
    }

    fn text(self) -> Option<String> {
        match self {
            Self::Anything => None,
            Self::Is(wanted) => Some(wanted.to_string()),
            Self::Null => Some("null".to_owned()),
            Self::IsNot(unwanted) => Some(format!("not({unwanted})")),
        }
    }
}

fn cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        10 => Just(Cell::Anything),
        8 => any::<bool>().prop_map(Cell::Is),
        1 => Just(Cell::Null),
        1 => any::<bool>().prop_map(Cell::IsNot),
    ]
}

/// What `a`, `b`, `c` must be.
type Cells = [Cell; 3];

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
    let cells = [cell(), cell(), cell()];
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
            .filter_map(|(fact, cell)| Some(format!("{fact}: '{}'", cell.text()?)))
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
fn layer(policy: &Policy, way: [Fact; 3]) -> Answer {
    let hits: Vec<_> = policy
        .rows
        .iter()
        .filter(|row| row.cells.iter().zip(way).all(|(cell, fact)| cell.met(fact)))
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

/// The policies that decide at a scope: the nearest default, and all guardrails.
fn deciding<'p>(policies: &'p [Policy], at: &Scope) -> (Option<&'p Policy>, Vec<&'p Policy>) {
    let default = at.ancestors().find_map(|above| {
        policies
            .iter()
            .find(|p| p.default && scope(p.scope) == above)
    });
    let guardrails = policies
        .iter()
        .filter(|p| !p.default && scope(p.scope).contains(at));
    (default, guardrails.collect())
}

/// What all policies answer at a scope where all facts are known.
fn all(policies: &[Policy], at: &Scope, way: [Fact; 3]) -> Answer {
    let mut answer = Answer::default();
    let (default, guardrails) = deciding(policies, at);
    match default {
        Some(policy) => answer.join(&layer(policy, way)),
        None => answer.join(&Answer::deny()),
    }
    for policy in guardrails {
        answer.join(&layer(policy, way));
    }
    answer
}

/// The ways in which facts could turn out, `None` being unknown: null too, where a cell of
/// the policies that decide is met by null.
fn ways(policies: &[Policy], at: &Scope, known: [Option<Fact>; 3]) -> Vec<[Fact; 3]> {
    let (default, guardrails) = deciding(policies, at);
    let choices = |fact: usize| -> Vec<Fact> {
        let rows = default.iter().chain(&guardrails).flat_map(|p| &p.rows);
        let mut cells = rows.map(|row| row.cells[fact]);
        match known[fact] {
            Some(fact) => vec![fact],
            None if cells.any(|cell| matches!(cell, Cell::Null | Cell::IsNot(_))) => {
                vec![Some(true), Some(false), None]
            }
            None => vec![Some(true), Some(false)],
        }
    };
    let mut ways = Vec::new();
    for a in choices(0) {
        for b in choices(1) {
            for c in choices(2) {
                ways.push([a, b, c]);
            }
        }
    }
    ways
}

/// A fact, or `None` where it is unknown.
fn fact() -> impl Strategy<Value = Option<Fact>> {
    option::of(option::weighted(0.8, any::<bool>()))
}

/// So many cases, or as many as PROPTEST_CASES asks for.
fn cases(usual: u32) -> ProptestConfig {
    let config = ProptestConfig::default();
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig {
        cases: if asked { config.cases } else { usual },
        ..config
    }
}

proptest! {
    #![proptest_config(cases(512))]
    #[test]
    fn decisions_agree_with_the_twin(
        policies in policies(),
        known in [fact(), fact(), fact()],
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
                facts.insert(*name, value.map_or(Value::Null, Value::Boolean));
            }
        }
        let verdict = decide(&bundle.effective("w", &at).unwrap(), &at, &facts);

        let answers: Vec<_> = ways(&policies, &at, known).into_iter().map(|way| all(&policies, &at, way)).collect();
        let mut want = Answer::default();
        answers.iter().for_each(|answer| want.join(answer));
        let mut settled = answers.iter().all(|answer| *answer == answers[0]);
        prop_assert_eq!(settled, !verdict.reasons.iter().any(|r| &**r == "UNKNOWN_FACTS"));
        // A fact that is demanded must have a value.
        let demanded = |wanted: Option<&Value>| want.required_facts.iter().any(|name| facts.get(name) == wanted);
        let null = demanded(Some(&Value::Null));
        let missing = null || demanded(None);
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
        prop_assert!(settled || !verdict.unknown_facts.is_empty());
        // Knowing the facts that are said to matter settles the answer. A null that gets a
        // value is another question.
        if !settled && !null {
            let mut more = facts.clone();
            for name in &verdict.unknown_facts {
                more.insert(name, Value::Boolean(true));
            }
            prop_assert!(decide(&bundle.effective("w", &at).unwrap(), &at, &more).settled);
        }
    }
}
