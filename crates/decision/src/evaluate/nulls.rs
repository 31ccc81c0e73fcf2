//! Facts whose null tells rows apart. An unknown fact could turn out to be null: that counts
//! among its ways where a cell that isn't `-` is met by it. Elsewhere no row speaks of null,
//! and an unknown fact counts as one that has a value.

use std::{
    collections::{BTreeSet, HashSet},
    sync::OnceLock,
};

use super::{
    known::input_value,
    variables::{behind, unknown_in},
};
use crate::{
    sfeel::{Expression, Met, Scope, Test, calculate, may_meet, meets},
    table::{Input, Table},
    value::{Facts, Value},
};

/// Most distinct tests of a column that are tried; of more, each could be met.
const MAX_TESTS: usize = 10_000;

/// What null does in the columns of a table, as far as that doesn't depend on facts. Found
/// when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct NullTests(OnceLock<Vec<OfColumn>>);

/// The tests of a column.
#[derive(Debug, Default, Clone)]
struct OfColumn {
    /// Whether a cell asks anything.
    asked: bool,
    /// Whether null meets a test that names no fact.
    met: bool,
    /// Rows with tests that name facts, one for each distinct test.
    naming: Vec<usize>,
}

impl NullTests {
    fn of<'n>(&'n self, table: &Table) -> &'n [OfColumn] {
        self.0.get_or_init(|| {
            let columns = 0..table.inputs.len();
            columns.map(|column| OfColumn::new(table, column)).collect()
        })
    }
}

impl OfColumn {
    fn new(table: &Table, column: usize) -> Self {
        let (mut found, mut seen) = (Self::default(), HashSet::new());
        let nothing = Facts::new();
        let scope = Scope::untyped(&nothing);
        for (row, test) in tests(table, column) {
            found.asked = true;
            if names_facts(test) {
                if seen.insert(test.to_string()) {
                    found.naming.push(row);
                }
            } else if !found.met {
                found.met = meets(test, &Value::Null, &scope) == Ok(Met::Yes);
            }
        }
        found
    }
}

/// The tests of a column that ask anything, with their rows.
fn tests(table: &Table, column: usize) -> impl Iterator<Item = (usize, &Test)> {
    let rows = table.rows.iter().enumerate();
    let cells = rows.filter_map(move |(row, of)| Some((row, &of.cells.get(column)?.test)));
    cells.filter(|(_, test)| **test != Test::Any)
}

fn names_facts(test: &Test) -> bool {
    any_fact(test, |_| true)
}

fn names(test: &Test, fact: &str) -> bool {
    any_fact(test, |name| name == fact)
}

fn any_fact(test: &Test, is_meant: impl Fn(&str) -> bool) -> bool {
    let mut found = false;
    for operand in test.operands() {
        operand.facts(&mut |name| found |= is_meant(name));
    }
    found
}

/// The unknown facts that could turn out to be null, of tables decided together.
pub(super) fn counted(tables: &[&Table], facts: &Facts) -> BTreeSet<String> {
    let mut counted = BTreeSet::new();
    for table in tables {
        let columns = table.compiled.nulls().of(table);
        for (column, (input, tests)) in table.inputs.iter().zip(columns).enumerate() {
            if tests.asked {
                let asked = Asked {
                    table,
                    column,
                    input,
                    tests,
                };
                asked.count(facts, &mut counted);
            }
        }
    }
    counted
}

/// A column that some cell asks something of.
#[derive(Clone, Copy)]
struct Asked<'t> {
    table: &'t Table,
    column: usize,
    input: &'t Input,
    tests: &'t OfColumn,
}

impl<'t> Asked<'t> {
    fn count(self, facts: &Facts, counted: &mut BTreeSet<String>) {
        let scope = Scope::new(facts, &self.table.types);
        let plain = matches!(self.input.expression.expression, Expression::Fact(..));
        for name in behind(self.input, &scope) {
            let meets_it = || match plain && self.tests.naming.is_empty() {
                true => self.tests.met,
                false => self.met_where_null(&name, facts),
            };
            if !counted.contains(&name) && meets_it() {
                counted.insert(name);
            }
        }
        let mut named = BTreeSet::new();
        for operand in self.naming().flat_map(Test::operands) {
            named.extend(unknown_in(operand, &scope));
        }
        for name in named {
            if !counted.contains(&name) && self.test_met_where_null(&name, facts) {
                counted.insert(name);
            }
        }
    }

    /// Whether the fact's null, or what the input comes to by it, meets a test.
    fn met_where_null(self, name: &str, facts: &Facts) -> bool {
        let changed = with_null(name, facts);
        let scope = Scope::new(&changed, &self.table.types);
        match calculate(&self.input.expression, &scope) {
            Ok(Some(Value::Null)) => {
                self.tests.met
                    || self
                        .naming()
                        .any(|test| may(test, Some(&Value::Null), &scope))
            }
            Ok(Some(value)) => {
                tests(self.table, self.column).any(|(_, test)| may(test, Some(&value), &scope))
            }
            // Other unknown facts decide what it comes to.
            Ok(None) => true,
            // The failure is what the table comes to, and is noted as such.
            Err(_) => false,
        }
    }

    /// Whether a test that names the fact is met where it is null.
    fn test_met_where_null(self, name: &str, facts: &Facts) -> bool {
        if self.tests.naming.len() > MAX_TESTS {
            return true;
        }
        let changed = with_null(name, facts);
        let scope = Scope::new(&changed, &self.table.types);
        let value = input_value(self.column, self.input, &scope).unwrap_or(None);
        let mut concerned = self.naming().filter(|test| names(test, name));
        concerned.any(|test| may(test, value.as_ref(), &scope))
    }

    /// The distinct tests that name facts.
    fn naming(self) -> impl Iterator<Item = &'t Test> {
        let rows = self.tests.naming.iter();
        rows.filter_map(move |&row| Some(&self.table.rows.get(row)?.cells.get(self.column)?.test))
    }
}

fn with_null(name: &str, facts: &Facts) -> Facts {
    let mut changed = facts.clone();
    changed.insert(name, Value::Null);
    changed
}

/// Whether a value, `None` where it is unknown, could meet a test.
fn may(test: &Test, value: Option<&Value>, scope: &Scope<'_>) -> bool {
    let met = match value {
        Some(value) => meets(test, value, scope),
        None => may_meet(test, scope),
    };
    met.is_ok_and(|met| met != Met::No)
}
