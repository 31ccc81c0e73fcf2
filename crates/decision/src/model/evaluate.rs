//! Evaluating one decision of a model, with only what it needs.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, HashMap},
};

use super::{
    Absent, Conclusion, Content, Decision, Declaration, Detail, Entry, Logic, Model, Options,
    Problem, RowTrace, Trace, frame::Frame,
};
use crate::{
    limits,
    sfeel::{Failure, Mode, Scope, calculate, fail},
    table::Table,
    value::Value,
};

/// One evaluation: what it found so far, and how much work it may still make.
pub(super) struct Run<'m> {
    pub(super) model: &'m Model,
    pub(super) named: BTreeMap<String, Declaration>,
    pub(super) detail: Detail,
    /// The paths of the model's tables, by where those stand in memory.
    tables: HashMap<usize, String>,
    /// Whether every row of a table is tried.
    #[cfg(any(test, feature = "twin"))]
    pub(super) naive: bool,
    steps: Cell<usize>,
    depth: Cell<usize>,
    problems: RefCell<Vec<Problem>>,
    traces: RefCell<Vec<Trace>>,
}

/// A result; `None` where it is unknown. An error is a limit that was met.
pub(super) type Known = Result<Option<Value>, Failure>;

impl Model {
    /// Evaluates a decision over facts: nested values by the names of inputs. `None` where
    /// the model has no decision of this name.
    #[must_use]
    pub fn evaluate(&self, decision: &str, facts: &Value, options: &Options) -> Option<Conclusion> {
        self.conclude(Run::new(self, options), decision, facts, options.absent)
    }

    /// What [`Model::evaluate`] must give, by trying every row of each table.
    #[cfg(any(test, feature = "twin"))]
    #[doc(hidden)]
    #[must_use]
    pub fn evaluate_naively(
        &self,
        decision: &str,
        facts: &Value,
        options: &Options,
    ) -> Option<Conclusion> {
        let run = Run {
            naive: true,
            ..Run::new(self, options)
        };
        self.conclude(run, decision, facts, options.absent)
    }

    fn conclude<'m>(
        &'m self,
        run: Run<'m>,
        decision: &str,
        facts: &Value,
        absent: Absent,
    ) -> Option<Conclusion> {
        let wanted = self.decision(decision)?;
        let needed = self.needed(wanted);
        let frame = Frame::outermost(&run);
        let mut unknown = BTreeSet::new();
        for input in self
            .inputs
            .iter()
            .filter(|input| needed.contains(input.name.as_str()))
        {
            run.give(input, facts, absent, &frame, &mut unknown);
        }
        let decisions = self
            .order
            .iter()
            .filter_map(|&index| self.decisions.get(index));
        let mut value = None;
        for decision in decisions.filter(|decision| needed.contains(decision.name.as_str())) {
            let result = run.decide(decision, &frame);
            if decision.name == wanted.name {
                value = result.clone();
            }
            frame.set(&decision.name, result);
        }
        let known = value.is_some();
        Some(Conclusion {
            value,
            unknown: unknown.into_iter().filter(|_| !known).collect(),
            problems: run.problems.into_inner(),
            traces: run.traces.into_inner(),
        })
    }

    /// The names of everything that a decision needs, and its own.
    fn needed<'m>(&'m self, decision: &'m Decision) -> BTreeSet<&'m str> {
        let mut needed = BTreeSet::from([decision.name.as_str()]);
        let mut open = vec![decision];
        while let Some(decision) = open.pop() {
            for name in &decision.requires {
                if needed.insert(name)
                    && let Some(decision) = self.decision(name)
                {
                    open.push(decision);
                }
            }
        }
        needed
    }
}

impl<'m> Run<'m> {
    fn new(model: &'m Model, options: &Options) -> Self {
        let tables = match options.detail {
            Detail::Result => Vec::new(),
            _ => model.tables(),
        };
        let tables = tables.into_iter();
        Self {
            tables: tables.map(|(path, table)| (address(table), path)).collect(),
            model,
            named: model.types.iter().cloned().collect(),
            detail: options.detail,
            #[cfg(any(test, feature = "twin"))]
            naive: false,
            steps: Cell::new(0),
            depth: Cell::new(0),
            problems: RefCell::default(),
            traces: RefCell::default(),
        }
    }

