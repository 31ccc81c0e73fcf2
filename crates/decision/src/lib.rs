//! Decision tables as DMN has them: exact numbers, S-FEEL cells, every hit policy, and
//! answers where facts are unknown. Pure: no I/O, no clock, no binary float.
//!
//! A [`Table`] comes from YAML (and CSV beside it) and is checked as a whole. What is known
//! of a transaction is [`Facts`]; [`evaluate`] gives every [`Outcome`] that the unknown ones
//! leave open, [`explain`] says for each row which cells kept it from matching.
//!
//! ```
//! use decision::{Facts, Outcome, Schema, Table, evaluate, json};
//!
//! let text = "
//! name: release
//! inputs:
//!   - {expression: order.total, type: money, currency: EUR}
//!   - {expression: customer.days_overdue, type: number, unit: d}
//! hit_policy: UNIQUE
//! rows:
//!   - {id: small, when: {order.total: '<= 10000', customer.days_overdue: '<= 30'}, then: {queue: none}}
//!   - {id: late, when: {customer.days_overdue: '> 30'}, then: {queue: credit}}
//! ";
//! let no_files = |name: &str| Err(format!("there is no file {name}"));
//! let table = Table::from_yaml(text, &Schema::open(), &no_files).map_err(|p| p[0].clone())?;
//!
//! let facts = Facts::flatten(json::parse(r#"{"order": {"total": "9999.99 EUR"}}"#)?);
//! let evaluation = evaluate(&table, &facts);
//! assert_eq!(evaluation.outcomes, [Outcome::Hits(vec![0]), Outcome::Hits(vec![1])]);
//! assert_eq!(evaluation.unknown, ["customer.days_overdue"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod analyse;
mod compile;
mod diagnostic;
pub mod dmn;
mod evaluate;
mod facts;
pub mod json;
pub mod limits;
pub mod model;
mod neighbours;
pub mod number;
pub mod sfeel;
mod table;
pub mod tagged;
pub mod temporal;
pub mod types;
mod unary;
pub mod value;
pub mod yaml;

pub use diagnostic::{Diagnostic, Mark};
#[cfg(any(test, feature = "twin"))]
#[doc(hidden)]
pub use evaluate::twin;
pub use evaluate::{
    Answer, Evaluation, Joint, Outcome, Output, RowMatch, evaluate, evaluate_beside,
    evaluate_joint, explain,
};
pub use facts::{Facts, MAX_FACT_NAME, is_fact_name};
pub use model::Model;
pub use number::Number;
pub use sfeel::{Failure, Met};
pub use table::{
    Aggregator, Cell, HitPolicy, Input, Loader, Notes, OutputColumn, Row, Schema, Table,
};
pub use types::{Mismatch, MismatchKind, Type};
pub use unary::UnaryTest;
pub use value::Value;
