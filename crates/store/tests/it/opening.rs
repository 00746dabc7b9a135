//! A file that cannot be opened is refused with its reason, and left as it was.

use crate::kit::{Kit, Record, key, page_of};
use satchel_store::{Store, StoreError};
use std::path::Path;

async fn closed() -> Kit {
    let kit = Kit::new().await;
    kit.save(&[Record::new("o-1", "Sodium", "")]).await;
    kit.store.close().await;
    kit
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[tokio::test]
async fn with_the_wrong_key_nothing_is_touched() {
    let kit = closed().await;
    let before = bytes(&kit.path());
    let refused = Store::open(&kit.path(), &key(8)).await.unwrap_err();
    assert!(matches!(refused, StoreError::WrongKey), "{refused:?}");
    assert_eq!(bytes(&kit.path()), before);
    let store = Store::open(&kit.path(), &key(7)).await.unwrap();
    assert_eq!(store.record_count(Some("ana")).await.unwrap(), 1);
}

#[tokio::test]
async fn without_the_key_check_sqlcipher_itself_refuses_the_wrong_key() {
    let kit = closed().await;
    std::fs::remove_file(kit.folder.path().join("satchel.db.check")).unwrap();
    let before = bytes(&kit.path());
    let refused = Store::open(&kit.path(), &key(8)).await.unwrap_err();
    assert!(matches!(refused, StoreError::NotADatabase), "{refused:?}");
    assert_eq!(bytes(&kit.path()), before);
    Store::open(&kit.path(), &key(7)).await.unwrap();
}

#[tokio::test]
async fn a_damaged_file_is_called_damaged_and_kept() {
    let kit = closed().await;
    let mut damaged = bytes(&kit.path());
    for byte in &mut damaged[..512] {
        *byte ^= 0x5a;
    }
    std::fs::write(kit.path(), &damaged).unwrap();
    let refused = Store::open(&kit.path(), &key(7)).await.unwrap_err();
    assert!(matches!(refused, StoreError::NotADatabase), "{refused:?}");
    assert_eq!(bytes(&kit.path()), damaged);
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_kept() {
    let kit = closed().await;
    let mut raw = kit.raw().await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of the future', 1, x'00', 0)",
    )
    .execute(&mut raw)
    .await
    .unwrap();
    sqlx::Connection::close(raw).await.unwrap();
    let refused = Store::open(&kit.path(), &key(7)).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::NewerSchema { found: 9999, .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_an_error_not_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let refused = Store::open(&folder.path().join("none").join("satchel.db"), &key(7)).await;
    assert!(matches!(refused, Err(StoreError::Io(_))), "{refused:?}");
}

#[tokio::test]
async fn two_programs_use_one_file_at_the_same_time() {
    let kit = Kit::new().await;
    let second = Store::open(&kit.path(), &key(7)).await.unwrap();
    let (own, row) = (
        [Record::new("o-1", "Sodium", "")],
        Record::new("o-2", "Potassium", ""),
    );
    let (first, other) = tokio::join!(kit.save(&own), async {
        second
            .save_page("ana", "s", page_of(&[row]), None, "t")
            .await
    });
    assert_eq!((first.inserted, other.unwrap().inserted), (1, 1));
    assert_eq!(kit.store.record_count(None).await.unwrap(), 2);
}
