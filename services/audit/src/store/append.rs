//! Appending in one transaction, one at a time over all replicas.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, FromQueryResult as _, Value, sea_query::ArrayType,
};
use service_kit::{
    db::{Db, Tx},
    error::{Error, Result},
    outbox,
};
use uuid::Uuid;

use super::{
    find,
    rows::{RECORD, Row, column, sql},
};
use crate::{
    app::{Appended, Corruption, Pending, conflict},
    domain::{
        batch::{self, Candidate, Known, Placed, Plan, Tail},
        gaps::Sequence,
        stored::{Corrupt, Stored},
    },
};

/// Key of the lock that makes appends one at a time over all replicas on PostgreSQL:
/// arbitrary, and another than any other lock's. SQLite has one writer anyway.
const SEQUENCER: i64 = 0x6279_6c61_7761_7564;
/// Rows of an insert on SQLite, whose statements hold 32,766 values.
const ROWS: usize = 500;
/// Ids of a query on SQLite.
const IDS: usize = 500;
/// Records that are read and checked at a time.
const CHECKED: usize = 32;

/// Takes the lock until the transaction's end.
pub async fn lock(tx: &Tx, key: i64) -> Result<()> {
    if tx.get_database_backend() == DbBackend::Postgres {
        let statement = sql(
            DbBackend::Postgres,
            "SELECT pg_advisory_xact_lock($1)",
            [key.into()],
        );
        tx.query_one_raw(statement).await?;
    }
    Ok(())
}

/// Appends a batch.
pub async fn append(
    db: &Db,
    batch: &[Pending],
    now: DateTime<Utc>,
) -> Result<Appended, Corruption> {
    db.write(|tx| async move {
        lock(&tx, SEQUENCER).await?;
        let tail = match tail(&tx, batch).await? {
            Ok(tail) => tail,
            Err(corrupt) => return Ok(Err(corrupt)),
        };
        let candidates = batch.iter().map(|pending| Candidate {
            record: &pending.record,
            data_hash: &pending.data_hash,
        });
        let mut plan = batch::place(candidates, tail, now);
        insert(&tx, std::mem::take(&mut plan.stored)).await?;
        note(&tx, &plan).await?;
        let refused: Vec<_> = batch
            .iter()
            .zip(&plan.placed)
            .filter_map(|(pending, placed)| match placed {
                Placed::Conflict(index) => Some(conflict(pending, *index, now)),
                Placed::New(_) | Placed::Duplicate(_) => None,
            })
            .collect();
        outbox::insert(&tx, &refused).await?;
        Ok(Ok(Appended {
            placed: plan.placed,
            sequences: plan.sequences,
        }))
    })
    .await?
    .map_err(Corruption::Corrupt)
}

/// What the log has that matters to a batch.
async fn tail(tx: &Tx, batch: &[Pending]) -> Result<Result<Tail, Corrupt>> {
    let last = find::last(tx).await?;
    let signed = find::newest(tx).await?.map_or(0, |signed| signed.size);
    let next = match batch::next_index(last, signed) {
        Ok(next) => next,
        Err(corrupt) => return Ok(Err(corrupt)),
    };
    let known = match known(tx, batch).await? {
        Ok(known) => known,
        Err(corrupt) => return Ok(Err(corrupt)),
    };
    let producers: BTreeSet<_> = batch.iter().map(|p| p.record.producer.clone()).collect();
    let producers: Vec<_> = producers.into_iter().collect();
    Ok(Ok(Tail {
        next,
        known,
        sequences: find::producers(tx, Some(&producers)).await?,
    }))
}

type KnownById = HashMap<(String, Uuid), Known>;

/// Records that are there under the batch's producers and event ids.
async fn known(tx: &Tx, batch: &[Pending]) -> Result<Result<KnownById, Corrupt>> {
    let ids: Vec<Uuid> = batch.iter().map(|p| p.record.event_id).collect();
    let wanted: BTreeSet<_> = batch
        .iter()
        .map(|p| (p.record.producer.as_str(), p.record.event_id))
        .collect();
    let mut known = HashMap::new();
    // usually there are none; those that are there are read few at a time, for each may
    // have hundreds of kilobytes
    let places = by_event_ids(tx, ids).await?;
    for places in places.chunks(CHECKED) {
        for stored in at(tx, places).await? {
            if !wanted.contains(&(stored.producer.as_str(), stored.event_id)) {
                continue;
            }
            // an edited row must not make a record that was lost look like one that is there
            match stored.check() {
                Ok(leaf) => {
                    let there = Known {
                        index: leaf.index,
                        recorded: leaf.recorded,
                        entry: stored.entry,
                    };
                    known.insert((stored.producer, stored.event_id), there)
                }
                Err(corrupt) => return Ok(Err(corrupt)),
            };
        }
        tokio::task::yield_now().await;
    }
    Ok(Ok(known))
}

/// Records at indices.
async fn at(tx: &Tx, places: &[i64]) -> Result<Vec<Stored>> {
    let marks: Vec<_> = (1..=places.len()).map(|i| format!("${i}")).collect();
    let text = format!(
        "SELECT {RECORD} FROM log_records WHERE idx IN ({})",
        marks.join(", ")
    );
    let values = places.iter().map(|place| Value::from(*place));
    let statement = sql(tx.get_database_backend(), text, values);
    let found = Row::find_by_statement(statement).all(tx).await?;
    Ok(found.into_iter().map(Row::stored).collect())
}

