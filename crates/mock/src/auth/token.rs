//! The token endpoint (RFC 6749 §4.1.3, §4.4, §6; RFC 7636; SMART "Obtain access token").

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::answer::{OAuthError, Params, is_form, json_answer};
use super::clients::{Client, Method};
use super::register::JWT_BEARER;
use super::state::{AuthState, Grant, Inner, LaunchContext, Unusable};
use super::{PRACTICE_CLAIM, assertion, chance, id_token, key_sets, limits, scopes};
use crate::context::passed;
use crate::faults::{Endpoint, FaultKind, IdTokenFault};
use crate::population::PRACTICE;
use crate::state::App;

/// `POST /auth/token`
pub(super) async fn handle(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let fault = app.faults.take_if(Endpoint::Token, |fault| {
        matches!(fault, FaultKind::TokenError { .. })
    });
    if let Some(FaultKind::TokenError { error, status }) = fault {
        return OAuthError {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
            ..OAuthError::new(&error, "the tester asked for this error")
        }
        .into_response();
    }
    let spoil = || {
        let fault = app.faults.take_if(Endpoint::Token, |fault| {
            matches!(fault, FaultKind::IdToken(_))
        });
        match fault {
            Some(FaultKind::IdToken(fault)) => Some(fault),
            _ => None,
        }
    };
    key_sets::renew(&app.auth).await;
    match answer(&app.auth, &headers, &body, spoil) {
        Ok(answer) => json_answer(StatusCode::OK, &answer),
        Err(error) => error.into_response(),
    }
}

/// Answers a token request; `spoil` is asked only when an id_token is made.
///
/// # Errors
/// As RFC 6749 §5.2 says.
pub(super) fn answer(
    auth: &AuthState,
    headers: &HeaderMap,
    body: &[u8],
    spoil: impl FnOnce() -> Option<IdTokenFault>,
) -> Result<Value, OAuthError> {
    if !is_form(headers) {
        return Err(OAuthError::invalid_request("the body is not a form"));
    }
    let form = Params::read(body);
    if form.repeated().is_some() {
        return Err(OAuthError::invalid_request("a parameter is repeated"));
    }
    let grant_type = form
        .get("grant_type")
        .ok_or_else(|| OAuthError::invalid_request("grant_type is missing"))?;
    if !matches!(
        grant_type,
        "authorization_code" | "refresh_token" | "client_credentials" | JWT_BEARER
    ) {
        return Err(OAuthError::new(
            "unsupported_grant_type",
            "the grant type is not on offer",
        ));
    }
    if grant_type == JWT_BEARER {
        return by_assertion(auth, &form);
    }
    let (client_id, client) = assertion::authenticate(auth, headers, &form)?;
    if !client.may_use(grant_type) {
        return Err(OAuthError::new(
            "unauthorized_client",
            "the client did not register this grant type",
        ));
    }
    match grant_type {
        "authorization_code" => by_code(auth, &client_id, &client, &form, spoil),
        "refresh_token" => by_refresh_token(auth, &client_id, &form),
        _ => for_service(auth, &client_id, &client, &form),
    }
}

