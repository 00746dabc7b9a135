//! What a server can do, and how far its documents may send us.

use crate::support::{Server, client, json_answer, merge, policy, public_client};
use satchel_smart::capabilities::CapabilitySet;
use satchel_smart::discovery::{DiscoveryError, SmartConfiguration, discover};
use satchel_smart::http::{FhirBaseUrl, HttpError, HttpPolicy};
use satchel_smart::scope::{Role, choose_scopes};
use satchel_smart::udap::{UdapMetadata, udap_metadata};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

const WELL_KNOWN: &str = "/fhir/.well-known/smart-configuration";

async fn with_changes(changes: Value) -> Result<SmartConfiguration, DiscoveryError> {
    let server = Server::start().await;
    let mut document = server.document();
    merge(&mut document, changes);
    server
        .answer("GET", WELL_KNOWN, json_answer(200, &document.to_string()))
        .await;
    discover(&client(), &server.base).await
}

async fn with_capabilities(capabilities: &[&str]) -> SmartConfiguration {
    with_changes(json!({ "capabilities": capabilities }))
        .await
        .unwrap()
}

#[tokio::test]
async fn a10_launches_and_roles_follow_the_capabilities() {
    // Capabilities, standalone, from the EHR, patients, users.
    let cases: [(&[&str], [bool; 4]); 6] = [
        (&[], [true, false, true, true]),
        (
            &["launch-standalone", "permission-patient"],
            [true, false, true, false],
        ),
        (
            &["launch-ehr", "permission-user"],
            [false, true, false, true],
        ),
        (
            &[
                "launch-ehr",
                "launch-standalone",
                "permission-patient",
                "permission-user",
            ],
            [true, true, true, true],
        ),
        (
            &["launch-standalone", "permission-user"],
            [true, false, false, true],
        ),
        (&["sso-openid-connect"], [true, false, true, false]),
    ];
    for (capabilities, expected) in cases {
        let server = with_capabilities(capabilities).await;
        let found = [
            server.launches_standalone(),
            server.launches_from_ehr(),
            server.serves_patients(),
            server.serves_users(),
        ];
        assert_eq!(found, expected, "{capabilities:?}");
    }
    let backend = with_changes(json!({
        "authorization_endpoint": null,
        "capabilities": ["client-confidential-asymmetric"],
    }))
    .await
    .unwrap();
    assert!(backend.serves_backends() && !backend.launches_standalone());
}

#[tokio::test]
async fn a12_each_capability_set_is_told_and_what_it_lacks() {
    let sets: [(CapabilitySet, &[&str]); 4] = [
        (
            CapabilitySet::PatientStandalone,
            &[
                "launch-standalone",
                "client-public",
                "context-standalone-patient",
                "permission-patient",
            ],
        ),
        (
            CapabilitySet::PatientEhr,
            &[
                "launch-ehr",
                "client-confidential-symmetric",
                "context-ehr-patient",
                "permission-patient",
            ],
        ),
        (
            CapabilitySet::ClinicianStandalone,
            &[
                "launch-standalone",
                "client-public",
                "permission-user",
                "permission-patient",
            ],
        ),
        (
            CapabilitySet::ClinicianEhr,
            &[
                "launch-ehr",
                "client-public",
                "context-ehr-patient",
                "context-ehr-encounter",
                "permission-user",
                "permission-patient",
            ],
        ),
    ];
    for (set, listed) in sets {
        assert!(
            set.missing(&with_capabilities(listed).await).is_empty(),
            "{set:?}"
        );
        for (index, left_out) in listed.iter().enumerate() {
            let mut fewer = listed.to_vec();
            fewer.remove(index);
            let missing = set.missing(&with_capabilities(&fewer).await);
            let expected = if left_out.starts_with("client-") {
                "client-public"
            } else {
                left_out
            };
            assert_eq!(missing, [expected], "{set:?} without {left_out}");
        }
    }
}

#[tokio::test]
async fn a14_what_the_scope_list_leaves_out_may_still_be_asked_for() {
    let server = with_changes(json!({"scopes_supported": ["openid"]}))
        .await
        .unwrap();
    let chosen = choose_scopes(Role::Patient, &server);
    for scope in ["launch/patient", "patient/Condition.rs", "fhirUser"] {
        assert!(
            chosen.split(' ').any(|asked| asked == scope),
            "{scope}: {chosen}"
        );
    }
}

