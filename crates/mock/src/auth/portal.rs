//! The portals beside the sign-in for apps: a patient sees and switches the connected apps, a
//! practice approves them, and both open apps with what is open in the portal (SMART, "EHR launch").

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::Url;

use super::answer::{Params, forbid_storing, is_form};
use super::clients::Practice;
use super::state::{AuthState, Inner, Launch, LaunchContext, Login, Session};
use super::{chance, pages, portal_pages};
use crate::population::{Account, AccountRole};
use crate::state::App;

/// How long somebody stays signed in.
const LOGIN_SECONDS: i64 = 3600;

/// How long an app has to begin its sign-in.
const LAUNCH_SECONDS: i64 = 300;

const COOKIE: &str = "portal_login";

/// `GET /portal`
pub(super) async fn home(State(app): State<App>, headers: HeaderMap) -> Response {
    let auth = &app.auth;
    match current(auth, &headers) {
        Some((login, account)) => {
            let page = portal_pages::home(auth, &login, &account);
            pages::answer(StatusCode::OK, page)
        }
        None => pages::answer(StatusCode::OK, portal_pages::sign_in(auth, None)),
    }
}

/// `POST /portal/sign-in`
pub(super) async fn sign_in(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let auth = &app.auth;
    let form = read(&headers, &body);
    let account = match auth.account(&form) {
        Ok((account, _)) => account,
        Err(refused) => {
            let (status, message) = refused.told();
            let page = portal_pages::sign_in(auth, Some(message));
            return refused.on(pages::answer(status, page));
        }
    };
    let cookie = chance::secret();
    let now = auth.now();
    let mut inner = auth.lock();
    inner.logins.retain(|_, login| login.expires > now);
    let login = Login {
        account,
        csrf: chance::secret(),
        expires: now + LOGIN_SECONDS,
    };
    inner.logins.insert(cookie.clone(), login);
    drop(inner);
    let mut response = to("/portal");
    let secure = if auth.config.issuer.starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    // Lax: an app sends the browser back here with a plain link.
    let cookie = format!("{COOKIE}={cookie}; Path=/; HttpOnly; SameSite=Lax{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// `POST /portal/sign-out`
pub(super) async fn sign_out(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let form = read(&headers, &body);
    if with_form(&app.auth, &headers, &form).is_some() {
        forget(&app.auth, &headers);
    }
    to("/portal")
}

/// Signs the person of this browser out.
pub(super) fn forget(auth: &AuthState, headers: &HeaderMap) {
    let mut inner = auth.lock();
    for cookie in cookies(headers) {
        inner.logins.remove(cookie);
    }
}

/// `POST /portal/apps`: the person switches an app off or on, or disconnects it.
pub(super) async fn change_own(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let auth = &app.auth;
    let form = read(&headers, &body);
    let Some((login, _)) = with_form(auth, &headers, &form) else {
        return to("/portal");
    };
    let client_id = form.get("client_id").unwrap_or_default();
    let mut inner = auth.lock();
    let own = inner
        .grants
        .values_mut()
        .filter(|grant| grant.account == Some(login.account) && grant.client_id == client_id);
    for grant in own {
        match form.get("action") {
            Some("off") => grant.suspended = true,
            Some("on") => grant.suspended = false,
            Some("disconnect") => grant.alive = false,
            _ => {}
        }
    }
    to("/portal")
}

/// `POST /portal/practice`: the practice approves, refuses, or switches an app for everybody.
pub(super) async fn change_practice(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let auth = &app.auth;
    let form = read(&headers, &body);
    let Some((_, account)) = with_form(auth, &headers, &form) else {
        return to("/portal");
    };
    if account.role != AccountRole::Administrator {
        return pages::failure("Only the practice's administrator decides this.");
    }
    let client_id = form.get("client_id").unwrap_or_default();
    let practice = match form.get("action") {
        Some("approve" | "on" | "unblock") => Practice::Approved,
        Some("refuse") => Practice::Refused,
        Some("off") => Practice::SwitchedOff,
        Some("block") => Practice::Blocked,
        _ => return to("/portal"),
    };
    if let Some(client) = auth.lock().clients.get_mut(client_id) {
        client.practice.decide(&account.practice, practice);
    }
    to("/portal")
}

/// `POST /portal/launch`: opens the app by its launch URL, with `iss` and `launch`.
pub(super) async fn launch(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let auth = &app.auth;
    let form = read(&headers, &body);
    let Some((login, account)) = with_form(auth, &headers, &form) else {
        return to("/portal");
    };
    let patient = form
        .get("patient")
        .filter(|chosen| auth.config.accounts.may_open(&account, chosen));
    let Some(patient) = patient else {
        return pages::failure("This account may not open that chart.");
    };
    let client_id = form.get("client_id").unwrap_or_default().to_owned();
    let mut inner = auth.lock();
    let url = inner
        .clients
        .get(&client_id)
        .and_then(|client| client.launch_url.as_deref())
        .and_then(|url| Url::parse(url).ok());
    let Some(mut url) = url else {
        return pages::failure("This app named no address at which it can be opened.");
    };
    let context = context(auth, &account, patient, &form);
    let token = add_launch(&mut inner, auth.now(), &login, client_id, patient, context);
    url.query_pairs_mut()
        .append_pair("iss", &auth.config.fhir_base)
        .append_pair("launch", &token);
    to(url.as_str())
}

fn context(auth: &AuthState, account: &Account, patient: &str, form: &Params) -> LaunchContext {
    let (encounter, report) = auth.config.accounts.latest(patient);
    let at_the_practice = account.role != AccountRole::Patient;
    LaunchContext {
        encounter: encounter.filter(|_| at_the_practice),
        report: report.filter(|_| at_the_practice),
        intent: form.get("intent").map(str::to_owned),
        banner_shown: at_the_practice,
        styled: true,
    }
}

fn add_launch(
    inner: &mut Inner,
    now: i64,
    login: &Login,
    client_id: String,
    patient: &str,
    context: LaunchContext,
) -> String {
    inner.launches.retain(|_, launch| launch.expires > now);
    let token = chance::secret();
    let launch = Launch {
        client_id,
        account: login.account,
        patient: patient.to_owned(),
        context,
        expires: now + LAUNCH_SECONDS,
    };
    inner.launches.insert(token.clone(), launch);
    token
}

/// The account that opened the app, if this browser is still signed in as it.
pub(super) fn signed_in(
    auth: &AuthState,
    headers: &HeaderMap,
    session: &Session,
) -> Option<Account> {
    let launch = session.request.launch.as_ref()?;
    let (login, account) = current(auth, headers)?;
    (login.account == launch.account).then_some(account)
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

/// Who is signed in with this browser.
fn current(auth: &AuthState, headers: &HeaderMap) -> Option<(Login, Account)> {
    let now = auth.now();
    let login = {
        let inner = auth.lock();
        let found = cookies(headers).find_map(|cookie| inner.logins.get(cookie));
        found.filter(|login| now < login.expires).cloned()?
    };
    let account = auth.config.accounts.get(login.account)?;
    Some((login, account))
}

/// As [`current`], for a form that was really sent from the portal's own page.
fn with_form(auth: &AuthState, headers: &HeaderMap, form: &Params) -> Option<(Login, Account)> {
    let csrf = form.get("csrf")?;
    current(auth, headers).filter(|(login, _)| chance::same_secret(&login.csrf, csrf))
}

fn read(headers: &HeaderMap, body: &[u8]) -> Params {
    Params::read(if is_form(headers) { body } else { b"" })
}

fn to(address: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(location) = HeaderValue::from_str(address) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    forbid_storing(response.headers_mut());
    response
}
