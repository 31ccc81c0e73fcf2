//! Reading. No finder goes without the caller's scopes.

use chrono::{DateTime, Utc};
use governance::Scope;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DatabaseConnection, EntityTrait as _,
    ExprTrait as _, FromQueryResult, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Statement, Value, sea_query::SimpleExpr,
};
use service_kit::{
    db::within,
    error::{Error, Result},
    identity::{Found, Scopes},
};

use super::{cases, rows, schema};
use crate::{
    app::ports::{DeadLetter, Query},
    domain::{
        action::{Action, State as ActionState},
        ageing,
        document::{Document, Key},
        exception::{Evidence, Exception},
    },
};

/// Most evidence that is answered with an exception.
const MAX_EVIDENCE: u64 = 100;

fn in_scope<T>(scopes: &Scopes, scope: &Scope, resource: T) -> Found<T> {
    if scopes.contains(scope) {
        Found::Here(resource)
    } else {
        Found::Elsewhere(scope.clone())
    }
}

/// `(time, id) > cursor`.
fn beyond<C: sea_orm::ColumnTrait>(time: C, id: C, cursor: &(i64, String)) -> SimpleExpr {
    time.gt(cursor.0)
        .or(time.eq(cursor.0).and(id.gt(cursor.1.as_str())))
}

pub(super) async fn exception(
    db: &DatabaseConnection,
    id: &str,
    scopes: &Scopes,
) -> Result<Found<(Exception, Vec<Evidence>)>> {
    use schema::evidence::{Column, Entity};
    let Some(row) = schema::exception::Entity::find_by_id(id).one(db).await? else {
        return Ok(Found::Missing);
    };
    let exception = rows::read_exception(row)?;
    if !scopes.contains(&exception.scope) {
        return Ok(Found::Elsewhere(exception.scope));
    }
    let evidence = Entity::find()
        .filter(Column::ExceptionId.eq(id))
        .order_by_asc(Column::OccurTime)
        .order_by_asc(Column::Source)
        .order_by_asc(Column::EventId)
        .limit(MAX_EVIDENCE)
        .all(db)
        .await?;
    let evidence = evidence.into_iter().map(rows::read_evidence);
    Ok(Found::Here((exception, evidence.collect::<Result<_>>()?)))
}

pub(super) async fn exceptions(
    db: &DatabaseConnection,
    query: &Query,
    scopes: &Scopes,
) -> Result<(Vec<Exception>, i64)> {
    use schema::exception::{Column, Entity};
    let states = query.states.iter().map(|state| state.name());
    let mut filter = within(Column::Scope, scopes);
    filter = Condition::all()
        .add(filter)
        .add(Column::State.is_in(states));
    for (column, wanted) in [
        (Column::Kind, &query.kind),
        (Column::Queue, &query.queue),
        (Column::CorrelationId, &query.correlation_id),
    ] {
        if !wanted.is_empty() {
            filter = filter.add(column.eq(wanted));
        }
    }
    let all = Entity::find().filter(filter);
    let total = all.clone().count(db).await?;
    let mut page = all
        .order_by_asc(Column::CreateTime)
        .order_by_asc(Column::Id)
        .limit(query.limit);
    if let Some(cursor) = &query.after {
        page = page.filter(beyond(Column::CreateTime, Column::Id, cursor));
    }
    let found = page.all(db).await?;
    let read = found.into_iter().map(rows::read_exception);
    let total = i64::try_from(total).unwrap_or(i64::MAX);
    Ok((read.collect::<Result<_>>()?, total))
}

