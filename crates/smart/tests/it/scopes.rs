//! What is asked for.

use crate::support::Server;
use satchel_smart::discovery::SmartConfiguration;
use satchel_smart::scope::{Role, Scopes, choose_scopes};

async fn configuration(capabilities: &[&str], scopes: &[&str]) -> SmartConfiguration {
    let strings = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    SmartConfiguration {
        capabilities: strings(capabilities),
        scopes_supported: strings(scopes),
        ..Server::start().await.configuration()
    }
}

fn words(scopes: &str) -> Vec<&str> {
    scopes.split(' ').collect()
}

#[tokio::test]
async fn c9_c16_c17_a_patient_asks_for_reading_type_by_type() {
    let server = configuration(
        &["permission-v2", "permission-offline", "sso-openid-connect"],
        &[],
    )
    .await;
    let chosen = choose_scopes(Role::Patient, &server);
    let all = words(&chosen);
    for expected in [
        "launch/patient",
        "openid",
        "fhirUser",
        "offline_access",
        "patient/Patient.rs",
        "patient/Provenance.rs",
    ] {
        assert!(all.contains(&expected), "{expected}");
    }
    assert!(
        !chosen.contains('*') && !chosen.contains("online_access") && !chosen.contains(".read")
    );
    assert!(
        Scopes::parse(&chosen)
            .iter()
            .filter_map(|s| s.resource())
            .all(|s| !s.permissions.update && !s.permissions.create)
    );
}

#[tokio::test]
async fn c16_smart_1_words_where_the_server_knows_no_other() {
    for (capabilities, scopes) in [
        (&["permission-v1"][..], &[][..]),
        (&[], &["patient/Goal.read"]),
    ] {
        let chosen = choose_scopes(Role::Patient, &configuration(capabilities, scopes).await);
        assert!(
            chosen.contains("patient/Goal.read") && !chosen.contains(".rs"),
            "{chosen}"
        );
    }
    let both = choose_scopes(
        Role::Patient,
        &configuration(&["permission-v1", "permission-v2"], &[]).await,
    );
    assert!(both.contains("patient/Goal.rs"));
}

#[tokio::test]
async fn c16_only_types_that_the_server_lists_and_the_wildcard_when_it_lists_no_other() {
    let listed = [
        "patient/Goal.rs",
        "patient/Basic.rs",
        "patient/Condition.cud",
        "user/Device.rs",
    ];
    let chosen = choose_scopes(
        Role::Patient,
        &configuration(&["permission-v2"], &listed).await,
    );
    assert_eq!(words(&chosen), ["launch/patient", "patient/Goal.rs"]);
    let chosen = choose_scopes(
        Role::Patient,
        &configuration(&["permission-v2"], &["patient/*.cruds"]).await,
    );
    assert_eq!(words(&chosen), ["launch/patient", "patient/*.rs"]);
}

#[tokio::test]
async fn e2_a_backend_service_asks_for_system_scopes_only() {
    let server = configuration(
        &["permission-v2", "permission-offline", "sso-openid-connect"],
        &[],
    )
    .await;
    let chosen = choose_scopes(Role::System, &server);
    assert!(
        words(&chosen)
            .iter()
            .all(|scope| scope.starts_with("system/"))
    );
    let chosen = choose_scopes(Role::User, &server);
    assert!(
        chosen.contains("user/Patient.rs")
            && chosen.contains("launch/patient")
            && chosen.contains("openid")
    );
}

#[tokio::test]
async fn openid_is_not_asked_for_where_the_id_token_could_not_be_verified() {
    let mut server = configuration(&["permission-v2", "sso-openid-connect"], &["openid"]).await;
    server.issuer = None;
    assert!(!choose_scopes(Role::Patient, &server).contains("openid"));
}
