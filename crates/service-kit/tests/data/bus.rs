//! The event stream, in the process and in Redis.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use service_kit::{
    Error, Kind, Reason, Result,
    bus::{self, Bus, Event, Handler, Positioned, Published, Stream, consume},
    clock::System,
    health::Health,
    outbox::Outbox,
    settings::{Bus as Settings, SecretUrl},
};
use testkit::{Backend, Redis, eventually, eventually_ok, sink::AuditLog};
use tokio_util::sync::CancellationToken;

use crate::records::{TYPE, told};

const SOON: Duration = Duration::from_secs(20);
const STREAM: Stream<'static> = Stream {
    producer: "test",
    incarnation: "one",
};

fn settings(url: &str) -> Settings {
    Settings {
        url: SecretUrl::new(url),
        producers: vec!["test".to_owned()],
        claim_after: Duration::from_secs(1),
        ..Settings::default()
    }
}

fn event(position: u64) -> Positioned {
    let event = Event {
        id: position.to_string(),
        source: "/bylaw/test".to_owned(),
        r#type: TYPE.to_owned(),
        subject: format!("things/{position}"),
        time: chrono::DateTime::UNIX_EPOCH,
        scope: String::new(),
        correlation_id: String::new(),
        trace_parent: String::new(),
        data_schema: String::new(),
        data: Bytes::from_static(b"{}"),
    };
    Positioned {
        position,
        event: Arc::new(event),
    }
}

/// The same cases on both.
async fn behaves(bus: Arc<dyn Bus>) {
    let groups = ["a".to_owned()];
    let mut a = bus.subscribe("a");
    assert_eq!(bus.progress(STREAM, &groups).await.unwrap().top, 0);
    let events: Vec<_> = [1, 2, 5, 9].map(event).into();
    assert_eq!(
        bus.publish(STREAM, 0, &events[..2]).await.unwrap(),
        Published::Done
    );
    let again = bus.publish(STREAM, 0, &events[..2]).await.unwrap();
    assert_eq!(again, Published::Elsewhere { top: 2 });
    assert_eq!(
        bus.publish(STREAM, 2, &events[2..]).await.unwrap(),
        Published::Done
    );
    let mut got = Vec::new();
    while got.len() < 4 {
        got.extend(a.next().await.unwrap());
    }
    let ids: Vec<_> = got
        .iter()
        .map(|d| d.event.as_ref().unwrap().id.clone())
        .collect();
    assert_eq!(ids, ["1", "2", "5", "9"]);
    let progress = bus.progress(STREAM, &groups).await.unwrap();
    assert_eq!((progress.top, progress.passed, progress.waiting), (9, 0, 4));
    for delivery in &got[..2] {
        a.acknowledge(delivery).await.unwrap();
    }
    let progress = bus.progress(STREAM, &groups).await.unwrap();
    // Between 2 and 5 there is nothing to pass.
    assert!((2..5).contains(&progress.passed), "{progress:?}");
    assert_eq!(progress.waiting, 2);
    for delivery in &got[2..] {
        a.acknowledge(delivery).await.unwrap();
    }
    let progress = bus.progress(STREAM, &groups).await.unwrap();
    assert_eq!((progress.top, progress.passed, progress.waiting), (9, 9, 0));
    // A group that is wanted and doesn't read yet holds everything.
    bus.publish(STREAM, 9, &[event(10)]).await.unwrap();
    let wanted = ["a".to_owned(), "b".to_owned()];
    let progress = bus.progress(STREAM, &wanted).await.unwrap();
    assert_eq!((progress.passed, progress.waiting), (0, 1));
    assert_eq!(progress.slowest.as_deref(), Some("b"));
    // One that doesn't count holds nothing up, and is named.
    let mut b = bus.subscribe("b");
    let _ = tokio::time::timeout(Duration::from_millis(300), b.next()).await;
    drop(a);
    let counts = ["c".to_owned()];
    let mut c = bus.subscribe("c");
    let mut got = Vec::new();
    while got.is_empty() {
        got = c.next().await.unwrap();
    }
    c.acknowledge(&got[0]).await.unwrap();
    let mut progress = bus.progress(STREAM, &counts).await.unwrap();
    progress.strangers.sort();
    assert_eq!(
        (progress.passed, progress.waiting, progress.slowest),
        (10, 0, None)
    );
    assert_eq!(progress.strangers, ["a", "b"]);
    // Another incarnation of the database starts anew.
    let other = Stream {
        incarnation: "two",
        ..STREAM
    };
    assert_eq!(bus.progress(other, &groups).await.unwrap().top, 0);
    assert_eq!(
        bus.publish(other, 0, &[event(3)]).await.unwrap(),
        Published::Done
    );
    assert_eq!(bus.progress(other, &groups).await.unwrap().top, 3);
}

#[tokio::test]
async fn the_memory_bus_behaves() {
    behaves(bus::memory()).await;
}

#[tokio::test]
async fn the_redis_bus_behaves() {
    let redis = Redis::start();
    let bus = bus::connect(&settings(&redis.url())).unwrap();
    behaves(bus).await;
}

/// TLS with authorities of our own; plain text and other authorities get nowhere.
#[tokio::test]
async fn redis_speaks_tls() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let redis = Redis::start_tls(testkit::redis::Tls {
        cert: cert.clone(),
        key,
    });
    let trusting = Settings {
        ca: Some(cert),
        ..settings(&redis.url())
    };
    behaves(bus::connect(&trusting).unwrap()).await;
    let plain = redis.url().replace("rediss", "redis");
    for other in [settings(&redis.url()), settings(&plain)] {
        let bus = bus::connect(&other).unwrap();
        let error = bus.progress(STREAM, &[]).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
    }
}

