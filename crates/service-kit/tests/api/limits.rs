//! The effective limits, as a client meets them.

use std::{collections::HashMap, time::Duration};

use tonic::Code;

use super::{
    raw::{GOAWAY, Http2, SETTINGS},
    stub::{World, reason, record},
};

const SOON: Duration = Duration::from_secs(5);
/// Long enough to tell that nothing comes.
const NEVER: Duration = Duration::from_millis(300);

const MAX_CONCURRENT_STREAMS: u16 = 3;
const MAX_HEADER_LIST_SIZE: u16 = 6;

#[tokio::test]
async fn a_connection_is_told_its_limits() {
    let world = World::start(1, |_| {}).await;
    let mut connection = Http2::connect(world.running.grpc_addr()).await;
    let settings = connection.find(SETTINGS, SOON).await.unwrap();
    let settings: HashMap<u16, u32> = settings
        .payload
        .chunks_exact(6)
        .map(|s| {
            let id = u16::from_be_bytes([s[0], s[1]]);
            (id, u32::from_be_bytes([s[2], s[3], s[4], s[5]]))
        })
        .collect();
    assert_eq!(settings.get(&MAX_CONCURRENT_STREAMS), Some(&128));
    assert_eq!(settings.get(&MAX_HEADER_LIST_SIZE), Some(&16_384));
}

#[tokio::test]
async fn connections_over_the_cap_wait() {
    let world = World::start(2, |s| s.limits.connections = 2).await;
    let addr = world.running.grpc_addr();
    let mut first = Http2::connect(addr).await;
    let mut second = Http2::connect(addr).await;
    assert!(first.find(SETTINGS, SOON).await.is_some());
    assert!(second.find(SETTINGS, SOON).await.is_some());
    let mut third = Http2::connect(addr).await;
    assert!(third.find(SETTINGS, NEVER).await.is_none());
    drop(first);
    assert!(third.find(SETTINGS, SOON).await.is_some());
}

#[tokio::test]
async fn a_flood_of_resets_ends_the_connection() {
    let world = World::start(3, |_| {}).await;
    let mut connection = Http2::connect(world.running.grpc_addr()).await;
    connection.rapid_reset(2_000).await;
    let goaway = connection.find(GOAWAY, SOON).await.unwrap();
    let code = u32::from_be_bytes(goaway.payload[4..8].try_into().unwrap());
    assert_eq!(code, 0xb, "ENHANCE_YOUR_CALM");
    // Others don't notice.
    world.client().get_record(world.get("x")).await.unwrap();
}

#[tokio::test]
async fn a_header_list_over_the_limit_is_refused() {
    let world = World::start(4, |_| {}).await;
    let mut request = world.get("x");
    let flood = "y".repeat(20_000).parse().unwrap();
    request.metadata_mut().insert("x-flood", flood);
    world.client().get_record(request).await.unwrap_err();
    world.client().get_record(world.get("x")).await.unwrap();
}

#[tokio::test]
async fn messages_over_the_limit_are_refused_both_ways() {
    let world = World::start(5, |_| {}).await;
    let mut client = world.client();
    let big = record(&"x".repeat(5 << 20));
    let status = client.get_record(world.request(big)).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert_eq!(reason(&status), "TOO_LARGE");
}

#[tokio::test]
async fn what_is_no_message_is_an_invalid_argument() {
    let world = World::start(6, |_| {}).await;
    let mut grpc = tonic::client::Grpc::new(world.channel());
    grpc.ready().await.unwrap();
    let path = "/bylaw.audit.v1.AuditService/GetRecord".parse().unwrap();
    let request = world.request(Malformed::default());
    let codec = tonic_prost::ProstCodec::<Malformed, contracts::audit::Record>::default();
    let status = grpc.unary(request, path, codec).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    assert_eq!(reason(&status), "INVALID_ARGUMENT");
}

/// A message whose first field is a number where the method wants a text.
#[derive(Clone, PartialEq, prost::Message)]
struct Malformed {
    #[prost(uint64, required, tag = "1")]
    number: u64,
}

#[tokio::test]
async fn too_many_calls_at_a_time_are_refused_at_once() {
    let world = World::start(7, |s| s.limits.concurrent_calls = 1).await;
    let mut client = world.client();
    let _busy = client.export_records(world.export(1)).await.unwrap();
    let status = client.get_record(world.get("x")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(reason(&status), "RATE_LIMITED");
}

#[tokio::test]
async fn a_connection_that_says_nothing_useful_costs_a_slot_only() {
    let world = World::start(8, |_| {}).await;
    let (status, _) = super::raw::http(world.running.http_addr(), "/nowhere").await;
    assert_eq!(status, 404);
    let (status, _) = world.page("/livez").await;
    assert_eq!(status, 200);
}
