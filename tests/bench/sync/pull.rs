//! The thing measured: `Engine::sync` into a new profile, after a real registration and sign-in.

use crate::portal::{self, Decision};
use crate::server::Server;
use satchel_core::view::{Role, StepOutcome};
use satchel_core::{Engine, EngineOptions, Keychain, RedirectKind};
use satchel_store::{DatabaseKey, Store};
use serde_json::Value;
use std::path::PathBuf;
use std::time::Instant;
use tempfile::TempDir;
use zeroize::Zeroizing;

pub(crate) struct Pulled {
    pub(crate) seconds: f64,
    pub(crate) records: u64,
    /// The URLs that the pull asked for.
    pub(crate) requests: Vec<String>,
    pub(crate) access_token: String,
    pub(crate) database: PathBuf,
    pub(crate) key: Zeroizing<Vec<u8>>,
    pub(crate) idle_mb: f64,
    pub(crate) peak_mb: f64,
    /// The same once more, with nothing changed.
    pub(crate) again: Again,
    /// Bytes of the closed file.
    pub(crate) file_bytes: u64,
    _profile: TempDir,
}

pub(crate) struct Again {
    pub(crate) seconds: f64,
    pub(crate) requests: usize,
    /// Steps of the plan that ask the server.
    pub(crate) steps: usize,
    /// Records that were stored, changed or marked.
    pub(crate) written: u64,
}

pub(crate) async fn pull(server: &Server, patient: &str) -> Pulled {
    let profile = TempDir::new().expect("a folder");
    let engine = Engine::open(EngineOptions::new(profile.path()))
        .await
        .expect("run inside tests/session.sh");
    let connection = sign_in(&engine, server, patient).await;
    let before = log(server).await.len();
    let idle_mb = memory("VmRSS:");
    // From here on VmHWM is the peak of the pull alone (proc(5), clear_refs).
    std::fs::write("/proc/self/clear_refs", "5").expect("Linux");
    let begun = Instant::now();
    let report = engine.sync(&connection).await.expect("the sync runs");
    let seconds = begun.elapsed().as_secs_f64();
    let peak_mb = memory("VmHWM:");
    assert!(report.complete, "{report:?}");
    let first = log(server).await.len();
    let again = sync_again(&engine, server, &connection).await;
    let origin = server.control().trim_end_matches("/_mock");
    let requests = log(server).await[before..first]
        .iter()
        .filter(|entry| entry["method"] == "GET" && text(entry, "path").starts_with("/fhir"))
        .map(|entry| match text(entry, "query").as_str() {
            "" => format!("{origin}{}", text(entry, "path")),
            query => format!("{origin}{}?{query}", text(entry, "path")),
        })
        .collect();
    engine.close().await;

    let path = profile.path().canonicalize().expect("the folder is there");
    let key = Keychain::new("org.satchel.desktop", &path)
        .get("database-key")
        .await
        .expect("a keychain")
        .expect("the key");
    let database = path.join("satchel.db");
    let bytes = key.as_slice().try_into().expect("32 bytes");
    let store = Store::open(&database, &DatabaseKey::from_bytes(bytes))
        .await
        .expect("it opens");
    let tokens = store.tokens_get(&connection).await.expect("it reads");
    let access_token = tokens.expect("tokens").access_token.to_string();
    let records = store
        .record_count(Some(&connection))
        .await
        .expect("it counts");
    store.close().await;
    let file_bytes = database.metadata().expect("the file").len();
    Pulled {
        seconds,
        records,
        requests,
        access_token,
        database,
        key,
        idle_mb,
        peak_mb,
        again,
        file_bytes,
        _profile: profile,
    }
}

async fn sync_again(engine: &Engine, server: &Server, connection: &str) -> Again {
    let before = log(server).await.len();
    let begun = Instant::now();
    let report = engine.sync(connection).await.expect("the sync runs");
    let seconds = begun.elapsed().as_secs_f64();
    assert!(report.complete, "{report:?}");
    let skipped = [StepOutcome::NotShared, StepOutcome::NotOffered];
    let requests = log(server).await[before..]
        .iter()
        .filter(|entry| entry["method"] == "GET" && text(entry, "path").starts_with("/fhir/"))
        .filter(|entry| !text(entry, "path").ends_with("/metadata"))
        .count();
    Again {
        seconds,
        requests,
        steps: report
            .steps
            .iter()
            .filter(|step| !skipped.contains(&step.outcome))
            .count(),
        written: report.new_records + report.changed_records + report.withdrawn_records,
    }
}

async fn sign_in(engine: &Engine, server: &Server, patient: &str) -> String {
    let (username, password) = server.account(patient);
    let login = engine
        .login_start(
            server.fhir_base(),
            Role::Patient,
            RedirectKind::Scheme,
            None,
        )
        .await
        .expect("the login begins");
    let callback = portal::sign_in(
        &login.view.authorization_url,
        &username,
        &password,
        Some(patient),
        Decision::Approve,
    )
    .await;
    engine.login_finish(&callback).await.expect("signed in")
}

/// The mock server's log of requests.
async fn log(server: &Server) -> Vec<Value> {
    let url = format!("{}/requests", server.control());
    let answer = reqwest::get(url).await.expect("the log");
    answer.json().await.expect("JSON")
}

fn text(entry: &Value, name: &str) -> String {
    entry[name].as_str().expect("text").to_owned()
}

/// A line of /proc/self/status, in megabytes.
fn memory(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
    kilobytes
        .and_then(|text| text.parse::<f64>().ok())
        .expect("a size")
        / 1024.0
}
