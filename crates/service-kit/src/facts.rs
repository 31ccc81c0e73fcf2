//! Facts and values between the contracts, JSON and the decision engine, exactly.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use contracts::{time, types};
use decision::{
    MAX_FACT_NAME, Number, Value, is_fact_name, json,
    temporal::{self, Duration},
};
pub use governance::{Provenance, workflow::MAX_FACTS};
use types::value::Kind;

use crate::{
    error::{Error, Result},
    violations::Violations,
};

/// Longest subject that asserted a fact, in bytes.
pub const MAX_SUBJECT_BYTES: usize = 256;

/// Longest text of a value, in bytes.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Most values of a list.
const MAX_ITEMS: usize = 10_000;

/// Deepest nesting of lists.
const MAX_DEPTH: usize = 16;

/// A fact with where it came from, as the caller gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Dotted name, such as `order.total`.
    pub name: String,
    /// The value.
    pub value: Value,
    /// Where it came from; `None` where the caller didn't say.
    pub provenance: Option<Provenance>,
    /// Subject that asserted it; empty where the caller didn't say.
    pub asserted_by: String,
    /// When it was true at its source; `None` where the caller didn't say.
    pub observed: Option<DateTime<Utc>>,
}

/// Reads the facts of a request's field, each name once. What they claim of their origin
/// is for the use case to judge.
///
/// # Errors
/// With the path of every malformed part, such as `facts[3].value`.
pub fn from_proto(facts: Vec<types::Fact>, field: &str) -> Result<Vec<Fact>> {
    let twice = twice(&facts, field);
    let mut wrong = Violations::default();
    let read = wrong.take(all_from_proto(facts, field));
    for error in twice {
        wrong.take::<()>(Err(error));
    }
    wrong.finish(|| read)
}

/// What is wrong with names that stand twice, unless there are too many to look at.
fn twice(facts: &[types::Fact], field: &str) -> Vec<Error> {
    if facts.len() > MAX_FACTS {
        return Vec::new();
    }
    let repeated = facts.iter().enumerate().filter(|(place, fact)| {
        let mut earlier = facts.iter().take(*place);
        earlier.any(|earlier| earlier.name == fact.name)
    });
    let error = |(place, fact): (usize, &types::Fact)| {
        let problem = format!("{} stands twice, expected each name once", fact.name);
        Error::invalid(format!("{field}[{place}].name"), problem)
    };
    repeated.map(error).collect()
}

/// Reads facts of which several may have a name, as a document's do.
///
/// # Errors
/// As [`from_proto`].
pub fn all_from_proto(facts: Vec<types::Fact>, field: &str) -> Result<Vec<Fact>> {
    if facts.len() > MAX_FACTS {
        let problem = format!("{} facts, at most {MAX_FACTS} are allowed", facts.len());
        return Err(Error::too_large(field, problem));
    }
    let mut wrong = Violations::default();
    let mut read = Vec::with_capacity(facts.len());
    for (place, fact) in facts.into_iter().enumerate() {
        match fact_from_proto(fact) {
            Ok(fact) => read.push(fact),
            Err(parts) => parts.into_iter().for_each(|malformed| {
                wrong.take::<()>(Err(malformed.at(&format!("{field}[{place}]"))));
            }),
        }
    }
    wrong.finish(|| Some(read))
}

/// Reads values by name, as the arguments of an operation. Whatever they claim of their
/// origin is left out: it follows from who sends them.
///
/// # Errors
/// As [`from_proto`]; if there are more than `most`.
pub fn values_from_proto(
    facts: Vec<types::Fact>,
    field: &str,
    most: usize,
) -> Result<BTreeMap<String, Value>> {
    if facts.len() > most {
        let problem = format!("{} items, at most {most} are allowed", facts.len());
        return Err(Error::too_large(field, problem));
    }
    let facts = facts.into_iter().map(|fact| types::Fact {
        name: fact.name,
        value: fact.value,
        ..types::Fact::default()
    });
    let named = from_proto(facts.collect(), field)?.into_iter();
    Ok(named.map(|fact| (fact.name, fact.value)).collect())
}

/// A part that is wrong, and how. Paths are put together for those alone: this is on the
/// way of every request.
struct Malformed {
    /// Below the whole, such as `.value[3]`.
    path: String,
    problem: String,
}

