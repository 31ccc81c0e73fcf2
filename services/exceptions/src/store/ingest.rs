//! Taking in events: reads and writes by sets, in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, ExprTrait as _,
    QueryFilter as _, QueryOrder as _,
    sea_query::{Expr, OnConflict, SimpleExpr},
};
use service_kit::{
    db::{Db, Tx},
    error::Result,
    outbox,
};

use super::{cases, rows, schema, stale};
use crate::{
    app::ports::{Owner, Plan, Planner, Snapshot, Wanted},
    domain::{
        action::{Action, State},
        document::Key,
        exception::Exception,
    },
};

/// Rows of one INSERT: at most 27 parameters each, of the 32,766 that SQLite takes.
const CHUNK: usize = 1_000;

/// Reads, plans and writes.
pub(super) async fn run(db: &Db, wanted: &Wanted, planner: &dyn Planner) -> Result<Plan> {
    db.write(|tx| async move {
        let snapshot = snapshot(&tx, wanted).await?;
        let plan = planner.plan(&snapshot)?;
        write(&tx, &plan).await?;
        Ok(plan)
    })
    .await
}

async fn snapshot(tx: &Tx, wanted: &Wanted) -> Result<Snapshot> {
    let mut snapshot = Snapshot {
        owners: owners(tx, wanted).await?,
        seen: seen(tx, wanted).await?,
        ..Snapshot::default()
    };
    for row in documents(tx, &wanted.documents).await? {
        let (key, scope) = rows::document_scope(&row)?;
        snapshot.documents.insert(key, scope);
    }
    // Only documents that are there can have exceptions or actions.
    let known = |keys: &[Key]| {
        let known = keys
            .iter()
            .filter(|key| snapshot.documents.contains_key(key));
        known.cloned().collect::<Vec<_>>()
    };
    let (open_on, acting_on) = (known(&wanted.documents), known(&wanted.acting));
    for exception in open(tx, &open_on).await? {
        let on = snapshot.open.entry(exception.document.clone()).or_default();
        on.push(exception);
    }
    for action in acting(tx, &acting_on).await? {
        let on = snapshot.actions.entry(action.document.clone()).or_default();
        on.push(action);
    }
    Ok(snapshot)
}

async fn owners(tx: &Tx, wanted: &Wanted) -> Result<HashMap<String, Owner>> {
    use schema::source::{Column, Entity};
    let sources = wanted.events.iter().map(|(source, _)| source.as_str());
    let sources = sources.collect::<BTreeSet<_>>();
    let found = Entity::find()
        .filter(Column::Source.is_in(sources))
        .all(tx)
        .await?;
    Ok(found.into_iter().map(rows::owner).collect())
}

async fn seen(
    tx: &Tx,
    wanted: &Wanted,
) -> Result<HashMap<(String, String), crate::app::ports::Seen>> {
    use schema::event::{Column, Entity};
    let mut by_source = BTreeMap::<&str, Vec<&str>>::new();
    for (source, id) in &wanted.events {
        by_source.entry(source).or_default().push(id);
    }
    let any = by_source
        .into_iter()
        .fold(Condition::any(), |any, (source, ids)| {
            any.add(Column::Source.eq(source).and(Column::EventId.is_in(ids)))
        });
    let found = Entity::find().filter(any).all(tx).await?;
    Ok(found.into_iter().map(rows::seen).collect())
}

/// `column pair is one of the keys`, by kind.
fn among(
    kind: impl Fn(&str) -> SimpleExpr,
    ids: impl Fn(Vec<&str>) -> SimpleExpr,
    keys: &[Key],
) -> Condition {
    let mut by_kind = BTreeMap::<&str, Vec<&str>>::new();
    for key in keys {
        by_kind.entry(&key.kind).or_default().push(&key.id);
    }
    by_kind
        .into_iter()
        .fold(Condition::any(), |any, (name, found)| {
            any.add(kind(name).and(ids(found)))
        })
}

async fn documents(tx: &Tx, keys: &[Key]) -> Result<Vec<schema::document::Model>> {
    use schema::document::{Column, Entity};
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let filter = among(
        |kind| Column::DocumentKind.eq(kind),
        |ids| Column::DocumentId.is_in(ids),
        keys,
    );
    Ok(Entity::find().filter(filter).all(tx).await?)
}

