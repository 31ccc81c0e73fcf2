//! Rows as boxes: the classes that their cells let through, each test looked at once.

use std::collections::{BTreeMap, HashMap};

use super::{
    Reason, Undecided,
    constants::is_plain,
    finder::Finder,
    limits,
    parts::Part,
    relation::Pair,
    scale::Scale,
    set::ClassSet,
    space::{Key, Space, index},
};
use crate::{
    sfeel::{Node, Property, Test},
    table::{Row, Table},
};

impl<'t> Space<'t> {
    pub(super) fn fill(&mut self, finder: &Finder<'t>, order: &HashMap<Key, u32>) {
        let mut filler = Filler {
            finder,
            columns: HashMap::new(),
            interned: HashMap::new(),
            known: HashMap::new(),
            beside: HashMap::new(),
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
struct Filler<'f, 't> {
    finder: &'f Finder<'t>,
    /// The dimension of a column, by table and index.
    columns: HashMap<(usize, usize), (u32, Option<Property>)>,
    interned: HashMap<ClassSet, u32>,
    known: HashMap<(u32, Option<&'static str>, String), ClassSet>,
    /// The sets of tests against operands, by dimension, input and text.
    beside: HashMap<(u32, String, String), ClassSet>,
    tests: usize,
}

impl Filler<'_, '_> {
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
            if is_plain(&cell.test, &input.ty) {
                self.own(space, (table, column), &cell.test, &mut sets)?;
                continue;
            }
            let text = cell.test.to_string();
            let parts = self.finder.parts.get(&(table, column, text.clone()));
            for part in parts.into_iter().flatten() {
                match part {
                    Part::Own(test) => self.own(space, (table, column), test, &mut sets)?,
                    Part::Beside(operand, test) => {
                        let at = *order.get(&Key::pair(&input.expression, operand))?;
                        let set = self.beside(space, at, &input.expression, test);
                        if set != ClassSet::range(0, space.dimensions[index(at)].scale.count()) {
                            add(&mut sets, at, set);
                        }
                    }
                    Part::Whole => {
                        let key = Key::Test(input.expression.to_string(), text.clone());
                        add(&mut sets, *order.get(&key)?, ClassSet::range(1, 2));
                    }
                }
            }
        }
        Some(sets)
    }

    /// What a test asks of the values of its input.
    fn own(
        &mut self,
        space: &Space<'_>,
        column: (usize, usize),
        test: &Test,
        sets: &mut BTreeMap<u32, ClassSet>,
    ) -> Option<()> {
        let Some(&(at, property)) = self.columns.get(&column) else {
            return Some(());
        };
        let scale = &space.dimensions[index(at)].scale;
        let set = match scale.by_constants(test, property) {
            Some(set) => set,
            None => self.tried(scale, at, test, property)?,
        };
        if set != ClassSet::range(0, scale.count()) {
            add(sets, at, set);
        }
        Some(())
    }

    /// What a test against an operand asks of how the two lie.
    fn beside(&mut self, space: &Space<'_>, at: u32, input: &Node, test: &Test) -> ClassSet {
        let key = (at, input.to_string(), test.to_string());
        if let Some(set) = self.beside.get(&key) {
            return set.clone();
        }
        let pair = space.dimensions[index(at)].pair.as_ref();
        let of_left = |pair: &Pair<'_>| pair.left.to_string() == key.1;
        let set = pair.map_or_else(ClassSet::default, |pair| pair.met(test, of_left(pair)));
        self.beside.insert(key, set.clone());
        set
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

fn add(sets: &mut BTreeMap<u32, ClassSet>, at: u32, set: ClassSet) {
    sets.entry(at)
        .and_modify(|both| *both = both.intersect(&set))
        .or_insert(set);
}
