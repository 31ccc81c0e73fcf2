//! The cells of a column, read once, and then turned into sets of classes: ascending,
//! disjoint spans of them.

use std::collections::HashMap;

use super::{
    bounds::{Bounds, Class, KeptKind, Key, Kind},
    sets::{Span, Spans},
};
use crate::{
    sfeel::{Bound, Comparison, Node, Test, Unary},
    value::Value,
};

/// What a cell asks, without its constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Any,
    Positive,
    Not,
    /// Anything but comparisons with constants that the column orders: facts, expressions,
    /// conditions. Such tests are tried as they are.
    Opaque,
}

/// One alternative of a cell; each constant stands among the keys, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Compare(Comparison),
    Interval { from: bool, to: bool },
    Null,
    NotNull,
}

/// The cells of a column as they are read.
#[derive(Debug)]
pub(super) struct Draft<'t> {
    kind: Option<Kind<'t>>,
    forms: Vec<Form>,
    asks: Vec<Ask>,
    /// Where the alternatives of each cell end.
    ends: Vec<u32>,
    keys: Vec<Key<'t>>,
    /// Whether values are compared for more than equality.
    ordered: bool,
    opaque: HashMap<String, u32>,
    numbers: Vec<u32>,
}

impl<'t> Draft<'t> {
    pub(super) fn new(kind: Option<Kind<'t>>, rows: usize) -> Self {
        Self {
            kind,
            forms: Vec::with_capacity(rows),
            asks: Vec::with_capacity(rows),
            ends: Vec::with_capacity(rows),
            keys: Vec::new(),
            ordered: false,
            opaque: HashMap::new(),
            numbers: Vec::new(),
        }
    }

    /// Reads the next cell; false where it is opaque.
    pub(super) fn add(&mut self, test: &'t Test) -> bool {
        let form = match test {
            Test::Any => Form::Any,
            Test::Positive(_) if self.read(test) => Form::Positive,
            Test::Not(_) if self.read(test) => Form::Not,
            _ => Form::Opaque,
        };
        self.forms.push(form);
        self.ends.push(self.asks.len() as u32);
        form != Form::Opaque
    }

    /// Adds a constant that no cell names.
    pub(super) fn add_key(&mut self, key: Key<'t>) {
        self.keys.push(key);
    }

    fn read(&mut self, test: &'t Test) -> bool {
        let (asks, keys, ordered) = (self.asks.len(), self.keys.len(), self.ordered);
        let readable = test.alternatives().iter().all(|alternative| {
            let ask = self.ask(alternative);
            self.asks.extend(ask);
            ask.is_some()
        });
        if !readable {
            self.asks.truncate(asks);
            self.keys.truncate(keys);
            self.ordered = ordered;
        }
        readable
    }

    fn ask(&mut self, alternative: &'t Unary) -> Option<Ask> {
        match alternative {
            Unary::Compare(comparison, node) => {
                let null = node.literal() == Some(&Value::Null);
                match comparison {
                    Comparison::Equal if null => return Some(Ask::Null),
                    Comparison::NotEqual if null => return Some(Ask::NotNull),
                    Comparison::Equal | Comparison::NotEqual => {}
                    _ => self.ordered = true,
                }
                self.constant(node)?;
                Some(Ask::Compare(*comparison))
            }
            Unary::Interval { low, high } => {
                self.ordered = true;
                self.constant(&low.value)?;
                self.constant(&high.value)?;
                let closed = |bound: &Bound| bound.closed;
                Some(Ask::Interval {
                    from: closed(low),
                    to: closed(high),
                })
            }
            Unary::Boolean(_) => None,
        }
    }

    fn constant(&mut self, node: &'t Node) -> Option<()> {
        self.keys.push(self.kind?.constant(node.literal()?)?);
        Some(())
    }

    /// Notes the opaque test of the cell read last.
    pub(super) fn add_opaque(&mut self, test: &Test) {
        let next = self.opaque.len() as u32 + 1;
        let number = *self.opaque.entry(test.to_string()).or_insert(next);
        self.numbers.resize(self.forms.len() - 1, 0);
        self.numbers.push(number);
    }

    /// For each row, 0 or the number, from 1, of its opaque test among the distinct ones;
    /// empty where there are none. And how many there are.
    pub(super) fn opaque(&mut self, rows: usize) -> (Vec<u32>, usize) {
        let mut numbers = std::mem::take(&mut self.numbers);
        if !numbers.is_empty() {
            numbers.resize(rows, 0);
        }
        (numbers, self.opaque.len())
    }

