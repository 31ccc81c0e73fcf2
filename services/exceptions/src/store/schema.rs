//! Tables. Times are microseconds since 1970: whole numbers compare the same on both
//! databases. Values are JSON that keeps every digit.

use sea_orm::entity::prelude::*;
use sea_orm_migration::MigrationTrait;
use service_kit::db::statements;

/// Events that were dealt with.
pub(super) mod event {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "events")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub source: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub event_id: String,
        pub digest: String,
        pub kind: String,
        pub dead_letter: Option<String>,
        pub exception_id: Option<String>,
        pub exception_kind: Option<String>,
        pub receive_time: i64,
    }
    service_kit::no_relations!();
}

/// Sources of events, each with the principal it belongs to.
pub(super) mod source {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sources")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub source: String,
        pub issuer: String,
        pub subject: String,
        pub bind_time: i64,
    }
    service_kit::no_relations!();
}

/// Events that could not be taken in.
pub(super) mod dead_letter {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "dead_letters")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub source: String,
        pub event_id: String,
        pub kind: String,
        pub subject: String,
        pub occur_time: Option<i64>,
        pub scope: String,
        pub correlation_id: String,
        pub trace_parent: String,
        pub data_schema: String,
        pub data: Vec<u8>,
        pub asserter_issuer: String,
        pub asserter_subject: String,
        pub provenance: String,
        /// As JSON.
        pub asserts: String,
        pub reason: String,
        pub create_time: i64,
    }
    service_kit::no_relations!();
}

/// Documents.
pub(super) mod document {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "documents")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub document_kind: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub document_id: String,
        pub scope: String,
        pub correlation_id: String,
        pub update_time: i64,
    }
    service_kit::no_relations!();
}

/// Facts of documents: the newest of each name and provenance.
pub(super) mod fact {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "facts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub document_kind: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub document_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub provenance: String,
        pub value: String,
        pub asserted_by: String,
        pub observe_time: i64,
    }
    service_kit::no_relations!();
}

/// Exceptions.
pub(super) mod exception {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "exceptions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub kind: String,
        pub scope: String,
        pub severity: String,
        pub blocking: bool,
        pub document_kind: String,
        pub document_id: String,
        pub line: String,
        pub hold_source: String,
        pub hold_until: Option<i64>,
        pub owner: Option<String>,
        pub queue: String,
        pub state: String,
        /// Whether the state is an open one; what the unique index goes by.
        pub is_open: bool,
        pub root_cause_code: String,
        pub resolution_code: String,
        pub response_by: Option<i64>,
        pub resolution_by: Option<i64>,
        pub respond_time: Option<i64>,
        pub first_action: String,
        pub evidence_count: i64,
        pub correlation_id: String,
        pub create_time: i64,
        pub update_time: i64,
        pub resolve_time: Option<i64>,
        pub reopen_count: i32,
        pub version: i64,
    }
    service_kit::no_relations!();
}

/// Events that speak for exceptions.
pub(super) mod evidence {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "evidence")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub exception_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub source: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub event_id: String,
        pub kind: String,
        pub occur_time: i64,
        pub asserted_by: String,
    }
    service_kit::no_relations!();
}

/// Actions.
pub(super) mod action {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "actions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub exception_id: String,
        pub document_kind: String,
        pub document_id: String,
        pub operation: String,
        pub workflow: String,
        pub audience: String,
        pub scope: String,
        pub correlation_id: String,
        pub arguments: String,
        pub requester: String,
        pub requester_issuer: String,
        pub requester_subject: String,
        pub excluded: String,
        pub state: String,
        /// Whether the policy service is to be asked for the receipt.
        pub is_complete: bool,
        pub decision: String,
        pub digest: String,
        /// Names of facts, as JSON.
        pub missing_facts: String,
        pub receipt: Option<String>,
        pub expire_time: Option<i64>,
        pub recommendation: String,
        pub comment: String,
        pub reason: String,
        /// Null where the request had none, so that the unique index leaves it alone.
        pub request_id: Option<String>,
        pub request_digest: String,
        pub create_time: i64,
        pub update_time: i64,
        pub version: i64,
    }
    service_kit::no_relations!();
}

/// Approvals.
pub(super) mod approval {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "approvals")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub action_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub position: i32,
        pub approver: String,
        pub approve_time: i64,
        pub expire_time: i64,
        pub token_id: String,
        pub digest: String,
        pub comment: String,
    }
    service_kit::no_relations!();
}

/// Receipts that were used and that no action has, by what they may have been for.
pub(super) mod used_receipt {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "used_receipts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub document_kind: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub document_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub operation: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub receipt: String,
        pub report_time: i64,
    }
    service_kit::no_relations!();
}

/// The service's migrations, in order. One that is released never changes.
pub(super) fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        statements("exceptions_0001_create", CREATE),
        statements("exceptions_0002_sources", SOURCES),
        statements("exceptions_0003_waits", WAITS),
        statements("exceptions_0004_limits", LIMITS),
        statements("exceptions_0005_used_receipts", USED),
    ]
}

