//! Columns of lists: which rows a member of the list lets through.
//!
//! `list contains(?, "a")` is met by lists that have the member. Of a condition that is put
//! together of such parts by `and`, `or` and `not`, members follow of which a list needs one
//! at least; where those aren't all it asks, it is tried on the rows that are left.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::{
    bounds::{KeptKind, Key, Kind},
    places::Places,
    sets::Sets,
};
use crate::{
    number::Number,
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
    needs: Vec<Option<Vec<&'t Value>>>,
    told: Vec<Told>,
    /// The type of the items.
    of: &'t Type,
}

impl<'t> MemberDraft<'t> {
    /// For inputs that may be lists.
    pub(super) fn new(ty: &'t Type) -> Option<Self> {
        let of = match ty {
            Type::List(of) => of,
            Type::Any => ty,
            _ => return None,
        };
        Some(Self {
            needs: Vec::new(),
            told: Vec::new(),
            of,
        })
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

    /// The members by row as keys of their kind. A row that names one of another kind is
    /// let through by all.
    fn keys(&mut self) -> Option<(KeptKind, Vec<Option<Vec<Key<'t>>>>)> {
        let constants = || self.needs.iter().flatten().flatten().copied();
        let kind = Kind::of(self.of).or_else(|| Kind::most(self.of, constants()))?;
        let rows = self.needs.iter().zip(&mut self.told).map(|(needs, told)| {
            let keys = needs.as_ref()?.iter();
            let keys = keys.map(|member| kind.constant(member));
            let keys = keys.collect::<Option<Vec<_>>>();
            if keys.is_none() {
                *told = Told::Partly;
            }
            keys
        });
        let rows = rows.collect();
        Some((kind.kept(), rows))
    }

    /// The sets of rows in these places; `None` where members tell nothing, or there are
    /// more of them than sets may be.
    pub(super) fn build(&mut self, places: &Places, most: usize) -> Option<Members> {
        let (kind, needs) = self.keys()?;
        let mut numbers = Numbers::default();
        let mut rows: Vec<Vec<u32>> = Vec::new();
        let mut words = vec![0_u64; places.rows().div_ceil(64)];
        let mut sets = Sets::new(places.rows());
        let most = sets.budget(most);
        for place in 0..places.rows() {
            let Some(Some(needs)) = needs.get(places.row(place)) else {
                words[place / 64] |= 1 << (place % 64);
                continue;
            };
            for &member in needs {
                let next = rows.len() as u32;
                let number = numbers.take(member, next);
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
        let values = match self.of {
            Type::String { values } => values.clone(),
            _ => Vec::new(),
        };
        let mut told: Vec<bool> = self.told.iter().map(|told| *told == Told::Wholly).collect();
        if told.iter().all(|told| *told) {
            told.clear();
        }
        Some(Members {
            told,
            kind,
            numbers,
            values,
            sets,
        })
    }
}

/// The numbers of members. Looking one up takes no memory.
#[derive(Debug, Default)]
struct Numbers {
    texts: HashMap<Box<str>, u32, foldhash::fast::RandomState>,
    numbers: HashMap<Number, u32, foldhash::fast::RandomState>,
    whole: HashMap<i128, u32, foldhash::fast::RandomState>,
}

impl Numbers {
    fn get(&self, key: Key<'_>) -> Option<u32> {
        match key {
            Key::Text(text) => self.texts.get(text).copied(),
            Key::Number(number) => self.numbers.get(&number).copied(),
            Key::Whole(whole) => self.whole.get(&whole).copied(),
        }
    }

    /// The number of a member, which is the next one if it has none yet.
    fn take(&mut self, key: Key<'_>, next: u32) -> u32 {
        if let Some(known) = self.get(key) {
            return known;
        }
        match key {
            Key::Text(text) => self.texts.insert(text.into(), next),
            Key::Number(number) => self.numbers.insert(number, next),
            Key::Whole(whole) => self.whole.insert(whole, next),
        };
        next
    }
}

/// The members of which a list needs one to meet one of some tests, and whether having one
/// is enough. Conditions made of anything else aren't looked into: they could fail.
fn needed_by(alternatives: &[Unary]) -> (Option<Vec<&Value>>, Told) {
    let mut needs: Vec<&Value> = Vec::new();
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
    (Some(needs), told)
}

fn needed(node: &Node) -> (Option<Vec<&Value>>, Told) {
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

/// The constant that `list contains(?, "text")` asks for.
fn member(node: &Node) -> Option<&Value> {
    let Expression::Call(Function::Builtin(Builtin::ListContains), Arguments::Positional(given)) =
        &node.expression
    else {
        return None;
    };
    match given.as_slice() {
        [list, element] if list.expression == Expression::Input => element.literal(),
        _ => None,
    }
}

/// The rows that each member lets through.
#[derive(Debug)]
pub(super) struct Members {
    kind: KeptKind,
    numbers: Numbers,
    values: Vec<String>,
    /// First the rows that need no member, then those of each.
    sets: Sets,
    /// Whether members alone tell if a row's test is met, by row; empty where they always do.
    told: Vec<bool>,
}

/// Most members of a list that are looked up without asking for memory.
pub(crate) type Found = SmallVec<[u32; 8]>;

impl Members {
    /// The sets that a list's rows are in; `None` where it isn't a list of items that the
    /// column's type takes as they are.
    pub(super) fn find(&self, value: &Value) -> Option<Found> {
        let mut found = SmallVec::from_slice(&[0]);
        let kind = self.kind.get()?;
        for item in value.as_list()? {
            let key = kind.key(item)?;
            if let (false, Key::Text(text)) = (self.values.is_empty(), key)
                && !self.values.iter().any(|value| value == text)
            {
                return None;
            }
            if let Some(number) = self.numbers.get(key)
                && !found.contains(&(number + 1))
            {
                found.push(number + 1);
            }
        }
        Some(found)
    }

    /// Whether having a member is all that a row's test asks.
    pub(super) fn tell(&self, row: usize) -> bool {
        self.told.get(row).copied().unwrap_or(true)
    }

    /// The same of all rows.
    pub(super) fn tell_all(&self) -> bool {
        self.told.is_empty()
    }

    pub(super) fn set(&self, id: u32) -> &[u64] {
        self.sets.get(id)
    }

    #[cfg(any(test, feature = "twin"))]
    pub(super) fn bytes(&self) -> usize {
        self.sets.bytes()
    }
}
