//! The constants of a column in order, and where a value stands among them.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

use chrono::{DateTime, Datelike, FixedOffset, NaiveTime, TimeDelta, Timelike};

use crate::{
    number::{Number, POWERS},
    types::Type,
    value::Value,
};

/// A class of values that a column doesn't tell apart: with bounds `b0 < b1 < …`, class
/// `2i + 1` is the bound `bi` itself, class `2i` what lies between `bi` and its
/// predecessor. Null is a class of its own behind them.
pub(super) type Class = u32;

/// What a column orders or compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'t> {
    Boolean,
    Text,
    /// A bare number, or the amount of money or of a quantity in one measure.
    Amount(Measure<'t>),
    Date,
    /// Moments, whichever clock they are told by.
    Instant,
    /// Dates and times by the clock of a place that isn't said.
    LocalDateTime,
    /// Times of day by a clock that isn't said.
    LocalTime,
    /// Times of day by their distance from midnight in UTC.
    OffsetTime,
    Days,
    Months,
}

/// Most kinds of constants in one column that are told apart.
const KINDS: usize = 16;

/// A kind of its own text, to be kept.
#[derive(Debug, Clone)]
pub(super) enum KeptKind {
    /// The kind that a type has.
    Of(Type),
    /// One that no type stands for.
    Clock(Kind<'static>),
}

impl KeptKind {
    #[inline]
    pub(super) fn get(&self) -> Option<Kind<'_>> {
        match self {
            Self::Of(ty) => Kind::of(ty),
            Self::Clock(kind) => Some(*kind),
        }
    }
}

