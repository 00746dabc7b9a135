//! Nothing of what is stored can be read off the disk without the key.

use crate::kit::{Kit, Record, connection, key, noise, pending, tokens};
use satchel_store::Store;

const NAME: &str = "Planted Patientname";

/// Every file of the profile, the write-ahead log included.
fn files(kit: &Kit) -> Vec<(String, Vec<u8>)> {
    std::fs::read_dir(kit.folder.path())
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.display().to_string(), std::fs::read(path).unwrap())
        })
        .collect()
}

fn contains(bytes: &[u8], marker: &str) -> bool {
    bytes
        .windows(marker.len())
        .any(|window| window == marker.as_bytes())
}

async fn filled() -> Kit {
    let kit = Kit::new().await;
    let store = &kit.store;
    store
        .pending_put(&pending("planted-hash", "2026-05-01T09:00:00Z"))
        .await
        .unwrap();
    store
        .connection_connected("ana", "signing_in", &tokens("planted"), Some("p-1"), None)
        .await
        .unwrap();
    kit.save(&[Record::new("o-1", NAME, NAME).json(&format!(r#"{{"name":"{NAME}"}}"#))])
        .await;
    kit
}

#[tokio::test]
async fn h3_no_word_of_a_chart_and_no_token_stands_in_any_file_in_clear() {
    let kit = filled().await;
    let wal = files(&kit);
    assert!(
        wal.iter()
            .any(|(name, bytes)| name.ends_with("-wal") && !bytes.is_empty()),
        "the write-ahead log holds the newest rows: {:?}",
        wal.iter().map(|(name, _)| name).collect::<Vec<_>>()
    );
    kit.store.close().await;
    for (name, bytes) in wal.into_iter().chain(files(&kit)) {
        for marker in [
            NAME,
            "Patientname",
            "access-planted",
            "refresh-planted",
            "planted-verifier",
            "CREATE TABLE",
            "SQLite format 3",
        ] {
            assert!(!contains(&bytes, marker), "{marker:?} in {name}");
        }
    }
}

#[tokio::test]
async fn h3_the_key_itself_is_in_no_file() {
    let kit = filled().await;
    kit.store.close().await;
    for (name, bytes) in files(&kit) {
        assert!(
            !bytes.windows(32).any(|window| window == [7_u8; 32]),
            "the key's bytes in {name}"
        );
        assert!(!contains(&bytes, &"07".repeat(32)), "the key in {name}");
    }
}

#[tokio::test]
async fn what_was_stored_is_there_with_the_key() {
    let kit = filled().await;
    kit.store.close().await;
    let store = Store::open(&kit.path(), &key(7)).await.unwrap();
    let (row, json) = store
        .record_get("ana", "Observation", "o-1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (row.title.as_str(), json.as_str()),
        (NAME, r#"{"name":"Planted Patientname"}"#)
    );
}

#[cfg(unix)]
#[tokio::test]
async fn h3_only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let kit = filled().await;
    for entry in std::fs::read_dir(kit.folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
}

#[test]
fn secrets_are_not_printed() {
    assert_eq!(format!("{:?}", key(7)), "DatabaseKey([secret])");
    let printed = format!("{:?} {:?}", tokens("planted"), pending("h", "e"));
    assert!(!printed.contains("planted"), "{printed}");
}

/// What deleted rows leave behind would be read by whoever has the key: nothing may be left.
#[tokio::test]
async fn h3_h13_a_removed_connection_leaves_no_page_and_no_log_behind() {
    let kit = filled().await;
    kit.store
        .connection_insert(&connection("bo"))
        .await
        .unwrap();
    let many = |from: usize| -> Vec<Record> {
        (from..from + 600)
            .map(|n| {
                let body = format!(r#"{{"name":"{NAME}","x":"{}"}}"#, noise(n, 6_000));
                Record::new(&format!("o-{n}"), NAME, "Somewhere").json(&body)
            })
            .collect()
    };
    kit.save_for("bo", &many(0)).await;
    kit.save(&many(1_000)).await;
    kit.store.close().await;
    let before = std::fs::read(kit.path()).unwrap();
    let store = Store::open(&kit.path(), &key(7)).await.unwrap();
    store.connection_remove("ana").await.unwrap();
    store.connection_remove("bo").await.unwrap();
    let mut raw = kit.raw().await;
    let unused: i64 = sqlx::query_scalar("PRAGMA freelist_count")
        .fetch_one(&mut raw)
        .await
        .unwrap();
    assert_eq!(unused, 0, "no page of deleted rows is kept for later");
    drop(raw);
    let log = std::fs::metadata(format!("{}-wal", kit.path().display()));
    assert!(
        log.is_ok_and(|log| log.len() < 64 * 1024),
        "the log was folded in"
    );
    store.close().await;
    let after = std::fs::read(kit.path()).unwrap();
    assert!(
        after.len() * 4 < before.len(),
        "{} of {}",
        after.len(),
        before.len()
    );
    // Each page has a random start: an old page that is still there is there byte for byte.
    let old: std::collections::HashSet<&[u8]> = before.chunks(4096).collect();
    let kept = after.chunks(4096).filter(|page| old.contains(page)).count();
    assert!(
        kept * 10 < old.len(),
        "{kept} of {} pages stayed",
        old.len()
    );
}
