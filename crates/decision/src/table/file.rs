//! The YAML form of a table.

use std::collections::{BTreeMap, HashSet};

use super::{
    Aggregator, HitPolicy, Language, OutputColumn, Row, Table, canonical, columns, csv_rows,
    names::{collapsed, name_problem},
    rows,
};
use crate::{
    compile::Compiled,
    diagnostic::{Diagnostic, settle},
    limits,
    model::{Definitions, Visible},
    sfeel::{Mode, Names, Test},
    types::Type,
    value::Value,
    yaml::{self, Fields, Node},
};

/// Gives the text of a file beside the table, by its bare name, or says why it can't.
pub type Loader<'l> = dyn Fn(&str) -> Result<String, String> + 'l;

/// What surrounds a table and isn't its own to say.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    /// Types of the facts it may read.
    pub facts: BTreeMap<String, Type>,
    /// The outputs it must have; `None`: the table says.
    pub outputs: Option<Vec<OutputColumn>>,
    /// Whether the table may declare facts of its own.
    pub open: bool,
}

impl Schema {
    /// For a table that stands by itself and declares its own facts and outputs.
    #[must_use]
    pub fn open() -> Self {
        Self {
            open: true,
            ..Self::default()
        }
    }
}

impl Table {
    /// Reads a table that is a file by itself, of one YAML document.
    ///
    /// # Errors
    /// With all problems found, in the order of the text.
    pub fn from_yaml(
        text: &str,
        schema: &Schema,
        loader: &Loader<'_>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let documents = yaml::parse(text).map_err(|problem| vec![problem])?;
        match documents.as_slice() {
            [document] => Self::from_node(document, schema, loader),
            [_, second, ..] => Err(vec![second.problem("expected one document in this file")]),
            [] => {
                let start = crate::diagnostic::Mark::START;
                Err(vec![Diagnostic::new(
                    start,
                    "found nothing, expected a table",
                )])
            }
        }
    }

    /// Reads a mapping that is a table and nothing else: `name`, optional `kind` and
    /// `description`, and the table's own keys.
    ///
    /// # Errors
    /// With all problems found, in the order of the text.
    pub fn from_node(
        node: &Node,
        schema: &Schema,
        loader: &Loader<'_>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut fields = Fields::new(node).map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        fields.text("kind", &mut problems);
        let description = fields.note("description", &mut problems);
        let name = fields.note("name", &mut problems);
        let name = name.map_or_else(String::new, |name| collapsed(&name));
        let table = Self::from_fields(&name, &mut fields, schema, loader);
        fields.finish(&mut problems);
        match table {
            Ok(table) if problems.is_empty() => Ok(Self {
                description,
                ..table
            }),
            Ok(_) => Err(settle(problems)),
            Err(more) => {
                problems.extend(more);
                Err(settle(problems))
            }
        }
    }

    /// Takes a table out of a mapping that holds other keys too: `inputs`, `hit_policy`,
    /// `aggregation`, `outputs`, `default`, `annotations`, `rows` or `rows_csv`, and `facts`
    /// where the schema is open. Only there may rows compute outputs, and only where the
    /// schema doesn't say which there are. The caller takes its own keys and finishes the mapping.
    ///
    /// # Errors
    /// With all problems found, in the order of the text.
    pub fn from_fields(
        name: &str,
        fields: &mut Fields<'_>,
        schema: &Schema,
        loader: &Loader<'_>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut surroundings = Surroundings {
            facts: &schema.facts,
            outputs: schema.outputs.as_deref(),
            open: schema.open,
            model: None,
        };
        let table = read(name, fields, &mut surroundings, loader, &mut problems);
        match table {
            Some(mut table) if problems.is_empty() => {
                table.digest = canonical::sha256(&table.canonical());
                Ok(table)
            }
            _ => Err(settle(problems)),
        }
    }

    /// Reads a table within a model, which says what expressions may name and which types
    /// there are.
    ///
    /// # Errors
    /// With all problems found.
    pub(crate) fn in_model(
        name: &str,
        node: &Node,
        visible: &Visible,
        definitions: &mut Definitions<'_>,
        loader: &Loader<'_>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut fields = Fields::new(node).map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        let mut surroundings = Surroundings {
            facts: &visible.types,
            outputs: None,
            open: false,
            model: Some((visible, definitions)),
        };
        let table = read(name, &mut fields, &mut surroundings, loader, &mut problems);
        fields.finish(&mut problems);
        match table {
            Some(mut table) if problems.is_empty() => {
                let read: Vec<String> = table.facts().map(|(name, _)| name.to_owned()).collect();
                table.types.retain(|name, _| read.contains(name));
                table.digest = canonical::sha256(&table.canonical());
                Ok(table)
            }
            _ => Err(problems),
        }
    }
}

