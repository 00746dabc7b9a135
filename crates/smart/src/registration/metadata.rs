//! What a client says about itself.

use serde::{Deserialize, Serialize};

/// Client metadata (RFC 7591 §2). Empty members are left out, except `response_types`, whose absence
/// would mean `code`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientMetadata {
    /// `redirect_uris`: exact strings that will be used later; empty for a backend service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<String>,
    /// `client_name`, shown at consent.
    pub client_name: String,
    /// `client_uri`: the publisher's page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// `logo_uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// `policy_uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// `tos_uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// `contacts`: the publisher's, never the patient's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// `software_id`: the same for all installations and versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// `software_version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// `software_statement`: a JWT of the publisher (§2.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_statement: Option<String>,
    /// `scope`: everything that the client may ever ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// `grant_types`; without `refresh_token` here there is no refresh.
    #[serde(default)]
    pub grant_types: Vec<String>,
    /// `response_types`: `code`, or none for a backend service.
    #[serde(default)]
    pub response_types: Vec<String>,
    /// `token_endpoint_auth_method`, always sent.
    pub token_endpoint_auth_method: String,
    /// `jwks` by value: a native app has no URL to put them at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<serde_json::Value>,
    /// `jwks_uri`: where an organisation hosts the keys of its backend service; then there is no `jwks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// `application_type` (OpenID Connect Dynamic Registration §2): `native` for an app that a
    /// person installs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_type: Option<String>,
    /// `initiate_login_uri` (OpenID Connect Dynamic Registration §2): where an EHR or a portal opens
    /// the app, with `iss` and `launch` (SMART App Launch 2.2, "Launch from EHR").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
}
