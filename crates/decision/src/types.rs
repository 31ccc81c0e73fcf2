//! Types that facts, inputs and outputs declare, and what of a value fits them.

use std::{collections::BTreeMap, fmt};

use crate::{
    diagnostic::Diagnostic,
    limits,
    number::Number,
    temporal::{Duration, parse_date, parse_date_time, parse_duration, parse_moment, parse_time},
    value::Value,
    yaml::Fields,
};

/// A declared type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Whatever comes. What it is shows only when it is there.
    Any,
    /// `true` or `false`.
    Boolean,
    /// A text, one of `values` unless those are empty.
    String {
        /// The allowed texts; empty: all.
        values: Vec<String>,
    },
    /// A number, counted in `unit` where one is declared.
    Number {
        /// Unit such as `d`; a value that names another one doesn't fit.
        unit: Option<String>,
    },
    /// Money, in `currency` where one is declared.
    Money {
        /// ISO 4217 alphabetic code.
        currency: Option<String>,
    },
    /// A measured amount that names its unit.
    Quantity {
        /// UN/CEFACT Recommendation 20 code.
        unit: String,
    },
    /// A calendar date.
    Date,
    /// A date and time with offset.
    DateTime,
    /// A date and time with or without offset, as DMN has them. One without is no instant,
    /// and has no order with one that is.
    AnyDateTime,
    /// A time of day.
    Time,
    /// A duration of days and time.
    DaysDuration,
    /// A duration of years and months.
    MonthsDuration,
    /// A list of one type.
    List(Box<Type>),
    /// Named values.
    Context,
    /// Named values of declared types.
    Structure(BTreeMap<String, Type>),
}

/// What about a value doesn't fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MismatchKind {
    /// Another type.
    Type,
    /// Money in another currency.
    Currency,
    /// An amount in another unit.
    Unit,
    /// A text that isn't among the allowed ones.
    AllowedValues,
}

/// Why a value doesn't fit a type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Mismatch {
    /// What doesn't fit.
    pub kind: MismatchKind,
    /// What was found and what was wanted.
    pub message: String,
}

/// The type names of the file form, for messages.
const NAMES: &str = "string, boolean, number, money, quantity, date, date and time, \
                     any date and time, time, days and time duration, years and months duration, list, context, any";

impl Type {
    /// Any text.
    #[must_use]
    pub fn string() -> Self {
        Self::String { values: Vec::new() }
    }

    /// A bare number.
    #[must_use]
    pub fn number() -> Self {
        Self::Number { unit: None }
    }

    /// Takes `type`, `values`, `currency`, `unit` and `of` out of a mapping such as
    /// `{type: money, currency: EUR}`. The caller takes its own keys and finishes.
    pub fn take(fields: &mut Fields<'_>, problems: &mut Vec<Diagnostic>) -> Option<Self> {
        let node = fields.require("type", problems)?;
        let name = node.text(problems, "a type name")?;
        let ty = match name {
            "string" => Self::String {
                values: take_values(fields, problems),
            },
            "number" => Self::Number {
                unit: fields.text("unit", problems),
            },
            "money" => Self::Money {
                currency: take_currency(fields, problems)?,
            },
            "quantity" => {
                let unit = fields.require("unit", problems)?.text(problems, "a unit")?;
                Self::Quantity {
                    unit: unit.to_owned(),
                }
            }
            "list" => {
                let of = fields
                    .text("of", problems)
                    .unwrap_or_else(|| "any".to_owned());
                Self::List(Box::new(named(&of).or_else(|| {
                    problems.push(node.problem(format!("unknown list element type `{of}`")));
                    None
                })?))
            }
            simple => named(simple).or_else(|| {
                let message = format!("unknown type `{simple}`, expected one of {NAMES}");
                problems.push(node.problem(message));
                None
            })?,
        };
        Some(ty)
    }