impl Malformed {
    fn at(self, whole: &str) -> Error {
        Error::invalid(format!("{whole}{}", self.path), self.problem)
    }
}

fn malformed(path: &str, problem: impl Into<String>) -> Malformed {
    Malformed {
        path: path.to_owned(),
        problem: problem.into(),
    }
}

fn fact_from_proto(fact: types::Fact) -> Result<Fact, Vec<Malformed>> {
    let mut wrong = Vec::new();
    if let Err(problem) = check_name(&fact.name) {
        wrong.push(malformed(".name", problem));
    }
    if fact.asserted_by.len() > MAX_SUBJECT_BYTES {
        let problem = format!("longer than {MAX_SUBJECT_BYTES} bytes");
        wrong.push(malformed(".asserted_by", problem));
    }
    let value = match fact.value.map(|value| read(value, 0)) {
        None => Err(malformed(
            ".value",
            "missing; a fact that isn't known is left out",
        )),
        Some(read) => read.map_err(|inner| Malformed {
            path: format!(".value{}", inner.path),
            ..inner
        }),
    };
    let provenance = provenance_from_proto(fact.provenance)
        .ok_or_else(|| malformed(".provenance", "is unknown"));
    let observed = fact.observe_time.map(|instant| {
        let problem = "out of range, expected an RFC 3339 instant";
        time::instant(&instant).ok_or_else(|| malformed(".observe_time", problem))
    });
    match (value, provenance, observed.transpose()) {
        (Ok(value), Ok(provenance), Ok(observed)) if wrong.is_empty() => Ok(Fact {
            name: fact.name,
            value,
            provenance,
            asserted_by: fact.asserted_by,
            observed,
        }),
        (value, provenance, observed) => {
            wrong.extend(value.err());
            wrong.extend(provenance.err());
            wrong.extend(observed.err());
            Err(wrong)
        }
    }
}

/// Facts as the contracts have them.
///
/// # Errors
/// If a value holds a context, which the contracts have no form for.
pub fn to_proto(facts: &[Fact]) -> Result<Vec<types::Fact>> {
    facts
        .iter()
        .map(|fact| {
            Ok(types::Fact {
                name: fact.name.clone(),
                value: Some(value_to_proto(&fact.value)?),
                provenance: fact
                    .provenance
                    .map_or(types::Provenance::Unspecified, provenance_to_proto)
                    .into(),
                asserted_by: fact.asserted_by.clone(),
                observe_time: fact.observed.map(time::timestamp),
            })
        })
        .collect()
}

/// Facts of a JSON object, nested objects by path: `{"order":{"total":5}}` is
/// `order.total`. Nothing is said of where they came from.
///
/// # Errors
/// With the place of what is malformed.
pub fn from_json(text: &str) -> Result<Vec<types::Fact>> {
    let value = json::parse(text).map_err(|error| Error::invalid("facts", error.to_string()))?;
    if value.as_context().is_none() {
        let problem = format!("is a {}, expected an object", value.kind());
        return Err(Error::invalid("facts", problem));
    }
    decision::Facts::flatten(value)
        .into_iter()
        .map(|(name, value)| {
            check_name(&name).map_err(|problem| Error::invalid("facts", problem))?;
            Ok(types::Fact {
                value: Some(value_to_proto(&value)?),
                name,
                ..types::Fact::default()
            })
        })
        .collect()
}

fn check_name(name: &str) -> Result<(), String> {
    if is_fact_name(name) {
        return Ok(());
    }
    if name.is_empty() || name.len() > MAX_FACT_NAME {
        return Err(format!(
            "has {} bytes, expected 1 to {MAX_FACT_NAME}",
            name.len()
        ));
    }
    Err(format!("{name:?} is no dotted name such as `order.total`"))
}

/// A provenance of the contracts; `Some(None)` where it isn't said, `None` where it is
/// none that this release knows.
#[must_use]
pub fn provenance_from_proto(code: i32) -> Option<Option<Provenance>> {
    Some(match types::Provenance::try_from(code).ok()? {
        types::Provenance::Unspecified => None,
        types::Provenance::Erp => Some(Provenance::Erp),
        types::Provenance::Integration => Some(Provenance::Integration),
        types::Provenance::Person => Some(Provenance::Person),
        types::Provenance::Model => Some(Provenance::Model),
    })
}

