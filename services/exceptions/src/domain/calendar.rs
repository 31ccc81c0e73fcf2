//! Business hours: when a unit works, and when a business duration has passed.
//!
//! A shift stands between two wall-clock times of the unit's time zone and may cross
//! midnight; it belongs to the local date it begins on, and a holiday takes out the
//! shifts that begin on it. Between its two ends a shift counts elapsed time, so a night
//! shift is an hour shorter or longer when the clocks change. A wall-clock time that
//! comes twice means its first coming; one that is skipped, the instant after the gap.

use std::{collections::BTreeSet, fmt};

use chrono::{
    DateTime, Datelike as _, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta,
    TimeZone as _, Utc, Weekday,
};
use chrono_tz::Tz;

/// At most this many days are searched for business time.
pub const HORIZON_DAYS: u32 = 3_660;

/// A unit's business hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    zone: Tz,
    /// Shifts by weekday, Monday first, in the order they begin.
    shifts: [Vec<Shift>; 7],
    holidays: BTreeSet<NaiveDate>,
}

/// Work between two wall-clock times; an end at or before the start is the next day's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shift {
    start: NaiveTime,
    end: NaiveTime,
}

/// What is wrong with a calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such zone.
    #[error("no time zone {0:?} in the IANA database, expected one such as Europe/Zurich")]
    Zone(String),
    /// Not a shift.
    #[error("shift {0:?} is not two times such as 08:00-17:00 or 22:00-06:00")]
    Shift(String),
    /// Two shifts of a week overlap.
    #[error("shift {later} on {day} begins before {earlier} has ended")]
    Overlap {
        /// The weekday of the later one.
        day: Weekday,
        /// The one that begins first.
        earlier: Shift,
        /// The one that overlaps it.
        later: Shift,
    },
    /// No shift at all.
    #[error("calendar has no shift, so nothing would ever be due")]
    Empty,
}

impl Shift {
    /// Reads `08:00-17:00`; `22:00-06:00` crosses midnight, `00:00-24:00` is a whole day.
    ///
    /// # Errors
    /// If it is neither.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let fault = || Error::Shift(text.to_owned());
        let (start, end) = text.split_once('-').ok_or_else(fault)?;
        let time = |part: &str| {
            let part = part.trim();
            let exact = part.len() == 5;
            NaiveTime::parse_from_str(part, "%H:%M")
                .ok()
                .filter(|_| exact)
        };
        let start = time(start).ok_or_else(fault)?;
        let end = if end.trim() == "24:00" {
            NaiveTime::MIN
        } else {
            time(end).ok_or_else(fault)?
        };
        // Two equal times could mean a day or nothing; only midnight to midnight is clear.
        if start == end && start != NaiveTime::MIN {
            return Err(fault());
        }
        Ok(Self { start, end })
    }

    /// Minutes of the week at which it begins and ends; the end may lie in the next week.
    fn minutes(self, weekday: usize) -> (i64, i64) {
        let minute = |time: NaiveTime| (time - NaiveTime::MIN).num_minutes();
        let day = i64::try_from(weekday).unwrap_or(0) * 1_440;
        let overnight = if self.end <= self.start { 1_440 } else { 0 };
        (day + minute(self.start), day + minute(self.end) + overnight)
    }
}

impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}-{}",
            self.start.format("%H:%M"),
            self.end.format("%H:%M")
        )
    }
}

impl Calendar {
    /// A calendar from its parts; `shifts` by weekday, Monday first.
    ///
    /// # Errors
    /// If the zone is unknown, there is no shift, or shifts overlap.
    pub fn new(
        zone: &str,
        mut shifts: [Vec<Shift>; 7],
        holidays: BTreeSet<NaiveDate>,
    ) -> Result<Self, Error> {
        let zone = zone
            .parse::<Tz>()
            .map_err(|_| Error::Zone(zone.to_owned()))?;
        for day in &mut shifts {
            day.sort();
        }
        check_overlap(&shifts)?;
        Ok(Self {
            zone,
            shifts,
            holidays,
        })
    }

    /// The instant at which `duration` of business time has passed since `start`: for
    /// zero, `start` itself. `None` where there is too little of it within
    /// [`HORIZON_DAYS`].
    #[must_use]
    pub fn after(&self, start: DateTime<Utc>, duration: TimeDelta) -> Option<DateTime<Utc>> {
        let mut left = duration;
        if left <= TimeDelta::zero() {
            return Some(start);
        }
        // A shift that began the day before may still run.
        let mut date = self
            .zone
            .from_utc_datetime(&start.naive_utc())
            .date_naive()
            .checked_sub_days(Days::new(1))?;
        for _ in 0..HORIZON_DAYS {
            for (from, to) in self.spans(date) {
                let from = from.max(start);
                let span = to - from;
                if span >= left {
                    return Some(from + left);
                }
                left -= span.max(TimeDelta::zero());
            }
            date = date.checked_add_days(Days::new(1))?;
        }
        None
    }

    /// The instants between which work is done, of the shifts that begin on a local date.
    fn spans(&self, date: NaiveDate) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
        let weekday = date.weekday().num_days_from_monday() as usize;
        let shifts: &[Shift] = if self.holidays.contains(&date) {
            &[]
        } else {
            &self.shifts[weekday]
        };
        shifts.iter().filter_map(move |shift| {
            let end_date = if shift.end <= shift.start {
                date.checked_add_days(Days::new(1))?
            } else {
                date
            };
            let from = self.instant(date.and_time(shift.start))?;
            let to = self.instant(end_date.and_time(shift.end))?;
            (from < to).then_some((from, to))
        })
    }

    fn instant(&self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self.zone.from_local_datetime(&local) {
            MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => {
                Some(instant.to_utc())
            }
            MappedLocalTime::None => self.after_gap(local),
        }
    }

    /// The first instant after the gap that swallows this wall-clock time.
    fn after_gap(&self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        // Zones jump by at most a day (those that crossed the date line), at whole minutes.
        let later = (1..=1_500).find_map(|minutes| {
            let probe = local.checked_add_signed(TimeDelta::minutes(minutes))?;
            self.zone.from_local_datetime(&probe).earliest()
        })?;
        // What was found may lie past the gap's end by the seconds of `local`.
        let seconds = TimeDelta::seconds(i64::from(chrono::Timelike::second(&local)));
        Some((later - seconds).to_utc())
    }
}

fn check_overlap(shifts: &[Vec<Shift>; 7]) -> Result<(), Error> {
    let days = [
        Weekday::Mon,
        Weekday::Tue,
        Weekday::Wed,
        Weekday::Thu,
        Weekday::Fri,
        Weekday::Sat,
        Weekday::Sun,
    ];
    let week = days
        .into_iter()
        .enumerate()
        .flat_map(|(index, day)| shifts[index].iter().map(move |&shift| (index, day, shift)))
        .collect::<Vec<_>>();
    let Some(&(first_index, first_day, first)) = week.first() else {
        return Err(Error::Empty);
    };
    // The last shift of a week may reach into the first of the next.
    let again = (first_index + 7, first_day, first);
    let nexts = week.iter().skip(1).chain(std::iter::once(&again));
    for (&(index, _, earlier), &(next_index, day, later)) in week.iter().zip(nexts) {
        if earlier.minutes(index).1 > later.minutes(next_index).0 {
            return Err(Error::Overlap {
                day,
                earlier,
                later,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
