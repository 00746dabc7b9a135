//! Token revocation (RFC 7009).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::answer::{OAuthError, Params, forbid_storing, is_form};
use super::state::AuthState;
use super::{assertion, key_sets};
use crate::state::App;

/// `POST /auth/revoke`: either token ends the whole grant.
pub(super) async fn handle(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    key_sets::renew(&app.auth).await;
    match revoke(&app.auth, &headers, &body) {
        Ok(()) => {
            let mut response = StatusCode::OK.into_response();
            forbid_storing(response.headers_mut());
            response
        }
        Err(error) => error.into_response(),
    }
}

fn revoke(auth: &AuthState, headers: &HeaderMap, body: &[u8]) -> Result<(), OAuthError> {
    if !is_form(headers) {
        return Err(OAuthError::invalid_request("the body is not a form"));
    }
    let form = Params::read(body);
    if form.repeated().is_some() {
        return Err(OAuthError::invalid_request("a parameter is repeated"));
    }
    let (client_id, _) = assertion::authenticate(auth, headers, &form)?;
    let token = form
        .get("token")
        .ok_or_else(|| OAuthError::invalid_request("token is missing"))?;
    let mut inner = auth.lock();
    let by_refresh = inner.refresh.get(token).map(|found| found.grant_id);
    let by_access = inner.access.get(token).map(|found| found.grant_id);
    if let Some(grant_id) = by_refresh.or(by_access) {
        let own = inner
            .grants
            .get(&grant_id)
            .is_some_and(|grant| grant.client_id == client_id);
        if own {
            inner.kill_grant(grant_id);
        }
    }
    Ok(())
}
