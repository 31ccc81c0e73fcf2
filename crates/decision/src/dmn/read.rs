//! From a file to a model.

use std::collections::{HashMap, HashSet};

use roxmltree::Node as Element;

use super::{
    EXTENSIONS, Import, TABLE, boxed,
    items::Items,
    source::{self, NAMESPACES, Source, named, scalar, sequence},
    undeclared::Undeclared,
};
use crate::{
    diagnostic::{Diagnostic, settle},
    limits,
    model::Model,
    yaml::{Kind, Node},
};

/// Reads a DMN file.
///
/// # Errors
/// With everything that can't be carried over, in the order of the text.
pub fn read(text: &str) -> Result<Import, Vec<Diagnostic>> {
    let text = text.trim_start_matches('\u{feff}');
    let document = source::parse(text).map_err(|problem| vec![problem])?;
    let root = document.root_element();
    let mut source = Source::new(text, namespace(root).map_err(|problem| vec![problem])?);
    let node = definitions(&mut source, root);
    if !source.problems.is_empty() {
        return Err(settle(source.problems));
    }
    let no_files = |name: &str| Err(format!("there is no file {name} beside a DMN file"));
    match Model::from_node(&node, &no_files) {
        Ok(model) => {
            let table = match root.attribute((EXTENSIONS, "form")) {
                Some(TABLE) => Some(model.to_table(says(root, "nameless"))?),
                _ => None,
            };
            Ok(Import {
                model,
                table,
                notes: settle(source.notes),
            })
        }
        Err(problems) => {
            let problems = problems.into_iter().map(|problem| source.settle(problem));
            Err(settle(problems.collect()))
        }
    }
}

/// The namespace that the file's elements are in.
fn namespace<'e>(root: Element<'e, '_>) -> Result<&'e str, Diagnostic> {
    let tag = root.tag_name();
    let refuse = |message: String| Err(Diagnostic::new(crate::diagnostic::Mark::START, message));
    if tag.name() != "definitions" {
        return refuse(format!(
            "found `{}`, expected DMN's `definitions`",
            tag.name()
        ));
    }
    // Some tools declare DMN's namespace and then leave the elements in one of their own.
    let declared = root
        .namespaces()
        .any(|known| NAMESPACES.contains(&known.uri()));
    match tag.namespace() {
        Some(found) if NAMESPACES.contains(&found) || declared => Ok(found),
        Some(found) => refuse(format!("`{found}` is no namespace of DMN 1.1 to 1.6")),
        None => refuse("the elements are in no namespace, expected one of DMN's".to_owned()),
    }
}

/// Whether the project says this of an element.
fn says(element: Element<'_, '_>, attribute: &str) -> bool {
    element.attribute((EXTENSIONS, attribute)) == Some("true")
}

/// What other elements refer to by their identifier.
struct Referable {
    name: String,
    kind: &'static str,
}

type Ids = HashMap<String, Referable>;

/// Elements that decide nothing.
const SILENT: [&str; 9] = [
    "knowledgeSource",
    "textAnnotation",
    "association",
    "group",
    "artifact",
    "elementCollection",
    "performanceIndicator",
    "organizationUnit",
    "businessContextElement",
];

