//! `bylaw policy diff`.

use std::{collections::BTreeMap, path::Path};

use decision::{
    Output as Given, Table, Value,
    analyse::{self, Difference},
};
use governance::{
    Bundle,
    analysis::{self, BundleDifference, ScopeDifference},
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Diff, found,
    load::Loaded,
    lone::{self, Lone},
    source::{self, Content},
};
use crate::{
    args::Output,
    failure::{Exit, Failure},
    output,
};

pub fn run(form: Output, args: &Diff) -> Result<(), Failure> {
    let same = match (lone_table(&args.old)?, lone_table(&args.new)?) {
        (Some(old), Some(new)) => tables(form, &old, &new)?,
        (None, None) => bundles(form, &bundle(&args.old)?, &bundle(&args.new)?)?,
        _ => {
            return Err(Failure::usage(
                "one is a table by itself and the other isn't",
            ));
        }
    };
    if same {
        Ok(())
    } else {
        Err(Failure::said(Exit::Different))
    }
}

fn lone_table(path: &Path) -> Result<Option<Table>, Failure> {
    match lone::file(path)? {
        Some(Ok(Lone {
            content: Content::Table(table),
            ..
        })) => Ok(Some(*table)),
        Some(Err(drawn)) => Err(source::unusable(&drawn)),
        _ => Ok(None),
    }
}

fn bundle(path: &Path) -> Result<Bundle, Failure> {
    let loaded = Loaded::open(&[path.to_owned()])?;
    loaded
        .bundle()
        .map_err(|problems| loaded.unusable(&problems))
}

/// Compares two tables; whether they are the same.
fn tables(form: Output, old: &Table, new: &Table) -> Result<bool, Failure> {
    let difference = analyse::difference(old, new);
    if form == Output::Json {
        output::json(&PrintedTables::of(&difference, old, new))?;
    } else {
        let rows: Vec<_> = difference
            .changes
            .iter()
            .map(|change| {
                let columns = vec![
                    change.change.as_str().to_owned(),
                    outputs_text(&change.old.0),
                    outputs_text(&change.new.0),
                    found::facts_text(&change.witness),
                ];
                (&change.region, columns)
            })
            .collect();
        if !rows.is_empty() {
            let inputs = found::inputs([old, new]);
            found::region_table(&inputs, &["| change", "| old", "| new", "| such as"], &rows)?;
        }
        found::open_lines(&difference.undecided, None)?;
        summary(difference.changes.len(), difference.undecided.len())?;
    }
    Ok(difference.changes.is_empty() && difference.undecided.is_empty())
}

fn summary(regions: usize, undecided: usize) -> Result<(), Failure> {
    if regions == 0 && undecided == 0 {
        return output::line("no difference: every answer is the same");
    }
    let regions = output::count(regions as u64, "region");
    output::line(&format!(
        "{regions} with another answer, {undecided} undecided"
    ))
}

fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn outputs_text(given: &Given) -> String {
    let one = |outputs: &BTreeMap<String, Value>| {
        let texts = outputs
            .iter()
            .map(|(name, value)| format!("{name}: {}", value_text(value)));
        texts.collect::<Vec<_>>().join(", ")
    };
    match given {
        Given::None => "nothing".to_owned(),
        Given::One(outputs) => one(outputs),
        Given::Many(all) if all.is_empty() => "nothing".to_owned(),
        Given::Many(all) => all.iter().map(one).collect::<Vec<_>>().join("; "),
        Given::Conflict(_) => "conflict".to_owned(),
        Given::Failed(failure) => failure.to_string(),
    }
}

/// Outputs as `bylaw policy eval` prints results.
fn outputs_json(given: &Given) -> Option<Box<RawValue>> {
    let value = match given {
        Given::One(outputs) => Value::Context(outputs.clone()),
        Given::Many(all) => Value::List(all.iter().cloned().map(Value::Context).collect()),
        Given::None | Given::Conflict(_) | Given::Failed(_) => Value::Null,
    };
    RawValue::from_string(decision::json::write(&value)).ok()
}

#[derive(Serialize)]
struct PrintedTables {
    different: bool,
    changes: Vec<PrintedChange>,
    undecided: Vec<found::Open>,
}

#[derive(Serialize)]
struct PrintedChange {
    change: &'static str,
    region: Vec<found::Cell>,
    witness: Option<Box<RawValue>>,
    old: PrintedOutputs,
    new: PrintedOutputs,
}

