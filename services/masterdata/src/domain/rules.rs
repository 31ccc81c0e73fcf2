//! Rules of a unit: a decision table over the facts of a record, every hit a violation.
//!
//! A rule set can only add: violations of its own, and a higher severity for those of the
//! sets above it and of the built-in checks. A row whose hit depends on a fact that isn't
//! known is a violation of that fact: unknown is not false.

use std::str::FromStr;

use chrono::NaiveDate;
use decision::{
    Diagnostic, Facts, Mark, Met, Table, Value, explain,
    yaml::{Fields, Node},
};
use governance::Scope;

use super::{
    facts::{self, Element, Fact},
    path::{Path, Step},
    record::Record,
    schema::{Entity, Type},
    violation::{Kind, Severity, Violation},
};

/// A compiled rule set.
#[derive(Debug)]
pub struct RuleSet {
    /// Name; the ids of its rules begin with it.
    pub name: String,
    /// Whose records it is for.
    pub entity: Entity,
    /// Where it holds, and everywhere below.
    pub scope: Scope,
    /// Where the document says so.
    pub(super) place: Mark,
    raise: Vec<Raise>,
    each: Option<&'static str>,
    rules: Option<Rules>,
}

/// A severity that is raised.
#[derive(Debug)]
struct Raise {
    rule: String,
    to: Severity,
    mark: Mark,
}

#[derive(Debug)]
struct Rules {
    table: Table,
    facts: Vec<(String, Fact)>,
    rows: Vec<Row>,
}

/// What a row says when it hits.
#[derive(Debug)]
struct Row {
    rule: String,
    field: Path,
    severity: Severity,
    kind: Kind,
    message: String,
    standard: String,
}

const OUTPUTS: [&str; 5] = ["field", "severity", "kind", "message", "standard"];

impl RuleSet {
    /// Compiles a document of kind `RecordRules`.
    ///
    /// # Errors
    /// With every problem and its place.
    pub fn compile(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut fields = Fields::new(node).map_err(|problem| vec![problem])?;
        fields.take("kind");
        fields.take("description");
        let name = super::catalog::name(&mut fields, &mut problems);
        let entity = parsed::<Entity>(&mut fields, "entity", &mut problems);
        let scope = parsed::<Scope>(&mut fields, "scope", &mut problems);
        let raise = raise(&mut fields, &mut problems);
        let each = each(&mut fields, entity, &mut problems);
        let (Some(name), Some(entity), Some(scope)) = (name, entity, scope) else {
            return Err(problems);
        };
        let rules = if node.get("rows").is_some() || node.get("inputs").is_some() {
            table(&name, entity, each, &mut fields, &mut problems)
        } else {
            None
        };
        fields.finish(&mut problems);
        if raise.is_empty() && rules.is_none() && problems.is_empty() {
            problems
                .push(node.problem("found neither `rows` nor `raise`, so that it says nothing"));
        }
        if problems.is_empty() {
            Ok(Self {
                name,
                entity,
                scope,
                place: node.get("scope").map_or(node.mark(), Node::mark),
                raise,
                each,
                rules,
            })
        } else {
            Err(problems)
        }
    }

    /// Adds what the rules say of a record.
    pub fn apply(&self, record: &Record, today: NaiveDate, found: &mut Vec<Violation>) {
        let Some(rules) = &self.rules else { return };
        match self.each {
            None => rules.apply(record, None, today, found),
            Some(list) => {
                for (at, values) in record.elements(list).enumerate() {
                    rules.apply(record, Some(Element { at, values }), today, found);
                }
            }
        }
    }

    /// Raises severities, never lowers one.
    pub fn raise(&self, found: &mut [Violation]) {
        for violation in found {
            let raises = self
                .raise
                .iter()
                .filter(|raise| raise.rule == violation.rule);
            for raise in raises {
                violation.severity = violation.severity.max(raise.to);
            }
        }
    }

    /// Whether a rule of this set has this id.
    #[must_use]
    pub fn has_rule(&self, id: &str) -> bool {
        self.rules
            .as_ref()
            .is_some_and(|rules| rules.rows.iter().any(|row| row.rule == id))
    }

