//! Columns of lists of texts: which rows a member of the list lets through.
//!
//! `list contains(?, "a")` is met by lists that have the member. Of a condition that is put
//! together of such parts by `and`, `or` and `not`, members follow of which a list needs one
//! at least; where those aren't all it asks, it is tried on the rows that are left.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::{places::Places, sets::Sets};
use crate::{
    sfeel::{Arguments, Builtin, Connective, Expression, Function, Node, Test, Unary},
    types::Type,
    value::Value,
};

/// How far the members of a list tell whether a test is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Not at all, or not all of it.
    Partly,
    Wholly,
}

/// The cells of a column as they are read.
#[derive(Debug)]
pub(super) struct MemberDraft<'t> {
    /// The members of which each row needs one; `None` where none would do.
    needs: Vec<Option<Vec<&'t str>>>,
    told: Vec<Told>,
    /// The texts that an item may be; empty: any.
    values: &'t [String],
}

impl<'t> MemberDraft<'t> {
    /// For inputs whose items are texts.
    pub(super) fn new(ty: &'t Type) -> Option<Self> {
        match ty {
            Type::List(of) => match &**of {
                Type::String { values } => Some(Self {
                    needs: Vec::new(),
                    told: Vec::new(),
                    values,
                }),
                _ => None,
            },
            _ => None,
        }
    }

    /// Reads the next cell.
    pub(super) fn add(&mut self, test: &'t Test) {
        let (needs, told) = match test {
            Test::Any => (None, Told::Wholly),
            Test::Positive(alternatives) => needed_by(alternatives),
            Test::Not(_) => (None, Told::Partly),
        };
        self.needs.push(needs);
        self.told.push(told);
    }

    /// Whether members alone tell whether a row's test is met.
    pub(super) fn tells(&self, row: usize) -> bool {
        self.told.get(row) == Some(&Told::Wholly)
    }

    /// The sets of rows in these places; `None` where members tell nothing, or there are
    /// more of them than sets may be.
    pub(super) fn build(&self, places: &Places, most: usize) -> Option<Members> {
        let mut numbers: HashMap<Box<str>, u32, foldhash::fast::RandomState> = HashMap::default();
        let mut rows: Vec<Vec<u32>> = Vec::new();
        let mut words = vec![0_u64; places.rows().div_ceil(64)];
        let mut sets = Sets::new(places.rows());
        let most = sets.budget(most);
        for place in 0..places.rows() {
            let Some(Some(needs)) = self.needs.get(places.row(place)) else {
                words[place / 64] |= 1 << (place % 64);
                continue;
            };
            for member in needs {
                let next = rows.len() as u32;
                let number = match numbers.get(*member) {
                    Some(&number) => number,
                    None => *numbers.entry(Box::from(*member)).or_insert(next),
                };
                if number == next {
                    rows.push(Vec::new());
                }
                rows[number as usize].push(place as u32);
            }
            if rows.len() + 1 > most {
                return None;
            }
        }
        if rows.is_empty() {
            return None;
        }
        sets.push(&words);
        for places in rows {
            words.fill(0);
            for place in places {
                words[place as usize / 64] |= 1 << (place % 64);
            }
            sets.push(&words);
        }
        Some(Members {
            numbers,
            values: self.values.to_vec(),
            sets,
        })
    }
}

/// The members of which a list needs one to meet one of some tests, and whether having one
/// is enough. Conditions made of anything else aren't looked into: they could fail.
fn needed_by(alternatives: &[Unary]) -> (Option<Vec<&str>>, Told) {
    let mut needs = Vec::new();
    let mut told = Told::Wholly;
    for alternative in alternatives {
        let Unary::Boolean(node) = alternative else {
            return (None, Told::Partly);
        };
        if !is_about_members(node) {
            return (None, Told::Partly);
        }
        match needed(node) {
            (Some(some), whole) => {
                needs.extend(some);
                if whole == Told::Partly {
                    told = Told::Partly;
                }
            }
            (None, _) => return (None, Told::Partly),
        }
    }
    needs.sort_unstable();
    needs.dedup();
    (Some(needs), told)
}

fn needed(node: &Node) -> (Option<Vec<&str>>, Told) {
    if let Some(member) = member(node) {
        return (Some(vec![member]), Told::Wholly);
    }
    match &node.expression {
        Expression::Logic(Connective::Or, left, right) => match (needed(left), needed(right)) {
            ((Some(mut a), x), (Some(b), y)) => {
                a.extend(b);
                let whole = x == Told::Wholly && y == Told::Wholly;
                (Some(a), if whole { Told::Wholly } else { Told::Partly })
            }
            _ => (None, Told::Partly),
        },
        Expression::Logic(Connective::And, left, right) => {
            let both = [needed(left).0, needed(right).0];
            let fewest = both.into_iter().flatten().min_by_key(Vec::len);
            (fewest, Told::Partly)
        }
        _ => (None, Told::Partly),
    }
}

/// Whether a condition asks about members of the input only, which has a result for every
/// list of texts.
fn is_about_members(node: &Node) -> bool {
    match &node.expression {
        Expression::Logic(_, left, right) => is_about_members(left) && is_about_members(right),
        Expression::Call(Function::Builtin(Builtin::Not), Arguments::Positional(arguments)) => {
            arguments.len() == 1 && arguments.iter().all(is_about_members)
        }
        _ => member(node).is_some(),
    }
}

/// The text that `list contains(?, "text")` asks for.
fn member(node: &Node) -> Option<&str> {
    let Expression::Call(Function::Builtin(Builtin::ListContains), Arguments::Positional(given)) =
        &node.expression
    else {
        return None;
    };
    match given.as_slice() {
        [list, element] if list.expression == Expression::Input => element.literal()?.as_str(),
        _ => None,
    }
}

/// The rows that each member lets through.
#[derive(Debug)]
pub(super) struct Members {
    numbers: HashMap<Box<str>, u32, foldhash::fast::RandomState>,
    values: Vec<String>,
    /// First the rows that need no member, then those of each.
    sets: Sets,
}

/// Most members of a list that are looked up without asking for memory.
pub(crate) type Found = SmallVec<[u32; 8]>;

impl Members {
    /// The sets that a list's rows are in; `None` where it isn't a list of texts that the
    /// column's type takes as they are.
    pub(super) fn find(&self, value: &Value) -> Option<Found> {
        let mut found = SmallVec::from_slice(&[0]);
        for item in value.as_list()? {
            let text = item.as_str()?;
            if !self.values.is_empty() && !self.values.iter().any(|value| value == text) {
                return None;
            }
            if let Some(number) = self.numbers.get(text)
                && !found.contains(&(number + 1))
            {
                found.push(number + 1);
            }
        }
        Some(found)
    }

    pub(super) fn set(&self, id: u32) -> &[u64] {
        self.sets.get(id)
    }

    #[cfg(any(test, feature = "twin"))]
    pub(super) fn bytes(&self) -> usize {
        self.sets.bytes()
    }
}
