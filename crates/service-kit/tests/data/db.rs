//! The database: transactions, migrations, and what is said when it is away.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, DbErr, Statement};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};
use service_kit::{
    Error, Kind, Reason,
    db::{Db, unique_violation},
    settings::{Database, SecretUrl},
};
use testkit::{Postgres, eventually_ok};

struct Things;

impl MigrationName for Things {
    fn name(&self) -> &str {
        "test_0001_things"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Things {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "CREATE TABLE things (id bigint PRIMARY KEY, value bigint NOT NULL)";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}

fn things() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Things)]
}

async fn number(db: &Db, sql: &str) -> i64 {
    let row = db
        .read()
        .query_one_raw(Statement::from_string(db.backend(), sql))
        .await
        .unwrap()
        .unwrap();
    row.try_get_by_index(0).unwrap()
}

testkit::backends! {
    async fn what_fails_is_rolled_back(backend: Backend) {
        let store = backend.store();
        let db = store.migrated(things()).await;
        let kept = db
            .write(|tx| async move {
                tx.execute_unprepared("INSERT INTO things VALUES (1, 10)").await?;
                Ok(7)
            })
            .await;
        assert_eq!(kept.unwrap(), 7);
        let failed: Result<(), Error> = db
            .write(|tx| async move {
                tx.execute_unprepared("INSERT INTO things VALUES (2, 20)").await?;
                Err(Error::illegal_state("no"))
            })
            .await;
        assert_eq!(failed.unwrap_err().reason(), Reason::IllegalState);
        assert_eq!(number(&db, "SELECT count(*) FROM things").await, 1);
    }

    async fn a_call_that_is_dropped_leaves_nothing(backend: Backend) {
        let store = backend.store();
        let db = store.migrated(things()).await;
        let work = db.write(|tx| async move {
            tx.execute_unprepared("INSERT INTO things VALUES (1, 10)").await?;
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(())
        });
        assert!(tokio::time::timeout(Duration::from_millis(300), work).await.is_err());
        // The writer is free again, and the row isn't there.
        db.write(|tx| async move {
            tx.execute_unprepared("INSERT INTO things VALUES (1, 11)").await?;
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(number(&db, "SELECT value FROM things").await, 11);
    }

    async fn unique_violations_are_recognised(backend: Backend) {
        let store = backend.store();
        let db = store.migrated(things()).await;
        let insert = || async {
            db.write(|tx| async move {
                let inserted = tx.execute_unprepared("INSERT INTO things VALUES (1, 1)").await;
                match inserted {
                    Err(error) if unique_violation(&error) => Ok(false),
                    other => other.map(|_| true).map_err(Error::from),
                }
            })
            .await
        };
        assert!(insert().await.unwrap());
        assert!(matches!(insert().await, Ok(false) | Err(_)));
        assert_eq!(number(&db, "SELECT count(*) FROM things").await, 1);
    }

    async fn concurrent_increments_all_count(backend: Backend) {
        let store = backend.store();
        let db = store.migrated(things()).await;
        db.write(|tx| async move {
            tx.execute_unprepared("INSERT INTO things VALUES (1, 0), (2, 0)").await?;
            Ok(())
        })
        .await
        .unwrap();
        // Opposite orders deadlock on PostgreSQL; the transaction is repeated then.
        let tasks = (0..6).map(|i| {
            let db = db.clone();
            tokio::spawn(async move {
                let (first, second) = if i % 2 == 0 { (1, 2) } else { (2, 1) };
                db.write(|tx| async move {
                    for id in [first, second] {
                        let sql = format!("UPDATE things SET value = value + 1 WHERE id = {id}");
                        tx.execute_unprepared(&sql).await?;
                        tokio::task::yield_now().await;
                    }
                    Ok(())
                })
                .await
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap().unwrap();
        }
        let sum = "SELECT CAST(sum(value) AS bigint) FROM things";
        assert_eq!(number(&db, sum).await, 12);
    }

    async fn sixteen_replicas_migrate_at_once(backend: Backend) {
        let store = backend.store();
        let settings = store.settings();
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let settings = settings.clone();
                tokio::spawn(async move {
                    let db = Db::connect(&settings).await?;
                    db.migrate(things()).await?;
                    Ok::<_, Error>(db)
                })
            })
            .collect();
        let mut open = Vec::new();
        for task in tasks {
            open.push(task.await.unwrap().unwrap());
        }
        assert_eq!(number(&open[0], "SELECT count(*) FROM seaql_migrations").await, 2);
        assert_eq!(number(&open[0], "SELECT count(*) FROM outbox_state").await, 1);
    }
}

#[tokio::test]
async fn sqlite_reads_can_not_write() {
    let store = testkit::Backend::Sqlite.store();
    let db = store.migrated(things()).await;
    let written = db
        .read()
        .execute_unprepared("INSERT INTO things VALUES (1, 1)")
        .await;
    assert!(written.is_err());
}

#[tokio::test]
async fn a_schema_of_its_own_is_made() {
    let url = Postgres::shared().database();
    let settings = Database {
        url: SecretUrl::new(url),
        schema: "unit_one".to_owned(),
        ..Database::default()
    };
    let db = Db::connect(&settings).await.unwrap();
    db.migrate(things()).await.unwrap();
    let sql = "SELECT count(*) FROM information_schema.tables \
               WHERE table_schema = 'unit_one' AND table_name IN ('things', 'outbox')";
    assert_eq!(number(&db, sql).await, 2);
}

async fn insert(db: &Db, id: i64) -> Result<(), Error> {
    db.write(|tx| async move {
        let sql = format!("INSERT INTO things VALUES ({id}, 0)");
        tx.execute_unprepared(&sql).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_is_said_to_be_and_comes_back() {
    let postgres = Postgres::start();
    let settings = Database {
        url: SecretUrl::new(postgres.database()),
        connections: 4,
        ..Database::default()
    };
    let db = Db::connect(&settings).await.unwrap();
    db.migrate(things()).await.unwrap();
    insert(&db, 1).await.unwrap();
    postgres.stop();
    for id in 2..5 {
        let began = Instant::now();
        let error = insert(&db, id).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
        assert_eq!(error.reason(), Reason::StoreUnavailable);
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{:?}: {error:?}",
            began.elapsed()
        );
    }
    postgres.resume();
    eventually_ok(Duration::from_secs(10), || insert(&db, 100)).await;
    assert_eq!(number(&db, "SELECT count(*) FROM things").await, 2);
}
