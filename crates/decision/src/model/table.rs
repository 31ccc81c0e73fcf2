//! Tables within models: their outputs may be computed, and what they read may be anything
//! that a model holds.

use std::collections::BTreeMap;

use super::{
    Declaration, Detail, RowTrace,
    evaluate::{Known, Run},
};
use crate::{
    evaluate::{LiveRow, Output, add, extreme, rows_at},
    number::Number,
    sfeel::{Comparison, Failure, Met, Scope, Test, calculate, meets},
    table::{Aggregator, HitPolicy, Row, Table, collects},
    value::{Facts, Value},
};

/// The rows that match, and those of which it isn't known.
#[derive(Default)]
struct Matching {
    sure: Vec<usize>,
    maybe: Vec<usize>,
}

/// The outputs of a row by name; `None` where one is unknown.
type Outputs = Option<BTreeMap<String, Value>>;

/// What a table comes to, and the rows that it is made of.
type Answered = Result<(Option<Value>, Vec<usize>), Failure>;

impl<'m> Run<'m> {
    /// What a table comes to: a value where it has one output, a context where it has
    /// several, a list where the hit policy collects.
    pub(super) fn table(&self, table: &'m Table, scope: &Scope<'_>, element: &str) -> Known {
        let told = self.detail > Detail::Result;
        let Some(values) = self.inputs(table, scope, element)? else {
            if told {
                self.trace_table(element, table, Some(&Value::Null), &[], Vec::new());
            }
            return Ok(Some(Value::Null));
        };
        let matching = self.matching(table, &values, scope)?;
        let (value, hits) = if matching.maybe.is_empty() {
            self.answer(table, matching.sure, scope, element)?
        } else {
            self.open(table, &matching, scope, element)?
        };
        if told {
            let rows = table.rows.iter().filter(|_| self.detail == Detail::Rows);
            let rows = rows.map(|row| row_trace(table, row, &values, scope));
            let rows = rows.collect::<Result<_, _>>()?;
            self.trace_table(element, table, value.as_ref(), &hits, rows);
        }
        Ok(value)
    }

    fn matching(
        &self,
        table: &Table,
        values: &[Option<Value>],
        scope: &Scope<'_>,
    ) -> Result<Matching, Failure> {
        #[cfg(any(test, feature = "twin"))]
        if self.naive {
            return tried(table, values, scope);
        }
        let (rows, looked_at) = rows_at(table, values, scope);
        self.work((table.rows.len() / 64 + looked_at) / 16)?;
        sorted_out(rows)
    }

    /// The values of the inputs; `None` where one isn't allowed.
    fn inputs(
        &self,
        table: &Table,
        scope: &Scope<'_>,
        element: &str,
    ) -> Result<Option<Vec<Option<Value>>>, Failure> {
        let mut values = Vec::with_capacity(table.inputs.len());
        for input in &table.inputs {
            let value = calculate(&input.expression, scope)?;
            if let Some(value) = value.as_ref().filter(|value| **value != Value::Null)
                && meets(&input.allowed, value, scope)? == Met::No
            {
                let message = format!(
                    "input `{}` is `{value}`, allowed are {}",
                    input.key, input.allowed
                );
                self.problem(element, message);
                return Ok(None);
            }
            values.push(value);
        }
        Ok(Some(values))
    }

