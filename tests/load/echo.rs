//! The baseline: tonic and prost, with an answer that is always the same.

use std::path::Path;

use contracts::policy::{
    AuthorizeActionRequest, AuthorizeActionResponse, BatchDecideRequest, BatchDecideResponse,
    DecideRequest, DecideResponse, GetDecisionRequest, RecordedDecision,
    decision_service_server::{DecisionService, DecisionServiceServer},
};
use prost::Message as _;
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

struct Echo(DecideResponse);

#[tonic::async_trait]
impl DecisionService for Echo {
    async fn decide(&self, _: Request<DecideRequest>) -> Result<Response<DecideResponse>, Status> {
        Ok(Response::new(self.0.clone()))
    }

    async fn batch_decide(
        &self,
        _: Request<BatchDecideRequest>,
    ) -> Result<Response<BatchDecideResponse>, Status> {
        Err(only_decide())
    }

    async fn authorize_action(
        &self,
        _: Request<AuthorizeActionRequest>,
    ) -> Result<Response<AuthorizeActionResponse>, Status> {
        Err(only_decide())
    }

    async fn get_decision(
        &self,
        _: Request<GetDecisionRequest>,
    ) -> Result<Response<RecordedDecision>, Status> {
        Err(only_decide())
    }
}

fn only_decide() -> Status {
    Status::unimplemented("the baseline answers Decide alone")
}

/// Serves on a free port, which it prints, until it is killed.
pub async fn serve(answer: &Path) -> anyhow::Result<()> {
    let answer = DecideResponse::decode(std::fs::read(answer)?.as_slice())?;
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?)?.with_nodelay(Some(true));
    println!("{}", incoming.local_addr()?);
    Server::builder()
        .add_service(DecisionServiceServer::new(Echo(answer)))
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}
