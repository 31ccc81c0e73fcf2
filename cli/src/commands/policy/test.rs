//! `bylaw policy test`.

use std::collections::BTreeMap;

use governance::suite::{self, CaseResult, Report};
use serde::Serialize;

use super::{Test, junit, load::Loaded};
use crate::{
    args::Output,
    failure::{Exit, Failure},
    output,
};

pub fn run(form: Output, args: &Test) -> Result<(), Failure> {
    let loaded = Loaded::open(std::slice::from_ref(&args.path))?;
    let suites = loaded.suites().map_err(|found| loaded.unusable(&found))?;
    if suites.is_empty() {
        return Err(Failure {
            exit: Exit::Untested,
            message: format!(
                "{}: no tests; a document of `kind: PolicyTest` holds some",
                args.path.display()
            ),
        });
    }
    let bundle = loaded.bundle().map_err(|found| loaded.unusable(&found))?;
    let report = suite::run(&bundle, &suites);
    match form {
        Output::Text => text(&report)?,
        Output::Json => output::json(&Printed::of(&report))?,
        Output::Junit => output::raw(&junit::report(&report)?)?,
    }
    if report.failed().next().is_some() {
        Err(Failure::said(Exit::Untested))
    } else {
        Ok(())
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
    if !report.uncovered.is_empty() {
        output::line("")?;
        output::line("rows that no test reaches:")?;
        for (policy, row) in &report.uncovered {
            output::line(&format!("  {policy}  {row}"))?;
        }
    }
    let failed = report.failed().count() as u64;
    let passed = report.results.len() as u64 - failed;
    output::line("")?;
    output::line(&format!(
        "{passed} passed, {failed} failed; {} of {} reached",
        report.rows - report.uncovered.len(),
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
    unreached: Vec<Unreached<'r>>,
}

#[derive(Serialize)]
struct Unreached<'r> {
    policy: &'r str,
    row: &'r str,
}

impl<'r> Printed<'r> {
    fn of(report: &'r Report) -> Self {
        let failed = report.failed().count();
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
                reached: report.rows - report.uncovered.len(),
                unreached: report
                    .uncovered
                    .iter()
                    .map(|(policy, row)| Unreached { policy, row })
                    .collect(),
            },
        }
    }
}
