//! The one HTTP client of the crate.

use super::reach::{PublicResolver, is_private};
use super::{FhirBaseUrl, HttpError, is_loopback, printable};
use crate::secret::SecretString;
use crate::trace;
use ::http::{HeaderMap, HeaderName, HeaderValue, header};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

const MAX_REDIRECTS: usize = 3;
/// Configurations, keys, registrations and tokens have some thousand bytes.
const DOCUMENT_BYTES: usize = 1024 * 1024;
/// A number of seconds beyond this (2001) is a time and not a wait.
const EARLIEST_TIME: i64 = 1_000_000_000;

/// What the client may do. There is no setting that ignores a certificate.
#[derive(Clone, Debug)]
pub struct HttpPolicy {
    /// Lets http through to 127.0.0.0/8, `[::1]` and `localhost`: for a server on this machine.
    pub allow_http_on_loopback: bool,
    /// Certificates (PEM, one or more in a file, or DER) to trust beside the system's.
    pub extra_root_certificates: Vec<Vec<u8>>,
    /// The longest silence of a server; a whole answer may take five times that.
    pub timeout: Duration,
    /// The largest body, after decompression.
    pub max_body_bytes: usize,
    /// Refuses hosts on this machine and in its own network, by address and by what their name
    /// resolves to (checklist H10).
    pub public_hosts_only: bool,
}

impl HttpPolicy {
    /// Whether a request to this URL may go out.
    pub(crate) fn check(&self, url: &Url) -> Result<(), HttpError> {
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http_on_loopback && is_loopback(url) => {}
            "http" => {
                return Err(HttpError::NotHttps {
                    url: printable(url),
                });
            }
            _ => {
                return Err(HttpError::InvalidUrl {
                    url: printable(url),
                });
            }
        }
        if self.public_hosts_only && is_private(url) {
            return Err(HttpError::PrivateHost {
                url: printable(url),
            });
        }
        if url.username().is_empty() && url.password().is_none() {
            Ok(())
        } else {
            Err(HttpError::InvalidUrl {
                url: printable(url),
            })
        }
    }
}

impl Default for HttpPolicy {
    /// https only, the system's certificates, 60 seconds, 64 MiB.
    fn default() -> Self {
        Self {
            allow_http_on_loopback: false,
            extra_root_certificates: Vec::new(),
            timeout: Duration::from_secs(60),
            max_body_bytes: 64 * 1024 * 1024,
            public_hosts_only: false,
        }
    }
}

/// HTTP with the house's rules; cheap to clone, one pool of connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    pub(super) client: reqwest::Client,
    policy: Arc<HttpPolicy>,
}

/// Where a redirect of a GET may lead.
#[derive(Clone, Copy)]
pub(crate) enum Follow<'a> {
    /// The same scheme, host and port.
    SameOrigin,
    /// At or below the FHIR base: the only place where a token may go.
    Within(&'a FhirBaseUrl),
}

/// A GET request.
pub(crate) struct Get<'a> {
    pub(crate) url: &'a Url,
    pub(crate) accept: &'static str,
    pub(crate) token: Option<&'a SecretString>,
    pub(crate) follow: Follow<'a>,
    pub(crate) fresh: bool,
    pub(crate) if_none_match: Option<&'a str>,
}

impl<'a> Get<'a> {
    pub(crate) fn json(url: &'a Url) -> Self {
        Self {
            url,
            accept: "application/json",
            token: None,
            follow: Follow::SameOrigin,
            fresh: false,
            if_none_match: None,
        }
    }
}

/// An answer, read to its end. Every function of this crate that reads one is pure: who has an HTTP
/// stack of their own can bring its answers in this form.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// The body, after decompression.
    pub body: Vec<u8>,
    /// The URL that it is the answer to.
    pub url: Url,
}

impl fmt::Debug for Answer {
    /// Without headers and body, which may hold tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Answer({} of {}, {} bytes)",
            self.status,
            printable(&self.url),
            self.body.len()
        )
    }
}

impl Answer {
    /// Where this redirect leads, if a request with an access token for the server at `base` may
    /// follow it: at or below that base (checklist G3).
    ///
    /// # Errors
    /// [`HttpError::Redirect`] when it leads elsewhere, or nowhere.
    pub fn redirect_within(&self, base: &FhirBaseUrl) -> Result<Url, HttpError> {
        redirect_target(self, Follow::Within(base))
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }

    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The media type, without parameters, in lower case.
    pub(crate) fn content_type(&self) -> Option<String> {
        let value = self.header(header::CONTENT_TYPE)?;
        let media_type = value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        Some(crate::text::plain(&media_type, 100))
    }