/// What surrounds a table and isn't its own to say.
pub(super) struct Surroundings<'s, 'd> {
    facts: &'s BTreeMap<String, Type>,
    /// The outputs it must have; `None`: the table says.
    outputs: Option<&'s [OutputColumn]>,
    /// Whether it may declare facts of its own.
    pub(super) open: bool,
    model: Option<(&'s Visible, &'s mut Definitions<'d>)>,
}

impl Surroundings<'_, '_> {
    /// Whether the table is part of a model, whose types it knows by name.
    pub(super) fn in_model(&self) -> bool {
        self.model.is_some()
    }

    /// How expressions over facts are read.
    pub(super) fn language<'t>(&self, types: &'t BTreeMap<String, Type>) -> Language<'t> {
        match &self.model {
            Some((visible, _)) => Language::in_mode(types, visible.names(), Mode::Spec),
            None => Language::new(types, Names::declared(types)),
        }
    }

    /// Takes the keys that say a type out of a mapping; what the type allows too.
    pub(super) fn take_type(
        &mut self,
        fields: &mut Fields<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<(Type, Test)> {
        match &mut self.model {
            Some((_, definitions)) => {
                let declared = definitions.base(fields, problems)?;
                let allowed = definitions.allowed(&declared).clone();
                Some((declared.ty, allowed))
            }
            None => Some((Type::take(fields, problems)?, Test::Any)),
        }
    }
}

/// Reads what it can, so that one run reports as many problems as there are.
fn read(
    name: &str,
    fields: &mut Fields<'_>,
    surroundings: &mut Surroundings<'_, '_>,
    loader: &Loader<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Table> {
    let mut types = surroundings.facts.clone();
    if surroundings.open
        && let Some(node) = fields.take("facts")
    {
        columns::take_facts(node, &mut types, problems);
    }
    let hit_policy = take_hit_policy(fields, problems);
    let inputs = fields.require("inputs", problems);
    let mut defaults = BTreeMap::new();
    let outputs = match surroundings.outputs {
        Some(outputs) => Some(outputs.to_vec()),
        None => fields
            .take("outputs")
            .map(|node| columns::take_outputs(node, surroundings, &mut defaults, problems)),
    };
    let default = fields.take("default");
    let annotations = take_annotations(fields, problems);
    let source = take_source(fields, problems);

    let inputs = columns::take_inputs(inputs?, &mut types, surroundings, problems)?;
    let language = surroundings.language(&types);
    let mut shape = rows::Shape::new(&language, &inputs, outputs.as_deref(), &annotations);
    let own = surroundings.open || surroundings.in_model();
    shape.computed = own && surroundings.outputs.is_none();
    shape.lenient = surroundings.in_model();
    let (rows, file) = match source? {
        Source::Rows(node) => (rows::take_rows(node, &shape, problems), None),
        Source::Csv(node) => (
            csv_rows::take_rows(node, &shape, loader, problems),
            node.as_str(),
        ),
    };
    check_ids(&rows, file, problems);
    let default = match default {
        Some(node) if !defaults.is_empty() => {
            problems.push(node.problem("outputs say their own defaults already"));
            None
        }
        Some(node) => Some(rows::take_default(node, &shape, problems)),
        None => Some(defaults).filter(|defaults| !defaults.is_empty()),
    };
    let table = Table {
        name: name.to_owned(),
        description: None,
        outputs: outputs.unwrap_or_else(|| inferred(&rows, default.as_ref())),
        types,
        inputs,
        hit_policy: hit_policy?,
        rows,
        annotations,
        default,
        digest: String::new(),
        compiled: Compiled::default(),
    };
    check_hit_policy(&table, surroundings.in_model(), fields.node(), problems);
    Some(table)
}

/// The names of what rows may say beside their outputs.
fn take_annotations(fields: &mut Fields<'_>, problems: &mut Vec<Diagnostic>) -> Vec<String> {
    let node = fields.node();
    let names = fields.texts("annotations", problems);
    if names.len() > limits::COLUMNS {
        let (count, most) = (names.len(), limits::COLUMNS);
        let message = format!("found {count} annotations, at most {most} are allowed");
        problems.push(node.problem(message));
        return Vec::new();
    }
    for (index, name) in names.iter().enumerate() {
        let reason = match names[..index].contains(name) {
            true => Some("it stands twice"),
            false => name_problem(name),
        };
        if let Some(reason) = reason {
            let place = node.get("annotations").unwrap_or(node);
            problems.push(place.problem(format!("annotation `{name}` can't be one: {reason}")));
        }
    }
    names
}

/// Where the rows stand.
enum Source<'n> {
    Rows(&'n Node),
    Csv(&'n Node),
}

fn take_source<'n>(fields: &mut Fields<'n>, problems: &mut Vec<Diagnostic>) -> Option<Source<'n>> {
    let problem = match (fields.take("rows"), fields.take("rows_csv")) {
        (Some(node), None) => return Some(Source::Rows(node)),
        (None, Some(node)) => return Some(Source::Csv(node)),
        (Some(_), Some(node)) => {
            node.problem("found both `rows` and `rows_csv`, expected one of them")
        }
        (None, None) => fields
            .node()
            .problem("key `rows` is missing (or `rows_csv`)"),
    };
    problems.push(problem);
    None
}

