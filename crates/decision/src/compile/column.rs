//! A column of the index.

use std::collections::HashMap;

use super::{
    bounds::{Bounds, Class, Key, Kind},
    sets::{self, Sets, Spans},
    spans,
};
use crate::{
    evaluate::known::input_value,
    sfeel::{Expression, Failure, Property, Scope, Test},
    table::{Input, Table},
    types::Type,
    value::{Facts, Value},
};

/// The set of a class that the input isn't allowed to have: it is unknown then.
const NOT_ALLOWED: u32 = u32::MAX;

/// A column of the index.
#[derive(Debug)]
pub(crate) struct Column {
    /// The table's input.
    pub(crate) input: usize,
    source: Source,
    /// `None` where no cell can be indexed.
    indexed: Option<Indexed>,
    /// For each row, 0 or the number, from 1, of its opaque test among the distinct ones;
    /// empty where there are none.
    opaque: Vec<u32>,
    /// How many distinct opaque tests there are.
    distinct: usize,
}

/// Where the value of a column comes from.
#[derive(Debug)]
enum Source {
    /// A fact as it is, or a part of it.
    Fact(String, Option<Property>, Type),
    /// Anything that has to be worked out.
    Computed,
}

#[derive(Debug)]
struct Indexed {
    kind: Type,
    bounds: Bounds,
    sets: Sets,
    by_class: Vec<u32>,
    /// Where sets let rows through that their spans don't.
    coarse: Option<Spans>,
}

/// What a column makes of the facts.
#[derive(Debug)]
pub(crate) enum Place {
    /// A class of values.
    Class(Class),
    /// It depends on unknown facts.
    Unknown,
    /// Its expression has no result.
    Failed(Failure),
    /// A value that the index doesn't know of.
    Value(Value),
}

impl Column {
    pub(super) fn new(table: &Table, input: usize, most: usize) -> Self {
        let column = &table.inputs[input];
        let tests = || table.rows.iter().map(move |row| &row.cells[input].test);
        let kind = Kind::of(&column.ty);
        let indexed =
            kind.filter(|kind| tests().any(|t| *t != Test::Any && spans::is_indexable(t, *kind)));
        let is_opaque = |test: &Test| match indexed {
            Some(kind) => !spans::is_indexable(test, kind),
            None => *test != Test::Any,
        };
        let (opaque, distinct) = opaque(tests(), is_opaque);
        let mut source = source(table, column);
        if kind.is_none_or(|kind| !spans::is_indexable(&column.allowed, kind)) {
            source = Source::Computed;
        }
        Self {
            input,
            indexed: indexed.map(|kind| Indexed::new(kind, column, tests(), &source, most)),
            source,
            opaque,
            distinct,
        }
    }

    /// The class of a fact's value, where it is known and of its type as it stands.
    pub(crate) fn class(&self, facts: &Facts) -> Option<Class> {
        let (Source::Fact(name, property, ty), Some(indexed)) = (&self.source, &self.indexed)
        else {
            return None;
        };
        indexed.direct(facts.get(name)?, *property, ty)
    }

    /// Where the facts stand in this column.
    pub(crate) fn place(&self, table: &Table, facts: &Facts) -> Place {
        if let Some(class) = self.class(facts) {
            return Place::Class(class);
        }
        let Some(input) = table.inputs.get(self.input) else {
            return Place::Unknown;
        };
        match input_value(self.input, input, &Scope::new(facts, &table.types)) {
            Ok(None) => Place::Unknown,
            Err(failure) => Place::Failed(failure),
            Ok(Some(value)) => match &self.indexed {
                Some(indexed) => indexed.place(&value).unwrap_or(Place::Value(value)),
                None => Place::Value(value),
            },
        }
    }

    /// The set of a class, and how many rows it has.
    pub(crate) fn set(&self, class: Class) -> Option<(&[u64], u32)> {
        let indexed = self.indexed.as_ref()?;
        let id = *indexed.by_class.get(class as usize)?;
        Some((indexed.sets.get(id), indexed.sets.count(id)))
    }

    /// Whether sets hold exactly the rows whose cells a class meets.
    pub(crate) fn is_exact(&self) -> bool {
        self.indexed.as_ref().is_some_and(|i| i.coarse.is_none())
    }

    /// Whether a row of a class's set has a cell that the class meets.
    pub(crate) fn holds(&self, row: usize, class: Class) -> bool {
        match self.indexed.as_ref().and_then(|i| i.coarse.as_ref()) {
            Some(spans) => spans.hold(row, class),
            None => true,
        }
    }

    /// How many distinct tests have to be tried by themselves.
    pub(crate) fn opaque_tests(&self) -> usize {
        self.distinct
    }

    /// The number of a row's opaque test, from 0, if it has one.
    pub(crate) fn opaque_test(&self, row: usize) -> Option<usize> {
        let number = *self.opaque.get(row)?;
        (number as usize).checked_sub(1)
    }

    #[cfg(any(test, feature = "twin"))]
    pub(super) fn bytes(&self) -> usize {
        let indexed = self.indexed.as_ref().map_or(0, |indexed| {
            let spans = indexed.coarse.as_ref();
            indexed.sets.bytes()
                + indexed.by_class.len() * 4
                + spans.map_or(0, |s| s.all.len() * 8 + s.ends.len() * 4)
        });
        indexed + self.opaque.len() * 4
    }
}