    /// The value as this type has it: `18450.00 EUR` becomes money, ISO texts dates,
    /// number texts numbers. Null fits every type.
    ///
    /// # Errors
    /// If it doesn't fit.
    pub fn coerce(&self, value: Value) -> Result<Value, Mismatch> {
        let read = match (self, &value) {
            (_, Value::Null)
            | (Self::Any, _)
            | (Self::Boolean, Value::Boolean(_))
            | (Self::Number { .. }, Value::Number(_))
            | (Self::Date, Value::Date(_))
            | (Self::DateTime | Self::AnyDateTime, Value::DateTime(_))
            | (Self::AnyDateTime, Value::LocalDateTime(_))
            | (Self::Time, Value::Time(_))
            | (Self::DaysDuration, Value::DaysDuration(_))
            | (Self::MonthsDuration, Value::MonthsDuration(_))
            | (Self::Context, Value::Context(_)) => return Ok(value),
            (Self::String { values }, Value::String(text)) => {
                if values.is_empty() || values.contains(text) {
                    return Ok(value);
                }
                return Err(self.mismatch(MismatchKind::AllowedValues, &value));
            }
            (Self::List(of), Value::List(_)) => return of.coerce_items(value),
            (Self::Structure(fields), Value::Context(_)) => return coerce_fields(fields, value),
            (Self::DateTime, Value::LocalDateTime(local)) => local.instant().map(Value::DateTime),
            (Self::Money { currency }, _) => return self.coerce_money(currency.as_deref(), value),
            (Self::Quantity { unit }, _) => return self.coerce_quantity(unit, value),
            (Self::Number { unit: Some(unit) }, _) => return self.coerce_counted(unit, value),
            (_, Value::String(text)) => self.read(text),
            _ => None,
        };
        read.ok_or_else(|| self.mismatch(MismatchKind::Type, &value))
    }

    /// A bare number as an amount in the measure that this type declares; all else as it is.
    pub(crate) fn measure(&self, value: Value) -> Value {
        match (self, value) {
            (
                Self::Money {
                    currency: Some(code),
                },
                Value::Number(amount),
            ) => Value::Money {
                amount,
                currency: code.clone(),
            },
            (Self::Quantity { unit }, Value::Number(amount)) => Value::Quantity {
                amount,
                unit: unit.clone(),
            },
            (_, value) => value,
        }
    }

    /// Reads a text as a value of this type.
    fn read(&self, text: &str) -> Option<Value> {
        match self {
            Self::Number { .. } => text.parse().ok().map(Value::Number),
            Self::Date => parse_date(text).map(Value::Date),
            Self::DateTime => parse_date_time(text).map(Value::DateTime),
            Self::AnyDateTime => parse_moment(text).map(Value::from),
            Self::Time => parse_time(text).map(Value::Time),
            Self::DaysDuration => match parse_duration(text)? {
                Duration::Days(days) => Some(Value::DaysDuration(days)),
                Duration::Months(_) => None,
            },
            Self::MonthsDuration => match parse_duration(text)? {
                Duration::Months(months) => Some(Value::MonthsDuration(months)),
                Duration::Days(_) => None,
            },
            _ => None,
        }
    }

    /// A list whose items are all of this type.
    fn coerce_items(&self, value: Value) -> Result<Value, Mismatch> {
        match value {
            Value::List(items) => {
                let items: Result<_, _> = items.into_iter().map(|item| self.coerce(item)).collect();
                Ok(Value::List(items?))
            }
            other => Err(Self::List(Box::new(self.clone())).mismatch(MismatchKind::Type, &other)),
        }
    }

    fn coerce_money(&self, wanted: Option<&str>, value: Value) -> Result<Value, Mismatch> {
        let (amount, currency) = match &value {
            Value::Money { amount, currency } => (*amount, currency.clone()),
            Value::String(text) => match split_amount(text) {
                Some((amount, currency)) if is_currency(currency) => (amount, currency.to_owned()),
                _ => return Err(self.mismatch(MismatchKind::Type, &value)),
            },
            Value::Context(entries) => match money_of(entries) {
                Some(money) => money,
                None => return Err(self.mismatch(MismatchKind::Type, &value)),
            },
            // A bare number names no currency, so it may be in any.
            Value::Number(_) => return Err(self.mismatch(MismatchKind::Currency, &value)),
            _ => return Err(self.mismatch(MismatchKind::Type, &value)),
        };
        if wanted.is_some_and(|wanted| wanted != currency) {
            return Err(self.mismatch(MismatchKind::Currency, &value));
        }
        Ok(Value::Money { amount, currency })
    }

