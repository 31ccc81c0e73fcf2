//! What is unknown, as variables: each a fact, or an expression of several, with the
//! choices that the open cells tell apart.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    bits::Bits,
    can_fail::can_fail,
    domain::{Constants, representatives},
    known::{LiveRow, input_value},
};
use crate::{
    sfeel::{Expression, Met, Node, Property, Scope, Test, calculate, meets},
    table::{Input, Table},
    types::Type,
    value::{Facts, Value},
};

/// Most cell tests made to find the choices of all variables.
const MAX_TESTS: usize = 1_000_000;
/// Most machine words that the choices of all variables take.
const MAX_WORDS: usize = 1_000_000;

/// An open cell: a row's position among all live rows, its table and column.
#[derive(Debug, Clone, Copy)]
struct Open<'t> {
    position: usize,
    table: usize,
    input: &'t Input,
    test: &'t Test,
}

/// Something unknown that rows depend on.
#[derive(Debug)]
pub(super) struct Variable {
    /// The unknown facts behind it.
    pub(super) facts: BTreeSet<String>,
    /// For each class of values, the live rows that its cells let through.
    pub(super) choices: Vec<Bits>,
}

/// All that is unknown.
#[derive(Debug, Default)]
pub(super) struct Variables {
    pub(super) all: Vec<Variable>,
    /// Whether the variables are independent of each other, and every choice possible.
    pub(super) exact: bool,
    /// Tables of which an expression could fail, with the facts it depends on.
    pub(super) failing: Vec<(usize, crate::sfeel::Failure, BTreeSet<String>)>,
}

/// How cells hang together: those of one key vary together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// A fact, whose values are enumerated, as the type that a table has of it.
    Fact(String, String),
    /// An expression over unknown facts, by its canonical text: taken as free.
    Expression(String),
    /// A test against unknown facts, by input and test: met or not, as if free.
    Test(String, String),
}

/// The variables of the open cells; `None` where there are too many choices to list. Of
/// unknown facts those in `nulls` could turn out to be null.
pub(super) fn find(
    tables: &[&Table],
    facts: &Facts,
    nulls: &BTreeSet<String>,
    live: &[(usize, LiveRow)],
) -> Option<Variables> {
    let mut groups: BTreeMap<Key, Vec<Open<'_>>> = BTreeMap::new();
    for (position, (table, row)) in live.iter().enumerate() {
        let table_ref = tables[*table];
        let scope = Scope::new(facts, &table_ref.types);
        for &column in &row.open {
            let input = &table_ref.inputs[column];
            let test = &table_ref.rows[row.row].cells[column].test;
            let open = Open {
                position,
                table: *table,
                input,
                test,
            };
            groups.entry(key(open, &scope)).or_default().push(open);
        }
    }
    let mut variables = Variables {
        exact: true,
        ..Variables::default()
    };
    let mut budget = Budget {
        tests: MAX_TESTS,
        words: MAX_WORDS,
    };
    let mut enumerated = BTreeSet::new();
    for (key, cells) in groups {
        // Where tables have different types of a fact, its values are taken for each alone.
        variables.exact &= match &key {
            Key::Fact(name, _) => enumerated.insert(name.clone()),
            _ => false,
        };
        let variable = match &key {
            Key::Test(..) => met_or_not(tables, facts, &cells, live.len()),
            _ => {
                let mut values = values(tables, facts, &key, &cells)?;
                if could_be_null(tables, facts, &key, &cells, nulls) {
                    values.push(Value::Null);
                }
                enumerate(tables, facts, &values, &cells, live.len(), &mut budget)?
            }
        };
        note_failures(tables, facts, &cells, &mut variables.failing);
        variables.all.push(variable);
    }
    Some(variables)
}

struct Budget {
    tests: usize,
    words: usize,
}