#[derive(Serialize)]
struct PrintedOutputs {
    result: Option<Box<RawValue>>,
    conflict: bool,
    rows: Vec<String>,
}

impl PrintedTables {
    fn of(difference: &Difference, old: &Table, new: &Table) -> Self {
        let outputs = |table: &Table, (given, rows): &(Given, Vec<usize>)| PrintedOutputs {
            result: outputs_json(given),
            conflict: matches!(given, Given::Conflict(_)),
            rows: found::ids(table, rows),
        };
        let changes = difference.changes.iter().map(|change| PrintedChange {
            change: change.change.as_str(),
            region: found::region(&change.region),
            witness: found::facts(&change.witness),
            old: outputs(old, &change.old),
            new: outputs(new, &change.new),
        });
        Self {
            different: !difference.changes.is_empty() || !difference.undecided.is_empty(),
            changes: changes.collect(),
            undecided: difference
                .undecided
                .iter()
                .map(|u| found::Open::of(u, None))
                .collect(),
        }
    }
}

/// Compares effective policies at every scope; whether they are the same.
fn bundles(form: Output, old: &Bundle, new: &Bundle) -> Result<bool, Failure> {
    let difference = analysis::difference(old, new);
    if form == Output::Json {
        output::json(&PrintedBundles::of(&difference))?;
        return Ok(difference.is_none());
    }
    for text in &difference.definitions {
        output::line(&format!("  {text}"))?;
    }
    let (mut regions, mut undecided) = (0, 0);
    for found in &difference.scopes {
        regions += found.difference.changes.len();
        undecided += found.difference.undecided.len();
        scope(old, new, found)?;
    }
    if difference.definitions.is_empty() || regions + undecided > 0 {
        summary(regions, undecided)?;
    }
    Ok(difference.is_none())
}

fn scope(old: &Bundle, new: &Bundle, found: &ScopeDifference) -> Result<(), Failure> {
    let scopes: Vec<_> = found.scopes.iter().map(ToString::to_string).collect();
    output::line(&format!("{} at {}", found.workflow, scopes.join(", ")))?;
    let first = found.scopes.first();
    let sides =
        [old, new].map(|bundle| first.and_then(|scope| bundle.effective(&found.workflow, scope)));
    let layers = sides
        .iter()
        .flatten()
        .flat_map(|effective| effective.layers());
    let inputs = found::inputs(layers.map(|policy| &policy.table));
    let rows: Vec<_> = found
        .difference
        .changes
        .iter()
        .map(|change| {
            let columns = vec![
                change.change.as_str().to_owned(),
                change.old.to_string(),
                change.new.to_string(),
            ];
            (&change.region, columns)
        })
        .collect();
    if !rows.is_empty() {
        found::region_table(&inputs, &["| change", "| old", "| new"], &rows)?;
    }
    found::open_lines(&found.difference.undecided, None)?;
    output::line("")
}

#[derive(Serialize)]
struct PrintedBundles {
    different: bool,
    loosens: bool,
    definitions: Vec<String>,
    scopes: Vec<PrintedScope>,
}

#[derive(Serialize)]
struct PrintedScope {
    workflow: String,
    scopes: Vec<String>,
    changes: Vec<PrintedEffect>,
    undecided: Vec<found::Open>,
}

#[derive(Serialize)]
struct PrintedEffect {
    change: &'static str,
    region: Vec<found::Cell>,
    witness: Option<Box<RawValue>>,
    old: found::Given,
    new: found::Given,
}

impl PrintedBundles {
    fn of(difference: &BundleDifference) -> Self {
        let scope = |found: &ScopeDifference| PrintedScope {
            workflow: found.workflow.to_string(),
            scopes: found.scopes.iter().map(ToString::to_string).collect(),
            changes: found
                .difference
                .changes
                .iter()
                .map(|change| PrintedEffect {
                    change: change.change.as_str(),
                    region: found::region(&change.region),
                    witness: found::facts(&change.witness),
                    old: found::Given::of(&change.old),
                    new: found::Given::of(&change.new),
                })
                .collect(),
            undecided: found
                .difference
                .undecided
                .iter()
                .map(|u| found::Open::of(u, None))
                .collect(),
        };
        Self {
            different: !difference.is_none(),
            loosens: difference
                .scopes
                .iter()
                .any(|found| found.difference.loosens()),
            definitions: difference.definitions.clone(),
            scopes: difference.scopes.iter().map(scope).collect(),
        }
    }
}
