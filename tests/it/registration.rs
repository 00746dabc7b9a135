//! Registration, over its whole life: made, read, renewed, given another key, lost, deleted.

use crate::portal::{self, Decision};
use crate::world::{Setting, code, setting, setting_in};
use satchel_core::view::{RegistrationView, Role};
use satchel_core::{AppIdentity, Clock, Engine, EngineOptions, KnownServer, RedirectKind};
use satchel_mock::{Endpoint, FaultKind, MockServer, Policy, World};
use satchel_store::ClientRow;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use zeroize::Zeroizing;

/// The machine's clock, turned forward.
#[derive(Default)]
struct Turned(AtomicI64);

impl Clock for Turned {
    fn now(&self) -> jiff::Timestamp {
        let now = satchel_core::SystemClock.now().as_second();
        jiff::Timestamp::from_second(now + self.0.load(Ordering::SeqCst)).unwrap()
    }
}

impl Setting {
    /// Opens the engine anew with other options.
    pub(crate) async fn reopen(&mut self, change: impl FnOnce(&mut EngineOptions)) {
        self.engine.close().await;
        let mut options = EngineOptions::new(self.profile());
        change(&mut options);
        self.engine = Engine::open(options).await.unwrap();
    }

    /// The stored registration of the patient's role.
    async fn stored(&self) -> ClientRow {
        let store = self.store().await;
        let row = store
            .registration_get(self.mock.fhir_base(), "patient")
            .await;
        store.close().await;
        row.unwrap().unwrap()
    }

    fn count(&self, method: &str, path: &str) -> usize {
        let all = self.mock.requests();
        all.iter()
            .filter(|one| one.method == method && one.path.starts_with(path))
            .count()
    }

    async fn start(&self) -> Result<satchel_core::StartedLogin, satchel_core::Problem> {
        let base = self.mock.fhir_base();
        let start = self
            .engine
            .login_start(base, Role::Patient, RedirectKind::Scheme, None);
        start.await
    }

    /// Registers a client by hand at the mock server.
    async fn agree(&self, mut client: Value) {
        client["redirect_uris"] =
            json!(AppIdentity::default().redirect_uris(self.mock.fhir_base()));
        let url = format!("{}/clients", self.mock.control());
        let request = reqwest::Client::new()
            .post(url)
            .header("Content-Type", "application/json");
        let answer = request.body(client.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{:?}", answer.text().await);
    }

    /// Everything the server holds of this registration.
    async fn held(&self, id: &str) -> Value {
        let view = self.engine.registration_read(id).await.unwrap();
        serde_json::from_str(&view.held).unwrap()
    }
}

fn notes(view: &RegistrationView) -> Vec<&str> {
    view.notes.iter().map(|note| note.code.as_str()).collect()
}

/// Tokens that have always ended, so that each sync asks for another.
fn short_tokens() -> World {
    World {
        patients: 2,
        token_lifetime_seconds: 30,
        ..World::default()
    }
}

#[tokio::test]
async fn b2_the_registered_redirect_uris_are_the_ones_that_are_used() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    let view = setting.engine.registration_read(&id).await.unwrap();
    assert!(view.read_from_server && view.redirect_uris.len() == 2);
    for kind in [RedirectKind::Scheme, RedirectKind::Loopback] {
        let login = setting
            .engine
            .login_reconnect(&id, kind, Some(4711))
            .await
            .unwrap();
        let used = login.redirect_uri.replace(":4711", "");
        assert!(view.redirect_uris.contains(&used), "{used}");
        assert!(used.contains("/callback/"));
    }
}

