//! A file of an older version opens with everything that was in it.

use crate::kit::{NOW, key};
use satchel_store::Store;
use sqlx::ConnectOptions;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use std::path::Path;

/// A file as a version of the schema left it, with this in it.
async fn older(path: &Path, version: i64, content: &'static str) {
    let mut migrations = sqlx::migrate!("./migrations");
    let older: Vec<_> = migrations
        .iter()
        .filter(|one| one.version <= version)
        .cloned()
        .collect();
    migrations = Migrator {
        migrations: older.into(),
        ..Migrator::DEFAULT
    };
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .pragma("key", format!("\"x'{}'\"", "07".repeat(32)));
    let mut file = options.connect().await.unwrap();
    migrations.run(&mut file).await.unwrap();
    sqlx::raw_sql(CONNECTION).execute(&mut file).await.unwrap();
    sqlx::raw_sql(content).execute(&mut file).await.unwrap();
    sqlx::Connection::close(file).await.unwrap();
}

const CONNECTION: &str = "INSERT INTO connections
    (key, id, fhir_base, server_name, role, state, created_at)
    VALUES (1, 'ana', 'https://ana.example/fhir', 'Clinic', 'patient', 'connected', 't');";

#[tokio::test]
async fn records_of_version_5_are_there_byte_for_byte_findable_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("satchel.db");
    older(
        &path,
        5,
        "INSERT INTO records (key, connection_key, resource_type, id, hash, fetched_at, section,
             title, date_sort, json)
         VALUES (1, 1, 'Observation', 'o-1', x'00', 't', 'labs', 'Sodium', 5, '{\"é\" : 1.10}'),
                (2, 1, 'Condition', 'c-1', x'00', 't', 'problems', 'Asthma', NULL, '{}');
         INSERT INTO records_fts (rowid, title, body) VALUES (1, 'Sodium', 'serum');",
    )
    .await;
    let store = Store::open(&path, &key(7)).await.unwrap();
    let (row, json) = store
        .record_get("ana", "Observation", "o-1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((row.title.as_str(), row.date_sort), ("Sodium", Some(5)));
    assert_eq!(json, "{\"é\" : 1.10}");
    assert_eq!(
        store
            .search("serum", &Default::default(), 5)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(store.record_count(Some("ana")).await.unwrap(), 2);
    let counts = store.section_counts("ana").await.unwrap();
    assert_eq!(counts, [("labs".to_owned(), 1), ("problems".to_owned(), 1)]);
    let page = crate::kit::page_of(&[crate::kit::Record::new("o-1", "Sodium", "").json("{}")]);
    let saved = store.save_page("ana", "s", page, None, NOW).await.unwrap();
    assert_eq!(
        (saved.inserted, saved.updated),
        (0, 1),
        "hashes of before still tell"
    );
    let old = store
        .record_versions("ana", "Observation", "o-1")
        .await
        .unwrap();
    assert_eq!(old[0].json, "{\"é\" : 1.10}");
}

#[tokio::test]
async fn what_a_source_said_that_it_deleted_is_marked_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("satchel.db");
    older(
        &path,
        9,
        "INSERT INTO records (key, connection_key, resource_type, id, hash, fetched_at, section,
             title, json)
         VALUES (1, 1, 'Goal', 'gone', x'00', 't', 'goals', 'Walk', x'7b7d'),
                (2, 1, 'Goal', 'here', x'00', 't', 'goals', 'Swim', x'7b7d');
         INSERT INTO deleted_records VALUES (1, 'Goal', 'gone', '2026-01-01T00:00:00Z'),
                (1, 'Goal', 'never', '2026-01-01T00:00:00Z');",
    )
    .await;
    let store = Store::open(&path, &key(7)).await.unwrap();
    for (id, at) in [("gone", Some("2026-01-01T00:00:00Z")), ("here", None)] {
        let (row, _) = store.record_get("ana", "Goal", id).await.unwrap().unwrap();
        assert_eq!(row.withdrawn_at.as_deref(), at, "{id}");
    }
}

#[tokio::test]
async fn provenance_of_version_10_is_still_to_be_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("satchel.db");
    older(
        &path,
        10,
        "INSERT INTO records (key, connection_key, resource_type, id, hash, fetched_at, section,
             title, json)
         VALUES (1, 1, 'Provenance', 'v-1', x'00', 't', 'other', 'Provenance', x'7b7d'),
                (2, 1, 'Goal', 'g-1', x'00', 't', 'goals', 'Swim', x'7b7d');",
    )
    .await;
    let store = Store::open(&path, &key(7)).await.unwrap();
    let types = ["Provenance", "Goal"];
    let waiting = store.records_to_read("ana", &types, 0, 9).await.unwrap();
    assert_eq!(waiting.len(), 1);
    let read = (waiting[0].key, waiting[0].mark, vec!["Goal/g-1".to_owned()]);
    store.provenance_read(&[read]).await.unwrap();
    assert!(
        store
            .records_to_read("ana", &types, 0, 9)
            .await
            .unwrap()
            .is_empty()
    );
    let about = store.records_about("ana", "Goal/g-1", 9).await.unwrap();
    assert_eq!(about, [("v-1".to_owned(), "{}".to_owned())]);
}
