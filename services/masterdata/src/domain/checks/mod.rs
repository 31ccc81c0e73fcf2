//! What holds for every record, whatever the unit: identifiers, code lists, lengths.
//!
//! Messages quote codes and identifiers, but no value of a personal field.

mod address;
mod party;
mod text;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use decision::{Number, Value};
use identifiers::{Problem, ProblemKind};

use super::{
    path::Path,
    record::{MAX_ELEMENTS, Record},
    schema::{Field, Form, Type},
    violation::{Kind, Severity, Violation},
};

/// A standard's reference, for those that no identifier check gives.
const INCOTERMS: &str = "ICC Incoterms 2020";

/// Checks a record.
///
/// `today` decides whether licences have ended.
#[must_use]
pub fn run(record: &Record, today: NaiveDate) -> Vec<Violation> {
    let mut found = Found::default();
    let context = Context { record, today };
    for name in ["id", "name"] {
        if record.text(name).unwrap_or_default().is_empty() {
            found.add(
                &Path::root(name),
                &format!("{name}.missing"),
                (Severity::Error, Kind::Missing),
                format!("{name} is missing"),
            );
        }
    }
    fields(
        &context,
        record.entity().fields(),
        record.fields(),
        None,
        &mut found,
    );
    party::run(&context, &mut found);
    found.0
}

/// Ids of identifier checks, each of which ends in a kind of problem.
const IDENTIFIERS: [&str; 16] = [
    "bic",
    "country",
    "currency",
    "duns",
    "ein",
    "gln",
    "gtin",
    "iban",
    "isin",
    "language",
    "lei",
    "phone",
    "postal_code",
    "sscc",
    "unit",
    "vat",
];

/// Ids of all other rules that hold everywhere, with those of mappings.
const RULES: [&str; 29] = [
    "address_kind.code_list",
    "date.format",
    "email.format",
    "hs.format",
    "id.missing",
    "identifier.duplicate",
    "incoterm.code_list",
    "licence.ended",
    "list.length",
    "mapping.boolean",
    "mapping.money",
    "mapping.number",
    "mapping.pattern",
    "mapping.text",
    "mapping.trimmed",
    "mapping.unknown_value",
    "mapping.unmapped",
    "money.negative",
    "name.missing",
    "phone.national",
    "postal_code.normal_form",
    "quantity.range",
    "tax_identifier.country",
    "tax_identifier.scheme",
    "tax_scheme.code_list",
    "text.blanks",
    "text.control_character",
    "text.length",
    "unspsc.format",
];

/// Whether a rule that holds everywhere has this id.
#[must_use]
pub fn is_rule(id: &str) -> bool {
    let suffixes = ["format", "length", "checksum", "code_list"];
    let identifier = id
        .split_once('.')
        .is_some_and(|(name, suffix)| IDENTIFIERS.contains(&name) && suffixes.contains(&suffix));
    identifier || RULES.contains(&id)
}

/// What checks look at beside the value.
struct Context<'a> {
    record: &'a Record,
    today: NaiveDate,
}

/// Violations found so far.
#[derive(Default)]
struct Found(Vec<Violation>);

impl Found {
    fn add(
        &mut self,
        field: &Path,
        rule: &str,
        (severity, kind): (Severity, Kind),
        message: impl Into<String>,
    ) {
        self.0
            .push(Violation::new(field.clone(), rule, severity, kind, message));
    }

    /// What an identifier check found, as `{name}.{problem}`.
    fn problem(&mut self, field: &Path, name: &str, severity: Severity, problem: Problem) {
        let suffix = match problem.kind {
            ProblemKind::Format => "format",
            ProblemKind::Length => "length",
            ProblemKind::Checksum => "checksum",
            ProblemKind::CodeList => "code_list",
        };
        let rule = format!("{name}.{suffix}");
        self.0.push(
            Violation::new(
                field.clone(),
                rule,
                severity,
                problem.kind.into(),
                problem.message,
            )
            .by(problem.standard),
        );
    }

    fn code(
        &mut self,
        field: &Path,
        name: &str,
        severity: Severity,
        standard: &str,
        message: String,
    ) {
        let rule = format!("{name}.code_list");
        self.0.push(
            Violation::new(field.clone(), rule, severity, Kind::CodeList, message).by(standard),
        );
    }
}

type Values = BTreeMap<String, Value>;

fn fields(
    context: &Context<'_>,
    schema: &[Field],
    values: &Values,
    above: Option<&Path>,
    found: &mut Found,
) {
    for field in schema {
        let Some(value) = values.get(field.name) else {
            continue;
        };
        let path = above.map_or_else(|| Path::root(field.name), |above| above.field(field.name));
        match (field.ty, value) {
            (Type::Text(form, max), Value::String(text)) => {
                text::hygiene(&path, text, max, found);
                formed(context, form, text, &path, values, found);
            }
            (Type::Texts(max), Value::List(items)) => {
                too_many(&path, items.len(), found);
                for (at, item) in items.iter().enumerate() {
                    text::hygiene(
                        &path.index(at),
                        item.as_str().unwrap_or_default(),
                        max,
                        found,
                    );
                }
            }
            (Type::List(below), Value::List(items)) => {
                too_many(&path, items.len(), found);
                for (at, item) in items.iter().enumerate() {
                    if let Some(values) = item.as_context() {
                        fields(context, below, values, Some(&path.index(at)), found);
                    }
                }
            }
            (Type::Money, Value::Money { amount, currency }) => {
                if amount.is_negative() {
                    let message = format!("found {amount}, expected 0 or more");
                    found.add(
                        &path,
                        "money.negative",
                        (Severity::Error, Kind::Format),
                        message,
                    );
                }
                if let Err(problem) = identifiers::currency::check(currency) {
                    found.problem(&path, "currency", Severity::Error, problem);
                }
            }
            (Type::Number, Value::Number(number)) => quantity(field.name, &path, *number, found),
            _ => {}
        }
    }
}

