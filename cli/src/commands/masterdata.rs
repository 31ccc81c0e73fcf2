//! `bylaw masterdata`.

use std::{
    collections::BTreeMap,
    io::{self, BufRead as _},
    path::Path,
};

use contracts::masterdata::{
    BatchValidateRecordsRequest, ListMappingsRequest, Mapping, RecordInput, Severity, SourceRecord,
    Validation, record_input::Record,
};
use decision::Value;

use super::input;
use crate::{
    args::{Common, Entity, MasterdataCommand, Output},
    connect::{Session, Wants},
    failure::{Exit, Failure},
    output,
};

/// Most records in a call.
const BATCH: usize = 200;

pub async fn run(common: &Common, command: MasterdataCommand) -> Result<(), Failure> {
    let MasterdataCommand::Validate {
        entity,
        scope,
        mapping,
        file,
    } = command;
    let session = Session::open(common, Wants::erp("masterdata.record.validate")).await?;
    let scope = match scope {
        Some(scope) => scope,
        None => enterprise(&session).await?,
    };
    let mappings = mappings(&session).await?;
    let records = read(&file, entity, mapping.as_deref(), &mappings)?;
    let mut report = Report::default();
    for batch in records.chunks(BATCH) {
        let request = BatchValidateRecordsRequest {
            scope: scope.clone(),
            records: batch.iter().map(source).collect(),
            ..Default::default()
        };
        let answer = session
            .masterdata()
            .batch_validate_records(request)
            .await?
            .into_inner();
        for validation in answer.validations {
            report.add(&validation)?;
        }
    }
    report.print(common, &scope)
}

/// The root of the scopes that the caller sees.
async fn enterprise(session: &Session) -> Result<String, Failure> {
    let request = contracts::policy::ListScopesRequest {
        page_size: 1,
        page_token: String::new(),
    };
    let scopes = session
        .policies()
        .list_scopes(request)
        .await?
        .into_inner()
        .scopes;
    scopes
        .into_iter()
        .next()
        .map(|scope| scope.path)
        .ok_or_else(|| Failure::usage("the suite has no scopes yet; name one with --scope"))
}

async fn mappings(session: &Session) -> Result<Vec<Mapping>, Failure> {
    let request = ListMappingsRequest {
        page_size: 1_000,
        page_token: String::new(),
    };
    Ok(session
        .masterdata()
        .list_mappings(request)
        .await?
        .into_inner()
        .mappings)
}

const fn entity_name(entity: Entity) -> &'static str {
    match entity {
        Entity::Customer => "customer",
        Entity::Item => "item",
        Entity::Supplier => "supplier",
    }
}

fn source((mapping, payload): &(String, String)) -> RecordInput {
    RecordInput {
        record: Some(Record::Source(SourceRecord {
            mapping: mapping.clone(),
            payload: payload.clone().into(),
        })),
    }
}

/// The file's records as a source system's payloads, each with its mapping.
fn read(
    file: &Path,
    entity: Entity,
    mapping: Option<&str>,
    mappings: &[Mapping],
) -> Result<Vec<(String, String)>, Failure> {
    let shown = input::shown(file);
    let mut reader = input::open(file)?;
    let begin = reader.fill_buf()?;
    if begin.iter().all(u8::is_ascii_whitespace) {
        return Err(Failure::usage(format!(
            "{}:1: found nothing, expected JSON lines or a CSV header",
            input::shown(file)
        )));
    }
    let json = begin
        .iter()
        .find(|byte| !byte.is_ascii_whitespace())
        .is_some_and(|byte| *byte == b'{');
    let entity = entity_name(entity);
    let of_entity: Vec<&Mapping> = mappings.iter().filter(|m| m.entity == entity).collect();
    if json {
        let mapping = choose(&of_entity, mapping, None, entity)?;
        return io::BufReader::new(reader)
            .lines()
            .enumerate()
            .filter(|(_, line)| !matches!(line, Ok(line) if line.trim().is_empty()))
            .map(|(at, line)| {
                let line = line?;
                decision::json::parse(&line)
                    .map_err(|error| Failure::usage(format!("{shown}:{}: {error}", at + 1)))?;
                Ok((mapping.clone(), line))
            })
            .collect();
    }
    let mut rows = csv::Reader::from_reader(reader);
    let wrong = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        Failure::usage(format!("{shown}:{line}: {error}"))
    };
    let header: Vec<String> = rows
        .headers()
        .map_err(wrong)?
        .iter()
        .map(str::to_owned)
        .collect();
    let mapping = choose(&of_entity, mapping, Some(&header), entity)?;
    rows.records()
        .map(|record| {
            let record = record.map_err(wrong)?;
            let fields: BTreeMap<String, Value> = header
                .iter()
                .cloned()
                .zip(record.iter().map(|cell| Value::String(cell.to_owned())))
                .collect();
            Ok((
                mapping.clone(),
                decision::json::write(&Value::Context(fields)),
            ))
        })
        .collect()
}

