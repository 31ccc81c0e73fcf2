//! Several replicas on one database append to one log.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};

use audit::{Service, Settings};
use service_kit::{
    identity::PrincipalKind,
    settings::SecretUrl,
    suite::{Running, Suite},
};
use tempfile::TempDir;
use testkit::{
    Backend, Harness,
    identity::{Bearer, Calls},
};
use tonic::transport::Endpoint;

use crate::common::*;

/// Another replica beside a service, with its keys.
#[expect(
    clippy::field_reassign_with_default,
    reason = "the settings have a private field, so that no literal can be written"
)]
async fn replica(h: &Harness) -> (Running, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    for file in ["issuer.jwk", "jwks.json", "audit-log.key"] {
        let from = h.data_dir().join(file);
        if from.exists() {
            std::fs::copy(from, dir.path().join(file)).unwrap();
        }
    }
    let mut settings = service_kit::Settings::default();
    settings.development = true;
    settings.data_dir = dir.path().to_owned();
    settings.grpc.addr = SocketAddr::from(([127, 0, 0, 1], 0));
    settings.http.addr = settings.grpc.addr;
    settings.database.url = SecretUrl::new(h.database_url());
    let running = Suite::new(settings)
        .bus(Arc::clone(&h.bus))
        .service::<Service>(Settings::default())
        .start()
        .await
        .unwrap();
    (running, dir)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_append_to_one_log() {
    let h = start(Backend::Postgres).await;
    let (other, _dir) = replica(&h).await;
    let token = h.token(
        "bylaw-exceptions",
        PrincipalKind::Service,
        &["bylaw-exceptions@*"],
    );
    let mut tasks = Vec::new();
    for caller in 0..8_i64 {
        let calls = if caller % 2 == 0 {
            h.with_token(&token)
        } else {
            let address = format!("http://{}", other.grpc_addr());
            let channel = Endpoint::from_shared(address).unwrap().connect_lazy();
            Calls::new(channel, Bearer::new(&token))
        };
        let mut client = Client::new(calls);
        tasks.push(tokio::spawn(async move {
            let mut indices = Vec::new();
            for batch in 0..10_i64 {
                // each record is sent to both replicas
                let first = (caller / 2 * 10 + batch) * 5;
                let records = (first + 1..=first + 5).map(record).collect();
                let results = append(&mut client, records).await.unwrap();
                assert!(results.iter().all(|r| !r.conflict));
                indices.extend(
                    results
                        .into_iter()
                        .filter(|r| !r.duplicate)
                        .map(|r| r.index),
                );
            }
            indices
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    let distinct: BTreeSet<_> = all.iter().copied().collect();
    assert_eq!((all.len(), distinct.len()), (200, 200));
    let mut auditor = auditor(&h, "acme");
    let lines = export(&mut auditor, 0, 0).await.unwrap();
    assert!(verify_lines(&h, &lines, None).unwrap().records >= 200);
    other.shutdown().await.unwrap();
}
