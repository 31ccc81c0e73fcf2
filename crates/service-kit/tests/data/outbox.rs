//! The outbox: exactly the committed entries, numbered without gaps, delivered in order,
//! whatever is away meanwhile.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use sea_orm::ConnectionTrait as _;
use service_kit::{
    Error,
    bus::{self, Bus},
    clock::System,
    db::Db,
    health::{Health, Status},
    outbox::{self, Outbox},
    settings,
};
use testkit::{eventually, eventually_ok, sink::AuditLog};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::records::{TYPE, entry, told};

const SOON: Duration = Duration::from_secs(20);

struct Relay {
    outbox: Outbox,
    log: AuditLog,
    bus: Arc<dyn Bus>,
    health: Health,
    _stop: DropGuard,
}

/// Runs a relay on the database.
fn relay(db: &Db, log: &AuditLog, bus: Arc<dyn Bus>, settings: &settings::Bus) -> Relay {
    // What the relay logs is shown where a test fails.
    let _ = tracing_subscriber::fmt().with_test_writer().try_init();
    let outbox = Outbox::new("test", db.clone(), Arc::new(System));
    let (health, shutdown) = (Health::new(), CancellationToken::new());
    let sink = Arc::new(log.clone());
    let task = outbox.relay(
        sink,
        Arc::clone(&bus),
        settings,
        health.clone(),
        shutdown.clone(),
    );
    tokio::spawn(task);
    Relay {
        outbox,
        log: log.clone(),
        bus,
        health,
        _stop: shutdown.drop_guard(),
    }
}

/// No group reads the stream.
fn nobody() -> settings::Bus {
    settings::Bus {
        groups: Vec::new(),
        ..settings::Bus::default()
    }
}

fn simple(db: &Db) -> Relay {
    relay(db, &AuditLog::new(), bus::memory(), &nobody())
}

impl Relay {
    /// Waits until the log has this many records and no row is left.
    async fn delivered(&self, count: usize) {
        eventually_ok(SOON, || async {
            let (have, lag) = (self.log.len(), self.outbox.lag().await?);
            if have == count && lag.rows == 0 {
                return Ok(());
            }
            Err(Error::illegal_state(format!(
                "{have} of {count} records, {lag:?}"
            )))
        })
        .await;
    }

    /// The log's records are the producer's sequence from 1 without gaps.
    fn is_gapless(&self) {
        for (place, record) in (1..).zip(self.log.records()) {
            assert_eq!(record.producer_sequence, place);
            assert_eq!(record.producer, "test");
        }
    }
}

