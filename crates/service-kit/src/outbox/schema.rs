//! Tables of the outbox.

use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, Statement, entity::prelude::*};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// Rows that wait to be delivered.
pub(super) mod row {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "outbox")]
    pub struct Model {
        /// In order of insertion, which isn't that of commits, and with gaps.
        #[sea_orm(primary_key)]
        pub position: i64,
        /// In order of numbering, without gaps, from 1; null until numbered.
        pub sequence: Option<i64>,
        /// `bylaw.audit.v1.Record`, less the producer and its sequence.
        pub record: Vec<u8>,
        /// `bylaw.type.v1.CloudEvent`, less its source.
        pub event: Option<Vec<u8>>,
        /// W3C trace context; empty outside of a trace.
        pub trace_parent: String,
        /// Microseconds since 1970.
        pub create_time: i64,
    }
    crate::no_relations!();
}

/// Records that the log refused, each replaced there by a record that says so.
pub(super) mod refused {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "outbox_refused")]
    pub struct Model {
        /// The refused record's place in the producer's sequence.
        #[sea_orm(primary_key, auto_increment = false)]
        pub sequence: i64,
        /// The refused record as it was.
        pub record: Vec<u8>,
        /// What the log said.
        pub reason: String,
        /// Microseconds since 1970.
        pub create_time: i64,
    }
    crate::no_relations!();
}

/// How far the relay is.
pub(super) mod state {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "outbox_state")]
    pub struct Model {
        /// Always 1.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        /// Tells this database's rows from those of one that had the same name.
        pub incarnation: String,
        /// The last number that was given.
        pub numbered: i64,
        /// The last number that the log has.
        pub audited: i64,
    }
    crate::no_relations!();
}

/// Migrations of the kit, which come before the service's own.
pub(crate) fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Create)]
}

struct Create;

impl MigrationName for Create {
    fn name(&self) -> &str {
        "kit_0001_outbox"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Create {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        let (serial, bytes) = if postgres {
            ("bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "bytea")
        } else {
            ("integer PRIMARY KEY AUTOINCREMENT", "blob")
        };
        let db = manager.get_connection();
        for sql in [
            format!(
                "CREATE TABLE outbox (position {serial}, sequence bigint, record {bytes} NOT NULL, \
                 event {bytes}, trace_parent text NOT NULL, create_time bigint NOT NULL)"
            ),
            "CREATE UNIQUE INDEX outbox_sequence ON outbox (sequence)".to_owned(),
            "CREATE INDEX outbox_unnumbered ON outbox (position) WHERE sequence IS NULL".to_owned(),
            format!(
                "CREATE TABLE outbox_refused (sequence bigint PRIMARY KEY, record {bytes} NOT NULL, \
                 reason text NOT NULL, create_time bigint NOT NULL)"
            ),
            "CREATE TABLE outbox_state (id integer PRIMARY KEY CHECK (id = 1), \
             incarnation text NOT NULL, numbered bigint NOT NULL, audited bigint NOT NULL)"
                .to_owned(),
        ] {
            db.execute_unprepared(&sql).await?;
        }
        let incarnation = Uuid::new_v4().simple().to_string();
        db.execute_raw(Statement::from_sql_and_values(
            manager.get_database_backend(),
            "INSERT INTO outbox_state (id, incarnation, numbered, audited) VALUES (1, $1, 0, 0)",
            [incarnation.into()],
        ))
        .await?;
        Ok(())
    }
}
