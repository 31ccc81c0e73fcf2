//! Boxed expressions.

use std::collections::HashSet;

use roxmltree::Node as Element;

use super::{
    items::Items,
    source::{Source, mapping, named, scalar},
    table,
};
use crate::{
    limits,
    yaml::{Kind, Node},
};

/// What expressions are written in: FEEL by the names that versions of DMN give it.
const LANGUAGES: [&str; 8] = [
    "feel",
    "http://www.omg.org/spec/FEEL/20140401",
    "http://www.omg.org/spec/DMN/20180521/FEEL/",
    "https://www.omg.org/spec/DMN/20191111/FEEL/",
    "https://www.omg.org/spec/DMN/20211108/FEEL/",
    "https://www.omg.org/spec/DMN/20230324/FEEL/",
    "https://www.omg.org/spec/DMN/20240513/FEEL/",
    "s-feel",
];

/// The elements that are expressions, whether supported or not.
const EXPRESSIONS: [&str; 12] = [
    "literalExpression",
    "decisionTable",
    "invocation",
    "context",
    "functionDefinition",
    "list",
    "relation",
    "conditional",
    "filter",
    "for",
    "every",
    "some",
];

pub(super) fn is_expression(source: &Source<'_>, element: Element<'_, '_>) -> bool {
    source
        .name(element)
        .is_some_and(|name| EXPRESSIONS.contains(&name))
}

/// Refuses expressions in another language.
pub(super) fn check_language(source: &mut Source<'_>, element: Element<'_, '_>) {
    if let Some(language) = element.attribute("expressionLanguage")
        && !language.is_empty()
        && !LANGUAGES.contains(&language.to_ascii_lowercase().as_str())
        && !LANGUAGES.contains(&language)
    {
        source.refuse(
            element,
            format!("expressions in `{language}` aren't supported, only FEEL"),
        );
    }
}

/// Reads an expression as the entry of a mapping that says its kind. `name` is what its
/// value is called, for tables whose output has no name.
pub(super) fn read<'x>(
    source: &mut Source<'x>,
    items: &Items,
    element: Element<'_, 'x>,
    name: &str,
    depth: usize,
) -> Option<(Node, Node)> {
    if depth > limits::VALUE_DEPTH {
        source.refuse(element, "expressions nest too deeply");
        return None;
    }
    let mark = source.mark(element);
    let (key, node) = match source.name(element)? {
        "literalExpression" => ("expression", literal(source, element)?),
        "decisionTable" => ("table", table::read(source, items, element, name)),
        "context" => ("context", context(source, items, element, depth)),
        "invocation" => ("invocation", invocation(source, items, element, depth)?),
        "functionDefinition" => (
            "function",
            mapping_of(mark, function(source, items, element, name, depth)),
        ),
        "list" => {
            let children = source.children(element);
            let children = children.into_iter();
            let found: Vec<Node> = children
                .filter_map(|child| operand(source, items, child, name, depth))
                .collect();
            ("list", Node::new(mark, Kind::Sequence(found)))
        }
        "relation" => ("relation", relation(source, items, element, depth)),
        "conditional" => (
            "conditional",
            conditional(source, items, element, name, depth),
        ),
        other => {
            source.refuse(element, format!("boxed `{other}` isn't supported"));
            return None;
        }
    };
    Some((scalar(mark, key), node))
}

fn mapping_of(mark: crate::diagnostic::Mark, entries: Vec<(Node, Node)>) -> Node {
    Node::new(mark, Kind::Mapping(entries))
}

fn literal<'x>(source: &mut Source<'x>, element: Element<'_, 'x>) -> Option<Node> {
    check_language(source, element);
    for child in source.children(element) {
        match source.name(child) {
            Some("text") => {}
            Some("description") => {
                source.note(child, "the description of an expression is left out")
            }
            Some(other) => {
                source.refuse(child, format!("`{other}` isn't supported in an expression"))
            }
            None => {}
        }
    }
    let text = source.child_text(element, "text");
    if text.is_none() {
        source.refuse(element, "expression has no text");
    }
    text
}

/// An expression within another one: a mapping of one entry.
fn operand<'x>(
    source: &mut Source<'x>,
    items: &Items,
    element: Element<'_, 'x>,
    name: &str,
    depth: usize,
) -> Option<Node> {
    if source.is(element, "description") {
        source.note(element, "the description of an expression is left out");
        return None;
    }
    if !is_expression(source, element) {
        source.refuse(
            element,
            format!(
                "found `{}`, expected an expression",
                element.tag_name().name()
            ),
        );
        return None;
    }
    let entry = read(source, items, element, name, depth + 1)?;
    Some(mapping_of(source.mark(element), vec![entry]))
}

fn context<'x>(
    source: &mut Source<'x>,
    items: &Items,
    element: Element<'_, 'x>,
    depth: usize,
) -> Node {
    let mark = source.mark(element);
    let mut entries = Vec::new();
    for child in source.children(element) {
        match source.name(child) {
            Some("contextEntry") => {
                let place = source.mark(child);
                let (mut variable, mut logic) = (Vec::new(), None);
                let name = source
                    .child(child, "variable")
                    .and_then(|v| source.attribute(v, "name"));
                let called = name
                    .as_ref()
                    .and_then(Node::as_str)
                    .unwrap_or("result")
                    .to_owned();
                for part in source.children(child) {
                    if source.is(part, "variable") {
                        let reference = source.attribute(part, "typeRef");
                        variable = items.of_reference(source, part, reference.as_ref());
                    } else if is_expression(source, part) {
                        logic = read(source, items, part, &called, depth + 1);
                    } else if !source.is(part, "description") {
                        let found = part.tag_name().name();
                        source.refuse(part, format!("`{found}` isn't supported in a context"));
                    }
                }
                let mut entry: Vec<_> = name
                    .map(|name| (scalar(place, "name"), name))
                    .into_iter()
                    .collect();
                entry.extend(variable);
                match logic {
                    Some(logic) => entry.push(logic),
                    None => source.refuse(child, "context entry has no expression"),
                }
                entries.push(mapping_of(place, entry));
            }
            Some("description") => {}
            Some(other) => source.refuse(child, format!("`{other}` isn't supported in a context")),
            None => {}
        }
    }
    Node::new(mark, Kind::Sequence(entries))
}

