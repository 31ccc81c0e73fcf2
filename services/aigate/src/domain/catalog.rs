//! The registry and the use cases, read from files and checked as a whole.

use std::collections::BTreeMap;

use approval::Somebody;
use chrono::TimeDelta;
use decision::{
    Diagnostic, OutputColumn, Schema, Table, Type, Value,
    yaml::{self, Fields, Node},
};

use super::{
    is_name,
    model::ModelVersion,
    use_case::{Argument, Execution, Operation, UseCase},
};

/// Kinds of documents that are read; others are somebody else's.
pub const KINDS: [&str; 2] = ["Model", "UseCase"];

/// The longest time a review may take.
const MAX_REVIEW: TimeDelta = TimeDelta::days(30);

/// Facts of its own that a gate table may test.
const CONFIDENCE: &str = "confidence";
const RISK_TIER: &str = "risk_tier";

/// A document of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Path of the file.
    pub path: String,
    /// Line that the document begins on, from 1.
    pub line: usize,
    /// The document.
    pub text: String,
}

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path of the file.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What was found and what was wanted.
    pub message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.path, self.line, self.column, self.message
        )
    }
}

/// All model versions and use cases.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    models: BTreeMap<String, ModelVersion>,
    use_cases: BTreeMap<String, UseCase>,
    aliases: BTreeMap<(String, &'static str), String>,
}

impl Catalog {
    /// Reads all documents.
    ///
    /// # Errors
    /// With every problem found, each with its place.
    pub fn read(sources: &[Source]) -> Result<Self, Vec<Problem>> {
        let mut catalog = Self::default();
        let mut problems = Vec::new();
        for source in sources {
            let mut found = Vec::new();
            catalog.add(source, &mut found);
            problems.extend(found.into_iter().map(|d| source.problem(&d)));
        }
        if problems.is_empty() {
            catalog.check_references(sources, &mut problems);
        }
        if problems.is_empty() {
            Ok(catalog)
        } else {
            Err(problems)
        }
    }

    fn add(&mut self, source: &Source, problems: &mut Vec<Diagnostic>) {
        let documents = match yaml::parse_at(&source.text, source.line) {
            Ok(documents) => documents,
            Err(problem) => return problems.push(problem),
        };
        for node in &documents {
            match node.get("kind").and_then(Node::as_str) {
                Some("Model") => self.add_model(node, problems),
                Some("UseCase") => self.add_use_case(node, problems),
                _ => problems.push(node.problem("kind is none of Model, UseCase")),
            }
        }
    }

    fn add_model(&mut self, node: &Node, problems: &mut Vec<Diagnostic>) {
        let model = match model_of(node) {
            Ok(model) => model,
            Err(problem) => return problems.push(problem),
        };
        if let Some(problem) = model.problem() {
            return problems.push(node.problem(problem));
        }
        for alias in &model.aliases {
            let key = (model.name.clone(), alias.name());
            if let Some(other) = self.aliases.insert(key, model.resource()) {
                problems.push(node.problem(format!("{other} is the {} already", alias.name())));
            }
        }
        let name = model.resource();
        if self.models.insert(name.clone(), model).is_some() {
            problems.push(node.problem(format!("{name} comes twice")));
        }
    }

    fn add_use_case(&mut self, node: &Node, problems: &mut Vec<Diagnostic>) {
        let Some(use_case) = use_case(node, problems) else {
            return;
        };
        let name = use_case.name.clone();
        if self.use_cases.insert(name.clone(), use_case).is_some() {
            problems.push(node.problem(format!("use case {name} comes twice")));
        }
    }

    /// Every use case that a model has a level of autonomy for is there.
    fn check_references(&self, sources: &[Source], problems: &mut Vec<Problem>) {
        for source in sources {
            let nodes = yaml::parse_at(&source.text, source.line).unwrap_or_default();
            let autonomies = nodes
                .iter()
                .filter(|node| node.get("kind").and_then(Node::as_str) == Some("Model"))
                .filter_map(|node| node.get("autonomy")?.as_mapping());
            for (key, _) in autonomies.flatten() {
                let name = key.as_str().unwrap_or_default();
                if !self.use_cases.contains_key(name) {
                    let problem = key.problem(format!("there is no use case {name:?}"));
                    problems.push(source.problem(&problem));
                }
            }
        }
    }

    /// Says whose subjects are meant where models name them without an issuer.
    ///
    /// # Errors
    /// With the model and the subject of which it isn't known.
    pub fn name_issuer(&mut self, issuer: Option<&str>) -> Result<(), String> {
        self.models.iter_mut().try_for_each(|(name, model)| {
            model
                .name_issuer(issuer)
                .map_err(|problem| format!("{name}: {problem}"))
        })
    }

