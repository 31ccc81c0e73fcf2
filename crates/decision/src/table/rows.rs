//! Rows in the YAML file itself.

use std::collections::{BTreeMap, HashMap};

use super::{
    Cell, Input, Notes, OutputColumn, Row, columns::output_value, language::Language,
    names::collapsed,
};
use crate::{
    diagnostic::{Diagnostic, full},
    limits,
    sfeel::{self, Test},
    types::Type,
    value::Value,
    yaml::{Fields, Node},
};

/// What rows must fit.
pub(super) struct Shape<'t> {
    pub(super) language: &'t Language<'t>,
    pub(super) inputs: &'t [Input],
    pub(super) outputs: Option<&'t [OutputColumn]>,
    /// The names of annotations that rows may carry.
    pub(super) annotations: &'t [String],
    /// Whether rows may compute outputs.
    pub(super) computed: bool,
    /// The places of inputs by what rows call them.
    keys: HashMap<&'t str, usize>,
    /// Whether what doesn't fit its column is null when it is asked for, as DMN has it,
    /// rather than an error of the file.
    pub(super) lenient: bool,
}

impl<'t> Shape<'t> {
    pub(super) fn new(
        language: &'t Language<'t>,
        inputs: &'t [Input],
        outputs: Option<&'t [OutputColumn]>,
        annotations: &'t [String],
    ) -> Self {
        let keys = inputs.iter().enumerate();
        Self {
            language,
            inputs,
            outputs,
            annotations,
            computed: false,
            lenient: false,
            keys: keys.map(|(at, input)| (input.key.as_str(), at)).collect(),
        }
    }

    /// How many cells a row has: its inputs or its outputs, whichever are more.
    pub(super) fn width(&self) -> usize {
        self.inputs.len().max(self.outputs.map_or(0, <[_]>::len))
    }

    /// The place of an input by what rows call it.
    pub(super) fn input(&self, name: &str) -> Option<usize> {
        let exact = self.keys.get(name);
        exact
            .or_else(|| self.keys.get(collapsed(name).as_str()))
            .copied()
    }

    /// Checks one cell; the problem names it.
    pub(super) fn cell(&self, row: &str, column: usize, node: &Node) -> Result<Cell, Diagnostic> {
        let input = &self.inputs[column];
        let test = self
            .language
            .test(node, &input.ty)
            .map_err(|problem| problem.in_cell(format!("row {row}, {}", input.key)))?;
        Ok(Cell {
            test,
            mark: node.mark(),
        })
    }

    /// Checks one output; the problem names it.
    pub(super) fn output(&self, row: &str, name: &str, node: &Node) -> Result<Value, Diagnostic> {
        let in_cell = |problem: Diagnostic| problem.in_cell(format!("{row}, {name}"));
        let Some(output) = self.column(name, node).map_err(in_cell)? else {
            return output_value(node, &Type::Any).map_err(in_cell);
        };
        let value = output_value(node, &output.ty).map_err(in_cell)?;
        among(output, node, value).map_err(in_cell)
    }

    /// Whether a constant is one of its column's, or it is an error that it isn't.
    fn fits(&self, name: &str, value: &Value) -> bool {
        let column = self.outputs.into_iter().flatten().find(|c| c.name == name);
        !self.lenient || column.is_none_or(|column| is_constant_of(value, &column.ty))
    }

    /// A constant that an expression came to, as its column has it.
    fn constant(
        &self,
        row: &str,
        name: &str,
        node: &Node,
        value: Value,
    ) -> Result<Value, Diagnostic> {
        let in_cell = |problem: Diagnostic| problem.in_cell(format!("row {row}, {name}"));
        let Some(output) = self.column(name, node).map_err(in_cell)? else {
            return Ok(value);
        };
        if value == Value::Null {
            return Ok(value);
        }
        let fitted = output.ty.coerce(output.ty.measure(value));
        let fitted = fitted.map_err(|mismatch| in_cell(node.problem(mismatch.message)))?;
        among(output, node, fitted).map_err(in_cell)
    }

