//! Managing a registration (RFC 7592 §2). Every call carries the registration access token, and goes
//! to the address that came with it.

use super::answer::{self, SERVERS_OWN};
use super::{ClientInformation, RegistrationError};
use crate::http::{Answer, Get, HttpClient, json_headers};
use crate::secret::SecretString;
use crate::trace;
use ::http::header;
use serde_json::{Map, Value, json};
use url::Url;

/// Reads what the server holds (RFC 7592 §2.1). A new secret or registration access token in the
/// answer has replaced the old one from now on: keep it before anything else is done.
///
/// # Errors
/// [`RegistrationError::Gone`] when the server no longer knows the client (401);
/// [`RegistrationError::NotOffered`] when it manages no registrations or not this one (403, 404, 405,
/// or no management URI); [`RegistrationError::ClientIdChanged`]; [`RegistrationError::Http`].
pub async fn read_registration(
    http: &HttpClient,
    known: &ClientInformation,
) -> Result<ClientInformation, RegistrationError> {
    let (uri, token) = address(known)?;
    let get = Get {
        token: Some(token),
        ..Get::json(uri)
    };
    read_management_answer(&http.for_documents().get(get).await?, known)
}

/// Replaces what the server holds by `wanted.registered` (RFC 7592 §2.2): members that are not in it
/// are deleted there, so it begins with what [`read_registration`] gave. The members that belong to the
/// server are left out, the secret is the current one.
///
/// # Errors
/// As [`read_registration`], and [`RegistrationError::Refused`].
pub async fn update_registration(
    http: &HttpClient,
    wanted: &ClientInformation,
) -> Result<ClientInformation, RegistrationError> {
    let (uri, token) = address(wanted)?;
    let body = serde_json::to_vec(&replacement(wanted)).map_err(|_| RegistrationError::NotJson)?;
    let mut headers = json_headers("application/json");
    let value = super::bearer(token).ok_or(RegistrationError::Gone)?;
    headers.insert(header::AUTHORIZATION, value);
    let answer = http.for_documents().put(uri, headers, body).await?;
    read_management_answer(&answer, wanted)
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
    let (uri, token) = address(information)?;
    let response = http.delete(uri, token).await?;
    match response.status {
        200..=299 | 401 => Ok(()),
        status @ 403..=405 => Err(RegistrationError::NotOffered { status }),
        _ => Err(response.status_error().into()),
    }
}

/// Address and token, which come together (RFC 7592 §3).
fn address(known: &ClientInformation) -> Result<(&Url, &SecretString), RegistrationError> {
    match (
        &known.registration_client_uri,
        &known.registration_access_token,
    ) {
        (Some(uri), Some(token)) => Ok((uri, token)),
        _ => Err(RegistrationError::NotOffered { status: 0 }),
    }
}

fn replacement(wanted: &ClientInformation) -> Map<String, Value> {
    let mut body = wanted.registered.clone();
    for name in SERVERS_OWN {
        body.remove(name);
    }
    body.insert("client_id".to_owned(), json!(wanted.client_id));
    if let Some(secret) = &wanted.client_secret {
        body.insert("client_secret".to_owned(), json!(secret.expose()));
    }
    body
}

/// Reads the answer to reading or updating a registration (RFC 7592 §3).
///
/// # Errors
/// As [`read_registration`] and [`update_registration`].
pub fn read_management_answer(
    answer: &Answer,
    known: &ClientInformation,
) -> Result<ClientInformation, RegistrationError> {
    match answer.status {
        200..=299 => trace::checked(
            "B26",
            "The registration is still this one",
            answer::read_again(answer, known),
        ),
        401 => Err(RegistrationError::Gone),
        status @ 403..=405 => Err(RegistrationError::NotOffered { status }),
        _ => Err(answer::refusal(answer)),
    }
}
