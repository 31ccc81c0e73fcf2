//! Governance semantics: scopes, effects, layers and their join, the files that say what
//! governs, and decisions. Pure: no I/O, no clock, no randomness.
//!
//! [`files::compile`] makes a [`Bundle`] of documents; [`Bundle::effective`] gives the
//! layers that decide a transaction, [`admit::admit`] the facts that may be used, and
//! [`decide::decide`] the [`Verdict`].

pub mod admit;
pub mod analysis;
pub mod answer;
pub mod binding;
pub mod bundle;
pub mod canonical;
pub mod decide;
pub mod files;
pub mod policy;
pub mod scope;
pub mod suite;
pub mod tree;
pub mod waiver;
pub mod workflow;

pub use answer::{Answer, Effect, Requirement};
pub use bundle::{Bundle, Effective};
pub use decide::{Verdict, decide};
pub use policy::{AuditLevel, Mode, Policy};
pub use scope::Scope;
pub use tree::{Level, ScopeTree};
pub use waiver::Waiver;
pub use workflow::{Class, Provenance, Workflow};
