//! GS1 keys: GTIN, GLN and SSCC. GS1 General Specifications, section 7.9 (check digit).

use crate::{Normalised, Problem, digits};

const STANDARD: &str = "GS1 General Specifications";

/// Checks a GTIN-8, -12, -13 or -14.
///
/// # Errors
/// Other characters than digits, another length, a wrong check digit, or zeros only.
pub fn gtin(value: &str) -> Result<Normalised, Problem> {
    key(value, &[8, 12, 13, 14])
}

/// Checks a GLN: 13 digits.
///
/// # Errors
/// As [`gtin`].
pub fn gln(value: &str) -> Result<Normalised, Problem> {
    key(value, &[13])
}

/// Checks an SSCC: 18 digits.
///
/// # Errors
/// As [`gtin`].
pub fn sscc(value: &str) -> Result<Normalised, Problem> {
    key(value, &[18])
}

fn key(value: &str, lengths: &[usize]) -> Result<Normalised, Problem> {
    let text = digits::compact(value, &[' ', '-']);
    if let Some((at, found)) = digits::stranger(&text, |c| c.is_ascii_digit()) {
        return Err(Problem::format(
            STANDARD,
            format!("found {found:?} at position {at}, expected digits only"),
        ));
    }
    if !lengths.contains(&text.len()) {
        let wanted: Vec<_> = lengths.iter().map(ToString::to_string).collect();
        return Err(Problem::length(
            STANDARD,
            format!(
                "found {} digits, expected {}",
                text.len(),
                wanted.join(", ")
            ),
        ));
    }
    let all = digits::of(&text).unwrap_or_default();
    let Some((found, body)) = all.split_last() else {
        return Err(Problem::length(STANDARD, "found no digits"));
    };
    let wanted = check_digit(body);
    if wanted != *found {
        return Err(Problem::checksum(
            STANDARD,
            format!("found check digit {found}, expected {wanted}"),
        ));
    }
    if all.iter().all(|d| *d == 0) {
        return Err(Problem::format(STANDARD, "found zeros only"));
    }
    Ok(Normalised::new(text))
}

/// The check digit of the digits before it: weights 3, 1, 3, … from the right, up to the
/// next multiple of ten.
#[must_use]
pub fn check_digit(body: &[u32]) -> u32 {
    let sum: u32 = body
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| if i % 2 == 0 { 3 * d } else { *d })
        .sum();
    (10 - sum % 10) % 10
}