    fn coerce_quantity(&self, wanted: &str, value: Value) -> Result<Value, Mismatch> {
        match self.measured(&value) {
            Some((amount, unit)) if unit == wanted => Ok(Value::Quantity { amount, unit }),
            Some(_) => Err(self.mismatch(MismatchKind::Unit, &value)),
            None if matches!(value, Value::Number(_)) => {
                Err(self.mismatch(MismatchKind::Unit, &value))
            }
            None => Err(self.mismatch(MismatchKind::Type, &value)),
        }
    }

    /// A number with a declared unit takes bare numbers, and amounts in that unit.
    fn coerce_counted(&self, wanted: &str, value: Value) -> Result<Value, Mismatch> {
        if let Value::String(text) = &value
            && let Ok(number) = text.parse::<Number>()
        {
            return Ok(Value::Number(number));
        }
        match self.measured(&value) {
            Some((amount, unit)) if unit == wanted => Ok(Value::Number(amount)),
            Some(_) => Err(self.mismatch(MismatchKind::Unit, &value)),
            None => Err(self.mismatch(MismatchKind::Type, &value)),
        }
    }

    fn measured(&self, value: &Value) -> Option<(Number, String)> {
        match value {
            Value::Quantity { amount, unit } => Some((*amount, unit.clone())),
            Value::String(text) => {
                split_amount(text).map(|(amount, unit)| (amount, unit.to_owned()))
            }
            _ => None,
        }
    }

    fn mismatch(&self, kind: MismatchKind, found: &Value) -> Mismatch {
        let shown: String = found.to_string().chars().take(80).collect();
        let message = format!("found {} `{shown}`, expected {self}", found.kind());
        Mismatch { kind, message }
    }
}

/// The texts under `values`; none where there are too many.
pub(crate) fn take_values(fields: &mut Fields<'_>, problems: &mut Vec<Diagnostic>) -> Vec<String> {
    let node = fields.node();
    let values = fields.texts("values", problems);
    if values.len() > limits::VALUES {
        let (count, most) = (values.len(), limits::VALUES);
        problems.push(node.problem(format!("found {count} values, at most {most} are allowed")));
        return Vec::new();
    }
    values
}

/// A context whose declared names have values of their types: null where one is left out.
/// Names that aren't declared stay as they are.
fn coerce_fields(fields: &BTreeMap<String, Type>, value: Value) -> Result<Value, Mismatch> {
    let Value::Context(mut entries) = value else {
        return Ok(value);
    };
    for (name, ty) in fields {
        let entry = entries.remove(name).unwrap_or(Value::Null);
        let entry = ty.coerce(entry).map_err(|mismatch| Mismatch {
            message: format!("{name}: {}", mismatch.message),
            ..mismatch
        })?;
        entries.insert(name.clone(), entry);
    }
    Ok(Value::Context(entries))
}

fn take_currency(
    fields: &mut Fields<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Option<String>> {
    let Some(node) = fields.take("currency") else {
        return Some(None);
    };
    let code = node.text(problems, "a currency")?;
    if !is_currency(code) {
        problems.push(node.problem(format!("`{code}` is no ISO 4217 code such as `EUR`")));
        return None;
    }
    Some(Some(code.to_owned()))
}

/// The types that need nothing but their name.
fn named(name: &str) -> Option<Type> {
    Some(match name {
        "any" => Type::Any,
        "boolean" => Type::Boolean,
        "string" => Type::string(),
        "number" => Type::number(),
        "money" => Type::Money { currency: None },
        "date" => Type::Date,
        "date and time" => Type::DateTime,
        "any date and time" => Type::AnyDateTime,
        "time" => Type::Time,
        "days and time duration" => Type::DaysDuration,
        "years and months duration" => Type::MonthsDuration,
        "context" => Type::Context,
        _ => return None,
    })
}

/// Whether a name is that of a type which needs no definition.
pub(crate) fn is_built_in(name: &str) -> bool {
    named(name).is_some() || matches!(name, "quantity" | "list")
}

/// Three capital letters; which codes are in use is master data's business.
fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase())
}

