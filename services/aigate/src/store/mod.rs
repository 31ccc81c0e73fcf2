//! The database: the only place that knows it. No finder goes without scopes.

mod schema;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select, sea_query::Expr,
};
use sea_orm_migration::MigrationTrait;
use service_kit::{
    db::{self, Db},
    error::{Error, Result},
    identity::{Found, Scopes},
    outbox::{self, Entry},
};

use crate::{
    app::ports::{Query, Request, Store},
    domain::recommendation::{EXECUTED, Party, Recommendation, State},
};
use schema::recommendation::{ActiveModel, Column, Entity, Model};

/// The tables.
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    schema::migrations()
}

/// The store in a database.
pub struct Sql {
    db: Db,
}

impl Sql {
    /// The store in this database.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn all(&self, select: Select<Entity>, limit: u64) -> Result<Vec<Recommendation>> {
        let rows = select.limit(limit).all(self.db.read()).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &Model) -> Result<Recommendation> {
    serde_json::from_str(&row.body).map_err(Error::internal)
}

fn body(recommendation: &Recommendation) -> Result<String> {
    serde_json::to_string(recommendation).map_err(Error::internal)
}

fn action(recommendation: &Recommendation) -> Option<String> {
    Some(recommendation.action.clone()).filter(|action| !action.is_empty())
}

fn receipt(recommendation: &Recommendation) -> Option<String> {
    let receipt = recommendation.result.receipt.as_ref();
    receipt.map(|receipt| receipt.id.clone())
}

fn intent_time(recommendation: &Recommendation) -> Option<i64> {
    let intent = recommendation.intent.as_ref();
    intent.map(|intent| intent.since.timestamp_micros())
}

#[async_trait]
impl Store for Sql {
    async fn submitted(
        &self,
        submitter: &Party,
        request_id: &str,
    ) -> Result<Option<(String, Recommendation)>> {
        let row = Entity::find()
            .filter(Column::SubmitterIssuer.eq(&submitter.issuer))
            .filter(Column::SubmitterSubject.eq(&submitter.subject))
            .filter(Column::RequestId.eq(request_id))
            .one(self.db.read())
            .await?;
        row.map(|row| Ok((row.request_digest.clone(), read(&row)?)))
            .transpose()
    }

    async fn insert(
        &self,
        recommendation: &Recommendation,
        request: &Request,
        entries: &[Entry],
    ) -> Result<bool> {
        let body = body(recommendation)?;
        let body = &body;
        let written = self
            .db
            .write(|tx| async move {
                let row = ActiveModel {
                    id: Set(recommendation.id.clone()),
                    scope: Set(recommendation.proposal.scope.to_string()),
                    state: Set(recommendation.state.name().to_owned()),
                    correlation_id: Set(recommendation.correlation_id.clone()),
                    submitter_issuer: Set(recommendation.submitter.issuer.clone()),
                    submitter_subject: Set(recommendation.submitter.subject.clone()),
                    request_id: Set(Some(request.id.clone()).filter(|id| !id.is_empty())),
                    request_digest: Set(request.digest.clone()),
                    create_time: Set(recommendation.created.timestamp_micros()),
                    expire_time: Set(recommendation.expires.timestamp_micros()),
                    intent_time: Set(intent_time(recommendation)),
                    version: Set(recommendation.version),
                    body: Set(body.clone()),
                    action: Set(action(recommendation)),
                    document: Set(Some(recommendation.document.clone())),
                    receipt: Set(receipt(recommendation)),
                };
                Entity::insert(row).exec_without_returning(&tx).await?;
                outbox::insert(&tx, entries).await
            })
            .await;
        match written {
            Err(error) if db::came_second(&error) => Ok(false),
            Err(error) => Err(error),
            Ok(()) => Ok(true),
        }
    }

