//! Tables that stand by themselves, as models of one decision, and back.

use std::collections::BTreeMap;

use super::{Decision, Declaration, Form, InputData, Logic, Model, canonical};
use crate::{
    diagnostic::{Diagnostic, Mark},
    sfeel::{Comparison, Names, Test, Unary},
    table::{Language, Schema, Table, constants_text, type_entries},
    types::Type,
    value::Value,
    yaml::{
        Node,
        build::{entry, mapping, sequence, text},
    },
};

/// What a table without a name decides.
const UNNAMED: &str = "decision";

impl Model {
    /// A model of one decision, which is the table; its facts are the inputs.
    #[must_use]
    pub fn of_table(table: &Table) -> Self {
        let facts = table.facts();
        let inputs = facts.map(|(name, ty)| (name.to_owned(), declared(ty)));
        Self::with_inputs(table, inputs.collect())
    }

    /// The same, where the facts `order.total` and `order.lines` are entries of one input
    /// `order`, as DMN tools read such names.
    pub(crate) fn of_table_grouped(table: &Table) -> Self {
        let mut groups: BTreeMap<&str, Vec<(&str, &Type)>> = BTreeMap::new();
        for (name, ty) in table.facts() {
            let group = name.split_once('.').map_or(name, |(group, _)| group);
            groups.entry(group).or_default().push((name, ty));
        }
        let mut inputs = Vec::new();
        for (group, facts) in groups {
            match structure(group, &facts) {
                Some(declared) => inputs.push((group.to_owned(), declared)),
                None => inputs.extend(
                    facts
                        .into_iter()
                        .map(|(name, ty)| (name.to_owned(), declared(ty))),
                ),
            }
        }
        Self::with_inputs(table, inputs)
    }

    fn with_inputs(table: &Table, inputs: Vec<(String, Declaration)>) -> Self {
        let name = match table.name() {
            "" => UNNAMED.to_owned(),
            name => name.to_owned(),
        };
        let requires = inputs.iter().map(|(name, _)| name.clone()).collect();
        let inputs = inputs.into_iter().map(|(name, declared)| InputData {
            name,
            declared,
            description: None,
        });
        let mut model = Self {
            name: name.clone(),
            namespace: None,
            description: None,
            types: Vec::new(),
            inputs: inputs.collect(),
            functions: Vec::new(),
            decisions: vec![Decision {
                name,
                declared: Declaration::any(),
                description: table.description().map(str::to_owned),
                question: None,
                allowed_answers: None,
                requires,
                logic: Some(Logic::Table(Box::new(table.clone()))),
                mark: Mark::START,
            }],
            order: vec![0],
            digest: String::new(),
        };
        model.digest = canonical::digest(&model);
        model
    }

    /// The table that a model of one decision is, called as that is unless it has no name.
    ///
    /// # Errors
    /// If it is more than a table, or the table can't stand by itself.
    pub(crate) fn to_table(&self, nameless: bool) -> Result<Table, Vec<Diagnostic>> {
        let [decision] = self.decisions.as_slice() else {
            return Err(vec![Diagnostic::new(
                Mark::START,
                "found several decisions",
            )]);
        };
        let Some(table) = decision.table() else {
            return Err(vec![Diagnostic::new(
                decision.mark,
                "the decision is no table",
            )]);
        };
        let mut facts = Vec::new();
        for input in &self.inputs {
            leaves(&input.name, &input.declared, &mut facts);
        }
        let mut entries = Vec::new();
        if !nameless {
            entries.push(entry("name", text(&decision.name)));
        }
        let description = decision.description.as_ref();
        entries.extend(description.map(|said| entry("description", text(said))));
        entries.push(entry("facts", mapping(facts)));
        entries.extend(table.entries(false));
        let no_files = |name: &str| Err(format!("there is no file {name} here"));
        Table::from_node(&mapping(entries), &Schema::open(), &no_files)
    }
}

/// A fact's type, with its allowed texts as a test.
fn declared(ty: &Type) -> Declaration {
    let Type::String { values } = ty else {
        return Declaration::basic(ty.clone());
    };
    let mut declared = Declaration::basic(Type::string());
    if !values.is_empty() {
        let values: Vec<Value> = values.iter().map(|v| Value::from(v.as_str())).collect();
        let types = BTreeMap::new();
        let language = Language::new(&types, Names::default());
        let test = language.test(&text(constants_text(&values)), &Type::string());
        declared.allowed = test.unwrap_or(Test::Any);
    }
    declared
}

/// The facts of a group as a structure; `None` where one is the group itself, or leads
/// through another.
fn structure(group: &str, facts: &[(&str, &Type)]) -> Option<Declaration> {
    if facts.iter().any(|(name, _)| *name == group) {
        return None;
    }
    let mut inner: BTreeMap<&str, Vec<(&str, &Type)>> = BTreeMap::new();
    for (name, ty) in facts {
        let rest = &name[group.len() + 1..];
        let part = rest.split_once('.').map_or(rest, |(part, _)| part);
        if part.is_empty() {
            return None;
        }
        inner.entry(part).or_default().push((rest, ty));
    }
    let mut components = Vec::new();
    let mut types = BTreeMap::new();
    for (part, facts) in inner {
        let declared = match facts.as_slice() {
            [(rest, ty)] if *rest == part => declared(ty),
            _ => structure(part, &facts)?,
        };
        types.insert(part.to_owned(), declared.ty.clone());
        components.push((part.to_owned(), declared));
    }
    Some(Declaration {
        form: Form::Structure(components),
        ..Declaration::basic(Type::Structure(types))
    })
}

/// The facts that an input stands for, by their paths.
fn leaves(path: &str, declared: &Declaration, facts: &mut Vec<(Node, Node)>) {
    if let Form::Structure(components) = &declared.form {
        for (name, component) in components {
            leaves(&format!("{path}.{name}"), component, facts);
        }
        return;
    }
    let mut entries = type_entries(&declared.ty);
    if let Some(values) = texts(&declared.allowed) {
        entries.push(entry("values", sequence(values.into_iter().map(text))));
    }
    facts.push(entry(path, mapping(entries)));
}

/// The texts that a test lists, if it does nothing else.
fn texts(test: &Test) -> Option<Vec<String>> {
    let Test::Positive(alternatives) = test else {
        return None;
    };
    let one = |unary: &Unary| match unary {
        Unary::Compare(Comparison::Equal, node) => node.literal()?.as_str().map(str::to_owned),
        _ => None,
    };
    alternatives.iter().map(one).collect()
}
