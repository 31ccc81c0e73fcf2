//! Tables as boxes in one space: a dimension for each fact or expression that they test,
//! with the classes of values that any of them tells apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    Reason, Undecided,
    constants::{Constants, is_plain},
    finder::{Column, Finder},
    limits,
    regions::names,
    relation::Pair,
    scale::Scale,
    set::ClassSet,
};
use crate::{
    sfeel::{Expression, Met, Node, Operator, Scope, Test, meets, part},
    table::Table,
    types::Type,
    value::Facts,
};

/// What a dimension is about. Only facts are independent of each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key {
    /// The values of a fact.
    Fact(String),
    /// The values of an expression, by its canonical text.
    Expression(String),
    /// How two expressions lie to each other, by their texts in order.
    Pair(String, String),
    /// A test that constants alone don't decide, by the texts of input and test: met or not.
    Test(String, String),
}

impl Key {
    pub(super) fn pair(a: &Node, b: &Node) -> Self {
        let (a, b) = (a.to_string(), b.to_string());
        if a <= b {
            Self::Pair(a, b)
        } else {
            Self::Pair(b, a)
        }
    }
}

/// One dimension.
#[derive(Debug)]
pub(super) struct Dimension<'t> {
    pub(super) key: Key,
    pub(super) scale: Scale,
    /// The expression behind it.
    pub(super) input: &'t Node,
    /// The test, where it is about one.
    pub(super) test: Option<&'t Test>,
    /// The two that are compared, where it is about that.
    pub(super) pair: Option<Pair<'t>>,
    /// What the inputs on a fact are called: on its value, and on its currency.
    pub(super) names: (String, String),
}

/// The rows of tables as boxes.
#[derive(Debug)]
pub struct Space<'t> {
    pub(super) tables: Vec<&'t Table>,
    /// The first row of each table, and the number of all.
    pub(super) offsets: Vec<u32>,
    pub(super) dimensions: Vec<Dimension<'t>>,
    /// For each row its tested dimensions, in order, with a set each.
    pub(super) boxes: Vec<Box<[(u32, u32)]>>,
    pub(super) sets: Vec<ClassSet>,
    /// One more than the last dimension that each row tests.
    pub(super) last: Vec<u32>,
    /// Rows that some value can match.
    pub(super) possible: Vec<bool>,
    /// The place of each input among all, as the tables have them.
    pub(super) order: HashMap<String, usize>,
    /// The types of all facts, the first table's first.
    pub(super) types: BTreeMap<String, Type>,
    /// The facts that the tables read.
    pub(super) facts: Vec<(String, Type)>,
    /// What couldn't be looked at.
    pub(super) undecided: Vec<Undecided>,
}

impl<'t> Space<'t> {
    /// Puts tables into one space.
    #[must_use]
    pub fn new(tables: Vec<&'t Table>) -> Self {
        let mut space = Self {
            offsets: offsets(&tables),
            dimensions: Vec::new(),
            boxes: Vec::new(),
            sets: Vec::new(),
            last: Vec::new(),
            possible: Vec::new(),
            order: order(&tables),
            types: types(&tables),
            facts: facts(&tables),
            undecided: Vec::new(),
            tables,
        };
        let finder = Finder::new(&space.tables);
        let dimensions = finder.columns.len() + finder.tests.len() + finder.pairs.len();
        if dimensions > limits::DIMENSIONS {
            let message = format!(
                "more than {} different columns and tests",
                limits::DIMENSIONS
            );
            space
                .undecided
                .push(Undecided::new(Reason::Budget, message));
        } else {
            space.scales(&finder);
            let order = space.sort();
            space.fill(&finder, &order);
        }
        space.note_failing();
        space
    }

    /// The tables, in the order they were given.
    #[must_use]
    pub fn tables(&self) -> &[&'t Table] {
        &self.tables
    }

    /// The number of the first row of a table among all.
    #[must_use]
    pub fn offset(&self, table: usize) -> u32 {
        self.offsets.get(table).copied().unwrap_or(u32::MAX)
    }

    /// A row by its number among all: the index of its table, and in it.
    #[must_use]
    pub fn place(&self, row: u32) -> (usize, usize) {
        let table = self.offsets.partition_point(|&first| first <= row).max(1) - 1;
        (table, index(row - self.offsets[table]))
    }

    /// What couldn't be looked at.
    #[must_use]
    pub fn undecided(&self) -> &[Undecided] {
        &self.undecided
    }

    /// Whether nothing could be put into the space, so that there are no boxes.
    #[must_use]
    pub fn is_void(&self) -> bool {
        self.boxes.len() < index(self.offsets.last().copied().unwrap_or(0))
    }

    /// What the rows test, by dimension.
    pub(super) fn tests(&self, row: u32) -> &[(u32, u32)] {
        &self.boxes[index(row)]
    }