#[tokio::test]
async fn b4_b6_b8_b10_b11_b12_what_the_installation_says_of_itself() {
    let mut setting = setting().await;
    let identity = AppIdentity::from_json(
        r#"{"client_name": "Other Records", "client_uri": "https://other.example/",
            "logo_uri": "https://other.example/logo.png", "policy_uri": "https://other.example/policy",
            "tos_uri": "https://other.example/terms", "contacts": ["apps@other.example"],
            "software_id": "5a1d", "software_version": "7.1", "initiate_login_uri": "https://other.example/launch"}"#,
    );
    setting
        .reopen(|options| options.identity = identity.unwrap())
        .await;
    let id = setting.connect(setting.patient()).await;
    let held = setting.held(&id).await;
    for (name, value) in [
        ("client_name", "Other Records"),
        ("client_uri", "https://other.example/"),
        ("logo_uri", "https://other.example/logo.png"),
        ("policy_uri", "https://other.example/policy"),
        ("tos_uri", "https://other.example/terms"),
        ("software_id", "5a1d"),
        ("software_version", "7.1"),
        ("application_type", "native"),
        ("initiate_login_uri", "https://other.example/launch/patient"),
        ("token_endpoint_auth_method", "private_key_jwt"),
    ] {
        assert_eq!(held[name], value, "{name}");
    }
    assert_eq!(held["contacts"], json!(["apps@other.example"]));
    assert_eq!(held["jwks"]["keys"].as_array().unwrap().len(), 1);
    assert_eq!(held["jwks"]["keys"][0]["crv"], "P-384");
    assert!(held["jwks_uri"].is_null() && held["post_logout_redirect_uris"].is_null());
    let mut said = held.clone();
    for random in ["jwks", "client_id"] {
        said.as_object_mut().unwrap().remove(random);
    }
    let text = said.to_string();
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    for private in [host.trim(), &setting.patient().username] {
        // A shorter name may stand in another word.
        let told = private.len() > 3 && text.contains(private);
        assert!(!told, "{private}");
    }
}

#[tokio::test]
async fn b12_the_launch_address_that_is_registered_is_the_roles_own() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    assert_eq!(
        setting.held(&id).await["initiate_login_uri"],
        "org.satchel.app:/launch/patient"
    );
}

#[tokio::test]
async fn b12_a_service_is_not_launched_and_registers_no_launch_address() {
    let setting = setting().await;
    let id = setting
        .engine
        .connect_backend(setting.mock.fhir_base())
        .await
        .unwrap();
    let held = setting.held(&id).await;
    assert!(held["initiate_login_uri"].is_null() && held["application_type"].is_null());
}

#[tokio::test]
async fn b13_the_publishers_software_statement_is_sent() {
    let mut setting = setting().await;
    setting
        .reopen(|options| options.identity.software_statement = Some("not.really.signed".into()))
        .await;
    assert_eq!(
        code(setting.start().await),
        "registration.software_statement"
    );
}

#[tokio::test]
async fn b14_an_initial_access_token_is_used_once_and_dropped() {
    let setting = setting_in(World {
        patients: 1,
        initial_access_token: Some("letter-of-introduction".to_owned()),
        ..World::default()
    })
    .await;
    let base = setting.mock.fhir_base();
    assert_eq!(code(setting.start().await), "registration.token_needed");
    let introduce = |token: &str| {
        let token = Zeroizing::new(token.to_owned());
        setting.engine.registration_introduce(base, token)
    };
    introduce("a wrong one").await.unwrap();
    assert_eq!(code(setting.start().await), "registration.token_needed");
    introduce("letter-of-introduction\n").await.unwrap();
    let id = setting.connect(setting.patient()).await;
    setting.engine.remove(&id).await.unwrap();
    assert_eq!(
        code(setting.start().await),
        "registration.token_needed",
        "it is no longer there"
    );
}

#[tokio::test]
async fn b3_a16_clients_that_were_agreed_on_by_hand() {
    let setting = setting_in(World {
        patients: 2,
        registration_closed: true,
        token_lifetime_seconds: 30,
        ..World::default()
    })
    .await;
    assert_eq!(code(setting.start().await), "registration.not_offered");
    let base = setting.mock.fhir_base().to_owned();
    setting
        .agree(json!({"client_id": "public-1", "token_endpoint_auth_method": "none"}))
        .await;
    setting
        .agree(json!({"client_id": "secret-1", "client_secret": "s:e c", "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": ["authorization_code", "refresh_token"]}))
        .await;
    let secret = || Some(Zeroizing::new("s:e c\n".to_owned()));
    for (client_id, secret, method) in [
        ("public-1", None, "none"),
        ("secret-1", secret(), "client_secret_basic"),
    ] {
        setting
            .engine
            .registration_set_client(&base, Role::Patient, client_id, secret)
            .await
            .unwrap();
        let id = setting.connect(setting.patient()).await;
        assert!(setting.engine.sync(&id).await.is_ok());
        let view = setting.engine.registration_read(&id).await.unwrap();
        assert_eq!(view.client_id, client_id);
        assert_eq!(view.token_endpoint_auth_method, method);
        assert!(view.agreed_by_hand && !view.read_from_server);
    }
    for bad in ["", "a\nb", "\u{202e}x"] {
        let set = setting
            .engine
            .registration_set_client(&base, Role::Patient, bad, None);
        assert_eq!(code(set.await), "registration.unusable");
    }
}