    /// The answer where exactly these rows match, and the rows it is made of.
    fn answer(
        &self,
        table: &'m Table,
        mut rows: Vec<usize>,
        scope: &Scope<'_>,
        element: &str,
    ) -> Answered {
        if rows.is_empty() {
            return Ok((Some(no_hit(table)), rows));
        }
        if table.hit_policy == HitPolicy::First {
            rows.truncate(1);
        }
        if table.hit_policy == HitPolicy::Unique && rows.len() > 1 {
            return Ok(self.conflict(table, &rows, element));
        }
        let found = rows.iter().filter_map(|&row| table.rows.get(row));
        let outputs = found.map(|row| self.outputs(table, row, scope, element));
        let outputs: Vec<Outputs> = outputs.collect::<Result<_, _>>()?;
        let Some(outputs) = outputs.into_iter().collect::<Option<Vec<_>>>() else {
            return Ok((None, Vec::new()));
        };
        let mut found: Vec<_> = outputs.into_iter().zip(rows).collect();
        match table.hit_policy {
            HitPolicy::Any if found.windows(2).any(|pair| pair[0].0 != pair[1].0) => {
                let rows: Vec<usize> = found.into_iter().map(|(_, row)| row).collect();
                return Ok(self.conflict(table, &rows, element));
            }
            HitPolicy::Priority | HitPolicy::OutputOrder => {
                found.sort_by_key(|(outputs, _)| rank(table, outputs));
            }
            _ => {}
        }
        if table.hit_policy == HitPolicy::Priority {
            found.truncate(1);
        }
        let (outputs, rows): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        if let HitPolicy::Collect(Some(aggregator)) = table.hit_policy {
            let value = self.aggregate(aggregator, table, &outputs, element);
            return Ok((Some(value), rows));
        }
        let mut values = outputs.into_iter().map(|outputs| shaped(table, outputs));
        let value = match table.hit_policy {
            policy if collects(policy) => Value::List(values.collect()),
            _ => values.next().unwrap_or(Value::Null),
        };
        Ok((Some(value), rows))
    }

    /// The answer where some rows may match or not: known only if it is the same anyhow.
    fn open(
        &self,
        table: &'m Table,
        matching: &Matching,
        scope: &Scope<'_>,
        element: &str,
    ) -> Answered {
        let first = [&matching.sure, &matching.maybe].map(|rows| rows.first().copied());
        if let (HitPolicy::First, [Some(sure), Some(maybe)]) = (table.hit_policy, first)
            && sure < maybe
        {
            return self.answer(table, vec![sure], scope, element);
        }
        let nobody = Vec::new();
        if table.computes() || calls_anything(table) {
            return Ok((None, nobody));
        }
        let facts = table.facts();
        let facts = facts.filter_map(|(name, _)| Some((name.to_owned(), scope.get(name)?)));
        let facts: Facts = facts.collect();
        let value = match table.answer(&facts).outputs.as_slice() {
            [Output::One(outputs)] => Some(shaped(table, outputs.clone())),
            [Output::Many(all)] => {
                let all = all.iter().map(|outputs| shaped(table, outputs.clone()));
                Some(Value::List(all.collect()))
            }
            [Output::None] => Some(no_hit(table)),
            _ => None,
        };
        Ok((value, nobody))
    }

    fn conflict(
        &self,
        table: &'m Table,
        rows: &[usize],
        element: &str,
    ) -> (Option<Value>, Vec<usize>) {
        let matching = || rows.iter().filter_map(|&row| table.rows.get(row));
        let ids: Vec<_> = matching().take(5).map(|row| row.id.as_str()).collect();
        let given = |row: &'m Row| (&row.outputs, &row.computed);
        let mut others = matching().map(given);
        let first = others.next();
        let alike = others.all(|other| Some(other) == first);
        let what = match alike && table.hit_policy == HitPolicy::Unique {
            true => "under UNIQUE",
            false => "and differ",
        };
        self.problem(
            element,
            format!("rows {} match together {what}", ids.join(", ")),
        );
        (Some(Value::Null), Vec::new())
    }

    fn outputs(
        &self,
        table: &Table,
        row: &Row,
        scope: &Scope<'_>,
        element: &str,
    ) -> Result<Outputs, Failure> {
        let mut outputs = row.outputs.clone();
        for (name, expression) in &row.computed {
            let Some(value) = calculate(expression, scope)? else {
                return Ok(None);
            };
            let column = table.outputs.iter().find(|column| column.name == *name);
            let declared = column.map_or_else(Declaration::any, |column| {
                Declaration::basic(column.ty.clone())
            });
            let value = self.settled(Ok(Some(value)), &declared, element);
            outputs.insert(name.clone(), value.unwrap_or(Value::Null));
        }
        Ok(Some(outputs))
    }

    fn aggregate(
        &self,
        aggregator: Aggregator,
        table: &Table,
        outputs: &[BTreeMap<String, Value>],
        element: &str,
    ) -> Value {
        let name = table.outputs.first().map(|column| column.name.as_str());
        let mut values = outputs.iter().filter_map(|outputs| outputs.get(name?));
        match aggregator {
            Aggregator::Count => Value::Number(Number::from(
                u64::try_from(outputs.len()).unwrap_or(u64::MAX),
            )),
            Aggregator::Min => extreme(values, Comparison::Less).unwrap_or(Value::Null),
            Aggregator::Max => extreme(values, Comparison::Greater).unwrap_or(Value::Null),
            Aggregator::Sum => {
                let Some(first) = values.next().cloned() else {
                    return Value::Null;
                };
                let sum = values.try_fold(first, |sum, value| add(&sum, value));
                sum.unwrap_or_else(|message| {
                    self.problem(element, message);
                    Value::Null
                })
            }
        }
    }
}

