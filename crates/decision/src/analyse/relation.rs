//! How the value of an input lies to that of an expression it is compared with: what tests
//! against the same operand say of each other.

use super::{RegionCell, points, set::ClassSet};
use crate::{
    number::Number,
    sfeel::{Expression, Met, Node, Scope, Test, Unary, meets},
    types::Type,
    value::{Facts, Value},
};

/// How two values lie to each other, those with a null last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Relation {
    Less,
    Equal,
    Greater,
    /// Not equal, of values without an order.
    Different,
    /// Neither equal nor not, such as amounts in two currencies.
    Apart,
    LeftNull,
    BothNull,
    RightNull,
}

/// Two expressions that tests compare.
#[derive(Debug, Clone)]
pub(super) struct Pair<'t> {
    /// The input of the test that was found first.
    pub(super) left: &'t Node,
    /// Its operand.
    pub(super) right: &'t Node,
    pub(super) types: (Type, Type),
    /// The relations that there are, each with values that show it.
    samples: Vec<(Relation, Value, Value)>,
}

impl Relation {
    pub(super) fn of(left: &Value, right: &Value) -> Self {
        match (left, right) {
            (Value::Null, Value::Null) => Self::BothNull,
            (Value::Null, _) => Self::LeftNull,
            (_, Value::Null) => Self::RightNull,
            _ => match (left.compare(right), left.equals(right)) {
                (Some(std::cmp::Ordering::Less), _) => Self::Less,
                (Some(std::cmp::Ordering::Equal), _) | (None, Some(true)) => Self::Equal,
                (Some(std::cmp::Ordering::Greater), _) => Self::Greater,
                (None, Some(false)) => Self::Different,
                (None, None) => Self::Apart,
            },
        }
    }

    fn is_known(self) -> bool {
        self < Self::LeftNull
    }
}

impl<'t> Pair<'t> {
    /// What a test of an input against an operand compares; `None` where values of the two
    /// types aren't told apart by their order or equality alone.
    pub(super) fn new(input: (&'t Node, &Type), operand: (&'t Node, &Type)) -> Option<Self> {
        let ((left, left_ty), (right, right_ty)) = (input, operand);
        let (low, high) = two(left_ty, right_ty)?;
        let (other_low, other_high) = two(right_ty, left_ty)?;
        let mut samples = match (&low, &other_low) {
            (Value::Boolean(_), Value::Boolean(_)) => vec![
                (Relation::Equal, low.clone(), other_low.clone()),
                (Relation::Different, low.clone(), other_high),
            ],
            _ if low.equals(&other_low) == Some(true) => vec![
                (Relation::Less, low.clone(), other_high),
                (Relation::Equal, low.clone(), other_low.clone()),
                (Relation::Greater, high, other_low.clone()),
            ],
            _ => return None,
        };
        if let (Type::Money { currency: a }, Type::Money { currency: b }) = (left_ty, right_ty)
            && (a.is_none() || b.is_none())
        {
            let mut foreign = other_low.clone();
            if let (Value::Money { currency, .. }, Value::Money { currency: code, .. }) =
                (&low, &mut foreign)
            {
                *code = if currency == "EUR" { "USD" } else { "EUR" }.to_owned();
            }
            samples.push((Relation::Apart, low.clone(), foreign));
        }
        samples.push((Relation::LeftNull, Value::Null, other_low));
        samples.push((Relation::BothNull, Value::Null, Value::Null));
        samples.push((Relation::RightNull, low, Value::Null));
        if left.to_string() == right.to_string() {
            samples
                .retain(|(relation, ..)| matches!(relation, Relation::Equal | Relation::BothNull));
        }
        Some(Self {
            left,
            right,
            types: (left_ty.clone(), right_ty.clone()),
            samples,
        })
    }

    /// How many relations there are, and how many of them are of known values.
    pub(super) fn counts(&self) -> (u32, u32) {
        let known = |(relation, ..): &&(Relation, Value, Value)| relation.is_known();
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        (
            number(self.samples.len()),
            number(self.samples.iter().filter(known).count()),
        )
    }

