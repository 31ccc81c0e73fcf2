//! `bylaw policy test`.

use std::{collections::BTreeMap, path::Path};

use governance::suite::{self, CaseResult};
use serde::Serialize;

use super::{
    Test, junit,
    load::Loaded,
    source,
    tables::{self, Row},
};
use crate::{
    args::Output,
    commands::input,
    failure::{Exit, Failure},
    output,
};

pub fn run(form: Output, args: &Test) -> Result<(), Failure> {
    let piped = args.path == Path::new("-");
    let loaded = match piped {
        true => Loaded::piped(&source::text(&args.path)?)?,
        false => Loaded::open(std::slice::from_ref(&args.path))?,
    };
    let suites = loaded.suites().map_err(|found| loaded.unusable(&found))?;
    if piped && !suites.is_empty() {
        return Err(Failure::usage(
            "tests of policies are run from their file, which stands with the policies; standard \
             input may hold those of tables and models (`kind: TableTest`)",
        ));
    }
    let tables = tables::run(&loaded)?;
    if suites.is_empty() && tables.is_none() {
        return Err(Failure {
            exit: Exit::Untested,
            message: format!(
                "{}: no tests; a document of `kind: PolicyTest` or `TableTest` holds some",
                input::shown(&args.path)
            ),
        });
    }
    let mut report = Report::default();
    if !suites.is_empty() {
        let bundle = loaded.bundle().map_err(|found| loaded.unusable(&found))?;
        report.add_policies(suite::run(&bundle, &suites));
    }
    report.add_tables(tables.unwrap_or_default());
    match form {
        Output::Text => text(&report)?,
        Output::Json => output::json(&Printed::of(&report))?,
        Output::Junit => output::raw(&junit::report(&report.results)?)?,
    }
    if report.failed() > 0 {
        Err(Failure::said(Exit::Untested))
    } else {
        Ok(())
    }
}

/// What became of all tests, whatever they test.
#[derive(Default)]
struct Report {
    results: Vec<CaseResult>,
    unreached: Vec<Unreached>,
    rows: usize,
}

/// A row that no test reaches.
#[derive(Serialize)]
#[serde(untagged)]
enum Unreached {
    Policy {
        policy: String,
        row: String,
    },
    Table {
        file: String,
        table: String,
        row: String,
    },
}

impl Report {
    fn add_policies(&mut self, report: suite::Report) {
        self.results.extend(report.results);
        self.rows += report.rows;
        let uncovered = report.uncovered.into_iter();
        self.unreached
            .extend(uncovered.map(|(policy, row)| Unreached::Policy {
                policy: policy.to_string(),
                row: row.to_string(),
            }));
    }

    fn add_tables(&mut self, report: tables::Report) {
        self.results.extend(report.results);
        self.rows += report.rows;
        let uncovered = report.uncovered.into_iter();
        self.unreached
            .extend(uncovered.map(|Row { file, table, row }| Unreached::Table {
                file,
                table,
                row,
            }));
    }

    fn failed(&self) -> usize {
        let failed = |result: &&CaseResult| !result.failures.is_empty();
        self.results.iter().filter(failed).count()
    }

    fn reached(&self) -> usize {
        self.rows - self.unreached.len()
    }
}

fn text(report: &Report) -> Result<(), Failure> {
    let mut files: BTreeMap<&str, Vec<&CaseResult>> = BTreeMap::new();
    for result in &report.results {
        files.entry(&result.path).or_default().push(result);
    }
    for (path, results) in files {
        output::line(path)?;
        for result in results {
            let mark = if result.failures.is_empty() {
                "ok  "
            } else {
                "FAIL"
            };
            output::line(&format!("  {mark} {}", result.name))?;
            for failure in &result.failures {
                output::line(&format!("       line {}: {failure}", result.line))?;
            }
        }
    }
    if !report.unreached.is_empty() {
        output::line("")?;
        output::line("rows that no test reaches:")?;
        for unreached in &report.unreached {
            output::line(&match unreached {
                Unreached::Policy { policy, row } => format!("  {policy}  {row}"),
                Unreached::Table { file, table, row } => format!("  {file}: {table}  {row}"),
            })?;
        }
    }
    let failed = report.failed();
    let passed = report.results.len() - failed;
    output::line("")?;
    output::line(&format!(
        "{passed} passed, {failed} failed; {} of {} reached",
        report.reached(),
        output::count(report.rows as u64, "row")
    ))
}

/// The report as JSON.
#[derive(Serialize)]
struct Printed<'r> {
    passed: usize,
    failed: usize,
    tests: Vec<PrintedTest<'r>>,
    coverage: Coverage<'r>,
}

#[derive(Serialize)]
struct PrintedTest<'r> {
    file: &'r str,
    line: usize,
    name: &'r str,
    passed: bool,
    failures: &'r [String],
}

#[derive(Serialize)]
struct Coverage<'r> {
    rows: usize,
    reached: usize,
    unreached: &'r [Unreached],
}

impl<'r> Printed<'r> {
    fn of(report: &'r Report) -> Self {
        let failed = report.failed();
        Self {
            passed: report.results.len() - failed,
            failed,
            tests: report
                .results
                .iter()
                .map(|result| PrintedTest {
                    file: &result.path,
                    line: result.line,
                    name: &result.name,
                    passed: result.failures.is_empty(),
                    failures: &result.failures,
                })
                .collect(),
            coverage: Coverage {
                rows: report.rows,
                reached: report.reached(),
                unreached: &report.unreached,
            },
        }
    }
}
