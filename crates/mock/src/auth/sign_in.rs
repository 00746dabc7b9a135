//! What people do after the authorization request: sign in, choose a person, consent.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::answer::{Params, is_form};
use super::authorize::{cookies, refuse, send_back};
use super::state::{AuthState, Code, Grant, Session};
use super::{chance, pages, scopes};
use crate::population::Account;
use crate::state::App;

/// How long an authorization code is valid.
const CODE_SECONDS: i64 = 60;

const EXPIRED: &str = "This sign-in has ended or belongs to another browser.";

/// The sign-in that the form belongs to, if cookie and CSRF token fit.
fn session(auth: &AuthState, headers: &HeaderMap, form: &Params) -> Option<(String, Session)> {
    let id = form.get("session")?;
    let csrf = form.get("csrf")?;
    let inner = auth.lock();
    let session = inner.sessions.get(id)?;
    let fits = auth.now() < session.expires
        && chance::same_secret(&session.csrf, csrf)
        && cookies(headers).any(|cookie| chance::same_secret(&session.cookie, cookie));
    fits.then(|| (id.to_owned(), session.clone()))
}

fn read(headers: &HeaderMap, body: &[u8]) -> Params {
    Params::read(if is_form(headers) { body } else { b"" })
}

fn app_name(auth: &AuthState, session: &Session) -> String {
    let inner = auth.lock();
    let client = inner.clients.get(&session.request.client_id);
    client.map_or_else(|| "An app".to_owned(), |client| client.name.clone())
}

/// Ends the sign-in and tells the app that access is denied.
fn deny(app: &App, id: &str, session: &Session, reason: &str) -> Response {
    app.auth.lock().sessions.remove(id);
    let request = &session.request;
    refuse(
        app,
        &request.redirect_uri,
        Some(&request.state),
        "access_denied",
        reason,
    )
}

/// What the practice of this person says of the app.
fn practice_permits(
    auth: &AuthState,
    session: &Session,
    account: &Account,
) -> Result<(), &'static str> {
    let inner = auth.lock();
    let client = inner.clients.get(&session.request.client_id);
    client.map_or(Ok(()), |client| {
        client.practice.of(&account.practice).permits()
    })
}

/// `POST /auth/sign-in`
pub(super) async fn sign_in(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let auth = &app.auth;
    let form = read(&headers, &body);
    let Some((id, mut session)) = session(auth, &headers, &form) else {
        return pages::failure(EXPIRED);
    };
    let (number, account) = match auth.account(&form) {
        Ok(found) => found,
        Err(refused) => {
            let (status, message) = refused.told();
            let name = app_name(auth, &session);
            let page = pages::sign_in(auth, &id, &session, &name, Some(message));
            return refused.on(pages::answer(status, page));
        }
    };
    session.account = Some(number);
    session.patient = None;
    if let Err(reason) = practice_permits(auth, &session, &account) {
        return deny(&app, &id, &session, reason);
    }
    if let Some(launch) = &session.request.launch {
        if !auth.config.accounts.may_open(&account, &launch.patient) {
            return deny(&app, &id, &session, "the account may not open this chart");
        }
        session.patient = Some(launch.patient.clone());
    } else if scopes::need_patient(&session.request.scopes) {
        match auth.config.accounts.charts(&account, "", 1) {
            (charts, false) if charts.is_empty() => {
                return deny(&app, &id, &session, "the account may open no chart");
            }
            (mut only, false) => session.patient = only.pop().map(|(id, _)| id),
            _ => {
                auth.lock().sessions.insert(id.clone(), session.clone());
                let page = pages::patients(auth, &id, &session, &account, "");
                return pages::answer(StatusCode::OK, page);
            }
        }
    }
    show_consent(&app, &id, session)
}