/// What an amount is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure<'t> {
    /// Bare numbers.
    Nothing,
    /// Money in a currency; `None`: any, compared by amount alone.
    Currency(Option<&'t str>),
    Unit(&'t str),
}

/// A value as its column compares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key<'v> {
    Whole(i128),
    Number(Number),
    Text(&'v str),
}

impl<'t> Kind<'t> {
    /// How values of a type compare; `None` where their order isn't total.
    #[inline]
    pub(super) fn of(ty: &'t Type) -> Option<Self> {
        Some(match ty {
            Type::Boolean => Self::Boolean,
            Type::String { .. } => Self::Text,
            Type::Number { .. } => Self::Amount(Measure::Nothing),
            Type::Money { currency } => Self::Amount(Measure::Currency(currency.as_deref())),
            Type::Quantity { unit } => Self::Amount(Measure::Unit(unit)),
            Type::Date => Self::Date,
            Type::DateTime => Self::Instant,
            Type::DaysDuration => Self::Days,
            Type::MonthsDuration => Self::Months,
            _ => return None,
        })
    }

    /// How the values of a column compare, if its type doesn't say, by what most of its
    /// constants are. Values of another kind aren't looked up.
    pub(super) fn most(ty: &Type, constants: impl Iterator<Item = &'t Value>) -> Option<Self> {
        if !matches!(ty, Type::Any | Type::Time | Type::AnyDateTime) {
            return None;
        }
        let mut counts: Vec<(Self, usize)> = Vec::new();
        for kind in constants.filter_map(Self::of_constant) {
            match counts.iter().position(|(known, _)| *known == kind) {
                Some(at) => counts[at].1 += 1,
                None if counts.len() < KINDS => counts.push((kind, 1)),
                None => {}
            }
        }
        // Of equals the first, so that the same table has the same index.
        let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
        most.map(|(kind, _)| kind)
    }

    fn of_constant(value: &'t Value) -> Option<Self> {
        Some(match value {
            Value::Boolean(_) => Self::Boolean,
            Value::String(_) => Self::Text,
            Value::Number(_) => Self::Amount(Measure::Nothing),
            Value::Money { currency, .. } => Self::Amount(Measure::Currency(Some(currency))),
            Value::Quantity { unit, .. } => Self::Amount(Measure::Unit(unit)),
            Value::Date(_) => Self::Date,
            Value::DateTime(_) => Self::Instant,
            Value::LocalDateTime(local) if local.region.is_none() => Self::LocalDateTime,
            Value::LocalDateTime(_) => Self::Instant,
            Value::Time(time) if time.zone.is_none() => Self::LocalTime,
            Value::Time(time) => time.offset().map(|_| Self::OffsetTime)?,
            Value::DaysDuration(_) => Self::Days,
            Value::MonthsDuration(_) => Self::Months,
            Value::Null | Value::List(_) | Value::Context(_) => return None,
        })
    }

    /// The same kind, to be kept.
    pub(super) fn kept(self) -> KeptKind {
        let text = |text: &str| text.to_owned();
        KeptKind::Of(match self {
            Self::Boolean => Type::Boolean,
            Self::Text => Type::string(),
            Self::Amount(Measure::Nothing) => Type::number(),
            Self::Amount(Measure::Currency(currency)) => Type::Money {
                currency: currency.map(text),
            },
            Self::Amount(Measure::Unit(unit)) => Type::Quantity { unit: text(unit) },
            Self::Date => Type::Date,
            Self::Days => Type::DaysDuration,
            Self::Months => Type::MonthsDuration,
            Self::Instant => return KeptKind::Clock(Kind::Instant),
            Self::LocalDateTime => return KeptKind::Clock(Kind::LocalDateTime),
            Self::LocalTime => return KeptKind::Clock(Kind::LocalTime),
            Self::OffsetTime => return KeptKind::Clock(Kind::OffsetTime),
        })
    }

    /// The key of a value that isn't null; `None` where it isn't of this kind.
    #[inline]
    pub(super) fn key<'v>(self, value: &'v Value) -> Option<Key<'v>> {
        Some(match (self, value) {
            (Self::Boolean, Value::Boolean(value)) => Key::Whole((*value).into()),
            (Self::Text, Value::String(text)) => Key::Text(text),
            (Self::Amount(Measure::Nothing), Value::Number(number)) => Key::Number(*number),
            (Self::Amount(Measure::Currency(wanted)), Value::Money { amount, currency })
                if wanted.is_none_or(|wanted| wanted == currency) =>
            {
                Key::Number(*amount)
            }
            (Self::Amount(Measure::Unit(wanted)), Value::Quantity { amount, unit })
                if wanted == unit =>
            {
                Key::Number(*amount)
            }
            (Self::Date, Value::Date(day)) => Key::Whole(day.num_days_from_ce().into()),
            (Self::Instant, Value::DateTime(instant)) => Key::Whole(instant_key(instant)),
            (Self::Instant, Value::LocalDateTime(local)) => {
                Key::Whole(instant_key(&local.instant()?))
            }
            (Self::LocalDateTime, Value::LocalDateTime(local)) if local.region.is_none() => {
                let day = i128::from(local.at.num_days_from_ce()) << 48;
                Key::Whole(day + clock_key(local.at.time()))
            }
            (Self::LocalTime, Value::Time(time)) if time.zone.is_none() => {
                Key::Whole(clock_key(time.clock))
            }
            (Self::OffsetTime, Value::Time(time)) => Key::Whole(days_key(time.in_utc()?)),
            (Self::Days, Value::DaysDuration(span)) => Key::Whole(days_key(span.0)),
            (Self::Months, Value::MonthsDuration(months)) => Key::Whole(months.0.into()),
            _ => return None,
        })
    }

    /// The key of a constant that every value of the kind compares with.
    pub(super) fn constant<'v>(self, value: &'v Value) -> Option<Key<'v>> {
        match (self, value) {
            // An amount of money in a certain currency has no order to others.
            (Self::Amount(Measure::Currency(None)), Value::Money { .. }) => None,
            // A bare number stands for an amount in whatever measure the column has.
            (Self::Amount(_), Value::Number(number)) => Some(Key::Number(*number)),
            _ => self.key(value),
        }
    }
}

/// Instants in order. A leap second's fraction goes beyond a second, but not into the next.
fn instant_key(instant: &DateTime<FixedOffset>) -> i128 {
    let seconds = i128::from(instant.timestamp());
    (seconds << 31) + i128::from(instant.timestamp_subsec_nanos())
}

/// Times of a clock in order, with leap seconds as [`instant_key`] has them.
fn clock_key(time: NaiveTime) -> i128 {
    (i128::from(time.num_seconds_from_midnight()) << 31) + i128::from(time.nanosecond())
}

fn days_key(span: TimeDelta) -> i128 {
    i128::from(span.num_seconds()) * 1_000_000_000 + i128::from(span.subsec_nanos())
}