async fn open(tx: &Tx, keys: &[Key]) -> Result<Vec<Exception>> {
    use schema::exception::{Column, Entity};
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let filter = among(
        |kind| Column::DocumentKind.eq(kind),
        |ids| Column::DocumentId.is_in(ids),
        keys,
    );
    let found = Entity::find()
        .filter(filter)
        .filter(Column::IsOpen.eq(true))
        .order_by_asc(Column::CreateTime)
        .order_by_asc(Column::Id)
        .all(tx)
        .await?;
    found.into_iter().map(rows::read_exception).collect()
}

async fn acting(tx: &Tx, keys: &[Key]) -> Result<Vec<Action>> {
    use schema::action::{Column, Entity};
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let filter = among(
        |kind| Column::DocumentKind.eq(kind),
        |ids| Column::DocumentId.is_in(ids),
        keys,
    );
    let states = [State::PendingApproval, State::Authorized].map(State::name);
    // The report of a receipt may come after the action lapsed.
    let lapsed = Column::State
        .eq(State::Lapsed.name())
        .and(Column::Receipt.is_not_null());
    let found = Entity::find()
        .filter(filter)
        .filter(Column::State.is_in(states).or(lapsed))
        .order_by_asc(Column::CreateTime)
        .order_by_asc(Column::Id)
        .all(tx)
        .await?;
    cases::with_approvals(tx, found).await
}

async fn write(tx: &Tx, plan: &Plan) -> Result<()> {
    write_events(tx, plan).await?;
    write_documents(tx, plan).await?;
    write_exceptions(tx, plan).await?;
    for (action, read) in &plan.actions {
        cases::update_action(tx, action, *read).await?;
    }
    write_used(tx, plan).await?;
    wake(tx, plan).await?;
    outbox::insert(tx, &plan.entries).await
}

