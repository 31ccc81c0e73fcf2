//! The documents that a store was begun with, as it keeps them: in a table `declared`,
//! which a migration of the service makes.

use sea_orm::{ActiveValue::Set, EntityTrait as _, QueryOrder as _};
use serde_json::json;

use super::Document;
use crate::{
    clock::Clock,
    db::{self, Db},
    error::Result,
    identity::Principal,
    outbox::{self, Audit, Entry, Outcome},
};

mod declared {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "declared")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub position: i64,
        pub path: String,
        pub line: i64,
        pub kind: String,
        pub text: String,
    }
    crate::no_relations!();
}

/// What the store keeps, in its order.
pub(crate) async fn kept(db: &Db) -> Result<Vec<Document>> {
    let rows = declared::Entity::find()
        .order_by_asc(declared::Column::Position)
        .all(db.read())
        .await?;
    let documents = rows.into_iter().map(|row| Document {
        path: row.path,
        line: usize::try_from(row.line).unwrap_or(1),
        kind: row.kind,
        text: row.text,
    });
    Ok(documents.collect())
}

/// Keeps the first documents of a service's store, with the record of it, and gives what
/// the store has then: these, or those of a replica that came first.
pub(crate) async fn keep(
    db: &Db,
    service: &str,
    clock: &dyn Clock,
    offered: Vec<Document>,
) -> Result<Vec<Document>> {
    if offered.is_empty() {
        return Ok(offered);
    }
    let (record, offered) = (&record(service, clock, &offered), &offered);
    let written = db
        .write(|tx| async move {
            let rows = (0..)
                .zip(offered)
                .map(|(position, document)| declared::ActiveModel {
                    position: Set(position),
                    path: Set(document.path.clone()),
                    line: Set(i64::try_from(document.line).unwrap_or(i64::MAX)),
                    kind: Set(document.kind.clone()),
                    text: Set(document.text.clone()),
                });
            declared::Entity::insert_many(rows)
                .exec_without_returning(&tx)
                .await?;
            outbox::insert(&tx, std::slice::from_ref(record)).await
        })
        .await;
    match written {
        Err(error) if db::came_second(&error) => kept(db).await,
        Err(error) => Err(error),
        Ok(()) => Ok(offered.clone()),
    }
}

fn record(service: &str, clock: &dyn Clock, offered: &[Document]) -> Entry {
    let documents = offered.iter().map(|document| {
        json!({
            "path": document.path,
            "line": document.line,
            "kind": document.kind,
            "digest": governance::canonical::sha256(document.text.as_bytes()),
        })
    });
    Entry::new(Audit {
        r#type: format!("bylaw.{service}.catalog.bootstrapped.v1"),
        action: format!("{service}.catalog.bootstrap"),
        resource: "catalog".to_owned(),
        scope: String::new(),
        correlation_id: String::new(),
        outcome: Outcome::Done,
        actor: Principal::own(service),
        via: None,
        payload: json!({"documents": documents.collect::<Vec<_>>()}),
        occurred: clock.now(),
    })
}
