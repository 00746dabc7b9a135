//! The program is killed in the middle of registering, of exchanging its key, and of removing: a real process
//! that aborts at a step that the engine tells of in its log, and another start afterwards.

use crate::lock;
use crate::world::{Setting, engine, setting_in};
use satchel_core::view::Role;
use satchel_core::{Engine, EngineOptions, RedirectKind};
use satchel_mock::World;
use satchel_store::{ClientRow, DatabaseKey, Store};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const PROFILE: &str = "SATCHEL_CRASH_PROFILE";
const STEP: &str = "SATCHEL_CRASH_STEP";
const TIMES: &str = "SATCHEL_CRASH_TIMES";
const CONNECTION: &str = "SATCHEL_CRASH_CONNECTION";
const BASE: &str = "SATCHEL_CRASH_BASE";

/// Listens to the log, and aborts the process when the step is named for the nth time.
struct Axe {
    step: String,
    left: AtomicUsize,
}

struct Named<'a>(&'a str, bool);

impl Visit for Named<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.1 |= field.name() == "step" && value == self.0;
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl Subscriber for Axe {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut named = Named(&self.step, false);
        event.record(&mut named);
        if named.1 && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What the killed process does; the tests below start it with its orders in the environment.
#[tokio::test]
#[ignore = "started by the tests below, in a process of its own"]
async fn the_process_that_is_killed() {
    let Ok(profile) = std::env::var(PROFILE) else {
        return;
    };
    let order = |name: &str| std::env::var(name).unwrap();
    tracing::subscriber::set_global_default(Axe {
        step: order(STEP),
        left: AtomicUsize::new(order(TIMES).parse().unwrap()),
    })
    .unwrap();
    if order(STEP).starts_with("erase.") {
        let erased = Engine::erase(EngineOptions::new(&profile), None).await;
        erased.unwrap();
        return;
    }
    if order(STEP).starts_with("lock.") {
        return passphrase(&profile, &order(CONNECTION)).await;
    }
    let engine = engine(Path::new(&profile)).await;
    match std::env::var(CONNECTION) {
        Ok(id) if order(STEP).starts_with("removal.") => engine.remove(&id).await.unwrap(),
        Ok(id) => engine.registration_rotate_key(&id).await.unwrap(),
        Err(_) => {
            let base = order(BASE);
            let login = engine.login_start(&base, Role::Patient, RedirectKind::Scheme, None);
            login.await.unwrap();
        }
    }
}

async fn passphrase(profile: &str, act: &str) {
    let options = EngineOptions::new(profile);
    let (old, new) = (lock::words(lock::OLD), lock::words(lock::NEW));
    let engine = match act {
        "set" => Engine::open(options).await.unwrap(),
        _ => Engine::unlock(options, &old).await.unwrap(),
    };
    let done = match act {
        "set" => engine.passphrase_set(None, &new, true).await,
        "change" => engine.passphrase_set(Some(&old), &new, true).await,
        _ => engine.passphrase_remove(&old).await,
    };
    done.unwrap();
}

fn kill(setting: &Setting, step: &str, times: usize, connection: Option<&str>) -> ExitStatus {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "crash::the_process_that_is_killed", "--ignored"])
        .env(PROFILE, setting.profile())
        .env(BASE, setting.mock.fhir_base())
        .env(STEP, step)
        .env(TIMES, times.to_string())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    if let Some(id) = connection {
        command.env(CONNECTION, id);
    }
    command.status().unwrap()
}

pub(crate) async fn killed(setting: &Setting, step: &'static str, times: usize, id: Option<&str>) {
    // The server runs in this process; waiting must not stop it.
    let status = tokio::task::block_in_place(|| kill(setting, step, times, id));
    assert_eq!(
        status.signal(),
        Some(6),
        "{step} {times}: aborted, not ended"
    );
}

pub(crate) async fn open_store(setting: &Setting) -> Store {
    let key = setting
        .keychain()
        .get("database-key")
        .await
        .unwrap()
        .unwrap();
    let key = DatabaseKey::from_bytes(key.as_slice().try_into().unwrap());
    Store::open(&setting.profile().join("satchel.db"), &key)
        .await
        .unwrap()
}

async fn stored(setting: &Setting) -> Option<ClientRow> {
    let store = open_store(setting).await;
    let row = store
        .registration_get(setting.mock.fhir_base(), "patient")
        .await;
    store.close().await;
    row.unwrap()
}

/// How many keys the server holds, asked past the engine.
async fn held_keys(setting: &Setting, name: &str) -> usize {
    let entry = setting.keychain().get(&format!("{name}/management")).await;
    let entry: serde_json::Value = serde_json::from_slice(&entry.unwrap().unwrap()).unwrap();
    let request = reqwest::Client::new()
        .get(entry["registration_client_uri"].as_str().unwrap())
        .bearer_auth(entry["registration_access_token"].as_str().unwrap());
    let answer = request.send().await.unwrap().text().await.unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    answer["jwks"]["keys"].as_array().unwrap().len()
}

