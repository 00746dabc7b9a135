//! GET, with the token only where it belongs (FHIR R4, "RESTful API"; SMART App Launch 2.2, "Access
//! FHIR API").

use super::bundle::{RawResource, SearchPage, as_text, not_json, parse_page, single};
use super::capability::CapabilityStatement;
use super::outcome::OperationOutcome;
use super::search;
use crate::http::{Answer, FhirBaseUrl, Follow, Get, HttpClient, HttpError};
use crate::secret::SecretString;
use crate::trace;
use std::borrow::Cow;
use std::time::Duration;
use url::Url;

/// Why a read or search gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum FhirError {
    /// 401: the token is not accepted.
    #[error("the FHIR server does not accept the access token")]
    Unauthorized,
    /// 403: scope or policy.
    #[error("the FHIR server refuses this{}", said(outcome.as_ref()))]
    Forbidden {
        /// What it says about it.
        outcome: Option<OperationOutcome>,
    },
    /// 404: unknown, or hidden.
    #[error("the FHIR server does not know this")]
    NotFound,
    /// 410: deleted.
    #[error("this was deleted at the FHIR server")]
    Gone,
    /// 429, or 503 with a time to wait.
    #[error("the FHIR server is too busy")]
    TooManyRequests {
        /// `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// Any other refusal that comes with an OperationOutcome; also one where a page or resource was
    /// due (status 200).
    #[error("the FHIR server answered {status}: {}", outcome.text())]
    Outcome {
        /// HTTP status.
        status: u16,
        /// What it says.
        outcome: OperationOutcome,
    },
    /// A body that is not JSON.
    #[error("the FHIR server's answer is not JSON")]
    NotJson {
        /// Media type.
        content_type: Option<String>,
        /// It is FHIR in XML.
        xml: bool,
    },
    /// The body ends too early.
    #[error("the FHIR server's answer was cut short")]
    Truncated,
    /// JSON, but no Bundle where one was due.
    #[error("the FHIR server answered a search with {found}")]
    NotABundle {
        /// `resourceType` of what came.
        found: String,
    },
    /// Another resource than the one that was asked for.
    #[error("the FHIR server answered with {found}")]
    UnexpectedResource {
        /// `resourceType` of what came.
        found: String,
    },
    /// A URL outside the FHIR base, where the token must not go.
    #[error("{url} is not at this FHIR server")]
    ForeignNextLink {
        /// The URL, without query.
        url: String,
    },
    /// The network.
    #[error(transparent)]
    Http(HttpError),
    /// A status that has no meaning here.
    #[error("the FHIR server answered {0}")]
    UnexpectedStatus(u16),
}

/// What the server said about a refusal, behind the sentence about it (checklist G15).
fn said(outcome: Option<&OperationOutcome>) -> String {
    outcome
        .map(OperationOutcome::text)
        .filter(|text| !text.is_empty())
        .map(|text| format!(": {text}"))
        .unwrap_or_default()
}

impl From<HttpError> for FhirError {
    /// An answer that broke off is one whatever layer noticed it.
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Interrupted { .. } => Self::Truncated,
            other => Self::Http(other),
        }
    }
}

const FHIR_JSON: &str = "application/fhir+json";

/// Reads from one FHIR server; cheap to clone.
#[derive(Clone, Debug)]
pub struct FhirClient {
    http: HttpClient,
    base: FhirBaseUrl,
    /// Goes with every request: name and value.
    parameter: Option<(String, String)>,
}

impl FhirClient {
    /// A reader of the server at `base`.
    #[must_use]
    pub fn new(http: HttpClient, base: FhirBaseUrl) -> Self {
        Self {
            http,
            base,
            parameter: None,
        }
    }

    /// The same reader, every request of which has this parameter, written as it is. Some vendors find
    /// out by it whose records are asked for.
    #[must_use]
    pub fn with_parameter(self, name: &str, value: &str) -> Self {
        Self {
            parameter: Some((name.to_owned(), value.to_owned())),
            ..self
        }
    }