/// The mapping asked for, or the one whose header the file has.
fn choose(
    mappings: &[&Mapping],
    asked: Option<&str>,
    header: Option<&[String]>,
    entity: &str,
) -> Result<String, Failure> {
    let names = || {
        mappings
            .iter()
            .map(|m| output::id(&m.name))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let fits: Vec<&&Mapping> = match (asked, header) {
        (Some(asked), _) => mappings
            .iter()
            .filter(|m| output::id(&m.name) == output::id(asked))
            .collect(),
        (None, Some(header)) => mappings
            .iter()
            .filter(|m| !m.csv_header.is_empty() && m.csv_header.iter().all(|c| header.contains(c)))
            .collect(),
        (None, None) => mappings
            .iter()
            .filter(|m| m.csv_header.is_empty())
            .collect(),
    };
    match fits.as_slice() {
        [one] => Ok(one.name.clone()),
        [] => {
            let found = match asked {
                Some(asked) => format!("no mapping {asked:?} for {entity} records"),
                None => format!("no mapping for {entity} records fits"),
            };
            Err(Failure::usage(match names() {
                names if names.is_empty() => format!("{found}; there are none"),
                names => format!("{found}; there are: {names}"),
            }))
        }
        _ => Err(Failure::usage(format!(
            "several mappings fit; name one with --mapping: {}",
            names()
        ))),
    }
}

/// What is wrong in the whole file.
#[derive(Debug, Default)]
struct Report {
    records: u64,
    valid: u64,
    /// Counts by severity, rule and field's last part.
    rules: BTreeMap<(std::cmp::Reverse<i32>, String), (u64, String)>,
}

impl Report {
    /// Counts a record and prints its violations, a line each.
    fn add(&mut self, validation: &Validation) -> Result<(), Failure> {
        self.records += 1;
        self.valid += u64::from(validation.valid);
        for violation in &validation.violations {
            let key = (
                std::cmp::Reverse(violation.severity),
                violation.rule.clone(),
            );
            let entry = self
                .rules
                .entry(key)
                .or_insert_with(|| (0, violation.message.clone()));
            entry.0 += 1;
            #[derive(serde::Serialize)]
            struct Line<'a> {
                record: &'a str,
                #[serde(flatten)]
                violation: output::View,
            }
            output::json_line(&Line {
                record: &validation.record_id,
                violation: output::View::of(violation)?,
            })?;
        }
        Ok(())
    }

    fn print(&self, common: &Common, scope: &str) -> Result<(), Failure> {
        let invalid = self.records - self.valid;
        match common.output {
            Output::Json => {
                let rules: Vec<_> = self
                    .rules
                    .iter()
                    .map(|((severity, rule), (count, _))| {
                        serde_json::json!({"rule": rule, "severity": word(severity.0), "count": count})
                    })
                    .collect();
                let summary = serde_json::json!({"summary": {
                    "scope": scope, "records": self.records, "valid": self.valid,
                    "invalid": invalid, "rules": rules,
                }});
                output::json_line(&summary)?;
            }
            Output::Text | Output::Junit => {
                output::line("")?;
                output::table(
                    ["severity", "rule", "records", "such as"],
                    self.rules
                        .iter()
                        .map(|((severity, rule), (count, example))| {
                            [
                                word(severity.0),
                                rule.clone(),
                                count.to_string(),
                                example.clone(),
                            ]
                        }),
                )?;
                output::line(&format!(
                    "{} at {scope}: {} fit for use, {invalid} with errors",
                    output::count(self.records, "record"),
                    self.valid
                ))?;
            }
        }
        if invalid > 0 {
            Err(Failure::said(Exit::Invalid))
        } else {
            Ok(())
        }
    }
}

fn word(severity: i32) -> String {
    Severity::try_from(severity).map_or_else(
        |_| severity.to_string(),
        |s| s.as_str_name().trim_start_matches("SEVERITY_").to_owned(),
    )
}
