//! Postal codes by country: their form, and where a code list is small enough, its areas.
//!
//! Forms: Universal Postal Union, "Addressing systems" country sheets; Great Britain: BS
//! 7666 annex C and Royal Mail's postcode areas; Canada: Canada Post addressing guidelines.

use crate::{Normalised, Problem, digits, shorten};

const STANDARD: &str = "UPU addressing systems";
const BRITISH: &str = "BS 7666";
const CANADIAN: &str = "Canada Post addressing guidelines";

/// The forms of a country's codes: `9` is a digit, `A` a letter, `*` either, a lower-case
/// letter stands for itself. The first form is the preferred one.
#[rustfmt::skip]
const FORMS: &[(&str, &[&str])] = &[
    ("AD", &["ad999"]), ("AF", &["9999"]), ("AL", &["9999"]), ("AM", &["9999"]),
    ("AR", &["A9999AAA", "9999"]), ("AT", &["9999"]), ("AU", &["9999"]), ("AX", &["99999"]),
    ("AZ", &["az 9999"]), ("BA", &["99999"]), ("BB", &["bb99999"]), ("BD", &["9999"]),
    ("BE", &["9999"]), ("BG", &["9999"]), ("BH", &["9999", "999"]), ("BN", &["AA9999"]),
    ("BR", &["99999-999"]), ("BT", &["99999"]), ("BY", &["999999"]), ("CA", &["A9A 9A9"]),
    ("CH", &["9999"]), ("CL", &["999-9999", "9999999"]), ("CN", &["999999"]), ("CO", &["999999"]),
    ("CR", &["99999"]), ("CU", &["99999"]), ("CV", &["9999"]), ("CY", &["9999"]),
    ("CZ", &["999 99"]), ("DE", &["99999"]), ("DK", &["9999"]), ("DO", &["99999"]),
    ("DZ", &["99999"]), ("EC", &["999999"]), ("EE", &["99999"]), ("EG", &["99999"]),
    ("ES", &["99999"]), ("ET", &["9999"]), ("FI", &["99999"]), ("FO", &["999"]),
    ("FR", &["99999"]), ("GE", &["9999"]), ("GF", &["99999"]), ("GL", &["9999"]),
    ("GP", &["99999"]), ("GR", &["999 99"]), ("GT", &["99999"]), ("HN", &["99999"]),
    ("HR", &["99999"]), ("HU", &["9999"]), ("ID", &["99999"]), ("IE", &["A9* ****"]),
    ("IL", &["9999999"]), ("IN", &["999999", "999 999"]), ("IQ", &["99999"]),
    ("IR", &["99999-99999"]), ("IS", &["999"]), ("IT", &["99999"]), ("JO", &["99999"]),
    ("JP", &["999-9999"]), ("KE", &["99999"]), ("KG", &["999999"]), ("KH", &["999999", "99999"]),
    ("KR", &["99999"]), ("KW", &["99999"]), ("KZ", &["A99A9A9", "999999"]), ("LA", &["99999"]),
    ("LB", &["9999 9999", "9999"]), ("LI", &["9999"]), ("LK", &["99999"]), ("LT", &["lt-99999"]),
    ("LU", &["9999"]), ("LV", &["lv-9999"]), ("MA", &["99999"]), ("MC", &["98099"]),
    ("MD", &["md-9999", "9999"]), ("ME", &["99999"]), ("MG", &["999"]), ("MK", &["9999"]),
    ("MM", &["99999"]), ("MN", &["99999"]), ("MQ", &["99999"]), ("MT", &["AAA 9999"]),
    ("MU", &["99999"]), ("MV", &["99999"]), ("MX", &["99999"]), ("MY", &["99999"]),
    ("NC", &["99999"]), ("NE", &["9999"]), ("NG", &["999999"]), ("NI", &["99999"]),
    ("NL", &["9999 AA"]), ("NO", &["9999"]), ("NP", &["99999"]), ("NZ", &["9999"]),
    ("OM", &["999"]), ("PE", &["99999"]), ("PF", &["99999"]), ("PG", &["999"]),
    ("PH", &["9999"]), ("PK", &["99999"]), ("PL", &["99-999"]), ("PR", &["99999", "99999-9999"]),
    ("PT", &["9999-999"]), ("PY", &["999999", "9999"]), ("RE", &["99999"]), ("RO", &["999999"]),
    ("RS", &["99999"]), ("RU", &["999999"]), ("SA", &["99999", "99999-9999"]), ("SE", &["999 99"]),
    ("SG", &["999999"]), ("SI", &["9999"]), ("SK", &["999 99"]), ("SM", &["99999"]),
    ("SN", &["99999"]), ("SV", &["9999"]), ("SZ", &["A999"]), ("TH", &["99999"]),
    ("TM", &["999999"]), ("TN", &["9999"]), ("TR", &["99999"]), ("TW", &["999999", "999", "99999"]),
    ("TZ", &["99999"]), ("UA", &["99999"]), ("US", &["99999", "99999-9999"]), ("UY", &["99999"]),
    ("UZ", &["999999"]), ("VA", &["99999"]), ("VE", &["9999", "9999-A"]),
    ("VN", &["99999", "999999"]), ("XK", &["99999"]), ("YT", &["99999"]), ("ZA", &["9999"]),
    ("ZM", &["99999"]),
];

