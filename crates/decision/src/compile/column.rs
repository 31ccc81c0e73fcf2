//! A column of the index.

use super::{
    bounds::{Bounds, Class, KeptKind, Key, Kind},
    draft::Draft,
    members::{Found, MemberDraft, Members},
    places::Places,
    sets::{self, Sets, Span, Spans},
};
use smallvec::SmallVec;

use crate::{
    evaluate::known::input_value,
    sfeel::{Expression, Failure, Property, Scope},
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
    /// Which rows the members of a list let through.
    members: Option<Members>,
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
    kind: KeptKind,
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
    /// A list: the sets that its members have.
    Members(Found),
    /// It depends on unknown facts.
    Unknown,
    /// Its expression has no result.
    Failed(Failure),
    /// A value that the index doesn't know of.
    Value(Value),
}

/// A column whose cells are read, before the rows have their places.
pub(super) struct Prepared<'t> {
    column: Column,
    cells: Option<Cells>,
    members: Option<MemberDraft<'t>>,
}

/// The cells of a column as classes.
struct Cells {
    kind: KeptKind,
    bounds: Bounds,
    spans: Spans,
    /// The classes that the input's allowed values have, and those its type declares.
    allowed: Vec<Span>,
    declared: Option<Vec<Span>>,
}

impl<'t> Prepared<'t> {
    pub(super) fn new(
        table: &'t Table,
        input: usize,
        mut draft: Draft<'t>,
        members: Option<MemberDraft<'t>>,
    ) -> Self {
        let declaration = &table.inputs[input];
        let (opaque, distinct) = draft.opaque(table.rows.len());
        let indexable = draft.is_indexable();
        let source = match draft.add(&declaration.allowed) {
            true => source(table, declaration),
            false => Source::Computed,
        };
        let values = declared(table, declaration, &source);
        let cells = indexable.then(|| Cells::new(draft, values));
        Self {
            cells: cells.flatten(),
            members,
            column: Column {
                input,
                source,
                indexed: None,
                members: None,
                opaque,
                distinct,
            },
        }
    }

    /// The class in which a row's cell begins to be met, and how many classes there are.
    pub(super) fn start(&self, row: usize) -> Option<(Class, Class)> {
        let cells = self.cells.as_ref()?;
        let first = cells.spans.of(row).first().map_or(0, |span| span.0);
        Some((first, cells.bounds.null() + 1))
    }

    /// How many classes of values there are.
    pub(super) fn classes(&self) -> Class {
        self.cells
            .as_ref()
            .map_or(0, |cells| cells.bounds.null() + 1)
    }

    /// Builds the sets of rows, which stand in these places.
    pub(super) fn build(self, places: &Places, most: usize) -> Column {
        let mut column = self.column;
        column.indexed = self.cells.map(|cells| cells.build(places, most));
        if let Some(mut draft) = self.members {
            column.members = draft.build(places, most);
            if column.members.is_some() {
                column.settle(|row| draft.tells(row));
            }
        }
        column
    }
}

impl Cells {
    /// The cells of a draft whose last test is what the input allows.
    fn new<'t>(mut draft: Draft<'t>, values: &'t [String]) -> Option<Self> {
        values
            .iter()
            .for_each(|text| draft.add_key(Key::Text(text)));
        let (kind, bounds) = draft.bounds()?;
        let mut spans = draft.spans(&bounds);
        let allowed = spans.pop();
        let class = |text: &String| bounds.class(Key::Text(text));
        let declared = || {
            let mut within: Vec<Span> = values.iter().map(class).map(|c| (c, c)).collect();
            within.sort_unstable();
            within
        };
        Some(Self {
            kind,
            declared: (!values.is_empty()).then(declared),
            bounds,
            spans,
            allowed,
        })
    }

    fn build(self, places: &Places, most: usize) -> Indexed {
        let mut spans = self.spans.placed(places);
        spans.settle();
        let classes = self.bounds.null() as usize + 1;
        let built = sets::build(places.rows(), classes, &spans, most);
        let mut by_class = built.by_class;
        keep(&mut by_class, &self.allowed);
        if let Some(declared) = &self.declared {
            keep(&mut by_class, declared);
        }
        Indexed {
            kind: self.kind,
            bounds: self.bounds,
            sets: built.sets,
            by_class,
            coarse: built.coarse.then_some(spans),
        }
    }
}

