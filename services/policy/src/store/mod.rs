//! The database of the policy service: the only place that knows it.

mod convert;
mod entity;
mod migration;

use std::collections::BTreeMap;

use async_trait::async_trait;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, OnConflict},
};
use service_kit::{
    db::{Db, Tx},
    error::{Error, Result},
    outbox::{self, Entry},
};
use uuid::Uuid;

use crate::{
    app::store::{Authorized, CountKey, Earlier, Kept, Record, Recorded, Store},
    domain::snapshot::{Document, Revision},
};
use entity::{answered, count, decision, document, receipt, revision};

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
            .filter(document::Column::FirstRevision.lte(newest.number))
            .filter(
                document::Column::EndRevision
                    .is_null()
                    .or(document::Column::EndRevision.gt(newest.number)),
            )
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
            .write(|tx| async move { record(&tx, records).await })
            .await
    }

    async fn answered(&self, asker_key: &str, request_id: Uuid) -> Result<Option<Earlier>> {
        earlier(self.0.read(), asker_key, request_id).await
    }

    async fn decision(&self, id: Uuid) -> Result<Option<Kept>> {
        let row = decision::Entity::find_by_id(id).one(self.0.read()).await?;
        row.map(convert::kept).transpose()
    }

    async fn receipt(&self, action: &str) -> Result<Option<Authorized>> {
        authorized(self.0.read(), action).await
    }

    async fn authorize(
        &self,
        new: &Authorized,
        replaces: Option<Uuid>,
        record: &Record,
    ) -> Result<Option<Authorized>> {
        let row = convert::receipt_row(new)?;
        let row = &row;
        let keep = |tx: Tx| async move {
            let written = match replaces {
                None => {
                    receipt::Entity::insert(row.clone())
                        .on_conflict(nothing(receipt::Column::Action))
                        .exec_without_returning(&tx)
                        .await?
                }
                Some(id) => {
                    receipt::Entity::update_many()
                        .set(row.clone())
                        .filter(receipt::Column::Action.eq(new.action.as_str()))
                        .filter(receipt::Column::Id.eq(id))
                        .exec(&tx)
                        .await?
                        .rows_affected
                }
            };
            if written == 0 {
                let other = authorized(&tx, &new.action).await?;
                return other
                    .map(Some)
                    .ok_or_else(|| Error::broken("a receipt is gone"));
            }
            self::record(&tx, std::slice::from_ref(record)).await?;
            Ok(None)
        };
        self.0.write(keep).await
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

/// Keeps decisions. Request ids are claimed one by one, since another may have them.
async fn record(tx: &impl ConnectionTrait, records: &[Record]) -> Result<Vec<Recorded>> {
    let mut results = Vec::with_capacity(records.len());
    let mut new: Vec<&Record> = Vec::with_capacity(records.len());
    for record in records {
        let result = match record.question.request_id {
            Some(request_id) if !claim(tx, record, request_id).await? => {
                let key = record.asker.key();
                let mut here = new.iter().rev();
                // Claimed in this very transaction, or before it.
                match here
                    .find(|n| n.question.request_id == Some(request_id) && n.asker.key() == key)
                {
                    Some(first) => Recorded::Earlier(Box::new(Earlier {
                        digest: first.digest.clone(),
                        answer: first.answer.clone(),
                    })),
                    None => earlier(tx, &key, request_id)
                        .await?
                        .map(|earlier| Recorded::Earlier(Box::new(earlier)))
                        .ok_or_else(|| Error::broken("an answered request id has no decision"))?,
                }
            }
            _ => Recorded::New,
        };
        if result == Recorded::New {
            new.push(record);
        }
        results.push(result);
    }
    let rows: Vec<_> = new
        .iter()
        .map(|record| convert::decision_row(record))
        .collect::<Result<_>>()?;
    for chunk in rows.chunks(INSERT_ROWS) {
        decision::Entity::insert_many(chunk.to_vec())
            .exec_without_returning(tx)
            .await?;
    }
    let entries: Vec<_> = new
        .into_iter()
        .flat_map(|record| record.entries.clone())
        .collect();
    outbox::insert(tx, &entries).await?;
    Ok(results)
}

/// Takes a record's request id; false: another decision has it.
async fn claim(tx: &impl ConnectionTrait, record: &Record, request_id: Uuid) -> Result<bool> {
    let row = answered::ActiveModel {
        asker_key: Set(record.asker.key()),
        request_id: Set(request_id),
        decision: Set(record.answer.decision.id),
        digest: Set(record.digest.clone()),
    };
    let inserted = answered::Entity::insert(row)
        .on_conflict(
            OnConflict::columns([answered::Column::AskerKey, answered::Column::RequestId])
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(tx)
        .await?;
    Ok(inserted > 0)
}

async fn earlier(
    db: &impl ConnectionTrait,
    asker_key: &str,
    request_id: Uuid,
) -> Result<Option<Earlier>> {
    let claimed = answered::Entity::find_by_id((asker_key.to_owned(), request_id))
        .one(db)
        .await?;
    let Some(claimed) = claimed else {
        return Ok(None);
    };
    let row = decision::Entity::find_by_id(claimed.decision)
        .one(db)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some(Earlier {
        digest: claimed.digest,
        answer: convert::kept(row)?.answer,
    }))
}

async fn authorized(db: &impl ConnectionTrait, action: &str) -> Result<Option<Authorized>> {
    let row = receipt::Entity::find_by_id(action.to_owned())
        .one(db)
        .await?;
    row.map(convert::authorized).transpose()
}

#[cfg(test)]
mod tests;
