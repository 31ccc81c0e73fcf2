//! Exceptions, the actions asked for on them, and what units declare: pure.

pub mod action;
pub mod ageing;
pub mod calendar;
pub mod catalog;
pub mod document;
pub mod event;
pub mod exception;
pub mod source;
pub mod state;
pub mod text;
