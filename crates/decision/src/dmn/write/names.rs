//! Identifiers of elements: XML names, each once in a file.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Model;

/// The identifiers that are given already.
#[derive(Default)]
pub(super) struct Ids {
    by_name: BTreeMap<String, String>,
    taken: BTreeSet<String>,
}

impl Ids {
    pub(super) fn new(model: &Model) -> Self {
        let mut ids = Self::default();
        let inputs = model.inputs.iter().map(|input| ("input", &input.name));
        let functions = model.functions.iter().map(|f| ("function", &f.name));
        let decisions = model.decisions.iter().map(|d| ("decision", &d.name));
        for (kind, name) in inputs.chain(functions).chain(decisions) {
            let id = ids.fresh(&format!("{kind}_{}", slug(name)));
            ids.by_name.insert(name.clone(), id);
        }
        ids
    }

    /// The identifier of an input, function or decision.
    pub(super) fn of(&self, name: &str) -> String {
        self.by_name.get(name).cloned().unwrap_or_default()
    }

    /// An identifier that nothing has yet.
    pub(super) fn fresh(&mut self, wanted: &str) -> String {
        let mut id = wanted.to_owned();
        let mut count = 1;
        while !self.taken.insert(id.clone()) {
            count += 1;
            id = format!("{wanted}_{count}");
        }
        id
    }

    /// The text itself where it can be an identifier that nothing has yet.
    pub(super) fn as_it_is(&mut self, text: &str) -> Option<String> {
        let fits = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
        (fits && self.taken.insert(text.to_owned())).then(|| text.to_owned())
    }
}

/// Letters, digits and underscores of a name.
pub(super) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.ends_with('_') {
            slug.push('_');
        }
    }
    slug.trim_matches('_').to_owned()
}
