//! Tables, within models and by themselves.

use super::{
    Choices, Doc, NOTES,
    feel::{Scope, constant, expression},
    put,
    sorts::{SORTS, Sort},
};

const POLICIES: &[(&str, &str)] = &[
    ("UNIQUE", ""),
    ("ANY", ""),
    ("FIRST", ""),
    ("PRIORITY", ""),
    ("RULE_ORDER", ""),
    ("OUTPUT_ORDER", ""),
    ("COLLECT", ""),
    ("COLLECT", "COUNT"),
    ("COLLECT", "SUM"),
    ("COLLECT", "MIN"),
    ("COLLECT", "MAX"),
];

const OUTPUTS: &[&str] = &["fee", "Terms of payment", "a/b", "id", "größe"];
const ROWS: &[&str] = &["small", "r-1", "R.2", "0", "x:y/z", "größe", "_", "rule-1"];
const ANNOTATIONS: &[&str] = &["source", "Valid until", "<note>"];
const LABELS: &[&str] = &["how much", "Größe <in> \"m\"", "x", "a.b"];

/// Sorts whose values have an order, by their places among all.
const ORDERED: &[usize] = &[0, 9];

/// The keys of a table over what is visible. By itself it has no functions to call, and
/// nothing that isn't declared.
pub fn table(c: &mut Choices, scope: &Scope, alone: bool) -> Vec<(String, Doc)> {
    let mut entries = Vec::new();
    let columns = inputs(c, scope, alone);
    let (policy, aggregation) = POLICIES[c.below(POLICIES.len())];
    let summed = !matches!(aggregation, "" | "COUNT");
    let ranked = matches!(policy, "PRIORITY" | "OUTPUT_ORDER");
    let outputs = outputs(c, summed, ranked);
    let annotations: Vec<&str> = ANNOTATIONS[..c.below(ANNOTATIONS.len() + 1)].to_vec();
    let declared = summed || ranked || !c.once_in(4);
    let at_outputs = declared && c.once_in(2);
    let with_default = c.once_in(3);
    let whole = columns.iter().map(Input::doc).collect();
    put(&mut entries, "inputs", Doc::List(whole));
    if policy != "UNIQUE" || c.once_in(2) {
        put(&mut entries, "hit_policy", Doc::text(policy));
    }
    if !aggregation.is_empty() {
        put(&mut entries, "aggregation", Doc::text(aggregation));
    }
    if declared {
        let docs = outputs
            .iter()
            .map(|output| output.doc(c, with_default && at_outputs));
        put(&mut entries, "outputs", Doc::List(docs.collect()));
    }
    if with_default && !at_outputs && !summed {
        let said = outputs
            .iter()
            .map(|output| (output.name.to_owned(), output.value(c)));
        put(&mut entries, "default", Doc::Map(said.collect()));
    }
    if !annotations.is_empty() {
        let texts = annotations.iter().map(|name| Doc::text(name));
        put(&mut entries, "annotations", Doc::List(texts.collect()));
    }
    let rows = rows(c, scope, &columns, &outputs, &annotations, summed, alone);
    put(&mut entries, "rows", Doc::List(rows));
    entries
}

struct Input {
    expression: String,
    name: Option<String>,
    sort: Option<usize>,
    ty: Option<&'static str>,
    allowed: Option<&'static str>,
}

impl Input {
    fn key(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.expression).trim()
    }

    fn doc(&self) -> Doc {
        let mut entries = Vec::new();
        put(&mut entries, "expression", Doc::text(&self.expression));
        if let Some(name) = &self.name {
            put(&mut entries, "name", Doc::text(name));
        }
        for key in self
            .ty
            .unwrap_or_default()
            .split(", ")
            .filter(|key| !key.is_empty())
        {
            let (key, value) = key.split_once(": ").unwrap_or((key, ""));
            put(&mut entries, key, Doc::text(value));
        }
        if let Some(allowed) = self.allowed {
            put(&mut entries, "allowed", Doc::text(allowed));
        }
        match entries.as_slice() {
            [(_, only)] => only.clone(),
            _ => Doc::Map(entries),
        }
    }
}

fn inputs(c: &mut Choices, scope: &Scope, alone: bool) -> Vec<Input> {
    let mut columns: Vec<Input> = Vec::new();
    for at in 0..1 + c.below(4) {
        let known = scope.values.len();
        // What is calculated has no type by itself, where a model doesn't say one.
        let plain = alone || known > 0 && !c.once_in(4);
        let (text, sort) = if plain {
            let (name, sort) = &scope.values[c.below(known)];
            (name.clone(), *sort)
        } else {
            (expression(c, scope, 1), None)
        };
        let named = c.once_in(3) || columns.iter().any(|other| other.expression == text);
        let declared = (!alone && c.once_in(3)).then(|| c.below(SORTS.len()));
        let sort = sort.or(declared);
        columns.push(Input {
            expression: text,
            name: named.then(|| format!("{} {at}", c.pick(LABELS))),
            sort,
            ty: declared.map(|sort| SORTS[sort].ty),
            allowed: sort
                .filter(|_| c.once_in(3))
                .map(|sort| SORTS[sort].allowed),
        });
    }
    columns
}

struct Output {
    name: &'static str,
    sort: &'static Sort,
    optional: bool,
    /// Whether it says which values it may have.
    listed: bool,
    typed: bool,
}

impl Output {
    fn value(&self, c: &mut Choices) -> Doc {
        Doc::bare(c.pick(self.sort.outputs))
    }

