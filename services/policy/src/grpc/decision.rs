//! `bylaw.policy.v1.DecisionService`.

use contracts::policy::{
    AuthorizeActionRequest, AuthorizeActionResponse, BatchDecideRequest, BatchDecideResponse,
    DecideRequest, DecideResponse, GetDecisionRequest, RecordedDecision,
    decision_service_server::DecisionService,
};
use service_kit::identity::caller;
use tonic::{Request, Response, Status};

use super::{Handler, decode, encode};

#[tonic::async_trait]
impl DecisionService for Handler {
    async fn decide(
        &self,
        request: Request<DecideRequest>,
    ) -> Result<Response<DecideResponse>, Status> {
        let caller = caller(&request)?;
        let question = decode::question(request.into_inner(), "", &decode::source(&caller))?;
        let answer = self.0.decide(&caller, question).await?;
        Ok(Response::new(encode::answer(answer)))
    }

    async fn batch_decide(
        &self,
        request: Request<BatchDecideRequest>,
    ) -> Result<Response<BatchDecideResponse>, Status> {
        let caller = caller(&request)?;
        let source = decode::source(&caller);
        let questions = request.into_inner().requests.into_iter();
        let questions = questions.map(|request| decode::question(request, "", &source));
        let answers = self.0.batch_decide(&caller, questions.collect()).await?;
        Ok(Response::new(BatchDecideResponse {
            results: answers.into_iter().map(encode::batch_result).collect(),
        }))
    }

    async fn authorize_action(
        &self,
        request: Request<AuthorizeActionRequest>,
    ) -> Result<Response<AuthorizeActionResponse>, Status> {
        let caller = caller(&request)?;
        let action = decode::action(request.into_inner(), &decode::source(&caller))?;
        let authorization = self.0.authorize(&caller, action).await?;
        Ok(Response::new(encode::authorization(authorization)))
    }

    async fn get_decision(
        &self,
        request: Request<GetDecisionRequest>,
    ) -> Result<Response<RecordedDecision>, Status> {
        let caller = caller(&request)?;
        let id = decode::decision_name(&request.get_ref().name)?;
        let kept = self.0.decision(&caller, id).await?;
        Ok(Response::new(encode::kept(kept)?))
    }
}
