//! HTTPS by a local certificate authority: trusted when named, refused otherwise.

use crate::portal::{self, Decision};
use crate::world::code;
use reqwest::redirect::Policy;
use satchel_core::view::Role;
use satchel_core::{Engine, EngineOptions, RedirectKind};
use satchel_mock::{MockServer, TlsOptions, World};
use tempfile::TempDir;

async fn server() -> MockServer {
    MockServer::start(World {
        patients: 1,
        tls: Some(TlsOptions::default()),
        ..World::default()
    })
    .await
    .unwrap()
}

fn authority(mock: &MockServer) -> Vec<u8> {
    std::fs::read(mock.ca_certificate().unwrap()).unwrap()
}

#[tokio::test]
async fn a9_everything_runs_over_tls_when_the_authority_is_trusted() {
    let (mock, profile) = (server().await, TempDir::new().unwrap());
    assert!(mock.fhir_base().starts_with("https://"));
    let mut options = EngineOptions::new(profile.path());
    options.extra_root_certificates = vec![authority(&mock)];
    let app = Engine::open(options).await.unwrap();
    let login = app
        .login_start(mock.fhir_base(), Role::Patient, RedirectKind::Scheme, None)
        .await
        .unwrap();
    let account = &mock.accounts()[0];
    let trusted = reqwest::Certificate::from_pem(&authority(&mock)).unwrap();
    let browser = reqwest::Client::builder()
        .redirect(Policy::none())
        .tls_certs_merge([trusted]);
    let callback = portal::sign_in_by(
        browser,
        &login.view.authorization_url,
        (&account.username, &account.password),
        None,
        Decision::Approve,
    )
    .await;
    let id = app.login_finish(&callback).await.unwrap();
    let report = app.sync(&id).await.unwrap();
    assert!(report.complete, "{report:?}");
}

#[tokio::test]
async fn h11_a_certificate_that_nobody_vouches_for_is_refused() {
    let (mock, profile) = (server().await, TempDir::new().unwrap());
    let app = Engine::open(EngineOptions::new(profile.path()))
        .await
        .unwrap();
    assert_eq!(
        code(app.server_check(mock.fhir_base()).await),
        "network.not_trusted"
    );
}