/// The constants of a column.
#[derive(Debug)]
pub(super) enum Bounds {
    /// Whole numbers; amounts times ten to the power of `-exponent`.
    Small {
        keys: Vec<i64>,
        exponent: i32,
    },
    Wide {
        keys: Vec<i128>,
        exponent: i32,
    },
    /// Amounts too far apart for one exponent.
    Numbers(Vec<Number>),
    /// Texts that are compared for order too.
    Texts(Vec<Box<str>>),
    /// Texts that are compared for equality only.
    Names(HashMap<Box<str>, u32, foldhash::fast::RandomState>),
}

/// An amount in units of ten to the power of a column's exponent.
enum Scaled {
    Exactly(i128),
    /// Between this unit and the next.
    Above(i128),
    /// Beyond every unit that fits.
    Beyond(Ordering),
}

/// Whether lowering a column's exponent further leaves room in an `i64`.
const ROOMY: u64 = 1_000_000_000_000_000;

impl Bounds {
    /// Sorts and deduplicates constants of one kind.
    pub(super) fn new(kind: Kind<'_>, constants: &[Key<'_>], ordered: bool) -> Self {
        let whole = |key: &Key<'_>| match key {
            Key::Whole(whole) => Some(*whole),
            _ => None,
        };
        match kind {
            Kind::Text => Self::texts(constants, ordered),
            Kind::Amount(_) => Self::numbers(constants),
            _ => Self::whole(constants.iter().filter_map(whole).collect(), 0),
        }
    }

    fn texts(constants: &[Key<'_>], ordered: bool) -> Self {
        let mut seen: HashSet<&str, foldhash::fast::RandomState> = HashSet::default();
        for key in constants {
            if let Key::Text(text) = key {
                seen.insert(text);
            }
        }
        let mut texts: Vec<Box<str>> = seen.into_iter().map(Box::from).collect();
        texts.sort_unstable();
        if ordered {
            Self::Texts(texts)
        } else {
            Self::Names(texts.into_iter().zip(0..).collect())
        }
    }

    fn numbers(constants: &[Key<'_>]) -> Self {
        let number = |key: &Key<'_>| match key {
            Key::Number(number) => Some(number.normalized()),
            _ => None,
        };
        let mut numbers: Vec<Number> = constants.iter().filter_map(number).collect();
        let least = numbers.iter().map(|number| number.exponent()).min();
        let mut exponent = least.unwrap_or(0).min(0);
        let scaled = |exponent: i32| {
            let exactly = |number: &Number| match scale(*number, exponent) {
                Scaled::Exactly(units) => Some(units),
                _ => None,
            };
            numbers.iter().map(exactly).collect::<Option<Vec<i128>>>()
        };
        let Some(units) = scaled(exponent) else {
            numbers.sort_unstable();
            numbers.dedup();
            return Self::Numbers(numbers);
        };
        // Facts have more decimals than the constants they are compared with: multiplying
        // is cheaper than dividing.
        let mut largest = units
            .iter()
            .map(|units| units.unsigned_abs())
            .max()
            .unwrap_or(0);
        while exponent > -4 && largest < u128::from(ROOMY) {
            (exponent, largest) = (exponent - 1, largest * 10);
        }
        Self::whole(scaled(exponent).unwrap_or(units), exponent)
    }

    fn whole(mut keys: Vec<i128>, exponent: i32) -> Self {
        keys.sort_unstable();
        keys.dedup();
        let small: Result<Vec<i64>, _> = keys.iter().map(|&key| i64::try_from(key)).collect();
        match small {
            Ok(keys) => Self::Small { keys, exponent },
            Err(_) => Self::Wide { keys, exponent },
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Small { keys, .. } => keys.len(),
            Self::Wide { keys, .. } => keys.len(),
            Self::Numbers(keys) => keys.len(),
            Self::Texts(keys) => keys.len(),
            Self::Names(names) => names.len(),
        }
    }

    /// The class of null, the last there is.
    #[inline]
    pub(super) fn null(&self) -> Class {
        // A table's text has at most some ten million constants.
        Class::try_from(self.len() * 2 + 1).unwrap_or(Class::MAX)
    }

    /// Where a value stands. Texts that no cell names all stand in the same class where
    /// they are compared for equality only.
    pub(super) fn class(&self, key: Key<'_>) -> Class {
        match key {
            Key::Whole(whole) => self.class_of_whole(whole),
            Key::Number(number) => self.class_of_number(number),
            Key::Text(text) => self.class_of_text(text),
        }
    }

    #[inline]
    pub(super) fn class_of_text(&self, text: &str) -> Class {
        match self {
            Self::Names(names) => match names.get(text) {
                Some(&index) => index * 2 + 1,
                None => 0,
            },
            Self::Texts(texts) => among(texts, |other| (**other).cmp(text)),
            // `Kind` gives bounds the keys of one kind only.
            _ => 0,
        }
    }

    #[inline]
    pub(super) fn class_of_number(&self, number: Number) -> Class {
        match self {
            Self::Small { keys, exponent } => match scale_small(number, *exponent) {
                Some(units) => among(keys, |key| key.cmp(&units)),
                None => small(keys, &scale(number, *exponent)),
            },
            Self::Wide { keys, exponent } => wide(keys, &scale(number, *exponent)),
            Self::Numbers(numbers) => among(numbers, |other| other.cmp(&number)),
            _ => 0,
        }
    }

    #[inline]
    pub(super) fn class_of_whole(&self, whole: i128) -> Class {
        match self {
            Self::Small { keys, .. } => small(keys, &Scaled::Exactly(whole)),
            Self::Wide { keys, .. } => wide(keys, &Scaled::Exactly(whole)),
            _ => 0,
        }
    }
}