fn sorted_out(rows: Vec<LiveRow>) -> Result<Matching, Failure> {
    let mut found = Matching::default();
    for live in rows {
        match live.failure {
            Some(failure) => return Err(failure),
            None if live.open.is_empty() => found.sure.push(live.row),
            None => found.maybe.push(live.row),
        }
    }
    Ok(found)
}

/// The rows by trying each: what the index must agree with.
#[cfg(any(test, feature = "twin"))]
fn tried(table: &Table, values: &[Option<Value>], scope: &Scope<'_>) -> Result<Matching, Failure> {
    let mut found = Matching::default();
    for (index, row) in table.rows.iter().enumerate() {
        let mut matched = Met::Yes;
        for (cell, value) in row.cells.iter().zip(values) {
            matched = matched.min(cell_met(&cell.test, value.as_ref(), scope)?);
            if matched == Met::No {
                break;
            }
        }
        match matched {
            Met::Yes => found.sure.push(index),
            Met::Unknown => found.maybe.push(index),
            Met::No => {}
        }
    }
    Ok(found)
}

fn cell_met(test: &Test, value: Option<&Value>, scope: &Scope<'_>) -> Result<Met, Failure> {
    match (test, value) {
        (Test::Any, _) => Ok(Met::Yes),
        (_, None) => Ok(Met::Unknown),
        (test, Some(value)) => meets(test, value, scope),
    }
}

fn row_trace(
    table: &Table,
    row: &Row,
    values: &[Option<Value>],
    scope: &Scope<'_>,
) -> Result<RowTrace, Failure> {
    let mut trace = RowTrace {
        row: row.id.clone(),
        matched: Met::Yes,
        failed: Vec::new(),
        unknown: Vec::new(),
    };
    for ((cell, value), input) in row.cells.iter().zip(values).zip(&table.inputs) {
        let met = cell_met(&cell.test, value.as_ref(), scope)?;
        match met {
            Met::Yes => {}
            Met::No => trace.failed.push(input.key.clone()),
            Met::Unknown => trace.unknown.push(input.key.clone()),
        }
        trace.matched = trace.matched.min(met);
    }
    Ok(trace)
}

fn no_hit(table: &Table) -> Value {
    match (&table.default, table.hit_policy) {
        (Some(default), _) => {
            let mut outputs = default.clone();
            for column in table.outputs.iter().filter(|column| column.required) {
                outputs.entry(column.name.clone()).or_insert(Value::Null);
            }
            let value = shaped(table, outputs);
            if collects(table.hit_policy) {
                Value::List(vec![value])
            } else {
                value
            }
        }
        (None, HitPolicy::Collect(Some(Aggregator::Count))) => Value::Number(Number::ZERO),
        // The rows that match are none, which is a list as well.
        (None, policy) if collects(policy) => Value::List(Vec::new()),
        (None, _) => Value::Null,
    }
}

/// The value itself where there is one output, all by name where there are several.
fn shaped(table: &Table, mut outputs: BTreeMap<String, Value>) -> Value {
    match table.outputs.as_slice() {
        [only] => outputs.remove(&only.name).unwrap_or(Value::Null),
        _ => Value::Context(outputs),
    }
}

/// The places of outputs among their declared values, smaller first.
fn rank(table: &Table, outputs: &BTreeMap<String, Value>) -> Vec<usize> {
    let ranked = table
        .outputs
        .iter()
        .filter(|column| !column.values.is_empty());
    ranked
        .map(|column| {
            let given = outputs.get(&column.name);
            let place = column.values.iter().position(|value| Some(value) == given);
            place.unwrap_or(usize::MAX)
        })
        .collect()
}

/// Whether a table calls functions of the model, which stand for themselves only here.
fn calls_anything(table: &Table) -> bool {
    let mut found = false;
    table.expressions(&mut |expression| super::logic::calls(expression, &mut |_| found = true));
    found
}