impl Budget {
    fn take(&mut self, choices: usize, cells: usize, live: usize) -> Option<()> {
        self.tests = self.tests.checked_sub(choices.checked_mul(cells)?)?;
        self.words = self
            .words
            .checked_sub(choices.checked_mul(Bits::words(live))?)?;
        Some(())
    }
}

fn key(open: Open<'_>, scope: &Scope<'_>) -> Key {
    // A condition of its own tells apart what its text doesn't show as constants.
    let relational = open.test.has_condition()
        || open
            .test
            .operands()
            .any(|operand| !unknown_in(operand, scope).is_empty());
    match &open.input.expression.expression {
        _ if relational => Key::Test(open.input.expression.to_string(), open.test.to_string()),
        Expression::Fact(name, _) => {
            let ty = scope.declared(name).map(Type::to_string);
            Key::Fact(name.clone(), ty.unwrap_or_default())
        }
        _ => Key::Expression(open.input.expression.to_string()),
    }
}

/// The unknown facts of an expression.
pub(super) fn unknown_in(node: &Node, scope: &Scope<'_>) -> BTreeSet<String> {
    let mut unknown = BTreeSet::new();
    node.facts(&mut |name| {
        if scope.get(name).is_none() {
            unknown.insert(name.to_owned());
        }
    });
    unknown
}

/// The unknown facts behind an input. A value that isn't allowed leaves its facts to know.
pub(super) fn behind(input: &Input, scope: &Scope<'_>) -> BTreeSet<String> {
    let mut facts = unknown_in(&input.expression, scope);
    if facts.is_empty() && input_value(0, input, scope) == Ok(None) {
        input.expression.facts(&mut |name| {
            facts.insert(name.to_owned());
        });
    }
    facts
}

/// The unknown facts behind a cell.
fn facts_behind(open: Open<'_>, scope: &Scope<'_>) -> BTreeSet<String> {
    let mut facts = behind(open.input, scope);
    for operand in open.test.operands() {
        facts.extend(unknown_in(operand, scope));
    }
    facts
}

