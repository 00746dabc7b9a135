//! The content of a document that an exported file points to (checklist F24).

use super::client::BulkClient;
use super::error::BulkError;
use super::manifest::{CapabilityUrl, TokenRule};
use crate::http::{Reach, StreamGet, is_loopback};
use crate::secret::SecretString;
use crate::text::plain;

/// The content of a document.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// Media type.
    pub content_type: String,
    /// The content itself.
    pub bytes: Vec<u8>,
    /// The Binary resource that holds it, where the server gives that.
    pub resource: Option<String>,
}

impl BulkClient {
    /// Fetches a content of at most `limit` bytes. A record says where it is, and records are written by
    /// many: the token goes to the FHIR server itself only, and only if files need one.
    ///
    /// # Errors
    /// [`BulkError`]; [`BulkError::Forbidden`], before anything is sent, for a content elsewhere that
    /// would need the token.
    pub async fn attachment(
        &self,
        url: &CapabilityUrl,
        rule: TokenRule,
        token: &SecretString,
        limit: usize,
    ) -> Result<Attachment, BulkError> {
        let url = url.expose();
        let at_home = url.origin() == self.base().url().origin();
        if rule == TokenRule::Required && !at_home {
            return Err(BulkError::Forbidden { outcome: None });
        }
        let send = at_home && rule != TokenRule::Forbidden;
        let get = StreamGet {
            url,
            accept: "*/*",
            token: send.then_some(token),
            reach: Reach::from_source(self.base().url()),
            http_on_loopback: is_loopback(self.base().url()),
        };
        let stream = self.http().stream(get).await?;
        let answer = stream.whole(limit).await?;
        match answer.status {
            200..=299 => {}
            401 => return Err(BulkError::Unauthorized),
            404 | 410 => return Err(BulkError::Gone),
            status => {
                return Err(BulkError::FileRefused {
                    status,
                    outcome: None,
                });
            }
        }
        let content_type = answer.content_type().unwrap_or_default();
        let text = std::str::from_utf8(&answer.body).ok();
        let is_fhir = content_type.contains("json");
        let binary = text.filter(|_| is_fhir).filter(|text| is_binary(text));
        Ok(Attachment {
            content_type: plain(&content_type, 100),
            resource: binary.map(str::to_owned),
            bytes: answer.body,
        })
    }
}

fn is_binary(json: &str) -> bool {
    let value: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    value.get("resourceType").and_then(|kind| kind.as_str()) == Some("Binary")
}
