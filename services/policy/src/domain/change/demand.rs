//! Who must approve a change: what the workflow `change_approval` answers, or the shipped
//! one where the company has none of its own.

use std::{collections::BTreeMap, sync::Arc};

use approval::Requirement;
use decision::{Facts, Number, Value};
use governance::{
    Bundle, Effect, Scope, Workflow,
    bundle::Effective,
    decide,
    files::{self, Source, compile},
};
use serde::{Deserialize, Serialize};

use super::{Change, Item, item::Documents};

/// The workflow that decides who must approve a change.
pub const WORKFLOW: &str = "change_approval";
const SHIPPED_WORKFLOW: &str = include_str!("change_approval.workflow.yaml");
const SHIPPED_POLICY: &str = include_str!("change_approval.policy.yaml");

/// Who must approve.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// Nobody can: the policy denies it.
    pub denied: bool,
    /// Who.
    pub approvals: Vec<Requirement>,
    /// Codes and texts of rows.
    pub reasons: Vec<String>,
}

impl Demand {
    fn denied(reason: &str) -> Self {
        Self {
            denied: true,
            approvals: Vec::new(),
            reasons: vec![reason.to_owned()],
        }
    }

    /// Demands what either does.
    pub fn join(&mut self, other: &Self) {
        self.denied |= other.denied;
        for needed in &other.approvals {
            self.add(needed);
        }
        for reason in &other.reasons {
            if !self.reasons.contains(reason) {
                self.reasons.push(reason.clone());
            }
        }
    }

    fn add(&mut self, needed: &Requirement) {
        let same = |held: &&mut Requirement| held.role == needed.role && held.at == needed.at;
        match self.approvals.iter_mut().find(same) {
            Some(held) => held.count = held.count.max(needed.count),
            None => self.approvals.push(needed.clone()),
        }
    }
}

/// What is demanded of a change by what is in force. Each document is asked about by
/// itself, and the answers are joined; `council` must approve a change of this demand.
#[must_use]
pub fn demand(
    change: &Change,
    (in_force, after): (&Bundle, &Bundle),
    documents: &Documents,
    council: &str,
) -> Demand {
    let Some(root) = root(in_force).or_else(|| root(after)) else {
        return Demand::denied("there is no scope");
    };
    let shipped;
    let bundle = if in_force.workflows().contains_key(WORKFLOW) {
        in_force
    } else {
        shipped = shipped_bundle(&root);
        &shipped
    };
    let mut joined = Demand::default();
    for item in &change.items {
        let at = item.stands_at(documents);
        let at = if at.is_empty() {
            vec![root.clone()]
        } else {
            at
        };
        let workflows = item.workflows(documents);
        let named = workflows.iter().map(|name| Some(name.as_str()));
        let named: Vec<_> = if workflows.is_empty() {
            vec![None]
        } else {
            named.collect()
        };
        for scope in &at {
            for name in &named {
                // As it is and as it would be: neither is made light of by the other.
                let of =
                    |bundle: &Bundle| name.and_then(|name| bundle.workflows().get(name).cloned());
                let mut workflows: Vec<_> = [of(in_force), of(after)]
                    .into_iter()
                    .flatten()
                    .map(Some)
                    .collect();
                if workflows.is_empty() {
                    workflows.push(None);
                }
                for workflow in &workflows {
                    let facts = facts(change, item, documents, scope, (after, workflow.as_ref()));
                    joined.join(&match bundle.effective(WORKFLOW, scope) {
                        Some(effective) => answer(&effective, scope, &facts),
                        None => Demand::denied("there is no policy of changes"),
                    });
                }
            }
        }
        if workflows.iter().any(|name| name == WORKFLOW) {
            joined.add(&Requirement {
                role: council.to_owned(),
                at: root.clone(),
                count: 1,
            });
        }
    }
    joined
}

fn answer(effective: &Effective<'_>, scope: &Scope, facts: &Facts) -> Demand {
    let verdict = decide(effective, scope, facts);
    let approvals = verdict.approvals.into_iter().map(|needed| Requirement {
        role: needed.role.to_string(),
        at: needed.at,
        count: needed.count,
    });
    let approvals: Vec<_> = approvals.collect();
    // Approval that names nobody is nobody's to give.
    let nobody = verdict.effect == Effect::RequireApproval && approvals.is_empty();
    Demand {
        denied: verdict.effect == Effect::Deny || nobody,
        approvals,
        reasons: verdict.reasons.iter().map(ToString::to_string).collect(),
    }
}

