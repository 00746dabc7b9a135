//! Finding a server: directories, brands, logos, what a server can do, and what happens when its
//! sign-in moves.

use crate::portal::Decision;
use crate::world::{Setting, code, setting, setting_in, setting_with_clock};
use satchel_core::RedirectKind;
use satchel_core::view::{Ability, Launch, Role, ServerCheckView};
use satchel_mock::{Endpoint, FaultKind, World};

use satchel_store::{DatabaseKey, OriginsRow, Store};
use std::path::PathBuf;

fn brands_url(setting: &Setting) -> String {
    format!("{}/brands", setting.mock.issuer().trim_end_matches('/'))
}

fn requests_to(setting: &Setting, path: &str) -> usize {
    let all = setting.mock.requests();
    all.iter().filter(|request| request.path == path).count()
}

fn offered(check: &ServerCheckView, ability: Ability) -> bool {
    let found = check.abilities.iter().find(|view| view.ability == ability);
    found.expect("each ability is told").offered
}

#[tokio::test]
async fn a10_a12_a15_what_the_server_can_do_is_told_before_anybody_signs_in() {
    let setting = setting().await;
    let check = setting
        .engine
        .server_check(setting.mock.fhir_base())
        .await
        .unwrap();
    for ability in [
        Ability::PatientHere,
        Ability::PatientPortal,
        Ability::ProviderHere,
        Ability::ProviderEhr,
        Ability::StaySignedIn,
        Ability::TellWhoSignedIn,
        Ability::ChooseExactly,
        Ability::RegisterItself,
        Ability::EndAccess,
        Ability::Backend,
    ] {
        assert!(offered(&check, ability), "{ability:?}");
    }
    assert!(!offered(&check, Ability::TrustCommunity));
    assert_eq!(check.launches, [Launch::Here, Launch::Portal]);
    assert_eq!(check.roles, [Role::Patient, Role::Provider, Role::Backend]);
    assert!(
        check
            .capabilities
            .iter()
            .any(|listed| listed == "permission-v2")
    );
    let page = setting
        .engine
        .server_management_url(setting.mock.fhir_base())
        .await;
    assert_eq!(page.is_ok(), check.can_manage);
    assert_eq!(offered(&check, Ability::ManageAccess), check.can_manage);
}

#[tokio::test]
async fn a29_a_server_without_udap_is_asked_once_and_works_all_the_same() {
    let setting = setting().await;
    let check = setting
        .engine
        .server_check(setting.mock.fhir_base())
        .await
        .unwrap();
    assert!(!offered(&check, Ability::TrustCommunity));
    assert_eq!(requests_to(&setting, "/fhir/.well-known/udap"), 1);
}

#[tokio::test]
async fn a16_where_nobody_registers_no_address_is_guessed() {
    let setting = setting_in(World {
        registration_closed: true,
        ..World::default()
    })
    .await;
    let base = setting.mock.fhir_base();
    let check = setting.engine.server_check(base).await.unwrap();
    assert!(!check.can_register);
    let login = setting
        .engine
        .login_start(base, Role::Patient, RedirectKind::Scheme, None)
        .await;
    assert_eq!(code(login), "registration.not_offered");
    let posts = setting.mock.requests();
    assert!(
        posts.iter().all(|request| request.method == "GET"),
        "{posts:?}"
    );
}

#[tokio::test]
async fn a13_the_strongest_way_to_prove_oneself_is_taken() {
    let all = [
        "private_key_jwt",
        "client_secret_basic",
        "client_secret_post",
        "none",
    ];
    for (first, expected) in all.iter().enumerate() {
        let setting = setting_in(World {
            auth_methods: all[first..].iter().map(|&method| method.into()).collect(),
            ..World::default()
        })
        .await;
        let account = setting.patient().clone();
        setting.connect(&account).await;
        let base = setting.mock.fhir_base().to_owned();
        let store = store_of(&setting).await;
        let row = store
            .registration_get(&base, "patient")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(row.auth_method, *expected);
        store.close().await;
    }
}

