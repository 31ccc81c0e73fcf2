//! Times of day, and dates and times by the clock of a place.

use std::{cmp::Ordering, fmt};

use chrono::{
    DateTime, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta,
    TimeZone,
};
use chrono_tz::Tz;

use super::parse_date;

/// Where the clock of a time of day stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Zone {
    /// So far from UTC.
    Offset(FixedOffset),
    /// In a region of the IANA time zone database, whose offset the date decides.
    Region(Tz),
}

/// A time of day, such as `09:14:03`, `09:14:03+01:00` or `09:14:03@Europe/Paris`.
///
/// Times without a zone are ordered among themselves, those with an offset by the moment of
/// one day in UTC, those of one region among themselves; others have no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Time {
    /// What the clock shows.
    pub clock: NaiveTime,
    /// Where it stands, if that is said.
    pub zone: Option<Zone>,
}

/// A date and time by the clock of a place: of a region, or of one that isn't said.
///
/// Without a region it is no instant, and has no order with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LocalDateTime {
    /// What the calendar and the clock show.
    pub at: NaiveDateTime,
    /// The region of the IANA time zone database, if one is said.
    pub region: Option<Tz>,
}

impl Time {
    /// FEEL's order; `None` where two times have none.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self.zone, other.zone) {
            (None, None) => Some(self.clock.cmp(&other.clock)),
            (Some(Zone::Region(a)), Some(Zone::Region(b))) if a == b => {
                Some(self.clock.cmp(&other.clock))
            }
            _ => Some(self.in_utc()?.cmp(&other.in_utc()?)),
        }
    }

    /// The time from another to this, where the two have an order.
    #[must_use]
    pub fn since(&self, other: &Self) -> Option<TimeDelta> {
        self.compare(other)?;
        match (self.in_utc(), other.in_utc()) {
            (Some(a), Some(b)) => a.checked_sub(&b),
            _ => Some(self.clock.signed_duration_since(other.clock)),
        }
    }

    /// The offset from UTC, where it is known without a date.
    #[must_use]
    pub fn offset(&self) -> Option<FixedOffset> {
        match self.zone? {
            Zone::Offset(offset) => Some(offset),
            Zone::Region(Tz::UTC) => FixedOffset::east_opt(0),
            Zone::Region(_) => None,
        }
    }

    /// Since midnight in UTC; before it, or beyond a day, for a clock elsewhere.
    pub(crate) fn in_utc(&self) -> Option<TimeDelta> {
        let since_midnight = self.clock.signed_duration_since(NaiveTime::MIN);
        let ahead = i64::from(self.offset()?.local_minus_utc());
        since_midnight.checked_sub(&TimeDelta::try_seconds(ahead)?)
    }

    /// This time on a day: an instant, where the zone makes it one.
    #[must_use]
    pub fn on(&self, day: NaiveDate) -> Moment {
        let at = day.and_time(self.clock);
        match self.zone {
            None => Moment::Local(LocalDateTime { at, region: None }),
            Some(Zone::Region(region)) => Moment::Local(LocalDateTime {
                at,
                region: Some(region),
            }),
            Some(Zone::Offset(offset)) => match at.and_local_timezone(offset).single() {
                Some(instant) => Moment::Instant(instant),
                None => Moment::Local(LocalDateTime { at, region: None }),
            },
        }
    }
}

/// A date and time of either kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// With an offset.
    Instant(DateTime<FixedOffset>),
    /// By the clock of a place.
    Local(LocalDateTime),
}