    /// The URL with the parameter that goes with every request.
    fn complete<'a>(&self, url: &'a Url) -> Cow<'a, Url> {
        let Some((name, value)) = &self.parameter else {
            return Cow::Borrowed(url);
        };
        if url.query_pairs().any(|(known, _)| known == name.as_str()) {
            return Cow::Borrowed(url);
        }
        let mut complete = url.clone();
        let query = match url.query().filter(|query| !query.is_empty()) {
            Some(query) => format!("{query}&{name}={value}"),
            None => format!("{name}={value}"),
        };
        complete.set_query(Some(&query));
        Cow::Owned(complete)
    }

    /// The FHIR base.
    #[must_use]
    pub fn base(&self) -> &FhirBaseUrl {
        &self.base
    }

    /// `GET {base}/metadata`: without a token, and with it where the server wants one.
    ///
    /// # Errors
    /// [`FhirError`].
    pub async fn capability(
        &self,
        token: Option<&SecretString>,
    ) -> Result<CapabilityStatement, FhirError> {
        let url = self.base.join("metadata");
        let mut answer = self.get(&url, None, FHIR_JSON).await?;
        if answer.status == 401 && token.is_some() {
            answer = self.get(&url, token, FHIR_JSON).await?;
        }
        let answer = checked(answer)?;
        let content_type = answer.content_type();
        let text = as_text(&answer.body, content_type.as_deref())?;
        CapabilityStatement::parse(text).map_err(|error| match error {
            FhirError::NotJson { .. } => not_json(&answer.body, content_type.as_deref()),
            other => other,
        })
    }

    /// `{base}/{type}?...`: the first page of a search. Values are percent-encoded here.
    #[must_use]
    pub fn search_url(&self, resource_type: &str, parameters: &[(&str, &str)]) -> Url {
        search::search_url(&self.base, resource_type, parameters)
    }

    /// One page: the first by [`FhirClient::search_url`], the following by [`SearchPage::next`],
    /// which is requested as it is.
    ///
    /// # Errors
    /// [`FhirError::ForeignNextLink`], before anything is sent, when the URL is not at this server;
    /// others of [`FhirError`] for an answer that is no page. Single entries that cannot be read are
    /// no error: they are in the page as they came.
    pub async fn search_page(
        &self,
        url: &Url,
        token: &SecretString,
    ) -> Result<SearchPage, FhirError> {
        if !self.base.covers(url) {
            trace::check(
                "G3",
                "The access token goes only to this FHIR server",
                false,
            );
            return Err(FhirError::ForeignNextLink {
                url: crate::http::printable(url),
            });
        }
        let answer = checked(self.get(url, Some(token), FHIR_JSON).await?)?;
        let mut page = parse_page(&answer.body, url, answer.content_type().as_deref())?;
        page.date = answer.date();
        Ok(page)
    }

    /// Reads a resource only if it is another version than the one that is here; `None` when it is not
    /// (304). A server that knows no versions gives it again (FHIR R4 "RESTful API", "conditional
    /// read").
    ///
    /// # Errors
    /// [`FhirError`].
    pub async fn read_if_changed(
        &self,
        resource_type: &str,
        id: &str,
        version_id: &str,
        token: &SecretString,
    ) -> Result<Option<RawResource>, FhirError> {
        let url = self.base.join(&format!("{resource_type}/{id}"));
        let url = self.complete(&url);
        let tag = format!("W/\"{version_id}\"");
        let get = Get {
            if_none_match: Some(&tag),
            ..self.request(&url, Some(token), FHIR_JSON)
        };
        let answer = self.http.get(get).await?;
        if answer.status == 304 && answer.url.path() == url.path() {
            return Ok(None);
        }
        if answer.status == 304 {
            // The version of another resource, to which a redirect led: it has to be looked at.
            return self.read(resource_type, id, token).await.map(Some);
        }
        resource(&checked(answer)?, resource_type, id).map(Some)
    }

    /// One resource by type and id, as it came; a `Binary` in its JSON form.
    ///
    /// # Errors
    /// [`FhirError`].
    pub async fn read(
        &self,
        resource_type: &str,
        id: &str,
        token: &SecretString,
    ) -> Result<RawResource, FhirError> {
        let url = self.base.join(&format!("{resource_type}/{id}"));
        let answer = self.get(&url, Some(token), FHIR_JSON).await?;
        read_resource_answer(answer, resource_type, id)
    }

    pub(super) async fn get(
        &self,
        url: &Url,
        token: Option<&SecretString>,
        accept: &'static str,
    ) -> Result<Answer, FhirError> {
        let url = self.complete(url);
        Ok(self.http.get(self.request(&url, token, accept)).await?)
    }

    /// As `get`, taking a body of at most `limit` bytes.
    pub(super) async fn get_within(
        &self,
        url: &Url,
        token: &SecretString,
        accept: &'static str,
        limit: usize,
    ) -> Result<Answer, FhirError> {
        let url = self.complete(url);
        let http = self.http.with_limit(limit);
        Ok(http.get(self.request(&url, Some(token), accept)).await?)
    }

    fn request<'a>(
        &'a self,
        url: &'a Url,
        token: Option<&'a SecretString>,
        accept: &'static str,
    ) -> Get<'a> {
        Get {
            url,
            accept,
            token,
            follow: Follow::Within(&self.base),
            fresh: false,
            if_none_match: None,
        }
    }
}

/// Reads the answer to a read by type and id.
///
/// # Errors
/// [`FhirError`].
pub fn read_resource_answer(
    answer: Answer,
    resource_type: &str,
    id: &str,
) -> Result<RawResource, FhirError> {
    resource(&checked(answer)?, resource_type, id)
}

/// The resource of an answer to a read.
pub(super) fn resource(
    answer: &Answer,
    resource_type: &str,
    id: &str,
) -> Result<RawResource, FhirError> {
    let content_type = answer.content_type();
    let text = as_text(&answer.body, content_type.as_deref())?;
    let Some(resource) = single(text, id) else {
        return Err(match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) => FhirError::UnexpectedResource {
                found: "no resource".to_owned(),
            },
            Err(error) if error.is_eof() && text.starts_with('{') => FhirError::Truncated,
            Err(_) => not_json(&answer.body, content_type.as_deref()),
        });
    };
    if resource.resource_type == resource_type {
        return Ok(resource);
    }
    Err(match OperationOutcome::parse(text) {
        Some(outcome) => FhirError::Outcome {
            status: answer.status,
            outcome,
        },
        None => FhirError::UnexpectedResource {
            found: crate::text::plain(&resource.resource_type, 100),
        },
    })
}

/// Turns a status other than success into its meaning (FHIR R4 "RESTful API"; RFC 6750 §3.1).
pub(super) fn checked(answer: Answer) -> Result<Answer, FhirError> {
    let outcome = || {
        std::str::from_utf8(&answer.body)
            .ok()
            .and_then(OperationOutcome::parse)
    };
    let retry_after = answer.retry_after();
    Err(match answer.status {
        200..=299 => return Ok(answer),
        401 => FhirError::Unauthorized,
        403 => FhirError::Forbidden { outcome: outcome() },
        404 => FhirError::NotFound,
        410 => FhirError::Gone,
        429 => FhirError::TooManyRequests { retry_after },
        503 if retry_after.is_some() => FhirError::TooManyRequests { retry_after },
        status => match outcome() {
            Some(outcome) => FhirError::Outcome { status, outcome },
            None => FhirError::UnexpectedStatus(status),
        },
    })
}
