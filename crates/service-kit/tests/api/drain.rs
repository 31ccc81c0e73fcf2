//! The end comes, whatever clients do.

use std::time::{Duration, Instant};

use service_kit::suite::Suite;
use tonic::Code;

use super::stub::{Stub, StubSettings, World, eventually, running, suite};

#[tokio::test]
async fn calls_in_work_end_before_the_process_does() {
    let world = World::start(61, |s| s.drain.time = Duration::from_secs(20)).await;
    let mut client = world.client();
    client.get_record(world.get("x")).await.unwrap();
    let request = world.get("nap");
    let stop = world.running.stop();
    let call = tokio::spawn(async move { client.get_record(request).await });
    world.handlers(1).await;
    let started = Instant::now();
    stop.cancel();
    world.running.shutdown().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(15));
    call.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stuck_stream_is_cut_when_the_drain_time_is_over() {
    let world = World::start(62, |_| {}).await;
    let mut client = world.client();
    let unread = client.export_records(world.export(9)).await.unwrap();
    let resting = client.export_records(world.export(1)).await.unwrap();
    world.handlers(2).await;
    let started = Instant::now();
    let test = world.test;
    world.running.shutdown().await.unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    let counter = running(test);
    eventually("handlers", || {
        counter.load(std::sync::atomic::Ordering::SeqCst) == 0
    })
    .await;
    resting.into_inner().message().await.unwrap_err();
    drop(unread);
}

#[tokio::test]
async fn nothing_is_taken_on_while_draining() {
    let world = World::start(63, |s| s.drain.time = Duration::from_secs(5)).await;
    let mut client = world.client();
    let stream = client.export_records(world.export(1)).await.unwrap();
    world.running.stop().cancel();
    let health = world.running.health().clone();
    eventually("draining", || health.report().draining).await;
    assert!(!health.ready());
    let mut refused = false;
    for _ in 0..200 {
        if let Err(status) = client.get_record(world.get("x")).await {
            // Hyper's client calls it cancelled where the connection went meanwhile.
            let code = status.code();
            assert!(
                matches!(code, Code::Unavailable | Code::Cancelled),
                "{status:?}"
            );
            refused = true;
            break;
        }
    }
    assert!(refused);
    drop(stream);
    drop(client);
    world.running.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_task_that_panics_ends_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let own = StubSettings {
        test: 64,
        task_panics: true,
    };
    let mut settings = service_kit::Settings {
        development: true,
        data_dir: dir.path().to_owned(),
        ..Default::default()
    };
    settings.grpc.addr.set_port(0);
    settings.http.addr.set_port(0);
    let mut running = Suite::new(settings)
        .service::<Stub>(own)
        .start()
        .await
        .unwrap();
    running.wait().await.unwrap_err();
}

#[tokio::test]
async fn a_data_directory_has_one_process() {
    let world = World::start(65, |_| {}).await;
    let second = suite(&world.dir, 650, |_| {}).start().await;
    let error = second.err().unwrap();
    assert!(
        error.message().contains("another process uses it"),
        "{error}"
    );
    let World { running, dir, .. } = world;
    running.shutdown().await.unwrap();
    suite(&dir, 651, |_| {}).start().await.unwrap();
}
