//! A store in a folder of its own, and rows to put in.

use satchel_store::{
    ConnectionRow, DatabaseKey, IndexIn, Page, PendingRow, RecordIn, SavedPage, Store, TokenRow,
};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use std::path::PathBuf;
use zeroize::Zeroizing;

pub(crate) const NOW: &str = "2026-05-01T08:00:00Z";

pub(crate) struct Kit {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: Store,
}

pub(crate) fn key(byte: u8) -> DatabaseKey {
    DatabaseKey::from_bytes([byte; 32])
}

impl Kit {
    /// A store with one connection, `ana`, that is registering.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("satchel.db"), &key(7))
            .await
            .unwrap();
        store.connection_insert(&connection("ana")).await.unwrap();
        Self { folder, store }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("satchel.db")
    }

    /// The same file by plain SQLite calls.
    pub(crate) async fn raw(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new()
            .filename(self.path())
            .pragma("key", format!("\"x'{}'\"", "07".repeat(32)));
        options.connect().await.unwrap()
    }

    pub(crate) async fn save(&self, records: &[Record]) -> SavedPage {
        self.save_for("ana", records).await
    }

    pub(crate) async fn save_for(&self, connection: &str, records: &[Record]) -> SavedPage {
        self.store
            .save_page(connection, "Observation", page_of(records), None, NOW)
            .await
            .unwrap()
    }
}

pub(crate) fn connection(id: &str) -> ConnectionRow {
    ConnectionRow {
        id: id.to_owned(),
        fhir_base: format!("https://{id}.example/fhir"),
        server_name: "Clinic".to_owned(),
        role: "patient".to_owned(),
        state: "signing_in".to_owned(),
        created_at: NOW.to_owned(),
        ..ConnectionRow::default()
    }
}

pub(crate) fn tokens(name: &str) -> TokenRow {
    TokenRow {
        access_token: Zeroizing::new(format!("access-{name}")),
        refresh_token: Some(Zeroizing::new(format!("refresh-{name}"))),
        expires_at: NOW.to_owned(),
        scope: "patient/*.rs".to_owned(),
        access: None,
    }
}

pub(crate) fn pending(state_hash: &str, expires_at: &str) -> PendingRow {
    PendingRow {
        state_hash: state_hash.to_owned(),
        connection_id: "ana".to_owned(),
        created_at: NOW.to_owned(),
        expires_at: expires_at.to_owned(),
        authorization_url: Zeroizing::new("https://ana.example/authorize".to_owned()),
        payload: Zeroizing::new(r#"{"code_verifier":"planted-verifier"}"#.to_owned()),
    }
}

/// A record that owns its parts.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) json: String,
    pub(crate) index: IndexIn,
}

impl Record {
    pub(crate) fn new(id: &str, title: &str, text: &str) -> Self {
        Self {
            id: id.to_owned(),
            json: format!(r#"{{"resourceType":"Observation","id":"{id}"}}"#),
            index: IndexIn {
                section: "labs".to_owned(),
                title: title.to_owned(),
                text: text.to_owned(),
                ..IndexIn::default()
            },
        }
    }

    pub(crate) fn dated(mut self, milliseconds: Option<i64>) -> Self {
        self.index.date_sort = milliseconds;
        self
    }

    pub(crate) fn json(mut self, json: &str) -> Self {
        json.clone_into(&mut self.json);
        self
    }

    pub(crate) fn row(&self) -> RecordIn {
        RecordIn {
            resource_type: "Observation".to_owned(),
            id: self.id.clone(),
            json: self.json.clone(),
            index: self.index.clone(),
            ..RecordIn::default()
        }
    }
}

pub(crate) fn page_of(records: &[Record]) -> Page {
    Page::of(records.iter().map(Record::row).collect())
}

/// Letters that compression does not make much shorter; the same for the same seed.
pub(crate) fn noise(seed: usize, letters: usize) -> String {
    let mut state = seed as u64 + 1;
    let mut letter = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap())
    };
    (0..letters).map(|_| letter()).collect()
}