#[tokio::test]
async fn b22_the_same_client_id_at_two_servers_is_two_registrations() {
    let one = setting().await;
    let other = MockServer::start(World::default()).await.unwrap();
    let (a, b) = (one.mock.fhir_base(), other.fhir_base());
    for (base, secret) in [(a, "secret-of-a"), (b, "secret-of-b")] {
        let secret = Some(Zeroizing::new(secret.to_owned()));
        one.engine
            .registration_set_client(base, Role::Patient, "shared", secret)
            .await
            .unwrap();
    }
    let store = one.store().await;
    let rows = store.registrations_list().await.unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        let kept = one.keychain().get(row.key_name.as_ref().unwrap()).await;
        let expected = if row.fhir_base == a {
            "secret-of-a"
        } else {
            "secret-of-b"
        };
        assert_eq!(kept.unwrap().unwrap().as_slice(), expected.as_bytes());
    }
}

#[tokio::test]
async fn b20_b26_a_secret_is_renewed_before_its_end_and_afterwards_it_is_too_late() {
    let mut setting = setting_in(World {
        auth_methods: vec!["client_secret_basic".to_owned()],
        policy: Policy {
            secret_lifetime: Some(100_000),
            ..Policy::default()
        },
        ..short_tokens()
    })
    .await;
    let clock = Arc::new(Turned::default());
    let handed = Arc::clone(&clock);
    setting.reopen(|options| options.clock = handed).await;
    let turn = |seconds: i64| {
        clock.0.fetch_add(seconds, Ordering::SeqCst);
        setting.mock.turn_clock(seconds);
    };
    let id = setting.connect(setting.patient()).await;
    let name = setting.stored().await.key_name.unwrap();
    let secret = || async {
        setting
            .keychain()
            .get(&name)
            .await
            .unwrap()
            .unwrap()
            .to_vec()
    };
    let (first, first_end) = (secret().await, setting.stored().await.secret_expires_at);
    setting.engine.sync(&id).await.unwrap();
    let asked = || setting.count("GET", "/auth/register") + setting.count("PUT", "/auth/register");
    assert_eq!(asked(), 0, "not yet");
    turn(80_000);
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    assert_eq!(asked(), 1, "this server renews when it is read");
    assert_ne!(
        secret().await,
        first,
        "the new one has replaced the old one"
    );
    assert!(setting.stored().await.secret_expires_at > first_end);
    turn(30_000);
    assert!(
        setting.engine.sync(&id).await.unwrap().complete,
        "past the first end"
    );
    turn(200_000);
    let late = setting.engine.sync(&id).await.unwrap();
    assert_eq!(late.problem.unwrap().code, "access.registration_gone");
    assert_eq!(asked(), 1, "never after");
    assert_eq!(setting.count("POST", "/auth/register"), 1);
    let again = setting
        .engine
        .login_reconnect(&id, RedirectKind::Scheme, None);
    again.await.unwrap();
    assert_eq!(setting.count("POST", "/auth/register"), 2);
}

#[tokio::test]
async fn b26_b30_what_the_server_holds_is_read_where_it_lets_us() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    let view = setting.engine.registration_read(&id).await.unwrap();
    assert!(
        view.read_from_server && view.notes.is_empty(),
        "{:?}",
        notes(&view)
    );
    assert_eq!(view.client_name.as_deref(), Some("Satchel"));
    assert_eq!(view.key_ids.len(), 1);
    assert!(!view.held.contains("registration_access_token"));
    let forbidden = FaultKind::Status {
        status: 403,
        body: String::new(),
        content_type: String::new(),
    };
    setting.mock.fault(Endpoint::Register, forbidden, 1);
    let view = setting.engine.registration_read(&id).await.unwrap();
    assert!(!view.read_from_server);
    assert_eq!(notes(&view), ["registration.unmanaged"]);
    assert_eq!(
        view.client_name.as_deref(),
        Some("Satchel"),
        "as it was known"
    );
    assert!(
        setting.engine.sync(&id).await.unwrap().complete,
        "it is kept"
    );
    assert!(
        setting
            .engine
            .registration_read(&id)
            .await
            .unwrap()
            .read_from_server
    );
}

