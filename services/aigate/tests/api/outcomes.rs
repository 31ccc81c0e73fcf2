//! What became of recommendations, as the stream tells it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use service_kit::{
    bus::{Event, Positioned, Stream},
    clock::Clock as _,
};
use testkit::eventually;

use crate::{review::accept, world::*};

testkit::backends! {
    async fn outcomes_are_told_by_the_stream(backend: Backend) {
        let world = World::start(backend).await;
        let found = world.submitted().await;
        let accepted = world
            .reviewer()
            .accept_recommendation(accept(&found))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(accepted.outcome, "");
        let tell = |position: u64, source: &str, state: &str| {
            let data = format!(
                r#"{{"action":"{}","recommendation":"{}","state":"{state}"}}"#,
                accepted.action, found.name
            );
            let event = Event {
                id: format!("e{position}"),
                source: source.into(),
                r#type: "bylaw.exceptions.action.executed.v1".into(),
                subject: accepted.action.clone(),
                time: world.clock.now(),
                scope: MEDICAL.into(),
                correlation_id: "SO-4711".into(),
                trace_parent: String::new(),
                data_schema: String::new(),
                data: Bytes::from(data),
            };
            Positioned {
                position,
                event: Arc::new(event),
            }
        };
        let events = [
            tell(1, "/bylaw/exceptions", "AUTHORIZED"),
            tell(2, "/bylaw/exceptions", "EXECUTED"),
            tell(3, "/elsewhere", "DENIED"),
        ];
        let stream = Stream {
            producer: "exceptions",
            incarnation: "one",
        };
        world.bus.publish(stream, 0, &events).await.unwrap();
        let executed = || async { world.now(&found).await.outcome == "EXECUTED" };
        eventually(Duration::from_secs(20), executed).await;
        world.recorded(&found, "outcome-recorded").await;
        assert_eq!(world.now(&found).await.outcome, "EXECUTED");
    }
}