pub(super) async fn document(
    db: &DatabaseConnection,
    key: &Key,
    scopes: &Scopes,
) -> Result<Found<Document>> {
    use schema::{
        exception::Column as On,
        fact::{Column, Entity},
    };
    let id = (key.kind.clone(), key.id.clone());
    let Some(row) = schema::document::Entity::find_by_id(id).one(db).await? else {
        return Ok(Found::Missing);
    };
    let (key, scope) = rows::document_scope(&row)?;
    if !scopes.contains(&scope) {
        return Ok(Found::Elsewhere(scope));
    }
    let facts = Entity::find()
        .filter(Column::DocumentKind.eq(&key.kind))
        .filter(Column::DocumentId.eq(&key.id))
        .order_by_asc(Column::Name)
        .order_by_asc(Column::Provenance)
        .all(db)
        .await?;
    let facts = facts.into_iter().map(rows::read_fact);
    let open_exceptions = schema::exception::Entity::find()
        .select_only()
        .column(On::Id)
        .filter(On::DocumentKind.eq(&key.kind))
        .filter(On::DocumentId.eq(&key.id))
        .filter(On::IsOpen.eq(true))
        .order_by_asc(On::CreateTime)
        .order_by_asc(On::Id)
        .into_tuple()
        .all(db)
        .await?;
    Ok(Found::Here(Document {
        facts: facts.collect::<Result<_>>()?,
        key,
        scope,
        correlation_id: row.correlation_id,
        updated: rows::instant(row.update_time)?,
        open_exceptions,
    }))
}

pub(super) async fn action(
    db: &DatabaseConnection,
    exception: &str,
    id: &str,
    scopes: &Scopes,
) -> Result<Found<Action>> {
    let found = schema::action::Entity::find_by_id(id)
        .filter(schema::action::Column::ExceptionId.eq(exception))
        .all(db)
        .await?;
    let action = cases::with_approvals(db, found).await?.pop();
    Ok(action.map_or(Found::Missing, |action| {
        let scope = action.scope.clone();
        in_scope(scopes, &scope, action)
    }))
}

/// Of an exception that the caller was found to see.
pub(super) async fn actions(
    db: &DatabaseConnection,
    exception: &str,
    after: Option<(i64, String)>,
    limit: u64,
) -> Result<Vec<Action>> {
    use schema::action::{Column, Entity};
    let mut find = Entity::find()
        .filter(Column::ExceptionId.eq(exception))
        .order_by_asc(Column::CreateTime)
        .order_by_asc(Column::Id)
        .limit(limit);
    if let Some(cursor) = &after {
        find = find.filter(beyond(Column::CreateTime, Column::Id, cursor));
    }
    cases::with_approvals(db, find.all(db).await?).await
}

pub(super) async fn executed(
    db: &DatabaseConnection,
    document: &Key,
    limit: u64,
) -> Result<Vec<String>> {
    use schema::action::{Column, Entity};
    let found: Vec<(String, String)> = Entity::find()
        .select_only()
        .columns([Column::ExceptionId, Column::Id])
        .filter(Column::DocumentKind.eq(&document.kind))
        .filter(Column::DocumentId.eq(&document.id))
        .filter(Column::State.eq(ActionState::Executed.name()))
        .order_by_desc(Column::UpdateTime)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    let names = found.into_iter();
    Ok(names
        .map(|(exception, id)| format!("exceptions/{exception}/actions/{id}"))
        .collect())
}

pub(super) async fn used(
    db: &DatabaseConnection,
    document: &Key,
    operation: &str,
    limit: u64,
) -> Result<Vec<String>> {
    use schema::used_receipt::{Column, Entity};
    let found = Entity::find()
        .select_only()
        .column(Column::Receipt)
        .filter(Column::DocumentKind.eq(&document.kind))
        .filter(Column::DocumentId.eq(&document.id))
        .filter(Column::Operation.eq(operation))
        .order_by_desc(Column::ReportTime)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    Ok(found)
}

pub(super) async fn requested(
    db: &DatabaseConnection,
    issuer: &str,
    subject: &str,
    request_id: &str,
) -> Result<Option<Action>> {
    use schema::action::{Column, Entity};
    let found = Entity::find()
        .filter(Column::RequesterIssuer.eq(issuer))
        .filter(Column::RequesterSubject.eq(subject))
        .filter(Column::RequestId.eq(request_id))
        .all(db)
        .await?;
    Ok(cases::with_approvals(db, found).await?.pop())
}

