//! Tests taken apart: what each asks of one dimension alone.

use std::collections::HashMap;

use super::{constants::is_plain, relation::Pair};
use crate::{
    sfeel::{Bound, Comparison, Node, Test, Unary, check_expression},
    table::{Input, Table},
    types::Type,
};

/// What a test asks of one dimension: the test is met where all its parts are.
#[derive(Debug, Clone)]
pub(super) enum Part<'t> {
    /// Of the values of the input.
    Own(Test),
    /// Of how the input lies to an operand.
    Beside(&'t Node, Test),
    /// Of itself: it can't be taken apart.
    Whole,
}

/// What a comparison compares its input with.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Against {
    Constant,
    Operand(String),
}

/// Takes the tests of a table apart, each text once.
pub(super) struct Splitter<'t> {
    table: &'t Table,
    /// The types of operands by their texts; `None` where there is none.
    types: HashMap<String, Option<Type>>,
}

impl<'t> Splitter<'t> {
    pub(super) fn new(table: &'t Table) -> Self {
        Self {
            table,
            types: HashMap::new(),
        }
    }

    /// The two that a test of an input against an operand compares.
    pub(super) fn pair(&mut self, input: &'t Input, operand: &'t Node) -> Option<Pair<'t>> {
        let ty = self.type_of(operand)?;
        Pair::new((&input.expression, &input.ty), (operand, &ty))
    }

    fn type_of(&mut self, operand: &Node) -> Option<Type> {
        let table = self.table;
        let found = self.types.entry(operand.to_string());
        let infer = || check_expression(&mut operand.clone(), &table.types).ok();
        found.or_insert_with(infer).clone()
    }

    /// The parts of a test that isn't plain.
    pub(super) fn parts(&mut self, input: &'t Input, test: &'t Test) -> Vec<Part<'t>> {
        let split = match test {
            Test::Any => Some(Vec::new()),
            Test::Positive(alternatives) => self.all_of(input, alternatives),
            Test::Not(alternatives) => self.none_of(input, alternatives),
        };
        split.unwrap_or_else(|| vec![Part::Whole])
    }

    /// Alternatives of which one must be met: parts only where all ask of the same, or of
    /// an interval alone, both of whose ends must hold.
    fn all_of(&mut self, input: &'t Input, alternatives: &'t [Unary]) -> Option<Vec<Part<'t>>> {
        if let Some(part) = self
            .grouped(input, alternatives, Test::Positive)?
            .pop_single()
        {
            return Some(vec![part]);
        }
        let [Unary::Interval { low, high }] = alternatives else {
            return None;
        };
        let end = |end: &'t Bound, closed, open| {
            let comparison = if end.closed { closed } else { open };
            Unary::Compare(comparison, end.value.clone())
        };
        let ends = [
            (
                &low.value,
                end(low, Comparison::GreaterOrEqual, Comparison::Greater),
            ),
            (
                &high.value,
                end(high, Comparison::LessOrEqual, Comparison::Less),
            ),
        ];
        let parts = ends.into_iter().map(|(operand, unary)| {
            let test = Test::Positive(vec![unary]);
            Some(match self.against(input, operand)? {
                Against::Constant => Part::Own(test),
                Against::Operand(_) => Part::Beside(operand, test),
            })
        });
        parts.collect()
    }

    /// Alternatives of which none may be met: those about the same together.
    fn none_of(&mut self, input: &'t Input, alternatives: &'t [Unary]) -> Option<Vec<Part<'t>>> {
        let groups = self.grouped(input, alternatives, Test::Not)?;
        groups.into_parts()
    }

    /// Alternatives by what they compare with; `None` where one of them is no comparison
    /// that is told apart.
    fn grouped(
        &mut self,
        input: &'t Input,
        alternatives: &'t [Unary],
        make: fn(Vec<Unary>) -> Test,
    ) -> Option<Groups<'t>> {
        let mut groups = Groups {
            make,
            mixed: false,
            groups: Vec::new(),
        };
        for unary in alternatives {
            let mut operands = unary.operands();
            let first = operands.next()?;
            if matches!(unary, Unary::Boolean(_)) {
                return None;
            }
            let against = self.against(input, first)?;
            for other in operands {
                groups.mixed |= self.against(input, other)? != against;
            }
            groups.add(against, first, unary);
        }
        Some(groups)
    }

    fn against(&mut self, input: &'t Input, operand: &'t Node) -> Option<Against> {
        let alone = |operand: &Node| {
            let unary = Unary::Compare(Comparison::Equal, operand.clone());
            is_plain(&Test::Positive(vec![unary]), &input.ty)
        };
        if operand.literal().is_some() {
            return alone(operand).then_some(Against::Constant);
        }
        if operand.has_input() {
            return None;
        }
        self.pair(input, operand)?;
        Some(Against::Operand(operand.to_string()))
    }
}

/// Alternatives by what they compare with.
struct Groups<'t> {
    make: fn(Vec<Unary>) -> Test,
    /// Whether some alternative compares with several.
    mixed: bool,
    groups: Vec<(Against, &'t Node, Vec<Unary>)>,
}

impl<'t> Groups<'t> {
    fn add(&mut self, against: Against, operand: &'t Node, unary: &Unary) {
        let found = self.groups.iter_mut().find(|(other, ..)| *other == against);
        match found {
            Some((.., unaries)) => unaries.push(unary.clone()),
            None => self.groups.push((against, operand, vec![unary.clone()])),
        }
    }

    fn pop_single(self) -> Option<Part<'t>> {
        let mut parts = (self.groups.len() == 1).then(|| self.into_parts())??;
        parts.pop()
    }

    fn into_parts(self) -> Option<Vec<Part<'t>>> {
        let make = self.make;
        let part = |(against, operand, unaries)| match against {
            Against::Constant => Part::Own(make(unaries)),
            Against::Operand(_) => Part::Beside(operand, make(unaries)),
        };
        (!self.mixed).then(|| self.groups.into_iter().map(part).collect())
    }
}
