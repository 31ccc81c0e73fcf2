//! The canonical form of a model, and the digest over it.

use std::collections::BTreeMap;

use super::{Content, Declaration, Form, Lambda, Logic, Model};
use crate::{json, sfeel::Test, table::sha256, value::Value};

fn text(text: impl ToString) -> Value {
    Value::String(text.to_string())
}

fn context<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let entries = entries.into_iter();
    Value::Context(
        entries
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

impl Model {
    /// All that decides, as RFC 8785 JSON: equal for models that mean the same, whatever
    /// their spacing, order and file form. Neither the name of the model nor descriptions
    /// are part of it.
    #[must_use]
    pub fn canonical(&self) -> String {
        let writer = Writer(
            self.types
                .iter()
                .map(|(name, ty)| (name.as_str(), ty))
                .collect(),
        );
        let inputs = self.inputs.iter();
        let inputs = inputs.map(|input| (input.name.clone(), writer.declared(&input.declared)));
        let functions = self.functions.iter().map(|function| {
            let logic = writer.lambda(&function.lambda, &function.declared);
            (function.name.clone(), logic)
        });
        let decisions = self.decisions.iter().map(|decision| {
            let logic = decision.logic.as_ref();
            let entries = context([
                (
                    "logic",
                    logic.map_or(Value::Null, |logic| writer.logic(logic)),
                ),
                ("type", writer.declared(&decision.declared)),
            ]);
            (decision.name.clone(), entries)
        });
        json::canonical(&context([
            ("decisions", Value::Context(decisions.collect())),
            ("functions", Value::Context(functions.collect())),
            ("inputs", Value::Context(inputs.collect())),
        ]))
    }
}

pub(super) fn digest(model: &Model) -> String {
    sha256(&model.canonical())
}

/// Writes types as what they resolve to.
struct Writer<'m>(BTreeMap<&'m str, &'m Declaration>);

impl Writer<'_> {
    fn declared(&self, declared: &Declaration) -> Value {
        let mut allowed = Vec::new();
        self.allowed(declared, "", &mut allowed);
        context([
            ("allowed", Value::List(allowed)),
            ("type", text(&declared.ty)),
        ])
    }

    /// What is allowed at each place within a type.
    fn allowed(&self, declared: &Declaration, path: &str, found: &mut Vec<Value>) {
        if declared.allowed != Test::Any {
            found.push(text(format!("{path}: {}", declared.allowed)));
        }
        match &declared.form {
            Form::Basic => {}
            Form::Named(name) => {
                if let Some(definition) = self.0.get(name.as_str()) {
                    self.allowed(definition, path, found);
                }
            }
            Form::List(of) => self.allowed(of, &format!("{path}[]"), found),
            Form::Structure(components) => {
                let mut sorted: Vec<_> = components.iter().collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                for (name, component) in sorted {
                    self.allowed(component, &format!("{path}.{name}"), found);
                }
            }
        }
    }

    fn lambda(&self, lambda: &Lambda, result: &Declaration) -> Value {
        let parameters = lambda.parameters.iter();
        let parameters = parameters
            .map(|(name, declared)| Value::List(vec![text(name), self.declared(declared)]));
        let body = lambda.body.as_ref();
        context([
            ("body", body.map_or(Value::Null, |body| self.logic(body))),
            ("parameters", Value::List(parameters.collect())),
            ("type", self.declared(result)),
        ])
    }

    fn all(&self, items: &[Logic]) -> Value {
        Value::List(items.iter().map(|item| self.logic(item)).collect())
    }

    fn logic(&self, logic: &Logic) -> Value {
        match logic {
            Logic::Expression(formula) => context([("expression", text(&formula.node))]),
            Logic::Table(table) => context([("table", table.canonical_value())]),
            Logic::Context(entries) => {
                let entries = entries.iter().map(|entry| {
                    let content = match &entry.content {
                        Content::Value(logic) => self.logic(logic),
                        Content::Function(lambda) => {
                            context([("function", self.lambda(lambda, &Declaration::any()))])
                        }
                    };
                    context([
                        ("content", content),
                        ("name", entry.name.as_ref().map_or(Value::Null, text)),
                        ("type", self.declared(&entry.declared)),
                    ])
                });
                context([("context", Value::List(entries.collect()))])
            }
            Logic::Invocation(invocation) => {
                let bindings = invocation.bindings.iter();
                let bindings = bindings.map(|(name, logic)| (name.clone(), self.logic(logic)));
                context([
                    ("function", text(&invocation.function)),
                    ("with", Value::Context(bindings.collect())),
                ])
            }
            Logic::List(items) => context([("list", self.all(items))]),
            Logic::Relation { columns, rows } => context([
                ("columns", Value::List(columns.iter().map(text).collect())),
                (
                    "rows",
                    Value::List(rows.iter().map(|row| self.all(row)).collect()),
                ),
            ]),
            Logic::Conditional(parts) => context([("conditional", self.all(parts.as_slice()))]),
        }
    }
}