fn facts(
    change: &Change,
    item: &Item,
    documents: &Documents,
    scope: &Scope,
    (after, workflow): (&Bundle, Option<&Arc<Workflow>>),
) -> Facts {
    let text = |text: &str| Value::String(text.into());
    let count = |count: u64| Value::Number(Number::from(i64::try_from(count).unwrap_or(i64::MAX)));
    let mut facts: BTreeMap<String, Value> = BTreeMap::new();
    let mut put = |name: &str, value: Value| {
        facts.insert(name.to_owned(), value);
    };
    put("change.kind", text(&item.kind));
    put("change.action", text(item.action(documents).as_str()));
    if let Some(review) = &change.review {
        put("change.looser", Value::Boolean(review.loosens));
    }
    if let Some(node) = after.scopes().get(scope) {
        put("change.scope_level", text(node.level.as_str()));
    }
    match workflow {
        Some(workflow) => {
            put("workflow.name", text(&workflow.name));
            put("workflow.class", text(workflow.class.as_str()));
            put("workflow.criticality", text(workflow.criticality.as_str()));
            let sensitivity = workflow.sensitivity.as_str();
            put("workflow.control_sensitivity", text(sensitivity));
        }
        None => {
            for name in ["name", "class", "criticality", "control_sensitivity"] {
                put(&format!("workflow.{name}"), Value::Null);
            }
        }
    }
    // Of a part of the decisions it says nothing: then these facts are unknown.
    if let Some(backtest) = change.backtest.as_ref().filter(|found| found.complete) {
        put("backtest.decisions", count(backtest.decisions));
        put("backtest.looser", count(backtest.looser));
        put("backtest.not_replayable", count(backtest.not_replayable));
    }
    Facts::from_iter(facts)
}

fn root(bundle: &Bundle) -> Option<Scope> {
    Some(bundle.scopes().iter().next()?.0.clone())
}

/// The shipped workflow and policy, for a company whose scopes begin at `root`.
fn shipped_bundle(root: &Scope) -> Bundle {
    // Nothing of it: then there is no workflow, and every change is denied.
    compile(&shipped(root)).unwrap_or_default()
}

fn shipped(root: &Scope) -> Vec<Source> {
    let tree = format!(
        "kind: {}\nscopes: {{{root}: {{level: ENTERPRISE}}}}\n",
        files::SCOPE_TREE
    );
    let policy = SHIPPED_POLICY.replace("scope: ROOT", &format!("scope: {root}"));
    let policy = policy.replace("at: ROOT", &format!("at: {root}"));
    let sources = [tree.as_str(), SHIPPED_WORKFLOW, &policy].map(|text| Source {
        path: String::new(),
        lines_before: 0,
        text: text.into(),
        attachments: BTreeMap::new(),
        version: 1,
    });
    sources.to_vec()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_compiles_and_settles_every_change() {
        let root = Scope::parse("corp").unwrap();
        let bundle = compile(&shipped(&root)).map_err(|found| found[0].to_string());
        let bundle = bundle.unwrap();
        let policy = &bundle.policies()["change_approval.enterprise"];
        let report = decision::analyse::check(&policy.table, Default::default());
        let gaps: Vec<_> = report
            .of(decision::analyse::FindingKind::Gap)
            .map(|gap| gap.region.to_string())
            .collect();
        assert_eq!(gaps, Vec::<String>::new());
    }

    #[test]
    fn the_example_has_what_is_shipped() {
        let workflow =
            include_str!("../../../../../examples/distributor/workflows/change_approval.yaml");
        let policy = include_str!(
            "../../../../../examples/distributor/policies/change_approval.enterprise.yaml"
        );
        assert_eq!(workflow, SHIPPED_WORKFLOW);
        assert_eq!(policy, SHIPPED_POLICY.replace("ROOT", "acme"));
    }
}
