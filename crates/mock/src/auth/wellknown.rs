//! The two discovery documents (SMART App Launch 2.2 "Conformance", OpenID Connect Discovery 1.0)
//! and the key set.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::brands;
use super::state::AuthState;
use crate::faults::{Endpoint, FaultKind};
use crate::state::App;

/// The issuer that faulty documents and answers name.
pub(super) const OTHER_ISSUER: &str = "https://other-issuer.example";

/// `GET /fhir/.well-known/smart-configuration`
pub(super) async fn smart(State(app): State<App>) -> Response {
    Json(with_faults(
        &app,
        Endpoint::SmartConfiguration,
        smart_document(&app.auth),
    ))
    .into_response()
}

/// `GET /.well-known/openid-configuration`
pub(super) async fn openid(State(app): State<App>) -> Response {
    let document = openid_document(&app.auth);
    Json(with_faults(&app, Endpoint::OpenIdConfiguration, document)).into_response()
}

/// `GET /auth/jwks`
pub(super) async fn jwks(State(app): State<App>) -> Response {
    let mut response = Json(app.auth.published_keys()).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/jwk-set+json"),
    );
    response
}

/// `GET /smart-style.json`: how the portal looks, for apps that it opens (SMART App Launch, "Styling").
pub(super) async fn style() -> Response {
    Json(json!({
        "color_background": "#f6f7f9",
        "color_error": "#a4262c",
        "color_highlight": "#12688a",
        "color_modal_backdrop": "#1b1f24",
        "color_success": "#2b6e44",
        "color_text": "#1b1f24",
        "dim_border_radius": "6px",
        "dim_font_size": "16px",
        "dim_spacing_size": "20px",
        "font_family_body": "'Noto Sans', Helvetica, Arial, sans-serif",
        "font_family_heading": "'Noto Sans', Helvetica, Arial, sans-serif"
    }))
    .into_response()
}

fn with_faults(app: &App, endpoint: Endpoint, mut document: Value) -> Value {
    let fault = app.faults.take_if(endpoint, |fault| {
        matches!(
            fault,
            FaultKind::OtherIssuer | FaultKind::MissingTokenEndpoint
        )
    });
    match (fault, document.as_object_mut()) {
        (Some(FaultKind::OtherIssuer), Some(members)) => {
            members.insert("issuer".to_owned(), OTHER_ISSUER.into());
        }
        (Some(FaultKind::MissingTokenEndpoint), Some(members)) => {
            members.remove("token_endpoint");
        }
        _ => {}
    }
    document
}

/// What both documents say.
fn common(auth: &AuthState) -> Value {
    let methods = &auth.config.auth_methods;
    let mut document = json!({
        "issuer": auth.config.issuer,
        "jwks_uri": auth.url("/auth/jwks"),
        "authorization_endpoint": auth.url("/auth/authorize"),
        "token_endpoint": auth.token_endpoint(),
        "registration_endpoint": auth.url("/auth/register"),
        "revocation_endpoint": auth.url("/auth/revoke"),
        "end_session_endpoint": auth.url("/auth/logout"),
        "introspection_endpoint": auth.url("/auth/introspect"),
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": methods,
        "scopes_supported": [
            "openid", "fhirUser", "profile", "launch", "launch/patient", "launch/encounter",
            "offline_access",
            "patient/*.rs", "user/*.rs", "system/*.rs",
            "patient/*.read", "user/*.read", "system/*.read",
        ],
        "authorization_response_iss_parameter_supported": true,
    });
    let habits = &auth.config.quirks.scopes;
    if !habits.listed.is_empty() {
        document["scopes_supported"] = json!(habits.listed);
    } else if let Some(version) = habits.version {
        let other = if version == 1 { ".rs" } else { ".read" };
        if let Some(listed) = document["scopes_supported"].as_array_mut() {
            listed.retain(|scope| !scope.as_str().unwrap_or_default().ends_with(other));
        }
    }
    if auth.config.registration_closed {
        document
            .as_object_mut()
            .map(|members| members.remove("registration_endpoint"));
    }
    if offers(auth, "private_key_jwt") {
        document["token_endpoint_auth_signing_alg_values_supported"] = json!(["ES384", "RS384"]);
    }
    document
}

fn offers(auth: &AuthState, method: &str) -> bool {
    auth.config.auth_methods.iter().any(|known| known == method)
}

fn smart_document(auth: &AuthState) -> Value {
    let mut capabilities = vec!["launch-standalone", "launch-ehr", "authorize-post"];
    if offers(auth, "none") {
        capabilities.push("client-public");
    }
    if offers(auth, "client_secret_basic") || offers(auth, "client_secret_post") {
        capabilities.push("client-confidential-symmetric");
    }
    if offers(auth, "private_key_jwt") {
        capabilities.push("client-confidential-asymmetric");
    }
    capabilities.extend([
        "sso-openid-connect",
        "context-standalone-patient",
        "context-standalone-encounter",
        "context-ehr-patient",
        "context-ehr-encounter",
        "context-banner",
        "context-style",
        "permission-offline",
        "permission-patient",
        "permission-user",
        "permission-v1",
        "permission-v2",
    ]);
    match auth.config.quirks.scopes.version {
        Some(1) => capabilities.retain(|one| *one != "permission-v2"),
        Some(_) => capabilities.retain(|one| *one != "permission-v1"),
        None => {}
    }
    let mut document = common(auth);
    document["capabilities"] = json!(capabilities);
    let (bundle, identifier) = brands::members(auth);
    document["user_access_brand_bundle"] = bundle;
    document["user_access_brand_identifier"] = identifier;
    document
}

fn openid_document(auth: &AuthState) -> Value {
    let mut document = common(auth);
    document["grant_types_supported"] =
        json!(["authorization_code", "refresh_token", "client_credentials"]);
    document["subject_types_supported"] = json!(["public"]);
    document["id_token_signing_alg_values_supported"] = json!(["RS256", "ES384"]);
    document["claims_supported"] = json!([
        "iss", "sub", "aud", "exp", "iat", "nonce", "fhirUser", "name"
    ]);
    document
}
