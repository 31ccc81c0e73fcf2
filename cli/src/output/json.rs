//! Messages of the contracts as JSON: field names of the protos in their order, enum
//! values without their prefix, decimals, money and quantities as texts, facts as an
//! object, embedded JSON as it stands, every field present.

use std::sync::LazyLock;

use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MapKey,
    ReflectMessage as _, Value,
};
use serde::ser::{Error as _, Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::value::RawValue;

use crate::failure::Failure;

static POOL: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(contracts::DESCRIPTORS).ok());

/// A message to be written as JSON.
#[derive(Debug)]
pub struct View(DynamicMessage);

impl View {
    /// Takes a generated message.
    ///
    /// # Errors
    /// If it isn't one of the contracts'.
    pub fn of<M: prost::Message + prost::Name>(message: &M) -> Result<Self, Failure> {
        let broken = || Failure::failed(format!("no descriptor of {}", M::full_name()));
        let pool = POOL.as_ref().ok_or_else(broken)?;
        let descriptor = pool
            .get_message_by_name(&M::full_name())
            .ok_or_else(broken)?;
        DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())
            .map(Self)
            .map_err(|error| Failure::failed(error.to_string()))
    }
}

impl Serialize for View {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Message(&self.0).serialize(serializer)
    }
}

struct Message<'a>(&'a DynamicMessage);

impl Serialize for Message<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.descriptor().full_name() {
            "google.protobuf.Timestamp" => {
                let stamp = self
                    .0
                    .transcode_to::<prost_types::Timestamp>()
                    .map_err(S::Error::custom)?;
                contracts::time::instant(&stamp)
                    .map(|instant| instant.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
                    .serialize(serializer)
            }
            "bylaw.type.v1.Decimal" => text(self.0, "value").serialize(serializer),
            "bylaw.type.v1.Money" => with_unit(self.0, "currency_code").serialize(serializer),
            "bylaw.type.v1.Quantity" => with_unit(self.0, "unit").serialize(serializer),
            "bylaw.type.v1.Value" => fact_value(self.0, serializer),
            "bylaw.type.v1.ValueList" => {
                let values = self.0.get_field_by_name("values");
                values
                    .as_deref()
                    .map(|values| Plain(None, values))
                    .serialize(serializer)
            }
            _ => {
                let descriptor = self.0.descriptor();
                let shown = descriptor.fields().filter(|field| {
                    // A member of a oneof that isn't the one that is set has nothing to say.
                    field.containing_oneof().is_none() || self.0.has_field(field)
                });
                let mut map = serializer.serialize_map(None)?;
                for field in shown {
                    let value = self.0.get_field(&field);
                    let absent = matches!(field.kind(), Kind::Message(_))
                        && !field.is_list()
                        && !field.is_map()
                        && !self.0.has_field(&field);
                    if absent {
                        map.serialize_entry(field.name(), &())?;
                    } else {
                        map.serialize_entry(field.name(), &Plain(Some(&field), &value))?;
                    }
                }
                map.end()
            }
        }
    }
}

/// A value; the field says what an enum's numbers mean.
struct Plain<'a>(Option<&'a FieldDescriptor>, &'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.1 {
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::I32(value) => serializer.serialize_i32(*value),
            Value::I64(value) => serializer.serialize_i64(*value),
            Value::U32(value) => serializer.serialize_u32(*value),
            Value::U64(value) => serializer.serialize_u64(*value),
            Value::F32(value) => serializer.serialize_f32(*value),
            Value::F64(value) => serializer.serialize_f64(*value),
            Value::String(value) => serializer.serialize_str(value),
            Value::Bytes(value) => bytes(value, serializer),
            Value::EnumNumber(number) => match self.0.map(FieldDescriptor::kind) {
                Some(Kind::Enum(descriptor)) => {
                    serializer.serialize_str(&enum_name(&descriptor, *number))
                }
                _ => serializer.serialize_i32(*number),
            },
            Value::Message(message) => Message(message).serialize(serializer),
            Value::List(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(&Plain(self.0, item))?;
                }
                seq.end()
            }
            Value::Map(entries) => {
                let mut sorted: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| (name(key), value))
                    .collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                let mut map = serializer.serialize_map(Some(sorted.len()))?;
                for (key, value) in sorted {
                    map.serialize_entry(&key, &Plain(None, value))?;
                }
                map.end()
            }
        }
    }
}

/// JSON that a field carries stands as it is; other bytes are written as hexadecimal.
fn bytes<S: Serializer>(value: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let text = std::str::from_utf8(value).unwrap_or_default();
    let raw = text
        .starts_with(['{', '['])
        .then(|| RawValue::from_string(text.to_owned()));
    match raw {
        Some(Ok(raw)) => raw.serialize(serializer),
        _ => {
            let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            serializer.serialize_str(&hex)
        }
    }
}

fn name(key: &MapKey) -> String {
    match key {
        MapKey::String(text) => text.clone(),
        MapKey::Bool(value) => value.to_string(),
        MapKey::I32(value) => value.to_string(),
        MapKey::I64(value) => value.to_string(),
        MapKey::U32(value) => value.to_string(),
        MapKey::U64(value) => value.to_string(),
    }
}

/// `REQUIRE_APPROVAL` of `EFFECT_REQUIRE_APPROVAL`; empty where nothing is set.
fn enum_name(descriptor: &EnumDescriptor, number: i32) -> String {
    let full = descriptor
        .get_value(number)
        .map_or_else(|| number.to_string(), |v| v.name().to_owned());
    let prefix = descriptor.get_value(0).map_or(String::new(), |zero| {
        zero.name()
            .strip_suffix("UNSPECIFIED")
            .unwrap_or_default()
            .to_owned()
    });
    match full.strip_prefix(&prefix) {
        Some("UNSPECIFIED") => String::new(),
        Some(short) => short.to_owned(),
        None => full,
    }
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message
        .get_field_by_name(field)
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn with_unit(message: &DynamicMessage, unit: &str) -> String {
    let amount = message.get_field_by_name("amount");
    let amount = amount
        .as_deref()
        .and_then(Value::as_message)
        .map(|amount| text(amount, "value"));
    format!("{} {}", amount.unwrap_or_default(), text(message, unit))
}

/// The one member of `bylaw.type.v1.Value` that is set, as plain JSON.
fn fact_value<S: Serializer>(message: &DynamicMessage, serializer: S) -> Result<S::Ok, S::Error> {
    match message.fields().next() {
        Some((field, _)) if field.name() == "null_value" => serializer.serialize_none(),
        Some((field, value)) => Plain(Some(&field), value).serialize(serializer),
        None => serializer.serialize_none(),
    }
}
