//! Queries.

use std::collections::BTreeMap;

use merkle::{Hash, tile};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult as _, Statement, Value};
use service_kit::error::Result;

use super::rows::{self, RECORD, Row, column, sql};
use crate::{
    app::{Bounds, Found, Query, Signed},
    domain::gaps::Sequence,
};

/// Ids in a statement.
const MAX_IDS: usize = 400;

/// Index of the last stored record.
pub async fn last(db: &impl ConnectionTrait) -> Result<Option<u64>> {
    let text = "SELECT max(idx) AS last FROM log_records";
    let row = db
        .query_one_raw(sql(db.get_database_backend(), text, []))
        .await?;
    let last: Option<i64> = match row {
        Some(row) => row.try_get("", "last")?,
        None => None,
    };
    Ok(last.and_then(|last| u64::try_from(last).ok()))
}

/// The newest checkpoint.
pub async fn newest(db: &impl ConnectionTrait) -> Result<Option<Signed>> {
    let text = "SELECT size, root, note FROM log_checkpoints ORDER BY size DESC LIMIT 1";
    let row = db
        .query_one_raw(sql(db.get_database_backend(), text, []))
        .await?;
    Ok(row.as_ref().map(rows::signed).transpose()?)
}

/// The checkpoint of a size.
pub async fn signed(db: &impl ConnectionTrait, size: u64) -> Result<Option<Signed>> {
    let text = "SELECT size, root, note FROM log_checkpoints WHERE size = $1";
    let statement = sql(db.get_database_backend(), text, [column(size)?.into()]);
    let row = db.query_one_raw(statement).await?;
    Ok(row.as_ref().map(rows::signed).transpose()?)
}

/// Checkpoints above a size.
pub async fn signed_above(db: &impl ConnectionTrait, size: u64, limit: u64) -> Result<Vec<Signed>> {
    let text = "SELECT size, root, note FROM log_checkpoints WHERE size > $1 \
                ORDER BY size LIMIT $2";
    let values = [column(size)?.into(), column(limit)?.into()];
    let found = db
        .query_all_raw(sql(db.get_database_backend(), text, values))
        .await?;
    Ok(found
        .iter()
        .map(rows::signed)
        .collect::<Result<_, DbErr>>()?)
}

/// Records from an index within bounds.
pub async fn records(db: &impl ConnectionTrait, first: u64, bounds: Bounds) -> Result<Found> {
    let select = Select {
        filter: "idx >= $1".to_owned(),
        order: "idx",
        values: vec![column(first)?.into()],
    };
    select.within(db, bounds).await
}

/// Which records are read, in what order.
struct Select {
    filter: String,
    order: &'static str,
    values: Vec<Value>,
}

impl Select {
    /// Reads how long the records are, and then as many as the bounds allow: a record may
    /// have hundreds of kilobytes, and the database knows lengths without reading them.
    async fn within(&self, db: &impl ConnectionTrait, bounds: Bounds) -> Result<Found> {
        let length = "CAST(length(entry) + length(payload) AS BIGINT) AS bytes";
        let lengths = self.sql(db, length, bounds.records.saturating_add(1))?;
        let lengths = db.query_all_raw(lengths).await?;
        let (mut bytes, mut fit) = (0_u64, 0_u64);
        for row in &lengths {
            let length: i64 = row.try_get("", "bytes")?;
            let length = u64::try_from(length).unwrap_or(0) + bounds.each;
            bytes = bytes.saturating_add(length);
            let one_more = fit < bounds.records && bytes <= bounds.bytes;
            if fit > 0 && !one_more {
                break;
            }
            fit += 1;
        }
        let rows = Row::find_by_statement(self.sql(db, RECORD, fit)?);
        Ok(Found {
            records: rows.all(db).await?.into_iter().map(Row::stored).collect(),
            more: u64::try_from(lengths.len()).is_ok_and(|all| all > fit),
        })
    }

