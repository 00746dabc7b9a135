//! What the server makes of a registration (RFC 7591 §3.2).

use super::ClientMetadata;
use crate::http::{Answer, HttpError};
use crate::secret::SecretString;
use crate::text::{DESCRIPTION, plain};
use serde_json::{Map, Value};
use url::Url;

/// A registered client (RFC 7591 §3.2.1): what the server granted, not what was asked for.
#[derive(Clone, Debug, Default)]
pub struct ClientInformation {
    /// `client_id`. Several installations may have the same one.
    pub client_id: String,
    /// `client_secret`.
    pub client_secret: Option<SecretString>,
    /// `client_secret_expires_at` in seconds since 1970; 0 means never; `None` when the server did
    /// not say.
    pub client_secret_expires_at: Option<i64>,
    /// `token_endpoint_auth_method`, as granted.
    pub token_endpoint_auth_method: String,
    /// `redirect_uris`, as granted.
    pub redirect_uris: Vec<String>,
    /// `grant_types`, as granted.
    pub grant_types: Vec<String>,
    /// `scope`, as granted.
    pub scope: Option<String>,
    /// `registration_client_uri` (RFC 7592 §3); only at the origin of the registration endpoint.
    pub registration_client_uri: Option<Url>,
    /// `registration_access_token` (RFC 7592 §3).
    pub registration_access_token: Option<SecretString>,
    /// Every member of the answer as it came, but for the secret and what RFC 7592 §2.2 calls
    /// the server's own: what it holds about this client.
    pub registered: Map<String, Value>,
}

impl ClientInformation {
    /// The key ids of the public keys that the server holds (`jwks`).
    #[must_use]
    pub fn key_ids(&self) -> Vec<String> {
        let keys = self
            .registered
            .get("jwks")
            .and_then(|jwks| jwks.get("keys"));
        let keys = keys.and_then(Value::as_array).into_iter().flatten();
        keys.filter_map(|key| key.get("kid").and_then(Value::as_str))
            .map(str::to_owned)
            .collect()
    }
}

/// Members that a client never sends back (RFC 7592 §2.2).
pub(super) const SERVERS_OWN: [&str; 4] = [
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
];

/// Secrets that an answer may hold. The tokens have no place in one, and early drafts of OpenID
/// Connect registration put one there all the same.
const SECRET: [&str; 4] = ["client_secret", "access_token", "refresh_token", "id_token"];

/// The codes of RFC 7591 §3.2.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationErrorCode {
    /// `invalid_redirect_uri`.
    InvalidRedirectUri,
    /// `invalid_client_metadata`.
    InvalidClientMetadata,
    /// `invalid_software_statement`.
    InvalidSoftwareStatement,
    /// `unapproved_software_statement`.
    UnapprovedSoftwareStatement,
    /// Any other, as the server wrote it.
    Other(String),
}

impl RegistrationErrorCode {
    fn parse(code: &str) -> Self {
        match code {
            "invalid_redirect_uri" => Self::InvalidRedirectUri,
            "invalid_client_metadata" => Self::InvalidClientMetadata,
            "invalid_software_statement" => Self::InvalidSoftwareStatement,
            "unapproved_software_statement" => Self::UnapprovedSoftwareStatement,
            other => Self::Other(plain(other, 100)),
        }
    }
}

