//! `bylaw council`.

use clap::Subcommand;
use contracts::policy::GetCouncilReportRequest;

use super::change::show;
use crate::{
    args::{Common, Output},
    connect::{Session, Wants},
    failure::Failure,
    output,
};

/// `bylaw council`.
#[derive(Debug, Subcommand)]
pub enum CouncilCommand {
    /// Open changes and waivers, how changes went, and who owns which policies
    Report,
}

pub async fn run(common: &Common, command: &CouncilCommand) -> Result<(), Failure> {
    let CouncilCommand::Report = command;
    let session = Session::open(common, Wants::permission("policy.report.read")).await?;
    let request = GetCouncilReportRequest::default();
    let report = session
        .reports()
        .get_council_report(request)
        .await?
        .into_inner();
    if common.output == Output::Json {
        return output::message(&report);
    }
    output::line("Open changes")?;
    show::list(&report.open_changes)?;
    output::line("\nWaivers that hold")?;
    show::waivers(common, &report.waivers)?;
    let days = |time: Option<&prost_types::Duration>| {
        time.map_or_else(
            || "none".to_owned(),
            |time| {
                format!(
                    "{}.{} d",
                    time.seconds / 86_400,
                    time.seconds % 86_400 / 8_640
                )
            },
        )
    };
    output::line(&format!(
        "\nSince {}: {} in force, {} held for 14 days, {} taken back; from proposal to force: half within {}, nine of ten within {}",
        output::time(report.from_time.as_ref()),
        output::count(report.activated, "change"),
        report.succeeded,
        report.rolled_back,
        days(report.lead_time_p50.as_ref()),
        days(report.lead_time_p90.as_ref()),
    ))?;
    for follow_up in &report.follow_ups {
        output::line(&format!(
            "  {} was taken back and loosened: a change must follow until {}",
            follow_up.change,
            output::time(follow_up.until.as_ref())
        ))?;
    }
    output::line("")?;
    output::table(
        ["owner", "workflows", "policies", "oldest since"],
        report.owners.iter().map(|owned| {
            [
                owned.owner.clone(),
                owned.workflows.to_string(),
                owned.policies.to_string(),
                output::time(owned.oldest_time.as_ref()),
            ]
        }),
    )
}
