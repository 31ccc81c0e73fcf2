//! Values as JSON that says their types, so that what is stored is read back exactly.
//!
//! Null, booleans, texts and lists stand as they are, contexts as objects. Everything else
//! is an object with one name that begins with `$` and says its type:
//!
//! ```
//! use decision::{json, tagged};
//!
//! let value = json::parse(r#"{"total": 18450.00, "lines": ["10", true]}"#)?;
//! let stored = tagged::encode(&value).to_string();
//! assert_eq!(stored, r#"{"lines":["10",true],"total":{"$number":"18450.00"}}"#);
//! # Ok::<(), json::Error>(())
//! ```
//!
//! A name of a context that begins with `$` gets a second one, so that no context can be
//! taken for a type. A value nests no deeper in this form than it did, but for the tag of
//! its innermost part: what [`limits::VALUE_DEPTH`](crate::limits::VALUE_DEPTH) lets in can
//! be read back by parsers that bound the depth.
//!
//! The functions of serde are here too: `#[serde(with = "decision::tagged")]`.

use std::collections::BTreeMap;

use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};
use serde_json::{Map, Value as Json};

use crate::{number::Number, temporal, value::Value};

/// What names of types begin with, and what escapes a name that does so of itself.
const TAG: char = '$';

/// The JSON of a value.
#[must_use]
pub fn encode(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(flag) => Json::Bool(*flag),
        Value::String(text) => Json::String(text.clone()),
        Value::Number(number) => tag("$number", number.to_string()),
        Value::Money { amount, currency } => tag("$money", pair(amount, currency)),
        Value::Quantity { amount, unit } => tag("$quantity", pair(amount, unit)),
        Value::Date(_) => tag("$date", value.to_string()),
        Value::DateTime(_) => tag("$date_time", value.to_string()),
        Value::LocalDateTime(_) => tag("$local_date_time", value.to_string()),
        Value::Time(_) => tag("$time", value.to_string()),
        Value::DaysDuration(_) | Value::MonthsDuration(_) => tag("$duration", value.to_string()),
        Value::List(items) => Json::Array(items.iter().map(encode).collect()),
        Value::Context(entries) => {
            let entries = entries.iter().map(|(name, item)| {
                let name = match name.strip_prefix(TAG) {
                    Some(rest) => format!("$${rest}"),
                    None => name.clone(),
                };
                (name, encode(item))
            });
            Json::Object(entries.collect())
        }
    }
}

fn tag(name: &str, content: impl Into<Json>) -> Json {
    Json::Object(Map::from_iter([(name.to_owned(), content.into())]))
}

fn pair(amount: &Number, of: &str) -> Vec<String> {
    vec![amount.to_string(), of.to_owned()]
}

/// The value of JSON that [`encode`] gave; `None` for any other JSON.
#[must_use]
pub fn decode(json: &Json) -> Option<Value> {
    match json {
        Json::Null => Some(Value::Null),
        Json::Bool(flag) => Some(Value::Boolean(*flag)),
        Json::Number(_) => None,
        Json::String(text) => Some(Value::String(text.clone())),
        Json::Array(items) => {
            let items = items.iter().map(decode);
            items.collect::<Option<_>>().map(Value::List)
        }
        Json::Object(entries) => object(entries),
    }
}

fn object(entries: &Map<String, Json>) -> Option<Value> {
    let mut context = BTreeMap::new();
    for (name, item) in entries {
        let name = match name.strip_prefix(TAG) {
            None => name.as_str(),
            Some(escaped) if escaped.starts_with(TAG) => escaped,
            Some(kind) if entries.len() == 1 => return typed(kind, item),
            Some(_) => return None,
        };
        context.insert(name.to_owned(), decode(item)?);
    }
    Some(Value::Context(context))
}

fn typed(kind: &str, content: &Json) -> Option<Value> {
    let text = || content.as_str();
    let pair = || match content.as_array()?.as_slice() {
        [amount, of] => Some((amount.as_str()?.parse().ok()?, of.as_str()?.to_owned())),
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
        "local_date_time" => match temporal::parse_moment(text()?)? {
            temporal::Moment::Local(local) => Value::LocalDateTime(local),
            temporal::Moment::Instant(_) => return None,
        },
        "time" => Value::Time(temporal::parse_time(text()?)?),
        "duration" => match temporal::parse_duration(text()?)? {
            temporal::Duration::Days(days) => Value::DaysDuration(days),
            temporal::Duration::Months(months) => Value::MonthsDuration(months),
        },
        _ => return None,
    })
}

