//! Identifiers and code lists of master data: form, length and check digits. Pure.
//!
//! [`check`] takes an identifier as people write it (blanks, hyphens and full stops
//! between groups are tolerated where the standard's printed form has them) and
//! returns its normal form, or what is wrong with it and which standard says so.
//! A number that passes is well formed; that it was ever issued only its issuer knows.

pub mod bank;
pub mod country;
pub mod currency;
mod digits;
pub mod ein;
pub mod gs1;
pub mod language;
pub mod phone;
pub mod postal;
pub mod registry;
pub mod unit;
pub mod vat;

use std::{fmt, str::FromStr};

/// Nothing this crate knows is longer; longer texts are refused unread.
pub const MAX_LENGTH: usize = 128;

/// What a value claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// GS1 trade item number: GTIN-8, -12, -13 or -14.
    Gtin,
    /// GS1 global location number.
    Gln,
    /// GS1 serial shipping container code.
    Sscc,
    /// VAT number of an EU member state, Northern Ireland, Great Britain, Switzerland
    /// or Norway, with its prefix (Norway: `MVA` at the end).
    Vat,
    /// ISO 13616 bank account number.
    Iban,
    /// ISO 9362 business identifier code.
    Bic,
    /// ISO 17442 legal entity identifier.
    Lei,
    /// Dun & Bradstreet number: nine digits.
    Duns,
    /// ISO 6166 securities number.
    Isin,
    /// Employer identification number of the United States.
    Ein,
    /// ITU-T E.164 telephone number with its country code.
    Phone,
    /// ISO 3166-1 code or English name; the normal form is alpha-2.
    Country,
    /// ISO 4217 alphabetic code.
    Currency,
    /// UN/CEFACT Recommendation 20 common code.
    Unit,
}

impl Kind {
    /// All kinds, by name.
    pub const ALL: [Self; 14] = [
        Self::Bic,
        Self::Country,
        Self::Currency,
        Self::Duns,
        Self::Ein,
        Self::Gln,
        Self::Gtin,
        Self::Iban,
        Self::Isin,
        Self::Lei,
        Self::Phone,
        Self::Sscc,
        Self::Unit,
        Self::Vat,
    ];

    /// Lower-case name, such as `gtin`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gtin => "gtin",
            Self::Gln => "gln",
            Self::Sscc => "sscc",
            Self::Vat => "vat",
            Self::Iban => "iban",
            Self::Bic => "bic",
            Self::Lei => "lei",
            Self::Duns => "duns",
            Self::Isin => "isin",
            Self::Ein => "ein",
            Self::Phone => "phone",
            Self::Country => "country",
            Self::Currency => "currency",
            Self::Unit => "unit",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no [`Kind`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown kind {0:?}, expected one of bic, country, currency, duns, ein, gln, gtin, iban, isin, lei, phone, sscc, unit, vat"
)]
pub struct UnknownKind(String);

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| UnknownKind(shorten(text)))
    }
}

/// An identifier that passed, in its normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalised {
    /// The identifier without separators, letters in upper case.
    pub value: String,
}

impl Normalised {
    pub(crate) fn new(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
        }
    }
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// A character or a part that can't stand there.
    Format,
    /// Too short or too long.
    Length,
    /// The check digit doesn't match.
    Checksum,
    /// Not in the code list.
    CodeList,
}

/// Why a value isn't what it claims to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// What was found and what was wanted, by positions, lengths and digits. Only entries
    /// of code lists and postal codes are quoted, since other values may be personal.
    pub message: String,
    /// The standard that says so, such as `GS1 General Specifications`.
    pub standard: &'static str,
}

impl Problem {
    pub(crate) fn new(
        kind: ProblemKind,
        standard: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            message: message.into(),
            standard,
        }
    }

    pub(crate) fn format(standard: &'static str, message: impl Into<String>) -> Self {
        Self::new(ProblemKind::Format, standard, message)
    }

    pub(crate) fn length(standard: &'static str, message: impl Into<String>) -> Self {
        Self::new(ProblemKind::Length, standard, message)
    }

    pub(crate) fn code_list(standard: &'static str, message: impl Into<String>) -> Self {
        Self::new(ProblemKind::CodeList, standard, message)
    }

    pub(crate) fn checksum(standard: &'static str, message: impl Into<String>) -> Self {
        Self::new(ProblemKind::Checksum, standard, message)
    }
}

/// Checks a value.
///
/// # Errors
/// What is wrong with it: the first thing found, in the order characters, length, code
/// list, check digit.
///
/// ```
/// use identifiers::{Kind, ProblemKind, check};
/// assert_eq!(check(Kind::Gtin, "4006381333931").unwrap().value, "4006381333931");
/// assert_eq!(check(Kind::Gtin, "4006381333932").unwrap_err().kind, ProblemKind::Checksum);
/// assert_eq!(check(Kind::Country, "UK").unwrap().value, "GB");
/// ```
pub fn check(kind: Kind, value: &str) -> Result<Normalised, Problem> {
    if value.len() > MAX_LENGTH {
        return Err(Problem::length(
            "",
            format!("found {} bytes, expected at most {MAX_LENGTH}", value.len()),
        ));
    }
    match kind {
        Kind::Gtin => gs1::gtin(value),
        Kind::Gln => gs1::gln(value),
        Kind::Sscc => gs1::sscc(value),
        Kind::Vat => vat::check(value),
        Kind::Iban => bank::iban(value),
        Kind::Bic => bank::bic(value),
        Kind::Lei => registry::lei(value),
        Kind::Duns => registry::duns(value),
        Kind::Isin => registry::isin(value),
        Kind::Ein => ein::check(value),
        Kind::Phone => phone::check(value),
        Kind::Country => country::check(value),
        Kind::Currency => currency::check(value),
        Kind::Unit => unit::check(value),
    }
}

/// At most 40 characters of a value, for messages.
pub(crate) fn shorten(value: &str) -> String {
    const MOST: usize = 40;
    let mut short: String = value.chars().take(MOST).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    short
}
