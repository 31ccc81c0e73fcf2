//! A document of kind `RecordMapping` to a [`Mapping`].

use std::collections::BTreeMap;

use decision::{
    Diagnostic,
    yaml::{Fields, Node},
};
use regex::{Regex, RegexBuilder};

use super::{
    super::{
        catalog,
        path::Path,
        schema::{Entity, Form, Type},
    },
    Currency, Mapping, Otherwise, Source, Steps, Target, convert, example,
};

/// At most this many target fields, ignored fields, and entries of a map.
const MAX_ENTRIES: usize = 500;
/// Compiled patterns are at most this large, in bytes.
const MAX_PATTERN: usize = 64 * 1024;

impl Mapping {
    /// Compiles a document and runs its examples.
    ///
    /// # Errors
    /// With every problem and its place.
    pub fn compile(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut fields = Fields::new(node).map_err(|problem| vec![problem])?;
        fields.take("kind");
        fields.take("description");
        let name = catalog::name(&mut fields, &mut problems);
        let entity = fields.require("entity", &mut problems).and_then(|node| {
            match node.text(&mut problems, "an entity")?.parse::<Entity>() {
                Ok(entity) => Some(entity),
                Err(error) => {
                    problems.push(node.problem(error.to_string()));
                    None
                }
            }
        });
        let csv_header = header(&mut fields, &mut problems);
        let mut blank = fields.texts("blank", &mut problems);
        blank.push(String::new());
        let ignored = fields.texts("ignored", &mut problems).into_iter().collect();
        let targets = fields.require("fields", &mut problems);
        let examples = fields.require("examples", &mut problems);
        fields.finish(&mut problems);
        let (Some(name), Some(entity), Some(targets), Some(examples)) =
            (name, entity, targets, examples)
        else {
            return Err(problems);
        };
        let targets = all_targets(entity, targets, &mut problems);
        let mapping = Self {
            name,
            entity,
            csv_header,
            blank,
            ignored,
            targets,
        };
        if problems.is_empty() {
            mapping.check_header(node, &mut problems);
            example::run_all(&mapping, examples, &mut problems);
        }
        if problems.is_empty() {
            Ok(mapping)
        } else {
            Err(problems)
        }
    }

    /// Every column of the header must be mapped or ignored, and every column that is
    /// named must be in it.
    fn check_header(&self, node: &Node, problems: &mut Vec<Diagnostic>) {
        if self.csv_header.is_empty() {
            return;
        }
        for column in &self.csv_header {
            if !self.takes(column) && !self.ignored.contains(column) {
                problems.push(node.problem(format!(
                    "column `{column}` of csv_header is neither mapped nor ignored"
                )));
            }
        }
        for target in &self.targets {
            let Source::Columns(columns) = &target.source else {
                continue;
            };
            for column in columns
                .iter()
                .filter(|column| !self.csv_header.contains(column))
            {
                problems.push(node.problem(format!(
                    "{}: column `{column}` isn't in csv_header",
                    target.path
                )));
            }
        }
    }
}

fn header(fields: &mut Fields<'_>, problems: &mut Vec<Diagnostic>) -> Vec<String> {
    let Some(node) = fields.take("match") else {
        return Vec::new();
    };
    match Fields::new(node) {
        Ok(mut inner) => {
            let header = inner.texts("csv_header", problems);
            inner.finish(problems);
            header
        }
        Err(problem) => {
            problems.push(problem);
            Vec::new()
        }
    }
}

fn all_targets(entity: Entity, node: &Node, problems: &mut Vec<Diagnostic>) -> Vec<Target> {
    let Some(entries) = node.as_mapping() else {
        problems.push(node.problem(format!(
            "found {}, expected canonical fields",
            node.describe()
        )));
        return Vec::new();
    };
    if entries.is_empty() || entries.len() > MAX_ENTRIES {
        problems.push(node.problem(format!(
            "found {} fields, expected 1 to {MAX_ENTRIES}",
            entries.len()
        )));
        return Vec::new();
    }
    entries
        .iter()
        .filter_map(|(key, value)| target(entity, key, value, problems))
        .collect()
}

