//! Values as JSON that says their type, so that what is stored is read back exactly.

use decision::{Value, temporal};
use serde_json::{Map, Value as Json, json};

/// The JSON of a value: null, booleans and texts as they are, lists as arrays, and
/// everything else as an object with one key that names its type.
#[must_use]
pub fn write(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(flag) => Json::Bool(*flag),
        Value::String(text) => Json::String(text.clone()),
        Value::Number(number) => json!({"number": number.to_string()}),
        Value::Money { amount, currency } => json!({"money": [amount.to_string(), currency]}),
        Value::Quantity { amount, unit } => json!({"quantity": [amount.to_string(), unit]}),
        Value::Date(_) => json!({"date": value.to_string()}),
        Value::DateTime(_) => json!({"date_time": value.to_string()}),
        Value::DaysDuration(_) | Value::MonthsDuration(_) => {
            json!({"duration": value.to_string()})
        }
        Value::List(items) => Json::Array(items.iter().map(write).collect()),
        Value::Context(fields) => {
            let fields: Map<_, _> = fields
                .iter()
                .map(|(name, item)| (name.clone(), write(item)))
                .collect();
            json!({"context": fields})
        }
    }
}

/// The value of JSON that [`write`] gives; `None` for any other.
#[must_use]
pub fn read(json: &Json) -> Option<Value> {
    match json {
        Json::Null => Some(Value::Null),
        Json::Bool(flag) => Some(Value::Boolean(*flag)),
        Json::Number(_) => None,
        Json::String(text) => Some(Value::String(text.clone())),
        Json::Array(items) => items
            .iter()
            .map(read)
            .collect::<Option<_>>()
            .map(Value::List),
        Json::Object(fields) => {
            let mut fields = fields.iter();
            match (fields.next(), fields.next()) {
                (Some((kind, content)), None) => typed(kind, content),
                _ => None,
            }
        }
    }
}

fn typed(kind: &str, content: &Json) -> Option<Value> {
    let text = || content.as_str();
    let pair = || match content.as_array()?.as_slice() {
        [amount, name] => Some((amount.as_str()?.parse().ok()?, name.as_str()?.to_owned())),
        _ => None,
    };
    Some(match kind {
        "number" => Value::Number(text()?.parse().ok()?),
        "money" => {
            let (amount, currency) = pair()?;
            Value::Money { amount, currency }
        }
        "quantity" => {
            let (amount, unit) = pair()?;
            Value::Quantity { amount, unit }
        }
        "date" => Value::Date(temporal::parse_date(text()?)?),
        "date_time" => Value::DateTime(temporal::parse_date_time(text()?)?),
        "duration" => match temporal::parse_duration(text()?)? {
            temporal::Duration::Days(days) => Value::DaysDuration(days),
            temporal::Duration::Months(months) => Value::MonthsDuration(months),
        },
        "context" => Value::Context(
            content
                .as_object()?
                .iter()
                .map(|(name, item)| Some((name.clone(), read(item)?)))
                .collect::<Option<_>>()?,
        ),
        _ => return None,
    })
}

/// For serde fields that hold a value.
pub mod field {
    use decision::Value;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};

    /// Writes a value.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
        super::write(value).serialize(serializer)
    }

    /// Reads a value.
    ///
    /// # Errors
    /// If it isn't what [`serialize`] writes.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        let json = serde_json::Value::deserialize(deserializer)?;
        super::read(&json).ok_or_else(|| D::Error::custom("malformed value"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn values_survive_the_round_trip() {
        let number = |text: &str| text.parse().unwrap();
        let days = |text: &str| match temporal::parse_duration(text).unwrap() {
            temporal::Duration::Days(days) => Value::DaysDuration(days),
            temporal::Duration::Months(months) => Value::MonthsDuration(months),
        };
        let values = [
            Value::Null,
            Value::Boolean(true),
            Value::String("18450.00 EUR".into()),
            Value::Number(number("12345678901234567890.1230")),
            Value::Money {
                amount: number("18450.00"),
                currency: "EUR".into(),
            },
            Value::Quantity {
                amount: number("2.5"),
                unit: "KGM".into(),
            },
            Value::Date(temporal::parse_date("2026-11-24").unwrap()),
            Value::DateTime(temporal::parse_date_time("2026-11-24T09:14:03.120+01:00").unwrap()),
            days("P1DT2H"),
            days("P1Y6M"),
            Value::List(vec![Value::Null, Value::Number(number("1"))]),
            Value::Context(BTreeMap::from([(
                "number".into(),
                Value::String("x".into()),
            )])),
        ];
        for value in values {
            assert_eq!(read(&write(&value)), Some(value));
        }
    }

    #[test]
    fn other_json_is_refused() {
        for bad in [
            json!(1),
            json!({}),
            json!({"number": 1}),
            json!({"a": 1, "b": 2}),
            json!({"x": "y"}),
        ] {
            assert_eq!(read(&bad), None, "{bad}");
        }
    }
}
