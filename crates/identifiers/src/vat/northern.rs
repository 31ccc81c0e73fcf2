//! Denmark, Estonia, Finland, Latvia, Lithuania, Sweden.

use super::{Wrong, all_digits, checked, date, ensure};
use crate::digits::{luhn, number, of, weighted};

/// CVR: eight digits, weighted sum a multiple of eleven.
pub(super) fn dk(text: &str) -> Result<(), Wrong> {
    let wanted = "8 digits that don't begin with 0";
    let all = all_digits(text, 8, wanted)?;
    ensure(all[0] != 0, Wrong::Form(wanted))?;
    checked(weighted(&all, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11))
}

/// KMKR: nine digits, weighted sum a multiple of ten.
pub(super) fn ee(text: &str) -> Result<(), Wrong> {
    let all = all_digits(text, 9, "9 digits")?;
    checked(weighted(&all, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10))
}

/// Y-tunnus: eight digits, weighted sum a multiple of eleven.
pub(super) fn fi(text: &str) -> Result<(), Wrong> {
    let all = all_digits(text, 8, "8 digits")?;
    checked(weighted(&all, &[7, 9, 10, 5, 8, 4, 2, 1]).is_multiple_of(11))
}

/// PVM: nine digits whose eighth is 1, or twelve whose eleventh is 1; two rounds of
/// weights modulo eleven.
pub(super) fn lt(text: &str) -> Result<(), Wrong> {
    let wanted = "9 digits with 1 at the eighth place, or 12 with 1 at the eleventh";
    ensure(text.len() == 9 || text.len() == 12, Wrong::Length(wanted))?;
    let all = of(text).ok_or(Wrong::Form(wanted))?;
    let (body, check) = (&all[..all.len() - 1], all[all.len() - 1]);
    ensure(body[body.len() - 1] == 1, Wrong::Form(wanted))?;
    let round = |shift: u32| -> u32 {
        let weights = (0u32..).map(|i| 1 + (i + shift) % 9);
        body.iter().zip(weights).map(|(d, w)| d * w).sum::<u32>() % 11
    };
    let digit = match round(0) {
        10 => round(2) % 10,
        digit => digit,
    };
    checked(digit == check)
}

/// Uzņēmumu reģistrs: eleven digits. Above 3 a company's weighted sum leaves 3 modulo
/// eleven; others are personal codes, which have no check digit where they begin with 32.
pub(super) fn lv(text: &str) -> Result<(), Wrong> {
    let all = all_digits(text, 11, "11 digits")?;
    if all[0] > 3 {
        return checked(weighted(&all, &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1]) % 11 == 3);
    }
    if all[0] == 3 && all[1] == 2 {
        return Ok(());
    }
    let (day, month) = (number(&all[..2]) as u32, number(&all[2..4]) as u32);
    ensure(
        date(month, day) && all[6] < 3,
        Wrong::Form("a personal code"),
    )?;
    let sum = weighted(&all, &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9]);
    checked((1 + sum) % 11 % 10 == all[10])
}

/// Organisationsnummer (Luhn) and a suffix of two digits, 01 and up.
pub(super) fn se(text: &str) -> Result<(), Wrong> {
    let wanted = "12 digits that don't end in 00";
    let all = all_digits(text, 12, wanted)?;
    ensure(number(&all[10..]) > 0, Wrong::Form(wanted))?;
    checked(luhn(&all[..10]))
}