#[tokio::test]
async fn a15_endpoints_that_may_be_there_are_read_when_they_are() {
    let found = with_changes(json!({
        "introspection_endpoint": "https://ehr.example/introspect",
        "management_endpoint": "https://ehr.example/manage?tab=apps",
        "associated_endpoints": [
            {"url": "https://imaging.example/fhir", "capabilities": ["launch-ehr", 7]},
            {"url": "http://insecure.example/fhir"}, {"capabilities": []}, "x", null,
        ],
    }))
    .await
    .unwrap();
    assert_eq!(
        found.management_endpoint.unwrap().as_str(),
        "https://ehr.example/manage?tab=apps"
    );
    assert!(found.introspection_endpoint.is_some() && found.revocation_endpoint.is_some());
    let [imaging] = found.associated_endpoints.as_slice() else {
        panic!("one can be used")
    };
    assert_eq!(imaging.url.as_str(), "https://imaging.example/fhir");
    assert_eq!(imaging.capabilities, ["launch-ehr"]);
    let bare = with_changes(json!({"revocation_endpoint": null, "registration_endpoint": null}))
        .await
        .unwrap();
    assert!(bare.revocation_endpoint.is_none() && bare.management_endpoint.is_none());
}

#[tokio::test]
async fn a16_a_missing_registration_endpoint_is_not_guessed() {
    let server = Server::start().await;
    let mut document = server.document();
    merge(&mut document, json!({"registration_endpoint": null}));
    server
        .answer("GET", WELL_KNOWN, json_answer(200, &document.to_string()))
        .await;
    let found = discover(&client(), &server.base).await.unwrap();
    assert_eq!(found.registration_endpoint, None);
    assert!(server.requests("/register").await.is_empty());
}

#[tokio::test]
async fn a25_the_link_to_a_brand_is_read_and_a_bad_one_is_none() {
    let link = |bundle: Value| {
        json!({
            "user_access_brand_bundle": bundle,
            "user_access_brand_identifier": {"system": "urn:ietf:rfc:3986", "value": "https://x.example"},
        })
    };
    let brand = with_changes(link(json!("https://x.example/brands")))
        .await
        .unwrap()
        .brand;
    let identifier = brand.unwrap().identifier.unwrap();
    assert_eq!(identifier.value, "https://x.example");
    for bad in [
        json!("http://x.example/brands"),
        json!("javascript:alert(1)"),
        json!(7),
        json!(""),
    ] {
        assert_eq!(
            with_changes(link(bad.clone())).await.unwrap().brand,
            None,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a29_no_udap_is_told_from_udap() {
    for (status, body, expected) in [
        (404, "", None),
        (204, "", None),
        (200, "<html></html>", None),
        (200, "[]", None),
        (200, "{}", None),
        (
            200,
            r#"{"udap_versions_supported": ["1"], "udap_profiles_supported": ["udap_dcr", 7], "signed_metadata": "x.y.z"}"#,
            Some(UdapMetadata {
                profiles: vec!["udap_dcr".into()],
                signed: true,
            }),
        ),
    ] {
        let server = Server::start().await;
        server
            .answer("GET", "/fhir/.well-known/udap", json_answer(status, body))
            .await;
        assert_eq!(
            udap_metadata(&client(), &server.base).await.unwrap(),
            expected,
            "{status} {body}"
        );
    }
    let server = Server::start().await;
    server
        .answer("GET", "/fhir/.well-known/udap", ResponseTemplate::new(500))
        .await;
    assert!(udap_metadata(&client(), &server.base).await.is_err());
}

#[tokio::test]
async fn h10_a_public_server_cannot_send_us_into_the_own_network() {
    // Nothing answers at this base; the document is checked as if it had come from there.
    let public = FhirBaseUrl::parse("https://ehr.example/fhir", &HttpPolicy::default()).unwrap();
    let server = Server::start().await;
    for name in [
        "token_endpoint",
        "authorization_endpoint",
        "registration_endpoint",
        "jwks_uri",
    ] {
        for address in [
            "https://127.0.0.1/x",
            "https://10.0.0.8/x",
            "https://169.254.169.254/x",
            "https://printer.local/x",
        ] {
            let mut document = server.document();
            for (member, value) in document.clone().as_object().unwrap() {
                if value.as_str().is_some_and(|text| text.starts_with("http")) {
                    document[member] = json!("https://ehr.example/x");
                }
            }
            document[name] = json!(address);
            let found =
                SmartConfiguration::read(&policy(), &public, document.to_string().as_bytes());
            assert!(
                matches!(found, Err(DiscoveryError::PrivateEndpoint { name: n, .. }) if n == name),
                "{name} {address}: {found:?}"
            );
        }
    }
}

#[tokio::test]
async fn h10_a_client_for_public_hosts_goes_nowhere_else() {
    let server = Server::start().await;
    for base in [
        server.base.as_str(),
        "https://localhost/fhir",
        "https://192.168.0.1/fhir",
    ] {
        let base = FhirBaseUrl::parse(base, client().policy()).unwrap();
        let found = udap_metadata(&public_client(), &base).await;
        assert!(
            matches!(found, Err(HttpError::PrivateHost { .. })),
            "{found:?}"
        );
    }
    assert!(server.mock.received_requests().await.unwrap().is_empty());
}
