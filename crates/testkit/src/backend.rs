//! The databases that every store is tested on.

use service_kit::{
    db::Db,
    settings::{Database, SecretUrl},
};
use tempfile::TempDir;

use crate::Postgres;

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file.
    Sqlite,
    /// A database of the shared PostgreSQL server.
    Postgres,
}

impl Backend {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// A new, empty database.
    #[must_use]
    pub fn store(self) -> Store {
        match self {
            Self::Sqlite => {
                let dir = tempfile::tempdir().expect("a temporary folder");
                let url = format!("sqlite:{}", dir.path().join("test.db").display());
                Store {
                    url,
                    _dir: Some(dir),
                }
            }
            Self::Postgres => Store {
                url: Postgres::shared().database(),
                _dir: None,
            },
        }
    }
}

/// A database; a file goes with it.
pub struct Store {
    url: String,
    _dir: Option<TempDir>,
}

impl Store {
    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Settings that open it.
    #[must_use]
    pub fn settings(&self) -> Database {
        Database {
            url: SecretUrl::new(&self.url),
            ..Database::default()
        }
    }

    /// Opens it.
    pub async fn open(&self) -> Db {
        Db::connect(&self.settings())
            .await
            .expect("the database opens")
    }

    /// Opens it with the kit's own tables and these.
    pub async fn migrated(
        &self,
        migrations: Vec<Box<dyn sea_orm_migration::MigrationTrait>>,
    ) -> Db {
        let db = self.open().await;
        db.migrate(migrations)
            .await
            .expect("the database is migrated");
        db
    }
}
