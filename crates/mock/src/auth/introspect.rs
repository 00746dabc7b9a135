//! Token introspection (RFC 7662; SMART App Launch 2.2, "Token Introspection").

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::answer::{OAuthError, Params, is_form, json_answer};
use super::clients::Method;
use super::state::AuthState;
use super::{assertion, id_token, key_sets};
use crate::state::App;

/// `POST /auth/introspect`: for clients that prove who they are, and for a public client's own tokens.
pub(super) async fn handle(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    key_sets::renew(&app.auth).await;
    match introspect(&app.auth, &headers, &body) {
        Ok(answer) => json_answer(StatusCode::OK, &answer),
        Err(error) => error.into_response(),
    }
}

fn introspect(auth: &AuthState, headers: &HeaderMap, body: &[u8]) -> Result<Value, OAuthError> {
    if !is_form(headers) {
        return Err(OAuthError::invalid_request("the body is not a form"));
    }
    let form = Params::read(body);
    if form.repeated().is_some() {
        return Err(OAuthError::invalid_request("a parameter is repeated"));
    }
    let (client_id, client) = assertion::authenticate(auth, headers, &form)?;
    let token = form
        .get("token")
        .ok_or_else(|| OAuthError::invalid_request("token is missing"))?;
    let found = describe(auth, token);
    let may_know =
        |answer: &Value| client.method != Method::None || answer["client_id"] == *client_id;
    // Nothing else is said of a token that is of no use, or none of the asker's business.
    Ok(found
        .filter(may_know)
        .unwrap_or_else(|| json!({ "active": false })))
}

/// `None` when the token is unknown, expired or withdrawn.
fn describe(auth: &AuthState, token: &str) -> Option<Value> {
    let inner = auth.lock();
    let access = inner
        .access
        .get(token)
        .filter(|found| auth.now() < found.expires);
    let refresh = inner.refresh.get(token).filter(|found| !found.used);
    let grant_id = access
        .map(|found| found.grant_id)
        .or(refresh.map(|found| found.grant_id))?;
    let grant = inner.living_grant(grant_id)?;
    let scopes = access.map_or(&grant.scopes, |found| &found.scopes);
    let mut answer = json!({
        "active": true,
        "scope": scopes.join(" "),
        "client_id": grant.client_id,
    });
    if let Some(access) = access {
        answer["exp"] = access.expires.into();
        answer["token_type"] = "Bearer".into();
    }
    if let Some(patient) = &grant.patient {
        answer["patient"] = patient.clone().into();
    }
    let account = grant
        .account
        .and_then(|place| auth.config.accounts.get(place));
    let granted = |name: &str| grant.scopes.iter().any(|scope| scope == name);
    if let (Some(account), true) = (&account, granted("openid")) {
        answer["iss"] = auth.config.issuer.clone().into();
        answer["sub"] = id_token::subject(&account.username).into();
        if granted("fhirUser") {
            answer["fhirUser"] = id_token::fhir_user(auth, account).into();
        }
    }
    Some(answer)
}
