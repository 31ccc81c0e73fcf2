//! Appending to a store, and verifying a file.
#![allow(missing_docs, reason = "a benchmark")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark fails loudly"
)]

use std::sync::atomic::{AtomicI64, Ordering};

use audit::{Service, Settings, domain, verify};
use contracts::{
    audit::{BatchAppendRecordsRequest, Outcome, Record, audit_service_client::AuditServiceClient},
    types,
};
use divan::{Bencher, counter::ItemsCount};
use merkle::{Hash, Node, Nodes, chain, note::Signer};
use service_kit::bootstrap::Files;
use testkit::{Backend, Harness};

fn main() {
    divan::main();
}

/// Numbers never come twice, so that every append is new.
static NEXT: AtomicI64 = AtomicI64::new(1);

fn record() -> Record {
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    Record {
        producer: "exceptions".into(),
        producer_sequence: n,
        event_id: format!("01900000-0000-7000-8000-{n:012x}"),
        r#type: "bylaw.exceptions.exception.raised.v1".into(),
        occur_time: Some(contracts::time::timestamp(chrono::Utc::now())),
        actor: Some(types::Principal {
            issuer: "https://issuer.example".into(),
            subject: "order-desk.medical".into(),
            kind: types::PrincipalKind::Person.into(),
            ..types::Principal::default()
        }),
        action: "exceptions.exception.raise".into(),
        resource: format!("exceptions/{n}"),
        scope: "acme/europe/medical".into(),
        correlation_id: format!("SO-{}", n / 20),
        outcome: Outcome::Done.into(),
        payload: format!("{{\"text\":\"{}\"}}", "a".repeat(1_000)).into(),
        ..Record::default()
    }
}

/// Records of 1 KiB in batches of 1,000 by four callers: client, server, database and
/// signing on the same machine.
#[divan::bench(args = [Backend::Sqlite, Backend::Postgres], sample_count = 10, sample_size = 1)]
fn append_20_000_records(bencher: Bencher, backend: Backend) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let h = runtime.block_on(Harness::start::<Service>(
        backend,
        Settings::default(),
        Files::none(),
    ));
    bencher
        .counter(ItemsCount::new(20_000_u64))
        .with_inputs(|| {
            (0..20)
                .map(|_| BatchAppendRecordsRequest {
                    records: (0..1_000).map(|_| record()).collect(),
                })
                .collect::<Vec<_>>()
        })
        .bench_values(|batches| {
            runtime.block_on(async {
                let mut callers = Vec::new();
                for batches in batches.chunks(5).map(<[_]>::to_vec) {
                    let calls = h.program("bylaw-exceptions", &["bylaw-exceptions@*"]);
                    let mut client = AuditServiceClient::new(calls);
                    callers.push(tokio::spawn(async move {
                        for batch in batches {
                            client.batch_append_records(batch).await.unwrap();
                        }
                    }));
                }
                for caller in callers {
                    caller.await.unwrap();
                }
            });
        });
}

/// A log in memory.
struct Log(Vec<Hash>);

impl Nodes for Log {
    type Error = ();
    fn node(&self, node: Node) -> Result<Hash, ()> {
        if node.level == 0 {
            return self
                .0
                .get(usize::try_from(node.index).map_err(drop)?)
                .copied()
                .ok_or(());
        }
        let child = |index| Node {
            level: node.level - 1,
            index,
        };
        let left = self.node(child(node.index * 2))?;
        Ok(Hash::node(&left, &self.node(child(node.index * 2 + 1))?))
    }
}

/// An export of 1 KiB records, in memory.
fn file(size: u64) -> (Vec<u8>, String) {
    let key = Signer::from_seed("example.com/audit", &[7; 32]).unwrap();
    let payload = domain::record::canonical_payload(&record().payload).unwrap();
    let mut log = Log(Vec::new());
    let entries: Vec<_> = (0..size)
        .map(|index| {
            let record = domain::Record {
                producer: "exceptions".into(),
                producer_sequence: index + 1,
                event_id: uuid::Uuid::from_u128(index.into()),
                r#type: "bylaw.exceptions.exception.raised.v1".into(),
                occurred: chrono::Utc::now(),
                actor: domain::Actor {
                    issuer: "https://issuer.example".into(),
                    subject: "order-desk.medical".into(),
                    kind: domain::ActorKind::Person,
                    grants: Vec::new(),
                    via: String::new(),
                },
                action: "exceptions.exception.raise".into(),
                resource: format!("exceptions/{index}"),
                scope: "acme/europe/medical".into(),
                correlation_id: "SO-4711".into(),
                trace_id: String::new(),
                span_id: String::new(),
                outcome: domain::Outcome::Done,
                payload: payload.clone(),
            };
            let entry = domain::Leaf::new(index, chrono::Utc::now(), record).entry();
            log.0.push(Hash::leaf(&entry));
            entry
        })
        .collect();
    let mut lines = Vec::new();
    for (index, entry) in (0..size).zip(&entries) {
        let hashes = chain::hashes(&log, &chain::siblings(index, size).unwrap()).unwrap();
        let proof = domain::line::Proof { size, hashes };
        let kind = domain::line::ProofKind::Tree;
        lines.extend(domain::line::record(entry, &payload, kind, &proof));
    }
    let root = merkle::root(&log, size).unwrap();
    let note = merkle::Checkpoint::new("example.com/audit", size, root)
        .sign(&key)
        .unwrap();
    lines.extend(domain::line::checkpoint(size, &note));
    (lines, key.verifier().to_string())
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn verify_an_export_of_20_000_records(bencher: Bencher) {
    let (lines, key) = file(20_000);
    bencher
        .counter(ItemsCount::new(20_000_u64))
        .bench(|| verify::verify(lines.as_slice(), &key, None, &mut |_| {}).unwrap());
}
