//! Values as JSON that keeps their types and every digit, for the store.

use chrono::{DateTime, NaiveDate, TimeDelta};
use decision::{
    Value,
    temporal::{DaysDuration, MonthsDuration},
};
use serde_json::{Map, Value as Json, json};

/// The value with its type as the only key, such as `{"number": "1.50"}`; null, booleans,
/// texts and lists as themselves.
#[must_use]
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(flag) => Json::Bool(*flag),
        Value::String(text) => Json::String(text.clone()),
        Value::Number(number) => json!({"number": number.to_string()}),
        Value::Money { amount, currency } => json!({"money": [amount.to_string(), currency]}),
        Value::Quantity { amount, unit } => json!({"quantity": [amount.to_string(), unit]}),
        Value::Date(date) => json!({"date": date.to_string()}),
        Value::DateTime(instant) => json!({"date_time": instant.to_rfc3339()}),
        Value::DaysDuration(DaysDuration(duration)) => {
            json!({"days": [duration.num_seconds(), duration.subsec_nanos()]})
        }
        Value::MonthsDuration(MonthsDuration(months)) => json!({"months": months}),
        Value::List(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Context(entries) => {
            let entries = entries
                .iter()
                .map(|(key, item)| (key.clone(), to_json(item)))
                .collect::<Map<_, _>>();
            json!({"context": entries})
        }
    }
}

/// The value of [`to_json`]; `None` for anything else.
#[must_use]
pub fn from_json(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Boolean(*flag),
        Json::String(text) => Value::String(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(from_json).collect::<Option<_>>()?),
        Json::Number(_) => return None,
        Json::Object(entries) => {
            let (kind, inner) = entries.iter().next().filter(|_| entries.len() == 1)?;
            tagged(kind, inner)?
        }
    })
}

fn tagged(kind: &str, inner: &Json) -> Option<Value> {
    let pair = || {
        let [amount, unit] = inner.as_array()?.as_slice() else {
            return None;
        };
        Some((amount.as_str()?.parse().ok()?, unit.as_str()?.to_owned()))
    };
    Some(match kind {
        "number" => Value::Number(inner.as_str()?.parse().ok()?),
        "money" => {
            let (amount, currency) = pair()?;
            Value::Money { amount, currency }
        }
        "quantity" => {
            let (amount, unit) = pair()?;
            Value::Quantity { amount, unit }
        }
        "date" => Value::Date(inner.as_str()?.parse::<NaiveDate>().ok()?),
        "date_time" => Value::DateTime(DateTime::parse_from_rfc3339(inner.as_str()?).ok()?),
        "days" => {
            let [seconds, nanos] = inner.as_array()?.as_slice() else {
                return None;
            };
            let whole = TimeDelta::try_seconds(seconds.as_i64()?)?;
            let rest = TimeDelta::nanoseconds(nanos.as_i64()?);
            Value::DaysDuration(DaysDuration(whole.checked_add(&rest)?))
        }
        "months" => Value::MonthsDuration(MonthsDuration(inner.as_i64()?)),
        "context" => {
            let entries = inner.as_object()?.iter();
            let read = entries.map(|(key, item)| Some((key.clone(), from_json(item)?)));
            Value::Context(read.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn values_survive_the_round_trip() {
        let number = |text: &str| text.parse().unwrap();
        let values = [
            Value::Null,
            Value::Boolean(true),
            Value::String("18450.00 EUR".to_owned()),
            Value::Number(number("12345678901234567890.1230")),
            Value::Money {
                amount: number("18450.00"),
                currency: "EUR".to_owned(),
            },
            Value::Quantity {
                amount: number("-2.5"),
                unit: "KGM".to_owned(),
            },
            Value::Date("2026-11-24".parse().unwrap()),
            Value::DateTime("2026-11-24T09:14:03.123456789+01:00".parse().unwrap()),
            Value::DaysDuration(DaysDuration(TimeDelta::milliseconds(-1_500))),
            Value::MonthsDuration(MonthsDuration(-18)),
            Value::List(vec![Value::Null, Value::Number(number("1"))]),
            Value::Context([("number".to_owned(), Value::String("1".to_owned()))].into()),
        ];
        for value in values {
            let json = to_json(&value);
            let again = from_json(&json);
            assert_eq!(again.as_ref(), Some(&value), "{json}");
            // Equality goes by value; the text keeps trailing zeros too.
            assert_eq!(again.map(|v| to_json(&v)), Some(json));
        }
        for bad in [
            json!(1),
            json!({}),
            json!({"money": ["1"]}),
            json!({"number": "x"}),
        ] {
            assert_eq!(from_json(&bad), None, "{bad}");
        }
    }
}
