//! The tests of a change: those of every workflow that it touches, against what would be in
//! force.

use std::collections::BTreeSet;

use governance::{
    files::suite::{self as tests, POLICY_TEST},
    suite::{Report, run},
};
use service_kit::{
    error::{Error, Result},
    identity::Caller,
};
use uuid::Uuid;

use super::{App, Shown, review::Reviewed};
use crate::{
    app::permission,
    domain::change::{Problem, Tests},
};

/// Rows without a test that are listed.
const MAX_LISTED: usize = 1_000;

impl App {
    /// Runs the tests of a change.
    ///
    /// # Errors
    /// For a change that isn't CHECKED.
    pub async fn test_change(&self, caller: &Caller, id: Uuid, etag: &str) -> Result<Shown> {
        let editor = self.editor(caller)?;
        let mut change = self
            .open(caller, permission::PROPOSE_CHANGE, id, etag)
            .await?;
        let before = change.clone();
        let snapshot = self.current()?;
        let items = change.items.clone();
        let reviewed = self.review(snapshot, items, change.activate).await?;
        let now = self.clock.now();
        let tests = if reviewed.review.digest == change.digest() {
            let task = tokio::task::spawn_blocking(move || test(&reviewed));
            task.await.map_err(Error::internal)?
        } else {
            return Err(outdated(&change.name()));
        };
        change
            .tested(&editor, tests, now)
            .map_err(|why| Self::refuse_change(&before, why))?;
        self.keep_change(caller, "tested", &before, change).await
    }
}

/// What was checked isn't what would come into force any more.
pub(super) fn outdated(name: &str) -> Error {
    Error::illegal_state(format!(
        "{name}: what is in force has changed since its check; check it again"
    ))
    .with_metadata("resource", name)
}

fn test(reviewed: &Reviewed) -> Tests {
    let Some(after) = &reviewed.after else {
        return Tests::default();
    };
    let touched: BTreeSet<_> = reviewed.review.workflows.iter().collect();
    let suites: Vec<_> = reviewed
        .overlaid
        .documents
        .iter()
        .filter(|document| document.kind == POLICY_TEST)
        .filter_map(|document| tests::read(&document.source()).ok())
        .filter(|suite| touched.contains(&suite.workflow.to_string()))
        .collect();
    let report = run(after, &suites);
    let tested: BTreeSet<_> = suites.iter().map(|suite| suite.workflow.clone()).collect();
    let untested = after
        .policies()
        .values()
        .filter(|policy| touched.contains(&policy.workflow.to_string()))
        .filter(|policy| !tested.contains(&policy.workflow));
    let untested: Vec<_> = untested
        .flat_map(|policy| {
            let rows = policy.rows.iter();
            rows.map(|row| format!("{}/{}", policy.name, row.id))
        })
        .collect();
    outcome(&report, untested)
}

fn outcome(report: &Report, untested: Vec<String>) -> Tests {
    let failures = report.failed().map(|failed| Problem {
        path: failed.path.clone(),
        line: failed.line,
        column: 0,
        message: format!("{}: {}", failed.name, failed.failures.join("; ")),
    });
    let uncovered = report.uncovered.iter();
    let uncovered = uncovered.map(|(policy, row)| format!("{policy}/{row}"));
    Tests {
        run: report.results.len(),
        failures: failures.take(MAX_LISTED).collect(),
        rows: report.rows + untested.len(),
        uncovered: uncovered.chain(untested).take(MAX_LISTED).collect(),
    }
}