fn invocation<'x>(
    source: &mut Source<'x>,
    items: &Items,
    element: Element<'_, 'x>,
    depth: usize,
) -> Option<Node> {
    let mark = source.mark(element);
    let mut function = None;
    let mut bindings: Vec<(Node, Node)> = Vec::new();
    let mut bound = HashSet::new();
    for child in source.children(element) {
        match source.name(child) {
            Some("literalExpression") => function = literal(source, child),
            Some("binding") => {
                let parameter = source.child(child, "parameter");
                let Some(name) = parameter.and_then(|p| source.attribute(p, "name")) else {
                    source.refuse(child, "binding has no parameter with a name");
                    continue;
                };
                let called = name.as_str().unwrap_or_default().to_owned();
                if !bound.insert(called.clone()) {
                    source.refuse(child, "parameter is bound twice");
                    continue;
                }
                let value = source
                    .children(child)
                    .into_iter()
                    .find(|part| is_expression(source, *part));
                // A parameter that is bound to nothing is null.
                let value = match value {
                    Some(part) => operand(source, items, part, &called, depth)?,
                    None => scalar(source.mark(child), "null"),
                };
                bindings.push((name, value));
            }
            Some("description") => {}
            Some(other) => source.refuse(child, format!("`{other}` can't be invoked")),
            None => {}
        }
    }
    if function.is_none() {
        source.refuse(element, "invocation names no function");
    }
    Some(mapping(
        mark,
        [
            ("function", Some(function?)),
            ("with", named(mark, bindings)),
        ],
    ))
}

/// The parameters and the body of a function, as entries of a mapping.
pub(super) fn function<'x>(
    source: &mut Source<'x>,
    items: &Items,
    element: Element<'_, 'x>,
    name: &str,
    depth: usize,
) -> Vec<(Node, Node)> {
    let mark = source.mark(element);
    if let Some(kind) = element.attribute("kind")
        && !kind.is_empty()
        && kind != "FEEL"
    {
        source.refuse(
            element,
            format!("functions of kind `{kind}` aren't supported, only FEEL"),
        );
        return Vec::new();
    }
    let mut parameters: Vec<(Node, Node)> = Vec::new();
    let mut known = HashSet::new();
    let mut body = None;
    for child in source.children(element) {
        if source.is(child, "formalParameter") {
            let Some(name) = source.attribute(child, "name") else {
                source.refuse(child, "parameter has no name");
                continue;
            };
            if !known.insert(name.as_str().unwrap_or_default().to_owned()) {
                source.refuse(child, "parameter stands twice");
                continue;
            }
            let reference = source.attribute(child, "typeRef");
            let mut declared = items.of_reference(source, child, reference.as_ref());
            let place = source.mark(child);
            let description = source.child_text(child, "description");
            declared.extend(description.map(|text| (scalar(place, "description"), text)));
            parameters.push((name, mapping_of(place, declared)));
        } else if is_expression(source, child) {
            body = read(source, items, child, name, depth + 1);
        } else if !source.is(child, "description") {
            let found = child.tag_name().name();
            source.refuse(child, format!("`{found}` isn't supported in a function"));
        }
    }
    let mut entries = vec![(
        scalar(mark, "parameters"),
        Node::new(mark, Kind::Mapping(parameters)),
    )];
    entries.extend(body);
    entries
}

fn relation<'x>(
    source: &mut Source<'x>,
    items: &Items,
    element: Element<'_, 'x>,
    depth: usize,
) -> Node {
    let mark = source.mark(element);
    let mut columns: Vec<Node> = Vec::new();
    let mut rows = Vec::new();
    for child in source.children(element) {
        match source.name(child) {
            Some("column") => match source.attribute(child, "name") {
                Some(name) => columns.push(name),
                None => source.refuse(child, "column has no name"),
            },
            Some("row") => {
                let cells = source.children(child);
                let cells: Vec<Node> = cells
                    .into_iter()
                    .filter_map(|cell| operand(source, items, cell, "result", depth))
                    .collect();
                rows.push(Node::new(source.mark(child), Kind::Sequence(cells)));
            }
            Some("description") => {}
            Some(other) => source.refuse(child, format!("`{other}` isn't supported in a relation")),
            None => {}
        }
    }
    mapping(
        mark,
        [
            ("columns", Some(Node::new(mark, Kind::Sequence(columns)))),
            ("rows", Some(Node::new(mark, Kind::Sequence(rows)))),
        ],
    )
}

fn conditional<'x>(
    source: &mut Source<'x>,
    items: &Items,
    element: Element<'_, 'x>,
    name: &str,
    depth: usize,
) -> Node {
    let mark = source.mark(element);
    let mut part = |which: &str| {
        let branch = source.child(element, which)?;
        let inner = source.children(branch).into_iter().next()?;
        operand(source, items, inner, name, depth)
    };
    let (condition, then, otherwise) = (part("if"), part("then"), part("else"));
    mapping(
        mark,
        [("if", condition), ("then", then), ("else", otherwise)],
    )
}
