//! One request of a sync: token, one refresh after a 401, waiting when the server asks for it, and a
//! second try where a GET was merely cut short.

use super::run::Run;
use crate::document;
use crate::problem::Problem;
use satchel_smart::fhir::binary::BinaryContent;
use satchel_smart::fhir::bundle::{RawResource, SearchPage};
use satchel_smart::fhir::client::FhirError;
use satchel_smart::http::HttpError;
use satchel_smart::secret::SecretString;
use std::time::Duration;
use url::Url;

const TRIES: u32 = 4;
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Why a request gave nothing.
#[derive(Debug)]
pub(crate) enum FetchError {
    /// The FHIR server's answer.
    Fhir(FhirError),
    /// Access, keychain or store.
    Problem(Problem),
}

impl From<Problem> for FetchError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<FetchError> for Problem {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Fhir(error) => error.into(),
            FetchError::Problem(problem) => problem,
        }
    }
}

/// What to fetch.
#[derive(Clone, Copy, Debug)]
enum Target<'a> {
    Page(&'a Url),
    Record(&'a str, &'a str, Option<&'a str>),
}

enum Answer {
    Page(SearchPage),
    Record(RawResource),
    Unchanged,
}

impl Run {
    pub(crate) async fn fetch_page(&self, url: &Url) -> Result<SearchPage, FetchError> {
        match self.fetch(Target::Page(url)).await? {
            Answer::Page(page) => Ok(page),
            Answer::Record(_) | Answer::Unchanged => Err(FetchError::Fhir(FhirError::Truncated)),
        }
    }

    /// A record; `None` when it is still the version that is here.
    pub(crate) async fn fetch_record(
        &self,
        resource_type: &str,
        id: &str,
        version: Option<&str>,
    ) -> Result<Option<RawResource>, FetchError> {
        match self
            .fetch(Target::Record(resource_type, id, version))
            .await?
        {
            Answer::Record(record) => Ok(Some(record)),
            Answer::Unchanged => Ok(None),
            Answer::Page(_) => Err(FetchError::Fhir(FhirError::Truncated)),
        }
    }

    async fn fetch(&self, target: Target<'_>) -> Result<Answer, FetchError> {
        let mut token = self.engine.access_token(&self.connection_id).await?;
        let mut refreshed = false;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let error = match self.ask(target, &token).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match &error {
                FhirError::Unauthorized if !refreshed => {
                    refreshed = true;
                    token = self
                        .engine
                        .replace_token(&self.connection_id, &token)
                        .await?;
                }
                FhirError::TooManyRequests { retry_after } if attempt < TRIES => {
                    let wait = retry_after.unwrap_or(Duration::from_secs(1 << attempt));
                    tokio::time::sleep(wait.min(LONGEST_WAIT)).await;
                }
                error if attempt < 2 && worth_a_second_try(error) => {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                _ => {
                    self.engine.heed(&self.connection_id, &error);
                    return Err(FetchError::Fhir(error));
                }
            }
        }
    }

    async fn ask(&self, target: Target<'_>, token: &SecretString) -> Result<Answer, FhirError> {
        match target {
            Target::Page(url) => self.fhir.search_page(url, token).await.map(Answer::Page),
            // Some servers give the content itself whatever is asked for (checklist G23).
            Target::Record("Binary", id, _) => Ok(match self.fhir.read_binary(id, token).await? {
                BinaryContent::Resource(record) => Answer::Record(record),
                BinaryContent::Native {
                    content_type,
                    bytes,
                } => Answer::Record(document::binary_record(id, &content_type, &bytes)),
            }),
            Target::Record(resource_type, id, Some(version)) => self
                .fhir
                .read_if_changed(resource_type, id, version, token)
                .await
                .map(|read| read.map_or(Answer::Unchanged, Answer::Record)),
            Target::Record(resource_type, id, None) => self
                .fhir
                .read(resource_type, id, token)
                .await
                .map(Answer::Record),
        }
    }
}

/// A GET changes nothing at the server; what was cut short may be asked again. A server that cannot
/// be reached at all is not asked twice: the person should see "offline" at once.
fn worth_a_second_try(error: &FhirError) -> bool {
    match error {
        FhirError::Truncated => true,
        FhirError::UnexpectedStatus(status) => *status >= 500,
        FhirError::Outcome { status, .. } => *status >= 500,
        // What went elsewhere or never ended will do so again.
        FhirError::Http(HttpError::Redirect { .. } | HttpError::TooLarge { .. }) => false,
        FhirError::Http(error) => !error.is_unreachable(),
        _ => false,
    }
}
