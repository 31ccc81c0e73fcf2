//! Inputs that a file declares only by the types of its tables' input expressions, as files
//! of some tools do.

use std::collections::HashMap;

use roxmltree::Node as Element;

use super::{
    items::Items,
    source::{Source, scalar},
};
use crate::yaml::{Kind, Node};

/// What is declared, and what was found beside.
pub(super) struct Undeclared {
    /// The names of all elements, and those found with their types.
    names: HashMap<String, Option<String>>,
    /// The inputs found, by name.
    pub(super) inputs: Vec<(Node, Node)>,
}

impl Undeclared {
    /// Beside elements of these names.
    pub(super) fn new(names: impl Iterator<Item = Node>) -> Self {
        let names = names.filter_map(|name| Some((name.as_str()?.to_owned(), None)));
        Self {
            names: names.collect(),
            inputs: Vec::new(),
        }
    }

    /// Declares the names that the inputs of a decision's table are, where they have a type
    /// and nothing else is called so. Gives those that the decision uses.
    pub(super) fn read<'x>(
        &mut self,
        source: &mut Source<'x>,
        items: &Items,
        decision: Element<'_, 'x>,
    ) -> Vec<Node> {
        let mut used: Vec<Node> = Vec::new();
        let Some(table) = source.child(decision, "decisionTable") else {
            return used;
        };
        let inputs: Vec<_> = table
            .children()
            .filter(|c| source.is(*c, "input"))
            .collect();
        for input in inputs {
            let Some(expression) = source.child(input, "inputExpression") else {
                continue;
            };
            let reference = source.attribute(expression, "typeRef");
            let text = source.child_text(expression, "text");
            let (Some(reference), Some(text)) = (reference, text) else {
                continue;
            };
            let name = text.as_str().unwrap_or_default().to_owned();
            let ty = reference.as_str().unwrap_or_default();
            if !is_plain(&name) {
                continue;
            }
            match self.names.get(&name) {
                // What stands in the file must be required there.
                Some(None) => continue,
                Some(Some(other)) if other != ty => {
                    let message = format!("`{name}` is `{ty}` here, and `{other}` before");
                    source.refuse(expression, message);
                    continue;
                }
                Some(Some(_)) => {}
                None => {
                    let message =
                        format!("`{name}` is no input data of the file; it becomes an input");
                    source.note(expression, message);
                    let entries = items.of_reference(source, expression, Some(&reference));
                    let declared = Node::new(text.mark(), Kind::Mapping(entries));
                    self.inputs.push((scalar(text.mark(), &name), declared));
                    self.names.insert(name.clone(), Some(ty.to_owned()));
                }
            }
            if !used.iter().any(|known| known.as_str() == Some(&name)) {
                used.push(scalar(text.mark(), &name));
            }
        }
        used
    }
}

/// Whether a text is a name of letters, digits and single spaces, and no constant.
fn is_plain(text: &str) -> bool {
    let mut words = text.split(' ');
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && words
            .all(|word| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_'))
        && !matches!(text, "true" | "false" | "null")
}
