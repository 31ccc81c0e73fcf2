//! The YAML form of a model.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Decision, Declaration, Definitions, Function, InputData, Lambda, Model, Visible, canonical,
    graph, logic::Reader,
};
use crate::{
    diagnostic::{Diagnostic, Mark, full, settle},
    limits,
    sfeel::{Entries, is_name_part},
    table::{Loader, collapsed, name_problem},
    yaml::{self, Fields, Kind, Node},
};

/// What `kind` says of a model.
pub(crate) const KIND: &str = "DecisionModel";

impl Model {
    /// Reads a model that is a file by itself, of one YAML document.
    ///
    /// # Errors
    /// With all problems found, in the order of the text.
    pub fn from_yaml(text: &str, loader: &Loader<'_>) -> Result<Self, Vec<Diagnostic>> {
        let documents = yaml::parse(text).map_err(|problem| vec![problem])?;
        match documents.as_slice() {
            [document] => Self::from_node(document, loader),
            [_, second, ..] => Err(vec![second.problem("expected one document in this file")]),
            [] => Err(vec![Diagnostic::new(
                Mark::START,
                "found nothing, expected a decision model",
            )]),
        }
    }

    /// Reads a mapping that is a model.
    ///
    /// # Errors
    /// With all problems found, in the order of the text.
    pub fn from_node(node: &Node, loader: &Loader<'_>) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        match read(node, loader, &mut problems) {
            Some(mut model) if problems.is_empty() => {
                model.digest = canonical::digest(&model);
                Ok(model)
            }
            _ => Err(settle(problems)),
        }
    }

    /// Whether a document says that it is a model.
    #[must_use]
    pub fn is_model(node: &Node) -> bool {
        node.get("kind").and_then(Node::as_str) == Some(KIND)
    }
}

/// A function or decision whose logic isn't read yet.
struct Draft<'n> {
    name: &'n Node,
    fields: Fields<'n>,
    declared: Declaration,
    parameters: Vec<(String, Declaration)>,
    requires: Option<Vec<&'n Node>>,
}

fn read(node: &Node, loader: &Loader<'_>, problems: &mut Vec<Diagnostic>) -> Option<Model> {
    let mut fields = Fields::new(node)
        .map_err(|problem| problems.push(problem))
        .ok()?;
    match fields.take("kind").map(|kind| (kind, kind.as_str())) {
        None | Some((_, Some(KIND))) => {}
        Some((kind, _)) => {
            problems.push(kind.problem(format!("found {}, expected {KIND}", kind.describe())));
        }
    }
    let name = fields.note("name", problems);
    let name = name.map_or_else(String::new, |name| collapsed(&name));
    let namespace = fields.note("namespace", problems);
    let namespace = namespace.map(|namespace| collapsed(&namespace));
    let description = fields.note("description", problems);
    if let Some(problem) = too_many(node) {
        problems.push(problem);
        return None;
    }
    let (mut definitions, types) = Definitions::read(fields.take("types"), problems);
    let inputs = take_inputs(fields.take("inputs"), &mut definitions, problems);
    let functions = take_drafts(fields.take("functions"), true, &mut definitions, problems);
    let decisions = fields.require("decisions", problems);
    let decisions = take_drafts(decisions, false, &mut definitions, problems);
    fields.finish(problems);

    let names = Globals::new(&inputs, &functions, &decisions, problems);
    let mut reader = Reader {
        definitions: &mut definitions,
        loader,
        problems,
        used: BTreeSet::new(),
        seen: 0,
    };
    let functions = functions.into_iter();
    let functions: Vec<_> = functions
        .filter_map(|draft| names.function(draft, &mut reader))
        .collect();
    let decisions = decisions.into_iter();
    let decisions: Vec<_> = decisions
        .filter_map(|draft| names.decision(draft, &mut reader))
        .collect();
    let model = Model {
        name,
        namespace,
        description,
        types,
        inputs,
        functions,
        decisions,
        order: Vec::new(),
        digest: String::new(),
    };
    let order = graph::order(&model)
        .map_err(|problem| problems.push(problem))
        .ok()?;
    Some(Model { order, ..model })
}

/// Whether a model has more of anything than is allowed, which is known before it is read.
fn too_many(node: &Node) -> Option<Diagnostic> {
    let count = |key: &str| {
        node.get(key)
            .and_then(Node::as_mapping)
            .map_or(0, <[_]>::len)
    };
    let elements = ["inputs", "functions", "decisions"].map(count).iter().sum();
    let most = limits::ELEMENTS;
    let found = [
        (elements, "inputs, functions and decisions"),
        (count("types"), "types"),
    ];
    let (count, what) = found.into_iter().find(|(count, _)| *count > most)?;
    Some(node.problem(format!("found {count} {what}, at most {most} are allowed")))
}

