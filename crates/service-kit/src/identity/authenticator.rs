//! From the metadata of a request to its caller.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, header::AUTHORIZATION};
use moka::sync::Cache;
use opentelemetry::{KeyValue, metrics::Counter};
use sha2::{Digest as _, Sha256};

use super::{
    Caller, Principal, PrincipalKind, Revocations,
    token::{MAX_TOKEN, Refused, Verified, Verifier},
};
use crate::{
    access::{AccessTable, REPRESENT},
    clock::Clock,
    error::{Error, Kind, Reason, Result},
    telemetry,
};

/// Metadata key of the token of the person that a service acts for.
pub const ON_BEHALF_OF: HeaderName = HeaderName::from_static("on-behalf-of");

/// A verified token is verified again after this time, however long it holds.
const CACHED_FOR: Duration = Duration::from_secs(15 * 60);

type Digest = [u8; 32];

/// Verifies tokens, once each as long as they are remembered.
pub struct Authenticator {
    verifier: Verifier,
    verified: Cache<Digest, Arc<Verified>>,
    revocations: Revocations,
    access: Arc<AccessTable>,
    clock: Arc<dyn Clock>,
    refused: Counter<u64>,
}

impl Authenticator {
    pub(super) fn new(
        verifier: Verifier,
        cache: u64,
        access: Arc<AccessTable>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            verifier,
            verified: Cache::builder()
                .max_capacity(cache)
                .time_to_live(CACHED_FOR)
                .build(),
            revocations: Revocations::default(),
            access,
            clock,
            refused: telemetry::meter()
                .u64_counter("bylaw.identity.refusals")
                .with_description("Tokens that were refused, by why")
                .build(),
        }
    }

    pub(super) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    pub(super) fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// The caller that a request's metadata name.
    ///
    /// # Errors
    /// `Unauthenticated` with `TOKEN_MISSING`, `TOKEN_INVALID` or `TOKEN_REVOKED`;
    /// `PERMISSION_DENIED` if the caller may not act for a person.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller> {
        let token = bearer(headers, &AUTHORIZATION)?.ok_or_else(|| {
            self.count("missing");
            Error::new(
                Kind::Unauthenticated,
                Reason::TokenMissing,
                "no token was sent",
            )
        })?;
        let verified = self.verify(token, "authorization").await?;
        let Some(person_token) = bearer(headers, &ON_BEHALF_OF)? else {
            return Ok(
                Caller::new(verified.principal.clone(), None, self.access.clone())
                    .with_tokens(token.into(), None)
                    .with_act(verified.act.clone()),
            );
        };
        self.may_represent(&verified.principal)?;
        let person = self.verify(person_token, "on-behalf-of").await?;
        if person.principal.kind != PrincipalKind::Person {
            self.count("on_behalf_of");
            return Err(invalid("on-behalf-of", "is not a person's token"));
        }
        let (service, person) = (verified.principal.clone(), person.principal.clone());
        Ok(Caller::new(service, Some(person), self.access.clone())
            .with_tokens(token.into(), Some(person_token.into())))
    }

    fn may_represent(&self, principal: &Principal) -> Result<()> {
        let held = principal.kind == PrincipalKind::Service
            && !self.access.scopes(principal, REPRESENT).is_empty();
        if held {
            return Ok(());
        }
        self.count("on_behalf_of");
        Err(Error::denied(REPRESENT))
    }

    async fn verify(&self, token: &str, field: &'static str) -> Result<Arc<Verified>> {
        let now = self.clock.now();
        let verified = self
            .cached_or_verified(token, now)
            .await
            .map_err(|refused| {
                self.count(refused.label());
                tracing::debug!(field, %refused, "token refused");
                invalid(field, &refused.to_string())
            })?;
        if self.revocations.contains(&verified.principal) {
            self.count("revoked");
            return Err(Error::new(
                Kind::Unauthenticated,
                Reason::TokenRevoked,
                "the token or its subject was revoked",
            ));
        }
        Ok(verified)
    }

    async fn cached_or_verified(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Arc<Verified>, Refused> {
        // Before hashing, so that the work is bounded.
        if token.len() > MAX_TOKEN {
            return Err(Refused::TooLong);
        }
        let digest: Digest = Sha256::digest(token.as_bytes()).into();
        if let Some(verified) = self.verified.get(&digest) {
            if verified.principal.expires + self.verifier.skew() <= now {
                self.verified.invalidate(&digest);
                return Err(Refused::Expired);
            }
            // A key that its issuer withdrew takes its tokens with it.
            if self.verifier.still_trusted(&verified) {
                return Ok(verified);
            }
            self.verified.invalidate(&digest);
        }
        let verified = Arc::new(self.verifier.verify(token, now).await?);
        self.verified.insert(digest, verified.clone());
        Ok(verified)
    }

    fn count(&self, why: &'static str) {
        self.refused.add(1, &[KeyValue::new("reason", why)]);
    }
}

fn invalid(field: &str, why: &str) -> Error {
    let message = format!("{field}: token is refused: {why}");
    Error::new(Kind::Unauthenticated, Reason::TokenInvalid, message)
}

/// The bearer token in a header, which may come once.
fn bearer<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(invalid(name.as_str(), "sent more than once"));
    }
    let text = value
        .to_str()
        .map_err(|_| invalid(name.as_str(), "not ASCII"))?;
    let token = match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token,
        // The person's token is metadata of our own, with or without the scheme.
        None if *name == ON_BEHALF_OF => text,
        _ => return Err(invalid(name.as_str(), "not of the form `Bearer <token>`")),
    };
    Ok(Some(token))
}
