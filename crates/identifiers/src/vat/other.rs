//! Great Britain and Northern Ireland, Norway, Switzerland.

use super::{Wrong, all_digits, checked, ensure};
use crate::digits::{number, of, weighted};

/// HM Revenue & Customs: nine digits (modulo 97, since 2010 also with 55 added), twelve
/// for branches, GD000 to GD499 for departments and HA500 to HA999 for health authorities.
pub(super) fn gb(text: &str) -> Result<(), Wrong> {
    let wanted = "9 or 12 digits, GD and 000 to 499, or HA and 500 to 999";
    if let Some(rest) = text.strip_prefix("GD").or_else(|| text.strip_prefix("HA")) {
        let all = all_digits(rest, 3, wanted)?;
        let department = text.starts_with("GD");
        return ensure(department == (number(&all) < 500), Wrong::Form(wanted));
    }
    ensure(text.len() == 9 || text.len() == 12, Wrong::Length(wanted))?;
    let all = of(text).ok_or(Wrong::Form(wanted))?;
    let rest = weighted(&all[..9], &[8, 7, 6, 5, 4, 3, 2, 10, 1]) % 97;
    let newer = number(&all[..3]) >= 100 && matches!(rest, 42 | 55);
    ensure(number(&all[..7]) > 0, Wrong::Form(wanted))?;
    checked(rest == 0 || newer)
}

/// Brønnøysundregistrene: nine digits, 11 less the weighted sum modulo 11, and `MVA`.
pub(super) fn no(text: &str) -> Result<(), Wrong> {
    let wanted = "9 digits and MVA";
    let body = text.strip_suffix("MVA").ok_or(Wrong::Form(wanted))?;
    let all = all_digits(body, 9, wanted)?;
    let check = (11 - weighted(&all, &[3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    checked(check == all[8])
}

/// Bundesamt für Statistik, UID: nine digits, 11 less the weighted sum modulo 11, and in
/// VAT matters `MWST`, `TVA`, `IVA` or `TPV`.
pub(super) fn ch(text: &str) -> Result<(), Wrong> {
    let wanted = "9 digits, and optionally MWST, TVA, IVA or TPV";
    let body = ["MWST", "TVA", "IVA", "TPV"]
        .into_iter()
        .find_map(|suffix| text.strip_suffix(suffix))
        .unwrap_or(text);
    let all = all_digits(body, 9, wanted)?;
    let check = (11 - weighted(&all, &[5, 4, 3, 2, 7, 6, 5, 4]) % 11) % 11;
    checked(check == all[8])
}
