//! What waits in the outbox.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{
    rows,
    schema::{refused, row},
};
use crate::error::Result;

/// What waits to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// Rows that the log doesn't have.
    pub unaudited: u64,
    /// Rows in all: those, and those that not all consumer groups have passed.
    pub rows: u64,
    /// Age of the oldest row that the log doesn't have.
    pub oldest: Option<TimeDelta>,
    /// Records that the log refused since the beginning.
    pub refused: u64,
}

/// Reads the lag. Numbers have no gaps, so only rows without one are counted.
pub(super) async fn read(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Lag> {
    let state = rows::state(db).await?;
    let unnumbered = row::Entity::find()
        .filter(row::Column::Sequence.is_null())
        .count(db)
        .await?;
    let first: Option<i64> = row::Entity::find()
        .select_only()
        .column(row::Column::Sequence)
        .filter(row::Column::Sequence.is_not_null())
        .order_by_asc(row::Column::Sequence)
        .limit(1)
        .into_tuple::<Option<i64>>()
        .one(db)
        .await?
        .flatten();
    let oldest: Option<i64> = row::Entity::find()
        .select_only()
        .column(row::Column::CreateTime)
        .filter(
            Condition::any()
                .add(row::Column::Sequence.is_null())
                .add(row::Column::Sequence.gt(state.audited)),
        )
        .order_by_asc(row::Column::Position)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    let count = |from: i64| u64::try_from(state.numbered - from).unwrap_or(0);
    Ok(Lag {
        unaudited: unnumbered + count(state.audited),
        rows: unnumbered + first.map_or(0, |first| count(first - 1)),
        oldest: oldest
            .and_then(DateTime::from_timestamp_micros)
            .map(|since| (now - since).max(TimeDelta::zero())),
        refused: refused::Entity::find().count(db).await?,
    })
}
