//! Opens connections.

use std::time::{Duration, Instant};

use sea_orm::{ConnectOptions, Database as SeaOrm, DatabaseConnection, DbErr, sqlx};
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

use crate::{
    error::{Error, Kind, Result},
    settings::Database,
};

/// Pause between attempts to reach a database at the start.
const START_PAUSE: Duration = Duration::from_millis(500);

/// A connection that isn't used for this long is closed.
const IDLE: Duration = Duration::from_secs(300);

/// A connection is replaced after this long, so that a failover behind a name is followed.
const LIFETIME: Duration = Duration::from_secs(1800);

/// The connections to read through and the one(s) to write through.
pub(super) async fn connect(
    settings: &Database,
) -> Result<(DatabaseConnection, DatabaseConnection)> {
    if settings.url.expose().starts_with("sqlite:") {
        return Ok(sqlite(settings).await?);
    }
    let began = Instant::now();
    loop {
        let mut options = postgres(settings, settings.statement_timeout);
        options
            .max_connections(settings.connections)
            .idle_timeout(IDLE)
            .max_lifetime(LIFETIME);
        let error = match SeaOrm::connect(options).await {
            Ok(pool) => return Ok((pool.clone(), pool)),
            Err(error) => Error::from(error),
        };
        if error.kind() != Kind::Unavailable || began.elapsed() > settings.startup_timeout {
            return Err(error);
        }
        tracing::warn!(?error, url = %settings.url, "the database can't be reached yet");
        tokio::time::sleep(START_PAUSE).await;
    }
}

/// A connection that keeps its session: no time limit on its statements, none on its
/// life. Where it breaks, the next one is another session, without the locks.
pub(super) async fn postgres_session(settings: &Database) -> Result<DatabaseConnection, DbErr> {
    let mut options = postgres(settings, Duration::ZERO);
    options
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None);
    SeaOrm::connect(options).await
}

fn postgres(settings: &Database, statement_timeout: Duration) -> ConnectOptions {
    let millis = |duration: Duration| duration.as_millis().to_string();
    let mut session = vec![
        ("statement_timeout", millis(statement_timeout)),
        ("lock_timeout", millis(statement_timeout / 2)),
        (
            "idle_in_transaction_session_timeout",
            millis(statement_timeout * 4),
        ),
        // A peer that vanished without a word is noticed, and its locks freed, in half a
        // minute, not in the two hours of the system's default.
        ("tcp_keepalives_idle", "10".to_owned()),
        ("tcp_keepalives_interval", "5".to_owned()),
        ("tcp_keepalives_count", "4".to_owned()),
    ];
    if !settings.schema.is_empty() {
        session.push(("search_path", settings.schema.clone()));
    }
    let mut options = ConnectOptions::new(settings.url.expose());
    options
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .connect_timeout(settings.acquire_timeout)
        .acquire_timeout(settings.acquire_timeout)
        .map_sqlx_postgres_opts(move |options| options.options(session.clone()));
    options
}

async fn sqlite(settings: &Database) -> Result<(DatabaseConnection, DatabaseConnection), DbErr> {
    let url = settings.url.expose();
    let options = |connections: u32, read_only: bool| {
        let mut options = ConnectOptions::new(url);
        options
            .sqlx_logging(false)
            .record_stmt_in_spans(false)
            .max_connections(connections)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .acquire_timeout(settings.acquire_timeout)
            .map_sqlx_sqlite_opts(move |options| {
                let options = options
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .foreign_keys(true)
                    .busy_timeout(Duration::from_secs(5));
                if read_only {
                    options.pragma("query_only", "ON")
                } else {
                    options
                }
            });
        options
    };
    let write = SeaOrm::connect(options(1, false)).await?;
    // Each connection to `:memory:` is a database of its own.
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Ok((write.clone(), write));
    }
    let read = SeaOrm::connect(options(settings.connections, true)).await?;
    Ok((read, write))
}