/// The S256 challenge of a verifier (RFC 7636 §4.2).
pub(super) fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// Whether the verifier has the form RFC 7636 §4.1 asks for.
fn is_verifier(verifier: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && verifier
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

fn by_code(
    auth: &AuthState,
    client_id: &str,
    client: &Client,
    form: &Params,
    spoil: impl FnOnce() -> Option<IdTokenFault>,
) -> Result<Value, OAuthError> {
    let code = form
        .get("code")
        .ok_or_else(|| OAuthError::invalid_request("code is missing"))?;
    let mut inner = auth.lock();
    let now = auth.now();
    let what = format!("code of {client_id}");
    if let Some(seconds) = inner.guesses.wait(&what, now) {
        return Err(limits::too_often("invalid_grant", seconds));
    }
    let redeemed = redeem(&mut inner, client_id, code, form, now);
    let (grant_id, nonce) = redeemed.inspect_err(|_| inner.guesses.was_wrong(&what, now))?;
    inner.guesses.was_right(&what);
    let grant = inner.usable_grant(grant_id)?;
    let granted = |name: &str| grant.scopes.iter().any(|scope| scope == name);
    let mut answer = access(auth, &mut inner, grant_id, &grant, &grant.scopes);
    if granted("offline_access") && !auth.config.quirks.no_refresh_token {
        answer["refresh_token"] = auth
            .new_refresh(&mut inner, grant_id, grant.granted_at)
            .into();
    }
    if granted("openid") {
        let token = id_token::sign(
            auth,
            &grant,
            id_token::algorithm(client),
            nonce.as_deref(),
            spoil(),
        );
        answer["id_token"] = token
            .ok_or_else(|| OAuthError {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                ..OAuthError::new("server_error", "the id_token could not be signed")
            })?
            .into();
    }
    Ok(answer)
}

/// Uses the code up; gives its grant and nonce.
fn redeem(
    inner: &mut Inner,
    client_id: &str,
    code: &str,
    form: &Params,
    now: i64,
) -> Result<(u64, Option<String>), OAuthError> {
    let unknown = || OAuthError::invalid_grant("the code is unknown");
    let grant_id = inner.codes.get(code).ok_or_else(unknown)?.grant_id;
    let grant = inner.grants.get(&grant_id).ok_or_else(unknown)?;
    if grant.client_id != client_id {
        return Err(OAuthError::invalid_grant("the code is for another client"));
    }
    let found = inner.codes.get_mut(code).ok_or_else(unknown)?;
    if found.used {
        inner.kill_grant(grant_id);
        return Err(OAuthError::invalid_grant(
            "the code was used before: everything it gave is withdrawn",
        ));
    }
    found.used = true;
    if now >= found.expires {
        return Err(OAuthError::invalid_grant("the code has expired"));
    }
    if form.get("redirect_uri") != Some(found.redirect_uri.as_str()) {
        return Err(OAuthError::invalid_grant(
            "redirect_uri is not the one of the authorization request",
        ));
    }
    let verifier = form.get("code_verifier");
    let fits = |verifier: &str, challenge: &str| {
        is_verifier(verifier) && chance::same_secret(&s256(verifier), challenge)
    };
    match &found.challenge {
        Some(challenge) if fits(verifier.unwrap_or_default(), challenge) => {
            passed("RFC 7636 §4.6: code_verifier fits the code_challenge");
        }
        Some(_) => {
            return Err(OAuthError::invalid_grant(
                "code_verifier does not fit the code_challenge",
            ));
        }
        // RFC 9700 §4.8.2: somebody has taken the challenge out of the request.
        None if verifier.is_some() => {
            return Err(OAuthError::invalid_grant(
                "code_verifier for a request without code_challenge",
            ));
        }
        None => {}
    }
    passed("RFC 6749 §4.1.3: the code is fresh, unused, and for this client and redirect_uri");
    Ok((grant_id, found.nonce.clone()))
}

fn by_refresh_token(auth: &AuthState, client_id: &str, form: &Params) -> Result<Value, OAuthError> {
    let token = form
        .get("refresh_token")
        .ok_or_else(|| OAuthError::invalid_request("refresh_token is missing"))?;
    let mut inner = auth.lock();
    let unknown = || OAuthError::invalid_grant("the token is unknown or was withdrawn");
    let grant_id = inner.refresh.get(token).ok_or_else(unknown)?.grant_id;
    let grant = inner.usable_grant(grant_id)?;
    if grant.client_id != client_id {
        return Err(OAuthError::invalid_grant(
            "the refresh token is for another client",
        ));
    }
    let scopes = match form.get("scope") {
        None => grant.scopes.clone(),
        Some(asked) => {
            let asked = scopes::split(asked);
            if asked.iter().any(|scope| !grant.scopes.contains(scope)) {
                return Err(OAuthError::new(
                    "invalid_scope",
                    "the scope goes beyond what was granted",
                ));
            }
            asked
        }
    };
    let found = inner.refresh.get_mut(token).ok_or_else(unknown)?;
    if found.used {
        inner.kill_grant(grant_id);
        return Err(OAuthError::invalid_grant(
            "the refresh token was used before: everything it gave is withdrawn",
        ));
    }
    if auth.now() >= found.expires {
        return Err(OAuthError::invalid_grant("the refresh token has expired"));
    }
    found.used = true;
    passed("RFC 6749 §6: the refresh token is this client's, unused, and the scope no wider");
    let mut answer = access(auth, &mut inner, grant_id, &grant, &scopes);
    answer["refresh_token"] = auth
        .new_refresh(&mut inner, grant_id, grant.granted_at)
        .into();
    if auth.config.quirks.refresh_without_patient {
        answer
            .as_object_mut()
            .map(|members| members.remove("patient"));
    }
    Ok(answer)
}

/// The JWT-bearer grant (RFC 7523 §2.1) of an installation: for the person who signed in when it
/// registered. No refresh token: the key is enough.
fn by_assertion(auth: &AuthState, form: &Params) -> Result<Value, OAuthError> {
    let given = form
        .get("assertion")
        .ok_or_else(|| OAuthError::invalid_request("assertion is missing"))?;
    let (client_id, client) = assertion::by_key(auth, given)
        .map_err(|error| OAuthError::invalid_grant(error.description))?;
    if form
        .get("client_id")
        .is_some_and(|named| named != client_id)
    {
        return Err(OAuthError::invalid_grant(
            "client_id and assertion name different clients",
        ));
    }
    if !client.may_use(JWT_BEARER) {
        return Err(OAuthError::new(
            "unauthorized_client",
            "the client did not register this grant type",
        ));
    }
    let mut inner = auth.lock();
    let grant_id = client
        .signed_in
        .ok_or_else(|| OAuthError::invalid_grant("nobody signed in for this client"))?;
    let signed_in = inner.usable_grant(grant_id)?;
    let mut scopes = signed_in.scopes.clone();
    scopes.retain(|scope| scope != "offline_access");
    Ok(access(auth, &mut inner, grant_id, &signed_in, &scopes))
}

fn for_service(
    auth: &AuthState,
    client_id: &str,
    client: &Client,
    form: &Params,
) -> Result<Value, OAuthError> {
    if client.method != Method::PrivateKeyJwt {
        return Err(OAuthError::new(
            "unauthorized_client",
            "client_credentials is for private_key_jwt only",
        ));
    }
    let mut asked = scopes::split(form.get("scope").unwrap_or_default());
    asked.retain(|scope| {
        let registered = client.scopes.as_ref();
        scopes::known_for_services(scope) && registered.is_none_or(|known| known.contains(scope))
    });
    if asked.is_empty() {
        return Err(OAuthError::new(
            "invalid_scope",
            "ask for system/ scopes that the client registered",
        ));
    }
    let mut inner = auth.lock();
    if inner.closed {
        return Err(OAuthError::new(
            "unauthorized_client",
            "access is switched off",
        ));
    }
    match client.permitted_at(PRACTICE) {
        Ok(()) => {}
        Err(Unusable::Grant(reason)) => {
            return Err(OAuthError::new("unauthorized_client", reason));
        }
        Err(blocked) => return Err(blocked.into()),
    }
    let grant = Grant {
        practice: PRACTICE.to_owned(),
        client_id: client_id.to_owned(),
        scopes: asked,
        patient: None,
        account: None,
        context: LaunchContext::default(),
        alive: true,
        suspended: false,
        granted_at: auth.now(),
        last_used: None,
    };
    let grant_id = inner.add_grant(grant.clone());
    Ok(access(auth, &mut inner, grant_id, &grant, &grant.scopes))
}

/// Makes an access token and the answer that carries it.
/// An access token: letters that say nothing, or a JWT that says at which practice it is good.
fn new_access(auth: &AuthState, inner: &mut Inner, grant_id: u64, scopes: &[String]) -> String {
    let expires = auth.now() + auth.config.token_lifetime_seconds;
    if !auth.config.quirks.practice_parameter {
        return inner.new_access(grant_id, scopes, expires);
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(&json!({"alg": "none", "typ": "at+jwt"}));
    let claims = part(&json!({"ah_practice": PRACTICE_CLAIM, "exp": expires}));
    inner.new_access_named(grant_id, scopes, expires, |secret| {
        format!("{head}.{claims}.{secret}")
    })
}

fn access(
    auth: &AuthState,
    inner: &mut Inner,
    grant_id: u64,
    grant: &Grant,
    scopes: &[String],
) -> Value {
    let lifetime = auth.config.token_lifetime_seconds;
    let quirks = &auth.config.quirks;
    let told: Vec<&str> = scopes
        .iter()
        .map(String::as_str)
        .filter(|scope| !(quirks.hides_offline_access && *scope == "offline_access"))
        .collect();
    let mut answer = json!({
        "access_token": new_access(auth, inner, grant_id, scopes),
        "token_type": "Bearer",
        "expires_in": lifetime,
        "scope": told.join(" "),
    });
    if quirks.expires_in_as_text {
        answer["expires_in"] = lifetime.to_string().into();
    }
    if let (Some(patient), false) = (&grant.patient, quirks.token_without_patient) {
        answer["patient"] = patient.clone().into();
        answer["need_patient_banner"] = (!grant.context.banner_shown).into();
    }
    let context = &grant.context;
    if let Some(encounter) = &context.encounter {
        answer["encounter"] = encounter.clone().into();
    }
    if context.styled {
        answer["smart_style_url"] = auth.url(super::STYLE).into();
    }
    if let Some(intent) = &context.intent {
        answer["intent"] = intent.clone().into();
    }
    if let Some(report) = &context.report {
        answer["fhirContext"] = json!([{ "reference": report }]);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn the_vector_of_rfc_7636_appendix_b() {
        assert_eq!(
            s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[rstest]
    #[case("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", true)]
    #[case("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX", false)]
    #[case("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEj+k", false)]
    #[case("", false)]
    fn the_form_of_a_verifier(#[case] verifier: &str, #[case] fits: bool) {
        assert_eq!(is_verifier(verifier), fits);
    }
}
