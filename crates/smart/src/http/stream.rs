//! A GET whose answer is read piece by piece: for files of any size.

use super::{Answer, HttpClient, HttpError, Reach, printable};
use crate::secret::SecretString;
use crate::trace;
use ::http::{HeaderMap, header};
use std::time::Duration;
use url::Url;

const MAX_REDIRECTS: usize = 5;
/// A file may take this long as a whole; how long a server may be silent is the policy's matter.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// What to ask for.
pub(crate) struct StreamGet<'a> {
    pub(crate) url: &'a Url,
    pub(crate) accept: &'static str,
    /// Goes along as far as the origin stays the same, and never again after that.
    pub(crate) token: Option<&'a SecretString>,
    /// How far this and its redirects may lead.
    pub(crate) reach: Reach,
    /// http to this machine will do: only where the server itself is on it.
    pub(crate) http_on_loopback: bool,
}

/// An answer of which only status and headers have been read.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    url: Url,
    response: reqwest::Response,
}

impl Stream {
    /// The next piece; `None` at the end.
    pub(crate) async fn piece(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, HttpError> {
        let piece = self.response.chunk().await;
        piece.map_err(|error| HttpError::from_reqwest(&self.url, error))
    }

    /// The whole of it, for what should be small enough.
    pub(crate) async fn whole(mut self, limit: usize) -> Result<Answer, HttpError> {
        let mut body = Vec::new();
        while let Some(piece) = self.piece().await? {
            let piece = piece.as_ref();
            if body.len() + piece.len() > limit {
                let url = printable(&self.url);
                return Err(HttpError::TooLarge { url, limit });
            }
            body.extend_from_slice(piece);
        }
        Ok(Answer {
            status: self.status,
            headers: self.headers,
            body,
            url: self.url,
        })
    }
}

impl HttpClient {
    /// Begins a GET; at most five redirects are followed, each held against the policy and the reach.
    pub(crate) async fn stream(&self, get: StreamGet<'_>) -> Result<Stream, HttpError> {
        let mut url = get.url.clone();
        let mut token = get.token;
        for _ in 0..=MAX_REDIRECTS {
            let stream = self.begin(&url, &get, token).await?;
            if !matches!(stream.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(stream);
            }
            let location = stream.headers.get(header::LOCATION);
            let to = location
                .and_then(|location| location.to_str().ok())
                .and_then(|location| url.join(location).ok())
                .ok_or_else(|| HttpError::Redirect {
                    url: printable(&url),
                    to: "nowhere".to_owned(),
                })?;
            if to.origin() != url.origin() {
                trace::check("F14", "A redirect to another host gets no token", true);
                token = None;
            }
            url = to;
        }
        Err(HttpError::Redirect {
            url: printable(get.url),
            to: printable(&url),
        })
    }

    async fn begin(
        &self,
        url: &Url,
        get: &StreamGet<'_>,
        token: Option<&SecretString>,
    ) -> Result<Stream, HttpError> {
        self.check(url)?;
        if url.scheme() == "http" && !get.http_on_loopback {
            return Err(HttpError::NotHttps {
                url: printable(url),
            });
        }
        if !get.reach.covers(url) {
            return Err(HttpError::PrivateHost {
                url: printable(url),
            });
        }
        let mut request = self
            .client
            .get(url.clone())
            .timeout(LONGEST)
            .header(header::ACCEPT, get.accept)
            .header(header::ACCEPT_ENCODING, "gzip");
        if let Some(token) = token {
            request = request.bearer_auth(token.expose());
        }
        let failed = |error| HttpError::from_reqwest(url, error);
        let request = request.build().map_err(failed)?;
        let traced = trace::begin(&request);
        let begun = self.client.execute(request).await.map_err(failed);
        let begun = begun.map(|mut response| Stream {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            url: url.clone(),
            response,
        });
        if let Some(traced) = traced {
            // Of a file only the beginning is told: it may be larger than the memory.
            let told = begun.as_ref().map(|stream| Answer {
                status: stream.status,
                headers: stream.headers.clone(),
                body: Vec::new(),
                url: url.clone(),
            });
            traced.end(told.as_ref().map_err(|error| *error));
        }
        begun
    }
}
