//! A portal opens Satchel; several sign-ins at once; ways back; how much is asked for.

use crate::portal::{self, Decision};
use crate::visitor::{self, Visitor};
use crate::world::{Setting, code, engine, setting, setting_in};
use satchel_core::view::{ConnectionStateView, Role};
use satchel_core::{
    AppIdentity, Engine, EngineOptions, LaunchReceived, LoginOptions, LoopbackListener,
    RedirectKind,
};
use satchel_mock::World;
use satchel_mock::population::{Account, AccountRole};
use std::collections::HashMap;
use url::Url;

fn by_scheme(role: Role) -> LoginOptions {
    LoginOptions::new(role, &[RedirectKind::Scheme], None)
}

fn sent(address: &str) -> HashMap<String, String> {
    let url = Url::parse(address).unwrap();
    url.query_pairs().into_owned().collect()
}

fn account(setting: &Setting, role: AccountRole) -> Account {
    let mut accounts = setting.mock.accounts().iter();
    accounts.find(|one| one.role == role).unwrap().clone()
}

async fn visitor(setting: &Setting, account: &Account) -> Visitor {
    Visitor::sign_in(setting.mock.issuer(), account).await
}

/// The link by which the portal opens the installation that is registered there.
async fn launch_link(setting: &Setting, account: &Account, patient: &str) -> String {
    let person = visitor(setting, account).await;
    let home = person.home().await;
    let launches = home.split("action=\"/portal/launch\"").nth(1).unwrap();
    let client = launches.split("data-client=\"").nth(1).unwrap();
    let client = client.split('"').next().unwrap();
    let fields = [("client_id", client), ("patient", patient)];
    person.press("/launch", &fields).await
}

async fn go_through(address: &str, account: &Account) -> String {
    let (name, password) = (&account.username, &account.password);
    portal::sign_in(address, name, password, None, Decision::Approve).await
}

#[tokio::test]
async fn c10_the_portal_of_a_known_server_opens_satchel_and_the_launch_goes_back_unchanged() {
    let setting = setting().await;
    let first = setting.connect(setting.patient()).await;
    let patient = setting.patient().clone();
    let link = launch_link(&setting, &patient, &patient.patient_ids[0]).await;
    assert!(
        link.starts_with("org.satchel.app:/launch/patient?"),
        "{link}"
    );
    assert!(setting.engine.is_launch(&link));
    let received = setting
        .engine
        .launch_received(&link, &by_scheme(Role::Patient))
        .await;
    let LaunchReceived::Started(login) = received.unwrap() else {
        panic!("a known server begins at once");
    };
    let request = sent(&login.view.authorization_url);
    assert_eq!(request["launch"], sent(&link)["launch"]);
    assert_eq!(request["aud"], sent(&link)["iss"]);
    let scopes: Vec<&str> = request["scope"].split(' ').collect();
    assert!(scopes.contains(&"launch") && !scopes.contains(&"launch/patient"));
    let callback = go_through(&login.view.authorization_url, &patient).await;
    let again = setting.engine.login_finish(&callback).await.unwrap();
    assert_eq!(
        again, first,
        "the same person's records, the same connection"
    );
}

#[tokio::test]
async fn c10_a_providers_portal_opens_the_chart_that_is_open_there() {
    let setting = setting().await;
    let provider = account(&setting, AccountRole::Provider);
    let first = setting.connect(&provider).await;
    let shown = setting.engine.connection(&first).await.unwrap();
    let other = &provider.patient_ids[1];
    let link = launch_link(&setting, &provider, other).await;
    assert!(
        link.starts_with("org.satchel.app:/launch/provider?"),
        "{link}"
    );
    let received = setting
        .engine
        .launch_received(&link, &by_scheme(Role::Provider))
        .await;
    let LaunchReceived::Started(login) = received.unwrap() else {
        panic!("a known server begins at once");
    };
    let callback = go_through(&login.view.authorization_url, &provider).await;
    let second = setting.engine.login_finish(&callback).await.unwrap();
    assert_ne!(second, first, "d14: another patient, another connection");
    assert_eq!(
        setting.engine.connection(&second).await.unwrap().role,
        shown.role
    );
}

