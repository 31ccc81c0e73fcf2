//! VAT identification numbers: the European Union (27 member states and Northern
//! Ireland), Great Britain, Switzerland and Norway.
//!
//! Forms: Council Directive 2006/112/EC article 215 and the European Commission's list of
//! structures (VIES). Check digits: the rules of the national registers, as the module of
//! each group of countries cites them. Greece's prefix is `EL`.

mod central;
mod northern;
mod other;
mod southern;
mod western;

use crate::{Normalised, Problem, digits};

const STANDARD: &str = "Council Directive 2006/112/EC, VIES structures";

/// The rule of one prefix: takes what follows the prefix.
type Rule = fn(&str) -> Result<(), Wrong>;

/// What a national rule found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wrong {
    /// Not the country's number of characters: what is wanted.
    Length(&'static str),
    /// A character or part that can't stand there: what is wanted.
    Form(&'static str),
    /// The check digits don't match.
    Checksum,
}

/// Prefix, country or register in words, rule, by prefix.
const RULES: &[(&str, &str, Rule)] = &[
    ("AT", "Austria", central::at),
    ("BE", "Belgium", western::be),
    ("BG", "Bulgaria", southern::bg),
    ("CHE", "Switzerland", other::ch),
    ("CY", "Cyprus", southern::cy),
    ("CZ", "Czechia", central::cz),
    ("DE", "Germany", central::de),
    ("DK", "Denmark", northern::dk),
    ("EE", "Estonia", northern::ee),
    ("EL", "Greece", southern::el),
    ("ES", "Spain", southern::es),
    ("FI", "Finland", northern::fi),
    ("FR", "France", western::fr),
    ("GB", "Great Britain", other::gb),
    ("HR", "Croatia", southern::hr),
    ("HU", "Hungary", central::hu),
    ("IE", "Ireland", western::ie),
    ("IT", "Italy", southern::it),
    ("LT", "Lithuania", northern::lt),
    ("LU", "Luxembourg", western::lu),
    ("LV", "Latvia", northern::lv),
    ("MT", "Malta", southern::mt),
    ("NL", "Netherlands", western::nl),
    ("PL", "Poland", central::pl),
    ("PT", "Portugal", southern::pt),
    ("RO", "Romania", central::ro),
    ("SE", "Sweden", northern::se),
    ("SI", "Slovenia", central::si),
    ("SK", "Slovakia", central::sk),
    ("XI", "Northern Ireland", other::gb),
];

/// Checks a VAT number with its prefix (Norway's has none and ends in `MVA`). The normal
/// form has no separators; Norway's gets the prefix `NO` where it was written with it.
///
/// # Errors
/// An unknown prefix, characters or a length that the country doesn't have, or wrong check
/// digits.
pub fn check(value: &str) -> Result<Normalised, Problem> {
    let text = digits::compact(value, &[' ', '-', '.', '/']);
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '*';
    if let Some((at, found)) = digits::stranger(&text, letters) {
        return Err(Problem::format(
            STANDARD,
            format!("found {found:?} at position {at}, expected letters and digits"),
        ));
    }
    if text.ends_with("MVA") || text.starts_with("NO") {
        let rest = text.strip_prefix("NO").unwrap_or(&text);
        return verdict(other::no(rest), "NO", "Norway", text.clone());
    }
    let rule = RULES
        .iter()
        .find_map(|(prefix, name, rule)| Some((prefix, name, rule, text.strip_prefix(prefix)?)));
    match rule {
        None => Err(Problem::code_list(
            STANDARD,
            "begins with no prefix of an EU member state, XI, GB or CHE, nor ends with MVA",
        )),
        Some((prefix, name, rule, rest)) => verdict(rule(rest), prefix, name, text.clone()),
    }
}

/// The prefix that VAT numbers of a country (ISO 3166-1 alpha-2) begin with: the code
/// itself but for Greece (`EL`) and Switzerland (`CHE`).
#[must_use]
pub fn prefix(country: &str) -> &str {
    match country {
        "GR" => "EL",
        "CH" => "CHE",
        other => other,
    }
}

fn verdict(
    found: Result<(), Wrong>,
    prefix: &str,
    country: &str,
    text: String,
) -> Result<Normalised, Problem> {
    match found {
        Ok(()) => Ok(Normalised::new(text)),
        Err(Wrong::Length(wanted)) => Err(Problem::length(
            STANDARD,
            format!(
                "found {} characters in all, expected {prefix} and {wanted} for {country}",
                text.len()
            ),
        )),
        Err(Wrong::Form(wanted)) => Err(Problem::format(
            STANDARD,
            format!("expected {prefix} and {wanted} for {country}"),
        )),
        Err(Wrong::Checksum) => Err(Problem::checksum(
            STANDARD,
            format!("the check digits don't match by the rule of {country}"),
        )),
    }
}

/// Exactly `length` digits.
fn all_digits(text: &str, length: usize, wanted: &'static str) -> Result<Vec<u32>, Wrong> {
    if text.len() != length {
        return Err(Wrong::Length(wanted));
    }
    digits::of(text).ok_or(Wrong::Form(wanted))
}

fn ensure(holds: bool, wrong: Wrong) -> Result<(), Wrong> {
    if holds { Ok(()) } else { Err(wrong) }
}

fn checked(holds: bool) -> Result<(), Wrong> {
    ensure(holds, Wrong::Checksum)
}

/// Whether a month and day can stand in a birth number.
fn date(month: u32, day: u32) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}
