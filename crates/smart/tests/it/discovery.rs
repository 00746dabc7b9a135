//! What a server says about itself, right and wrong.

use crate::support::{Server, client, json_answer, merge, policy};
use satchel_smart::discovery::{DiscoveryError, SmartConfiguration, discover, discover_again};
use satchel_smart::http::{FhirBaseUrl, HttpClient, HttpError, HttpPolicy};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

const WELL_KNOWN: &str = "/fhir/.well-known/smart-configuration";
const OPENID: &str = "/fhir/.well-known/openid-configuration";

async fn discover_document(
    server: &Server,
    document: &str,
) -> Result<SmartConfiguration, DiscoveryError> {
    server
        .answer("GET", WELL_KNOWN, json_answer(200, document))
        .await;
    discover(&client(), &server.base).await
}

/// Discovery of a good document with `changes` made to it.
async fn with_changes(changes: Value) -> Result<SmartConfiguration, DiscoveryError> {
    let server = Server::start().await;
    let mut document = server.document();
    merge(&mut document, changes);
    discover_document(&server, &document.to_string()).await
}

#[tokio::test]
async fn a1_a5_a_good_document_is_read_from_below_the_fhir_base() {
    let server = Server::start().await;
    let document = server.document();
    let found = discover_document(&server, &document.to_string())
        .await
        .unwrap();
    assert_eq!(found.token_endpoint, server.url("/token"));
    assert_eq!(found.authorization_endpoint, Some(server.url("/authorize")));
    assert_eq!(found.issuer.as_deref(), Some(server.base.as_str()));
    assert!(found.supports("permission-v2") && !found.supports("launch-ehr"));
    assert_eq!(found.raw, document.to_string());
    let stored: SmartConfiguration =
        serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
    assert_eq!(stored, found);
}

#[tokio::test]
async fn a2_the_content_type_does_not_matter() {
    let server = Server::start().await;
    let body = server.document().to_string();
    for content_type in [
        "application/json; charset=UTF-8",
        "text/plain",
        "application/fhir+json",
    ] {
        server.mock.reset().await;
        let answer = ResponseTemplate::new(200).set_body_raw(body.clone(), content_type);
        server.answer("GET", WELL_KNOWN, answer).await;
        assert!(
            discover(&client(), &server.base).await.is_ok(),
            "{content_type}"
        );
    }
}

#[tokio::test]
async fn a6_without_s256_there_is_no_login() {
    for methods in [json!(["plain"]), json!([]), Value::Null, json!("S256")] {
        let found = with_changes(json!({"code_challenge_methods_supported": methods})).await;
        assert!(
            matches!(found, Err(DiscoveryError::PkceS256NotSupported)),
            "{methods}"
        );
    }
}

#[tokio::test]
async fn a7_a_relative_endpoint_is_resolved_against_the_base() {
    let server = Server::start().await;
    let mut document = server.document();
    merge(
        &mut document,
        json!({"token_endpoint": "oauth/token", "registration_endpoint": "/reg"}),
    );
    let found = discover_document(&server, &document.to_string())
        .await
        .unwrap();
    assert_eq!(found.token_endpoint, server.url("/fhir/oauth/token"));
    assert_eq!(found.registration_endpoint, Some(server.url("/reg")));
}

