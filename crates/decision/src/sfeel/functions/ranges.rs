//! Functions on ranges and points (DMN 1.5, 10.3.4.10). A range as a value is a context of
//! its parts, by the names that FEEL has for them.

use std::cmp::Ordering;

use crate::{
    sfeel::eval::{Outcome, Work},
    value::Value,
};

const START: &str = "start";
const END: &str = "end";
const START_INCLUDED: &str = "start included";
const END_INCLUDED: &str = "end included";

/// A range as a value.
///
/// # Errors
/// If its ends have no order, or the wrong one.
pub(in crate::sfeel) fn range(
    low: Value,
    high: Value,
    low_closed: bool,
    high_closed: bool,
) -> Outcome {
    match low.compare(&high) {
        Some(Ordering::Less | Ordering::Equal) => {}
        Some(Ordering::Greater) => return Err(format!("`{low}` comes after `{high}`")),
        None => return Err(format!("`{low}` and `{high}` have no order")),
    }
    let parts = [
        (START, low),
        (END, high),
        (START_INCLUDED, low_closed.into()),
        (END_INCLUDED, high_closed.into()),
    ];
    Ok(Value::Context(
        parts.map(|(name, part)| (name.to_owned(), part)).into(),
    ))
}

/// Whether a value lies in a range; `None` where the second is no range.
pub(in crate::sfeel) fn within(point: &Value, range: &Value) -> Option<Option<bool>> {
    let range = Range::of(range)?;
    let ordered = point.compare(range.start).zip(point.compare(range.end));
    Some(ordered.map(|_| range.has(point)))
}

struct Range<'v> {
    start: &'v Value,
    end: &'v Value,
    start_included: bool,
    end_included: bool,
}

impl<'v> Range<'v> {
    fn of(value: &'v Value) -> Option<Self> {
        let Value::Context(parts) = value else {
            return None;
        };
        let range = Self {
            start: parts.get(START)?,
            end: parts.get(END)?,
            start_included: parts.get(START_INCLUDED)?.as_bool()?,
            end_included: parts.get(END_INCLUDED)?.as_bool()?,
        };
        (parts.len() == 4).then_some(range)
    }

    fn has(&self, point: &Value) -> bool {
        let above = point.compare(self.start);
        let below = point.compare(self.end);
        (above == Some(Ordering::Greater)
            || (above == Some(Ordering::Equal) && self.start_included))
            && (below == Some(Ordering::Less)
                || (below == Some(Ordering::Equal) && self.end_included))
    }
}

enum Operand<'v> {
    Point(&'v Value),
    Range(Range<'v>),
}

/// Both operands; `None` where one is null.
fn operands(arguments: &[Value]) -> Result<Option<(Operand<'_>, Operand<'_>)>, String> {
    let [a, b] = arguments else {
        return Err("expected two ranges or points".to_owned());
    };
    if *a == Value::Null || *b == Value::Null {
        return Ok(None);
    }
    let operand = |value| Range::of(value).map_or(Operand::Point(value), Operand::Range);
    let pair = (operand(a), operand(b));
    let first = |operand: &Operand<'_>| match operand {
        Operand::Point(point) => (*point).clone(),
        Operand::Range(range) => range.start.clone(),
    };
    let (x, y) = (first(&pair.0), first(&pair.1));
    if x.compare(&y).is_none() {
        return Err(format!(
            "{} `{x}` and {} `{y}` have no order",
            x.kind(),
            y.kind()
        ));
    }
    Ok(Some(pair))
}

fn less(a: &Value, b: &Value) -> bool {
    a.compare(b) == Some(Ordering::Less)
}

fn same(a: &Value, b: &Value) -> bool {
    a.compare(b) == Some(Ordering::Equal)
}

/// The truth that `decide` finds; null where an operand is, an error where it finds none.
fn decided(
    arguments: &[Value],
    swapped: bool,
    decide: fn(&Operand<'_>, &Operand<'_>) -> Option<bool>,
) -> Outcome {
    let Some((a, b)) = operands(arguments)? else {
        return Ok(Value::Null);
    };
    let (a, b) = if swapped { (b, a) } else { (a, b) };
    let truth = decide(&a, &b);
    truth
        .map(Value::Boolean)
        .ok_or_else(|| "found a point, expected a range".to_owned())
}

