//! The authorization endpoint: checks the request and opens a sign-in (RFC 6749 §4.1, RFC 7636,
//! RFC 9207, SMART "Obtain authorization code").

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::Url;

use super::answer::{Params, forbid_storing};
use super::state::{AuthState, AuthorizationRequest, Inner, Launch, Session};
use super::wellknown::OTHER_ISSUER;
use super::{chance, pages, portal, scopes};
use crate::context::passed;
use crate::faults::{Endpoint, FaultKind};
use crate::log::Reason;
use crate::quirks::Audience;
use crate::state::App;
use crate::world::Leniency;

/// How long somebody may take to sign in and consent.
const SESSION_SECONDS: i64 = 900;

/// The cookie that binds a sign-in to one browser.
const COOKIE: &str = "portal_session";

/// Why a request goes no further.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The redirect address cannot be trusted, or the request is for another server: show a page.
    Page(&'static str),
    /// The app is told.
    Redirect {
        redirect_uri: String,
        state: Option<String>,
        error: &'static str,
        description: &'static str,
    },
}

/// `GET /auth/authorize`
pub(super) async fn get(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    begin(&app, &headers, query.unwrap_or_default().as_bytes())
}

/// `POST /auth/authorize`
pub(super) async fn post(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    begin(&app, &headers, &body)
}