#[tokio::test]
async fn a8_every_endpoint_is_https_or_loopback() {
    let names = [
        "authorization_endpoint",
        "token_endpoint",
        "registration_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "management_endpoint",
        "jwks_uri",
        "issuer",
    ];
    for name in names {
        let found = with_changes(json!({name: "http://ehr.example/x"})).await;
        assert!(
            matches!(found, Err(DiscoveryError::InsecureEndpoint { name: n, .. }) if n == name),
            "{name}"
        );
        for bad in [
            "https://u:p@ehr.example/x",
            "https://ehr.example/x#y",
            "javascript:alert(1)",
            "https://",
            "file:///x",
        ] {
            let found = with_changes(json!({name: bad})).await;
            assert!(
                matches!(found, Err(DiscoveryError::InvalidEndpoint { name: n, .. }) if n == name),
                "{name} {bad}"
            );
        }
        let found = with_changes(json!({name: 7})).await;
        assert!(
            matches!(found, Err(DiscoveryError::InvalidEndpoint { .. })),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a8_loopback_http_is_refused_where_the_policy_does_not_allow_it() {
    let server = Server::start().await;
    let strict = HttpClient::new(HttpPolicy {
        allow_http_on_loopback: false,
        ..policy()
    })
    .unwrap();
    let found = discover(&strict, &server.base).await;
    assert!(matches!(
        found,
        Err(DiscoveryError::Http(HttpError::NotHttps { .. }))
    ));
    assert!(server.mock.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a11_odd_members_of_lists_are_skipped() {
    let found = with_changes(json!({
        "capabilities": ["launch-standalone", 7, null, "context-passthrough-banner", "https://x.example/cap", {"a": 1}],
        "scopes_supported": "openid"
    }))
    .await
    .unwrap();
    assert_eq!(
        found.capabilities,
        [
            "launch-standalone",
            "context-passthrough-banner",
            "https://x.example/cap"
        ]
    );
    assert!(found.scopes_supported.is_empty());
}

#[tokio::test]
async fn a_missing_endpoint_is_named() {
    for name in ["token_endpoint", "authorization_endpoint"] {
        for missing in [Value::Null, json!("")] {
            let found = with_changes(json!({name: missing})).await;
            assert!(
                matches!(found, Err(DiscoveryError::MissingEndpoint { name: n }) if n == name),
                "{name}"
            );
        }
    }
    let backend_only = json!({"authorization_endpoint": null, "capabilities": ["client-confidential-asymmetric"],
        "code_challenge_methods_supported": null});
    assert!(
        with_changes(backend_only)
            .await
            .unwrap()
            .authorization_endpoint
            .is_none()
    );
}

#[tokio::test]
async fn a24_what_is_not_a_json_object_is_refused() {
    for body in [
        "",
        "<!doctype html><html></html>",
        "[]",
        "[{}]",
        "null",
        "7",
        "{\"token_endpoint\": ",
        "\u{feff}",
    ] {
        let server = Server::start().await;
        let found = discover_document(&server, body).await;
        assert!(matches!(found, Err(DiscoveryError::NotJson)), "{body}");
    }
    let server = Server::start().await;
    server
        .answer(
            "GET",
            WELL_KNOWN,
            ResponseTemplate::new(200).set_body_bytes([0xff, 0xfe, b'{']),
        )
        .await;
    assert!(matches!(
        discover(&client(), &server.base).await,
        Err(DiscoveryError::NotJson)
    ));
}

#[tokio::test]
async fn a17_something_else_than_fhir_is_told_from_fhir_without_smart() {
    let server = Server::start().await;
    let nothing = discover(&client(), &server.base).await;
    assert!(
        matches!(nothing, Err(DiscoveryError::NotFhir)),
        "404 everywhere"
    );
    for (body, is_fhir) in [
        ("<html>hello</html>", false),
        ("{\"hello\": 1}", false),
        (
            r#"{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1"}"#,
            true,
        ),
        (r#"{"resourceType":"OperationOutcome","issue":[]}"#, true),
    ] {
        server.mock.reset().await;
        server
            .answer("GET", "/fhir/metadata", json_answer(200, body))
            .await;
        match discover(&client(), &server.base).await {
            Err(DiscoveryError::NotSmart { status: 404 }) => assert!(is_fhir, "{body}"),
            Err(DiscoveryError::NotFhir) => assert!(!is_fhir, "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a17_endpoints_of_an_old_server_are_found_but_without_pkce_there_is_no_login() {
    let server = Server::start().await;
    let statement = |authorize: &str| {
        json!({"resourceType": "CapabilityStatement", "rest": [{"mode": "server", "security": {"extension": [{
            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
            "extension": [{"url": "token", "valueUri": server.url("/token")}, {"url": authorize, "valueUri": server.url("/authorize")}]
        }]}}]})
        .to_string()
    };
    server
        .answer(
            "GET",
            "/fhir/metadata",
            json_answer(200, &statement("authorize")),
        )
        .await;
    assert!(matches!(
        discover(&client(), &server.base).await,
        Err(DiscoveryError::PkceS256NotSupported)
    ));
    server.mock.reset().await;
    server
        .answer(
            "GET",
            "/fhir/metadata",
            json_answer(200, &statement("other")),
        )
        .await;
    assert_eq!(
        discover(&client(), &server.base)
            .await
            .unwrap()
            .token_endpoint,
        server.url("/token")
    );
}

#[tokio::test]
async fn a17_a_server_error_is_not_taken_for_an_old_server() {
    let server = Server::start().await;
    server
        .answer("GET", WELL_KNOWN, ResponseTemplate::new(503))
        .await;
    let found = discover(&client(), &server.base).await;
    assert!(matches!(
        found,
        Err(DiscoveryError::Http(HttpError::Status { status: 503, .. }))
    ));
    assert!(server.requests("/fhir/metadata").await.is_empty());
}

#[tokio::test]
async fn a18_the_openid_configuration_fills_in_keys_and_the_iss_promise() {
    let server = Server::start().await;
    let mut document = server.document();
    merge(&mut document, json!({"jwks_uri": null}));
    let openid = json!({"issuer": server.base.as_str(), "jwks_uri": server.url("/keys"),
        "authorization_response_iss_parameter_supported": true});
    server
        .answer("GET", OPENID, json_answer(200, &openid.to_string()))
        .await;
    let found = discover_document(&server, &document.to_string())
        .await
        .unwrap();
    assert_eq!(found.jwks_uri, Some(server.url("/keys")));
    assert!(found.iss_parameter_supported);
}

#[tokio::test]
async fn a19_a20_the_issuers_own_metadata_must_name_it_code_point_for_code_point() {
    for named in ["{base}/", "{base}#", "https://other.example/fhir", ""] {
        let server = Server::start().await;
        let issuer = named.replace("{base}", server.base.as_str());
        let openid = json!({"issuer": issuer, "jwks_uri": "https://other.example/keys"});
        server
            .answer("GET", OPENID, json_answer(200, &openid.to_string()))
            .await;
        let document = server.document().to_string();
        match discover_document(&server, &document).await {
            Err(DiscoveryError::IssuerMismatch { expected, found }) => {
                assert_eq!((expected.as_str(), found), (server.base.as_str(), issuer));
            }
            other => panic!("{named}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a20_an_issuer_of_another_origin_must_vouch_for_this_server() {
    let (server, other) = (Server::start().await, Server::start().await);
    let mut document = server.document();
    merge(&mut document, json!({"issuer": other.base.as_str()}));
    let document = document.to_string();
    // It says nothing about itself.
    let silent = discover_document(&server, &document).await;
    assert!(matches!(silent, Err(DiscoveryError::IssuerMismatch { .. })));
    // It is itself, with its own endpoints: a server that borrows its name gets nowhere.
    let own = json!({"issuer": other.base.as_str(), "token_endpoint": other.url("/token")});
    other
        .answer("GET", OPENID, json_answer(200, &own.to_string()))
        .await;
    let borrowed = discover(&client(), &server.base).await;
    assert!(matches!(
        borrowed,
        Err(DiscoveryError::IssuerMismatch { .. })
    ));
    // It names the token endpoint that the FHIR server names.
    other.mock.reset().await;
    let vouches = json!({"issuer": other.base.as_str(), "token_endpoint": server.url("/token")});
    other
        .answer("GET", OPENID, json_answer(200, &vouches.to_string()))
        .await;
    let vouched = discover(&client(), &server.base).await.unwrap();
    assert_eq!(vouched.issuer.as_deref(), Some(other.base.as_str()));
}

#[tokio::test]
async fn a18_the_form_of_rfc_8414_is_the_fallback() {
    let server = Server::start().await;
    let metadata = json!({"issuer": "https://wrong.example"}).to_string();
    server
        .answer(
            "GET",
            "/.well-known/oauth-authorization-server/fhir",
            json_answer(200, &metadata),
        )
        .await;
    let document = server.document().to_string();
    let found = discover_document(&server, &document).await;
    assert!(matches!(found, Err(DiscoveryError::IssuerMismatch { .. })));
}

#[tokio::test]
async fn nothing_listens_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let base = FhirBaseUrl::parse(&format!("http://127.0.0.1:{port}/fhir"), &policy()).unwrap();
    match discover(&client(), &base).await {
        Err(DiscoveryError::Http(error)) => assert!(error.is_unreachable(), "{error:?}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a19_a23_a_description_that_did_not_change_is_not_confirmed_twice() {
    let server = Server::start().await;
    let document = server.document();
    let openid = json!({"issuer": server.base.as_str(), "authorization_response_iss_parameter_supported": true});
    server
        .answer("GET", OPENID, json_answer(200, &openid.to_string()))
        .await;
    let known = discover_document(&server, &document.to_string())
        .await
        .unwrap();
    let again = discover_again(&client(), &server.base, &known)
        .await
        .unwrap();
    assert_eq!(again, known);
    assert!(again.iss_parameter_supported);
    assert_eq!(server.requests(OPENID).await.len(), 1);

    // One character is enough to ask the issuer again.
    server.mock.reset().await;
    let changed = format!("{document} ");
    let wrong = json!({"issuer": "https://other.example"});
    server
        .answer("GET", OPENID, json_answer(200, &wrong.to_string()))
        .await;
    server
        .answer("GET", WELL_KNOWN, json_answer(200, &changed))
        .await;
    let refused = discover_again(&client(), &server.base, &known).await;
    assert!(matches!(
        refused,
        Err(DiscoveryError::IssuerMismatch { .. })
    ));
}
