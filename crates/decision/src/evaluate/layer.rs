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
            // Its set holds exactly the rows whose tests it meets.
            (Place::Members(_), _, None) => Ok(Met::Yes),
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
                    Place::Members(found) => {
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
        let mut common = Common::new(self.index);
        common.add((self.index.all.get(0), self.index.all.count(0)));
        let mut checks = Vec::new();
        for column in &self.index.columns {
            let place = column.place(self.table, facts);
            let exact = match &place {
                Place::Class(class) => {
                    if let Some(set) = column.set(*class) {
                        common.add(set);
                    }
                    column.is_exact()
                }
                Place::Members(found) => {
                    common.unions.push(column.any_of(found));
                    true
                }
                _ => false,
            };
            if exact && column.opaque_tests() == 0 {
                continue;
            }
            let value = match (&place, self.table.inputs.get(column.input)) {
                (Place::Class(_) | Place::Members(_), Some(input)) if column.opaque_tests() > 0 => {
                    super::known::input_value(column.input, input, &scope).unwrap_or(None)
                }
                _ => None,
            };
            checks.push(Check {
                tried: vec![None; column.opaque_tests()],
                column,
                place,
                value,
            });
        }
        let mut live = Vec::new();
        common.places(|place| {
            live.extend(self.live(place, &mut checks, &scope));
            ControlFlow::Continue(())
        });
        if self.index.places.moved() {
            live.sort_unstable_by_key(|live: &LiveRow| live.row);
        }
        live
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
