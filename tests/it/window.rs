//! What the window is trusted with: it may call Satchel's own commands, and no command's answer holds a
//! token, a code, a key or another secret (checklist H4).

use crate::portal::{self, Decision};
use crate::world::{Setting, setting};
use satchel_core::view::{ChartOf, RecordFilter, Role, TimelineFilter};
use satchel_core::{Engine, ExportFormat, LaunchReceived, LoginOptions, RedirectKind};
use satchel_mock::{MockServer, World};
use satchel_store::{DatabaseKey, Store};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use url::Url;

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn config() -> serde_json::Value {
    let text = std::fs::read_to_string(root("tauri.conf.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn shell_source() -> String {
    let files = std::fs::read_dir(root("src-tauri/src")).unwrap();
    files
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect()
}

#[test]
fn h4_the_window_may_call_satchels_commands_and_hear_its_events_and_nothing_else() {
    let security = &config()["app"]["security"];
    let capabilities = security["capabilities"].as_array().unwrap();
    assert_eq!(capabilities.len(), 1, "one window, one capability");
    let one = &capabilities[0];
    assert_eq!(one["windows"], serde_json::json!(["main"]));
    assert_eq!(
        one["permissions"],
        serde_json::json!(["core:event:allow-listen", "core:event:allow-unlisten"]),
        "no shell, no network, no files, no opener"
    );
    assert!(one["remote"].is_null(), "no page of a server is let in");
    for folder in ["capabilities", "src-tauri/capabilities", "permissions"] {
        assert!(
            !root(folder).exists(),
            "{folder}: none are taken by themselves"
        );
    }
    for loose in [
        "dangerousDisableAssetCspModification",
        "dangerousRemoteDomainIpcAccess",
        "assetProtocol",
        "devCsp",
    ] {
        assert!(security[loose].is_null(), "{loose}");
    }
    assert!(config()["app"]["withGlobalTauri"].is_null());
    let plugins: BTreeSet<String> = shell_source()
        .split("tauri_plugin_")
        .skip(1)
        .filter_map(|rest| rest.split("::").next().map(str::to_owned))
        .collect();
    assert_eq!(
        plugins.iter().map(String::as_str).collect::<Vec<_>>(),
        ["deep_link", "opener", "single_instance"],
        "another plugin brings commands that the window may not have"
    );
}

#[test]
fn h4_the_windows_policy_lets_in_no_script_but_its_own_and_no_other_origin() {
    let policy = config()["app"]["security"]["csp"]
        .as_str()
        .unwrap()
        .to_owned();
    let directive = |name: &str| -> Vec<&str> {
        let found = policy
            .split(';')
            .map(|part| part.split_whitespace().collect::<Vec<_>>())
            .find(|words| words.first() == Some(&name));
        found.unwrap_or_else(|| panic!("{name} is missing"))[1..].to_vec()
    };
    for (name, allowed) in [
        // Fonts, media, workers, manifests: the window has none.
        ("default-src", vec!["'none'"]),
        ("script-src", vec!["'self'"]),
        ("script-src-attr", vec!["'none'"]),
        ("style-src", vec!["'self'"]),
        ("style-src-attr", vec!["'none'"]),
        ("img-src", vec!["'self'", "data:"]),
        // Tauri's own way to the commands, on this machine.
        ("connect-src", vec!["ipc:", "http://ipc.localhost"]),
        ("object-src", vec!["'none'"]),
        ("base-uri", vec!["'none'"]),
        ("form-action", vec!["'none'"]),
        ("frame-src", vec!["'none'"]),
        ("frame-ancestors", vec!["'none'"]),
        // Markup comes into the page through DOMPurify or not at all.
        ("require-trusted-types-for", vec!["'script'"]),
        ("trusted-types", vec!["dompurify"]),
    ] {
        assert_eq!(directive(name), allowed, "{name}");
    }
    for word in ["unsafe", "*", "https:", "blob:", "wasm", "nonce-"] {
        assert!(!policy.contains(word), "{word}: {policy}");
    }
    let page = std::fs::read_to_string(root("ui/index.html")).unwrap();
    for script in page.split("<script").skip(1) {
        assert!(script.contains("src=\"/"), "no script in the page itself");
    }
    assert!(!page.contains("<style") && !page.contains("://"), "{page}");
}

#[test]
fn h4_no_member_that_crosses_to_the_window_is_named_after_a_secret() {
    let types = std::fs::read_to_string(root("ui/src/api/bindings.ts")).unwrap();
    let names: Vec<&str> = types
        .split(':')
        .filter_map(|before| {
            let word = before.trim_end_matches(['?', '"']);
            word.rsplit(|c: char| !c.is_ascii_alphanumeric()).next()
        })
        .collect();
    assert!(names.contains(&"connectionId"));
    for name in names {
        let lower = name.to_lowercase();
        for word in [
            "token",
            "secret",
            "verifier",
            "password",
            "privatekey",
            "jwk",
            "bearer",
            "assertion",
            "clientid",
            "callback",
        ] {
            assert!(!lower.contains(word), "{name}");
        }
    }
}

/// Commands of the window, and whether they answer with more than "done".
fn commands() -> Vec<(String, bool)> {
    let source = shell_source();
    let mut found = Vec::new();
    for piece in source.split("#[tauri::command]").skip(1) {
        let (head, _) = piece.split_once('{').unwrap();
        let name = head.split("fn ").nth(1).unwrap();
        let name = name.split('(').next().unwrap().trim().to_owned();
        let answer = head.rsplit("->").next().unwrap_or_default();
        let silent = !head.contains("->") || answer.contains("<()");
        found.push((name, !silent));
    }
    found
}

/// What the window was given, by command.
#[derive(Default)]
struct Given(Vec<(&'static str, String)>);

impl Given {
    fn take<T: Serialize>(&mut self, command: &'static str, answer: &T) {
        self.0
            .push((command, serde_json::to_string(answer).unwrap()));
    }
}

async fn store_of(setting: &Setting) -> Store {
    let key = setting.keychain().get("database-key").await;
    let key = key.unwrap().unwrap();
    let key = DatabaseKey::from_bytes(key.as_slice().try_into().unwrap());
    let path = setting.profile().join("satchel.db");
    Store::open(&path, &key).await.unwrap()
}

/// Every text under a name in a JSON value, however deep.
fn under(value: &serde_json::Value, name: &str, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(members) => {
            for (key, member) in members {
                match member.as_str() {
                    Some(text) if key.contains(name) => found.push(text.to_owned()),
                    _ => under(member, name, found),
                }
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| under(item, name, found)),
        _ => {}
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The database key, the private key, and what manages the registration.
async fn secrets_at_rest(setting: &Setting) -> Vec<String> {
    let store = store_of(setting).await;
    let client = store.registration_get(setting.mock.fhir_base(), "patient");
    let name = client.await.unwrap().unwrap().key_name.unwrap();
    store.close().await;
    let mut secrets = Vec::new();
    for entry in ["database-key".to_owned(), name.clone()] {
        let bytes = setting.keychain().get(&entry).await.unwrap().unwrap();
        secrets.extend([hex(&bytes), base64(&bytes)]);
        if entry == name {
            // The private number, in the middle of the key's encoding.
            secrets.push(base64(&bytes)[40..72].to_owned());
        }
    }
    let entry = setting.keychain().get(&format!("{name}/management")).await;
    let entry: serde_json::Value = serde_json::from_slice(&entry.unwrap().unwrap()).unwrap();
    under(&entry, "token", &mut secrets);
    secrets
}

/// What is asked before anybody signs in.
async fn find_servers(setting: &Setting, given: &mut Given) {
    let (engine, base) = (&setting.engine, setting.mock.fhir_base());
    given.take("server_check", &engine.server_check(base).await.unwrap());
    given.take("servers_search", &engine.servers_search("").await.unwrap());
    let presets = engine.scope_presets(base, Role::Patient).await.unwrap();
    given.take("scope_presets", &presets);
    let brands = format!("{}/brands", setting.mock.issuer().trim_end_matches('/'));
    let imported = engine.directory_import_url(&brands).await.unwrap();
    given.take("directory_import_url", &imported);
    let text = reqwest::get(&brands).await.unwrap().text().await.unwrap();
    // A list in a file may not name the own network.
    let text = text.replace(base, "https://ehr.example/fhir");
    let imported = engine.directory_import_bytes("list", text.into_bytes());
    let imported = imported.await;
    given.take("directory_import_text", &imported.unwrap());
    given.take("directories_list", &engine.directories().await.unwrap());
    given.take("server_logo", &engine.server_logo(base).await.unwrap());
}

/// The same person at a second server, both read side by side; gives that server's tokens.
async fn two_sources(setting: &Setting, first: &str, given: &mut Given) -> Vec<String> {
    let engine = &setting.engine;
    let world = World {
        patients: 2,
        ..World::default()
    };
    let other = MockServer::start(world).await.unwrap();
    let by_scheme = LoginOptions::new(Role::Patient, &[RedirectKind::Scheme], None);
    let login = engine.login_begin(other.fhir_base(), &by_scheme).await;
    let person = setting.patient().clone();
    let callback = portal::sign_in(
        &login.unwrap().view.authorization_url,
        &person.username,
        &person.password,
        None,
        Decision::Approve,
    )
    .await;
    let second = engine.login_finish(&callback).await.unwrap();
    engine.sync(&second).await.unwrap();
    given.take("people_list", &engine.people().await.unwrap());
    let joined = engine.people_join(first, &second).await.unwrap();
    given.take("people_join", &joined);
    let chart = engine.person_chart(&joined.id).await.unwrap();
    given.take("person_chart", &chart);
    let all = RecordFilter {
        connection_id: None,
        section: None,
        resource_type: None,
    };
    let rows = engine.person_records(&joined.id, &all, 0, 1000).await;
    given.take("person_records", &rows.unwrap());
    let tokens = other.tokens();
    other.stop().await;
    tokens
}

/// The first page, everything by date, and one measurement of it.
async fn read_over_time(engine: &Engine, id: &str, given: &mut Given) {
    let of = ChartOf::Connection {
        connection_id: id.to_owned(),
    };
    given.take("overview_get", &engine.overview(&of).await.unwrap());
    let everything = TimelineFilter::default();
    let years = engine.timeline_years(&of, &everything).await.unwrap();
    given.take("timeline_years", &years);
    let page = engine.timeline(&of, &everything, 0, 1000).await.unwrap();
    given.take("timeline_list", &page);
    let mut rows = page.rows.iter();
    let observation = rows.find(|row| row.key.resource_type == "Observation");
    let trend = engine.trend(&of, &observation.unwrap().key).await.unwrap();
    assert!(!trend.points.is_empty());
    given.take("trend_get", &trend);
    given.take("access_log_list", &engine.access_log(200).await.unwrap());
    given.take("privacy_get", &engine.privacy().await.unwrap());
    let folder = tempfile::tempdir().unwrap();
    let exported = engine.export_into(&of, ExportFormat::Bundle, folder.path());
    given.take("records_export", &exported.await.unwrap());
    for row in &page.rows {
        let saved = engine.attachment_save(&row.key, 0, folder.path()).await;
        saved
            .iter()
            .for_each(|path| given.take("attachment_save", path));
    }
}

#[tokio::test]
async fn h4_no_answer_of_any_command_holds_a_token_a_code_or_a_key() {
    let setting = setting().await;
    let (engine, base) = (&setting.engine, setting.mock.fhir_base());
    let mut given = Given::default();
    let mut events = engine.subscribe();
    engine.trace_switch(true);
    find_servers(&setting, &mut given).await;
    let by_scheme = LoginOptions::new(Role::Patient, &[RedirectKind::Scheme], None);
    let login = engine.login_begin(base, &by_scheme).await.unwrap();
    given.take("login_start", &login.view);
    given.take("login_pending", &engine.login_pending().await.unwrap());
    let store = store_of(&setting).await;
    let pending = store.pending_for_connection(&login.view.connection_id);
    let pending = pending.await.unwrap().unwrap();
    store.close().await;
    let mut secrets = Vec::new();
    let payload = serde_json::from_str(&pending.payload).unwrap();
    under(&payload, "verifier", &mut secrets);
    assert_eq!(secrets.len(), 1, "the verifier of this sign-in");
    let person = setting.patient().clone();
    let callback = portal::sign_in(
        &login.view.authorization_url,
        &person.username,
        &person.password,
        None,
        Decision::Approve,
    )
    .await;
    let sent = |address: &str, name: &str| {
        let url = Url::parse(address).unwrap();
        let mut pairs = url.query_pairs();
        pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
    };
    secrets.push(sent(&callback, "code"));
    let state = sent(&login.view.authorization_url, "state");
    let id = engine.login_finish(&callback).await.unwrap();
    engine.sync(&id).await.unwrap();

    given.take("connections_list", &engine.connections().await.unwrap());
    given.take("schedule_get", &engine.schedule().await.unwrap());
    given.take("access_check", &engine.access_check(&id).await.unwrap());
    given.take("chart_get", &engine.chart(&id).await.unwrap());
    given.take("changes_get", &engine.changes(&id).await.unwrap());
    let all = RecordFilter {
        connection_id: Some(id.clone()),
        section: None,
        resource_type: None,
    };
    let page = engine.records_list(&all, 0, 1000).await.unwrap();
    given.take("records_list", &page);
    for row in &page.rows {
        given.take("record_get", &engine.record_get(&row.key).await.unwrap());
        let attachments = engine.attachments(&row.key).await.unwrap();
        given.take("attachments_get", &attachments);
    }
    read_over_time(engine, &id, &mut given).await;
    let hits = engine
        .search("hemog", &Default::default(), 20)
        .await
        .unwrap();
    given.take("search", &hits);
    secrets.extend(two_sources(&setting, &id, &mut given).await);

    let link = format!("org.satchel.app:/launch/patient?iss={base}&launch=l4unch");
    let unknown = link.replace(base, "https://ehr.example/fhir");
    let asked = engine.launch_received(&unknown, &by_scheme).await.unwrap();
    assert!(matches!(asked, LaunchReceived::Asked(_)));
    given.take("launches_pending", &engine.launches_pending());
    let again = engine.login_begin_again(&id, &by_scheme).await.unwrap();
    given.take("login_reconnect", &again.view);
    // The person's yes is answered with the same view.
    given.take("launch_accept", &again.view);
    given.take("trace_get", &engine.trace());
    let folder = tempfile::tempdir().unwrap();
    let file = engine.trace_export_into(folder.path()).await.unwrap();
    given.take("trace_export", &file);
    given.take("trace_export", &std::fs::read_to_string(&file).unwrap());
    while let Ok(event) = events.try_recv() {
        given.take("event", &event);
    }

    secrets.extend(setting.mock.tokens());
    secrets.extend(secrets_at_rest(&setting).await);
    assert!(secrets.len() > 8 && secrets.iter().all(|one| one.len() >= 16));
    secrets.push("\"eyJ".to_owned());
    for (command, answer) in &given.0 {
        for secret in &secrets {
            assert!(
                !answer.contains(secret.as_str()),
                "{command} gives {secret}"
            );
        }
        // The address of the portal is shown to the person, to be opened or copied. Nobody can do
        // anything with its state: the verifier stays in the core.
        let address = command.starts_with("login_") || *command == "launch_accept";
        assert!(address || !answer.contains(&state), "{command}");
    }
    every_command_was_called(&given);
}

fn every_command_was_called(given: &Given) {
    // How the program itself stands; nothing of a server is in it.
    let without = ["app_status", "app_retry", "app_start_anew"];
    let called: BTreeSet<&str> = given.0.iter().map(|(command, _)| *command).collect();
    let (mut known, mut answering) = (0, 0);
    for (name, answers) in commands() {
        known += 1;
        answering += usize::from(answers);
        assert!(
            !answers || without.contains(&name.as_str()) || called.contains(name.as_str()),
            "{name} is a new command with an answer: call it in this journey"
        );
    }
    assert!(known > 30 && answering > 20, "{known} {answering}");
}