    /// The declaration of an output; `None` where outputs aren't declared.
    fn column(&self, name: &str, node: &Node) -> Result<Option<&OutputColumn>, Diagnostic> {
        let Some(outputs) = self.outputs else {
            return Ok(None);
        };
        let found = outputs.iter().find(|output| output.name == name);
        found.map(Some).ok_or_else(|| {
            let known = listed(outputs.iter().map(|output| output.name.as_str()));
            node.problem(format!("unknown output `{name}`, expected one of {known}"))
        })
    }

    /// Checks one computed output; the problem names it. An expression of constants is one.
    fn computed(&self, row: &str, name: &str, node: &Node) -> Result<sfeel::Node, Diagnostic> {
        let in_cell = |problem: Diagnostic| problem.in_cell(format!("row {row}, {name}"));
        let column = self.column(name, node).map_err(in_cell)?;
        let (expression, ty) = self.language.expression(node).map_err(in_cell)?;
        match column {
            Some(column) if !self.lenient && !may_be(&ty, &column.ty) => {
                let message = format!("found {ty}, but the output is {}", column.ty);
                Err(in_cell(node.problem(message)))
            }
            _ => Ok(expression),
        }
    }

    /// Outputs that every row must give, and this one doesn't.
    pub(super) fn missing(
        &self,
        given: &BTreeMap<String, Value>,
        computed: &BTreeMap<String, sfeel::Node>,
    ) -> Option<String> {
        let required = self.outputs?.iter().filter(|output| output.required);
        let missing: Vec<_> = required
            .map(|output| output.name.as_str())
            .filter(|name| !given.contains_key(*name) && !computed.contains_key(*name))
            .collect();
        (!missing.is_empty()).then(|| format!("output `{}` is missing", missing.join("`, `")))
    }
}

/// A value that its column lists, where that lists any.
fn among(output: &OutputColumn, node: &Node, value: Value) -> Result<Value, Diagnostic> {
    if output.values.is_empty() || output.values.contains(&value) {
        return Ok(value);
    }
    let known: Vec<String> = output
        .values
        .iter()
        .take(64)
        .map(Value::to_string)
        .collect();
    let known = listed(known.iter().map(String::as_str));
    Err(node.problem(format!("found `{value}`, expected one of {known}")))
}

/// Whether FEEL's constant stands for a value of a type: a text is none of a date.
fn is_constant_of(value: &Value, ty: &Type) -> bool {
    let texts = matches!(
        ty,
        Type::Any | Type::String { .. } | Type::Money { .. } | Type::Quantity { .. }
    );
    let fits = || ty.coerce(ty.measure(value.clone())).is_ok();
    (texts || !matches!(value, Value::String(_))) && fits()
}

/// Whether values of one type can be values of another.
fn may_be(found: &Type, wanted: &Type) -> bool {
    let context = |ty: &Type| matches!(ty, Type::Context | Type::Structure(_));
    match (found, wanted) {
        (Type::Any, _) | (_, Type::Any) | (Type::DateTime, Type::AnyDateTime) => true,
        (found, wanted) if context(found) => context(wanted),
        // FEEL has no constants of these: a column of the type reads their texts.
        (Type::String { .. } | Type::Number { .. }, Type::Money { .. } | Type::Quantity { .. }) => {
            true
        }
        _ => std::mem::discriminant(found) == std::mem::discriminant(wanted),
    }
}

/// The names of what there is, as far as a message has room for them.
fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut all = String::new();
    for name in names {
        if all.len() > 256 {
            all.push_str(", …");
            break;
        }
        all.push_str(if all.is_empty() { "" } else { ", " });
        all.push_str(name);
    }
    all
}

