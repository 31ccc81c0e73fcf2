//! Export, checkpoints and proofs: repeatable, resumable, and right.

use contracts::audit::{GetConsistencyProofRequest, GetInclusionProofRequest};
use merkle::{Checkpoint, Hash, consistency, inclusion, note::Verifier};
use tonic::Code;

use crate::common::*;

fn hashes(path: &[prost::bytes::Bytes]) -> Vec<Hash> {
    path.iter()
        .map(|hash| Hash::from_slice(hash).unwrap())
        .collect()
}

fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap()
}

testkit::backends! {
    async fn an_export_is_the_same_whenever_it_is_made(backend: Backend) {
        let h = start(backend).await;
        let mut client = producer(&h, "exceptions");
        append(&mut client, (1..=700).map(record).collect()).await.unwrap();
        let mut auditor = auditor(&h, "acme");
        let size = checkpoint(&mut auditor).await.tree_size;
        let first = export(&mut auditor, 0, size).await.unwrap();
        append(&mut client, (701..=900).map(record).collect()).await.unwrap();
        let held = checkpoint(&mut auditor).await;
        assert_eq!(export(&mut auditor, 0, size).await.unwrap(), first);
        let verified = verify_lines(&h, &first, None).unwrap();
        assert_eq!(int(verified.records), size);
        // taken up later
        let lines: Vec<_> = first.split_inclusive(|b| *b == b'\n').collect();
        for start in [1, 255, 256, 257, 512, 699, size] {
            let rest = export(&mut auditor, start, size).await.unwrap();
            verify_lines(&h, &rest, None).unwrap();
            let after_range = rest.iter().position(|b| *b == b'\n').unwrap() + 1;
            let kept = lines[..usize::try_from(start).unwrap()].concat();
            assert_eq!([&kept, &rest[after_range..]].concat(), first, "from {start}");
        }
        // against an older and a newer checkpoint
        let whole = export(&mut auditor, 0, 0).await.unwrap();
        let old = String::from_utf8(lines.last().unwrap().to_vec()).unwrap();
        let old: serde_json::Value = serde_json::from_str(&old).unwrap();
        let old = old["data"]["checkpoint"].as_str().unwrap();
        assert_eq!(verify_lines(&h, &whole, Some(old)).unwrap().continues, Some(u64::try_from(size).unwrap()));
        let newer = verify_lines(&h, &first, Some(&held.note)).unwrap_err();
        assert!(newer.to_string().contains("cut"), "{newer}");
        for (start, size) in [(0, size + 1_000_000), (size + 1, size), (-1, 0), (0, -1)] {
            let status = export(&mut auditor, start, size).await.unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{start}, {size}");
        }
    }

    async fn large_records_are_signed_read_and_exported_some_at_a_time(backend: Backend) {
        let h = start_lazy(backend).await;
        let mut client = producer(&h, "exceptions");
        let large = |n| {
            let mut record = record(n);
            record.payload = format!(r#"{{"note":"{}"}}"#, "x".repeat(250 * 1024)).into();
            record
        };
        // more than one step of signing takes
        for n in 0..10 {
            let records = (1..=4).map(|i| large(n * 4 + i)).collect();
            append(&mut client, records).await.unwrap();
        }
        append(&mut client, vec![record(41)]).await.unwrap();
        let mut auditor = auditor(&h, "acme");
        let signed = checkpoint(&mut auditor).await;
        assert!(signed.tree_size >= 41);
        let lines = export(&mut auditor, 0, signed.tree_size).await.unwrap();
        let verified = verify_lines(&h, &lines, None).unwrap();
        assert_eq!(int(verified.records), signed.tree_size);
        let pages = lineage(&mut auditor, 0, 0).await;
        assert!(pages.len() > 5, "{} pages", pages.len());
        let numbers: Vec<_> = pages
            .iter()
            .flat_map(|page| &page.records)
            .map(|record| record.producer_sequence)
            .collect();
        assert_eq!(numbers, (1..=41).collect::<Vec<_>>());
    }

    async fn the_checkpoint_is_served_as_text(backend: Backend) {
        let h = start(backend).await;
        append(&mut producer(&h, "exceptions"), vec![record(1)]).await.unwrap();
        let signed = checkpoint(&mut auditor(&h, "acme")).await;
        let key = Verifier::parse(&key(&h)).unwrap();
        let opened = Checkpoint::open(&signed.note, &key).unwrap();
        assert_eq!((int(opened.size), opened.origin), (signed.tree_size, signed.origin));
        assert_eq!(opened.root.0.as_slice(), &signed.root_hash);
        let page = http_get(h.http_addr(), "/checkpoint").await;
        let (head, body) = page.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.to_lowercase().contains("content-type: text/plain"), "{head}");
        assert!(Checkpoint::open(body, &key).unwrap().size >= opened.size);
        use std::os::unix::fs::PermissionsExt as _;
        let private = std::fs::metadata(h.data_dir().join("audit-log.key")).unwrap();
        assert_eq!(private.permissions().mode() & 0o777, 0o600);
    }

    async fn proofs_hold(backend: Backend) {
        let h = start(backend).await;
        let mut client = producer(&h, "exceptions");
        let mut auditor = auditor(&h, "acme/europe/medical");
        append(&mut client, (1..=300).map(record).collect()).await.unwrap();
        let old = checkpoint(&mut auditor).await;
        append(&mut client, (301..=600).map(record).collect()).await.unwrap();
        let new = checkpoint(&mut auditor).await;
        let root = |c: &contracts::audit::Checkpoint| Hash::from_slice(&c.root_hash).unwrap();
        for index in [0, 1, 255, 256, 299] {
            for tree in [&old, &new] {
                let request = GetInclusionProofRequest { index, tree_size: tree.tree_size };
                let proof = auditor.get_inclusion_proof(request).await.unwrap().into_inner();
                let leaf = Hash::from_slice(&proof.leaf_hash).unwrap();
                let (index, size) = (u64::try_from(index).unwrap(), u64::try_from(tree.tree_size).unwrap());
                inclusion::verify(index, size, leaf, &hashes(&proof.path), &root(tree)).unwrap();
            }
        }
        let request = GetConsistencyProofRequest {
            from_size: old.tree_size,
            to_size: new.tree_size,
        };
        let proof = auditor.get_consistency_proof(request).await.unwrap().into_inner();
        let (from, to) = (u64::try_from(old.tree_size).unwrap(), u64::try_from(new.tree_size).unwrap());
        consistency::verify(from, to, &hashes(&proof.path), &root(&old), &root(&new)).unwrap();
        let request = GetInclusionProofRequest { index: old.tree_size, tree_size: old.tree_size };
        assert_eq!(auditor.get_inclusion_proof(request).await.unwrap_err().code(), Code::InvalidArgument);
        let request = GetInclusionProofRequest { index: 0, tree_size: 1 << 40 };
        assert_eq!(auditor.get_inclusion_proof(request).await.unwrap_err().code(), Code::InvalidArgument);
        let request = GetConsistencyProofRequest { from_size: new.tree_size, to_size: old.tree_size };
        assert_eq!(auditor.get_consistency_proof(request).await.unwrap_err().code(), Code::InvalidArgument);
    }

    async fn an_append_is_signed_within_seconds_without_asking(backend: Backend) {
        let h = start(backend).await;
        append(&mut producer(&h, "exceptions"), vec![record(1), record(2)]).await.unwrap();
        let signed = || async {
            let page = http_get(h.http_addr(), "/checkpoint").await;
            let size = page.split("\r\n\r\n").nth(1).and_then(|body| body.lines().nth(1)?.parse().ok());
            size.is_some_and(|size: u64| size >= 2)
        };
        testkit::eventually(std::time::Duration::from_secs(10), signed).await;
    }
}
