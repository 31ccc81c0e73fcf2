//! Migrations. One that is released never changes.

use sea_orm_migration::MigrationTrait;
use service_kit::db::statements;

/// The migrations, in order.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        statements("policy_0001_create", CREATE),
        statements("policy_0002_standing_receipt", STANDING),
        statements("policy_0003_request_retention", RETENTION),
        statements("policy_0004_change", CHANGE),
        statements("policy_0005_waiver_use", WAIVER_USE),
    ]
}

const CREATE: &[&str] = &[
    "CREATE TABLE revision (number bigint PRIMARY KEY CHECK (number > 0), \
     digest text NOT NULL, activate_time bigint NOT NULL)",
    "CREATE TABLE document (kind text NOT NULL, name text NOT NULL, \
     version bigint NOT NULL, path text NOT NULL, text text NOT NULL, \
     attachments text NOT NULL, \
     first_revision bigint NOT NULL REFERENCES revision (number), \
     end_revision bigint REFERENCES revision (number), \
     activate_time bigint NOT NULL, PRIMARY KEY (kind, name, version))",
    "CREATE UNIQUE INDEX document_in_force ON document (kind, name) \
     WHERE end_revision IS NULL",
    "CREATE TABLE decision (id {uuid} PRIMARY KEY, workflow text NOT NULL, \
     scope text NOT NULL, correlation_id text NOT NULL, effect text NOT NULL, \
     revision bigint NOT NULL, decide_time bigint NOT NULL, asker text NOT NULL, \
     question text NOT NULL, answer text NOT NULL)",
    "CREATE INDEX decision_correlation ON decision (correlation_id)",
    "CREATE TABLE answered (asker_key text NOT NULL, request_id {uuid} NOT NULL, \
     decision {uuid} NOT NULL, digest text NOT NULL, \
     PRIMARY KEY (asker_key, request_id))",
    "CREATE TABLE receipt (action text PRIMARY KEY, digest text NOT NULL, \
     id {uuid} NOT NULL, jws text NOT NULL, audience text NOT NULL, \
     expire_time bigint NOT NULL, answer text NOT NULL)",
    "CREATE TABLE decision_count (day text NOT NULL, workflow text NOT NULL, \
     scope text NOT NULL, effect text NOT NULL, revision bigint NOT NULL, \
     decisions bigint NOT NULL, \
     PRIMARY KEY (day, workflow, scope, effect, revision))",
];

/// One receipt at a time for an operation on a document. Receipts that were signed before
/// aren't taken over: none is valid for longer than an hour.
const STANDING: &[&str] = &[
    "CREATE TABLE standing_receipt (audience text NOT NULL, document text NOT NULL, \
     line text NOT NULL, operation text NOT NULL, action text NOT NULL, \
     receipt {uuid} NOT NULL, expire_time bigint NOT NULL, stand_until bigint NOT NULL, \
     PRIMARY KEY (audience, document, line, operation))",
    "CREATE INDEX standing_receipt_until ON standing_receipt (stand_until)",
];

/// Request ids with the time they were answered, so that they can be forgotten.
const RETENTION: &[&str] = &[
    "ALTER TABLE answered ADD COLUMN answer_time bigint NOT NULL DEFAULT 0",
    "ALTER TABLE answered ADD COLUMN for_retries boolean NOT NULL DEFAULT false",
    "UPDATE answered SET answer_time = (SELECT decide_time FROM decision \
     WHERE decision.id = answered.decision)",
    "CREATE INDEX answered_by_time ON answered (answer_time)",
];

const CHANGE: &[&str] = &[
    "CREATE TABLE change (id {uuid} PRIMARY KEY, state text NOT NULL, \
     version bigint NOT NULL, activate_time bigint, body text NOT NULL, \
     asker_key text, request_id {uuid}, digest text)",
    "CREATE UNIQUE INDEX change_request ON change (asker_key, request_id)",
    "CREATE INDEX change_state ON change (state, activate_time)",
];

const WAIVER_USE: &[&str] = &[
    "CREATE TABLE waiver_use (waiver text NOT NULL, decision {uuid} NOT NULL, \
     decide_time bigint NOT NULL, PRIMARY KEY (waiver, decision))",
];
