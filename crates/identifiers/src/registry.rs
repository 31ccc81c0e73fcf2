//! Identifiers of registries: LEI (ISO 17442-1), ISIN (ISO 6166), D-U-N-S.

use crate::{Normalised, Problem, digits};

const LEI: &str = "ISO 17442-1";
const ISIN: &str = "ISO 6166";
const DUNS: &str = "Dun & Bradstreet D-U-N-S";

/// Checks an LEI: 18 letters and digits and two check digits (ISO 7064 MOD 97-10).
///
/// # Errors
/// Other characters, another length or wrong check digits.
pub fn lei(value: &str) -> Result<Normalised, Problem> {
    let text = alphanumeric(value, LEI, 20)?;
    if digits::of(&text[18..]).is_none() {
        return Err(Problem::format(LEI, "positions 19 and 20 must be digits"));
    }
    if digits::mod_97(text.chars()) != Some(1) {
        return Err(Problem::checksum(LEI, "the check digits don't match"));
    }
    Ok(Normalised::new(text))
}

/// Checks an ISIN: two letters, nine letters or digits, a check digit.
///
/// # Errors
/// Other characters, another length or a wrong check digit.
pub fn isin(value: &str) -> Result<Normalised, Problem> {
    let text = alphanumeric(value, ISIN, 12)?;
    if !text[..2].chars().all(|c| c.is_ascii_uppercase()) || digits::of(&text[11..]).is_none() {
        return Err(Problem::format(
            ISIN,
            "expected two letters first and a digit last",
        ));
    }
    let expanded: String = text
        .chars()
        .filter_map(|c| c.to_digit(36))
        .map(|v| v.to_string())
        .collect();
    if !digits::of(&expanded).is_some_and(|all| digits::luhn(&all)) {
        return Err(Problem::checksum(ISIN, "the check digit doesn't match"));
    }
    Ok(Normalised::new(text))
}

/// Checks a D-U-N-S number: nine digits. Its former check digit is no longer used.
///
/// # Errors
/// Other characters or another length.
pub fn duns(value: &str) -> Result<Normalised, Problem> {
    let text = digits::compact(value, &[' ', '-']);
    if digits::of(&text).is_none() {
        return Err(Problem::format(
            DUNS,
            "found other characters than digits and hyphens",
        ));
    }
    if text.len() != 9 {
        return Err(Problem::length(
            DUNS,
            format!("found {} digits, expected 9", text.len()),
        ));
    }
    Ok(Normalised::new(text))
}

fn alphanumeric(value: &str, standard: &'static str, length: usize) -> Result<String, Problem> {
    let text = digits::compact(value, &[' ']);
    if let Some((at, _)) = digits::stranger(&text, |c| c.is_ascii_alphanumeric()) {
        return Err(Problem::format(
            standard,
            format!("found neither letter nor digit at position {at}"),
        ));
    }
    if text.len() != length {
        return Err(Problem::length(
            standard,
            format!("found {} characters, expected {length}", text.len()),
        ));
    }
    Ok(text)
}
