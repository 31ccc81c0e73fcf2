//! Postal codes and telephone numbers, judged by their country.

use identifiers::{ProblemKind, country, phone as numbers, postal};

use super::{Found, Path};
use crate::domain::violation::{Kind, Severity, Violation};

/// A form the country doesn't have is a warning: countries change their forms, and mail
/// may still arrive.
pub(super) fn postal_code(text: &str, country_code: &str, path: &Path, found: &mut Found) {
    if country::by_alpha2(country_code).is_none() {
        return;
    }
    match postal::check(country_code, text) {
        Err(problem) => found.problem(path, "postal_code", Severity::Warning, problem),
        Ok(normal) if normal.value != text => {
            let message = format!(
                "found {text:?}, written {:?} in {country_code}",
                normal.value
            );
            found.add(
                path,
                "postal_code.normal_form",
                (Severity::Info, Kind::Format),
                message,
            );
        }
        Ok(_) => {}
    }
}

/// A number with its country code must be right. One without is judged by the plan of the
/// country where the party sits: it can be completed from there, or else it can't be
/// dialled.
pub(super) fn phone(text: &str, seat: Option<&str>, path: &Path, found: &mut Found) {
    if numbers::is_international(text) {
        if let Err(problem) = numbers::check(text) {
            found.problem(path, "phone", Severity::Warning, problem);
        }
        return;
    }
    let known = seat.filter(|code| country::by_alpha2(code).is_some());
    let Some(code) = known else {
        let severity = Severity::Warning;
        national(
            path,
            severity,
            "no country code, and the country isn't known",
            found,
        );
        return;
    };
    match numbers::check_national(code, text) {
        Ok(_) => national(
            path,
            Severity::Info,
            &format!("no country code; read as a number in {code}"),
            found,
        ),
        Err(problem) => {
            if problem.kind == ProblemKind::Length {
                national(
                    path,
                    Severity::Info,
                    &format!("no country code; read as a number in {code}"),
                    found,
                );
            }
            found.problem(path, "phone", Severity::Warning, problem);
        }
    }
}

fn national(path: &Path, severity: Severity, message: &str, found: &mut Found) {
    found.0.push(
        Violation::new(
            path.clone(),
            "phone.national",
            severity,
            Kind::Format,
            message,
        )
        .by("ITU-T E.164"),
    );
}
