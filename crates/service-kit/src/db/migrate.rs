//! Applies migrations, one process at a time.

use std::sync::Arc;

use sea_orm::{ConnectionTrait as _, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTraitSelf, SchemaManager};

use super::{Db, begin};
use crate::{error::Result, outbox};

/// `pg_advisory_xact_lock` of migrations: "bylaw" and "migr" in ASCII.
const LOCK: i64 = 0x6279_6c61_6d69_6772;

/// Runs what isn't applied yet in one transaction that nobody else can be in: sea-orm
/// takes no lock, and of replicas that start together most would fail. SQLite's
/// immediate transaction is the lock there.
pub(super) async fn run(db: &Db, service: Vec<Box<dyn MigrationTrait>>) -> Result<()> {
    let session = db.session().await?;
    let tx = begin(&session).await?;
    if db.is_postgres() {
        tx.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LOCK})"))
            .await?;
        let schema = &db.settings().schema;
        if !schema.is_empty() {
            // Settings allow letters, digits and underscores only.
            tx.execute_unprepared(&format!("CREATE SCHEMA IF NOT EXISTS {schema}"))
                .await?;
        }
    }
    let all = outbox::migrations().into_iter().chain(service);
    All(all.map(Arc::from).collect()).up(&tx, None).await?;
    tx.commit().await?;
    if db.is_postgres() {
        session.close().await?;
    }
    Ok(())
}

/// The migrator is asked for its migrations more than once.
struct All(Vec<Arc<dyn MigrationTrait>>);

impl MigratorTraitSelf for All {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let share = |migration: &Arc<dyn MigrationTrait>| -> Box<dyn MigrationTrait> {
            Box::new(Shared(Arc::clone(migration)))
        };
        self.0.iter().map(share).collect()
    }
}

struct Shared(Arc<dyn MigrationTrait>);

impl MigrationName for Shared {
    fn name(&self) -> &str {
        self.0.name()
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Shared {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.up(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.down(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        self.0.use_transaction()
    }
}
