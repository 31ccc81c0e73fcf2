//! Values for expressions that are compared with each other, so that a box is kept to; or
//! that there are none.
//!
//! Of values of one order only their places matter: between two constants as many values as
//! there are expressions are enough for every way in which these can lie. Trying them all
//! decides whether a box is empty, expressions taken for free.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    limits, points,
    regions::Sets,
    relation::Relation,
    scale::{Scale, Shape},
    set::ClassSet,
    solve::measured,
    space::{Key, Space, index},
};
use crate::{
    number::Number,
    sfeel::{Expression, Node},
    types::Type,
    value::Value,
};

/// Values of expressions that are compared.
pub(super) type Model<'s> = Vec<(&'s Node, Value)>;

/// What values there are for a box.
#[derive(Debug)]
pub(super) enum Models<'s> {
    /// For sure none.
    Nowhere,
    /// Some ways, for each set of expressions that are compared with each other.
    Some(Vec<Vec<Model<'s>>>),
}

/// How many ways are kept to try.
const KEPT: usize = 16;

/// An expression that is compared.
struct Variable<'s> {
    node: &'s Node,
    ty: &'s Type,
    /// Its own dimension, with the classes that are let through.
    own: Option<(&'s Scale, ClassSet)>,
    candidates: Vec<Value>,
}

/// Two variables, with how they may lie.
struct Link {
    sides: (usize, usize),
    relations: Vec<Relation>,
}

impl Space<'_> {
    /// Values for the expressions that a box compares.
    pub(super) fn models(&self, sets: &Sets) -> Models<'_> {
        let mut variables: Vec<Variable<'_>> = Vec::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut links = Vec::new();
        for (at, set) in sets {
            let Some(pair) = &self.dimensions[index(*at)].pair else {
                continue;
            };
            let mut place = |node, ty| {
                *places.entry(format!("{node}")).or_insert_with(|| {
                    variables.push(self.variable(node, ty, sets));
                    variables.len() - 1
                })
            };
            links.push(Link {
                sides: (
                    place(pair.left, &pair.types.0),
                    place(pair.right, &pair.types.1),
                ),
                relations: pair.relations(Some(set)),
            });
        }
        let mut models = Vec::new();
        for members in components(variables.len(), &links) {
            let complete = self.fill_in(&mut variables, &members, sets);
            let mut search = Search {
                variables: &variables,
                members: &members,
                links: &links,
                chosen: BTreeMap::new(),
                steps: limits::MODELS,
                found: Vec::new(),
            };
            let ended = search.run(0);
            if search.found.is_empty() {
                if ended && complete {
                    return Models::Nowhere;
                }
                continue;
            }
            models.push(search.found);
        }
        Models::Some(models)
    }

    fn variable<'s>(&'s self, node: &'s Node, ty: &'s Type, sets: &Sets) -> Variable<'s> {
        let key = match &node.expression {
            Expression::Fact(name, None) => Key::Fact(name.clone()),
            _ => Key::Expression(node.to_string()),
        };
        let mut dimensions = (0..).zip(&self.dimensions);
        let own = dimensions.find(|(_, dimension)| dimension.key == key);
        let own = own.map(|(at, dimension)| {
            let all = || ClassSet::range(0, dimension.scale.count());
            (&dimension.scale, sets.get(&at).cloned().unwrap_or_else(all))
        });
        Variable {
            node,
            ty,
            own,
            candidates: Vec::new(),
        }
    }

    /// Makes the candidates of variables that are compared with each other; whether these
    /// are enough for every way.
    fn fill_in(&self, variables: &mut [Variable<'_>], members: &[usize], sets: &Sets) -> bool {
        let mut complete = true;
        let mut constants = Vec::new();
        let mut codes = BTreeSet::new();
        for &member in members {
            if let Some((scale, set)) = &variables[member].own {
                complete &= edges(scale, set, &mut constants);
                let groups = scale.groups.iter();
                codes
                    .extend(groups.filter_map(|group| Some(group.currency.as_ref()?.code.clone())));
            }
            if let Type::Money {
                currency: Some(code),
            } = variables[member].ty
            {
                codes.insert(code.clone());
            }
            if let Type::String { values } = variables[member].ty {
                constants.extend(values.iter().cloned().map(Value::String));
            }
        }
        let spare = ["EUR", "USD", "CHF", "GBP", "JPY", "SEK", "NOK", "DKK"];
        let known = codes.len();
        let more = spare.into_iter().map(str::to_owned);
        for code in more {
            if codes.len() < known + members.len() {
                codes.insert(code);
            }
        }
        let first = members.first().map(|&member| variables[member].ty);
        let Some((bare, enough)) = first.and_then(|ty| spread(ty, constants, members.len())) else {
            return false;
        };
        complete &= enough;
        for &member in members {
            let null = self.null_only(variables[member].node, sets);
            let variable = &mut variables[member];
            let mut candidates: Vec<Value> = bare
                .iter()
                .flat_map(|value| concrete(variable.ty, value, &codes))
                .chain([Value::Null])
                .filter(|value| !null || *value == Value::Null)
                .filter(|value| match &variable.own {
                    Some((scale, set)) => {
                        scale.locate(value).is_some_and(|class| set.contains(class))
                    }
                    None => true,
                })
                .collect();
            complete &= candidates.len() <= limits::CANDIDATES
                && !short_of_codes(variable.ty, &codes, known + members.len());
            candidates.truncate(limits::CANDIDATES);
            variable.candidates = candidates;
        }
        complete
    }

    /// Whether an expression is null, since a fact in it is.
    fn null_only(&self, node: &Node, sets: &Sets) -> bool {
        let mut null = false;
        strict_facts(node, &mut |name| {
            let mut dimensions = (0..).zip(&self.dimensions);
            let found = dimensions
                .find(|(_, dimension)| matches!(&dimension.key, Key::Fact(fact) if fact == name));
            if let Some((at, dimension)) = found
                && let Some(only) = dimension.scale.null()
            {
                null |= sets.get(&at) == Some(&ClassSet::range(only, only + 1));
            }
        });
        null
    }
}

