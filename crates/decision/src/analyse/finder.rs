//! The columns of tables, and what their tests ask, by dimension.

use std::collections::{BTreeMap, btree_map::Entry};

use super::{
    constants::{has_classes, is_plain},
    parts::{Part, Splitter},
    relation::Pair,
    space::Key,
};
use crate::{
    sfeel::{Expression, Node, Property, Test},
    table::{Input, Table},
};

/// A column that reads a dimension.
pub(super) struct Column<'t> {
    pub(super) table: usize,
    pub(super) index: usize,
    pub(super) input: &'t Input,
    pub(super) property: Option<Property>,
}

/// The dimensions while they are found.
#[derive(Default)]
pub(super) struct Finder<'t> {
    pub(super) columns: BTreeMap<Key, Vec<Column<'t>>>,
    pub(super) tests: BTreeMap<Key, (&'t Node, &'t Test)>,
    pub(super) pairs: BTreeMap<Key, Pair<'t>>,
    /// The parts of tests that aren't plain, by table, column and text.
    pub(super) parts: BTreeMap<(usize, usize, String), Vec<Part<'t>>>,
}

impl<'t> Finder<'t> {
    /// Reads the tables.
    pub(super) fn new(tables: &[&'t Table]) -> Self {
        let mut finder = Self::default();
        for (table, &read) in tables.iter().enumerate() {
            let mut splitter = Splitter::new(read);
            for (column, input) in read.inputs.iter().enumerate() {
                let (key, property) = key_of(input);
                for row in &read.rows {
                    let test = &row.cells[column].test;
                    if *test != Test::Any && !is_plain(test, &input.ty) {
                        finder.take_apart((table, column), input, test, &mut splitter);
                    }
                }
                if has_classes(&input.ty) {
                    finder.columns.entry(key).or_default().push(Column {
                        table,
                        index: column,
                        input,
                        property,
                    });
                }
            }
        }
        finder
    }

    /// What tests of a column that aren't plain ask of its own values.
    pub(super) fn own_parts(&self, table: usize, column: usize) -> impl Iterator<Item = &Test> {
        let from = self.parts.range((table, column, String::new())..);
        from.take_while(move |((t, c, _), _)| (*t, *c) == (table, column))
            .flat_map(|(_, parts)| parts)
            .filter_map(|part| match part {
                Part::Own(test) => Some(test),
                _ => None,
            })
    }

    fn take_apart(
        &mut self,
        (table, column): (usize, usize),
        input: &'t Input,
        test: &'t Test,
        splitter: &mut Splitter<'t>,
    ) {
        let text = test.to_string();
        if self.parts.contains_key(&(table, column, text.clone())) {
            return;
        }
        let parts = splitter.parts(input, test);
        for part in &parts {
            match part {
                Part::Own(_) => {}
                Part::Beside(operand, _) => {
                    if let Some(pair) = splitter.pair(input, operand) {
                        let key = Key::pair(&input.expression, operand);
                        // Of several types, those that tell more apart.
                        match self.pairs.entry(key) {
                            Entry::Occupied(mut other) if other.get().counts() < pair.counts() => {
                                other.insert(pair);
                            }
                            Entry::Occupied(_) => {}
                            Entry::Vacant(free) => {
                                free.insert(pair);
                            }
                        }
                    }
                }
                Part::Whole => {
                    let key = Key::Test(input.expression.to_string(), text.clone());
                    self.tests.insert(key, (&input.expression, test));
                }
            }
        }
        self.parts.insert((table, column, text), parts);
    }
}

/// The dimension that an input reads, and which part of its fact.
pub(super) fn key_of(input: &Input) -> (Key, Option<Property>) {
    match &input.expression.expression {
        Expression::Fact(name, property) => (Key::Fact(name.clone()), *property),
        _ => (Key::Expression(input.expression.to_string()), None),
    }
}
