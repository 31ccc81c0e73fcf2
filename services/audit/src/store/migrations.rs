//! Tables of the log.

use sea_orm_migration::MigrationTrait;
use service_kit::db::statements;

/// The service's migrations, in order.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![statements("audit_0001_log", CREATE)]
}

const CREATE: &[&str] = &[
    // what was recorded: the leaf entry and the payload; the rest are copies of the entry's
    // members to search by
    "CREATE TABLE log_records (idx bigint PRIMARY KEY, producer text NOT NULL, \
     event_id {uuid} NOT NULL, occurred bigint NOT NULL, scope {path} NOT NULL, \
     correlation_id text NOT NULL, entry {bytes} NOT NULL, payload {bytes} NOT NULL, \
     leaf_hash {bytes} NOT NULL)",
    "CREATE UNIQUE INDEX log_records_event ON log_records (event_id, producer)",
    "CREATE INDEX log_records_correlation ON log_records \
     (correlation_id, occurred, idx) WHERE correlation_id <> ''",
    // node hashes of every eighth level of the tree, 256 a row; the last of a level may be
    // partial
    "CREATE TABLE log_tiles (level smallint NOT NULL, idx bigint NOT NULL, \
     hashes {bytes} NOT NULL, PRIMARY KEY (level, idx))",
    "CREATE TABLE log_checkpoints (size bigint PRIMARY KEY, root {bytes} NOT NULL, \
     note text NOT NULL, signed bigint NOT NULL)",
    // every scope that records have, with its first record
    "CREATE TABLE log_scopes (scope {path} PRIMARY KEY, idx bigint NOT NULL)",
    "CREATE TABLE log_producers (producer text PRIMARY KEY, last bigint NOT NULL, \
     repeated bigint NOT NULL, missing text NOT NULL)",
];
