//! "Is my access still on?": token introspection (RFC 7662; SMART App Launch 2.2, "Token
//! Introspection").

use crate::client_auth::ClientAuthentication;
use crate::grant::{self, TokenEndpoint};
use crate::http::{Answer, HttpClient};
use crate::scope::Scopes;
use crate::secret::SecretString;
use crate::time::{Clock, Random};
use crate::token::TokenError;
use url::Url;

/// What the server says of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspection {
    /// `active`.
    pub active: bool,
    /// `scope`, when it is said.
    pub scope: Option<Scopes>,
    /// `exp`, when it is said.
    pub expires_at: Option<jiff::Timestamp>,
}

/// Reads the answer to an introspection (RFC 7662 §2.2).
///
/// # Errors
/// [`TokenError`].
pub fn read_introspection_answer(answer: Answer) -> Result<Introspection, TokenError> {
    grant::read_introspection(answer)
}

/// Asks what a token is good for (RFC 7662 §2). `token_endpoint` is what the client's assertion names
/// as its audience.
///
/// # Errors
/// [`TokenError`]. A 401 or 403 here says that this client may not ask; it says nothing about the
/// token, and must not be taken for the end of access.
#[expect(
    clippy::too_many_arguments,
    reason = "one call of RFC 7662 with everything handed in"
)]
pub async fn introspect_token(
    http: &HttpClient,
    introspection_endpoint: &Url,
    token_endpoint: &Url,
    client_id: &str,
    authentication: &ClientAuthentication,
    token: &SecretString,
    clock: &dyn Clock,
    random: &dyn Random,
) -> Result<Introspection, TokenError> {
    let endpoint = TokenEndpoint {
        http,
        url: introspection_endpoint,
        audience: token_endpoint,
        client_id,
        authentication,
        clock,
        random,
    };
    endpoint.introspect(token).await
}
