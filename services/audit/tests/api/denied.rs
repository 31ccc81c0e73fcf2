//! Every RPC refuses who may not call it.

use contracts::audit::{
    BatchAppendRecordsRequest, ExportRecordsRequest, GetCheckpointRequest,
    GetConsistencyProofRequest, GetInclusionProofRequest, GetLineageRequest, GetRecordRequest,
};
use testkit::{Backend, Harness};
use tonic::{Code, Status};

use crate::common::*;

/// What each RPC answers a client.
async fn call_all(client: &mut Client) -> Vec<(&'static str, Result<(), Status>)> {
    let append = BatchAppendRecordsRequest {
        records: vec![record(100)],
    };
    let record = GetRecordRequest {
        name: "records/0".into(),
    };
    let lineage = GetLineageRequest {
        correlation_id: "SO-4711".into(),
        ..GetLineageRequest::default()
    };
    vec![
        (
            "append",
            client.batch_append_records(append).await.map(drop),
        ),
        ("record", client.get_record(record).await.map(drop)),
        ("lineage", client.get_lineage(lineage).await.map(drop)),
        (
            "export",
            client
                .export_records(ExportRecordsRequest::default())
                .await
                .map(drop),
        ),
        (
            "checkpoint",
            client
                .get_checkpoint(GetCheckpointRequest {})
                .await
                .map(drop),
        ),
        (
            "inclusion",
            client
                .get_inclusion_proof(GetInclusionProofRequest::default())
                .await
                .map(drop),
        ),
        (
            "consistency",
            client
                .get_consistency_proof(GetConsistencyProofRequest::default())
                .await
                .map(drop),
        ),
    ]
}

async fn started(backend: Backend) -> Harness {
    let h = start(backend).await;
    append(&mut producer(&h, "exceptions"), vec![record(1)])
        .await
        .unwrap();
    h
}

testkit::backends! {
    async fn without_a_token_or_with_a_bad_one(backend: Backend) {
        let h = started(backend).await;
        for token in ["", "nonsense"] {
            for (rpc, result) in call_all(&mut Client::new(h.with_token(token))).await {
                assert_eq!(result.unwrap_err().code(), Code::Unauthenticated, "{rpc}");
            }
        }
    }

    async fn without_the_permission(backend: Backend) {
        let h = started(backend).await;
        let allowed: [(&[&str], &[&str]); 4] = [
            (&["event-source@acme"], &[]),
            (&["operator@acme"], &[]),
            (&["recommender@acme"], &[]),
            (&["auditor@acme"], &["record", "lineage", "export", "checkpoint", "inclusion", "consistency"]),
        ];
        for (grants, may) in allowed {
            for (rpc, result) in call_all(&mut Client::new(h.person("ann", grants))).await {
                match result {
                    Ok(()) => assert!(may.contains(&rpc), "{grants:?} may not {rpc}"),
                    Err(status) => {
                        assert!(!may.contains(&rpc), "{grants:?}, {rpc}: {status:?}");
                        assert_eq!(status.code(), Code::PermissionDenied, "{rpc}");
                    }
                }
            }
        }
    }

    async fn an_export_needs_a_grant_over_the_whole_log(backend: Backend) {
        let h = started(backend).await;
        let mut other = record(2);
        other.scope = "acme/europe/industrial".into();
        append(&mut producer(&h, "exceptions"), vec![other]).await.unwrap();
        for scope in ["acme/europe/medical", "other"] {
            let status = export(&mut auditor(&h, scope), 0, 0).await.unwrap_err();
            assert_eq!(status.code(), Code::PermissionDenied, "{scope}");
        }
        export(&mut auditor(&h, "acme"), 0, 0).await.unwrap();
    }

    async fn a_producer_appends_its_own_records_only(backend: Backend) {
        let h = started(backend).await;
        let status = append(&mut producer(&h, "policy"), vec![record(2)]).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied);
        // the role alone doesn't make a person a service
        let mut mixed = record(3);
        mixed.producer = "policy".into();
        let status = append(&mut producer(&h, "exceptions"), vec![record(2), mixed]).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied);
    }
}
