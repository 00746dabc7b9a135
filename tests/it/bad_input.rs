//! Bad input of the connect screen and the callback: each ends in its own problem, and nothing that
//! is stored is lost.

use crate::portal::Decision;
use crate::world::{code, engine, setting};
use satchel_core::view::Role;
use satchel_core::{Engine, EngineOptions, RedirectKind};
use satchel_mock::{Endpoint, FaultKind, IdTokenFault};
use zeroize::Zeroizing;

async fn start(engine: &Engine, base: &str) -> String {
    code(
        engine
            .login_start(base, Role::Patient, RedirectKind::Scheme, None)
            .await,
    )
}

#[tokio::test]
async fn addresses_that_are_no_smart_server() {
    let setting = setting().await;
    for (address, problem) in [
        ("", "server.not_a_url"),
        ("not a url", "server.not_a_url"),
        ("javascript:alert(1)", "server.not_a_url"),
        ("http://ehr.example.org/fhir", "server.not_https"),
        ("http://127.0.0.1:9/fhir", "network.unreachable"),
    ] {
        assert_eq!(start(&setting.engine, address).await, problem, "{address}");
    }
    let elsewhere = format!("{}/nothing/here", setting.mock.issuer());
    assert_eq!(start(&setting.engine, &elsewhere).await, "server.not_fhir");
    assert!(
        setting.engine.connections().await.unwrap().is_empty(),
        "no half-made connection stays"
    );
}

#[tokio::test]
async fn discovery_documents_that_cannot_be_used() {
    for (fault, problem) in [
        (FaultKind::NotJson, "server.bad_configuration"),
        (FaultKind::MissingTokenEndpoint, "server.bad_configuration"),
        (FaultKind::OtherIssuer, "server.issuer_mismatch"),
    ] {
        let setting = setting().await;
        setting
            .mock
            .fault(Endpoint::SmartConfiguration, fault.clone(), 1);
        assert_eq!(
            start(&setting.engine, setting.mock.fhir_base()).await,
            problem,
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn b32_each_registration_error_is_told() {
    for (error, problem) in [
        ("invalid_redirect_uri", "registration.invalid_redirect_uri"),
        ("invalid_client_metadata", "registration.refused"),
        (
            "invalid_software_statement",
            "registration.software_statement",
        ),
        (
            "unapproved_software_statement",
            "registration.software_statement",
        ),
    ] {
        let setting = setting().await;
        setting.mock.fault(
            Endpoint::Register,
            FaultKind::RegisterError {
                error: error.into(),
            },
            10,
        );
        assert_eq!(
            start(&setting.engine, setting.mock.fhir_base()).await,
            problem,
            "{error}"
        );
        setting.mock.clear_faults();
        setting.connect(setting.patient()).await;
    }
}

#[tokio::test]
async fn callbacks_from_elsewhere_are_ignored() {
    let setting = setting().await;
    let callback = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    let long = format!(
        "org.satchel.app:/callback/x?state={}",
        "a".repeat(1024 * 1024)
    );
    for (garbage, problem) in [
        ("", "login.bad_callback"),
        ("org.satchel.app:/callback", "login.bad_callback"),
        ("\u{202e}:/?%%%", "login.bad_callback"),
        (
            "org.satchel.app:/callback?code=x&state=unknown",
            "login.unknown_state",
        ),
        (
            "com.evil.app:/callback?code=x&state=unknown",
            "login.unknown_state",
        ),
        (
            "org.satchel.app:/callback?state=a&state=b",
            "login.bad_callback",
        ),
        (long.as_str(), "login.bad_callback"),
    ] {
        let shown: String = garbage.chars().take(60).collect();
        assert_eq!(
            code(setting.engine.login_finish(garbage).await),
            problem,
            "{shown}"
        );
    }
    setting
        .engine
        .login_finish(&callback)
        .await
        .expect("the real one still counts");
    assert_eq!(
        code(setting.engine.login_finish(&callback).await),
        "login.unknown_state",
        "but only once"
    );
}

#[tokio::test]
async fn c34_an_answer_with_another_issuer_is_refused() {
    let setting = setting().await;
    setting
        .mock
        .fault(Endpoint::Authorize, FaultKind::WrongIss, 1);
    assert_eq!(setting.failed_login().await, "login.wrong_issuer");
}

#[tokio::test]
async fn d19_token_errors_are_told_whether_json_or_not() {
    for (fault, problem) in [
        (
            FaultKind::TokenError {
                error: "invalid_grant".into(),
                status: 400,
            },
            "token.refused",
        ),
        (
            FaultKind::TokenError {
                error: "invalid_request".into(),
                status: 400,
            },
            "token.refused",
        ),
        (FaultKind::NotJson, "token.bad_answer"),
        (
            FaultKind::Status {
                status: 500,
                body: "<h1>oops</h1>".into(),
                content_type: "text/html".into(),
            },
            "token.bad_answer",
        ),
    ] {
        let setting = setting().await;
        setting.mock.fault(Endpoint::Token, fault.clone(), 2);
        assert_eq!(setting.failed_login().await, problem, "{fault:?}");
        assert!(setting.engine.login_pending().await.unwrap().is_none());
    }
}

#[tokio::test]
async fn d30_an_id_token_that_does_not_hold_ends_the_login() {
    for fault in [
        IdTokenFault::WrongAudience,
        IdTokenFault::WrongIssuer,
        IdTokenFault::WrongNonce,
        IdTokenFault::AlgNone,
        IdTokenFault::Expired,
    ] {
        let setting = setting().await;
        setting
            .mock
            .fault(Endpoint::Token, FaultKind::IdToken(fault), 1);
        assert_eq!(setting.failed_login().await, "login.id_token", "{fault:?}");
        let connections = setting.engine.connections().await.unwrap();
        assert!(
            connections.iter().all(|c| c.granted.is_empty()),
            "no token of that answer is kept"
        );
    }
}

#[tokio::test]
async fn the_wrong_key_does_not_open_the_records_and_does_not_harm_them() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();
    setting.engine.close().await;
    let keychain = setting.keychain();
    let right = keychain.get("database-key").await.unwrap().unwrap();
    let file = setting.profile().join("satchel.db");
    let before = std::fs::read(&file).unwrap();

    keychain
        .set("database-key", Zeroizing::new(vec![7; 32]))
        .await
        .unwrap();
    assert_eq!(
        code(Engine::open(EngineOptions::new(setting.profile())).await),
        "store.wrong_key"
    );
    keychain.delete("database-key").await.unwrap();
    assert_eq!(
        code(Engine::open(EngineOptions::new(setting.profile())).await),
        "store.key_missing"
    );
    assert_eq!(
        std::fs::read(&file).unwrap(),
        before,
        "the file is untouched"
    );

    keychain.set("database-key", right).await.unwrap();
    let again = engine(setting.profile()).await;
    assert!(again.connection(&id).await.unwrap().record_count > 0);
}
