//! The four requests of an export: kick-off, status, file, delete.

use super::error::BulkError;
use super::manifest::{CapabilityUrl, Manifest, TokenRule};
use super::ndjson::{Line, NdjsonReader};
use super::request::ExportRequest;
use super::status::ExportStatus;
use crate::fhir::outcome::OperationOutcome;
use crate::http::{
    Answer, FhirBaseUrl, Follow, Get, HttpClient, Reach, Stream, StreamGet, is_loopback,
};
use crate::secret::SecretString;
use crate::text::plain;
use crate::trace;
use ::http::Method;
use ::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use url::Url;

const FHIR_JSON: &str = "application/fhir+json";
const NDJSON: &str = "application/fhir+ndjson";
const PROGRESS: HeaderName = HeaderName::from_static("x-progress");
const EXPORT_STATUS: HeaderName = HeaderName::from_static("x-export-status");
const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// Of an answer that refuses a file, this much is read to learn why.
const REFUSAL: usize = 256 * 1024;

/// An export at a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportJob {
    /// Where its state is asked for. Whoever has this has the export.
    pub status_url: CapabilityUrl,
    /// The state stands in `X-Export-Status`, apart from that of the request: the server has confirmed it.
    pub separate_status: bool,
}

/// Has exports made at one server; cheap to clone.
#[derive(Clone, Debug)]
pub struct BulkClient {
    http: HttpClient,
    files: HttpClient,
    base: FhirBaseUrl,
}

impl BulkClient {
    /// For the server at `base`.
    ///
    /// # Errors
    /// [`BulkError::Http`] when the client cannot be made.
    pub fn new(http: HttpClient, base: FhirBaseUrl) -> Result<Self, BulkError> {
        let files = http.undecoded()?;
        Ok(Self { http, files, base })
    }

    pub(super) fn base(&self) -> &FhirBaseUrl {
        &self.base
    }

    pub(super) fn http(&self) -> &HttpClient {
        &self.http
    }

    /// Asks for an export: by GET, by POST where patients are named or GET is not allowed (405).
    ///
    /// # Errors
    /// [`BulkError`].
    pub async fn kick_off(
        &self,
        request: &ExportRequest,
        token: &SecretString,
    ) -> Result<ExportJob, BulkError> {
        let mut answer = if request.must_be_posted() {
            self.post(request, token).await?
        } else {
            let url = request.address(&self.base);
            let headers = kick_off_headers(request, token)?;
            self.http
                .once(Method::GET, &url, headers, Vec::new())
                .await?
        };
        if answer.status == 405 && !request.must_be_posted() {
            answer = self.post(request, token).await?;
        }
        if !answer.is_success() {
            return Err(refusal(&answer, request));
        }
        let location = answer
            .header(header::CONTENT_LOCATION)
            .or_else(|| answer.header(header::LOCATION));
        let status_url = location.and_then(|location| answer.url.join(location).ok());
        let found = status_url.ok_or(BulkError::NoStatusUrl);
        let status_url = trace::checked("F6", "The kick-off says where to ask on", found)?;
        self.within_reach(&status_url)?;
        let applied = answer.headers.get_all(PREFERENCE_APPLIED).iter();
        let separate_status = applied
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.contains("separate-export-status"));
        Ok(ExportJob {
            status_url: CapabilityUrl::new(status_url),
            separate_status,
        })
    }

    async fn post(
        &self,
        request: &ExportRequest,
        token: &SecretString,
    ) -> Result<Answer, BulkError> {
        let mut headers = kick_off_headers(request, token)?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(FHIR_JSON));
        let url = request.operation(&self.base);
        let body = request.body();
        Ok(self.http.once(Method::POST, &url, headers, body).await?)
    }

    /// Asks how an export stands; at [`Manifest::next`] for the rest of its manifest.
    ///
    /// # Errors
    /// [`BulkError::Failed`] when it failed for good, [`BulkError::Gone`] when the server no longer
    /// knows it, and others.
    pub async fn poll(
        &self,
        job: &ExportJob,
        token: &SecretString,
    ) -> Result<ExportStatus, BulkError> {
        let url = job.status_url.expose();
        self.within_reach(url)?;
        let get = Get {
            token: Some(token),
            follow: Follow::SameOrigin,
            ..Get::json(url)
        };
        let answer = self.http.get(get).await?;
        let apart = job.separate_status && answer.is_success();
        let said = answer
            .header(EXPORT_STATUS)
            .and_then(|s| s.trim().parse().ok());
        status(&answer, said.filter(|_| apart).unwrap_or(answer.status))
    }

    /// Ends an export: its files are not needed (any more). That it is not there is as good.
    ///
    /// # Errors
    /// [`BulkError`].
    pub async fn delete(&self, job: &ExportJob, token: &SecretString) -> Result<(), BulkError> {
        let url = job.status_url.expose();
        self.within_reach(url)?;
        let answer = self.http.delete(url, token).await?;
        match answer.status {
            200..=299 | 404 | 410 => Ok(()),
            401 => Err(BulkError::Unauthorized),
            status => Err(BulkError::Refused {
                status,
                outcome: outcome(&answer),
            }),
        }
    }

    /// Opens a file, with the token only where the manifest says so.
    ///
    /// # Errors
    /// [`BulkError`].
    pub async fn download(
        &self,
        url: &CapabilityUrl,
        rule: TokenRule,
        token: &SecretString,
    ) -> Result<Download, BulkError> {
        let url = url.expose();
        let at_home = url.origin() == self.base.url().origin();
        let send = match rule {
            TokenRule::Required => true,
            TokenRule::Forbidden => false,
            TokenRule::NotSaid => at_home,
        };
        let told = match send {
            true => "The manifest says that files need the token",
            false => "Files need no token, so none is sent",
        };
        trace::check("F13", told, true);
        let get = StreamGet {
            url,
            accept: NDJSON,
            token: send.then_some(token),
            reach: Reach::from_source(self.base.url()),
            http_on_loopback: is_loopback(self.base.url()),
        };
        let stream = self.files.stream(get).await?;
        Download::begin(stream).await
    }

    /// A public server does not send us into the own network (checklist H10).
    fn within_reach(&self, url: &Url) -> Result<(), BulkError> {
        if Reach::from_source(self.base.url()).covers(url) {
            return Ok(());
        }
        let url = url.to_string();
        Err(crate::http::HttpError::PrivateHost { url }.into())
    }
}

