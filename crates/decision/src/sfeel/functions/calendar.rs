//! Functions on days (DMN 1.5, 10.3.4.8).

use chrono::{Datelike as _, NaiveDate};

use super::given::{self, need};
use crate::{
    number::Number,
    sfeel::eval::{Outcome, Work},
    temporal::MonthsDuration,
    value::Value,
};

const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The day of a date or date and time.
fn day(arguments: &[Value], place: usize) -> given::Argument<NaiveDate> {
    match given::one(arguments, place) {
        Value::Null => Ok(None),
        Value::Date(day) => Ok(Some(*day)),
        Value::DateTime(instant) => Ok(Some(instant.date_naive())),
        Value::LocalDateTime(local) => Ok(Some(local.at.date())),
        other => Err(format!(
            "argument {} is a {}, expected a date",
            place + 1,
            other.kind()
        )),
    }
}

pub(super) fn day_of_week(arguments: &[Value], _: &Work) -> Outcome {
    let day = need!(day(arguments, 0));
    let place = day.weekday().num_days_from_monday() as usize;
    Ok(WEEKDAYS[place].into())
}

pub(super) fn month_of_year(arguments: &[Value], _: &Work) -> Outcome {
    let day = need!(day(arguments, 0));
    Ok(MONTHS[day.month0() as usize].into())
}

pub(super) fn day_of_year(arguments: &[Value], _: &Work) -> Outcome {
    let day = need!(day(arguments, 0));
    Ok(Value::Number(Number::from(day.ordinal())))
}

/// The week by ISO 8601.
pub(super) fn week_of_year(arguments: &[Value], _: &Work) -> Outcome {
    let day = need!(day(arguments, 0));
    Ok(Value::Number(Number::from(day.iso_week().week())))
}

/// The whole months from one day to another.
pub(super) fn months_between(arguments: &[Value], _: &Work) -> Outcome {
    let from = need!(day(arguments, 0));
    let to = need!(day(arguments, 1));
    let count = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month0());
    let months = count(to) - count(from);
    // A month that isn't over yet doesn't count.
    let partial = match months.signum() {
        1 => i64::from(to.day() < from.day()),
        -1 => -i64::from(to.day() > from.day()),
        _ => 0,
    };
    Ok(Value::MonthsDuration(MonthsDuration(months - partial)))
}