testkit::backends! {
    async fn committed_entries_are_delivered_in_order(backend: Backend) {
        let store = backend.store();
        let db = store.migrated(Vec::new()).await;
        let relay = simple(&db);
        for i in 0..25 {
            relay.outbox.append(&[entry(&format!("things/{i}")), told(&format!("told/{i}"))])
                .await
                .unwrap();
        }
        relay.delivered(50).await;
        relay.is_gapless();
        let records = relay.log.records();
        let wanted: Vec<_> = (0..25).flat_map(|i| [format!("things/{i}"), format!("told/{i}")]).collect();
        let found: Vec<_> = records.iter().map(|r| r.resource.clone()).collect();
        assert_eq!(found, wanted);
        assert_eq!(records[0].payload, br#"{"resource":"things/0"}"#.as_slice());
        assert_eq!(records[0].actor.as_ref().unwrap().subject, "ann");
    }

    async fn numbers_have_no_gaps_under_rollbacks_and_concurrency(backend: Backend) {
        let store = backend.store();
        let db = store.migrated(Vec::new()).await;
        let relay = simple(&db);
        let tasks: Vec<_> = (0..16)
            .map(|task| {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut kept = Vec::new();
                    for i in 0..12 {
                        let resource = format!("things/{task}-{i}");
                        let entries = [entry(&resource)];
                        let entries = &entries;
                        let written = db
                            .write(|tx| async move {
                                outbox::insert(&tx, entries).await?;
                                if i % 3 == 0 {
                                    return Err(Error::illegal_state("rolled back"));
                                }
                                Ok(())
                            })
                            .await;
                        match written {
                            Ok(()) => kept.push(resource),
                            Err(error) => assert_eq!(error.message(), "rolled back"),
                        }
                    }
                    kept
                })
            })
            .collect();
        let mut acknowledged = BTreeSet::new();
        for task in tasks {
            acknowledged.extend(task.await.unwrap());
        }
        assert_eq!(acknowledged.len(), 16 * 8);
        relay.delivered(acknowledged.len()).await;
        relay.is_gapless();
        let found: BTreeSet<_> = relay.log.records().into_iter().map(|r| r.resource).collect();
        assert_eq!(found, acknowledged);
    }

    async fn entries_wait_while_the_log_is_away(backend: Backend) {
        let store = backend.store();
        let db = store.migrated(Vec::new()).await;
        let relay = simple(&db);
        relay.log.set_down(true);
        for i in 0..10 {
            relay.outbox.append(&[told(&format!("things/{i}"))]).await.unwrap();
        }
        let degraded = || async {
            let report = relay.health.report();
            let outbox = report.parts.values().find_map(|part| part.get("outbox").cloned());
            outbox.is_some_and(|outbox| {
                outbox.status == Status::Degraded && outbox.detail.contains("10 records wait")
            })
        };
        eventually(SOON, degraded).await;
        assert_eq!(relay.outbox.lag().await.unwrap().unaudited, 10);
        assert!(relay.log.is_empty());
        relay.log.set_down(false);
        relay.delivered(10).await;
        relay.is_gapless();
    }

    async fn a_record_that_is_refused_holds_nothing_up(backend: Backend) {
        let store = backend.store();
        let db = store.migrated(Vec::new()).await;
        let relay = simple(&db);
        relay.log.set_down(true);
        relay.log.refuse("bylaw.test.bad.v1");
        for i in 0..9 {
            let mut entry = entry(&format!("things/{i}"));
            if i == 4 {
                entry.audit.r#type = "bylaw.test.bad.v1".to_owned();
            }
            relay.outbox.append(&[entry]).await.unwrap();
        }
        relay.log.set_down(false);
        relay.delivered(9).await;
        relay.is_gapless();
        let records = relay.log.records();
        assert_eq!(records[4].r#type, "bylaw.test.outbox.record-refused.v1");
        assert!(String::from_utf8_lossy(&records[4].payload).contains("bylaw.test.bad.v1"));
        assert_eq!(records[5].r#type, TYPE);
        assert_eq!(relay.outbox.lag().await.unwrap().refused, 1);
    }

    async fn another_relay_takes_over(backend: Backend) {
        let store = backend.store();
        let db = store.migrated(Vec::new()).await;
        let (log, events) = (AuditLog::new(), bus::memory());
        let settings = nobody();
        let first = relay(&db, &log, Arc::clone(&events), &settings);
        first.outbox.append(&[entry("things/1")]).await.unwrap();
        first.delivered(1).await;
        // A replica of its own, with its own connections.
        let other = store.open().await;
        let second = relay(&other, &log, Arc::clone(&events), &settings);
        other.write(|tx| async move { outbox::insert(&tx, &[entry("things/2")]).await })
            .await
            .unwrap();
        second.delivered(2).await;
        drop(first);
        second.outbox.append(&[entry("things/3")]).await.unwrap();
        second.delivered(3).await;
        second.is_gapless();
    }

    async fn a_batch_is_bounded_in_bytes_and_count(backend: Backend) {
        let store = backend.store();
        let db = store.migrated(Vec::new()).await;
        let log = AuditLog::new();
        let outbox = Outbox::new("test", db.clone(), Arc::new(System));
        let mut large = entry("things/large");
        large.audit.payload = serde_json::json!({"text": "x".repeat(250_000)});
        outbox.append(&vec![large; 30]).await.unwrap();
        outbox.append(&(0..2_300).map(|i| entry(&format!("things/{i}"))).collect::<Vec<_>>())
            .await
            .unwrap();
        let mut too_large = entry("things/too-large");
        too_large.audit.payload = serde_json::json!({"text": "x".repeat(270_000)});
        let error = outbox.append(&[too_large]).await.unwrap_err();
        assert_eq!(error.reason(), service_kit::Reason::TooLarge);
        let relay = relay(&db, &log, bus::memory(), &nobody());
        relay.delivered(2_330).await;
        relay.is_gapless();
        assert!(log.appends() >= 5, "{}", log.appends());
    }

    async fn rows_stay_until_all_groups_have_passed(backend: Backend) {
        let store = backend.store();
        let db = store.migrated(Vec::new()).await;
        let settings = settings::Bus { groups: vec!["late".to_owned()], ..Default::default() };
        let relay = relay(&db, &AuditLog::new(), bus::memory(), &settings);
        relay.outbox.append(&[told("things/1"), entry("things/2"), told("things/3")]).await.unwrap();
        eventually(SOON, || async { relay.log.len() == 3 }).await;
        let mut member = relay.bus.subscribe("late");
        let mut got = Vec::new();
        while got.len() < 2 {
            got.extend(member.next().await.unwrap());
        }
        assert_eq!(got[0].event.as_ref().unwrap().subject, "things/1");
        assert_eq!(got[0].event.as_ref().unwrap().source, "/bylaw/test");
        member.acknowledge(&got[0]).await.unwrap();
        // The first is through, and so is the second, which has no event.
        let rows = || async { relay.outbox.lag().await.unwrap().rows };
        eventually(SOON, || async { rows().await == 1 }).await;
        member.acknowledge(&got[1]).await.unwrap();
        eventually(SOON, || async { rows().await == 0 }).await;
    }

    async fn lag_counts_what_waits(backend: Backend) {
        let store = backend.store();
        let db = store.migrated(Vec::new()).await;
        let outbox = Outbox::new("test", db.clone(), Arc::new(System));
        let empty = outbox.lag().await.unwrap();
        assert_eq!((empty.unaudited, empty.rows, empty.oldest), (0, 0, None));
        outbox.append(&[entry("a"), entry("b")]).await.unwrap();
        let lag = outbox.lag().await.unwrap();
        assert_eq!((lag.unaudited, lag.rows), (2, 2));
        assert!(lag.oldest.is_some());
        assert!(db.read().execute_unprepared("SELECT 1").await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_relay_survives_its_database() {
    let postgres = testkit::Postgres::start();
    let settings = settings::Database {
        url: settings::SecretUrl::new(postgres.database()),
        ..Default::default()
    };
    let db = Db::connect(&settings).await.unwrap();
    db.migrate(Vec::new()).await.unwrap();
    let relay = simple(&db);
    let mut acknowledged = 0;
    for round in 0..3 {
        for i in 0..20 {
            if relay
                .outbox
                .append(&[told(&format!("things/{round}-{i}"))])
                .await
                .is_ok()
            {
                acknowledged += 1;
            }
            if i == 9 {
                postgres.stop();
                assert!(relay.outbox.append(&[told("things/lost")]).await.is_err());
                postgres.resume();
            }
        }
    }
    assert!(acknowledged >= 30, "{acknowledged}");
    eventually(SOON, || async {
        relay.outbox.lag().await.is_ok_and(|lag| lag.rows == 0)
    })
    .await;
    relay.is_gapless();
    let found: BTreeSet<_> = relay
        .log
        .records()
        .into_iter()
        .map(|r| r.resource)
        .collect();
    assert!(
        found.len() >= acknowledged,
        "{} of {acknowledged}",
        found.len()
    );
    assert!(!found.contains("things/lost"));
}
