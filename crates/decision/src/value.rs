//! Values, and the facts that are known of a transaction.

use std::{cmp::Ordering, collections::BTreeMap, fmt};

use chrono::{DateTime, FixedOffset, NaiveDate};

pub use crate::facts::Facts;
use crate::{
    number::Number,
    temporal::{DaysDuration, LocalDateTime, Moment, MonthsDuration, Time, format_date_time},
};

/// A value of one of FEEL's types, or money or a quantity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// Known to be null.
    Null,
    /// A boolean.
    Boolean(bool),
    /// A text.
    String(String),
    /// An exact number.
    Number(Number),
    /// An amount in whole units of an ISO 4217 currency.
    Money {
        /// The exact amount.
        amount: Number,
        /// ISO 4217 alphabetic code.
        currency: String,
    },
    /// A measured amount.
    Quantity {
        /// The exact amount.
        amount: Number,
        /// UN/CEFACT Recommendation 20 code, or the unit that the fact declares.
        unit: String,
    },
    /// A calendar date.
    Date(NaiveDate),
    /// An instant; equal to another with a different offset.
    DateTime(DateTime<FixedOffset>),
    /// A date and time by the clock of a place: no instant, unless a region is said.
    LocalDateTime(LocalDateTime),
    /// A time of day.
    Time(Time),
    /// A duration of days and time.
    DaysDuration(DaysDuration),
    /// A duration of years and months.
    MonthsDuration(MonthsDuration),
    /// Values in order.
    List(Vec<Value>),
    /// Values by name.
    Context(BTreeMap<String, Value>),
}

impl Value {
    /// What kind of value this is, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::String(_) => "string",
            Self::Number(_) => "number",
            Self::Money { .. } => "money",
            Self::Quantity { .. } => "quantity",
            Self::Date(_) => "date",
            Self::DateTime(_) => "date and time",
            Self::LocalDateTime(_) => "local date and time",
            Self::Time(_) => "time",
            Self::DaysDuration(_) => "days and time duration",
            Self::MonthsDuration(_) => "years and months duration",
            Self::List(_) => "list",
            Self::Context(_) => "context",
        }
    }

    /// How large it is, in scalars and pieces of text: what copying it costs.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::String(text) => 1 + text.len() / 64,
            Self::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Self::Context(entries) => {
                let entry = |(name, value): (&String, &Self)| 1 + name.len() / 64 + value.size();
                1 + entries.iter().map(entry).sum::<usize>()
            }
            _ => 1,
        }
    }

    /// The text, if this is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is one.
    #[must_use]
    pub fn as_number(&self) -> Option<Number> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The boolean, if this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// The list, if this is one.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if this is a context.
    #[must_use]
    pub fn as_context(&self) -> Option<&BTreeMap<String, Self>> {
        match self {
            Self::Context(entries) => Some(entries),
            _ => None,
        }
    }

    /// Orders two values of one kind; `None` where FEEL has no order between them.
    ///
    /// Money and quantities compare among their own currency or unit, and with bare
    /// numbers by amount, as a cell of a column with a declared currency means it.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => Some(a.cmp(b)),
            (
                Self::Money {
                    amount: a,
                    currency: x,
                },
                Self::Money {
                    amount: b,
                    currency: y,
                },
            )
            | (Self::Quantity { amount: a, unit: x }, Self::Quantity { amount: b, unit: y }) => {
                (x == y).then(|| a.cmp(b))
            }
            (Self::Money { amount, .. } | Self::Quantity { amount, .. }, Self::Number(b)) => {
                Some(amount.cmp(b))
            }
            (Self::Number(a), Self::Money { amount, .. } | Self::Quantity { amount, .. }) => {
                Some(a.cmp(amount))
            }
            (Self::String(a), Self::String(b)) => Some(a.cmp(b)),
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::DateTime(a), Self::DateTime(b)) => Some(a.cmp(b)),
            (Self::LocalDateTime(a), Self::LocalDateTime(b)) => a.compare(b),
            (Self::LocalDateTime(a), Self::DateTime(b)) => Some(a.instant()?.cmp(b)),
            (Self::DateTime(a), Self::LocalDateTime(b)) => Some(a.cmp(&b.instant()?)),
            (Self::Time(a), Self::Time(b)) => a.compare(b),
            (Self::DaysDuration(a), Self::DaysDuration(b)) => Some(a.cmp(b)),
            (Self::MonthsDuration(a), Self::MonthsDuration(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// FEEL's equality: `None` between values of different kinds, null aside.
    #[must_use]
    pub fn equals(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Null, _) | (_, Self::Null) => Some(self == other),
            (Self::Boolean(a), Self::Boolean(b)) => Some(a == b),
            (Self::List(a), Self::List(b)) => Some(a == b),
            (Self::Context(a), Self::Context(b)) => Some(a == b),
            // Those by different clocks have no order, but are different.
            (
                Self::DateTime(_) | Self::LocalDateTime(_),
                Self::DateTime(_) | Self::LocalDateTime(_),
            )
            | (Self::Time(_), Self::Time(_)) => {
                Some(self.compare(other).is_some_and(Ordering::is_eq))
            }
            _ => self.compare(other).map(Ordering::is_eq),
        }
    }
}

impl fmt::Display for Value {
    /// The plain text of a scalar, such as `18450.00 EUR`; lists and contexts as JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::String(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Money { amount, currency } => write!(f, "{amount} {currency}"),
            Self::Quantity { amount, unit } => write!(f, "{amount} {unit}"),
            Self::Date(date) => write!(f, "{date}"),
            Self::DateTime(instant) => f.write_str(&format_date_time(instant)),
            Self::LocalDateTime(local) => write!(f, "{local}"),
            Self::Time(time) => write!(f, "{time}"),
            Self::DaysDuration(duration) => write!(f, "{duration}"),
            Self::MonthsDuration(duration) => write!(f, "{duration}"),
            Self::List(_) | Self::Context(_) => f.write_str(&crate::json::write(self)),
        }
    }
}

impl From<Moment> for Value {
    fn from(moment: Moment) -> Self {
        match moment {
            Moment::Instant(instant) => Self::DateTime(instant),
            Moment::Local(local) => Self::LocalDateTime(local),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn values_compare_within_their_kind_only() {
        let one = Value::Number(Number::ONE);
        let money = |code: &str| Value::Money {
            amount: Number::ONE,
            currency: code.into(),
        };
        assert_eq!(money("EUR").compare(&one), Some(Ordering::Equal));
        assert_eq!(money("EUR").compare(&money("USD")), None);
        assert_eq!(one.equals(&Value::from("1")), None);
        assert_eq!(one.equals(&Value::Null), Some(false));
        assert_eq!(Value::Null.compare(&Value::Null), None);
    }
}
