//! Tokens and subjects that must no longer be honoured, consulted on every use.

use std::{collections::HashSet, sync::Arc};

use arc_swap::ArcSwap;

use super::Principal;

/// What is revoked at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RevocationSet {
    /// (issuer, `jti`).
    pub tokens: HashSet<(String, String)>,
    /// (issuer, `sub`).
    pub subjects: HashSet<(String, String)>,
}

/// The revocations in force in this process; whoever learns of them replaces them.
#[derive(Debug, Clone, Default)]
pub struct Revocations(Arc<ArcSwap<RevocationSet>>);

impl Revocations {
    /// Takes over the whole set, as read from its owner.
    pub fn replace(&self, set: RevocationSet) {
        self.0.store(Arc::new(set));
    }

    /// Revokes one token.
    pub fn revoke_token(&self, issuer: &str, token_id: &str) {
        self.0.rcu(|set| {
            let mut set = RevocationSet::clone(set);
            set.tokens.insert((issuer.to_owned(), token_id.to_owned()));
            set
        });
    }

    /// Revokes all tokens of a subject.
    pub fn revoke_subject(&self, issuer: &str, subject: &str) {
        self.0.rcu(|set| {
            let mut set = RevocationSet::clone(set);
            set.subjects.insert((issuer.to_owned(), subject.to_owned()));
            set
        });
    }

    /// Whether the principal's token, or all of its subject's, are revoked.
    #[must_use]
    pub fn contains(&self, principal: &Principal) -> bool {
        let token_id = principal.token_id.as_deref();
        self.covers(&principal.issuer, &principal.subject, token_id)
    }

    /// The same of somebody whose token was seen before: its `jti`, where it had one.
    #[must_use]
    pub fn covers(&self, issuer: &str, subject: &str, token_id: Option<&str>) -> bool {
        let set = self.0.load();
        if set.tokens.is_empty() && set.subjects.is_empty() {
            return false;
        }
        let key = |id: &str| (issuer.to_owned(), id.to_owned());
        set.subjects.contains(&key(subject))
            || token_id.is_some_and(|id| set.tokens.contains(&key(id)))
    }
}
