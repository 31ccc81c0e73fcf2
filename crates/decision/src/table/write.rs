//! From a table to its files.

use std::collections::BTreeSet;

use super::{HitPolicy, Input, OutputColumn, Row, Table, columns::output_value};
use crate::{
    sfeel::{self, Expression, Test},
    types::Type,
    value::Value,
    yaml::{
        Node,
        build::{bare, entry, mapping, quoted, sequence, text},
        flow, write,
    },
};

impl Table {
    /// The YAML form of a table that is a file by itself: what [`Table::from_yaml`] reads as
    /// the same table.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        write(&self.to_node())
    }

    /// The same, as a tree.
    #[must_use]
    pub fn to_node(&self) -> Node {
        let mut entries = vec![entry("kind", text("DecisionTable"))];
        let name = Some(&self.name).filter(|name| !name.is_empty());
        entries.extend(name.map(|name| entry("name", text(name))));
        let description = self.description.as_ref();
        entries.extend(description.map(|said| entry("description", text(said))));
        let facts = self.facts();
        let facts = facts.map(|(name, ty)| entry(name, mapping(type_entries(ty))));
        let facts: Vec<_> = facts.collect();
        if !facts.is_empty() {
            entries.push(entry("facts", mapping(facts)));
        }
        entries.extend(self.entries(false));
        mapping(entries)
    }

    /// What a table says itself. Columns of a model's table say their types too.
    pub(crate) fn entries(&self, in_model: bool) -> Vec<(Node, Node)> {
        let inputs = self.inputs.iter();
        let inputs = inputs.map(|input| input_node(input, in_model));
        let mut entries = vec![
            entry("inputs", sequence(inputs)),
            entry("hit_policy", text(self.hit_policy.name())),
        ];
        if let Some(aggregator) = self.hit_policy.aggregator() {
            entries.push(entry("aggregation", text(aggregator.name())));
        }
        let default = self.default.as_ref();
        let all_plain = default.is_none_or(|default| {
            default
                .iter()
                .all(|(name, value)| self.given(name, value).is_some())
        });
        if !self.has_inferred_outputs() || !all_plain {
            let outputs = self.outputs.iter();
            let outputs = outputs.map(|column| {
                let default = default.filter(|_| !all_plain);
                output_node(
                    column,
                    default.and_then(|default| default.get(&column.name)),
                )
            });
            entries.push(entry("outputs", sequence(outputs)));
        }
        if let Some(default) = default.filter(|_| all_plain) {
            let values = default
                .iter()
                .filter_map(|(name, value)| Some(entry(name, self.given(name, value)?)));
            entries.push(entry("default", mapping(values)));
        }
        if !self.annotations.is_empty() {
            entries.push(entry(
                "annotations",
                sequence(self.annotations.iter().map(text)),
            ));
        }
        let rows = self.rows.iter().map(|row| self.row_node(row));
        entries.push(entry("rows", sequence(rows)));
        entries
    }

    /// Whether the outputs are no more than the names that rows use.
    fn has_inferred_outputs(&self) -> bool {
        let used: BTreeSet<&String> = self
            .rows
            .iter()
            .flat_map(|row| row.outputs.keys().chain(row.computed.keys()))
            .chain(self.default.iter().flat_map(|default| default.keys()))
            .collect();
        let bare = |column: &OutputColumn| {
            column.ty == Type::Any && column.values.is_empty() && !column.required
        };
        self.outputs.iter().all(bare) && self.outputs.iter().map(|c| &c.name).eq(used)
    }

    /// The value of an output as rows give it; `None` where they have to say it in FEEL.
    fn given(&self, name: &str, value: &Value) -> Option<Node> {
        match self.outputs.iter().find(|column| column.name == name) {
            Some(column) => given(value, column),
            None => plain(value, &Type::Any),
        }
    }

    fn row_node(&self, row: &Row) -> Node {
        let when = self.inputs.iter().zip(&row.cells);
        let when: Vec<_> = when
            .filter(|(_, cell)| cell.test != Test::Any)
            .map(|(input, cell)| entry(&input.key, quoted(format!("{:#}", cell.test))))
            .collect();
        let (mut then, mut compute) = (Vec::new(), Vec::new());
        for column in &self.outputs {
            let name = &column.name;
            if let Some(value) = row.outputs.get(name) {
                match given(value, column) {
                    Some(node) => then.push(entry(name, node)),
                    None => compute.push(entry(name, quoted(constant_text(value)))),
                }
            } else if let Some(expression) = row.computed.get(name) {
                compute.push(entry(name, quoted(outer(&format!("{expression:#}")))));
            }
        }
        let mut entries = vec![entry("id", text(&row.id))];
        for (key, found) in [("when", when), ("then", then), ("compute", compute)] {
            // A row that gives nothing still says so.
            if !found.is_empty()
                || key == "then" && row.computed.is_empty() && row.outputs.is_empty()
            {
                entries.push(entry(key, mapping(found)));
            }
        }
        if let Some(notes) = row.notes() {
            let description = notes.description.as_ref();
            entries.extend(description.map(|said| entry("description", text(said))));
            if !notes.annotations.is_empty() {
                let annotations = notes.annotations.iter();
                let annotations = annotations.map(|(name, said)| entry(name, text(said)));
                entries.push(entry("annotations", mapping(annotations)));
            }
        }
        mapping(entries)
    }

    /// The rows as CSV (RFC 4180), as `rows_csv` reads them.
    ///
    /// # Errors
    /// With what such a file can't hold, and the row it stands in.
    pub fn to_csv(&self) -> Result<String, Vec<crate::Diagnostic>> {
        let mut problems = Vec::new();
        let mut header = vec!["id".to_owned()];
        header.extend(self.inputs.iter().map(|input| input.key.clone()));
        header.extend(self.outputs.iter().map(|column| column.name.clone()));
        let described = self
            .rows
            .iter()
            .any(|row| row.notes().is_some_and(|notes| notes.description.is_some()));
        header.extend(described.then(|| "description".to_owned()));
        header.extend(self.annotations.iter().cloned());
        let distinct: BTreeSet<&String> = header.iter().collect();
        if distinct.len() < header.len() {
            let message = "columns of a CSV file need different names, and none is `id`";
            problems.push(crate::Diagnostic::new(crate::Mark::START, message));
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        // Writing to memory doesn't fail.
        let _ = writer.write_record(&header);
        for row in &self.rows {
            match self.record(row, described) {
                Ok(record) => _ = writer.write_record(&record),
                Err(problem) => problems.push(problem.in_cell(format!("row {}", row.id))),
            }
        }
        if !problems.is_empty() {
            return Err(crate::diagnostic::settle(problems));
        }
        let bytes = writer.into_inner().unwrap_or_default();
        Ok(String::from_utf8(bytes).unwrap_or_default())
    }

    fn record(&self, row: &Row, described: bool) -> Result<Vec<String>, crate::Diagnostic> {
        let refuse = |message: String| Err(crate::Diagnostic::new(row.mark, message));
        if let Some(name) = row.computed.keys().next() {
            return refuse(format!(
                "output `{name}` is computed; a CSV file holds constants"
            ));
        }
        let mut record = vec![row.id.clone()];
        record.extend(row.cells.iter().map(|cell| match &cell.test {
            Test::Any => String::new(),
            test => format!("{test:#}"),
        }));
        for column in &self.outputs {
            let Some(value) = row.outputs.get(&column.name) else {
                record.push(String::new());
                continue;
            };
            match field(value, column) {
                Some(text) => record.push(text),
                None => {
                    let name = &column.name;
                    return refuse(format!("output `{name}`: a CSV file can't hold `{value}`"));
                }
            }
        }
        let notes = row.notes();
        if described {
            let said = notes.and_then(|notes| notes.description.clone());
            record.push(said.unwrap_or_default());
        }
        for name in &self.annotations {
            let said = notes.and_then(|notes| notes.annotations.get(name));
            record.push(said.cloned().unwrap_or_default());
        }
        Ok(record)
    }
}

