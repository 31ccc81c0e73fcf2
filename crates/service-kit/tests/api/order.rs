//! The order of the layers: what a call that several would refuse is answered. And what
//! becomes of calls that go wrong inside.

use tonic::{Code, Request};

use super::stub::{World, reason, record};

#[tokio::test]
async fn deadlines_come_before_the_caller() {
    let world = World::start(41, |_| {}).await;
    let mut request = Request::new(record("x"));
    request
        .metadata_mut()
        .insert("grpc-timeout", "soon".parse().unwrap());
    let status = world.client().get_record(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn the_caller_comes_before_its_rate() {
    let world = World::start(42, |s| s.limits.calls_per_second = 1).await;
    let mut client = world.client();
    for _ in 0..5 {
        let status = client.get_record(record("x")).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(reason(&status), "TOKEN_MISSING");
    }
}

#[tokio::test]
async fn the_rate_comes_before_the_permission() {
    let world = World::start(43, |s| s.limits.calls_per_second = 1).await;
    let mut client = world.client();
    let mut reasons = Vec::new();
    for _ in 0..3 {
        let request = world.request_of("operator", record("x"));
        reasons.push(reason(&client.get_record(request).await.unwrap_err()));
    }
    assert_eq!(
        reasons,
        ["PERMISSION_DENIED", "PERMISSION_DENIED", "RATE_LIMITED"]
    );
}

#[tokio::test]
async fn the_permission_comes_before_the_handler() {
    let world = World::start(44, |_| {}).await;
    let request = world.request_of("operator", record("panic"));
    let status = world.client().get_record(request).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn admission_comes_first_and_every_end_is_measured() {
    let world = World::start(45, |s| s.limits.concurrent_calls = 1).await;
    let mut client = world.client();
    let stream = client.export_records(world.export(1)).await.unwrap();
    // Nobody is asked who they are when there is no room.
    let status = client.get_record(record("x")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    drop(stream);
    world.handlers(0).await;
    let status = client.get_record(world.get("panic")).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    let (_, metrics) = world.page("/metrics").await;
    let measured = metrics.lines().any(|line| {
        line.starts_with("rpc_server_call_duration_seconds_count")
            && line.contains("AuditService/GetRecord")
            && line.contains("INTERNAL")
    });
    assert!(measured, "{metrics}");
}

#[tokio::test]
async fn a_panic_ends_the_call_and_not_the_connection() {
    let world = World::start(46, |_| {}).await;
    let mut client = world.client();
    let status = client.get_record(world.get("panic")).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(reason(&status), "INTERNAL");
    assert!(!status.message().contains("told"));
    client.get_record(world.get("x")).await.unwrap();
}

#[tokio::test]
async fn a_panic_within_a_stream_ends_it_with_an_error() {
    let world = World::start(47, |_| {}).await;
    let answer = world
        .client()
        .export_records(world.export(2))
        .await
        .unwrap();
    let mut stream = answer.into_inner();
    let status = loop {
        if let Err(status) = stream.message().await {
            break status;
        }
    };
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(reason(&status), "INTERNAL");
}

#[tokio::test]
async fn no_internal_cause_leaves_the_process() {
    let world = World::start(48, |_| {}).await;
    let status = world
        .client()
        .get_record(world.get("broken"))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(!format!("{status:?}").contains("secret"), "{status:?}");
    // Nor by way of a peer.
    let status = world
        .client()
        .get_record(world.get("peer broken"))
        .await
        .unwrap_err();
    assert!(!format!("{status:?}").contains("secret"), "{status:?}");
}

#[tokio::test]
async fn an_unknown_method_is_unimplemented_or_refused() {
    let world = World::start(49, |_| {}).await;
    let mut grpc = tonic::client::Grpc::new(world.channel());
    grpc.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let path = "/made.up.Service/Method".parse().unwrap();
    let status = grpc
        .unary(world.request(()), path, codec)
        .await
        .unwrap_err();
    assert!(
        matches!(status.code(), Code::Unimplemented | Code::PermissionDenied),
        "{status:?}"
    );
}
