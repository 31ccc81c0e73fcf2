//! Two versions of what stands by itself, compared: tables by their answers, decision models
//! table by table and, where they have no tables, by how they are written.

use std::collections::{BTreeMap, BTreeSet};

use decision::{
    Model, Table, Type, Value,
    analyse::{self, Difference, Reason, Undecided},
    json,
    model::Decision,
    sfeel,
};

use super::{lone::Lone, source::Content};

/// Most characters of an expression that a difference shows.
const MAX_SHOWN: usize = 120;

/// How two versions differ.
#[derive(Default)]
pub(super) struct Versions<'v> {
    /// What else differs beside answers, as sentences.
    pub(super) definitions: Vec<String>,
    /// Tables and expressions that differ.
    pub(super) parts: Vec<Part<'v>>,
}

/// A table or an expression that differs.
pub(super) struct Part<'v> {
    /// Where: its file, its decision, or both.
    pub(super) name: String,
    /// The old and the new table, where it is one.
    pub(super) tables: Option<(&'v Table, &'v Table)>,
    pub(super) difference: Difference,
}

impl<'v> Versions<'v> {
    /// Compares what stands by itself under two paths, by what it is called below them.
    pub(super) fn all(&mut self, old: &'v [Lone], new: &'v [Lone]) {
        let before: BTreeMap<&str, &Lone> = old.iter().map(|l| (l.below.as_str(), l)).collect();
        let after: BTreeMap<&str, &Lone> = new.iter().map(|l| (l.below.as_str(), l)).collect();
        let gone = before.keys().filter(|name| !after.contains_key(*name));
        self.definitions
            .extend(gone.map(|name| format!("{name} is gone")));
        for (name, new) in after {
            match before.get(name) {
                Some(old) => self.pair(name, &old.content, &new.content),
                None => self.definitions.push(format!("{name} is new")),
            }
        }
    }

    /// Compares two contents, called by a name that may be empty.
    pub(super) fn pair(&mut self, name: &str, before: &'v Content, after: &'v Content) {
        if let (Content::Model(old), Content::Model(new)) = (before, after) {
            return self.models(name, old, new);
        }
        match (only_table(before), only_table(after)) {
            (Some(old), Some(new)) => {
                let called = if name.is_empty() { new.name() } else { name };
                if fits_otherwise(before) || fits_otherwise(after) {
                    let text = "the model makes the result fit a type, and the table doesn't";
                    self.definitions.push(format!("{called}: {text}"));
                }
                self.table(called.to_owned(), old, new);
            }
            _ => self.definitions.push(format!(
                "{}: one is a table and the other a model of several decisions",
                if name.is_empty() { "the file" } else { name }
            )),
        }
    }

    fn table(&mut self, name: String, old: &'v Table, new: &'v Table) {
        let difference = difference(old, new);
        if !difference.changes.is_empty() || !difference.undecided.is_empty() {
            self.parts.push(Part {
                name,
                tables: Some((old, new)),
                difference,
            });
        }
    }

    fn models(&mut self, file: &str, old: &'v Model, new: &'v Model) {
        // The digest is that of all that decides.
        if old.digest() == new.digest() {
            return;
        }
        let within = |name: &str| match file {
            "" => name.to_owned(),
            file => format!("{file}: {name}"),
        };
        let (before, after) = (tables(old), tables(new));
        for (name, new) in &after {
            if let Some(old) = before.get(name) {
                self.table(within(&name.0), old, new);
            }
        }
        let (Some(before), Some(after)) = (written(old), written(new)) else {
            let text = "too much is written there for the texts to be compared";
            self.definitions.push(within(text));
            return;
        };
        for (section, kind) in [
            ("inputs", "input"),
            ("functions", "function"),
            ("decisions", "decision"),
        ] {
            let (before, after) = (entries(&before, section), entries(&after, section));
            let names: BTreeSet<_> = before.keys().chain(after.keys()).copied().collect();
            for name in names {
                let said = |text: String| within(&format!("{kind} {name} {text}"));
                match (before.get(name), after.get(name)) {
                    (Some(_), None) => self.definitions.push(said("is gone".to_owned())),
                    (None, Some(_)) => self.definitions.push(said("is new".to_owned())),
                    (Some(old), Some(new)) if old != new => match (logic(old), logic(new)) {
                        (Some(old), Some(new)) if old != new => {
                            self.parts.push(written_otherwise(within(name), old, new));
                        }
                        _ => {
                            let (old, new) = (declared(old), declared(new));
                            self.definitions.push(said(otherwise(&old, &new)));
                        }
                    },
                    _ => {}
                }
            }
        }
    }
}

