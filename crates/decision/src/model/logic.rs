//! Reading boxed expressions.

use std::collections::BTreeSet;

use super::{
    Content, Definitions, Entry, Formula, Invocation, Lambda, Logic, Visible,
    file::{check_name, entries, take_parameters},
};
use crate::{
    diagnostic::{Diagnostic, full},
    limits,
    sfeel::{self, Expression, Function},
    table::{Loader, Table, name_problem},
    yaml::{Fields, Node},
};

/// The keys that say how a value comes about.
const KINDS: [&str; 8] = [
    "expression",
    "table",
    "context",
    "invocation",
    "function",
    "list",
    "relation",
    "conditional",
];

const SEES_TOO_MUCH: &str =
    "too many expressions see too many names; `requires` says what one needs";

/// Reads logic, and keeps in mind what of the model it uses.
pub(super) struct Reader<'r, 'n> {
    pub(super) definitions: &'r mut Definitions<'n>,
    pub(super) loader: &'r Loader<'r>,
    pub(super) problems: &'r mut Vec<Diagnostic>,
    /// The names of inputs, decisions and functions that are used.
    pub(super) used: BTreeSet<String>,
    /// How many names all expressions so far could see.
    pub(super) seen: usize,
}

impl Reader<'_, '_> {
    /// Takes the key that holds the logic out of a mapping. `name` is what the value is called.
    pub(super) fn logic(
        &mut self,
        fields: &mut Fields<'_>,
        visible: &Visible,
        name: &str,
    ) -> Option<Logic> {
        let found: Vec<(&str, &Node)> = KINDS
            .into_iter()
            .filter_map(|key| Some((key, fields.take(key)?)))
            .collect();
        match found.as_slice() {
            [] => None,
            [(key, node)] => self.kind(key, node, visible, name),
            [(first, _), (second, node), ..] => {
                let message = format!("found both `{first}` and `{second}`, expected one of them");
                self.problems.push(node.problem(message));
                None
            }
        }
    }

    fn kind(&mut self, key: &str, node: &Node, visible: &Visible, name: &str) -> Option<Logic> {
        match key {
            "expression" => self.formula(node, visible).map(Logic::Expression),
            "table" => self
                .table(node, visible, name)
                .map(|table| Logic::Table(Box::new(table))),
            "context" => self.context(node, visible).map(Logic::Context),
            "invocation" => self.invocation(node, visible).map(Logic::Invocation),
            "list" => {
                let items = node.items(self.problems, "a sequence of expressions");
                let items = items.iter().map(|item| self.operand(item, visible, name));
                items.collect::<Option<_>>().map(Logic::List)
            }
            "relation" => self.relation(node, visible),
            "conditional" => self.conditional(node, visible, name),
            _ => {
                let message = "a function is no value, only entries of a context hold one";
                self.problems.push(node.problem(message));
                None
            }
        }
    }

    /// Counts the names that are looked at to read something, or says that there are too many.
    fn look(&mut self, node: &Node, visible: &Visible) -> Option<()> {
        self.seen = self.seen.saturating_add(visible.count());
        if self.seen <= limits::VISIBLE_NAMES {
            return Some(());
        }
        if self
            .problems
            .iter()
            .all(|problem| problem.message != SEES_TOO_MUCH)
        {
            self.problems.push(node.problem(SEES_TOO_MUCH));
        }
        None
    }

    fn formula(&mut self, node: &Node, visible: &Visible) -> Option<Formula> {
        self.look(node, visible)?;
        match visible.language().expression(node) {
            Ok((expression, _)) => {
                self.uses(&expression, visible);
                Some(Formula {
                    text: node.as_str().unwrap_or_default().trim().to_owned(),
                    node: expression,
                })
            }
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    fn uses(&mut self, expression: &sfeel::Node, visible: &Visible) {
        let used = &mut self.used;
        let mut visit = |name: &str| {
            if let Some(origin) = visible.origin(name) {
                used.insert(origin.to_owned());
            }
        };
        expression.facts(&mut visit);
        calls(expression, &mut visit);
    }

    fn table(&mut self, node: &Node, visible: &Visible, name: &str) -> Option<Table> {
        self.look(node, visible)?;
        let table = Table::in_model(name, node, visible, self.definitions, self.loader);
        match table {
            Ok(table) => {
                table.expressions(&mut |expression| self.uses(expression, visible));
                Some(table)
            }
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }

    /// An expression within another one: a mapping with one of the keys, or a text.
    fn operand(&mut self, node: &Node, visible: &Visible, name: &str) -> Option<Logic> {
        if full(self.problems) {
            return None;
        }
        if node.as_str().is_some() {
            return self.formula(node, visible).map(Logic::Expression);
        }
        let mut fields = self.fields(node)?;
        let before = self.problems.len();
        let logic = self.logic(&mut fields, visible, name);
        fields.finish(self.problems);
        if logic.is_none() && self.problems.len() == before {
            let message = format!("found no logic, expected one of {}", KINDS.join(", "));
            self.problems.push(node.problem(message));
        }
        logic
    }

    fn fields<'n>(&mut self, node: &'n Node) -> Option<Fields<'n>> {
        Fields::new(node)
            .map_err(|problem| self.problems.push(problem))
            .ok()
    }

    fn context(&mut self, node: &Node, visible: &Visible) -> Option<Vec<Entry>> {
        let items = node.items(self.problems, "a sequence of entries");
        self.look(node, visible)?;
        let mut visible = visible.clone();
        let mut found: Vec<Entry> = Vec::new();
        let mut names = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            let entry = self.entry(item, &mut visible)?;
            let result = entry.name.is_none();
            if result && index + 1 < items.len() {
                let message = "only the last entry, the result, may have no name";
                self.problems.push(item.problem(message));
                return None;
            }
            if let Some(name) = &entry.name
                && !names.insert(name.clone())
            {
                self.problems
                    .push(item.problem(format!("entry `{name}` stands twice")));
                return None;
            }
            found.push(entry);
        }
        Some(found)
    }