const CREATE: &[&str] = &[
    "CREATE TABLE declared (position bigint PRIMARY KEY, path text NOT NULL, \
     line bigint NOT NULL, kind text NOT NULL, text text NOT NULL)",
    "CREATE TABLE events (source text NOT NULL, event_id text NOT NULL, digest text NOT NULL, \
     kind text NOT NULL, dead_letter text, exception_id text, exception_kind text, \
     receive_time bigint NOT NULL, PRIMARY KEY (source, event_id))",
    "CREATE TABLE dead_letters (id text PRIMARY KEY, source text NOT NULL, \
     event_id text NOT NULL, kind text NOT NULL, subject text NOT NULL, occur_time bigint, \
     scope text NOT NULL, correlation_id text NOT NULL, trace_parent text NOT NULL, \
     data_schema text NOT NULL, data {bytes} NOT NULL, asserter_issuer text NOT NULL, \
     asserter_subject text NOT NULL, provenance text NOT NULL, reason text NOT NULL, \
     create_time bigint NOT NULL)",
    "CREATE INDEX dead_letters_by_time ON dead_letters (create_time, id)",
    "CREATE TABLE documents (document_kind text NOT NULL, document_id text NOT NULL, \
     scope text NOT NULL, correlation_id text NOT NULL, update_time bigint NOT NULL, \
     PRIMARY KEY (document_kind, document_id))",
    "CREATE TABLE facts (document_kind text NOT NULL, document_id text NOT NULL, \
     name text NOT NULL, provenance text NOT NULL, value text NOT NULL, \
     asserted_by text NOT NULL, observe_time bigint NOT NULL, \
     PRIMARY KEY (document_kind, document_id, name, provenance))",
    "CREATE TABLE exceptions (id text PRIMARY KEY, kind text NOT NULL, scope text NOT NULL, \
     severity text NOT NULL, blocking boolean NOT NULL, document_kind text NOT NULL, \
     document_id text NOT NULL, line text NOT NULL, hold_source text NOT NULL, \
     hold_until bigint, owner text, queue text NOT NULL, state text NOT NULL, \
     is_open boolean NOT NULL, root_cause_code text NOT NULL, resolution_code text NOT NULL, \
     response_by bigint, resolution_by bigint, respond_time bigint, first_action text NOT NULL, \
     evidence_count bigint NOT NULL, correlation_id text NOT NULL, create_time bigint NOT NULL, \
     update_time bigint NOT NULL, resolve_time bigint, reopen_count integer NOT NULL, \
     version bigint NOT NULL)",
    // One open exception of a type on each line of a document.
    "CREATE UNIQUE INDEX exceptions_open ON exceptions \
     (document_kind, document_id, line, kind) WHERE is_open",
    "CREATE INDEX exceptions_by_time ON exceptions (create_time, id)",
    "CREATE INDEX exceptions_by_correlation ON exceptions (correlation_id)",
    "CREATE TABLE evidence (exception_id text NOT NULL, source text NOT NULL, \
     event_id text NOT NULL, kind text NOT NULL, occur_time bigint NOT NULL, \
     asserted_by text NOT NULL, PRIMARY KEY (exception_id, source, event_id))",
    "CREATE TABLE actions (id text PRIMARY KEY, exception_id text NOT NULL, \
     document_kind text NOT NULL, document_id text NOT NULL, operation text NOT NULL, \
     workflow text NOT NULL, audience text NOT NULL, scope text NOT NULL, \
     correlation_id text NOT NULL, arguments text NOT NULL, requester text NOT NULL, \
     requester_issuer text NOT NULL, requester_subject text NOT NULL, excluded text NOT NULL, \
     state text NOT NULL, is_complete boolean NOT NULL, decision text NOT NULL, \
     digest text NOT NULL, receipt text, expire_time bigint, recommendation text NOT NULL, \
     comment text NOT NULL, reason text NOT NULL, request_id text, \
     request_digest text NOT NULL, create_time bigint NOT NULL, update_time bigint NOT NULL, \
     version bigint NOT NULL)",
    "CREATE UNIQUE INDEX actions_request ON actions \
     (requester_issuer, requester_subject, request_id)",
    "CREATE INDEX actions_by_exception ON actions (exception_id, create_time, id)",
    "CREATE INDEX actions_by_document ON actions (document_kind, document_id)",
    "CREATE INDEX actions_waiting ON actions (expire_time) WHERE state = 'PENDING_APPROVAL'",
    "CREATE TABLE approvals (action_id text NOT NULL, position integer NOT NULL, \
     approver text NOT NULL, approve_time bigint NOT NULL, expire_time bigint NOT NULL, \
     token_id text NOT NULL, digest text NOT NULL, comment text NOT NULL, \
     PRIMARY KEY (action_id, position))",
];

const SOURCES: &[&str] = &[
    "CREATE TABLE sources (source text PRIMARY KEY, issuer text NOT NULL, \
     subject text NOT NULL, bind_time bigint NOT NULL)",
];

const WAITS: &[&str] = &[
    "ALTER TABLE actions ADD COLUMN missing_facts text NOT NULL DEFAULT '[]'",
    "DROP INDEX actions_waiting",
    "CREATE INDEX actions_by_expiry ON actions (state, expire_time)",
];

const USED: &[&str] = &[
    "CREATE TABLE used_receipts (document_kind text NOT NULL, document_id text NOT NULL, \
     operation text NOT NULL, receipt text NOT NULL, report_time bigint NOT NULL, \
     PRIMARY KEY (document_kind, document_id, operation, receipt))",
];

const LIMITS: &[&str] = &["ALTER TABLE dead_letters ADD COLUMN asserts text NOT NULL DEFAULT '[]'"];
