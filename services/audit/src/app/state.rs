//! What the process knows of the log's health, and tells: health, metrics.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge},
};
use service_kit::{
    error::{Error, Kind, Reason},
    health::{Health, Status},
    telemetry,
};

use crate::domain::{batch::Placed, gaps::Sequence, stored::Corrupt};

/// Most producers and ranges that a health detail names.
const MAX_NAMED: usize = 10;

/// Health and metrics of the log.
pub(super) struct State {
    health: Health,
    /// What signing found, and what the scrub found.
    corrupt: Mutex<(Option<Corrupt>, Option<Corrupt>)>,
    producers: Mutex<BTreeMap<String, Sequence>>,
    records: Counter<u64>,
    missing: Gauge<u64>,
    size: Gauge<u64>,
    signed: Gauge<u64>,
    corrupted: Gauge<u64>,
}

/// Who found out whether the log is as it was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finder {
    /// Before signing.
    Signing,
    /// The scrub, or a read.
    Scrub,
}

impl State {
    pub fn new(health: Health) -> Self {
        let meter = telemetry::meter();
        Self {
            health,
            corrupt: Mutex::default(),
            producers: Mutex::default(),
            records: meter
                .u64_counter("bylaw.audit.records")
                .with_description("records that were appended, by what became of them")
                .build(),
            missing: meter
                .u64_gauge("bylaw.audit.producer.missing")
                .with_description("numbers of a producer's sequence that never came")
                .build(),
            size: meter
                .u64_gauge("bylaw.audit.log.size")
                .with_description("records in the log")
                .build(),
            signed: meter
                .u64_gauge("bylaw.audit.log.signed")
                .with_description("records under the newest checkpoint")
                .build(),
            corrupted: meter
                .u64_gauge("bylaw.audit.log.corrupt")
                .with_description("1 while stored bytes don't match the log, else 0")
                .build(),
        }
    }

    /// Notes what was found about the log; none: it is as it was recorded.
    pub fn found(&self, finder: Finder, corrupt: Option<Corrupt>) {
        let mut state = self.corrupt.lock().unwrap_or_else(PoisonError::into_inner);
        match finder {
            Finder::Signing => state.0 = corrupt,
            Finder::Scrub => state.1 = corrupt,
        }
        let worst = state.1.as_ref().or(state.0.as_ref());
        self.corrupted.record(u64::from(worst.is_some()), &[]);
        match worst {
            None => self.health.set("log", Status::Serving, ""),
            // appends go on where they don't touch the corrupt record, so that as little as
            // can be waits; nothing is signed
            Some(corrupt) => {
                let detail = format!("LOG_CORRUPT, nothing is signed: {corrupt}");
                self.health.set("log", Status::Degraded, detail);
            }
        }
    }

    /// What the scrub or a read found: it keeps the log from being signed.
    pub fn scrubbed(&self) -> Option<Corrupt> {
        let state = self.corrupt.lock().unwrap_or_else(PoisonError::into_inner);
        state.1.clone()
    }

    pub fn signed(&self, size: u64) {
        self.signed.record(size, &[]);
    }

    pub fn appended(&self, producer: &str, placed: &[Placed]) {
        let count = |wanted: fn(&Placed) -> bool| {
            u64::try_from(placed.iter().filter(|p| wanted(p)).count()).unwrap_or(u64::MAX)
        };
        for (result, records) in [
            ("new", count(|p| matches!(p, Placed::New(_)))),
            ("duplicate", count(|p| matches!(p, Placed::Duplicate(_)))),
            ("conflict", count(|p| matches!(p, Placed::Conflict(_)))),
        ] {
            if records > 0 {
                let attributes = [
                    KeyValue::new("bylaw.producer", producer.to_owned()),
                    KeyValue::new("result", result),
                ];
                self.records.add(records, &attributes);
            }
        }
        let highest = placed.iter().filter_map(|p| match p {
            Placed::New(index) => Some(index + 1),
            _ => None,
        });
        if let Some(size) = highest.max() {
            self.size.record(size, &[]);
        }
    }

    /// Notes what came of producers, and reports what didn't.
    pub fn producers(&self, sequences: BTreeMap<String, Sequence>) {
        let mut known = self
            .producers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for (producer, sequence) in sequences {
            let attributes = [KeyValue::new("bylaw.producer", producer.clone())];
            self.missing.record(sequence.missing_count(), &attributes);
            known.insert(producer, sequence);
        }
        let troubled: Vec<_> = known
            .iter()
            .filter_map(|(producer, sequence)| trouble(producer, sequence))
            .take(MAX_NAMED)
            .collect();
        if troubled.is_empty() {
            self.health.set("producers", Status::Serving, "");
        } else {
            self.health
                .set("producers", Status::Degraded, troubled.join("; "));
        }
    }
}

fn trouble(producer: &str, sequence: &Sequence) -> Option<String> {
    let mut parts = Vec::new();
    if sequence.missing_count() > 0 {
        let ranges: Vec<_> = sequence
            .missing()
            .take(MAX_NAMED)
            .map(|(first, last)| match first == last {
                true => first.to_string(),
                false => format!("{first} to {last}"),
            })
            .collect();
        parts.push(format!(
            "{} records missing ({})",
            sequence.missing_count(),
            ranges.join(", ")
        ));
    }
    if sequence.repeated > 0 {
        parts.push(format!("{} numbers used twice", sequence.repeated));
    }
    (!parts.is_empty()).then(|| format!("{producer}: {}", parts.join(", ")))
}

/// What a caller is told where the log can't vouch for its records.
pub(super) fn log_corrupt(corrupt: &Corrupt) -> Error {
    Error::new(
        Kind::FailedPrecondition,
        Reason::LogCorrupt,
        format!("the log doesn't match its stored bytes, nothing is signed over them: {corrupt}"),
    )
    .with_metadata("index", corrupt.index.to_string())
}