impl LocalDateTime {
    /// FEEL's order; `None` where two date-times have none.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self.region, other.region) {
            (None, None) => Some(self.at.cmp(&other.at)),
            _ => Some(self.instant()?.cmp(&other.instant()?)),
        }
    }

    /// The instant, where a region says which. A time that the clock shows twice is the
    /// earlier one, and one that it skips is counted on from before the gap.
    #[must_use]
    pub fn instant(&self) -> Option<DateTime<FixedOffset>> {
        let region = self.region?;
        let offset = match region.offset_from_local_datetime(&self.at) {
            MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => offset.fix(),
            MappedLocalTime::None => {
                let before = self.at.checked_sub_signed(TimeDelta::try_days(1)?)?;
                region.offset_from_local_datetime(&before).earliest()?.fix()
            }
        };
        let utc = self.at.checked_sub_offset(offset)?;
        // In the region's own offset at that instant, which after a gap is another one.
        Some(
            utc.and_utc()
                .with_timezone(&region.offset_from_utc_datetime(&utc).fix()),
        )
    }
}

/// Reads a time of day: `HH:MM:SS` with an optional fraction, and an optional zone.
#[must_use]
pub fn parse_time(text: &str) -> Option<Time> {
    let (clock, zone) = split_zone(text)?;
    Some(Time {
        clock: parse_clock(clock)?,
        zone,
    })
}

/// Reads a date and time of either kind: `2026-11-24T09:14:03`, with an optional fraction
/// and an optional zone.
#[must_use]
pub fn parse_moment(text: &str) -> Option<Moment> {
    // With an offset it is RFC 3339, which has leap seconds too.
    if let Some(instant) = super::parse_date_time(text) {
        return Some(Moment::Instant(instant));
    }
    let (day, time) = text.split_once('T')?;
    Some(parse_time(time)?.on(parse_date(day)?))
}

/// A clock's text and its zone.
fn split_zone(text: &str) -> Option<(&str, Option<Zone>)> {
    if text.len() > 64 || !text.is_ascii() {
        return None;
    }
    if let Some((clock, region)) = text.split_once('@') {
        return Some((clock, Some(Zone::Region(region.parse().ok()?))));
    }
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, Some(Zone::Offset(FixedOffset::east_opt(0)?))));
    }
    let Some(sign) = text.find(['+', '-']) else {
        return Some((text, None));
    };
    let (clock, offset) = text.split_at(sign);
    Some((clock, Some(Zone::Offset(parse_offset(offset)?))))
}

/// `+01:00` or `-01:00:30`, up to 14 hours either way.
fn parse_offset(text: &str) -> Option<FixedOffset> {
    let negative = text.starts_with('-');
    let mut seconds = 0;
    let mut parts = text.get(1..)?.split(':');
    for size in [3_600, 60] {
        seconds += two_digits(parts.next()?, 59)? * size;
    }
    if let Some(part) = parts.next() {
        seconds += two_digits(part, 59)?;
    }
    if parts.next().is_some() || seconds > 14 * 3_600 {
        return None;
    }
    FixedOffset::east_opt(if negative { -seconds } else { seconds })
}

fn parse_clock(text: &str) -> Option<NaiveTime> {
    let (whole, nanos) = match text.split_once('.') {
        None => (text, 0),
        Some((whole, digits)) => {
            let fits =
                (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
            (whole, fits.then(|| format!("{digits:0<9}"))?.parse().ok()?)
        }
    };
    let mut parts = whole.split(':');
    let hour = two_digits(parts.next()?, 24)?;
    let minute = two_digits(parts.next()?, 59)?;
    let second = two_digits(parts.next()?, 59)?;
    if parts.next().is_some() {
        return None;
    }
    let part = |n: i32| u32::try_from(n).ok();
    NaiveTime::from_hms_nano_opt(part(hour)?, part(minute)?, part(second)?, nanos)
}

fn two_digits(text: &str, most: i32) -> Option<i32> {
    let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    let value = text.parse().ok().filter(|_| digits)?;
    (value <= most).then_some(value)
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offset(offset) if offset.local_minus_utc() == 0 => f.write_str("Z"),
            Self::Offset(offset) => write!(f, "{offset}"),
            Self::Region(region) => write!(f, "@{}", region.name()),
        }
    }
}