/// The class of what `compare` orders the bounds against.
#[inline]
fn among<T>(bounds: &[T], compare: impl Fn(&T) -> Ordering) -> Class {
    let below = bounds.partition_point(|bound| compare(bound).is_lt());
    let equal = bounds
        .get(below)
        .is_some_and(|bound| compare(bound).is_eq());
    (below * 2 + usize::from(equal)) as Class
}

fn small(keys: &[i64], units: &Scaled) -> Class {
    match units {
        Scaled::Exactly(units) => match i64::try_from(*units) {
            Ok(units) => among(keys, |key| key.cmp(&units)),
            Err(_) => beyond(keys.len(), units.cmp(&0)),
        },
        Scaled::Above(units) => match i64::try_from(*units) {
            Ok(units) => (keys.partition_point(|key| *key <= units) * 2) as Class,
            Err(_) => beyond(keys.len(), units.cmp(&0)),
        },
        Scaled::Beyond(side) => beyond(keys.len(), *side),
    }
}

fn wide(keys: &[i128], units: &Scaled) -> Class {
    match units {
        Scaled::Exactly(units) => among(keys, |key| key.cmp(units)),
        Scaled::Above(units) => (keys.partition_point(|key| key <= units) * 2) as Class,
        Scaled::Beyond(side) => beyond(keys.len(), *side),
    }
}

fn beyond(bounds: usize, side: Ordering) -> Class {
    if side.is_lt() {
        0
    } else {
        (bounds * 2) as Class
    }
}

/// An amount in units, where it is a whole number of them in machine arithmetic.
#[inline]
fn scale_small(number: Number, exponent: i32) -> Option<i64> {
    let by = usize::try_from(number.exponent() - exponent).ok()?;
    let power = i64::try_from(*POWERS.get(by)?).ok()?;
    i64::try_from(number.coefficient()).ok()?.checked_mul(power)
}

fn scale(number: Number, exponent: i32) -> Scaled {
    let coefficient = number.coefficient();
    let by = number.exponent() - exponent;
    let power = POWERS.get(by.unsigned_abs() as usize);
    match power {
        _ if coefficient == 0 => Scaled::Exactly(0),
        Some(power) if by >= 0 => match coefficient.checked_mul(*power) {
            Some(units) => Scaled::Exactly(units),
            None => Scaled::Beyond(coefficient.cmp(&0)),
        },
        None if by >= 0 => Scaled::Beyond(coefficient.cmp(&0)),
        Some(power) => {
            let whole = coefficient.div_euclid(*power);
            if coefficient % power == 0 {
                Scaled::Exactly(whole)
            } else {
                Scaled::Above(whole)
            }
        }
        // Less than one unit away from zero.
        None if coefficient > 0 => Scaled::Above(0),
        None => Scaled::Above(-1),
    }
}