/// A fact whose type says all there is to say of its values, or an expression.
fn source(table: &Table, input: &Input) -> Source {
    match &input.expression.expression {
        Expression::Fact(name, property) => match table.types.get(name) {
            Some(ty) => Source::Fact(name.clone(), *property, ty.clone()),
            None => Source::Computed,
        },
        _ => Source::Computed,
    }
}

/// Numbers the distinct opaque tests, and says how many there are.
fn opaque<'t>(
    tests: impl Iterator<Item = &'t Test>,
    is_opaque: impl Fn(&Test) -> bool,
) -> (Vec<u32>, usize) {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let number = |test: &Test| {
        if !is_opaque(test) {
            return 0;
        }
        let next = seen.len() as u32 + 1;
        *seen.entry(test.to_string()).or_insert(next)
    };
    let numbers: Vec<u32> = tests.map(number).collect();
    match seen.len() {
        0 => (Vec::new(), 0),
        distinct => (numbers, distinct),
    }
}

/// What a test of the column's own type asks, beside the table's cells.
fn declared(source: &Source) -> &[String] {
    match source {
        Source::Fact(_, None, Type::String { values }) => values,
        _ => &[],
    }
}

impl Indexed {
    fn new<'t>(
        kind: Kind<'t>,
        column: &'t Input,
        tests: impl Iterator<Item = &'t Test> + Clone,
        source: &Source,
        most: usize,
    ) -> Self {
        let indexable = |test: &&Test| spans::is_indexable(test, kind);
        let allowed = Some(&column.allowed).filter(indexable);
        let all = || tests.clone().filter(indexable).chain(allowed);
        let mut constants: Vec<Key<'_>> = all()
            .flat_map(|test| spans::constants(test, kind))
            .collect();
        let values = declared(source);
        constants.extend(values.iter().map(|text| Key::Text(text)));
        let bounds = Bounds::new(kind, constants, all().any(spans::asks_order));
        let (classes, mut rows) = (bounds.null() + 1, Spans::default());
        let mut count = 0;
        for test in tests.clone() {
            if spans::is_indexable(test, kind) {
                spans::append(test, kind, &bounds, &mut rows.all);
            } else {
                rows.all.push((0, bounds.null()));
            }
            rows.ends.push(rows.all.len() as u32);
            count += 1;
        }
        let built = sets::build(count, classes as usize, &rows, most);
        let mut by_class = built.by_class;
        forbid(&mut by_class, &column.allowed, values, kind, &bounds);
        Self {
            kind: column.ty.clone(),
            bounds,
            sets: built.sets,
            by_class,
            coarse: built.coarse.then_some(rows),
        }
    }

    /// The class of a value that the fact's type takes as it is.
    fn direct(&self, value: &Value, property: Option<Property>, ty: &Type) -> Option<Class> {
        if matches!(value, Value::Null) {
            return Some(self.bounds.null());
        }
        let whole = Kind::of(ty)?.key(value)?;
        let key = match (property, value) {
            (None, _) => whole,
            (
                Some(Property::Amount),
                Value::Money { amount, .. } | Value::Quantity { amount, .. },
            ) => Key::Number(*amount),
            (Some(Property::Currency), Value::Money { currency: text, .. })
            | (Some(Property::Unit), Value::Quantity { unit: text, .. }) => Key::Text(text),
            _ => return None,
        };
        let class = self.bounds.class(key);
        self.allows(class).then_some(class)
    }

    /// Where a value of the column's own type stands.
    fn place(&self, value: &Value) -> Option<Place> {
        if matches!(value, Value::Null) {
            return Some(Place::Class(self.bounds.null()));
        }
        let class = self.bounds.class(Kind::of(&self.kind)?.key(value)?);
        Some(if self.allows(class) {
            Place::Class(class)
        } else {
            Place::Unknown
        })
    }

    fn allows(&self, class: Class) -> bool {
        let set = self.by_class.get(class as usize);
        set.is_some_and(|&set| set != NOT_ALLOWED)
    }
}

/// Marks the classes that the input's allowed values, or its type's, leave out.
fn forbid(
    by_class: &mut [u32],
    allowed: &Test,
    values: &[String],
    kind: Kind<'_>,
    bounds: &Bounds,
) {
    let null = bounds.null() as usize;
    let mut permit = |spans: &[(Class, Class)]| {
        let mut next = 0;
        for &(from, to) in spans.iter().chain([&(bounds.null(), bounds.null())]) {
            if let Some(left_out) = by_class.get_mut(next..from as usize) {
                left_out.fill(NOT_ALLOWED);
            }
            next = (to as usize + 1).min(null);
        }
    };
    if *allowed != Test::Any && spans::is_indexable(allowed, kind) {
        let mut within = Vec::new();
        spans::append(allowed, kind, bounds, &mut within);
        permit(&within);
    }
    if !values.is_empty() {
        let mut within: Vec<_> = values
            .iter()
            .map(|text| bounds.class(Key::Text(text)))
            .map(|class| (class, class))
            .collect();
        within.sort_unstable();
        permit(&within);
    }
}