#[tokio::test]
async fn c11_an_unknown_server_is_named_first_and_nothing_is_sent_before_the_person_says_yes() {
    let known = setting().await;
    known.connect(known.patient()).await;
    let patient = known.patient().clone();
    let link = launch_link(&known, &patient, &patient.patient_ids[0]).await;
    let profile = tempfile::tempdir().unwrap();
    let fresh = engine(profile.path()).await;
    let before = known.mock.requests().len();
    let received = fresh
        .launch_received(&link, &by_scheme(Role::Patient))
        .await;
    let LaunchReceived::Asked(question) = received.unwrap() else {
        panic!("an unknown server is asked about");
    };
    let base = Url::parse(known.mock.fhir_base()).unwrap();
    let host = format!("{}:{}", base.host_str().unwrap(), base.port().unwrap());
    assert_eq!(
        (question.host.as_str(), question.known),
        (host.as_str(), false)
    );
    assert_eq!(fresh.launches_pending(), vec![question.clone()]);
    assert_eq!(known.mock.requests().len(), before, "not a single request");
    assert!(fresh.connections().await.unwrap().is_empty());
    assert!(fresh.login_pending().await.unwrap().is_none());

    fresh.launch_refuse(&question.id);
    let refused = fresh
        .launch_accept(&question.id, &by_scheme(Role::Patient))
        .await;
    assert_eq!(code(refused), "launch.unknown");
    assert_eq!(
        known.mock.requests().len(),
        before,
        "refused: still nothing"
    );

    let received = fresh
        .launch_received(&link, &by_scheme(Role::Patient))
        .await;
    let LaunchReceived::Asked(question) = received.unwrap() else {
        panic!("asked again");
    };
    let login = fresh
        .launch_accept(&question.id, &by_scheme(Role::Patient))
        .await
        .unwrap();
    assert_eq!(
        sent(&login.view.authorization_url)["launch"],
        sent(&link)["launch"]
    );
    assert!(fresh.launches_pending().is_empty());
    fresh.close().await;
}

#[tokio::test]
async fn c11_hostile_links_do_nothing_and_floods_neither_open_browsers_nor_pile_up() {
    let setting = setting().await;
    setting.connect(setting.patient()).await;
    let engine = &setting.engine;
    let options = by_scheme(Role::Patient);
    let base = setting.mock.fhir_base();
    let before = setting.mock.requests().len();
    for bad in [
        format!("org.satchel.app:/launch/backend?iss={base}&launch=x"),
        format!("org.satchel.app:/launch?iss={base}&launch=x&launch=y"),
        format!("org.satchel.app:/launch?iss={base}&iss={base}&launch=x"),
        format!(
            "org.satchel.app:/launch?iss={base}&launch={}",
            "x".repeat(5000)
        ),
        format!("org.satchel.app:/launch?iss={base}"),
        "org.satchel.app:/launch?iss=http://ehr.example/fhir&launch=x".to_owned(),
        "org.satchel.app:/launch?iss=file:///etc/passwd&launch=x".to_owned(),
    ] {
        let received = engine.launch_received(&bad, &options).await;
        assert_eq!(code(received), "launch.bad_link", "{bad}");
    }
    assert_eq!(setting.mock.requests().len(), before);
    for n in 0..20 {
        let link = format!("org.satchel.app:/launch?iss=https://{n}.example/fhir&launch=x");
        engine.launch_received(&link, &options).await.unwrap();
    }
    assert_eq!(engine.launches_pending().len(), 3);
    let mut started = 0;
    for _ in 0..10 {
        let link = format!("org.satchel.app:/launch?iss={base}&launch=x");
        let received = engine.launch_received(&link, &options).await.unwrap();
        started += usize::from(matches!(received, LaunchReceived::Started(_)));
    }
    assert_eq!(started, 3, "then it asks");
}

