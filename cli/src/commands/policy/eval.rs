//! `bylaw policy eval`.

use std::collections::BTreeMap;

use decision::{
    Met, Model, Value, json,
    model::{Absent, Conclusion, Detail, Options, RowTrace, Trace},
};

use super::{Eval, source::Read};
use crate::{args::Output, commands::input, failure::Failure, output};

/// How many facts or inputs are named.
const MAX_NAMED: usize = 10;

pub fn run(form: Output, args: &Eval) -> Result<(), Failure> {
    let read = Read::open(&args.file)?;
    let model = read.model();
    let decision = chosen(&model, args.decision.as_deref())?;
    let text = input::argument(&args.facts)?;
    let facts = json::parse(&text).map_err(|error| Failure::usage(format!("--facts: {error}")))?;
    if facts.as_context().is_none() {
        let message = format!("--facts: found {}, expected an object", facts.kind());
        return Err(Failure::usage(message));
    }
    say_unused(&model, &facts);
    let absent = if args.unknown {
        Absent::Unknown
    } else {
        Absent::Null
    };
    let detail = if args.trace {
        Detail::Rows
    } else {
        Detail::Result
    };
    let options = Options::absent(absent).telling(detail);
    let conclusion = model
        .evaluate(&decision, &facts, &options)
        .ok_or_else(|| Failure::failed(format!("`{decision}` is no decision of this file")))?;
    match form {
        Output::Json => output::line(&json::write(&document(&conclusion, args))),
        Output::Text | Output::Junit => text_form(&conclusion, args),
    }
}

/// Says on standard error which facts belong to no input. They are no error: facts may be
/// given that only another decision's file takes.
fn say_unused(model: &Model, facts: &Value) {
    let inputs: Vec<&str> = model.inputs().iter().map(|input| input.name()).collect();
    let mut unused = Vec::new();
    for (name, value) in facts.as_context().into_iter().flatten() {
        collect_unused(name, value, &inputs, &mut unused);
    }
    let named = |all: &[&str]| {
        let more = all.len().saturating_sub(MAX_NAMED);
        let mut text = all[..all.len() - more].join(", ");
        if more > 0 {
            text.push_str(&format!(" and {more} more"));
        }
        text
    };
    for path in unused.iter().take(MAX_NAMED) {
        let inputs = match inputs.as_slice() {
            [] => "it has none".to_owned(),
            inputs => format!("those are {}", named(inputs)),
        };
        let note = format!("--facts: `{path}` belongs to no input of the file, {inputs}");
        eprintln!("note: {}", output::escape::text(&note));
    }
    let more = unused.len().saturating_sub(MAX_NAMED);
    if more > 0 {
        eprintln!("note: --facts: {more} more belong to no input of the file");
    }
}

/// The paths of facts that are no input, nor part of one, nor hold one.
fn collect_unused(path: &str, value: &Value, inputs: &[&str], unused: &mut Vec<String>) {
    let leads = |path: &str, to: &str| {
        let rest = path.strip_prefix(to);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if inputs.iter().any(|input| leads(path, input)) {
        return;
    }
    if !inputs.iter().any(|input| leads(input, path)) {
        return unused.push(path.to_owned());
    }
    for (name, value) in value.as_context().into_iter().flatten() {
        collect_unused(&format!("{path}.{name}"), value, inputs, unused);
    }
}

/// The decision that is asked for: the only one, where none is named.
pub(super) fn chosen(model: &Model, wanted: Option<&str>) -> Result<String, Failure> {
    let names: Vec<_> = model.decisions().iter().map(|d| d.name()).collect();
    match (wanted, names.as_slice()) {
        (Some(wanted), names) if names.contains(&wanted) => Ok(wanted.to_owned()),
        (None, [only]) => Ok((*only).to_owned()),
        (Some(wanted), names) => Err(Failure::usage(format!(
            "`{wanted}` is no decision of this file, those are: {}",
            names.join(", ")
        ))),
        (None, []) => Err(Failure::usage("the file holds no decision")),
        (None, names) => Err(Failure::usage(format!(
            "the file holds several decisions, name one with --decision: {}",
            names.join(", ")
        ))),
    }
}

fn document(conclusion: &Conclusion, args: &Eval) -> Value {
    let mut entries = BTreeMap::new();
    let result = conclusion.value.clone().unwrap_or(Value::Null);
    entries.insert("result".to_owned(), result);
    if args.unknown {
        let settled = conclusion.value.is_some();
        entries.insert("settled".to_owned(), Value::Boolean(settled));
        entries.insert("unknown_facts".to_owned(), texts(&conclusion.unknown));
    }
    if !conclusion.problems.is_empty() {
        let problems = conclusion.problems.iter().map(ToString::to_string);
        entries.insert("problems".to_owned(), texts(&problems.collect::<Vec<_>>()));
    }
    if args.trace {
        let traces = conclusion.traces.iter().map(trace).collect();
        entries.insert("trace".to_owned(), Value::List(traces));
    }
    Value::Context(entries)
}

fn texts(texts: &[String]) -> Value {
    Value::List(
        texts
            .iter()
            .map(|text| Value::from(text.as_str()))
            .collect(),
    )
}

fn trace(trace: &Trace) -> Value {
    let rows = trace.rows.iter().map(|row| {
        Value::Context(BTreeMap::from([
            ("row".to_owned(), Value::from(row.row.as_str())),
            ("matched".to_owned(), Value::from(met(row))),
            ("failed_inputs".to_owned(), texts(&row.failed)),
            ("unknown_inputs".to_owned(), texts(&row.unknown)),
        ]))
    });
    let result = trace.value.clone().unwrap_or(Value::Null);
    Value::Context(BTreeMap::from([
        ("decision".to_owned(), Value::from(trace.element.as_str())),
        ("result".to_owned(), result),
        ("settled".to_owned(), Value::Boolean(trace.value.is_some())),
        ("hits".to_owned(), texts(&trace.hits)),
        ("rows".to_owned(), Value::List(rows.collect())),
    ]))
}

fn met(row: &RowTrace) -> &'static str {
    match row.matched {
        Met::Yes => "yes",
        Met::No => "no",
        Met::Unknown => "unknown",
    }
}

fn text_form(conclusion: &Conclusion, args: &Eval) -> Result<(), Failure> {
    for problem in &conclusion.problems {
        eprintln!("note: {problem}");
    }
    match &conclusion.value {
        None => output::line(&format!(
            "unknown; it depends on {}",
            conclusion.unknown.join(", ")
        ))?,
        Some(Value::Context(entries)) => {
            let rows = entries.iter();
            output::table(
                ["output", "value"],
                rows.map(|(name, value)| [name.clone(), value.to_string()]),
            )?;
        }
        Some(Value::List(items)) => {
            for item in items {
                output::line(&item.to_string())?;
            }
        }
        Some(value) => output::line(&value.to_string())?,
    }
    if !args.trace {
        return Ok(());
    }
    for trace in &conclusion.traces {
        let value = trace.value.as_ref();
        let value = value.map_or_else(|| "unknown".to_owned(), ToString::to_string);
        let hits = match trace.hits.as_slice() {
            [] => String::new(),
            hits => format!(" (by {})", hits.join(", ")),
        };
        output::line(&format!("\n{}: {value}{hits}", trace.element))?;
        if !trace.rows.is_empty() {
            let rows = trace.rows.iter().map(|row| {
                [
                    row.row.clone(),
                    met(row).to_owned(),
                    row.failed.join(", "),
                    row.unknown.join(", "),
                ]
            });
            output::table(["row", "matched", "not met", "unknown"], rows)?;
        }
    }
    Ok(())
}
