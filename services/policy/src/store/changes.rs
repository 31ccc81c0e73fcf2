//! Changes, and the revisions that they make.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use governance::Scope;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, ExprTrait as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, OnConflict},
};
use service_kit::{
    db::Tx,
    error::{Error, Reason, Result},
    identity::{Found, Scopes},
    outbox::{self, Entry},
};
use uuid::{NoContext, Timestamp, Uuid};

use super::{
    Database, INSERT_ROWS, convert,
    entity::{change, decision, document, revision, waiver_use},
    nothing,
};
use crate::{
    app::change::store::{Activation, Changes, Period, Proposed, Request, Stored, Use},
    domain::{
        change::{Change, Key, State},
        snapshot::Document,
    },
};

/// Changes that are read at once.
const PAGE: u64 = 200;
/// Scheduled changes that are looked at together.
const MAX_DUE: u64 = 100;

#[async_trait]
impl Changes for Database {
    async fn propose(
        &self,
        change: &Change,
        request: Option<&Request>,
        entry: &Entry,
    ) -> Result<Proposed> {
        let (row, entries) = (&row(change, request)?, std::slice::from_ref(entry));
        let propose = |tx: Tx| async move {
            let key = [change::Column::AskerKey, change::Column::RequestId];
            let inserted = change::Entity::insert(row.clone())
                .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
                .exec_without_returning(&tx)
                .await?;
            if inserted > 0 {
                outbox::insert(&tx, entries).await?;
                return Ok(Proposed::New);
            }
            let earlier = change::Entity::find()
                .filter(change::Column::AskerKey.eq(request.map(|r| r.asker_key.as_str())))
                .filter(change::Column::RequestId.eq(request.map(|r| r.id)))
                .one(&tx)
                .await?
                .ok_or_else(|| Error::broken("a change is neither new nor there"))?;
            let digest = earlier.digest.clone().unwrap_or_default();
            Ok(Proposed::Earlier(Box::new(read(&earlier)?), digest))
        };
        self.0.write(propose).await
    }

    async fn change(&self, id: Uuid, scopes: &Scopes) -> Result<Found<Change>> {
        let row = change::Entity::find_by_id(id).one(self.0.read()).await?;
        let Some(row) = row else {
            return Ok(Found::Missing);
        };
        let change = read(&row)?;
        if is_seen(scopes, &change) {
            return Ok(Found::Here(change));
        }
        match change.scopes.first() {
            Some(scope) => Ok(Found::Elsewhere(scope.clone())),
            None => Ok(Found::Missing),
        }
    }