#[tokio::test]
async fn b30_b34_a_registration_that_is_gone_is_made_anew_once_and_when_the_person_asks() {
    let setting = setting_in(short_tokens()).await;
    let id = setting.connect(setting.patient()).await;
    let name = setting.stored().await.key_name.unwrap();
    let entry = setting.keychain().get(&format!("{name}/management")).await;
    let entry: Value = serde_json::from_slice(&entry.unwrap().unwrap()).unwrap();
    let deleted = reqwest::Client::new()
        .delete(entry["registration_client_uri"].as_str().unwrap())
        .bearer_auth(entry["registration_access_token"].as_str().unwrap());
    assert_eq!(deleted.send().await.unwrap().status(), 204);
    assert_eq!(
        code(setting.engine.registration_read(&id).await),
        "access.registration_gone"
    );
    for _ in 0..3 {
        let report = setting.engine.sync(&id).await.unwrap();
        assert_eq!(report.problem.unwrap().code, "access.registration_gone");
    }
    assert_eq!(setting.count("POST", "/auth/register"), 1, "nobody asked");
    let login = setting
        .engine
        .login_reconnect(&id, RedirectKind::Scheme, None);
    let login = login.await.unwrap();
    assert_eq!(setting.count("POST", "/auth/register"), 2);
    let account = setting.patient();
    let callback = portal::sign_in(
        &login.view.authorization_url,
        &account.username,
        &account.password,
        None,
        Decision::Approve,
    );
    let same = setting.engine.login_finish(&callback.await).await.unwrap();
    assert_eq!(same, id);
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    assert_eq!(setting.count("POST", "/auth/register"), 2);
}

#[tokio::test]
async fn b34_a_busy_server_is_not_asked_before_its_time() {
    let mut setting = setting().await;
    let clock = Arc::new(Turned::default());
    let handed = Arc::clone(&clock);
    setting.reopen(|options| options.clock = handed).await;
    let busy = FaultKind::TooManyRequests {
        retry_after: Some(90),
    };
    setting.mock.fault(Endpoint::Register, busy, 1);
    for _ in 0..3 {
        assert_eq!(code(setting.start().await), "registration.busy");
    }
    assert_eq!(setting.count("POST", "/auth/register"), 1);
    clock.0.store(91, Ordering::SeqCst);
    setting.connect(setting.patient()).await;
}

#[tokio::test]
async fn b44_another_installation_is_another_registration() {
    let first = setting().await;
    first.connect(first.patient()).await;
    let folder = tempfile::TempDir::new().unwrap();
    let second = crate::world::engine(folder.path()).await;
    let start = second.login_start(
        first.mock.fhir_base(),
        Role::Patient,
        RedirectKind::Scheme,
        None,
    );
    let login = start.await.unwrap();
    let url = url::Url::parse(&login.view.authorization_url).unwrap();
    let client_id = url.query_pairs().find(|(name, _)| name == "client_id");
    assert_ne!(client_id.unwrap().1, first.stored().await.client_id);
    assert_eq!(first.count("POST", "/auth/register"), 2);
}

#[tokio::test]
async fn b45_without_its_keys_a_restored_profile_registers_anew() {
    let setting = setting().await;
    setting.connect(setting.patient()).await;
    let before = setting.stored().await;
    let copy = tempfile::TempDir::new().unwrap();
    for file in ["satchel.db", "satchel.db.check"] {
        std::fs::copy(setting.profile().join(file), copy.path().join(file)).unwrap();
    }
    let elsewhere = Engine::open(EngineOptions::new(copy.path())).await;
    assert_eq!(code(elsewhere), "store.key_missing");
    // The keychain came back without this installation's key.
    let name = before.key_name.unwrap();
    setting.keychain().delete(&name).await.unwrap();
    let id = setting.connect(setting.patient()).await;
    assert_ne!(setting.stored().await.client_id, before.client_id);
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    assert_eq!(
        setting.count("DELETE", "/auth/register"),
        1,
        "the old one is deleted"
    );
}

#[tokio::test]
async fn b29_what_could_not_be_deleted_at_the_server_is_deleted_at_the_next_start() {
    let mut setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    let name = setting.stored().await.key_name.unwrap();
    setting.mock.fault(Endpoint::Register, FaultKind::Drop, 1);
    setting.engine.remove(&id).await.unwrap();
    assert!(
        setting.keychain().get(&name).await.unwrap().is_none(),
        "the key goes at once"
    );
    setting.restart().await;
    setting.engine.registrations_settle().await.unwrap();
    let deleted = setting.mock.requests();
    let deleted = deleted
        .iter()
        .filter(|one| one.method == "DELETE" && one.status == 204);
    assert_eq!(deleted.count(), 1);
    let management = format!("{name}/management");
    assert!(setting.keychain().get(&management).await.unwrap().is_none());
    assert!(setting.store().await.loose_list().await.unwrap().is_empty());
}