/// Without a declaration, the outputs are the names that rows use.
fn inferred(rows: &[Row], default: Option<&BTreeMap<String, Value>>) -> Vec<OutputColumn> {
    let names: std::collections::BTreeSet<&String> = rows
        .iter()
        .flat_map(|row| row.outputs.keys().chain(row.computed.keys()))
        .chain(default.into_iter().flat_map(BTreeMap::keys))
        .collect();
    let column = |name: &String| OutputColumn {
        name: name.clone(),
        ty: Type::Any,
        values: Vec::new(),
        required: false,
    };
    names.into_iter().map(column).collect()
}

fn take_hit_policy(fields: &mut Fields<'_>, problems: &mut Vec<Diagnostic>) -> Option<HitPolicy> {
    let aggregation = fields.take("aggregation");
    let aggregator = match aggregation {
        None => None,
        Some(node) => match node.text(problems, "SUM, MIN, MAX or COUNT")? {
            "SUM" => Some(Aggregator::Sum),
            "MIN" => Some(Aggregator::Min),
            "MAX" => Some(Aggregator::Max),
            "COUNT" => Some(Aggregator::Count),
            other => {
                let message =
                    format!("unknown aggregation `{other}`, expected SUM, MIN, MAX or COUNT");
                problems.push(node.problem(message));
                return None;
            }
        },
    };
    let policy = match fields.take("hit_policy") {
        None => HitPolicy::Unique,
        Some(node) => match node.text(problems, "a hit policy")? {
            "UNIQUE" => HitPolicy::Unique,
            "ANY" => HitPolicy::Any,
            "FIRST" => HitPolicy::First,
            "PRIORITY" => HitPolicy::Priority,
            "RULE_ORDER" => HitPolicy::RuleOrder,
            "OUTPUT_ORDER" => HitPolicy::OutputOrder,
            "COLLECT" => HitPolicy::Collect(aggregator),
            other => {
                problems.push(node.problem(format!(
                    "unknown hit policy `{other}`, expected UNIQUE, ANY, FIRST, PRIORITY, \
                     RULE_ORDER, OUTPUT_ORDER or COLLECT"
                )));
                return None;
            }
        },
    };
    if let (Some(node), false) = (aggregation, matches!(policy, HitPolicy::Collect(_))) {
        problems.push(node.problem(format!(
            "{} has no aggregation, only COLLECT has",
            policy.name()
        )));
        return None;
    }
    Some(policy)
}

fn check_ids(rows: &[Row], file: Option<&str>, problems: &mut Vec<Diagnostic>) {
    let mut seen = HashSet::new();
    for row in rows {
        if !seen.insert(row.id.as_str()) {
            let problem = Diagnostic::new(row.mark, format!("row id `{}` stands twice", row.id));
            problems.push(match file {
                Some(file) => problem.in_file(file),
                None => problem,
            });
        }
    }
    if rows.len() > limits::ROWS
        && let Some(row) = rows.last()
    {
        let message = format!(
            "found {} rows, at most {} are allowed",
            rows.len(),
            limits::ROWS
        );
        problems.push(Diagnostic::new(row.mark, message));
    }
}

/// What a hit policy needs of the outputs. In a model, values that nothing can be made of are
/// null when it is asked for.
fn check_hit_policy(table: &Table, lenient: bool, node: &Node, problems: &mut Vec<Diagnostic>) {
    let policy = table.hit_policy;
    let ranked = table.outputs.iter().any(|output| !output.values.is_empty());
    if matches!(policy, HitPolicy::Priority | HitPolicy::OutputOrder) && !ranked {
        let message = format!(
            "{} needs an output whose `values` give the priority",
            policy.name()
        );
        problems.push(node.problem(message));
    }
    let Some(aggregator) = policy.aggregator().filter(|a| *a != Aggregator::Count) else {
        return;
    };
    let [output] = table.outputs.as_slice() else {
        let message = format!("{} needs exactly one output", aggregator.name());
        problems.push(node.problem(message));
        return;
    };
    if lenient {
        return;
    }
    // What is computed shows its value only with the facts.
    let constant = |row: &&Row| !row.computed.contains_key(&output.name);
    for row in table.rows.iter().filter(constant) {
        let fits = match (aggregator, row.outputs.get(&output.name)) {
            (Aggregator::Sum, value) => matches!(
                value,
                Some(Value::Number(_) | Value::Money { .. } | Value::Quantity { .. })
            ),
            (_, Some(value)) => value.compare(value).is_some(),
            (_, None) => false,
        };
        if !fits {
            let message = format!(
                "output `{}` has no value that {} takes",
                output.name,
                aggregator.name()
            );
            problems.push(Diagnostic::new(row.mark, message).in_cell(format!("row {}", row.id)));
        }
    }
}