/// The field of a CSV file that is read as a value; `None` where none is.
fn field(value: &Value, column: &OutputColumn) -> Option<String> {
    let ty = &column.ty;
    let node = given(value, column)?;
    let text = match node.kind() {
        crate::yaml::Kind::Scalar(text, _) => text.clone(),
        _ => flow(&node),
    };
    if text.trim() != text || text.is_empty() {
        return None;
    }
    // What looks like a list or mapping is read as one, and a bare word by its meaning.
    if text.starts_with(['[', '{']) {
        let nodes = crate::yaml::parse(&text).ok()?;
        let read = output_value(nodes.first()?, ty).ok()?;
        return (read == *value).then_some(text);
    }
    let read = output_value(&bare(&text), ty).ok()?;
    (read == *value).then_some(text)
}

fn input_node(input: &Input, in_model: bool) -> Node {
    // A constant that was folded shows only in the key.
    let written = format!("{:#}", input.expression);
    let same = matches!(input.expression.expression, Expression::Fact(..)) && written == input.key;
    let mut entries = vec![entry("expression", text(outer(&written)))];
    if !same && input.key != outer(&written) {
        entries.push(entry("name", text(&input.key)));
    }
    if in_model {
        entries.extend(
            type_entries(&input.ty)
                .into_iter()
                .filter(|_| input.ty != Type::Any),
        );
    }
    if input.allowed != Test::Any {
        entries.push(entry("allowed", quoted(format!("{:#}", input.allowed))));
    }
    match entries.as_slice() {
        [(_, expression)] => expression.clone(),
        _ => mapping(entries),
    }
}

