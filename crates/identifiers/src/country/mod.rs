//! ISO 3166-1: country codes and names.

mod table;

use crate::{Normalised, Problem, shorten};

const STANDARD: &str = "ISO 3166-1";

/// A country or territory with a code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    /// Two letters, such as `DE`.
    pub alpha2: &'static str,
    /// Three letters, such as `DEU`.
    pub alpha3: &'static str,
    /// English name.
    pub name: &'static str,
}

/// What business records call countries besides the table's names and the codes.
#[rustfmt::skip]
const ALIASES: &[(&str, &str)] = &[
    ("america", "US"), ("bolivia, plurinational state of", "BO"), ("brasil", "BR"),
    ("britain", "GB"), ("brunei", "BN"), ("burma", "MM"), ("cape verde", "CV"),
    ("congo-brazzaville", "CG"), ("congo-kinshasa", "CD"), ("cote d'ivoire", "CI"),
    ("czech republic", "CZ"), ("deutschland", "DE"), ("dr congo", "CD"), ("drc", "CD"),
    ("congo, the democratic republic of the", "CD"), ("el", "GR"), ("england", "GB"),
    ("españa", "ES"), ("falkland islands (malvinas)", "FK"), ("federal republic of germany", "DE"),
    ("great britain", "GB"), ("hellas", "GR"), ("holland", "NL"),
    ("holy see (vatican city state)", "VA"), ("hong kong sar", "HK"),
    ("iran, islamic republic of", "IR"), ("italia", "IT"), ("ivory coast", "CI"),
    ("korea", "KR"), ("korea, democratic people's republic of", "KP"),
    ("korea, republic of", "KR"), ("lao people's democratic republic", "LA"), ("macau", "MO"),
    ("macedonia", "MK"), ("micronesia, federated states of", "FM"),
    ("moldova, republic of", "MD"), ("méxico", "MX"), ("northern ireland", "GB"),
    ("palestine, state of", "PS"), ("prc", "CN"), ("republic of ireland", "IE"),
    ("republic of korea", "KR"), ("reunion", "RE"), ("russia", "RU"), ("scotland", "GB"),
    ("slovak republic", "SK"), ("swaziland", "SZ"), ("syrian arab republic", "SY"),
    ("taiwan, province of china", "TW"), ("tanzania, united republic of", "TZ"),
    ("the netherlands", "NL"), ("turkey", "TR"), ("turkiye", "TR"), ("u.k.", "GB"),
    ("u.s.", "US"), ("u.s.a.", "US"), ("uae", "AE"), ("uk", "GB"),
    ("united kingdom of great britain and northern ireland", "GB"),
    ("united states of america", "US"), ("vatican", "VA"), ("vatican city", "VA"),
    ("venezuela, bolivarian republic of", "VE"), ("vietnam", "VN"),
    ("virgin islands, british", "VG"), ("virgin islands, u.s.", "VI"), ("wales", "GB"),
    ("österreich", "AT"),
];

/// Member states of the European Union.
const EU: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT",
    "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// All countries, by alpha-2 code.
#[must_use]
pub const fn all() -> &'static [Country] {
    table::COUNTRIES
}

/// The country of an alpha-2 code in upper case.
#[must_use]
pub fn by_alpha2(code: &str) -> Option<&'static Country> {
    let found = table::COUNTRIES.binary_search_by(|country| country.alpha2.cmp(code));
    found.ok().and_then(|at| table::COUNTRIES.get(at))
}

/// The country that a code (two or three letters, any case) or an English name means,
/// with names common in business records, such as `UK`, `USA` or `Holland`.
#[must_use]
pub fn find(text: &str) -> Option<&'static Country> {
    let text = text.trim();
    let lower = text.to_lowercase();
    if let Some((_, code)) = ALIASES.iter().find(|(alias, _)| *alias == lower) {
        return by_alpha2(code);
    }
    match text.len() {
        2 => by_alpha2(&text.to_ascii_uppercase()),
        _ => table::COUNTRIES.iter().find(|country| {
            country.alpha3.eq_ignore_ascii_case(text) || country.name.to_lowercase() == lower
        }),
    }
}

/// Whether an alpha-2 code is a member state of the European Union.
#[must_use]
pub fn in_eu(code: &str) -> bool {
    EU.contains(&code)
}

/// Checks a code or a name; the normal form is the alpha-2 code.
///
/// # Errors
/// If it means no country.
pub fn check(value: &str) -> Result<Normalised, Problem> {
    find(value)
        .map(|country| Normalised::new(country.alpha2))
        .ok_or_else(|| {
            Problem::code_list(
                STANDARD,
                format!(
                    "{:?} is no country code or English country name",
                    shorten(value)
                ),
            )
        })
}

/// Checks that a value is an alpha-2 code in upper case, as canonical records have it.
///
/// # Errors
/// If it isn't; the message says which code a name means.
pub fn check_alpha2(value: &str) -> Result<Normalised, Problem> {
    if by_alpha2(value).is_some() {
        return Ok(Normalised::new(value));
    }
    let hint = find(value).map_or(String::new(), |c| format!("; its code is {}", c.alpha2));
    Err(Problem::code_list(
        STANDARD,
        format!("{:?} is no alpha-2 code{hint}", shorten(value)),
    ))
}