    fn sql(&self, db: &impl ConnectionTrait, columns: &str, limit: u64) -> Result<Statement> {
        let (filter, order) = (&self.filter, self.order);
        let mut values = self.values.clone();
        values.push(column(limit)?.into());
        let text = format!(
            "SELECT {columns} FROM log_records WHERE {filter} ORDER BY {order} LIMIT ${}",
            values.len()
        );
        Ok(sql(db.get_database_backend(), text, values))
    }
}

/// A transaction's records.
pub async fn lineage(db: &impl ConnectionTrait, query: &Query<'_>) -> Result<Found> {
    let mut text = "correlation_id <> '' AND correlation_id = $1 AND idx < $2".to_owned();
    let mut values: Vec<Value> = vec![query.correlation_id.into(), column(query.below)?.into()];
    if let Some((occurred, index)) = query.after {
        text.push_str(" AND (occurred, idx) > ($3, $4)");
        values.extend([occurred.into(), column(index)?.into()]);
    }
    if let Some(scopes) = &query.visible.scopes {
        let mut allowed = Vec::new();
        for scope in scopes {
            // the scope itself, and what is below it: `0` follows `/`
            let at = values.len();
            allowed.push(format!(
                "scope = ${} OR (scope > ${} AND scope < ${})",
                at + 1,
                at + 2,
                at + 3
            ));
            values.extend([
                scope.as_str().into(),
                format!("{scope}/").into(),
                format!("{scope}0").into(),
            ]);
        }
        if query.visible.unscoped {
            allowed.push("scope = ''".to_owned());
        }
        if allowed.is_empty() {
            return Ok(Found {
                records: Vec::new(),
                more: false,
            });
        }
        text.push_str(&format!(" AND ({})", allowed.join(" OR ")));
    }
    let select = Select {
        filter: text,
        order: "occurred, idx",
        values,
    };
    select.within(db, query.bounds).await
}

/// Tiles by id.
pub async fn tiles(
    db: &impl ConnectionTrait,
    ids: &[tile::Id],
) -> Result<BTreeMap<tile::Id, Vec<Hash>>> {
    let mut found = BTreeMap::new();
    for ids in ids.chunks(MAX_IDS) {
        let mut values: Vec<Value> = Vec::with_capacity(ids.len() * 2);
        let mut pairs = Vec::with_capacity(ids.len());
        for id in ids {
            let at = values.len();
            pairs.push(format!("(level = ${} AND idx = ${})", at + 1, at + 2));
            values.extend([i16::from(id.level).into(), column(id.index)?.into()]);
        }
        let text = format!(
            "SELECT level, idx, hashes FROM log_tiles WHERE {}",
            pairs.join(" OR ")
        );
        let rows = db
            .query_all_raw(sql(db.get_database_backend(), text, values))
            .await?;
        for row in &rows {
            let (id, hashes) = rows::tile(row)?;
            found.insert(id, hashes);
        }
    }
    Ok(found)
}

/// Scopes of records below an index.
pub async fn scopes(db: &impl ConnectionTrait, below: u64) -> Result<Vec<String>> {
    let text = "SELECT scope FROM log_scopes WHERE idx < $1 ORDER BY scope";
    let statement = sql(db.get_database_backend(), text, [column(below)?.into()]);
    let rows = db.query_all_raw(statement).await?;
    Ok(rows
        .iter()
        .map(|row| row.try_get("", "scope"))
        .collect::<Result<_, DbErr>>()?)
}

/// What came of all producers, or of some.
pub async fn producers(
    db: &impl ConnectionTrait,
    names: Option<&[String]>,
) -> Result<BTreeMap<String, Sequence>> {
    let mut text = "SELECT producer, last, repeated, missing FROM log_producers".to_owned();
    let mut values: Vec<Value> = Vec::new();
    if let Some(names) = names {
        let marks: Vec<_> = (1..=names.len()).map(|i| format!("${i}")).collect();
        text.push_str(&format!(" WHERE producer IN ({})", marks.join(", ")));
        values.extend(names.iter().map(|name| Value::from(name.as_str())));
    }
    let rows = db
        .query_all_raw(sql(db.get_database_backend(), text, values))
        .await?;
    Ok(rows
        .iter()
        .map(rows::producer)
        .collect::<Result<_, DbErr>>()?)
}
