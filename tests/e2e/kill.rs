//! A replica can be killed at any moment: nothing acknowledged is missing, nothing is
//! done twice, and the log verifies.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use contracts::exceptions::IngestOutcome;
use testkit::eventually;

use crate::suite::{Erp, Suite, assert_complete, order};

/// Callers at the same time.
const CALLERS: usize = 4;

/// Kills, by `BYLAW_KILL_CYCLES`.
fn cycles() -> u32 {
    let cycles = std::env::var("BYLAW_KILL_CYCLES");
    cycles.map_or(20, |text| {
        text.parse().expect("BYLAW_KILL_CYCLES is a number")
    })
}

/// What callers know when they end.
#[derive(Default)]
struct Known {
    /// Answered as taken in.
    acknowledged: BTreeSet<u32>,
    /// Given up without an answer: may or may not have been taken in.
    unknown: BTreeSet<u32>,
}

/// Reports orders until told to stop. Half of those that fail are repeated until they
/// are acknowledged; the others are given up.
async fn call(mut erp: Erp, numbers: Arc<AtomicU32>, stop: Arc<AtomicBool>) -> Known {
    let mut known = Known::default();
    while !stop.load(Ordering::Relaxed) {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        let mut attempts = 0;
        loop {
            attempts += 1;
            match erp.report(number).await {
                Ok(IngestOutcome::Accepted) => {
                    known.acknowledged.insert(number);
                    break;
                }
                Ok(IngestOutcome::Duplicate) => {
                    assert!(attempts > 1, "a duplicate that was sent once");
                    known.acknowledged.insert(number);
                    break;
                }
                Ok(other) => panic!("order {number}: {other:?}"),
                Err(_) if number.is_multiple_of(2) && attempts == 1 => {
                    known.unknown.insert(number);
                    break;
                }
                Err(error) => {
                    let passing = error.retryable();
                    assert!(passing, "order {number}: {error:?}");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
    known
}

/// A number below `bound` that differs from run to run.
fn random(bound: u64) -> u64 {
    let bytes = uuid::Uuid::new_v4().into_bytes();
    u64::from_le_bytes(bytes[..8].try_into().unwrap()) % bound
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_services_lose_nothing_and_repeat_nothing() {
    let suite = Suite::start(&["audit", "exceptions"], "");
    let (numbers, stop) = (
        Arc::new(AtomicU32::new(1)),
        Arc::new(AtomicBool::new(false)),
    );
    // Two replicas on one database: whichever dies, the other one delivers.
    let second = suite.processes.replica("exceptions");
    let services = [
        suite.processes.service("exceptions"),
        &second,
        suite.processes.service("audit"),
    ];
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let erp = suite.erp_at(services[caller % 2]);
            tokio::spawn(call(erp, Arc::clone(&numbers), Arc::clone(&stop)))
        })
        .collect();
    for cycle in 0..cycles() {
        tokio::time::sleep(Duration::from_millis(20 + random(400))).await;
        let service = services[usize::try_from(random(3)).unwrap()];
        let before = numbers.load(Ordering::Relaxed);
        tokio::task::block_in_place(|| {
            service.kill();
            service.launch();
            service.wait_until_ready();
        });
        // Callers go on before the next kill.
        eventually(Duration::from_secs(60), || async {
            numbers.load(Ordering::Relaxed) > before + 2
        })
        .await;
        if cycle % 50 == 49 {
            println!(
                "{} kills, {} orders",
                cycle + 1,
                numbers.load(Ordering::Relaxed)
            );
        }
    }
    stop.store(true, Ordering::Relaxed);
    let mut known = Known::default();
    for caller in callers {
        let ended = caller.await.unwrap();
        known.acknowledged.extend(ended.acknowledged);
        known.unknown.extend(ended.unknown);
    }
    check(&suite, &known).await;
}

async fn check(suite: &Suite, known: &Known) {
    println!(
        "{} orders acknowledged, {} without an answer",
        known.acknowledged.len(),
        known.unknown.len()
    );
    suite.delivered(&["exceptions", "audit"]).await;
    let raised = suite.exceptions().await;
    for number in &known.acknowledged {
        assert_eq!(raised.get(&order(*number)), Some(&1), "order {number}");
    }
    for (order_id, count) in &raised {
        assert_eq!(*count, 1, "{order_id} is there more than once");
        let number: u32 = order_id.trim_start_matches("SO-").parse().unwrap();
        let expected = known.acknowledged.contains(&number) || known.unknown.contains(&number);
        assert!(expected, "{order_id} was never reported");
    }
    let log = suite.log().await;
    assert_complete(&log);
    let recorded: Vec<_> = log
        .iter()
        .filter(|line| line.r#type == "bylaw.exceptions.exception.raised.v1")
        .map(|line| line.correlationid.clone())
        .collect();
    let distinct: BTreeSet<_> = recorded.iter().cloned().collect();
    assert_eq!(
        distinct.len(),
        recorded.len(),
        "an exception is recorded twice"
    );
    assert_eq!(
        distinct,
        raised.into_keys().collect(),
        "state and log differ"
    );
}