    /// The model version of a resource name, or of an alias.
    #[must_use]
    pub fn model(&self, name: &str) -> Option<&ModelVersion> {
        if let Some(model) = self.models.get(name) {
            return Some(model);
        }
        let (model, alias) = name.strip_prefix("models/")?.split_once("/aliases/")?;
        let alias = ["champion", "challenger"]
            .into_iter()
            .find(|known| *known == alias)?;
        self.models
            .get(self.aliases.get(&(model.to_owned(), alias))?)
    }

    /// The model versions, by name.
    pub fn models(&self) -> impl Iterator<Item = (&str, &ModelVersion)> {
        self.models
            .iter()
            .map(|(name, model)| (name.as_str(), model))
    }

    /// The use case of a name.
    #[must_use]
    pub fn use_case(&self, name: &str) -> Option<&UseCase> {
        self.use_cases.get(name)
    }

    /// Use cases, by name.
    pub fn use_cases(&self) -> impl Iterator<Item = &UseCase> {
        self.use_cases.values()
    }
}

impl Source {
    fn problem(&self, diagnostic: &Diagnostic) -> Problem {
        let cell = diagnostic.cell.as_ref().map(|cell| format!("{cell}: "));
        Problem {
            path: self.path.clone(),
            line: diagnostic.mark.line,
            column: diagnostic.mark.column,
            message: format!("{}{}", cell.unwrap_or_default(), diagnostic.message),
        }
    }
}

fn model_of(node: &Node) -> Result<ModelVersion, Diagnostic> {
    /// The file's form.
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(rename = "kind")]
        _kind: String,
        name: String,
        version: String,
        #[serde(default)]
        description: String,
        artifact_digest: String,
        risk_tier: super::model::RiskTier,
        owner: Somebody,
        subjects: Vec<Somebody>,
        #[serde(default)]
        aliases: Vec<super::model::Alias>,
        autonomy: BTreeMap<String, super::model::Autonomy>,
        #[serde(default)]
        evaluation: BTreeMap<String, String>,
        released: bool,
    }
    let file: File = yaml::from_node(node)?;
    Ok(ModelVersion {
        name: file.name,
        version: file.version,
        description: file.description,
        artifact_digest: file.artifact_digest,
        risk_tier: file.risk_tier,
        owner: file.owner,
        subjects: file.subjects,
        aliases: file.aliases,
        autonomy: file.autonomy,
        evaluation: file.evaluation,
        released: file.released,
    })
}

fn use_case(node: &Node, problems: &mut Vec<Diagnostic>) -> Option<UseCase> {
    let before = problems.len();
    let mut fields = Fields::new(node)
        .map_err(|problem| problems.push(problem))
        .ok()?;
    fields.take("kind");
    fields.text("description", problems);
    let name = fields
        .require("name", problems)?
        .text(problems, "a name")?
        .to_owned();
    if !is_name(&name) {
        problems.push(node.problem("name is not lower-case letters, digits, `_` and `-`"));
    }
    let review_timeout = fields
        .require("review_timeout", problems)
        .and_then(|node| timeout(node, problems));
    let operations = match fields.require("operations", problems) {
        Some(node) => operations(node, problems),
        None => BTreeMap::new(),
    };
    let gate = fields
        .require("gate", problems)
        .and_then(|node| gate(&name, node, problems));
    fields.finish(problems);
    if problems.len() > before {
        return None;
    }
    Some(UseCase {
        name,
        operations,
        review_timeout: review_timeout?,
        gate: gate?,
    })
}

/// `30m`, `4h` or `2d`.
fn timeout(node: &Node, problems: &mut Vec<Diagnostic>) -> Option<TimeDelta> {
    let text = node.text(problems, "a time such as `4h`")?;
    let unit = text.char_indices().last().map_or(0, |(at, _)| at);
    let (number, unit) = text.split_at(unit);
    let time = number.parse::<u32>().ok().filter(|n| *n > 0).and_then(|n| {
        let n = i64::from(n);
        match unit {
            "m" => TimeDelta::try_minutes(n),
            "h" => TimeDelta::try_hours(n),
            "d" => TimeDelta::try_days(n),
            _ => None,
        }
    });
    let time = time.filter(|time| *time <= MAX_REVIEW);
    if time.is_none() {
        problems.push(node.problem(format!("{text:?} is no time of up to 30d such as `4h`")));
    }
    time
}