fn world() -> World {
    World {
        patients: 1,
        // Each sync asks for another token, and proves the key by that.
        token_lifetime_seconds: 30,
        ..World::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b28_the_exchange_of_a_key_goes_on_after_a_crash_at_each_step() {
    for (step, times, keys) in [
        ("rotation.made", 1, 1),
        ("registration.updated", 1, 2),
        ("rotation.announced", 1, 2),
        ("rotation.switched", 1, 2),
        ("registration.updated", 2, 1),
        ("rotation.withdrawn", 1, 1),
        ("rotation.deleted", 1, 1),
    ] {
        let mut setting = setting_in(world()).await;
        let id = setting.connect(&setting.patient().clone()).await;
        let before = setting.engine.registration_read(&id).await.unwrap();
        let old_name = stored(&setting).await.unwrap().key_name.unwrap();
        setting.engine.close().await;
        killed(&setting, step, times, Some(&id)).await;
        let halfway = stored(&setting).await.unwrap();
        assert!(halfway.rotation.is_some(), "{step}: it was cut off");
        let held = held_keys(&setting, &halfway.key_name.unwrap()).await;
        assert_eq!(held, keys, "{step} {times}: what the server knows now");
        setting.restart().await;
        assert!(
            setting.engine.sync(&id).await.unwrap().complete,
            "{step}: a key that the server knows"
        );
        setting.engine.registrations_settle().await.unwrap();
        let row = stored(&setting).await.unwrap();
        assert_eq!(row.rotation, None, "{step} {times}");
        let after = setting.engine.registration_read(&id).await.unwrap();
        assert_eq!(after.client_id, before.client_id);
        assert_eq!(after.key_ids.len(), 1, "{step} {times}");
        assert_ne!(after.key_ids, before.key_ids, "{step} {times}");
        let name = row.key_name.unwrap();
        assert_ne!(name, old_name);
        for gone in [old_name.clone(), format!("{old_name}/management")] {
            assert!(
                setting.keychain().get(&gone).await.unwrap().is_none(),
                "{step} {gone}"
            );
        }
        assert!(setting.engine.sync(&id).await.unwrap().complete, "{step}");
        let registered = setting.mock.requests();
        let registered = registered.iter().filter(|one| one.method == "POST");
        let registered = registered.filter(|one| one.path == "/auth/register");
        assert_eq!(registered.count(), 1, "{step}: nobody registered anew");
    }
}

#[tokio::test]
async fn b28_a_key_is_exchanged_without_a_new_sign_in() {
    let setting = setting_in(world()).await;
    let id = setting.connect(setting.patient()).await;
    let before = setting.engine.registration_read(&id).await.unwrap();
    setting.engine.registration_rotate_key(&id).await.unwrap();
    let after = setting.engine.registration_read(&id).await.unwrap();
    assert_ne!(after.key_ids, before.key_ids);
    assert_eq!(
        (after.key_ids.len(), after.client_id),
        (1, before.client_id)
    );
    assert!(setting.engine.sync(&id).await.unwrap().complete);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b23_a_registration_that_was_never_stored_is_found_at_the_next_start_and_deleted() {
    let mut setting = setting_in(world()).await;
    setting.engine.close().await;
    killed(&setting, "registration.credential_kept", 1, None).await;
    assert_eq!(stored(&setting).await, None);
    let store = open_store(&setting).await;
    let name = store.loose_list().await.unwrap()[0].key_name.clone();
    assert!(setting.keychain().get(&name).await.unwrap().is_some());
    setting.restart().await;
    setting.engine.registrations_settle().await.unwrap();
    let deleted = setting.mock.requests();
    let deleted = deleted
        .iter()
        .filter(|one| one.method == "DELETE" && one.status == 204);
    assert_eq!(deleted.count(), 1);
    assert!(store.loose_list().await.unwrap().is_empty());
    for gone in [name.clone(), format!("{name}/management")] {
        assert!(
            setting.keychain().get(&gone).await.unwrap().is_none(),
            "{gone}"
        );
    }
    setting.connect(&setting.patient().clone()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b23_one_of_which_nothing_was_kept_is_named_to_the_person() {
    let mut setting = setting_in(world()).await;
    setting.engine.close().await;
    killed(&setting, "registration.answered", 1, None).await;
    setting.restart().await;
    setting.engine.registrations_settle().await.unwrap();
    let id = setting.connect(&setting.patient().clone()).await;
    let view = setting.engine.registration_read(&id).await.unwrap();
    let notes: Vec<&str> = view.notes.iter().map(|note| note.code.as_str()).collect();
    assert_eq!(notes, ["registration.left_at_server"]);
}