#[tokio::test]
async fn a25_a26_the_servers_own_brand_names_it_and_wins_over_a_list() {
    let setting = setting().await;
    let base = setting.mock.fhir_base();
    let check = setting.engine.server_check(base).await.unwrap();
    assert_eq!(check.name, "Riverbend Health (imitation)");
    assert_eq!(check.place.as_deref(), Some("Riverbend, MN"));
    let list = serde_json::json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": {"resourceType": "Organization", "id": "o", "name": "RVRBND INC", "endpoint": [{"reference": "Endpoint/e"}]}},
        {"resource": {"resourceType": "Endpoint", "id": "e", "status": "active", "address": "https://other.example/fhir"}},
    ]});
    let imported = setting
        .engine
        .directory_import_bytes("vendor.json", list.to_string().into_bytes())
        .await
        .unwrap();
    assert_eq!((imported.servers, imported.skipped), (1, 0));
    let found = setting.engine.servers_search("riverbend").await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].fhir_base, base);
    assert!(
        setting.engine.directories().await.unwrap().len() == 1,
        "its own brand is no list"
    );
    let account = setting.patient().clone();
    let id = setting.connect(&account).await;
    let connection = setting.engine.connection(&id).await.unwrap();
    assert_eq!(connection.server_name, "Riverbend Health (imitation)");
}

#[tokio::test]
async fn a26_a_directory_is_searched_without_a_network_and_listing_is_no_permission() {
    let mut setting = setting().await;
    let imported = setting
        .engine
        .directory_import_url(&brands_url(&setting))
        .await
        .unwrap();
    assert_eq!(imported.servers, 1);
    assert_eq!(imported.published.as_deref(), Some("2026-01-01T00:00:00Z"));
    let asked = setting.mock.requests();
    assert!(
        asked.iter().all(|request| request.path == "/brands"),
        "{asked:?}"
    );
    setting.restart().await;
    setting.mock.fault(Endpoint::Fhir, FaultKind::Drop, 1000);
    for words in [
        "riverbend mn",
        "River",
        "55000",
        "riverbend.example",
        "riverbend portal",
    ] {
        let found = setting.engine.servers_search(words).await.unwrap();
        assert_eq!(
            found.first().map(|server| server.fhir_base.as_str()),
            Some(setting.mock.fhir_base()),
            "{words}"
        );
    }
    assert!(
        setting
            .engine
            .servers_search("nowhere")
            .await
            .unwrap()
            .is_empty()
    );
    let shipped = setting.engine.servers_search("").await.unwrap();
    assert!(
        shipped
            .iter()
            .any(|server| server.name.contains("Enablemyhealth"))
    );
    let directory = setting.engine.directories().await.unwrap().remove(0);
    setting
        .engine
        .directory_remove(&directory.id)
        .await
        .unwrap();
    assert!(
        setting
            .engine
            .servers_search("riverbend")
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        code(setting.engine.directory_remove(&directory.id).await),
        "record.not_found"
    );
}

#[tokio::test]
async fn a27_the_logo_is_fetched_once_and_kept() {
    let mut setting = setting().await;
    let base = setting.mock.fhir_base().to_owned();
    assert_eq!(
        setting.engine.server_logo(&base).await.unwrap(),
        None,
        "unknown yet"
    );
    setting.engine.server_check(&base).await.unwrap();
    assert_eq!(
        requests_to(&setting, "/brands/logo.svg"),
        0,
        "only when it is shown"
    );
    let logo = setting.engine.server_logo(&base).await.unwrap().unwrap();
    assert!(logo.starts_with("data:image/svg+xml;base64,"));
    setting.restart().await;
    assert_eq!(setting.engine.server_logo(&base).await.unwrap(), Some(logo));
    assert_eq!(requests_to(&setting, "/brands/logo.svg"), 1);
}

