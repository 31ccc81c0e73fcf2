//! The baselines: tonic and prost, with answers that are always the same; and a collector
//! that takes spans and forgets them.

use std::path::Path;

use contracts::policy::{
    AuthorizeActionRequest, AuthorizeActionResponse, BatchDecideRequest, BatchDecideResponse,
    DecideRequest, DecideResponse, GetDecisionRequest, RecordedDecision,
    decision_service_server::{DecisionService, DecisionServiceServer},
};
use opentelemetry_proto::tonic::collector::{
    metrics::v1::{
        ExportMetricsServiceRequest, ExportMetricsServiceResponse,
        metrics_service_server::{MetricsService, MetricsServiceServer},
    },
    trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
};
use prost::Message as _;
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

struct Echo {
    one: DecideResponse,
    batch: BatchDecideResponse,
}

#[tonic::async_trait]
impl DecisionService for Echo {
    async fn decide(&self, _: Request<DecideRequest>) -> Result<Response<DecideResponse>, Status> {
        Ok(Response::new(self.one.clone()))
    }

    async fn batch_decide(
        &self,
        _: Request<BatchDecideRequest>,
    ) -> Result<Response<BatchDecideResponse>, Status> {
        Ok(Response::new(self.batch.clone()))
    }

    async fn authorize_action(
        &self,
        _: Request<AuthorizeActionRequest>,
    ) -> Result<Response<AuthorizeActionResponse>, Status> {
        Err(only_decisions())
    }

    async fn get_decision(
        &self,
        _: Request<GetDecisionRequest>,
    ) -> Result<Response<RecordedDecision>, Status> {
        Err(only_decisions())
    }
}

fn only_decisions() -> Status {
    Status::unimplemented("the baseline answers Decide and BatchDecide alone")
}

struct Sink;

#[tonic::async_trait]
impl TraceService for Sink {
    async fn export(
        &self,
        _: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Sink {
    async fn export(
        &self,
        _: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

/// A free port, which is printed.
fn listen() -> anyhow::Result<TcpIncoming> {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?)?.with_nodelay(Some(true));
    println!("{}", incoming.local_addr()?);
    Ok(incoming)
}

/// Serves the encoded answers until it is killed.
pub async fn serve(one: &Path, batch: &Path) -> anyhow::Result<()> {
    let echo = Echo {
        one: DecideResponse::decode(std::fs::read(one)?.as_slice())?,
        batch: BatchDecideResponse::decode(std::fs::read(batch)?.as_slice())?,
    };
    let router = Server::builder().add_service(DecisionServiceServer::new(echo));
    router.serve_with_incoming(listen()?).await?;
    Ok(())
}

/// Takes spans and metrics until it is killed.
pub async fn sink() -> anyhow::Result<()> {
    let router = Server::builder()
        .add_service(TraceServiceServer::new(Sink))
        .add_service(MetricsServiceServer::new(Sink));
    router.serve_with_incoming(listen()?).await?;
    Ok(())
}
