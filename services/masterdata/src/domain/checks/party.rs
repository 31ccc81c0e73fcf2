//! Tax and other identifiers of customers and suppliers, and how they fit each other.

use std::collections::BTreeSet;

use decision::Value;
use identifiers::{Problem, gs1, registry, vat};

use super::{Context, Found, Path};
use crate::domain::violation::{Kind, Severity};

/// Schemes of tax identifiers.
pub(super) const TAX_SCHEMES: [&str; 5] = ["CH_UID", "EU_VAT", "GB_VAT", "NO_MVA", "US_EIN"];

/// Checks an identifier by its scheme, and that its country is the party's.
pub(super) fn tax_identifier(
    context: &Context<'_>,
    scheme: &str,
    text: &str,
    path: &Path,
    found: &mut Found,
) {
    let (name, verdict) = match scheme {
        "US_EIN" => ("ein", identifiers::ein::check(text)),
        scheme if TAX_SCHEMES.contains(&scheme) => ("vat", vat::check(text)),
        _ => return,
    };
    let normal = match verdict {
        Ok(normal) => normal.value,
        Err(problem) => return found.problem(path, name, Severity::Error, problem),
    };
    let outside = ["GB", "CHE", "NO"]
        .iter()
        .any(|prefix| normal.starts_with(prefix))
        || normal.ends_with("MVA");
    let fits = match scheme {
        "EU_VAT" => !outside,
        "GB_VAT" => normal.starts_with("GB") || normal.starts_with("XI"),
        "CH_UID" => normal.starts_with("CHE"),
        "NO_MVA" => normal.ends_with("MVA"),
        _ => true,
    };
    if !fits {
        let message = format!("the number isn't one of scheme {scheme}");
        return found.add(
            path,
            "tax_identifier.scheme",
            (Severity::Error, Kind::CrossField),
            message,
        );
    }
    if let Some(seat) = context.record.seat()
        && scheme == "EU_VAT"
        && !normal.starts_with(vat::prefix(seat))
    {
        let message = format!(
            "registered in {}, while the party sits in {seat}",
            &normal[..2]
        );
        found.add(
            path,
            "tax_identifier.country",
            (Severity::Warning, Kind::CrossField),
            message,
        );
    }
}

/// Checks an identifier of a scheme that this knows; others pass.
pub(super) fn identifier(scheme: &str, text: &str, path: &Path, found: &mut Found) {
    let check: fn(&str) -> Result<identifiers::Normalised, Problem> = match scheme {
        "GLN" => gs1::gln,
        "SSCC" => gs1::sscc,
        "LEI" => registry::lei,
        "DUNS" => registry::duns,
        "ISIN" => registry::isin,
        _ => return,
    };
    if let Err(problem) = check(text) {
        found.problem(path, &scheme.to_lowercase(), Severity::Error, problem);
    }
}

/// What concerns several elements: the same identifier twice.
pub(super) fn run(context: &Context<'_>, found: &mut Found) {
    for list in ["tax_identifiers", "identifiers"] {
        let mut seen = BTreeSet::new();
        for (at, element) in context.record.elements(list).enumerate() {
            let text = |name: &str| {
                element
                    .get(name)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            if !seen.insert((text("scheme"), text("value"))) {
                let path = Path::root(list).index(at);
                let message = "the same identifier stands in an element before";
                found.add(
                    &path,
                    "identifier.duplicate",
                    (Severity::Warning, Kind::Duplicate),
                    message,
                );
            }
        }
    }
}
