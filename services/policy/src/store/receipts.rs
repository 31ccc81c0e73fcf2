//! Receipts: the last one of each action, and the one that stands for each operation on a
//! document.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
    sea_query::{Condition, Expr, ExprTrait as _, OnConflict},
};
use service_kit::{
    db::{Db, Tx},
    error::{Error, Result},
};
use uuid::Uuid;

use super::{
    answers, convert,
    entity::{receipt, standing},
    nothing,
};
use crate::app::store::{Authorized, Claim, Record, Signed, Standing};

/// The last receipt of an action.
pub(super) async fn of(db: &impl ConnectionTrait, action: &str) -> Result<Option<Authorized>> {
    let row = receipt::Entity::find_by_id(action.to_owned())
        .one(db)
        .await?;
    row.map(convert::authorized).transpose()
}

/// Why a receipt isn't kept: the transaction is rolled back with it.
#[derive(Debug, thiserror::Error)]
#[error("another receipt stands")]
struct Stands(Standing);

/// Keeps a receipt, with its decision, if it is the action's only one and nothing else
/// stands for its target. The action comes first, so that a repeated call finds its own
/// receipt.
pub(super) async fn keep(
    db: &Db,
    new: &Authorized,
    claim: &Claim,
    replaces: Option<Uuid>,
    record: &Record,
) -> Result<Signed> {
    let row = convert::receipt_row(new)?;
    let row = &row;
    let keep = |tx: Tx| async move {
        if !write(&tx, row, &new.action, replaces).await? {
            let other = of(&tx, &new.action).await?;
            return other
                .map(|other| Signed::Earlier(Box::new(other)))
                .ok_or_else(|| Error::broken("a receipt is gone"));
        }
        if let Some(other) = stand(&tx, new, claim).await? {
            return Err(Error::internal(Stands(other)));
        }
        answers::record(&tx, std::slice::from_ref(record)).await?;
        Ok(Signed::New)
    };
    match db.write(keep).await {
        Err(error) => match stands(&error) {
            Some(other) => Ok(Signed::Standing(other)),
            None => Err(error),
        },
        kept => kept,
    }
}

fn stands(error: &Error) -> Option<Standing> {
    let source = std::error::Error::source(error)?;
    source
        .downcast_ref::<Stands>()
        .map(|Stands(other)| other.clone())
}

/// Writes an action's receipt; false: it has another one.
async fn write(
    tx: &impl ConnectionTrait,
    row: &receipt::ActiveModel,
    action: &str,
    replaces: Option<Uuid>,
) -> Result<bool, DbErr> {
    let written = match replaces {
        None => {
            receipt::Entity::insert(row.clone())
                .on_conflict(nothing(receipt::Column::Action))
                .exec_without_returning(tx)
                .await?
        }
        Some(id) => {
            receipt::Entity::update_many()
                .set(row.clone())
                .filter(receipt::Column::Action.eq(action))
                .filter(receipt::Column::Id.eq(id))
                .exec(tx)
                .await?
                .rows_affected
        }
    };
    Ok(written > 0)
}

/// Takes the target for a receipt, or says which one stands for it. The primary key makes
/// it one at a time: whoever comes at once waits here for the other to commit.
async fn stand(
    tx: &impl ConnectionTrait,
    new: &Authorized,
    claim: &Claim,
) -> Result<Option<Standing>> {
    let target = &claim.target;
    let taken = standing::Entity::insert(convert::standing_row(claim, new))
        .on_conflict(taken_over(new, claim))
        .exec_without_returning(tx)
        .await?;
    if taken > 0 {
        return Ok(None);
    }
    let key = (
        target.audience.clone(),
        target.document.clone(),
        target.line.clone(),
        target.operation.clone(),
    );
    let other = standing::Entity::find_by_id(key).one(tx).await?;
    let other = other.ok_or_else(|| Error::broken("a standing receipt is gone"))?;
    convert::standing(other).map(Some)
}

/// What no longer stands gives way: what lapsed, what is used up, and the same action's.
fn taken_over(new: &Authorized, claim: &Claim) -> OnConflict {
    use standing::Column;
    let held = |column: Column| Expr::col((standing::Entity, column));
    let own = std::iter::once(&new.action).chain(&claim.finished);
    let gives_way = Condition::any()
        .add(held(Column::StandUntil).lte(claim.now.timestamp_micros()))
        .add(held(Column::Action).is_in(own.map(String::as_str)))
        .add(held(Column::Receipt).is_in(claim.used.iter().copied()));
    OnConflict::columns([
        Column::Audience,
        Column::Document,
        Column::Line,
        Column::Operation,
    ])
    .update_columns([
        Column::Action,
        Column::Receipt,
        Column::ExpireTime,
        Column::StandUntil,
    ])
    .action_cond_where(gives_way)
    .to_owned()
}

/// Forgets some of what stopped standing before `before`.
pub(super) async fn forget(
    tx: &impl ConnectionTrait,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<u64> {
    let lapsed = standing::Column::StandUntil.lt(before.timestamp_micros());
    let old: Vec<Uuid> = standing::Entity::find()
        .select_only()
        .column(standing::Column::Receipt)
        .filter(lapsed.clone())
        .order_by_asc(standing::Column::StandUntil)
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    if old.is_empty() {
        return Ok(0);
    }
    let removed = standing::Entity::delete_many()
        .filter(lapsed)
        .filter(standing::Column::Receipt.is_in(old))
        .exec(tx)
        .await?;
    Ok(removed.rows_affected)
}