/// A file that is being read.
#[derive(Debug)]
pub struct Download {
    stream: Stream,
    reader: NdjsonReader,
    at_end: bool,
    lines: u64,
}

impl Download {
    async fn begin(stream: Stream) -> Result<Self, BulkError> {
        let status = stream.status;
        let encoding = stream.headers.get(header::CONTENT_ENCODING);
        let encoding = encoding.and_then(|value| value.to_str().ok());
        let known = encoding.is_none_or(|encoding| {
            let encoding = encoding.trim().to_ascii_lowercase();
            matches!(encoding.as_str(), "" | "identity" | "gzip" | "x-gzip")
        });
        match status {
            200..=299 if !known => Err(BulkError::UnknownEncoding),
            200..=299 => Ok(Self {
                stream,
                reader: NdjsonReader::new(),
                at_end: false,
                lines: 0,
            }),
            401 => Err(BulkError::Unauthorized),
            404 | 410 => Err(BulkError::Gone),
            _ => {
                let answer = stream.whole(REFUSAL).await?;
                let retry_after = answer.retry_after();
                if status == 429 || (status == 503 && retry_after.is_some()) {
                    return Err(BulkError::Busy { retry_after });
                }
                Err(BulkError::FileRefused {
                    status,
                    outcome: outcome(&answer),
                })
            }
        }
    }

    /// The next lines: about as many as are wanted, or fewer when they are large; `None` at the end.
    ///
    /// # Errors
    /// [`BulkError::Truncated`], [`BulkError::NotNdjson`], [`BulkError::TooLarge`] and others; the lines
    /// that came before stand.
    pub async fn next_batch(
        &mut self,
        lines: usize,
        bytes: usize,
    ) -> Result<Option<Vec<Line>>, BulkError> {
        while !self.at_end {
            let (ready, size) = self.reader.ready();
            if ready >= lines || size >= bytes {
                break;
            }
            match self.stream.piece().await? {
                Some(piece) => self.reader.push(piece.as_ref())?,
                None => {
                    self.at_end = true;
                    self.reader.finish()?;
                }
            }
        }
        let batch = self.reader.take();
        if self.lines == 0 && begins_like_a_page(&batch) {
            return Err(BulkError::NotNdjson);
        }
        self.lines += batch.len() as u64;
        Ok(if batch.is_empty() { None } else { Some(batch) })
    }
}

