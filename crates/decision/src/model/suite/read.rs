//! From a document to its tests.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, Expected, KIND, Rows, Suite, facts};
use crate::{
    diagnostic::{Diagnostic, full, settle},
    limits,
    model::{Absent, Options},
    table::is_bare_name,
    value::Value,
    yaml::{Fields, Node},
};

/// At most this many tests in a document.
const MAX_TESTS: usize = 10_000;
/// At most this many facts in a set, and sets.
const MAX_ENTRIES: usize = 1_000;
/// At most this many facts in all tests: sets are copied into each that takes them.
const MAX_FACTS: usize = 1_000_000;

type Facts = BTreeMap<String, Value>;

impl Suite {
    /// Whether a document says that it holds tests of tables.
    #[must_use]
    pub fn is_suite(node: &Node) -> bool {
        node.get("kind").and_then(Node::as_str) == Some(KIND)
    }

    /// Reads the tests of a document.
    ///
    /// # Errors
    /// With all that is wrong with it, in the order of the text.
    pub fn from_node(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        match read(node, &mut problems) {
            Some(suite) if problems.is_empty() => Ok(suite),
            _ => Err(settle(problems)),
        }
    }
}

fn read(node: &Node, problems: &mut Vec<Diagnostic>) -> Option<Suite> {
    let mut fields = Fields::new(node)
        .map_err(|problem| problems.push(problem))
        .ok()?;
    fields.text("kind", problems);
    fields.note("description", problems);
    let name = fields.note("name", problems).unwrap_or_default();
    let file = fields.require("file", problems);
    let decision = fields.note("decision", problems);
    let absent = match fields.take("absent") {
        None => Absent::Unknown,
        Some(node) => absent(node, problems),
    };
    let sets = sets(fields.take("facts"), problems);
    let tests = fields.require("tests", problems);
    fields.finish(problems);
    let items = tests?.items(problems, "a sequence of tests");
    if items.is_empty() || items.len() > MAX_TESTS {
        let message = format!("found {} tests, expected 1 to {MAX_TESTS}", items.len());
        problems.push(tests?.problem(message));
        return None;
    }
    let mut cases = Vec::new();
    let mut left = MAX_FACTS;
    for item in items {
        cases.extend(case(item, &sets, decision.as_deref(), &mut left, problems));
        if full(problems) {
            break;
        }
    }
    let file = file?;
    let path = file.text(problems, "the name of a file beside this one")?;
    if !is_bare_name(path) {
        problems.push(file.problem(format!("`{path}` is no bare file name")));
    }
    Some(Suite {
        name,
        file: path.to_owned(),
        file_mark: file.mark(),
        options: Options::absent(absent),
        cases,
    })
}

fn absent(node: &Node, problems: &mut Vec<Diagnostic>) -> Absent {
    match node.as_str() {
        Some("unknown") => Absent::Unknown,
        _ if node.is_null() || node.as_str() == Some("null") => Absent::Null,
        _ => {
            let message = format!("found {}, expected unknown or null", node.describe());
            problems.push(node.problem(message));
            Absent::Unknown
        }
    }
}

fn entries<'n>(node: &'n Node, most: usize, problems: &mut Vec<Diagnostic>) -> &'n [(Node, Node)] {
    let Some(entries) = node.as_mapping() else {
        problems.push(node.problem(format!("found {}, expected a mapping", node.describe())));
        return &[];
    };
    if entries.len() > most {
        let message = format!(
            "found {} entries, at most {most} are allowed",
            entries.len()
        );
        problems.push(node.problem(message));
        return &[];
    }
    entries
}

fn sets(node: Option<&Node>, problems: &mut Vec<Diagnostic>) -> BTreeMap<String, Facts> {
    let mut sets = BTreeMap::new();
    let Some(node) = node else {
        return sets;
    };
    for (name, set) in entries(node, MAX_ENTRIES, problems) {
        let set = known(set, problems);
        sets.insert(name.as_str().unwrap_or_default().to_owned(), set);
    }
    sets
}

