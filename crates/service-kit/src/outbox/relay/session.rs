//! The database session that holds the relay's lock.

use std::time::Duration;

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, Statement,
    sqlx::postgres::PgListener,
};

use crate::{
    db::{self, Db},
    error::{Error, Reason, Result},
};

/// How often a replica that stands by asks for the lock.
const STAND_BY: Duration = Duration::from_secs(1);

/// A replica that stands by tells of its commits at most this often.
const NOTIFY_PAUSE: Duration = Duration::from_millis(5);

/// A session on the relay's database. On PostgreSQL, one connection of its own with a
/// session lock, so that the lock ends with the connection; on SQLite, whose directory
/// belongs to one process, the writer.
pub(super) struct Session {
    db: Db,
    conn: DatabaseConnection,
    lock: Option<Lock>,
}

/// PostgreSQL's names are for a whole database, which may hold the schemas of several
/// services.
struct Lock {
    key: i64,
    channel: String,
}

impl Session {
    pub(super) async fn open(db: &Db) -> Result<Self> {
        let conn = db.session().await?;
        let lock = if db.is_postgres() {
            let sql = "SELECT hashtextextended('bylaw.relay.' || current_schema(), 0) AS key, \
                       current_schema()::text AS schema";
            let row = conn
                .query_one_raw(Statement::from_string(db.backend(), sql))
                .await?
                .ok_or_else(|| DbErr::RecordNotFound("current_schema()".to_owned()))?;
            Some(Lock {
                key: row.try_get("", "key")?,
                channel: format!("bylaw_outbox_{}", row.try_get::<String>("", "schema")?),
            })
        } else {
            None
        };
        Ok(Self {
            db: db.clone(),
            conn,
            lock,
        })
    }

    /// For reading.
    pub(super) fn conn(&self) -> &DatabaseConnection {
        &self.conn
    }

    /// Begins a transaction of the relay's. Where the connection broke and came again,
    /// the lock must be had again too, or another replica may be at work.
    pub(super) async fn begin(&self) -> Result<DatabaseTransaction> {
        let tx = db::begin(&self.conn).await?;
        if let Some(lock) = &self.lock
            && !lock.try_take(&tx).await?
        {
            return Err(Error::unavailable(
                Reason::StoreUnavailable,
                "another replica has the relay's lock",
            ));
        }
        Ok(tx)
    }

    /// Waits until this is the relay at work; meanwhile tells the one that is of commits
    /// in this process.
    pub(super) async fn take_office(&self) -> Result<()> {
        let Some(lock) = &self.lock else {
            return Ok(());
        };
        loop {
            if lock.try_take(&self.conn).await? {
                return Ok(());
            }
            let ask_again = tokio::time::sleep(STAND_BY);
            tokio::pin!(ask_again);
            loop {
                tokio::select! {
                    () = &mut ask_again => break,
                    () = self.db.committed().notified() => lock.notify(&self.conn).await?,
                }
                tokio::time::sleep(NOTIFY_PAUSE).await;
            }
        }
    }

    /// Listens for commits.
    pub(super) async fn listen(&self) -> Result<Wake<'_>> {
        let listener = match (&self.lock, self.db.postgres_pool()) {
            (Some(lock), Some(pool)) => {
                let mut listener = PgListener::connect_with(pool).await.map_err(lost)?;
                listener.listen(&lock.channel).await.map_err(lost)?;
                Some(listener)
            }
            _ => None,
        };
        Ok(Wake {
            db: &self.db,
            listener,
        })
    }

    /// Ends the session, and with it the lock.
    pub(super) async fn close(self) {
        if self.lock.is_some()
            && let Err(error) = self.conn.close().await
        {
            tracing::debug!(%error, "closing the relay's session failed");
        }
    }
}

impl Lock {
    /// Taking it again counts up within the session and costs nothing.
    async fn try_take(&self, conn: &impl sea_orm::ConnectionTrait) -> Result<bool> {
        let sql = "SELECT pg_try_advisory_lock($1) AS taken";
        let statement =
            Statement::from_sql_and_values(conn.get_database_backend(), sql, [self.key.into()]);
        let row = conn.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound("pg_try_advisory_lock".to_owned()))?;
        Ok(row.try_get("", "taken")?)
    }

    async fn notify(&self, conn: &DatabaseConnection) -> Result<()> {
        let sql = "SELECT pg_notify($1, '')";
        let values = [self.channel.as_str().into()];
        let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
        conn.execute_raw(statement).await?;
        Ok(())
    }
}

/// Waits for commits, of this process and of others.
pub(super) struct Wake<'a> {
    db: &'a Db,
    listener: Option<PgListener>,
}

impl Wake<'_> {
    /// Waits for a commit, at most `longest`.
    pub(super) async fn wait(&mut self, longest: Duration) -> Result<()> {
        let told = async {
            match &mut self.listener {
                Some(listener) => listener.recv().await.map(drop).map_err(lost),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.db.committed().notified() => Ok(()),
            told = told => told,
            () = tokio::time::sleep(longest) => Ok(()),
        }
    }
}

fn lost(error: sea_orm::sqlx::Error) -> Error {
    DbErr::Conn(RuntimeErr::SqlxError(error.into())).into()
}
