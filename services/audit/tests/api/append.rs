//! Appending: idempotent, all or none, in order, one producer's records by that producer.

use std::{collections::BTreeSet, time::Duration};

use testkit::eventually;
use tonic::Code;

use crate::common::*;

testkit::backends! {
    async fn a_record_that_is_sent_again_keeps_its_place(backend: Backend) {
        let h = start(backend).await;
        let mut client = producer(&h, "exceptions");
        let first = append(&mut client, (1..=5).map(record).collect()).await.unwrap();
        assert!(first.iter().all(|r| !r.duplicate && !r.conflict));
        let indices: Vec<_> = first.iter().map(|r| r.index).collect();
        assert!(indices.windows(2).all(|w| w[0] + 1 == w[1]), "{indices:?}");
        // with some that are new, in another order, and twice in one batch
        let again = vec![record(3), record(6), record(1), record(6)];
        let second = append(&mut client, again).await.unwrap();
        assert_eq!(second[0].index, indices[2]);
        assert_eq!(second[2].index, indices[0]);
        assert_eq!(second[3].index, second[1].index);
        let duplicates: Vec<_> = second.iter().map(|r| r.duplicate).collect();
        assert_eq!(duplicates, [true, false, true, true]);
        // another spelling of the same content
        let mut spelled = record(2);
        spelled.payload = "{ \"n\" : 2.0, \"total\":\"18450.00 \\u0045UR\"}".into();
        let third = append(&mut client, vec![spelled]).await.unwrap();
        assert!(third[0].duplicate);
    }

    async fn other_content_under_the_same_id_is_refused_and_recorded(backend: Backend) {
        let h = start(backend).await;
        let mut client = producer(&h, "exceptions");
        append(&mut client, vec![record(1)]).await.unwrap();
        for change in 0..4 {
            let mut other = record(1);
            match change {
                0 => other.payload = "{}".into(),
                1 => other.action = "else".into(),
                2 => other.occur_time.as_mut().unwrap().nanos = 1,
                _ => other.actor.as_mut().unwrap().grants.clear(),
            }
            let result = append(&mut client, vec![other]).await.unwrap();
            assert!(result[0].conflict && !result[0].duplicate);
            assert_eq!(result[0].index, 0);
        }
        // the same id from another producer is another record
        let mut other = record(1);
        other.producer = "policy".into();
        let result = append(&mut producer(&h, "policy"), vec![other]).await.unwrap();
        assert!(!result[0].conflict && !result[0].duplicate);
        let found = || async {
            let mut auditor = auditor(&h, "acme");
            let pages = lineage(&mut auditor, 0, 0).await;
            let conflict = "bylaw.audit.record.conflict.v1";
            let found: Vec<_> = pages[0].records.iter().filter(|r| r.r#type == conflict).collect();
            found.len() == 4 && found.iter().all(|r| r.outcome == 2 && r.resource == "records/0")
        };
        eventually(Duration::from_secs(10), found).await;
    }

    async fn a_malformed_record_is_refused_with_its_batch(backend: Backend) {
        let h = start(backend).await;
        let mut client = producer(&h, "exceptions");
        let mut before = checkpoint(&mut auditor(&h, "acme")).await.tree_size;
        type Spoil = fn(&mut contracts::audit::Record);
        let cases: [(&str, Spoil); 17] = [
            ("event_id", |r| r.event_id = "7".into()),
            ("event_id", |r| r.event_id = r.event_id.to_uppercase().replace('0', "A")),
            ("producer", |r| r.producer = "Exceptions".into()),
            ("producer_sequence", |r| r.producer_sequence = 0),
            ("producer_sequence", |r| r.producer_sequence = -1),
            ("type", |r| r.r#type = String::new()),
            ("type", |r| r.r#type = "bylaw.audit.checkpoint.v1".into()),
            ("action", |r| r.action = "a".repeat(257)),
            ("scope", |r| r.scope = "Acme".into()),
            ("trace_id", |r| r.trace_id = "X".into()),
            ("correlation_id", |r| r.correlation_id = "a\nb".into()),
            ("outcome", |r| r.outcome = 0),
            ("actor", |r| r.actor = None),
            ("actor.kind", |r| r.actor.as_mut().unwrap().kind = 0),
            ("occur_time", |r| r.occur_time.as_mut().unwrap().nanos = -1),
            ("payload", |r| r.payload = "[1]".into()),
            ("payload", |r| r.payload = r#"{"n":12345678901234567890.123}"#.into()),
        ];
        for (name, spoil) in cases {
            let mut bad = record(2);
            spoil(&mut bad);
            let status = append(&mut client, vec![record(1), bad]).await.unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{name}: {status:?}");
            assert_eq!(field(&status), format!("records[1].{name}"));
        }
        let mut large = record(2);
        large.payload = format!("{{\"a\":\"{}\"}}", "a".repeat(256 * 1024)).into();
        assert_eq!(append(&mut client, vec![large]).await.unwrap_err().code(), Code::InvalidArgument);
        let grant = contracts::types::Grant { role: "r".repeat(250), scope: "s".repeat(250) };
        let mut wide = record(2);
        wide.actor.as_mut().unwrap().grants = vec![grant; 200];
        let status = append(&mut client, vec![wide]).await.unwrap_err();
        assert_eq!(reason(&status), "TOO_LARGE");
        assert_eq!(append(&mut client, vec![]).await.unwrap_err().code(), Code::InvalidArgument);
        let many = (1..=1_001).map(record).collect();
        assert_eq!(append(&mut client, many).await.unwrap_err().code(), Code::InvalidArgument);
        // nothing of any of them is there
        before = checkpoint(&mut auditor(&h, "acme")).await.tree_size - before;
        assert_eq!(before, 0);
    }

    async fn a_number_that_never_came_is_reported_until_it_comes(backend: Backend) {
        let h = start(backend).await;
        let mut client = producer(&h, "exceptions");
        let detail = || h.health().report().parts["audit"]["producers"].detail.clone();
        append(&mut client, vec![record(1), record(2), record(5)]).await.unwrap();
        assert_eq!(detail(), "exceptions: 2 records missing (3 to 4)");
        append(&mut client, vec![record(4)]).await.unwrap();
        assert_eq!(detail(), "exceptions: 1 records missing (3)");
        append(&mut client, vec![record(3)]).await.unwrap();
        assert_eq!(detail(), "");
        let mut twice = record(6);
        twice.producer_sequence = 5;
        append(&mut client, vec![twice]).await.unwrap();
        assert_eq!(detail(), "exceptions: 1 numbers used twice");
    }

    async fn many_callers_get_an_index_each(backend: Backend) {
        let h = start(backend).await;
        let mut tasks = Vec::new();
        for caller in 0..16_i64 {
            let mut client = producer(&h, "exceptions");
            tasks.push(tokio::spawn(async move {
                let mut indices = Vec::new();
                for batch in 0..6_i64 {
                    // half of each batch is sent by the next caller too
                    let first = (caller * 6 + batch) * 5;
                    let records = (first + 1..=first + 10).map(record).collect();
                    let results = append(&mut client, records).await.unwrap();
                    assert!(results.iter().all(|r| !r.conflict));
                    indices.extend(results.into_iter().filter(|r| !r.duplicate).map(|r| r.index));
                }
                indices
            }));
        }
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.unwrap());
        }
        let distinct: BTreeSet<_> = all.iter().copied().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(all.len(), 16 * 6 * 5 + 5);
        let mut auditor = auditor(&h, "acme");
        let size = checkpoint(&mut auditor).await.tree_size;
        let lines = export(&mut auditor, 0, size).await.unwrap();
        assert_eq!(verify_lines(&h, &lines, None).unwrap().records, u64::try_from(size).unwrap());
        assert!(h.health().report().parts["audit"]["producers"].detail.is_empty());
    }
}
