//! Item definitions and references to types.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashSet},
};

use roxmltree::Node as Element;

use super::{
    EXTENSIONS,
    source::{Source, mapping, named, scalar},
};
use crate::{
    limits,
    types::is_built_in,
    yaml::{Kind, Node},
};

/// The item definitions of a model.
pub(super) struct Items {
    /// What stands in place of a name: for definitions that the exporter made of types
    /// without one.
    inline: BTreeMap<String, Node>,
    names: HashSet<String>,
    /// What definitions are called here whose names are those of built-in types.
    renamed: BTreeMap<String, String>,
    /// How many nodes were made by putting definitions in place of their names.
    copied: Cell<usize>,
}

impl Items {
    /// Reads all definitions; the named ones as the `types` of the model.
    pub(super) fn read<'x>(
        source: &mut Source<'x>,
        elements: &[Element<'_, 'x>],
    ) -> (Self, Option<Node>) {
        let mut items = Self {
            inline: BTreeMap::new(),
            names: HashSet::new(),
            renamed: BTreeMap::new(),
            copied: Cell::new(0),
        };
        for element in elements {
            let Some(name) = source.attribute(*element, "name") else {
                source.refuse(*element, "item definition has no name");
                continue;
            };
            let name = name.as_str().unwrap_or_default().to_owned();
            if !items.names.insert(name.clone()) {
                source.refuse(*element, format!("item definition `{name}` stands twice"));
            }
        }
        for element in elements {
            items.rename(source, *element);
        }
        let mut types = Vec::new();
        for element in elements {
            let Some(name) = source.attribute(*element, "name") else {
                continue;
            };
            let node = items.declaration(source, *element);
            if element.attribute((EXTENSIONS, "inline")) == Some("true") {
                let name = name.as_str().unwrap_or_default().to_owned();
                items.inline.insert(name, node);
            } else {
                let name = scalar(name.mark(), items.called(name.as_str().unwrap_or_default()));
                types.push((name, node));
            }
        }
        // A definition that the exporter made may refer to another one.
        let inline = items.inline.clone();
        for (_, node) in &mut types {
            *node = substitute(node, &inline, &items.copied, 0);
        }
        for node in items.inline.values_mut() {
            *node = substitute(node, &inline, &items.copied, 0);
        }
        let mark = elements.first().map(|first| source.mark(*first));
        if let Some(first) = elements.first().filter(|_| items.is_exhausted()) {
            source.refuse(*first, UNFOLDED);
        }
        (items, mark.and_then(|mark| named(mark, types)))
    }

    fn is_exhausted(&self) -> bool {
        self.copied.get() > limits::ALL_TYPE_PARTS
    }

    /// Gives a definition that is called as a built-in type a name of its own.
    fn rename<'x>(&mut self, source: &mut Source<'x>, element: Element<'_, 'x>) {
        let name = element.attribute("name").unwrap_or_default();
        if !is_built_in(name) {
            return;
        }
        let mut own = format!("{name} type");
        while self.names.contains(&own) {
            own.push_str(" type");
        }
        let message = format!("type `{name}` is called `{own}`, since `{name}` is built in here");
        source.note(element, message);
        self.renamed.insert(name.to_owned(), own);
    }

    /// What a definition is called here.
    fn called<'n>(&'n self, name: &'n str) -> &'n str {
        self.renamed.get(name).map_or(name, String::as_str)
    }

    /// What a definition or component declares.
    fn declaration<'x>(&self, source: &mut Source<'x>, element: Element<'_, 'x>) -> Node {
        let mark = source.mark(element);
        let mut components: Vec<(Node, Node)> = Vec::new();
        let mut parts = HashSet::new();
        let mut allowed = None;
        let mut base = None;
        for child in source.children(element) {
            match source.name(child) {
                Some("itemComponent") => {
                    let Some(name) = source.attribute(child, "name") else {
                        source.refuse(child, "item component has no name");
                        continue;
                    };
                    if !parts.insert(name.as_str().unwrap_or_default().to_owned()) {
                        source.refuse(child, "item component stands twice");
                        continue;
                    }
                    let component = self.declaration(source, child);
                    components.push((name, component));
                }
                Some("typeRef") => base = source.text_of(child),
                Some("allowedValues" | "typeConstraint") => {
                    if source.is(child, "typeConstraint") && is_collection(element) {
                        source.refuse(child, "constraints on a whole collection aren't supported");
                        continue;
                    }
                    let text = source.child_text(child, "text");
                    match (&allowed, text) {
                        (None, text) => allowed = text,
                        // Both would have to hold, which one test can't say in general.
                        (Some(first), Some(second)) if first.as_str() != second.as_str() => {
                            let message =
                                "found a second constraint on the values of a type, wanted one";
                            source.refuse(child, message);
                        }
                        _ => {}
                    }
                }
                Some("description") => {}
                Some(other) => source.refuse(child, format!("`{other}` isn't supported in a type")),
                None => {}
            }
        }
        let description = source.child_text(element, "description");
        let extension = |name: &str| {
            let value = element.attribute((EXTENSIONS, name))?;
            Some(scalar(mark, value))
        };
        let (ty, components) = if components.is_empty() {
            let ty = extension("type").or_else(|| {
                base.as_ref()
                    .and_then(|base| self.resolve(source, element, base))
            });
            (ty, None)
        } else {
            if let Some(base) = &base {
                let message = format!(
                    "found `{}` beside components",
                    base.as_str().unwrap_or_default()
                );
                source.refuse(element, message);
            }
            (Some(scalar(mark, "context")), named(mark, components))
        };
        let declared = mapping(
            mark,
            [
                ("type", ty.or_else(|| Some(scalar(mark, "any")))),
                ("currency", extension("currency")),
                ("unit", extension("unit")),
                ("components", components),
                ("allowed", allowed),
            ],
        );
        if !is_collection(element) {
            return with(declared, "description", description);
        }
        mapping(
            mark,
            [
                ("type", Some(scalar(mark, "list"))),
                ("of", Some(shortened(declared))),
                ("description", description),
            ],
        )
    }

    /// The declaration of a variable, parameter or column: the keys that say its type.
    pub(super) fn of_reference(
        &self,
        source: &mut Source<'_>,
        element: Element<'_, '_>,
        reference: Option<&Node>,
    ) -> Vec<(Node, Node)> {
        let Some(reference) = reference else {
            return Vec::new();
        };
        let name = reference.as_str().unwrap_or_default();
        if let Some(node) = self.inline.get(strip(element, name)) {
            self.copied
                .set(self.copied.get().saturating_add(size(node)));
            if self.is_exhausted() {
                source.refuse(element, UNFOLDED);
                return Vec::new();
            }
            return node.as_mapping().unwrap_or_default().to_vec();
        }
        match self.resolve(source, element, reference) {
            Some(ty) => vec![(scalar(reference.mark(), "type"), ty)],
            None => Vec::new(),
        }
    }

    /// The name of a type in the project's own form.
    fn resolve(
        &self,
        source: &mut Source<'_>,
        element: Element<'_, '_>,
        reference: &Node,
    ) -> Option<Node> {
        let written = reference.as_str().unwrap_or_default();
        for name in [written, strip(element, written)] {
            if self.names.contains(name) {
                return Some(scalar(reference.mark(), self.called(name)));
            }
        }
        let name = strip(element, written);
        let Some(own) = built_in(name) else {
            source.problems.push(reference.problem(format!(
                "type `{written}` is neither defined here nor built in"
            )));
            return None;
        };
        Some(scalar(reference.mark(), own))
    }
}

