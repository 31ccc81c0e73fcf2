//! Every call ends.

use std::time::{Duration, Instant};

use contracts::audit::audit_service_client::AuditServiceClient;
use tonic::{Code, body::Body};

use super::stub::{World, reason};

#[tokio::test]
async fn a_call_over_its_own_deadline_is_told_so() {
    let world = World::start(21, |_| {}).await;
    let mut request = world.get("sleep");
    request
        .metadata_mut()
        .insert("grpc-timeout", "200m".parse().unwrap());
    let status = over_the_wire(&world, request).await;
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(reason(&status), "DEADLINE_EXCEEDED");
    world.handlers(0).await;
}

/// A call without tonic's channel, which reads the header too and would cancel first.
async fn over_the_wire(
    world: &World,
    request: tonic::Request<contracts::audit::GetRecordRequest>,
) -> tonic::Status {
    let addr = world.running.grpc_addr();
    let stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (send, connection) = hyper::client::conn::http2::handshake(executor, io)
        .await
        .unwrap();
    tokio::spawn(connection);
    let channel = tower::service_fn(move |request: http::Request<tonic::body::Body>| {
        let mut send = send.clone();
        async move {
            send.send_request(request)
                .await
                .map(|answer| answer.map(Body::new))
        }
    });
    let origin = format!("http://{addr}").parse().unwrap();
    let mut client = AuditServiceClient::with_origin(channel, origin);
    client.get_record(request).await.unwrap_err()
}

#[tokio::test]
async fn a_call_without_a_deadline_has_the_default() {
    let world = World::start(22, |s| s.limits.deadline = Duration::from_millis(200)).await;
    let status = world
        .client()
        .get_record(world.get("sleep"))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(reason(&status), "DEADLINE_EXCEEDED");
    world.handlers(0).await;
}

#[tokio::test]
async fn a_deadline_over_the_longest_is_shortened() {
    let world = World::start(23, |s| {
        s.limits.deadline = Duration::from_millis(200);
        s.limits.max_deadline = Duration::from_millis(200);
    })
    .await;
    let mut request = world.get("sleep");
    request.set_timeout(Duration::from_secs(20));
    let started = Instant::now();
    let status = world.client().get_record(request).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_malformed_deadline_is_refused() {
    let world = World::start(24, |_| {}).await;
    for bad in ["10", "10s", "-1S", "123456789S"] {
        let mut request = world.get("x");
        request
            .metadata_mut()
            .insert("grpc-timeout", bad.parse().unwrap());
        let status = world.client().get_record(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{bad}");
        assert_eq!(reason(&status), "INVALID_ARGUMENT", "{bad}");
    }
}

#[tokio::test]
async fn a_call_to_a_peer_inherits_the_deadline() {
    let world = World::start(25, |s| s.limits.deadline = Duration::from_millis(300)).await;
    let status = world
        .client()
        .get_record(world.get("peer sleep"))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    // Neither handler outlives the caller's patience.
    world.handlers(0).await;
}

#[tokio::test]
async fn a_stream_that_rests_ends() {
    let world = World::start(26, |s| s.limits.stream_idle = Duration::from_millis(300)).await;
    let answer = world
        .client()
        .export_records(world.export(1))
        .await
        .unwrap();
    let status = answer.into_inner().message().await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(reason(&status), "DEADLINE_EXCEEDED");
    world.handlers(0).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_keeps_nothing_of_ours() {
    let world = World::start(27, |s| s.limits.stream_idle = Duration::from_millis(300)).await;
    let _unread = world
        .client()
        .export_records(world.export(9))
        .await
        .unwrap();
    world.handlers(1).await;
    world.handlers(0).await;
}

#[tokio::test]
async fn a_stream_that_moves_goes_on() {
    let world = World::start(28, |s| s.limits.stream_idle = Duration::from_millis(300)).await;
    let mut stream = world
        .client()
        .export_records(world.export(9))
        .await
        .unwrap()
        .into_inner();
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(900) {
        assert!(stream.message().await.unwrap().is_some());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_cancelled_call_ends_its_handler() {
    let world = World::start(29, |_| {}).await;
    let mut client = world.client();
    let call = client.get_record(world.get("sleep"));
    assert!(
        tokio::time::timeout(Duration::from_millis(300), call)
            .await
            .is_err()
    );
    world.handlers(0).await;
}
