//! A and I: what the server says of itself.

use crate::tester::Tester;
use serde_json::Value;

fn has(list: &Value, wanted: &str) -> bool {
    list.as_array().unwrap().iter().any(|item| item == wanted)
}

#[tokio::test]
async fn a3_a4_a5_the_smart_configuration_names_every_endpoint_and_capability() {
    let tester = Tester::new().await;
    let url = format!(
        "{}/.well-known/smart-configuration",
        tester.mock.fhir_base()
    );
    let document = tester.get(&url).await;
    for name in [
        "issuer",
        "jwks_uri",
        "authorization_endpoint",
        "token_endpoint",
        "registration_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "end_session_endpoint",
    ] {
        let address = document[name].as_str().unwrap();
        assert!(
            address.starts_with(tester.mock.issuer()),
            "{name}: {address}"
        );
    }
    for (name, wanted) in [
        ("code_challenge_methods_supported", "S256"),
        ("grant_types_supported", "authorization_code"),
        ("grant_types_supported", "client_credentials"),
        ("token_endpoint_auth_methods_supported", "private_key_jwt"),
        ("token_endpoint_auth_signing_alg_values_supported", "ES384"),
        ("token_endpoint_auth_signing_alg_values_supported", "RS384"),
        ("capabilities", "launch-standalone"),
        ("capabilities", "client-confidential-asymmetric"),
        ("capabilities", "sso-openid-connect"),
        ("capabilities", "permission-v2"),
    ] {
        assert!(has(&document[name], wanted), "{name}: {wanted}");
    }
    assert!(!has(&document["code_challenge_methods_supported"], "plain"));
    assert_eq!(
        document["authorization_response_iss_parameter_supported"],
        true
    );
}

#[tokio::test]
async fn a20_a21_openid_discovery_agrees_with_the_smart_configuration() {
    let tester = Tester::new().await;
    let openid = tester
        .get(&tester.url("/.well-known/openid-configuration"))
        .await;
    assert_eq!(openid["issuer"], tester.mock.issuer());
    assert_eq!(openid["subject_types_supported"][0], "public");
    assert!(!has(
        &openid["id_token_signing_alg_values_supported"],
        "none"
    ));
    let smart = format!(
        "{}/.well-known/smart-configuration",
        tester.mock.fhir_base()
    );
    let smart = tester.get(&smart).await;
    for name in [
        "issuer",
        "jwks_uri",
        "authorization_endpoint",
        "token_endpoint",
    ] {
        assert_eq!(openid[name], smart[name], "{name}");
    }
}

#[tokio::test]
async fn a21_the_key_set_holds_public_keys_only() {
    let tester = Tester::new().await;
    let keys = tester.get(&tester.url("/auth/jwks")).await;
    for key in keys["keys"].as_array().unwrap() {
        assert_eq!(key["use"], "sig");
        assert!(key["kid"].is_string() && key["d"].is_null(), "{key}");
    }
}

#[tokio::test]
async fn a17_the_capability_statement_is_open_and_names_the_oauth_addresses() {
    let tester = Tester::new().await;
    let url = format!("{}/metadata", tester.mock.fhir_base());
    let statement = tester.get(&url).await;
    assert_eq!(statement["resourceType"], "CapabilityStatement");
    assert_eq!(statement["fhirVersion"], "4.0.1");
    let rest = &statement["rest"][0];
    let types: Vec<&str> = rest["resource"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["type"].as_str().unwrap())
        .collect();
    for wanted in [
        "Patient",
        "Observation",
        "DocumentReference",
        "Binary",
        "Provenance",
    ] {
        assert!(types.contains(&wanted), "{wanted}");
    }
    let uris = &rest["security"]["extension"][0]["extension"];
    let token = tester.url("/auth/token");
    let named = uris.as_array().unwrap().iter();
    assert!(
        named
            .clone()
            .any(|one| one["url"] == "token" && one["valueUri"] == token.as_str())
    );
}

#[tokio::test]
async fn a28_the_brands_bundle_says_who_is_behind_the_server() {
    let tester = Tester::new().await;
    let url = format!(
        "{}/.well-known/smart-configuration",
        tester.mock.fhir_base()
    );
    let smart = tester.get(&url).await;
    let bundle = tester
        .get(smart["user_access_brand_bundle"].as_str().unwrap())
        .await;
    let resource = |kind: &str| {
        let entries = bundle["entry"].as_array().unwrap().iter();
        let mut resources = entries.map(|entry| &entry["resource"]);
        resources
            .find(|one| one["resourceType"] == kind)
            .unwrap()
            .clone()
    };
    let (brand, endpoint) = (resource("Organization"), resource("Endpoint"));
    assert_eq!(
        brand["identifier"][0],
        smart["user_access_brand_identifier"]
    );
    assert_eq!(endpoint["address"], tester.mock.fhir_base());
    let reference = brand["endpoint"][0]["reference"].as_str().unwrap();
    let mut entries = bundle["entry"].as_array().unwrap().iter();
    assert!(entries.any(|entry| entry["fullUrl"] == reference && entry["resource"] == endpoint));
    let logo = brand["extension"][0]["extension"][0]["valueUrl"]
        .as_str()
        .unwrap();
    let logo = tester.http.get(logo).send().await.unwrap();
    assert_eq!(logo.headers()["Content-Type"], "image/svg+xml");
}
