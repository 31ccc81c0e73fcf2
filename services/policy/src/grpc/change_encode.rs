//! Changes to responses.

use approval::{Requirement, Subject};
use contracts::{
    policy::{
        self as wire, BacktestCell, BacktestChangeResponse, BacktestSample, ChangeApproval,
        ChangeItem, ChangeProblem, ChangeReview, ChangeRollback, ChangeState, ChangeStep,
        ChangeTests, ExportStateResponse, PlanChangeResponse, RegionDifference,
    },
    time::timestamp,
    types::{ApprovalRequirement, Grant, Principal, PrincipalKind},
};

use super::encode::{effect, signed};
use crate::{
    app::change::{Plan, Progress, Shown},
    domain::{
        change::{
            Action, Backtest, Given, Item, Problem, Review, Rollback, ScopeDifference, State, Step,
            Tests,
        },
        snapshot::Document,
    },
};

pub(super) fn change(shown: Shown) -> wire::Change {
    let Shown {
        change,
        actions,
        missing,
    } = shown;
    let (name, etag, digest) = (change.name(), change.etag(), change.digest().to_owned());
    let required = change.required().iter().cloned().map(requirement).collect();
    let items = change.items.into_iter().zip(actions);
    wire::Change {
        name,
        title: change.title,
        reason: change.reason,
        state: state(change.state).into(),
        items: items
            .map(|(item, (action, version))| self::item(item, action, version))
            .collect(),
        activate_time: change.activate.map(timestamp),
        digest,
        editors: change.editors.into_iter().map(person).collect(),
        scopes: change.scopes.iter().map(ToString::to_string).collect(),
        review: change.review.map(review),
        tests: change.tests.map(tests),
        backtest: change.backtest.map(backtest),
        required_approvals: required,
        missing_approvals: missing.into_iter().map(requirement).collect(),
        approvals: change.approvals.into_iter().map(approval).collect(),
        history: change.history.into_iter().map(step).collect(),
        revision: signed(change.revision.unwrap_or(0)),
        rollback: change.rollback.map(rollback),
        create_time: Some(timestamp(change.created)),
        update_time: Some(timestamp(change.updated)),
        etag,
    }
}

/// Without what may be long, as lists have it: documents, findings and history.
pub(super) fn listed(shown: Shown) -> wire::Change {
    wire::Change {
        items: Vec::new(),
        review: None,
        tests: None,
        backtest: None,
        history: Vec::new(),
        ..change(shown)
    }
}

pub(super) fn plan(plan: Plan) -> PlanChangeResponse {
    let items = plan.items.into_iter();
    PlanChangeResponse {
        items: items
            .map(|(item, action, version)| self::item(item, action, version))
            .collect(),
        review: Some(review(plan.review)),
    }
}

pub(super) fn progress(progress: Progress) -> BacktestChangeResponse {
    BacktestChangeResponse {
        decisions: signed(progress.decisions),
        total: signed(progress.total),
        change: None,
    }
}

pub(super) fn backtested(shown: Shown) -> BacktestChangeResponse {
    let found = shown.change.backtest.as_ref();
    let decisions = found.map_or(0, |found| found.decisions + found.not_replayable);
    BacktestChangeResponse {
        decisions: signed(decisions),
        total: signed(decisions),
        change: Some(change(shown)),
    }
}

pub(super) fn exported(document: Document, revision: u64) -> ExportStateResponse {
    ExportStateResponse {
        version: signed(document.version),
        revision: signed(revision),
        item: Some(ChangeItem {
            kind: document.kind,
            name: document.name,
            source: document.text.to_string(),
            attachments: document.attachments.into_iter().collect(),
            path: document.path,
            action: String::new(),
            replaces_version: 0,
        }),
    }
}

fn item(item: Item, action: Action, version: u64) -> ChangeItem {
    ChangeItem {
        kind: item.kind,
        name: item.name,
        source: item.text.unwrap_or_default(),
        attachments: item.attachments.into_iter().collect(),
        path: item.path,
        action: action.as_str().to_owned(),
        replaces_version: signed(version),
    }
}

