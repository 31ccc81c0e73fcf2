//! The caller of a request, as the authenticate layer leaves it in the extensions.

use std::{fmt, sync::Arc};

use approval::Approver;
use governance::Scope;

use super::{GrantScope, Principal, PrincipalKind, Provenance, Scopes};
use crate::{
    access::{AccessTable, Refusal, Refusals},
    error::{Error, Kind, Reason, Result},
};

/// Who calls, for whom, and what both may do.
#[derive(Clone)]
pub struct Caller {
    principal: Arc<Principal>,
    on_behalf_of: Option<Arc<Principal>>,
    via: Option<String>,
    token: Arc<str>,
    person_token: Option<Arc<str>>,
    access: Arc<AccessTable>,
    refusals: Refusals,
}

impl Caller {
    /// A caller that is no request's: for work a service does by itself, and for tests.
    #[must_use]
    pub fn new(
        principal: impl Into<Arc<Principal>>,
        on_behalf_of: Option<Arc<Principal>>,
        access: Arc<AccessTable>,
    ) -> Self {
        let principal = principal.into();
        let via = on_behalf_of.as_ref().map(|_| principal.subject.clone());
        Self {
            principal,
            on_behalf_of,
            via,
            token: Arc::from(""),
            person_token: None,
            access,
            refusals: Refusals::default(),
        }
    }

    /// The same, with the tokens it came with.
    pub(super) fn with_tokens(mut self, token: Arc<str>, person_token: Option<Arc<str>>) -> Self {
        self.token = token;
        self.person_token = person_token;
        self
    }

    /// The same, with the service that its issuer says acts for it.
    pub(super) fn with_act(mut self, act: Option<String>) -> Self {
        self.via = self.via.or(act);
        self
    }

    /// The same, with the place its refusals go to.
    pub(super) fn with_refusals(mut self, refusals: Refusals) -> Self {
        self.refusals = refusals;
        self
    }

    /// Who called: the service, where it acts for a person.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The person acted for, or else the principal.
    #[must_use]
    pub fn actor(&self) -> &Principal {
        self.on_behalf_of.as_deref().unwrap_or(&self.principal)
    }

    /// The actor with the roles of the token, as approvals need it. Only services hold roles
    /// everywhere, and no service approves: those are left out.
    #[must_use]
    pub fn approver(&self) -> Approver {
        let actor = self.actor();
        let grants = actor.grants.iter().filter_map(|grant| match &grant.at {
            GrantScope::Under(at) => Some(approval::Grant {
                role: grant.role.clone(),
                at: at.clone(),
            }),
            GrantScope::All => None,
        });
        Approver {
            who: approval::Subject {
                issuer: actor.issuer.clone(),
                subject: actor.subject.clone(),
            },
            kind: match actor.kind {
                PrincipalKind::Person => approval::Kind::Person,
                PrincipalKind::Service => approval::Kind::Service,
                PrincipalKind::Model => approval::Kind::Model,
            },
            grants: grants.collect(),
        }
    }

    /// The person acted for.
    #[must_use]
    pub fn on_behalf_of(&self) -> Option<&Principal> {
        self.on_behalf_of.as_deref()
    }