#[tokio::test]
async fn e15_a_launch_never_makes_a_backend_service() {
    let setting = setting().await;
    setting
        .engine
        .connect_backend(setting.mock.fhir_base())
        .await
        .unwrap();
    let link = format!(
        "org.satchel.app:/launch?iss={}&launch=x",
        setting.mock.fhir_base()
    );
    let received = setting
        .engine
        .launch_received(&link, &by_scheme(Role::Backend))
        .await;
    let LaunchReceived::Asked(question) = received.unwrap() else {
        panic!("a service's registration makes no server known to launches");
    };
    assert_eq!(question.role, Role::Patient, "whatever the caller says");
    let accepted = setting
        .engine
        .launch_accept(&question.id, &by_scheme(Role::Backend))
        .await;
    assert_eq!(code(accepted), "access.separate_profile");
}

#[tokio::test]
async fn c12_a_launch_and_a_login_under_way_are_two_and_both_end_well() {
    let setting = setting().await;
    let engine = &setting.engine;
    let (ana, ben) = (
        setting.patient().clone(),
        setting.mock.accounts()[1].clone(),
    );
    setting.connect(&ana).await;
    let link = launch_link(&setting, &ana, &ana.patient_ids[0]).await;
    let base = setting.mock.fhir_base();
    let first = engine
        .login_begin(base, &by_scheme(Role::Patient))
        .await
        .unwrap();
    let received = engine
        .launch_received(&link, &by_scheme(Role::Patient))
        .await
        .unwrap();
    let LaunchReceived::Started(second) = received else {
        panic!("known");
    };
    let pending = engine.logins_pending().await.unwrap();
    assert_eq!(pending.len(), 2);
    let (one, two) = (
        sent(&first.view.authorization_url),
        sent(&second.view.authorization_url),
    );
    for name in ["state", "code_challenge", "nonce"] {
        assert_ne!(one[name], two[name], "{name}");
    }
    let answer_of_second = go_through(&second.view.authorization_url, &ana).await;
    let answer_of_first = go_through(&first.view.authorization_url, &ben).await;
    let of_ana = engine.login_finish(&answer_of_second).await.unwrap();
    let of_ben = engine.login_finish(&answer_of_first).await.unwrap();
    assert_ne!(of_ana, of_ben);
    let connections = engine.connections().await.unwrap();
    assert_eq!(connections.len(), 2, "nothing is left over");
    assert!(
        connections
            .iter()
            .all(|one| one.state == ConnectionStateView::Connected)
    );
}

#[tokio::test]
async fn c4_a_second_click_replaces_the_first_and_only_its_answer_counts() {
    let setting = setting().await;
    let account = setting.patient().clone();
    let old = setting.callback_of(&account, Decision::Approve).await;
    let new = setting.callback_of(&account, Decision::Approve).await;
    assert_eq!(setting.engine.logins_pending().await.unwrap().len(), 1);
    assert_eq!(
        code(setting.engine.login_finish(&old).await),
        "login.unknown_state"
    );
    setting.engine.login_finish(&new).await.unwrap();
    assert_eq!(
        code(setting.engine.login_finish(&new).await),
        "login.unknown_state"
    );
}

#[tokio::test]
async fn c39_an_exchange_that_failed_is_not_tried_again_with_the_same_code() {
    let setting = setting().await;
    let callback = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    setting.mock.fault(
        satchel_mock::Endpoint::Token,
        satchel_mock::FaultKind::LostAnswer,
        1,
    );
    assert!(setting.engine.login_finish(&callback).await.is_err());
    assert_eq!(
        code(setting.engine.login_finish(&callback).await),
        "login.unknown_state"
    );
    assert_eq!(setting.asked("/auth/token"), 1);
}