    /// The class of a relation.
    pub(super) fn class(&self, relation: Relation) -> Option<u32> {
        let found = self
            .samples
            .iter()
            .position(|(other, ..)| *other == relation)?;
        u32::try_from(found).ok()
    }

    /// The relations of some classes.
    pub(super) fn relations(&self, set: Option<&ClassSet>) -> Vec<Relation> {
        let classes = (0..).zip(&self.samples);
        classes
            .filter(|(class, _)| set.is_none_or(|set| set.contains(*class)))
            .map(|(_, (relation, ..))| *relation)
            .collect()
    }

    /// The classes in which the sides are null, or known, as said; `None`: may be either.
    pub(super) fn window(&self, left: Option<bool>, right: Option<bool>) -> (u32, u32) {
        let fits = |(relation, ..): &(Relation, Value, Value)| {
            let nulls = match relation {
                Relation::LeftNull => (true, false),
                Relation::BothNull => (true, true),
                Relation::RightNull => (false, true),
                _ => (false, false),
            };
            left.is_none_or(|null| null == nulls.0) && right.is_none_or(|null| null == nulls.1)
        };
        let count = self.counts().0;
        let places = (0..).zip(&self.samples).filter(|(_, sample)| fits(sample));
        let places: Vec<u32> = places.map(|(at, _)| at).collect();
        match (places.first(), places.last()) {
            // Those that fit follow each other, unless one side is known and the other isn't.
            (Some(&first), Some(&last)) if (last - first) as usize + 1 == places.len() => {
                (first, last + 1)
            }
            _ => (0, count),
        }
    }

    /// The classes in which a test of this pair is met, asked of the left side or the right.
    pub(super) fn met(&self, test: &Test, of_left: bool) -> ClassSet {
        let facts = Facts::new();
        let scope = Scope::untyped(&facts);
        let met = |left: &Value, right: &Value| {
            let (value, operand) = if of_left {
                (left, right)
            } else {
                (right, left)
            };
            meets(&with(test, operand), value, &scope) == Ok(Met::Yes)
        };
        let classes = (0..).zip(&self.samples);
        let met = classes.filter(|(_, (_, left, right))| met(left, right));
        ClassSet::of(met.map(|(at, _)| (at, at + 1)).collect())
    }

    /// Some relations as a test of the left side; with `known` alone, where no side is null.
    pub(super) fn cell(&self, set: &ClassSet, known: bool) -> RegionCell {
        RegionCell {
            input: self.left.to_string(),
            test: self.text(&self.relations(Some(set)), known),
        }
    }

    fn text(&self, wanted: &[Relation], known: bool) -> String {
        let (left, right) = (Facing(self.left), Facing(self.right));
        let all = self.relations(None);
        let ordered = !all.contains(&Relation::Different);
        let terms = terms(&left.to_string(), &right.to_string(), ordered);
        let of = |masks: &[Relation]| -> Vec<Relation> {
            let there = masks.iter().filter(|relation| all.contains(relation));
            there
                .filter(|relation| !known || relation.is_known())
                .copied()
                .collect()
        };
        let same = |mask: &[Relation]| {
            let mask = of(mask);
            mask.len() == wanted.len() && mask.iter().all(|relation| wanted.contains(relation))
        };
        if let Some((text, _)) = terms.iter().find(|(_, mask)| same(mask)) {
            return text.clone();
        }
        let mut open = wanted.to_vec();
        let mut texts = Vec::new();
        for (text, mask) in &terms {
            let mask = of(mask);
            let within = mask.iter().all(|relation| wanted.contains(relation));
            let adds = mask.iter().any(|relation| open.contains(relation));
            if within && adds && !text.starts_with("not(") {
                open.retain(|relation| !mask.contains(relation));
                texts.push(text.clone());
            }
        }
        texts.join(", ")
    }
}

