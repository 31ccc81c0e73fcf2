//! What the use cases need of the database and of other services.

use approval::Somebody;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use governance::Scope;
use service_kit::{
    error::Result,
    facts::Fact,
    identity::{Caller, Found, Principal, Scopes},
    outbox::Entry,
};

use crate::domain::{
    gate::{Decision, Receipt},
    recommendation::{Arguments, Party, Recommendation, State},
};

/// What makes a submission's retry return the first answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// UUID that the submitter gave; empty: none.
    pub id: String,
    /// Digest of the content, which a retry must agree in.
    pub digest: String,
}

/// Which recommendations to list.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those of this business transaction; empty: all.
    pub correlation_id: String,
    /// After this one, in the order of the list.
    pub after: Option<(i64, String)>,
    /// At most this many.
    pub limit: u64,
}

/// Where recommendations are kept.
#[async_trait]
pub trait Store: Send + Sync {
    /// What an earlier submission with this request id led to, with its digest.
    async fn submitted(
        &self,
        submitter: &Party,
        request_id: &str,
    ) -> Result<Option<(String, Recommendation)>>;

    /// Keeps a new recommendation; false where one of the same request came first.
    async fn insert(
        &self,
        recommendation: &Recommendation,
        request: &Request,
        entries: &[Entry],
    ) -> Result<bool>;

    /// A recommendation within scopes.
    async fn find(&self, id: &str, scopes: &Scopes) -> Result<Found<Recommendation>>;

    /// Recommendations within scopes, newest first.
    async fn list(&self, query: &Query, scopes: &Scopes) -> Result<Vec<Recommendation>>;

    /// Keeps a change of what was read at `version`; false where another change came
    /// first.
    async fn update(
        &self,
        recommendation: &Recommendation,
        version: i64,
        entries: &[Entry],
    ) -> Result<bool>;

    /// The recommendation that acts by itself with this receipt.
    async fn of_receipt(&self, receipt: &str) -> Result<Option<Recommendation>>;

    /// Names of recommendations that acted by themselves on a document and were executed,
    /// the newest first.
    async fn executed(&self, document: &str, limit: u64) -> Result<Vec<String>>;

    /// Those in review that lapse by `now` and aren't being accepted.
    async fn overdue(&self, now: DateTime<Utc>, limit: u64) -> Result<Vec<Recommendation>>;

    /// Those being accepted since before `since`.
    async fn unsettled(&self, since: DateTime<Utc>, limit: u64) -> Result<Vec<Recommendation>>;
}

/// A question to the policy service.
#[derive(Debug, Clone)]
pub struct Question {
    /// Workflow.
    pub workflow: String,
    /// Scope of the document.
    pub scope: Scope,
    /// The business transaction.
    pub correlation_id: String,
    /// What is known, with where it came from.
    pub facts: Vec<Fact>,
}

/// An action to have signed.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// `recommendations/{recommendation}`.
    pub action: String,
    /// Operation.
    pub operation: String,
    /// `type/id` of the document.
    pub document: String,
    /// Line of the document; empty: all of it.
    pub line: String,
    /// Actions on the exception, and recommendations on the document, that were executed.
    pub finished: Vec<String>,
    /// Arguments, exactly as the receipt is to hold them.
    pub arguments: Vec<Fact>,
    /// The executing system.
    pub audience: String,
    /// The question, asked again.
    pub question: Question,
    /// Who asks: the principal that speaks for the model.
    pub requester: Principal,
    /// Others who count as the requester.
    pub excluded: Vec<Somebody>,
}

/// The policy service.
#[async_trait]
pub trait Policy: Send + Sync {
    /// Asks whether a step may happen.
    async fn decide(&self, question: &Question) -> Result<Decision>;

    /// Has an action signed; no receipt where the policy in force doesn't allow it.
    async fn authorize(&self, action: &Authorization) -> Result<(Decision, Option<Receipt>)>;
}

/// An exception as the gate needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Scope of its document.
    pub scope: Scope,
    /// `documents/{type}/{id}`.
    pub document: String,
    /// Line of the document; empty: all of it.
    pub line: String,
    /// The business transaction.
    pub correlation_id: String,
    /// Its state, such as `OPEN`.
    pub state: String,
    /// Whether something can still be done about it.
    pub open: bool,
}

/// An action that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// `exceptions/{exception}/actions/{action}`.
    pub name: String,
    /// Its state, such as `PENDING_APPROVAL`.
    pub state: String,
    /// What it does.
    pub operation: String,
    /// `recommendations/{recommendation}` that it came of, or empty.
    pub recommendation: String,
}

/// An action to ask for.
#[derive(Debug, Clone)]
pub struct ActionRequest {
    /// `exceptions/{exception}`.
    pub exception: String,
    /// Operation.
    pub operation: String,
    /// Arguments.
    pub arguments: Arguments,
    /// UUID that makes a retry return the first answer.
    pub request_id: String,
    /// `recommendations/{recommendation}`.
    pub recommendation: String,
    /// Others who count as the requester.
    pub excluded: Vec<Somebody>,
    /// In the reviewer's words.
    pub comment: String,
}

/// The exceptions service.
#[async_trait]
pub trait Exceptions: Send + Sync {
    /// An exception.
    async fn exception(&self, name: &str) -> Result<Exception>;

    /// What is known of a document.
    async fn facts(&self, document: &str) -> Result<Vec<Fact>>;

    /// Asks for an action on behalf of the caller's person.
    async fn request(&self, caller: &Caller, request: &ActionRequest) -> Result<Action>;

    /// The actions that were asked for on an exception, oldest first.
    async fn actions(&self, exception: &str) -> Result<Vec<Action>>;

    /// The action that came of a recommendation, if one did.
    async fn action_of(&self, exception: &str, recommendation: &str) -> Result<Option<Action>> {
        let actions = self.actions(exception).await?;
        Ok(actions
            .into_iter()
            .find(|action| action.recommendation == recommendation))
    }
}
