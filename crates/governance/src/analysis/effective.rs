//! The difference of two bundles: of the effective policy at every scope.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::sides::{Difference, compare};
use crate::{
    Scope,
    bundle::{Bundle, Effective},
    policy::Policy,
    workflow::Workflow,
};

/// Where two bundles answer differently.
#[derive(Debug, Clone, Default)]
pub struct BundleDifference {
    /// By workflow and scopes, those without a difference left out.
    pub scopes: Vec<ScopeDifference>,
    /// What of workflows and scopes differs beside tables, for people.
    pub definitions: Vec<String>,
}

/// What differs at some scopes.
#[derive(Debug, Clone)]
pub struct ScopeDifference {
    /// The workflow.
    pub workflow: Arc<str>,
    /// The scopes at which it does, all alike.
    pub scopes: Vec<Scope>,
    /// Where.
    pub difference: Difference,
}

impl BundleDifference {
    /// Whether the two are the same.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.scopes.is_empty() && self.definitions.is_empty()
    }
}

/// What layers are told apart by: their names and digests, which cover how they bind.
pub type Layers = Vec<(Arc<str>, Arc<str>)>;

/// Scopes at which a workflow's policies are replaced by others, all alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    /// The workflow.
    pub workflow: Arc<str>,
    /// The scopes.
    pub scopes: Vec<Scope>,
    /// Names and digests of the layers before.
    pub before: Layers,
    /// Those after.
    pub after: Layers,
}

/// Where the policies that decide aren't the same in two bundles, whether answers differ or
/// not. Workflows that only one of them has are left out: see
/// [`BundleDifference::definitions`].
#[must_use]
pub fn affected(old: &Bundle, new: &Bundle) -> Vec<Affected> {
    let mut found = Vec::new();
    let both = |name: &&Arc<str>| new.workflows().contains_key(*name);
    let scopes: BTreeSet<&Scope> = old
        .scopes()
        .iter()
        .chain(new.scopes().iter())
        .map(|(scope, _)| scope)
        .collect();
    for workflow in old.workflows().keys().filter(both) {
        let named = named_scopes(old, new, workflow);
        let mut groups: BTreeMap<(Layers, Layers, Option<&Scope>), Vec<Scope>> = BTreeMap::new();
        for scope in &scopes {
            let (Some(before), Some(after)) = (
                old.effective(workflow, scope),
                new.effective(workflow, scope),
            ) else {
                continue;
            };
            let (before, after) = (layers(&before), layers(&after));
            if digests(&before) != digests(&after) {
                // Approvals at the transaction's scope are those at a named one only there.
                let own = named.contains(*scope).then_some(*scope);
                groups
                    .entry((before, after, own))
                    .or_default()
                    .push((*scope).clone());
            }
        }
        let groups = groups.into_iter();
        found.extend(groups.map(|((before, after, _), scopes)| Affected {
            workflow: workflow.clone(),
            scopes,
            before,
            after,
        }));
    }
    found
}

/// Every region at every scope where two bundles answer differently.
#[must_use]
pub fn difference(old: &Bundle, new: &Bundle) -> BundleDifference {
    let mut found = BundleDifference {
        scopes: Vec::new(),
        definitions: definitions(old, new),
    };
    for Affected {
        workflow, scopes, ..
    } in affected(old, new)
    {
        let Some(scope) = scopes.first() else {
            continue;
        };
        let (Some(before), Some(after)) = (
            old.effective(&workflow, scope),
            new.effective(&workflow, scope),
        ) else {
            continue;
        };
        let (before, after): (Vec<_>, Vec<_>) =
            (before.layers().collect(), after.layers().collect());
        let difference = compare(&before, &after, scope, true, super::Answered::change);
        if !difference.is_none() {
            found.scopes.push(ScopeDifference {
                workflow,
                scopes,
                difference,
            });
        }
    }
    found
}

fn layers(effective: &Effective<'_>) -> Layers {
    effective
        .layers()
        .map(|policy| (policy.name.clone(), policy.digest.clone()))
        .collect()
}

fn digests(layers: &Layers) -> Vec<&str> {
    layers.iter().map(|(_, digest)| &**digest).collect()
}

/// The scopes that rows name for approvals.
fn named_scopes(old: &Bundle, new: &Bundle, workflow: &str) -> BTreeSet<Scope> {
    let policies = old.policies().values().chain(new.policies().values());
    let of_workflow = policies.filter(|policy| &*policy.workflow == workflow);
    let approvals = |policy: &Arc<Policy>| {
        let rows = policy.rows.iter().flat_map(|row| &row.approvals);
        rows.filter_map(|approval| approval.at.clone())
            .collect::<Vec<_>>()
    };
    of_workflow.flat_map(approvals).collect()
}

