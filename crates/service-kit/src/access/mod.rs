//! What principals may do: roles to permissions, roles that must not be held together,
//! what each method needs, and the layer that asks for it.
//!
//! Two checks guard a call: this layer's (the permission, and the scope where the request
//! names it), and the use case's, once the resource and its scope are loaded.

mod body;
mod layer;
mod methods;
mod refusals;
mod table;

#[cfg(test)]
mod table_tests;

pub(crate) use layer::Authorize;
pub use methods::{Method, Methods};
pub use refusals::{Refusal, RefusalRegistry, Refusals};
pub(crate) use table::check_table;
pub use table::{AccessTable, Conflict, REPRESENT};