pub(super) fn take_rows(
    node: &Node,
    shape: &Shape<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Row> {
    let items = node.items(problems, "a sequence of rows");
    let (count, width) = (items.len(), shape.width());
    if count > limits::ROWS || count * width > limits::CELLS {
        let (rows, cells) = (limits::ROWS, limits::CELLS);
        let message = format!(
            "found {count} rows of {width} cells, at most {rows} rows and {cells} cells are allowed"
        );
        problems.push(node.problem(message));
        return Vec::new();
    }
    let mut rows = Vec::with_capacity(items.len());
    for item in items {
        if full(problems) {
            break;
        }
        rows.extend(take_row(item, shape, problems));
    }
    rows
}

fn take_row(item: &Node, shape: &Shape<'_>, problems: &mut Vec<Diagnostic>) -> Option<Row> {
    let mut fields = Fields::new(item)
        .map_err(|problem| problems.push(problem))
        .ok()?;
    let id_node = fields.require("id", problems)?;
    let id = row_id(id_node, problems)?;
    let when = fields.take("when");
    let compute = fields.take("compute");
    let then = match compute {
        Some(_) => fields.take("then"),
        None => fields.require("then", problems),
    };
    let notes = take_notes(&mut fields, &id, shape, problems);
    fields.finish(problems);
    let cells = take_cells(item, when, &id, shape, problems);
    let outputs = match then {
        Some(then) => take_outputs(then, &format!("row {id}"), shape, problems),
        None => BTreeMap::new(),
    };
    let mut outputs = outputs;
    let computed = match compute {
        Some(compute) => take_computed(compute, &mut outputs, &id, shape, problems),
        None => BTreeMap::new(),
    };
    let place = then.or(compute)?;
    if let Some(missing) = shape.missing(&outputs, &computed) {
        problems.push(place.problem(missing).in_cell(format!("row {id}")));
    }
    Some(Row {
        id,
        cells,
        outputs,
        computed,
        notes,
        mark: item.mark(),
    })
}

fn take_notes(
    fields: &mut Fields<'_>,
    id: &str,
    shape: &Shape<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Box<Notes>> {
    let description = fields.note("description", problems);
    let mut annotations = BTreeMap::new();
    if let Some(node) = fields.take("annotations") {
        for (key, text) in entries(node, problems) {
            let name = key.as_str().unwrap_or_default();
            if !shape.annotations.iter().any(|known| known == name) {
                let message = format!("annotation `{name}` isn't declared by the table");
                problems.push(key.problem(message).in_cell(format!("row {id}")));
            } else if let Some(text) = text.text(problems, "a text").map(str::trim)
                && !text.is_empty()
            {
                annotations.insert(name.to_owned(), text.to_owned());
            }
        }
    }
    (description.is_some() || !annotations.is_empty()).then(|| {
        Box::new(Notes {
            description,
            annotations,
        })
    })
}

/// The entries of a mapping; a problem where the node is none.
fn entries<'n>(node: &'n Node, problems: &mut Vec<Diagnostic>) -> &'n [(Node, Node)] {
    node.as_mapping().unwrap_or_else(|| {
        problems.push(node.problem(format!("found {}, expected a mapping", node.describe())));
        &[]
    })
}

fn take_computed(
    node: &Node,
    constant: &mut BTreeMap<String, Value>,
    id: &str,
    shape: &Shape<'_>,
    problems: &mut Vec<Diagnostic>,
) -> BTreeMap<String, sfeel::Node> {
    let mut computed = BTreeMap::new();
    if !shape.computed {
        problems.push(node.problem("outputs are constants here, none is computed"));
        return computed;
    }
    for (key, value) in entries(node, problems) {
        let name = key.as_str().unwrap_or_default();
        if constant.contains_key(name) {
            let message = format!("output `{name}` stands under `then` already");
            problems.push(key.problem(message).in_cell(format!("row {id}")));
            continue;
        }
        let found = shape.computed(id, name, value).and_then(|expression| {
            match expression.literal().cloned() {
                Some(literal) if shape.fits(name, &literal) => {
                    let literal = shape.constant(id, name, value, literal)?;
                    constant.insert(name.to_owned(), literal);
                }
                _ => _ = computed.insert(name.to_owned(), expression),
            }
            Ok(())
        });
        problems.extend(found.err());
    }
    computed
}

/// Whether a text can be a row's id: letters, digits and `_ - . : /`.
pub(crate) fn is_row_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= limits::NAME_BYTES
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/'))
}

/// A row's id, stable since waivers name it.
pub(super) fn row_id(node: &Node, problems: &mut Vec<Diagnostic>) -> Option<String> {
    let text = node.text(problems, "a row id")?;
    if !is_row_id(text) {
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
        if full(problems) {
            break;
        }
        let Some(column) = shape.input(name) else {
            let known = listed(shape.inputs.iter().map(|input| input.key.as_str()));
            let message = format!("unknown input `{name}`, expected one of {known}");
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