/// Facts by name, or nested.
fn known(node: &Node, problems: &mut Vec<Diagnostic>) -> Facts {
    let mut found = Facts::new();
    for (name, value) in entries(node, MAX_ENTRIES, problems) {
        match value.to_value() {
            Ok(value) => {
                let name = name.as_str().unwrap_or_default().to_owned();
                facts::flatten(name, value, &mut found);
            }
            Err(problem) => problems.push(problem),
        }
    }
    found
}

fn case(
    node: &Node,
    sets: &BTreeMap<String, Facts>,
    decision: Option<&str>,
    left: &mut usize,
    problems: &mut Vec<Diagnostic>,
) -> Option<Case> {
    let mut fields = Fields::new(node)
        .map_err(|problem| problems.push(problem))
        .ok()?;
    let name = fields.require("name", problems);
    let name = name.and_then(|name| name.text(problems, "a name"));
    let own = fields.note("decision", problems);
    let mut facts = Facts::new();
    if let Some(taken) = fields.take("facts") {
        for name in taken.items(problems, "a sequence of names of sets") {
            let Some(set) = name.as_str().and_then(|name| sets.get(name)) else {
                problems.push(name.problem(format!("there is no set {}", name.describe())));
                continue;
            };
            spend(set.len(), left, name, problems)?;
            for (path, value) in set {
                facts::set(&mut facts, path, value.clone());
            }
        }
    }
    if let Some(node) = fields.take("set") {
        let set = known(node, problems);
        spend(set.len(), left, node, problems)?;
        for (path, value) in set {
            facts::set(&mut facts, &path, value);
        }
    }
    for path in fields.texts("unset", problems) {
        facts::forget(&mut facts, &path);
    }
    let expect = fields.require("expect", problems);
    fields.finish(problems);
    let expected = expected(expect?, problems)?;
    Some(Case {
        name: name?.to_owned(),
        line: node.mark().line,
        decision: own.or_else(|| decision.map(str::to_owned)),
        facts,
        expected,
    })
}

/// Counts facts of tests, or says that there are too many.
fn spend(
    count: usize,
    left: &mut usize,
    node: &Node,
    problems: &mut Vec<Diagnostic>,
) -> Option<()> {
    let rest = left.checked_sub(count);
    if rest.is_none() {
        problems.push(node.problem(format!("tests have more than {MAX_FACTS} facts")));
    }
    *left = rest.unwrap_or(0);
    rest.map(|_| ())
}

fn expected(node: &Node, problems: &mut Vec<Diagnostic>) -> Option<Expected> {
    let mut fields = Fields::new(node)
        .map_err(|problem| problems.push(problem))
        .ok()?;
    let result = match fields.take("result").map(Node::to_value) {
        None => None,
        Some(Ok(value)) => Some(value),
        Some(Err(problem)) => {
            problems.push(problem);
            None
        }
    };
    let unknown: BTreeSet<String> = fields
        .texts("unknown_facts", problems)
        .into_iter()
        .collect();
    let rows = fields.take("rows").map(|node| rows(node, problems));
    fields.finish(problems);
    let mut refuse = |message: &str| problems.push(node.problem(message));
    match (&result, unknown.is_empty()) {
        (Some(_), false) => refuse("a result that is expected depends on no unknown facts"),
        (None, true) if rows.is_none() => {
            refuse("expected `result`, `unknown_facts` or `rows`");
        }
        _ => {}
    }
    Some(Expected {
        result,
        unknown,
        rows,
    })
}

fn rows(node: &Node, problems: &mut Vec<Diagnostic>) -> Rows {
    let mut ids = |node: &Node| {
        let items = node.items(problems, "a sequence of ids of rows");
        let ids = items.iter().take(limits::VALUES);
        let ids = ids.filter_map(|id| id.text(problems, "the id of a row"));
        ids.map(str::to_owned).collect::<Vec<String>>()
    };
    match node.as_mapping() {
        None => Rows::Own(ids(node)),
        Some(tables) => {
            let tables = tables.iter().take(MAX_ENTRIES);
            let tables = tables.map(|(table, rows)| {
                let table = table.as_str().unwrap_or_default().to_owned();
                (table, ids(rows))
            });
            Rows::Of(tables.collect())
        }
    }
}
