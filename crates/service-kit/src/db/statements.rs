//! Migrations that are nothing but statements.

use sea_orm::{ConnectionTrait as _, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// Types that the databases name differently, or order differently: as statements have
/// them, on PostgreSQL, and on SQLite.
const TYPES: [(&str, &str, &str); 3] = [
    ("{uuid}", "uuid", "blob"),
    ("{bytes}", "bytea", "blob"),
    // A prefix is searched for by an index in the order of bytes alone.
    ("{path}", "text COLLATE \"C\"", "text"),
];

struct Statements {
    name: &'static str,
    sql: &'static [&'static str],
}

/// A migration that runs statements in order. `{uuid}`, `{bytes}` and `{path}` (a text
/// that is searched by prefix) in them stand for the database's own types.
#[must_use]
pub fn statements(name: &'static str, sql: &'static [&'static str]) -> Box<dyn MigrationTrait> {
    Box::new(Statements { name, sql })
}

impl MigrationName for Statements {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Statements {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        for sql in self.sql {
            let own = |sql: String, (name, on_postgres, on_sqlite): (&str, &str, &str)| {
                sql.replace(name, if postgres { on_postgres } else { on_sqlite })
            };
            let sql = TYPES.into_iter().fold((*sql).to_owned(), own);
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
