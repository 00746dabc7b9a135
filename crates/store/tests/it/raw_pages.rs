//! What is removed is nowhere in the file: its pages are decrypted here one by one, without SQLite, so that
//! empty pages, the slack in full ones and the search index are read too.

use crate::kit::{Kit, Record, connection, key, noise, pending, tokens};
use aes::Aes256;
use cbc::Decryptor;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use satchel_store::Store;
use std::path::Path;

/// SQLCipher 4: pages of 4,096 bytes; at the end of each 16 bytes for the vector and 64 for the proof.
const PAGE: usize = 4096;
const RESERVED: usize = 80;
const SALT: usize = 16;

/// Every page of the file, with the key of the [`Kit`].
fn pages(path: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(bytes.len() % PAGE, 0);
    let decrypt = |(number, page): (usize, &[u8])| {
        let (content, reserved) = page.split_at(PAGE - RESERVED);
        let content = &content[if number == 0 { SALT } else { 0 }..];
        let cipher = Decryptor::<Aes256>::new_from_slices(&[7; 32], &reserved[..16]).unwrap();
        cipher.decrypt_padded_vec::<NoPadding>(content).unwrap()
    };
    bytes.chunks(PAGE).enumerate().map(decrypt).collect()
}

fn pages_with(path: &Path, marker: &str) -> usize {
    let holds = |page: &Vec<u8>| {
        page.windows(marker.len())
            .any(|window| window.eq_ignore_ascii_case(marker.as_bytes()))
    };
    pages(path).iter().filter(|page| holds(page)).count()
}

fn chart(name: &str) -> Vec<Record> {
    (0..400)
        .map(|n| {
            let words = format!("{name} {name}word{n} {}", noise(n, 480));
            Record::new(&format!("{name}-{n}"), name, &words)
                .json(&format!(r#"{{"text":"{words}"}}"#))
        })
        .collect()
}

#[tokio::test]
async fn h3_h13_of_a_removed_connection_no_page_of_the_file_holds_a_word_or_a_token() {
    let kit = Kit::new().await;
    let store = &kit.store;
    store.connection_insert(&connection("ben")).await.unwrap();
    store
        .pending_put(&pending("planted-hash", "2026-05-01T09:00:00Z"))
        .await
        .unwrap();
    store
        .connection_connected("ana", "signing_in", &tokens("planted"), Some("p-1"), None)
        .await
        .unwrap();
    store.tokens_rotate("ana", &tokens("second")).await.unwrap();
    kit.save_for("ana", &chart("Anasword")).await;
    kit.save_for("ben", &chart("Bensword")).await;
    store.sync_finished("ana", None, "{}").await.unwrap();
    let gone = [
        "Anasword",
        "access-planted",
        "refresh-planted",
        "access-second",
        "planted-verifier",
        "planted-hash",
        "https://ana.example",
    ];
    let before = pages(&kit.path()).len();
    assert!(
        pages_with(&kit.path(), "Anasword") > 20 && pages_with(&kit.path(), "Bensword") > 20,
        "the pages are really read"
    );
    assert_eq!(
        pages_with(&kit.path(), "access-planted"),
        0,
        "a token that was replaced is gone already"
    );
    assert_eq!(pages_with(&kit.path(), "access-second"), 1);

    store.connection_remove("ana").await.unwrap();
    store.close().await;
    for marker in gone {
        assert_eq!(pages_with(&kit.path(), marker), 0, "{marker}");
    }
    assert!(pages_with(&kit.path(), "Bensword") > 20);
    assert!(
        pages(&kit.path()).len() < before * 3 / 4,
        "the space went back"
    );
    let store = Store::open(&kit.path(), &key(7)).await.unwrap();
    assert_eq!(store.record_count(None).await.unwrap(), 400);
}

#[tokio::test]
async fn h3_no_copy_of_what_is_deleted_or_sorted_goes_to_a_file_beside_the_database() {
    let kit = Kit::new().await;
    kit.save_for("ana", &chart("Anasword")).await;
    kit.store
        .search("Anasword", &Default::default(), 100)
        .await
        .unwrap();
    kit.store.connection_remove("ana").await.unwrap();
    let mut names: Vec<String> = std::fs::read_dir(kit.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let known = [
        "satchel.db",
        "satchel.db-shm",
        "satchel.db-wal",
        "satchel.db.check",
    ];
    assert_eq!(names, known, "no journal, no temporary file");
    let mut raw = kit.raw().await;
    let held: i64 = sqlx::query_scalar("SELECT count(*) FROM records")
        .fetch_one(&mut raw)
        .await
        .unwrap();
    assert_eq!(held, 0);
}
