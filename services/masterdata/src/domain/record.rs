//! A canonical record: a tree of values under the schema of its entity.

use std::collections::BTreeMap;

use decision::{Value, yaml};

use super::{
    path::{MAX_INDEX, Path, Step},
    schema::{Entity, Field, Type},
};

/// Elements of a list, at most.
pub const MAX_ELEMENTS: usize = MAX_INDEX + 1;

/// A record. What a source didn't give isn't there; an empty text counts as not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    entity: Entity,
    fields: BTreeMap<String, Value>,
}

impl Record {
    /// A record without any value.
    #[must_use]
    pub fn new(entity: Entity) -> Self {
        Self {
            entity,
            fields: BTreeMap::new(),
        }
    }

    /// What it is about.
    #[must_use]
    pub fn entity(&self) -> Entity {
        self.entity
    }

    /// Its fields by name.
    #[must_use]
    pub fn fields(&self) -> &BTreeMap<String, Value> {
        &self.fields
    }

    /// The record's id at its source; empty where it has none.
    #[must_use]
    pub fn id(&self) -> &str {
        self.text("id").unwrap_or_default()
    }

    /// The text of a field of the record itself.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str()
    }

    /// The elements of a list.
    pub fn elements(&self, name: &str) -> impl Iterator<Item = &BTreeMap<String, Value>> {
        let list = self.fields.get(name).and_then(Value::as_list);
        list.unwrap_or_default()
            .iter()
            .filter_map(Value::as_context)
    }

    /// Sets the value at a path that the schema has. Lists grow as needed.
    pub fn set(&mut self, path: &Path, value: Value) {
        if let Some((Step::Field(name), rest)) = path.steps().split_first() {
            place(
                self.fields.entry(name.clone()).or_insert(Value::Null),
                rest,
                value,
            );
        }
    }

    /// Drops the holes that setting single elements left in lists.
    pub fn close_up(&mut self) {
        self.fields.values_mut().for_each(close_up);
    }

    /// The country where the party sits: of its registered address, else its billing
    /// address, else its first.
    #[must_use]
    pub fn seat(&self) -> Option<&str> {
        let of_kind = |kind: &str| {
            self.elements("addresses")
                .find(|a| a.get("kind").and_then(Value::as_str) == Some(kind))
        };
        of_kind("REGISTERED")
            .or_else(|| of_kind("BILLING"))
            .or_else(|| self.elements("addresses").next())?
            .get("country_code")?
            .as_str()
    }

    /// A record as a file has it: field names, lists, and scalars by the schema's types.
    ///
    /// # Errors
    /// With the place of the first field that the schema doesn't have or whose value
    /// doesn't fit.
    pub fn from_node(entity: Entity, node: &yaml::Node) -> Result<Self, decision::Diagnostic> {
        let fields = read_fields(entity.fields(), node)?;
        Ok(Self { entity, fields })
    }
}

fn place(slot: &mut Value, steps: &[Step], value: Value) {
    match steps.split_first() {
        None => *slot = value,
        Some((Step::Field(name), rest)) => {
            if !matches!(slot, Value::Context(_)) {
                *slot = Value::Context(BTreeMap::new());
            }
            if let Value::Context(entries) = slot {
                place(
                    entries.entry(name.clone()).or_insert(Value::Null),
                    rest,
                    value,
                );
            }
        }
        Some((Step::Index(at), rest)) => {
            if !matches!(slot, Value::List(_)) {
                *slot = Value::List(Vec::new());
            }
            if let Value::List(items) = slot
                && *at < MAX_ELEMENTS
            {
                if items.len() <= *at {
                    items.resize(*at + 1, Value::Null);
                }
                place(&mut items[*at], rest, value);
            }
        }
    }
}

fn close_up(value: &mut Value) {
    match value {
        Value::List(items) => {
            items.retain(|item| *item != Value::Null);
            items.iter_mut().for_each(close_up);
        }
        Value::Context(entries) => entries.values_mut().for_each(close_up),
        _ => {}
    }
}

fn read_fields(
    fields: &'static [Field],
    node: &yaml::Node,
) -> Result<BTreeMap<String, Value>, decision::Diagnostic> {
    let entries = node
        .as_mapping()
        .ok_or_else(|| node.problem(format!("found {}, expected fields", node.describe())))?;
    let mut values = BTreeMap::new();
    for (key, value) in entries {
        let name = key.as_str().unwrap_or_default();
        let field = fields
            .iter()
            .find(|field| field.name == name)
            .ok_or_else(|| {
                key.problem(format!("the canonical record has no field `{name}` here"))
            })?;
        values.insert(name.to_owned(), read(&field.ty, value)?);
    }
    Ok(values)
}

fn read(ty: &Type, node: &yaml::Node) -> Result<Value, decision::Diagnostic> {
    let wrong =
        |wanted: &str| node.problem(format!("found {}, expected {wanted}", node.describe()));
    match ty {
        // a bare 01307 is a postal code here, not a number
        Type::Text(..) => node
            .as_str()
            .map(Value::from)
            .ok_or_else(|| wrong("a text")),
        Type::Texts(_) => {
            let items = node
                .as_sequence()
                .ok_or_else(|| wrong("a sequence of texts"))?;
            let texts = items
                .iter()
                .map(|item| item.as_str().map(Value::from).ok_or_else(|| wrong("texts")));
            Ok(Value::List(texts.collect::<Result<_, _>>()?))
        }
        Type::List(fields) => {
            let items = node.as_sequence().ok_or_else(|| wrong("a sequence"))?;
            let items = items
                .iter()
                .map(|item| read_fields(fields, item).map(Value::Context));
            Ok(Value::List(items.collect::<Result<_, _>>()?))
        }
        Type::Boolean | Type::Number | Type::Money => {
            let wanted = match ty {
                Type::Boolean => decision::Type::Boolean,
                Type::Number => decision::Type::number(),
                _ => decision::Type::Money { currency: None },
            };
            wanted
                .coerce(node.to_value()?)
                .map_err(|mismatch| node.problem(mismatch.to_string()))
        }
    }
}
