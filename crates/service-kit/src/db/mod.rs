//! The database of a service: SQLite with one writer, or PostgreSQL.

mod error;
mod migrate;
mod open;
mod scopes;
mod statements;

use std::{ops::Deref, sync::Arc, time::Duration};

use rand::RngExt as _;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait as _,
};
use tokio::sync::Notify;
use tracing::Instrument as _;

pub use error::{came_second, unique_violation};
pub use scopes::within;
pub use statements::statements;

use crate::{
    error::{Error, Kind, Reason, Result},
    settings::Database,
};

/// The rest of an entity that no other is joined to; where it stands,
/// `sea_orm::entity::prelude` is in scope.
#[macro_export]
macro_rules! no_relations {
    () => {
        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub enum Relation {}
        impl ActiveModelBehavior for ActiveModel {}
    };
}

/// How often a transaction is repeated that another one was in the way of.
const MAX_RETRIES: u32 = 5;

/// A service's database. Cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    read: DatabaseConnection,
    write: DatabaseConnection,
    backend: DbBackend,
    settings: Database,
    /// Told at every commit; the relay of the outbox waits for it.
    committed: Arc<Notify>,
}

impl Db {
    /// Opens the database. Waits for one that can't be reached, as long as
    /// `startup_timeout` says.
    ///
    /// # Errors
    /// `STORE_UNAVAILABLE` if it still can't be reached then; internal if the URL or the
    /// credentials are refused.
    pub async fn connect(settings: &Database) -> Result<Self> {
        let (read, write) = open::connect(settings).await?;
        Ok(Self(Arc::new(Inner {
            backend: write.get_database_backend(),
            read,
            write,
            settings: settings.clone(),
            committed: Arc::new(Notify::new()),
        })))
    }

    /// Connections for reading. On SQLite they refuse to write.
    #[must_use]
    pub fn read(&self) -> &DatabaseConnection {
        &self.0.read
    }

    /// Which database it is.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.0.backend
    }

    /// Whether it is PostgreSQL.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.0.backend == DbBackend::Postgres
    }

    /// Runs `work` in a transaction: committed where it answers `Ok`, rolled back where it
    /// doesn't. Repeated a few times where another transaction was in the way, so `work`
    /// changes nothing but the database. The commit goes on where the caller is dropped
    /// meanwhile.
    ///
    /// # Errors
    /// Those of `work`; `STORE_UNAVAILABLE` where the database can't be reached;
    /// `DEADLINE_EXCEEDED` where the connection broke at the commit, which may have taken
    /// effect.
    pub async fn write<T, F, Fut>(&self, work: F) -> Result<T>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let mut attempt = 0;
        loop {
            match self.attempt(&work).await {
                Err(error) if attempt < MAX_RETRIES && error::is_conflict(&error) => {
                    attempt += 1;
                    let pause = rand::rng().random_range(1..=10_u64 << attempt);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                result => return result,
            }
        }
    }

    async fn attempt<T, F, Fut>(&self, work: &F) -> Result<T>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let tx = Tx(Arc::new(begin(&self.0.write).await?));
        let result = work(tx.clone()).await;
        let Some(tx) = Arc::into_inner(tx.0) else {
            return Err(Error::internal(Leaked));
        };
        match result {
            Ok(value) => self.commit(tx).await.map(|()| value),
            Err(error) => {
                if let Err(rollback) = tx.rollback().await {
                    tracing::debug!(error = %rollback, "rollback failed");
                }
                Err(error)
            }
        }
    }

    /// Commits in a task of its own, so that a caller that is gone leaves no commit
    /// without its wake-up.
    async fn commit(&self, tx: DatabaseTransaction) -> Result<()> {
        let committed = Arc::clone(&self.0.committed);
        let task = async move {
            let result = tx.commit().await;
            committed.notify_one();
            result
        };
        match tokio::spawn(task.in_current_span()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                let error = Error::from(error);
                if error::is_conflict(&error) || error.kind() != Kind::Unavailable {
                    return Err(error);
                }
                Err(Error::new(
                    Kind::DeadlineExceeded,
                    Reason::DeadlineExceeded,
                    "the connection to the database broke at the commit; it may have taken effect",
                )
                .with_source(error))
            }
            Err(join) => Err(Error::internal(join)),
        }
    }

    /// Applies the kit's migrations, then the service's, all in one transaction and one
    /// process at a time.
    ///
    /// # Errors
    /// If the database can't be reached or a migration fails; then nothing is applied.
    pub async fn migrate(
        &self,
        migrations: Vec<Box<dyn sea_orm_migration::MigrationTrait>>,
    ) -> Result<()> {
        migrate::run(self, migrations).await
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// If it gives none in a second.
    pub async fn ping(&self) -> Result<()> {
        let ping = self.0.read.execute_unprepared("SELECT 1");
        match tokio::time::timeout(Duration::from_secs(1), ping).await {
            Ok(answer) => answer.map(drop).map_err(Error::from),
            Err(_) => Err(Error::unavailable(
                Reason::StoreUnavailable,
                "the database doesn't answer",
            )),
        }
    }

    /// Told at every commit through this handle and its clones.
    pub(crate) fn committed(&self) -> &Notify {
        &self.0.committed
    }

    /// For the relay and for migrations: the writer on SQLite, and on PostgreSQL a
    /// connection of its own that holds session locks.
    pub(crate) async fn session(&self) -> Result<DatabaseConnection> {
        if self.is_postgres() {
            Ok(open::postgres_session(&self.0.settings).await?)
        } else {
            Ok(self.0.write.clone())
        }
    }

    /// The pool behind [`Self::read`] on PostgreSQL, for LISTEN.
    pub(crate) fn postgres_pool(&self) -> Option<&sea_orm::sqlx::PgPool> {
        self.is_postgres()
            .then(|| self.0.write.get_postgres_connection_pool())
    }

    pub(crate) fn settings(&self) -> &Database {
        &self.0.settings
    }
}

/// Begins a transaction; on SQLite one that writes from its start, since a deferred one
/// that reads first and writes later fails at once where another writer came between.
pub(crate) async fn begin(conn: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    conn.begin_with_options(TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    })
    .await
}

/// A transaction's handle; cheap to clone. None may be kept beyond the closure that
/// [`Db::write`] gave it to.
#[derive(Clone)]
pub struct Tx(Arc<DatabaseTransaction>);

impl Deref for Tx {
    type Target = DatabaseTransaction;
    fn deref(&self) -> &DatabaseTransaction {
        &self.0
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, stmt: Statement) -> Result<ExecResult, DbErr> {
        self.0.execute_raw(stmt).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.0.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, stmt: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.0.query_one_raw(stmt).await
    }

    async fn query_all_raw(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.0.query_all_raw(stmt).await
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a transaction's handle was kept beyond its closure; it was rolled back")]
struct Leaked;