/// `POST /auth/patient`
pub(super) async fn patient(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let auth = &app.auth;
    let form = read(&headers, &body);
    let Some((id, mut session)) = session(auth, &headers, &form) else {
        return pages::failure(EXPIRED);
    };
    let account = session
        .account
        .and_then(|position| auth.config.accounts.get(position));
    let Some(account) = account else {
        return pages::failure(EXPIRED);
    };
    if form.get("search").is_some() {
        let wanted = form.get("name").unwrap_or_default();
        let page = pages::patients(auth, &id, &session, &account, wanted);
        return pages::answer(StatusCode::OK, page);
    }
    let chosen = form
        .get("patient")
        .filter(|chosen| auth.config.accounts.may_open(&account, chosen));
    let Some(chosen) = chosen else {
        let page = pages::patients(auth, &id, &session, &account, "");
        return pages::answer(StatusCode::BAD_REQUEST, page);
    };
    session.patient = Some(chosen.to_owned());
    show_consent(&app, &id, session)
}

fn show_consent(app: &App, id: &str, session: Session) -> Response {
    let auth = &app.auth;
    let account = session
        .account
        .and_then(|position| auth.config.accounts.get(position));
    let Some(account) = account else {
        return pages::failure(EXPIRED);
    };
    let page = pages::consent(auth, id, &session, &account, &app_name(auth, &session));
    auth.lock().sessions.insert(id.to_owned(), session);
    pages::answer(StatusCode::OK, page)
}

/// `POST /auth/consent`
pub(super) async fn consent(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let auth = &app.auth;
    let form = read(&headers, &body);
    let Some((id, session)) = session(auth, &headers, &form) else {
        return pages::failure(EXPIRED);
    };
    let waits_for_patient =
        scopes::need_patient(&session.request.scopes) && session.patient.is_none();
    if session.account.is_none() || waits_for_patient {
        return pages::failure(EXPIRED);
    }
    if form.get("approve").is_none() || form.get("deny").is_some() {
        return deny(&app, &id, &session, "the person said no");
    }
    let mut granted = session.request.scopes.clone();
    granted.retain(|scope| form.all("scope").any(|ticked| ticked == scope));
    if granted.is_empty() {
        return deny(&app, &id, &session, "the person allowed nothing");
    }
    let practice = session
        .account
        .and_then(|number| auth.config.accounts.get(number))
        .map(|account| account.practice);
    let code = practice.and_then(|practice| issue_code(auth, &id, &session, granted, practice));
    let Some(code) = code else {
        return deny(&app, &id, &session, "access is switched off");
    };
    let request = &session.request;
    send_back(
        &app,
        &request.redirect_uri,
        Some(&request.state),
        &[("code", &code)],
    )
}

/// Ends the sign-in with a grant and its code; `None` while access is switched off, or when the
/// sign-in has ended in the meantime.
fn issue_code(
    auth: &AuthState,
    id: &str,
    session: &Session,
    granted: Vec<String>,
    practice: String,
) -> Option<String> {
    let mut inner = auth.lock();
    inner.sessions.remove(id)?;
    if inner.closed || !inner.clients.contains_key(&session.request.client_id) {
        return None;
    }
    let patient = session
        .patient
        .clone()
        .filter(|_| scopes::need_patient(&granted));
    let mut context = session
        .request
        .launch
        .as_ref()
        .map(|launch| launch.context.clone())
        .unwrap_or_default();
    if granted.iter().any(|scope| scope == "launch/encounter") {
        let latest = patient.as_ref().map(|id| auth.config.accounts.latest(id));
        context.encounter = latest.and_then(|(encounter, _)| encounter);
    }
    let grant_id = inner.add_grant(Grant {
        client_id: session.request.client_id.clone(),
        patient,
        scopes: granted,
        account: session.account,
        practice,
        context,
        alive: true,
        suspended: false,
        granted_at: auth.now(),
        last_used: None,
    });
    let code = chance::secret();
    let entry = Code {
        grant_id,
        redirect_uri: session.request.redirect_uri.clone(),
        challenge: session.request.challenge.clone(),
        nonce: session.request.nonce.clone(),
        expires: auth.now() + CODE_SECONDS,
        used: false,
    };
    inner.codes.insert(code.clone(), entry);
    Some(code)
}
