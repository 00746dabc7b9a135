//! One request of a sync: token, one refresh after a 401, waiting when the server asks for it, and a
//! second try where a GET was merely cut short.

use super::run::Run;
use crate::attachments::{Content, read_content};
use crate::document;
use crate::problem::{Problem, ProblemCode};
use satchel_smart::fhir::bundle::{RawResource, SearchPage};
use satchel_smart::fhir::client::FhirError;
use satchel_smart::http::HttpError;
use satchel_smart::secret::SecretString;
use std::time::Duration;
use url::Url;

const TRIES: u32 = 4;
/// What servers send in place of a document when something is wrong with them.
const LOOKS_LIKE_AN_ERROR: [&str; 3] = ["text/html", "application/xhtml+xml", "application/json"];
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Why a request gave nothing.
#[derive(Debug)]
pub(crate) enum FetchError {
    /// The FHIR server's answer.
    Fhir(FhirError),
    /// Access, keychain or store.
    Problem(Problem),
    /// The server refuses a later page of what it had begun to give: the links lapsed, or it changed its
    /// mind. What came is a part.
    Lapsed(Problem),
}

impl FetchError {
    /// The server says no: to the whole kind, or to the question as it was put.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Self::Fhir(FhirError::Forbidden { .. } | FhirError::NotFound | FhirError::Gone) => true,
            Self::Fhir(FhirError::Outcome { status, .. } | FhirError::UnexpectedStatus(status)) => {
                *status < 500
            }
            Self::Problem(problem) => problem.code == ProblemCode::NotShared,
            Self::Fhir(_) | Self::Lapsed(_) => false,
        }
    }

    /// As it is for a page behind the first: a refusal there is none of the kind, it is a failure.
    pub(super) fn of_a_later_page(self) -> Self {
        if !self.is_refusal() {
            return self;
        }
        let refused = Problem::from(self);
        let said = refused.detail.unwrap_or_default();
        let detail = format!("a page behind the first was refused: {said}");
        Self::Lapsed(Problem::with_detail(ProblemCode::ServerError, detail))
    }
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
            FetchError::Problem(problem) | FetchError::Lapsed(problem) => problem,
        }
    }
}

/// What to fetch.
#[derive(Clone, Copy, Debug)]
enum Target<'a> {
    Page(&'a Url),
    Record(&'a str, &'a str, Option<&'a str>),
    /// A `Binary` of at most so many bytes.
    Content(&'a str, u64),
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

    /// The content of a document.
    pub(crate) async fn fetch_content(
        &self,
        id: &str,
        largest: u64,
    ) -> Result<RawResource, FetchError> {
        match self.fetch(Target::Content(id, largest)).await? {
            Answer::Record(record) => Ok(record),
            Answer::Page(_) | Answer::Unchanged => Err(FetchError::Fhir(FhirError::Truncated)),
        }
    }

    async fn fetch(&self, target: Target<'_>) -> Result<Answer, FetchError> {
        let mut token = self.engine.access_token(&self.connection_id).await?;
        let mut refreshed = false;
        loop {
            match patiently(|| self.ask(target, &token)).await {
                Err(FhirError::Unauthorized) if !refreshed => {
                    refreshed = true;
                    token = self
                        .engine
                        .replace_token(&self.connection_id, &token)
                        .await?;
                }
                answer => {
                    let heeded = answer.inspect_err(|error| {
                        self.engine.heed(&self.connection_id, error);
                    });
                    return heeded.map_err(FetchError::Fhir);
                }
            }
        }
    }

    /// Whether what came in place of a Binary can be its content. A page in HTML is that of a document only
    /// where the document says so: else it is what a server shows when it is ill.
    async fn is_content(&self, id: &str, content_type: &str) -> bool {
        if !LOOKS_LIKE_AN_ERROR.contains(&content_type) {
            return true;
        }
        let place = format!("Binary/{id}");
        let is_said = |attachment: &document::AttachmentRef| {
            let here = attachment
                .url
                .as_ref()
                .is_some_and(|url| url.ends_with(&place));
            here && attachment.content_type.starts_with(content_type)
        };
        let store = &self.engine.inner.store;
        let owners = store.content_owners(&self.connection_id, id).await;
        owners
            .unwrap_or_default()
            .iter()
            .any(|json| document::attachments_of(json).iter().any(is_said))
    }

    async fn ask(&self, target: Target<'_>, token: &SecretString) -> Result<Answer, FhirError> {
        match target {
            Target::Page(url) => self.fhir.search_page(url, token).await.map(Answer::Page),
            Target::Content(id, largest) => {
                let Content { record, as_itself } =
                    read_content(&self.fhir, id, largest, token).await?;
                match as_itself {
                    Some(content_type) if !self.is_content(id, &content_type).await => {
                        Err(FhirError::NotJson {
                            content_type: Some(content_type),
                            xml: false,
                        })
                    }
                    _ => Ok(Answer::Record(record)),
                }
            }
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

/// Asks, waits where the server says that it is busy, and asks again where an answer was merely cut short.
///
/// # Errors
/// What the server said to the last question.
pub(super) async fn patiently<T, F: Future<Output = Result<T, FhirError>>>(
    ask: impl Fn() -> F,
) -> Result<T, FhirError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        match ask().await {
            // One that asks for more than that is left alone, and the schedule waits as long as it asks.
            Err(FhirError::TooManyRequests { retry_after })
                if attempt < TRIES && retry_after.is_none_or(|wait| wait <= LONGEST_WAIT) =>
            {
                let wait = retry_after.unwrap_or(Duration::from_secs(1 << attempt));
                tokio::time::sleep(wait).await;
            }
            Err(error) if attempt < 2 && worth_a_second_try(&error) => {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            answer => return answer,
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