    async fn find(&self, id: &str, scopes: &Scopes) -> Result<Found<Recommendation>> {
        let Some(row) = Entity::find_by_id(id).one(self.db.read()).await? else {
            return Ok(Found::Missing);
        };
        let recommendation = read(&row)?;
        let scope = &recommendation.proposal.scope;
        if scopes.contains(scope) {
            Ok(Found::Here(recommendation))
        } else {
            Ok(Found::Elsewhere(scope.clone()))
        }
    }

    async fn list(&self, query: &Query, scopes: &Scopes) -> Result<Vec<Recommendation>> {
        let mut select = Entity::find()
            .filter(db::within(Column::Scope, scopes))
            .order_by_desc(Column::CreateTime)
            .order_by_desc(Column::Id);
        if let Some(state) = query.state {
            select = select.filter(Column::State.eq(state.name()));
        }
        if !query.correlation_id.is_empty() {
            select = select.filter(Column::CorrelationId.eq(&query.correlation_id));
        }
        if let Some((time, id)) = &query.after {
            let same = Column::CreateTime.eq(*time).and(Column::Id.lt(id.as_str()));
            select = select.filter(Column::CreateTime.lt(*time).or(same));
        }
        self.all(select, query.limit).await
    }

    async fn update(
        &self,
        recommendation: &Recommendation,
        version: i64,
        entries: &[Entry],
    ) -> Result<bool> {
        let (body, action) = (body(recommendation)?, action(recommendation));
        let (body, action) = (&body, &action);
        let written = self
            .db
            .write(|tx| async move {
                // Whatever came of it stays what came of it.
                let first = Condition::any()
                    .add(Column::Action.is_null())
                    .add(Column::Action.eq(action.clone()));
                let changed = Entity::update_many()
                    .col_expr(Column::State, Expr::value(recommendation.state.name()))
                    .col_expr(Column::IntentTime, Expr::value(intent_time(recommendation)))
                    .col_expr(Column::Version, Expr::value(recommendation.version))
                    .col_expr(Column::Body, Expr::value(body.as_str()))
                    .col_expr(Column::Action, Expr::value(action.clone()))
                    .filter(Column::Id.eq(&recommendation.id))
                    .filter(Column::Version.eq(version))
                    .filter(first)
                    .exec(&tx)
                    .await?;
                if changed.rows_affected == 0 {
                    return Ok(false);
                }
                outbox::insert(&tx, entries).await?;
                Ok(true)
            })
            .await;
        match written {
            Err(error) if db::came_second(&error) => {
                let problem = format!("{} came of another recommendation", recommendation.action);
                Err(Error::illegal_state(problem))
            }
            written => written,
        }
    }

    async fn of_receipt(&self, receipt: &str) -> Result<Option<Recommendation>> {
        let select = Entity::find().filter(Column::Receipt.eq(receipt));
        Ok(self.all(select, 1).await?.pop())
    }

    async fn executed(&self, document: &str, limit: u64) -> Result<Vec<String>> {
        let select = Entity::find()
            .filter(Column::Document.eq(document))
            .filter(Column::Receipt.is_not_null())
            .order_by_desc(Column::CreateTime)
            .order_by_desc(Column::Id);
        let acted = self.all(select, limit).await?;
        let executed = acted.iter().filter(|known| known.outcome == EXECUTED);
        Ok(executed.map(Recommendation::name).collect())
    }

    async fn overdue(&self, now: DateTime<Utc>, limit: u64) -> Result<Vec<Recommendation>> {
        let select = Entity::find()
            .filter(Column::State.eq(State::InReview.name()))
            .filter(Column::ExpireTime.lte(now.timestamp_micros()))
            .filter(Column::IntentTime.is_null())
            .order_by_asc(Column::ExpireTime);
        self.all(select, limit).await
    }

    async fn unsettled(&self, since: DateTime<Utc>, limit: u64) -> Result<Vec<Recommendation>> {
        let select = Entity::find()
            .filter(Column::IntentTime.lte(since.timestamp_micros()))
            .order_by_asc(Column::IntentTime);
        self.all(select, limit).await
    }
}

#[cfg(test)]
mod tests;
