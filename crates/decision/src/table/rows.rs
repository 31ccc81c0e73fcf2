//! Rows in the YAML file itself.

use std::collections::BTreeMap;

use super::{
    Cell, Input, OutputColumn, Row,
    columns::{output_value, parse_cell},
};
use crate::{
    diagnostic::Diagnostic,
    limits,
    sfeel::{Names, Test},
    types::Type,
    value::Value,
    yaml::{Fields, Node},
};

/// What rows must fit.
pub(super) struct Shape<'t> {
    pub(super) types: &'t BTreeMap<String, Type>,
    pub(super) names: &'t Names,
    pub(super) inputs: &'t [Input],
    pub(super) outputs: Option<&'t [OutputColumn]>,
}

impl Shape<'_> {
    /// Checks one cell; the problem names it.
    pub(super) fn cell(&self, row: &str, column: usize, node: &Node) -> Result<Cell, Diagnostic> {
        let input = &self.inputs[column];
        let test = parse_cell(node, &input.ty, self.types, self.names)
            .map_err(|problem| problem.in_cell(format!("row {row}, {}", input.key)))?;
        Ok(Cell {
            test,
            mark: node.mark(),
        })
    }

    /// Checks one output; the problem names it.
    pub(super) fn output(&self, row: &str, name: &str, node: &Node) -> Result<Value, Diagnostic> {
        let in_cell = |problem: Diagnostic| problem.in_cell(format!("{row}, {name}"));
        let Some(outputs) = self.outputs else {
            return output_value(node, &Type::Any).map_err(in_cell);
        };
        let Some(output) = outputs.iter().find(|output| output.name == name) else {
            let known: Vec<_> = outputs.iter().map(|output| output.name.as_str()).collect();
            let message = format!(
                "unknown output `{name}`, expected one of {}",
                known.join(", ")
            );
            return Err(in_cell(node.problem(message)));
        };
        let value = output_value(node, &output.ty).map_err(in_cell)?;
        if !output.values.is_empty() && !output.values.contains(&value) {
            let known: Vec<_> = output.values.iter().map(Value::to_string).collect();
            let message = format!("found `{value}`, expected one of {}", known.join(", "));
            return Err(in_cell(node.problem(message)));
        }
        Ok(value)
    }

    /// Outputs that every row must give, and this one doesn't.
    pub(super) fn missing(&self, given: &BTreeMap<String, Value>) -> Option<String> {
        let required = self.outputs?.iter().filter(|output| output.required);
        let missing: Vec<_> = required
            .map(|output| output.name.as_str())
            .filter(|name| !given.contains_key(*name))
            .collect();
        (!missing.is_empty()).then(|| format!("output `{}` is missing", missing.join("`, `")))
    }
}

pub(super) fn take_rows(
    node: &Node,
    shape: &Shape<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Row> {
    let items = node.items(problems, "a sequence of rows");
    if items.len() > limits::ROWS || items.len() * shape.inputs.len() > limits::CELLS {
        let message = format!(
            "found {} rows of {} inputs, at most {} rows and {} cells are allowed",
            items.len(),
            shape.inputs.len(),
            limits::ROWS,
            limits::CELLS
        );
        problems.push(node.problem(message));
        return Vec::new();
    }
    items
        .iter()
        .filter_map(|item| take_row(item, shape, problems))
        .collect()
}

fn take_row(item: &Node, shape: &Shape<'_>, problems: &mut Vec<Diagnostic>) -> Option<Row> {
    let mut fields = Fields::new(item)
        .map_err(|problem| problems.push(problem))
        .ok()?;
    let id_node = fields.require("id", problems)?;
    let id = row_id(id_node, problems)?;
    let when = fields.take("when");
    let then = fields.require("then", problems);
    fields.text("description", problems);
    fields.finish(problems);
    let cells = take_cells(item, when, &id, shape, problems);
    let outputs = take_outputs(then?, &format!("row {id}"), shape, problems);
    if let Some(missing) = shape.missing(&outputs) {
        problems.push(then?.problem(missing).in_cell(format!("row {id}")));
    }
    Some(Row {
        id,
        cells,
        outputs,
        mark: item.mark(),
    })
}

/// A row's id: text of letters, digits and `_ - . : /`, stable since waivers name it.
pub(super) fn row_id(node: &Node, problems: &mut Vec<Diagnostic>) -> Option<String> {
    let text = node.text(problems, "a row id")?;
    let fits = !text.is_empty()
        && text.len() <= limits::NAME_BYTES
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/'));
    if !fits {
        let message = format!(
            "{} is no row id: letters, digits and _-.:/ are",
            node.describe()
        );
        problems.push(node.problem(message));
        return None;
    }
    Some(text.to_owned())
}

fn take_cells(
    item: &Node,
    when: Option<&Node>,
    id: &str,
    shape: &Shape<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Cell> {
    let absent = Cell {
        test: Test::Any,
        mark: item.mark(),
    };
    let mut cells = vec![absent; shape.inputs.len()];
    let Some(when) = when.filter(|when| !when.is_null()) else {
        return cells;
    };
    let Some(entries) = when.as_mapping() else {
        problems.push(when.problem(format!("found {}, expected a mapping", when.describe())));
        return cells;
    };
    for (key, value) in entries {
        let name = key.as_str().unwrap_or_default();
        let Some(column) = shape
            .inputs
            .iter()
            .position(|input| input.key == name.trim())
        else {
            let known: Vec<_> = shape
                .inputs
                .iter()
                .map(|input| input.key.as_str())
                .collect();
            let message = format!(
                "unknown input `{name}`, expected one of {}",
                known.join(", ")
            );
            problems.push(key.problem(message).in_cell(format!("row {id}")));
            continue;
        };
        match shape.cell(id, column, value) {
            Ok(cell) => cells[column] = cell,
            Err(problem) => problems.push(problem),
        }
    }
    cells
}

fn take_outputs(
    node: &Node,
    row: &str,
    shape: &Shape<'_>,
    problems: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Value> {
    let mut outputs = BTreeMap::new();
    let Some(entries) = node.as_mapping() else {
        problems.push(node.problem(format!("found {}, expected a mapping", node.describe())));
        return outputs;
    };
    for (key, value) in entries {
        let name = key.as_str().unwrap_or_default();
        match shape.output(row, name, value) {
            Ok(value) => {
                outputs.insert(name.to_owned(), value);
            }
            Err(problem) => problems.push(problem),
        }
    }
    outputs
}

/// The outputs where no row matches.
pub(super) fn take_default(
    node: &Node,
    shape: &Shape<'_>,
    problems: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Value> {
    take_outputs(node, "default", shape, problems)
}
