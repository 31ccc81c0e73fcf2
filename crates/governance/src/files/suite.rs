//! `kind: PolicyTest`: what policies must answer, as tables beside them.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use decision::{
    Value,
    temporal::{Duration, parse_date_time, parse_duration},
    yaml::Node,
};

use super::{Diagnostic, Document, Reader, Source, parse, relocate};
use crate::{
    answer::Effect,
    suite::{Case, Expected, Given, Suite},
    workflow::Provenance,
};

/// The kind of document that holds tests.
pub const POLICY_TEST: &str = "PolicyTest";

/// At most this many tests in a file.
const MAX_TESTS: usize = 10_000;
/// At most this many facts in a set, or expectations of one kind.
const MAX_ENTRIES: usize = 1_000;

const EFFECTS: [(&str, Effect); 3] = [
    ("ALLOW", Effect::Allow),
    ("REQUIRE_APPROVAL", Effect::RequireApproval),
    ("DENY", Effect::Deny),
];

type Facts = BTreeMap<String, Given>;

/// Reads the tests of a document.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(source: &Source) -> Result<Suite, Vec<Diagnostic>> {
    let node = parse(source).map_err(|diagnostic| vec![diagnostic])?;
    let document = Document { source, node };
    let mut reader = Reader::new(&document, &document.node)?;
    reader.one_of("kind", &[(POLICY_TEST, ())]);
    let name = reader.name("name");
    let workflow = reader.name("workflow");
    reader.optional_text("description");
    let now = reader
        .required("now")
        .and_then(|node| instant(&mut reader, "now", node));
    let sets = fact_sets(&mut reader, now.unwrap_or_default());
    let mut cases = Vec::new();
    let mut errors = Vec::new();
    for node in reader.items("tests", MAX_TESTS) {
        match case(&document, node, &sets, now.unwrap_or_default()) {
            Ok(case) => cases.push(case),
            Err(mut found) => errors.append(&mut found),
        }
    }
    if cases.is_empty() && errors.is_empty() {
        reader.fail(&document.node, "tests: there is none");
    }
    if let Err(mut found) = reader.finish() {
        errors.append(&mut found);
    }
    match (name, workflow, now) {
        (Some((_, name)), Some((_, workflow)), Some(now)) if errors.is_empty() => Ok(Suite {
            path: source.path.clone(),
            name,
            workflow,
            now,
            cases,
        }),
        _ => Err(errors),
    }
}

fn instant(reader: &mut Reader<'_>, key: &str, node: &Node) -> Option<DateTime<Utc>> {
    let found = node.as_str().and_then(parse_date_time);
    if found.is_none() {
        reader.fail(
            node,
            format!("{key}: expected a time such as 2026-11-24T09:00:00Z"),
        );
    }
    found.map(|instant| instant.to_utc())
}

fn fact_sets(reader: &mut Reader<'_>, now: DateTime<Utc>) -> BTreeMap<String, Facts> {
    let Some(node) = reader.fields.take("facts") else {
        return BTreeMap::new();
    };
    let mut sets = BTreeMap::new();
    for (name, node) in reader.entries("facts", node, MAX_ENTRIES) {
        let facts = facts(reader, "facts", node, now);
        sets.insert(name.to_owned(), facts);
    }
    sets
}

/// Facts by name: a value, or a mapping that says where it came from and how old it is.
fn facts<'a>(
    reader: &mut Reader<'a>,
    key: &'static str,
    node: &'a Node,
    now: DateTime<Utc>,
) -> Facts {
    let mut facts = Facts::new();
    for (name, node) in reader.entries(key, node, MAX_ENTRIES) {
        let given = match node.get("value") {
            None => value(reader, node).map(|value| Given {
                value,
                provenance: None,
                observed: now,
            }),
            Some(_) => detailed(reader, node, now),
        };
        facts.extend(given.map(|given| (name.to_owned(), given)));
    }
    facts
}

fn value(reader: &mut Reader<'_>, node: &Node) -> Option<Value> {
    match node.to_value() {
        Ok(value) => Some(value),
        Err(found) => {
            let source = reader.document.source;
            reader.errors.push(relocate(source, found));
            None
        }
    }
}

