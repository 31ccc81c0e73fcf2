//! From a model to its YAML form.

use super::{
    Content, Decision, Declaration, Entry, Form, Function, Lambda, Logic, Model, file::KIND,
};
use crate::{
    sfeel::Test,
    table::type_entries,
    yaml::{
        self, Node,
        build::{bare, entry, mapping, quoted, sequence, text},
    },
};

impl Model {
    /// The YAML form: what [`Model::from_yaml`] reads as the same model.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        yaml::write(&self.to_node())
    }

    /// The same, as a tree.
    #[must_use]
    pub fn to_node(&self) -> Node {
        let mut entries = vec![entry("kind", text(KIND))];
        said(
            &mut entries,
            "name",
            Some(&self.name).filter(|name| !name.is_empty()),
        );
        said(&mut entries, "namespace", self.namespace.as_ref());
        said(&mut entries, "description", self.description.as_ref());
        let types = self.types.iter().map(|(name, declared)| {
            let said = declared.description.as_ref();
            entry(name, mapping(declared_entries(declared, said)))
        });
        let inputs = self.inputs.iter().map(|input| {
            let said = input.description.as_ref();
            entry(
                &input.name,
                mapping(declared_entries(&input.declared, said)),
            )
        });
        let functions = self.functions.iter();
        let functions = functions.map(|function| entry(&function.name, function_node(function)));
        let decisions = self.decisions.iter();
        let decisions = decisions.map(|decision| entry(&decision.name, decision_node(decision)));
        for (key, found) in [
            ("types", types.collect::<Vec<_>>()),
            ("inputs", inputs.collect()),
            ("functions", functions.collect()),
            ("decisions", decisions.collect()),
        ] {
            if !found.is_empty() || key == "decisions" {
                entries.push(entry(key, mapping(found)));
            }
        }
        mapping(entries)
    }
}

fn said(entries: &mut Vec<(Node, Node)>, key: &str, said: Option<&String>) {
    entries.extend(said.map(|said| entry(key, text(said))));
}

/// The keys of a declaration, with a description where there is one.
fn declared_entries(declared: &Declaration, description: Option<&String>) -> Vec<(Node, Node)> {
    let mut entries = match &declared.form {
        Form::Basic => type_entries(&declared.ty),
        Form::Named(name) => vec![entry("type", text(name))],
        Form::List(of) => {
            vec![entry("type", text("list")), entry("of", declared_node(of))]
        }
        Form::Structure(components) => {
            let components = components.iter();
            let components = components.map(|(name, declared)| {
                let said = declared.description.as_ref();
                entry(name, mapping(declared_entries(declared, said)))
            });
            vec![
                entry("type", text("context")),
                entry("components", mapping(components)),
            ]
        }
    };
    if declared.allowed != Test::Any {
        entries.push(entry("allowed", quoted(format!("{:#}", declared.allowed))));
    }
    said(&mut entries, "description", description);
    entries
}

/// A declaration by its name alone where that says all.
fn declared_node(declared: &Declaration) -> Node {
    let entries = declared_entries(declared, declared.description.as_ref());
    match entries.as_slice() {
        [(_, name)] => name.clone(),
        _ => mapping(entries),
    }
}

fn requires(entries: &mut Vec<(Node, Node)>, names: &[String]) {
    if !names.is_empty() {
        entries.push(entry("requires", sequence(names.iter().map(text))));
    }
}

fn decision_node(decision: &Decision) -> Node {
    let mut entries = Vec::new();
    if !decision.declared.is_any() {
        entries = declared_entries(&decision.declared, None);
    }
    said(&mut entries, "description", decision.description.as_ref());
    said(&mut entries, "question", decision.question.as_ref());
    said(
        &mut entries,
        "allowed_answers",
        decision.allowed_answers.as_ref(),
    );
    requires(&mut entries, &decision.requires);
    entries.extend(decision.logic.as_ref().map(logic_entry));
    mapping(entries)
}

fn function_node(function: &Function) -> Node {
    let mut entries = vec![parameters(&function.lambda)];
    if !function.declared.is_any() {
        entries.extend(declared_entries(&function.declared, None));
    }
    said(&mut entries, "description", function.description.as_ref());
    requires(&mut entries, &function.requires);
    entries.extend(function.lambda.body.as_ref().map(logic_entry));
    mapping(entries)
}

fn parameters(lambda: &Lambda) -> (Node, Node) {
    let parameters = lambda.parameters.iter();
    let parameters = parameters.map(|(name, declared)| {
        let said = declared.description.as_ref();
        entry(name, mapping(declared_entries(declared, said)))
    });
    entry("parameters", mapping(parameters))
}

/// The key that says what kind of logic it is, and the logic.
fn logic_entry(logic: &Logic) -> (Node, Node) {
    match logic {
        Logic::Expression(formula) => entry("expression", text(&formula.text)),
        Logic::Table(table) => entry("table", mapping(table.entries(true))),
        Logic::Context(entries) => entry("context", sequence(entries.iter().map(context_entry))),
        Logic::Invocation(invocation) => {
            let mut entries = vec![entry("function", text(&invocation.function))];
            if !invocation.bindings.is_empty() {
                let bindings = invocation.bindings.iter();
                let bindings = bindings.map(|(name, logic)| entry(name, operand(logic)));
                entries.push(entry("with", mapping(bindings)));
            }
            entry("invocation", mapping(entries))
        }
        Logic::List(items) => entry("list", sequence(items.iter().map(operand))),
        Logic::Relation { columns, rows } => {
            let rows = rows.iter().map(|row| sequence(row.iter().map(operand)));
            let rows = sequence(rows);
            let columns = sequence(columns.iter().map(text));
            entry(
                "relation",
                mapping([entry("columns", columns), entry("rows", rows)]),
            )
        }
        Logic::Conditional(parts) => {
            let [condition, then, otherwise] = parts.each_ref().map(operand);
            entry(
                "conditional",
                mapping([
                    entry("if", condition),
                    entry("then", then),
                    entry("else", otherwise),
                ]),
            )
        }
    }
}

/// Logic as a mapping of one entry.
pub(super) fn logic_node(logic: &Logic) -> Node {
    mapping([logic_entry(logic)])
}

/// Logic within other logic: an expression by its text alone.
fn operand(logic: &Logic) -> Node {
    match logic {
        // A bare number, `true` or `null` is the same expression, and reads better.
        Logic::Expression(formula) if is_word(&formula.text) => bare(&formula.text),
        Logic::Expression(formula) => text(&formula.text),
        other => logic_node(other),
    }
}

fn is_word(text: &str) -> bool {
    matches!(text, "true" | "false")
        || (text.len() < 16 && text.bytes().all(|b| b.is_ascii_digit()))
}

fn context_entry(found: &Entry) -> Node {
    let name = found.name.iter().map(|name| entry("name", text(name)));
    let mut entries: Vec<_> = name.collect();
    if !found.declared.is_any() {
        entries.extend(declared_entries(&found.declared, None));
    }
    entries.push(match &found.content {
        Content::Value(logic) => logic_entry(logic),
        Content::Function(lambda) => {
            let mut function = vec![parameters(lambda)];
            function.extend(lambda.body.as_ref().map(logic_entry));
            entry("function", mapping(function))
        }
    });
    mapping(entries)
}
