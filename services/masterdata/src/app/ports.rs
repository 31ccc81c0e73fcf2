//! What the use cases need of a store.

use async_trait::async_trait;
use service_kit::{
    error::Result,
    identity::{Found, Scopes},
    outbox::Entry,
};
use uuid::Uuid;

use super::{Answered, Figure, FigureQuery, Retry, Validation};
use crate::domain::catalog::Document;

/// The service's database.
#[async_trait]
pub trait Store: Send + Sync {
    /// Writes validations, counts them into the day's quality figures, and writes the
    /// entries of the outbox, all or nothing. Where the request came before, nothing is
    /// written, and what was answered then is given.
    async fn record(
        &self,
        validations: &[Validation],
        retry: Option<&Retry>,
        entries: Vec<Entry>,
    ) -> Result<Option<Answered>>;

    /// What was answered to a request of the same caller with the same id.
    async fn answered(&self, retry: &Retry) -> Result<Option<Answered>>;

    /// A validation by id, within scopes.
    async fn validation(&self, id: Uuid, scopes: &Scopes) -> Result<Found<Validation>>;

    /// At most `query.limit` figures and one more, by day, unit and entity.
    async fn figures(&self, query: &FigureQuery) -> Result<Vec<Figure>>;

    /// The governed documents, by kind and name.
    async fn documents(&self) -> Result<Vec<Document>>;

    /// The first versions of the governed documents, whatever came after.
    async fn begun(&self) -> Result<Vec<Document>>;

    /// Writes the first documents and their records, unless there are documents already;
    /// whether it did.
    async fn bootstrap(&self, documents: &[Document], entries: Vec<Entry>) -> Result<bool>;

    /// Deletes at most a batch of validations from before a time, and what they answered;
    /// how many.
    async fn forget(&self, before: chrono::DateTime<chrono::Utc>) -> Result<u64>;
}
