//! Changes as people and programs read them.

use contracts::{
    policy::{
        Backtest, Change, ChangeProblem, ChangeReview, ChangeState, ChangeTests,
        PlanChangeResponse, ScopeDifference, Waiver,
    },
    types::ApprovalRequirement,
};

use crate::{
    args::{Common, Output},
    failure::Failure,
    output,
};

/// Lines of one kind that are printed; JSON has all.
const MAX_LINES: usize = 20;

pub(super) fn list_json(found: &[Change]) -> Result<(), Failure> {
    #[derive(serde::Serialize)]
    struct Listed {
        changes: Vec<output::View>,
    }
    let changes = found
        .iter()
        .map(output::View::of)
        .collect::<Result<_, _>>()?;
    output::json(&Listed { changes })
}

pub fn list(found: &[Change]) -> Result<(), Failure> {
    output::table(
        [
            "change", "state", "title", "by", "scopes", "lacks", "updated",
        ],
        found.iter().map(|change| {
            [
                output::id(&change.name).to_owned(),
                state(change.state()).to_owned(),
                change.title.clone(),
                change
                    .editors
                    .iter()
                    .map(|who| who.subject.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
                change.scopes.join(", "),
                needed(&change.missing_approvals),
                output::time(change.update_time.as_ref()),
            ]
        }),
    )?;
    output::line(&output::count(
        i64::try_from(found.len()).unwrap_or(i64::MAX),
        "change",
    ))
}

pub fn waivers(common: &Common, found: &[Waiver]) -> Result<(), Failure> {
    if common.output == Output::Json {
        #[derive(serde::Serialize)]
        struct Listed {
            waivers: Vec<output::View>,
        }
        let waivers = found
            .iter()
            .map(output::View::of)
            .collect::<Result<_, _>>()?;
        return output::json(&Listed { waivers });
    }
    output::table(
        [
            "waiver", "state", "policy", "row", "scope", "for", "until", "uses", "why",
        ],
        found.iter().map(|waiver| {
            let state = waiver.state().as_str_name();
            [
                output::id(&waiver.name).to_owned(),
                state.trim_start_matches("WAIVER_STATE_").to_owned(),
                output::id(&waiver.policy).to_owned(),
                waiver.row.clone(),
                waiver.scope.clone(),
                waiver.beneficiary.clone(),
                output::time(waiver.expire_time.as_ref()),
                waiver.uses.to_string(),
                waiver.reason.clone(),
            ]
        }),
    )?;
    output::line(&output::count(
        i64::try_from(found.len()).unwrap_or(i64::MAX),
        "waiver",
    ))
}

pub(super) fn plan(common: &Common, plan: &PlanChangeResponse) -> Result<(), Failure> {
    if common.output == Output::Json {
        return output::message(plan);
    }
    let mut counts = [("NEW", 0), ("CHANGED", 0), ("DELETED", 0), ("SAME", 0)];
    for item in &plan.items {
        for (action, count) in &mut counts {
            if item.action == *action {
                *count += 1;
            }
        }
        let sign = match item.action.as_str() {
            "NEW" => "+",
            "CHANGED" => "~",
            "DELETED" => "-",
            _ => continue,
        };
        let version = match item.replaces_version {
            0 => String::new(),
            version => format!(" (version {version})"),
        };
        output::line(&format!("{sign} {} {}{version}", item.kind, item.name))?;
    }
    if let Some(found) = &plan.review {
        review(found)?;
    }
    output::line(&format!(
        "\nPlan: {} to add, {} to change, {} to take away, {} as they are.",
        counts[0].1, counts[1].1, counts[2].1, counts[3].1
    ))
}

/// A change; with `all`, what it does and what happened to it.
pub(super) fn change(common: &Common, change: &Change, all: bool) -> Result<(), Failure> {
    if common.output == Output::Json {
        return output::message(change);
    }
    output::line(&format!(
        "{} is {}: {}",
        change.name,
        state(change.state()),
        change.title
    ))?;
    if all {
        output::line(&format!("  why        {}", change.reason))?;
        for item in &change.items {
            output::line(&format!(
                "  {:<10} {} {}",
                item.action.to_lowercase(),
                item.kind,
                item.name
            ))?;
        }
        if let Some(found) = &change.review {
            review(found)?;
        }
        if let Some(found) = &change.tests {
            tests(found)?;
        }
        if let Some(found) = &change.backtest {
            backtest(found)?;
        }
        output::line("")?;
    }
    if !change.digest.is_empty() {
        output::line(&format!("  digest     {}", change.digest))?;
    }
    if change.activate_time.is_some() {
        output::line(&format!(
            "  at         {}",
            output::time(change.activate_time.as_ref())
        ))?;
    }
    for given in &change.approvals {
        let who = given.approver.as_ref().map_or("", |who| &who.subject);
        output::line(&format!(
            "  approved   by {who}, until {}",
            output::time(given.expire_time.as_ref())
        ))?;
    }
    if let Some(rollback) = &change.rollback {
        rolled_back(rollback)?;
    }
    if all {
        for step in &change.history {
            let who = step.by.as_ref().map_or("the service", |who| &who.subject);
            output::line(&format!(
                "  {}  {:<11} {who}{}",
                output::time(step.time.as_ref()),
                state(step.state()),
                if step.comment.is_empty() {
                    String::new()
                } else {
                    format!(": {}", step.comment)
                }
            ))?;
        }
    }
    next(change)
}

/// What is to be done with it, and by whom.
fn next(change: &Change) -> Result<(), Failure> {
    let id = output::id(&change.name);
    let told = match change.state() {
        ChangeState::Checked if change.tests.is_some() => {
            format!("next: edit its files or its tests, then `bylaw change edit {id} PATH…`")
        }
        ChangeState::Draft => format!("next: edit its files, then `bylaw change edit {id} PATH…`"),
        ChangeState::Checked | ChangeState::Tested => format!("next: `bylaw change review {id}`"),
        ChangeState::Backtested => format!(
            "next: {} must approve, none of them an editor: `bylaw change approve {id}`",
            needed(&change.missing_approvals)
        ),
        ChangeState::Approved if change.activate_time.is_some() => format!(
            "next: an activator, who neither edited nor approved it: `bylaw change schedule {id}`"
        ),
        ChangeState::Approved => format!(
            "next: an activator, who neither edited nor approved it: `bylaw change activate {id}`"
        ),
        ChangeState::Active => format!("in force since revision {}", change.revision),
        _ => return Ok(()),
    };
    output::line(&told)
}

fn rolled_back(rollback: &contracts::policy::ChangeRollback) -> Result<(), Failure> {
    let who = rollback.requester.as_ref().map_or("", |who| &who.subject);
    if rollback.revision == 0 {
        return output::line(&format!(
            "  rollback   asked for by {who}: it loosens, so a second person does it within an hour"
        ));
    }
    output::line(&format!(
        "  rollback   asked for by {who}: {}",
        rollback.reason
    ))?;
    if rollback.follow_up_time.is_some() {
        let until = output::time(rollback.follow_up_time.as_ref());
        output::line(&format!(
            "  follow-up  a change must settle this until {until}"
        ))?;
    }
    Ok(())
}

fn state(state: ChangeState) -> &'static str {
    state.as_str_name().trim_start_matches("CHANGE_STATE_")
}