    async fn changes(
        &self,
        scopes: &Scopes,
        states: &[State],
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Change>> {
        let mut found = Vec::new();
        let mut cursor = before;
        let names: Vec<_> = states.iter().map(|state| state.as_str()).collect();
        while found.len() < limit {
            let mut query = change::Entity::find()
                .order_by_desc(change::Column::Id)
                .limit(PAGE);
            if !names.is_empty() {
                query = query.filter(change::Column::State.is_in(names.iter().copied()));
            }
            if let Some(cursor) = cursor {
                query = query.filter(change::Column::Id.lt(cursor));
            }
            let rows = query.all(self.0.read()).await?;
            let Some(last) = rows.last() else { break };
            cursor = Some(last.id);
            for row in &rows {
                let change = read(row)?;
                if is_seen(scopes, &change) {
                    found.push(change);
                }
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    async fn save(&self, change: &Change, version: u64, entries: &[Entry]) -> Result<bool> {
        let save = |tx: Tx| async move {
            if !replace(&tx, change, version).await? {
                return Ok(false);
            }
            outbox::insert(&tx, entries).await?;
            Ok(true)
        };
        self.0.write(save).await
    }

    async fn activate(&self, activation: &Activation) -> Result<bool> {
        let activate = |tx: Tx| async move { activate(&tx, activation).await };
        match self.0.write(activate).await {
            Ok(()) => Ok(true),
            // Nothing of it was kept: the transaction was rolled back.
            Err(error) if error.reason() == Reason::EtagMismatch => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn due(&self, now: DateTime<Utc>) -> Result<Vec<Uuid>> {
        Ok(change::Entity::find()
            .select_only()
            .column(change::Column::Id)
            .filter(change::Column::State.eq(State::Scheduled.as_str()))
            .filter(change::Column::ActivateTime.lte(now.timestamp_micros()))
            .order_by_asc(change::Column::ActivateTime)
            .order_by_asc(change::Column::Id)
            .limit(MAX_DUE)
            .into_tuple()
            .all(self.0.read())
            .await?)
    }

    async fn last_versions(&self, keys: &[Key]) -> Result<BTreeMap<Key, u64>> {
        let mut versions = BTreeMap::new();
        for chunk in keys.chunks(INSERT_ROWS) {
            let these = chunk.iter().fold(Condition::any(), |any, (kind, name)| {
                let this = document::Column::Kind.eq(kind);
                any.add(this.and(document::Column::Name.eq(name)))
            });
            let rows: Vec<(String, String, i64)> = document::Entity::find()
                .select_only()
                .columns([document::Column::Kind, document::Column::Name])
                .column_as(document::Column::Version.max(), "last")
                .filter(these)
                .group_by(document::Column::Kind)
                .group_by(document::Column::Name)
                .into_tuple()
                .all(self.0.read())
                .await?;
            for (kind, name, last) in rows {
                versions.insert((kind, name), convert::number(last)?);
            }
        }
        Ok(versions)
    }

    async fn at_revision(&self, revision: u64) -> Result<Vec<Document>> {
        let rows = document::Entity::find()
            .filter(in_force_at(convert::column(revision)?))
            .all(self.0.read())
            .await?;
        rows.into_iter().map(convert::document).collect()
    }

    async fn waiver_uses(&self, names: &[String]) -> Result<BTreeMap<String, Use>> {
        let rows: Vec<(String, i64, i64)> = waiver_use::Entity::find()
            .select_only()
            .column(waiver_use::Column::Waiver)
            .column_as(waiver_use::Column::Decision.count(), "decisions")
            .column_as(waiver_use::Column::DecideTime.max(), "last")
            .filter(waiver_use::Column::Waiver.is_in(names.iter().map(String::as_str)))
            .group_by(waiver_use::Column::Waiver)
            .into_tuple()
            .all(self.0.read())
            .await?;
        let uses = rows.into_iter().map(|(waiver, decisions, last)| {
            let decisions = convert::number(decisions)?;
            let last = convert::time(last)?;
            Ok((waiver, Use { decisions, last }))
        });
        uses.collect()
    }

    async fn count_decisions(&self, period: &Period) -> Result<u64> {
        Ok(decision::Entity::find()
            .filter(of_period(period))
            .count(self.0.read())
            .await?)
    }

    async fn decisions(
        &self,
        period: &Period,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Stored>> {
        let mut query = decision::Entity::find()
            .select_only()
            .columns([
                decision::Column::Id,
                decision::Column::DecideTime,
                decision::Column::Question,
            ])
            .filter(of_period(period))
            .order_by_desc(decision::Column::Id)
            .limit(limit);
        if let Some(before) = before {
            query = query.filter(decision::Column::Id.lt(before));
        }
        let rows: Vec<(Uuid, i64, String)> = query.into_tuple().all(self.0.read()).await?;
        let stored = rows.into_iter().map(|(id, decided, question)| {
            Ok(Stored {
                id,
                decided: convert::time(decided)?,
                question,
            })
        });
        stored.collect()
    }
}

/// Documents that were in force at a revision.
pub(super) fn in_force_at(revision: i64) -> Condition {
    let ended = document::Column::EndRevision.is_null();
    Condition::all()
        .add(document::Column::FirstRevision.lte(revision))
        .add(ended.or(document::Column::EndRevision.gt(revision)))
}

/// Ids of decisions begin with their time, so that they are an index of it.
fn of_period(period: &Period) -> Condition {
    let seconds = u64::try_from(period.from.timestamp()).unwrap_or(0);
    let from = Timestamp::from_unix(NoContext, seconds, 0);
    let mut first = *Uuid::new_v7(from).as_bytes();
    // The first of that time: all that isn't time is zero.
    first[6..].fill(0);
    Condition::all()
        .add(decision::Column::Id.gte(Uuid::from_bytes(first)))
        .add(decision::Column::Workflow.is_in(period.workflows.iter().map(String::as_str)))
}

/// Whether somebody with these scopes sees a change: one of its scopes is theirs, or stands
/// above one of theirs and so binds it.
fn is_seen(scopes: &Scopes, change: &Change) -> bool {
    let binds = |scope: &Scope| {
        let tops = scopes.prefixes().unwrap_or_default();
        tops.iter().any(|top| scope.contains(top))
    };
    change
        .scopes
        .iter()
        .any(|scope| scopes.contains(scope) || binds(scope))
}

fn row(change: &Change, request: Option<&Request>) -> Result<change::ActiveModel> {
    Ok(change::ActiveModel {
        id: Set(change.id),
        state: Set(change.state.as_str().to_owned()),
        version: Set(convert::column(change.version)?),
        activate_time: Set(change.activate.map(|time| time.timestamp_micros())),
        body: Set(convert::to_json(change)?),
        asker_key: Set(request.map(|request| request.asker_key.clone())),
        request_id: Set(request.map(|request| request.id)),
        digest: Set(request.map(|request| request.digest.clone())),
    })
}

fn read(row: &change::Model) -> Result<Change> {
    convert::from_json(&row.body)
}

/// Replaces what was read with a version. False: it has another.
async fn replace(tx: &impl ConnectionTrait, new: &Change, version: u64) -> Result<bool> {
    let activate = new.activate.map(|time| time.timestamp_micros());
    let updated = change::Entity::update_many()
        .col_expr(change::Column::State, Expr::value(new.state.as_str()))
        .col_expr(
            change::Column::Version,
            Expr::value(convert::column(new.version)?),
        )
        .col_expr(change::Column::ActivateTime, Expr::value(activate))
        .col_expr(change::Column::Body, Expr::value(convert::to_json(new)?))
        .filter(change::Column::Id.eq(new.id))
        .filter(change::Column::Version.eq(convert::column(version)?))
        .exec(tx)
        .await?;
    Ok(updated.rows_affected > 0)
}

/// Somebody else was first.
const STALE: &str = "another activation came first";

async fn activate(tx: &impl ConnectionTrait, activation: &Activation) -> Result<()> {
    let stale = || Error::etag_mismatch(STALE);
    let number = convert::column(activation.revision.number)?;
    // Of several that try at once, the others wait here for the first to commit.
    let inserted = revision::Entity::insert(convert::revision_row(&activation.revision)?)
        .on_conflict(nothing(revision::Column::Number))
        .exec_without_returning(tx)
        .await?;
    if inserted == 0 {
        return Err(stale());
    }
    for (change, version) in &activation.changes {
        if !replace(tx, change, *version).await? {
            return Err(stale());
        }
    }
    for (kind, name) in &activation.ends {
        let ended = document::Entity::update_many()
            .col_expr(document::Column::EndRevision, Expr::value(number))
            .filter(document::Column::Kind.eq(kind))
            .filter(document::Column::Name.eq(name))
            .filter(document::Column::EndRevision.is_null())
            .exec(tx)
            .await?;
        if ended.rows_affected != 1 {
            return Err(stale());
        }
    }
    let rows: Vec<_> = activation
        .puts
        .iter()
        .map(|document| convert::document_row(document, activation.revision.number))
        .collect::<Result<_>>()?;
    for chunk in rows.chunks(INSERT_ROWS) {
        document::Entity::insert_many(chunk.to_vec())
            .exec_without_returning(tx)
            .await?;
    }
    outbox::insert(tx, &activation.entries).await
}