/// How two tables differ: not at all where they say the same cell by cell, whatever of it can't
/// be settled.
pub(super) fn difference(old: &Table, new: &Table) -> Difference {
    if old.digest() == new.digest() {
        return Difference::default();
    }
    analyse::difference(old, new)
}

/// The one table that a content is, if it is nothing beside it.
fn only_table(content: &Content) -> Option<&Table> {
    match content {
        Content::Table(table) | Content::Policy(table, _) => Some(table),
        Content::Model(model) => match (model.decisions(), model.functions()) {
            ([only], []) => only.table(),
            _ => None,
        },
    }
}

/// Whether a model's only decision makes the result of its table fit anything but the type
/// that the table gives it already.
fn fits_otherwise(content: &Content) -> bool {
    let (Content::Model(model), Some(table)) = (content, only_table(content)) else {
        return false;
    };
    let declared = model.decisions().iter().map(Decision::declared);
    declared.into_iter().any(|declared| {
        let same = match table.outputs() {
            [only] => only.ty == *declared.ty(),
            _ => false,
        };
        let fits = same || *declared.ty() == Type::Any;
        !fits || !matches!(declared.allowed(), sfeel::Test::Any)
    })
}

/// The tables of a model by their paths, and by how many of the same path stand before.
fn tables(model: &Model) -> BTreeMap<(String, usize), &Table> {
    let mut found = BTreeMap::new();
    for (path, table) in model.tables() {
        let mut before = 0;
        while found.contains_key(&(path.clone(), before)) {
            before += 1;
        }
        found.insert((path, before), table);
    }
    found
}

/// All that decides in a model, without what its tables say.
fn written(model: &Model) -> Option<Value> {
    json::parse(&model.canonical()).ok().map(without_tables)
}

fn without_tables(value: Value) -> Value {
    match value {
        Value::Context(mut entries) => {
            let is_table = |value: &Value| {
                let entries = value.as_context();
                entries.is_some_and(|entries| entries.contains_key("hit_policy"))
            };
            if entries.len() == 1 && entries.get("table").is_some_and(is_table) {
                entries.insert("table".to_owned(), Value::from("…"));
                return Value::Context(entries);
            }
            let entries = entries.into_iter();
            Value::Context(
                entries
                    .map(|(name, value)| (name, without_tables(value)))
                    .collect(),
            )
        }
        Value::List(items) => Value::List(items.into_iter().map(without_tables).collect()),
        other => other,
    }
}

fn entries<'w>(written: &'w Value, section: &str) -> BTreeMap<&'w str, &'w Value> {
    let section = written.as_context().and_then(|all| all.get(section));
    let entries = section.and_then(Value::as_context);
    let entries = entries.into_iter().flatten();
    entries
        .map(|(name, value)| (name.as_str(), value))
        .collect()
}

/// How a decision or function comes about; `None` of an input.
fn logic(written: &Value) -> Option<&Value> {
    let written = written.as_context()?;
    written.get("logic").or_else(|| written.get("body"))
}

/// What a decision, function or input is declared as.
fn declared(written: &Value) -> Value {
    let mut entries = written.as_context().cloned().unwrap_or_default();
    entries.retain(|name, _| name != "logic" && name != "body");
    Value::Context(entries)
}

/// Logic that isn't a table is compared as it is written: what that comes to is open.
fn written_otherwise<'v>(name: String, old: &Value, new: &Value) -> Part<'v> {
    let undecided = Undecided {
        reason: Reason::Expression,
        kind: None,
        rows: Vec::new(),
        region: None,
        count: 1,
        message: format!(
            "expressions are compared as they are written; {}",
            otherwise(old, new)
        ),
    };
    Part {
        name,
        tables: None,
        difference: Difference {
            changes: Vec::new(),
            undecided: vec![undecided],
        },
    }
}

fn otherwise(old: &Value, new: &Value) -> String {
    format!("was `{}`, is `{}`", shown(old), shown(new))
}

fn shown(written: &Value) -> String {
    let entries = written.as_context();
    let only = entries.and_then(|entries| match entries.len() {
        1 => entries.get("expression"),
        _ => None,
    });
    let text = match only {
        Some(Value::String(text)) => text.clone(),
        _ => json::write(written),
    };
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
