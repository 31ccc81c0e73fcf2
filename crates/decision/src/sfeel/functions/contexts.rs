//! Functions on contexts (DMN 1.5, 10.3.4.9), and sameness.

use std::collections::BTreeMap;

use super::given::{self, need};
use crate::{
    sfeel::eval::{Outcome, Work},
    value::Value,
};

type Entries = BTreeMap<String, Value>;

fn context(arguments: &[Value], place: usize) -> given::Argument<&Entries> {
    match given::one(arguments, place) {
        Value::Null => Ok(None),
        Value::Context(entries) => Ok(Some(entries)),
        other => Err(format!(
            "argument {} is a {}, expected a context",
            place + 1,
            other.kind()
        )),
    }
}

pub(super) fn get_value(arguments: &[Value], _: &Work) -> Outcome {
    let entries = need!(context(arguments, 0));
    let key = need!(given::text(arguments, 1));
    Ok(entries.get(key).cloned().unwrap_or(Value::Null))
}

pub(super) fn get_entries(arguments: &[Value], work: &Work) -> Outcome {
    let entries = need!(context(arguments, 0));
    work.take(entries.len())?;
    let pair = |(key, value): (&String, &Value)| {
        let pair = [("key", Value::from(key.as_str())), ("value", value.clone())];
        Value::Context(pair.map(|(name, value)| (name.to_owned(), value)).into())
    };
    Ok(Value::List(entries.iter().map(pair).collect()))
}

/// A context of the entries that a list holds as `{key: …, value: …}`.
pub(super) fn context_of(arguments: &[Value], work: &Work) -> Outcome {
    let items = need!(given::list(arguments, 0));
    work.take(items.len())?;
    let mut made = Entries::new();
    for item in items.iter() {
        let entry = match item {
            Value::Context(entry) => entry.get("key").zip(entry.get("value")),
            _ => None,
        };
        let Some((Value::String(key), value)) = entry else {
            return Err("expected entries such as `{key: \"a\", value: 1}`".to_owned());
        };
        if made.insert(key.clone(), value.clone()).is_some() {
            return Err(format!("entry `{key}` stands twice"));
        }
    }
    Ok(Value::Context(made))
}

/// The context with one more entry; of a list of keys, within the contexts that it names.
pub(super) fn put(arguments: &[Value], work: &Work) -> Outcome {
    let mut entries = need!(context(arguments, 0)).clone();
    work.take(entries.len())?;
    let value = arguments.get(2).cloned().unwrap_or(Value::Null);
    let keys = need!(given::list(arguments, 1));
    let mut within = &mut entries;
    let Some((last, path)) = keys.split_last() else {
        return Err("there is no key".to_owned());
    };
    let name = |key: &Value| match key {
        Value::String(name) => Ok(name.clone()),
        other => Err(format!(
            "found a {}, expected the name of an entry",
            other.kind()
        )),
    };
    for key in path {
        let name = name(key)?;
        within = match within.get_mut(&name) {
            Some(Value::Context(inner)) => inner,
            _ => return Err(format!("there is no context `{name}`")),
        };
    }
    within.insert(name(last)?, value);
    Ok(Value::Context(entries))
}

/// The entries of all contexts, the later ones before the earlier.
pub(super) fn merge(arguments: &[Value], work: &Work) -> Outcome {
    let items = need!(given::list(arguments, 0));
    let mut merged = Entries::new();
    for item in items.iter() {
        let Value::Context(entries) = item else {
            return Err(format!(
                "the list holds a {}, expected contexts",
                item.kind()
            ));
        };
        work.take(entries.len())?;
        merged.extend(entries.clone());
    }
    Ok(Value::Context(merged))
}

/// Whether two values are the same in kind and text: a time in another zone isn't.
pub(super) fn is(arguments: &[Value], _: &Work) -> Outcome {
    let (a, b) = (
        arguments.first().unwrap_or(&Value::Null),
        arguments.get(1).unwrap_or(&Value::Null),
    );
    let same = match (a, b) {
        (Value::DateTime(x), Value::DateTime(y)) => x == y && x.offset() == y.offset(),
        (a, b) => a == b,
    };
    Ok(same.into())
}
