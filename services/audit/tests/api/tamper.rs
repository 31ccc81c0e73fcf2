//! Rows that somebody edits behind the service's back are found, named, and never
//! signed over.

use std::time::Duration;

use contracts::audit::{GetLineageRequest, GetRecordRequest};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection};
use testkit::{Harness, eventually};

use crate::common::*;

async fn database(h: &Harness) -> DatabaseConnection {
    Database::connect(h.database_url()).await.unwrap()
}

fn hex_literal(h: &DatabaseConnection, bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    match h.get_database_backend() {
        sea_orm::DbBackend::Postgres => format!("'\\x{hex}'::bytea"),
        _ => format!("x'{hex}'"),
    }
}

fn detail(h: &Harness) -> String {
    let report = h.health().report();
    report.parts["audit"]
        .get("log")
        .map(|c| c.detail.clone())
        .unwrap_or_default()
}

testkit::backends! {
    async fn an_edited_row_is_never_signed_over(backend: Backend) {
        let edits: [&str; 8] = [
            "payload = PAYLOAD",
            "entry = PAYLOAD",
            "leaf_hash = PAYLOAD",
            "scope = 'acme'",
            "correlation_id = 'SO-1'",
            "occurred = occurred + 1",
            "producer = 'policy'",
            "idx = 1000",
        ];
        for edit in edits {
            let h = start_lazy(backend).await;
            append(&mut producer(&h, "exceptions"), (1..=5).map(record).collect()).await.unwrap();
            let db = database(&h).await;
            let edit = edit.replace("PAYLOAD", &hex_literal(&db, b"{}"));
            db.execute_unprepared(&format!("UPDATE log_records SET {edit} WHERE idx = 2")).await.unwrap();
            let mut auditor = auditor(&h, "acme");
            let last = checkpoint(&mut auditor).await;
            assert!(last.tree_size <= 2 && last.log_corrupt.contains("record 2:"), "{edit}: {last:?}");
            assert!(detail(&h).contains("record 2:"), "{edit}: {}", detail(&h));
        }
    }

    async fn a_deleted_row_is_never_signed_over_and_one_put_back_is(backend: Backend) {
        let h = start_lazy(backend).await;
        append(&mut producer(&h, "exceptions"), (1..=5).map(record).collect()).await.unwrap();
        let db = database(&h).await;
        db.execute_unprepared("CREATE TABLE kept AS SELECT * FROM log_records WHERE idx = 3").await.unwrap();
        db.execute_unprepared("DELETE FROM log_records WHERE idx = 3").await.unwrap();
        let mut auditor = auditor(&h, "acme");
        let last = checkpoint(&mut auditor).await;
        assert!(last.tree_size <= 3 && last.log_corrupt.contains("record 3:"), "{last:?}");
        assert!(detail(&h).contains("record 3: the record is gone"), "{}", detail(&h));
        // nothing is lost meanwhile
        append(&mut producer(&h, "exceptions"), vec![record(6)]).await.unwrap();
        db.execute_unprepared("INSERT INTO log_records SELECT * FROM kept").await.unwrap();
        let last = checkpoint(&mut auditor).await;
        assert!(last.tree_size >= 6 && last.log_corrupt.is_empty(), "{last:?}");
        assert_eq!(detail(&h), "");
    }

    async fn a_row_edited_after_it_was_signed_is_found_by_readers(backend: Backend) {
        let h = start(backend).await;
        append(&mut producer(&h, "exceptions"), (1..=9).map(record).collect()).await.unwrap();
        let mut auditor = auditor(&h, "acme");
        let held = checkpoint(&mut auditor).await;
        let db = database(&h).await;
        let payload = hex_literal(&db, br#"{"n":7,"total":"1.00 EUR"}"#);
        db.execute_unprepared(&format!("UPDATE log_records SET payload = {payload} WHERE idx = 6")).await.unwrap();
        let request = GetLineageRequest { correlation_id: "SO-4711".into(), ..GetLineageRequest::default() };
        assert_eq!(reason(&auditor.get_lineage(request).await.unwrap_err()), "LOG_CORRUPT");
        let request = GetRecordRequest { name: "records/6".into() };
        assert_eq!(reason(&auditor.get_record(request).await.unwrap_err()), "LOG_CORRUPT");
        assert!(detail(&h).contains("record 6:"), "{}", detail(&h));
        append(&mut producer(&h, "exceptions"), vec![record(10)]).await.unwrap();
        let last = checkpoint(&mut auditor).await;
        assert_eq!((last.note, last.tree_size), (held.note, held.tree_size), "nothing more is signed");
        assert!(last.log_corrupt.contains("record 6:"), "{}", last.log_corrupt);
        let status = export(&mut auditor, 0, held.tree_size).await.unwrap_err();
        assert_eq!(reason(&status), "LOG_CORRUPT");
    }

    async fn a_corrupt_record_stops_only_who_sends_it_again(backend: Backend) {
        let h = start_lazy(backend).await;
        append(&mut producer(&h, "exceptions"), vec![record(1)]).await.unwrap();
        let db = database(&h).await;
        let payload = hex_literal(&db, b"{}");
        let edit = format!("UPDATE log_records SET payload = {payload} WHERE producer = 'exceptions'");
        db.execute_unprepared(&edit).await.unwrap();
        // sent at once, so that they wait for each other and are committed in groups
        let calls = (0..32).map(|n| {
            let again = n % 4 == 1;
            let name = if again { "exceptions" } else { "policy" };
            let mut client = producer(&h, name);
            let mut record = record(if again { 1 } else { 100 + n });
            record.producer = name.into();
            async move { (again, append(&mut client, vec![record]).await) }
        });
        for (again, answer) in futures::future::join_all(calls).await {
            match answer {
                Ok(_) => assert!(!again),
                Err(status) => assert!(again && reason(&status) == "LOG_CORRUPT", "{status:?}"),
            }
        }
    }

    async fn a_forger_who_knows_the_formats_is_found(backend: Backend) {
        // entry, payload, hash and tile all fit each other: only the signed root doesn't
        let h = start(backend).await;
        let mut client = producer(&h, "exceptions");
        append(&mut client, (1..=4).map(record).collect()).await.unwrap();
        let mut auditor = auditor(&h, "acme");
        checkpoint(&mut auditor).await;
        append(&mut client, (5..=9).map(record).collect()).await.unwrap();
        let held = checkpoint(&mut auditor).await;
        let before = export(&mut auditor, 0, held.tree_size).await.unwrap();
        let db = database(&h).await;
        forge(&db, 6).await;
        let status = export(&mut auditor, 0, held.tree_size).await.unwrap_err();
        assert_eq!(reason(&status), "LOG_CORRUPT");
        let found = || async { detail(&h).contains("record 4:") };
        eventually(Duration::from_secs(10), found).await;
        // and in what was exported before, by anyone
        let text = String::from_utf8(before).unwrap();
        let edited = text.replace("\"n\":7,", "\"n\":8,");
        assert_ne!(edited, text);
        assert_eq!(verify_lines(&h, edited.as_bytes(), None).unwrap_err().index, Some(6));
    }
}

/// Writes another record in the place of one, with all hashes that the database holds
/// but the signed ones.
async fn forge(db: &DatabaseConnection, index: i64) {
    use sea_orm::Statement;
    let backend = db.get_database_backend();
    let text = format!("SELECT entry FROM log_records WHERE idx = {index}");
    let row = db
        .query_one_raw(Statement::from_string(backend, text))
        .await
        .unwrap()
        .unwrap();
    let entry: Vec<u8> = row.try_get("", "entry").unwrap();
    let entry = String::from_utf8(entry)
        .unwrap()
        .replace("exceptions/7", "exceptions/8");
    let hash = merkle::Hash::leaf(entry.as_bytes());
    let (entry, literal) = (hex_literal(db, entry.as_bytes()), hex_literal(db, &hash.0));
    db.execute_unprepared(&format!(
        "UPDATE log_records SET entry = {entry}, leaf_hash = {literal} WHERE idx = {index}"
    ))
    .await
    .unwrap();
    let text = "SELECT hashes FROM log_tiles WHERE level = 0 AND idx = 0";
    let row = db
        .query_one_raw(Statement::from_string(backend, text))
        .await
        .unwrap()
        .unwrap();
    let mut tile: Vec<u8> = row.try_get("", "hashes").unwrap();
    let at = usize::try_from(index).unwrap() * 32;
    tile[at..at + 32].copy_from_slice(&hash.0);
    let tile = hex_literal(db, &tile);
    db.execute_unprepared(&format!(
        "UPDATE log_tiles SET hashes = {tile} WHERE level = 0 AND idx = 0"
    ))
    .await
    .unwrap();
}
