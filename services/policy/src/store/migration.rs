//! Migrations. One that is released never changes.

use sea_orm::{ConnectionTrait as _, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// The migrations, in order.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Create), Box::new(Standing), Box::new(Retention)]
}

struct Create;

impl MigrationName for Create {
    fn name(&self) -> &str {
        "policy_0001_create"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Create {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let uuid = match manager.get_database_backend() {
            DbBackend::Postgres => "uuid",
            _ => "blob",
        };
        let db = manager.get_connection();
        for sql in [
            "CREATE TABLE revision (number bigint PRIMARY KEY CHECK (number > 0), \
             digest text NOT NULL, activate_time bigint NOT NULL)"
                .to_owned(),
            "CREATE TABLE document (kind text NOT NULL, name text NOT NULL, \
             version bigint NOT NULL, path text NOT NULL, text text NOT NULL, \
             attachments text NOT NULL, \
             first_revision bigint NOT NULL REFERENCES revision (number), \
             end_revision bigint REFERENCES revision (number), \
             activate_time bigint NOT NULL, PRIMARY KEY (kind, name, version))"
                .to_owned(),
            "CREATE UNIQUE INDEX document_in_force ON document (kind, name) \
             WHERE end_revision IS NULL"
                .to_owned(),
            format!(
                "CREATE TABLE decision (id {uuid} PRIMARY KEY, workflow text NOT NULL, \
                 scope text NOT NULL, correlation_id text NOT NULL, effect text NOT NULL, \
                 revision bigint NOT NULL, decide_time bigint NOT NULL, asker text NOT NULL, \
                 question text NOT NULL, answer text NOT NULL)"
            ),
            "CREATE INDEX decision_correlation ON decision (correlation_id)".to_owned(),
            format!(
                "CREATE TABLE answered (asker_key text NOT NULL, request_id {uuid} NOT NULL, \
                 decision {uuid} NOT NULL, digest text NOT NULL, \
                 PRIMARY KEY (asker_key, request_id))"
            ),
            format!(
                "CREATE TABLE receipt (action text PRIMARY KEY, digest text NOT NULL, \
                 id {uuid} NOT NULL, jws text NOT NULL, audience text NOT NULL, \
                 expire_time bigint NOT NULL, answer text NOT NULL)"
            ),
            "CREATE TABLE decision_count (day text NOT NULL, workflow text NOT NULL, \
             scope text NOT NULL, effect text NOT NULL, revision bigint NOT NULL, \
             decisions bigint NOT NULL, \
             PRIMARY KEY (day, workflow, scope, effect, revision))"
                .to_owned(),
        ] {
            db.execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}

/// One receipt at a time for an operation on a document. Receipts that were signed before
/// aren't taken over: none is valid for longer than an hour.
struct Standing;

impl MigrationName for Standing {
    fn name(&self) -> &str {
        "policy_0002_standing_receipt"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Standing {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let uuid = match manager.get_database_backend() {
            DbBackend::Postgres => "uuid",
            _ => "blob",
        };
        let db = manager.get_connection();
        db.execute_unprepared(&format!(
            "CREATE TABLE standing_receipt (audience text NOT NULL, document text NOT NULL, \
             line text NOT NULL, operation text NOT NULL, action text NOT NULL, \
             receipt {uuid} NOT NULL, expire_time bigint NOT NULL, stand_until bigint NOT NULL, \
             PRIMARY KEY (audience, document, line, operation))"
        ))
        .await?;
        db.execute_unprepared(
            "CREATE INDEX standing_receipt_until ON standing_receipt (stand_until)",
        )
        .await?;
        Ok(())
    }
}

/// Request ids with the time they were answered, so that they can be forgotten.
struct Retention;

impl MigrationName for Retention {
    fn name(&self) -> &str {
        "policy_0003_request_retention"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Retention {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for sql in [
            "ALTER TABLE answered ADD COLUMN answer_time bigint NOT NULL DEFAULT 0",
            "ALTER TABLE answered ADD COLUMN for_retries boolean NOT NULL DEFAULT false",
            "UPDATE answered SET answer_time = (SELECT decide_time FROM decision \
             WHERE decision.id = answered.decision)",
            "CREATE INDEX answered_by_time ON answered (answer_time)",
        ] {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