/// Indices of records by event id, whoever's.
async fn by_event_ids(tx: &Tx, ids: Vec<Uuid>) -> Result<Vec<i64>> {
    let backend = tx.get_database_backend();
    let mut found = Vec::new();
    if backend == DbBackend::Postgres {
        let text = "SELECT idx FROM log_records WHERE event_id = ANY($1)";
        let statement = sql(backend, text, [uuids(ids)]);
        found.extend(tx.query_all_raw(statement).await?);
    } else {
        for ids in ids.chunks(IDS) {
            let marks: Vec<_> = (1..=ids.len()).map(|i| format!("${i}")).collect();
            let text = format!(
                "SELECT idx FROM log_records WHERE event_id IN ({})",
                marks.join(", ")
            );
            let statement = sql(backend, text, ids.iter().map(|id| Value::from(*id)));
            found.extend(tx.query_all_raw(statement).await?);
        }
    }
    Ok(found
        .iter()
        .map(|row| row.try_get("", "idx"))
        .collect::<Result<_, DbErr>>()?)
}

async fn insert(tx: &Tx, records: Vec<Stored>) -> Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    if tx.get_database_backend() == DbBackend::Postgres {
        return insert_arrays(tx, records).await;
    }
    let mut records = records.into_iter().peekable();
    while records.peek().is_some() {
        let (mut rows, mut values) = (Vec::new(), Vec::<Value>::new());
        for stored in records.by_ref().take(ROWS) {
            let at = values.len();
            let marks: Vec<_> = (at + 1..=at + 9).map(|i| format!("${i}")).collect();
            rows.push(format!("({})", marks.join(", ")));
            values.extend([
                column(stored.index)?.into(),
                stored.producer.into(),
                stored.event_id.into(),
                stored.occurred.into(),
                stored.scope.into(),
                stored.correlation_id.into(),
                stored.entry.into(),
                stored.payload.into(),
                stored.leaf_hash.0.to_vec().into(),
            ]);
        }
        let text = format!(
            "INSERT INTO log_records ({RECORD}) VALUES {}",
            rows.join(", ")
        );
        tx.execute_raw(sql(tx.get_database_backend(), text, values))
            .await?;
    }
    Ok(())
}

/// One statement whatever the number of rows: PostgreSQL parses it once.
async fn insert_arrays(tx: &Tx, records: Vec<Stored>) -> Result<()> {
    let mut columns: [Vec<Value>; 9] = Default::default();
    for stored in records {
        let row: [Value; 9] = [
            column(stored.index)?.into(),
            stored.producer.into(),
            stored.event_id.into(),
            stored.occurred.into(),
            stored.scope.into(),
            stored.correlation_id.into(),
            stored.entry.into(),
            stored.payload.into(),
            stored.leaf_hash.0.to_vec().into(),
        ];
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    let types = [
        ArrayType::BigInt,
        ArrayType::String,
        ArrayType::Uuid,
        ArrayType::BigInt,
        ArrayType::String,
        ArrayType::String,
        ArrayType::Bytes,
        ArrayType::Bytes,
        ArrayType::Bytes,
    ];
    let values = types
        .into_iter()
        .zip(columns)
        .map(|(kind, values)| Value::Array(kind, Some(Box::new(values))));
    let text = format!(
        "INSERT INTO log_records ({RECORD}) SELECT * FROM unnest($1::bigint[], $2::text[], \
         $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::bytea[], $8::bytea[], $9::bytea[])"
    );
    tx.execute_raw(sql(DbBackend::Postgres, text, values))
        .await?;
    Ok(())
}

fn uuids(ids: Vec<Uuid>) -> Value {
    let ids = ids.into_iter().map(Value::from).collect();
    Value::Array(ArrayType::Uuid, Some(Box::new(ids)))
}

/// Keeps what came of producers, and scopes that are new.
async fn note(tx: &Tx, plan: &Plan) -> Result<()> {
    note_producers(tx, &plan.sequences).await?;
    for (scope, index) in &plan.scopes {
        let text = "INSERT INTO log_scopes (scope, idx) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        let values = [scope.as_str().into(), column(*index)?.into()];
        tx.execute_raw(sql(tx.get_database_backend(), text, values))
            .await?;
    }
    Ok(())
}

async fn note_producers(tx: &Tx, sequences: &BTreeMap<String, Sequence>) -> Result<()> {
    for (producer, sequence) in sequences {
        let missing: Vec<_> = sequence.missing().collect();
        let missing = serde_json::to_string(&missing).map_err(Error::internal)?;
        let text = "INSERT INTO log_producers (producer, last, repeated, missing) \
                    VALUES ($1, $2, $3, $4) ON CONFLICT (producer) DO UPDATE SET \
                    last = excluded.last, repeated = excluded.repeated, missing = excluded.missing";
        let values = [
            producer.as_str().into(),
            column(sequence.last)?.into(),
            column(sequence.repeated)?.into(),
            missing.into(),
        ];
        tx.execute_raw(sql(tx.get_database_backend(), text, values))
            .await?;
    }
    Ok(())
}
