//! Tables of the catalog: which events raise what, and who gets it.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use decision::{Facts, Output, Table, Type, Value, temporal::DaysDuration};

use super::{EVENT_TYPE, EXCEPTION_TYPE, ExceptionType};
use crate::domain::exception::Severity;

/// Turns event types and data into exception types.
#[derive(Debug)]
pub struct Detection {
    /// Its table, with the output `exception`.
    pub table: Table,
}

/// Gives queue, severity, deadlines and first action.
#[derive(Debug)]
pub struct Routing {
    /// Name of the calendar that deadlines run by.
    pub calendar: String,
    /// Its table.
    pub table: Table,
}

/// Who gets an exception, how bad it is, and how long they have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Queue.
    pub queue: String,
    /// How bad it is.
    pub severity: Severity,
    /// Whether the document can't go on.
    pub blocking: bool,
    /// Business time until somebody must have taken it.
    pub response: Option<TimeDelta>,
    /// Business time until it must be resolved.
    pub resolution: Option<TimeDelta>,
    /// First action proposed; may be empty.
    pub first_action: String,
}

/// Outputs of a detection table, with their types.
pub(super) fn detection_outputs(taxonomy: &[String]) -> Vec<(&'static str, Type, bool)> {
    let values = taxonomy.to_vec();
    vec![("exception", Type::String { values }, true)]
}

/// Outputs of a routing table, with their types.
pub(super) fn routing_outputs(operations: &[String]) -> Vec<(&'static str, Type, bool)> {
    let severities = Severity::ALL.map(|severity| severity.name().to_owned());
    vec![
        ("queue", Type::string(), true),
        (
            "severity",
            Type::String {
                values: severities.to_vec(),
            },
            true,
        ),
        ("blocking", Type::Boolean, false),
        ("response", Type::DaysDuration, false),
        ("resolution", Type::DaysDuration, false),
        (
            "first_action",
            Type::String {
                values: operations.to_vec(),
            },
            false,
        ),
    ]
}

/// Inputs that detection tables see beside the fields of events.
pub(super) fn detection_inputs() -> (&'static str, Type) {
    (EVENT_TYPE, Type::string())
}

/// Inputs that routing tables see beside the fields of events.
pub(super) fn routing_inputs(taxonomy: &[String]) -> (&'static str, Type) {
    let values = taxonomy.to_vec();
    (EXCEPTION_TYPE, Type::String { values })
}

impl Detection {
    /// The exception types raised: with facts unknown, all that any value could raise,
    /// since what isn't raised is seen by nobody.
    ///
    /// # Errors
    /// If the table has no result for these facts.
    pub fn raises(&self, facts: &Facts) -> Result<Vec<String>, String> {
        let raised = rows(&self.table, facts)?
            .iter()
            .filter_map(|row| Some(row.get("exception")?.as_str()?.to_owned()))
            .collect();
        Ok(raised)
    }
}

impl Routing {
    /// The route of an exception, if the table knows it. Where facts are unknown, the
    /// highest severity and the shortest times of all that could be meant.
    ///
    /// # Errors
    /// If the table has no result for these facts.
    pub fn route(
        &self,
        kind: &str,
        declared: &ExceptionType,
        facts: &Facts,
    ) -> Result<Option<Route>, String> {
        let mut facts = facts.clone();
        facts.insert(EXCEPTION_TYPE, Value::String(kind.to_owned()));
        let route = rows(&self.table, &facts)?
            .iter()
            .filter_map(|row| Route::read(row, declared))
            .reduce(Route::stricter);
        Ok(route)
    }
}

impl Route {
    fn read(row: &BTreeMap<String, Value>, declared: &ExceptionType) -> Option<Self> {
        let text = |name: &str| row.get(name).and_then(Value::as_str);
        let time = |name: &str| match row.get(name) {
            Some(Value::DaysDuration(DaysDuration(time))) if *time > TimeDelta::zero() => {
                Some(*time)
            }
            _ => None,
        };
        Some(Self {
            queue: text("queue")?.to_owned(),
            severity: Severity::from_name(text("severity")?)?,
            blocking: row
                .get("blocking")
                .and_then(Value::as_bool)
                .unwrap_or(declared.blocking),
            response: time("response"),
            resolution: time("resolution"),
            first_action: text("first_action").unwrap_or_default().to_owned(),
        })
    }

    fn stricter(self, other: Self) -> Self {
        let shorter = |a: Option<TimeDelta>, b: Option<TimeDelta>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let response = shorter(self.response, other.response);
        let resolution = shorter(self.resolution, other.resolution);
        let blocking = self.blocking || other.blocking;
        let base = if other.severity > self.severity {
            other
        } else {
            self
        };
        Self {
            blocking,
            response,
            resolution,
            ..base
        }
    }
}

/// Every row of outputs that the table could answer with. Rows that contradict each
/// other all count: the strictest is taken. A table that can't compute an answer says
/// nothing about the event, which must not pass for one that means nothing.
fn rows(table: &Table, facts: &Facts) -> Result<Vec<BTreeMap<String, Value>>, String> {
    let mut rows = Vec::new();
    for output in table.answer(facts).outputs {
        match output {
            Output::None => {}
            Output::One(row) => rows.push(row),
            Output::Many(all) => rows.extend(all),
            Output::Conflict(indices) => {
                let hits = indices.iter().filter_map(|&index| table.rows().get(index));
                rows.extend(hits.map(|row| row.outputs().clone()));
            }
            Output::Failed(failure) => {
                return Err(format!("table {} has no result: {failure}", table.name()));
            }
        }
    }
    Ok(rows)
}