fn state(state: State) -> ChangeState {
    match state {
        State::Draft => ChangeState::Draft,
        State::Checked => ChangeState::Checked,
        State::Tested => ChangeState::Tested,
        State::Backtested => ChangeState::Backtested,
        State::Approved => ChangeState::Approved,
        State::Scheduled => ChangeState::Scheduled,
        State::Active => ChangeState::Active,
        State::Superseded => ChangeState::Superseded,
        State::Rejected => ChangeState::Rejected,
        State::Withdrawn => ChangeState::Withdrawn,
        State::RolledBack => ChangeState::RolledBack,
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn place(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// People alone write, approve and activate.
fn person(who: Subject) -> Principal {
    Principal {
        issuer: who.issuer,
        subject: who.subject,
        kind: PrincipalKind::Person.into(),
        ..Principal::default()
    }
}

fn requirement(needed: Requirement) -> ApprovalRequirement {
    ApprovalRequirement {
        role: needed.role,
        at: needed.at.to_string(),
        count: needed.count,
    }
}

fn approval(given: Given) -> ChangeApproval {
    let approval = given.approval;
    let grants = approval.approver.grants.into_iter().map(|grant| Grant {
        role: grant.role,
        scope: grant.at.to_string(),
    });
    ChangeApproval {
        approver: Some(Principal {
            grants: grants.collect(),
            ..person(approval.approver.who)
        }),
        approve_time: Some(timestamp(approval.given)),
        expire_time: Some(timestamp(approval.expires)),
        digest: approval.digest,
        comment: given.comment,
    }
}

fn step(step: Step) -> ChangeStep {
    ChangeStep {
        state: state(step.state).into(),
        by: step.by.map(person),
        time: Some(timestamp(step.time)),
        comment: step.comment,
    }
}

fn rollback(rollback: Rollback) -> ChangeRollback {
    ChangeRollback {
        requester: Some(person(rollback.requester)),
        request_time: Some(timestamp(rollback.requested)),
        reason: rollback.reason,
        loosens: rollback.loosens,
        revision: signed(rollback.revision.unwrap_or(0)),
        follow_up_time: rollback.follow_up.map(timestamp),
    }
}

fn review(review: Review) -> ChangeReview {
    ChangeReview {
        base_revision: signed(review.base),
        problems: review.problems.into_iter().map(problem).collect(),
        warnings: review.warnings.into_iter().map(problem).collect(),
        loosens: review.loosens,
        differences: review.differences.into_iter().map(difference).collect(),
        definitions: review.definitions,
    }
}

fn problem(problem: Problem) -> ChangeProblem {
    ChangeProblem {
        path: problem.path,
        line: place(problem.line),
        column: place(problem.column),
        message: problem.message,
    }
}

fn difference(difference: ScopeDifference) -> wire::ScopeDifference {
    let regions = difference
        .regions
        .into_iter()
        .map(|region| RegionDifference {
            change: region.change,
            region: region.region,
            witness: region.witness,
            before: region.before,
            after: region.after,
        });
    wire::ScopeDifference {
        workflow: difference.workflow,
        scopes: difference.scopes.iter().map(ToString::to_string).collect(),
        regions: regions.collect(),
        region_count: number(difference.count),
        undecided: difference.undecided,
    }
}

fn tests(tests: Tests) -> ChangeTests {
    ChangeTests {
        run: number(tests.run),
        failures: tests.failures.into_iter().map(problem).collect(),
        rows: number(tests.rows),
        uncovered_rows: tests.uncovered,
    }
}

fn backtest(backtest: Backtest) -> wire::Backtest {
    let cells = backtest.cells.into_iter().map(|cell| BacktestCell {
        before: effect(cell.before).into(),
        after: effect(cell.after).into(),
        decisions: signed(cell.decisions),
        changed: signed(cell.changed),
    });
    let samples = backtest.samples.into_iter().map(|sample| BacktestSample {
        decision: format!("decisions/{}", sample.decision),
        correlation_id: sample.correlation_id,
        scope: sample.scope.to_string(),
        recorded: sample.recorded,
        before: sample.before,
        after: sample.after,
    });
    wire::Backtest {
        from_time: Some(timestamp(backtest.from)),
        decisions: signed(backtest.decisions),
        not_replayable: signed(backtest.not_replayable),
        cells: cells.collect(),
        samples: samples.collect(),
        looser: signed(backtest.looser),
        tighter: signed(backtest.tighter),
        truncated: backtest.truncated,
    }
}
