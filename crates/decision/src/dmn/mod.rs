//! DMN XML (OMG, 1.1 to 1.6): what other tools draw and exchange.
//!
//! A file is read into the project's own form and from there on is the same model; it is
//! written as DMN 1.5. What a model can't carry is refused with its place. What decides
//! nothing, such as diagrams, is left out, and the notes say so.

mod boxed;
mod items;
mod read;
mod source;
mod table;
mod undeclared;
mod write;

pub use read::read;
pub use write::{write, write_table};

use crate::{diagnostic::Diagnostic, model::Model, table::Table};

/// The namespace of what the project says in DMN files beyond DMN: currencies, units, and
/// which definitions it made of types without a name. Other tools keep or ignore it.
pub const EXTENSIONS: &str = "urn:bylaw:dmn";

/// A model that was read, and what was left out of it.
#[derive(Debug)]
pub struct Import {
    /// The model.
    pub model: Model,
    /// The table that stands by itself, where the file was written from one.
    pub table: Option<Table>,
    /// What decides nothing and was left out, with its place.
    pub notes: Vec<Diagnostic>,
}

/// What the attribute `form` says of a file that was written from a table by itself.
const TABLE: &str = "table";
