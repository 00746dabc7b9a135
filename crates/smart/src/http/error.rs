//! What can go wrong between two machines.

use tokio_rustls::rustls;

/// A request that brought no usable answer. URLs are printed without query, so that neither a code
/// nor a search for a person appears in a log.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The client could not be made, such as from a root certificate that is none.
    #[error("the HTTP client cannot be set up")]
    Setup(#[source] reqwest::Error),
    /// Not a URL that can be requested.
    #[error("{url} cannot be requested")]
    InvalidUrl {
        /// Which.
        url: String,
    },
    /// http, and not an allowed loopback address.
    #[error("{url} is not protected by https")]
    NotHttps {
        /// Which.
        url: String,
    },
    /// On this machine or in its own network, where that is not allowed.
    #[error("{url} is not a public address")]
    PrivateHost {
        /// Which.
        url: String,
    },
    /// No connection: unknown host, refused, no network.
    #[error("{url} cannot be reached")]
    Connect {
        /// Which.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// Certificate, host name or TLS version do not hold (RFC 9325).
    #[error("{url}: TLS failed: {reason}")]
    Tls {
        /// Which.
        url: String,
        /// Why.
        reason: rustls::Error,
    },
    /// Too slow.
    #[error("{url} did not answer in time")]
    Timeout {
        /// Which.
        url: String,
    },
    /// The body is larger than [`HttpPolicy::max_body_bytes`](super::HttpPolicy), after decompression.
    #[error("the answer of {url} is larger than {limit} bytes")]
    TooLarge {
        /// Which.
        url: String,
        /// Bytes.
        limit: usize,
    },
    /// A status that has no meaning here.
    #[error("{url} answered {status}")]
    Status {
        /// Which.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// A redirect that is not followed: to another origin, out of the FHIR base, or too many.
    #[error("{url} redirects to {to}, which is not followed")]
    Redirect {
        /// Which.
        url: String,
        /// Where to, without query.
        to: String,
    },
    /// The connection broke while the answer was on its way.
    #[error("the answer of {url} was cut short")]
    Interrupted {
        /// Which.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}

impl HttpError {
    /// Whether the server could not be reached at all, as when the network is off.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Timeout { .. })
    }

    /// The same error, of its address no more than the origin: for addresses that are secrets
    /// themselves, such as those of an export's files.
    #[must_use]
    pub(crate) fn with_origin_only(mut self) -> Self {
        let hide = |text: &mut String| *text = origin_of(text);
        match &mut self {
            Self::Setup(_) => {}
            Self::Redirect { url, to } => {
                hide(url);
                hide(to);
            }
            Self::InvalidUrl { url }
            | Self::NotHttps { url }
            | Self::PrivateHost { url }
            | Self::Connect { url, .. }
            | Self::Tls { url, .. }
            | Self::Timeout { url }
            | Self::TooLarge { url, .. }
            | Self::Status { url, .. }
            | Self::Interrupted { url, .. } => hide(url),
        }
        self
    }

    pub(super) fn from_reqwest(url: &url::Url, error: reqwest::Error) -> Self {
        let url = super::printable(url);
        let source = error.without_url();
        if let Some(reason) = tls_reason(&source) {
            return Self::Tls { url, reason };
        }
        if source.is_timeout() {
            Self::Timeout { url }
        } else if source.is_connect() {
            Self::Connect { url, source }
        } else if source.is_builder() {
            Self::InvalidUrl { url }
        } else {
            Self::Interrupted { url, source }
        }
    }
}

/// The TLS library's error, wherever the layers above have wrapped it.
fn tls_reason(error: &reqwest::Error) -> Option<rustls::Error> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(reason) = error.downcast_ref::<rustls::Error>() {
            return Some(reason.clone());
        }
        // An io::Error that wraps another error hides it from source().
        next = match error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn origin_of(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(url) if url.has_host() => format!("{}/…", url.origin().ascii_serialization()),
        _ => "an address".to_owned(),
    }
}