/// What a workflow says that regions don't show.
fn definitions(old: &Bundle, new: &Bundle) -> Vec<String> {
    let mut texts = Vec::new();
    for name in old
        .workflows()
        .keys()
        .filter(|name| !new.workflows().contains_key(*name))
    {
        texts.push(format!("workflow {name} is gone"));
    }
    for (name, workflow) in new.workflows() {
        match old.workflows().get(name) {
            None => texts.push(format!("workflow {name} is new")),
            Some(before) => compare_workflows(before, workflow, &mut texts),
        }
    }
    for (scope, node) in new.scopes().iter() {
        match old.scopes().get(scope) {
            None => texts.push(format!("scope {scope} is new")),
            Some(before) if before.level != node.level => {
                texts.push(format!(
                    "scope {scope} was {} and is {}",
                    before.level, node.level
                ));
            }
            Some(_) => {}
        }
    }
    let gone = old
        .scopes()
        .iter()
        .filter(|(scope, _)| new.scopes().get(scope).is_none());
    texts.extend(gone.map(|(scope, _)| format!("scope {scope} is gone")));
    let waivable = |(name, policy): (&Arc<str>, &Arc<Policy>)| {
        let before = old.policies().get(name)?;
        (before.waivable != policy.waivable).then(|| {
            format!(
                "policy {name} was waivable: {}, and is: {}",
                before.waivable, policy.waivable
            )
        })
    };
    texts.extend(new.policies().iter().filter_map(waivable));
    // Under another name it may come back as one that can be waived.
    let guarded = old
        .policies()
        .iter()
        .filter(|(name, policy)| !policy.waivable && !new.policies().contains_key(*name));
    texts.extend(guarded.map(|(name, _)| format!("policy {name}, which can't be waived, is gone")));
    compare_waivers(old, new, &mut texts);
    texts
}

/// Waivers are shown by what they say: whether one applies depends on the time.
fn compare_waivers(old: &Bundle, new: &Bundle, texts: &mut Vec<String>) {
    for (name, waiver) in new.waivers() {
        let is = match old.waivers().get(name) {
            None => "is new",
            Some(before) if before.digest != waiver.digest => "is another",
            Some(before) if waiver.stands() && !before.stands() => "holds again",
            Some(_) => continue,
        };
        texts.push(format!(
            "waiver {name} {is}: row {} of {} at {} until {}, for {}: {}",
            waiver.row,
            waiver.policy,
            waiver.scope,
            waiver.expires.format("%Y-%m-%dT%H:%M:%SZ"),
            waiver.beneficiary,
            waiver.reason
        ));
    }
    let gone = old
        .waivers()
        .keys()
        .filter(|name| !new.waivers().contains_key(*name));
    texts.extend(gone.map(|name| format!("waiver {name} is gone")));
}

fn compare_workflows(old: &Workflow, new: &Workflow, texts: &mut Vec<String>) {
    // Without `..`, so that a field that is added is compared too.
    let Workflow {
        name,
        class,
        owner,
        criticality,
        sensitivity,
        executed_by,
        depends_on,
        description: _,
        facts: _,
    } = new;
    let mut was = |what: &str, before: String, after: String| {
        if before != after {
            texts.push(format!("workflow {name}{what} was {before} and is {after}"));
        }
    };
    was("", old.class.to_string(), class.to_string());
    was("'s owner", old.owner.clone(), owner.clone());
    let before = old.criticality.to_string();
    was("'s criticality", before, criticality.to_string());
    let before = old.sensitivity.to_string();
    was("'s control sensitivity", before, sensitivity.to_string());
    let before = old.executed_by.to_string();
    was("'s executing layer", before, executed_by.to_string());
    was(
        "'s systems",
        old.depends_on.join(", "),
        depends_on.join(", "),
    );
    for (fact, schema) in &new.facts {
        let Some(before) = old.facts.get(fact) else {
            texts.push(format!("workflow {name}: fact {fact} is new"));
            continue;
        };
        let mut differs = |what: &str, same: bool| {
            if !same {
                texts.push(format!("workflow {name}: fact {fact} has another {what}"));
            }
        };
        differs("type", before.ty == schema.ty);
        differs("provenance", before.provenance == schema.provenance);
        differs("max_age", before.max_age == schema.max_age);
        differs("binding", before.binding == schema.binding);
    }
    let gone = old
        .facts
        .keys()
        .filter(|fact| !new.facts.contains_key(*fact));
    texts.extend(gone.map(|fact| format!("workflow {name}: fact {fact} is gone")));
}
