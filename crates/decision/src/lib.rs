//! Decision tables as DMN has them: exact numbers, S-FEEL cells, every hit policy, and
//! answers where facts are unknown. Pure: no I/O, no clock, no binary float.
//!
//! A [`Table`] comes from YAML (and CSV beside it) and is checked as a whole. What is known
//! of a transaction is [`Facts`]; [`evaluate`] gives every [`Outcome`] that the unknown ones
//! leave open, [`explain`] says for each row which cells kept it from matching.

mod diagnostic;
mod evaluate;
pub mod json;
pub mod limits;
pub mod number;
pub mod sfeel;
mod table;
pub mod temporal;
pub mod types;
pub mod value;
pub mod yaml;

pub use diagnostic::{Diagnostic, Mark};
pub use evaluate::{
    Answer, Evaluation, Joint, Outcome, Output, RowMatch, evaluate, evaluate_joint, explain,
};
pub use number::Number;
pub use sfeel::{Failure, Met};
pub use table::{Aggregator, Cell, HitPolicy, Input, Loader, OutputColumn, Row, Schema, Table};
pub use types::{Mismatch, MismatchKind, Type};
pub use value::{Facts, Value};
