//! The first revision.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use contracts::policy::{GetRevisionRequest, policy_service_client::PolicyServiceClient};
use futures::future::join_all;
use policy::Settings;
use service_kit::{
    bootstrap::Files,
    bus, clock,
    identity::PrincipalKind,
    settings::SecretUrl,
    suite::{Running, Suite},
};
use testkit::{
    Backend, Harness, eventually,
    identity::{Bearer, Calls, Tokens},
    sink::AuditLog,
};
use tonic::transport::Endpoint;

use crate::fixture::{ENTERPRISE, Fixture, PRINCIPALS, SCOPES, WORKFLOW, files};

const BOOTSTRAPPED: &str = "bylaw.policy.revision.bootstrapped.v1";

/// A replica on a database that others use too.
pub async fn replica(
    url: &str,
    data_dir: &std::path::Path,
    log: &str,
    files: Files,
) -> service_kit::Result<Running> {
    let mut settings = service_kit::Settings {
        development: true,
        data_dir: data_dir.to_owned(),
        ..service_kit::Settings::default()
    };
    let principals = data_dir.join("known.yaml");
    std::fs::write(&principals, PRINCIPALS).unwrap();
    settings.identity.principals_file = Some(principals);
    settings.grpc.addr = SocketAddr::from(([127, 0, 0, 1], 0));
    settings.http.addr = settings.grpc.addr;
    settings.database.url = SecretUrl::new(url);
    settings
        .peers
        .addresses
        .insert("audit".to_owned(), log.to_owned());
    Suite::new(settings)
        .files(files)
        .clock(Arc::new(clock::System))
        .bus(bus::memory())
        .service::<policy::Service>(Settings::default())
        .start()
        .await
}

/// Somebody who calls a replica.
pub fn calls(
    running: &Running,
    data_dir: &std::path::Path,
    name: &str,
    kind: PrincipalKind,
    grant: &str,
) -> Calls {
    let token = Tokens::of(data_dir).mint(name, kind, &[grant], chrono::Utc::now());
    let channel = Endpoint::from_shared(format!("http://{}", running.grpc_addr()))
        .unwrap()
        .connect_lazy();
    Calls::new(channel, Bearer::new(&token))
}

pub fn editor(running: &Running, data_dir: &std::path::Path) -> PolicyServiceClient<Calls> {
    let grant = "policy-editor@corp";
    PolicyServiceClient::new(calls(
        running,
        data_dir,
        "owner",
        PrincipalKind::Person,
        grant,
    ))
}

testkit::backends! {
    async fn it_is_recorded_once(backend: Backend) {
        let fixture = Fixture::start(backend).await;
        let log = fixture.harness.log.clone();
        eventually(Duration::from_secs(10), || async { !log.is_empty() }).await;
        let records = log.records();
        let records: Vec<_> = records.iter().filter(|r| r.r#type == BOOTSTRAPPED).collect();
        assert_eq!(records.len(), 1);
        assert_eq!((&*records[0].resource, &*records[0].scope), ("revisions/1", "corp"));
        let payload = String::from_utf8(records[0].payload.to_vec()).unwrap();
        assert!(payload.contains("hold_release.medical"), "{payload}");
    }

    async fn an_empty_store_denies_by_having_no_workflow(backend: Backend) {
        let harness =
            Harness::start::<policy::Service>(backend, Settings::default(), Files::none()).await;
        let calls = harness.person("owner", &["policy-editor@corp"]);
        let revision = PolicyServiceClient::new(calls).get_revision(GetRevisionRequest {}).await;
        assert_eq!(revision.unwrap().into_inner().revision, 0);
    }

    async fn a_store_that_has_policies_takes_no_others(backend: Backend) {
        let (store, log) = (backend.store(), AuditLog::new());
        let (address, folder) = (log.serve().await, tempfile::tempdir().unwrap());
        let first = replica(store.url(), folder.path(), &address, files()).await.unwrap();
        let before = editor(&first, folder.path()).get_revision(GetRevisionRequest {}).await;
        first.shutdown().await.unwrap();
        let other = Files::embedded([("scopes.yaml", SCOPES.as_bytes())]);
        let second = replica(store.url(), folder.path(), &address, other).await.unwrap();
        let after = editor(&second, folder.path()).get_revision(GetRevisionRequest {}).await;
        assert_eq!(before.unwrap().into_inner(), after.unwrap().into_inner());
        second.shutdown().await.unwrap();
    }

    async fn a_replica_follows_what_another_activates(backend: Backend) {
        let (store, log) = (backend.store(), AuditLog::new());
        let address = log.serve().await;
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let waiting = replica(store.url(), folders[0].path(), &address, Files::none()).await.unwrap();
        let mut client = editor(&waiting, folders[0].path());
        let before = client.get_revision(GetRevisionRequest {}).await.unwrap().into_inner();
        assert_eq!(before.revision, 0);
        let other = replica(store.url(), folders[1].path(), &address, files()).await.unwrap();
        eventually(Duration::from_secs(10), || async {
            let mut client = client.clone();
            let now = client.get_revision(GetRevisionRequest {}).await.unwrap().into_inner();
            now.revision == 1
        })
        .await;
        other.shutdown().await.unwrap();
        waiting.shutdown().await.unwrap();
    }

    async fn files_with_errors_stop_the_start_and_change_nothing(backend: Backend) {
        let (store, log) = (backend.store(), AuditLog::new());
        let (address, folder) = (log.serve().await, tempfile::tempdir().unwrap());
        let bad = ENTERPRISE.replace("mode: DEFAULT", "mode: MAYBE");
        let broken = Files::embedded([
            ("scopes.yaml", SCOPES.as_bytes()),
            ("w.yaml", WORKFLOW.as_bytes()),
            ("p/enterprise.yaml", bad.as_bytes()),
        ]);
        let Err(error) = replica(store.url(), folder.path(), &address, broken).await else {
            panic!("it started");
        };
        assert!(error.message().contains("p/enterprise.yaml:5:7: mode"), "{}", error.message());
        let mended = replica(store.url(), folder.path(), &address, files()).await.unwrap();
        let revision = editor(&mended, folder.path()).get_revision(GetRevisionRequest {}).await;
        assert_eq!(revision.unwrap().into_inner().revision, 1);
        mended.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_start_at_once_bootstrap_once() {
    let (store, log) = (Backend::Postgres.store(), AuditLog::new());
    let address = log.serve().await;
    let folders: Vec<_> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
    let starts = folders
        .iter()
        .map(|folder| replica(store.url(), folder.path(), &address, files()));
    let replicas: Vec<_> = join_all(starts)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let mut revisions = Vec::new();
    for (replica, folder) in replicas.iter().zip(&folders) {
        let revision = editor(replica, folder.path())
            .get_revision(GetRevisionRequest {})
            .await;
        revisions.push(revision.unwrap().into_inner());
    }
    assert_eq!(revisions[0].revision, 1);
    assert!(revisions.iter().all(|revision| *revision == revisions[0]));
    eventually(Duration::from_secs(10), || async { !log.is_empty() }).await;
    for replica in replicas {
        replica.shutdown().await.unwrap();
    }
    let records = log.records();
    assert_eq!(
        records.iter().filter(|r| r.r#type == BOOTSTRAPPED).count(),
        1
    );
}
