//! The token endpoint: refresh, revocation, and what an answer means (RFC 6749 §5 and §6, RFC 7009).

mod error;
mod transport;
mod wire;

pub(crate) use error::from_library;
pub use error::{TokenError, TokenErrorCode};
pub(crate) use transport::{TokenTransport, for_library};
pub(crate) use wire::WireToken;

use crate::client_auth::ClientAuthentication;
use crate::grant::{self, Grant, TokenEndpoint};
use crate::http::{Answer, HttpClient};
use crate::id_token::{IdTokenClaims, refreshed};
use crate::launch_context::LaunchContext;
use crate::scope::Scopes;
use crate::secret::SecretString;
use crate::time::{Clock, Random};
use crate::trace;
use url::Url;

/// Tokens and what came with them.
#[derive(Clone, Debug)]
pub struct TokenResponse {
    /// The access token; a bearer token (RFC 6750).
    pub access_token: SecretString,
    /// `Bearer`, in the server's spelling.
    pub token_type: String,
    /// When the access token ends, by this machine's clock; five minutes from now when the server did
    /// not say.
    pub expires_at: jiff::Timestamp,
    /// The refresh token, when there is one. In the answer to a refresh its absence means: keep the
    /// old one.
    pub refresh_token: Option<SecretString>,
    /// What was granted. When the server left it out ([`TokenResponse::scope_omitted`]) this is what
    /// was asked for (RFC 6749 §5.1), and nothing in the answer to a refresh.
    pub scope: Scopes,
    /// The server did not say what it granted.
    pub scope_omitted: bool,
    /// Patient, user and more.
    pub launch_context: LaunchContext,
    /// The verified id_token, when `openid` was granted.
    pub id_token_claims: Option<IdTokenClaims>,
}

/// Reads the answer to a token request (RFC 6749 §5). `asked` are the scopes that a silent server is
/// taken to have granted. The id_token, if there is one, is not verified here, and not given out.
///
/// # Errors
/// [`TokenError`].
pub fn read_token_answer(
    answer: Answer,
    asked: Option<&str>,
    now: jiff::Timestamp,
) -> Result<TokenResponse, TokenError> {
    grant::read(answer)?.into_response(now, asked)
}

/// Reads the answer to a refresh (RFC 6749 §6), of the person `who`.
///
/// # Errors
/// [`TokenError`].
pub fn read_refresh_answer(
    answer: Answer,
    who: Option<&IdTokenClaims>,
    client_id: &str,
    now: jiff::Timestamp,
) -> Result<TokenResponse, TokenError> {
    refreshed_tokens(grant::read(answer)?, who, client_id, now)
}

fn refreshed_tokens(
    mut wire: WireToken,
    who: Option<&IdTokenClaims>,
    client_id: &str,
    now: jiff::Timestamp,
) -> Result<TokenResponse, TokenError> {
    if let (Some(who), Some(id_token)) = (who, wire.take_id_token()) {
        trace::checked(
            "D34",
            "The id_token of the refresh names the same person",
            refreshed::check(&id_token, who, client_id),
        )?;
    }
    trace::checked(
        "D12",
        "The token is a bearer token, its context well-formed",
        wire.into_response(now, None),
    )
}

/// Gets a new access token with a refresh token (RFC 6749 §6).
///
/// The server may have used the refresh token up even when no answer arrives; do not send it twice
/// without a need ([`TokenError::outcome_unknown`]).
///
/// `who` is the person of the sign-in, from its verified id_token: an id_token that comes with the
/// answer must not name another one (OpenID Connect Core §12.2).
///
/// # Errors
/// [`TokenError`]; `InvalidGrant` means that the grant has ended, `InvalidClient` that the server no
/// longer knows this installation.
#[expect(
    clippy::too_many_arguments,
    reason = "one call of RFC 6749 §6 with everything handed in"
)]
pub async fn refresh_access_token(
    http: &HttpClient,
    token_endpoint: &Url,
    client_id: &str,
    authentication: &ClientAuthentication,
    refresh_token: &SecretString,
    who: Option<&IdTokenClaims>,
    clock: &dyn Clock,
    random: &dyn Random,
) -> Result<TokenResponse, TokenError> {
    let endpoint = TokenEndpoint {
        http,
        url: token_endpoint,
        audience: token_endpoint,
        client_id,
        authentication,
        clock,
        random,
    };
    let wire = trace::checked(
        "D21",
        "The token endpoint gives tokens for the refresh token",
        endpoint.request(&Grant::RefreshToken(refresh_token)).await,
    )?;
    refreshed_tokens(wire, who, client_id, clock.now())
}

/// Revokes a token (RFC 7009 §2). A server that does not know the token answers with success too.
///
/// `hint` is `access_token` or `refresh_token`; `token_endpoint` is what the client's assertion names
/// as its audience.
///
/// # Errors
/// [`TokenError`]; after a 503 the token is still valid.
#[expect(
    clippy::too_many_arguments,
    reason = "one call of RFC 7009 with everything handed in"
)]
pub async fn revoke_token(
    http: &HttpClient,
    revocation_endpoint: &Url,
    token_endpoint: &Url,
    client_id: &str,
    authentication: &ClientAuthentication,
    token: &SecretString,
    hint: &str,
    clock: &dyn Clock,
    random: &dyn Random,
) -> Result<(), TokenError> {
    let endpoint = TokenEndpoint {
        http,
        url: revocation_endpoint,
        audience: token_endpoint,
        client_id,
        authentication,
        clock,
        random,
    };
    endpoint.revoke(token, hint).await
}
