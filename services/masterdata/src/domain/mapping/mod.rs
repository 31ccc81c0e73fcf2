//! Mappings: a source system's payload to the canonical record, as data.
//!
//! A mapping names, for each canonical field, the source column it comes from and what is
//! done to it on the way. Its examples are run when it is compiled, and it is refused if
//! one fails.

mod compile;
mod convert;
mod example;
mod payload;

use std::collections::{BTreeMap, BTreeSet};

use decision::Value;
use regex::Regex;

use super::{
    path::{Path, Step},
    record::Record,
    schema::{Entity, Type},
    violation::{self, Kind, Severity, Violation},
};
pub use payload::{MAX_DEPTH, MAX_PAYLOAD, Payload, PayloadError};

/// Names of source fields in a message: at most this many, and so many characters of each.
const MAX_SHOWN: usize = 10;
const MAX_SHOWN_NAME: usize = 64;

/// A compiled mapping.
#[derive(Debug)]
pub struct Mapping {
    /// Name.
    pub name: String,
    /// What its records are about.
    pub entity: Entity,
    /// Header of the CSV files it is made for; empty: not for CSV.
    pub csv_header: Vec<String>,
    blank: Vec<String>,
    ignored: BTreeSet<String>,
    targets: Vec<Target>,
}

/// One canonical field and where it comes from.
#[derive(Debug)]
struct Target {
    path: Path,
    ty: Type,
    source: Source,
    steps: Steps,
}

#[derive(Debug)]
enum Source {
    Const(String),
    /// The first of these that isn't blank.
    Columns(Vec<String>),
}

/// What is done to a value on its way.
#[derive(Debug)]
struct Steps {
    trim: bool,
    map: Option<BTreeMap<String, String>>,
    otherwise: Otherwise,
    country: bool,
    split: Option<String>,
    pattern: Option<Regex>,
    currency: Currency,
}

/// What happens to a value that `map` doesn't have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Otherwise {
    Refuse,
    Keep,
    Drop,
}

#[derive(Debug)]
enum Currency {
    None,
    Const(String),
    Column(String),
}

/// A normalized record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalized {
    /// The canonical record.
    pub record: Record,
    /// Where each of its values came from, by path.
    pub origins: Vec<Origin>,
    /// What could not be mapped, by field, then rule.
    pub violations: Vec<Violation>,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Path in the canonical record.
    pub field: Path,
    /// Field of the source payload.
    pub source: String,
    /// Whether the source had a value: false where its field was blank or refused.
    pub given: bool,
}

/// The source field that a path came from, or would have come from; empty where the
/// mapping names none.
#[must_use]
pub fn origin_of(origins: &[Origin], path: &Path) -> String {
    let of_path = |origin: &&Origin| path.is_within(&origin.field);
    origins
        .iter()
        .find(of_path)
        .map_or_else(String::new, |origin| origin.source.clone())
}

/// A value on its way to its place.
struct Op {
    path: Path,
    value: Value,
    /// None for constants, which don't make an element by themselves.
    origin: Option<String>,
}

impl Mapping {
    /// Turns a payload into a record. What can't be mapped becomes violations.
    #[must_use]
    pub fn normalize(&self, payload: &Payload) -> Normalized {
        let mut ops = Vec::new();
        let mut origins = Vec::new();
        let mut violations = Vec::new();
        for target in &self.targets {
            self.take(target, payload, &mut ops, &mut origins, &mut violations);
        }
        let live = Live::of(&ops);
        let mut record = Record::new(self.entity);
        for op in ops {
            if let Some(path) = live.settled(&op.path) {
                record.set(&path, op.value);
            }
        }
        record.close_up();
        for origin in &mut origins {
            origin.field = live.shifted(&origin.field);
        }
        origins.sort_by(|a, b| (&a.field, !a.given).cmp(&(&b.field, !b.given)));
        for violation in &mut violations {
            violation.field = live.shifted(&violation.field);
        }
        violations.extend(self.unmapped(payload));
        violation::settle(&mut violations);
        Normalized {
            record,
            origins,
            violations,
        }
    }

