//! Rows as boxes: the classes that their cells let through, each test looked at once.

use std::collections::{BTreeMap, HashMap};

use super::{
    Reason, Undecided,
    constants::is_plain,
    limits,
    scale::Scale,
    set::ClassSet,
    space::{Finder, Key, Space, index},
};
use crate::{
    sfeel::{Property, Test},
    table::{Row, Table},
};

impl<'t> Space<'t> {
    pub(super) fn fill(&mut self, finder: &Finder<'t>, order: &HashMap<Key, u32>) {
        let mut filler = Filler {
            columns: HashMap::new(),
            interned: HashMap::new(),
            known: HashMap::new(),
            tests: limits::TESTS,
        };
        for (key, columns) in &finder.columns {
            if let Some(&at) = order.get(key) {
                for column in columns {
                    filler
                        .columns
                        .insert((column.table, column.index), (at, column.property));
                }
            }
        }
        let tables = self.tables.clone();
        for (table, read) in tables.into_iter().enumerate() {
            for row in &read.rows {
                let Some(sets) = filler.row(self, table, read, row, order) else {
                    self.boxes.clear();
                    let message = format!("more than {} tests of cells", limits::TESTS);
                    self.undecided.push(Undecided::new(Reason::Budget, message));
                    return;
                };
                self.possible.push(sets.values().all(|set| !set.is_empty()));
                self.last
                    .push(sets.keys().last().map_or(0, |last| last + 1));
                let entries = sets
                    .into_iter()
                    .map(|(at, set)| (at, filler.intern(self, set)))
                    .collect();
                self.boxes.push(entries);
            }
        }
    }
}

/// Makes the sets of rows, each test once.
struct Filler {
    /// The dimension of a column, by table and index.
    columns: HashMap<(usize, usize), (u32, Option<Property>)>,
    interned: HashMap<ClassSet, u32>,
    known: HashMap<(u32, Option<&'static str>, String), ClassSet>,
    tests: usize,
}

impl Filler {
    /// The sets of a row by dimension, those that let everything through left out; `None`
    /// where that takes too many tests.
    fn row(
        &mut self,
        space: &Space<'_>,
        table: usize,
        read: &Table,
        row: &Row,
        order: &HashMap<Key, u32>,
    ) -> Option<BTreeMap<u32, ClassSet>> {
        let mut sets: BTreeMap<u32, ClassSet> = BTreeMap::new();
        for (column, cell) in row.cells.iter().enumerate() {
            if cell.test == Test::Any {
                continue;
            }
            let input = &read.inputs[column];
            let (at, set) = if is_plain(&cell.test, &input.ty) {
                let Some(&(at, property)) = self.columns.get(&(table, column)) else {
                    continue;
                };
                let scale = &space.dimensions[index(at)].scale;
                let set = match scale.by_constants(&cell.test, property) {
                    Some(set) => set,
                    None => self.tried(scale, at, &cell.test, property)?,
                };
                if set == ClassSet::range(0, scale.count()) {
                    continue;
                }
                (at, set)
            } else {
                let key = Key::Test(input.expression.to_string(), cell.test.to_string());
                (*order.get(&key)?, ClassSet::range(1, 2))
            };
            sets.entry(at)
                .and_modify(|both| *both = both.intersect(&set))
                .or_insert(set);
        }
        Some(sets)
    }

    fn tried(
        &mut self,
        scale: &Scale,
        at: u32,
        test: &Test,
        property: Option<Property>,
    ) -> Option<ClassSet> {
        let key = (at, property.map(Property::name), test.to_string());
        if let Some(set) = self.known.get(&key) {
            return Some(set.clone());
        }
        let cost = scale.classes.len() * test.alternatives().len().max(1);
        self.tests = self.tests.checked_sub(cost)?;
        let set = scale.by_trial(test, property);
        self.known.insert(key, set.clone());
        Some(set)
    }

    fn intern(&mut self, space: &mut Space<'_>, set: ClassSet) -> u32 {
        if let Some(&at) = self.interned.get(&set) {
            return at;
        }
        let at = u32::try_from(space.sets.len()).unwrap_or(u32::MAX);
        space.sets.push(set.clone());
        self.interned.insert(set, at);
        at
    }
}