fn met_or_not(tables: &[&Table], facts: &Facts, cells: &[Open<'_>], live: usize) -> Variable {
    let met = Bits::full(live);
    let mut not_met = met.clone();
    let mut behind = BTreeSet::new();
    for &open in cells {
        not_met.remove(open.position);
        behind.extend(facts_behind(
            open,
            &Scope::new(facts, &tables[open.table].types),
        ));
    }
    Variable {
        facts: behind,
        choices: vec![met, not_met],
    }
}

/// A representative of every class of values but null; `None` where they can't be listed.
fn values(tables: &[&Table], facts: &Facts, key: &Key, cells: &[Open<'_>]) -> Option<Vec<Value>> {
    let mut constants = Constants::default();
    let mut ty: Option<&Type> = None;
    for &open in cells {
        let types = &tables[open.table].types;
        let scope = Scope::new(facts, types);
        let operands = open.test.operands().chain(open.input.allowed.operands());
        collect(&mut constants, operands, property(open.input), &scope);
        ty = ty.or(match key {
            Key::Fact(name, _) => types.get(name),
            _ => Some(&open.input.ty),
        });
    }
    let values = representatives(ty?, &constants);
    (!values.is_empty()).then_some(values)
}

/// Whether a variable could come to null: a fact of which that counts, or an expression that
/// null of such a fact doesn't give another value.
fn could_be_null(
    tables: &[&Table],
    facts: &Facts,
    key: &Key,
    cells: &[Open<'_>],
    nulls: &BTreeSet<String>,
) -> bool {
    if nulls.is_empty() {
        return false;
    }
    if let Key::Fact(name, _) = key {
        return nulls.contains(name);
    }
    // The cells of a key have one expression.
    cells.first().is_some_and(|open| {
        let types = &tables[open.table].types;
        let mut unknown = behind(open.input, &Scope::new(facts, types)).into_iter();
        unknown.any(|name| {
            let is_null = || {
                let mut changed = facts.clone();
                changed.insert(&name, Value::Null);
                let found = calculate(&open.input.expression, &Scope::new(&changed, types));
                found.is_ok_and(|value| value.is_none_or(|value| value == Value::Null))
            };
            nulls.contains(&name) && is_null()
        })
    })
}

/// Tries values on all cells of a key.
fn enumerate(
    tables: &[&Table],
    facts: &Facts,
    values: &[Value],
    cells: &[Open<'_>],
    live: usize,
    budget: &mut Budget,
) -> Option<Variable> {
    let mut behind = BTreeSet::new();
    for &open in cells {
        let scope = Scope::new(facts, &tables[open.table].types);
        behind.extend(facts_behind(open, &scope));
    }
    budget.take(values.len(), cells.len(), live)?;
    let mut choices: Vec<Bits> = Vec::with_capacity(values.len());
    for value in values {
        choices.extend(choice(tables, facts, cells, value, live));
    }
    if choices.is_empty() {
        // No value is allowed; then none of these cells is met.
        choices.push(met_or_not(tables, facts, cells, live).choices.pop()?);
    }
    choices.sort();
    choices.dedup();
    Some(Variable {
        facts: behind,
        choices,
    })
}

fn property(input: &Input) -> Option<Property> {
    match &input.expression.expression {
        Expression::Fact(_, property) => *property,
        _ => None,
    }
}

fn collect<'n>(
    constants: &mut Constants,
    operands: impl Iterator<Item = &'n Node>,
    property: Option<Property>,
    scope: &Scope<'_>,
) {
    for operand in operands {
        match (property, calculate(operand, scope)) {
            (Some(Property::Currency), Ok(Some(Value::String(code)))) => {
                constants.currencies.push(code);
            }
            (Some(Property::Currency | Property::Unit), _) => {}
            (_, Ok(Some(value))) => {
                if let Value::Money { currency, .. } = &value {
                    constants.currencies.push(currency.clone());
                }
                constants.values.push(value);
            }
            _ => {}
        }
    }
}

/// The rows that a value lets through; `None` where some input doesn't allow it.
fn choice(
    tables: &[&Table],
    facts: &Facts,
    cells: &[Open<'_>],
    value: &Value,
    live: usize,
) -> Option<Bits> {
    let mut rows = Bits::full(live);
    for open in cells {
        let scope = Scope::new(facts, &tables[open.table].types);
        let part = crate::sfeel::part(value.clone(), property(open.input));
        let allowed = || meets(&open.input.allowed, &part, &scope) != Ok(Met::No);
        if part != Value::Null && !allowed() {
            return None;
        }
        // A test that fails is reported by its own row; here it lets nothing through.
        if meets(open.test, &part, &scope).unwrap_or(Met::No) == Met::No {
            rows.remove(open.position);
        }
    }
    Some(rows)
}

/// Notes tables whose open expressions can fail, such as by a division.
fn note_failures(
    tables: &[&Table],
    facts: &Facts,
    cells: &[Open<'_>],
    failing: &mut Vec<(usize, crate::sfeel::Failure, BTreeSet<String>)>,
) {
    for &open in cells {
        if failing.iter().any(|(table, ..)| *table == open.table) {
            continue;
        }
        let scope = Scope::new(facts, &tables[open.table].types);
        let mut sources = std::iter::once(&open.input.expression).chain(open.test.operands());
        if let Some(source) = sources.find(|node| can_fail(node, &open.input.ty, &scope)) {
            let column = tables[open.table]
                .inputs
                .iter()
                .position(|i| std::ptr::eq(i, open.input));
            let failure = crate::sfeel::Failure {
                input: column.unwrap_or_default(),
                row: None,
                at: source.at,
                message: "a division or power may have no result".to_owned(),
            };
            failing.push((open.table, failure, unknown_in(source, &scope)));
        }
    }
}
