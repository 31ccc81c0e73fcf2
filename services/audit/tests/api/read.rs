//! Reading: within one's scopes, with proofs that verify offline, and recorded.

use std::time::Duration;

use contracts::audit::{GetLineageRequest, GetRecordRequest};
use testkit::{Harness, eventually};
use tonic::{Code, Status};

use crate::common::*;

async fn read(client: &mut Client, name: &str) -> Result<contracts::audit::Record, Status> {
    let request = GetRecordRequest { name: name.into() };
    Ok(client.get_record(request).await?.into_inner())
}

/// Records of medical, industrial and none, in the transaction SO-4711.
async fn three_scopes(h: &Harness) -> Vec<i64> {
    let mut records = vec![record(1), record(2), record(3)];
    records[1].scope = "acme/europe/industrial".into();
    records[2].scope = String::new();
    let results = append(&mut producer(h, "exceptions"), records)
        .await
        .unwrap();
    results.into_iter().map(|r| r.index).collect()
}

testkit::backends! {
    async fn a_record_reads_back_as_it_was_sent(backend: Backend) {
        let h = start(backend).await;
        let results = append(&mut producer(&h, "exceptions"), vec![record(1)]).await.unwrap();
        let name = format!("records/{}", results[0].index);
        let mut found = read(&mut auditor(&h, "acme"), &name).await.unwrap();
        assert_eq!(found.name, name);
        assert!(found.record_time.take().is_some());
        assert_eq!(std::mem::take(&mut found.leaf_hash).len(), 32);
        let mut expected = record(1);
        expected.name = name;
        // the canonical form sorts members
        expected.payload = r#"{"n":1,"total":"18450.00 EUR"}"#.into();
        assert_eq!(found, expected);
        let mut auditor = auditor(&h, "acme");
        for missing in ["records/999999", "records/9223372036854775807"] {
            assert_eq!(read(&mut auditor, missing).await.unwrap_err().code(), Code::NotFound);
        }
        for bad in ["", "records/", "records/-1", "records/01", "records/+1", "records/9223372036854775808", "exceptions/1"] {
            assert_eq!(read(&mut auditor, bad).await.unwrap_err().code(), Code::InvalidArgument, "{bad}");
        }
    }

    async fn a_reader_sees_its_own_scopes(backend: Backend) {
        let h = start(backend).await;
        let indices = three_scopes(&h).await;
        // what each auditor sees of medical's, industrial's and the scopeless record
        for (scope, seen) in [
            ("acme", [true, true, true]),
            ("acme/europe", [true, true, false]),
            ("acme/europe/medical", [true, false, false]),
            ("acme/europe/medical/berlin", [false, false, false]),
            ("acme/europe/medica", [false, false, false]),
            ("other", [false, false, true]),
        ] {
            let mut client = auditor(&h, scope);
            for (index, seen) in indices.iter().zip(seen) {
                let result = read(&mut client, &format!("records/{index}")).await;
                assert_eq!(result.is_ok(), seen, "{scope}: {index}");
                if let Err(status) = result {
                    assert_eq!(status.code(), Code::NotFound);
                }
            }
            let pages = lineage(&mut client, 0, 0).await;
            let expected: Vec<_> = indices.iter().zip(seen).filter(|(_, s)| *s).map(|(i, _)| *i).collect();
            let found: Vec<_> = pages[0].records.iter().map(|r| r.index).collect();
            assert_eq!(found, expected, "{scope}");
            verify_lines(&h, &pages[0].lines.concat(), None).unwrap();
        }
    }

    async fn a_lineage_verifies_offline_page_by_page(backend: Backend) {
        let h = start(backend).await;
        let mut client = producer(&h, "exceptions");
        append(&mut client, vec![record(9), record(3), record(1)]).await.unwrap();
        let mut auditor = auditor(&h, "acme/europe");
        let held = checkpoint(&mut auditor).await;
        let mut other = record(4);
        other.correlation_id = "SO-9".into();
        append(&mut client, vec![record(2), other, record(7), record(5)]).await.unwrap();
        for page_size in [0, 1, 2, 4, 6] {
            let pages = lineage(&mut auditor, page_size, held.tree_size).await;
            let order: Vec<_> = pages.iter().flat_map(|p| &p.records).map(|r| r.producer_sequence).collect();
            assert_eq!(order, [1, 2, 3, 5, 7, 9]);
            let lines = pages.iter().flat_map(|p| &p.lines).flatten().copied().collect::<Vec<_>>();
            let verified = verify_lines(&h, &lines, Some(&held.note)).unwrap();
            assert_eq!(verified.records, 6);
            assert_eq!(verified.continues, Some(u64::try_from(held.tree_size).unwrap()));
            for page in &pages {
                assert_eq!(page.checkpoint, pages[0].checkpoint, "one checkpoint for all pages");
            }
        }
        let pages = lineage(&mut auditor, 0, 0).await;
        let expected: Vec<_> = [1, 2, 3, 4].iter().map(|n| format!("{n:032x}")).collect();
        assert_eq!(pages[0].trace_ids, expected);
        verify_lines(&h, &pages[0].lines.concat(), None).unwrap();
        // a token is good for its own query only
        let token = lineage(&mut auditor, 1, 0).await[0].next_page_token.clone();
        let request = GetLineageRequest {
            correlation_id: "SO-9".into(),
            page_token: token,
            ..GetLineageRequest::default()
        };
        assert_eq!(reason(&auditor.get_lineage(request).await.unwrap_err()), "PAGE_TOKEN_INVALID");
    }

    async fn a_large_lineage_is_cut_into_pages_that_fit(backend: Backend) {
        let h = start(backend).await;
        let mut client = producer(&h, "exceptions");
        for n in 1..=9 {
            let mut large = record(n);
            large.payload = format!("{{\"a\":\"{}\"}}", "a".repeat(250 * 1024)).into();
            append(&mut client, vec![large]).await.unwrap();
        }
        let pages = lineage(&mut auditor(&h, "acme"), 0, 0).await;
        assert!(pages.len() > 1);
        let lines = pages.iter().flat_map(|p| &p.lines).flatten().copied().collect::<Vec<_>>();
        assert_eq!(verify_lines(&h, &lines, None).unwrap().records, 9);
        // a page that is left out is missed
        let without: Vec<_> = pages[1..].iter().flat_map(|p| &p.lines).flatten().copied().collect();
        assert!(verify_lines(&h, &without, None).is_err());
    }

    async fn readings_are_recorded(backend: Backend) {
        let h = start(backend).await;
        append(&mut producer(&h, "exceptions"), vec![record(1)]).await.unwrap();
        let mut auditor = auditor(&h, "acme");
        read(&mut auditor, "records/0").await.unwrap();
        lineage(&mut auditor, 0, 0).await;
        export(&mut auditor, 0, 0).await.unwrap();
        let recorded = || async {
            let mut auditor = crate::common::auditor(&h, "acme");
            let size = checkpoint(&mut auditor).await.tree_size;
            let mut found = Vec::new();
            for index in 1..size {
                let record = read(&mut auditor, &format!("records/{index}")).await.unwrap();
                assert_eq!(record.actor.unwrap().subject, "ann.auditor");
                assert_eq!(record.producer, "audit");
                found.push(record.action);
            }
            ["audit.record.read", "audit.lineage.read", "audit.log.export"]
                .iter()
                .all(|action| found.iter().any(|f| f == action))
        };
        eventually(Duration::from_secs(10), recorded).await;
    }
}