    /// Whose word the facts of this call are: of a service and the person it acts for,
    /// the weaker, so that neither lends the other more than it has.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        self.principal.provenance().max(self.actor().provenance())
    }

    /// Whose word this fact is; as [`Self::provenance`], which is about whatever isn't one
    /// fact.
    #[must_use]
    pub fn provenance_of(&self, fact: &str) -> Provenance {
        let own = self.principal.provenance_of(fact);
        own.max(self.actor().provenance_of(fact))
    }

    /// Subject of the service that called for the actor, where one did.
    #[must_use]
    pub fn via(&self) -> Option<&str> {
        self.via.as_deref()
    }

    /// The actor as the contracts have it, with `via`.
    #[must_use]
    pub fn actor_to_proto(&self) -> contracts::types::Principal {
        contracts::types::Principal {
            via: self.via.clone().unwrap_or_default(),
            ..self.actor().to_proto()
        }
    }

    /// The person's token, to be passed on as `on-behalf-of`: that of the person acted
    /// for, or the caller's own where it is a person.
    #[must_use]
    pub fn person_token(&self) -> Option<&str> {
        match (&self.person_token, self.principal.kind) {
            (Some(token), _) => Some(token),
            (None, PrincipalKind::Person) => {
                Some(&self.token).filter(|t| !t.is_empty()).map(|t| &**t)
            }
            (None, _) => None,
        }
    }

    /// The scopes the caller holds the permission at: where it acts for a person, those
    /// that both hold it at.
    #[must_use]
    pub fn scopes(&self, permission: &str) -> Scopes {
        let own = self.access.scopes(&self.principal, permission);
        match &self.on_behalf_of {
            Some(person) => own.intersect(&self.access.scopes(person, permission)),
            None => own,
        }
    }

    /// Asks for a permission at a scope.
    ///
    /// # Errors
    /// `PERMISSION_DENIED` if the caller, or the person it acts for, doesn't hold it there.
    pub fn require(&self, permission: &str, scope: &Scope) -> Result<()> {
        let held = |who: &Principal| self.access.allows(who, permission, scope);
        if held(&self.principal) && self.on_behalf_of.as_deref().is_none_or(held) {
            return Ok(());
        }
        Err(Error::denied_at(permission, scope.as_str()))
    }

    /// Asks for a permission at any scope; what is found is limited by [`Self::scopes`].
    ///
    /// # Errors
    /// `PERMISSION_DENIED` if the caller holds it nowhere.
    pub fn require_somewhere(&self, permission: &str) -> Result<()> {
        let held = match &self.on_behalf_of {
            None => self.access.allows_somewhere(&self.principal, permission),
            Some(_) => !self.scopes(permission).is_empty(),
        };
        if held {
            return Ok(());
        }
        Err(Error::denied(permission))
    }

    /// Static segregation of duties: call it on every governed write.
    ///
    /// # Errors
    /// `SOD_CONFLICTING_ROLES` if the caller, or the person it acts for, holds two roles
    /// that must not be held together.
    pub fn require_no_conflict(&self) -> Result<()> {
        for who in std::iter::once(&self.principal).chain(&self.on_behalf_of) {
            if let Some(conflict) = self.access.conflict(who) {
                return Err(Error::sod(
                    Reason::SodConflictingRoles,
                    format!(
                        "roles `{}` and `{}` must not be held together: {}",
                        conflict.first, conflict.second, conflict.reason
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Asks for a named person behind the call.
    ///
    /// # Errors
    /// `REQUESTER_UNKNOWN` if the actor is no person.
    pub fn require_person(&self) -> Result<&Principal> {
        let actor = self.actor();
        if actor.kind == PrincipalKind::Person {
            return Ok(actor);
        }
        Err(Error::new(
            Kind::PermissionDenied,
            Reason::RequesterUnknown,
            format!(
                "this step needs a person, and the call comes from a {}",
                actor.kind.as_str()
            ),
        ))
    }

    /// Whether the caller is the internal service with this role, such as `bylaw-aigate`.
    #[must_use]
    pub fn is_service(&self, role: &str) -> bool {
        self.principal.kind == PrincipalKind::Service
            && self.access.is_internal(role)
            && self.principal.grants.iter().any(|grant| grant.role == role)
    }

    /// What a finder answers for a resource outside the caller's scopes: not found, as
    /// far as the caller sees; in the audit log, a refusal.
    #[must_use]
    pub fn out_of_scope(&self, resource: &str, scope: &Scope) -> Error {
        self.refusals.record(Refusal {
            resource: resource.to_owned(),
            scope: scope.to_string(),
            ..Refusal::new(
                self,
                Reason::PermissionDenied,
                "outside the caller's scopes",
            )
        });
        Error::not_found(resource)
    }

    /// Where the refusals of this call go.
    #[must_use]
    pub fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// The access table in force for this call.
    #[must_use]
    pub fn access(&self) -> &Arc<AccessTable> {
        &self.access
    }
}

/// Tokens stay out of logs.
impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("principal", &self.principal.subject)
            .field(
                "on_behalf_of",
                &self.on_behalf_of.as_ref().map(|p| &p.subject),
            )
            .finish_non_exhaustive()
    }
}

/// The caller of a request.
///
/// # Errors
/// `TOKEN_MISSING` if the authenticate layer left none, as on a public method.
pub fn caller<T>(request: &tonic::Request<T>) -> Result<Arc<Caller>> {
    request
        .extensions()
        .get::<Arc<Caller>>()
        .cloned()
        .ok_or_else(|| {
            Error::new(
                Kind::Unauthenticated,
                Reason::TokenMissing,
                "no token was sent",
            )
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn principal(kind: PrincipalKind, asserts: &[Provenance]) -> Principal {
        Principal {
            kind,
            asserts: asserts.iter().copied().map(Into::into).collect(),
            ..Principal::own("test")
        }
    }

    #[test]
    fn neither_service_nor_person_lends_the_other_its_word() {
        let access = Arc::new(AccessTable::shipped().unwrap());
        let adapter = principal(PrincipalKind::Service, &[Provenance::Erp]);
        let clerk = principal(PrincipalKind::Person, &[]);
        let trusted = principal(PrincipalKind::Person, &[Provenance::Erp]);
        let plain = principal(PrincipalKind::Service, &[]);
        for (service, person, want) in [
            (&adapter, None, Provenance::Erp),
            (&adapter, Some(&clerk), Provenance::Person),
            (&adapter, Some(&trusted), Provenance::Erp),
            (&plain, Some(&trusted), Provenance::Integration),
        ] {
            let caller = Caller::new(
                service.clone(),
                person.cloned().map(Arc::new),
                access.clone(),
            );
            assert_eq!(caller.provenance(), want);
            assert_eq!(caller.provenance_of("order.total"), want);
        }
    }
}
