//! What a caller may see. Records of a scope are seen with a grant at the scope or above
//! it; records without one (of the suite itself) with a grant at a root scope, or
//! everywhere.

use governance::Scope;
use service_kit::{
    error::{Error, Result},
    identity::{Caller, Scopes},
};

use super::Visible;

impl Visible {
    /// What the caller sees with a permission.
    ///
    /// # Errors
    /// If it holds the permission nowhere.
    pub fn to(caller: &Caller, permission: &str) -> Result<Self> {
        let scopes = caller.scopes(permission);
        if scopes.is_empty() {
            return Err(Error::denied(permission));
        }
        Ok(Self::of(&scopes))
    }

    /// What is seen from these scopes.
    #[must_use]
    pub fn of(scopes: &Scopes) -> Self {
        match scopes.prefixes() {
            None => Self {
                scopes: None,
                unscoped: true,
            },
            Some(tops) => Self {
                unscoped: tops.iter().any(|top| top.depth() == 1),
                scopes: Some(tops.to_vec()),
            },
        }
    }

    /// Whether a record of this scope is seen.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        if scope.is_empty() {
            return self.unscoped;
        }
        match &self.scopes {
            None => true,
            Some(tops) => {
                Scope::parse(scope).is_ok_and(|scope| tops.iter().any(|top| top.contains(&scope)))
            }
        }
    }
}
