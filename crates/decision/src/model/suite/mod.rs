//! Tests of tables and models that stand by themselves: facts, and what must come out.
//!
//! A file of `kind: TableTest` stands beside the table or model that it names.

mod facts;
mod read;

use std::collections::{BTreeMap, BTreeSet};

use super::{Conclusion, Detail, Model, Options, Trace};
use crate::{diagnostic::Mark, types::Type, value::Value};

/// The kind of document that holds tests.
pub const KIND: &str = "TableTest";

/// The tests of one document.
#[derive(Debug, Clone)]
pub struct Suite {
    name: String,
    file: String,
    file_mark: Mark,
    options: Options,
    cases: Vec<Case>,
}

/// One test.
#[derive(Debug, Clone)]
struct Case {
    name: String,
    line: usize,
    /// The decision that it asks for; `None`: the only one.
    decision: Option<String>,
    /// What is known, by path.
    facts: BTreeMap<String, Value>,
    expected: Expected,
}

/// What must come out of a test.
#[derive(Debug, Clone)]
struct Expected {
    /// The result; `None`: not looked at, or unknown.
    result: Option<Value>,
    /// The unknown facts that it depends on.
    unknown: BTreeSet<String>,
    /// The rows that answer; `None`: not looked at.
    rows: Option<Rows>,
}

/// Rows that answer.
#[derive(Debug, Clone)]
enum Rows {
    /// Of the table that the decision is.
    Own(Vec<String>),
    /// Of tables by their paths.
    Of(BTreeMap<String, Vec<String>>),
}

/// What became of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult {
    /// Its name.
    pub name: String,
    /// Its line in the document.
    pub line: usize,
    /// What came out otherwise than expected; empty: it passed.
    pub failures: Vec<String>,
    /// The rows that answered, by table: those that a result is made of which is known.
    pub reached: Vec<(String, String)>,
}

impl Suite {
    /// Its name; empty where it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file of the table or model, beside this one.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Where the file is named.
    #[must_use]
    pub fn file_mark(&self) -> Mark {
        self.file_mark
    }

    /// Runs all tests, in order.
    #[must_use]
    pub fn run(&self, model: &Model) -> Vec<CaseResult> {
        self.cases
            .iter()
            .map(|case| self.one(model, case))
            .collect()
    }

    fn one(&self, model: &Model, case: &Case) -> CaseResult {
        let mut result = CaseResult {
            name: case.name.clone(),
            line: case.line,
            failures: Vec::new(),
            reached: Vec::new(),
        };
        let asked = case.decision(model).and_then(|decision| {
            let facts = facts::nested(model, &case.facts)?;
            let options = self.options.telling(Detail::Hits);
            let conclusion = model.evaluate(&decision, &facts, &options);
            let missing = || format!("`{decision}` is no decision of the file");
            conclusion
                .map(|found| (decision.clone(), found))
                .ok_or_else(missing)
        });
        match asked {
            Err(failure) => result.failures.push(failure),
            Ok((decision, conclusion)) => {
                result.failures = case.expected.compare(&decision, &conclusion);
                if let Some(slip) = slip(model, &conclusion) {
                    result.failures.push(slip);
                }
                if conclusion.value.is_some() {
                    let hits = conclusion.traces.iter().flat_map(|trace| {
                        let table = trace.table.clone().unwrap_or_default();
                        trace
                            .hits
                            .iter()
                            .map(move |row| (table.clone(), row.clone()))
                    });
                    result.reached = hits.collect();
                }
            }
        }
        result
    }
}

impl Case {
    fn decision(&self, model: &Model) -> Result<String, String> {
        match (&self.decision, model.decisions()) {
            (Some(name), _) => Ok(name.clone()),
            (None, [only]) => Ok(only.name.clone()),
            (None, all) => {
                let names: Vec<_> = all.iter().map(|decision| decision.name.as_str()).collect();
                let names = names.join(", ");
                Err(format!(
                    "`decision` doesn't say which: the file holds {names}"
                ))
            }
        }
    }
}