/// Writes a value in its tagged form.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    encode(value).serialize(serializer)
}

/// Reads a value in its tagged form.
///
/// # Errors
/// If it isn't what [`serialize`] writes.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let json = Json::deserialize(deserializer)?;
    decode(&json).ok_or_else(|| D::Error::custom("malformed value"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{
        limits,
        temporal::{DaysDuration, MonthsDuration},
    };

    fn numbers() -> impl Strategy<Value = Number> {
        (any::<i64>(), -20_i32..20).prop_map(|(c, e)| format!("{c}E{e}").parse().unwrap())
    }

    /// Dates of the years 0 to 9999, which have an RFC 3339 text.
    fn dates() -> impl Strategy<Value = NaiveDate> {
        (-719_528_i32..2_932_897).prop_map(|days| NaiveDate::from_epoch_days(days).unwrap())
    }

    fn instants() -> impl Strategy<Value = DateTime<FixedOffset>> {
        (dates(), 0_u32..86_400, 0_u32..1_000_000_000, -840_i32..840).prop_map(
            |(date, seconds, nanos, minutes)| {
                let time =
                    chrono::NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos).unwrap();
                let offset = FixedOffset::east_opt(minutes * 60).unwrap();
                date.and_time(time).and_local_timezone(offset).unwrap()
            },
        )
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Boolean),
            ".{0,8}".prop_map(Value::String),
            numbers().prop_map(Value::Number),
            (numbers(), "[A-Z]{3}")
                .prop_map(|(amount, currency)| Value::Money { amount, currency }),
            (numbers(), ".{0,4}").prop_map(|(amount, unit)| Value::Quantity { amount, unit }),
            dates().prop_map(Value::Date),
            instants().prop_map(Value::DateTime),
            instants().prop_map(|instant| {
                let at = instant.naive_local();
                Value::LocalDateTime(temporal::LocalDateTime { at, region: None })
            }),
            instants().prop_map(|instant| {
                let zone = Some(temporal::Zone::Offset(*instant.offset()));
                let clock = instant.time();
                Value::Time(temporal::Time { clock, zone })
            }),
            (-1_000_000_000_i64..1_000_000_000, 0_u32..1_000_000_000).prop_map(|(s, n)| {
                Value::DaysDuration(DaysDuration(TimeDelta::new(s, n).unwrap()))
            }),
            (-i64::MAX..=i64::MAX).prop_map(|m| Value::MonthsDuration(MonthsDuration(m))),
        ];
        let names = "[$]{0,3}(number|money|date)?|.{0,4}";
        leaf.prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
                prop::collection::btree_map(names, inner, 0..4).prop_map(Value::Context),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_survive_the_round_trip(value in values()) {
            let json = encode(&value);
            let text = json.to_string();
            let again = decode(&serde_json::from_str(&text).unwrap());
            prop_assert_eq!(again.as_ref(), Some(&value), "{}", text);
            // Equality goes by value; the text keeps trailing zeros and offsets too.
            prop_assert_eq!(again.map(|v| encode(&v)), Some(json));
        }
    }

    #[test]
    fn the_deepest_value_can_be_read_back() {
        let deep = |open: &str, close: &str| {
            let levels = limits::VALUE_DEPTH;
            crate::json::parse(&format!("{}1{}", open.repeat(levels), close.repeat(levels)))
        };
        for value in [deep("[", "]").unwrap(), deep("{\"$a\":", "}").unwrap()] {
            let json = serde_json::from_str(&encode(&value).to_string()).unwrap();
            assert_eq!(decode(&json), Some(value));
        }
    }

    #[test]
    fn other_json_is_refused() {
        for bad in [
            json!(1),
            json!({"$number": 1}),
            json!({"$number": "x"}),
            json!({"$money": ["1"]}),
            json!({"$money": ["1", "EUR", "x"]}),
            json!({"$quantity": "2 KGM"}),
            json!({"$date": "2026-11-31"}),
            json!({"$local_date_time": "2026-11-24T10:00:00Z"}),
            json!({"$time": "10:00"}),
            json!({"$duration": "1D"}),
            json!({"$unheard": "x"}),
            json!({"$number": "1", "b": "x"}),
            json!({"a": [1]}),
        ] {
            assert_eq!(decode(&bad), None, "{bad}");
        }
    }
}
