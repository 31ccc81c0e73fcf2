//! Facts by path, and as the inputs of a model that they belong to.

use std::collections::BTreeMap;

use super::super::Model;
use crate::value::Value;

/// The parts of a value by their paths: mappings are taken apart, all else stays whole.
pub(super) fn flatten(path: String, value: Value, facts: &mut BTreeMap<String, Value>) {
    match value {
        Value::Context(entries) if !entries.is_empty() => {
            for (name, entry) in entries {
                flatten(format!("{path}.{name}"), entry, facts);
            }
        }
        whole => _ = facts.insert(path, whole),
    }
}

/// Makes something unknown, with all its parts.
pub(super) fn forget(facts: &mut BTreeMap<String, Value>, path: &str) {
    facts.remove(path);
    // A point is the character before a slash.
    let parts = facts.range(format!("{path}.")..format!("{path}/"));
    let parts: Vec<String> = parts.map(|(part, _)| part.clone()).collect();
    for part in parts {
        facts.remove(&part);
    }
}

/// Sets a fact; what was known of its parts, or of what it is a part of, is replaced.
pub(super) fn set(facts: &mut BTreeMap<String, Value>, path: &str, value: Value) {
    forget(facts, path);
    for (dot, _) in path.match_indices('.') {
        facts.remove(&path[..dot]);
    }
    facts.insert(path.to_owned(), value);
}

/// Whether a path leads to something or into it.
fn leads(path: &str, to: &str) -> bool {
    let rest = path.strip_prefix(to);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Facts as the inputs of a model have them.
///
/// # Errors
/// With a fact that belongs to no input.
pub(super) fn nested(model: &Model, facts: &BTreeMap<String, Value>) -> Result<Value, String> {
    let mut inputs: BTreeMap<String, Value> = BTreeMap::new();
    for (path, value) in facts {
        let owners = model.inputs.iter().map(|input| input.name.as_str());
        // Of `order` and `order.total` the longer is meant.
        let owner = owners
            .filter(|name| leads(path, name))
            .max_by_key(|name| name.len());
        let Some(owner) = owner else {
            let mut names = model.inputs.iter().map(|input| input.name.as_str());
            let names: Vec<_> = names.by_ref().take(10).collect();
            let names = names.join(", ");
            return Err(format!(
                "fact `{path}` is no input of the file, those are {names}"
            ));
        };
        match path.get(owner.len() + 1..) {
            None => _ = inputs.insert(owner.to_owned(), value.clone()),
            Some(rest) => {
                let whole = inputs
                    .entry(owner.to_owned())
                    .or_insert_with(|| Value::Context(BTreeMap::new()));
                put(whole, rest, value.clone());
            }
        }
    }
    Ok(Value::Context(inputs))
}

/// Puts a value at a path within another one, which becomes a mapping on the way.
fn put(whole: &mut Value, path: &str, value: Value) {
    if !matches!(whole, Value::Context(_)) {
        *whole = Value::Context(BTreeMap::new());
    }
    let Value::Context(entries) = whole else {
        return;
    };
    match path.split_once('.') {
        None => _ = entries.insert(path.to_owned(), value),
        Some((first, rest)) => {
            let inner = entries.entry(first.to_owned());
            put(
                inner.or_insert_with(|| Value::Context(BTreeMap::new())),
                rest,
                value,
            );
        }
    }
}
