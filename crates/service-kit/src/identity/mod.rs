//! Who is asking: tokens, principals, and the layer that puts a [`Caller`] into every
//! request.
//!
//! A subject is (issuer, `sub`). What it may do follows from its grants (roles at
//! scopes) and the table in [`crate::access`]; what it may assert follows from the
//! operator's principals file, never from a token or a payload.

mod asserts;
mod authenticator;
mod caller;
mod claims;
mod dev;
mod fetch;
mod found;
mod guards;
mod jwks;
mod layer;
mod principal;
mod principals;
mod revocation;
mod revoked;
mod settings;
mod source;
mod strict;
mod token;

#[cfg(test)]
mod guards_tests;
#[cfg(test)]
mod hostile_tests;

pub use asserts::Asserts;
pub use authenticator::{Authenticator, ON_BEHALF_OF};
pub use caller::{Caller, caller};
pub use dev::{DevIssuer, ISSUER as DEVELOPMENT_ISSUER};
pub use fetch::Fetch;
pub use found::Found;
pub use governance::Provenance;
pub use guards::Guards;
pub(crate) use guards::Shared;
pub(crate) use principal::is_role;
pub use principal::{Grant, GrantScope, Principal, PrincipalKind, Scopes};
pub use principals::MAX_SUBJECT;
pub(crate) use principals::check_principals;
pub use revocation::{RevocationSet, Revocations};
pub use settings::{Algorithm, ClaimMapping, IssuerSettings, Settings};
pub use source::TokenSource;
