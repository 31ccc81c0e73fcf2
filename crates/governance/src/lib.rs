//! Governance semantics: scopes, effects, layers and their join. Pure.

pub mod scope;

pub use scope::Scope;