fn operations(node: &Node, problems: &mut Vec<Diagnostic>) -> BTreeMap<String, Operation> {
    let mut operations = BTreeMap::new();
    for (key, value) in entries(node, problems) {
        let name = key.as_str().unwrap_or_default();
        if !is_name(name) {
            problems.push(key.problem("an operation is lower-case letters, digits, `_` and `-`"));
        }
        if let Some(operation) = operation(name, value, problems) {
            operations.insert(name.to_owned(), operation);
        }
    }
    operations
}

fn entries<'n>(node: &'n Node, problems: &mut Vec<Diagnostic>) -> &'n [(Node, Node)] {
    node.as_mapping().unwrap_or_else(|| {
        problems.push(node.problem(format!("found {}, expected a mapping", node.describe())));
        &[]
    })
}

fn operation(name: &str, node: &Node, problems: &mut Vec<Diagnostic>) -> Option<Operation> {
    let mut fields = Fields::new(node)
        .map_err(|problem| problems.push(problem))
        .ok()?;
    let execution = match (
        fields.text("workflow", problems),
        fields.text("audience", problems),
    ) {
        (Some(workflow), Some(audience)) => Some(Execution { workflow, audience }),
        (None, None) => None,
        _ => {
            problems.push(node.problem("workflow and audience come together, or not at all"));
            None
        }
    };
    let mut arguments = BTreeMap::new();
    if let Some(node) = fields.take("arguments") {
        for (key, value) in entries(node, problems) {
            let name = key.as_str().unwrap_or_default();
            if let Some(argument) = argument(name, value, problems) {
                arguments.insert(name.to_owned(), argument);
            }
        }
    }
    fields.finish(problems);
    Some(Operation {
        name: name.to_owned(),
        execution,
        arguments,
    })
}

/// How the facts that arguments become begin.
const ARGUMENT: &str = "argument.";

fn argument(name: &str, node: &Node, problems: &mut Vec<Diagnostic>) -> Option<Argument> {
    let mut fields = Fields::new(node)
        .map_err(|problem| problems.push(problem))
        .ok()?;
    let ty = Type::take(&mut fields, problems)?;
    let required = match fields.take("required") {
        Some(flag) => flag.boolean(problems)?,
        None => true,
    };
    let fact = fields.text("fact", problems);
    if fact
        .as_ref()
        .is_some_and(|fact| !fact.starts_with(ARGUMENT))
    {
        problems.push(node.problem(format!(
            "the fact of an argument begins with `{ARGUMENT}`: what is recommended is no fact of \
             the document"
        )));
    }
    fields.finish(problems);
    Some(Argument {
        ty,
        required,
        fact: fact.unwrap_or_else(|| format!("{ARGUMENT}{name}")),
    })
}

/// The gate table: its outputs are given, and it declares the facts of documents it tests.
fn gate(name: &str, node: &Node, problems: &mut Vec<Diagnostic>) -> Option<Table> {
    let text = |values: &[&str]| Type::String {
        values: values.iter().map(|v| (*v).to_owned()).collect(),
    };
    let column = |name: &str, ty: Type, values: &[&str], required: bool| OutputColumn {
        name: name.to_owned(),
        ty,
        values: values.iter().map(|v| Value::from(*v)).collect(),
        required,
    };
    let schema = Schema {
        facts: BTreeMap::from([
            (CONFIDENCE.to_owned(), Type::number()),
            (RISK_TIER.to_owned(), text(&["LOW", "MEDIUM", "HIGH"])),
        ]),
        outputs: Some(vec![
            // The strictest first, so that PRIORITY means what the gate means.
            column(
                "verdict",
                text(&["REJECT", "REVIEW", "AUTO"]),
                &["REJECT", "REVIEW", "AUTO"],
                true,
            ),
            column(
                "reviewer_roles",
                Type::List(Box::new(Type::string())),
                &[],
                false,
            ),
            column("reason", Type::string(), &[], false),
        ]),
        open: true,
    };
    let mut fields = Fields::new(node)
        .map_err(|problem| problems.push(problem))
        .ok()?;
    let no_files = |_: &str| Err("a gate table has its rows in the file".to_owned());
    let table = Table::from_fields(name, &mut fields, &schema, &no_files);
    fields.finish(problems);
    match table {
        Ok(table) => Some(table),
        Err(found) => {
            problems.extend(found);
            None
        }
    }
}

/// What a gate table is told beside the facts of the document.
#[must_use]
pub fn own_facts(confidence: decision::Number, risk_tier: &str) -> [(&'static str, Value); 2] {
    [
        (CONFIDENCE, Value::Number(confidence)),
        (RISK_TIER, Value::from(risk_tier)),
    ]
}