async fn write_events(tx: &Tx, plan: &Plan) -> Result<()> {
    if !plan.bound.is_empty() {
        schema::source::Entity::insert_many(plan.bound.iter().map(rows::source))
            .exec_without_returning(tx)
            .await?;
    }
    if let Some(letter) = &plan.replayed {
        let deleted = schema::dead_letter::Entity::delete_by_id(letter.clone())
            .exec(tx)
            .await?;
        if deleted.rows_affected != 1 {
            return Err(stale());
        }
        for handled in &plan.handled {
            schema::event::Entity::update(rows::event(handled))
                .exec(tx)
                .await?;
        }
        return Ok(());
    }
    for chunk in plan.handled.chunks(CHUNK) {
        schema::event::Entity::insert_many(chunk.iter().map(rows::event))
            .exec_without_returning(tx)
            .await?;
    }
    for chunk in plan.dead_letters.chunks(CHUNK) {
        let letters = chunk.iter().map(rows::dead_letter);
        schema::dead_letter::Entity::insert_many(letters.collect::<Result<Vec<_>>>()?)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

async fn write_documents(tx: &Tx, plan: &Plan) -> Result<()> {
    use schema::document::{Column, Entity};
    let (new, known): (Vec<_>, Vec<_>) = plan.documents.iter().partition(|touched| touched.new);
    for chunk in new.chunks(CHUNK) {
        Entity::insert_many(chunk.iter().map(|touched| rows::document(touched)))
            .exec_without_returning(tx)
            .await?;
    }
    if let Some(first) = known.first() {
        let keys = known
            .iter()
            .map(|touched| touched.key.clone())
            .collect::<Vec<_>>();
        let filter = among(
            |kind| Column::DocumentKind.eq(kind),
            |ids| Column::DocumentId.is_in(ids),
            &keys,
        );
        Entity::update_many()
            .col_expr(Column::UpdateTime, Expr::value(rows::micros(first.updated)))
            .filter(filter)
            .exec(tx)
            .await?;
    }
    for chunk in plan.facts.chunks(CHUNK) {
        write_facts(tx, chunk).await?;
    }
    Ok(())
}

async fn write_used(tx: &Tx, plan: &Plan) -> Result<()> {
    use schema::used_receipt::{Column, Entity};
    let rows = plan.used.iter().flat_map(rows::used_receipts);
    for chunk in rows.collect::<Vec<_>>().chunks(CHUNK) {
        // It may be reported more than once.
        let known = OnConflict::columns([
            Column::DocumentKind,
            Column::DocumentId,
            Column::Operation,
            Column::Receipt,
        ])
        .do_nothing()
        .to_owned();
        Entity::insert_many(chunk.iter().cloned())
            .on_conflict(known)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// Has the policy service asked again about actions that wait for facts of the documents.
/// The version rises, so that an answer that was given without these facts isn't kept.
async fn wake(tx: &Tx, plan: &Plan) -> Result<()> {
    use schema::action::{Column, Entity};
    let mut keys = plan
        .facts
        .iter()
        .map(|(key, _)| key.clone())
        .collect::<Vec<_>>();
    keys.dedup();
    if keys.is_empty() {
        return Ok(());
    }
    let filter = among(
        |kind| Column::DocumentKind.eq(kind),
        |ids| Column::DocumentId.is_in(ids),
        &keys,
    );
    Entity::update_many()
        .col_expr(Column::IsComplete, Expr::value(true))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(filter)
        .filter(Column::State.eq(State::PendingApproval.name()))
        .filter(Column::MissingFacts.ne("[]"))
        .exec(tx)
        .await?;
    Ok(())
}

/// Keeps the newer observation of each fact, whichever transaction brings it first.
async fn write_facts(tx: &Tx, facts: &[(Key, crate::domain::document::Fact)]) -> Result<()> {
    use schema::fact::{Column, Entity};
    let newer = Expr::cust("excluded.observe_time >= facts.observe_time");
    let conflict = OnConflict::columns([
        Column::DocumentKind,
        Column::DocumentId,
        Column::Name,
        Column::Provenance,
    ])
    .update_columns([Column::Value, Column::AssertedBy, Column::ObserveTime])
    .action_and_where(newer)
    .to_owned();
    Entity::insert_many(facts.iter().map(|(key, fact)| rows::fact(key, fact)))
        .on_conflict(conflict)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

async fn write_exceptions(tx: &Tx, plan: &Plan) -> Result<()> {
    for chunk in plan.raised.chunks(CHUNK) {
        schema::exception::Entity::insert_many(chunk.iter().map(rows::exception))
            .exec_without_returning(tx)
            .await?;
    }
    support(tx, plan).await?;
    for (exception, read) in &plan.changed {
        cases::update_exception(tx, exception, *read).await?;
    }
    for chunk in plan.evidence.chunks(CHUNK) {
        let rows = chunk
            .iter()
            .map(|(id, evidence)| rows::evidence(id, evidence));
        schema::evidence::Entity::insert_many(rows)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// Counts evidence where nothing else changes: one statement for each number of events,
/// and no version to compare, since another event may count at the same time.
async fn support(tx: &Tx, plan: &Plan) -> Result<()> {
    use schema::exception::{Column, Entity};
    let mut by_count = BTreeMap::<i64, Vec<&str>>::new();
    for (id, count) in &plan.supported {
        by_count.entry(*count).or_default().push(id);
    }
    let now = plan
        .documents
        .first()
        .map_or(0, |touched| rows::micros(touched.updated));
    for (count, ids) in by_count {
        let wanted = ids.len() as u64;
        let plus = |column: Column| Expr::col(column).add(count);
        let updated = Entity::update_many()
            .col_expr(Column::EvidenceCount, plus(Column::EvidenceCount))
            .col_expr(Column::Version, plus(Column::Version))
            .col_expr(Column::UpdateTime, Expr::value(now))
            .filter(Column::Id.is_in(ids))
            .filter(Column::IsOpen.eq(true))
            .exec(tx)
            .await?;
        if updated.rows_affected != wanted {
            // One of them was resolved meanwhile: the event raises a new one.
            return Err(stale());
        }
    }
    Ok(())
}

/// Whether the connection is to PostgreSQL.
pub(super) fn is_postgres(tx: &impl ConnectionTrait) -> bool {
    tx.get_database_backend() == sea_orm::DbBackend::Postgres
}