/// Royal Mail's postcode areas of the United Kingdom.
#[rustfmt::skip]
const BRITISH_AREAS: &[&str] = &[
    "AB", "AL", "B", "BA", "BB", "BD", "BF", "BH", "BL", "BN", "BR", "BS", "BT", "BX", "CA", "CB",
    "CF", "CH", "CM", "CO", "CR", "CT", "CV", "CW", "DA", "DD", "DE", "DG", "DH", "DL", "DN", "DT",
    "DY", "E", "EC", "EH", "EN", "EX", "FK", "FY", "G", "GL", "GU", "HA", "HD", "HG", "HP", "HR",
    "HS", "HU", "HX", "IG", "IP", "IV", "KA", "KT", "KW", "KY", "L", "LA", "LD", "LE", "LL", "LN",
    "LS", "LU", "M", "ME", "MK", "ML", "N", "NE", "NG", "NN", "NP", "NR", "NW", "OL", "OX", "PA",
    "PE", "PH", "PL", "PO", "PR", "RG", "RH", "RM", "S", "SA", "SE", "SG", "SK", "SL", "SM", "SN",
    "SO", "SP", "SR", "SS", "ST", "SW", "SY", "TA", "TD", "TF", "TN", "TQ", "TR", "TS", "TW", "UB",
    "W", "WA", "WC", "WD", "WF", "WN", "WR", "WS", "WV", "YO", "ZE",
];

/// Whether addresses of a country have a postal code, as far as this table knows.
#[must_use]
pub fn expected(country: &str) -> bool {
    country == "GB" || forms(country).is_some()
}

fn forms(country: &str) -> Option<&'static [&'static str]> {
    let found = FORMS.binary_search_by(|(code, _)| (*code).cmp(country));
    found
        .ok()
        .and_then(|at| FORMS.get(at))
        .map(|(_, forms)| *forms)
}

/// Checks a postal code of a country (alpha-2). The normal form has the separators and
/// upper case of the country's preferred form, without the country prefix of the former
/// European notation (`S-958 22`). A country that the table doesn't know passes as it is.
///
/// # Errors
/// A form the country doesn't have, or an area that doesn't exist.
pub fn check(country: &str, value: &str) -> Result<Normalised, Problem> {
    let text = value.trim().to_uppercase();
    if country == "GB" {
        return british(&text);
    }
    let Some(forms) = forms(country) else {
        return Ok(Normalised::new(text));
    };
    let bare = digits::compact(without_prefix(country, &text), &[' ', '-']);
    let Some(form) = forms.iter().find(|form| fits(form, &bare)) else {
        return Err(Problem::format(
            STANDARD,
            format!(
                "{:?} isn't of the form {} that {country} has",
                shorten(value),
                forms.join(" or ").to_uppercase()
            ),
        ));
    };
    if country == "CA" {
        canadian(&bare)?;
    }
    if country == "ES" && !("01".."53").contains(&&bare[..2]) {
        return Err(Problem::code_list(
            STANDARD,
            format!("{:?} names no Spanish province, 01 to 52", &bare[..2]),
        ));
    }
    Ok(Normalised::new(write(form, &bare)))
}

