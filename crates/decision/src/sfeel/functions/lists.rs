//! Functions on lists (DMN 1.5, 10.3.4.4). Positions count from 1, below 0 from the end.

use super::given::{self, need};
use crate::{
    number::Number,
    sfeel::eval::{Outcome, Work},
    value::Value,
};

fn same(a: &Value, b: &Value) -> bool {
    a.equals(b) == Some(true)
}

pub(super) fn contains(arguments: &[Value], _: &Work) -> Outcome {
    let items = need!(given::list(arguments, 0));
    let element = arguments.get(1).unwrap_or(&Value::Null);
    Ok(items.iter().any(|item| same(item, element)).into())
}

pub(super) fn sublist(arguments: &[Value], work: &Work) -> Outcome {
    let items = need!(given::list(arguments, 0));
    let start = need!(given::whole(arguments, 1));
    let Some(place) = given::place(start, items.len()) else {
        return Err(format!("the list has no position {start}"));
    };
    let rest = &items[place..];
    let length = match given::whole(arguments, 2)? {
        None => rest.len(),
        Some(length) => match usize::try_from(length) {
            Ok(length) if length >= 1 && length <= rest.len() => length,
            _ => return Err(format!("the list has no {length} items from there")),
        },
    };
    work.take(length)?;
    Ok(Value::List(rest[..length].to_vec()))
}

pub(super) fn append(arguments: &[Value], work: &Work) -> Outcome {
    let items = need!(given::list(arguments, 0));
    let mut items = items.into_owned();
    items.extend(arguments.iter().skip(1).cloned());
    work.take(items.len())?;
    Ok(Value::List(items))
}

/// The items of all lists, one after the other; `None` where a list is null.
fn joined(arguments: &[Value], work: &Work) -> Result<Option<Vec<Value>>, String> {
    let mut all = Vec::new();
    for place in 0..arguments.len() {
        let Some(items) = given::list(arguments, place)? else {
            return Ok(None);
        };
        work.take(items.len())?;
        all.extend(items.into_owned());
    }
    Ok(Some(all))
}

pub(super) fn concatenate(arguments: &[Value], work: &Work) -> Outcome {
    Ok(Value::List(need!(joined(arguments, work))))
}

pub(super) fn union(arguments: &[Value], work: &Work) -> Outcome {
    let all = need!(joined(arguments, work));
    distinct(&all, work).map(Value::List)
}

pub(super) fn distinct_values(arguments: &[Value], work: &Work) -> Outcome {
    let items = need!(given::list(arguments, 0));
    distinct(&items, work).map(Value::List)
}

/// The first of equals, in order.
fn distinct(items: &[Value], work: &Work) -> Result<Vec<Value>, String> {
    let mut kept: Vec<Value> = Vec::new();
    for item in items {
        work.take(1 + kept.len() / 8)?;
        if !kept.iter().any(|other| same(other, item)) {
            kept.push(item.clone());
        }
    }
    Ok(kept)
}

pub(super) fn insert_before(arguments: &[Value], work: &Work) -> Outcome {
    let items = need!(given::list(arguments, 0));
    let position = need!(given::whole(arguments, 1));
    let Some(place) = given::place(position, items.len()) else {
        return Err(format!("the list has no position {position}"));
    };
    let mut items = items.into_owned();
    items.insert(place, arguments.get(2).cloned().unwrap_or(Value::Null));
    work.take(items.len())?;
    Ok(Value::List(items))
}

pub(super) fn remove(arguments: &[Value], work: &Work) -> Outcome {
    let items = need!(given::list(arguments, 0));
    let position = need!(given::whole(arguments, 1));
    let Some(place) = given::place(position, items.len()) else {
        return Err(format!("the list has no position {position}"));
    };
    let mut items = items.into_owned();
    items.remove(place);
    work.take(items.len())?;
    Ok(Value::List(items))
}

pub(super) fn replace(arguments: &[Value], work: &Work) -> Outcome {
    let items = need!(given::list(arguments, 0));
    let position = need!(given::whole(arguments, 1));
    let Some(place) = given::place(position, items.len()) else {
        return Err(format!("the list has no position {position}"));
    };
    let mut items = items.into_owned();
    items[place] = arguments.get(2).cloned().unwrap_or(Value::Null);
    work.take(items.len())?;
    Ok(Value::List(items))
}

pub(super) fn reverse(arguments: &[Value], work: &Work) -> Outcome {
    let items = need!(given::list(arguments, 0));
    work.take(items.len())?;
    Ok(Value::List(items.iter().rev().cloned().collect()))
}

pub(super) fn index_of(arguments: &[Value], _: &Work) -> Outcome {
    let items = need!(given::list(arguments, 0));
    let wanted = arguments.get(1).unwrap_or(&Value::Null);
    let places = (1_i64..).zip(items.iter());
    let found = places.filter(|(_, item)| same(item, wanted));
    Ok(Value::List(
        found
            .map(|(place, _)| Value::Number(Number::from(place)))
            .collect(),
    ))
}

pub(super) fn flatten(arguments: &[Value], work: &Work) -> Outcome {
    fn flat(items: &[Value], out: &mut Vec<Value>) {
        for item in items {
            match item {
                Value::List(inner) => flat(inner, out),
                other => out.push(other.clone()),
            }
        }
    }
    let items = need!(given::list(arguments, 0));
    let mut out = Vec::new();
    flat(&items, &mut out);
    work.take(out.len())?;
    Ok(Value::List(out))
}

/// In the order that the values have. By another one the evaluator sorts, which alone can
/// apply functions.
pub(super) fn sort(arguments: &[Value], work: &Work) -> Outcome {
    let items = need!(given::list(arguments, 0));
    if arguments.len() > 1 {
        return Err("expected `function(a, b) …` to say which comes first".to_owned());
    }
    work.take(items.len())?;
    let mut items = items.into_owned();
    if let Some(first) = items.first()
        && let Some(other) = items.iter().find(|item| item.compare(first).is_none())
    {
        return Err(format!("`{first}` and `{other}` have no order"));
    }
    items.sort_by(|a, b| a.compare(b).unwrap_or(std::cmp::Ordering::Equal));
    Ok(Value::List(items))
}
