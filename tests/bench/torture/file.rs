//! Looking at a profile's database past the engine.

use rusqlite::Connection;
use satchel_core::Keychain;
use satchel_store::{DatabaseKey, Store};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::Path;

/// What a file holds: a hash over every record, and their number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) hash: String,
    pub(crate) records: u64,
}

async fn key(profile: &Path) -> [u8; 32] {
    let path = profile.canonicalize().expect("the folder is there");
    let key = Keychain::new("org.satchel.desktop", &path)
        .get("database-key")
        .await
        .expect("a keychain")
        .expect("the key");
    key.as_slice().try_into().expect("32 bytes")
}

/// What the file holds, whole: every record's bytes are those of its hash.
pub(crate) async fn content(profile: &Path, connection: &str) -> Result<Content, String> {
    use futures::StreamExt as _;
    let key = DatabaseKey::from_bytes(key(profile).await);
    let store = Store::open(&profile.join("satchel.db"), &key)
        .await
        .map_err(|error| format!("it does not open: {error}"))?;
    let hashes = store
        .hashes(connection)
        .await
        .map_err(|error| format!("it does not read: {error}"))?;
    let mut rows = store.export(Some(connection));
    let mut whole = Sha256::new();
    let mut at = hashes.iter();
    while let Some(row) = rows.next().await {
        let (kind, id, json) = row.map_err(|error| format!("a record does not read: {error}"))?;
        let bytes = Sha256::digest(json.as_bytes());
        let mut hex = String::with_capacity(64);
        for byte in bytes {
            let _ = write!(hex, "{byte:02x}");
        }
        if at.next() != Some(&(kind.clone(), id.clone(), hex.clone())) {
            return Err(format!("{kind}/{id} is not what its hash says"));
        }
        whole.update(format!("{kind}/{id}\n{hex}\n"));
    }
    drop(rows);
    store.close().await;
    let mut hash = String::new();
    for byte in whole.finalize() {
        let _ = write!(hash, "{byte:02x}");
    }
    Ok(Content {
        hash,
        records: hashes.len() as u64,
    })
}

/// What must hold of a file at any moment; `Err` says what does not.
pub(crate) async fn sound(profile: &Path) -> Result<(), String> {
    let key = key(profile).await;
    let path = profile.join("satchel.db");
    tokio::task::block_in_place(|| {
        look(&path, &key).map_err(|error| format!("it does not read: {error}"))?
    })
}

fn look(path: &Path, key: &[u8]) -> rusqlite::Result<Result<(), String>> {
    let file = Connection::open(path)?;
    let hex: String = key.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    file.execute_batch(&format!("PRAGMA key = \"x'{hex}'\";"))?;
    let one = |sql: &str| file.query_row(sql, [], |row| row.get::<_, i64>(0));
    let checked: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if checked != "ok" {
        return Ok(Err(format!("integrity_check: {checked}")));
    }
    file.execute_batch("INSERT INTO records_fts (records_fts) VALUES ('integrity-check')")?;
    let records = one("SELECT count(*) FROM records")?;
    for (what, sql) in [
        ("words", "SELECT count(*) FROM records_fts_docsize"),
        (
            "counts",
            "SELECT coalesce(sum(records), 0) FROM record_counts",
        ),
        (
            "records without their words",
            "SELECT count(*) FROM records WHERE key IN (SELECT id FROM records_fts_docsize)",
        ),
    ] {
        let found = one(sql)?;
        if found != records {
            return Ok(Err(format!("{records} records, but {what}: {found}")));
        }
    }
    Ok(Ok(()))
}
