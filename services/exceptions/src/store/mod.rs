//! The database: the only place that knows it.

mod cases;
mod ingest;
mod queries;
mod rows;
mod schema;

use approval::Subject;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm_migration::MigrationTrait;
use service_kit::{
    db::{self, Db},
    error::{Error, Result},
    identity::{Found, Scopes},
    outbox::{self, Entry},
};

use crate::{
    app::ports::{Case, DeadLetter, Decide, Plan, Planner, Query, Store, Wanted},
    domain::{
        action::{Action, Party},
        ageing,
        document::{Document, Key},
        exception::{Evidence, Exception},
    },
};

/// How often a transaction is repeated that another one came before.
const MAX_RETRIES: usize = 8;

/// The service's migrations.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    schema::migrations()
}

/// The service's database.
pub struct Sql {
    db: Db,
}

/// Another transaction changed what this one had read.
#[derive(Debug, thiserror::Error)]
#[error("another transaction came first")]
struct Stale;

/// The error of a transaction that is to be repeated from its start.
fn stale() -> Error {
    Error::internal(Stale)
}

/// Whether a transaction failed because another one came first: it changed what was
/// read, or inserted the same row.
fn came_second(error: &Error) -> bool {
    let source = std::error::Error::source(error);
    db::came_second(error) || source.is_some_and(|source| source.is::<Stale>())
}

impl Sql {
    /// The store in this database.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}

#[async_trait]
impl Store for Sql {
    async fn record(&self, entry: &Entry) -> Result<()> {
        self.db
            .write(|tx| async move { outbox::insert(&tx, std::slice::from_ref(entry)).await })
            .await
    }

    async fn ingest(&self, wanted: &Wanted, planner: &dyn Planner) -> Result<Plan> {
        for _ in 0..MAX_RETRIES {
            match ingest::run(&self.db, wanted, planner).await {
                Err(error) if came_second(&error) => {}
                result => return result,
            }
        }
        Err(contended())
    }

    async fn change(&self, exception: &str, decide: Decide<'_>) -> Result<Option<Case>> {
        for _ in 0..MAX_RETRIES {
            match cases::change(&self.db, exception, decide).await {
                Err(error) if came_second(&error) => {}
                Err(error) => return Err(error),
                Ok((_, Some(refusal))) => return Err(refusal),
                Ok((case, None)) => return Ok(case),
            }
        }
        Err(contended())
    }

    async fn exception(
        &self,
        id: &str,
        scopes: &Scopes,
    ) -> Result<Found<(Exception, Vec<Evidence>)>> {
        queries::exception(self.db.read(), id, scopes).await
    }

    async fn exceptions(&self, query: &Query, scopes: &Scopes) -> Result<(Vec<Exception>, i64)> {
        queries::exceptions(self.db.read(), query, scopes).await
    }

    async fn document(&self, key: &Key, scopes: &Scopes) -> Result<Found<Document>> {
        queries::document(self.db.read(), key, scopes).await
    }

    async fn action(&self, exception: &str, id: &str, scopes: &Scopes) -> Result<Found<Action>> {
        queries::action(self.db.read(), exception, id, scopes).await
    }

    async fn actions(
        &self,
        exception: &str,
        after: Option<(i64, String)>,
        limit: u64,
    ) -> Result<Vec<Action>> {
        queries::actions(self.db.read(), exception, after, limit).await
    }

    async fn executed(&self, document: &Key, limit: u64) -> Result<Vec<String>> {
        queries::executed(self.db.read(), document, limit).await
    }

    async fn used(&self, document: &Key, operation: &str, limit: u64) -> Result<Vec<String>> {
        queries::used(self.db.read(), document, operation, limit).await
    }

    async fn requested(&self, requester: &Party, request_id: &str) -> Result<Option<Action>> {
        let Subject { issuer, subject } = &requester.approver.who;
        queries::requested(self.db.read(), issuer, subject, request_id).await
    }

    async fn due(&self, now: DateTime<Utc>, limit: u64) -> Result<Vec<(String, String)>> {
        queries::due(self.db.read(), now, limit).await
    }

    async fn dead_letters(
        &self,
        before: Option<(i64, String)>,
        limit: u64,
        scopes: &Scopes,
    ) -> Result<Vec<DeadLetter>> {
        queries::dead_letters(self.db.read(), before, limit, scopes).await
    }

    async fn dead_letter(&self, id: &str, scopes: &Scopes) -> Result<Found<DeadLetter>> {
        queries::dead_letter(self.db.read(), id, scopes).await
    }

    async fn ageing(
        &self,
        scopes: &Scopes,
        since: &[DateTime<Utc>],
        now: DateTime<Utc>,
    ) -> Result<Vec<ageing::Row>> {
        queries::ageing(self.db.read(), scopes, since, now).await
    }
}

fn contended() -> Error {
    Error::unavailable(
        service_kit::error::Reason::StoreUnavailable,
        "too many others change the same documents now; nothing was changed",
    )
}
