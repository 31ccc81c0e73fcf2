//! Which types go together, and what comes of it.

use crate::{sfeel::Operator, types::Type, value::Value};

/// The type of a constant; `None` for null.
pub(super) fn type_of(value: &Value) -> Option<Type> {
    Some(match value {
        Value::Null => return None,
        Value::Boolean(_) => Type::Boolean,
        Value::String(_) => Type::string(),
        Value::Number(_) => Type::number(),
        Value::Money { currency, .. } => Type::Money {
            currency: Some(currency.clone()),
        },
        Value::Quantity { unit, .. } => Type::Quantity { unit: unit.clone() },
        Value::Date(_) => Type::Date,
        Value::DateTime(_) => Type::DateTime,
        Value::LocalDateTime(_) => Type::AnyDateTime,
        Value::Time(_) => Type::Time,
        Value::DaysDuration(_) => Type::DaysDuration,
        Value::MonthsDuration(_) => Type::MonthsDuration,
        Value::List(items) => Type::List(Box::new(common(items.iter().map(type_of)))),
        Value::Context(_) => Type::Context,
    })
}

/// The one type of several values; any where they differ.
pub(super) fn common(types: impl Iterator<Item = Option<Type>>) -> Type {
    let mut common: Option<Type> = None;
    for ty in types.flatten() {
        match &common {
            None => common = Some(ty),
            Some(first) if *first == ty => {}
            Some(_) => return Type::Any,
        }
    }
    common.unwrap_or(Type::Any)
}

/// Whether values of a type have an order among themselves, or may have one.
pub(super) fn has_order(ty: &Type) -> bool {
    !matches!(
        ty,
        Type::Boolean | Type::List(_) | Type::Context | Type::Structure(_)
    )
}

/// Whether values of two types have an order or equality between them.
pub(super) fn comparable(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Money { currency: Some(x) }, Type::Money { currency: Some(y) })
        | (Type::Quantity { unit: x }, Type::Quantity { unit: y })
        | (Type::Number { unit: Some(x) }, Type::Number { unit: Some(y) }) => x == y,
        (Type::Money { .. } | Type::Quantity { .. }, Type::Number { .. })
        | (Type::Number { .. }, Type::Money { .. } | Type::Quantity { .. }) => true,
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::DateTime | Type::AnyDateTime, Type::DateTime | Type::AnyDateTime)
        | (Type::Context | Type::Structure(_), Type::Context | Type::Structure(_)) => true,
        (Type::List(a), Type::List(b)) => comparable(a, b),
        _ => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

/// The type that arithmetic gives, where it is defined.
pub(super) fn result_of(operator: Operator, a: &Type, b: &Type) -> Option<Type> {
    use Operator::{Add, Divide, Multiply, Power, Subtract};
    use Type::{
        Any, AnyDateTime, Date, DateTime, DaysDuration, Money, MonthsDuration, Number, Quantity,
        String, Time,
    };
    let same_kind = comparable(a, b) && std::mem::discriminant(a) == std::mem::discriminant(b);
    match (operator, a, b) {
        (_, Any, _) | (_, _, Any) => Some(Any),
        (_, Number { unit }, Number { .. }) if matches!(operator, Add | Subtract) && same_kind => {
            Some(Number { unit: unit.clone() })
        }
        (Multiply | Divide | Power, Number { .. }, Number { .. }) => Some(Type::number()),
        (Add | Subtract, Money { .. }, Money { .. })
        | (Add | Subtract, Quantity { .. }, Quantity { .. }) => same_kind.then(|| a.clone()),
        (Divide, Money { .. }, Money { .. }) | (Divide, Quantity { .. }, Quantity { .. }) => {
            same_kind.then(Type::number)
        }
        (Multiply | Divide, Money { .. } | Quantity { .. }, Number { .. }) => Some(a.clone()),
        (Multiply, Number { .. }, Money { .. } | Quantity { .. }) => Some(b.clone()),
        (Add, String { .. }, String { .. }) => Some(Type::string()),
        (Add | Subtract, DaysDuration, DaysDuration)
        | (Add | Subtract, MonthsDuration, MonthsDuration) => Some(a.clone()),
        (Add | Subtract, Date | DateTime, MonthsDuration)
        | (Add | Subtract, DateTime, DaysDuration) => Some(a.clone()),
        (Add | Subtract, Date, DaysDuration) => Some(Date),
        (Add | Subtract, AnyDateTime, MonthsDuration | DaysDuration)
        | (Add | Subtract, Time, DaysDuration) => Some(a.clone()),
        (Add, DaysDuration | MonthsDuration, Date | DateTime | AnyDateTime)
        | (Add, DaysDuration, Time) => Some(b.clone()),
        (Subtract, Date, Date)
        | (Subtract, DateTime | AnyDateTime, DateTime | AnyDateTime)
        | (Subtract, Time, Time) => Some(DaysDuration),
        (Multiply | Divide, DaysDuration | MonthsDuration, Number { .. }) => Some(a.clone()),
        (Multiply, Number { .. }, DaysDuration | MonthsDuration) => Some(b.clone()),
        (Divide, DaysDuration, DaysDuration) | (Divide, MonthsDuration, MonthsDuration) => {
            Some(Type::number())
        }
        _ => None,
    }
}
