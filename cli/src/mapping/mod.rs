//! Event mappings: how rows of a log become CloudEvents. Pure.

mod file;
mod list;
mod row;

pub use file::{EventMapping, parse};
pub use row::{Event, Row, apply};

#[cfg(test)]
mod tests;