/// Tests against an operand, each with the relations that meet it, the plainest first.
fn terms(left: &str, right: &str, ordered: bool) -> Vec<(String, Vec<Relation>)> {
    use Relation::{Apart, BothNull, Different, Equal, Greater, LeftNull, Less, RightNull};
    let not_null = vec![Less, Equal, Greater, Different, Apart, RightNull];
    let mut terms = vec![
        (right.to_owned(), vec![Equal, BothNull]),
        ("null".to_owned(), vec![LeftNull, BothNull]),
        ("not(null)".to_owned(), not_null),
        (
            format!("not({right})"),
            vec![Less, Greater, Different, LeftNull, RightNull],
        ),
        (
            format!("not({right}, null)"),
            vec![Less, Greater, Different, RightNull],
        ),
        (format!("? != null and {right} = null"), vec![RightNull]),
        (format!("? = null and {right} != null"), vec![LeftNull]),
        (format!("? = null and {right} = null"), vec![BothNull]),
        (format!("{left}.currency != {right}.currency"), vec![Apart]),
    ];
    let known = if ordered {
        vec![
            (format!("<= {right}"), vec![Less, Equal]),
            (format!(">= {right}"), vec![Equal, Greater]),
            (format!("< {right}"), vec![Less]),
            (format!("> {right}"), vec![Greater]),
            (format!("[{right}..{right}]"), vec![Equal]),
        ]
    } else {
        vec![
            (format!("? = {right} and ? != null"), vec![Equal]),
            (
                format!("? != {right} and ? != null and {right} != null"),
                vec![Different],
            ),
        ]
    };
    terms.splice(1..1, known);
    terms
}

/// An expression where an operand stands.
struct Facing<'n>(&'n Node);

impl std::fmt::Display for Facing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0.expression {
            Expression::Fact(..) | Expression::Arithmetic(..) => write!(f, "{}", self.0),
            _ => write!(f, "({})", self.0),
        }
    }
}

/// A test with a value in place of its operands.
fn with(test: &Test, operand: &Value) -> Test {
    let literal = || Node {
        at: 0,
        end: 0,
        expression: Expression::Literal(operand.clone()),
    };
    let replaced = |unary: &Unary| match unary {
        Unary::Compare(comparison, _) => Unary::Compare(*comparison, literal()),
        Unary::Interval { low, high } => {
            let (mut low, mut high) = (low.clone(), high.clone());
            (low.value, high.value) = (literal(), literal());
            Unary::Interval { low, high }
        }
        Unary::Boolean(node) => Unary::Boolean(node.clone()),
    };
    let all = |alternatives: &[Unary]| alternatives.iter().map(replaced).collect();
    match test {
        Test::Any => Test::Any,
        Test::Positive(alternatives) => Test::Positive(all(alternatives)),
        Test::Not(alternatives) => Test::Not(all(alternatives)),
    }
}

/// A lower and a higher value of a type, in the measure that another type declares.
fn two(ty: &Type, beside: &Type) -> Option<(Value, Value)> {
    let numbers = (Value::Number(Number::ZERO), Value::Number(Number::ONE));
    let measured = |make: &dyn Fn(Number) -> Value| Some((make(Number::ZERO), make(Number::ONE)));
    match ty {
        Type::Boolean => Some((Value::Boolean(false), Value::Boolean(true))),
        Type::Number { .. } => Some(numbers),
        Type::Money { currency } => {
            let other = match beside {
                Type::Money { currency } => currency.clone(),
                _ => None,
            };
            let code = currency
                .clone()
                .or(other)
                .unwrap_or_else(|| "EUR".to_owned());
            measured(&|amount| Value::Money {
                amount,
                currency: code.clone(),
            })
        }
        Type::Quantity { unit } => measured(&|amount| Value::Quantity {
            amount,
            unit: unit.clone(),
        }),
        other => {
            let low = points::anchor(other)?;
            let high = points::above(&low)?;
            Some((low, high))
        }
    }
}
