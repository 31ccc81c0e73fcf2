//! The examples inside a mapping: what is given, and the record it must become.

use std::collections::BTreeMap;

use decision::{
    Diagnostic, Value,
    yaml::{Fields, Node},
};

use super::{Mapping, Payload, Record};

/// Runs all examples; there must be one.
pub(super) fn run_all(mapping: &Mapping, node: &Node, problems: &mut Vec<Diagnostic>) {
    let examples = node.items(problems, "a sequence of examples");
    if examples.is_empty() {
        problems.push(node.problem("a mapping needs an example"));
    }
    for (at, example) in examples.iter().enumerate() {
        if let Err(problem) = run(mapping, example, at + 1, problems) {
            problems.push(problem);
        }
    }
}

fn run(
    mapping: &Mapping,
    node: &Node,
    number: usize,
    problems: &mut Vec<Diagnostic>,
) -> Result<(), Diagnostic> {
    let mut fields = Fields::new(node)?;
    let given = fields.require("given", problems);
    let expect = fields.require("expect", problems);
    let violations = fields.texts("violations", problems);
    fields.finish(problems);
    let (Some(given), Some(expect)) = (given, expect) else {
        return Ok(());
    };
    let wanted = Record::from_node(mapping.entity, expect)?;
    let found = mapping.normalize(&payload(given)?);
    if let Some(difference) = difference(wanted.fields(), found.record.fields()) {
        return Err(node.problem(format!("example {number}: {difference}")));
    }
    let rules: Vec<_> = found.violations.iter().map(|v| v.rule.as_str()).collect();
    if rules != violations {
        let message =
            format!("example {number}: expected violations {violations:?}, found {rules:?}");
        return Err(node.problem(message));
    }
    Ok(())
}

/// The payload of an example. A bare number that would not keep its text, such as 01307,
/// stays text, as it is in a CSV file.
fn payload(node: &Node) -> Result<Payload, Diagnostic> {
    match exact(node)? {
        Value::Context(fields) => Ok(Payload::new(fields)),
        _ => Err(node.problem(format!("found {}, expected fields", node.describe()))),
    }
}

fn exact(node: &Node) -> Result<Value, Diagnostic> {
    if let Some(entries) = node.as_mapping() {
        let entries = entries
            .iter()
            .map(|(key, value)| Ok((key.as_str().unwrap_or_default().to_owned(), exact(value)?)));
        return entries.collect::<Result<_, _>>().map(Value::Context);
    }
    if let Some(items) = node.as_sequence() {
        return items
            .iter()
            .map(exact)
            .collect::<Result<_, _>>()
            .map(Value::List);
    }
    let value = node.to_value()?;
    match (&value, node.as_str()) {
        (Value::Number(number), Some(text)) if number.to_string() != text => Ok(Value::from(text)),
        _ => Ok(value),
    }
}

/// The first difference between two records.
fn difference(wanted: &BTreeMap<String, Value>, found: &BTreeMap<String, Value>) -> Option<String> {
    let names: std::collections::BTreeSet<_> = wanted.keys().chain(found.keys()).collect();
    let name = names
        .into_iter()
        .find(|name| wanted.get(*name) != found.get(*name))?;
    let shown =
        |side: Option<&Value>| side.map_or_else(|| "nothing".to_owned(), decision::json::write);
    Some(format!(
        "{name}: expected {}, found {}",
        shown(wanted.get(name)),
        shown(found.get(name))
    ))
}