#[tokio::test]
async fn c16_a_choice_is_sent_as_scopes_that_the_server_knows_and_shown_as_they_are() {
    let setting = setting().await;
    let engine = &setting.engine;
    let base = setting.mock.fhir_base();
    let presets = engine.scope_presets(base, Role::Patient).await.unwrap();
    let ids: Vec<&str> = presets.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["everything", "summary", "labs-and-medications"]);
    assert!(presets[0].scopes.contains(&"patient/*.rs".to_owned()));
    let options = LoginOptions {
        preset: Some("summary".to_owned()),
        ..by_scheme(Role::Patient)
    };
    let login = engine.login_begin(base, &options).await.unwrap();
    let request = sent(&login.view.authorization_url);
    assert_eq!(request["scope"], presets[1].scopes.join(" "));
    let callback = go_through(&login.view.authorization_url, setting.patient()).await;
    let id = engine.login_finish(&callback).await.unwrap();
    let report = engine.sync(&id).await.unwrap();
    assert!(report.complete, "{report:?}");
    let connection = engine.connection(&id).await.unwrap();
    assert!(connection.granted.contains(&"Problems".to_owned()));
    assert!(!connection.granted.contains(&"Documents".to_owned()));

    // Signing in again asks for the same.
    let again = engine
        .login_begin_again(&id, &by_scheme(Role::Patient))
        .await
        .unwrap();
    assert_eq!(
        sent(&again.view.authorization_url)["scope"],
        request["scope"]
    );
    let unknown = LoginOptions {
        preset: Some("all-of-it".to_owned()),
        ..by_scheme(Role::Patient)
    };
    assert_eq!(
        code(engine.login_begin(base, &unknown).await),
        "login.unknown_choice"
    );
}

#[tokio::test]
async fn d16_a_partial_grant_is_shown_as_what_it_is() {
    let setting = setting().await;
    let engine = &setting.engine;
    let options = LoginOptions {
        preset: Some("summary".to_owned()),
        ..by_scheme(Role::Patient)
    };
    let login = engine
        .login_begin(setting.mock.fhir_base(), &options)
        .await
        .unwrap();
    let account = setting.patient();
    let callback =
        visitor::approve_without(&login.view.authorization_url, account, "Allergy").await;
    let id = engine.login_finish(&callback).await.unwrap();
    let connection = engine.connection(&id).await.unwrap();
    let access = connection.access.unwrap();
    assert_eq!(access.not_shared, ["Allergies"]);
    let of = |scope: &str| {
        let found = access.scopes.iter().find(|one| one.scope == scope);
        serde_json::to_value(found.unwrap().granted).unwrap()
    };
    assert_eq!(of("patient/AllergyIntolerance.rs"), "nothing");
    assert_eq!(of("patient/Condition.rs"), "whole");
    assert!(!connection.granted.contains(&"Allergies".to_owned()));
    let report = engine.sync(&id).await.unwrap();
    let allergies = report
        .steps
        .iter()
        .find(|one| one.resource_type == "AllergyIntolerance");
    assert_eq!(
        serde_json::to_value(allergies.unwrap().outcome).unwrap(),
        "notShared"
    );
    assert!(report.complete, "not shared is no error");
}

/// An engine of a publisher that has a claimed https address too.
async fn publisher(profile: &std::path::Path) -> Engine {
    let mut options = EngineOptions::new(profile);
    options.identity = AppIdentity {
        client_uri: Some("https://app.example".into()),
        https_redirect: Some("https://app.example/satchel".into()),
        ..AppIdentity::default()
    };
    Engine::open(options).await.unwrap()
}

#[tokio::test]
async fn c24_the_first_way_back_that_platform_and_server_have_is_taken() {
    let setting = setting().await;
    let profile = tempfile::tempdir().unwrap();
    let engine = publisher(profile.path()).await;
    let base = setting.mock.fhir_base();
    use RedirectKind::{Https, Loopback, Scheme};
    for (platform, port, expected) in [
        (vec![Https, Scheme, Loopback], Some(4711), Https),
        (vec![Scheme, Loopback], Some(4711), Scheme),
        (vec![Loopback, Scheme], Some(4711), Loopback),
        (vec![Loopback, Scheme], None, Scheme),
    ] {
        let options = LoginOptions::new(Role::Patient, &platform, port);
        let login = engine.login_begin(base, &options).await.unwrap();
        assert_eq!(login.redirect, expected, "{platform:?}");
        assert_eq!(
            sent(&login.view.authorization_url)["redirect_uri"],
            login.redirect_uri
        );
    }
    let none = LoginOptions::new(Role::Patient, &[Loopback], None);
    assert_eq!(
        code(engine.login_begin(base, &none).await),
        "login.redirect_not_available"
    );
    engine.close().await;
}