fn take_inputs(
    node: Option<&Node>,
    definitions: &mut Definitions<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<InputData> {
    let mut inputs = Vec::new();
    for (key, value) in node.map_or(&[][..], |node| entries(node, problems)) {
        let declared = match value.is_null() {
            true => Some(Declaration::any()),
            false => definitions.whole(value, problems),
        };
        if let (true, Some(mut declared)) = (check_name(key, problems), declared) {
            inputs.push(InputData {
                name: key.as_str().unwrap_or_default().to_owned(),
                description: declared.description.take(),
                declared,
            });
        }
    }
    inputs
}

fn take_drafts<'n>(
    node: Option<&'n Node>,
    functions: bool,
    definitions: &mut Definitions<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Draft<'n>> {
    let mut drafts = Vec::new();
    for (name, value) in node.map_or(&[][..], |node| entries(node, problems)) {
        let fields = Fields::new(value).map_err(|problem| problems.push(problem));
        let (true, Ok(mut fields)) = (check_name(name, problems), fields) else {
            continue;
        };
        let declared = definitions.take(&mut fields, problems);
        let parameters = match fields.take("parameters") {
            Some(node) if functions => take_parameters(node, definitions, problems),
            Some(node) => {
                problems.push(node.problem("only a function has parameters"));
                Vec::new()
            }
            None => Vec::new(),
        };
        let requires = fields.take("requires");
        let requires = requires.map(|node| node.items(problems, "a sequence of names"));
        if let Some(declared) = declared {
            drafts.push(Draft {
                name,
                fields,
                declared,
                parameters,
                requires: requires.map(|items| items.iter().collect()),
            });
        }
    }
    drafts
}

