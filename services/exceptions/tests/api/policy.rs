//! A policy service that answers what a test says.

use std::sync::{Arc, Mutex, MutexGuard};

use contracts::{
    policy::{
        AuthorizeActionRequest, AuthorizeActionResponse, BatchDecideRequest, BatchDecideResponse,
        DecideRequest, DecideResponse, GetDecisionRequest, RecordedDecision,
        decision_service_server::{DecisionService, DecisionServiceServer},
    },
    types,
};
use service_kit::error::{Error, Reason};
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

/// A policy service that answers what a test says, and remembers what it was asked.
#[derive(Clone, Default)]
pub struct FakePolicy(Arc<Mutex<State>>);

#[derive(Default)]
pub struct State {
    /// The next answers.
    pub decision: types::Decision,
    /// Whether questions fail as if nobody were there.
    pub decide_down: bool,
    /// Whether authorizations do.
    pub authorize_down: bool,
    /// Fails authorizations with this reason.
    pub refuse: Option<Reason>,
    /// What is missing although the approvals were given.
    pub missing: Vec<types::ApprovalRequirement>,
    /// When receipts expire.
    pub receipts_expire: Option<chrono::DateTime<chrono::Utc>>,
    /// Questions asked.
    pub questions: Vec<DecideRequest>,
    /// Authorizations asked for.
    pub authorizations: Vec<AuthorizeActionRequest>,
}

impl FakePolicy {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Answers with this effect and these approvals, `role@scope`, from now on.
    pub fn answer(&self, effect: types::Effect, approvals: &[&str]) {
        self.state().decision = types::Decision {
            id: "019abc4e-6f3e-7c11-9b1e-3f2f6f0a5d11".to_owned(),
            effect: effect.into(),
            settled: true,
            approvals: approvals.iter().map(|text| requirement(text)).collect(),
            binding_facts: vec!["order.total".to_owned()],
            revision: 7,
            audit_level: types::AuditLevel::Full.into(),
            ..types::Decision::default()
        };
    }

    pub async fn serve(&self) -> String {
        let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = format!("http://{}", incoming.local_addr().unwrap());
        let server = tonic::transport::Server::builder()
            .add_service(DecisionServiceServer::new(self.clone()))
            .serve_with_incoming(incoming);
        tokio::spawn(server);
        address
    }
}

/// `credit-manager@acme/europe/medical` as a requirement of one.
pub fn requirement(text: &str) -> types::ApprovalRequirement {
    let (role, at) = text.split_once('@').unwrap();
    types::ApprovalRequirement {
        role: role.to_owned(),
        at: at.to_owned(),
        count: 1,
    }
}

fn away() -> Status {
    Status::unavailable("nobody is there")
}

#[tonic::async_trait]
impl DecisionService for FakePolicy {
    async fn decide(
        &self,
        request: Request<DecideRequest>,
    ) -> Result<Response<DecideResponse>, Status> {
        let mut state = self.state();
        if state.decide_down {
            return Err(away());
        }
        let request = request.into_inner();
        let decision = types::Decision {
            workflow: request.workflow.clone(),
            scope: request.scope.clone(),
            correlation_id: request.correlation_id.clone(),
            ..state.decision.clone()
        };
        state.questions.push(request);
        Ok(Response::new(DecideResponse {
            decision: Some(decision),
            ..DecideResponse::default()
        }))
    }

    async fn authorize_action(
        &self,
        request: Request<AuthorizeActionRequest>,
    ) -> Result<Response<AuthorizeActionResponse>, Status> {
        let mut state = self.state();
        if state.authorize_down {
            return Err(away());
        }
        if let Some(reason) = state.refuse {
            return Err(Error::sod(reason, "refused by the test").into());
        }
        let request = request.into_inner();
        let denied = state.decision.effect == i32::from(types::Effect::Deny);
        let receipt = (!denied && state.missing.is_empty()).then(|| types::Receipt {
            id: format!("receipt of {}", request.action),
            jws: "signed".to_owned(),
            expire_time: state.receipts_expire.map(contracts::time::timestamp),
            audience: request.audience.clone(),
        });
        state.authorizations.push(request);
        Ok(Response::new(AuthorizeActionResponse {
            decision: Some(state.decision.clone()),
            receipt,
            missing_approvals: state.missing.clone(),
        }))
    }

    async fn batch_decide(
        &self,
        _: Request<BatchDecideRequest>,
    ) -> Result<Response<BatchDecideResponse>, Status> {
        Err(Status::unimplemented("not asked by this service"))
    }

    async fn get_decision(
        &self,
        _: Request<GetDecisionRequest>,
    ) -> Result<Response<RecordedDecision>, Status> {
        Err(Status::unimplemented("not asked by this service"))
    }
}
