//! Login: registration, portal, callback, tokens.

use crate::portal::{self, Decision};
use crate::world::{code, setting, setting_with_clock};
use satchel_core::view::{ConnectionStateView, Role};
use satchel_core::{LoopbackListener, RedirectKind};
use satchel_mock::World;
use satchel_mock::population::AccountRole;

#[tokio::test]
async fn a_patient_registers_signs_in_and_is_connected() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    let connection = setting.engine.connection(&id).await.unwrap();
    assert_eq!(connection.state, ConnectionStateView::Connected);
    assert_eq!(connection.role, Role::Patient);
    let registrations = setting
        .mock
        .requests()
        .iter()
        .filter(|r| r.path == "/auth/register")
        .count();
    assert_eq!(registrations, 1);
}

#[tokio::test]
async fn b24_signing_in_again_uses_the_same_registration_and_the_same_connection() {
    let setting = setting().await;
    let first = setting.connect(setting.patient()).await;
    let second = setting.connect(setting.patient()).await;
    assert_eq!(first, second, "one person's records, one connection");
    assert_eq!(setting.engine.connections().await.unwrap().len(), 1);
    let registrations = setting
        .mock
        .requests()
        .iter()
        .filter(|r| r.path == "/auth/register")
        .count();
    assert_eq!(registrations, 1);
}

#[tokio::test]
async fn d14_another_patient_gets_a_connection_of_their_own() {
    let setting = setting().await;
    let first = setting.connect(setting.patient()).await;
    let second = setting.connect(&setting.mock.accounts()[1]).await;
    assert_ne!(first, second);
    let connections = setting.engine.connections().await.unwrap();
    assert_eq!(connections.len(), 2);
    assert!(
        connections
            .iter()
            .all(|c| c.state == ConnectionStateView::Connected)
    );
}

#[tokio::test]
async fn a_provider_signs_in_and_picks_a_patient() {
    let setting = setting().await;
    let provider = setting
        .mock
        .accounts()
        .iter()
        .find(|a| a.role == AccountRole::Provider)
        .unwrap();
    let id = setting.connect(provider).await;
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(report.complete, "{report:?}");
    let connection = setting.engine.connection(&id).await.unwrap();
    assert_eq!(connection.role, Role::Provider);
    assert!(connection.patient_name.is_some() && connection.record_count > 50);
}

#[tokio::test]
async fn c26_the_loopback_redirect_works_too() {
    let setting = setting().await;
    let listener = LoopbackListener::bind().await.unwrap();
    let port = listener.port();
    let login = setting
        .engine
        .login_start(
            setting.mock.fhir_base(),
            Role::Patient,
            RedirectKind::Loopback,
            Some(port),
        )
        .await
        .unwrap();
    let begun = login.clone();
    let waiting = tokio::spawn(async move { listener.wait(&begun).await.unwrap() });
    let account = setting.patient();
    let callback = portal::sign_in(
        &login.view.authorization_url,
        &account.username,
        &account.password,
        None,
        Decision::Approve,
    )
    .await;
    let page = reqwest::get(&callback).await.unwrap();
    assert!(page.status().is_success());
    assert!(!page.text().await.unwrap().contains("code="));
    setting
        .engine
        .login_finish(&waiting.await.unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_pending_login_survives_a_restart_of_the_app() {
    let mut setting = setting().await;
    let callback = setting
        .callback_of(&setting.patient().clone(), Decision::Approve)
        .await;
    setting.restart().await;
    assert!(setting.engine.login_pending().await.unwrap().is_some());
    let id = setting.engine.login_finish(&callback).await.unwrap();
    let connection = setting.engine.connection(&id).await.unwrap();
    assert_eq!(connection.state, ConnectionStateView::Connected);
}

#[tokio::test]
async fn denied_consent_is_said_and_can_be_tried_again() {
    let setting = setting().await;
    let callback = setting.callback_of(setting.patient(), Decision::Deny).await;
    assert_eq!(
        code(setting.engine.login_finish(&callback).await),
        "login.denied"
    );
    let connections = setting.engine.connections().await.unwrap();
    assert_eq!(connections[0].state, ConnectionStateView::New);
    assert!(setting.engine.login_pending().await.unwrap().is_none());
    setting.connect(setting.patient()).await;
    assert_eq!(setting.engine.connections().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_cancelled_login_leaves_nothing_behind() {
    let setting = setting().await;
    let callback = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    let id = setting
        .engine
        .login_pending()
        .await
        .unwrap()
        .unwrap()
        .connection_id;
    setting.engine.login_cancel(&id).await.unwrap();
    assert!(setting.engine.connections().await.unwrap().is_empty());
    assert_eq!(
        code(setting.engine.login_finish(&callback).await),
        "login.unknown_state"
    );
}

#[tokio::test]
async fn removing_a_connection_revokes_its_access_and_deletes_its_keys_and_records() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();
    setting.engine.remove(&id).await.unwrap();
    assert!(setting.engine.connections().await.unwrap().is_empty());
    assert!(
        setting
            .engine
            .search("a", &Default::default(), 10)
            .await
            .unwrap()
            .is_empty()
    );
    let requests = setting.mock.requests();
    assert!(
        requests
            .iter()
            .any(|r| r.path == "/auth/revoke" && r.status == 200)
    );
    assert!(
        requests
            .iter()
            .any(|r| r.method == "DELETE" && r.path.starts_with("/auth/register/"))
    );
    let token = &setting.mock.tokens()[0];
    let answer = reqwest::Client::new()
        .get(format!("{}/Patient", setting.mock.fhir_base()))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn d30_a_clock_that_is_ten_minutes_wrong_keeps_nobody_out() {
    for seconds in [-600, 600] {
        let (setting, clock) = setting_with_clock(World {
            patients: 1,
            ..World::default()
        })
        .await;
        clock.turn(seconds);
        let id = setting.connect(setting.patient()).await;
        let report = setting.engine.sync(&id).await.unwrap();
        assert!(report.complete, "{seconds}: {report:?}");
    }
}
