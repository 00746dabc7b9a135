//! Dynamic client registration (RFC 7591) and its end (RFC 7592 §2.3).

mod answer;
mod ladder;
mod metadata;

pub use answer::{ClientInformation, RegistrationError, RegistrationErrorCode};
pub use ladder::register_client_with_ladder;
pub use metadata::ClientMetadata;

use crate::http::{HttpClient, json_headers};
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
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|_| RegistrationError::InitialAccessTokenNeeded)?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    let body = serde_json::to_vec(metadata).map_err(|_| RegistrationError::NotJson)?;
    let response = http.post(endpoint, headers, None, body).await?;
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
        answer::hold_against(&information, metadata),
    ) {
        if let Err(failed) = delete_registration(http, &information).await {
            tracing::debug!(error = %failed, "an unusable registration could not be deleted");
        }
        return Err(error);
    }
    Ok(information)
}

/// Deletes the registration at the server (RFC 7592 §2.3). A server that no longer knows it (401) is
/// as good as one that deletes it.
///
/// # Errors
/// [`RegistrationError::NotOffered`] when the server manages no registrations or not this one
/// (403, 404, 405, or no management URI); [`RegistrationError::Http`].
pub async fn delete_registration(
    http: &HttpClient,
    information: &ClientInformation,
) -> Result<(), RegistrationError> {
    let (Some(uri), Some(token)) = (
        &information.registration_client_uri,
        &information.registration_access_token,
    ) else {
        return Err(RegistrationError::NotOffered { status: 0 });
    };
    let response = http.delete(uri, token).await?;
    match response.status {
        200..=299 | 401 => Ok(()),
        status @ 403..=405 => Err(RegistrationError::NotOffered { status }),
        _ => Err(response.status_error().into()),
    }
}