    fn entry(&mut self, item: &Node, visible: &mut Visible) -> Option<Entry> {
        let mut fields = self.fields(item)?;
        let name = fields.take("name");
        let name = match name {
            Some(node) if check_name(node, self.problems) => node.as_str().map(str::to_owned),
            Some(_) => return None,
            None => None,
        };
        let declared = self.definitions.take(&mut fields, self.problems)?;
        let content = match (fields.take("function"), &name) {
            (Some(node), Some(name)) => {
                let lambda = self.lambda(node, visible, name)?;
                visible.add_local_function(name);
                Content::Function(lambda)
            }
            (Some(node), None) => {
                self.problems
                    .push(node.problem("the result can't be a function"));
                return None;
            }
            (None, name) => {
                let called = name.as_deref().unwrap_or("result");
                let before = self.problems.len();
                let logic = self.logic(&mut fields, visible, called);
                if logic.is_none() && self.problems.len() == before {
                    self.problems.push(item.problem("entry has no expression"));
                }
                if let Some(name) = name {
                    visible.add_local(name, &declared.ty);
                }
                Content::Value(logic?)
            }
        };
        fields.finish(self.problems);
        Some(Entry {
            name,
            declared,
            content,
        })
    }

    /// A function that a context holds: it sees what stands before it, and itself.
    fn lambda(&mut self, node: &Node, visible: &Visible, name: &str) -> Option<Lambda> {
        self.look(node, visible)?;
        let mut fields = self.fields(node)?;
        let parameters = match fields.take("parameters") {
            Some(node) => take_parameters(node, self.definitions, self.problems),
            None => Vec::new(),
        };
        let mut visible = visible.clone();
        visible.add_local_function(name);
        for (name, declared) in &parameters {
            visible.add_local(name, &declared.ty);
        }
        let body = self.logic(&mut fields, &visible, name);
        fields.finish(self.problems);
        Some(Lambda { parameters, body })
    }

    fn invocation(&mut self, node: &Node, visible: &Visible) -> Option<Invocation> {
        let mut fields = self.fields(node)?;
        let function = fields.require("function", self.problems)?;
        let with = fields.take("with");
        fields.finish(self.problems);
        let name = function
            .text(self.problems, "the name of a function")?
            .trim();
        if !visible.has_function(name) {
            let message = format!("`{name}` is no function that is known here");
            self.problems.push(function.problem(message));
            return None;
        }
        if let Some(origin) = visible.origin(name) {
            self.used.insert(origin.to_owned());
        }
        let mut bindings = Vec::new();
        for (key, value) in with.map_or(&[][..], |with| entries(with, self.problems)) {
            if !check_name(key, self.problems) {
                return None;
            }
            let parameter = key.as_str().unwrap_or_default();
            let value = self.operand(value, visible, parameter)?;
            bindings.push((parameter.to_owned(), value));
        }
        Some(Invocation {
            function: name.to_owned(),
            bindings,
        })
    }

    fn relation(&mut self, node: &Node, visible: &Visible) -> Option<Logic> {
        let mut fields = self.fields(node)?;
        let columns = fields.texts("columns", self.problems);
        if columns.len() > limits::COLUMNS {
            let (count, most) = (columns.len(), limits::COLUMNS);
            let message = format!("found {count} columns, at most {most} are allowed");
            self.problems.push(node.problem(message));
            return None;
        }
        for name in &columns {
            if let Some(reason) = name_problem(name) {
                let message = format!("column `{name}` can't be one: {reason}");
                self.problems.push(node.problem(message));
                return None;
            }
        }
        let rows = fields.require("rows", self.problems)?;
        fields.finish(self.problems);
        let mut distinct = BTreeSet::new();
        if let Some(twice) = columns.iter().find(|name| !distinct.insert(*name)) {
            self.problems
                .push(node.problem(format!("column `{twice}` stands twice")));
            return None;
        }
        let mut found = Vec::new();
        for row in rows.items(self.problems, "a sequence of rows") {
            if full(self.problems) {
                return None;
            }
            let cells = row.items(self.problems, "a sequence of expressions");
            if cells.len() != columns.len() {
                let message = format!("found {} values, expected {}", cells.len(), columns.len());
                self.problems.push(row.problem(message));
                return None;
            }
            let cells = cells
                .iter()
                .map(|cell| self.operand(cell, visible, "result"));
            found.push(cells.collect::<Option<_>>()?);
        }
        Some(Logic::Relation {
            columns,
            rows: found,
        })
    }

    fn conditional(&mut self, node: &Node, visible: &Visible, name: &str) -> Option<Logic> {
        let mut fields = self.fields(node)?;
        let parts = ["if", "then", "else"].map(|key| fields.require(key, self.problems));
        fields.finish(self.problems);
        let [condition, then, otherwise] = parts;
        Some(Logic::Conditional(Box::new([
            self.operand(condition?, visible, name)?,
            self.operand(then?, visible, name)?,
            self.operand(otherwise?, visible, name)?,
        ])))
    }
}

/// Calls `visit` with the name of every function of the model that an expression calls.
pub(super) fn calls(node: &sfeel::Node, visit: &mut dyn FnMut(&str)) {
    if let Expression::Call(Function::Defined(name), _) = &node.expression {
        visit(name);
    }
    node.children(&mut |child| calls(child, visit));
}
