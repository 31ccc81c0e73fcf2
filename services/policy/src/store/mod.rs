//! The database of the policy service: the only place that knows it. Finders of what
//! belongs to a scope take the caller's scopes.

mod answers;
mod changes;
mod convert;
mod entity;
mod migration;
mod receipts;

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use governance::Scope;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
    sea_query::{Expr, OnConflict},
};
use service_kit::{
    db::{Db, Tx},
    error::Result,
    identity::{Found, Scopes},
    outbox::{self, Entry},
};
use uuid::Uuid;

use crate::{
    app::store::{Authorized, Claim, CountKey, Earlier, Kept, Record, Recorded, Signed, Store},
    domain::snapshot::{Document, Revision},
};
use entity::{count, decision, document, revision};

pub use migration::migrations;

/// Rows of one INSERT: SQLite takes 32,766 parameters.
const INSERT_ROWS: usize = 1_000;

/// The store in the kit's database.
#[derive(Clone)]
pub struct Database(Db);

impl Database {
    /// The store in this database.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self(db)
    }
}

#[async_trait]
impl Store for Database {
    async fn latest(&self) -> Result<u64> {
        let latest: Option<Option<i64>> = revision::Entity::find()
            .select_only()
            .column_as(revision::Column::Number.max(), "latest")
            .into_tuple()
            .one(self.0.read())
            .await?;
        convert::number(latest.flatten().unwrap_or(0))
    }

    async fn begun(&self) -> Result<Vec<Document>> {
        let rows = document::Entity::find()
            .filter(document::Column::FirstRevision.eq(1))
            .all(self.0.read())
            .await?;
        rows.into_iter().map(convert::document).collect()
    }

    async fn load(&self) -> Result<Option<(Revision, Vec<Document>)>> {
        let db = self.0.read();
        let newest = revision::Entity::find()
            .order_by_desc(revision::Column::Number)
            .one(db)
            .await?;
        let Some(newest) = newest else {
            return Ok(None);
        };
        // Documents never change, and those of a later revision began later.
        let documents = document::Entity::find()
            .filter(changes::in_force_at(newest.number))
            .order_by_asc(document::Column::Kind)
            .order_by_asc(document::Column::Name)
            .all(db)
            .await?;
        let documents = documents.into_iter().map(convert::document);
        Ok(Some((
            convert::revision(newest)?,
            documents.collect::<Result<_>>()?,
        )))
    }

    async fn bootstrap(
        &self,
        revision: &Revision,
        documents: &[Document],
        record: &Entry,
    ) -> Result<bool> {
        let (row, entries) = (convert::revision_row(revision)?, [record.clone()]);
        let rows: Vec<_> = documents
            .iter()
            .map(|document| convert::document_row(document, revision.number))
            .collect::<Result<_>>()?;
        let (row, rows, entries) = (&row, &rows, &entries);
        let first = |tx: Tx| async move {
            // Of several that try at once, the others wait here for the first to commit.
            let inserted = revision::Entity::insert(row.clone())
                .on_conflict(nothing(revision::Column::Number))
                .exec_without_returning(&tx)
                .await?;
            if inserted == 0 {
                return Ok(false);
            }
            for chunk in rows.chunks(INSERT_ROWS) {
                document::Entity::insert_many(chunk.to_vec())
                    .exec_without_returning(&tx)
                    .await?;
            }
            outbox::insert(&tx, entries).await?;
            Ok(true)
        };
        self.0.write(first).await
    }

    async fn record(&self, records: &[Record]) -> Result<Vec<Recorded>> {
        self.0
            .write(|tx| async move { answers::record(&tx, records).await })
            .await
    }

    async fn answered(
        &self,
        asker_key: &str,
        request_id: Uuid,
        since: DateTime<Utc>,
    ) -> Result<Option<Earlier>> {
        answers::earlier(self.0.read(), asker_key, request_id, since).await
    }

    async fn decision(&self, id: Uuid, scopes: &Scopes) -> Result<Found<Kept>> {
        let row = decision::Entity::find_by_id(id).one(self.0.read()).await?;
        let kept = row.map(convert::kept).transpose()?;
        Ok(in_scopes(kept, scopes, |kept| &kept.question.scope))
    }

    async fn receipt(&self, action: &str, scopes: &Scopes) -> Result<Found<Authorized>> {
        let found = receipts::of(self.0.read(), action).await?;
        Ok(in_scopes(found, scopes, |authorized| {
            &authorized.answer.decision.scope
        }))
    }

    async fn authorize(
        &self,
        new: &Authorized,
        claim: &Claim,
        replaces: Option<Uuid>,
        record: &Record,
    ) -> Result<Signed> {
        receipts::keep(&self.0, new, claim, replaces, record).await
    }

    async fn forget(
        &self,
        answered: DateTime<Utc>,
        stood: DateTime<Utc>,
        limit: u64,
    ) -> Result<u64> {
        let forget = |tx: Tx| async move {
            let requests = answers::forget(&tx, answered, limit).await?;
            let receipts = receipts::forget(&tx, stood, limit).await?;
            Ok(std::cmp::Ord::max(requests, receipts))
        };
        self.0.write(forget).await
    }

    async fn count(&self, counts: &BTreeMap<CountKey, u64>) -> Result<()> {
        let rows: Vec<_> = counts
            .iter()
            .map(|(key, count)| convert::count_row(key, *count))
            .collect::<Result<_>>()?;
        let rows = &rows;
        let add = |tx: Tx| async move {
            for chunk in rows.chunks(INSERT_ROWS) {
                count::Entity::insert_many(chunk.to_vec())
                    .on_conflict(added())
                    .exec_without_returning(&tx)
                    .await?;
            }
            Ok(())
        };
        self.0.write(add).await
    }
}

/// What a finder answers of something that has a scope.
fn in_scopes<T>(found: Option<T>, scopes: &Scopes, scope: impl Fn(&T) -> &Scope) -> Found<T> {
    match found {
        None => Found::Missing,
        Some(found) if scopes.contains(scope(&found)) => Found::Here(found),
        Some(found) => Found::Elsewhere(scope(&found).clone()),
    }
}

fn nothing(column: impl sea_orm::sea_query::IntoIden) -> OnConflict {
    OnConflict::column(column).do_nothing().to_owned()
}

/// Adds what is inserted to what is there.
fn added() -> OnConflict {
    let key = [
        count::Column::Day,
        count::Column::Workflow,
        count::Column::Scope,
        count::Column::Effect,
        count::Column::Revision,
    ];
    let sum = Expr::col((count::Entity, count::Column::Decisions))
        .add(Expr::col(("excluded", count::Column::Decisions)));
    OnConflict::columns(key)
        .value(count::Column::Decisions, sum)
        .to_owned()
}

#[cfg(test)]
mod tests;
