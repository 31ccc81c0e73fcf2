//! Belgium, France, Ireland, Luxembourg, the Netherlands.

use super::{Wrong, all_digits, checked, ensure};
use crate::digits::{self, luhn, number, weighted};

/// Kruispuntbank van Ondernemingen: ten digits, 97 less the first eight modulo 97.
pub(super) fn be(text: &str) -> Result<(), Wrong> {
    let wanted = "10 digits that begin with 0 or 1";
    let padded = if text.len() == 9 {
        format!("0{text}")
    } else {
        text.to_owned()
    };
    let all = all_digits(&padded, 10, wanted)?;
    ensure(
        all[0] < 2 && all[1..].iter().any(|d| *d != 0),
        Wrong::Form(wanted),
    )?;
    checked(97 - number(&all[..8]) % 97 == number(&all[8..]))
}

/// INSEE and DGFiP: a key of two characters, then the SIREN (Luhn; Monaco's begin with
/// 000 and have no Luhn digit). A numeric key is (12 + 3 × (SIREN modulo 97)) modulo 97.
pub(super) fn fr(text: &str) -> Result<(), Wrong> {
    const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let wanted = "2 characters other than I and O, and 9 digits";
    ensure(text.len() == 11 && text.is_ascii(), Wrong::Length(wanted))?;
    let (key, siren) = text.split_at(2);
    let siren = digits::of(siren).ok_or(Wrong::Form(wanted))?;
    ensure(
        key.chars().all(|c| ALPHABET.contains(c)),
        Wrong::Form(wanted),
    )?;
    checked(number(&siren[..3]) == 0 || luhn(&siren))?;
    let siren = number(&siren);
    if let Some(key) = digits::of(key) {
        return checked((siren % 97 * 3 + 12) % 97 == number(&key));
    }
    let values: Vec<u64> = key
        .chars()
        .filter_map(|c| ALPHABET.find(c))
        .map(|at| at as u64)
        .collect();
    let [first, second] = values[..] else {
        return Err(Wrong::Form(wanted));
    };
    let key = if first < 10 {
        (first * 24 + second).checked_sub(10)
    } else {
        (first * 34 + second).checked_sub(100)
    };
    checked(key.is_some_and(|key| (siren + 1 + key / 11) % 11 == key % 11))
}

/// Revenue Commissioners: seven digits, a check letter, and since 2013 a further letter;
/// before 1992 the second character could be a letter, `+` or `*`.
pub(super) fn ie(text: &str) -> Result<(), Wrong> {
    let wanted = "7 digits and 1 or 2 letters, or the former form 1X23456L";
    ensure(
        text.is_ascii() && (8..=9).contains(&text.len()),
        Wrong::Length(wanted),
    )?;
    let letter = |c: char| "WABCDEFGHIJKLMNOPQRSTUV".find(c).map(|at| at as u32);
    let bytes = text.as_bytes();
    let former = !bytes[1].is_ascii_digit();
    let body = if former {
        format!("0{}{}", &text[2..7], &text[..1])
    } else {
        text[..7].to_owned()
    };
    let body = digits::of(&body).ok_or(Wrong::Form(wanted))?;
    let second_fits = !former || matches!(bytes[1], b'A'..=b'Z' | b'+' | b'*');
    ensure(
        second_fits && (!former || text.len() == 8),
        Wrong::Form(wanted),
    )?;
    let check = letter(char::from(bytes[7])).ok_or(Wrong::Form(wanted))?;
    let extra = match bytes.get(8) {
        None => 0,
        Some(c) => letter(char::from(*c)).ok_or(Wrong::Form(wanted))?,
    };
    let sum = weighted(&body, &[8, 7, 6, 5, 4, 3, 2]) + 9 * extra;
    checked(sum % 23 == check)
}

/// Administration de l'enregistrement, des domaines et de la TVA: the first six digits
/// modulo 89.
pub(super) fn lu(text: &str) -> Result<(), Wrong> {
    let all = all_digits(text, 8, "8 digits")?;
    checked(number(&all[..6]) % 89 == number(&all[6..]))
}

/// Belastingdienst: nine digits, B, two digits. Either the nine are an RSIN or BSN
/// (eleven test), or, for sole traders since 2020, the whole is ISO 7064 MOD 97-10.
pub(super) fn nl(text: &str) -> Result<(), Wrong> {
    let wanted = "9 digits, B and 2 digits";
    ensure(text.len() == 12 && text.is_ascii(), Wrong::Length(wanted))?;
    let body = digits::of(&text[..9]).ok_or(Wrong::Form(wanted))?;
    let suffix = digits::of(&text[10..]).ok_or(Wrong::Form(wanted))?;
    ensure(
        &text[9..10] == "B" && number(&suffix) > 0 && number(&body) > 0,
        Wrong::Form(wanted),
    )?;
    let eleven = weighted(&body, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 == body[8];
    checked(eleven || digits::mod_97("NL".chars().chain(text.chars())) == Some(1))
}