pub(super) fn take_parameters(
    node: &Node,
    definitions: &mut Definitions<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<(String, Declaration)> {
    let mut parameters = Vec::new();
    let entries = entries(node, problems);
    if entries.len() > limits::COLUMNS {
        let (count, most) = (entries.len(), limits::COLUMNS);
        let message = format!("found {count} parameters, at most {most} are allowed");
        problems.push(node.problem(message));
        return parameters;
    }
    for (key, value) in entries {
        let declared = match value.is_null() {
            true => Some(Declaration::any()),
            false => definitions.whole(value, problems),
        };
        if let (true, Some(declared)) = (check_name(key, problems), declared) {
            parameters.push((key.as_str().unwrap_or_default().to_owned(), declared));
        }
    }
    parameters
}

/// What a model declares for its logic to use.
struct Globals {
    /// Inputs and decisions, with their types.
    values: BTreeMap<String, crate::types::Type>,
    functions: BTreeSet<String>,
    /// The names of both by the first word in them; those without one by the empty word.
    by_word: BTreeMap<String, Vec<String>>,
    /// The names of all that the values are structured into.
    entries: Entries,
}

impl Globals {
    fn new(
        inputs: &[InputData],
        functions: &[Draft<'_>],
        decisions: &[Draft<'_>],
        problems: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut globals = Self {
            values: BTreeMap::new(),
            functions: BTreeSet::new(),
            by_word: BTreeMap::new(),
            entries: Entries::default(),
        };
        for input in inputs {
            let ty = input.declared.ty.clone();
            globals.values.insert(input.name.clone(), ty);
        }
        for draft in functions.iter().chain(decisions) {
            let name = draft.name.as_str().unwrap_or_default();
            if globals.values.contains_key(name) || globals.functions.contains(name) {
                let message = format!("`{name}` is the name of something else already");
                problems.push(draft.name.problem(message));
            }
            if functions
                .iter()
                .any(|function| std::ptr::eq(function, draft))
            {
                globals.functions.insert(name.to_owned());
            } else {
                let ty = draft.declared.ty.clone();
                globals.values.insert(name.to_owned(), ty);
            }
        }
        globals.entries = Entries::of(globals.values.values());
        for name in globals.values.keys().chain(&globals.functions) {
            let word = words(name).next().unwrap_or_default().to_owned();
            globals.by_word.entry(word).or_default().push(name.clone());
        }
        globals
    }

    /// The names that may stand in a text: those whose first word does. All others needn't be
    /// known to read it, and a large model has many.
    fn within(&self, node: &Node) -> Vec<&str> {
        let mut found = BTreeSet::from([""]);
        let whole = !texts(node, &mut |text| {
            let known = words(text).filter_map(|word| self.by_word.get_key_value(word));
            found.extend(known.map(|(word, _)| word.as_str()));
        });
        let by_word = self.by_word.iter();
        let names = by_word.filter(|(word, _)| whole || found.contains(word.as_str()));
        names
            .flat_map(|(_, names)| names)
            .map(String::as_str)
            .collect()
    }

    /// What a function or decision may name: what it requires, or everything where it doesn't
    /// say. A function sees no inputs and decisions, they are given to it; itself it sees
    /// without requiring it.
    fn visible(&self, draft: &Draft<'_>, reader: &mut Reader<'_, '_>) -> Visible {
        let mut visible = Visible::default();
        let own = draft.name.as_str().unwrap_or_default();
        if let Some(requires) = &draft.requires {
            for node in requires {
                let name = node.as_str().unwrap_or_default();
                match self.values.get(name) {
                    Some(ty) => visible.add(name, ty),
                    None if self.functions.contains(name) => visible.add_function(name),
                    None => {
                        let message = format!("{} is nothing of this model", node.describe());
                        reader.problems.push(node.problem(message));
                    }
                }
            }
            return visible;
        }
        for name in self.within(draft.fields.node()) {
            match self.values.get(name) {
                _ if name == own => {}
                Some(ty) => visible.add(name, ty),
                None => visible.add_function(name),
            }
        }
        visible.with_entries(self.entries.clone())
    }

    fn function(&self, mut draft: Draft<'_>, reader: &mut Reader<'_, '_>) -> Option<Function> {
        if full(reader.problems) {
            return None;
        }
        let mut visible = self.visible(&draft, reader).functions_only();
        let name = draft.name.as_str().unwrap_or_default().to_owned();
        visible.add_function(&name);
        for (name, declared) in &draft.parameters {
            visible.add_local(name, &declared.ty);
        }
        let (description, body, requires) = common(&mut draft, &visible, &name, reader);
        draft.fields.finish(reader.problems);
        Some(Function {
            name,
            declared: draft.declared,
            description,
            requires,
            lambda: Lambda {
                parameters: draft.parameters,
                body,
            },
            mark: draft.name.mark(),
        })
    }

    fn decision(&self, mut draft: Draft<'_>, reader: &mut Reader<'_, '_>) -> Option<Decision> {
        if full(reader.problems) {
            return None;
        }
        let visible = self.visible(&draft, reader);
        let name = draft.name.as_str().unwrap_or_default().to_owned();
        let question = draft.fields.note("question", reader.problems);
        let allowed_answers = draft.fields.note("allowed_answers", reader.problems);
        let (description, logic, requires) = common(&mut draft, &visible, &name, reader);
        draft.fields.finish(reader.problems);
        Some(Decision {
            name,
            declared: draft.declared,
            description,
            question,
            allowed_answers,
            requires,
            logic,
            mark: draft.name.mark(),
        })
    }
}

/// What functions and decisions have alike: a description, logic, and what they require.
fn common(
    draft: &mut Draft<'_>,
    visible: &Visible,
    name: &str,
    reader: &mut Reader<'_, '_>,
) -> (Option<String>, Option<super::Logic>, Vec<String>) {
    let description = draft.fields.note("description", reader.problems);
    reader.used.clear();
    let logic = reader.logic(&mut draft.fields, visible, name);
    let mut requires = std::mem::take(&mut reader.used);
    // A function that calls itself is recursive; only what is said to be required makes a ring.
    requires.remove(name);
    let declared = draft.requires.iter().flatten();
    requires.extend(declared.filter_map(|node| node.as_str().map(str::to_owned)));
    (description, logic, requires.into_iter().collect())
}

/// The words of a text: what isn't told apart by space or symbols.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_name_part(c))
        .filter(|word| !word.is_empty())
}

/// Visits every text, unless more of them stand in a file beside this one: then it is false.
fn texts<'n>(node: &'n Node, visit: &mut dyn FnMut(&'n str)) -> bool {
    match node.kind() {
        Kind::Scalar(text, _) => {
            visit(text);
            true
        }
        Kind::Sequence(items) => items.iter().all(|item| texts(item, visit)),
        Kind::Mapping(entries) => entries.iter().all(|(key, value)| {
            visit(key.as_str().unwrap_or_default());
            key.as_str() != Some("rows_csv") && texts(value, visit)
        }),
    }
}

/// The entries of a mapping; a problem where the node is none.
pub(super) fn entries<'n>(node: &'n Node, problems: &mut Vec<Diagnostic>) -> &'n [(Node, Node)] {
    if node.is_null() {
        return &[];
    }
    node.as_mapping().unwrap_or_else(|| {
        problems.push(node.problem(format!("found {}, expected a mapping", node.describe())));
        &[]
    })
}

/// Whether a key can be a name: DMN's names may hold spaces and most other characters.
pub(super) fn check_name(key: &Node, problems: &mut Vec<Diagnostic>) -> bool {
    let problem = name_problem(key.as_str().unwrap_or_default());
    if let Some(reason) = problem {
        problems.push(key.problem(format!("{} can't be a name: {reason}", key.describe())));
    }
    problem.is_none()
}
