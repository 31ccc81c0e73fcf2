//! Decision tables.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use roxmltree::Node as Element;

use super::{
    EXTENSIONS,
    items::Items,
    source::{Source, bare, mapping, named, scalar, sequence},
};
use crate::{
    limits,
    yaml::{Kind, Node},
};

/// The columns of a table, as its rules need them.
#[derive(Default)]
struct Columns {
    inputs: Vec<String>,
    outputs: Vec<String>,
    annotations: Vec<String>,
    keys: Taken,
    notes: Taken,
}

/// Names that are taken, and the next number behind each that was wanted more often.
#[derive(Default)]
struct Taken {
    names: HashSet<String>,
    next: HashMap<String, usize>,
}

impl Taken {
    /// The name, with a number behind it where it is taken.
    fn unique(&mut self, name: &str) -> String {
        let next = self.next.entry(name.to_owned()).or_insert(1);
        let mut candidate = name.to_owned();
        while !self.names.insert(candidate.clone()) {
            *next += 1;
            candidate = format!("{name} ({next})");
        }
        candidate
    }
}

/// Reads a table; `name` is what an output without a name is called.
pub(super) fn read<'x>(
    source: &mut Source<'x>,
    items: &Items,
    element: Element<'_, 'x>,
    name: &str,
) -> Node {
    let mark = source.mark(element);
    let mut columns = Columns::default();
    let (mut inputs, mut outputs, mut rules) = (Vec::new(), Vec::new(), Vec::new());
    for child in source.children(element) {
        let count = columns.inputs.len().max(columns.outputs.len());
        if count.max(columns.annotations.len()) > limits::COLUMNS {
            let most = limits::COLUMNS;
            source.refuse(
                child,
                format!("at most {most} columns of a kind are allowed"),
            );
            break;
        }
        match source.name(child) {
            Some("input") => inputs.extend(input(source, items, child, &mut columns)),
            Some("output") => outputs.extend(output(source, items, child, name, &mut columns)),
            Some("annotation") => {
                let name = source.attribute(child, "name");
                let name = name.as_ref().and_then(Node::as_str).map(str::to_owned);
                let name = columns
                    .notes
                    .unique(name.as_deref().unwrap_or("annotation"));
                columns.annotations.push(name);
            }
            Some("rule") => rules.push(child),
            Some("description") => source.note(child, "the description of a table is left out"),
            Some(other) => source.refuse(child, format!("`{other}` isn't supported in a table")),
            None => {}
        }
    }
    let mut ids = BTreeSet::new();
    let rows: Vec<Node> = rules
        .iter()
        .enumerate()
        .filter_map(|(index, rule)| row(source, *rule, index, &columns, &mut ids))
        .collect();
    let annotations = columns.annotations.iter();
    let annotations = annotations.map(|name| scalar(mark, name)).collect();
    mapping(
        mark,
        [
            ("inputs", Some(Node::new(mark, Kind::Sequence(inputs)))),
            ("hit_policy", hit_policy(source, element)),
            ("aggregation", source.attribute(element, "aggregation")),
            ("outputs", sequence(mark, outputs)),
            ("annotations", sequence(mark, annotations)),
            ("rows", Some(Node::new(mark, Kind::Sequence(rows)))),
        ],
    )
}

fn hit_policy(source: &Source<'_>, element: Element<'_, '_>) -> Option<Node> {
    let written = source.attribute(element, "hitPolicy")?;
    let name = written.as_str().unwrap_or_default().replace(' ', "_");
    Some(scalar(written.mark(), &name))
}

fn input<'x>(
    source: &mut Source<'x>,
    items: &Items,
    element: Element<'_, 'x>,
    columns: &mut Columns,
) -> Option<Node> {
    let mut expression = None;
    let mut allowed = None;
    let mut declared = Vec::new();
    for child in source.children(element) {
        match source.name(child) {
            Some("inputExpression") => {
                super::boxed::check_language(source, child);
                expression = source.child_text(child, "text");
                let reference = source.attribute(child, "typeRef");
                declared = items.of_reference(source, child, reference.as_ref());
            }
            Some("inputValues") => allowed = source.child_text(child, "text"),
            Some(other) => source.refuse(child, format!("`{other}` isn't supported in an input")),
            None => {}
        }
    }
    let Some(expression) = expression else {
        source.refuse(element, "input has no expression");
        return None;
    };
    let text = expression.as_str().unwrap_or_default().to_owned();
    let label = source.attribute(element, "label");
    let label = label
        .as_ref()
        .and_then(Node::as_str)
        .filter(|label| label.len() <= limits::CELL_BYTES && !columns.keys.names.contains(*label));
    let key = columns.keys.unique(label.unwrap_or(&text));
    let mark = source.mark(element);
    let name = (key != text).then(|| scalar(mark, &key));
    columns.inputs.push(key);
    let mut entries = vec![(scalar(mark, "expression"), expression)];
    entries.extend(name.map(|name| (scalar(mark, "name"), name)));
    entries.extend(declared);
    entries.extend(allowed.map(|allowed| (scalar(mark, "allowed"), allowed)));
    Some(Node::new(mark, Kind::Mapping(dedup(entries))))
}

