//! Canonical records, the rules they must hold, and mappings from source formats.
//!
//! A [`Record`](record::Record) is a tree of values under the [`schema`] of its entity;
//! [`checks`] hold everywhere, a unit's [`rules`] come on top, and a [`mapping`] turns a
//! source system's payload into a record.

pub mod catalog;
pub mod checks;
pub mod facts;
pub mod mapping;
pub mod path;
pub mod record;
pub mod rules;
pub mod schema;
pub mod validate;
pub mod violation;

pub use catalog::Catalog;
pub use path::Path;
pub use record::Record;
pub use schema::Entity;
pub use violation::{Severity, Violation};
