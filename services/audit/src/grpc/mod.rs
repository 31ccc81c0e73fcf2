//! Decodes calls, asks the log, encodes the answer.

mod convert;

use contracts::audit::{
    AppendResult, BatchAppendRecordsRequest, BatchAppendRecordsResponse, Checkpoint,
    ConsistencyProof, ExportRecordsRequest, ExportRecordsResponse, GetCheckpointRequest,
    GetConsistencyProofRequest, GetInclusionProofRequest, GetLineageRequest, GetRecordRequest,
    InclusionProof, Lineage, Record,
    audit_service_server::{AuditService, AuditServiceServer},
};
use futures::{StreamExt as _, stream::BoxStream};
use service_kit::{identity::caller, limited};
use tonic::{Request, Response, Status, service::Routes};

use crate::{
    app::{LineageRequest, Log},
    domain::batch::Placed,
};

/// Full names of the services.
pub const SERVICES: [&str; 1] = ["bylaw.audit.v1.AuditService"];

/// The log's gRPC services.
pub fn routes(log: Log) -> Routes {
    Routes::new(limited!(AuditServiceServer::new(Handler(log))))
}

struct Handler(Log);

#[tonic::async_trait]
impl AuditService for Handler {
    async fn batch_append_records(
        &self,
        request: Request<BatchAppendRecordsRequest>,
    ) -> Result<Response<BatchAppendRecordsResponse>, Status> {
        let caller = caller(&request)?;
        let records = convert::records(request.into_inner().records)?;
        let placed = self.0.append(&caller, records).await?;
        let results = placed.into_iter().map(result).collect();
        Ok(Response::new(BatchAppendRecordsResponse { results }))
    }

    async fn get_record(
        &self,
        request: Request<GetRecordRequest>,
    ) -> Result<Response<Record>, Status> {
        let caller = caller(&request)?;
        let index = convert::record_name(&request.get_ref().name)?;
        let (leaf, hash) = self.0.record(&caller, index).await?;
        Ok(Response::new(convert::record(leaf, hash)))
    }

    async fn get_lineage(
        &self,
        request: Request<GetLineageRequest>,
    ) -> Result<Response<Lineage>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let request = LineageRequest {
            correlation_id: request.correlation_id,
            page_size: request.page_size,
            page_token: request.page_token,
            held: convert::count("held_tree_size", request.held_tree_size)?,
        };
        let lineage = self.0.lineage(&caller, &request).await?;
        Ok(Response::new(convert::lineage(lineage)))
    }

    type ExportRecordsStream = BoxStream<'static, Result<ExportRecordsResponse, Status>>;

    async fn export_records(
        &self,
        request: Request<ExportRecordsRequest>,
    ) -> Result<Response<Self::ExportRecordsStream>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let first = convert::count("start_index", request.start_index)?;
        let size = convert::count("tree_size", request.tree_size)?;
        let lines = self.0.export(&caller, first, size).await?;
        let parts = lines.map(|part| match part {
            Ok(lines) => Ok(ExportRecordsResponse {
                lines: lines.into(),
            }),
            Err(error) => Err(error.into()),
        });
        Ok(Response::new(parts.boxed()))
    }

    async fn get_checkpoint(
        &self,
        request: Request<GetCheckpointRequest>,
    ) -> Result<Response<Checkpoint>, Status> {
        let caller = caller(&request)?;
        let (signed, corrupt) = self.0.checkpoint(&caller).await?;
        Ok(Response::new(Checkpoint {
            log_corrupt: corrupt.unwrap_or_default(),
            ..convert::checkpoint(&signed)
        }))
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<GetInclusionProofRequest>,
    ) -> Result<Response<InclusionProof>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let index = convert::count("index", request.index)?;
        let size = convert::count("tree_size", request.tree_size)?;
        let proof = self.0.inclusion_proof(&caller, index, size).await?;
        Ok(Response::new(InclusionProof {
            index: convert::int(proof.index),
            tree_size: convert::int(proof.size),
            leaf_hash: convert::hash_bytes(&proof.leaf_hash),
            path: convert::hashes(&proof.path),
        }))
    }

    async fn get_consistency_proof(
        &self,
        request: Request<GetConsistencyProofRequest>,
    ) -> Result<Response<ConsistencyProof>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let from = convert::count("from_size", request.from_size)?;
        let to = convert::count("to_size", request.to_size)?;
        let proof = self.0.consistency_proof(&caller, from, to).await?;
        Ok(Response::new(ConsistencyProof {
            from_size: convert::int(proof.from),
            to_size: convert::int(proof.to),
            path: convert::hashes(&proof.path),
        }))
    }
}

fn result(placed: Placed) -> AppendResult {
    let (Placed::New(index) | Placed::Duplicate(index) | Placed::Conflict(index)) = placed;
    AppendResult {
        index: convert::int(index),
        duplicate: matches!(placed, Placed::Duplicate(_)),
        conflict: matches!(placed, Placed::Conflict(_)),
    }
}
