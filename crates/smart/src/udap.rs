//! Whether a server takes part in UDAP trust communities (HL7 UDAP Security, "Discovery").

use crate::discovery::strings;
use crate::http::{FhirBaseUrl, Get, HttpClient, HttpError};
use serde_json::{Map, Value};

/// What a server says of its UDAP profiles. Nothing here is trusted: it says only what is offered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UdapMetadata {
    /// `udap_profiles_supported`, such as `udap_dcr`.
    pub profiles: Vec<String>,
    /// Whether there is signed metadata, without which no client may go on.
    pub signed: bool,
}

/// Reads `{base}/.well-known/udap`.
///
/// 404 means that there is none, 204 that the server belongs to none of our communities; an answer
/// that is no JSON object, as of web servers that answer everything, means none too.
///
/// # Errors
/// [`HttpError`] of the network, and any other status.
pub async fn udap_metadata(
    http: &HttpClient,
    base: &FhirBaseUrl,
) -> Result<Option<UdapMetadata>, HttpError> {
    let url = base.join(".well-known/udap");
    let answer = http.for_documents().get(Get::json(&url)).await?;
    match answer.status {
        204 | 400..=499 => return Ok(None),
        200 => {}
        _ => return Err(answer.status_error()),
    }
    let Ok(members) = serde_json::from_slice::<Map<String, Value>>(&answer.body) else {
        return Ok(None);
    };
    let profiles = strings(&members, "udap_profiles_supported");
    let signed = members.get("signed_metadata").is_some_and(Value::is_string);
    Ok((signed || !profiles.is_empty()).then_some(UdapMetadata { profiles, signed }))
}