fn begin(app: &App, headers: &HeaderMap, parameters: &[u8]) -> Response {
    let auth = &app.auth;
    let (request, app_name) = match check(auth, &Params::read(parameters)) {
        Ok(found) => found,
        Err(Refusal::Page(message)) => return pages::failure(message),
        Err(Refusal::Redirect {
            redirect_uri,
            state,
            error,
            description,
        }) => return refuse(app, &redirect_uri, state.as_deref(), error, description),
    };
    let session_id = chance::secret();
    if let Some(token) = Params::read(parameters).get("launch") {
        auth.lock().launches.remove(token);
    }
    let mut session = open_session(auth, headers, &session_id, request);
    let page = match portal::signed_in(auth, headers, &session) {
        // Opened from a portal where this person is signed in: only consent is missing.
        Some(account) => {
            session.patient = session
                .request
                .launch
                .as_ref()
                .map(|launch| launch.patient.clone());
            session.account = session.request.launch.as_ref().map(|launch| launch.account);
            auth.lock()
                .sessions
                .insert(session_id.clone(), session.clone());
            pages::consent(auth, &session_id, &session, &account, &app_name)
        }
        None => pages::sign_in(auth, &session_id, &session, &app_name, None),
    };
    let mut response = pages::answer(StatusCode::OK, page);
    let secure = if auth.config.issuer.starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    let cookie = format!(
        "{COOKIE}={}; Path=/auth; HttpOnly; SameSite=Lax{secure}",
        session.cookie
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Records a sign-in. A browser with another one under way keeps its cookie, so that both can end.
fn open_session(
    auth: &AuthState,
    headers: &HeaderMap,
    session_id: &str,
    request: AuthorizationRequest,
) -> Session {
    let now = auth.now();
    let mut inner = auth.lock();
    inner.sessions.retain(|_, session| session.expires > now);
    let cookie = cookies(headers)
        .find(|cookie| {
            let mut sessions = inner.sessions.values();
            sessions.any(|session| chance::same_secret(&session.cookie, cookie))
        })
        .map_or_else(chance::secret, str::to_owned);
    let session = Session {
        cookie,
        csrf: chance::secret(),
        expires: now + SESSION_SECONDS,
        request,
        account: None,
        patient: None,
    };
    inner
        .sessions
        .insert(session_id.to_owned(), session.clone());
    session
}

/// The values of our cookie.
pub(super) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

/// Checks an authorization request; gives it and the name of the app.
///
/// # Errors
/// [`Refusal::Page`] while nobody can say where the browser may go or the request is meant for
/// another server; [`Refusal::Redirect`] for all the rest.
pub(super) fn check(
    auth: &AuthState,
    params: &Params,
) -> Result<(AuthorizationRequest, String), Refusal> {
    for name in ["client_id", "redirect_uri", "aud"] {
        if params.repeats(name) {
            return Err(Refusal::Page("A parameter of the request is repeated."));
        }
    }
    let client_id = params
        .get("client_id")
        .ok_or(Refusal::Page("The request names no app (client_id)."))?;
    let (client, closed, launch) = {
        let inner = auth.lock();
        let launch = params.get("launch").map(|token| inner.launches.get(token));
        (
            inner.clients.get(client_id).cloned(),
            inner.closed,
            launch.map(Option::<&Launch>::cloned),
        )
    };
    let client = client.ok_or(Refusal::Page("This app is not registered here."))?;
    let redirect_uri = params
        .get("redirect_uri")
        .filter(|uri| client.may_redirect_to(uri))
        .ok_or(Refusal::Page(
            "The app did not register the address to return to (redirect_uri).",
        ))?;
    passed("RFC 6749 §3.1.2.3: redirect_uri is one that the client registered");
    // RFC 8707 calls it `resource`.
    let aud = params.get("aud").or_else(|| params.get("resource"));
    check_audience(auth, aud).map_err(Refusal::Page)?;
    let refuse = |error, description| Refusal::Redirect {
        redirect_uri: redirect_uri.to_owned(),
        state: (!params.repeats("state"))
            .then(|| params.get("state").map(str::to_owned))
            .flatten(),
        error,
        description,
    };
    if params.repeated().is_some() {
        return Err(refuse("invalid_request", "a parameter is repeated"));
    }
    let state = params
        .get("state")
        .ok_or_else(|| refuse("invalid_request", "state is missing"))?;
    passed("RFC 6749 §10.12: there is a state");
    let challenge = check_flow(auth, params).map_err(|(error, text)| refuse(error, text))?;
    if challenge.is_some() {
        passed("RFC 7636 §4.3: an S256 challenge");
    }
    if !client.may_use("authorization_code") {
        return Err(refuse(
            "unauthorized_client",
            "the app did not register authorization_code",
        ));
    }
    let asked = scopes::split(params.get("scope").unwrap_or_default());
    if let Some(reason) = auth.config.quirks.scopes.refuses(&asked) {
        return Err(refuse("invalid_scope", reason));
    }
    let mut scopes = grantable(params.get("scope").unwrap_or_default(), &client);
    let prompt = params.get("prompt").unwrap_or_default();
    let consent_prompted = prompt.split(' ').any(|word| word == "consent");
    if auth.config.policy.offline_needs_consent_prompt && !consent_prompted {
        scopes.retain(|scope| scope != "offline_access");
    }
    if scopes.is_empty() {
        return Err(refuse("invalid_scope", "no scope can be granted"));
    }
    if params.get("prompt") == Some("none") {
        return Err(refuse("login_required", "nobody is signed in"));
    }
    if closed {
        return Err(refuse("access_denied", "access is switched off"));
    }
    if let Err(reason) = client.practice.any_permits() {
        return Err(refuse("access_denied", reason));
    }
    let launch = check_launch(auth, client_id, &scopes, launch)
        .map_err(|reason| refuse("invalid_request", reason))?;
    if launch.is_some() {
        passed("SMART App Launch, \"EHR launch\": launch is one that this server gave to this app");
    }
    let request = AuthorizationRequest {
        client_id: client_id.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        scopes,
        state: state.to_owned(),
        nonce: params.get("nonce").map(str::to_owned),
        challenge: challenge.map(str::to_owned),
        launch,
    };
    Ok((request, client.name))
}

/// For which server the request is: for this one, unless this server wants that said otherwise.
fn check_audience(auth: &AuthState, aud: Option<&str>) -> Result<(), &'static str> {
    let base = &auth.config.fhir_base;
    let habit = auth.config.quirks.aud;
    if habit == Audience::Refused {
        return match aud {
            None => Ok(()),
            Some(_) => Err("The request has a parameter that is not known here (aud)."),
        };
    }
    let aud = aud.ok_or("The request does not say for which server it is (aud).")?;
    let bare = aud.strip_suffix('/');
    let named = match (bare, habit) {
        (None, Audience::WithSlash) => return Err("The request is for another server (aud)."),
        (Some(bare), Audience::WithSlash) => bare,
        (Some(bare), _) if auth.tolerates(Leniency::AudWithSlash) => bare,
        _ => aud,
    };
    if named != base {
        return Err("The request is for another server (aud).");
    }
    passed("SMART App Launch, \"Obtain authorization code\": aud is this FHIR base");
    Ok(())
}

/// The launch that the request names: known, for this app, not too old. The scope `launch` and the
/// parameter go together.
fn check_launch(
    auth: &AuthState,
    client_id: &str,
    scopes: &[String],
    named: Option<Option<Launch>>,
) -> Result<Option<Launch>, &'static str> {
    let asked = scopes.iter().any(|scope| scope == "launch");
    match named {
        None if asked => Err("the scope launch needs the parameter launch"),
        None => Ok(None),
        Some(_) if !asked => Err("the parameter launch needs the scope launch"),
        Some(found) => found
            .filter(|launch| launch.client_id == client_id && auth.now() < launch.expires)
            .map(Some)
            .ok_or("the launch is unknown, used, too old, or for another app"),
    }
}

/// The code flow with an S256 challenge is the only one; gives the challenge. Where PKCE may be left
/// out, it is left out whole.
fn check_flow<'a>(
    auth: &AuthState,
    params: &'a Params,
) -> Result<Option<&'a str>, (&'static str, &'static str)> {
    match params.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "only code is on offer")),
        None => return Err(("invalid_request", "response_type is missing")),
    }
    let without = ["code_challenge", "code_challenge_method"]
        .iter()
        .all(|name| params.get(name).is_none());
    if without && auth.tolerates(Leniency::PkceOptional) {
        return Ok(None);
    }
    if params.get("code_challenge_method") != Some("S256") {
        return Err(("invalid_request", "code_challenge_method must be S256"));
    }
    // 43 letters: the base64url of a SHA-256.
    params
        .get("code_challenge")
        .filter(|challenge| {
            let mut bytes = challenge.bytes();
            challenge.len() == 43
                && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        })
        .map(Some)
        .ok_or(("invalid_request", "code_challenge is missing or malformed"))
}

