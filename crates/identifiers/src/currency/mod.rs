//! ISO 4217: currency codes.

mod table;

use crate::{Normalised, Problem, shorten};

const STANDARD: &str = "ISO 4217";

/// A currency, fund or precious metal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Currency {
    /// Three letters, such as `EUR`.
    pub code: &'static str,
    /// English name.
    pub name: &'static str,
    /// Decimals of its smallest unit; None where the standard gives none.
    pub minor_units: Option<u8>,
}

/// All currencies, by code.
#[must_use]
pub const fn all() -> &'static [Currency] {
    table::CURRENCIES
}

/// The currency of a code in upper case.
#[must_use]
pub fn find(code: &str) -> Option<&'static Currency> {
    let found = table::CURRENCIES.binary_search_by(|currency| currency.code.cmp(code));
    found.ok().and_then(|at| table::CURRENCIES.get(at))
}

/// Checks an alphabetic code; the normal form is upper case.
///
/// # Errors
/// If it is no current code.
pub fn check(value: &str) -> Result<Normalised, Problem> {
    let code = value.trim().to_ascii_uppercase();
    if find(&code).is_some() {
        return Ok(Normalised::new(code));
    }
    Err(Problem::code_list(
        STANDARD,
        format!("{:?} is no current currency code", shorten(value)),
    ))
}
