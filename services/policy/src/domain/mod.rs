//! What the policy service is about: questions, decisions, receipts, and the policies in
//! force. No runtime, database, transport or clock.

pub mod decision;
pub mod question;
pub mod receipt;
pub mod snapshot;
