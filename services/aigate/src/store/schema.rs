//! Tables. Times are microseconds since 1970: whole numbers compare the same on both
//! databases. A recommendation is kept whole as JSON, beside what is searched by.

use sea_orm::{ConnectionTrait as _, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};
use service_kit::db::statements;

/// Recommendations.
pub(super) mod recommendation {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "recommendations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub scope: String,
        pub state: String,
        pub correlation_id: String,
        pub submitter_issuer: String,
        pub submitter_subject: String,
        pub request_id: Option<String>,
        pub request_digest: String,
        pub create_time: i64,
        pub expire_time: i64,
        /// When an acceptance under way was begun.
        pub intent_time: Option<i64>,
        pub version: i64,
        pub body: String,
        /// The action that came of it.
        pub action: Option<String>,
        /// `documents/{type}/{id}`.
        pub document: Option<String>,
        /// `jti` of the receipt that it acts with by itself.
        pub receipt: Option<String>,
    }
    service_kit::no_relations!();
}

pub(super) fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        statements("aigate_0001_create", CREATE),
        Box::new(OneAction),
        statements("aigate_0003_kinds", KINDS),
        Box::new(Receipts),
    ]
}

const CREATE: &[&str] = &[
    "CREATE TABLE declared (position bigint PRIMARY KEY, path text NOT NULL, \
     line bigint NOT NULL, text text NOT NULL)",
    "CREATE TABLE recommendations (id text PRIMARY KEY, scope text NOT NULL, state text NOT NULL, \
     correlation_id text NOT NULL, submitter_issuer text NOT NULL, submitter_subject text NOT NULL, \
     request_id text, request_digest text NOT NULL, create_time bigint NOT NULL, \
     expire_time bigint NOT NULL, intent_time bigint, version bigint NOT NULL, body text NOT NULL)",
    "CREATE UNIQUE INDEX recommendations_by_request \
     ON recommendations (submitter_issuer, submitter_subject, request_id)",
    "CREATE INDEX recommendations_by_time ON recommendations (create_time, id)",
    "CREATE INDEX recommendations_by_state ON recommendations (state, create_time, id)",
    "CREATE INDEX recommendations_by_correlation ON recommendations (correlation_id, create_time)",
    "CREATE INDEX recommendations_by_expiry ON recommendations (state, expire_time)",
    "CREATE INDEX recommendations_by_intent ON recommendations (intent_time)",
];

const KINDS: &[&str] = &["ALTER TABLE declared ADD COLUMN kind text NOT NULL DEFAULT ''"];

/// Which receipt a recommendation acts with by itself, and on which document.
struct Receipts;

impl MigrationName for Receipts {
    fn name(&self) -> &str {
        "aigate_0004_receipts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Receipts {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (document, receipt) = match manager.get_database_backend() {
            DbBackend::Postgres => (
                "body::jsonb->>'document'",
                "body::jsonb#>>'{result,receipt,id}'",
            ),
            _ => (
                "json_extract(body, '$.document')",
                "json_extract(body, '$.result.receipt.id')",
            ),
        };
        for sql in [
            "ALTER TABLE recommendations ADD COLUMN document text",
            "ALTER TABLE recommendations ADD COLUMN receipt text",
            &format!(
                "UPDATE recommendations SET document = NULLIF({document}, ''), \
                 receipt = {receipt}"
            ),
            "CREATE INDEX recommendations_by_receipt ON recommendations (receipt)",
            "CREATE INDEX recommendations_that_acted ON recommendations \
             (document, create_time) WHERE receipt IS NOT NULL",
        ] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}

/// One action for a recommendation, and one recommendation for an action.
struct OneAction;

impl MigrationName for OneAction {
    fn name(&self) -> &str {
        "aigate_0002_one_action"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for OneAction {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let kept = match manager.get_database_backend() {
            DbBackend::Postgres => "body::jsonb->>'action'",
            _ => "json_extract(body, '$.action')",
        };
        let db = manager.get_connection();
        db.execute_unprepared("ALTER TABLE recommendations ADD COLUMN action text")
            .await?;
        db.execute_unprepared(&format!(
            "UPDATE recommendations SET action = NULLIF({kept}, '')"
        ))
        .await?;
        db.execute_unprepared(
            "CREATE UNIQUE INDEX recommendations_by_action ON recommendations (action)",
        )
        .await?;
        Ok(())
    }
}