fn detailed(reader: &mut Reader<'_>, node: &Node, now: DateTime<Utc>) -> Option<Given> {
    let mut inner = Reader::new(reader.document, node).ok()?;
    let value_node = inner.required("value");
    let value = value_node.and_then(|node| value(&mut inner, node));
    let provenance = inner
        .fields
        .take("provenance")
        .and_then(|node| inner.choice("provenance", node, Provenance::NAMES));
    let age = inner
        .fields
        .take("age")
        .map(|node| (node, node.as_str().and_then(age)));
    if let Some((node, None)) = age {
        inner.fail(
            node,
            "age: expected a duration of days and time such as PT25H",
        );
    }
    let observed = age.and_then(|(_, age)| age).map_or(now, |age| now - age);
    match inner.finish() {
        Ok(()) => Some(Given {
            value: value?,
            provenance,
            observed,
        }),
        Err(mut errors) => {
            reader.errors.append(&mut errors);
            None
        }
    }
}

fn age(text: &str) -> Option<TimeDelta> {
    match parse_duration(text)? {
        Duration::Days(days) => Some(days.0),
        Duration::Months(_) => None,
    }
}

fn case(
    document: &Document<'_>,
    node: &Node,
    sets: &BTreeMap<String, Facts>,
    now: DateTime<Utc>,
) -> Result<Case, Vec<Diagnostic>> {
    let mut reader = Reader::new(document, node)?;
    let name = reader.text("name");
    let scope = reader.scope("scope");
    let mut known = Facts::new();
    for name in reader.items("facts", MAX_ENTRIES) {
        match name.as_str().and_then(|name| sets.get(name)) {
            Some(set) => known.extend(set.clone()),
            None => reader.fail(name, format!("facts: there is no set {}", name.describe())),
        }
    }
    if let Some(node) = reader.fields.take("set") {
        known.extend(facts(&mut reader, "set", node, now));
    }
    for name in reader.texts("unset", MAX_ENTRIES) {
        known.remove(&name);
    }
    let expected = reader
        .required("expect")
        .map(|node| expected(document, node));
    reader.finish()?;
    match (name, scope, expected.transpose()?) {
        (Some(name), Some((_, scope)), Some(expected)) => Ok(Case {
            name: name.to_owned(),
            line: node.mark().line + document.source.lines_before,
            scope,
            facts: known,
            expected,
        }),
        _ => Err(Vec::new()),
    }
}

fn expected(document: &Document<'_>, node: &Node) -> Result<Expected, Vec<Diagnostic>> {
    let mut reader = Reader::new(document, node)?;
    let effect = reader.one_of("effect", &EFFECTS);
    let settled = reader.flag("settled", true);
    let approvals = match reader.fields.take("approvals") {
        None => BTreeMap::new(),
        Some(node) => approvals(&mut reader, node),
    };
    let rows = reader
        .fields
        .take("rows")
        .map(|node| rows(&mut reader, node));
    let reasons = node
        .get("reasons")
        .map(|_| reader.texts("reasons", MAX_ENTRIES));
    let obligations = reader.texts("obligations", MAX_ENTRIES);
    let unknown_facts = reader.texts("unknown_facts", MAX_ENTRIES);
    reader.finish()?;
    let effect = effect.ok_or_else(Vec::new)?;
    Ok(Expected {
        effect,
        settled,
        approvals,
        obligations,
        unknown_facts,
        rows,
        reasons,
    })
}

/// `role@scope` to the number of people.
fn approvals<'a>(reader: &mut Reader<'a>, node: &'a Node) -> BTreeMap<Arc<str>, u32> {
    let mut approvals = BTreeMap::new();
    for (who, count) in reader.entries("approvals", node, MAX_ENTRIES) {
        match count.as_str().and_then(|count| count.parse().ok()) {
            Some(count) if who.contains('@') => {
                approvals.insert(who.into(), count);
            }
            _ => reader.fail(count, "approvals: expected `role@scope: count`"),
        }
    }
    approvals
}

/// The ids of rows, by policy.
fn rows<'a>(reader: &mut Reader<'a>, node: &'a Node) -> BTreeMap<String, Vec<String>> {
    let mut rows = BTreeMap::new();
    for (policy, node) in reader.entries("rows", node, MAX_ENTRIES) {
        let id = |node: &Node| node.as_str().map(str::to_owned);
        match node
            .as_sequence()
            .and_then(|items| items.iter().map(id).collect())
        {
            Some(ids) => {
                rows.insert(policy.to_owned(), ids);
            }
            None => reader.fail(node, "rows: expected `policy: [row, …]`"),
        }
    }
    rows
}
