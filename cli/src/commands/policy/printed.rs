//! Differences as JSON.

use decision::{Output as Answer, Table, Value, analyse::Difference};
use governance::analysis::{BundleDifference, ScopeDifference};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{found, versions};

/// Two tables.
#[derive(Serialize)]
pub(super) struct Tables {
    different: bool,
    changes: Vec<Change>,
    undecided: Vec<found::Open>,
}

#[derive(Serialize)]
struct Change {
    change: &'static str,
    region: Vec<found::Cell>,
    witness: Option<Box<RawValue>>,
    old: Outputs,
    new: Outputs,
}

#[derive(Serialize)]
struct Outputs {
    result: Option<Box<RawValue>>,
    conflict: bool,
    rows: Vec<String>,
}

impl Tables {
    pub(super) fn of(difference: &Difference, old: &Table, new: &Table) -> Self {
        Self {
            different: !difference.changes.is_empty() || !difference.undecided.is_empty(),
            changes: changes(difference, old, new),
            undecided: undecided(difference),
        }
    }
}

fn changes(difference: &Difference, old: &Table, new: &Table) -> Vec<Change> {
    let outputs = |table: &Table, (given, rows): &(Answer, Vec<usize>)| Outputs {
        result: result(given),
        conflict: matches!(given, Answer::Conflict(_)),
        rows: found::ids(table, rows),
    };
    let changes = difference.changes.iter().map(|change| Change {
        change: change.change.as_str(),
        region: found::region(&change.region),
        witness: found::facts(&change.witness),
        old: outputs(old, &change.old),
        new: outputs(new, &change.new),
    });
    changes.collect()
}

fn undecided(difference: &Difference) -> Vec<found::Open> {
    let open = difference.undecided.iter();
    open.map(|open| found::Open::of(open, None)).collect()
}

/// Outputs as `bylaw policy eval` prints results.
fn result(given: &Answer) -> Option<Box<RawValue>> {
    let value = match given {
        Answer::One(outputs) => Value::Context(outputs.clone()),
        Answer::Many(all) => Value::List(all.iter().cloned().map(Value::Context).collect()),
        Answer::None | Answer::Conflict(_) | Answer::Failed(_) => Value::Null,
    };
    RawValue::from_string(decision::json::write(&value)).ok()
}

/// Anything else: bundles, decision models, folders.
#[derive(Serialize)]
pub(super) struct Versions {
    different: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    loosens: Option<bool>,
    definitions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<Scope>>,
    tables: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    name: String,
    changes: Vec<Change>,
    undecided: Vec<found::Open>,
}

#[derive(Serialize)]
struct Scope {
    workflow: String,
    scopes: Vec<String>,
    changes: Vec<Effect>,
    undecided: Vec<found::Open>,
}

#[derive(Serialize)]
struct Effect {
    change: &'static str,
    region: Vec<found::Cell>,
    witness: Option<Box<RawValue>>,
    old: found::Given,
    new: found::Given,
}

impl Versions {
    pub(super) fn of(
        different: bool,
        governed: Option<&BundleDifference>,
        versions: &versions::Versions<'_>,
    ) -> Self {
        let part = |part: &versions::Part<'_>| Part {
            name: part.name.clone(),
            changes: (part.tables)
                .map_or_else(Vec::new, |(old, new)| changes(&part.difference, old, new)),
            undecided: undecided(&part.difference),
        };
        let definitions = governed.iter().flat_map(|found| &found.definitions);
        Self {
            different,
            loosens: governed
                .map(|found| found.scopes.iter().any(|scope| scope.difference.loosens())),
            definitions: definitions.chain(&versions.definitions).cloned().collect(),
            scopes: governed.map(|found| found.scopes.iter().map(Scope::of).collect()),
            tables: versions.parts.iter().map(part).collect(),
        }
    }
}

impl Scope {
    fn of(found: &ScopeDifference) -> Self {
        let changes = found.difference.changes.iter().map(|change| Effect {
            change: change.change.as_str(),
            region: found::region(&change.region),
            witness: found::facts(&change.witness),
            old: found::Given::of(&change.old),
            new: found::Given::of(&change.new),
        });
        let undecided = found.difference.undecided.iter();
        Self {
            workflow: found.workflow.to_string(),
            scopes: found.scopes.iter().map(ToString::to_string).collect(),
            changes: changes.collect(),
            undecided: undecided.map(|open| found::Open::of(open, None)).collect(),
        }
    }
}