/// Why there is no registration.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// The server said no, with a code.
    #[error("registration refused: {error:?} {}", description.as_deref().unwrap_or_default())]
    Refused {
        /// Which code.
        error: RegistrationErrorCode,
        /// The server's own words.
        description: Option<String>,
    },
    /// The server registers nobody here (403, 404, 405).
    #[error("registration is not offered (HTTP status {status})")]
    NotOffered {
        /// HTTP status; 0 when the server gave no management URI.
        status: u16,
    },
    /// The server wants an initial access token, or another one (401).
    #[error("registration needs an initial access token")]
    InitialAccessTokenNeeded,
    /// An answer that is not a JSON object.
    #[error("the registration answer is not a JSON object")]
    NotJson,
    /// Success without `client_id`.
    #[error("the registration answer has no client_id")]
    MissingClientId,
    /// Registered with a client authentication that cannot be done with what was given.
    #[error("the server registered the client authentication {0}, which cannot be used")]
    UnsupportedAuthMethod(String),
    /// Registered without any of the redirect URIs that were asked for.
    #[error("the server registered none of the redirect URIs")]
    RedirectUrisNotGranted,
    /// The server answered with another software statement than the one it was given (RFC 7591
    /// §3.2.1).
    #[error("the server changed the software statement")]
    SoftwareStatementChanged,
    /// The server no longer knows this registration (401 at the management address, RFC 7592 §2.1).
    #[error("the server no longer knows this registration")]
    Gone,
    /// Reading or updating gave another `client_id`, which must not change (RFC 7592 §2.1, §2.2).
    #[error("the server answered with another client_id")]
    ClientIdChanged,
    /// Too many registrations; try later (429, or 503 that says when).
    #[error("the server takes no more registrations now")]
    TooManyRequests {
        /// How long to wait.
        retry_after: Option<std::time::Duration>,
    },
    /// The network, or a server error.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// Reads a refusal. Unknown members are ignored, bodies that are not JSON tolerated.
pub(super) fn refusal(answer: &Answer) -> RegistrationError {
    let members: Map<String, Value> = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    match (answer.status, text("error")) {
        (401, _) => RegistrationError::InitialAccessTokenNeeded,
        (429, _) => RegistrationError::TooManyRequests {
            retry_after: answer.retry_after(),
        },
        (503, _) if answer.retry_after().is_some() => RegistrationError::TooManyRequests {
            retry_after: answer.retry_after(),
        },
        (400..=499, Some(code)) => RegistrationError::Refused {
            error: RegistrationErrorCode::parse(code),
            description: text("error_description").map(|words| plain(words, DESCRIPTION)),
        },
        (status @ (403 | 404 | 405 | 410), None) => RegistrationError::NotOffered { status },
        (400..=499, None) => RegistrationError::NotJson,
        _ => answer.status_error().into(),
    }
}