/// A clock with as much of a fraction as it has.
fn write_clock(f: &mut fmt::Formatter<'_>, clock: NaiveTime) -> fmt::Result {
    use chrono::Timelike as _;
    write!(f, "{}", clock.format("%H:%M:%S"))?;
    match clock.nanosecond() {
        0 => Ok(()),
        nanos => write!(f, ".{}", format!("{nanos:09}").trim_end_matches('0')),
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_clock(f, self.clock)?;
        self.zone.map_or(Ok(()), |zone| write!(f, "{zone}"))
    }
}

impl fmt::Display for LocalDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T", self.at.date())?;
        write_clock(f, self.at.time())?;
        match self.region {
            None => Ok(()),
            Some(region) => write!(f, "@{}", region.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use proptest::prelude::*;

    fn time(text: &str) -> Time {
        parse_time(text).unwrap()
    }

    fn instant(text: &str) -> String {
        match parse_moment(text).unwrap() {
            Moment::Instant(instant) => instant.to_rfc3339(),
            Moment::Local(local) => local
                .instant()
                .map_or_else(|| "none".to_owned(), |instant| instant.to_rfc3339()),
        }
    }

    #[test]
    fn texts_of_times() {
        for good in [
            "00:00:00",
            "23:59:59.123456789",
            "09:14:03Z",
            "09:14:03+01:00",
            "09:14:03-11:30",
            "09:14:03@Europe/Paris",
            "09:14:03+01:00:30",
        ] {
            assert_eq!(time(good).to_string(), good);
        }
        for bad in [
            "",
            "9:14:03",
            "09:14",
            "24:00:00",
            "09:60:00",
            "09:14:60",
            "09:14:03.",
            "09:14:03z",
            "09:14:03+15:00",
            "09:14:03+1:00",
            "09:14:03@Europe/Nowhere",
            "09:14:03+01:00@Europe/Paris",
            "09:14:03.1234567891",
            "09:14:03Z+01:00",
        ] {
            assert_eq!(parse_time(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn times_are_ordered_where_their_zones_allow() {
        assert_eq!(
            time("10:00:00+01:00").compare(&time("09:00:00Z")),
            Some(Ordering::Equal)
        );
        assert_eq!(
            time("00:30:00+01:00").compare(&time("00:00:00Z")),
            Some(Ordering::Less)
        );
        assert_eq!(time("10:00:00").compare(&time("10:00:00Z")), None);
        let paris = time("10:00:00@Europe/Paris");
        assert_eq!(
            paris.compare(&time("11:00:00@Europe/Paris")),
            Some(Ordering::Less)
        );
        assert_eq!(paris.compare(&time("10:00:00@Europe/Rome")), None);
    }

    #[test]
    fn regions_decide_instants() {
        assert_eq!(
            instant("2026-07-01T10:00:00@Europe/Paris"),
            "2026-07-01T10:00:00+02:00"
        );
        assert_eq!(
            instant("2026-10-25T02:30:00@Europe/Paris"),
            "2026-10-25T02:30:00+02:00"
        );
        assert_eq!(
            instant("2026-03-29T02:30:00@Europe/Paris"),
            "2026-03-29T03:30:00+02:00"
        );
        assert_eq!(instant("2026-07-01T10:00:00"), "none");
        assert_eq!(
            instant("2026-07-01T10:00:00+05:30"),
            "2026-07-01T10:00:00+05:30"
        );
    }

    proptest! {
        #[test]
        fn clocks_round_trip(seconds in 0_u32..86_400, nanos in 0_u32..1_000_000_000, offset in -840_i32..=840) {
            let clock = NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos).unwrap();
            let zone = FixedOffset::east_opt(offset * 60).map(Zone::Offset);
            for zone in [None, zone] {
                let time = Time { clock, zone };
                prop_assert_eq!(parse_time(&time.to_string()), Some(time));
            }
        }

        #[test]
        fn any_text_is_read_without_panic(text in "[-0-9T:.+Z@a-zA-Z/]{0,40}") {
            let _ = parse_time(&text);
            let _ = parse_moment(&text);
        }
    }
}