#[tokio::test]
async fn what_is_no_directory_is_a_clear_problem() {
    let setting = setting().await;
    let engine = &setting.engine;
    let origin = setting.mock.issuer().trim_end_matches('/').to_owned();
    for (address, expected) in [
        (
            format!("{}/metadata", setting.mock.fhir_base()),
            "directory.not_a_list",
        ),
        (format!("{origin}/absent"), "directory.not_a_list"),
        ("javascript:alert(1)".to_owned(), "server.not_a_url"),
        ("http://dir.example/brands".to_owned(), "server.not_https"),
        (String::new(), "server.not_a_url"),
    ] {
        assert_eq!(
            code(engine.directory_import_url(&address).await),
            expected,
            "{address}"
        );
    }
    for (text, expected) in [
        ("<!doctype html><html></html>", "directory.not_a_list"),
        ("{", "directory.not_a_list"),
        (r#"{"resourceType": "Bundle"}"#, "directory.empty"),
    ] {
        let bytes = text.as_bytes().to_vec();
        assert_eq!(
            code(engine.directory_import_bytes("f", bytes).await),
            expected,
            "{text}"
        );
    }
    let absent = PathBuf::from("/nowhere/brands.json");
    assert_eq!(
        code(engine.directory_import_file(&absent).await),
        "directory.unreadable"
    );
    assert!(engine.directories().await.unwrap().is_empty());
}

#[tokio::test]
async fn h10_a_file_cannot_lead_into_the_own_network() {
    let setting = setting().await;
    let path = setting.profile().join("list.json");
    let list = serde_json::json!({"resourceType": "Bundle", "entry": [
        {"resource": {"resourceType": "Organization", "id": "o", "name": "Printer", "endpoint": [{"reference": "Endpoint/e"}]}},
        {"resource": {"resourceType": "Endpoint", "id": "e", "address": setting.mock.fhir_base()}},
    ]});
    std::fs::write(&path, list.to_string()).unwrap();
    let found = setting
        .engine
        .directory_import_file(&path)
        .await
        .unwrap_err();
    assert_eq!(found.code.code(), "directory.empty");
    assert!(found.detail.unwrap().contains("privateAddress 1"));
}

/// The same database by the store's own calls.
async fn store_of(setting: &Setting) -> Store {
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

#[tokio::test]
async fn a23_a_sign_in_that_moved_gets_no_token_until_the_person_says_so() {
    let mut setting = setting_in(World {
        token_lifetime_seconds: 1,
        ..World::default()
    })
    .await;
    let account = setting.patient().clone();
    let id = setting.connect(&account).await;
    let base = setting.mock.fhir_base().to_owned();
    // As if it had been somewhere else when this installation registered.
    let store = store_of(&setting).await;
    let elsewhere = OriginsRow {
        token: "https://auth.elsewhere.example".into(),
        registration: None,
    };
    assert_ne!(
        store.origins_get(&base).await.unwrap(),
        Some(elsewhere.clone()),
        "it was noted"
    );
    store.origins_put(&base, &elsewhere).await.unwrap();
    store.close().await;
    setting.restart().await;
    let before = requests_to(&setting, "/auth/token");
    let report = setting.engine.sync(&id).await.unwrap();
    assert_eq!(report.problem.unwrap().code, "server.moved");
    let login = setting
        .engine
        .login_reconnect(&id, RedirectKind::Scheme, None)
        .await;
    assert_eq!(code(login), "server.moved");
    assert_eq!(
        requests_to(&setting, "/auth/token"),
        before,
        "no token was sent"
    );
    let managed = |setting: &Setting| {
        let requests = setting.mock.requests();
        let managed =
            |one: &&satchel_mock::RequestLogEntry| one.path.starts_with("/auth/register/");
        requests.iter().filter(managed).count()
    };
    let (read, rotated) = (
        setting.engine.registration_read(&id).await,
        setting.engine.registration_rotate_key(&id).await,
    );
    assert_eq!(code(read), "server.moved");
    assert_eq!(code(rotated), "server.moved");
    assert_eq!(managed(&setting), 0, "no registration token was sent");
    setting.engine.server_accept_move(&base).await.unwrap();
    let again = setting.connect(&account).await;
    assert!(setting.engine.sync(&again).await.unwrap().problem.is_none());
}

#[tokio::test]
async fn a23_a_description_is_read_anew_before_a_login_and_kept_between_refreshes() {
    let setting = setting_in(World {
        token_lifetime_seconds: 1,
        ..World::default()
    })
    .await;
    let well_known = "/fhir/.well-known/smart-configuration";
    let account = setting.patient().clone();
    let id = setting.connect(&account).await;
    let after_login = requests_to(&setting, well_known);
    setting.engine.sync(&id).await.unwrap();
    setting.engine.sync(&id).await.unwrap();
    assert!(requests_to(&setting, "/auth/token") > 2, "it was refreshed");
    assert_eq!(requests_to(&setting, well_known), after_login);
    setting.callback_of(&account, Decision::Approve).await;
    assert_eq!(requests_to(&setting, well_known), after_login + 1);
}

/// Every request that the server saw since, by method and path, without those of the person.
fn seen_since(setting: &Setting, before: usize) -> Vec<String> {
    let requests = setting.mock.requests();
    let ours = requests[before..].iter();
    ours.map(|one| format!("{} {}", one.method, one.path))
        .collect()
}

#[tokio::test]
async fn a23_what_was_read_a_moment_ago_is_not_asked_for_again_beside_a_login() {
    let setting = setting_in(World {
        // Exchanged before it is used, and good until the answer is there.
        token_lifetime_seconds: 30,
        ..World::default()
    })
    .await;
    let base = setting.mock.fhir_base().to_owned();
    let id = setting.connect(&setting.patient().clone()).await;
    let before = setting.mock.requests().len();
    setting
        .engine
        .scope_presets(&base, Role::Patient)
        .await
        .unwrap();
    assert_eq!(seen_since(&setting, before), [] as [&str; 0]);
    setting.engine.access_check(&id).await.unwrap();
    assert_eq!(
        seen_since(&setting, before),
        ["POST /auth/token", "POST /auth/introspect"]
    );
}

#[tokio::test]
async fn a23_an_old_description_that_did_not_change_costs_one_request() {
    let (setting, clock) = setting_with_clock(World {
        // Exchanged before it is used, and good until the answer is there.
        token_lifetime_seconds: 30,
        ..World::default()
    })
    .await;
    let id = setting.connect(&setting.patient().clone()).await;
    setting.pass(&clock, 601);
    let before = setting.mock.requests().len();
    setting.engine.access_check(&id).await.unwrap();
    assert_eq!(
        seen_since(&setting, before),
        [
            "GET /fhir/.well-known/smart-configuration",
            "POST /auth/token",
            "POST /auth/introspect"
        ]
    );
}

#[tokio::test]
async fn a_first_sign_in_takes_five_requests_and_the_next_one_four() {
    let setting = setting_in(World {
        patients: 2,
        ..World::default()
    })
    .await;
    let protocol = |before: usize| -> Vec<String> {
        let mut seen = seen_since(&setting, before);
        // The rest is the person, in the browser.
        let ours = ["/.well-known/", "/register", "/token", "/jwks"];
        seen.retain(|one| ours.iter().any(|path| one.contains(path)));
        // These two are on their way at the same time.
        let end = seen.len().saturating_sub(2);
        seen[end..].sort();
        seen
    };
    let discovery = [
        "GET /fhir/.well-known/smart-configuration",
        "GET /.well-known/openid-configuration",
    ];
    setting.connect(&setting.mock.accounts()[0]).await;
    let first = protocol(0);
    assert_eq!(first[..2], discovery);
    assert_eq!(
        first[2..],
        ["POST /auth/register", "GET /auth/jwks", "POST /auth/token"]
    );
    let before = setting.mock.requests().len();
    setting.connect(&setting.mock.accounts()[1]).await;
    let next = protocol(before);
    assert_eq!(next[..2], discovery);
    assert_eq!(next[2..], ["GET /auth/jwks", "POST /auth/token"]);
}