    /// Whether no cell asks anything.
    pub(super) fn is_idle(&self) -> bool {
        self.forms.iter().all(|form| *form == Form::Any)
    }

    /// Whether classes of values tell anything.
    pub(super) fn is_indexable(&self) -> bool {
        let told = |form: &Form| matches!(form, Form::Positive | Form::Not);
        self.forms.iter().any(told)
    }

    /// The constants in order, and what kind they are of.
    pub(super) fn bounds(&self) -> Option<(KeptKind, Bounds)> {
        let kind = self.kind?;
        Some((kind.kept(), Bounds::new(kind, &self.keys, self.ordered)))
    }

    /// The classes that meet each cell.
    pub(super) fn spans(&self, bounds: &Bounds) -> Spans {
        let null = bounds.null();
        let mut spans = Spans::default();
        spans.all.reserve(self.forms.len());
        spans.ends.reserve(self.forms.len());
        let mut keys = self.keys.iter();
        let mut class = || keys.next().map_or(0, |key| bounds.class(*key));
        let mut begin = 0;
        for (form, end) in self.forms.iter().zip(&self.ends) {
            let asks = self.asks.get(begin..*end as usize).unwrap_or_default();
            begin = *end as usize;
            let start = spans.all.len();
            match form {
                Form::Any | Form::Opaque => spans.all.push((0, null)),
                Form::Positive | Form::Not => {
                    for ask in asks {
                        ask.append(null - 1, &mut class, &mut spans.all);
                    }
                    merge(&mut spans.all, start);
                    if *form == Form::Not {
                        complement(&mut spans.all, start, null - 1);
                    }
                    if meets_null(*form, asks) {
                        spans.all.push((null, null));
                        merge(&mut spans.all, start);
                    }
                }
            }
            spans.ends.push(spans.all.len() as u32);
        }
        spans
    }
}

impl Ask {
    /// Appends the classes, up to the last that isn't null, of the values it holds for.
    fn append(self, last: Class, class: &mut impl FnMut() -> Class, spans: &mut Vec<Span>) {
        match self {
            Self::Null => {}
            // What isn't null differs from null.
            Self::NotNull => spans.push((0, last)),
            Self::Compare(comparison) => {
                // The class of a bound: there is one below it and one above.
                let at = class();
                match comparison {
                    Comparison::Less => spans.push((0, at - 1)),
                    Comparison::LessOrEqual => spans.push((0, at)),
                    Comparison::Greater => spans.push((at + 1, last)),
                    Comparison::GreaterOrEqual => spans.push((at, last)),
                    Comparison::Equal => spans.push((at, at)),
                    Comparison::NotEqual => spans.extend([(0, at - 1), (at + 1, last)]),
                }
            }
            Self::Interval { from, to } => {
                let low = class() + u32::from(!from);
                let high = class() - u32::from(!to);
                if low <= high {
                    spans.push((low, high));
                }
            }
        }
    }

    /// What it says of null: equality with it is true or false, order null.
    fn of_null(self) -> Option<bool> {
        match self {
            Self::Null | Self::Compare(Comparison::NotEqual) => Some(true),
            Self::NotNull | Self::Compare(Comparison::Equal) => Some(false),
            _ => None,
        }
    }
}

fn meets_null(form: Form, asks: &[Ask]) -> bool {
    match form {
        Form::Not => asks.iter().all(|ask| ask.of_null() == Some(false)),
        _ => asks.iter().any(|ask| ask.of_null() == Some(true)),
    }
}

/// Sorts and joins the spans from `start` on.
fn merge(spans: &mut Vec<Span>, start: usize) {
    if spans.len() - start < 2 {
        return;
    }
    spans[start..].sort_unstable();
    let mut kept = start;
    for next in start + 1..spans.len() {
        let (from, to) = spans[next];
        if from <= spans[kept].1.saturating_add(1) {
            spans[kept].1 = spans[kept].1.max(to);
        } else {
            kept += 1;
            spans[kept] = (from, to);
        }
    }
    spans.truncate(kept + 1);
}

/// Replaces the spans from `start` on by what they leave out of `0..=last`.
fn complement(spans: &mut Vec<Span>, start: usize, last: Class) {
    let within = spans.split_off(start);
    let mut next = 0;
    for (from, to) in within {
        if from > next {
            spans.push((next, from - 1));
        }
        next = to + 1;
    }
    if next <= last {
        spans.push((next, last));
    }
}
