//! Reading the keys of a mapping, strictly.

use std::sync::Arc;

use decision::yaml::{Fields, Node};

use super::{Diagnostic, Document, MAX_TEXT, NAME_RULE, is_name, relocate};
use crate::Scope;

/// Reads the keys of a mapping, gathering what is wrong.
pub(super) struct Reader<'a> {
    pub(super) document: &'a Document<'a>,
    pub(super) node: &'a Node,
    pub(super) fields: Fields<'a>,
    pub(super) errors: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(document: &'a Document<'a>, node: &'a Node) -> Result<Self, Vec<Diagnostic>> {
        let fields = Fields::new(node).map_err(|d| vec![relocate(document.source, d)])?;
        Ok(Self {
            document,
            node,
            fields,
            errors: Vec::new(),
        })
    }

    pub(super) fn fail(&mut self, node: &Node, message: impl Into<String>) {
        self.errors.push(self.document.error(node, message));
    }

    /// A key that must be there; reported where it isn't.
    pub(super) fn required(&mut self, key: &'static str) -> Option<&'a Node> {
        let found = self.fields.take(key);
        if found.is_none() {
            self.fail(self.node, format!("{key} is missing"));
        }
        found
    }

    pub(super) fn string(&mut self, key: &'static str, node: &'a Node) -> Option<&'a str> {
        let found = node
            .as_str()
            .filter(|text| !text.is_empty() && text.len() <= MAX_TEXT);
        if found.is_none() {
            self.fail(
                node,
                format!("{key}: expected a text of 1 to {MAX_TEXT} bytes"),
            );
        }
        found
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<&'a str> {
        let node = self.required(key)?;
        self.string(key, node)
    }

    pub(super) fn optional_text(&mut self, key: &'static str) -> Option<&'a str> {
        let node = self.fields.take(key)?;
        self.string(key, node)
    }

    pub(super) fn name(&mut self, key: &'static str) -> Option<(&'a Node, Arc<str>)> {
        let node = self.required(key)?;
        match node.as_str() {
            Some(text) if is_name(text) => Some((node, text.into())),
            _ => {
                self.fail(node, format!("{key}: {NAME_RULE}"));
                None
            }
        }
    }

    pub(super) fn scope(&mut self, key: &'static str) -> Option<(&'a Node, Scope)> {
        let node = self.required(key)?;
        match Scope::parse(node.as_str().unwrap_or_default()) {
            Ok(scope) => Some((node, scope)),
            Err(error) => {
                self.fail(node, format!("{key}: {error}"));
                None
            }
        }
    }

    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        node: &Node,
        names: &[(&str, T)],
    ) -> Option<T> {
        let text = node.as_str().unwrap_or_default();
        let found = names.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let known: Vec<_> = names.iter().map(|(name, _)| *name).collect();
            self.fail(
                node,
                format!("{key}: found {text:?}, expected {}", known.join(" or ")),
            );
        }
        found.map(|(_, value)| *value)
    }

    pub(super) fn one_of<T: Copy>(&mut self, key: &'static str, names: &[(&str, T)]) -> Option<T> {
        let node = self.required(key)?;
        self.choice(key, node, names)
    }

    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        match self.fields.take(key) {
            None => default,
            Some(node) => self
                .choice(key, node, &[("true", true), ("false", false)])
                .unwrap_or(default),
        }
    }

    /// The entries of a mapping from names to nodes.
    pub(super) fn entries(
        &mut self,
        key: &'static str,
        node: &'a Node,
        most: usize,
    ) -> Vec<(&'a str, &'a Node)> {
        match node.as_mapping() {
            Some(entries) if entries.len() <= most => entries
                .iter()
                .map(|(name, value)| (name.as_str().unwrap_or_default(), value))
                .collect(),
            _ => {
                self.fail(
                    node,
                    format!("{key}: expected a mapping of at most {most} entries"),
                );
                Vec::new()
            }
        }
    }

    pub(super) fn items(&mut self, key: &'static str, most: usize) -> &'a [Node] {
        let Some(node) = self.fields.take(key) else {
            return &[];
        };
        match node.as_sequence() {
            Some(items) if items.len() <= most => items,
            _ => {
                self.fail(
                    node,
                    format!("{key}: expected a list of at most {most} items"),
                );
                &[]
            }
        }
    }

    pub(super) fn texts(&mut self, key: &'static str, most: usize) -> Vec<String> {
        let items = self.items(key, most);
        items
            .iter()
            .filter_map(|node| self.string(key, node))
            .map(str::to_owned)
            .collect()
    }

    /// Several of a list, each at most once.
    pub(super) fn choices<T: Copy + PartialEq>(
        &mut self,
        key: &'static str,
        names: &[(&str, T)],
    ) -> Vec<T> {
        let mut chosen = Vec::new();
        for node in self.items(key, names.len()) {
            match self.choice(key, node, names) {
                Some(value) if chosen.contains(&value) => {
                    self.fail(node, format!("{key}: {} twice", node.describe()));
                }
                value => chosen.extend(value),
            }
        }
        chosen
    }

    /// Reports keys that nobody took, and gives back what is wrong.
    pub(super) fn finish(self) -> Result<(), Vec<Diagnostic>> {
        let mut unknown = Vec::new();
        self.fields.finish(&mut unknown);
        let mut errors = self.errors;
        errors.extend(
            unknown
                .into_iter()
                .map(|d| relocate(self.document.source, d)),
        );
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}