fn is_before(a: &Operand<'_>, b: &Operand<'_>) -> Option<bool> {
    use Operand::{Point, Range};
    Some(match (a, b) {
        (Point(a), Point(b)) => less(a, b),
        (Point(a), Range(b)) => less(a, b.start) || (same(a, b.start) && !b.start_included),
        (Range(a), Point(b)) => less(a.end, b) || (same(a.end, b) && !a.end_included),
        (Range(a), Range(b)) => {
            less(a.end, b.start) || (same(a.end, b.start) && !(a.end_included && b.start_included))
        }
    })
}

fn does_meet(a: &Operand<'_>, b: &Operand<'_>) -> Option<bool> {
    let (Operand::Range(a), Operand::Range(b)) = (a, b) else {
        return None;
    };
    Some(a.end_included && b.start_included && same(a.end, b.start))
}

fn do_overlap(a: &Operand<'_>, b: &Operand<'_>) -> Option<bool> {
    let (Operand::Range(a), Operand::Range(b)) = (a, b) else {
        return None;
    };
    Some(reaches(a, b) && reaches(b, a))
}

/// Whether the end of one comes to the start of the other, or beyond.
fn reaches(a: &Range<'_>, b: &Range<'_>) -> bool {
    less(b.start, a.end) || (same(a.end, b.start) && a.end_included && b.start_included)
}

fn does_overlap_before(a: &Operand<'_>, b: &Operand<'_>) -> Option<bool> {
    let (Operand::Range(a), Operand::Range(b)) = (a, b) else {
        return None;
    };
    let begins_before =
        less(a.start, b.start) || (same(a.start, b.start) && a.start_included && !b.start_included);
    let ends_before =
        less(a.end, b.end) || (same(a.end, b.end) && (!a.end_included || b.end_included));
    Some(begins_before && reaches(a, b) && ends_before)
}

fn does_finish(a: &Operand<'_>, b: &Operand<'_>) -> Option<bool> {
    let Operand::Range(b) = b else {
        return None;
    };
    Some(match a {
        Operand::Point(a) => b.end_included && same(a, b.end),
        Operand::Range(a) => {
            a.end_included == b.end_included
                && same(a.end, b.end)
                && (less(b.start, a.start)
                    || (same(a.start, b.start) && (!a.start_included || b.start_included)))
        }
    })
}

fn does_start(a: &Operand<'_>, b: &Operand<'_>) -> Option<bool> {
    let Operand::Range(b) = b else {
        return None;
    };
    Some(match a {
        Operand::Point(a) => b.start_included && same(a, b.start),
        Operand::Range(a) => {
            a.start_included == b.start_included
                && same(a.start, b.start)
                && (less(a.end, b.end)
                    || (same(a.end, b.end) && (!a.end_included || b.end_included)))
        }
    })
}

fn does_include(a: &Operand<'_>, b: &Operand<'_>) -> Option<bool> {
    let Operand::Range(a) = a else {
        return None;
    };
    Some(match b {
        Operand::Point(b) => a.has(b),
        Operand::Range(b) => {
            (less(a.start, b.start)
                || (same(a.start, b.start) && (a.start_included || !b.start_included)))
                && (less(b.end, a.end)
                    || (same(a.end, b.end) && (a.end_included || !b.end_included)))
        }
    })
}

fn do_coincide(a: &Operand<'_>, b: &Operand<'_>) -> Option<bool> {
    match (a, b) {
        (Operand::Point(a), Operand::Point(b)) => Some(same(a, b)),
        (Operand::Range(a), Operand::Range(b)) => Some(
            same(a.start, b.start)
                && same(a.end, b.end)
                && a.start_included == b.start_included
                && a.end_included == b.end_included,
        ),
        _ => None,
    }
}

/// Defines functions by what decides them, and whether the operands change places.
macro_rules! relations {
    ($($name:ident $decide:ident $swapped:literal;)*) => {
        $(pub(super) fn $name(arguments: &[Value], _: &Work) -> Outcome {
            decided(arguments, $swapped, $decide)
        })*
    };
}

relations! {
    before is_before false;
    after is_before true;
    meets does_meet false;
    met_by does_meet true;
    overlaps do_overlap false;
    overlaps_before does_overlap_before false;
    overlaps_after does_overlap_before true;
    finishes does_finish false;
    finished_by does_finish true;
    includes does_include false;
    during does_include true;
    starts does_start false;
    started_by does_start true;
    coincides do_coincide false;
}
