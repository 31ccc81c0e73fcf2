//! Decision models.

use super::{
    Choices, Doc, NOTES,
    feel::Scope,
    logic::{declare, lambda, logic},
    put,
    sorts::SORTS,
};

const NAMES: &[&str] = &[
    "Risk",
    "days overdue",
    "Customer",
    "a-b",
    "Größe",
    "x/y",
    "Order value",
    "in house",
    "if needed",
    "rate.of",
    "Terms & <conditions>",
    "K",
];
const TYPES: &[&str] = &["Rating", "t Customer", "number of days", "string list"];
const COMPONENTS: &[&str] = &["rating", "open amount", "größe", "a/b"];

/// A type with a name: what it is made of.
#[derive(Clone)]
enum Shape {
    Sort(usize),
    Structure(Vec<(String, usize)>),
    List(usize),
}

/// What is given from outside.
pub struct Given {
    name: String,
    shape: Shape,
}

/// A model as YAML, and what it is given.
pub fn model(c: &mut Choices) -> (String, Vec<Given>) {
    let mut entries = Vec::new();
    put(&mut entries, "kind", Doc::text("DecisionModel"));
    if !c.once_in(4) {
        put(
            &mut entries,
            "name",
            Doc::text(c.pick(&["terms", "Größe & <x>", "model"])),
        );
    }
    if c.once_in(4) {
        put(
            &mut entries,
            "namespace",
            Doc::text(c.pick(&["urn:x", "https://example.com/a?b=c&d"])),
        );
    }
    if c.once_in(4) {
        put(&mut entries, "description", Doc::text(c.pick(NOTES)));
    }
    let types = types(c);
    if !types.is_empty() {
        let docs = types
            .iter()
            .map(|(name, _, doc)| (name.clone(), doc.clone()));
        put(&mut entries, "types", Doc::Map(docs.collect()));
    }
    let mut names = NAMES.to_vec();
    let mut scope = Scope::default();
    let given = inputs(c, &types, &mut names, &mut scope, &mut entries);
    functions(c, &mut names, &mut scope, &mut entries);
    decisions(c, &types, &mut names, &mut scope, &mut entries);
    (Doc::Map(entries).flow(), given)
}

fn types(c: &mut Choices) -> Vec<(String, Shape, Doc)> {
    let mut found: Vec<(String, Shape, Doc)> = Vec::new();
    for name in &TYPES[..c.below(TYPES.len() + 1)] {
        let sort = c.below(SORTS.len());
        let mut entries = Vec::new();
        let shape = match c.below(4) {
            0 => {
                declare(&mut entries, sort);
                if c.once_in(2) {
                    put(&mut entries, "allowed", Doc::text(SORTS[sort].allowed));
                }
                Shape::Sort(sort)
            }
            1 => structure(c, &mut entries),
            2 => {
                put(&mut entries, "type", Doc::text("list"));
                let mut of = Vec::new();
                declare(&mut of, sort);
                if c.once_in(2) {
                    put(&mut of, "allowed", Doc::text(SORTS[sort].allowed));
                }
                if c.once_in(4) {
                    put(&mut of, "description", Doc::text(c.pick(NOTES)));
                }
                put(&mut entries, "of", Doc::Map(of));
                if c.once_in(3) {
                    put(&mut entries, "allowed", Doc::text("count(?) < 3"));
                }
                Shape::List(sort)
            }
            _ => match found.len() {
                0 => Shape::Sort(16),
                count => {
                    let (of, shape, _) = &found[c.below(count)];
                    put(&mut entries, "type", Doc::text(of));
                    if c.once_in(2) {
                        put(&mut entries, "allowed", Doc::text("not(null)"));
                    }
                    shape.clone()
                }
            },
        };
        if c.once_in(3) {
            put(&mut entries, "description", Doc::text(c.pick(NOTES)));
        }
        found.push(((*name).to_owned(), shape, Doc::Map(entries)));
    }
    found
}

fn structure(c: &mut Choices, entries: &mut Vec<(String, Doc)>) -> Shape {
    let mut components = Vec::new();
    let mut docs = Vec::new();
    for name in &COMPONENTS[..1 + c.below(COMPONENTS.len())] {
        let sort = c.below(SORTS.len());
        let mut keys = Vec::new();
        declare(&mut keys, sort);
        if c.once_in(3) {
            put(&mut keys, "allowed", Doc::text(SORTS[sort].allowed));
        }
        if c.once_in(4) {
            put(&mut keys, "description", Doc::text(c.pick(NOTES)));
        }
        docs.push(((*name).to_owned(), Doc::Map(keys)));
        components.push(((*name).to_owned(), sort));
    }
    put(entries, "type", Doc::text("context"));
    put(entries, "components", Doc::Map(docs));
    if c.once_in(4) {
        put(entries, "allowed", Doc::text("? != null"));
    }
    Shape::Structure(components)
}

