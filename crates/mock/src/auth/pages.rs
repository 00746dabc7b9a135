//! The pages of the portals: signing in, choosing a person, consenting, and what went wrong.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::answer::forbid_storing;
use super::scopes;
use super::state::{AuthState, Session};
use crate::log::Reason;
use crate::population::{Account, AccountRole};

/// How many patients' accounts the sign-in page lists.
const LISTED_PATIENTS: usize = 8;

/// Charts that a page offers at once.
const OFFERED_CHARTS: usize = 50;

/// `GET /auth/style.css`
pub(super) async fn style() -> Response {
    let mut response = include_str!("style.css").into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/css; charset=utf-8"),
    );
    response
}

/// A page as an answer that nobody stores, frames or learns the address of. There is no
/// `form-action`: browsers apply it to the redirect that follows, which goes to the app.
pub(super) fn answer(status: StatusCode, page: Markup) -> Response {
    let mut response = (status, Html(page.into_string())).into_response();
    let headers = response.headers_mut();
    forbid_storing(headers);
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'self'; base-uri 'none'; frame-ancestors 'none'"),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// A page with the portal's name above it.
pub(super) fn page(portal: &str, title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – " (portal) }
                link rel="stylesheet" href="/auth/style.css";
            }
            body {
                header { (portal) }
                main {
                    h1 { (title) }
                    (content)
                }
                footer { "An imitation server. Nobody here is real, and nothing here is advice." }
            }
        }
    }
}

/// The name of the portal as the account sees it.
pub(super) fn portal_of(account: &Account) -> &'static str {
    match account.role {
        AccountRole::Patient => "Riverbend patient portal",
        _ => "Riverbend practice portal",
    }
}

/// The fields that bind a form to its sign-in.
fn binding(session_id: &str, session: &Session) -> Markup {
    html! {
        input type="hidden" name="session" value=(session_id);
        input type="hidden" name="csrf" value=(session.csrf);
    }
}

/// Something is wrong that must not send the browser anywhere (RFC 6749 §4.1.2.1).
pub(super) fn failure(message: &str) -> Response {
    let content = html! {
        p.alarm role="alert" { (message) }
        p { "Go back to the app and start again. Nothing was sent to it." }
    };
    let mut response = answer(
        StatusCode::BAD_REQUEST,
        page("Riverbend Health", "This cannot go on", &content),
    );
    response
        .extensions_mut()
        .insert(Reason(format!("shown as a page: {message}")));
    response
}

/// The person is signed out, and no app asked to be told.
pub(super) fn signed_out() -> Response {
    let content = html! { p { "You are signed out. You can close this page." } };
    answer(
        StatusCode::OK,
        page("Riverbend Health", "Signed out", &content),
    )
}

/// User name, password and the button.
pub(super) fn credentials() -> Markup {
    html! {
        label.field for="username" { "User name" }
        input type="text" name="username" id="username" autocomplete="username"
            autocapitalize="none" spellcheck="false" required autofocus;
        label.field for="password" { "Password" }
        input type="password" name="password" id="password"
            autocomplete="current-password" required;
        div.actions { button type="submit" id="sign-in" { "Sign in" } }
    }
}

/// Who may sign in here, for testers.
pub(super) fn demo_people(auth: &AuthState) -> Markup {
    let accounts = auth.config.accounts.listed(LISTED_PATIENTS);
    html! {
        h2 #people { "Demo people" }
        table aria-labelledby="people" {
            thead { tr {
                th scope="col" { "Name" }
                th scope="col" { "User name" }
                th scope="col" { "Password" }
                th scope="col" { "Portal" }
            } }
            tbody {
                @for account in accounts {
                    tr {
                        td { (account.display_name) }
                        td { code { (account.username) } }
                        td { code { (account.password) } }
                        td { (match account.role {
                            AccountRole::Patient => "Patient",
                            AccountRole::Provider => "Practice",
                            AccountRole::Staff => "Practice (staff)",
                            AccountRole::Administrator => "Practice (administrator)",
                        }) }
                    }
                }
            }
        }
    }
}

/// The sign-in page; `message` says why the last try failed.
pub(super) fn sign_in(
    auth: &AuthState,
    session_id: &str,
    session: &Session,
    app_name: &str,
    message: Option<&str>,
) -> Markup {
    let content = html! {
        p { strong { (app_name) } " asks for access to health records." }
        @if let Some(message) = message {
            p.alarm #message role="alert" { (message) }
        }
        form method="post" action="/auth/sign-in" {
            (binding(session_id, session))
            (credentials())
        }
        (demo_people(auth))
    };
    page("Riverbend Health", "Sign in", &content)
}

/// The choice among the people whose charts the account may open.
pub(super) fn patients(
    auth: &AuthState,
    session_id: &str,
    session: &Session,
    account: &Account,
    wanted: &str,
) -> Markup {
    let (charts, more) = auth.config.accounts.charts(account, wanted, OFFERED_CHARTS);
    let (title, legend) = match account.role {
        AccountRole::Patient => (
            "Whose records?",
            "You may act for more than one person. Choose one:",
        ),
        _ => ("Which patient?", "Choose the chart to open in the app:"),
    };
    let content = html! {
        p { "Signed in as " strong { (account.display_name) } "." }
        @if more || !wanted.is_empty() {
            form role="search" method="post" action="/auth/patient" {
                (binding(session_id, session))
                label.field for="name" { "Name or number" }
                input type="search" name="name" id="name" value=(wanted);
                div.actions { button.second type="submit" name="search" value="yes" { "Search" } }
            }
        }
        @if charts.is_empty() { p role="status" { "Nobody is called like that." } }
        form method="post" action="/auth/patient" {
            (binding(session_id, session))
            fieldset {
                legend { (legend) }
                @for (position, (id, name)) in charts.iter().enumerate() {
                    label.choice {
                        input type="radio" name="patient" value=(id) checked[position == 0];
                        span {
                            (name)
                            code { (id) }
                        }
                    }
                }
            }
            @if more { p { "There are more: search for them." } }
            div.actions { button type="submit" id="continue" { "Continue" } }
        }
    };
    page(portal_of(account), title, &content)
}

/// The consent page: every scope can be unticked.
pub(super) fn consent(
    auth: &AuthState,
    session_id: &str,
    session: &Session,
    account: &Account,
    app_name: &str,
) -> Markup {
    let content = html! {
        p { "Signed in as " strong { (account.display_name) } "." }
        @if let Some(patient) = &session.patient {
            p { @match account.role {
                AccountRole::Patient => "These are the records of ",
                _ => "The chart is that of ",
            } strong { (auth.config.accounts.name_of(patient)) } "." }
        }
        form method="post" action="/auth/consent" {
            (binding(session_id, session))
            fieldset {
                legend { @match account.role {
                    AccountRole::Patient => "What may the app do with your records?",
                    _ => "What may the app do on your behalf?",
                } }
                @for scope in &session.request.scopes {
                    label.choice {
                        input type="checkbox" name="scope" value=(scope) checked;
                        span {
                            (scopes::in_words(scope))
                            code { (scope) }
                        }
                    }
                }
            }
            div.actions {
                button type="submit" name="approve" value="yes" id="approve" { "Allow" }
                button.second type="submit" name="deny" value="yes" id="deny" { "Deny" }
            }
        }
    };
    page(
        portal_of(account),
        &format!("Give {app_name} access?"),
        &content,
    )
}