/// What a member that is gone held goes to another.
async fn hands_over(bus: Arc<dyn Bus>) {
    let mut first = bus.subscribe("a");
    // Joins the group.
    let _ = tokio::time::timeout(Duration::from_millis(200), first.next()).await;
    bus.publish(STREAM, 0, &[event(1), event(2)]).await.unwrap();
    let mut got = Vec::new();
    while got.len() < 2 {
        got.extend(first.next().await.unwrap());
    }
    first.acknowledge(&got[0]).await.unwrap();
    drop(first);
    let mut second = bus.subscribe("a");
    // A member of Redis answers nothing now and then.
    let taken = async {
        loop {
            let got = second.next().await.unwrap();
            if !got.is_empty() {
                return got;
            }
        }
    };
    let taken = tokio::time::timeout(SOON, taken).await.unwrap();
    let ids: Vec<_> = taken
        .iter()
        .map(|delivery| delivery.event.as_ref().unwrap().id.as_str())
        .collect();
    assert_eq!(ids, ["2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_that_are_gone_are_replaced() {
    hands_over(bus::memory()).await;
    let redis = Redis::start();
    hands_over(bus::connect(&settings(&redis.url())).unwrap()).await;
}

/// Remembers subjects; fails as it is told.
#[derive(Default)]
struct Recorder {
    seen: Mutex<Vec<String>>,
    refused: Mutex<Vec<String>>,
    failures: AtomicU32,
}

impl Recorder {
    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

#[async_trait]
impl Handler for Recorder {
    fn types(&self) -> &[&str] {
        &["bylaw.test.*"]
    }

    async fn handle(&self, event: &Event) -> Result<()> {
        if event.subject.ends_with("-bad") {
            return Err(Error::invalid("data", "is no good"));
        }
        assert!(!event.subject.ends_with("-panic"), "as it should");
        if self.failures.load(Ordering::Relaxed) > 0 {
            self.failures.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::new(
                Kind::Unavailable,
                Reason::PeerUnavailable,
                "away",
            ));
        }
        self.seen.lock().unwrap().push(event.subject.clone());
        Ok(())
    }

    async fn refused(&self, event: &Event, _: &Error) {
        self.refused.lock().unwrap().push(event.subject.clone());
    }
}

#[tokio::test]
async fn failures_that_pass_are_tried_again_and_others_are_refused() {
    let events = bus::memory();
    let recorder = Arc::new(Recorder::default());
    recorder.failures.store(3, Ordering::Relaxed);
    let task = tokio::spawn(consume(
        Arc::clone(&events),
        "a",
        Arc::<Recorder>::clone(&recorder),
    ));
    let mut bad = event(2);
    let mut broken = (*bad.event).clone();
    broken.subject = "things/2-bad".to_owned();
    bad.event = Arc::new(broken);
    events
        .publish(STREAM, 0, &[event(1), bad, event(3)])
        .await
        .unwrap();
    eventually(SOON, || async {
        recorder.seen() == ["things/1", "things/3"]
    })
    .await;
    assert_eq!(*recorder.refused.lock().unwrap(), ["things/2-bad"]);
    let passed = events
        .progress(STREAM, &["a".to_owned()])
        .await
        .unwrap()
        .passed;
    assert_eq!(passed, 3);
    task.abort();
}

/// Services, a database and Redis, all of them interrupted: every committed event
/// arrives, in order of first arrival.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_restarts_empty_loses_nothing() {
    let redis = Redis::start();
    let store = Backend::Postgres.store();
    let db = store.migrated(Vec::new()).await;
    let settings = Settings {
        groups: vec!["a".to_owned(), "b".to_owned()],
        ..settings(&redis.url())
    };
    let events = bus::connect(&settings).unwrap();
    let outbox = Outbox::new("test", db, Arc::new(System));
    let (log, stop) = (AuditLog::new(), CancellationToken::new());
    let _stop = stop.clone().drop_guard();
    let sink = Arc::new(log.clone());
    tokio::spawn(outbox.relay(sink, Arc::clone(&events), &settings, Health::new(), stop));
    let quick = Arc::new(Recorder::default());
    tokio::spawn(consume(
        Arc::clone(&events),
        "a",
        Arc::<Recorder>::clone(&quick),
    ));
    let mut wanted = BTreeSet::new();
    let mut append = async |range: std::ops::Range<u32>| {
        for i in range {
            outbox
                .append(&[told(&format!("things/{i:03}"))])
                .await
                .unwrap();
            wanted.insert(format!("things/{i:03}"));
        }
    };
    append(0..30).await;
    eventually(SOON, || async { quick.seen().len() >= 30 }).await;
    // Group b hasn't read anything: nothing may be lost with the server.
    redis.stop();
    append(30..40).await;
    redis.resume();
    append(40..50).await;
    let slow = Arc::new(Recorder::default());
    tokio::spawn(consume(
        Arc::clone(&events),
        "b",
        Arc::<Recorder>::clone(&slow),
    ));
    for recorder in [&quick, &slow] {
        eventually_ok(SOON, || async {
            let seen: BTreeSet<_> = recorder.seen().into_iter().collect();
            if seen == wanted {
                Ok(())
            } else {
                Err(format!("{} of 50", seen.len()))
            }
        })
        .await;
    }
    let mut first_arrivals = slow.seen();
    first_arrivals.dedup();
    assert!(first_arrivals.is_sorted(), "{first_arrivals:?}");
    eventually(SOON, || async { outbox.lag().await.unwrap().rows == 0 }).await;
    assert_eq!(log.len(), 50);
}
