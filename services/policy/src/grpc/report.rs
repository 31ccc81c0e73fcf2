//! `bylaw.policy.v1.ReportService`.

use chrono::TimeDelta;
use contracts::{
    policy::{
        CouncilReport, FollowUp, GetCouncilReportRequest, OwnedPolicies,
        report_service_server::ReportService,
    },
    time::timestamp,
};
use service_kit::identity::caller;
use tonic::{Request, Response, Status};

use super::{Handler, change_decode as decode, change_encode, encode::signed, waiver};
use crate::app::council::Report;

#[tonic::async_trait]
impl ReportService for Handler {
    async fn get_council_report(
        &self,
        request: Request<GetCouncilReportRequest>,
    ) -> Result<Response<CouncilReport>, Status> {
        let caller = caller(&request)?;
        let from = decode::time("from_time", request.get_ref().from_time)?;
        let report = self.0.council_report(&caller, from).await?;
        Ok(Response::new(encoded(report)))
    }
}

fn encoded(report: Report) -> CouncilReport {
    let record = report.record;
    let duration = |time: TimeDelta| prost_types::Duration {
        seconds: time.num_seconds(),
        nanos: 0,
    };
    let follow_ups = record.follow_ups.iter().map(|(change, until)| FollowUp {
        change: format!("changes/{change}"),
        until: Some(timestamp(*until)),
    });
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let owners = report
        .owners
        .into_iter()
        .map(|(owner, owned)| OwnedPolicies {
            owner,
            workflows: number(owned.workflows),
            policies: number(owned.policies),
            oldest_time: owned.oldest.map(timestamp),
        });
    CouncilReport {
        open_changes: report.open.into_iter().map(change_encode::listed).collect(),
        waivers: report.waivers.into_iter().map(waiver::waiver).collect(),
        activated: signed(record.activated),
        rolled_back: signed(record.rolled_back),
        succeeded: signed(record.succeeded),
        lead_time_p50: record.median.map(duration),
        lead_time_p90: record.ninetieth.map(duration),
        follow_ups: follow_ups.collect(),
        owners: owners.collect(),
        from_time: Some(timestamp(report.from)),
    }
}
