//! What a server says about itself, meant to lead astray (checklist A7, A8, A24, H10).

use super::rogue::{Rogue, foiled, json_answer, victim};
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

#[rstest]
#[case::tokens_without_protection(json!({"token_endpoint": "http://ehr.example/token"}), "not protected by https")]
#[case::sign_in_without_protection(json!({"authorization_endpoint": "http://ehr.example/authorize"}), "authorization_endpoint")]
#[case::registration_without_protection(json!({"registration_endpoint": "http://ehr.example/register"}), "registration_endpoint")]
#[case::keys_without_protection(json!({"jwks_uri": "http://ehr.example/jwks"}), "jwks_uri")]
#[case::tokens_at_the_clouds_own_address(json!({"token_endpoint": "http://169.254.169.254/latest/meta-data"}), "169.254.169.254")]
#[case::registration_in_the_home_network(json!({"registration_endpoint": "http://192.168.0.1/admin"}), "192.168.0.1")]
#[case::keys_on_a_printer(json!({"jwks_uri": "http://printer.local/jwks"}), "printer.local")]
#[case::the_issuer_is_a_file(json!({"issuer": "file:///etc/passwd"}), "issuer")]
#[case::sign_in_is_a_script(json!({"authorization_endpoint": "javascript:alert(1)"}), "authorization_endpoint")]
#[case::sign_in_is_a_file(json!({"authorization_endpoint": "file:///etc/passwd"}), "authorization_endpoint")]
#[case::sign_in_is_our_own_link(json!({"authorization_endpoint": "org.satchel.app:/callback/x"}), "authorization_endpoint")]
#[case::tokens_behind_a_name_and_password(json!({"token_endpoint": "https://ehr.example@evil.example/token"}), "token_endpoint")]
#[case::tokens_with_a_fragment(json!({"token_endpoint": "https://evil.example/token#ehr.example"}), "token_endpoint")]
#[case::tokens_at_an_address_that_takes_the_scheme_of_ours(json!({"token_endpoint": "//evil.example/token"}), "token_endpoint")]
#[case::tokens_are_a_list(json!({"token_endpoint": ["https://a.example/t", "https://b.example/t"]}), "token_endpoint")]
#[case::tokens_nowhere(json!({"token_endpoint": null}), "lacks token_endpoint")]
#[case::sign_in_nowhere(json!({"authorization_endpoint": null}), "lacks authorization_endpoint")]
#[tokio::test]
async fn a8_a_description_that_says(#[case] document: Value, #[case] names: &str) {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.says(&document);
    let result = rogue.sign_in(&victim.engine).await;
    foiled(&victim.engine, result, "server.bad_configuration", names).await;
    let all = rogue.all_requests().await;
    assert!(
        all.iter().all(|one| one.method.as_str() == "GET"),
        "nothing was sent"
    );
}

#[rstest]
#[case::a_page(ResponseTemplate::new(200).set_body_raw("<h1>hello</h1>", "text/html"))]
#[case::a_list(json_answer(200, &json!(["token_endpoint"])))]
#[case::nothing(ResponseTemplate::new(200))]
#[case::a_hundred_thousand_brackets(
    ResponseTemplate::new(200).set_body_raw("[".repeat(100_000), "application/json"))]
#[case::bytes_that_are_no_text(
    ResponseTemplate::new(200).set_body_raw(vec![0xff; 64], "application/json"))]
#[tokio::test]
async fn a24_a_description_that_is(#[case] answer: ResponseTemplate) {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.answer("/fhir/.well-known/smart-configuration", answer);
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "server.bad_configuration",
        "not a JSON object",
    )
    .await;
}

#[tokio::test]
async fn a17_endpoints_of_a_capability_statement_are_held_to_the_same_rules() {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.answer(
        "/fhir/.well-known/smart-configuration",
        ResponseTemplate::new(404),
    );
    let uri = |name: &str, to: &str| json!({"url": name, "valueUri": to});
    let statement = json!({"resourceType": "CapabilityStatement", "status": "active",
        "fhirVersion": "4.0.1", "rest": [{"mode": "server", "security": {"extension": [{
            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
            "extension": [uri("authorize", "https://ehr.example/authorize"),
                uri("token", "http://169.254.169.254/token")]}]}}]});
    rogue.answer("/fhir/metadata", json_answer(200, &statement));
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "server.bad_configuration",
        "169.254.169.254",
    )
    .await;
}

#[tokio::test]
async fn a6_a_capability_statement_cannot_talk_pkce_away() {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.answer(
        "/fhir/.well-known/smart-configuration",
        ResponseTemplate::new(404),
    );
    let uri = |name: &str| json!({"url": name, "valueUri": format!("{}/{name}", rogue.uri())});
    let statement = json!({"resourceType": "CapabilityStatement", "status": "active",
        "fhirVersion": "4.0.1", "rest": [{"mode": "server", "security": {"extension": [{
            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
            "extension": [uri("authorize"), uri("token"), uri("register")]}]}}]});
    rogue.answer("/fhir/metadata", json_answer(200, &statement));
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "server.pkce_missing",
        "PKCE with S256",
    )
    .await;
}
