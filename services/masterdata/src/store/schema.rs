//! Tables. Times are microseconds since 1970; lists are JSON texts.

use sea_orm::entity::prelude::*;
use sea_orm_migration::MigrationTrait;
use service_kit::db::statements;

/// Rules and mappings.
pub(super) mod document {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "document")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub kind: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i64,
        pub scope: String,
        pub source: String,
    }
    service_kit::no_relations!();
}

/// Validations.
pub(super) mod validation {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "validation")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub entity: String,
        pub record_id: String,
        pub scope: String,
        pub correlation_id: String,
        pub valid: bool,
        /// JSON list of violations.
        pub violations: String,
        /// JSON list of texts.
        pub rule_sets: String,
        pub validate_time: i64,
    }
    service_kit::no_relations!();
}

/// Requests that name themselves, with what was answered.
pub(super) mod request {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "request")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub issuer: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub subject: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub digest: String,
        /// JSON list of the ids of validations.
        pub validations: String,
        pub validate_time: i64,
    }
    service_kit::no_relations!();
}

/// Validations counted by day, unit and entity.
pub(super) mod quality_record {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "quality_record")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub day: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub scope: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub entity: String,
        pub records: i64,
        pub invalid: i64,
    }
    service_kit::no_relations!();
}

/// Violations counted by day, unit, entity, rule and severity.
pub(super) mod quality_rule {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "quality_rule")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub day: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub scope: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub entity: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub rule: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub severity: String,
        pub violations: i64,
    }
    service_kit::no_relations!();
}

/// The migrations, in order. One that is released never changes.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        statements("masterdata_0001_create", CREATE),
        statements("masterdata_0002_requests", REQUESTS),
    ]
}

const CREATE: &[&str] = &[
    "CREATE TABLE document (kind text NOT NULL, name text NOT NULL, \
     version bigint NOT NULL CHECK (version > 0), scope text NOT NULL, \
     source text NOT NULL, PRIMARY KEY (kind, name, version))",
    "CREATE TABLE validation (id {uuid} PRIMARY KEY, entity text NOT NULL, \
     record_id text NOT NULL, scope text NOT NULL, correlation_id text NOT NULL, \
     valid boolean NOT NULL, violations text NOT NULL, rule_sets text NOT NULL, \
     validate_time bigint NOT NULL)",
    "CREATE INDEX validation_time ON validation (validate_time)",
    "CREATE TABLE quality_record (day text NOT NULL, scope text NOT NULL, \
     entity text NOT NULL, records bigint NOT NULL, invalid bigint NOT NULL, \
     PRIMARY KEY (day, scope, entity))",
    "CREATE TABLE quality_rule (day text NOT NULL, scope text NOT NULL, \
     entity text NOT NULL, rule text NOT NULL, severity text NOT NULL, \
     violations bigint NOT NULL, PRIMARY KEY (day, scope, entity, rule, severity))",
];

const REQUESTS: &[&str] = &[
    "CREATE TABLE request (issuer text NOT NULL, subject text NOT NULL, \
     id {uuid} NOT NULL, digest text NOT NULL, validations text NOT NULL, \
     validate_time bigint NOT NULL, PRIMARY KEY (issuer, subject, id))",
    "CREATE INDEX request_time ON request (validate_time)",
];
