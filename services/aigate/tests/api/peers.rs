//! Policy and exceptions services that answer what a test tells them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contracts::{
    exceptions::{
        self as ex,
        event_service_server::{EventService, EventServiceServer},
        exception_service_server::{ExceptionService, ExceptionServiceServer},
    },
    policy::{
        self as po,
        decision_service_server::{DecisionService, DecisionServiceServer},
    },
    types,
};
use tonic::{Request, Response, Status};

/// What they answer, and what they were asked.
#[derive(Default)]
pub struct State {
    pub policy_down: bool,
    pub exceptions_down: bool,
    pub effect: types::Effect,
    pub settled: bool,
    pub reasons: Vec<String>,
    /// Whether an allowed action gets a receipt.
    pub signs: bool,
    pub exception: ex::Exception,
    pub facts: Vec<types::Fact>,
    /// Why the next action isn't signed.
    pub no_receipt: Option<Status>,
    /// Why the next request of an action is refused.
    pub refusal: Option<Status>,
    /// Whether the answer to a request of an action gets lost after it took effect.
    pub loses_answer: bool,
    pub actions: Vec<ex::Action>,
    pub asked: Vec<po::DecideRequest>,
    pub authorized: Vec<po::AuthorizeActionRequest>,
    /// Requests of actions, with the person's token.
    pub requested: Vec<(ex::RequestActionRequest, String)>,
}

#[derive(Clone, Default)]
pub struct Peers(Arc<Mutex<State>>);

impl Peers {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves all of them at one address.
    pub async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        let router = tonic::transport::Server::builder()
            .add_service(DecisionServiceServer::new(self.clone()))
            .add_service(ExceptionServiceServer::new(self.clone()))
            .add_service(EventServiceServer::new(self.clone()));
        tokio::spawn(router.serve_with_incoming(incoming));
        address
    }

    fn decision(&self, request: &po::DecideRequest) -> types::Decision {
        let state = self.lock();
        types::Decision {
            id: "019abc4e-6f3e-7c11-9b1e-3f2f6f0a5d11".into(),
            workflow: request.workflow.clone(),
            scope: request.scope.clone(),
            correlation_id: request.correlation_id.clone(),
            effect: state.effect.into(),
            settled: state.settled,
            reasons: state.reasons.clone(),
            unknown_facts: if state.settled {
                vec![]
            } else {
                vec!["order.margin_pct".into()]
            },
            revision: 7,
            ..Default::default()
        }
    }
}

fn unused<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("not used by the gate"))
}

#[tonic::async_trait]
impl DecisionService for Peers {
    async fn decide(
        &self,
        request: Request<po::DecideRequest>,
    ) -> Result<Response<po::DecideResponse>, Status> {
        let request = request.into_inner();
        if self.lock().policy_down {
            return Err(Status::unavailable("down"));
        }
        let decision = Some(self.decision(&request));
        self.lock().asked.push(request);
        Ok(Response::new(po::DecideResponse {
            decision,
            ..Default::default()
        }))
    }

    async fn authorize_action(
        &self,
        request: Request<po::AuthorizeActionRequest>,
    ) -> Result<Response<po::AuthorizeActionResponse>, Status> {
        let request = request.into_inner();
        let decision = Some(self.decision(request.request.as_ref().unwrap()));
        let mut state = self.lock();
        if let Some(refusal) = state.no_receipt.take() {
            return Err(refusal);
        }
        let receipt = state.signs.then(|| types::Receipt {
            id: format!("receipt-{}", state.authorized.len()),
            jws: "a.b.c".into(),
            expire_time: Some(contracts::time::timestamp(chrono::Utc::now())),
            audience: request.audience.clone(),
        });
        state.authorized.push(request);
        Ok(Response::new(po::AuthorizeActionResponse {
            decision,
            receipt,
            missing_approvals: vec![],
        }))
    }

    async fn batch_decide(
        &self,
        _: Request<po::BatchDecideRequest>,
    ) -> Result<Response<po::BatchDecideResponse>, Status> {
        unused()
    }

    async fn get_decision(
        &self,
        _: Request<po::GetDecisionRequest>,
    ) -> Result<Response<po::RecordedDecision>, Status> {
        unused()
    }
}

