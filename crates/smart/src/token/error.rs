//! What can go wrong at the token endpoint.

use crate::http::HttpError;
use crate::id_token::IdTokenError;
use crate::keys::KeyError;
use crate::text::{DESCRIPTION, plain};
use oauth2::basic::{BasicErrorResponseType, BasicRevocationErrorResponse};
use oauth2::{
    ErrorResponse, RequestTokenError, RevocationErrorResponseType, StandardErrorResponse,
};

/// The codes of RFC 6749 §5.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenErrorCode {
    /// `invalid_request`.
    InvalidRequest,
    /// `invalid_client`: the client is unknown, or its proof does not hold.
    InvalidClient,
    /// `invalid_grant`: the code or refresh token is used up, expired or revoked.
    InvalidGrant,
    /// `unauthorized_client`.
    UnauthorizedClient,
    /// `unsupported_grant_type`.
    UnsupportedGrantType,
    /// `invalid_scope`.
    InvalidScope,
    /// Any other, as the server wrote it.
    Other(String),
}

impl From<&BasicErrorResponseType> for TokenErrorCode {
    fn from(code: &BasicErrorResponseType) -> Self {
        match code {
            BasicErrorResponseType::InvalidRequest => Self::InvalidRequest,
            BasicErrorResponseType::InvalidClient => Self::InvalidClient,
            BasicErrorResponseType::InvalidGrant => Self::InvalidGrant,
            BasicErrorResponseType::UnauthorizedClient => Self::UnauthorizedClient,
            BasicErrorResponseType::UnsupportedGrantType => Self::UnsupportedGrantType,
            BasicErrorResponseType::InvalidScope => Self::InvalidScope,
            BasicErrorResponseType::Extension(other) => Self::Other(plain(other, 100)),
        }
    }
}

/// Why there are no tokens. Holds no part of a token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The server refused, with a code.
    #[error("the token endpoint refused: {error:?} {}", description.as_deref().unwrap_or_default())]
    OAuth {
        /// Which code.
        error: TokenErrorCode,
        /// The server's own words.
        description: Option<String>,
        /// HTTP status.
        status: u16,
    },
    /// An answer that is not JSON, as of a gateway in between.
    #[error("the token endpoint answered {status} with something that is not JSON")]
    NotJson {
        /// HTTP status.
        status: u16,
        /// Media type.
        content_type: Option<String>,
    },
    /// JSON that is no token response; the reason names the member, never its value.
    #[error("the token response cannot be used: {0}")]
    Malformed(String),
    /// The id_token does not hold; all tokens of that response were dropped.
    #[error("the id_token is not valid")]
    IdToken(#[from] IdTokenError),
    /// The client's own key cannot sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The network.
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl TokenError {
    /// Whether the request may have reached the server although no answer came: then a code or a
    /// rotating refresh token may be used up. A connection that never came about sent nothing.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Http(error) => !matches!(
                error,
                HttpError::Setup(_)
                    | HttpError::InvalidUrl { .. }
                    | HttpError::NotHttps { .. }
                    | HttpError::Redirect { .. }
                    | HttpError::Connect { .. }
                    | HttpError::Tls { .. }
            ),
            // A gateway's page instead of an answer: what stands behind it may have done its work.
            Self::NotJson { status, .. } => *status >= 500,
            Self::Malformed(_) => true,
            _ => false,
        }
    }

    pub(crate) fn is_invalid_grant(&self) -> bool {
        matches!(
            self,
            Self::OAuth {
                error: TokenErrorCode::InvalidGrant,
                ..
            }
        )
    }

    pub(crate) fn is_invalid_client(&self) -> bool {
        matches!(
            self,
            Self::OAuth {
                error: TokenErrorCode::InvalidClient,
                ..
            }
        )
    }
}

/// What the transport saw of an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) date: Option<jiff::Timestamp>,
}

/// The error bodies of the token and of the revocation endpoint.
pub(crate) trait Refusal: ErrorResponse + 'static {
    fn read(&self) -> (TokenErrorCode, Option<&String>);
}

impl Refusal for StandardErrorResponse<BasicErrorResponseType> {
    fn read(&self) -> (TokenErrorCode, Option<&String>) {
        (self.error().into(), self.error_description())
    }
}

impl Refusal for BasicRevocationErrorResponse {
    fn read(&self) -> (TokenErrorCode, Option<&String>) {
        let code = match self.error() {
            RevocationErrorResponseType::Basic(basic) => basic.into(),
            other => TokenErrorCode::Other(plain(other.as_ref(), 100)),
        };
        (code, self.error_description())
    }
}

/// From the OAuth library's error; its copy of the body, which may hold tokens, is dropped.
pub(crate) fn from_library<R: Refusal>(
    error: RequestTokenError<HttpError, R>,
    seen: Seen,
) -> TokenError {
    match error {
        RequestTokenError::ServerResponse(refusal) => {
            let (error, description) = refusal.read();
            let description = description.map(|words| plain(words, DESCRIPTION));
            TokenError::OAuth {
                error,
                description,
                status: seen.status,
            }
        }
        RequestTokenError::Request(error) => TokenError::Http(error),
        RequestTokenError::Parse(error, body) => {
            let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok();
            if is_json {
                let path = error.path().to_string();
                let place = if path == "." {
                    "a required member".to_owned()
                } else {
                    plain(&path, 100)
                };
                TokenError::Malformed(format!(
                    "{place} is missing or of the wrong kind (HTTP status {})",
                    seen.status
                ))
            } else {
                TokenError::NotJson {
                    status: seen.status,
                    content_type: seen.content_type,
                }
            }
        }
        RequestTokenError::Other(_) => TokenError::NotJson {
            status: seen.status,
            content_type: seen.content_type,
        },
    }
}
