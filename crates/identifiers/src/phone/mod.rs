//! Telephone numbers: ITU-T E.164, and national forms judged by the country's plan.
//!
//! Messages never quote the number, which is personal.

mod plans;

use crate::{Normalised, Problem, digits};

const STANDARD: &str = "ITU-T E.164";
const MAX_DIGITS: usize = 15;

/// A country's numbering plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// ISO 3166-1 alpha-2 code.
    pub country: &'static str,
    /// Country code without `+`.
    pub code: &'static str,
    /// What is dialled before a national number within the country; may be empty.
    pub trunk: &'static str,
    /// Digits of a national number without the trunk prefix.
    pub lengths: &'static [usize],
}

/// The plan of a country.
#[must_use]
pub fn plan(country: &str) -> Option<&'static Plan> {
    plans::PLANS.iter().find(|plan| plan.country == country)
}

/// Whether a number is written with its country code (`+` or `00` first).
#[must_use]
pub fn is_international(value: &str) -> bool {
    let value = value.trim_start();
    value.starts_with('+') || value.starts_with("00")
}

/// Checks a number with its country code. The normal form is `+` and digits.
///
/// # Errors
/// A national number, other characters, an unassigned country code, or a length that no
/// plan of the country code has.
pub fn check(value: &str) -> Result<Normalised, Problem> {
    let all = dialled(value)?;
    if !is_international(value) {
        return Err(Problem::format(
            STANDARD,
            "found a national number, expected `+` and the country code first",
        ));
    }
    let number = if value.trim_start().starts_with('+') {
        all.as_str()
    } else {
        &all[2..]
    };
    if number.len() > MAX_DIGITS {
        return Err(Problem::length(
            STANDARD,
            format!(
                "found {} digits, expected at most {MAX_DIGITS}",
                number.len()
            ),
        ));
    }
    let of_code: Vec<_> = plans::PLANS
        .iter()
        .filter(|plan| number.starts_with(plan.code))
        .collect();
    if of_code.is_empty() {
        return Err(Problem::code_list(
            STANDARD,
            "the digits begin with no assigned country code",
        ));
    }
    let fits = |plan: &&Plan| plan.lengths.contains(&(number.len() - plan.code.len()));
    if !of_code.iter().any(fits) {
        let code = of_code[0].code;
        return Err(Problem::length(
            STANDARD,
            format!(
                "found {} digits after +{code}, which no number there has",
                number.len() - code.len()
            ),
        ));
    }
    Ok(Normalised::new(format!("+{number}")))
}

/// Checks a national number by the plan of its country. The normal form is E.164.
///
/// # Errors
/// Other characters, or a length that the country's plan doesn't have. A country without
/// a known plan passes any length up to E.164's.
pub fn check_national(country: &str, value: &str) -> Result<Normalised, Problem> {
    let all = dialled(value)?;
    let Some(plan) = plan(country) else {
        return match all.len() {
            1..=MAX_DIGITS => Ok(Normalised::new(all)),
            found => Err(Problem::length(
                STANDARD,
                format!("found {found} digits, expected 1 to {MAX_DIGITS}"),
            )),
        };
    };
    let significant = match all.strip_prefix(plan.trunk) {
        Some(rest) if !plan.trunk.is_empty() && !plan.lengths.contains(&all.len()) => rest,
        Some(rest) if plan.trunk == "0" => rest,
        _ => all.as_str(),
    };
    if !plan.lengths.contains(&significant.len()) {
        return Err(Problem::length(
            "ITU-T E.164, national numbering plan",
            format!(
                "found {} digits besides the trunk prefix, expected {} in {country}",
                significant.len(),
                spread(plan.lengths)
            ),
        ));
    }
    Ok(Normalised::new(format!("+{}{significant}", plan.code)))
}

/// The digits, without separators.
fn dialled(value: &str) -> Result<String, Problem> {
    let text = value.trim();
    let allowed = |c: char| c.is_ascii_digit() || " ()-./+\u{a0}".contains(c);
    if let Some((at, found)) = digits::stranger(text, allowed) {
        return Err(Problem::format(
            STANDARD,
            format!("found {found:?} at position {at}, expected digits and ` ()-./`"),
        ));
    }
    if text.chars().skip(1).any(|c| c == '+') {
        return Err(Problem::format(STANDARD, "found `+` within the number"));
    }
    let all: String = text.chars().filter(char::is_ascii_digit).collect();
    if all.is_empty() {
        return Err(Problem::length(STANDARD, "found no digits"));
    }
    Ok(all)
}

fn spread(lengths: &[usize]) -> String {
    match lengths {
        [one] => one.to_string(),
        [first, .., last] if last - first + 1 == lengths.len() => format!("{first} to {last}"),
        _ => lengths
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" or "),
    }
}