#[tonic::async_trait]
impl ExceptionService for Peers {
    async fn get_exception(
        &self,
        request: Request<ex::GetExceptionRequest>,
    ) -> Result<Response<ex::Exception>, Status> {
        let state = self.lock();
        if state.exceptions_down {
            return Err(Status::unavailable("down"));
        }
        if request.into_inner().name != state.exception.name {
            return Err(service_kit::Error::not_found("it").into());
        }
        Ok(Response::new(state.exception.clone()))
    }

    async fn request_action(
        &self,
        request: Request<ex::RequestActionRequest>,
    ) -> Result<Response<ex::Action>, Status> {
        let person = request.metadata().get("on-behalf-of");
        let person = person
            .map(|v| v.to_str().unwrap().to_owned())
            .unwrap_or_default();
        let request = request.into_inner();
        let mut state = self.lock();
        if state.exceptions_down {
            return Err(Status::unavailable("down"));
        }
        if let Some(refusal) = state.refusal.take() {
            return Err(refusal);
        }
        let known = state
            .actions
            .iter()
            .find(|a| a.recommendation == request.recommendation);
        let action = known.cloned().unwrap_or_else(|| ex::Action {
            name: format!("{}/actions/{}", request.parent, state.actions.len() + 1),
            operation: request.operation.clone(),
            state: ex::ActionState::PendingApproval.into(),
            recommendation: request.recommendation.clone(),
            ..Default::default()
        });
        if !state.actions.contains(&action) {
            state.actions.push(action.clone());
        }
        state.requested.push((request, person));
        if std::mem::take(&mut state.loses_answer) {
            return Err(Status::unavailable("the answer got lost"));
        }
        Ok(Response::new(action))
    }

    async fn list_actions(
        &self,
        _: Request<ex::ListActionsRequest>,
    ) -> Result<Response<ex::ListActionsResponse>, Status> {
        let state = self.lock();
        if state.exceptions_down {
            return Err(Status::unavailable("down"));
        }
        Ok(Response::new(ex::ListActionsResponse {
            actions: state.actions.clone(),
            ..Default::default()
        }))
    }

    async fn list_exceptions(
        &self,
        _: Request<ex::ListExceptionsRequest>,
    ) -> Result<Response<ex::ListExceptionsResponse>, Status> {
        unused()
    }

    async fn claim_exception(
        &self,
        _: Request<ex::ClaimExceptionRequest>,
    ) -> Result<Response<ex::Exception>, Status> {
        unused()
    }

    async fn resolve_exception(
        &self,
        _: Request<ex::ResolveExceptionRequest>,
    ) -> Result<Response<ex::Exception>, Status> {
        unused()
    }

    async fn get_action(
        &self,
        _: Request<ex::GetActionRequest>,
    ) -> Result<Response<ex::Action>, Status> {
        unused()
    }

    async fn approve_action(
        &self,
        _: Request<ex::ApproveActionRequest>,
    ) -> Result<Response<ex::Action>, Status> {
        unused()
    }

    async fn reject_action(
        &self,
        _: Request<ex::RejectActionRequest>,
    ) -> Result<Response<ex::Action>, Status> {
        unused()
    }

    async fn get_ageing_report(
        &self,
        _: Request<ex::GetAgeingReportRequest>,
    ) -> Result<Response<ex::AgeingReport>, Status> {
        unused()
    }
}

#[tonic::async_trait]
impl EventService for Peers {
    async fn get_document(
        &self,
        request: Request<ex::GetDocumentRequest>,
    ) -> Result<Response<ex::Document>, Status> {
        let state = self.lock();
        Ok(Response::new(ex::Document {
            name: request.into_inner().name,
            scope: state.exception.scope.clone(),
            facts: state.facts.clone(),
            ..Default::default()
        }))
    }

    async fn ingest_event(
        &self,
        _: Request<ex::IngestEventRequest>,
    ) -> Result<Response<ex::IngestResult>, Status> {
        unused()
    }

    async fn batch_ingest_events(
        &self,
        _: Request<ex::BatchIngestEventsRequest>,
    ) -> Result<Response<ex::BatchIngestEventsResponse>, Status> {
        unused()
    }

    async fn list_dead_letters(
        &self,
        _: Request<ex::ListDeadLettersRequest>,
    ) -> Result<Response<ex::ListDeadLettersResponse>, Status> {
        unused()
    }

    async fn replay_dead_letter(
        &self,
        _: Request<ex::ReplayDeadLetterRequest>,
    ) -> Result<Response<ex::IngestResult>, Status> {
        unused()
    }
}
