//! A full disk: the page that did not fit is not there, all before it is.

use crate::kit::{NOW, Record, connection, key, page_of, tokens};
use satchel_store::{Store, StoreError};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A disk of its own, two megabytes small. Mounting is for root; CI is.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"])
            .arg(folder.path())
            .output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        mounted.then_some(Self(folder))
    }

    fn grow(&self) {
        let status = Command::new("mount")
            .args(["-o", "remount,size=64m"])
            .arg(self.0.path())
            .status();
        assert!(status.unwrap().success());
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("satchel.db")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn page(number: usize) -> Vec<Record> {
    (0..20)
        .map(|n| {
            let id = format!("{number}-{n}");
            Record::new(&id, "Sodium", "")
                .json(&format!(r#"{{"id":"{id}","x":"{}"}}"#, "x".repeat(9_000)))
        })
        .collect()
}

async fn fill(store: &Store) -> (u64, StoreError) {
    for number in 0..100 {
        let rows = page_of(&page(number));
        if let Err(error) = store.save_page("ana", "s", rows, Some("next"), NOW).await {
            return (number as u64, error);
        }
    }
    panic!("a two-megabyte disk took twenty megabytes");
}

#[tokio::test]
async fn a_full_disk_loses_the_page_that_did_not_fit_and_no_other() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("not run: mounting a small disk needs root");
        return;
    };
    let path: &Path = &disk.path();
    let store = Store::open(path, &key(7)).await.unwrap();
    store.connection_insert(&connection("ana")).await.unwrap();
    // Somebody looks at the records all along.
    assert_eq!(store.record_count(None).await.unwrap(), 0);
    let (pages, error) = fill(&store).await;
    assert!(matches!(error, StoreError::DiskFull), "{error:?}");
    assert!(pages > 0);
    assert_eq!(store.record_count(None).await.unwrap(), pages * 20);
    store.close().await;

    disk.grow();
    let store = Store::open(path, &key(7)).await.unwrap();
    assert_eq!(store.record_count(None).await.unwrap(), pages * 20);
    let rows = page_of(&page(99));
    store.save_page("ana", "s", rows, None, NOW).await.unwrap();
}

#[tokio::test]
async fn when_there_is_room_again_everything_is_written_without_a_restart() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("not run: mounting a small disk needs root");
        return;
    };
    let store = Store::open(&disk.path(), &key(7)).await.unwrap();
    store.connection_insert(&connection("ana")).await.unwrap();
    store
        .connection_connected("ana", "signing_in", &tokens("first"), None, None)
        .await
        .unwrap();
    // Until no byte is left, by pages and by everything else that is written beside them.
    let (_, error) = fill(&store).await;
    assert!(matches!(error, StoreError::DiskFull), "{error:?}");
    let long = (0..2_000)
        .map(|n| format!("{n} {}", "a step of a long plan ".repeat(50)))
        .collect::<Vec<_>>();
    for _ in 0..3 {
        let refused = store.sync_steps_begin("ana", "run", &long).await;
        assert!(matches!(refused, Err(StoreError::DiskFull)), "{refused:?}");
    }
    disk.grow();
    store.tokens_rotate("ana", &tokens("second")).await.unwrap();
    let kept = store.tokens_get("ana").await.unwrap().unwrap();
    assert_eq!(kept.access_token.as_str(), "access-second");
    let steps = ["Observation".to_owned()];
    store.sync_steps_begin("ana", "run", &steps).await.unwrap();
    let rows = page_of(&page(99));
    store.save_page("ana", "s", rows, None, NOW).await.unwrap();
}