/// A fact that isn't of its type is a slip of the test, never its point.
fn slip(model: &Model, conclusion: &Conclusion) -> Option<String> {
    let of_input = |element: &str| model.inputs.iter().any(|input| input.name == element);
    let mut problems = conclusion.problems.iter();
    let problem = problems.find(|problem| of_input(&problem.element))?;
    Some(format!("fact {problem}"))
}

impl Expected {
    fn compare(&self, decision: &str, found: &Conclusion) -> Vec<String> {
        let mut failures = Vec::new();
        let text = |value: Option<&Value>| value.map_or_else(|| "unknown".to_owned(), written);
        match (&self.result, &found.value) {
            (Some(wanted), Some(value)) if same(wanted, value) => {}
            (None, None) => {}
            // Only rows are looked at.
            (None, Some(_)) if self.unknown.is_empty() => {}
            (wanted, value) => {
                let mut failure = format!(
                    "result: found {}, expected {}",
                    text(value.as_ref()),
                    text(wanted.as_ref())
                );
                if let Some(problem) = found.problems.first() {
                    failure.push_str(&format!(" ({problem})"));
                }
                failures.push(failure);
            }
        }
        let unknown: BTreeSet<String> = found.unknown.iter().cloned().collect();
        let mut check = |what: &str, wanted: String, found: String| {
            if wanted != found {
                failures.push(format!("{what}: found {found}, expected {wanted}"));
            }
        };
        check("unknown_facts", listed(&self.unknown), listed(&unknown));
        match &self.rows {
            None => {}
            Some(Rows::Own(rows)) => {
                let hits = hits_of(&found.traces, decision);
                check("rows", listed(rows), listed(&hits));
            }
            Some(Rows::Of(tables)) => {
                for (table, rows) in tables {
                    let hits = hits_of(&found.traces, table);
                    check(&format!("rows of {table}"), listed(rows), listed(&hits));
                }
            }
        }
        failures
    }
}

/// The rows of a table that answered, however often it was asked.
fn hits_of(traces: &[Trace], table: &str) -> Vec<String> {
    let of_table = traces
        .iter()
        .filter(|trace| trace.table.as_deref() == Some(table));
    of_table
        .flat_map(|trace| trace.hits.iter().cloned())
        .collect()
}

fn listed<'t>(texts: impl IntoIterator<Item = &'t String>) -> String {
    let texts: Vec<_> = texts.into_iter().map(String::as_str).collect();
    format!("[{}]", texts.join(", "))
}

/// A value as people compare it: at most so much of it as a line holds.
fn written(value: &Value) -> String {
    let text = crate::json::write(value);
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Whether a value is the one that a test wrote down: money, dates and the like as texts.
fn same(wanted: &Value, found: &Value) -> bool {
    let ty = match found {
        Value::Money { .. } => Type::Money { currency: None },
        Value::Quantity { unit, .. } => Type::Quantity { unit: unit.clone() },
        Value::Date(_) => Type::Date,
        Value::DateTime(_) | Value::LocalDateTime(_) => Type::AnyDateTime,
        Value::Time(_) => Type::Time,
        Value::DaysDuration(_) => Type::DaysDuration,
        Value::MonthsDuration(_) => Type::MonthsDuration,
        _ => Type::Any,
    };
    match (wanted, found) {
        (Value::List(wanted), Value::List(found)) => {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(a, b)| same(a, b))
        }
        (Value::Context(wanted), Value::Context(found)) => {
            wanted.len() == found.len()
                && wanted
                    .iter()
                    .all(|(name, value)| found.get(name).is_some_and(|found| same(value, found)))
        }
        (Value::Null, found) => *found == Value::Null,
        (wanted, found) => ty
            .coerce(wanted.clone())
            .is_ok_and(|wanted| wanted == *found),
    }
}