    /// The answer's own date (RFC 9110 §6.6.1).
    pub(crate) fn date(&self) -> Option<jiff::Timestamp> {
        http_date(self.header(header::DATE)?)
    }

    /// `Retry-After` as a duration (RFC 9110 §10.2.3); a date counts from the answer's own date. Without
    /// it `X-RateLimit-Reset`, which no standard names: seconds to wait, or the time in seconds since 1970.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let Some(value) = self.header(header::RETRY_AFTER) else {
            return self.rate_limit_reset();
        };
        let value = value.trim();
        if let Ok(seconds) = value.parse::<u32>() {
            return Some(Duration::from_secs(u64::from(seconds)));
        }
        let wait = http_date(value)?.duration_since(self.date()?);
        Some(Duration::try_from(wait).unwrap_or(Duration::ZERO))
    }

    fn rate_limit_reset(&self) -> Option<Duration> {
        let name = HeaderName::from_static("x-ratelimit-reset");
        let seconds: i64 = self.header(name)?.trim().parse().ok()?;
        let is_time = seconds > EARLIEST_TIME;
        let wait = if is_time {
            seconds - self.date()?.as_second()
        } else {
            seconds
        };
        Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
    }

    pub(crate) fn status_error(&self) -> HttpError {
        HttpError::Status {
            url: printable(&self.url),
            status: self.status,
        }
    }
}

fn http_date(value: &str) -> Option<jiff::Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(value)
        .ok()
}

impl HttpClient {
    /// Makes the client: TLS 1.2 or later, certificates and host names always verified.
    ///
    /// # Errors
    /// [`HttpError::Setup`] when a root certificate cannot be read.
    pub fn new(policy: HttpPolicy) -> Result<Self, HttpError> {
        Self::build(policy, true)
    }

    /// The same rules for a client that hands bodies on as they came, compressed or not.
    pub(crate) fn undecoded(&self) -> Result<Self, HttpError> {
        Self::build((*self.policy).clone(), false)
    }

    fn build(policy: HttpPolicy, decode: bool) -> Result<Self, HttpError> {
        let mut roots = Vec::new();
        for certificate in &policy.extra_root_certificates {
            if certificate.starts_with(b"-----") {
                roots.extend(
                    reqwest::Certificate::from_pem_bundle(certificate).map_err(HttpError::Setup)?,
                );
            } else {
                roots.push(reqwest::Certificate::from_der(certificate).map_err(HttpError::Setup)?);
            }
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("Satchel/", env!("CARGO_PKG_VERSION")))
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .tls_certs_merge(roots)
            .gzip(decode)
            .brotli(decode)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(policy.timeout.min(Duration::from_secs(15)))
            .read_timeout(policy.timeout)
            .timeout(policy.timeout.saturating_mul(5));
        if policy.public_hosts_only {
            // No proxy: behind one, the name would be resolved where nobody looks at the answer.
            builder = builder.dns_resolver(PublicResolver).no_proxy();
        }
        let client = builder.build().map_err(HttpError::Setup)?;
        Ok(Self {
            client,
            policy: Arc::new(policy),
        })
    }

    /// The same client, taking bodies of at most `max_body_bytes`.
    #[must_use]
    pub fn with_limit(&self, max_body_bytes: usize) -> Self {
        Self {
            client: self.client.clone(),
            policy: Arc::new(HttpPolicy {
                max_body_bytes,
                ..(*self.policy).clone()
            }),
        }
    }

    /// The same client for what is no record: a server's description of itself, its keys, a registration,
    /// tokens. A megabyte is more than any of them has.
    pub(crate) fn for_documents(&self) -> Self {
        self.with_limit(self.policy.max_body_bytes.min(DOCUMENT_BYTES))
    }

    /// The policy that it keeps to.
    #[must_use]
    pub fn policy(&self) -> &HttpPolicy {
        &self.policy
    }

    /// Whether the policy lets a request to this URL out.
    pub(crate) fn check(&self, url: &Url) -> Result<(), HttpError> {
        self.policy.check(url)
    }

