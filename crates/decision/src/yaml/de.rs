//! Nodes as a serde data format, for whatever isn't a decision table.

use std::fmt;

use serde::de::{self, DeserializeOwned, IntoDeserializer, Visitor, value::StrDeserializer};

use super::{Kind, Node, Style};
use crate::{diagnostic::Diagnostic, value::Value};

/// Reads a node into any type that serde can read. Bare scalars are integers, booleans,
/// null or text; a number with a fraction is text, for types that read it exactly.
///
/// # Errors
/// With the place of the innermost node that doesn't fit.
pub fn from_node<T: DeserializeOwned>(node: &Node) -> Result<T, Diagnostic> {
    T::deserialize(Reader(node)).map_err(|error| {
        error
            .0
            .map_or_else(|| node.problem("malformed"), |diagnostic| *diagnostic)
    })
}

/// A diagnostic, once a node has given it a place.
#[derive(Debug)]
struct Error(Option<Box<Diagnostic>>);

impl Error {
    fn at(self, node: &Node) -> Self {
        Self(self.0.map(|mut diagnostic| {
            // Serde's own errors know no place yet.
            if diagnostic.mark.line == 0 {
                diagnostic.mark = node.mark();
            }
            diagnostic
        }))
    }
}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let nowhere = crate::diagnostic::Mark { line: 0, column: 0 };
        Self(Some(Box::new(Diagnostic::new(
            nowhere,
            message.to_string(),
        ))))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(diagnostic) => write!(f, "{diagnostic}"),
            None => f.write_str("malformed"),
        }
    }
}

impl std::error::Error for Error {}

#[derive(Clone, Copy)]
struct Reader<'n>(&'n Node);

impl<'n> Reader<'n> {
    fn scalar<V: Visitor<'n>>(
        self,
        text: &'n str,
        style: Style,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if style != Style::Plain {
            return visitor.visit_borrowed_str(text);
        }
        match super::plain(text).map_err(de::Error::custom)? {
            Value::Null => visitor.visit_unit(),
            Value::Boolean(value) => visitor.visit_bool(value),
            Value::Number(_) => match (text.parse::<u64>(), text.parse::<i64>()) {
                (Ok(value), _) => visitor.visit_u64(value),
                (_, Ok(value)) => visitor.visit_i64(value),
                _ => visitor.visit_borrowed_str(text),
            },
            _ => visitor.visit_borrowed_str(text),
        }
    }
}

impl<'n> de::Deserializer<'n> for Reader<'n> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Error> {
        let result = match &self.0.kind {
            Kind::Scalar(text, style) => self.scalar(text, *style, visitor),
            Kind::Sequence(items) => visitor.visit_seq(Items(items.iter())),
            Kind::Mapping(entries) => visitor.visit_map(Entries {
                rest: entries.iter(),
                value: None,
            }),
        };
        result.map_err(|error| error.at(self.0))
    }

    fn deserialize_str<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Error> {
        // A text field takes a bare scalar as it stands: `version: 3` is "3".
        match &self.0.kind {
            Kind::Scalar(text, _) if !self.0.is_null() => visitor
                .visit_borrowed_str(text)
                .map_err(|error: Error| error.at(self.0)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() {
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'n>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor
            .visit_newtype_struct(self)
            .map_err(|error: Error| error.at(self.0))
    }

    fn deserialize_enum<V: Visitor<'n>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let result = match &self.0.kind {
            Kind::Scalar(text, _) => visitor.visit_enum(text.as_str().into_deserializer()),
            Kind::Mapping(entries) if entries.len() == 1 => {
                visitor.visit_enum(de::value::MapAccessDeserializer::new(Entries {
                    rest: entries.iter(),
                    value: None,
                }))
            }
            _ => Err(de::Error::custom(format!(
                "found {}, expected a name",
                self.0.describe()
            ))),
        };
        result.map_err(|error| error.at(self.0))
    }

    serde::forward_to_deserialize_any! {
        <W: Visitor<'n>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Items<'n>(std::slice::Iter<'n, Node>);

impl<'n> de::SeqAccess<'n> for Items<'n> {
    type Error = Error;

    fn next_element_seed<T: de::DeserializeSeed<'n>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        self.0
            .next()
            .map(|node| seed.deserialize(Reader(node)))
            .transpose()
    }
}

struct Entries<'n> {
    rest: std::slice::Iter<'n, (Node, Node)>,
    value: Option<&'n Node>,
}

impl<'n> de::MapAccess<'n> for Entries<'n> {
    type Error = Error;

    fn next_key_seed<K: de::DeserializeSeed<'n>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        let text: StrDeserializer<'_, Error> = key.as_str().unwrap_or_default().into_deserializer();
        seed.deserialize(text)
            .map(Some)
            .map_err(|error| error.at(key))
    }

    fn next_value_seed<V: de::DeserializeSeed<'n>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.value.take() {
            Some(node) => seed
                .deserialize(Reader(node))
                .map_err(|error| error.at(node)),
            None => Err(de::Error::custom("a value was asked for before its key")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use crate::number::Number;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Model {
        name: String,
        version: String,
        threshold: Number,
        tier: Tier,
        #[serde(default)]
        owner: Option<String>,
        count: u32,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "UPPERCASE")]
    enum Tier {
        High,
        Low,
    }

    fn read(text: &str) -> Result<Model, String> {
        let nodes = super::super::parse(text).map_err(|e| e.to_string())?;
        super::from_node(&nodes[0]).map_err(|e| e.to_string())
    }

    #[test]
    fn nodes_read_into_types_exactly() {
        let model = read("name: a\nversion: 3\nthreshold: 0.810\ntier: HIGH\ncount: 2\n").unwrap();
        assert_eq!(model.version, "3");
        assert_eq!(model.threshold.to_string(), "0.810");
        assert_eq!(
            (model.tier, model.owner, model.count),
            (Tier::High, None, 2)
        );
    }

    #[test]
    fn errors_name_their_place() {
        let head = "name: a\nversion: 3\nthreshold: 1\n";
        assert!(
            read(&format!("{head}tier: HIGH\ncount: x\n"))
                .unwrap_err()
                .starts_with("5:8: ")
        );
        assert!(
            read(&format!("{head}tier: MID\ncount: 1\n"))
                .unwrap_err()
                .starts_with("4:7: ")
        );
        let unknown = read(&format!("{head}tier: LOW\ncount: 1\nmore: 1\n")).unwrap_err();
        assert!(
            unknown.starts_with("6:1: unknown field `more`"),
            "{unknown}"
        );
    }
}
