//! What finders answer.

use governance::Scope;

use super::Caller;
use crate::error::{Error, Result};

/// What a finder found within the caller's scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<T> {
    /// It is there.
    Here(T),
    /// It is there, but outside the scopes.
    Elsewhere(Scope),
    /// There is none.
    Missing,
}

impl<T> Found<T> {
    /// What is there. What is elsewhere looks to the caller like what is missing; in the
    /// audit log it is a refusal.
    ///
    /// # Errors
    /// `NOT_FOUND` if it isn't within the caller's scopes.
    pub fn for_caller(self, caller: &Caller, resource: &str) -> Result<T> {
        match self {
            Self::Here(found) => Ok(found),
            Self::Elsewhere(scope) => Err(caller.out_of_scope(resource, &scope)),
            Self::Missing => Err(Error::not_found(resource)),
        }
    }
}
