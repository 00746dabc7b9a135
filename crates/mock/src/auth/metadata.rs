//! What a client says of itself when it registers, checked (RFC 7591 §2).

use serde_json::{Map, Value, json};

use super::answer::OAuthError;
use super::clients::{Method, check_belongs, check_redirect_uri};
use super::register::JWT_BEARER;
use super::state::AuthState;
use super::{key_sets, scopes};

/// Members that are kept and given back as they are, if they are text.
const PLAIN_MEMBERS: [&str; 12] = [
    "client_name",
    "client_uri",
    "logo_uri",
    "tos_uri",
    "policy_uri",
    "software_id",
    "software_version",
    "application_type",
    "initiate_login_uri",
    "id_token_signed_response_alg",
    "software_statement",
    "jwks_uri",
];

/// Members of a JWK that only a private or a symmetric key has.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

pub(super) fn metadata_error(description: &'static str) -> OAuthError {
    OAuthError::new("invalid_client_metadata", description)
}

pub(super) fn read_object(body: &[u8]) -> Result<Map<String, Value>, OAuthError> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(asked)) => Ok(asked),
        Ok(_) => Err(metadata_error("the body is not a JSON object")),
        Err(_) => Err(metadata_error("the body is not JSON")),
    }
}

/// What a client says of itself, checked.
pub(super) struct Described {
    pub(super) method: Method,
    pub(super) method_name: String,
    pub(super) grant_types: Vec<String>,
    pub(super) response_types: Vec<String>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) keys: Vec<Value>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) name: String,
    /// Members that are kept as they are.
    pub(super) plain: Map<String, Value>,
}

impl Described {
    pub(super) fn has_secret(&self) -> bool {
        matches!(self.method, Method::Basic | Method::Post)
    }
}

pub(super) fn describe(
    auth: &AuthState,
    asked: &Map<String, Value>,
) -> Result<Described, OAuthError> {
    let method_name = text(asked, "token_endpoint_auth_method")?.unwrap_or("client_secret_basic");
    let method = Method::parse(method_name)
        .filter(|_| {
            auth.config
                .auth_methods
                .iter()
                .any(|known| known == method_name)
        })
        .ok_or_else(|| metadata_error("token_endpoint_auth_method is not on offer"))?;
    let (grant_types, response_types) = flows(asked, method)?;
    let redirect_uris = redirect_uris(asked, &grant_types)?;
    if auth.config.policy.strict_redirects {
        let home = text(asked, "client_uri")?;
        for uri in &redirect_uris {
            check_belongs(uri, home)
                .map_err(|reason| OAuthError::new("invalid_redirect_uri", reason))?;
        }
    }
    let keys = keys(asked, method)?;
    let scopes = text(asked, "scope")?.map(|scope| {
        let mut scopes = scopes::split(scope);
        scopes.retain(|scope| scopes::known_for_people(scope) || scopes::known_for_services(scope));
        scopes
    });
    let mut plain = Map::new();
    for name in PLAIN_MEMBERS {
        if let Some(value) = text(asked, name)? {
            plain.insert(name.to_owned(), value.into());
        }
    }
    if let Some(uri) = text(asked, "initiate_login_uri")? {
        check_redirect_uri(uri).map_err(metadata_error)?;
    }
    if let Some(uris) = list(asked, "post_logout_redirect_uris")? {
        for uri in &uris {
            check_redirect_uri(uri).map_err(metadata_error)?;
        }
        plain.insert("post_logout_redirect_uris".to_owned(), json!(uris));
    }
    if let Some(contacts) = list(asked, "contacts")? {
        plain.insert("contacts".to_owned(), json!(contacts));
    }
    Ok(Described {
        method,
        method_name: method_name.to_owned(),
        grant_types,
        response_types,
        redirect_uris,
        keys,
        scopes,
        name: text(asked, "client_name")?
            .unwrap_or("An app without a name")
            .to_owned(),
        plain,
    })
}

