//! The classes of values that the tests on one fact or expression tell apart.

use std::collections::HashMap;

use super::{
    clocks::{by_clock, has_clocks, is_told, samples},
    constants::{Constants, Currency, currencies},
    points,
};
use crate::{
    sfeel::{Expression, Node},
    types::Type,
    value::Value,
};

/// What values a class holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// One value.
    Point,
    /// All between two; without an end, all beyond the other.
    Span {
        low: Option<Value>,
        high: Option<Value>,
    },
    /// All that no test names.
    Other,
    /// Null, always the last class.
    Null,
}

/// Values that no test tells apart.
#[derive(Debug, Clone)]
pub(super) struct Class {
    /// One of them.
    pub(super) value: Value,
    pub(super) shape: Shape,
}

/// Classes that follow each other in one order: all, or those of one currency.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) currency: Option<Currency>,
    pub(super) from: u32,
    pub(super) to: u32,
    /// The constants in order, bare of currency, each with its class.
    pub(super) points: Vec<(Value, u32)>,
}

impl Group {
    /// The first constant.
    pub(super) fn first(&self) -> Option<&Value> {
        self.points.first().map(|(point, _)| point)
    }
}

/// All classes of a dimension.
#[derive(Debug, Clone)]
pub(super) struct Scale {
    pub(super) classes: Vec<Class>,
    pub(super) groups: Vec<Group>,
    /// Whether values are told apart by order, not only by equality.
    pub(super) line: bool,
    /// Classes of listed values.
    pub(super) listed: HashMap<Value, u32>,
    /// How many classes are of nulls: the last ones.
    nulls: u32,
    /// Whether values are left out.
    partial: bool,
}

impl Scale {
    /// The classes of values of a type that constants tell apart; `None` where its values
    /// fall into none.
    pub(super) fn new(ty: &Type, constants: &Constants) -> Option<Self> {
        let mut scale = Self {
            classes: Vec::new(),
            groups: Vec::new(),
            line: false,
            listed: HashMap::new(),
            nulls: 1,
            partial: false,
        };
        match ty {
            Type::Boolean => scale.list([Value::Boolean(true), Value::Boolean(false)]),
            Type::String { values } if !values.is_empty() => {
                scale.list(values.iter().cloned().map(Value::String));
            }
            Type::String { .. } if !constants.ordered => scale.texts(&constants.values),
            Type::Money { currency } => {
                scale.line = true;
                for currency in currencies(currency.as_ref(), constants) {
                    let code = currency.code.clone();
                    let named = constants.by_currency.then_some(currency);
                    scale.group(&constants.values, &number(), named, |amount| {
                        Some(Value::Money {
                            amount: amount.as_number()?,
                            currency: code.clone(),
                        })
                    });
                }
            }
            Type::Quantity { unit } => {
                scale.line = true;
                scale.group(&constants.values, &number(), None, |amount| {
                    Some(Value::Quantity {
                        amount: amount.as_number()?,
                        unit: unit.clone(),
                    })
                });
            }
            ty if has_clocks(ty) => scale.clocks(ty, &constants.values),
            other => {
                scale.line = true;
                scale.group(&constants.values, &points::anchor(other)?, None, Some);
            }
        }
        scale.classes.push(Class {
            value: Value::Null,
            shape: Shape::Null,
        });
        Some(scale)
    }

    /// A line for each kind of clock that tests name, and a class for all others. As null
    /// those count as values that a table needn't speak of.
    fn clocks(&mut self, ty: &Type, constants: &[Value]) {
        self.line = true;
        let clocks = by_clock(ty, constants);
        for clock in &clocks {
            if let Some(anchor) = clock.first().cloned().or_else(|| samples(ty).next()) {
                self.group(clock, &anchor, None, Some);
            }
        }
        let firsts: Vec<&Value> = clocks.iter().filter_map(|clock| clock.first()).collect();
        let is_apart = |value: &Value| firsts.iter().all(|first| first.compare(value).is_none());
        if let Some(value) = samples(ty).find(|value| !firsts.is_empty() && is_apart(value)) {
            let shape = Shape::Other;
            self.classes.push(Class { value, shape });
            self.nulls += 1;
        }
    }

    /// The class of values by clocks that no test names, behind all lines.
    pub(super) fn apart(&self) -> Option<u32> {
        let at = self.count().checked_sub(2).filter(|_| self.line)?;
        (self.class(at)?.shape == Shape::Other).then_some(at)
    }