/// HTML or XML in place of a file, as a proxy or a sign-in page gives it with status 200.
fn begins_like_a_page(lines: &[Line]) -> bool {
    let first = lines.first().and_then(|line| line.bytes.as_deref());
    first.is_some_and(|bytes| bytes.trim_ascii_start().starts_with(b"<"))
}

fn kick_off_headers(request: &ExportRequest, token: &SecretString) -> Result<HeaderMap, BulkError> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static(FHIR_JSON));
    let mut prefer = "respond-async".to_owned();
    if request.separate_status {
        prefer.push_str(", separate-export-status");
    }
    if request.lenient {
        prefer.push_str(", handling=lenient");
    }
    let header_of = |text: &str| HeaderValue::from_str(text).map_err(|_| BulkError::Unauthorized);
    headers.insert(PREFER, header_of(&prefer)?);
    let mut bearer = header_of(&format!("Bearer {}", token.expose()))?;
    bearer.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, bearer);
    Ok(headers)
}

fn outcome(answer: &Answer) -> Option<OperationOutcome> {
    let text = std::str::from_utf8(&answer.body).ok()?;
    OperationOutcome::parse(text.trim_start_matches('\u{feff}'))
}

fn refusal(answer: &Answer, request: &ExportRequest) -> BulkError {
    let retry_after = answer.retry_after();
    let outcome = outcome(answer);
    match answer.status {
        401 => BulkError::Unauthorized,
        403 => BulkError::Forbidden { outcome },
        404 | 405 => BulkError::NotOffered,
        429 => BulkError::Busy { retry_after },
        503 if retry_after.is_some() => BulkError::Busy { retry_after },
        status @ (400 | 422 | 501) => {
            let parameters = suspects(request, outcome.as_ref());
            match (parameters.is_empty(), status) {
                (false, _) => BulkError::ParameterRefused {
                    parameters,
                    outcome,
                },
                (true, 501) => BulkError::NotOffered,
                (true, _) => BulkError::Refused { status, outcome },
            }
        }
        status => BulkError::Refused { status, outcome },
    }
}

/// Which of our own parameters a refusal may be about: those whose names it tells, else all.
fn suspects(request: &ExportRequest, outcome: Option<&OperationOutcome>) -> Vec<String> {
    let names = request.parameter_names();
    let said = outcome.map(OperationOutcome::text).unwrap_or_default();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: Vec<&str> = said.split(|c| !is_part(c)).collect();
    let told = names.iter().filter(|name| words.contains(*name));
    let told: Vec<String> = told.map(|name| (*name).to_owned()).collect();
    if told.is_empty() {
        return names.into_iter().map(str::to_owned).collect();
    }
    told
}

/// What an answer to a status request means; `status` is that of the export where it is told apart.
fn status(answer: &Answer, status: u16) -> Result<ExportStatus, BulkError> {
    let retry_after = answer.retry_after();
    let again = |too_often| ExportStatus::AskAgain {
        retry_after,
        too_often,
    };
    match status {
        202 => {
            let progress = answer.header(PROGRESS).map(|text| plain(text, 100));
            let partial = Manifest::parse(&answer.body, &answer.url).ok();
            Ok(ExportStatus::Running {
                progress: progress.filter(|text| !text.is_empty()),
                retry_after,
                partial: partial.map(Box::new),
            })
        }
        200..=299 => {
            let manifest = Manifest::parse(&answer.body, &answer.url);
            let manifest = trace::checked("F12", "The manifest names the files", manifest)?;
            Ok(ExportStatus::Complete(Box::new(manifest)))
        }
        401 => Err(BulkError::Unauthorized),
        429 => Ok(again(true)),
        503 if retry_after.is_some() => Ok(again(false)),
        // A gateway that does not reach the server says nothing about the export.
        502..=504 if outcome(answer).is_none() => Ok(again(false)),
        status => {
            let outcome = outcome(answer);
            let issues = outcome.iter().flat_map(|outcome| &outcome.issues);
            if issues.clone().any(|issue| issue.code == "transient") {
                trace::check("F10", "An error that is called transient is none", true);
                return Ok(again(false));
            }
            match status {
                404 | 410 => Err(BulkError::Gone),
                _ => Err(BulkError::Failed { status, outcome }),
            }
        }
    }
}
