//! Decisions that are kept, and the request ids they answered.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, sea_query::OnConflict,
};
use service_kit::{
    error::{Error, Result},
    outbox,
};
use uuid::Uuid;

use super::{
    INSERT_ROWS, convert,
    entity::{answered, decision, waiver_use},
};
use crate::app::store::{Earlier, Record, Recorded};

/// Keeps decisions. Request ids are claimed one by one, since another may have them.
pub(super) async fn record(tx: &impl ConnectionTrait, records: &[Record]) -> Result<Vec<Recorded>> {
    let mut results = Vec::with_capacity(records.len());
    let mut new: Vec<&Record> = Vec::with_capacity(records.len());
    for record in records {
        let result = match record.question.request_id {
            Some(request_id) => match claimed_here(&new, record, request_id) {
                Some(earlier) => Recorded::Earlier(Box::new(earlier)),
                None => claim(tx, record, request_id).await?,
            },
            None => Recorded::New,
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
    let used: Vec<_> = new.iter().flat_map(|record| waivers_used(record)).collect();
    for chunk in used.chunks(INSERT_ROWS) {
        waiver_use::Entity::insert_many(chunk.to_vec())
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

fn waivers_used(record: &Record) -> impl Iterator<Item = waiver_use::ActiveModel> + '_ {
    let decision = &record.answer.decision;
    decision
        .waivers
        .iter()
        .map(|waiver| waiver_use::ActiveModel {
            waiver: Set(waiver.clone()),
            decision: Set(decision.id),
            decide_time: Set(decision.decide_time.timestamp_micros()),
        })
}

/// The answer of this very transaction, whose decision has no row yet.
fn claimed_here(new: &[&Record], record: &Record, request_id: Uuid) -> Option<Earlier> {
    let key = record.asker.key();
    let mut here = new.iter().rev();
    let first = here.find(|n| n.question.request_id == Some(request_id) && n.asker.key() == key)?;
    Some(Earlier {
        digest: first.digest.clone(),
        answer: first.answer.clone(),
    })
}

/// Takes a record's request id, unless another decision has it and isn't forgotten.
async fn claim(tx: &impl ConnectionTrait, record: &Record, request_id: Uuid) -> Result<Recorded> {
    if insert(tx, record, request_id).await? {
        return Ok(Recorded::New);
    }
    let key = record.asker.key();
    if let Some(earlier) = earlier(tx, &key, request_id, record.since).await? {
        return Ok(Recorded::Earlier(Box::new(earlier)));
    }
    let old = answered::Entity::find_by_id((key, request_id))
        .all(tx)
        .await?;
    remove(tx, &old, record.since).await?;
    if insert(tx, record, request_id).await? {
        return Ok(Recorded::New);
    }
    Err(Error::broken("an answered request id has no decision"))
}

async fn insert(tx: &impl ConnectionTrait, record: &Record, request_id: Uuid) -> Result<bool> {
    let decision = &record.answer.decision;
    let row = answered::ActiveModel {
        asker_key: Set(record.asker.key()),
        request_id: Set(request_id),
        decision: Set(decision.id),
        digest: Set(record.digest.clone()),
        answer_time: Set(decision.decide_time.timestamp_micros()),
        for_retries: Set(record.entries.is_empty()),
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

/// What was answered to a request id at `since` or later.
pub(super) async fn earlier(
    db: &impl ConnectionTrait,
    asker_key: &str,
    request_id: Uuid,
    since: DateTime<Utc>,
) -> Result<Option<Earlier>> {
    let claimed = answered::Entity::find_by_id((asker_key.to_owned(), request_id))
        .filter(answered::Column::AnswerTime.gte(since.timestamp_micros()))
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

/// Forgets some of the request ids answered before `before`, oldest first, with decisions
/// that were kept for their sake alone.
pub(super) async fn forget(
    tx: &impl ConnectionTrait,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<u64> {
    let old = answered::Entity::find()
        .filter(answered::Column::AnswerTime.lt(before.timestamp_micros()))
        .order_by_asc(answered::Column::AnswerTime)
        .limit(limit)
        .all(tx)
        .await?;
    remove(tx, &old, before).await
}

async fn remove(
    tx: &impl ConnectionTrait,
    old: &[answered::Model],
    before: DateTime<Utc>,
) -> Result<u64> {
    if old.is_empty() {
        return Ok(0);
    }
    let needless = old.iter().filter(|row| row.for_retries);
    decision::Entity::delete_many()
        .filter(decision::Column::Id.is_in(needless.map(|row| row.decision)))
        .exec(tx)
        .await?;
    let removed = answered::Entity::delete_many()
        .filter(answered::Column::AnswerTime.lt(before.timestamp_micros()))
        .filter(answered::Column::Decision.is_in(old.iter().map(|row| row.decision)))
        .exec(tx)
        .await?;
    Ok(removed.rows_affected)
}