/// `S-958 22` to `958 22`: the distinguishing signs of road traffic before the code.
fn without_prefix<'a>(country: &str, text: &'a str) -> &'a str {
    let sign = match country {
        "AT" => "A",
        "BE" => "B",
        "DE" => "D",
        "ES" => "E",
        "FI" => "FIN",
        "FR" => "F",
        "IT" => "I",
        "LU" => "L",
        "NO" => "N",
        "PT" => "P",
        "SE" => "S",
        other => other,
    };
    let stripped = |sign: &str| text.strip_prefix(sign)?.strip_prefix(['-', ' ']);
    match country {
        // here the prefix belongs to the code
        "AD" | "AZ" | "BB" | "LT" | "LV" | "MD" => text,
        _ => stripped(sign).or_else(|| stripped(country)).unwrap_or(text),
    }
}

/// Whether a code without separators has a form: `9` a digit, `A` a letter, lower-case
/// letters themselves, `*` a letter or digit.
fn fits(form: &str, bare: &str) -> bool {
    let mut wanted = form.chars().filter(|c| *c != ' ' && *c != '-');
    let all = bare.chars().all(|c| match wanted.next() {
        Some('9') => c.is_ascii_digit(),
        Some('A') => c.is_ascii_uppercase(),
        Some('*') => c.is_ascii_digit() || c.is_ascii_uppercase(),
        Some(other) => c == other.to_ascii_uppercase(),
        None => false,
    });
    all && wanted.next().is_none()
}

/// Puts a form's separators back.
fn write(form: &str, bare: &str) -> String {
    let mut left = bare.chars();
    form.chars()
        .filter_map(|c| match c {
            ' ' | '-' => Some(c),
            _ => left.next(),
        })
        .collect()
}

/// Letters D, F, I, O, Q and U never stand in a Canadian code; W and Z not at its start.
fn canadian(bare: &str) -> Result<(), Problem> {
    let bad = |(i, c): &(usize, char)| "DFIOQU".contains(*c) || (*i == 0 && "WZ".contains(*c));
    match bare.chars().enumerate().find(bad) {
        None => Ok(()),
        Some((i, c)) => Err(Problem::format(
            CANADIAN,
            format!(
                "letter {c} at position {} of {bare:?} doesn't occur in Canadian postal codes",
                i + 1
            ),
        )),
    }
}

/// Outward code (area, district), inward code (digit, two letters but C I K M O V).
fn british(text: &str) -> Result<Normalised, Problem> {
    let bare = digits::compact(text, &[' ']);
    let wrong = |what: &str| {
        let message = format!("{:?} {what}", shorten(text));
        Err(Problem::format(BRITISH, message))
    };
    if !bare.is_ascii() || !(5..=7).contains(&bare.len()) {
        return wrong("isn't an outward and an inward code, such as SW1A 1AA");
    }
    let (outward, inward) = bare.split_at(bare.len() - 3);
    let mut tail = inward.chars();
    let inward_fits = tail.next().is_some_and(|c| c.is_ascii_digit())
        && tail.all(|c| c.is_ascii_uppercase() && !"CIKMOV".contains(c));
    if !inward_fits {
        return wrong("doesn't end in a digit and two letters other than C, I, K, M, O and V");
    }
    if bare == "GIR0AA" {
        return Ok(Normalised::new("GIR 0AA"));
    }
    let area: String = outward
        .chars()
        .take_while(char::is_ascii_uppercase)
        .collect();
    let district = &outward[area.len()..];
    if !BRITISH_AREAS.contains(&area.as_str()) {
        return Err(Problem::code_list(
            BRITISH,
            format!(
                "{:?} is in no postcode area: there is no {area:?}",
                shorten(text)
            ),
        ));
    }
    let mut rest = district.chars();
    let starts = rest.next().is_some_and(|c| c.is_ascii_digit());
    let ends = match (rest.next(), rest.next()) {
        (None, None) => true,
        (Some(c), None) => c.is_ascii_digit() || c.is_ascii_uppercase(),
        _ => false,
    };
    if !starts || !ends {
        return wrong("has no district, such as the 1A of SW1A");
    }
    Ok(Normalised::new(format!("{outward} {inward}")))
}