#[tokio::test]
async fn c20_a_long_request_goes_through_the_portal_as_a_form() {
    let setting = setting_in(World {
        patients: 1,
        auth_methods: vec!["none".into()],
        ..World::default()
    })
    .await;
    let engine = &setting.engine;
    let mut listener = LoopbackListener::bind().await.unwrap();
    let options = LoginOptions::new(
        Role::Patient,
        &[RedirectKind::Loopback],
        Some(listener.port()),
    );
    let login = engine
        .login_begin(setting.mock.fhir_base(), &options)
        .await
        .unwrap();
    let id = &login.view.connection_id;
    assert!(
        engine.login_form(id).await.unwrap().is_none(),
        "short enough for an address"
    );
    // The same request, made long as granular scopes make it.
    let url = Url::parse(&login.view.authorization_url).unwrap();
    let mut fields: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let scope = fields.iter_mut().find(|(name, _)| name == "scope").unwrap();
    for n in 0..60 {
        let more = format!(" patient/Observation.rs?category=http://terminology.example/c|{n}");
        scope.1.push_str(&more);
    }
    let mut action = url.clone();
    action.set_query(None);
    let address = listener.offer(&satchel_core::AuthorizationForm { action, fields });
    let begun = login.clone();
    let waiting = tokio::spawn(async move { listener.wait(&begun).await.unwrap() });
    let page = reqwest::get(&address).await.unwrap().text().await.unwrap();
    let form = portal::read_form(&page, &Url::parse(&address).unwrap());
    let callback = visitor::arrive_by(form, setting.patient()).await;
    reqwest::get(&callback).await.unwrap();
    let id = engine.login_finish(&waiting.await.unwrap()).await.unwrap();
    assert_eq!(
        engine.connection(&id).await.unwrap().state,
        ConnectionStateView::Connected
    );
    let posted = setting
        .mock
        .requests()
        .into_iter()
        .any(|one| one.path == "/auth/authorize" && one.method == "POST");
    assert!(posted);
}

fn shell(file: &str) -> String {
    let path = format!("{}/src-tauri/src/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn c22_a_portal_is_opened_in_the_systems_browser_and_never_in_a_window_of_ours() {
    let all: String = [
        "lib.rs",
        "commands.rs",
        "deep_link.rs",
        "browser.rs",
        "state.rs",
    ]
    .map(shell)
    .concat();
    for forbidden in [
        "WebviewWindowBuilder",
        "WebviewBuilder",
        "WebviewUrl",
        ".navigate(",
    ] {
        assert!(!all.contains(forbidden), "{forbidden}");
    }
    assert_eq!(all.matches(".open_url(").count(), 1, "one way to a browser");
    let config =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tauri.conf.json")).unwrap();
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    let policy = config["app"]["security"]["csp"].to_string();
    assert!(
        policy.contains("frame-src 'none'") || policy.contains("default-src"),
        "{policy}"
    );
    assert!(
        !policy.contains("https:"),
        "no page of a portal fits into our window: {policy}"
    );
}

#[test]
fn c30_a_link_in_the_arguments_of_a_second_process_is_handed_over_and_never_logged() {
    let main = shell("lib.rs");
    let first = main.find(".plugin(").unwrap();
    assert!(
        main[first..].starts_with(".plugin(tauri_plugin_single_instance::init("),
        "before anything else"
    );
    assert!(
        main.contains("|app, _arguments, _directory|"),
        "arguments are left to the deep-link plugin"
    );
    for file in ["lib.rs", "deep_link.rs", "options.rs", "browser.rs"] {
        for line in shell(file)
            .lines()
            .filter(|line| line.contains("tracing::"))
        {
            for word in ["link =", "%link", "?link", "url", "argument"] {
                assert!(!line.contains(word), "{file}: {line}");
            }
        }
    }
}
