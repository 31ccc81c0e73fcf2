//! A table as joint evaluation sees it: compiled, or tried row by row.

use std::ops::ControlFlow;

use smallvec::SmallVec;

use super::{Outcome, known::LiveRow};
use crate::{
    compile::{Column, Index, Place},
    sfeel::{Failure, Met, Scope, Test, meets},
    table::{HitPolicy, Table},
    value::{Facts, Value},
};

/// A table and how its rows are found.
pub(super) trait Layer {
    fn table(&self) -> &Table;
    /// The outcome, where no open cell and no failure can play a part.
    fn settled(&self, facts: &Facts) -> Option<Outcome>;
    /// The rows that the known facts don't rule out.
    fn live_rows(&self, facts: &Facts) -> Vec<LiveRow>;
    /// The outcome where exactly `matching` match, given in row order.
    fn outcome(&self, matching: &[usize]) -> Outcome;
}

/// A table with its index.
pub(super) struct Indexed<'t> {
    table: &'t Table,
    index: &'t Index,
}

/// Most columns that evaluation keeps track of without asking for memory.
const INLINE: usize = 8;

/// The sets whose common rows are looked for, the smallest first.
struct Common<'i> {
    sets: SmallVec<[(&'i [u64], u32); INLINE]>,
    /// Sets of which a row must be in one at least.
    unions: SmallVec<[SmallVec<[&'i [u64]; INLINE]>; 1]>,
    /// How many words of each are summary.
    summary: usize,
}

impl<'i> Common<'i> {
    fn new(index: &'i Index) -> Self {
        let rows = index.all.count(0) as usize;
        Self {
            sets: SmallVec::new(),
            unions: SmallVec::new(),
            summary: rows.div_ceil(64).div_ceil(64),
        }
    }

    fn add(&mut self, set: (&'i [u64], u32)) {
        let at = self.sets.partition_point(|other| other.1 <= set.1);
        self.sets.insert(at, set);
    }

    /// Visits the places that all sets have, in order, until told to stop.
    fn places(&self, mut visit: impl FnMut(usize) -> ControlFlow<()>) {
        let Some(((first, _), rest)) = self.sets.split_first() else {
            return;
        };
        let (head, first) = first.split_at(self.summary.min(first.len()));
        for (at, &summary) in head.iter().enumerate() {
            let common = |sum: u64, set: &(&[u64], u32)| sum & set.0.get(at).copied().unwrap_or(0);
            let mut live = rest.iter().fold(summary, common);
            for union in &self.unions {
                live &= any(union, at);
            }
            while live != 0 {
                let word = at * 64 + live.trailing_zeros() as usize;
                live &= live - 1;
                let mut rows = first.get(word).copied().unwrap_or(0);
                for (set, _) in rest {
                    rows &= set.get(self.summary + word).copied().unwrap_or(0);
                    if rows == 0 {
                        break;
                    }
                }
                for union in &self.unions {
                    rows &= any(union, self.summary + word);
                }
                while rows != 0 {
                    let place = word * 64 + rows.trailing_zeros() as usize;
                    rows &= rows - 1;
                    if visit(place).is_break() {
                        return;
                    }
                }
            }
        }
    }
}

/// A word that some sets have together.
fn any(sets: &[&[u64]], at: usize) -> u64 {
    let word = |set: &&[u64]| set.get(at).copied().unwrap_or(0);
    sets.iter().map(word).fold(0, |sum, word| sum | word)
}

/// A column that sets alone don't settle.
struct Check<'i> {
    column: &'i Column,
    place: Place,
    /// The value that opaque tests are put to.
    value: Option<Value>,
    /// What became of each opaque test so far.
    tried: Vec<Option<Met>>,
}

impl<'t> Indexed<'t> {
    pub(super) fn new(table: &'t Table) -> Self {
        Self::with(table, table.compiled.index(table))
    }

    pub(super) fn with(table: &'t Table, index: &'t Index) -> Self {
        Self { table, index }
    }

    /// The rows that these values of the inputs don't rule out; an unknown one is `None`.
    /// Under FIRST none beyond the first that is sure to match. And how many were looked at.
    pub(super) fn rows_at(
        &self,
        values: &[Option<Value>],
        scope: &Scope<'_>,
    ) -> (Vec<LiveRow>, usize) {
        let mut search = Search::new(self);
        for column in &self.index.columns {
            let value = values.get(column.input).and_then(Option::as_ref);
            search.add(column, column.place_of(value), || value.cloned());
        }
        search.rows(scope, self.table.hit_policy == HitPolicy::First)
    }

    /// The outcome where the rows at the places that `common` leaves match, of those that
    /// `holds` accepts.
    fn pick(&self, common: &Common<'_>, holds: impl Fn(usize) -> bool) -> Outcome {
        let places = &self.index.places;
        if matches!(
            self.table.hit_policy,
            HitPolicy::First | HitPolicy::Priority
        ) {
            // The first in rank has the first place.
            let mut found = None;
            common.places(|place| {
                if !holds(place) {
                    return ControlFlow::Continue(());
                }
                found = Some(places.row(place));
                ControlFlow::Break(())
            });
            return found.map_or(Outcome::NoHit, |row| Outcome::Hits(vec![row]));
        }
        let mut matching = Vec::new();
        common.places(|place| {
            if holds(place) {
                matching.push(places.row(place));
            }
            ControlFlow::Continue(())
        });
        if places.moved() {
            matching.sort_unstable();
        }
        self.all(matching)
    }

    /// The outcome of policies that look at all rows that match.
    fn all(&self, matching: Vec<usize>) -> Outcome {
        if matching.is_empty() {
            return Outcome::NoHit;
        }
        let order = &self.index.order;
        let differ = || {
            matching
                .windows(2)
                .any(|w| order.of(w[0]) != order.of(w[1]))
        };
        match self.table.hit_policy {
            HitPolicy::Unique if matching.len() > 1 => Outcome::Conflict(matching),
            HitPolicy::Any if differ() => Outcome::Conflict(matching),
            HitPolicy::OutputOrder => {
                let mut sorted = matching;
                sorted.sort_by_key(|&row| order.of(row));
                Outcome::Hits(sorted)
            }
            _ => Outcome::Hits(matching),
        }
    }

    /// Looks at one candidate: `None` where a cell rules it out.
    fn live(&self, place: usize, checks: &mut [Check<'_>], scope: &Scope<'_>) -> Option<LiveRow> {
        let row = self.index.places.row(place);
        let cells = &self.table.rows.get(row)?.cells;
        let (mut open, mut failure) = (Vec::new(), None);
        for check in checks {
            let input = check.column.input;
            let test = &cells.get(input)?.test;
            match check.met((place, row), test, scope) {
                Ok(Met::Yes) => {}
                Ok(Met::Unknown) => open.push(input),
                Ok(Met::No) => return None,
                Err(found) => {
                    let computed = matches!(check.place, Place::Failed(_));
                    failure.get_or_insert(Failure {
                        input,
                        row: (!computed).then_some(row),
                        ..found
                    });
                }
            }
        }
        Some(LiveRow { row, open, failure })
    }
}

/// Looking for the rows that what is known doesn't rule out.
struct Search<'s> {
    layer: &'s Indexed<'s>,
    common: Common<'s>,
    checks: Vec<Check<'s>>,
}

impl<'s> Search<'s> {
    fn new(layer: &'s Indexed<'s>) -> Self {
        let mut common = Common::new(layer.index);
        common.add((layer.index.all.get(0), layer.index.all.count(0)));
        Self {
            layer,
            common,
            checks: Vec::new(),
        }
    }

    /// Narrows by a column; `value` is asked for where tests have to be tried by themselves.
    fn add(&mut self, column: &'s Column, place: Place, value: impl FnOnce() -> Option<Value>) {
        let exact = match &place {
            Place::Class(class) => {
                if let Some(set) = column.set(*class) {
                    self.common.add(set);
                }
                column.is_exact()
            }
            Place::Members(found) => {
                self.common.unions.push(column.any_of(found));
                column.members_tell_all()
            }
            _ => false,
        };
        let opaque = column.opaque_tests() > 0;
        if exact && !opaque {
            return;
        }
        let value = match &place {
            Place::Class(_) if opaque => value(),
            Place::Members(_) => value(),
            _ => None,
        };
        self.checks.push(Check {
            tried: vec![None; column.opaque_tests()],
            column,
            place,
            value,
        });
    }

    /// The rows in their order; with `first` none beyond the first that is sure to match,
    /// where they stand in the order of the table. And how many were looked at.
    fn rows(mut self, scope: &Scope<'_>, first: bool) -> (Vec<LiveRow>, usize) {
        let moved = self.layer.index.places.moved();
        let mut looked_at = 0;
        let mut rows: Vec<LiveRow> = Vec::new();
        self.common.places(|place| {
            looked_at += 1;
            let Some(found) = self.layer.live(place, &mut self.checks, scope) else {
                return ControlFlow::Continue(());
            };
            let sure = found.open.is_empty() && found.failure.is_none();
            rows.push(found);
            if first && sure && !moved {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        if moved {
            rows.sort_unstable_by_key(|live| live.row);
        }
        (rows, looked_at)
    }
}

impl Check<'_> {
    fn met(
        &mut self,
        (place, row): (usize, usize),
        test: &Test,
        scope: &Scope<'_>,
    ) -> Result<Met, Failure> {
        if *test == Test::Any {
            return Ok(Met::Yes);
        }
        match (&self.place, &self.value, self.column.opaque_test(row)) {
            (Place::Unknown, ..) => Ok(Met::Unknown),
            (Place::Failed(failure), ..) => Err(failure.clone()),
            (Place::Value(value), _, None) => meets(test, value, scope),
            (Place::Members(_), _, None) if self.column.members_tell(row) => Ok(Met::Yes),
            (Place::Members(_), Some(value), None) => meets(test, value, scope),
            (Place::Class(class), _, None) => Ok(if self.column.holds(place, *class) {
                Met::Yes
            } else {
                Met::No
            }),
            (Place::Value(value), _, Some(number)) | (_, Some(value), Some(number)) => {
                if let Some(Some(met)) = self.tried.get(number) {
                    return Ok(*met);
                }
                // A failure names the place in its own cell's text, so none is kept.
                let met = meets(test, value, scope)?;
                if let Some(tried) = self.tried.get_mut(number) {
                    *tried = Some(met);
                }
                Ok(met)
            }
            (_, None, _) => Ok(Met::Unknown),
        }
    }
}

impl Layer for Indexed<'_> {
    fn table(&self) -> &Table {
        self.table
    }

    fn settled(&self, facts: &Facts) -> Option<Outcome> {
        let mut common = Common::new(self.index);
        let mut coarse: SmallVec<[(&Column, u32); INLINE]> = SmallVec::new();
        for column in &self.index.columns {
            if column.opaque_tests() > 0 {
                return None;
            }
            let class = match column.class(facts) {
                Some(class) => class,
                None => match column.place(self.table, facts) {
                    Place::Class(class) => class,
                    Place::Members(found) if column.members_tell_all() => {
                        common.unions.push(column.any_of(&found));
                        continue;
                    }
                    _ => return None,
                },
            };
            common.add(column.set(class)?);
            if !column.is_exact() {
                coarse.push((column, class));
            }
        }
        if common.sets.is_empty() {
            common.add((self.index.all.get(0), self.index.all.count(0)));
        }
        Some(if coarse.is_empty() {
            self.pick(&common, |_| true)
        } else {
            self.pick(&common, |place| {
                coarse
                    .iter()
                    .all(|(column, class)| column.holds(place, *class))
            })
        })
    }

    fn live_rows(&self, facts: &Facts) -> Vec<LiveRow> {
        let scope = Scope::new(facts, &self.table.types);
        let mut search = Search::new(self);
        for column in &self.index.columns {
            let value = || {
                let input = self.table.inputs.get(column.input)?;
                super::known::input_value(column.input, input, &scope).unwrap_or(None)
            };
            search.add(column, column.place(self.table, facts), value);
        }
        search.rows(&scope, false).0
    }

    fn outcome(&self, matching: &[usize]) -> Outcome {
        let order = &self.index.order;
        match (self.table.hit_policy, matching) {
            (HitPolicy::First, [first, ..]) => Outcome::Hits(vec![*first]),
            (HitPolicy::Priority, [first, ..]) => {
                // The first of equals wins: `min_by_key` keeps it.
                let best = matching.iter().min_by_key(|&&row| order.of(row));
                Outcome::Hits(vec![*best.unwrap_or(first)])
            }
            _ => self.all(matching.to_vec()),
        }
    }
}

/// A table whose every row is tried: what the index must agree with.
#[cfg(any(test, feature = "twin"))]
pub(super) struct Naive<'t>(pub(super) &'t Table);

#[cfg(any(test, feature = "twin"))]
impl Layer for Naive<'_> {
    fn table(&self) -> &Table {
        self.0
    }

    fn settled(&self, _facts: &Facts) -> Option<Outcome> {
        None
    }

    fn live_rows(&self, facts: &Facts) -> Vec<LiveRow> {
        super::known::live_rows(self.0, facts)
    }

    fn outcome(&self, matching: &[usize]) -> Outcome {
        super::hits::outcome(self.0, matching)
    }
}