impl Column {
    /// The class of a fact's value, where it is known and of its type as it stands.
    #[inline]
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
        if let (Source::Fact(name, None, _), Some(members)) = (&self.source, &self.members)
            && let Some(found) = facts.get(name).and_then(|value| members.find(value))
        {
            return Place::Members(found);
        }
        let Some(input) = table.inputs.get(self.input) else {
            return Place::Unknown;
        };
        match input_value(self.input, input, &Scope::new(facts, &table.types)) {
            Ok(None) => Place::Unknown,
            Err(failure) => Place::Failed(failure),
            Ok(Some(value)) => match self.found(&value) {
                Some(place) => place,
                None => Place::Value(value),
            },
        }
    }

    /// Where a value that was worked out elsewhere stands; `None`: it is unknown. The input
    /// is known to allow it.
    pub(crate) fn place_of(&self, value: Option<&Value>) -> Place {
        match value.map(|value| (value, self.found(value))) {
            None => Place::Unknown,
            Some((value, None | Some(Place::Unknown))) => Place::Value(value.clone()),
            Some((_, Some(place))) => place,
        }
    }

    fn found(&self, value: &Value) -> Option<Place> {
        let place = self.indexed.as_ref().and_then(|i| i.place(value));
        let members = || self.members.as_ref()?.find(value).map(Place::Members);
        place.or_else(members)
    }

    /// Whether having a member is all that a row's test asks of a list.
    pub(crate) fn members_tell(&self, row: usize) -> bool {
        self.members
            .as_ref()
            .is_some_and(|members| members.tell(row))
    }

    /// The same of all rows.
    pub(crate) fn members_tell_all(&self) -> bool {
        self.members.as_ref().is_some_and(Members::tell_all)
    }

    /// The rows that one of the members found lets through.
    pub(crate) fn any_of(&self, found: &Found) -> SmallVec<[&[u64]; 8]> {
        let members = self.members.iter();
        members
            .flat_map(|members| found.iter().map(|&id| members.set(id)))
            .collect()
    }

    /// Forgets opaque tests that needn't be tried.
    fn settle(&mut self, told: impl Fn(usize) -> bool) {
        for (row, number) in self.opaque.iter_mut().enumerate() {
            if told(row) {
                *number = 0;
            }
        }
        if self.opaque.iter().all(|number| *number == 0) {
            (self.opaque, self.distinct) = (Vec::new(), 0);
        }
    }

    /// The set of a class, and how many rows it has.
    #[inline]
    pub(crate) fn set(&self, class: Class) -> Option<(&[u64], u32)> {
        let indexed = self.indexed.as_ref()?;
        let id = *indexed.by_class.get(class as usize)?;
        Some((indexed.sets.get(id), indexed.sets.count(id)))
    }

    /// Whether sets hold exactly the rows whose cells a class meets.
    pub(crate) fn is_exact(&self) -> bool {
        self.indexed.as_ref().is_some_and(|i| i.coarse.is_none())
    }

    /// Whether the row at a place of a class's set has a cell that the class meets.
    pub(crate) fn holds(&self, place: usize, class: Class) -> bool {
        match self.indexed.as_ref().and_then(|i| i.coarse.as_ref()) {
            Some(spans) => spans.hold(place, class),
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
        let members = self.members.as_ref().map_or(0, Members::bytes);
        indexed + members + self.opaque.len() * 4
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

/// The texts that a fact may have by its type, where it is what the column reads.
fn declared<'t>(table: &'t Table, input: &'t Input, source: &Source) -> &'t [String] {
    match (source, &input.expression.expression) {
        (Source::Fact(..), Expression::Fact(name, None)) => match table.types.get(name) {
            Some(Type::String { values }) => values,
            _ => &[],
        },
        _ => &[],
    }
}

impl Indexed {
    /// The class of a value that the fact's type takes as it is.
    #[inline]
    fn direct(&self, value: &Value, property: Option<Property>, ty: &Type) -> Option<Class> {
        if matches!(value, Value::Null) {
            return Some(self.bounds.null());
        }
        // The types that most facts have come first, without a detour.
        let class = match (ty, property, value) {
            (Type::String { .. }, None, Value::String(text)) => self.bounds.class_of_text(text),
            (Type::Boolean, None, Value::Boolean(flag)) => {
                self.bounds.class_of_whole((*flag).into())
            }
            (Type::Number { .. }, None, Value::Number(number)) => {
                self.bounds.class_of_number(*number)
            }
            (
                Type::Money { currency: wanted },
                None | Some(Property::Amount),
                Value::Money { amount, currency },
            ) if wanted.as_ref().is_none_or(|wanted| wanted == currency) => {
                self.bounds.class_of_number(*amount)
            }
            _ => {
                let kind = match (Kind::of(ty), property) {
                    (None, None) => self.kind.get()?,
                    (kind, _) => kind?,
                };
                self.bounds.class(part(kind.key(value)?, value, property)?)
            }
        };
        self.allows(class).then_some(class)
    }

    /// Where a value of the column's own type stands.
    fn place(&self, value: &Value) -> Option<Place> {
        if matches!(value, Value::Null) {
            return Some(Place::Class(self.bounds.null()));
        }
        let class = self.bounds.class(self.kind.get()?.key(value)?);
        Some(if self.allows(class) {
            Place::Class(class)
        } else {
            Place::Unknown
        })
    }

    #[inline]
    fn allows(&self, class: Class) -> bool {
        let set = self.by_class.get(class as usize);
        set.is_some_and(|&set| set != NOT_ALLOWED)
    }
}

/// The key of a part of a value that has a key as a whole.
fn part<'v>(whole: Key<'v>, value: &'v Value, property: Option<Property>) -> Option<Key<'v>> {
    Some(match (property, value) {
        (None, _) => whole,
        (Some(Property::Amount), Value::Quantity { amount, .. }) => Key::Number(*amount),
        (Some(Property::Currency), Value::Money { currency: text, .. })
        | (Some(Property::Unit), Value::Quantity { unit: text, .. }) => Key::Text(text),
        _ => return None,
    })
}

/// Marks the classes beside the given ones as not allowed; null always is.
fn keep(by_class: &mut [u32], within: &[Span]) {
    let null = by_class.len() - 1;
    let mut next = 0;
    for &(from, to) in within.iter().chain([&(null as Class, null as Class)]) {
        if let Some(left_out) = by_class.get_mut(next..from as usize) {
            left_out.fill(NOT_ALLOWED);
        }
        next = to as usize + 1;
    }
}