/// Calls `visit` with the facts that make an expression null where one of them is.
pub(super) fn strict_facts<'n>(node: &'n Node, visit: &mut dyn FnMut(&'n str)) {
    match &node.expression {
        Expression::Fact(name, _) => visit(name),
        Expression::Negate(inner) => strict_facts(inner, visit),
        Expression::Arithmetic(_, left, right) => {
            strict_facts(left, visit);
            strict_facts(right, visit);
        }
        _ => {}
    }
}

fn short_of_codes(ty: &Type, codes: &BTreeSet<String>, wanted: usize) -> bool {
    matches!(ty, Type::Money { currency: None }) && codes.len() < wanted
}

/// The variables that links connect.
fn components(count: usize, links: &[Link]) -> Vec<Vec<usize>> {
    let mut seen = vec![false; count];
    let mut all = Vec::new();
    for start in 0..count {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        let mut members = vec![start];
        let mut next = 0;
        while let Some(&member) = members.get(next) {
            next += 1;
            for link in links {
                for (a, b) in [link.sides, (link.sides.1, link.sides.0)] {
                    if a == member && !seen[b] {
                        seen[b] = true;
                        members.push(b);
                    }
                }
            }
        }
        all.push(members);
    }
    all
}

/// Adds the constants at which classes of a set begin and end; false where there are too
/// many.
fn edges(scale: &Scale, set: &ClassSet, constants: &mut Vec<Value>) -> bool {
    let known = set.intersect(&ClassSet::range(0, scale.known()));
    let mut classes: Vec<u32> = Vec::new();
    for &(from, to) in known.ranges() {
        // Where values are left out of a scale, its classes don't touch.
        if scale.is_line() && scale.is_whole() {
            classes.extend([from, to - 1]);
        } else {
            classes.extend((from..to).take(limits::CANDIDATES + 1));
        }
    }
    for &class in &classes {
        let Some(class) = scale.class(class) else {
            continue;
        };
        match &class.shape {
            Shape::Point => constants.push(bare(&class.value)),
            Shape::Span { low, high } => constants.extend(low.iter().chain(high).map(bare)),
            Shape::Other | Shape::Null => {}
        }
    }
    classes.len() <= limits::CANDIDATES
}

/// An amount without its measure.
fn bare(value: &Value) -> Value {
    match value {
        Value::Money { amount, .. } | Value::Quantity { amount, .. } => Value::Number(*amount),
        other => other.clone(),
    }
}