fn output<'x>(
    source: &mut Source<'x>,
    items: &Items,
    element: Element<'_, 'x>,
    table: &str,
    columns: &mut Columns,
) -> Option<Node> {
    let mark = source.mark(element);
    let mut allowed = None;
    let mut default = None;
    for child in source.children(element) {
        match source.name(child) {
            Some("outputValues") => allowed = source.child_text(child, "text"),
            Some("defaultOutputEntry") => {
                super::boxed::check_language(source, child);
                default = source.child_text(child, "text");
            }
            Some(other) => source.refuse(child, format!("`{other}` isn't supported in an output")),
            None => {}
        }
    }
    let reference = source.attribute(element, "typeRef");
    let declared = items.of_reference(source, element, reference.as_ref());
    let name = source
        .attribute(element, "name")
        .unwrap_or_else(|| scalar(mark, table));
    let text = name.as_str().unwrap_or_default().to_owned();
    if columns.outputs.contains(&text) {
        source.refuse(element, format!("output `{text}` stands twice"));
        return None;
    }
    columns.outputs.push(text);
    let mut entries = vec![(scalar(mark, "name"), name)];
    entries.extend(
        declared
            .into_iter()
            .filter(|(key, _)| key.as_str() != Some("allowed")),
    );
    entries.extend(allowed.map(|allowed| (scalar(mark, "allowed"), allowed)));
    entries.extend(default.map(|default| (scalar(mark, "default"), default)));
    if element.attribute((EXTENSIONS, "optional")) == Some("true") {
        entries.push((scalar(mark, "optional"), bare(mark, "true")));
    }
    Some(Node::new(mark, Kind::Mapping(dedup(entries))))
}

/// The last of entries with the same key: what a column says itself counts before its type.
fn dedup(entries: Vec<(Node, Node)>) -> Vec<(Node, Node)> {
    let mut found: Vec<(Node, Node)> = Vec::new();
    for (key, value) in entries {
        match found
            .iter_mut()
            .find(|(known, _)| known.as_str() == key.as_str())
        {
            Some(known) => known.1 = value,
            None => found.push((key, value)),
        }
    }
    found
}

fn row<'x>(
    source: &mut Source<'x>,
    element: Element<'_, 'x>,
    index: usize,
    columns: &Columns,
    ids: &mut BTreeSet<String>,
) -> Option<Node> {
    let mark = source.mark(element);
    let (mut when, mut compute, mut annotations) = (Vec::new(), Vec::new(), BTreeMap::new());
    let (mut inputs, mut outputs, mut notes) = (0, 0, 0);
    for child in source.children(element) {
        match source.name(child) {
            Some("inputEntry") => {
                super::boxed::check_language(source, child);
                let cell = source.child_text(child, "text");
                if let Some(key) = columns.inputs.get(inputs)
                    && let Some(cell) = cell.filter(|cell| cell.as_str() != Some("-"))
                {
                    when.push((scalar(cell.mark(), key), cell));
                }
                inputs += 1;
            }
            Some("outputEntry") => {
                super::boxed::check_language(source, child);
                let absent = child.attribute((EXTENSIONS, "absent")) == Some("true");
                if let Some(name) = columns.outputs.get(outputs).filter(|_| !absent) {
                    // An entry that says nothing is null.
                    let place = source.mark(child);
                    let entry = source.child_text(child, "text");
                    let entry = entry.unwrap_or_else(|| scalar(place, "null"));
                    compute.push((scalar(entry.mark(), name), entry));
                }
                outputs += 1;
            }
            Some("annotationEntry") => {
                let text = source.child_text(child, "text");
                if let (Some(name), Some(text)) = (columns.annotations.get(notes), text) {
                    annotations.insert(name.clone(), text);
                }
                notes += 1;
            }
            Some("description") => {}
            Some(other) => source.refuse(child, format!("`{other}` isn't supported in a rule")),
            None => {}
        }
    }
    for (found, wanted, what) in [
        (inputs, columns.inputs.len(), "input"),
        (outputs, columns.outputs.len(), "output"),
    ] {
        if found != wanted {
            let message = format!("found {found} {what} entries, expected {wanted}");
            source.refuse(element, message);
            return None;
        }
    }
    let annotations = annotations.into_iter();
    let annotations = annotations
        .map(|(name, text)| (scalar(mark, &name), text))
        .collect();
    Some(mapping(
        mark,
        [
            ("id", Some(row_id(source, element, index, ids))),
            ("when", named(mark, when)),
            (
                "compute",
                named(mark, compute).or_else(|| Some(Node::new(mark, Kind::Mapping(Vec::new())))),
            ),
            ("description", source.child_text(element, "description")),
            ("annotations", named(mark, annotations)),
        ],
    ))
}

/// The rule's own identifier, or one by its place where that is none a row can have.
fn row_id(
    source: &mut Source<'_>,
    element: Element<'_, '_>,
    index: usize,
    ids: &mut BTreeSet<String>,
) -> Node {
    let own = element.attribute((EXTENSIONS, "row"));
    let given = own.or(element.attribute("id")).unwrap_or_default().trim();
    let fits = crate::table::is_row_id(given);
    let id = if fits && !ids.contains(given) {
        given.to_owned()
    } else {
        if !given.is_empty() {
            source.note(element, format!("rule `{given}` gets an id by its place"));
        }
        unique_id(format!("rule-{}", index + 1), ids)
    };
    ids.insert(id.clone());
    scalar(source.mark(element), &id)
}

fn unique_id(id: String, taken: &BTreeSet<String>) -> String {
    let mut candidate = id.clone();
    let mut count = 1;
    while taken.contains(&candidate) {
        count += 1;
        candidate = format!("{id}-{count}");
    }
    candidate
}
