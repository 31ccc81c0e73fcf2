//! Times of day, and dates and times with or without an offset: by each kind of clock they
//! have an order of their own, and none with those by another.

use crate::{
    temporal::{parse_moment, parse_time},
    types::Type,
    value::Value,
};

/// Whether values of a type are told by clocks of several kinds.
pub(super) fn has_clocks(ty: &Type) -> bool {
    matches!(ty, Type::Time | Type::AnyDateTime)
}

/// Whether a value is told by a clock.
pub(super) fn is_told(value: &Value) -> bool {
    matches!(
        value,
        Value::Time(_) | Value::DateTime(_) | Value::LocalDateTime(_)
    )
}

/// The constants by kind of clock, in the order they are found; of none one value stands for
/// all of the type.
pub(super) fn by_clock(ty: &Type, constants: &[Value]) -> Vec<Vec<Value>> {
    let mut clocks: Vec<Vec<Value>> = Vec::new();
    for constant in constants.iter().filter(|value| is_told(value)) {
        let same = |clock: &&mut Vec<Value>| {
            let first = clock.first();
            first.is_some_and(|first| first.compare(constant).is_some())
        };
        match clocks.iter_mut().find(same) {
            Some(clock) => clock.push(constant.clone()),
            None => clocks.push(vec![constant.clone()]),
        }
    }
    if clocks.is_empty() {
        clocks.extend(samples(ty).next().map(|_| Vec::new()));
    }
    clocks
}

/// Some values of a type, each by another kind of clock.
pub(super) fn samples(ty: &Type) -> impl Iterator<Item = Value> {
    let regions = ["Asia/Tokyo", "Europe/Paris", "America/New_York"];
    let all: Vec<Value> = match ty {
        Type::Time => ["12:00:00".to_owned(), "12:00:00Z".to_owned()]
            .into_iter()
            .chain(regions.map(|region| format!("12:00:00@{region}")))
            .filter_map(|text| parse_time(&text).map(Value::Time))
            .collect(),
        Type::AnyDateTime => ["2000-01-01T00:00:00Z", "2000-01-01T00:00:00"]
            .into_iter()
            .filter_map(|text| parse_moment(text).map(Value::from))
            .collect(),
        _ => Vec::new(),
    };
    all.into_iter()
}
