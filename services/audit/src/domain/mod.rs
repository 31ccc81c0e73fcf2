//! What a record is, how it becomes a leaf of the log, and how the log is written out.
//! No I/O, no clock, no transport.

pub mod batch;
pub mod gaps;
pub mod json;
pub mod leaf;
pub mod line;
mod number;
pub mod record;
pub mod statement;
pub mod stored;

pub use leaf::Leaf;
pub use record::{Actor, ActorKind, Grant, Outcome, Record};