fn output_node(column: &OutputColumn, default: Option<&Value>) -> Node {
    let mut entries = vec![entry("name", text(&column.name))];
    if column.ty != Type::Any {
        entries.extend(type_entries(&column.ty));
    }
    // The values of a type of texts are the column's own, and stand once.
    let said = matches!(&column.ty, Type::String { values } if !values.is_empty());
    if !column.values.is_empty() && !said {
        let values = column.values.iter();
        let values: Option<Vec<_>> = values.map(|value| plain(value, &column.ty)).collect();
        entries.push(match values {
            Some(values) => entry("values", sequence(values)),
            None => entry("allowed", quoted(constants_text(&column.values))),
        });
    }
    if !column.required {
        entries.push(entry("optional", bare("true")));
    }
    entries.extend(default.map(|value| entry("default", quoted(constant_text(value)))));
    match entries.as_slice() {
        [(_, name)] => name.clone(),
        _ => mapping(entries),
    }
}

/// The keys that declare a type.
pub(crate) fn type_entries(ty: &Type) -> Vec<(Node, Node)> {
    let one = |name: &str| vec![entry("type", text(name))];
    let with =
        |name: &str, key: &str, value: Node| vec![entry("type", text(name)), entry(key, value)];
    match ty {
        Type::String { values } if !values.is_empty() => {
            with("string", "values", sequence(values.iter().map(text)))
        }
        Type::String { .. } => one("string"),
        Type::Number { unit: Some(unit) } => with("number", "unit", text(unit)),
        Type::Number { unit: None } => one("number"),
        Type::Money {
            currency: Some(code),
        } => with("money", "currency", text(code)),
        Type::Money { currency: None } => one("money"),
        Type::Quantity { unit } => with("quantity", "unit", text(unit)),
        Type::List(of) => {
            let of = type_entries(of);
            let of = match of.as_slice() {
                [(_, name)] => name.clone(),
                _ => mapping(of),
            };
            with("list", "of", of)
        }
        Type::Structure(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(name, ty)| entry(name, mapping(type_entries(ty))));
            with("context", "components", mapping(fields))
        }
        simple => one(&simple.to_string()),
    }
}

/// A value as YAML has it, if a column of the type reads it back as it is.
pub(crate) fn plain(value: &Value, ty: &Type) -> Option<Node> {
    let node = value_node(value);
    let read = output_value(&node, ty).ok()?;
    (read == *value && json_form(&read) == json_form(value)).then_some(node)
}

/// The same, if a row may give it: a column that lists its values takes no other, and null
/// only where that is said in FEEL.
fn given(value: &Value, column: &OutputColumn) -> Option<Node> {
    let listed = column.values.is_empty() || column.values.contains(value);
    plain(value, &column.ty).filter(|_| listed)
}

/// Two values are the same for files if they are written alike.
fn json_form(value: &Value) -> String {
    crate::json::write(value)
}

/// A value as a tree: money, dates and durations as texts.
pub(crate) fn value_node(value: &Value) -> Node {
    match value {
        Value::Null | Value::Boolean(_) | Value::Number(_) => bare(value),
        Value::List(items) => sequence(items.iter().map(value_node)),
        Value::Context(entries) => {
            let entries = entries.iter();
            mapping(entries.map(|(name, value)| entry(name, value_node(value))))
        }
        other => text(other.to_string()),
    }
}

/// A constant as S-FEEL has it, numbers with all their digits.
pub(crate) fn constant_text(value: &Value) -> String {
    format!("{:#}", sfeel::Constant(value))
}

/// Constants as S-FEEL lists them.
pub(crate) fn constants_text(values: &[Value]) -> String {
    let texts: Vec<_> = values.iter().map(constant_text).collect();
    texts.join(", ")
}

/// A text without parentheses around the whole of it.
pub(crate) fn outer(text: &str) -> &str {
    let Some(inner) = text
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    else {
        return text;
    };
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut escaped = false;
    for c in inner.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => match depth.checked_sub(1) {
                Some(less) => depth = less,
                // The first parenthesis closes before the end.
                None => return text,
            },
            _ => {}
        }
    }
    inner
}

/// How policies that collect differ from those that give one answer.
pub(crate) fn collects(policy: HitPolicy) -> bool {
    matches!(
        policy,
        HitPolicy::RuleOrder | HitPolicy::OutputOrder | HitPolicy::Collect(None)
    )
}