fn too_many(path: &Path, count: usize, found: &mut Found) {
    if count > MAX_ELEMENTS {
        let message = format!("found {count} elements, expected at most {MAX_ELEMENTS}");
        found.add(
            path,
            "list.length",
            (Severity::Error, Kind::Length),
            message,
        );
    }
}

fn quantity(name: &str, path: &Path, number: Number, found: &mut Found) {
    let positive = name == "base_units";
    if number.is_negative() || (positive && number.is_zero()) {
        let wanted = if positive { "more than 0" } else { "0 or more" };
        let message = format!("found {number}, expected {wanted}");
        found.add(
            path,
            "quantity.range",
            (Severity::Error, Kind::Format),
            message,
        );
    }
}

/// Checks a text by the form its field has.
fn formed(
    context: &Context<'_>,
    form: Form,
    text: &str,
    path: &Path,
    siblings: &Values,
    found: &mut Found,
) {
    use identifiers::{bank, country, currency, gs1, unit};
    let sibling = |name: &str| {
        siblings
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (name, verdict) = match form {
        Form::Gtin => ("gtin", gs1::gtin(text)),
        Form::Unit => ("unit", unit::check(text)),
        Form::Country => ("country", country::check_alpha2(text)),
        Form::Currency => ("currency", currency::check(text)),
        Form::Iban => ("iban", bank::iban(text)),
        Form::Bic => ("bic", bank::bic(text)),
        Form::PostalCode => {
            return address::postal_code(text, sibling("country_code"), path, found);
        }
        Form::Phone => return address::phone(text, context.record.seat(), path, found),
        Form::TaxValue => {
            return party::tax_identifier(context, sibling("scheme"), text, path, found);
        }
        Form::IdentifierValue => return party::identifier(sibling("scheme"), text, path, found),
        Form::ClassCode => return class(sibling("scheme"), text, path, found),
        Form::HsCode => return class("HS", text, path, found),
        Form::Email => return text::email(text, path, found),
        Form::Date => return licence_end(context, text, path, found),
        Form::Language => return text::language(text, path, found),
        Form::Incoterm => return listed(text, "incoterm", &RULES_2020, INCOTERMS, path, found),
        Form::AddressKind => {
            return listed(
                text,
                "address_kind",
                &["BILLING", "REGISTERED", "SHIPPING"],
                "",
                path,
                found,
            );
        }
        Form::TaxScheme => return listed(text, "tax_scheme", &party::TAX_SCHEMES, "", path, found),
        Form::Free => return,
    };
    if let Err(problem) = verdict {
        found.problem(path, name, Severity::Error, problem);
    }
}

/// The rules of Incoterms 2020.
const RULES_2020: [&str; 11] = [
    "CFR", "CIF", "CIP", "CPT", "DAP", "DDP", "DPU", "EXW", "FAS", "FCA", "FOB",
];

fn listed(text: &str, name: &str, list: &[&str], standard: &str, path: &Path, found: &mut Found) {
    if !list.contains(&text) {
        let shown: String = text.chars().take(40).collect();
        let message = format!("found {shown:?}, expected one of {}", list.join(", "));
        found.code(path, name, Severity::Error, standard, message);
    }
}

/// HS codes have 6 digits, and 8 or 10 in national tariffs; UNSPSC codes have 8.
fn class(scheme: &str, text: &str, path: &Path, found: &mut Found) {
    let (lengths, standard): (&[usize], _) = match scheme {
        "HS" => (&[6, 8, 10], "WCO Harmonized System"),
        "UNSPSC" => (&[8], "UNSPSC"),
        _ => return,
    };
    let bare: String = text.chars().filter(|c| !". ".contains(*c)).collect();
    if !bare.chars().all(|c| c.is_ascii_digit()) || !lengths.contains(&bare.len()) {
        let wanted: Vec<_> = lengths.iter().map(ToString::to_string).collect();
        let message = format!("expected {} digits", wanted.join(", "));
        let rule = format!("{}.format", scheme.to_lowercase());
        found.0.push(
            Violation::new(path.clone(), rule, Severity::Warning, Kind::Format, message)
                .by(standard),
        );
    }
}

fn licence_end(context: &Context<'_>, text: &str, path: &Path, found: &mut Found) {
    match decision::temporal::parse_date(text) {
        None => found.0.push(
            Violation::new(
                path.clone(),
                "date.format",
                Severity::Error,
                Kind::Format,
                "expected a calendar date such as 2026-11-24",
            )
            .by("ISO 8601-1"),
        ),
        Some(end) if end < context.today => {
            let message = format!("ended on {end}");
            found.add(
                path,
                "licence.ended",
                (Severity::Warning, Kind::CrossField),
                message,
            );
        }
        Some(_) => {}
    }
}
