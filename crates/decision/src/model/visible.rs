//! What an expression of a model may name.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    sfeel::{Entries, Mode, Names},
    table::Language,
    types::Type,
};

/// The names that are visible at a place, and where they come from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visible {
    pub(crate) types: BTreeMap<String, Type>,
    functions: BTreeSet<String>,
    /// Names of inputs, decisions and functions of the model, by the names that lead there:
    /// a structure's entries are names of their own.
    origins: BTreeMap<String, String>,
    /// Entries beside those of what is visible.
    entries: Entries,
}

impl Visible {
    /// Adds an input or decision of the model.
    pub(crate) fn add(&mut self, name: &str, ty: &Type) {
        for name in self.bind(name, ty) {
            let origin = name.1;
            self.origins.insert(name.0, origin);
        }
    }

    /// Adds a name that only holds within: an entry or a parameter. It hides one of the model.
    pub(crate) fn add_local(&mut self, name: &str, ty: &Type) {
        self.hide(name);
        self.bind(name, ty);
    }

    pub(crate) fn add_function(&mut self, name: &str) {
        self.functions.insert(name.to_owned());
        self.origins.insert(name.to_owned(), name.to_owned());
    }

    pub(crate) fn add_local_function(&mut self, name: &str) {
        self.hide(name);
        self.functions.insert(name.to_owned());
    }

    /// Only the functions.
    pub(crate) fn functions_only(&self) -> Self {
        let functions = self.functions.clone();
        let origins = self.origins.iter();
        Self {
            types: BTreeMap::new(),
            origins: origins
                .filter(|(name, _)| functions.contains(*name))
                .map(|(name, origin)| (name.clone(), origin.clone()))
                .collect(),
            functions,
            entries: self.entries.clone(),
        }
    }

    /// With more names of entries.
    pub(crate) fn with_entries(self, entries: Entries) -> Self {
        Self { entries, ..self }
    }

    /// How many names there are.
    pub(crate) fn count(&self) -> usize {
        self.types.len() + self.functions.len()
    }

    pub(crate) fn has_function(&self, name: &str) -> bool {
        self.functions.contains(name)
    }

    /// The element of the model that a name leads to; `None` for one that is bound within.
    pub(crate) fn origin(&self, name: &str) -> Option<&str> {
        self.origins.get(name).map(String::as_str)
    }

    fn hide(&mut self, name: &str) {
        let entry = format!("{name}.");
        let hidden = |known: &str| known == name || known.starts_with(&entry);
        self.types.retain(|known, _| !hidden(known));
        self.origins.retain(|known, _| !hidden(known));
        self.functions.remove(name);
    }

    /// Binds a name and, where it is a structure, the paths to its entries.
    fn bind(&mut self, name: &str, ty: &Type) -> Vec<(String, String)> {
        let mut bound = Vec::new();
        let mut open = vec![(name.to_owned(), ty)];
        while let Some((path, ty)) = open.pop() {
            if let Type::Structure(fields) = ty {
                let fields = fields.iter();
                open.extend(fields.map(|(field, ty)| (format!("{path}.{field}"), ty)));
            }
            bound.push((path.clone(), name.to_owned()));
            self.types.insert(path, ty.clone());
        }
        bound
    }

    pub(crate) fn names(&self) -> Names {
        let names = Names::declared(&self.types);
        let functions = self.functions.iter().map(String::as_str);
        let names = names.with_functions(functions);
        names.with_entries(self.entries.clone())
    }

    /// How expressions are read here.
    pub(crate) fn language(&self) -> Language<'_> {
        Language::in_mode(&self.types, self.names(), Mode::Spec)
    }
}
