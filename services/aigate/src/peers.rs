//! The policy and exceptions services, behind what the use cases need of them.

use async_trait::async_trait;
use contracts::{
    exceptions::{
        self, event_service_client::EventServiceClient,
        exception_service_client::ExceptionServiceClient,
    },
    policy::{self, decision_service_client::DecisionServiceClient},
    time::instant,
    types,
};
use governance::Scope;
use prost_types::Timestamp;
use service_kit::{
    client::{self, PeerChannel, Peers},
    error::{Error, Result},
    facts::{self, Fact},
    identity::Caller,
};

use crate::{
    app::ports::{Action, ActionRequest, Authorization, Exception, Exceptions, Policy, Question},
    domain::gate::{Decision, Effect, Receipt},
    grpc::encode,
};

const POLICY: &str = "policy";
const EXCEPTIONS: &str = "exceptions";

/// Largest page of actions that is asked for.
const PAGE: i32 = 1_000;

/// At most this many actions of an exception are read; it takes far fewer.
const MAX_ACTIONS: usize = 10_000;

/// The policy service over gRPC.
pub struct PolicyPeer {
    client: DecisionServiceClient<PeerChannel>,
}

impl PolicyPeer {
    /// The policy service at its address in the settings.
    pub fn new(peers: &Peers) -> Self {
        let client = DecisionServiceClient::new(peers.channel(POLICY));
        Self {
            client: service_kit::limited!(client),
        }
    }
}

#[async_trait]
impl Policy for PolicyPeer {
    async fn decide(&self, question: &Question) -> Result<Decision> {
        let answer = self
            .client
            .clone()
            .decide(decide_request(question)?)
            .await
            .map_err(|status| Error::from_status(status, POLICY))?;
        decision(answer.into_inner().decision)
    }

    async fn authorize(&self, action: &Authorization) -> Result<(Decision, Option<Receipt>)> {
        let request = policy::AuthorizeActionRequest {
            action: action.action.clone(),
            operation: action.operation.clone(),
            document: action.document.clone(),
            arguments: facts::to_proto(&action.arguments)?,
            audience: action.audience.clone(),
            request: Some(decide_request(&action.question)?),
            requester: Some(action.requester.to_proto()),
            excluded_subjects: Vec::new(),
            excluded: action.excluded.iter().map(encode::principal).collect(),
            approvals: Vec::new(),
            approved_digest: String::new(),
            line: action.line.clone(),
            finished_actions: action.finished.clone(),
            used_receipts: Vec::new(),
        };
        let answer = self
            .client
            .clone()
            .authorize_action(request)
            .await
            .map_err(|status| Error::from_status(status, POLICY))?
            .into_inner();
        let receipt = answer.receipt.map(receipt).transpose()?;
        Ok((decision(answer.decision)?, receipt))
    }
}

fn decide_request(question: &Question) -> Result<policy::DecideRequest> {
    Ok(policy::DecideRequest {
        workflow: question.workflow.clone(),
        scope: question.scope.to_string(),
        correlation_id: question.correlation_id.clone(),
        facts: facts::to_proto(&question.facts)?,
        ..policy::DecideRequest::default()
    })
}

/// An answer that doesn't hold what the contract promises.
fn malformed(peer: &str, what: &str) -> Error {
    Error::broken(format!("the {peer} service answered {what}"))
}

fn decision(answer: Option<types::Decision>) -> Result<Decision> {
    let answer = answer.ok_or_else(|| malformed(POLICY, "no decision"))?;
    let effect = match answer.effect() {
        types::Effect::Allow => Effect::Allow,
        types::Effect::RequireApproval => Effect::RequireApproval,
        types::Effect::Deny => Effect::Deny,
        types::Effect::Unspecified => return Err(malformed(POLICY, "a decision without effect")),
    };
    Ok(Decision {
        encoded: prost::Message::encode_to_vec(&answer),
        id: answer.id,
        effect,
        settled: answer.settled,
        reasons: answer.reasons,
        unknown_facts: answer
            .unknown_facts
            .into_iter()
            .chain(answer.required_facts)
            .collect(),
        revision: answer.revision,
    })
}

fn receipt(answer: types::Receipt) -> Result<Receipt> {
    let expires = answer.expire_time.as_ref().and_then(instant);
    Ok(Receipt {
        expires: expires.ok_or_else(|| malformed(POLICY, "a receipt without expiry"))?,
        id: answer.id,
        jws: answer.jws,
        audience: answer.audience,
    })
}