fn definitions<'x>(source: &mut Source<'x>, root: Element<'_, 'x>) -> Node {
    boxed::check_language(source, root);
    let children = source.children(root);
    let ids = referable(source, &children);
    let of = |source: &Source<'x>, name: &str| -> Vec<Element<'_, 'x>> {
        children
            .iter()
            .copied()
            .filter(|child| source.is(*child, name))
            .collect()
    };
    let definitions = of(source, "itemDefinition");
    let (items, types) = Items::read(source, &definitions);
    let (mut inputs, mut functions, mut decisions) = (Vec::new(), Vec::new(), Vec::new());
    let names = children.iter().filter_map(|child| called(source, *child));
    let mut undeclared = Undeclared::new(names);
    for child in &children {
        let Some(kind) = source.name(*child) else {
            continue;
        };
        match kind {
            "itemDefinition" | "description" => {}
            "inputData" => inputs.extend(input(source, &items, *child)),
            "businessKnowledgeModel" => functions.extend(function(source, &items, &ids, *child)),
            "decision" => {
                let found = undeclared.read(source, &items, *child);
                decisions.extend(decision(source, &items, &ids, *child, found));
            }
            "import" => source.refuse(*child, "imports of other models aren't supported"),
            "decisionService" => source.refuse(*child, "decision services aren't supported"),
            other if SILENT.contains(&other) => {
                source.note(*child, format!("`{other}` decides nothing and is left out"));
            }
            other => source.refuse(*child, format!("`{other}` isn't supported")),
        }
    }
    inputs.extend(undeclared.inputs);
    let mark = source.mark(root);
    let namespace = source.attribute(root, "namespace");
    let namespace = namespace.filter(|_| !says(root, "unnamed"));
    let name = source.attribute(root, "name");
    let name = name.filter(|_| !says(root, "nameless"));
    source::mapping(
        mark,
        [
            ("kind", Some(scalar(mark, "DecisionModel"))),
            ("name", name),
            ("namespace", namespace),
            ("description", source.child_text(root, "description")),
            ("types", types),
            ("inputs", named(mark, inputs)),
            ("functions", named(mark, functions)),
            ("decisions", Some(Node::new(mark, Kind::Mapping(decisions)))),
        ],
    )
}

/// All elements that requirements point at. Names must differ, since expressions use them.
fn referable<'x>(source: &mut Source<'x>, children: &[Element<'_, 'x>]) -> Ids {
    let mut ids = Ids::new();
    let mut names: HashSet<String> = HashSet::new();
    for child in children {
        let kind = match source.name(*child) {
            Some("inputData") => "input",
            Some("decision") => "decision",
            Some("businessKnowledgeModel") => "function",
            _ => continue,
        };
        let Some(name) = called(source, *child) else {
            source.refuse(*child, format!("{kind} has no name"));
            continue;
        };
        let name = name.as_str().unwrap_or_default().to_owned();
        if let Some(own) = child.attribute("name").filter(|own| !same_name(own, &name)) {
            let own: String = own.chars().take(limits::NAME_BYTES).collect();
            let message = format!("{kind} `{own}` is called `{name}` here, as its variable is");
            source.note(*child, message);
        }
        if !names.insert(name.clone()) {
            source.refuse(*child, format!("name `{name}` stands twice"));
        }
        if let Some(id) = child.attribute("id") {
            ids.insert(id.to_owned(), Referable { name, kind });
        }
    }
    ids
}

/// What expressions call an element: by the name of its variable, where it has one.
fn called<'x>(source: &Source<'x>, element: Element<'_, 'x>) -> Option<Node> {
    let variable = match source.name(element) {
        Some("inputData" | "decision") => source.child(element, "variable"),
        _ => None,
    };
    let own = source.attribute(element, "name")?;
    let name = variable.and_then(|variable| source.attribute(variable, "name"));
    Some(name.unwrap_or(own))
}

/// Whether two names differ in space alone.
fn same_name(a: &str, b: &str) -> bool {
    a.split_whitespace().eq(b.split_whitespace())
}

/// The keys that a variable gives: its type.
fn variable<'x>(
    source: &mut Source<'x>,
    items: &Items,
    element: Element<'_, 'x>,
) -> Vec<(Node, Node)> {
    let Some(variable) = source.child(element, "variable") else {
        return Vec::new();
    };
    let reference = source.attribute(variable, "typeRef");
    items.of_reference(source, variable, reference.as_ref())
}

fn input<'x>(
    source: &mut Source<'x>,
    items: &Items,
    element: Element<'_, 'x>,
) -> Option<(Node, Node)> {
    let name = called(source, element)?;
    let mut entries = variable(source, items, element);
    for child in source.children(element) {
        if !source.is(child, "variable") && !source.is(child, "description") {
            let found = child.tag_name().name();
            source.refuse(child, format!("`{found}` isn't supported in an input"));
        }
    }
    let mark = source.mark(element);
    let description = source.child_text(element, "description");
    entries.extend(description.map(|text| (scalar(mark, "description"), text)));
    Some((name, Node::new(mark, Kind::Mapping(entries))))
}