    fn doc(&self, c: &mut Choices, default: bool) -> Doc {
        let mut entries = Vec::new();
        put(&mut entries, "name", Doc::text(self.name));
        if self.typed {
            for key in self.sort.ty.split(", ") {
                let (key, value) = key.split_once(": ").unwrap_or((key, ""));
                put(&mut entries, key, Doc::text(value));
            }
        }
        if self.listed {
            match (self.sort.listed, c.below(2)) {
                (Some(listed), 1) if self.typed => put(&mut entries, "allowed", Doc::text(listed)),
                _ => {
                    let values = self.sort.outputs.iter().map(|value| Doc::bare(value));
                    put(&mut entries, "values", Doc::List(values.collect()));
                }
            }
        }
        if self.optional {
            put(&mut entries, "optional", Doc::bare("true"));
        }
        if let (true, true, Some(listed)) = (default, self.typed, self.sort.listed) {
            let first = listed.split(", ").next().unwrap_or("null");
            put(&mut entries, "default", Doc::text(first));
        }
        Doc::Map(entries)
    }
}

fn outputs(c: &mut Choices, summed: bool, ranked: bool) -> Vec<Output> {
    let count = if summed { 1 } else { 1 + c.below(3) };
    (0..count)
        .map(|at| {
            let sort = match summed {
                true => ORDERED[c.below(ORDERED.len())],
                false => c.below(SORTS.len()),
            };
            Output {
                name: OUTPUTS[at],
                sort: &SORTS[sort],
                optional: !summed && c.once_in(3),
                listed: ranked && at == 0 || c.once_in(3),
                typed: !c.once_in(4),
            }
        })
        .collect()
}

fn rows(
    c: &mut Choices,
    scope: &Scope,
    columns: &[Input],
    outputs: &[Output],
    annotations: &[&str],
    summed: bool,
    alone: bool,
) -> Vec<Doc> {
    let mut ids = ROWS.to_vec();
    let count = c.below(ROWS.len() - 1);
    let mut rows = Vec::new();
    for _ in 0..count {
        let mut entries = Vec::new();
        put(&mut entries, "id", Doc::text(c.take(&mut ids)));
        let mut when = Vec::new();
        for column in columns {
            if c.once_in(3) {
                continue;
            }
            let cell = match column.sort {
                Some(sort) => c.pick(SORTS[sort].cells).to_owned(),
                None => constant(c),
            };
            put(&mut when, column.key(), Doc::text(&cell));
        }
        if !when.is_empty() {
            put(&mut entries, "when", Doc::Map(when));
        }
        let (mut then, mut compute) = (Vec::new(), Vec::new());
        for output in outputs {
            match c.below(6) {
                0 if output.optional => {}
                // Of a column that lists its values, only `compute` takes a null.
                1 if !summed => put(&mut compute, output.name, Doc::text("null")),
                2 if !alone && !output.listed => {
                    let text = expression(c, scope, 1);
                    put(&mut compute, output.name, Doc::text(&text));
                }
                _ => put(&mut then, output.name, output.value(c)),
            }
        }
        put(&mut entries, "then", Doc::Map(then));
        if !compute.is_empty() {
            put(&mut entries, "compute", Doc::Map(compute));
        }
        notes(c, &mut entries, annotations);
        rows.push(Doc::Map(entries));
    }
    rows
}

fn notes(c: &mut Choices, entries: &mut Vec<(String, Doc)>, annotations: &[&str]) {
    if c.once_in(4) {
        put(entries, "description", Doc::text(c.pick(NOTES)));
    }
    if !annotations.is_empty() && c.once_in(2) {
        let said = annotations
            .iter()
            .map(|name| (name.to_string(), Doc::text(c.pick(NOTES))));
        put(entries, "annotations", Doc::Map(said.collect()));
    }
}

const FACTS: &[&str] = &[
    "order.total",
    "order.lines.count",
    "customer.tier",
    "Größe",
    "days overdue",
    "a",
    "b.c",
];

/// A table by itself, as YAML, and the sorts of its facts.
pub fn lone_table(c: &mut Choices) -> (String, Vec<(String, usize)>) {
    let mut names = FACTS.to_vec();
    let count = 1 + c.below(4);
    let facts: Vec<(String, usize)> = (0..count)
        .map(|_| (c.take(&mut names).to_owned(), c.below(SORTS.len())))
        .collect();
    let scope = Scope {
        values: facts
            .iter()
            .map(|(name, sort)| (name.clone(), Some(*sort)))
            .collect(),
        functions: Vec::new(),
    };
    let mut entries = Vec::new();
    put(&mut entries, "kind", Doc::text("DecisionTable"));
    if c.once_in(2) {
        put(
            &mut entries,
            "name",
            Doc::text(c.pick(&["fee", "Größe <x>", "what it costs"])),
        );
    }
    if c.once_in(3) {
        put(&mut entries, "description", Doc::text(c.pick(NOTES)));
    }
    let declared = facts
        .iter()
        .map(|(name, sort)| (name.clone(), Doc::bare(&format!("{{{}}}", SORTS[*sort].ty))));
    put(&mut entries, "facts", Doc::Map(declared.collect()));
    entries.extend(table(c, &scope, true));
    (Doc::Map(entries).flow(), facts)
}

/// Facts of such sorts, as a JSON object: each absent, or one of its values.
pub fn lone_facts(c: &mut Choices, facts: &[(String, usize)]) -> String {
    let mut entries = Vec::new();
    for (name, sort) in facts {
        if !c.once_in(4) {
            put(&mut entries, name, Doc::bare(c.pick(SORTS[*sort].facts)));
        }
    }
    Doc::Map(entries).flow()
}
