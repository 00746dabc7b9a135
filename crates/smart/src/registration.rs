//! Dynamic client registration (RFC 7591), its management and its end (RFC 7592), and the variant in
//! which an app that has signed in registers the key of its installation.

mod answer;
mod installation;
mod ladder;
mod management;
mod metadata;

pub use answer::{ClientInformation, RegistrationError, RegistrationErrorCode};
pub use installation::{InstallationClient, register_installation, request_installation_token};
pub use ladder::register_client_with_ladder;
pub use management::{
    delete_registration, read_management_answer, read_registration, update_registration,
};
pub use metadata::ClientMetadata;

use crate::http::{Answer, HttpClient, json_headers};
use crate::secret::SecretString;
use crate::trace;
use ::http::{HeaderValue, header};
use url::Url;

/// Registers this installation (RFC 7591 §3.1): one POST of one JSON object.
///
/// The answer is held against the request: a registration without any of our redirect URIs, or with
/// a client authentication that we cannot do, is deleted again where the server allows that.
///
/// # Errors
/// [`RegistrationError`].
pub async fn register_client(
    http: &HttpClient,
    endpoint: &Url,
    metadata: &ClientMetadata,
    initial_access_token: Option<&SecretString>,
) -> Result<ClientInformation, RegistrationError> {
    let mut headers = json_headers("application/json");
    if let Some(token) = initial_access_token {
        let value = bearer(token).ok_or(RegistrationError::InitialAccessTokenNeeded)?;
        headers.insert(header::AUTHORIZATION, value);
    }
    let body = serde_json::to_vec(metadata).map_err(|_| RegistrationError::NotJson)?;
    let response = http
        .for_documents()
        .post(endpoint, headers, None, body)
        .await?;
    trace::check(
        "B18",
        "The server registered this installation",
        response.is_success(),
    );
    if !response.is_success() {
        return Err(answer::refusal(&response));
    }
    let information = trace::checked(
        "B19",
        "The answer is JSON with a client_id",
        answer::read(&response, endpoint, metadata),
    )?;
    if let Err(error) = trace::checked(
        "B21",
        "What was registered is what was asked for",
        check_registration(&information, metadata),
    ) {
        if let Err(failed) = delete_registration(http, &information).await {
            tracing::debug!(error = %failed, "an unusable registration could not be deleted");
        }
        return Err(error);
    }
    Ok(information)
}

/// Reads the answer to a registration (RFC 7591 §3.2). What the server granted instead of what was
/// asked for is in it; see [`check_registration`].
///
/// # Errors
/// [`RegistrationError`].
pub fn read_registration_answer(
    response: &Answer,
    endpoint: &Url,
    asked: &ClientMetadata,
) -> Result<ClientInformation, RegistrationError> {
    if response.is_success() {
        answer::read(response, endpoint, asked)
    } else {
        Err(answer::refusal(response))
    }
}

/// Whether what was granted can be worked with (RFC 7591 §3.2.1: the server may replace any value).
///
/// # Errors
/// [`RegistrationError`]: a way to authenticate that we cannot do, none of our redirect URIs, or a
/// changed software statement.
pub fn check_registration(
    granted: &ClientInformation,
    asked: &ClientMetadata,
) -> Result<(), RegistrationError> {
    answer::hold_against(granted, asked)
}

/// The value of an `Authorization` header; nothing for a token that does not fit into one.
fn bearer(token: &SecretString) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose())).ok()?;
    value.set_sensitive(true);
    Some(value)
}