/// The exceptions service over gRPC.
pub struct ExceptionsPeer {
    exceptions: ExceptionServiceClient<PeerChannel>,
    events: EventServiceClient<PeerChannel>,
}

impl ExceptionsPeer {
    /// The exceptions service at its address in the settings.
    pub fn new(peers: &Peers) -> Self {
        let exceptions = ExceptionServiceClient::new(peers.channel(EXCEPTIONS));
        let events = EventServiceClient::new(peers.channel(EXCEPTIONS));
        Self {
            exceptions: service_kit::limited!(exceptions),
            events: service_kit::limited!(events),
        }
    }
}

#[async_trait]
impl Exceptions for ExceptionsPeer {
    async fn exception(&self, name: &str) -> Result<Exception> {
        let request = exceptions::GetExceptionRequest {
            name: name.to_owned(),
        };
        let answer = self
            .exceptions
            .clone()
            .get_exception(request)
            .await
            .map_err(|status| Error::from_status(status, EXCEPTIONS))?
            .into_inner();
        let scope = Scope::parse(&answer.scope);
        let state = answer.state();
        Ok(Exception {
            scope: scope.map_err(|_| malformed(EXCEPTIONS, "a malformed scope"))?,
            document: format!("documents/{}/{}", answer.document_type, answer.document_id),
            line: answer.line,
            correlation_id: answer.correlation_id,
            state: short(state.as_str_name(), "EXCEPTION_STATE_"),
            open: is_open(state),
        })
    }

    async fn facts(&self, document: &str) -> Result<Vec<Fact>> {
        let request = exceptions::GetDocumentRequest {
            name: document.to_owned(),
        };
        let answer = self
            .events
            .clone()
            .get_document(request)
            .await
            .map_err(|status| Error::from_status(status, EXCEPTIONS))?;
        // A document holds a fact once for each provenance, a request once.
        facts::all_from_proto(answer.into_inner().facts, "facts")
            .map_err(|error| malformed(EXCEPTIONS, error.message()))
    }

    async fn request(&self, caller: &Caller, request: &ActionRequest) -> Result<Action> {
        let message = exceptions::RequestActionRequest {
            parent: request.exception.clone(),
            operation: request.operation.clone(),
            arguments: arguments(request)?,
            request_id: request.request_id.clone(),
            recommendation: request.recommendation.clone(),
            excluded_subjects: Vec::new(),
            excluded: request.excluded.iter().map(encode::principal).collect(),
            comment: request.comment.clone(),
        };
        let answer = self
            .exceptions
            .clone()
            .request_action(client::on_behalf(caller).apply(message))
            .await
            .map_err(|status| Error::from_status(status, EXCEPTIONS))?;
        Ok(action(&answer.into_inner()))
    }

    async fn actions(&self, exception: &str) -> Result<Vec<Action>> {
        let (mut actions, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = exceptions::ListActionsRequest {
                parent: exception.to_owned(),
                page_size: PAGE,
                page_token,
            };
            let page = self
                .exceptions
                .clone()
                .list_actions(request)
                .await
                .map_err(|status| Error::from_status(status, EXCEPTIONS))?
                .into_inner();
            actions.extend(page.actions.iter().map(action));
            if page.next_page_token.is_empty() || actions.len() >= MAX_ACTIONS {
                return Ok(actions);
            }
            page_token = page.next_page_token;
        }
    }
}

fn arguments(request: &ActionRequest) -> Result<Vec<types::Fact>> {
    let named = request.arguments.0.iter();
    named
        .map(|(name, value)| {
            Ok(types::Fact {
                name: name.clone(),
                value: Some(facts::value_to_proto(value)?),
                provenance: types::Provenance::Unspecified.into(),
                asserted_by: String::new(),
                observe_time: None::<Timestamp>,
            })
        })
        .collect()
}

fn action(answer: &exceptions::Action) -> Action {
    Action {
        name: answer.name.clone(),
        state: short(answer.state().as_str_name(), "ACTION_STATE_"),
        operation: answer.operation.clone(),
        recommendation: answer.recommendation.clone(),
    }
}

fn short(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_owned()
}

fn is_open(state: exceptions::ExceptionState) -> bool {
    use exceptions::ExceptionState as State;
    match state {
        State::Open
        | State::Assigned
        | State::InProgress
        | State::Waiting
        | State::PendingApproval => true,
        State::Unspecified | State::Resolved | State::Closed | State::Cancelled => false,
    }
}
