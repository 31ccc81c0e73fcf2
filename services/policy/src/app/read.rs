//! Reading what is in force, and what was decided.

use std::sync::Arc;

use governance::{Scope, Workflow, tree::Node};
use service_kit::{
    error::{Error, Result},
    identity::{Caller, Scopes},
    page,
};
use uuid::Uuid;

use super::{App, permission, store::Kept};
use crate::domain::snapshot::{Document, Snapshot};

pub(super) const DEFAULT_PAGE: u32 = 100;
pub(super) const MAX_PAGE: u32 = 1_000;

/// A page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Names the next page; empty on the last.
    pub next: String,
}

/// A policy in force with its document.
pub type InForce = (Arc<governance::Policy>, Document);

impl App {
    /// The policies in force on this replica.
    #[must_use]
    pub fn revision(&self) -> Arc<Snapshot> {
        self.snapshot()
    }

    /// A recorded decision.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none, or none within the caller's scopes.
    pub async fn decision(&self, caller: &Caller, id: Uuid) -> Result<Kept> {
        let name = format!("decisions/{id}");
        let scopes = caller.scopes(permission::READ_DECISION);
        let found = self.store.decision(id, &scopes).await?;
        found.for_caller(caller, &name)
    }

    /// A scope.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none, or none within the caller's scopes.
    pub fn scope(&self, caller: &Caller, scope: &Scope) -> Result<Node> {
        caller.require(permission::READ_SCOPE, scope)?;
        let snapshot = self.snapshot();
        snapshot
            .bundle
            .scopes()
            .get(scope)
            .cloned()
            .ok_or_else(|| Error::not_found(format!("scopes/{scope}")))
    }

    /// The scopes that the caller sees, by path.
    ///
    /// # Errors
    /// If size or token of the page are malformed.
    pub fn scopes(&self, caller: &Caller, size: i32, token: &str) -> Result<Page<(Scope, Node)>> {
        let allowed = caller.scopes(permission::READ_SCOPE);
        let snapshot = self.snapshot();
        let seen = snapshot
            .bundle
            .scopes()
            .iter()
            .filter(|(scope, _)| allowed.contains(scope))
            .map(|(scope, node)| (scope.as_str(), (scope.clone(), node.clone())));
        paged(seen, size, token, &[b"ListScopes"])
    }

    /// A workflow.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none.
    pub fn workflow(&self, name: &str) -> Result<Arc<Workflow>> {
        let snapshot = self.snapshot();
        snapshot
            .bundle
            .workflows()
            .get(name)
            .cloned()
            .ok_or_else(|| Error::not_found(format!("workflows/{name}")))
    }

    /// The workflows, by name: the inventory is the whole company's.
    ///
    /// # Errors
    /// If size or token of the page are malformed.
    pub fn workflows(&self, size: i32, token: &str) -> Result<Page<Arc<Workflow>>> {
        let snapshot = self.snapshot();
        let all = snapshot.bundle.workflows().iter();
        let all = all.map(|(name, workflow)| (&**name, workflow.clone()));
        paged(all, size, token, &[b"ListWorkflows"])
    }

    /// The policies in force, for who may look up what decides at a scope.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such workflow or scope.
    pub fn effective_policy(
        &self,
        caller: &Caller,
        workflow: &str,
        scope: &Scope,
    ) -> Result<Arc<Snapshot>> {
        caller.require(permission::READ_POLICY, scope)?;
        let snapshot = self.snapshot();
        if snapshot.bundle.scopes().get(scope).is_none() {
            return Err(Error::not_found(format!("scopes/{scope}")));
        }
        if !snapshot.bundle.workflows().contains_key(workflow) {
            return Err(Error::not_found(format!("workflows/{workflow}")));
        }
        Ok(snapshot)
    }

    /// A policy in force.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none, or none that the caller sees.
    pub fn policy(&self, caller: &Caller, name: &str) -> Result<InForce> {
        let resource = format!("policies/{name}");
        let snapshot = self.snapshot();
        let found = snapshot
            .bundle
            .policies()
            .get(name)
            .zip(snapshot.policy(name));
        let (policy, document) = found.ok_or_else(|| Error::not_found(&resource))?;
        if !sees(&caller.scopes(permission::READ_POLICY), &policy.scope) {
            return Err(caller.out_of_scope(&resource, &policy.scope));
        }
        Ok((policy.clone(), document.clone()))
    }

    /// The policies in force that the caller sees, by name; of one workflow, unless that
    /// is empty.
    ///
    /// # Errors
    /// If size or token of the page are malformed.
    pub fn policies(
        &self,
        caller: &Caller,
        workflow: &str,
        size: i32,
        token: &str,
    ) -> Result<Page<InForce>> {
        let allowed = caller.scopes(permission::READ_POLICY);
        let snapshot = self.snapshot();
        let seen = snapshot
            .bundle
            .policies()
            .iter()
            .filter(|(_, policy)| workflow.is_empty() || &*policy.workflow == workflow)
            .filter(|(_, policy)| sees(&allowed, &policy.scope))
            .filter_map(|(name, policy)| {
                let document = snapshot.policy(name)?;
                Some((&**name, (policy.clone(), document.clone())))
            });
        paged(seen, size, token, &[b"ListPolicies", workflow.as_bytes()])
    }
}

/// Whether somebody with these scopes sees a policy there: one of their own, or one above
/// that binds them.
pub(super) fn sees(allowed: &Scopes, scope: &Scope) -> bool {
    allowed.contains(scope)
        || allowed
            .prefixes()
            .is_some_and(|prefixes| prefixes.iter().any(|own| scope.contains(own)))
}

/// A page of items that come in the order of their keys; the token holds the last key.
pub(super) fn paged<'a, T>(
    items: impl Iterator<Item = (&'a str, T)>,
    size: i32,
    token: &str,
    params: &[&[u8]],
) -> Result<Page<T>> {
    let size = page::size(size, DEFAULT_PAGE, MAX_PAGE)?;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let after: Option<String> = page::decode(token, params)?;
    let mut rest = items.filter(|(key, _)| after.as_deref().is_none_or(|after| *key > after));
    let mut last = String::new();
    let mut found = Vec::new();
    for (key, item) in rest.by_ref().take(size) {
        key.clone_into(&mut last);
        found.push(item);
    }
    let next = match rest.next() {
        Some(_) => page::encode(&last, params),
        None => String::new(),
    };
    Ok(Page { items: found, next })
}