    /// The classes of a dimension that a row lets through; `None`: all.
    pub(super) fn set(&self, row: u32, dimension: u32) -> Option<&ClassSet> {
        let tests = self.tests(row);
        let at = tests.partition_point(|&(tested, _)| tested < dimension);
        let &(tested, set) = tests.get(at)?;
        (tested == dimension).then(|| &self.sets[index(set)])
    }

    /// The first dimension from `from` on that a row tests.
    pub(super) fn next(&self, row: u32, from: u32) -> Option<u32> {
        let tests = self.tests(row);
        let at = tests.partition_point(|&(tested, _)| tested < from);
        tests.get(at).map(|&(tested, _)| tested)
    }

    /// Whether dimensions may depend on each other, so that not every point of the space
    /// is a fact set.
    pub(super) fn has_dependent(&self) -> bool {
        self.dimensions
            .iter()
            .any(|dimension| !matches!(dimension.key, Key::Fact(_)))
    }

    /// Why regions that were found but not replayed aren't listed: where columns depend on
    /// each other, some of them may be empty.
    #[must_use]
    pub fn unlisted(&self) -> Reason {
        if self.has_dependent() {
            Reason::Budget
        } else {
            Reason::Unlisted
        }
    }

    /// What one replay of a fact set through all tables costs, in cells looked at: where
    /// columns are independent, the words of their indexes.
    pub(super) fn replay_cost(&self) -> usize {
        let step = if self.has_dependent() { 16 } else { 64 };
        let of = |table: &&Table| table.rows.len().div_ceil(step) * table.inputs.len();
        64 + self.tables.iter().map(of).sum::<usize>()
    }

    /// Whether expressions are compared with each other.
    pub(super) fn has_pairs(&self) -> bool {
        self.dimensions
            .iter()
            .any(|dimension| dimension.pair.is_some())
    }

    /// Whether a row tests a dimension that may depend on others.
    pub(super) fn is_dependent(&self, row: u32) -> bool {
        self.tests(row)
            .iter()
            .any(|&(at, _)| !matches!(self.dimensions[index(at)].key, Key::Fact(_)))
    }

    fn scales(&mut self, finder: &Finder<'t>) {
        for (key, columns) in &finder.columns {
            let mut constants = Constants::default();
            for column in columns {
                constants.add(&column.input.allowed, column.property);
                for row in &self.tables[column.table].rows {
                    let test = &row.cells[column.index].test;
                    if is_plain(test, &column.input.ty) {
                        constants.add(test, column.property);
                    }
                }
                for test in finder.own_parts(column.table, column.index) {
                    constants.add(test, column.property);
                }
            }
            let ty = self.common_type(key, columns);
            let Some(mut scale) = ty.and_then(|ty| Scale::new(&ty, &constants)) else {
                continue;
            };
            self.restrict(&mut scale, columns);
            self.dimensions.push(Dimension {
                key: key.clone(),
                scale,
                input: &columns[0].input.expression,
                test: None,
                pair: None,
                names: match key {
                    Key::Fact(name) => names(
                        name,
                        columns.iter().map(|column| (column.input, column.property)),
                    ),
                    _ => Default::default(),
                },
            });
        }
        for (key, &(input, test)) in &finder.tests {
            self.dimensions.push(Dimension {
                key: key.clone(),
                scale: Scale::of_test(),
                input,
                test: Some(test),
                pair: None,
                names: Default::default(),
            });
        }
        for (key, pair) in &finder.pairs {
            let (all, known) = pair.counts();
            self.dimensions.push(Dimension {
                key: key.clone(),
                scale: Scale::of_relations(all, known),
                input: pair.left,
                test: None,
                pair: Some(pair.clone()),
                names: Default::default(),
            });
        }
    }

    /// The type that all tables have of a dimension: of allowed texts those of all.
    fn common_type(&mut self, key: &Key, columns: &[Column<'t>]) -> Option<Type> {
        let of = |column: &Column<'t>| match key {
            Key::Fact(name) => self.tables[column.table].types.get(name).cloned(),
            _ => Some(column.input.ty.clone()),
        };
        let mut common = of(columns.first()?)?;
        let mut differing = None;
        for column in columns {
            let ty = of(column)?;
            if ty == common {
                continue;
            }
            common = match (common, &ty) {
                (Type::String { values: a }, Type::String { values: b }) => Type::String {
                    values: match (a.is_empty(), b.is_empty()) {
                        (true, _) => b.clone(),
                        (_, true) => a,
                        _ => a.into_iter().filter(|value| b.contains(value)).collect(),
                    },
                },
                (Type::Money { currency: a }, Type::Money { currency: b }) => Type::Money {
                    currency: a.or_else(|| b.clone()),
                },
                (a, b) if std::mem::discriminant(&a) == std::mem::discriminant(b) => a,
                (a, b) => {
                    let name = &columns[0].input.expression;
                    let message = format!("`{name}` is {a} in one and {b} in the other");
                    self.undecided.push(Undecided::new(Reason::Types, message));
                    return None;
                }
            };
            differing = Some(ty);
        }
        if let Some(other) = differing {
            let message = format!(
                "`{}` has other types ({common} and {other}): only values that fit both were looked at",
                columns[0].input.expression
            );
            self.undecided.push(Undecided::new(Reason::Types, message));
        }
        Some(common)
    }

