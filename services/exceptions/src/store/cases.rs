//! An exception with its actions: read for a change, and written.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use service_kit::{
    db::{Db, Tx},
    error::{Error, Result},
    outbox,
};

use super::{ingest::is_postgres, rows, schema, stale};
use crate::{
    app::ports::{Case, Change, Decide},
    domain::{
        action::{Action, Given},
        exception::Exception,
    },
};

/// Reads a case that nobody else changes meanwhile, has it decided, and writes it.
pub(super) async fn change(
    db: &Db,
    exception: &str,
    decide: Decide<'_>,
) -> Result<(Option<Case>, Option<Error>)> {
    db.write(|tx| async move {
        let Some(mut case) = read(&tx, exception).await? else {
            return Ok((None, None));
        };
        let before = versions(&case);
        let change = decide(&mut case)?;
        write(&tx, &case, &change, &before).await?;
        Ok((Some(case), change.refusal))
    })
    .await
}

/// Versions that were read, by id of exception or action.
fn versions(case: &Case) -> HashMap<String, i64> {
    let actions = case.actions.iter().map(|a| (a.id.clone(), a.version));
    let exception = (case.exception.id.clone(), case.exception.version);
    actions.chain([exception]).collect()
}

async fn read(tx: &Tx, id: &str) -> Result<Option<Case>> {
    let find = schema::exception::Entity::find_by_id(id);
    // SQLite's one writer has the whole database to itself.
    let find = if is_postgres(tx) {
        find.lock_exclusive()
    } else {
        find
    };
    let Some(row) = find.one(tx).await? else {
        return Ok(None);
    };
    let found = schema::action::Entity::find()
        .filter(schema::action::Column::ExceptionId.eq(id))
        .order_by_asc(schema::action::Column::CreateTime)
        .order_by_asc(schema::action::Column::Id)
        .all(tx)
        .await?;
    Ok(Some(Case {
        exception: rows::read_exception(row)?,
        actions: with_approvals(tx, found).await?,
    }))
}

/// Actions with their approvals, in the order they were given.
pub(super) async fn with_approvals(
    db: &impl ConnectionTrait,
    found: Vec<schema::action::Model>,
) -> Result<Vec<Action>> {
    use schema::approval::{Column, Entity};
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let ids = found.iter().map(|row| row.id.as_str());
    let given = Entity::find()
        .filter(Column::ActionId.is_in(ids))
        .order_by_asc(Column::Position)
        .all(db)
        .await?;
    let mut by_action = HashMap::<String, Vec<Given>>::new();
    for row in given {
        let approval = rows::read_approval(&row)?;
        by_action.entry(row.action_id).or_default().push(approval);
    }
    let read = |row: schema::action::Model| {
        let approvals = by_action.remove(&row.id).unwrap_or_default();
        rows::read_action(row, approvals)
    };
    found.into_iter().map(read).collect()
}

async fn write(tx: &Tx, case: &Case, change: &Change, before: &HashMap<String, i64>) -> Result<()> {
    if change.exception {
        let read = before.get(&case.exception.id).copied().unwrap_or_default();
        update_exception(tx, &case.exception, read).await?;
    }
    let changed = |action: &&Action| change.actions.contains(&action.id);
    for action in case.actions.iter().filter(changed) {
        match before.get(&action.id) {
            Some(read) => update_action(tx, action, *read).await?,
            None => {
                schema::action::Entity::insert(rows::action(action)?)
                    .exec_without_returning(tx)
                    .await?;
            }
        }
    }
    outbox::insert(tx, &change.entries).await
}

/// Writes an exception, unless it was changed since it was read.
pub(super) async fn update_exception(tx: &Tx, exception: &Exception, read: i64) -> Result<()> {
    let updated = schema::exception::Entity::update_many()
        .set(rows::exception(exception))
        .filter(schema::exception::Column::Id.eq(&exception.id))
        .filter(schema::exception::Column::Version.eq(read))
        .exec(tx)
        .await?;
    if updated.rows_affected == 1 {
        Ok(())
    } else {
        Err(stale())
    }
}

/// Writes an action with the approvals that are new, unless it was changed since it was
/// read.
pub(super) async fn update_action(tx: &Tx, action: &Action, read: i64) -> Result<()> {
    let updated = schema::action::Entity::update_many()
        .set(rows::action(action)?)
        .filter(schema::action::Column::Id.eq(&action.id))
        .filter(schema::action::Column::Version.eq(read))
        .exec(tx)
        .await?;
    if updated.rows_affected != 1 {
        return Err(stale());
    }
    let approvals = rows::approvals(action)?;
    if approvals.is_empty() {
        return Ok(());
    }
    // Those that were there stay as they are.
    let key = [
        schema::approval::Column::ActionId,
        schema::approval::Column::Position,
    ];
    schema::approval::Entity::insert_many(approvals)
        .on_conflict_do_nothing_on(key)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
