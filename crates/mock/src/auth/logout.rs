//! RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): an app asks the portal to sign the
//! person out, too.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::Value;
use url::Url;

use super::answer::{Params, forbid_storing};
use super::pages;
use super::portal;
use super::state::AuthState;
use crate::state::App;

/// `GET /auth/logout`
pub(super) async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    end(&app.auth, &headers, query.unwrap_or_default().as_bytes())
}

/// `POST /auth/logout`: keeps the id_token out of the browser's history.
pub(super) async fn post(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    end(&app.auth, &headers, &body)
}

fn end(auth: &AuthState, headers: &HeaderMap, parameters: &[u8]) -> Response {
    let params = Params::read(parameters);
    let hint = match params.get("id_token_hint") {
        None => None,
        Some(token) => match claims(auth, token) {
            Some(claims) => Some(claims),
            None => return pages::failure("The id_token_hint is not from this server."),
        },
    };
    let client_id = hint
        .as_ref()
        .and_then(|claims| claims["aud"].as_str())
        .or(params.get("client_id"));
    let back = match params.get("post_logout_redirect_uri") {
        None => None,
        Some(uri) => match registered(auth, client_id, uri) {
            Some(url) => Some(url),
            None => {
                return pages::failure(
                    "The app did not register this address for after the sign-out.",
                );
            }
        },
    };
    portal::forget(auth, headers);
    let Some(mut back) = back else {
        return pages::signed_out();
    };
    if let Some(state) = params.get("state") {
        back.query_pairs_mut().append_pair("state", state);
    }
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(location) = HeaderValue::from_str(back.as_str()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    forbid_storing(response.headers_mut());
    response
}

/// The claims of an id_token that this server signed; it may have expired.
fn claims(auth: &AuthState, token: &str) -> Option<Value> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    let published = auth.published_keys();
    let keys = published["keys"].as_array()?;
    let key = keys
        .iter()
        .find(|key| key["kid"].as_str() == header.kid.as_deref())?;
    let key = DecodingKey::from_jwk(&serde_json::from_value(key.clone()).ok()?).ok()?;
    let mut validation = Validation::new(header.alg);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.set_issuer(&[&auth.config.issuer]);
    jsonwebtoken::decode::<Value>(token, &key, &validation)
        .ok()
        .map(|decoded| decoded.claims)
}

/// The address, if this client registered it letter by letter.
fn registered(auth: &AuthState, client_id: Option<&str>, uri: &str) -> Option<Url> {
    let inner = auth.lock();
    let client = inner.clients.get(client_id?)?;
    let known = client
        .metadata
        .get("post_logout_redirect_uris")?
        .as_array()?;
    known.iter().find(|known| *known == uri)?;
    Url::parse(uri).ok()
}
