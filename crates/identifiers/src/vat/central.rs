//! Austria, Czechia, Germany, Hungary, Poland, Romania, Slovakia, Slovenia.

use super::{Wrong, all_digits, checked, date, ensure};
use crate::digits::{luhn_sum, mod_11_10, number, of, weighted};

/// Bundesministerium für Finanzen, UID: U, seven digits, and (10 − (Luhn sum + 4) modulo
/// 10) modulo 10.
pub(super) fn at(text: &str) -> Result<(), Wrong> {
    let wanted = "U and 8 digits";
    ensure(text.len() == 9, Wrong::Length(wanted))?;
    let body = text.strip_prefix('U').ok_or(Wrong::Form(wanted))?;
    let all = of(body).ok_or(Wrong::Form(wanted))?;
    let (check, rest) = all.split_last().ok_or(Wrong::Length(wanted))?;
    checked((luhn_sum(rest) + 4 + check).is_multiple_of(10))
}

/// Finanční správa: eight digits for companies; nine or ten are birth numbers, nine that
/// begin with 6 are individuals' own series.
pub(super) fn cz(text: &str) -> Result<(), Wrong> {
    let wanted = "8, 9 or 10 digits";
    ensure((8..=10).contains(&text.len()), Wrong::Length(wanted))?;
    let all = of(text).ok_or(Wrong::Form(wanted))?;
    match all.len() {
        8 => {
            ensure(all[0] != 9, Wrong::Form("8 digits that don't begin with 9"))?;
            let check = (11 - weighted(&all, &[8, 7, 6, 5, 4, 3, 2]) % 11) % 10;
            checked(check == all[7])
        }
        9 if all[0] == 6 => {
            let short = 10 - weighted(&all[1..], &[8, 7, 6, 5, 4, 3, 2]) % 11;
            let check = [8, 7, 6, 5, 4, 3, 2, 1, 0, 9, 8][short as usize];
            checked(check == all[8])
        }
        // no check digit before 1954
        9 => ensure(
            birth(&all) && number(&all[..2]) <= 53,
            Wrong::Form("a birth number of 1953 or before"),
        ),
        _ => {
            ensure(birth(&all), Wrong::Form("a birth number"))?;
            let short = number(&all[..9]) % 11;
            checked(number(&all).is_multiple_of(11) || (short == 10 && all[9] == 0))
        }
    }
}

/// Women's months are 50 more, and since 2004 either may be 20 more still.
fn birth(all: &[u32]) -> bool {
    let month = number(&all[2..4]) as u32;
    date(month % 50 % 20, number(&all[4..6]) as u32) && month % 50 <= 32
}

/// Bundeszentralamt für Steuern: nine digits, ISO 7064 MOD 11,10.
pub(super) fn de(text: &str) -> Result<(), Wrong> {
    let wanted = "9 digits that don't begin with 0";
    let all = all_digits(text, 9, wanted)?;
    ensure(all[0] != 0, Wrong::Form(wanted))?;
    checked(mod_11_10(&all))
}

/// Nemzeti Adó- és Vámhivatal: eight digits, weighted sum a multiple of ten.
pub(super) fn hu(text: &str) -> Result<(), Wrong> {
    let all = all_digits(text, 8, "8 digits")?;
    checked(weighted(&all, &[9, 7, 3, 1, 9, 7, 3, 1]).is_multiple_of(10))
}

/// NIP: ten digits, weighted sum modulo eleven.
pub(super) fn pl(text: &str) -> Result<(), Wrong> {
    let all = all_digits(text, 10, "10 digits")?;
    checked(weighted(&all, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == all[9])
}

/// CUI: two to ten digits, right-aligned weights, ten times the sum modulo eleven.
pub(super) fn ro(text: &str) -> Result<(), Wrong> {
    let wanted = "2 to 10 digits that don't begin with 0";
    ensure((2..=10).contains(&text.len()), Wrong::Length(wanted))?;
    let all = of(text).ok_or(Wrong::Form(wanted))?;
    ensure(all[0] != 0, Wrong::Form(wanted))?;
    let (body, weights) = (&all[..all.len() - 1], [7, 5, 3, 2, 1, 7, 5, 3, 2]);
    let sum = weighted(body, &weights[weights.len() - body.len()..]);
    checked(sum * 10 % 11 % 10 == all[all.len() - 1])
}

/// Finančná správa, IČ DPH: ten digits, a multiple of eleven.
pub(super) fn sk(text: &str) -> Result<(), Wrong> {
    let wanted = "10 digits, the first not 0, the third 2, 3, 4, 7, 8 or 9";
    let all = all_digits(text, 10, wanted)?;
    let third = matches!(all[2], 2 | 3 | 4 | 7 | 8 | 9);
    ensure(all[0] != 0 && third, Wrong::Form(wanted))?;
    checked(number(&all).is_multiple_of(11))
}

/// Finančna uprava: eight digits, 11 less the weighted sum modulo 11; 10 becomes 0.
pub(super) fn si(text: &str) -> Result<(), Wrong> {
    let wanted = "8 digits that don't begin with 0";
    let all = all_digits(text, 8, wanted)?;
    ensure(all[0] != 0, Wrong::Form(wanted))?;
    let check = match 11 - weighted(&all, &[8, 7, 6, 5, 4, 3, 2]) % 11 {
        10 => 0,
        other => other,
    };
    checked(check == all[7])
}
