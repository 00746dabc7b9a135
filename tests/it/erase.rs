//! Removing a connection, and everything: the keys go first, then the data, also when the program is
//! killed in between (checklist H13).

use crate::crash::{killed, open_store};
use crate::world::{Setting, code, setting};
use satchel_core::view::ConnectionStateView;
use satchel_core::{Engine, EngineOptions, EraseReport};
use std::path::Path;

fn options(setting: &Setting) -> EngineOptions {
    EngineOptions::new(setting.profile())
}

/// Names of the keychain's entries that belong to the server.
async fn entries(setting: &Setting) -> Vec<String> {
    let store = open_store(setting).await;
    let client = store.registration_get(setting.mock.fhir_base(), "patient");
    let name = client.await.unwrap().unwrap().key_name.unwrap();
    store.close().await;
    vec![format!("{name}/management"), name]
}

async fn held(setting: &Setting, name: &str) -> bool {
    setting.keychain().get(name).await.unwrap().is_some()
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| {
            entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    names
}

async fn connected() -> (Setting, String, Vec<String>) {
    let setting = setting().await;
    let id = setting.connect(&setting.patient().clone()).await;
    setting.engine.sync(&id).await.unwrap();
    let entries = entries(&setting).await;
    for name in &entries {
        assert!(held(&setting, name).await, "{name}");
    }
    setting.engine.close().await;
    (setting, id, entries)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h13_a_removal_that_is_cut_off_has_wiped_keys_and_tokens_before_the_first_record() {
    let (mut setting, id, entries) = connected().await;
    killed(&setting, "removal.keys_gone", 1, Some(&id)).await;
    for name in &entries {
        assert!(!held(&setting, name).await, "{name} is gone");
    }
    let store = open_store(&setting).await;
    assert_eq!(store.tokens_get(&id).await.unwrap(), None);
    assert!(store.record_count(Some(&id)).await.unwrap() > 100);
    store.close().await;

    setting.restart().await;
    let left = setting.engine.connection(&id).await.unwrap();
    assert_eq!(left.state, ConnectionStateView::AccessLost);
    setting.engine.remove(&id).await.unwrap();
    assert!(setting.engine.connections().await.unwrap().is_empty());
    let store = open_store(&setting).await;
    assert_eq!(store.record_count(None).await.unwrap(), 0);
}

#[tokio::test]
async fn h13_erasing_ends_the_access_and_leaves_neither_key_nor_file() {
    let (setting, _, entries) = connected().await;
    let strangers = setting.profile().join("notes.txt");
    std::fs::write(&strangers, "mine").unwrap();
    let report = Engine::erase(options(&setting), None).await.unwrap();
    assert_eq!(
        report,
        EraseReport {
            connections: 1,
            servers_not_told: Vec::new(),
            unread: false,
        }
    );
    for name in entries.iter().map(String::as_str).chain(["database-key"]) {
        assert!(!held(&setting, name).await, "{name}");
    }
    assert_eq!(files(setting.profile()), ["notes.txt"], "others' stay");
    let requests = setting.mock.requests();
    let done = |method: &str, path: &str| {
        let mut found = requests.iter();
        found.any(|one| one.method == method && one.path.starts_with(path) && one.status < 300)
    };
    assert!(done("POST", "/auth/revoke"), "the access was revoked");
    assert!(done("DELETE", "/auth/register"), "the registration too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h13_erasing_that_is_cut_off_leaves_a_file_that_nobody_can_read_and_goes_on_later() {
    let (setting, _, entries) = connected().await;
    let copy = tempfile::tempdir().unwrap();
    for name in files(setting.profile()) {
        std::fs::copy(setting.profile().join(&name), copy.path().join(&name)).unwrap();
    }
    killed(&setting, "erase.keys_gone", 1, None).await;
    for name in entries.iter().map(String::as_str).chain(["database-key"]) {
        assert!(!held(&setting, name).await, "{name}");
    }
    let raw = std::fs::read(setting.profile().join("satchel.db")).unwrap();
    assert!(raw.len() > 100_000, "the records are in it still");
    for word in ["SQLite format 3", "resourceType", "Condition"] {
        let mut windows = raw.windows(word.len());
        assert!(!windows.any(|window| window == word.as_bytes()), "{word}");
    }
    assert_eq!(
        code(Engine::open(options(&setting)).await),
        "store.key_missing"
    );
    // A copy that somebody took before is worth as little.
    for name in files(copy.path()) {
        std::fs::copy(copy.path().join(&name), setting.profile().join(&name)).unwrap();
    }
    assert_eq!(
        code(Engine::open(options(&setting)).await),
        "store.key_missing"
    );

    let report = Engine::erase(options(&setting), None).await.unwrap();
    let unread = EraseReport {
        unread: true,
        ..EraseReport::default()
    };
    assert_eq!(report, unread);
    assert_eq!(files(setting.profile()), Vec::<String>::new());
    let anew = Engine::open(options(&setting)).await.unwrap();
    assert!(anew.connections().await.unwrap().is_empty());
    assert!(anew.access_log(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn h13_servers_that_are_away_are_named_and_their_tokens_are_kept_nowhere() {
    let (setting, id, entries) = connected().await;
    // The folder stays, as its name is that of the keychain's entries.
    std::fs::write(setting.profile().join("notes.txt"), "mine").unwrap();
    let name = {
        let store = open_store(&setting).await;
        let row = store.connection_get(&id).await.unwrap().unwrap();
        store.close().await;
        row.server_name
    };
    setting.mock.fault(
        satchel_mock::Endpoint::Revoke,
        satchel_mock::FaultKind::Drop,
        100,
    );
    setting.mock.fault(
        satchel_mock::Endpoint::Register,
        satchel_mock::FaultKind::Drop,
        100,
    );
    let report = Engine::erase(options(&setting), None).await.unwrap();
    assert_eq!(report.servers_not_told, [name]);
    let queued = ["refresh_token", "access_token"].map(|hint| format!("revoke/{id}/{hint}"));
    for name in entries.iter().chain(&queued) {
        assert!(!held(&setting, name).await, "{name}");
    }
}