/// Reads a success (201, or 200 as some servers send).
pub(super) fn read(
    answer: &Answer,
    endpoint: &Url,
    asked: &ClientMetadata,
) -> Result<ClientInformation, RegistrationError> {
    let members: Map<String, Value> =
        serde_json::from_slice(&answer.body).map_err(|_| RegistrationError::NotJson)?;
    let text = |name: &str| {
        members
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let list = |name: &str, otherwise: &[String]| match members.get(name).and_then(Value::as_array)
    {
        Some(list) => list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        None => otherwise.to_vec(),
    };
    let client_id = text("client_id")
        .ok_or(RegistrationError::MissingClientId)?
        .to_owned();
    let (registration_client_uri, registration_access_token) = management(&text, endpoint);
    Ok(ClientInformation {
        client_id,
        client_secret: text("client_secret").map(|secret| SecretString::new(secret.to_owned())),
        client_secret_expires_at: members.get("client_secret_expires_at").and_then(seconds),
        token_endpoint_auth_method: text("token_endpoint_auth_method")
            .unwrap_or(&asked.token_endpoint_auth_method)
            .to_owned(),
        redirect_uris: list("redirect_uris", &asked.redirect_uris),
        grant_types: list("grant_types", &asked.grant_types),
        scope: text("scope")
            .map(str::to_owned)
            .or_else(|| asked.scope.clone()),
        registration_client_uri,
        registration_access_token,
        registered: public_members(members),
    })
}

/// What may be kept beside the secrets: the members without them.
fn public_members(mut members: Map<String, Value>) -> Map<String, Value> {
    for name in SERVERS_OWN.iter().chain(&SECRET) {
        members.remove(*name);
    }
    members
}

/// Reads the answer to reading or updating (RFC 7592 §3): a new secret or registration access token
/// takes the place of the old one; what the answer leaves out stays as it was known.
pub(super) fn read_again(
    answer: &Answer,
    known: &ClientInformation,
) -> Result<ClientInformation, RegistrationError> {
    let uri = known
        .registration_client_uri
        .as_ref()
        .ok_or(RegistrationError::NotOffered { status: 0 })?;
    let before = ClientMetadata {
        token_endpoint_auth_method: known.token_endpoint_auth_method.clone(),
        redirect_uris: known.redirect_uris.clone(),
        grant_types: known.grant_types.clone(),
        scope: known.scope.clone(),
        ..ClientMetadata::default()
    };
    let mut now = read(answer, uri, &before)?;
    if now.client_id != known.client_id {
        return Err(RegistrationError::ClientIdChanged);
    }
    if now.client_secret.is_none() {
        now.client_secret.clone_from(&known.client_secret);
        now.client_secret_expires_at = now
            .client_secret_expires_at
            .or(known.client_secret_expires_at);
    }
    if now.registration_access_token.is_none() {
        now.registration_client_uri = Some(uri.clone());
        now.registration_access_token = new_token(answer).or_else(|| {
            let token = known.registration_access_token.as_ref();
            token.cloned()
        });
    }
    Ok(now)
}

/// A registration access token that comes without an address of its own.
fn new_token(answer: &Answer) -> Option<SecretString> {
    let members: Map<String, Value> = serde_json::from_slice(&answer.body).ok()?;
    if members.contains_key("registration_client_uri") {
        return None;
    }
    let token = members.get("registration_access_token")?.as_str()?;
    (!token.is_empty()).then(|| SecretString::new(token.to_owned()))
}

fn seconds(value: &Value) -> Option<i64> {
    let text = || value.as_str().and_then(|text| text.trim().parse().ok());
    value.as_i64().or_else(text)
}

/// URI and token of RFC 7592 §3: only both together, and only at the registration endpoint's origin,
/// since the token will be sent there.
pub(super) fn management<'a>(
    text: &impl Fn(&str) -> Option<&'a str>,
    endpoint: &Url,
) -> (Option<Url>, Option<SecretString>) {
    let uri = text("registration_client_uri")
        .and_then(|uri| Url::parse(uri).ok())
        .filter(|uri| uri.origin() == endpoint.origin() && is_plain(uri));
    match (uri, text("registration_access_token")) {
        (Some(uri), Some(token)) => (Some(uri), Some(SecretString::new(token.to_owned()))),
        _ => (None, None),
    }
}

/// A URL with a user name, a password or a fragment is no address of an endpoint.
fn is_plain(uri: &Url) -> bool {
    uri.username().is_empty() && uri.password().is_none() && uri.fragment().is_none()
}

/// Compares granted with asked (RFC 7591 §3.2.1: the server may replace any value).
pub(super) fn hold_against(
    granted: &ClientInformation,
    asked: &ClientMetadata,
) -> Result<(), RegistrationError> {
    let usable = match granted.token_endpoint_auth_method.as_str() {
        "none" => true,
        "private_key_jwt" => asked.jwks.is_some() || asked.jwks_uri.is_some(),
        "client_secret_basic" | "client_secret_post" => granted.client_secret.is_some(),
        _ => false,
    };
    if !usable {
        let method = plain(&granted.token_endpoint_auth_method, 100);
        return Err(RegistrationError::UnsupportedAuthMethod(method));
    }
    // Unmodified, or left out, which harms nobody (RFC 7591 §3.2.1).
    if let (Some(given), Some(echoed)) = (
        &asked.software_statement,
        granted.registered.get("software_statement"),
    ) && echoed.as_str() != Some(given)
    {
        return Err(RegistrationError::SoftwareStatementChanged);
    }
    let any = asked
        .redirect_uris
        .iter()
        .any(|uri| granted.redirect_uris.contains(uri));
    if any || asked.redirect_uris.is_empty() {
        Ok(())
    } else {
        Err(RegistrationError::RedirectUrisNotGranted)
    }
}