/// The keys that declare a value, and what it is made of; now and then nothing is declared.
fn declaration(
    c: &mut Choices,
    types: &[(String, Shape, Doc)],
) -> (Vec<(String, Doc)>, Option<Shape>) {
    let mut entries = Vec::new();
    match c.below(4) {
        0 => (entries, None),
        1 if !types.is_empty() => {
            let (name, shape, _) = &types[c.below(types.len())];
            put(&mut entries, "type", Doc::text(name));
            (entries, Some(shape.clone()))
        }
        2 => {
            let shape = structure(c, &mut entries);
            (entries, Some(shape))
        }
        _ => {
            let sort = c.below(SORTS.len());
            declare(&mut entries, sort);
            if c.once_in(3) {
                put(&mut entries, "allowed", Doc::text(SORTS[sort].allowed));
            }
            (entries, Some(Shape::Sort(sort)))
        }
    }
}

/// Makes a value visible, and the parts of a structure by their paths.
fn see(scope: &mut Scope, name: &str, shape: Option<&Shape>) {
    let sort = match shape {
        Some(Shape::Sort(sort)) => Some(*sort),
        _ => None,
    };
    scope.values.push((name.to_owned(), sort));
    if let Some(Shape::Structure(components)) = shape {
        let components = components.iter();
        let paths = components.map(|(part, sort)| (format!("{name}.{part}"), Some(*sort)));
        scope.values.extend(paths);
    }
}

fn inputs(
    c: &mut Choices,
    types: &[(String, Shape, Doc)],
    names: &mut Vec<&'static str>,
    scope: &mut Scope,
    entries: &mut Vec<(String, Doc)>,
) -> Vec<Given> {
    let mut given = Vec::new();
    let mut docs = Vec::new();
    for _ in 0..c.below(4) {
        let name = c.take(names);
        let (mut keys, shape) = declaration(c, types);
        if c.once_in(4) {
            put(&mut keys, "description", Doc::text(c.pick(NOTES)));
        }
        see(scope, name, shape.as_ref());
        let shape = shape.unwrap_or(Shape::Sort(16));
        given.push(Given {
            name: name.to_owned(),
            shape,
        });
        docs.push((name.to_owned(), Doc::Map(keys)));
    }
    if !docs.is_empty() {
        put(entries, "inputs", Doc::Map(docs));
    }
    given
}

fn functions(
    c: &mut Choices,
    names: &mut Vec<&'static str>,
    scope: &mut Scope,
    entries: &mut Vec<(String, Doc)>,
) {
    let mut docs = Vec::new();
    for _ in 0..c.below(3) {
        let name = c.take(names);
        // Values are given to a function; it sees the functions before it.
        let mut inner = Scope {
            values: Vec::new(),
            functions: scope.functions.clone(),
        };
        let (mut keys, parameters) = lambda(c, &mut inner, 2);
        if c.once_in(3) {
            declare(&mut keys, c.below(SORTS.len()));
        }
        if c.once_in(4) {
            put(&mut keys, "description", Doc::text(c.pick(NOTES)));
        }
        if c.once_in(3) {
            let all = scope.functions.iter().map(|(name, _)| Doc::text(name));
            put(&mut keys, "requires", Doc::List(all.collect()));
        }
        docs.push((name.to_owned(), Doc::Map(keys)));
        scope.functions.push((name.to_owned(), parameters));
    }
    if !docs.is_empty() {
        put(entries, "functions", Doc::Map(docs));
    }
}

fn decisions(
    c: &mut Choices,
    types: &[(String, Shape, Doc)],
    names: &mut Vec<&'static str>,
    scope: &mut Scope,
    entries: &mut Vec<(String, Doc)>,
) {
    let mut docs = Vec::new();
    for _ in 0..1 + c.below(3) {
        let name = c.take(names);
        let (mut keys, shape) = declaration(c, types);
        for (key, rare) in [("description", 4), ("question", 6), ("allowed_answers", 6)] {
            if c.once_in(rare) {
                put(&mut keys, key, Doc::text(c.pick(NOTES)));
            }
        }
        if c.once_in(3) {
            let values = scope.values.iter().map(|(name, _)| name);
            let whole = values.filter(|name| NAMES.contains(&name.as_str()));
            let functions = scope.functions.iter().map(|(name, _)| name);
            let all = whole.chain(functions).map(|name| Doc::text(name));
            put(&mut keys, "requires", Doc::List(all.collect()));
        }
        if !c.once_in(10) {
            keys.push(logic(c, scope, 3));
        }
        docs.push((name.to_owned(), Doc::Map(keys)));
        see(scope, name, shape.as_ref());
    }
    put(entries, "decisions", Doc::Map(docs));
}

impl Given {
    /// A value for it as JSON; `None`: nothing is known of it.
    pub fn fact(&self, c: &mut Choices) -> Option<(String, Doc)> {
        if c.once_in(5) {
            return None;
        }
        let of = |c: &mut Choices, sort: usize| Doc::bare(c.pick(SORTS[sort].facts));
        let doc = match &self.shape {
            Shape::Sort(sort) => of(c, *sort),
            Shape::List(sort) => {
                let items = (0..c.below(4)).map(|_| of(c, *sort));
                Doc::List(items.collect())
            }
            Shape::Structure(components) => {
                let mut entries = Vec::new();
                for (name, sort) in components {
                    if !c.once_in(5) {
                        put(&mut entries, name, of(c, *sort));
                    }
                }
                Doc::Map(entries)
            }
        };
        Some((self.name.clone(), doc))
    }
}