    /// Leaves out values that inputs don't allow: there a table has nothing to say.
    fn restrict(&mut self, scale: &mut Scale, columns: &[Column<'t>]) {
        if columns
            .iter()
            .all(|column| column.input.allowed == Test::Any)
        {
            return;
        }
        let facts = Facts::new();
        let scope = Scope::untyped(&facts);
        let allowed = |column: &Column<'t>, class: u32| {
            scale.class(class).is_some_and(|class| {
                let value = part(class.value.clone(), column.property);
                meets(&column.input.allowed, &value, &scope) != Ok(Met::No)
            })
        };
        let by_all = |class| columns.iter().all(|column| allowed(column, class));
        let null = scale.null().unwrap_or(0);
        let kept: Vec<bool> = (0..scale.count()).map(by_all).collect();
        let differ = |class: u32| {
            let mut tables = columns
                .iter()
                .map(|column| (column.table, allowed(column, class)));
            let first = tables.next().map(|(_, allowed)| allowed);
            tables.any(|(_, allowed)| Some(allowed) != first)
        };
        if self.tables.len() > 1 && (0..null).any(differ) {
            let message = format!(
                "`{}` allows other values in one than in the other: only those that all allow were looked at",
                columns[0].input.expression
            );
            self.undecided.push(Undecided::new(Reason::Types, message));
        }
        scale.retain(|class| kept.get(index(class)).copied().unwrap_or(false));
    }

    /// Sorts dimensions so that those with the fewest classes are split first, and gives
    /// their places by key.
    fn sort(&mut self) -> HashMap<Key, u32> {
        self.dimensions
            .sort_by(|a, b| (a.scale.count(), &a.key).cmp(&(b.scale.count(), &b.key)));
        (0..)
            .zip(&self.dimensions)
            .map(|(at, dimension)| (dimension.key.clone(), at))
            .collect()
    }

    /// Notes expressions that may have no result: an evaluation that fails is no region.
    fn note_failing(&mut self) {
        let mut failing = BTreeSet::new();
        for table in &self.tables {
            for input in &table.inputs {
                if can_fail(&input.expression) {
                    failing.insert(input.expression.to_string());
                }
            }
            let cells = table.rows.iter().flat_map(|row| &row.cells);
            for operand in cells.flat_map(|cell| cell.test.operands()) {
                if can_fail(operand) {
                    failing.insert(operand.to_string());
                }
            }
        }
        for text in failing {
            let message =
                format!("`{text}` may have no result for some facts; that wasn't looked at");
            self.undecided
                .push(Undecided::new(Reason::Expression, message));
        }
    }
}

fn offsets(tables: &[&Table]) -> Vec<u32> {
    let mut offsets = vec![0_u32];
    for table in tables {
        let before = offsets.last().copied().unwrap_or(0);
        let rows = u32::try_from(table.rows.len()).unwrap_or(u32::MAX);
        offsets.push(before.saturating_add(rows));
    }
    offsets
}

fn order(tables: &[&Table]) -> HashMap<String, usize> {
    let inputs = tables.iter().flat_map(|table| &table.inputs);
    let mut order = HashMap::new();
    for (at, input) in inputs.enumerate() {
        order.entry(input.expression.to_string()).or_insert(at);
    }
    order
}

fn facts(tables: &[&Table]) -> Vec<(String, Type)> {
    let read = tables.iter().flat_map(|table| table.facts());
    let mut facts: Vec<(String, Type)> = read
        .map(|(name, ty)| (name.to_owned(), ty.clone()))
        .collect();
    facts.sort_by(|a, b| a.0.cmp(&b.0));
    facts.dedup_by(|a, b| a.0 == b.0);
    facts
}

fn types(tables: &[&Table]) -> BTreeMap<String, Type> {
    let mut types = BTreeMap::new();
    for table in tables {
        for (name, ty) in &table.types {
            types.entry(name.clone()).or_insert_with(|| ty.clone());
        }
    }
    types
}

/// Whether facts decide if an expression has a result. Overflow of sums and products, far
/// beyond any amount, isn't counted.
fn can_fail(node: &Node) -> bool {
    let constant = |node: &Node| {
        let mut constant = true;
        node.facts(&mut |_| constant = false);
        constant
    };
    let itself = match &node.expression {
        Expression::Arithmetic(Operator::Divide, _, right) => !constant(right),
        Expression::Arithmetic(Operator::Power, ..) | Expression::Call(..) => !constant(node),
        _ => false,
    };
    let mut fails = itself;
    node.children(&mut |child| fails = fails || can_fail(child));
    fails
}

pub(super) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