    /// Two classes, `false` and `true`, of a test that is met or not.
    pub(super) fn of_test() -> Self {
        let class = |truth| Class {
            value: Value::Boolean(truth),
            shape: Shape::Point,
        };
        Self::bare(vec![class(false), class(true)], 0)
    }

    /// Classes of how two values lie to each other, `known` of them without null.
    pub(super) fn of_relations(all: u32, known: u32) -> Self {
        let class = |_| Class {
            value: Value::Null,
            shape: Shape::Point,
        };
        Self::bare((0..all).map(class).collect(), all - known)
    }

    fn bare(classes: Vec<Class>, nulls: u32) -> Self {
        Self {
            classes,
            groups: Vec::new(),
            line: false,
            listed: HashMap::new(),
            nulls,
            partial: false,
        }
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.classes.len()).unwrap_or(u32::MAX)
    }

    /// How many classes are of known values: the first ones.
    pub(super) fn known(&self) -> u32 {
        self.count() - self.nulls
    }

    /// The class of null, of values of one expression.
    pub(super) fn null(&self) -> Option<u32> {
        let last = self.classes.last()?;
        (last.shape == Shape::Null).then(|| self.count() - 1)
    }

    /// Whether values are told apart by order.
    pub(super) fn is_line(&self) -> bool {
        self.line
    }

    /// Whether all values of the type are in it.
    pub(super) fn is_whole(&self) -> bool {
        !self.partial
    }

    fn list(&mut self, values: impl IntoIterator<Item = Value>) {
        let from = self.count();
        for value in values {
            if !self.listed.contains_key(&value) {
                self.listed.insert(value.clone(), self.count());
                self.classes.push(Class {
                    value,
                    shape: Shape::Point,
                });
            }
        }
        let to = self.count();
        self.groups.push(Group {
            currency: None,
            from,
            to,
            points: Vec::new(),
        });
    }

    /// The texts that tests name, and one class for all others.
    fn texts(&mut self, named: &[Value]) {
        let mut named: Vec<Value> = named
            .iter()
            .filter(|value| matches!(value, Value::String(_)))
            .cloned()
            .collect();
        named.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        named.dedup();
        let mut other = String::from("other");
        while named.iter().any(|value| value.as_str() == Some(&other)) {
            other.push('-');
        }
        self.list(named);
        self.classes.push(Class {
            value: Value::String(other),
            shape: Shape::Other,
        });
        if let Some(group) = self.groups.last_mut() {
            group.to += 1;
        }
    }

    /// Points and the spans between them, each made into a value of the type.
    fn group(
        &mut self,
        constants: &[Value],
        anchor: &Value,
        currency: Option<Currency>,
        make: impl Fn(Value) -> Option<Value>,
    ) {
        let mut sorted: Vec<Value> = constants
            .iter()
            .filter(|value| value.compare(anchor).is_some())
            .cloned()
            .collect();
        sorted.sort_by(|a, b| a.compare(b).unwrap_or(std::cmp::Ordering::Equal));
        sorted.dedup_by(|a, b| a.equals(b) == Some(true));
        let from = self.count();
        let mut points = Vec::with_capacity(sorted.len());
        let span = |value: Option<Value>, low: Option<&Value>, high: Option<&Value>| {
            let shape = Shape::Span {
                low: low.cloned(),
                high: high.cloned(),
            };
            Some(Class {
                value: make(value?)?,
                shape,
            })
        };
        let first = match sorted.first() {
            Some(first) => span(points::below(first), None, Some(first)),
            None => span(Some(anchor.clone()), None, None),
        };
        self.classes.extend(first);
        for (at, constant) in sorted.iter().enumerate() {
            if let Some(value) = make(constant.clone()) {
                points.push((constant.clone(), self.count()));
                self.classes.push(Class {
                    value,
                    shape: Shape::Point,
                });
            }
            let next = sorted.get(at + 1);
            let value = match next {
                Some(next) => points::between(constant, next),
                None => points::above(constant),
            };
            self.classes.extend(span(value, Some(constant), next));
        }
        let to = self.count();
        self.groups.push(Group {
            currency,
            from,
            to,
            points,
        });
    }

    /// Keeps only the classes that `keep` says, and null.
    pub(super) fn retain(&mut self, keep: impl Fn(u32) -> bool) {
        let mut renumbered = Vec::with_capacity(self.classes.len());
        let mut next = 0;
        for (at, class) in (0..).zip(&self.classes) {
            let kept = class.shape == Shape::Null || keep(at);
            renumbered.push(kept.then_some(next));
            next += u32::from(kept);
        }
        self.partial |= renumbered.iter().any(Option::is_none);
        let place = |class: u32| {
            let until = usize::try_from(class)
                .unwrap_or(usize::MAX)
                .min(renumbered.len());
            u32::try_from(renumbered[..until].iter().flatten().count()).unwrap_or(u32::MAX)
        };
        let renumber = |class: u32| {
            let index = usize::try_from(class).unwrap_or(usize::MAX);
            renumbered.get(index).copied().flatten()
        };
        for group in &mut self.groups {
            (group.from, group.to) = (place(group.from), place(group.to));
            group.points.clear();
        }
        self.listed = std::mem::take(&mut self.listed)
            .into_iter()
            .filter_map(|(value, class)| Some((value, renumber(class)?)))
            .collect();
        let mut at = 0;
        self.classes.retain(|_| {
            at += 1;
            renumber(at - 1).is_some()
        });
        self.nulls = 1 + u32::from(self.apart().is_some());
    }

    /// The class of a value of this scale's type.
    pub(super) fn locate(&self, value: &Value) -> Option<u32> {
        if *value == Value::Null {
            return self.null();
        }
        if let Some(&class) = self.listed.get(value) {
            return Some(class);
        }
        let fits = |class: &Class| match &class.shape {
            Shape::Point => class.value.equals(value) == Some(true),
            Shape::Other => matches!(value, Value::String(_)),
            Shape::Null => false,
            Shape::Span { low, high } => {
                let beyond = |end: &Option<Value>, wanted: std::cmp::Ordering| {
                    end.as_ref()
                        .is_none_or(|end| value.compare(end) == Some(wanted))
                };
                (value.kind() == class.value.kind() || is_told(value))
                    && beyond(low, std::cmp::Ordering::Greater)
                    && beyond(high, std::cmp::Ordering::Less)
            }
        };
        let code = |value: &Value| match value {
            Value::Money { currency, .. } => Some(currency.clone()),
            _ => None,
        };
        let named = |code: &str| {
            let mut currencies = self
                .groups
                .iter()
                .filter_map(|group| group.currency.as_ref());
            currencies.any(|currency| !currency.other && currency.code == code)
        };
        for group in &self.groups {
            let wanted = match (&group.currency, code(value)) {
                (Some(currency), Some(code)) if currency.other => !named(&code),
                (Some(currency), Some(code)) => currency.code == code,
                _ => true,
            };
            let bare = match value {
                Value::Money { amount, .. } if group.currency.is_some() => Value::Number(*amount),
                other => other.clone(),
            };
            let fits_bare = |class: &Class| match (&class.shape, &class.value, &bare) {
                (Shape::Point, Value::Money { amount, .. }, Value::Number(bare)) => amount == bare,
                (Shape::Span { low, high }, Value::Money { .. }, bare @ Value::Number(_)) => {
                    low.as_ref()
                        .is_none_or(|low| bare.compare(low).is_some_and(|o| o.is_gt()))
                        && high
                            .as_ref()
                            .is_none_or(|high| bare.compare(high).is_some_and(|o| o.is_lt()))
                }
                _ => fits(class),
            };
            let found = (group.from..group.to)
                .find(|&class| wanted && self.class(class).is_some_and(fits_bare));
            if found.is_some() {
                return found;
            }
        }
        self.apart().filter(|_| is_told(value))
    }

    pub(super) fn class(&self, class: u32) -> Option<&Class> {
        self.classes.get(usize::try_from(class).ok()?)
    }
}

fn number() -> Value {
    Value::Number(crate::number::Number::ZERO)
}

/// The text of a constant, as S-FEEL has it.
pub(super) fn literal(value: &Value) -> String {
    // Numbers as they were written, not as their canonical text has them.
    if let Value::Number(number) = value {
        return number.to_string();
    }
    let node = Node {
        at: 0,
        end: 0,
        expression: Expression::Literal(value.clone()),
    };
    node.to_string()
}
