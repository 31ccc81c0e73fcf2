//! Rows in a CSV file beside the YAML one (RFC 4180): `id`, inputs and outputs by name.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Cell, Notes, Row,
    names::collapsed,
    rows::{Shape, row_id},
};
use crate::{
    diagnostic::{Diagnostic, Mark, full},
    limits,
    sfeel::Test,
    value::Value,
    yaml::{self, Kind, Node, Style},
};

/// What a column of the file holds.
enum Column {
    Id,
    Input(usize),
    Output(String),
    Description,
    Annotation(String),
}

pub(super) fn take_rows(
    node: &Node,
    shape: &Shape<'_>,
    loader: &super::Loader<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Row> {
    let Some(file) = node.text(problems, "the name of a CSV file beside this one") else {
        return Vec::new();
    };
    if !is_bare_name(file) {
        problems.push(node.problem(format!("`{file}` is no bare file name")));
        return Vec::new();
    }
    let text = match loader(file) {
        Ok(text) if text.len() <= limits::TEXT_BYTES => text,
        Ok(_) => {
            problems.push(node.problem(format!(
                "`{file}` is longer than {} bytes",
                limits::TEXT_BYTES
            )));
            return Vec::new();
        }
        Err(reason) => {
            problems.push(node.problem(format!("can't read `{file}`: {reason}")));
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    let rows = read(text.trim_start_matches('\u{feff}'), shape, &mut found);
    problems.extend(found.into_iter().map(|problem| problem.in_file(file)));
    rows
}

/// Whether a text names a file in the same folder.
pub(crate) fn is_bare_name(file: &str) -> bool {
    !file.is_empty()
        && !file.contains(['/', '\\', '\0'])
        && !file.starts_with('.')
        && file.len() <= limits::NAME_BYTES
}

fn read(text: &str, shape: &Shape<'_>, problems: &mut Vec<Diagnostic>) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(false)
        .from_reader(text.as_bytes());
    let mut columns: Option<Vec<Column>> = None;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(1, csv::Position::line);
                let mark = Mark {
                    line: usize::try_from(line).unwrap_or(usize::MAX),
                    column: 1,
                };
                problems.push(Diagnostic::new(mark, describe(error.kind())));
                break;
            }
        };
        let places = Places::new(text, &record);
        match &columns {
            None => columns = header(&record, &places, shape, problems),
            Some(columns) => rows.extend(row(&record, &places, columns, shape, problems)),
        }
        if columns.is_none() || full(problems) {
            break;
        }
        if rows.len() > limits::ROWS || rows.len() * shape.width() > limits::CELLS {
            let message = format!("more than {} rows or {} cells", limits::ROWS, limits::CELLS);
            problems.push(Diagnostic::new(places.of(0), message));
            break;
        }
    }
    if columns.is_none() && problems.is_empty() {
        problems.push(Diagnostic::new(
            Mark::START,
            "found nothing, expected a line of column names",
        ));
    }
    rows
}

