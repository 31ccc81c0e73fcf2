//! A bundle: the scopes, workflows and policies that are in force together.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::{
    Scope, canonical,
    policy::{Mode, Policy},
    tree::ScopeTree,
    waiver::Waiver,
    workflow::Workflow,
};

/// What is in force together, compiled. Read-only: a change makes a new bundle.
#[derive(Debug, Default)]
pub struct Bundle {
    scopes: ScopeTree,
    workflows: BTreeMap<Arc<str>, Arc<Workflow>>,
    policies: BTreeMap<Arc<str>, Arc<Policy>>,
    waivers: BTreeMap<Arc<str>, Arc<Waiver>>,
    /// Policies by where they stand.
    places: HashMap<Arc<str>, HashMap<Scope, Place>>,
    digest: String,
}

/// The policies of one workflow at one scope.
#[derive(Debug, Default)]
struct Place {
    default: Option<Arc<Policy>>,
    guardrails: Vec<Arc<Policy>>,
}

/// The policies that decide a workflow's transactions at a scope.
#[derive(Debug, Clone)]
pub struct Effective<'a> {
    /// The workflow.
    pub workflow: &'a Arc<Workflow>,
    /// The nearest default on the path to the root.
    pub default: Option<&'a Arc<Policy>>,
    /// All guardrails on the path, the root's first.
    pub guardrails: Vec<&'a Arc<Policy>>,
    /// Waivers that hold; none unless they were asked for ([`Bundle::waived`]).
    pub waivers: Vec<&'a Arc<Waiver>>,
}

impl<'a> Effective<'a> {
    /// The layers: the default, then the guardrails.
    pub fn layers(&self) -> impl Iterator<Item = &'a Arc<Policy>> + '_ {
        self.default
            .into_iter()
            .chain(self.guardrails.iter().copied())
    }
}

impl Bundle {
    /// Puts together what the file reader has checked.
    pub(crate) fn new(
        scopes: ScopeTree,
        workflows: BTreeMap<Arc<str>, Arc<Workflow>>,
        policies: BTreeMap<Arc<str>, Arc<Policy>>,
        waivers: BTreeMap<Arc<str>, Arc<Waiver>>,
        digests: &BTreeMap<String, String>,
    ) -> Self {
        let mut places: HashMap<Arc<str>, HashMap<Scope, Place>> = HashMap::new();
        for policy in policies.values() {
            policy.table.compile();
            let place = places
                .entry(policy.workflow.clone())
                .or_default()
                .entry(policy.scope.clone())
                .or_default();
            match policy.mode {
                Mode::Default => place.default = Some(policy.clone()),
                Mode::Guardrail => place.guardrails.push(policy.clone()),
            }
        }
        Self {
            scopes,
            workflows,
            policies,
            waivers,
            places,
            digest: canonical::digest(&json!(digests)),
        }
    }

    /// `sha256:` and hex over the digests of all that is in force.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The scopes.
    #[must_use]
    pub fn scopes(&self) -> &ScopeTree {
        &self.scopes
    }

    /// The workflows, by name.
    #[must_use]
    pub fn workflows(&self) -> &BTreeMap<Arc<str>, Arc<Workflow>> {
        &self.workflows
    }

    /// The policies, by name.
    #[must_use]
    pub fn policies(&self) -> &BTreeMap<Arc<str>, Arc<Policy>> {
        &self.policies
    }

    /// The waivers, by name.
    #[must_use]
    pub fn waivers(&self) -> &BTreeMap<Arc<str>, Arc<Waiver>> {
        &self.waivers
    }

    /// The same as [`Self::effective`], with the waivers that hold at `now`.
    #[must_use]
    pub fn waived(
        &self,
        workflow: &str,
        scope: &Scope,
        now: DateTime<Utc>,
    ) -> Option<Effective<'_>> {
        let mut effective = self.effective(workflow, scope)?;
        if !self.waivers.is_empty() {
            let bound: Vec<_> = effective.layers().map(|policy| &policy.name).collect();
            let holds = |waiver: &&Arc<Waiver>| {
                waiver.stands()
                    && now < waiver.expires
                    && waiver.scope.contains(scope)
                    && bound.contains(&&waiver.policy)
            };
            effective.waivers = self.waivers.values().filter(holds).collect();
        }
        Some(effective)
    }

    /// The policies that decide a workflow's transactions at a scope; `None` where there
    /// is no such workflow. A scope that the tree doesn't know has what its known
    /// ancestors have.
    #[must_use]
    pub fn effective(&self, workflow: &str, scope: &Scope) -> Option<Effective<'_>> {
        let workflow = self.workflows.get(workflow)?;
        let mut effective = Effective {
            workflow,
            default: None,
            guardrails: Vec::new(),
            waivers: Vec::new(),
        };
        if let Some(places) = self.places.get(&workflow.name) {
            for place in scope.paths().filter_map(|path| places.get(path)) {
                effective.default = effective.default.or(place.default.as_ref());
                effective.guardrails.extend(place.guardrails.iter().rev());
            }
        }
        effective.guardrails.reverse();
        Some(effective)
    }
}
