//! Bank identifiers: IBAN (ISO 13616-1, lengths by the IBAN registry) and BIC (ISO 9362).

use crate::{Normalised, Problem, country, digits};

const IBAN: &str = "ISO 13616-1";
const BIC: &str = "ISO 9362";

/// Length of an IBAN by country, from the IBAN registry, and the form of what follows
/// the check digits: `n` digits, `a` letters, `c` either.
#[rustfmt::skip]
const STRUCTURES: &[(&str, &str)] = &[
    ("AD", "8n12c"), ("AE", "19n"), ("AL", "8n16c"), ("AT", "16n"), ("AZ", "4a20c"),
    ("BA", "16n"), ("BE", "12n"), ("BG", "4a6n8c"), ("BH", "4a14c"), ("BI", "23n"),
    ("BR", "23n1a1c"), ("BY", "4c4n16c"), ("CH", "5n12c"), ("CR", "18n"), ("CY", "8n16c"),
    ("CZ", "20n"), ("DE", "18n"), ("DJ", "23n"), ("DK", "14n"), ("DO", "4c20n"),
    ("EE", "16n"), ("EG", "25n"), ("ES", "20n"), ("FI", "14n"), ("FK", "2a12n"),
    ("FO", "14n"), ("FR", "10n11c2n"), ("GB", "4a14n"), ("GE", "2a16n"), ("GI", "4a15c"),
    ("GL", "14n"), ("GR", "7n16c"), ("GT", "4c20c"), ("HN", "4a20n"), ("HR", "17n"),
    ("HU", "24n"), ("IE", "4a14n"), ("IL", "19n"), ("IQ", "4a15n"), ("IS", "22n"),
    ("IT", "1a10n12c"), ("JO", "4a4n18c"), ("KW", "4a22c"), ("KZ", "3n13c"), ("LB", "4n20c"),
    ("LC", "4a24c"), ("LI", "5n12c"), ("LT", "16n"), ("LU", "3n13c"), ("LV", "4a13c"),
    ("LY", "21n"), ("MC", "10n11c2n"), ("MD", "2c18c"), ("ME", "18n"), ("MK", "3n10c2n"),
    ("MN", "16n"), ("MR", "23n"), ("MT", "4a5n18c"), ("MU", "4a19n3a"), ("NI", "4a20n"),
    ("NL", "4a10n"), ("NO", "11n"), ("OM", "3n16c"), ("PK", "4a16c"), ("PL", "24n"),
    ("PS", "4a21c"), ("PT", "21n"), ("QA", "4a21c"), ("RO", "4a16c"), ("RS", "18n"),
    ("RU", "14n15c"), ("SA", "2n18c"), ("SC", "4a20n3a"), ("SD", "14n"), ("SE", "20n"),
    ("SI", "15n"), ("SK", "20n"), ("SM", "1a10n12c"), ("SO", "19n"), ("ST", "21n"),
    ("SV", "4a20n"), ("TL", "19n"), ("TN", "20n"), ("TR", "6n16c"), ("UA", "6n19c"),
    ("VA", "18n"), ("VG", "4a16n"), ("XK", "16n"), ("YE", "4a4n18c"),
];

/// Checks an IBAN, printed in groups or not.
///
/// # Errors
/// Other characters, a country without IBAN, another length or structure than the
/// country's, or wrong check digits.
pub fn iban(value: &str) -> Result<Normalised, Problem> {
    let text = digits::compact(value, &[' ']);
    if let Some((at, _)) = digits::stranger(&text, |c| c.is_ascii_alphanumeric()) {
        return Err(Problem::format(
            IBAN,
            format!("found neither letter nor digit at position {at}"),
        ));
    }
    let Some((head, body)) = text.split_at_checked(4) else {
        return Err(Problem::length(IBAN, "found fewer than 5 characters"));
    };
    let (prefix, check) = head.split_at(2);
    let Some((_, structure)) = STRUCTURES.iter().find(|(code, _)| *code == prefix) else {
        return Err(Problem::code_list(
            IBAN,
            format!("{prefix:?} is no country of the IBAN registry"),
        ));
    };
    let wanted = shape(structure);
    if body.len() != wanted.len() {
        return Err(Problem::length(
            IBAN,
            format!(
                "found {} characters, expected {} in {prefix}",
                text.len(),
                wanted.len() + 4
            ),
        ));
    }
    let fits = |(c, class): (char, &char)| match class {
        'n' => c.is_ascii_digit(),
        'a' => c.is_ascii_uppercase(),
        _ => true,
    };
    if digits::of(check).is_none() || !body.chars().zip(&wanted).all(fits) {
        return Err(Problem::format(
            IBAN,
            format!("letters and digits don't stand as {prefix} has them ({structure})"),
        ));
    }
    if digits::mod_97(body.chars().chain(head.chars())) != Some(1) {
        return Err(Problem::checksum(IBAN, "the check digits don't match"));
    }
    Ok(Normalised::new(text))
}

/// One class a position.
fn shape(structure: &str) -> Vec<char> {
    let mut classes = Vec::new();
    let mut count = 0;
    for c in structure.chars() {
        if let Some(digit) = c.to_digit(10) {
            count = count * 10 + digit as usize;
        } else {
            classes.extend(std::iter::repeat_n(c, count));
            count = 0;
        }
    }
    classes
}

/// Checks a BIC of 8 or 11 characters.
///
/// # Errors
/// Another length, characters where they can't stand, or an unknown country.
pub fn bic(value: &str) -> Result<Normalised, Problem> {
    let text = digits::compact(value, &[' ']);
    if let Some((at, _)) = digits::stranger(&text, |c| c.is_ascii_alphanumeric()) {
        return Err(Problem::format(
            BIC,
            format!("found neither letter nor digit at position {at}"),
        ));
    }
    if text.len() != 8 && text.len() != 11 {
        return Err(Problem::length(
            BIC,
            format!("found {} characters, expected 8 or 11", text.len()),
        ));
    }
    let code = &text[4..6];
    if country::by_alpha2(code).is_none() && code != "XK" {
        return Err(Problem::code_list(
            BIC,
            format!("{code:?} at positions 5 and 6 is no ISO 3166-1 code"),
        ));
    }
    Ok(Normalised::new(text))
}