    /// What is raised although no rule `known` to hold here has its id.
    pub fn raised_in_vain(&self, known: impl Fn(&str) -> bool) -> Vec<Diagnostic> {
        let unknown = self.raise.iter().filter(|raise| !known(&raise.rule));
        unknown
            .map(|raise| {
                let message = format!(
                    "no check and no rule at {} has the id `{}`",
                    self.scope, raise.rule
                );
                Diagnostic::new(raise.mark, message)
            })
            .collect()
    }
}

impl Rules {
    fn apply(
        &self,
        record: &Record,
        element: Option<Element<'_>>,
        today: NaiveDate,
        found: &mut Vec<Violation>,
    ) {
        let facts: Facts = self
            .facts
            .iter()
            .filter_map(|(name, fact)| Some((name.clone(), fact.value(record, element, today)?)))
            .collect();
        for (row, explained) in self.rows.iter().zip(explain(&self.table, &facts)) {
            match explained.matched {
                Met::No => {}
                Met::Yes => found.push(row.violation(element)),
                Met::Unknown => found.extend(self.unknown(row, &explained.unknown, element)),
            }
        }
    }

    /// One violation for each fact that a row needs and the record doesn't give.
    fn unknown(&self, row: &Row, inputs: &[usize], element: Option<Element<'_>>) -> Vec<Violation> {
        let of_input = |at: &usize| self.facts.get(*at);
        inputs
            .iter()
            .filter_map(of_input)
            .map(|(name, fact)| {
                let message = format!(
                    "{name} isn't known, so that this rule can't be judged: {}",
                    row.message
                );
                Violation::new(
                    fact.path(element),
                    &row.rule,
                    row.severity,
                    Kind::Missing,
                    message,
                )
                .by(&row.standard)
            })
            .collect()
    }
}

impl Row {
    fn violation(&self, element: Option<Element<'_>>) -> Violation {
        let field = match element {
            Some(element) => at_element(&self.field, element.at),
            None => self.field.clone(),
        };
        Violation::new(field, &self.rule, self.severity, self.kind, &self.message)
            .by(&self.standard)
    }
}

/// The path with the index of an element behind its first field, where it has none.
fn at_element(path: &Path, at: usize) -> Path {
    let mut steps = path.steps().iter();
    let mut out = Path::default();
    if let Some(Step::Field(name)) = steps.next() {
        out = Path::root(name);
        if !matches!(path.steps().get(1), Some(Step::Index(_))) && path.steps().len() > 1 {
            out = out.index(at);
        }
    }
    steps.fold(out, |path, step| match step {
        Step::Field(name) => path.field(name),
        Step::Index(at) => path.index(*at),
    })
}

fn parsed<T: FromStr<Err: ToString>>(
    fields: &mut Fields<'_>,
    key: &'static str,
    problems: &mut Vec<Diagnostic>,
) -> Option<T> {
    let node = fields.require(key, problems)?;
    match node.text(problems, "a text")?.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            problems.push(node.problem(error.to_string()));
            None
        }
    }
}

fn raise(fields: &mut Fields<'_>, problems: &mut Vec<Diagnostic>) -> Vec<Raise> {
    let mut raised = Vec::new();
    let Some(node) = fields.take("raise") else {
        return raised;
    };
    let Some(entries) = node.as_mapping() else {
        problems.push(node.problem(format!(
            "found {}, expected rule ids and severities",
            node.describe()
        )));
        return raised;
    };
    for (rule, severity) in entries {
        let Some(text) = severity.text(problems, "a severity") else {
            continue;
        };
        match text.parse() {
            Ok(to) => raised.push(Raise {
                rule: rule.as_str().unwrap_or_default().to_owned(),
                to,
                mark: rule.mark(),
            }),
            Err(error) => problems.push(severity.problem(error.to_string())),
        }
    }
    raised
}

