//! Binary: the content of documents (FHIR R4, Binary), in the JSON form or as it is.

use super::bundle::RawResource;
use super::client::{FhirClient, FhirError, checked, resource};
use crate::secret::SecretString;

const ANYTHING: &str = "*/*";
/// What stands around the content in the JSON form.
const AROUND: usize = 16 * 1024;

/// What a server gives for a Binary.
#[derive(Clone, Debug)]
pub enum BinaryContent {
    /// The resource, with its content in base64.
    Resource(RawResource),
    /// The content itself: some servers give that whatever is asked for.
    Native {
        /// Media type.
        content_type: String,
        /// The content.
        bytes: Vec<u8>,
    },
}

impl FhirClient {
    /// Reads a Binary of at most about `largest` bytes: the content itself, as servers give it when no FHIR
    /// format is asked for (some, as Epic's, must not be asked for one), or the resource around it. A
    /// server that wants a format to be named (406) is asked for JSON.
    ///
    /// # Errors
    /// [`FhirError`]; one of [`HttpError::TooLarge`](crate::http::HttpError) for a larger one, of which
    /// nothing is kept.
    pub async fn read_binary(
        &self,
        id: &str,
        token: &SecretString,
        largest: usize,
    ) -> Result<BinaryContent, FhirError> {
        let url = self.base().join(&format!("Binary/{id}"));
        // In base64 four bytes stand for three.
        let limit = largest.saturating_add(largest / 3).saturating_add(AROUND);
        let mut answer = self.get_within(&url, token, ANYTHING, limit).await?;
        if matches!(answer.status, 400 | 406 | 415) {
            let json = "application/fhir+json";
            answer = self.get_within(&url, token, json, limit).await?;
        }
        let answer = checked(answer)?;
        match (resource(&answer, "Binary", id), answer.content_type()) {
            (Ok(resource), _) => Ok(BinaryContent::Resource(resource)),
            // A refusal with status 200.
            (Err(error @ FhirError::Outcome { .. }), _) => Err(error),
            (Err(_), Some(content_type)) if !content_type.contains("fhir") => {
                Ok(BinaryContent::Native {
                    content_type,
                    bytes: answer.body,
                })
            }
            (Err(error), _) => Err(error),
        }
    }
}