/// `18450.00 EUR` as amount and what follows it.
fn split_amount(text: &str) -> Option<(Number, &str)> {
    let (amount, unit) = text.split_once(' ')?;
    let unit_ok = !unit.is_empty() && unit.len() <= 16 && !unit.contains(char::is_whitespace);
    Some((amount.parse().ok()?, unit)).filter(|_| unit_ok)
}

/// `{"amount": "18450.00", "currency": "EUR"}` as money.
fn money_of(entries: &std::collections::BTreeMap<String, Value>) -> Option<(Number, String)> {
    let amount = match entries.get("amount")? {
        Value::Number(number) => *number,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    let currency = entries.get("currency")?.as_str()?;
    (entries.len() == 2 && is_currency(currency)).then(|| (amount, currency.to_owned()))
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Boolean => f.write_str("boolean"),
            Self::String { values } if values.is_empty() => f.write_str("string"),
            Self::String { values } => write!(f, "string of {}", values.join(", ")),
            Self::Number { unit: None } => f.write_str("number"),
            Self::Number { unit: Some(unit) } => write!(f, "number in {unit}"),
            Self::Money { currency: None } => f.write_str("money"),
            Self::Money {
                currency: Some(code),
            } => write!(f, "money in {code}"),
            Self::Quantity { unit } => write!(f, "quantity in {unit}"),
            Self::Date => f.write_str("date"),
            Self::DateTime => f.write_str("date and time"),
            Self::AnyDateTime => f.write_str("any date and time"),
            Self::Time => f.write_str("time"),
            Self::DaysDuration => f.write_str("days and time duration"),
            Self::MonthsDuration => f.write_str("years and months duration"),
            Self::List(of) => write!(f, "list of {of}"),
            Self::Context => f.write_str("context"),
            Self::Structure(fields) => {
                f.write_str("context of ")?;
                for (index, (name, ty)) in fields.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    write!(f, "{comma}{name}: {ty}")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn eur() -> Type {
        Type::Money {
            currency: Some("EUR".into()),
        }
    }

    fn kind(ty: &Type, value: Value) -> MismatchKind {
        ty.coerce(value).unwrap_err().kind
    }

    #[test]
    fn money_keeps_its_currency() {
        let money = eur().coerce("18450.00 EUR".into()).unwrap();
        assert_eq!(money.to_string(), "18450.00 EUR");
        assert_eq!(kind(&eur(), "18450.00 USD".into()), MismatchKind::Currency);
        assert_eq!(
            kind(&eur(), Value::Number(Number::ONE)),
            MismatchKind::Currency
        );
        assert_eq!(kind(&eur(), "much".into()), MismatchKind::Type);
        assert_eq!(kind(&eur(), true.into()), MismatchKind::Type);
    }

    #[test]
    fn a_declared_unit_takes_bare_numbers_and_its_own_amounts() {
        let days = Type::Number {
            unit: Some("d".into()),
        };
        let twelve = Value::Number(Number::from(12));
        assert_eq!(days.coerce(twelve.clone()).unwrap(), twelve);
        assert_eq!(days.coerce("12 d".into()).unwrap(), twelve);
        assert_eq!(days.coerce("12".into()).unwrap(), twelve);
        assert_eq!(kind(&days, "12 h".into()), MismatchKind::Unit);
        let weight = Type::Quantity { unit: "KGM".into() };
        assert_eq!(
            weight.coerce("2.5 KGM".into()).unwrap().to_string(),
            "2.5 KGM"
        );
        assert_eq!(kind(&weight, twelve), MismatchKind::Unit);
    }

    #[test]
    fn texts_become_dates_and_allowed_values_hold() {
        assert!(matches!(
            Type::Date.coerce("2026-11-24".into()),
            Ok(Value::Date(_))
        ));
        assert_eq!(kind(&Type::Date, "24.11.2026".into()), MismatchKind::Type);
        let abc = Type::String {
            values: vec!["A".into()],
        };
        assert_eq!(kind(&abc, "D".into()), MismatchKind::AllowedValues);
        assert_eq!(abc.coerce(Value::Null).unwrap(), Value::Null);
    }
}