/// The profile of a vendor whose installations register after the sign-in.
fn two_steps(setting: &Setting) -> KnownServer {
    serde_json::from_value(json!({
        "fhirBase": setting.mock.fhir_base(), "name": "Two steps", "description": "",
        "client": {"clientId": "static-app", "installation": {"endpoint": "register", "algorithm": "RS384"}},
    }))
    .unwrap()
}

async fn two_step_setting() -> Setting {
    let mut setting = setting_in(short_tokens()).await;
    setting
        .agree(
            json!({"client_id": "static-app", "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code"], "response_types": ["code"]}),
        )
        .await;
    let server = two_steps(&setting);
    setting
        .reopen(|options| options.extra_servers.push(server))
        .await;
    setting
}

#[tokio::test]
async fn b35_b36_b37_b39_a_vendors_two_steps_from_its_profile() {
    let setting = two_step_setting().await;
    let id = setting.connect(setting.patient()).await;
    assert_eq!(
        setting.count("POST", "/auth/register"),
        1,
        "after the sign-in only"
    );
    let view = setting.engine.registration_read(&id).await.unwrap();
    assert_eq!(view.client_id, "static-app");
    let installation = view.installation_client_id.clone().unwrap();
    assert_ne!(installation, "static-app");
    assert!(notes(&view).is_empty(), "{:?}", notes(&view));
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(report.complete, "{report:?}");
    let by_installation = setting.mock.requests().into_iter().any(|one| {
        one.path == "/auth/token" && one.client_id.as_deref() == Some(installation.as_str())
    });
    assert!(
        by_installation,
        "the token was asked for with the installation's key"
    );
    let connection = setting.engine.connection(&id).await.unwrap();
    assert!(
        connection.patient_name.is_some(),
        "the patient of the sign-in"
    );
    setting.mock.set_access(false);
    let report = setting.engine.sync(&id).await.unwrap();
    assert_eq!(report.problem.unwrap().code, "access.ended");
}

#[tokio::test]
async fn b29_b40_the_installations_own_client_is_deleted_at_the_server_with_its_connection() {
    let setting = two_step_setting().await;
    let id = setting.connect(setting.patient()).await;
    let view = setting.engine.registration_read(&id).await.unwrap();
    let installation = view.installation_client_id.unwrap();
    let there = || {
        setting
            .mock
            .clients()
            .iter()
            .any(|one| one.to_string().contains(&installation))
    };
    assert!(there());
    setting.engine.remove(&id).await.unwrap();
    assert!(!there());
    assert_eq!(setting.count("DELETE", "/auth/register/"), 1);
}

#[tokio::test]
async fn b38_a_site_without_the_second_step_keeps_the_session_until_it_ends() {
    for (status, note) in [
        (404, "registration.installation_not_offered"),
        (500, "registration.installation_failed"),
    ] {
        let setting = two_step_setting().await;
        let refused = FaultKind::Status {
            status,
            body: String::new(),
            content_type: String::new(),
        };
        setting.mock.fault(Endpoint::Register, refused, 1);
        let id = setting.connect(setting.patient()).await;
        let connection = setting.engine.connection(&id).await.unwrap();
        let state = satchel_core::view::ConnectionStateView::Connected;
        assert_eq!(connection.state, state, "the sign-in stands");
        let view = setting.engine.registration_read(&id).await.unwrap();
        assert_eq!(notes(&view), [note]);
        let said = setting.engine.registration_notes(&id).await.unwrap();
        assert_eq!(said[0].code, note, "the person is told");
        assert!(view.installation_client_id.is_none());
        assert!(setting.engine.sync(&id).await.unwrap().complete, "{status}");
        setting.mock.turn_clock(60);
        let report = setting.engine.sync(&id).await.unwrap();
        assert_eq!(report.problem.unwrap().code, "access.expired", "{status}");
        // The next sign-in tries again.
        setting.connect(setting.patient()).await;
        let view = setting.engine.registration_read(&id).await.unwrap();
        assert!(view.installation_client_id.is_some());
        assert!(setting.engine.sync(&id).await.unwrap().complete);
    }
}
