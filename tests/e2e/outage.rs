//! Without Redis or the log, things get later, never wrong; without the database, calls
//! are refused clearly, and go on by themselves when it is back.

use std::time::{Duration, Instant};

use contracts::exceptions::IngestOutcome;
use service_kit::{Kind, Reason};
use testkit::eventually_ok;

use crate::suite::{SOON, Suite, assert_complete, order};

/// A service's health page says that its outbox waits, and holds this text.
async fn says(suite: &Suite, service: &str, text: &str) {
    eventually_ok(SOON, || async {
        let page = suite.processes.service(service).page("/readyz");
        match page {
            Some((200, body)) if body.contains("DEGRADED") && body.contains(text) => Ok(()),
            other => Err(format!("{other:?} doesn't say {text:?}")),
        }
    })
    .await;
}

async fn report(suite: &Suite, numbers: std::ops::Range<u32>) {
    let mut erp = suite.erp();
    for number in numbers {
        let outcome = erp.report(number).await;
        assert_eq!(outcome.unwrap(), IngestOutcome::Accepted, "order {number}");
    }
}

/// The records of the orders are in the log, in the order of their reports.
async fn all_recorded(suite: &Suite, count: u32) {
    suite.delivered(&["exceptions", "audit"]).await;
    let log = suite.log().await;
    assert_complete(&log);
    let recorded: Vec<_> = log
        .iter()
        .filter(|line| line.r#type == "bylaw.exceptions.exception.raised.v1")
        .map(|line| line.correlationid.clone())
        .collect();
    assert_eq!(recorded, (1..=count).map(order).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_wait_while_the_log_is_down() {
    let suite = Suite::start(&["audit", "exceptions"], "");
    report(&suite, 1..6).await;
    suite.delivered(&["exceptions", "audit"]).await;
    suite.processes.service("audit").kill();
    report(&suite, 6..31).await;
    assert!(suite.waiting("exceptions") >= 25);
    says(&suite, "exceptions", "wait for the audit log").await;
    let metrics = suite
        .processes
        .service("exceptions")
        .page("/metrics")
        .unwrap()
        .1;
    assert!(metrics.contains("bylaw_outbox_rows"), "{metrics}");
    suite.processes.service("audit").launch();
    suite.processes.service("audit").wait_until_ready();
    all_recorded(&suite, 30).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_wait_while_redis_is_down_and_survive_its_loss() {
    let suite = Suite::start(&["audit", "exceptions"], "");
    report(&suite, 1..6).await;
    suite.redis.stop();
    report(&suite, 6..21).await;
    says(&suite, "exceptions", "event stream").await;
    // It comes back empty.
    suite.redis.resume();
    report(&suite, 21..26).await;
    all_recorded(&suite, 25).await;
}

/// How long the database is away, in seconds, by `BYLAW_OUTAGE_SECONDS`.
fn outage() -> Duration {
    let seconds = std::env::var("BYLAW_OUTAGE_SECONDS");
    let seconds = seconds.map_or(6, |text| text.parse().expect("a number of seconds"));
    Duration::from_secs(seconds)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_refused_while_the_database_is_away_and_go_on_after() {
    let suite = Suite::start(&["audit", "exceptions"], "");
    report(&suite, 1..11).await;
    suite.postgres.stop();
    let (away, mut erp, mut refused) = (Instant::now(), suite.erp(), 0);
    while away.elapsed() < outage() || refused < 2 {
        let began = Instant::now();
        let error = erp.report(11).await.unwrap_err();
        assert!(
            began.elapsed() < Duration::from_secs(9),
            "{:?}",
            began.elapsed()
        );
        assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
        assert_eq!(error.reason(), Reason::StoreUnavailable, "{error:?}");
        refused += 1;
    }
    assert!(suite.processes.service("exceptions").runs());
    assert!(suite.processes.service("audit").runs());
    suite.postgres.resume();
    eventually_ok(SOON, || {
        let mut erp = suite.erp();
        async move { erp.report(11).await }
    })
    .await;
    report(&suite, 12..21).await;
    all_recorded(&suite, 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_hangs_holds_no_call_beyond_its_deadline() {
    let suite = Suite::start(&["audit", "exceptions"], "");
    report(&suite, 1..6).await;
    suite.postgres.freeze();
    let (began, mut erp) = (Instant::now(), suite.erp());
    let error = erp.report(6).await.unwrap_err();
    assert!(
        began.elapsed() < Duration::from_secs(12),
        "{:?}",
        began.elapsed()
    );
    assert!(
        matches!(error.kind(), Kind::Unavailable | Kind::DeadlineExceeded),
        "{error:?}"
    );
    suite.postgres.thaw();
    eventually_ok(SOON, || {
        let mut erp = suite.erp();
        async move { erp.report(6).await }
    })
    .await;
    all_recorded(&suite, 6).await;
}