fn needed(requirements: &[ApprovalRequirement]) -> String {
    let each = requirements
        .iter()
        .map(|r| format!("{} {}@{}", r.count, r.role, r.at));
    each.collect::<Vec<_>>().join(", ")
}

fn review(review: &ChangeReview) -> Result<(), Failure> {
    problems("  error", &review.problems)?;
    problems("  warning", &review.warnings)?;
    if !review.problems.is_empty() {
        return Ok(());
    }
    for text in &review.definitions {
        output::line(&format!("  {text}"))?;
    }
    for found in &review.differences {
        difference(found)?;
    }
    output::line(
        match (
            review.loosens,
            review.differences.is_empty() && review.definitions.is_empty(),
        ) {
            (true, _) => "  It loosens.",
            (false, true) => "  No answer changes.",
            (false, false) => "  It loosens nothing.",
        },
    )
}

fn problems(what: &str, found: &[ChangeProblem]) -> Result<(), Failure> {
    for problem in found.iter().take(MAX_LINES) {
        let place = match (problem.line, problem.column) {
            (0, _) => problem.path.clone(),
            (line, 0) => format!("{}:{line}", problem.path),
            (line, column) => format!("{}:{line}:{column}", problem.path),
        };
        output::line(&format!("{what}: {place}: {}", problem.message))?;
    }
    more(found.len(), what.trim())
}

fn more(count: usize, what: &str) -> Result<(), Failure> {
    match count.saturating_sub(MAX_LINES) {
        0 => Ok(()),
        more => output::line(&format!(
            "  and {more} more: {what} (--output json has all)"
        )),
    }
}

fn difference(found: &ScopeDifference) -> Result<(), Failure> {
    output::line(&format!(
        "\n  {} at {}",
        found.workflow,
        found.scopes.join(", ")
    ))?;
    output::table(
        ["    change", "where", "before", "after"],
        found.regions.iter().take(MAX_LINES).map(|region| {
            [
                format!("    {}", region.change),
                region.region.clone(),
                region.before.clone(),
                region.after.clone(),
            ]
        }),
    )?;
    let all = usize::try_from(found.region_count).unwrap_or(0);
    more(all, "regions")?;
    for open in found.undecided.iter().take(MAX_LINES) {
        output::line(&format!("    undecided, and counted as looser: {open}"))?;
    }
    Ok(())
}

fn tests(tests: &ChangeTests) -> Result<(), Failure> {
    let covered = tests.rows - i64::try_from(tests.uncovered_rows.len()).unwrap_or(0);
    output::line(&format!(
        "\n  {}, {} failed; {covered} of {} rows covered",
        output::count(tests.run, "test"),
        tests.failures.len(),
        tests.rows
    ))?;
    problems("  failed", &tests.failures)?;
    for row in tests.uncovered_rows.iter().take(MAX_LINES) {
        output::line(&format!("  no test hits {row}"))?;
    }
    more(tests.uncovered_rows.len(), "rows without a test")
}

fn backtest(found: &Backtest) -> Result<(), Failure> {
    output::line(&format!(
        "\n  {} since {} decided again: {} looser, {} tighter or other, {} can't be",
        output::count(found.decisions, "decision"),
        output::time(found.from_time.as_ref()),
        found.looser,
        found.tighter,
        found.not_replayable
    ))?;
    if !found.cells.is_empty() {
        let effect = |effect: contracts::types::Effect| {
            effect
                .as_str_name()
                .trim_start_matches("EFFECT_")
                .to_owned()
        };
        output::table(
            [
                "    as in force",
                "as it would be",
                "decisions",
                "of them changed",
            ],
            found.cells.iter().map(|cell| {
                [
                    format!("    {}", effect(cell.before())),
                    effect(cell.after()),
                    cell.decisions.to_string(),
                    cell.changed.to_string(),
                ]
            }),
        )?;
    }
    for sample in found.samples.iter().take(5) {
        output::line(&format!(
            "    {} ({}): {} would be {}",
            sample.correlation_id, sample.scope, sample.before, sample.after
        ))?;
    }
    Ok(())
}
