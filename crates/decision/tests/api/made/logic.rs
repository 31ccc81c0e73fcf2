//! Boxed expressions.

use super::{
    Choices, Doc, NOTES,
    feel::{Scope, expression},
    put,
    sorts::SORTS,
    table::table,
};

/// The key that says what kind of logic it is, and the logic.
pub fn logic(c: &mut Choices, scope: &Scope, levels: usize) -> (String, Doc) {
    let kinds = if levels == 0 { 2 } else { 7 };
    let entry = |key: &str, doc: Doc| (key.to_owned(), doc);
    match c.below(kinds) {
        0 => entry("expression", Doc::text(&expression(c, scope, 2))),
        1 => entry("table", Doc::Map(table(c, scope, false))),
        2 => entry("context", context(c, scope, levels - 1)),
        3 => {
            let items = (0..c.below(3)).map(|_| operand(c, scope, levels - 1));
            entry("list", Doc::List(items.collect()))
        }
        4 => entry("relation", relation(c, scope, levels - 1)),
        5 => {
            let parts = ["if", "then", "else"];
            let parts = parts.map(|key| (key.to_owned(), operand(c, scope, levels - 1)));
            entry("conditional", Doc::Map(parts.to_vec()))
        }
        _ => match scope.functions.len() {
            0 => entry("expression", Doc::text(&expression(c, scope, 1))),
            count => {
                let (name, parameters) = scope.functions[c.below(count)].clone();
                entry(
                    "invocation",
                    invocation(c, scope, &name, &parameters, levels - 1),
                )
            }
        },
    }
}

/// Logic within other logic: an expression may stand as its text alone.
fn operand(c: &mut Choices, scope: &Scope, levels: usize) -> Doc {
    match logic(c, scope, levels) {
        (key, text) if key == "expression" && !c.once_in(3) => text,
        (key, doc) => Doc::Map(vec![(key, doc)]),
    }
}

fn invocation(
    c: &mut Choices,
    scope: &Scope,
    name: &str,
    parameters: &[String],
    levels: usize,
) -> Doc {
    let mut entries = Vec::new();
    put(&mut entries, "function", Doc::text(name));
    let given: Vec<_> = parameters
        .iter()
        .filter(|_| !c.once_in(4))
        .cloned()
        .collect();
    if !given.is_empty() {
        let with = given
            .into_iter()
            .map(|name| (name, operand(c, scope, levels)));
        put(&mut entries, "with", Doc::Map(with.collect()));
    }
    Doc::Map(entries)
}

fn relation(c: &mut Choices, scope: &Scope, levels: usize) -> Doc {
    let columns = &["sku", "unit price", "größe"][..1 + c.below(3)];
    let rows = (0..c.below(3)).map(|_| {
        let cells = columns.iter().map(|_| operand(c, scope, levels.min(1)));
        Doc::List(cells.collect())
    });
    let rows = Doc::List(rows.collect());
    let columns = columns.iter().map(|name| Doc::text(name));
    Doc::Map(vec![
        ("columns".to_owned(), Doc::List(columns.collect())),
        ("rows".to_owned(), rows),
    ])
}

const ENTRIES: &[&str] = &["net", "gross amount", "a-b", "tax"];

fn context(c: &mut Choices, scope: &Scope, levels: usize) -> Doc {
    let mut scope = scope.clone();
    let mut items = Vec::new();
    for name in &ENTRIES[..c.below(ENTRIES.len())] {
        let mut entries = Vec::new();
        put(&mut entries, "name", Doc::text(name));
        scope.hide(name);
        if c.once_in(3) {
            let mut inner = scope.clone();
            let (function, parameters) = lambda(c, &mut inner, levels);
            put(&mut entries, "function", Doc::Map(function));
            scope.functions.push(((*name).to_owned(), parameters));
        } else {
            let sort = c.once_in(3).then(|| c.below(SORTS.len()));
            if let Some(sort) = sort {
                declare(&mut entries, sort);
            }
            entries.push(logic(c, &scope, levels));
            scope.values.push(((*name).to_owned(), sort));
        }
        items.push(Doc::Map(entries));
    }
    if c.once_in(2) || items.is_empty() {
        let mut entries = Vec::new();
        if c.once_in(3) {
            declare(&mut entries, c.below(SORTS.len()));
        }
        entries.push(logic(c, &scope, levels));
        items.push(Doc::Map(entries));
    }
    Doc::List(items)
}

/// Adds the keys of a type.
pub fn declare(entries: &mut Vec<(String, Doc)>, sort: usize) {
    for key in SORTS[sort].ty.split(", ") {
        let (key, value) = key.split_once(": ").unwrap_or((key, ""));
        put(entries, key, Doc::text(value));
    }
}

/// The keys of a function, and its parameters, which its body sees.
pub fn lambda(
    c: &mut Choices,
    scope: &mut Scope,
    levels: usize,
) -> (Vec<(String, Doc)>, Vec<String>) {
    let names = ["n", "open amount", "x"];
    let mut parameters = Vec::new();
    for name in &names[..c.below(names.len())] {
        scope.hide(name);
        let sort = c.once_in(2).then(|| c.below(SORTS.len()));
        let doc = match sort {
            Some(sort) => {
                let mut entries = Vec::new();
                declare(&mut entries, sort);
                if c.once_in(3) {
                    put(&mut entries, "allowed", Doc::text(SORTS[sort].allowed));
                }
                if c.once_in(4) {
                    put(&mut entries, "description", Doc::text(c.pick(NOTES)));
                }
                Doc::Map(entries)
            }
            None => Doc::bare("null"),
        };
        parameters.push(((*name).to_owned(), doc));
        scope.values.push(((*name).to_owned(), sort));
    }
    let called: Vec<_> = parameters.iter().map(|(name, _)| name.clone()).collect();
    let mut entries = Vec::new();
    put(&mut entries, "parameters", Doc::Map(parameters));
    if !c.once_in(6) {
        entries.push(logic(c, scope, levels));
    }
    (entries, called)
}