/// A provenance as the contracts have it.
#[must_use]
pub fn provenance_to_proto(provenance: Provenance) -> types::Provenance {
    match provenance {
        Provenance::Erp => types::Provenance::Erp,
        Provenance::Integration => types::Provenance::Integration,
        Provenance::Person => types::Provenance::Person,
        Provenance::Model => types::Provenance::Model,
    }
}

/// Reads a value of the contracts.
///
/// # Errors
/// With the path below `field` of what is malformed.
pub fn value_from_proto(value: types::Value, field: &str) -> Result<Value> {
    read(value, 0).map_err(|malformed| malformed.at(field))
}

fn read(value: types::Value, depth: usize) -> Result<Value, Malformed> {
    let invalid = |problem: String| malformed("", problem);
    let kind = value.kind.ok_or_else(|| malformed("", "has no kind"))?;
    Ok(match kind {
        Kind::NullValue(_) => Value::Null,
        Kind::BooleanValue(value) => Value::Boolean(value),
        Kind::StringValue(text) => Value::String(bounded(text)?),
        Kind::NumberValue(number) => Value::Number(decimal(Some(&number))?),
        Kind::MoneyValue(money) => Value::Money {
            amount: decimal(money.amount.as_ref())?,
            currency: currency(money.currency_code)?,
        },
        Kind::QuantityValue(quantity) => Value::Quantity {
            amount: decimal(quantity.amount.as_ref())?,
            unit: bounded(quantity.unit)?,
        },
        Kind::DateValue(text) => Value::Date(
            temporal::parse_date(&text)
                .ok_or_else(|| invalid(format!("{text:?} is no date such as `2026-11-24`")))?,
        ),
        Kind::DateTimeValue(text) => {
            Value::DateTime(temporal::parse_date_time(&text).ok_or_else(|| {
                invalid(format!(
                    "{text:?} is no date and time with offset (RFC 3339)"
                ))
            })?)
        }
        Kind::DurationValue(text) => {
            let duration = temporal::parse_duration(&text);
            match duration.ok_or_else(|| invalid(format!("{text:?} is no ISO 8601 duration")))? {
                Duration::Days(days) => Value::DaysDuration(days),
                Duration::Months(months) => Value::MonthsDuration(months),
            }
        }
        Kind::ListValue(list) => {
            if depth >= MAX_DEPTH || list.values.len() > MAX_ITEMS {
                return Err(invalid(format!(
                    "is more than {MAX_ITEMS} values or {MAX_DEPTH} levels"
                )));
            }
            let items = list.values.into_iter().enumerate().map(|(place, item)| {
                read(item, depth + 1).map_err(|inner| Malformed {
                    path: format!("[{place}]{}", inner.path),
                    ..inner
                })
            });
            Value::List(items.collect::<Result<_, _>>()?)
        }
    })
}

fn bounded(text: String) -> Result<String, Malformed> {
    if text.len() > MAX_TEXT_BYTES {
        let problem = format!(
            "has {} bytes, at most {MAX_TEXT_BYTES} are allowed",
            text.len()
        );
        return Err(malformed("", problem));
    }
    Ok(text)
}

fn decimal(decimal: Option<&types::Decimal>) -> Result<Number, Malformed> {
    let text = decimal.map_or("", |decimal| decimal.value.as_str());
    text.parse().map_err(|error| {
        let shown: String = text.chars().take(64).collect();
        malformed("", format!("{shown:?}: {error}"))
    })
}

fn currency(code: String) -> Result<String, Malformed> {
    if code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()) {
        Ok(code)
    } else {
        let problem = "currency_code is not three capital letters such as `EUR`";
        Err(malformed("", problem))
    }
}