/// Constants with values behind, between and before them, and whether these are enough.
fn spread(ty: &Type, mut constants: Vec<Value>, count: usize) -> Option<(Vec<Value>, bool)> {
    if *ty == Type::Boolean {
        return Some((vec![Value::Boolean(true), Value::Boolean(false)], true));
    }
    let anchor = match ty {
        Type::Money { .. } | Type::Quantity { .. } => Value::Number(Number::ZERO),
        other => points::anchor(other)?,
    };
    constants.retain(|value| value.compare(&anchor).is_some());
    if constants.is_empty() {
        constants.push(anchor);
    }
    constants.sort_by(|a, b| a.compare(b).unwrap_or(Ordering::Equal));
    constants.dedup_by(|a, b| a.equals(b) == Some(true));
    let chain = |first: Option<Value>, next: &dyn Fn(&Value) -> Option<Value>| -> Vec<Value> {
        std::iter::successors(first, next).take(count).collect()
    };
    let (first, last) = (constants.first()?, constants.last()?);
    let mut gaps = vec![chain(points::above(last), &points::above)];
    for pair in constants.windows(2) {
        let between = |value: &Value| points::between(value, &pair[1]);
        gaps.push(chain(between(&pair[0]), &between));
    }
    gaps.push(match first {
        Value::String(_) => {
            let empty = Value::from("");
            let below = empty.compare(first).is_some_and(Ordering::is_lt);
            chain(below.then_some(empty), &|value| {
                points::between(value, first)
            })
        }
        _ => chain(points::below(first), &points::below),
    });
    // Of days there may be no more; of numbers they just weren't found.
    let dense = matches!(first, Value::Number(_));
    let enough = !dense || gaps.iter().all(|gap| gap.len() >= count);
    constants.extend(gaps.into_iter().flatten());
    Some((constants, enough))
}

/// A bare value as one of a type, in each currency that it may have.
fn concrete(ty: &Type, bare: &Value, codes: &BTreeSet<String>) -> Vec<Value> {
    let read = |value: Value| ty.coerce(value).ok();
    match (ty, bare) {
        (Type::Money { currency: None }, Value::Number(amount)) => {
            let money = |code: &String| {
                read(Value::Money {
                    amount: *amount,
                    currency: code.clone(),
                })
            };
            codes.iter().filter_map(money).collect()
        }
        _ => read(measured(ty, bare)).into_iter().collect(),
    }
}

/// Tries candidates one after the other.
struct Search<'m, 's> {
    variables: &'m [Variable<'s>],
    members: &'m [usize],
    links: &'m [Link],
    chosen: BTreeMap<usize, &'m Value>,
    steps: usize,
    found: Vec<Model<'s>>,
}

impl Search<'_, '_> {
    /// False where it ended before all were tried.
    fn run(&mut self, depth: usize) -> bool {
        let variables = self.variables;
        let Some(&member) = self.members.get(depth) else {
            let node =
                |(member, value): (&usize, &&Value)| (variables[*member].node, (*value).clone());
            self.found.push(self.chosen.iter().map(node).collect());
            return true;
        };
        for value in &variables[member].candidates {
            if self.found.len() >= KEPT || self.steps == 0 {
                return false;
            }
            self.steps -= 1;
            self.chosen.insert(member, value);
            let ended = !self.fits(member) || self.run(depth + 1);
            self.chosen.remove(&member);
            if !ended {
                return false;
            }
        }
        true
    }

    /// Whether a variable lies to those that are chosen as it may.
    fn fits(&self, member: usize) -> bool {
        let linked = self.links.iter().all(|link| {
            let (left, right) = link.sides;
            if left != member && right != member {
                return true;
            }
            match (self.chosen.get(&left), self.chosen.get(&right)) {
                (Some(a), Some(b)) => link.relations.contains(&Relation::of(a, b)),
                _ => true,
            }
        });
        linked && self.nulls_agree()
    }

    /// Whether what is made of a null is null.
    fn nulls_agree(&self) -> bool {
        let null = |name: &str| {
            self.chosen.iter().any(|(&member, value)| {
                let node = &self.variables[member].node.expression;
                **value == Value::Null
                    && matches!(node, Expression::Fact(fact, None) if fact == name)
            })
        };
        self.chosen.iter().all(|(&member, value)| {
            let mut agree = true;
            if **value != Value::Null {
                strict_facts(self.variables[member].node, &mut |name| {
                    agree &= !null(name)
                });
            }
            agree
        })
    }
}