fn function<'x>(
    source: &mut Source<'x>,
    items: &Items,
    ids: &Ids,
    element: Element<'_, 'x>,
) -> Option<(Node, Node)> {
    let name = source.attribute(element, "name")?;
    let called = name.as_str().unwrap_or_default().to_owned();
    let mark = source.mark(element);
    let mut entries = Vec::new();
    let mut requires = Vec::new();
    for child in source.children(element) {
        match source.name(child) {
            Some("encapsulatedLogic") => {
                entries.extend(boxed::function(source, items, child, &called, 0));
                let reference = source.attribute(child, "typeRef");
                entries.extend(items.of_reference(source, child, reference.as_ref()));
            }
            Some("knowledgeRequirement") => {
                requires.extend(requirement(source, ids, child, "requiredKnowledge"));
            }
            Some("authorityRequirement") => {
                source.note(child, "authority requirements are left out")
            }
            // Its type is that of a function, in files of some tools that of the result.
            Some("variable" | "description") => {}
            Some(other) => {
                source.refuse(
                    child,
                    format!("`{other}` isn't supported in business knowledge"),
                );
            }
            None => {}
        }
    }
    let description = source.child_text(element, "description");
    entries.extend(description.map(|text| (scalar(mark, "description"), text)));
    let requires =
        sequence(mark, requires).unwrap_or_else(|| Node::new(mark, Kind::Sequence(Vec::new())));
    entries.push((scalar(mark, "requires"), requires));
    Some((name, Node::new(mark, Kind::Mapping(entries))))
}

/// What a decision says of its organisation, which decides nothing.
const ORGANISATION: [&str; 7] = [
    "supportedObjective",
    "impactedPerformanceIndicator",
    "decisionMaker",
    "decisionOwner",
    "usingProcess",
    "usingTask",
    "authorityRequirement",
];

fn decision<'x>(
    source: &mut Source<'x>,
    items: &Items,
    ids: &Ids,
    element: Element<'_, 'x>,
    undeclared: Vec<Node>,
) -> Option<(Node, Node)> {
    let name = called(source, element)?;
    let called = name.as_str().unwrap_or_default().to_owned();
    let mark = source.mark(element);
    let mut entries = variable(source, items, element);
    let mut requires = undeclared;
    let mut logic = None;
    for child in source.children(element) {
        match source.name(child) {
            Some("variable" | "description" | "question" | "allowedAnswers") => {}
            Some("informationRequirement") => {
                requires.extend(requirement(source, ids, child, "requiredDecision"));
                requires.extend(requirement(source, ids, child, "requiredInput"));
            }
            Some("knowledgeRequirement") => {
                requires.extend(requirement(source, ids, child, "requiredKnowledge"));
            }
            Some(other) if ORGANISATION.contains(&other) => {
                source.note(child, format!("`{other}` decides nothing and is left out"));
            }
            Some(_) if boxed::is_expression(source, child) => {
                logic = boxed::read(source, items, child, &called, 0);
            }
            Some(other) => source.refuse(child, format!("`{other}` isn't supported in a decision")),
            None => {}
        }
    }
    for (key, tag) in [
        ("description", "description"),
        ("question", "question"),
        ("allowed_answers", "allowedAnswers"),
    ] {
        let text = source.child_text(element, tag);
        entries.extend(text.map(|text| (scalar(mark, key), text)));
    }
    entries.push((
        scalar(mark, "requires"),
        Node::new(mark, Kind::Sequence(requires)),
    ));
    entries.extend(logic);
    Some((name, Node::new(mark, Kind::Mapping(entries))))
}

/// The name of what a requirement points at.
fn requirement<'x>(
    source: &mut Source<'x>,
    ids: &Ids,
    element: Element<'_, 'x>,
    kind: &str,
) -> Option<Node> {
    let target = source.child(element, kind)?;
    let href = target.attribute("href").unwrap_or_default();
    let (model, id) = href.split_once('#').unwrap_or(("", href));
    let own = target.document().root_element().attribute("namespace");
    let found = ids
        .get(id)
        .filter(|_| model.is_empty() || Some(model) == own);
    let wanted = match kind {
        "requiredDecision" => "decision",
        "requiredInput" => "input",
        _ => "function",
    };
    match found {
        Some(found) if found.kind == wanted => Some(scalar(source.mark(target), &found.name)),
        _ => {
            let shown: String = href.chars().take(limits::NAME_BYTES).collect();
            source.refuse(target, format!("`{shown}` is no {wanted} of this model"));
            None
        }
    }
}