fn target(
    entity: Entity,
    key: &Node,
    node: &Node,
    problems: &mut Vec<Diagnostic>,
) -> Option<Target> {
    let text = key.as_str().unwrap_or_default();
    let path: Path = match text.parse() {
        Ok(path) => path,
        Err(error) => {
            problems.push(key.problem(format!("{error}")));
            return None;
        }
    };
    let ty = match entity.field_at(&path).map(|field| field.ty) {
        // one of several texts is a text
        Some(Type::Texts(max)) if path.ends_in_index() => Type::Text(Form::Free, max),
        Some(
            ty @ (Type::Text(..) | Type::Texts(_) | Type::Boolean | Type::Number | Type::Money),
        ) => ty,
        Some(Type::List(_)) => {
            problems.push(key.problem(format!(
                "`{text}` is a list, expected a field of one element, such as `{text}[0].…`"
            )));
            return None;
        }
        None => {
            problems
                .push(key.problem(format!("no record of entity {entity} has a field `{text}`")));
            return None;
        }
    };
    let mut fields = match Fields::new(node) {
        Ok(fields) => fields,
        Err(problem) => {
            problems.push(problem);
            return None;
        }
    };
    let source = source(&mut fields, problems);
    let steps = steps(&mut fields, ty, problems);
    fields.finish(problems);
    let target = Target {
        path,
        ty,
        source: source?,
        steps: steps?,
    };
    if let Source::Const(text) = &target.source
        && convert::constant(&target, text).is_none()
    {
        problems.push(node.problem(format!("constant `{text}` doesn't fit `{}`", target.path)));
    }
    Some(target)
}

fn source(fields: &mut Fields<'_>, problems: &mut Vec<Diagnostic>) -> Option<Source> {
    let node = fields.node();
    let constant = fields.text("const", problems);
    let column = fields.text("column", problems);
    let first = fields.texts("first", problems);
    match (constant, column, first.is_empty()) {
        (Some(text), None, true) => Some(Source::Const(text)),
        (None, Some(column), true) => Some(Source::Columns(vec![column])),
        (None, None, false) => Some(Source::Columns(first)),
        _ => {
            problems.push(node.problem("expected one of `column`, `first` and `const`"));
            None
        }
    }
}

fn steps(fields: &mut Fields<'_>, ty: Type, problems: &mut Vec<Diagnostic>) -> Option<Steps> {
    let flag = |fields: &mut Fields<'_>, key, default, problems: &mut Vec<_>| match fields.take(key)
    {
        None => Some(default),
        Some(node) => node.boolean(problems),
    };
    let trim = flag(fields, "trim", true, problems)?;
    let country = flag(fields, "country", false, problems)?;
    let map = map(fields, problems);
    let otherwise = otherwise(fields, map.is_some(), problems)?;
    let split = fields.text("split", problems);
    let pattern = pattern(fields, problems);
    let node = fields.node();
    let currency = match (
        fields.text("currency", problems),
        fields.text("currency_column", problems),
    ) {
        (None, None) => Currency::None,
        (Some(code), None) => Currency::Const(code),
        (None, Some(column)) => Currency::Column(column),
        (Some(_), Some(_)) => {
            problems.push(node.problem("expected `currency` or `currency_column`, not both"));
            return None;
        }
    };
    if !matches!(currency, Currency::None) && !matches!(ty, Type::Money) {
        problems.push(node.problem("a currency stands at fields that hold money only"));
    }
    if let Currency::Const(code) = &currency
        && identifiers::currency::check(code).is_err()
    {
        problems.push(node.problem(format!("`{code}` is no ISO 4217 code")));
    }
    if split.as_deref() == Some("") || (split.is_some() && !matches!(ty, Type::Texts(_))) {
        problems
            .push(node.problem("`split` needs a separator, and a field that holds several texts"));
    }
    Some(Steps {
        trim,
        map,
        otherwise,
        country,
        split,
        pattern,
        currency,
    })
}

fn map(
    fields: &mut Fields<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<BTreeMap<String, String>> {
    let node = fields.take("map")?;
    let Some(entries) = node
        .as_mapping()
        .filter(|entries| entries.len() <= MAX_ENTRIES)
    else {
        problems.push(node.problem(format!(
            "expected a mapping of at most {MAX_ENTRIES} texts to texts"
        )));
        return None;
    };
    let mut map = BTreeMap::new();
    for (from, to) in entries {
        if let (Some(from), Some(to)) = (from.as_str(), to.text(problems, "a text")) {
            map.insert(from.to_owned(), to.to_owned());
        }
    }
    Some(map)
}

fn otherwise(
    fields: &mut Fields<'_>,
    mapped: bool,
    problems: &mut Vec<Diagnostic>,
) -> Option<Otherwise> {
    let Some(node) = fields.take("otherwise") else {
        return Some(Otherwise::Refuse);
    };
    let found = match node.as_str() {
        Some("refuse") => Some(Otherwise::Refuse),
        Some("keep") => Some(Otherwise::Keep),
        Some("drop") => Some(Otherwise::Drop),
        _ => None,
    };
    if found.is_none() || !mapped {
        problems.push(node.problem("`otherwise` is refuse, keep or drop, and stands beside `map`"));
    }
    found
}

fn pattern(fields: &mut Fields<'_>, problems: &mut Vec<Diagnostic>) -> Option<Regex> {
    let node = fields.take("pattern")?;
    let text = node.text(problems, "a regular expression")?;
    match RegexBuilder::new(text).size_limit(MAX_PATTERN).build() {
        Ok(regex) => Some(regex),
        Err(error) => {
            problems
                .push(node.problem(format!("no regular expression: {error}").replace('\n', " ")));
            None
        }
    }
}