fn describe(kind: &csv::ErrorKind) -> String {
    match kind {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("found {len} fields, expected {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "the text is no UTF-8".to_owned(),
        _ => "malformed CSV".to_owned(),
    }
}

fn header(
    record: &csv::StringRecord,
    places: &Places,
    shape: &Shape<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Vec<Column>> {
    let before = problems.len();
    let mut columns = Vec::new();
    let given = shape.outputs.map_or(limits::COLUMNS, <[_]>::len);
    let most = 2 + shape.inputs.len() + given + shape.annotations.len();
    if record.len() > most {
        let message = format!(
            "found {} columns, at most {most} are asked for",
            record.len()
        );
        problems.push(Diagnostic::new(places.of(0), message));
        return None;
    }
    let mut names = BTreeSet::new();
    for (index, name) in record.iter().enumerate() {
        let name = &collapsed(name);
        let input = shape.input(name);
        let output = shape
            .outputs
            .map(|outputs| outputs.iter().any(|output| output.name == *name));
        let problem = match (name.as_str(), input, output) {
            _ if !names.insert(name.clone()) => "stands twice",
            ("", ..) => "has no name",
            ("id", ..) => {
                columns.push(Column::Id);
                continue;
            }
            (_, None, None | Some(false)) if shape.annotations.iter().any(|a| a == name) => {
                columns.push(Column::Annotation(name.to_owned()));
                continue;
            }
            // Where outputs aren't declared, it is one of them.
            ("description", None, Some(false)) => {
                columns.push(Column::Description);
                continue;
            }
            (_, Some(_), Some(true)) => "is the name of an input and of an output",
            (_, Some(input), _) => {
                columns.push(Column::Input(input));
                continue;
            }
            // Where outputs aren't declared, every other column is one.
            (_, None, Some(true) | None) => {
                columns.push(Column::Output(name.to_owned()));
                continue;
            }
            _ => "is neither `id`, an input, an output nor an annotation",
        };
        problems.push(Diagnostic::new(
            places.of(index),
            format!("column `{name}` {problem}"),
        ));
    }
    if !columns.iter().any(|column| matches!(column, Column::Id)) {
        problems.push(Diagnostic::new(places.of(0), "column `id` is missing"));
    }
    (problems.len() == before).then_some(columns)
}

fn row(
    record: &csv::StringRecord,
    places: &Places,
    columns: &[Column],
    shape: &Shape<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Row> {
    let id_column = columns
        .iter()
        .position(|column| matches!(column, Column::Id))?;
    let start = places.of(0);
    let id_text = record.get(id_column).unwrap_or_default().trim().to_owned();
    let id_node = Node::new(places.of(id_column), Kind::Scalar(id_text, Style::Quoted));
    let id = row_id(&id_node, problems)?;
    let absent = Cell {
        test: Test::Any,
        mark: start,
    };
    let mut cells = vec![absent; shape.inputs.len()];
    let mut outputs: BTreeMap<String, Value> = BTreeMap::new();
    let mut notes = Notes::default();
    for (index, (column, field)) in columns.iter().zip(record).enumerate() {
        let field = field.trim();
        // An empty field asks nothing and says nothing.
        if field.is_empty() {
            continue;
        }
        let mark = places.of(index);
        match column {
            Column::Id => {}
            Column::Description => notes.description = Some(field.to_owned()),
            Column::Annotation(name) => {
                notes.annotations.insert(name.clone(), field.to_owned());
            }
            Column::Input(input) => {
                let node = Node::new(mark, Kind::Scalar(field.to_owned(), Style::Plain));
                match shape.cell(&id, *input, &node) {
                    Ok(cell) => cells[*input] = cell,
                    Err(problem) => problems.push(problem),
                }
            }
            Column::Output(name) => {
                let value = output_node(field, mark)
                    .and_then(|node| shape.output(&format!("row {id}"), name, &node));
                match value {
                    Ok(value) => {
                        outputs.insert(name.clone(), value);
                    }
                    Err(problem) => problems.push(problem),
                }
            }
        }
    }
    if let Some(missing) = shape.missing(&outputs, &BTreeMap::new()) {
        problems.push(Diagnostic::new(start, missing).in_cell(format!("row {id}")));
    }
    Some(Row {
        id,
        cells,
        outputs,
        computed: BTreeMap::new(),
        notes: (notes != Notes::default()).then(|| Box::new(notes)),
        mark: start,
    })
}

/// An output field: a list or mapping in YAML's flow form, or a bare scalar.
fn output_node(field: &str, mark: Mark) -> Result<Node, Diagnostic> {
    if !field.starts_with(['[', '{']) {
        return Ok(Node::new(
            mark,
            Kind::Scalar(field.to_owned(), Style::Plain),
        ));
    }
    let nodes = yaml::parse(field).map_err(|problem| Diagnostic { mark, ..problem })?;
    match nodes.into_iter().next() {
        Some(node) => Ok(Node::new(mark, node.kind().clone())),
        None => Err(Diagnostic::new(mark, "found nothing, expected a value")),
    }
}

/// Where the fields of one record begin.
struct Places(Vec<Mark>);

impl Places {
    fn new(text: &str, record: &csv::StringRecord) -> Self {
        let (start, line) = record.position().map_or((0, 1), |position| {
            (
                usize::try_from(position.byte()).unwrap_or(usize::MAX),
                usize::try_from(position.line()).unwrap_or(usize::MAX),
            )
        });
        let mut mark = Mark { line, column: 1 };
        let mut marks = vec![mark];
        let mut quoted = false;
        for c in text.get(start..).unwrap_or_default().chars() {
            if marks.len() == record.len() {
                break;
            }
            mark = if c == '\n' {
                Mark {
                    line: mark.line + 1,
                    column: 1,
                }
            } else {
                mark.right(1)
            };
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => marks.push(mark),
                _ => {}
            }
        }
        Self(marks)
    }

    fn of(&self, field: usize) -> Mark {
        self.0
            .get(field)
            .or(self.0.last())
            .copied()
            .unwrap_or(Mark::START)
    }
}
