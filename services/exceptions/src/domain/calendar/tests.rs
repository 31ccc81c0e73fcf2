#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::{Calendar, Error, Shift};

fn shifts(text: &[&str]) -> Vec<Shift> {
    text.iter()
        .map(|text| Shift::parse(text).unwrap())
        .collect()
}

fn workdays(zone: &str, shift: &str, holidays: &[&str]) -> Calendar {
    let week = [0, 1, 2, 3, 4, 5, 6].map(|day| {
        if day < 5 {
            shifts(&[shift])
        } else {
            Vec::new()
        }
    });
    let holidays = holidays.iter().map(|date| date.parse().unwrap()).collect();
    Calendar::new(zone, week, holidays).unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn after(calendar: &Calendar, start: &str, minutes: i64) -> DateTime<Utc> {
    calendar
        .after(at(start), TimeDelta::minutes(minutes))
        .unwrap()
}

#[test]
fn hours_run_only_while_the_unit_works() {
    let zurich = workdays("Europe/Zurich", "08:00-17:00", &["2026-12-25"]);
    // Thursday 15:00 local, 4 hours: two on Thursday, none on the holiday, two on Monday.
    assert_eq!(
        after(&zurich, "2026-12-24T14:00:00Z", 240),
        at("2026-12-28T09:00:00Z")
    );
    // What comes in at night waits for the morning, and due at closing time is the same day.
    assert_eq!(
        after(&zurich, "2026-11-24T02:00:00Z", 540),
        at("2026-11-24T16:00:00Z")
    );
    let sub_second = at("2026-11-24T10:00:00.123456Z");
    let due = zurich.after(sub_second, TimeDelta::hours(1)).unwrap();
    assert_eq!(due - sub_second, TimeDelta::hours(1));
    assert_eq!(
        zurich.after(sub_second, TimeDelta::zero()),
        Some(sub_second)
    );
}

#[test]
fn a_night_shift_is_longer_or_shorter_when_clocks_change() {
    let night = workdays("Europe/Zurich", "22:00-06:00", &[]);
    let week = std::array::from_fn(|_| shifts(&["22:00-06:00"]));
    let every_night = Calendar::new("Europe/Zurich", week, BTreeSet::new()).unwrap();
    // Back by an hour on 2026-10-25: from 22:00 summer time to 06:00 are nine hours.
    assert_eq!(
        after(&every_night, "2026-10-24T20:00:00Z", 9 * 60),
        at("2026-10-25T05:00:00Z")
    );
    // Ahead by an hour on 2026-03-29: seven hours.
    assert_eq!(
        after(&every_night, "2026-03-28T21:00:00Z", 7 * 60),
        at("2026-03-29T04:00:00Z")
    );
    // Friday's shift runs into Saturday, where none begins.
    assert_eq!(
        after(&night, "2026-11-28T04:00:00Z", 61),
        at("2026-11-30T21:01:00Z")
    );
}

#[test]
fn ends_that_come_twice_or_never_have_one_meaning() {
    let week = |shift: &str| std::array::from_fn(|_| shifts(&[shift]));
    let twice = Calendar::new("Europe/Zurich", week("22:00-02:30"), BTreeSet::new()).unwrap();
    // The first 02:30 of 2026-10-25 is 00:30Z; the second isn't work.
    assert_eq!(
        after(&twice, "2026-10-25T00:00:00Z", 31),
        at("2026-10-25T21:01:00Z")
    );
    let never = Calendar::new("Europe/Zurich", week("02:30-10:00"), BTreeSet::new()).unwrap();
    // 02:30 of 2026-03-29 is skipped: work begins at 03:00 summer time, 01:00Z.
    assert_eq!(
        after(&never, "2026-03-29T00:00:00Z", 1),
        at("2026-03-29T01:01:00Z")
    );
}

#[test]
fn what_never_comes_due_is_none() {
    let mut week: [Vec<Shift>; 7] = Default::default();
    week[0] = shifts(&["08:00-08:01"]);
    let calendar = Calendar::new("UTC", week, BTreeSet::new()).unwrap();
    let start = at("2026-11-24T00:00:00Z");
    assert_eq!(calendar.after(start, TimeDelta::hours(100)), None);
    assert_eq!(
        calendar.after(DateTime::<Utc>::MAX_UTC, TimeDelta::hours(1)),
        None
    );
}

#[test]
fn mistakes_are_named() {
    for bad in [
        "",
        "8-17",
        "08:00",
        "08:00-25:00",
        "08:00-08:00",
        "24:00-08:00",
        "8:00-9:00",
    ] {
        assert!(matches!(Shift::parse(bad), Err(Error::Shift(_))), "{bad:?}");
    }
    let week = |monday: &[&str], sunday: &[&str]| {
        let mut week: [Vec<Shift>; 7] = Default::default();
        week[0] = shifts(monday);
        week[6] = shifts(sunday);
        week
    };
    let new = |zone, week| Calendar::new(zone, week, BTreeSet::new());
    let nowhere = new("Europe/Nowhere", week(&["08:00-09:00"], &[]));
    assert!(matches!(nowhere, Err(Error::Zone(_))));
    assert!(matches!(new("UTC", Default::default()), Err(Error::Empty)));
    let overlap = new("UTC", week(&["13:00-17:00", "08:00-13:01"], &[]));
    assert!(matches!(overlap, Err(Error::Overlap { .. })));
    let overnight = new("UTC", week(&["05:00-17:00"], &["22:00-06:00"]));
    assert!(matches!(overnight, Err(Error::Overlap { .. })));
    assert!(
        new(
            "UTC",
            week(&["13:00-24:00", "08:00-13:00"], &["00:00-24:00"])
        )
        .is_ok()
    );
}

/// Counts business minutes one by one by what the wall clock shows; right wherever no
/// shift begins or ends while the clocks change.
fn naive(
    zone: Tz,
    week: &[Vec<(u32, u32)>; 7],
    holidays: &BTreeSet<NaiveDate>,
    start: DateTime<Utc>,
    minutes: i64,
) -> DateTime<Utc> {
    let works = |date: NaiveDate, minute: u32| {
        !holidays.contains(&date)
            && week[date.weekday().num_days_from_monday() as usize]
                .iter()
                .any(|&(from, to)| from <= minute && minute < to)
    };
    let (mut instant, mut left) = (start, minutes);
    while left > 0 {
        let local = zone.from_utc_datetime(&instant.naive_utc());
        let date = local.date_naive();
        let minute = u32::try_from((local.time() - NaiveTime::MIN).num_minutes()).unwrap();
        let day_before = date.checked_sub_days(Days::new(1)).unwrap();
        if works(date, minute) || works(day_before, minute + 1_440) {
            left -= 1;
        }
        instant += TimeDelta::minutes(1);
    }
    instant
}

fn some_day() -> impl Strategy<Value = Vec<(u32, u32)>> {
    // Ends at whole hours away from those at which zones change their clocks.
    let hour = prop::sample::select(vec![0, 4, 5, 8, 12, 13, 17, 20]);
    let length = prop::sample::select(vec![3, 4, 9]);
    prop_oneof![
        1 => Just(Vec::new()),
        3 => (hour, length).prop_map(|(hour, length)| {
            let end: u32 = hour + length;
            // Not into the hours that are skipped or repeated, nor the next day's shift.
            let end = if (25..28).contains(&end) { 24 } else { end };
            if end == hour { Vec::new() } else { vec![(hour * 60, end * 60)] }
        }),
        1 => Just(vec![(8 * 60, 12 * 60), (13 * 60, 17 * 60)]),
        1 => Just(vec![(22 * 60, 28 * 60)]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn agrees_with_counting_minutes(
        zone in prop::sample::select(vec!["Europe/Zurich", "America/New_York", "Asia/Kolkata", "Europe/London"]),
        week in prop::array::uniform7(some_day()),
        holidays in prop::collection::btree_set(0_u64..60, 0..6),
        start in 0_i64..40 * 1_440,
        minutes in 0_i64..2_000,
        // The changes of spring and autumn, and a time without any.
        base in prop::sample::select(vec!["2026-03-01T00:00:00Z", "2026-10-10T00:00:00Z", "2026-06-01T00:00:00Z"]),
    ) {
        let parsed = week.clone().map(|day| day.into_iter().map(|(from, to)| {
            let clock = |minute: u32| format!("{:02}:{:02}", minute / 60 % 24, minute % 60);
            Shift::parse(&format!("{}-{}", clock(from), clock(to))).unwrap()
        }).collect::<Vec<_>>());
        let first = at(base).date_naive();
        let holidays = holidays.into_iter().map(|day| first.checked_add_days(Days::new(day)).unwrap()).collect::<BTreeSet<_>>();
        let Ok(calendar) = Calendar::new(zone, parsed, holidays.clone()) else { return Ok(()) };
        let start = at(base) + TimeDelta::minutes(start);
        let expected = naive(zone.parse().unwrap(), &week, &holidays, start, minutes);
        // The naive count ends a minute into business time; both name that instant.
        prop_assert_eq!(calendar.after(start, TimeDelta::minutes(minutes)), Some(expected));
    }
}