/// Grant and response types, which must fit each other (RFC 7591 §2.1).
fn flows(
    asked: &Map<String, Value>,
    method: Method,
) -> Result<(Vec<String>, Vec<String>), OAuthError> {
    let grants =
        list(asked, "grant_types")?.unwrap_or_else(|| vec!["authorization_code".to_owned()]);
    let has = |name: &str| grants.iter().any(|grant| grant == name);
    let by_code = has("authorization_code");
    let responses = list(asked, "response_types")?.unwrap_or_else(|| {
        if by_code {
            vec!["code".to_owned()]
        } else {
            Vec::new()
        }
    });
    if grants.is_empty()
        || grants.iter().any(|grant| {
            !matches!(
                grant.as_str(),
                "authorization_code" | "refresh_token" | "client_credentials" | JWT_BEARER
            )
        })
    {
        return Err(metadata_error("a grant type is not on offer"));
    }
    if responses.iter().any(|response| response != "code") {
        return Err(metadata_error("a response type is not on offer"));
    }
    if by_code == responses.is_empty() {
        return Err(metadata_error(
            "grant_types and response_types do not fit each other",
        ));
    }
    if has("refresh_token") && !by_code {
        return Err(metadata_error("refresh_token without authorization_code"));
    }
    if has(JWT_BEARER) && method != Method::PrivateKeyJwt {
        return Err(metadata_error(
            "the JWT-bearer grant is for private_key_jwt only",
        ));
    }
    if has("client_credentials") && method != Method::PrivateKeyJwt {
        return Err(metadata_error(
            "client_credentials is for private_key_jwt only",
        ));
    }
    Ok((grants, responses))
}

fn redirect_uris(asked: &Map<String, Value>, grants: &[String]) -> Result<Vec<String>, OAuthError> {
    let uris = list(asked, "redirect_uris")?.unwrap_or_default();
    if uris.is_empty() && grants.iter().any(|grant| grant == "authorization_code") {
        return Err(metadata_error("authorization_code needs redirect_uris"));
    }
    for uri in &uris {
        check_redirect_uri(uri)
            .map_err(|reason| OAuthError::new("invalid_redirect_uri", reason))?;
    }
    Ok(uris)
}

/// The public keys of the client, checked.
fn keys(asked: &Map<String, Value>, method: Method) -> Result<Vec<Value>, OAuthError> {
    if asked.contains_key("jwks") && asked.contains_key("jwks_uri") {
        return Err(metadata_error("jwks and jwks_uri exclude each other"));
    }
    if text(asked, "jwks_uri")?.is_some_and(|uri| !key_sets::is_allowed(uri)) {
        return Err(metadata_error("jwks_uri is an https address"));
    }
    let keys = match asked.get("jwks") {
        Some(jwks) => jwks["keys"]
            .as_array()
            .cloned()
            .ok_or_else(|| metadata_error("jwks is not a JWK set"))?,
        None => Vec::new(),
    };
    if method == Method::PrivateKeyJwt && keys.is_empty() && !asked.contains_key("jwks_uri") {
        return Err(metadata_error("private_key_jwt needs a key in jwks"));
    }
    for key in &keys {
        check_key(key)?;
    }
    Ok(keys)
}

/// Whether a key can verify a client's assertions.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_key(key: &Value) -> Result<(), OAuthError> {
    if PRIVATE_MEMBERS.iter().any(|name| key.get(name).is_some()) {
        return Err(metadata_error("a key in jwks is not a public one"));
    }
    let expected = match (key["kty"].as_str(), key["crv"].as_str()) {
        (Some("EC"), Some("P-384")) => "ES384",
        (Some("RSA"), _) => "RS384",
        _ => return Err(metadata_error("keys are for ES384 or RS384")),
    };
    if key.get("alg").is_some_and(|alg| alg != expected) {
        return Err(metadata_error(
            "the alg of a key does not fit ES384 or RS384",
        ));
    }
    if key["kid"].as_str().is_none_or(str::is_empty) {
        return Err(metadata_error("a key in jwks has no kid"));
    }
    let readable = serde_json::from_value(key.clone())
        .ok()
        .and_then(|jwk| jsonwebtoken::DecodingKey::from_jwk(&jwk).ok());
    if readable.is_none() {
        return Err(metadata_error("a key in jwks cannot be read"));
    }
    Ok(())
}

/// The member as text.
pub(super) fn text<'a>(
    asked: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a str>, OAuthError> {
    match asked.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(value)) => Ok(Some(value)),
        Some(_) => Err(metadata_error("a member that should be text is not")),
    }
}

/// The member as a list of texts.
fn list(asked: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, OAuthError> {
    match asked.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_value(value.clone())
            .map(Some)
            .map_err(|_| metadata_error("a member that should be a list of texts is not")),
    }
}
