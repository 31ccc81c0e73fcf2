//! Employer identification numbers of the United States. No check digit; the first two
//! digits name the campus or the internet as issuer ("How EINs are assigned and valid EIN
//! prefixes", Internal Revenue Service).

use crate::{Normalised, Problem, digits};

const STANDARD: &str = "US Internal Revenue Service, valid EIN prefixes";

/// Prefixes that were never assigned.
const UNASSIGNED: [u32; 17] = [
    0, 7, 8, 9, 17, 18, 19, 28, 29, 49, 69, 70, 78, 79, 89, 96, 97,
];

/// Checks nine digits, with or without the hyphen after the second; the normal form has it.
///
/// # Errors
/// Other characters, another length or a prefix that isn't assigned.
pub fn check(value: &str) -> Result<Normalised, Problem> {
    let text = digits::compact(value, &[' ', '-']);
    let Some(all) = digits::of(&text) else {
        return Err(Problem::format(
            STANDARD,
            "found other characters than digits and a hyphen",
        ));
    };
    if all.len() != 9 {
        return Err(Problem::length(
            STANDARD,
            format!("found {} digits, expected 9", all.len()),
        ));
    }
    let (prefix, rest) = text.split_at(2);
    if UNASSIGNED.contains(&prefix_of(&all)) {
        return Err(Problem::code_list(
            STANDARD,
            format!("prefix {prefix} isn't assigned"),
        ));
    }
    Ok(Normalised::new(format!("{prefix}-{rest}")))
}

fn prefix_of(all: &[u32]) -> u32 {
    digits::weighted(all, &[10, 1])
}
