//! What became of recommendations, as the stream tells it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use contracts::aigate::Recommendation;
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

    async fn what_acted_by_itself_was_executed_once_its_receipt_was_used(backend: Backend) {
        let world = World::start(backend).await;
        world.allow();
        let submitted = async || world.agent().submit_recommendation(sure()).await.unwrap().into_inner();
        let (found, other) = (submitted().await, submitted().await);
        let receipt = |of: &Recommendation| of.result.as_ref().unwrap().receipt.clone().unwrap().id;
        let (receipt, others) = (receipt(&found), receipt(&other));
        assert_ne!(receipt, others);
        let told = |position: u64, document: &str, receipt: &str, operation: &str| {
            let data = format!(r#"{{"document":"{document}","receipt":"{receipt}","operations":["x","{operation}"]}}"#);
            let event = Event {
                id: format!("e{position}"),
                source: "/bylaw/exceptions".into(),
                r#type: "bylaw.exceptions.receipt.used.v1".into(),
                subject: format!("documents/{document}"),
                time: world.clock.now(),
                scope: MEDICAL.into(),
                correlation_id: "SO-4711".into(),
                trace_parent: String::new(),
                data_schema: String::new(),
                data: Bytes::from(data),
            };
            Positioned { position, event: Arc::new(event) }
        };
        let stream = Stream { producer: "exceptions", incarnation: "one" };
        // Of another document, another receipt, another operation: nothing of it.
        let events = [
            told(1, "order/SO-1", &receipt, "release_partial"),
            told(2, "order/SO-4711", "another", "release_partial"),
            told(3, "order/SO-4711", &receipt, "release_credit_hold"),
            told(4, "order/SO-4711", &others, "release_partial"),
        ];
        world.bus.publish(stream, 0, &events).await.unwrap();
        let executed = async |of: &Recommendation| world.now(of).await.outcome == "EXECUTED";
        eventually(Duration::from_secs(20), || executed(&other)).await;
        assert_eq!(world.now(&found).await.outcome, "");
        let own = [told(5, "order/SO-4711", &receipt, "release_partial")];
        world.bus.publish(stream, 4, &own).await.unwrap();
        eventually(Duration::from_secs(20), || executed(&found)).await;
        world.recorded(&found, "outcome-recorded").await;
        submitted().await;
        let mut asked = world.peers.lock().authorized.pop().unwrap().finished_actions;
        asked.sort();
        let mut both = [other.name, found.name];
        both.sort();
        assert_eq!(asked, both);
    }
}
