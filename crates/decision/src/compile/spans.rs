//! Cells as sets of classes: ascending, disjoint spans of them.

use super::bounds::{Bounds, Class, Key, Kind};
use crate::{
    sfeel::{Comparison, Node, Test, Unary},
    value::Value,
};

/// Classes from the first to the second, both included.
pub(super) type Span = (Class, Class);

/// Whether a test compares with constants only that its column orders, so that classes
/// tell whether it is met. Whatever else there is stays opaque.
pub(super) fn is_indexable(test: &Test, kind: Kind<'_>) -> bool {
    let constant = |node: &Node| node.literal().is_some_and(|v| kind.constant(v).is_some());
    test.alternatives()
        .iter()
        .all(|alternative| match alternative {
            Unary::Compare(Comparison::Equal | Comparison::NotEqual, node) => {
                node.literal() == Some(&Value::Null) || constant(node)
            }
            Unary::Compare(_, node) => constant(node),
            Unary::Interval { low, high } => constant(&low.value) && constant(&high.value),
            Unary::Boolean(_) => false,
        })
}

/// Whether an indexable test asks for the order of values.
pub(super) fn asks_order(test: &Test) -> bool {
    test.alternatives().iter().any(|alternative| {
        !matches!(
            alternative,
            Unary::Compare(Comparison::Equal | Comparison::NotEqual, _)
        )
    })
}

/// The constants of an indexable test.
pub(super) fn constants<'t>(test: &'t Test, kind: Kind<'t>) -> impl Iterator<Item = Key<'t>> {
    let literals = test.operands().filter_map(Node::literal);
    literals.filter_map(move |value| kind.constant(value))
}

/// Appends the spans of the classes that meet an indexable test.
pub(super) fn append(test: &Test, kind: Kind<'_>, bounds: &Bounds, spans: &mut Vec<Span>) {
    let null = bounds.null();
    let start = spans.len();
    for alternative in test.alternatives() {
        append_alternative(alternative, kind, bounds, spans);
    }
    merge(spans, start);
    match test {
        Test::Any => spans.push((0, null)),
        Test::Positive(_) => {}
        Test::Not(_) => complement(spans, start, null - 1),
    }
    if meets_null(test) && !matches!(test, Test::Any) {
        spans.push((null, null));
        merge(spans, start);
    }
}

fn append_alternative(alternative: &Unary, kind: Kind<'_>, bounds: &Bounds, spans: &mut Vec<Span>) {
    // The last class that isn't null.
    let last = bounds.null() - 1;
    let class = |node: &Node| {
        let key = node.literal().and_then(|value| kind.constant(value))?;
        Some(bounds.class(key))
    };
    match alternative {
        Unary::Compare(comparison, node) => match (comparison, class(node)) {
            (Comparison::Less, Some(at)) => spans.push((0, at - 1)),
            (Comparison::LessOrEqual, Some(at)) => spans.push((0, at)),
            (Comparison::Greater, Some(at)) => spans.push((at + 1, last)),
            (Comparison::GreaterOrEqual, Some(at)) => spans.push((at, last)),
            (Comparison::Equal, Some(at)) => spans.push((at, at)),
            (Comparison::NotEqual, Some(at)) => spans.extend([(0, at - 1), (at + 1, last)]),
            // What isn't null differs from null.
            (Comparison::NotEqual, None) => spans.push((0, last)),
            (_, None) => {}
        },
        Unary::Interval { low, high } => {
            let (Some(from), Some(to)) = (class(&low.value), class(&high.value)) else {
                return;
            };
            let from = if low.closed { from } else { from + 1 };
            let to = if high.closed { to } else { to - 1 };
            if from <= to {
                spans.push((from, to));
            }
        }
        // Not indexable.
        Unary::Boolean(_) => {}
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

/// Whether null meets an indexable test: equality with it is true or false, order null.
fn meets_null(test: &Test) -> bool {
    let truth = |alternative: &Unary| match alternative {
        Unary::Compare(Comparison::Equal, node) => Some(node.literal() == Some(&Value::Null)),
        Unary::Compare(Comparison::NotEqual, node) => Some(node.literal() != Some(&Value::Null)),
        _ => None,
    };
    let alternatives = test.alternatives();
    match test {
        Test::Any => true,
        Test::Positive(_) => alternatives.iter().any(|a| truth(a) == Some(true)),
        Test::Not(_) => alternatives.iter().all(|a| truth(a) == Some(false)),
    }
}