/// A value as the contracts have it.
///
/// # Errors
/// If it holds a context, which the contracts have no form for.
pub fn value_to_proto(value: &Value) -> Result<types::Value> {
    let decimal = |number: &Number| types::Decimal {
        value: number.to_string(),
    };
    let kind = match value {
        Value::Null => Kind::NullValue(true),
        Value::Boolean(value) => Kind::BooleanValue(*value),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Number(number) => Kind::NumberValue(decimal(number)),
        Value::Money { amount, currency } => Kind::MoneyValue(types::Money {
            amount: Some(decimal(amount)),
            currency_code: currency.clone(),
        }),
        Value::Quantity { amount, unit } => Kind::QuantityValue(types::Quantity {
            amount: Some(decimal(amount)),
            unit: unit.clone(),
        }),
        Value::Date(date) => Kind::DateValue(date.to_string()),
        Value::DateTime(instant) => Kind::DateTimeValue(temporal::format_date_time(instant)),
        // The contracts have no kind of their own for these; their text reads back by the
        // declared type.
        Value::LocalDateTime(local) => Kind::StringValue(local.to_string()),
        Value::Time(time) => Kind::StringValue(time.to_string()),
        Value::DaysDuration(duration) => Kind::DurationValue(duration.to_string()),
        Value::MonthsDuration(duration) => Kind::DurationValue(duration.to_string()),
        Value::List(items) => Kind::ListValue(types::ValueList {
            values: items.iter().map(value_to_proto).collect::<Result<_>>()?,
        }),
        Value::Context(_) => {
            return Err(Error::invalid(
                "value",
                "is an object, expected a scalar or a list",
            ));
        }
    };
    Ok(types::Value { kind: Some(kind) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn json_facts_are_exact_and_by_path() {
        let facts = from_json(
            r#"{"order":{"total":12345678901234567890.1230,"lines":[1,"a",null]},"ok":true}"#,
        )
        .unwrap();
        let read = from_proto(facts.clone(), "facts").unwrap();
        let shown: Vec<_> = read
            .iter()
            .map(|fact| (fact.name.as_str(), fact.value.to_string()))
            .collect();
        assert_eq!(shown[0], ("ok", "true".to_owned()));
        assert_eq!(shown[1].0, "order.lines");
        assert_eq!(
            shown[2],
            ("order.total", "12345678901234567890.1230".to_owned())
        );
        assert_eq!(to_proto(&read).unwrap(), facts);
    }

    #[test]
    fn every_kind_survives() {
        let number = |text: &str| text.parse::<Number>().unwrap();
        for value in [
            Value::Null,
            Value::Boolean(false),
            Value::String(String::new()),
            Value::Number(number("-0.50")),
            Value::Money {
                amount: number("18450.00"),
                currency: "EUR".to_owned(),
            },
            Value::Quantity {
                amount: number("12"),
                unit: "KGM".to_owned(),
            },
            Value::Date(temporal::parse_date("2026-11-24").unwrap()),
            Value::DateTime(temporal::parse_date_time("2026-11-24T09:14:03.120+01:00").unwrap()),
            Value::MonthsDuration(temporal::MonthsDuration(18)),
            Value::List(vec![Value::Null, Value::List(vec![])]),
        ] {
            let proto = value_to_proto(&value).unwrap();
            assert_eq!(value_from_proto(proto, "value").unwrap(), value);
        }
    }

    #[test]
    fn malformed_facts_name_their_place() {
        let fact = |name: &str, kind: Option<Kind>| types::Fact {
            name: name.to_owned(),
            value: kind.map(|kind| types::Value { kind: Some(kind) }),
            ..types::Fact::default()
        };
        let ok = || Some(Kind::BooleanValue(true));
        let bad_number = Kind::NumberValue(types::Decimal {
            value: "1,5".to_owned(),
        });
        for (facts, field) in [
            (vec![fact("", ok())], "facts[0].name"),
            (vec![fact("a..b", ok())], "facts[0].name"),
            (vec![fact("a", ok()), fact("a", ok())], "facts[1].name"),
            (vec![fact("a", None)], "facts[0].value"),
            (vec![fact("a", Some(bad_number))], "facts[0].value"),
            (
                vec![fact("a", Some(Kind::DateValue("2026-13-01".to_owned())))],
                "facts[0].value",
            ),
        ] {
            let error = from_proto(facts, "facts").unwrap_err();
            assert_eq!(error.violations()[0].field, field);
        }
        assert!(from_json("[1]").is_err());
        assert!(from_json("{\"a\":1}x").is_err());
    }
}
