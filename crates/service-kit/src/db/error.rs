//! What the database drivers say, in our words. Nothing above knows the drivers.

use std::{error::Error as _, io};

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

use crate::error::{Error, Kind, Reason};

/// What a driver's error means to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// The database can't be reached or has no room for us now.
    Unavailable,
    /// A statement took longer than it may.
    Timeout,
    /// Another transaction was in the way; the same one may succeed when repeated.
    Conflict,
    /// A text that the database can't hold: a NUL, or what its encoding lacks.
    Text,
    /// A defect of ours.
    Defect,
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match meaning(&error) {
            Meaning::Unavailable | Meaning::Conflict => Self::unavailable(
                Reason::StoreUnavailable,
                "the database can't be used now; nothing was changed",
            )
            .with_source(error),
            Meaning::Timeout => Self::new(
                Kind::DeadlineExceeded,
                Reason::DeadlineExceeded,
                "the database took too long; nothing was changed",
            )
            .with_source(error),
            Meaning::Text => Self::new(
                Kind::InvalidArgument,
                Reason::InvalidArgument,
                "a text holds a character that can't be stored, such as NUL; nothing was changed",
            )
            .with_source(error),
            Meaning::Defect => Self::internal(error),
        }
    }
}

/// Whether a unique index refused the row.
#[must_use]
pub fn unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// Whether another came first: a row with the same key was there already.
#[must_use]
pub fn came_second(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.downcast_ref().is_some_and(unique_violation) {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// Whether the transaction that ended with this error may succeed when it is repeated.
pub(super) fn is_conflict(error: &Error) -> bool {
    let source = std::error::Error::source(error);
    source
        .and_then(|source| source.downcast_ref::<DbErr>())
        .is_some_and(|error| meaning(error) == Meaning::Conflict)
}

fn meaning(error: &DbErr) -> Meaning {
    let runtime = match error {
        DbErr::ConnectionAcquire(_) => return Meaning::Unavailable,
        DbErr::Conn(runtime) | DbErr::Exec(runtime) | DbErr::Query(runtime) => runtime,
        _ => return Meaning::Defect,
    };
    let RuntimeErr::SqlxError(error) = runtime else {
        return if matches!(error, DbErr::Conn(_)) {
            Meaning::Unavailable
        } else {
            Meaning::Defect
        };
    };
    match &**error {
        sqlx::Error::Io(error) => of_io(error),
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_)
        | sqlx::Error::Tls(_) => Meaning::Unavailable,
        sqlx::Error::Database(error) => of_code(error.code().as_deref().unwrap_or_default()),
        _ => Meaning::Defect,
    }
}

fn of_io(error: &io::Error) -> Meaning {
    if error.kind() == io::ErrorKind::InvalidInput {
        Meaning::Defect
    } else {
        Meaning::Unavailable
    }
}

/// By SQLSTATE (PostgreSQL, five characters) or extended result code (SQLite, a number of
/// four digits at most).
fn of_code(code: &str) -> Meaning {
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => of_sqlite(number),
        _ => of_sqlstate(code),
    }
}

fn of_sqlstate(code: &str) -> Meaning {
    match code {
        // serialization_failure, deadlock_detected, lock_not_available
        "40001" | "40P01" | "55P03" => Meaning::Conflict,
        // query_canceled: by statement_timeout
        "57014" => Meaning::Timeout,
        // read_only_sql_transaction (a standby, a failover), disk_full, out_of_memory,
        // too_many_connections, idle_in_transaction_session_timeout
        "25006" | "53100" | "53200" | "53300" | "25P03" => Meaning::Unavailable,
        // class 08 connection exception, 57P admin shutdown, crash, cannot connect now
        code if code.starts_with("08") || code.starts_with("57P") => Meaning::Unavailable,
        // character_not_in_repertoire, untranslatable_character; the rest of class 22 is
        // arithmetic and forms, which callers have no hand in
        "22021" | "22P05" => Meaning::Text,
        _ => Meaning::Defect,
    }
}

fn of_sqlite(code: u32) -> Meaning {
    match code & 0xff {
        // SQLITE_BUSY, SQLITE_LOCKED
        5 | 6 => Meaning::Conflict,
        // SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN
        10 | 13 | 14 => Meaning::Unavailable,
        _ => Meaning::Defect,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_drivers_are_told_apart() {
        for (code, wanted) in [
            ("40001", Meaning::Conflict),
            ("40P01", Meaning::Conflict),
            ("57014", Meaning::Timeout),
            ("57P01", Meaning::Unavailable),
            ("08006", Meaning::Unavailable),
            ("53300", Meaning::Unavailable),
            ("23505", Meaning::Defect),
            ("22021", Meaning::Text),
            ("22P05", Meaning::Text),
            // Class 22 whose number taken for SQLite's would be BUSY, IOERR or FULL.
            ("22003", Meaning::Defect),
            ("22026", Meaning::Defect),
            ("22029", Meaning::Defect),
            ("22P02", Meaning::Defect),
            ("42601", Meaning::Defect),
            ("5", Meaning::Conflict),
            ("517", Meaning::Conflict),
            ("13", Meaning::Unavailable),
            ("2067", Meaning::Defect),
            ("", Meaning::Defect),
        ] {
            assert_eq!(of_code(code), wanted, "{code}");
        }
    }

    #[test]
    fn a_lost_connection_is_unavailable() {
        let lost = io::Error::from(io::ErrorKind::ConnectionReset);
        let error = DbErr::Query(RuntimeErr::SqlxError(sqlx::Error::Io(lost).into()));
        let error = Error::from(error);
        assert_eq!(error.kind(), Kind::Unavailable);
        assert_eq!(error.reason(), Reason::StoreUnavailable);
    }
}
