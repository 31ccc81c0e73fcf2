//! Findings as JSON and as tables for people.

use std::collections::BTreeMap;

use decision::{
    Facts, Table, Value,
    analyse::{Finding, FindingKind, Reason, Region, Undecided},
};
use governance::analysis::Answered;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{failure::Failure, output};

/// How many findings of one kind are drawn; JSON has all.
const MAX_DRAWN: usize = 20;

/// What a region asks of an input.
#[derive(Debug, Serialize)]
pub(super) struct Cell {
    input: String,
    test: String,
}

/// A region as JSON.
pub(super) fn region(region: &Region) -> Vec<Cell> {
    let cell = |cell: &decision::analyse::RegionCell| Cell {
        input: cell.input.clone(),
        test: cell.test.clone(),
    };
    region.cells.iter().map(cell).collect()
}

/// Facts as the JSON object that `--facts` takes.
pub(super) fn facts_text(facts: &Facts) -> String {
    let entries = facts
        .iter()
        .map(|(name, value)| (name.to_owned(), value.clone()));
    decision::json::write(&Value::Context(entries.collect()))
}

/// The same, to stand in JSON as it is.
pub(super) fn facts(facts: &Facts) -> Option<Box<RawValue>> {
    RawValue::from_string(facts_text(facts)).ok()
}

/// An answer of layers as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Given {
    effect: String,
    approvals: BTreeMap<String, u32>,
    obligations: Vec<String>,
    required_facts: Vec<String>,
    audit_level: String,
    reasons: Vec<String>,
}

impl Given {
    pub(super) fn of(answered: &Answered) -> Self {
        let texts = |names: &mut dyn Iterator<Item = String>| names.collect();
        Self {
            effect: answered.answer.effect.to_string(),
            approvals: approvals(answered).collect(),
            obligations: texts(&mut answered.answer.obligations.iter().map(ToString::to_string)),
            required_facts: texts(
                &mut answered
                    .answer
                    .required_facts
                    .iter()
                    .map(ToString::to_string),
            ),
            audit_level: answered.audit_level.as_str().to_owned(),
            reasons: texts(&mut answered.reasons.iter().map(ToString::to_string)),
        }
    }
}

fn approvals(answered: &Answered) -> impl Iterator<Item = (String, u32)> {
    let all = answered.answer.approvals.iter();
    all.map(|needed| (format!("{}@{}", needed.role, needed.at), needed.count))
}

/// Something that isn't settled, as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Open {
    reason: &'static str,
    kind: Option<&'static str>,
    rows: Vec<String>,
    region: Option<Vec<Cell>>,
    count: u64,
    message: String,
}

impl Open {
    pub(super) fn of(undecided: &Undecided, table: Option<&Table>) -> Self {
        Self {
            reason: undecided.reason.as_str(),
            kind: undecided.kind.map(FindingKind::as_str),
            rows: table
                .map(|table| ids(table, &undecided.rows))
                .unwrap_or_default(),
            region: undecided.region.as_ref().map(region),
            count: undecided.count,
            message: undecided.message.clone(),
        }
    }
}

/// The ids of rows.
pub(super) fn ids(table: &Table, rows: &[usize]) -> Vec<String> {
    let id = |&row: &usize| table.rows().get(row).map(|row| row.id().to_owned());
    rows.iter().filter_map(id).collect()
}

/// Undecided things as lines.
pub(super) fn open_lines(undecided: &[Undecided], table: Option<&Table>) -> Result<(), Failure> {
    for open in undecided.iter().take(MAX_DRAWN) {
        let mut text = match open.reason {
            Reason::Unlisted => format!("  not listed: {}", open.message),
            reason => format!("  undecided ({}): {}", reason.as_str(), open.message),
        };
        let rows = table
            .map(|table| ids(table, &open.rows))
            .unwrap_or_default();
        if !rows.is_empty() {
            text.push_str(&format!("; rows {}", rows.join(", ")));
        }
        if let Some(region) = &open.region {
            text.push_str(&format!("; where {region}"));
        }
        if open.count > 1 || open.reason == Reason::Unlisted {
            text.push_str(&format!(" ({})", open.count));
        }
        output::line(&text)?;
    }
    more(undecided.len())
}

fn more(count: usize) -> Result<(), Failure> {
    match count.saturating_sub(MAX_DRAWN) {
        0 => Ok(()),
        more => output::line(&format!("    and {more} more; --output json has them")),
    }
}

/// Regions with other columns, one a row; inputs that no region tests are left out, and facts
/// that inputs are compared with come last.
pub(super) fn region_table(
    inputs: &[String],
    headings: &[&str],
    rows: &[(&Region, Vec<String>)],
) -> Result<(), Failure> {
    let mut used: Vec<&String> = inputs
        .iter()
        .filter(|input| rows.iter().any(|(region, _)| test(region, input).is_some()))
        .collect();
    for cell in rows.iter().flat_map(|(region, _)| &region.cells) {
        if !used.contains(&&cell.input) {
            used.push(&cell.input);
        }
    }
    let mut lines = vec![
        used.iter()
            .map(|input| (*input).clone())
            .chain(headings.iter().map(|h| (*h).to_owned()))
            .collect::<Vec<_>>(),
    ];
    for (region, others) in rows.iter().take(MAX_DRAWN) {
        let cells = used
            .iter()
            .map(|input| test(region, input).unwrap_or_else(|| "-".to_owned()));
        lines.push(cells.chain(others.iter().cloned()).collect());
    }
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(column).unwrap_or(0))
        .collect();
    for line in &lines {
        let padded = line
            .iter()
            .zip(&widths)
            .map(|(text, width)| format!("{text:width$}"));
        let text = padded.collect::<Vec<_>>().join("  ");
        output::line(&format!("    {}", text.trim_end()))?;
    }
    more(rows.len())
}

/// What a region asks of an input, where an expression stands once or, as an opaque test,
/// more often.
fn test(region: &Region, input: &str) -> Option<String> {
    let cells = region.cells.iter().filter(|cell| cell.input == input);
    let tests: Vec<&str> = cells.map(|cell| cell.test.as_str()).collect();
    (!tests.is_empty()).then(|| tests.join(" and "))
}

/// The inputs of tables, each once, as regions name them.
pub(super) fn inputs<'t>(tables: impl IntoIterator<Item = &'t Table>) -> Vec<String> {
    let mut inputs: Vec<String> = Vec::new();
    for input in tables.into_iter().flat_map(|table| table.inputs()) {
        let text = input.expression().to_string();
        if !inputs.contains(&text) {
            inputs.push(text);
        }
    }
    inputs
}

/// Whether a finding is an error, a warning or only to be known.
pub(super) fn severity(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Conflict => "ERROR",
        FindingKind::NullInput => "INFO",
        _ => "WARNING",
    }
}

/// A finding as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Printed {
    kind: &'static str,
    severity: &'static str,
    rows: Vec<String>,
    region: Vec<Cell>,
    witness: Option<Box<RawValue>>,
    instead: Vec<String>,
}

impl Printed {
    pub(super) fn of(finding: &Finding, table: &Table) -> Self {
        Self {
            kind: finding.kind.as_str(),
            severity: severity(finding.kind),
            rows: ids(table, &finding.rows),
            region: region(&finding.region),
            witness: finding.witness.as_ref().and_then(facts),
            instead: ids(table, &finding.instead),
        }
    }
}
