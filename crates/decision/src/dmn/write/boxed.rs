//! Boxed expressions and tables.

use std::borrow::Cow;

use super::Writer;
use crate::{
    model::{Content, Entry, Invocation, Lambda, Logic},
    sfeel::Test,
    table::{Row, Table, constant_text, constants_text, outer},
    types::Type,
    value::Value,
};

impl Writer<'_> {
    /// Writes logic whose value is called `name`.
    pub(super) fn logic(&mut self, logic: &Logic, name: &str) {
        match logic {
            Logic::Expression(formula) => {
                self.xml.expression("literalExpression", &[], &formula.text);
            }
            Logic::Table(table) => self.table(table, name),
            Logic::Context(entries) => {
                self.xml.open("context", &[]);
                for entry in entries {
                    self.entry(entry);
                }
                self.xml.close("context");
            }
            Logic::Invocation(invocation) => self.invocation(invocation),
            Logic::List(items) => {
                self.xml.open("list", &[]);
                for item in items {
                    self.logic(item, name);
                }
                self.xml.close("list");
            }
            Logic::Relation { columns, rows } => self.relation(columns, rows),
            Logic::Conditional(parts) => {
                self.xml.open("conditional", &[]);
                for (element, part) in ["if", "then", "else"].into_iter().zip(parts.iter()) {
                    self.xml.open(element, &[]);
                    self.logic(part, name);
                    self.xml.close(element);
                }
                self.xml.close("conditional");
            }
        }
    }

    fn entry(&mut self, entry: &Entry) {
        self.xml.open("contextEntry", &[]);
        // A result has a type too, but no variable to say it of.
        if entry.name.is_some() || !entry.declared.is_any() {
            let called = entry.name.as_deref().unwrap_or("result");
            let ty = self.items.reference(&entry.declared, called);
            let mut attributes = Vec::new();
            attributes.extend(entry.name.as_deref().map(|name| ("name", name)));
            attributes.extend(ty.as_deref().map(|ty| ("typeRef", ty)));
            self.xml.empty("variable", &attributes);
        }
        let name = entry.name.as_deref().unwrap_or("result");
        match &entry.content {
            Content::Value(logic) => self.logic(logic, name),
            Content::Function(lambda) => self.lambda("functionDefinition", &[], lambda, name),
        }
        self.xml.close("contextEntry");
    }

    fn invocation(&mut self, invocation: &Invocation) {
        self.xml.open("invocation", &[]);
        self.xml
            .expression("literalExpression", &[], &invocation.function);
        for (name, logic) in &invocation.bindings {
            self.xml.open("binding", &[]);
            self.xml.empty("parameter", &[("name", name)]);
            self.logic(logic, name);
            self.xml.close("binding");
        }
        self.xml.close("invocation");
    }

    pub(super) fn lambda(
        &mut self,
        element: &str,
        attributes: &[(&str, &str)],
        lambda: &Lambda,
        name: &str,
    ) {
        self.xml.open(element, attributes);
        for (name, declared) in &lambda.parameters {
            self.variable("formalParameter", name, declared);
        }
        if let Some(body) = &lambda.body {
            self.logic(body, name);
        }
        self.xml.close(element);
    }

    fn relation(&mut self, columns: &[String], rows: &[Vec<Logic>]) {
        self.xml.open("relation", &[]);
        for name in columns {
            self.xml.empty("column", &[("name", name)]);
        }
        for row in rows {
            self.xml.open("row", &[]);
            for cell in row {
                self.logic(cell, "result");
            }
            self.xml.close("row");
        }
        self.xml.close("relation");
    }

    fn table(&mut self, table: &Table, name: &str) {
        let policy = table.hit_policy.name().replace('_', " ");
        let mut attributes = vec![("hitPolicy", policy.as_str())];
        let aggregator = table.hit_policy.aggregator();
        attributes.extend(aggregator.map(|aggregator| ("aggregation", aggregator.name())));
        self.xml.open("decisionTable", &attributes);
        for input in &table.inputs {
            let written = format!("{:#}", input.expression);
            let text = outer(&written);
            let label: Vec<_> = (input.key != text)
                .then_some(("label", input.key.as_str()))
                .into_iter()
                .collect();
            self.xml.open("input", &label);
            let ty = self.items.reference_of(&input.ty, &input.key);
            let ty: Vec<_> = ty.iter().map(|ty| ("typeRef", ty.as_str())).collect();
            self.xml.expression("inputExpression", &ty, text);
            if input.allowed != Test::Any {
                self.xml
                    .expression("inputValues", &[], &format!("{:#}", input.allowed));
            }
            self.xml.close("input");
        }
        for column in &table.outputs {
            let ty = Some(&column.ty).filter(|ty| **ty != Type::Any);
            let ty = ty.and_then(|ty| self.items.reference_of(ty, &column.name));
            let mut attributes = Vec::new();
            // The one output of a table is what the table decides.
            if table.outputs.len() > 1 || column.name != name {
                attributes.push(("name", column.name.as_str()));
            }
            attributes.extend(ty.as_deref().map(|ty| ("typeRef", ty)));
            attributes.extend((!column.required).then_some(("bylaw:optional", "true")));
            self.xml.open("output", &attributes);
            if !column.values.is_empty() {
                self.xml.expression(
                    "outputValues",
                    &[],
                    &constants_text(&numbers(&column.values, &column.ty)),
                );
            }
            let default = table.default.as_ref();
            if let Some(value) = default.and_then(|default| default.get(&column.name)) {
                self.xml.expression(
                    "defaultOutputEntry",
                    &[],
                    &constant_text(&number(value, &column.ty)),
                );
            }
            self.xml.close("output");
        }
        for name in &table.annotations {
            self.xml.empty("annotation", &[("name", name)]);
        }
        for row in &table.rows {
            self.row(table, row);
        }
        self.xml.close("decisionTable");
    }

    fn row(&mut self, table: &Table, row: &Row) {
        let own = self.ids.as_it_is(&row.id);
        let id = own.clone().unwrap_or_else(|| self.ids.fresh("rule"));
        let mut attributes = vec![("id", id.as_str())];
        // A row's id must be its own in its table only; that of an element, in the file.
        attributes.extend(own.is_none().then_some(("bylaw:row", row.id.as_str())));
        self.xml.open("rule", &attributes);
        let notes = row.notes();
        let description = notes.and_then(|notes| notes.description.as_deref());
        self.xml.texts("description", description);
        for cell in &row.cells {
            self.xml
                .expression("inputEntry", &[], &format!("{:#}", cell.test));
        }
        for column in &table.outputs {
            let name = &column.name;
            match (row.outputs.get(name), row.computed.get(name)) {
                (Some(value), _) => {
                    self.xml.expression(
                        "outputEntry",
                        &[],
                        &constant_text(&number(value, &column.ty)),
                    );
                }
                (None, Some(expression)) => {
                    let written = format!("{expression:#}");
                    self.xml.expression("outputEntry", &[], outer(&written));
                }
                (None, None) => {
                    self.xml
                        .expression("outputEntry", &[("bylaw:absent", "true")], "null");
                }
            }
        }
        for name in &table.annotations {
            let said = notes.and_then(|notes| notes.annotations.get(name));
            self.xml
                .expression("annotationEntry", &[], said.map_or("", String::as_str));
        }
        self.xml.close("rule");
    }
}

/// An amount in the measure of its column as the bare number that it is to other tools.
fn number<'v>(value: &'v Value, ty: &Type) -> Cow<'v, Value> {
    match value {
        Value::Money { amount, .. } | Value::Quantity { amount, .. }
            if ty.measure(Value::Number(*amount)) == *value =>
        {
            Cow::Owned(Value::Number(*amount))
        }
        _ => Cow::Borrowed(value),
    }
}

fn numbers(values: &[Value], ty: &Type) -> Vec<Value> {
    let values = values.iter();
    values.map(|value| number(value, ty).into_owned()).collect()
}
