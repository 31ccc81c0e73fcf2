//! How fast stored decisions are decided again: a change of the generator's own policy, over
//! decisions that were recorded before.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use contracts::policy::{
    BacktestChangeRequest, ChangeItem, CheckChangeRequest, ListPoliciesRequest,
    ProposeChangeRequest, TestChangeRequest, change_service_client::ChangeServiceClient,
    policy_service_client::PolicyServiceClient,
};

use crate::{
    drive::{self, Question},
    suite::{Helper, Suite},
};

/// Decisions of a batch while they are recorded.
const BATCH: usize = 100;
/// Batches in flight meanwhile.
const IN_FLIGHT: usize = 8;

/// Records decisions for so long, then tries a change on all of them.
pub async fn run(bylaw: &std::path::Path, seconds: u64, rounds: usize) -> anyhow::Result<()> {
    let sink = Helper::start(&["sink".into()])?;
    let suite = Suite::start(bylaw, &sink.addr)?;
    let batch = Question::batch("bench/kept/unit", BATCH);
    let time = Duration::from_secs(seconds);
    let kept = drive::measure(&suite.addr, &suite.token()?, &batch, IN_FLIGHT, time).await?;
    println!(
        "{:.0} decisions/s recorded durably, in batches of {BATCH}",
        kept.rate
    );
    let token = drive::bearer(&suite.editor()?)?;
    let channel = drive::connect(&suite.addr).await?;
    let mut policies = PolicyServiceClient::new(channel.clone());
    let all = policies
        .list_policies(drive::signed(&token, ListPoliciesRequest::default()))
        .await?
        .into_inner();
    let policy = all.policies.first().context("no policy")?;
    let mut changes = ChangeServiceClient::new(channel);
    for _ in 0..rounds {
        let request = ProposeChangeRequest {
            title: "measured".to_owned(),
            reason: "to be measured".to_owned(),
            items: vec![ChangeItem {
                source: format!("{}\ndescription: measured\n", policy.source),
                ..ChangeItem::default()
            }],
            ..ProposeChangeRequest::default()
        };
        let name = changes
            .propose_change(drive::signed(&token, request))
            .await?;
        let name = name.into_inner().name;
        let check = CheckChangeRequest {
            name: name.clone(),
            etag: String::new(),
        };
        changes.check_change(drive::signed(&token, check)).await?;
        let test = TestChangeRequest {
            name: name.clone(),
            etag: String::new(),
        };
        changes.test_change(drive::signed(&token, test)).await?;
        let request = BacktestChangeRequest {
            name,
            max_decisions: 10_000_000,
            ..BacktestChangeRequest::default()
        };
        let began = Instant::now();
        let mut stream = changes
            .backtest_change(drive::signed(&token, request))
            .await?
            .into_inner();
        let mut decided = 0;
        while let Some(message) = stream.message().await? {
            decided = decided.max(message.decisions);
        }
        let taken = began.elapsed();
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = decided as f64 / taken.as_secs_f64();
        println!(
            "{decided} decisions decided again in {:.2} s: {rate:.0}/s",
            taken.as_secs_f64()
        );
    }
    println!("suite: {} KiB resident after it", suite.resident_kib()?);
    Ok(())
}
