//! Binary: the content of documents (FHIR R4, Binary), in the JSON form or as it is.

use super::bundle::RawResource;
use super::client::{FhirClient, FhirError, checked, resource};
use crate::secret::SecretString;

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
    /// Reads a Binary, asking for the JSON form, and takes the content itself where a server sends
    /// that.
    ///
    /// # Errors
    /// [`FhirError`].
    pub async fn read_binary(
        &self,
        id: &str,
        token: &SecretString,
    ) -> Result<BinaryContent, FhirError> {
        let url = self.base().join(&format!("Binary/{id}"));
        let mut answer = self.get(&url, Some(token), "application/fhir+json").await?;
        if matches!(answer.status, 400 | 406 | 415) {
            // Some give the content only where nobody asks for FHIR.
            answer = self.get(&url, Some(token), "*/*").await?;
        }
        let answer = checked(answer)?;
        match (resource(&answer, "Binary", id), answer.content_type()) {
            (Ok(resource), _) => Ok(BinaryContent::Resource(resource)),
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
