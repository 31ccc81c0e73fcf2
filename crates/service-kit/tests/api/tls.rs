//! TLS, and never plain text in its place.

use std::path::Path;

use contracts::audit::audit_service_client::AuditServiceClient;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use service_kit::settings::{ClientTls, ServerTls};
use tempfile::TempDir;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use super::stub::{World, suite};

/// An authority, and a certificate for `localhost` from it.
fn issue(dir: &Path) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    std::fs::write(dir.join("ca.crt"), authority.pem()).unwrap();
    std::fs::write(dir.join("tls.crt"), certificate.pem()).unwrap();
    std::fs::write(dir.join("tls.key"), key.serialize_pem()).unwrap();
}

fn server(dir: &Path, mutual: bool) -> ServerTls {
    ServerTls {
        cert: dir.join("tls.crt"),
        key: dir.join("tls.key"),
        client_ca: mutual.then(|| dir.join("ca.crt")),
    }
}

async fn world(test: u64, files: &TempDir, mutual: bool) -> World {
    issue(files.path());
    World::start(test, |s| {
        s.grpc.tls = Some(server(files.path(), mutual));
        s.peers.tls = Some(ClientTls {
            ca: files.path().join("ca.crt"),
            cert: mutual.then(|| files.path().join("tls.crt")),
            key: mutual.then(|| files.path().join("tls.key")),
            server_name: Some("localhost".to_owned()),
        });
    })
    .await
}

async fn call(world: &World, files: &TempDir, present: bool) -> Result<(), tonic::Status> {
    let read = |name| std::fs::read(files.path().join(name)).unwrap();
    let mut tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(read("ca.crt")))
        .domain_name("localhost");
    if present {
        tls = tls.identity(Identity::from_pem(read("tls.crt"), read("tls.key")));
    }
    let channel = Endpoint::from_shared(format!("https://{}", world.running.grpc_addr()))
        .unwrap()
        .tls_config(tls)
        .unwrap()
        .connect_lazy();
    let mut client = AuditServiceClient::new(channel);
    // By way of a peer, so that the kit's own client speaks TLS, too.
    client.get_record(world.get("peer x")).await.map(|_| ())
}

#[tokio::test]
async fn calls_and_peers_go_through_tls() {
    let files = tempfile::tempdir().unwrap();
    let world = world(101, &files, false).await;
    call(&world, &files, false).await.unwrap();
    world.client().get_record(world.get("x")).await.unwrap_err();
}

#[tokio::test]
async fn mutual_tls_refuses_who_presents_nothing() {
    let files = tempfile::tempdir().unwrap();
    let world = world(102, &files, true).await;
    call(&world, &files, true).await.unwrap();
    call(&world, &files, false).await.unwrap_err();
}

#[tokio::test]
async fn a_file_that_cannot_be_read_stops_the_start() {
    let files = tempfile::tempdir().unwrap();
    issue(files.path());
    std::fs::write(files.path().join("tls.key"), "nothing").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let suite = suite(&dir, 103, |s| {
        s.grpc.tls = Some(server(files.path(), false));
        s.peers.tls = Some(ClientTls {
            ca: files.path().join("ca.crt"),
            cert: None,
            key: None,
            server_name: None,
        });
    });
    let error = suite.start().await.err().unwrap();
    assert!(error.message().contains("tls.key"), "{error}");
}
