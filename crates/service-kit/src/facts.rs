//! Facts and values between the contracts, JSON and the decision engine, exactly.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use contracts::{time, types};
use decision::{
    Number, Value, json,
    temporal::{self, Duration},
};
use types::value::Kind;

use crate::{
    error::{Error, Result},
    identity::Provenance,
    violations::Violations,
};

/// Most facts of a request.
pub const MAX_FACTS: usize = 1_000;

/// Longest name of a fact, in bytes.
pub const MAX_NAME_BYTES: usize = 256;

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

/// Reads the facts of a request's field. What they claim of their origin is for the use
/// case to judge.
///
/// # Errors
/// With the path of every malformed part, such as `facts[3].value`.
pub fn from_proto(facts: &[types::Fact], field: &str) -> Result<Vec<Fact>> {
    if facts.len() > MAX_FACTS {
        let problem = format!("has {} facts, at most {MAX_FACTS} are allowed", facts.len());
        return Err(Error::invalid(field, problem));
    }
    let mut wrong = Violations::default();
    let mut names = BTreeSet::new();
    let mut read = Vec::with_capacity(facts.len());
    for (place, fact) in facts.iter().enumerate() {
        let at = format!("{field}[{place}]");
        if !names.insert(fact.name.as_str()) {
            let problem = format!("{:?} is there twice", fact.name);
            wrong.take::<()>(Err(Error::invalid(format!("{at}.name"), problem)));
        }
        read.extend(wrong.take(fact_from_proto(fact, &at)));
    }
    wrong.finish(|| Some(read))
}

fn fact_from_proto(fact: &types::Fact, at: &str) -> Result<Fact> {
    let at = |part: &str| format!("{at}.{part}");
    let mut wrong = Violations::default();
    wrong.take(check_name(&fact.name).map_err(|problem| Error::invalid(at("name"), problem)));
    if fact.asserted_by.len() > MAX_NAME_BYTES {
        wrong.take::<()>(Err(Error::invalid(at("asserted_by"), "is too long")));
    }
    let value = fact.value.as_ref();
    let value = value.ok_or_else(|| Error::invalid(at("value"), "is missing"));
    let value = wrong.take(value.and_then(|value| value_from_proto(value, &at("value"))));
    let provenance = wrong.take(
        provenance(fact.provenance).ok_or_else(|| Error::invalid(at("provenance"), "is unknown")),
    );
    let observed = fact.observe_time.as_ref().map(|instant| {
        time::instant(instant).ok_or_else(|| Error::invalid(at("observe_time"), "is no instant"))
    });
    let observed = wrong.take(observed.transpose());
    wrong.finish(|| {
        Some(Fact {
            name: fact.name.clone(),
            value: value?,
            provenance: provenance?,
            asserted_by: fact.asserted_by.clone(),
            observed: observed?,
        })
    })
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
                    .map_or(types::Provenance::Unspecified, Provenance::to_proto)
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
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        return Err(format!(
            "has {} bytes, expected 1 to {MAX_NAME_BYTES}",
            name.len()
        ));
    }
    let segment = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_alphanumeric() || "_-@#".contains(c))
    };
    if name.split('.').all(segment) {
        Ok(())
    } else {
        Err(format!("{name:?} is no dotted name such as `order.total`"))
    }
}

fn provenance(code: i32) -> Option<Option<Provenance>> {
    Some(match types::Provenance::try_from(code).ok()? {
        types::Provenance::Unspecified => None,
        types::Provenance::Erp => Some(Provenance::Erp),
        types::Provenance::Integration => Some(Provenance::Integration),
        types::Provenance::Person => Some(Provenance::Person),
        types::Provenance::Model => Some(Provenance::Model),
    })
}

/// Reads a value of the contracts.
///
/// # Errors
/// With the path below `field` of what is malformed.
pub fn value_from_proto(value: &types::Value, field: &str) -> Result<Value> {
    read(value, field, 0)
}

fn read(value: &types::Value, field: &str, depth: usize) -> Result<Value> {
    let invalid = |problem: String| Error::invalid(field, problem);
    let kind = value.kind.as_ref();
    let kind = kind.ok_or_else(|| invalid("has no kind".to_owned()))?;
    Ok(match kind {
        Kind::NullValue(_) => Value::Null,
        Kind::BooleanValue(value) => Value::Boolean(*value),
        Kind::StringValue(text) => Value::String(bounded(text, field)?.to_owned()),
        Kind::NumberValue(number) => Value::Number(decimal(Some(number), field)?),
        Kind::MoneyValue(money) => Value::Money {
            amount: decimal(money.amount.as_ref(), field)?,
            currency: currency(&money.currency_code).map_err(invalid)?,
        },
        Kind::QuantityValue(quantity) => Value::Quantity {
            amount: decimal(quantity.amount.as_ref(), field)?,
            unit: bounded(&quantity.unit, field)?.to_owned(),
        },
        Kind::DateValue(text) => Value::Date(
            temporal::parse_date(text)
                .ok_or_else(|| invalid(format!("{text:?} is no date such as `2026-11-24`")))?,
        ),
        Kind::DateTimeValue(text) => {
            Value::DateTime(temporal::parse_date_time(text).ok_or_else(|| {
                invalid(format!(
                    "{text:?} is no date and time with offset (RFC 3339)"
                ))
            })?)
        }
        Kind::DurationValue(text) => {
            let duration = temporal::parse_duration(text);
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
            let items = list
                .values
                .iter()
                .enumerate()
                .map(|(place, item)| read(item, &format!("{field}[{place}]"), depth + 1));
            Value::List(items.collect::<Result<_>>()?)
        }
    })
}

fn bounded<'a>(text: &'a str, field: &str) -> Result<&'a str> {
    if text.len() > MAX_TEXT_BYTES {
        let problem = format!(
            "has {} bytes, at most {MAX_TEXT_BYTES} are allowed",
            text.len()
        );
        return Err(Error::invalid(field, problem));
    }
    Ok(text)
}

fn decimal(decimal: Option<&types::Decimal>, field: &str) -> Result<Number> {
    let text = decimal.map_or("", |decimal| decimal.value.as_str());
    let shown: String = text.chars().take(64).collect();
    text.parse()
        .map_err(|error| Error::invalid(field, format!("{shown:?}: {error}")))
}

fn currency(code: &str) -> Result<String, String> {
    if code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()) {
        Ok(code.to_owned())
    } else {
        Err("currency_code is not three capital letters such as `EUR`".to_owned())
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
        let read = from_proto(&facts, "facts").unwrap();
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
            assert_eq!(value_from_proto(&proto, "value").unwrap(), value);
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
            let error = from_proto(&facts, "facts").unwrap_err();
            assert_eq!(error.violations()[0].field, field);
        }
        assert!(from_json("[1]").is_err());
        assert!(from_json("{\"a\":1}x").is_err());
    }
}