    /// A GET that follows at most three redirects, each only where `follow` allows it.
    pub(crate) async fn get(&self, get: Get<'_>) -> Result<Answer, HttpError> {
        let mut url = get.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut request = self
                .client
                .get(url.clone())
                .header(header::ACCEPT, get.accept);
            if get.fresh {
                request = request.header(header::CACHE_CONTROL, "no-cache");
            }
            if let Some(tag) = get.if_none_match {
                request = request.header(header::IF_NONE_MATCH, tag);
            }
            if let Some(token) = get.token {
                request = request.bearer_auth(token.expose());
            }
            let answer = self.send(&url, request).await?;
            if !answer.is_redirect() {
                return Ok(answer);
            }
            let target = redirect_target(&answer, get.follow);
            url = trace::checked("A24", "The redirect stays where it may lead", target)?;
        }
        Err(HttpError::Redirect {
            url: printable(get.url),
            to: printable(&url),
        })
    }

    /// A POST that follows nothing: what is posted holds a secret or makes something.
    pub(crate) async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        basic: Option<(&str, &SecretString)>,
        body: Vec<u8>,
    ) -> Result<Answer, HttpError> {
        let mut request = self.client.post(url.clone()).headers(headers).body(body);
        if let Some((name, password)) = basic {
            request = request.basic_auth(name, Some(password.expose()));
        }
        not_redirected(self.send(url, request).await?)
    }

    /// A request of any kind that follows nothing.
    pub(crate) async fn once(
        &self,
        method: ::http::Method,
        url: &Url,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Answer, HttpError> {
        let request = self.client.request(method, url.clone()).headers(headers);
        self.send(url, request.body(body)).await
    }

    /// A PUT that follows nothing.
    pub(crate) async fn put(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Answer, HttpError> {
        let request = self.client.put(url.clone()).headers(headers).body(body);
        not_redirected(self.send(url, request).await?)
    }

    /// A DELETE with a bearer token, that follows nothing.
    pub(crate) async fn delete(
        &self,
        url: &Url,
        token: &SecretString,
    ) -> Result<Answer, HttpError> {
        let request = self.client.delete(url.clone()).bearer_auth(token.expose());
        not_redirected(self.send(url, request).await?)
    }

    /// Every request of the crate passes here: held against the policy, traced where somebody traces.
    async fn send(&self, url: &Url, request: reqwest::RequestBuilder) -> Result<Answer, HttpError> {
        self.check(url).inspect_err(|error| {
            let private = matches!(error, HttpError::PrivateHost { .. });
            let number = if private { "H10" } else { "A8" };
            trace::check(number, "The address may be asked", false);
        })?;
        let request = request
            .build()
            .map_err(|error| HttpError::from_reqwest(url, error))?;
        let traced = trace::begin(&request);
        let answer = self.receive(url, request).await;
        if let Some(traced) = traced {
            traced.end(answer.as_ref());
        }
        answer
    }

    async fn receive(&self, url: &Url, request: reqwest::Request) -> Result<Answer, HttpError> {
        let failed = |error| HttpError::from_reqwest(url, error);
        let mut response = self.client.execute(request).await.map_err(failed)?;
        let limit = self.policy.max_body_bytes;
        let too_large = || HttpError::TooLarge {
            url: printable(url),
            limit,
        };
        let announced = response.content_length().unwrap_or(0);
        if announced > u64::try_from(limit).unwrap_or(u64::MAX) {
            return Err(too_large());
        }
        let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body,
            url: url.clone(),
        })
    }
}

/// What was posted goes nowhere else, and the redirect is told as what it is.
fn not_redirected(answer: Answer) -> Result<Answer, HttpError> {
    if !answer.is_redirect() {
        return Ok(answer);
    }
    trace::check(
        "A24",
        "What was sent is not sent on to another address",
        false,
    );
    let to = answer
        .header(header::LOCATION)
        .and_then(|location| answer.url.join(location).ok());
    Err(HttpError::Redirect {
        url: printable(&answer.url),
        to: to.map_or_else(|| "nowhere".to_owned(), |to| printable(&to)),
    })
}

fn redirect_target(answer: &Answer, follow: Follow<'_>) -> Result<Url, HttpError> {
    let from = &answer.url;
    let refused = |to: String| HttpError::Redirect {
        url: printable(from),
        to,
    };
    let to = answer
        .header(header::LOCATION)
        .and_then(|location| from.join(location).ok())
        .ok_or_else(|| refused("nowhere".to_owned()))?;
    let allowed = match follow {
        Follow::SameOrigin => to.origin() == from.origin(),
        Follow::Within(base) => base.covers(&to),
    };
    if allowed {
        Ok(to)
    } else {
        Err(refused(printable(&to)))
    }
}

/// Headers of a POST whose answer is JSON.
pub(crate) fn json_headers(content_type: &'static str) -> HeaderMap {
    HeaderMap::from_iter([
        (header::ACCEPT, HeaderValue::from_static("application/json")),
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
    ])
}
