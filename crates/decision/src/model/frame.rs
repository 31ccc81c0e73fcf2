//! What names stand for while a model is evaluated.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Lambda,
    evaluate::{Run, at},
};
use crate::{
    sfeel::{Environment, Failure, Given, Scope},
    types::Type,
    value::Value,
};

/// Names that are bound, within others.
pub(super) struct Frame<'f, 'm> {
    run: &'f Run<'m>,
    outer: Option<&'f Frame<'f, 'm>>,
    /// Values by name; `None` where one is unknown.
    values: RefCell<BTreeMap<String, Option<Value>>>,
    functions: RefCell<BTreeMap<String, &'m Lambda>>,
    /// Paths of entries that are unknown in values that are known otherwise.
    forgotten: RefCell<BTreeSet<String>>,
}

impl<'f, 'm> Frame<'f, 'm> {
    pub(super) fn outermost(run: &'f Run<'m>) -> Self {
        Self::within(run, None)
    }

    pub(super) fn within(run: &'f Run<'m>, outer: Option<&'f Frame<'f, 'm>>) -> Self {
        Self {
            run,
            outer,
            values: RefCell::default(),
            functions: RefCell::default(),
            forgotten: RefCell::default(),
        }
    }

    pub(super) fn set(&self, name: &str, value: Option<Value>) {
        self.values.borrow_mut().insert(name.to_owned(), value);
    }

    /// Makes an entry of a value unknown, and with it the value as a whole.
    pub(super) fn forget(&self, path: &str) {
        self.forgotten.borrow_mut().insert(path.to_owned());
    }

    pub(super) fn define(&self, name: &str, lambda: &'m Lambda) {
        self.functions.borrow_mut().insert(name.to_owned(), lambda);
    }

    /// The function of a name, and the frame it was defined in.
    pub(super) fn function(&self, name: &str) -> Option<(&'m Lambda, &Frame<'f, 'm>)> {
        let found = self.functions.borrow().get(name).copied();
        match (found, self.outer) {
            (Some(lambda), _) => Some((lambda, self)),
            (None, Some(outer)) => outer.function(name),
            (None, None) => None,
        }
    }

    /// The value at a path: of a name as it stands, or of an entry of what an earlier part
    /// of it names. `None` where no name leads there.
    fn find(&self, path: &str) -> Option<Option<Value>> {
        let values = self.values.borrow();
        let ends = path.match_indices('.').map(|(dot, _)| dot);
        let ends: Vec<usize> = ends.chain([path.len()]).collect();
        for end in ends.into_iter().rev() {
            let Some(value) = values.get(&path[..end]) else {
                continue;
            };
            if self.is_open(path) {
                return Some(None);
            }
            let Some(value) = value else {
                return Some(None);
            };
            let entry = match path.get(end + 1..) {
                None => value.clone(),
                Some(rest) => at(value, rest).cloned().unwrap_or(Value::Null),
            };
            return Some(Some(entry));
        }
        None
    }

    /// Whether a path leads to something unknown, or to what has such an entry.
    fn is_open(&self, path: &str) -> bool {
        let forgotten = self.forgotten.borrow();
        let leads = |long: &str, short: &str| {
            long.strip_prefix(short)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        forgotten
            .iter()
            .any(|open| leads(path, open) || leads(open, path))
    }
}

impl Environment for Frame<'_, '_> {
    fn lookup(&self, name: &str) -> Option<Value> {
        match self.find(name) {
            Some(value) => value,
            None => self.outer?.lookup(name),
        }
    }

    fn declared(&self, _: &str) -> Option<&Type> {
        // Values fit their types when they are bound.
        None
    }

    fn call(
        &self,
        name: &str,
        arguments: Given,
        _at: usize,
        caller: &Scope<'_>,
    ) -> Result<Option<Value>, Failure> {
        self.run.call(name, arguments, caller, self)
    }
}
