//! Tables of the log.

use sea_orm::{ConnectionTrait as _, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// The service's migrations, in order.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Create)]
}

struct Create;

impl MigrationName for Create {
    fn name(&self) -> &str {
        "audit_0001_log"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Create {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (bytes, uuid, text) = match manager.get_database_backend() {
            // payloads are looked at as a whole: compressing them costs more than it saves;
            // scopes are searched by prefix, which needs the order of bytes
            DbBackend::Postgres => ("bytea", "uuid", "text COLLATE \"C\""),
            _ => ("blob", "blob", "text"),
        };
        let db = manager.get_connection();
        for sql in [
            // what was recorded: the leaf entry and the payload; the rest are copies of the
            // entry's members to search by
            format!(
                "CREATE TABLE log_records (idx bigint PRIMARY KEY, producer text NOT NULL, \
                 event_id {uuid} NOT NULL, occurred bigint NOT NULL, scope {text} NOT NULL, \
                 correlation_id text NOT NULL, entry {bytes} NOT NULL, payload {bytes} NOT NULL, \
                 leaf_hash {bytes} NOT NULL)"
            ),
            "CREATE UNIQUE INDEX log_records_event ON log_records (event_id, producer)".to_owned(),
            "CREATE INDEX log_records_correlation ON log_records \
             (correlation_id, occurred, idx) WHERE correlation_id <> ''"
                .to_owned(),
            // node hashes of every eighth level of the tree, 256 a row; the last of a level
            // may be partial
            format!(
                "CREATE TABLE log_tiles (level smallint NOT NULL, idx bigint NOT NULL, \
                 hashes {bytes} NOT NULL, PRIMARY KEY (level, idx))"
            ),
            format!(
                "CREATE TABLE log_checkpoints (size bigint PRIMARY KEY, root {bytes} NOT NULL, \
                 note text NOT NULL, signed bigint NOT NULL)"
            ),
            // every scope that records have, with its first record
            format!("CREATE TABLE log_scopes (scope {text} PRIMARY KEY, idx bigint NOT NULL)"),
            "CREATE TABLE log_producers (producer text PRIMARY KEY, last bigint NOT NULL, \
             repeated bigint NOT NULL, missing text NOT NULL)"
                .to_owned(),
        ] {
            db.execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
