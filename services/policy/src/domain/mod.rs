//! What the policy service is about: questions, decisions, receipts, the policies in force
//! and the changes that they come from. No runtime, database, transport or clock.

pub mod change;
pub mod council;
pub mod decision;
pub mod question;
pub mod receipt;
pub mod snapshot;