pub(super) async fn due(
    db: &DatabaseConnection,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<(String, String)>> {
    use schema::action::{Column, Entity};
    let overdue = || Column::ExpireTime.lte(rows::micros(now));
    let waiting = Column::State
        .eq(ActionState::PendingApproval.name())
        .and(Column::IsComplete.eq(true).or(overdue()));
    let authorized = Column::State
        .eq(ActionState::Authorized.name())
        .and(overdue());
    Ok(Entity::find()
        .select_only()
        .columns([Column::ExceptionId, Column::Id])
        .filter(waiting.or(authorized))
        .order_by_asc(Column::ExpireTime)
        .order_by_asc(Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?)
}

pub(super) async fn dead_letters(
    db: &DatabaseConnection,
    before: Option<(i64, String)>,
    limit: u64,
    scopes: &Scopes,
) -> Result<Vec<DeadLetter>> {
    use schema::dead_letter::{Column, Entity};
    let mut find = Entity::find()
        .filter(within(Column::Scope, scopes))
        .order_by_desc(Column::CreateTime)
        .order_by_desc(Column::Id)
        .limit(limit);
    if let Some((time, id)) = &before {
        let earlier = Column::CreateTime
            .lt(*time)
            .or(Column::CreateTime.eq(*time).and(Column::Id.lt(id.as_str())));
        find = find.filter(earlier);
    }
    let found = find.all(db).await?;
    found.into_iter().map(rows::read_dead_letter).collect()
}

pub(super) async fn dead_letter(
    db: &DatabaseConnection,
    id: &str,
    scopes: &Scopes,
) -> Result<Found<DeadLetter>> {
    let Some(row) = schema::dead_letter::Entity::find_by_id(id).one(db).await? else {
        return Ok(Found::Missing);
    };
    let letter = rows::read_dead_letter(row)?;
    let scope = letter.event.scope.clone();
    Ok(in_scope(scopes, &scope, letter))
}

/// Counts of one unit and type, as the database gives them.
#[derive(Debug, FromQueryResult)]
struct Counted {
    scope: String,
    kind: String,
    total: i64,
    breached: i64,
    oldest: i64,
}

/// One query counts all of it, so that the report is of one moment: how many are younger
/// than each bound comes as further columns.
pub(super) async fn ageing(
    db: &DatabaseConnection,
    scopes: &Scopes,
    since: &[DateTime<Utc>],
    now: DateTime<Utc>,
) -> Result<Vec<ageing::Row>> {
    let mut values: Vec<Value> = vec![rows::micros(now).into()];
    let mut younger = String::new();
    for (index, bound) in since.iter().enumerate() {
        values.push(rows::micros(*bound).into());
        let place = values.len();
        younger += &format!(
            ", CAST(SUM(CASE WHEN create_time > ${place} THEN 1 ELSE 0 END) AS bigint) AS younger_{index}"
        );
    }
    let scoped = scoped(scopes, &mut values);
    let sql = format!(
        "SELECT scope, kind, COUNT(*) AS total, MIN(create_time) AS oldest, \
         CAST(SUM(CASE WHEN COALESCE(respond_time, $1) > response_by \
           OR $1 > resolution_by THEN 1 ELSE 0 END) AS bigint) AS breached{younger} \
         FROM exceptions WHERE is_open AND {scoped} \
         GROUP BY scope, kind ORDER BY scope, kind"
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let mut report = Vec::new();
    for row in db.query_all_raw(statement).await? {
        let counted = Counted::from_query_result(&row, "")?;
        let younger = (0..since.len())
            .map(|index| row.try_get::<i64>("", &format!("younger_{index}")))
            .collect::<Result<Vec<_>, _>>()?;
        report.push(ageing::Row {
            scope: Scope::parse(&counted.scope).map_err(Error::internal)?,
            kind: counted.kind,
            counts: ageing::counts(&younger, counted.total),
            breached: counted.breached,
            oldest: rows::instant(counted.oldest)?,
        });
    }
    Ok(report)
}

/// `scope is one of these or below`, with its parameters.
fn scoped(scopes: &Scopes, values: &mut Vec<Value>) -> String {
    let Some(prefixes) = scopes.prefixes() else {
        return "1 = 1".to_owned();
    };
    let mut any = vec!["1 = 0".to_owned()];
    for scope in prefixes {
        values.push(scope.as_str().into());
        let at = values.len();
        values.push(format!("{scope}/%").into());
        any.push(format!("scope = ${at} OR scope LIKE ${}", at + 1));
    }
    format!("({})", any.join(" OR "))
}
