//! SMART Backend Services: a token without a person (SMART App Launch 2.2, "Backend Services").

use crate::client_auth::ClientAuthentication;
use crate::grant::{Grant, TokenEndpoint};
use crate::http::HttpClient;
use crate::time::{Clock, Random};
use crate::token::{TokenError, TokenResponse};
use crate::trace;
use url::Url;

/// Asks for an access token with `client_credentials` and a signed assertion: `authentication` is one
/// with a key, as a shared secret does not do for a service. A refresh token, which this grant does not
/// have, is ignored.
///
/// # Errors
/// [`TokenError`].
pub async fn request_backend_token(
    http: &HttpClient,
    token_endpoint: &Url,
    client_id: &str,
    authentication: &ClientAuthentication,
    scope: &str,
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
        "E5",
        "The token endpoint gives the service a token",
        endpoint.request(&Grant::ClientCredentials { scope }).await,
    )?;
    let mut response = trace::checked(
        "D12",
        "The token is a bearer token, its context well-formed",
        wire.into_response(clock.now(), Some(scope)),
    )?;
    response.refresh_token = None;
    Ok(response)
}
