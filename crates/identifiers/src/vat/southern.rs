//! Bulgaria, Croatia, Cyprus, Greece, Italy, Malta, Portugal, Spain.

use super::{Wrong, all_digits, checked, date, ensure};
use crate::digits::{luhn, luhn_sum, mod_11_10, number, of, weighted};

/// BULSTAT: nine digits in two rounds of weights; ten are the personal number of a
/// citizen or foreigner, or of another series.
pub(super) fn bg(text: &str) -> Result<(), Wrong> {
    let wanted = "9 or 10 digits";
    ensure(text.len() == 9 || text.len() == 10, Wrong::Length(wanted))?;
    let all = of(text).ok_or(Wrong::Form(wanted))?;
    if all.len() == 9 {
        let check = match weighted(&all[..8], &[1, 2, 3, 4, 5, 6, 7, 8]) % 11 {
            10 => weighted(&all[..8], &[3, 4, 5, 6, 7, 8, 9, 10]) % 11 % 10,
            check => check,
        };
        return checked(check == all[8]);
    }
    let (body, check) = (&all[..9], all[9]);
    let month = number(&all[2..4]) as u32;
    // months are 20 more for the 19th century and 40 more for the 21st
    let citizen = month <= 52
        && date(month % 20, number(&all[4..6]) as u32)
        && weighted(body, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == check;
    let foreigner = weighted(body, &[21, 19, 17, 13, 11, 9, 7, 3, 1]) % 10 == check;
    let other = (11 - weighted(body, &[4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11 == check;
    checked(citizen || foreigner || other)
}

/// Tax Department: eight digits and a letter; digits at odd places are exchanged by a
/// table, the sum modulo 26 gives the letter.
pub(super) fn cy(text: &str) -> Result<(), Wrong> {
    const ODD: [u32; 10] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
    let wanted = "8 digits that don't begin with 12, and a letter";
    ensure(text.len() == 9 && text.is_ascii(), Wrong::Length(wanted))?;
    let (body, letter) = text.split_at(8);
    let all = of(body).ok_or(Wrong::Form(wanted))?;
    let letter = letter.bytes().next().unwrap_or_default();
    ensure(
        letter.is_ascii_uppercase() && !body.starts_with("12"),
        Wrong::Form(wanted),
    )?;
    let value = |(i, d): (usize, &u32)| if i % 2 == 0 { ODD[*d as usize] } else { *d };
    let sum: u32 = all.iter().enumerate().map(value).sum();
    checked(sum % 26 == u32::from(letter - b'A'))
}

/// ΑΦΜ: nine digits, powers of two from the right, modulo eleven, modulo ten.
pub(super) fn el(text: &str) -> Result<(), Wrong> {
    let padded = if text.len() == 8 {
        format!("0{text}")
    } else {
        text.to_owned()
    };
    let all = all_digits(&padded, 9, "9 digits")?;
    ensure(number(&all) > 0, Wrong::Form("9 digits, not zeros only"))?;
    checked(weighted(&all, &[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10 == all[8])
}

/// Agencia Tributaria, NIF: persons (DNI, NIE and K, L, M) by the letter table modulo 23,
/// entities by a Luhn-like digit or its letter.
pub(super) fn es(text: &str) -> Result<(), Wrong> {
    const PERSON: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    const ENTITY: &[u8; 10] = b"JABCDEFGHI";
    let wanted = "9 characters: a letter first or last, or both, and digits between";
    ensure(text.len() == 9 && text.is_ascii(), Wrong::Length(wanted))?;
    let (first, body, last) = (&text[..1], &text[1..8], text.as_bytes()[8]);
    let middle = of(body).ok_or(Wrong::Form(wanted))?;
    let person = |leading: u64| {
        let rest = (leading * 10_000_000 + number(&middle)) % 23;
        PERSON[rest as usize] == last
    };
    match first.as_bytes()[0] {
        digit @ b'0'..=b'9' => checked(person(u64::from(digit - b'0'))),
        b'K' | b'L' | b'M' | b'X' => checked(person(0)),
        b'Y' => checked(person(1)),
        b'Z' => checked(person(2)),
        kind @ (b'A'..=b'H' | b'J' | b'N' | b'P'..=b'S' | b'U'..=b'W') => {
            let mut with_zero = middle.clone();
            with_zero.push(0);
            let digit = (10 - luhn_sum(&with_zero) % 10) % 10;
            let as_digit = last == b'0' + digit as u8;
            let as_letter = last == ENTITY[digit as usize];
            checked(match kind {
                b'A' | b'B' | b'E' | b'H' => as_digit,
                b'N' | b'P' | b'Q' | b'R' | b'S' | b'W' => as_letter,
                _ => as_digit || as_letter,
            })
        }
        _ => Err(Wrong::Form(wanted)),
    }
}

/// OIB: eleven digits, ISO 7064 MOD 11,10.
pub(super) fn hr(text: &str) -> Result<(), Wrong> {
    checked(mod_11_10(&all_digits(text, 11, "11 digits")?))
}

/// Agenzia delle Entrate: seven digits, the office (001 to 100, 120, 121, 888, 999), and
/// a Luhn digit.
pub(super) fn it(text: &str) -> Result<(), Wrong> {
    let wanted = "11 digits, the eighth to tenth an office's code";
    let all = all_digits(text, 11, wanted)?;
    let office = matches!(number(&all[7..10]), 1..=100 | 120 | 121 | 888 | 999);
    ensure(office && number(&all[..7]) > 0, Wrong::Form(wanted))?;
    checked(luhn(&all))
}

/// Commissioner for Tax and Customs: eight digits, weighted sum a multiple of 37.
pub(super) fn mt(text: &str) -> Result<(), Wrong> {
    let wanted = "8 digits that don't begin with 0";
    let all = all_digits(text, 8, wanted)?;
    ensure(all[0] != 0, Wrong::Form(wanted))?;
    checked(weighted(&all, &[3, 4, 6, 7, 8, 9, 10, 1]).is_multiple_of(37))
}

/// NIF: nine digits, 11 less the weighted sum modulo 11; 10 and 11 become 0.
pub(super) fn pt(text: &str) -> Result<(), Wrong> {
    let wanted = "9 digits that don't begin with 0";
    let all = all_digits(text, 9, wanted)?;
    ensure(all[0] != 0, Wrong::Form(wanted))?;
    let check = match 11 - weighted(&all, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 {
        10 | 11 => 0,
        check => check,
    };
    checked(check == all[8])
}