fn each(
    fields: &mut Fields<'_>,
    entity: Option<Entity>,
    problems: &mut Vec<Diagnostic>,
) -> Option<&'static str> {
    let node = fields.take("each")?;
    let text = node.text(problems, "the name of a list")?;
    let lists = entity?
        .fields()
        .iter()
        .filter(|field| matches!(field.ty, Type::List(_)));
    let names: Vec<_> = lists.map(|field| field.name).collect();
    let found = names.iter().find(|name| **name == text).copied();
    if found.is_none() {
        problems.push(node.problem(format!(
            "found `{text}`, expected one of {}",
            names.join(", ")
        )));
    }
    found
}

fn table(
    name: &str,
    entity: Entity,
    each: Option<&'static str>,
    fields: &mut Fields<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Rules> {
    let facts = inputs(entity, each, fields.node(), problems);
    let policy = fields.node().get("hit_policy").and_then(Node::as_str);
    if !matches!(policy, Some("COLLECT" | "C")) {
        let message = "key `hit_policy` must be COLLECT: every row that hits is a violation";
        problems.push(fields.node().problem(message));
    }
    let schema = decision::Schema {
        facts: facts
            .iter()
            .map(|(name, fact)| (name.clone(), fact.ty.clone()))
            .collect(),
        outputs: Some(outputs()),
        open: false,
    };
    let no_files = |file: &str| {
        Err(format!(
            "{file} can't be read here: write the rows into the rules"
        ))
    };
    let table = match Table::from_fields(name, fields, &schema, &no_files) {
        Ok(table) if table.default_outputs().is_some() => {
            problems.push(
                fields
                    .node()
                    .problem("key `default` has no meaning here: no hit is no violation"),
            );
            return None;
        }
        Ok(table) if problems.is_empty() => table,
        Ok(_) => return None,
        Err(more) => {
            problems.extend(more);
            return None;
        }
    };
    let mut rows = Vec::new();
    for row in table.rows() {
        match compiled_row(name, entity, each, row) {
            Ok(row) => rows.push(row),
            Err(message) => problems
                .push(Diagnostic::new(row.mark(), message).in_cell(format!("row {}", row.id()))),
        }
    }
    Some(Rules { table, facts, rows })
}

/// The inputs with the facts they mean, in the table's order.
fn inputs(
    entity: Entity,
    each: Option<&str>,
    node: &Node,
    problems: &mut Vec<Diagnostic>,
) -> Vec<(String, Fact)> {
    let mut facts = Vec::new();
    for input in node
        .get("inputs")
        .and_then(Node::as_sequence)
        .unwrap_or_default()
    {
        let Some(name) = input.as_str() else {
            problems.push(input.problem("expected the name of a fact"));
            continue;
        };
        match facts::resolve(entity, each, name) {
            Some(fact) => facts.push((name.to_owned(), fact)),
            None => problems
                .push(input.problem(format!("no record of entity {entity} has a fact `{name}`"))),
        }
    }
    facts
}

fn outputs() -> Vec<decision::OutputColumn> {
    OUTPUTS
        .into_iter()
        .map(|name| decision::OutputColumn {
            name: name.to_owned(),
            ty: decision::Type::string(),
            values: Vec::new(),
            required: matches!(name, "field" | "severity" | "message"),
        })
        .collect()
}

fn compiled_row(
    set: &str,
    entity: Entity,
    each: Option<&'static str>,
    row: &decision::Row,
) -> Result<Row, String> {
    let text = |name: &str| {
        row.outputs()
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let kind = match text("kind") {
        "" => Kind::Policy,
        kind => kind.parse().map_err(|error| format!("{error}"))?,
    };
    Ok(Row {
        rule: format!("{set}.{}", row.id()),
        field: field_path(entity, each, text("field"))?,
        severity: text("severity")
            .parse()
            .map_err(|error| format!("{error}"))?,
        kind,
        message: text("message").to_owned(),
        standard: text("standard").to_owned(),
    })
}

fn field_path(entity: Entity, each: Option<&'static str>, text: &str) -> Result<Path, String> {
    let path: Path = text.parse().map_err(|error| format!("{error}"))?;
    let within = each.is_some_and(|list| path.is_within(&Path::root(list)));
    let concrete = if within {
        at_element(&path, 0)
    } else {
        path.clone()
    };
    match entity.field_at(&concrete) {
        Some(_) => Ok(path),
        None => Err(format!("no record of entity {entity} has a field `{text}`")),
    }
}
