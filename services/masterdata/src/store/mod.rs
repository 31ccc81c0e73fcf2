//! The service's database.

mod convert;
mod quality;
mod schema;

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use governance::Scope;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, sea_query::Query,
};
use service_kit::{
    db::{self, Db},
    error::{Error, Result},
    identity::{Found, Scopes},
    outbox::{self, Entry},
};
use uuid::Uuid;

use crate::{
    app::{Answered, Figure, FigureQuery, Retry, Store, Validation},
    domain::catalog::Document,
};
pub use schema::migrations;
use schema::{document, request, validation};

/// Validations that one sweep deletes at most.
const FORGET_BATCH: u64 = 1_000;

/// The store over a database.
#[derive(Clone)]
pub struct Database {
    db: Db,
}

impl Database {
    /// The store over this database, migrated.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}

#[async_trait]
impl Store for Database {
    async fn record(
        &self,
        validations: &[Validation],
        retry: Option<&Retry>,
        entries: Vec<Entry>,
    ) -> Result<Option<Answered>> {
        let rows: Vec<_> = validations
            .iter()
            .map(convert::row)
            .collect::<Result<_>>()?;
        let request = retry
            .map(|retry| convert::request_row(retry, validations))
            .transpose()?;
        let counts = quality::Counts::of(validations);
        let (rows, request, counts, entries) = (&rows, &request, &counts, &entries);
        let written = self
            .db
            .write(|tx| async move {
                // First, so that of two at once the second does nothing else.
                if let Some(request) = request {
                    request::Entity::insert(request.clone())
                        .exec_without_returning(&tx)
                        .await?;
                }
                validation::Entity::insert_many(rows.clone())
                    .exec_without_returning(&tx)
                    .await?;
                counts.add(&tx).await?;
                outbox::insert(&tx, entries).await
            })
            .await;
        match (written, retry) {
            (Err(error), Some(retry)) if db::came_second(&error) => {
                let first = self.answered(retry).await?;
                first.map(Some).ok_or(error)
            }
            (written, _) => written.map(|()| None),
        }
    }

    async fn answered(&self, retry: &Retry) -> Result<Option<Answered>> {
        let key = (
            retry.issuer.clone(),
            retry.subject.clone(),
            retry.request.id,
        );
        let Some(row) = request::Entity::find_by_id(key).one(self.db.read()).await? else {
            return Ok(None);
        };
        let ids = convert::answered_ids(&row)?;
        let found = validation::Entity::find()
            .filter(validation::Column::Id.is_in(ids.iter().copied()))
            .all(self.db.read())
            .await?;
        let mut found: HashMap<Uuid, validation::Model> =
            found.into_iter().map(|row| (row.id, row)).collect();
        let validations = ids
            .iter()
            .filter_map(|id| found.remove(id))
            .map(convert::validation)
            .collect::<Result<Vec<_>>>()?;
        // Between the deletion of a request's validations and its own, it is forgotten.
        let whole = validations.len() == ids.len();
        Ok(whole.then_some(Answered {
            digest: row.digest,
            validations,
        }))
    }

    async fn validation(&self, id: Uuid, scopes: &Scopes) -> Result<Found<Validation>> {
        let within = validation::Entity::find_by_id(id)
            .filter(db::within(validation::Column::Scope, scopes))
            .one(self.db.read())
            .await?;
        if let Some(row) = within {
            return convert::validation(row).map(Found::Here);
        }
        let elsewhere: Option<String> = validation::Entity::find_by_id(id)
            .select_only()
            .column(validation::Column::Scope)
            .into_tuple()
            .one(self.db.read())
            .await?;
        match elsewhere {
            None => Ok(Found::Missing),
            Some(scope) => Scope::parse(&scope)
                .map(Found::Elsewhere)
                .map_err(Error::internal),
        }
    }

    async fn figures(&self, query: &FigureQuery) -> Result<Vec<Figure>> {
        quality::figures(self.db.read(), query).await
    }

    async fn documents(&self) -> Result<Vec<Document>> {
        let rows = document::Entity::find()
            .order_by_asc(document::Column::Kind)
            .order_by_asc(document::Column::Name)
            .order_by_desc(document::Column::Version)
            .all(self.db.read())
            .await?;
        let mut documents: Vec<Document> = rows.into_iter().map(convert::document).collect();
        // the newest version of each comes first
        documents.dedup_by(|b, a| (&a.kind, &a.name) == (&b.kind, &b.name));
        Ok(documents)
    }

    async fn begun(&self) -> Result<Vec<Document>> {
        let rows = document::Entity::find()
            .filter(document::Column::Version.eq(1))
            .all(self.db.read())
            .await?;
        Ok(rows.into_iter().map(convert::document).collect())
    }

    async fn bootstrap(&self, documents: &[Document], entries: Vec<Entry>) -> Result<bool> {
        let rows: Vec<_> = documents.iter().map(convert::document_row).collect();
        let (rows, entries) = (&rows, &entries);
        let written = self
            .db
            .write(|tx| async move {
                if document::Entity::find().count(&tx).await? > 0 {
                    return Ok(false);
                }
                document::Entity::insert_many(rows.clone())
                    .exec_without_returning(&tx)
                    .await?;
                outbox::insert(&tx, entries).await?;
                Ok(true)
            })
            .await;
        match written {
            // another replica began at the same moment and came first
            Err(error) if db::came_second(&error) => Ok(false),
            other => other,
        }
    }

    async fn forget(&self, before: DateTime<Utc>) -> Result<u64> {
        let oldest = Query::select()
            .column(validation::Column::Id)
            .from(validation::Entity)
            .and_where(validation::Column::ValidateTime.lt(before.timestamp_micros()))
            .limit(FORGET_BATCH)
            .to_owned();
        let oldest = &oldest;
        self.db
            .write(|tx| async move {
                request::Entity::delete_many()
                    .filter(request::Column::ValidateTime.lt(before.timestamp_micros()))
                    .exec(&tx)
                    .await?;
                let done = validation::Entity::delete_many()
                    .filter(validation::Column::Id.in_subquery(oldest.clone()))
                    .exec(&tx)
                    .await?;
                Ok(done.rows_affected)
            })
            .await
    }
}
