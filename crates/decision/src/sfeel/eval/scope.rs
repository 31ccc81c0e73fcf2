//! What an expression is evaluated over, and how much work it may make.

use std::cell::{Cell, RefCell};

use super::{Failure, fail};
use crate::{
    limits,
    sfeel::{Mode, check::Types},
    types::Type,
    value::{Facts, Value},
};

/// Names beyond a set of facts: the results of other decisions, parameters, functions.
pub trait Environment {
    /// The value by a name; `None` where it is unknown.
    fn lookup(&self, name: &str) -> Option<Value>;

    /// The declared type of a name.
    fn declared(&self, name: &str) -> Option<&Type>;

    /// What a function that the model defines gives; `None` where that is unknown. Its body
    /// is evaluated in a scope that [`Scope::within`] makes of the caller's.
    ///
    /// # Errors
    /// If it has no result.
    fn call(
        &self,
        name: &str,
        arguments: Given,
        at: usize,
        caller: &Scope<'_>,
    ) -> Result<Option<Value>, Failure>;
}

/// The arguments of a call, each `None` where it is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// In the order of the parameters.
    Positional(Vec<Option<Value>>),
    /// By name.
    Named(Vec<(String, Option<Value>)>),
}

/// Facts, and the types they must have to count as known.
pub struct Scope<'f> {
    source: Source<'f>,
    mode: Mode,
    work: Shared<'f>,
}

#[derive(Clone, Copy)]
enum Source<'f> {
    Facts(&'f Facts, Option<&'f Types>),
    Environment(&'f dyn Environment),
}

enum Shared<'f> {
    Own(Work),
    Of(&'f Work),
}

impl<'f> Scope<'f> {
    /// Over facts that count as known where they have their declared types.
    #[must_use]
    pub fn new(facts: &'f Facts, types: &'f Types) -> Self {
        Self::of(Source::Facts(facts, Some(types)), Mode::Strict)
    }

    /// Over facts as they are.
    #[must_use]
    pub fn untyped(facts: &'f Facts) -> Self {
        Self::of(Source::Facts(facts, None), Mode::Strict)
    }

    /// Over what an environment knows.
    #[must_use]
    pub fn over(environment: &'f dyn Environment, mode: Mode) -> Self {
        Self::of(Source::Environment(environment), mode)
    }

    fn of(source: Source<'f>, mode: Mode) -> Self {
        Self {
            source,
            mode,
            work: Shared::Own(Work::default()),
        }
    }

    /// The same facts, read as another mode asks.
    #[must_use]
    pub fn in_mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// A scope for a function that is called from this one: its mode, and out of its budget.
    #[must_use]
    pub fn within<'s>(&'s self, environment: &'s dyn Environment) -> Scope<'s> {
        Scope {
            source: Source::Environment(environment),
            mode: self.mode,
            work: Shared::Of(self.work()),
        }
    }

    /// What becomes of an operation without result.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What had no result so far, under [`Mode::Spec`].
    #[must_use]
    pub fn warnings(&self) -> Vec<Failure> {
        self.work().warnings.borrow().clone()
    }

    pub(super) fn work(&self) -> &Work {
        match &self.work {
            Shared::Own(work) => work,
            Shared::Of(work) => work,
        }
    }

    /// The declared type of a fact.
    pub(crate) fn declared(&self, name: &str) -> Option<&'f Type> {
        match self.source {
            Source::Facts(_, types) => types?.get(name),
            Source::Environment(environment) => environment.declared(name),
        }
    }

    /// The value of a fact as its type has it. One of another type, currency or unit is
    /// unknown: nothing in the table speaks of it.
    pub(crate) fn get(&self, name: &str) -> Option<Value> {
        let value = match self.source {
            Source::Facts(facts, _) => facts.get(name)?.clone(),
            Source::Environment(environment) => return environment.lookup(name),
        };
        match self.declared(name) {
            Some(ty) => ty.coerce(value).ok(),
            None => Some(value),
        }
    }

    pub(super) fn call(
        &self,
        name: &str,
        arguments: Given,
        at: usize,
    ) -> Result<Option<Value>, Failure> {
        match self.source {
            Source::Environment(environment) => environment.call(name, arguments, at, self),
            Source::Facts(..) => Err(fail(at, format!("`{name}` is no function here"))),
        }
    }
}

/// How much work was made, and what was met on the way. Operations count, and lists and
/// texts by their size, so that no expression takes long or grows without bound.
#[derive(Debug, Default)]
pub(in crate::sfeel) struct Work {
    /// Since the outermost expression was begun.
    steps: Cell<usize>,
    /// Over all expressions.
    total: Cell<usize>,
    depth: Cell<usize>,
    /// Whether a limit was met: that is a failure in every mode.
    exhausted: Cell<bool>,
    warnings: RefCell<Vec<Failure>>,
}

impl Work {
    /// Counts steps, or says that there were too many.
    pub(in crate::sfeel) fn take(&self, steps: usize) -> Result<(), String> {
        let taken = self.steps.get().saturating_add(steps);
        let total = self.total.get().saturating_add(steps);
        self.steps.set(taken);
        self.total.set(total);
        if taken > limits::STEPS || total > limits::TOTAL_STEPS {
            self.exhausted.set(true);
            return Err("the expression takes more work than is allowed".to_owned());
        }
        Ok(())
    }

    /// Begins an expression: the outermost has all steps before it.
    pub(super) fn begin(&self) {
        if self.depth.get() == 0 {
            self.steps.set(0);
        }
    }

    /// Goes `levels` deeper until the guard is dropped, which counts as so many steps.
    pub(super) fn descend(&self, levels: usize, at: usize) -> Result<Level<'_>, Failure> {
        let depth = self.depth.get() + levels;
        if depth > limits::EVALUATION_DEPTH {
            self.exhausted.set(true);
            return Err(fail(at, "the expression nests deeper than is allowed"));
        }
        self.take(levels).map_err(|message| fail(at, message))?;
        self.depth.set(depth);
        Ok(Level { work: self, levels })
    }

    /// What becomes of a failure: null and a warning under [`Mode::Spec`], unless a limit was
    /// met.
    pub(super) fn settle(
        &self,
        mode: Mode,
        result: Result<Option<Value>, Failure>,
    ) -> Result<Option<Value>, Failure> {
        match result {
            Err(failure) if mode == Mode::Spec && !self.exhausted.get() => {
                let mut warnings = self.warnings.borrow_mut();
                if warnings.len() < limits::DIAGNOSTICS && !warnings.contains(&failure) {
                    warnings.push(failure);
                }
                Ok(Some(Value::Null))
            }
            result => result,
        }
    }
}

/// So many levels of nesting.
pub(super) struct Level<'w> {
    work: &'w Work,
    levels: usize,
}

impl Drop for Level<'_> {
    fn drop(&mut self) {
        self.work.depth.set(self.work.depth.get() - self.levels);
    }
}