fn is_collection(element: Element<'_, '_>) -> bool {
    matches!(element.attribute("isCollection"), Some("true" | "1"))
}

/// A name without a prefix that stands for a namespace.
fn strip<'n>(element: Element<'_, '_>, name: &'n str) -> &'n str {
    match name.split_once(':') {
        Some((prefix, local))
            if matches!(prefix, "feel" | "tns")
                || element.lookup_namespace_uri(Some(prefix)).is_some() =>
        {
            local.trim()
        }
        _ => name,
    }
}

/// FEEL's types by all names that versions and tools give them.
fn built_in(name: &str) -> Option<&'static str> {
    Some(match name {
        "string" => "string",
        "number" | "integer" | "long" | "double" | "decimal" => "number",
        "boolean" => "boolean",
        "date" => "date",
        "time" => "time",
        "date and time" | "dateTime" | "date_time" => "any date and time",
        "days and time duration" | "dayTimeDuration" | "days_and_time_duration" => {
            "days and time duration"
        }
        "years and months duration" | "yearMonthDuration" | "years_and_months_duration" => {
            "years and months duration"
        }
        "Any" | "any" => "any",
        "context" => "context",
        "list" => "list",
        _ => return None,
    })
}

/// A declaration of nothing but a type, by its name alone.
fn shortened(node: Node) -> Node {
    match node.as_mapping() {
        Some([(_, ty)]) => ty.clone(),
        _ => node,
    }
}

fn with(node: Node, key: &'static str, value: Option<Node>) -> Node {
    let (Some(value), Some(entries)) = (value, node.as_mapping()) else {
        return node;
    };
    let mut entries = entries.to_vec();
    entries.push((scalar(node.mark(), key), value));
    Node::new(node.mark(), Kind::Mapping(entries))
}

/// Why definitions can't be put in place of their names.
const UNFOLDED: &str = "definitions without a name of their own unfold to too many parts";

/// How many nodes a tree has.
fn size(node: &Node) -> usize {
    1 + match node.kind() {
        Kind::Scalar(..) => 0,
        Kind::Sequence(items) => items.iter().map(size).sum(),
        Kind::Mapping(entries) => entries.iter().map(|(_, value)| 1 + size(value)).sum(),
    }
}

/// A declaration with the definitions that the exporter made put in place of their names.
fn substitute(
    node: &Node,
    inline: &BTreeMap<String, Node>,
    copied: &Cell<usize>,
    depth: usize,
) -> Node {
    copied.set(copied.get() + 1);
    let named = |node: &Node| node.as_str().and_then(|name| inline.get(name));
    let within = |node: &Node| substitute(node, inline, copied, depth + 1);
    let kind = match node.kind() {
        // Definitions that refer to each other in a ring stay names, which are then unknown.
        _ if depth > limits::VALUE_DEPTH || copied.get() > limits::ALL_TYPE_PARTS => {
            return node.clone();
        }
        Kind::Mapping(entries) => {
            let mut found = Vec::new();
            for (key, value) in entries {
                match (key.as_str(), named(value)) {
                    (Some("of"), Some(node)) => found.push((key.clone(), within(node))),
                    (Some("type"), Some(node)) => {
                        found.extend(within(node).into_mapping());
                    }
                    (Some("of" | "components"), None) => found.push((key.clone(), within(value))),
                    _ if value.as_mapping().is_some() => found.push((key.clone(), within(value))),
                    _ => found.push((key.clone(), value.clone())),
                }
            }
            Kind::Mapping(found)
        }
        other => other.clone(),
    };
    Node::new(node.mark(), kind)
}
