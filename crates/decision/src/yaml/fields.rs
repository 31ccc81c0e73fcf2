//! Reading a mapping key by key, so that no key goes unread.

use super::Node;
use crate::diagnostic::{Diagnostic, full};

/// A mapping whose keys are taken one by one; what nobody took is unknown.
#[derive(Debug)]
pub struct Fields<'n> {
    node: &'n Node,
    taken: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// Starts on a mapping.
    ///
    /// # Errors
    /// If the node is none.
    pub fn new(node: &'n Node) -> Result<Self, Diagnostic> {
        match node.as_mapping() {
            Some(_) => Ok(Self {
                node,
                taken: Vec::new(),
            }),
            None => Err(node.problem(format!("found {}, expected a mapping", node.describe()))),
        }
    }

    /// The mapping itself.
    #[must_use]
    pub fn node(&self) -> &'n Node {
        self.node
    }

    /// The value of a key, which counts as known from now on.
    pub fn take(&mut self, key: &'static str) -> Option<&'n Node> {
        if !self.taken.contains(&key) {
            self.taken.push(key);
        }
        self.node.get(key)
    }

    /// The value of a key that must be there.
    pub fn require(
        &mut self,
        key: &'static str,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<&'n Node> {
        let node = self.take(key);
        if node.is_none() {
            problems.push(self.node.problem(format!("key `{key}` is missing")));
        }
        node
    }

    /// The text of an optional key.
    pub fn text(&mut self, key: &'static str, problems: &mut Vec<Diagnostic>) -> Option<String> {
        self.take(key)?.text(problems, "a text").map(str::to_owned)
    }

    /// The text of an optional key that is for people, without space around it; `None` where
    /// nothing is left. Every form of a file holds such texts alike.
    pub fn note(&mut self, key: &'static str, problems: &mut Vec<Diagnostic>) -> Option<String> {
        let text = self.take(key)?.text(problems, "a text")?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The texts of an optional sequence; empty where the key is absent.
    pub fn texts(&mut self, key: &'static str, problems: &mut Vec<Diagnostic>) -> Vec<String> {
        let Some(node) = self.take(key) else {
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in node.items(problems, "a sequence of texts") {
            if full(problems) {
                break;
            }
            texts.extend(item.text(problems, "a text").map(str::to_owned));
        }
        texts
    }

    /// Reports every key that nobody took.
    pub fn finish(self, problems: &mut Vec<Diagnostic>) {
        for (key, _) in self.node.as_mapping().unwrap_or_default() {
            let name = key.as_str().unwrap_or_default();
            if full(problems) {
                break;
            }
            if !self.taken.contains(&name) {
                let known = self.taken.join(", ");
                problems
                    .push(key.problem(format!("unknown key `{name}`, expected one of {known}")));
            }
        }
    }
}