/// The scopes that can be granted to a person using `client`.
fn grantable(asked: &str, client: &super::clients::Client) -> Vec<String> {
    let mut asked = scopes::split(asked);
    asked.retain(|scope| {
        let registered = client.scopes.as_ref();
        scopes::known_for_people(scope)
            && registered.is_none_or(|known| known.contains(scope))
            && (scope != "offline_access" || client.may_use("refresh_token"))
    });
    asked
}

/// Sends the browser back to the app with an error.
pub(super) fn refuse(
    app: &App,
    redirect_uri: &str,
    state: Option<&str>,
    error: &str,
    description: &str,
) -> Response {
    let parameters = [("error", error), ("error_description", description)];
    let mut response = send_back(app, redirect_uri, state, &parameters);
    response
        .extensions_mut()
        .insert(Reason(format!("{error}: {description}")));
    response
}

/// The code as a tester wants it spoilt; `None` leaves it as it is.
fn spoilt_code(app: &App, fault: Option<&FaultKind>, code: &str) -> Option<String> {
    let now = app.auth.now();
    let mut inner = app.auth.lock();
    match fault? {
        FaultKind::CodeReplayed => replay(&mut inner, code),
        FaultKind::ExpiredCode => {
            inner.codes.get_mut(code)?.expires = now;
            None
        }
        FaultKind::LongCode => {
            let entry = inner.codes.remove(code)?;
            let long = code.repeat(100);
            inner.codes.insert(long.clone(), entry);
            Some(long)
        }
        _ => None,
    }
}

/// A code that the same app has used before; the new one, used up, when there is none.
fn replay(inner: &mut Inner, new: &str) -> Option<String> {
    let client_of = |inner: &Inner, grant: u64| {
        let grant = inner.grants.get(&grant);
        grant.map(|grant| grant.client_id.clone())
    };
    let client = client_of(inner, inner.codes.get(new)?.grant_id);
    let old = inner
        .codes
        .iter()
        .find(|(_, code)| code.used && client_of(inner, code.grant_id) == client)
        .map(|(old, _)| old.clone());
    if old.is_none() {
        inner.codes.get_mut(new)?.used = true;
    }
    old
}

/// Whether a fault is about the way back to the app.
fn spoils_the_way_back(fault: &FaultKind) -> bool {
    matches!(
        fault,
        FaultKind::WrongIss
            | FaultKind::MissingIss
            | FaultKind::WrongState
            | FaultKind::MissingState
            | FaultKind::OtherRedirect
            | FaultKind::CodeReplayed
            | FaultKind::ExpiredCode
            | FaultKind::LongCode
            | FaultKind::ExtraParameters
            | FaultKind::FragmentResponse
    )
}

/// The address of the app with the parameters, and with what a fault makes of them.
fn way_back(
    app: &App,
    mut target: Url,
    state: Option<&str>,
    parameters: &[(&str, &str)],
    fault: Option<&FaultKind>,
) -> Url {
    let iss = match fault {
        Some(FaultKind::WrongIss) => Some(OTHER_ISSUER),
        Some(FaultKind::MissingIss) => None,
        _ => Some(app.auth.config.issuer.as_str()),
    };
    let state = match fault {
        Some(FaultKind::WrongState) => Some("another-state"),
        Some(FaultKind::MissingState) => None,
        _ => state,
    };
    {
        let mut query = target.query_pairs_mut();
        for (name, value) in parameters {
            let spoilt = (*name == "code").then(|| spoilt_code(app, fault, value));
            query.append_pair(name, spoilt.flatten().as_deref().unwrap_or(value));
        }
        if let Some(state) = state {
            query.append_pair("state", state);
        }
        if let Some(iss) = iss {
            query.append_pair("iss", iss);
        }
        if fault == Some(&FaultKind::ExtraParameters) {
            query.append_pair("session_state", "1.2");
            query.append_pair("next", OTHER_ISSUER);
        }
    }
    match fault {
        Some(FaultKind::OtherRedirect) => {
            let path = format!("{}/elsewhere", target.path());
            target.set_path(&path);
        }
        Some(FaultKind::FragmentResponse) => {
            let query = target.query().map(str::to_owned);
            target.set_fragment(query.as_deref());
            target.set_query(None);
        }
        _ => {}
    }
    target
}

/// Sends the browser back to the app, with `state` and `iss` (RFC 9207).
pub(super) fn send_back(
    app: &App,
    redirect_uri: &str,
    state: Option<&str>,
    parameters: &[(&str, &str)],
) -> Response {
    let fault = app.faults.take_if(Endpoint::Authorize, spoils_the_way_back);
    let Ok(target) = Url::parse(redirect_uri) else {
        return pages::failure("The address of the app cannot be read.");
    };
    let target = way_back(app, target, state, parameters, fault.as_ref());
    let Ok(location) = HeaderValue::from_str(target.as_str()) else {
        return pages::failure("The address of the app cannot be read.");
    };
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    forbid_storing(headers);
    response
}
