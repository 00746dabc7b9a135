//! User-access brands (SMART App Launch 2.2, "User-access Brands and Endpoints"): who is behind this
//! server, in a bundle that directories of servers collect.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::state::AuthState;
use crate::state::App;

const SYSTEM: &str = "urn:ietf:rfc:3986";
const BRAND: &str = "https://riverbend.example";
const PROFILES: &str = "http://hl7.org/fhir/smart-app-launch/StructureDefinition";

/// Where the bundle is, and which of its brands this server is.
pub(super) fn members(auth: &AuthState) -> (Value, Value) {
    (
        auth.url("/brands").into(),
        json!({"system": SYSTEM, "value": BRAND}),
    )
}

/// `GET /brands`
pub(super) async fn bundle(State(app): State<App>) -> Response {
    let auth = &app.auth;
    let (organization, endpoint) = (
        auth.url("/brands/Organization/riverbend"),
        auth.url("/brands/Endpoint/r4"),
    );
    let bundle = json!({
        "resourceType": "Bundle",
        "id": "brands",
        "meta": {"profile": [format!("{PROFILES}/user-access-brands-bundle")]},
        "type": "collection",
        "timestamp": "2026-01-01T00:00:00Z",
        "entry": [
            {"fullUrl": organization, "resource": {
                "resourceType": "Organization",
                "id": "riverbend",
                "meta": {"profile": [format!("{PROFILES}/user-access-brand")]},
                "extension": [{
                    "url": format!("{PROFILES}/organization-brand"),
                    "extension": [{"url": "brandLogo", "valueUrl": auth.url("/brands/logo.svg")}],
                }, {
                    "url": format!("{PROFILES}/organization-portal"),
                    "extension": [
                        {"url": "portalName", "valueString": "Riverbend patient portal"},
                        {"url": "portalUrl", "valueUrl": auth.url("/portal")},
                        {"url": "portalEndpoint", "valueReference": {"reference": endpoint}},
                    ],
                }],
                "active": true,
                "identifier": [{"system": SYSTEM, "value": BRAND}],
                "name": "Riverbend Health (imitation)",
                "telecom": [{"system": "url", "value": BRAND}],
                "address": [{"city": "Riverbend", "state": "MN", "postalCode": "55000", "country": "US"}],
                "endpoint": [{"reference": endpoint}],
            }},
            {"fullUrl": endpoint, "resource": {
                "resourceType": "Endpoint",
                "id": "r4",
                "meta": {"profile": [format!("{PROFILES}/user-access-endpoint")]},
                "extension": [{
                    "url": "http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version",
                    "valueCode": "4.0.1",
                }],
                "status": "active",
                "connectionType": {
                    "system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type",
                    "code": "hl7-fhir-rest",
                },
                "name": "FHIR R4",
                "contact": [{"system": "url", "value": BRAND}],
                "payloadType": [{"coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/endpoint-payload-type",
                    "code": "none",
                }]}],
                "address": auth.config.fhir_base,
            }},
        ],
    });
    let json = HeaderValue::from_static("application/fhir+json; charset=utf-8");
    ([(header::CONTENT_TYPE, json)], bundle.to_string()).into_response()
}

/// `GET /brands/logo.svg`
pub(super) async fn logo() -> Response {
    let picture = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 64 64\"><rect width=\"64\" height=\"64\" rx=\"12\" fill=\"#0b5a8a\"/><path d=\"M10 40c10-14 20 6 44-12\" fill=\"none\" stroke=\"#fff\" stroke-width=\"6\"/></svg>";
    let svg = HeaderValue::from_static("image/svg+xml");
    ([(header::CONTENT_TYPE, svg)], picture).into_response()
}
