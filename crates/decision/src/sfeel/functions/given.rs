//! Arguments as the functions need them. Where one is null, so is mostly the result; where
//! one is of another kind, there is none.

use std::borrow::Cow;

use crate::{number::Number, value::Value};

/// What a function does with null and with other kinds.
pub(super) type Argument<T> = Result<Option<T>, String>;

/// An argument, or null where it is left out. A list of one value stands for that value.
pub(super) fn one(arguments: &[Value], place: usize) -> &Value {
    match arguments.get(place) {
        None => &Value::Null,
        Some(Value::List(items)) if items.len() == 1 => &items[0],
        Some(value) => value,
    }
}

fn wrong<T>(place: usize, found: &Value, wanted: &str) -> Result<T, String> {
    let found = found.kind();
    Err(format!(
        "argument {} is a {found}, expected a {wanted}",
        place + 1
    ))
}

pub(super) fn text(arguments: &[Value], place: usize) -> Argument<&str> {
    match one(arguments, place) {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        other => wrong(place, other, "string"),
    }
}

pub(super) fn number(arguments: &[Value], place: usize) -> Argument<Number> {
    match one(arguments, place) {
        Value::Null => Ok(None),
        Value::Number(number) => Ok(Some(*number)),
        other => wrong(place, other, "number"),
    }
}

/// A whole number.
pub(super) fn whole(arguments: &[Value], place: usize) -> Argument<i64> {
    let Some(number) = number(arguments, place)? else {
        return Ok(None);
    };
    match number.to_i64() {
        Some(whole) => Ok(Some(whole)),
        None => Err(format!(
            "argument {} is `{number}`, expected a whole number",
            place + 1
        )),
    }
}

/// A list; any other value but null stands for the list of itself.
pub(super) fn list(arguments: &[Value], place: usize) -> Argument<Cow<'_, [Value]>> {
    match arguments.get(place) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::List(items)) => Ok(Some(Cow::Borrowed(items))),
        Some(single) => Ok(Some(Cow::Owned(vec![single.clone()]))),
    }
}

/// The items of one list, or the arguments themselves; `None` for null alone.
pub(super) fn items(arguments: &[Value]) -> Option<&[Value]> {
    match arguments {
        [Value::List(items)] => Some(items),
        [Value::Null] => None,
        arguments => Some(arguments),
    }
}

/// A place in `len` items from a position that counts from 1, or from the end below 0.
pub(super) fn place(position: i64, len: usize) -> Option<usize> {
    let magnitude = usize::try_from(position.unsigned_abs()).ok()?;
    let place = if position < 0 {
        len.checked_sub(magnitude)?
    } else {
        magnitude.checked_sub(1)?
    };
    (place < len).then_some(place)
}

/// Takes an argument, or returns null where it is.
macro_rules! need {
    ($argument:expr) => {
        match $argument? {
            Some(value) => value,
            None => return Ok(crate::value::Value::Null),
        }
    };
}
pub(super) use need;
