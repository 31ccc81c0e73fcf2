//! What load balancers and operators see.

use service_kit::health::Status;
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use super::stub::World;

fn check(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

const SERVICE: &str = "bylaw.audit.v1.AuditService";

#[tokio::test]
async fn health_needs_no_token_and_follows_components() {
    let world = World::start(81, |_| {}).await;
    let mut health = HealthClient::new(world.channel());
    for name in ["", SERVICE] {
        let answer = health.check(check(name)).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{name:?}");
    }
    let status = health.check(check("nobody")).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);

    let mut watch = health.watch(check(SERVICE)).await.unwrap().into_inner();
    let first = watch.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);
    let part = world.running.health().part("audit");
    part.set("store", Status::NotServing, "gone");
    let next = watch.message().await.unwrap().unwrap();
    assert_eq!(next.status(), ServingStatus::NotServing);
    let (status, report) = world.page("/readyz").await;
    assert_eq!(status, 503);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["parts"]["audit"]["store"]["status"], "NOT_SERVING");
    assert_eq!(report["parts"]["audit"]["store"]["detail"], "gone");

    part.set("store", Status::Degraded, "slow");
    let next = watch.message().await.unwrap().unwrap();
    assert_eq!(next.status(), ServingStatus::Serving);
    assert_eq!(world.page("/readyz").await.0, 200);
}

#[tokio::test]
async fn pages_tell_of_life_and_measurements() {
    let world = World::start(82, |_| {}).await;
    world.client().get_record(world.get("x")).await.unwrap();
    assert_eq!(world.page("/livez").await, (200, "ok\n".to_owned()));
    let (status, metrics) = world.page("/metrics").await;
    assert_eq!(status, 200);
    assert!(
        metrics.contains("rpc_server_call_duration_seconds_bucket"),
        "{metrics}"
    );
    assert!(metrics.contains("bylaw_connections"), "{metrics}");
}

#[tokio::test]
async fn reflection_lists_the_services() {
    let world = World::start(83, |_| {}).await;
    let mut client = ServerReflectionClient::new(world.channel());
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let answers = client
        .server_reflection_info(futures::stream::iter([ask]))
        .await
        .unwrap();
    let answer = answers.into_inner().message().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("{answer:?}");
    };
    let names: Vec<_> = list.service.iter().map(|s| s.name.as_str()).collect();
    assert!(names.contains(&SERVICE), "{names:?}");
    assert!(names.contains(&"grpc.health.v1.Health"), "{names:?}");
}