    fn take(
        &self,
        target: &Target,
        payload: &Payload,
        ops: &mut Vec<Op>,
        origins: &mut Vec<Origin>,
        violations: &mut Vec<Violation>,
    ) {
        let columns = match &target.source {
            Source::Const(text) => {
                let value = convert::constant(target, text);
                ops.extend(value.map(|value| Op {
                    path: target.path.clone(),
                    value,
                    origin: None,
                }));
                return;
            }
            Source::Columns(columns) => columns,
        };
        let mut origin = Origin {
            field: target.path.clone(),
            source: String::new(),
            given: false,
        };
        for column in columns {
            if origin.source.is_empty() {
                origin.source.clone_from(column);
            }
            let Some(raw) = payload.scalar(column) else {
                continue;
            };
            let text = if target.steps.trim { raw.trim() } else { &raw };
            if self.blank.iter().any(|blank| blank == text) {
                continue;
            }
            origin.source.clone_from(column);
            let mut refusals = Vec::new();
            if text != raw {
                refusals.push(Violation::new(
                    target.path.clone(),
                    "mapping.trimmed",
                    Severity::Info,
                    Kind::Format,
                    "blanks at an end of the source's value were dropped",
                ));
            }
            let value = convert::value(target, text, payload, &mut refusals);
            origin.given = value.is_some();
            ops.extend(value.map(|value| Op {
                path: target.path.clone(),
                value,
                origin: Some(column.clone()),
            }));
            violations.extend(refusals.into_iter().map(|violation| Violation {
                source_field: column.clone(),
                ..violation
            }));
            break;
        }
        origins.push(origin);
    }

    /// One violation for all fields of the source that the mapping neither takes nor
    /// ignores, so that what clients name fields doesn't make rules.
    fn unmapped(&self, payload: &Payload) -> Option<Violation> {
        let unknown = |name: &&str| !self.ignored.contains(*name) && !self.takes(name);
        let names: Vec<_> = payload.names().filter(unknown).collect();
        let shown: Vec<String> = names
            .iter()
            .take(MAX_SHOWN)
            .map(|name| name.chars().take(MAX_SHOWN_NAME).collect())
            .collect();
        let message = match names.len() {
            0 => return None,
            1..=MAX_SHOWN => format!("neither mapped nor ignored: {}", shown.join(", ")),
            many => format!(
                "neither mapped nor ignored: {} and {} more",
                shown.join(", "),
                many - MAX_SHOWN
            ),
        };
        let violation = Violation::new(
            Path::default(),
            "mapping.unmapped",
            Severity::Info,
            Kind::Format,
            message,
        );
        Some(Violation {
            source_field: shown.into_iter().next().unwrap_or_default(),
            ..violation
        })
    }

    /// Whether any target reads a top-level field of the source.
    fn takes(&self, name: &str) -> bool {
        let reads = |column: &String| payload::first_name(column) == name;
        self.targets.iter().any(|target| {
            let by_source = match &target.source {
                Source::Const(_) => false,
                Source::Columns(columns) => columns.iter().any(reads),
            };
            by_source || matches!(&target.steps.currency, Currency::Column(column) if reads(column))
        })
    }
}

/// The elements of lists that the source gave a value for. Elements that would hold
/// nothing but constants are left out, and those behind them move up.
struct Live(BTreeMap<Path, BTreeSet<usize>>);

impl Live {
    fn of(ops: &[Op]) -> Self {
        let mut live = BTreeMap::<Path, BTreeSet<usize>>::new();
        for op in ops.iter().filter(|op| op.origin.is_some()) {
            let mut above = Path::default();
            for step in op.path.steps() {
                match step {
                    Step::Field(name) => above = above.field(name),
                    Step::Index(at) => {
                        live.entry(above.clone()).or_default().insert(*at);
                        above = above.index(*at);
                    }
                }
            }
        }
        Self(live)
    }

    /// The path as it stands in the record; `None` where its element is left out.
    fn settled(&self, path: &Path) -> Option<Path> {
        let mut above = Path::default();
        for step in path.steps() {
            match step {
                Step::Field(name) => above = above.field(name),
                Step::Index(at) => {
                    if !self.0.get(&above).is_some_and(|live| live.contains(at)) {
                        return None;
                    }
                    above = above.index(*at);
                }
            }
        }
        Some(self.shifted(path))
    }

    /// The path with every index less the elements left out before it.
    fn shifted(&self, path: &Path) -> Path {
        let (mut above, mut out) = (Path::default(), Path::default());
        for step in path.steps() {
            match step {
                Step::Field(name) => {
                    above = above.field(name);
                    out = out.field(name);
                }
                Step::Index(at) => {
                    let live = self
                        .0
                        .get(&above)
                        .map_or(*at, |live| live.range(..at).count());
                    above = above.index(*at);
                    out = out.index(live);
                }
            }
        }
        out
    }
}
