//! The model of a decision table (DMN 1.5, chapter 8).

mod canonical;
mod columns;
mod csv_rows;
mod file;
mod language;
mod names;
mod rows;
mod write;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use canonical::sha256;
pub(crate) use csv_rows::is_bare_name;
pub use file::{Loader, Schema};
pub(crate) use language::Language;
pub(crate) use names::{collapsed, name_problem};
pub(crate) use rows::is_row_id;
pub(crate) use write::{collects, constant_text, constants_text, outer, type_entries, value_node};

use crate::{
    compile::Compiled,
    diagnostic::Mark,
    sfeel::{self, Expression, Property},
    types::Type,
    value::Value,
};

/// A checked decision table.
#[derive(Debug, Clone)]
pub struct Table {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) annotations: Vec<String>,
    pub(crate) types: BTreeMap<String, Type>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) outputs: Vec<OutputColumn>,
    pub(crate) hit_policy: HitPolicy,
    pub(crate) rows: Vec<Row>,
    pub(crate) default: Option<BTreeMap<String, Value>>,
    pub(crate) digest: String,
    pub(crate) compiled: Compiled,
}

/// An input column.
#[derive(Debug, Clone)]
pub struct Input {
    pub(crate) key: String,
    pub(crate) expression: sfeel::Node,
    pub(crate) ty: Type,
    pub(crate) allowed: sfeel::Test,
    pub(crate) mark: Mark,
}

/// An output column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputColumn {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub ty: Type,
    /// The values it may have, the first of the highest priority; empty: any, unordered.
    pub values: Vec<Value>,
    /// Whether every row must give it.
    pub required: bool,
}

/// A rule: what must be met, and what then holds.
#[derive(Debug, Clone)]
pub struct Row {
    pub(crate) id: String,
    pub(crate) cells: Vec<Cell>,
    pub(crate) outputs: BTreeMap<String, Value>,
    pub(crate) computed: BTreeMap<String, sfeel::Node>,
    pub(crate) notes: Option<Box<Notes>>,
    pub(crate) mark: Mark,
}

/// What is said of a row that decides nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// What the row is for.
    pub description: Option<String>,
    /// Texts by the names of the table's annotations.
    pub annotations: BTreeMap<String, String>,
}

/// The test that a row puts on one input.
#[derive(Debug, Clone)]
pub struct Cell {
    pub(crate) test: sfeel::Test,
    pub(crate) mark: Mark,
}

/// What holds where several rows match, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HitPolicy {
    /// At most one row matches.
    Unique,
    /// Rows that match together have the same outputs.
    Any,
    /// The first that matches.
    First,
    /// The one whose output has the highest priority.
    Priority,
    /// All, in the order of the rows.
    RuleOrder,
    /// All, in the order of their outputs' priority.
    OutputOrder,
    /// All, or what the aggregator makes of them.
    Collect(Option<Aggregator>),
}

/// What COLLECT makes of the outputs of all rows that match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregator {
    /// Their sum.
    Sum,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// Their number.
    Count,
}

impl Table {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The names of the annotations that its rows may carry.
    #[must_use]
    pub fn annotations(&self) -> &[String] {
        &self.annotations
    }

    /// The input columns.
    #[must_use]
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The output columns.
    #[must_use]
    pub fn outputs(&self) -> &[OutputColumn] {
        &self.outputs
    }

    /// The hit policy.
    #[must_use]
    pub fn hit_policy(&self) -> HitPolicy {
        self.hit_policy
    }

    /// The rows, in order.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The outputs where no row matches, if the table gives any.
    #[must_use]
    pub fn default_outputs(&self) -> Option<&BTreeMap<String, Value>> {
        self.default.as_ref()
    }

    /// `sha256:` and 64 hexadecimal digits over the canonical form.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Whether any row computes an output from facts.
    #[must_use]
    pub fn computes(&self) -> bool {
        self.rows.iter().any(|row| !row.computed.is_empty())
    }

    /// The declared types of the facts that this table reads.
    pub fn facts(&self) -> impl Iterator<Item = (&str, &Type)> {
        let mut read = BTreeSet::new();
        self.expressions(&mut |expression| {
            expression.facts(&mut |name| _ = read.insert(name));
        });
        read.into_iter()
            .filter_map(|name| self.types.get_key_value(name))
            .map(|(n, ty)| (n.as_str(), ty))
    }

    /// Calls `visit` with every expression: of inputs, of cells and allowed values, and of
    /// computed outputs.
    pub(crate) fn expressions<'t>(&'t self, visit: &mut dyn FnMut(&'t sfeel::Node)) {
        for input in &self.inputs {
            visit(&input.expression);
            input.allowed.operands().for_each(&mut *visit);
        }
        for row in &self.rows {
            for cell in &row.cells {
                cell.test.operands().for_each(&mut *visit);
            }
            row.computed.values().for_each(&mut *visit);
        }
    }

    /// Whether the currency of a fact is an input of its own, so that amounts in any
    /// currency are compared as they stand.
    #[must_use]
    pub fn tests_currency(&self, fact: &str) -> bool {
        self.inputs.iter().any(|input| {
            matches!(&input.expression.expression,
                Expression::Fact(name, Some(Property::Currency)) if name == fact)
        })
    }
}

impl Input {
    /// The name that rows use for it: its expression as written, or its own name.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What it computes.
    #[must_use]
    pub fn expression(&self) -> &sfeel::Node {
        &self.expression
    }

    /// The type of its values.
    #[must_use]
    pub fn ty(&self) -> &Type {
        &self.ty
    }

    /// The values it may have.
    #[must_use]
    pub fn allowed(&self) -> &sfeel::Test {
        &self.allowed
    }

    /// Where it stands in the file.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.mark
    }
}

impl Row {
    /// Its stable id, unique in the table.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A cell for each input of the table.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The constant outputs by name.
    #[must_use]
    pub fn outputs(&self) -> &BTreeMap<String, Value> {
        &self.outputs
    }

    /// The outputs that are computed from facts, by name; none of them is constant too.
    #[must_use]
    pub fn computed(&self) -> &BTreeMap<String, sfeel::Node> {
        &self.computed
    }

    /// What is said of it that decides nothing.
    #[must_use]
    pub fn notes(&self) -> Option<&Notes> {
        self.notes.as_deref()
    }

    /// Where it stands in its file.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.mark
    }
}

impl Cell {
    /// What it asks.
    #[must_use]
    pub fn test(&self) -> &sfeel::Test {
        &self.test
    }

    /// Where it stands in its file; the row's place where the cell is left out.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.mark
    }
}

impl HitPolicy {
    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unique => "UNIQUE",
            Self::Any => "ANY",
            Self::First => "FIRST",
            Self::Priority => "PRIORITY",
            Self::RuleOrder => "RULE_ORDER",
            Self::OutputOrder => "OUTPUT_ORDER",
            Self::Collect(_) => "COLLECT",
        }
    }

    /// The aggregator of COLLECT.
    #[must_use]
    pub fn aggregator(self) -> Option<Aggregator> {
        match self {
            Self::Collect(aggregator) => aggregator,
            _ => None,
        }
    }
}

impl Aggregator {
    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sum => "SUM",
            Self::Min => "MIN",
            Self::Max => "MAX",
            Self::Count => "COUNT",
        }
    }
}