    pub(super) fn problem(&self, element: &str, message: impl Into<String>) {
        let problem = Problem {
            element: element.to_owned(),
            message: message.into(),
        };
        let mut problems = self.problems.borrow_mut();
        if problems.len() < limits::DIAGNOSTICS && !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    fn trace(&self, element: &str, value: Option<&Value>) {
        if self.detail > Detail::Result {
            self.traces.borrow_mut().push(Trace {
                element: element.to_owned(),
                value: value.cloned(),
                table: None,
                hits: Vec::new(),
                rows: Vec::new(),
            });
        }
    }

    /// Keeps what a table came to, by which rows, and what became of all of them.
    pub(super) fn trace_table(
        &self,
        element: &str,
        table: &Table,
        value: Option<&Value>,
        hits: &[usize],
        rows: Vec<RowTrace>,
    ) {
        let ids = hits.iter().filter_map(|&hit| table.rows.get(hit));
        self.traces.borrow_mut().push(Trace {
            element: element.to_owned(),
            value: value.cloned(),
            table: self.tables.get(&address(table)).cloned(),
            hits: ids.map(|row| row.id.clone()).collect(),
            rows,
        });
    }

    /// Binds an input to what the facts say of it.
    fn give(
        &self,
        input: &'m super::InputData,
        facts: &Value,
        absent: Absent,
        frame: &Frame<'_, 'm>,
        unknown: &mut BTreeSet<String>,
    ) {
        let Some(value) = at(facts, &input.name) else {
            if absent == Absent::Unknown {
                unknown.insert(input.name.clone());
                frame.set(&input.name, None);
            } else {
                frame.set(&input.name, Some(Value::Null));
            }
            return;
        };
        let mut missing = Vec::new();
        if absent == Absent::Unknown {
            missing_in(
                &input.declared,
                &self.named,
                value,
                &input.name,
                &mut missing,
            );
        }
        let admitted = input.declared.admit(value.clone(), &self.named);
        let value = match admitted {
            Ok(value) => Some(value),
            Err(message) => {
                self.problem(&input.name, message);
                (absent == Absent::Null).then_some(Value::Null)
            }
        };
        if value.is_none() {
            unknown.insert(input.name.clone());
        }
        frame.set(&input.name, value);
        for path in missing {
            frame.forget(&path);
            unknown.insert(path);
        }
    }

    fn decide(&self, decision: &'m Decision, frame: &Frame<'_, 'm>) -> Option<Value> {
        let Some(logic) = &decision.logic else {
            self.problem(
                &decision.name,
                "the model says nothing of how it comes about",
            );
            return Some(Value::Null);
        };
        let scope = Scope::over(frame, Mode::Spec);
        let result = self.value(logic, &scope, frame, &decision.name);
        self.report(&decision.name, &scope);
        let value = self.settled(result, &decision.declared, &decision.name);
        if !matches!(logic, Logic::Table(_)) {
            self.trace(&decision.name, value.as_ref());
        }
        value
    }

    fn report(&self, element: &str, scope: &Scope<'_>) {
        for warning in scope.warnings() {
            self.problem(element, warning.message);
        }
    }

    /// A result as its type has it; null where it has no such value.
    pub(super) fn settled(
        &self,
        result: Known,
        declared: &Declaration,
        element: &str,
    ) -> Option<Value> {
        let value = match result {
            Ok(value) => value?,
            Err(failure) => {
                self.problem(element, failure.message);
                return Some(Value::Null);
            }
        };
        let value = declared.conform(value, &self.named);
        Some(value.unwrap_or_else(|message| {
            self.problem(element, message);
            Value::Null
        }))
    }

    /// Counts a step of work, and a level of nesting for as long as `within` takes.
    pub(super) fn step<T>(
        &self,
        within: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.work(1)?;
        if self.depth.get() >= limits::CALL_DEPTH {
            return Err(fail(0, "the model nests deeper than is allowed"));
        }
        self.depth.set(self.depth.get() + 1);
        let result = within();
        self.depth.set(self.depth.get() - 1);
        result
    }

    /// Counts work that goes by the size of something.
    pub(super) fn work(&self, steps: usize) -> Result<(), Failure> {
        self.steps.set(self.steps.get().saturating_add(steps));
        if self.steps.get() > limits::MODEL_STEPS {
            return Err(fail(0, "the model takes more work than is allowed"));
        }
        Ok(())
    }

    /// What logic comes to. `element` is the decision or function it belongs to.
    pub(super) fn value(
        &self,
        logic: &'m Logic,
        scope: &Scope<'_>,
        frame: &Frame<'_, 'm>,
        element: &str,
    ) -> Known {
        self.step(|| match logic {
            Logic::Expression(formula) => calculate(&formula.node, scope),
            Logic::Table(table) => self.table(table, scope, element),
            Logic::Context(entries) => self.context(entries, scope, frame, element),
            Logic::Invocation(invocation) => self.invoke(invocation, scope, frame, element),
            Logic::List(items) => {
                let values = self.all(items, scope, frame, element)?;
                Ok(values.map(Value::List))
            }
            Logic::Relation { columns, rows } => {
                let mut found = Some(Vec::new());
                for row in rows {
                    let values = self.all(row, scope, frame, element)?;
                    found = found.zip(values).map(|(mut found, values)| {
                        let entries = columns.iter().cloned().zip(values);
                        found.push(Value::Context(entries.collect()));
                        found
                    });
                }
                Ok(found.map(Value::List))
            }
            Logic::Conditional(parts) => self.conditional(parts, scope, frame, element),
        })
    }

    /// The values of all; `None` where one is unknown.
    fn all(
        &self,
        items: &'m [Logic],
        scope: &Scope<'_>,
        frame: &Frame<'_, 'm>,
        element: &str,
    ) -> Result<Option<Vec<Value>>, Failure> {
        let values = items
            .iter()
            .map(|item| self.value(item, scope, frame, element));
        let values: Vec<_> = values.collect::<Result<_, _>>()?;
        Ok(values.into_iter().collect())
    }

    fn conditional(
        &self,
        parts: &'m [Logic; 3],
        scope: &Scope<'_>,
        frame: &Frame<'_, 'm>,
        element: &str,
    ) -> Known {
        let [condition, then, otherwise] = parts;
        match self.value(condition, scope, frame, element)? {
            Some(Value::Boolean(true)) => self.value(then, scope, frame, element),
            Some(_) => self.value(otherwise, scope, frame, element),
            None => {
                let then = self.value(then, scope, frame, element)?;
                let otherwise = self.value(otherwise, scope, frame, element)?;
                // Where both agree, the condition is no matter.
                Ok(then.filter(|then| Some(then) == otherwise.as_ref()))
            }
        }
    }

    /// The result of a context, or all its entries.
    fn context(
        &self,
        entries: &'m [Entry],
        scope: &Scope<'_>,
        frame: &Frame<'_, 'm>,
        element: &str,
    ) -> Known {
        let inner = Frame::within(self, Some(frame));
        let mut found = Some(BTreeMap::new());
        for entry in entries {
            let logic = match (&entry.content, &entry.name) {
                (Content::Value(logic), _) => logic,
                (Content::Function(lambda), Some(name)) => {
                    inner.define(name, lambda);
                    continue;
                }
                (Content::Function(_), None) => continue,
            };
            let scope = scope.within(&inner);
            let result = self.value(logic, &scope, &inner, element);
            if let Err(failure) = result {
                return Err(failure);
            }
            let value = self.settled(result, &entry.declared, element);
            match &entry.name {
                None => return Ok(value),
                Some(name) => {
                    inner.set(name, value.clone());
                    found = found.zip(value).map(|(mut found, value)| {
                        found.insert(name.clone(), value);
                        found
                    });
                }
            }
        }
        Ok(found.map(Value::Context))
    }
}

/// Where a table stands in memory.
fn address(table: &Table) -> usize {
    std::ptr::from_ref(table).addr()
}

/// A value by a name, or by a path where objects nest: `order.total` in `{"order": {…}}`.
pub(super) fn at<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let entries = value.as_context()?;
    if let Some(found) = entries.get(name) {
        return Some(found);
    }
    let mut dots = name.match_indices('.');
    dots.find_map(|(dot, _)| at(entries.get(&name[..dot])?, &name[dot + 1..]))
}

/// The paths of declared components that a value doesn't hold.
fn missing_in(
    declared: &Declaration,
    named: &BTreeMap<String, Declaration>,
    value: &Value,
    path: &str,
    missing: &mut Vec<String>,
) {
    match (&declared.form, value) {
        (super::Form::Named(name), value) => {
            if let Some(definition) = named.get(name) {
                missing_in(definition, named, value, path, missing);
            }
        }
        (super::Form::Structure(components), Value::Context(entries)) => {
            for (name, component) in components {
                let path = format!("{path}.{name}");
                match entries.get(name) {
                    Some(entry) => missing_in(component, named, entry, &path, missing),
                    None => missing.push(path),
                }
            }
        }
        _ => {}
    }
}
