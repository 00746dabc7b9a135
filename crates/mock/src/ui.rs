//! `/_mock/ui`: the tester's page. Requests as they come, with the reason of each refusal; people with
//! their passwords; the clock; situations to switch on.

use axum::Form;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;

use crate::log::RequestLogEntry;
use crate::population::AccountRole;
use crate::scenario::Scenario;
use crate::state::App;

/// Requests shown, the newest first.
const SHOWN: usize = 60;
/// People shown.
const PEOPLE: usize = 30;

const PAGE: &str = "/_mock/ui";

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route(PAGE, get(show))
        .route("/_mock/ui/requests", get(show_requests))
        .route("/_mock/ui/scenario", post(scenario))
        .route("/_mock/ui/clock", post(clock))
        .route("/_mock/ui/access", post(access))
        .route("/_mock/ui/calm", post(calm))
}

async fn show(State(app): State<App>) -> Response {
    let content = html! {
        h1 { "The tester's page" }
        p { "FHIR base " code { (app.fhir_base()) } " · portals " a href="/portal" { code { "/portal" } } }
        (controls(&app))
        h2 #requests { "Requests, the newest first" }
        // In a frame of its own, which renews itself and leaves the forms alone.
        iframe title="Requests, the newest first" src="/_mock/ui/requests" {}
        (people(&app))
    };
    answer(&page(None, &content))
}

async fn show_requests(State(app): State<App>) -> Response {
    let mut requests = app.log.all();
    requests.reverse();
    requests.truncate(SHOWN);
    answer(&page(Some("2"), &log(&requests)))
}

fn answer(page: &Markup) -> Response {
    let mut response = Html(page.clone().into_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; form-action 'self'; frame-src 'self'; frame-ancestors 'self'",
        ),
    );
    response
}

/// Forms of other pages do nothing here.
fn own_page(app: &App, headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN);
    origin.is_none_or(|origin| origin.as_bytes() == app.origin.as_bytes())
}

fn back(done: bool) -> Response {
    if done {
        Redirect::to(PAGE).into_response()
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

#[derive(Deserialize)]
struct Chosen {
    name: String,
}

async fn scenario(
    State(app): State<App>,
    headers: HeaderMap,
    Form(chosen): Form<Chosen>,
) -> Response {
    let own = own_page(&app, &headers);
    if own {
        app.plan_scenario(&chosen.name);
    }
    back(own)
}

#[derive(Deserialize)]
struct Turn {
    seconds: i64,
}

async fn clock(State(app): State<App>, headers: HeaderMap, Form(turn): Form<Turn>) -> Response {
    let own = own_page(&app, &headers);
    if own {
        app.auth.turn_clock(turn.seconds);
    }
    back(own)
}

#[derive(Deserialize)]
struct Switch {
    enabled: bool,
}

async fn access(State(app): State<App>, headers: HeaderMap, Form(to): Form<Switch>) -> Response {
    let own = own_page(&app, &headers);
    if own {
        app.auth.set_access(to.enabled);
    }
    back(own)
}

async fn calm(State(app): State<App>, headers: HeaderMap) -> Response {
    let own = own_page(&app, &headers);
    if own {
        app.faults.clear();
    }
    back(own)
}

/// A page that renews itself after so many seconds, or not at all.
fn page(renewed: Option<&str>, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if let Some(seconds) = renewed { meta http-equiv="refresh" content=(seconds); }
                title { "satchel-mock" }
                link rel="stylesheet" href="/auth/style.css";
            }
            body.wide.frame[renewed.is_some()] {
                @if renewed.is_none() { header { "satchel-mock: synthetic data only" } }
                main { (content) }
            }
        }
    }
}

fn controls(app: &App) -> Markup {
    let planned = app.faults.describe();
    let time = jiff::Timestamp::from_second(app.auth.now());
    let turns = [
        ("5 minutes on", 300_i64),
        ("an hour on", 3600),
        ("a day on", 86_400),
        ("an hour back", -3600),
    ];
    html! {
        h2 { "Clock" }
        p { (time.map(|time| time.to_string()).unwrap_or_default()) }
        div.actions { @for (words, seconds) in turns {
            form.inline method="post" action="/_mock/ui/clock" {
                button.second type="submit" name="seconds" value=(seconds) { (words) }
            }
        } }
        h2 { "Access" }
        div.actions {
            form.inline method="post" action="/_mock/ui/access" {
                button.second type="submit" name="enabled" value="false" { "End every grant" }
                " "
                button.second type="submit" name="enabled" value="true" { "Let people sign in" }
            }
        }
        h2 { "What goes wrong" }
        @if planned.is_empty() { p { "Nothing is planned." } }
        ul { @for fault in &planned { li { code { (fault) } } } }
        form method="post" action="/_mock/ui/scenario" {
            label.field { "Situation "
                select name="name" {
                    @for one in Scenario::shipped().unwrap_or_default().iter().filter(|one| !one.faults().is_empty()) {
                        option value=(one.name) title=(one.about) { (one.name) }
                    }
                }
            }
            div.actions { button type="submit" { "Plan it" } }
        }
        form method="post" action="/_mock/ui/calm" {
            div.actions { button.second type="submit" { "Forget what is planned" } }
        }
    }
}

fn log(requests: &[RequestLogEntry]) -> Markup {
    html! {
        table aria-label="Requests, the newest first" {
            thead { tr { th { "Status" } th { "Request" } th { "Why refused, what it passed" } } }
            tbody { @for entry in requests { tr {
                td { @if entry.status == 0 { "cut" } @else { (entry.status) } }
                td { code { (entry.method) " " (entry.path) @if !entry.query.is_empty() { "?" (entry.query) } } }
                td {
                    (entry.reason.as_deref().unwrap_or_default())
                    @if !entry.passed.is_empty() || !entry.tokens.is_empty() { details {
                        summary { (summary(entry)) }
                        @if !entry.passed.is_empty() {
                            ul { @for rule in &entry.passed { li { (rule) } } }
                        }
                        @for token in &entry.tokens {
                            h3 { code { (token.found_in) } }
                            pre { code { (pretty(&token.header)) } }
                            pre { code { (pretty(&token.claims)) } }
                        }
                    } }
                }
            } } }
        }
    }
}

fn summary(entry: &RequestLogEntry) -> String {
    let plural = |count: usize, one: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        many => Some(format!("{many} {one}s")),
    };
    let parts = [
        plural(entry.passed.len(), "rule").map(|rules| format!("passed {rules}")),
        plural(entry.tokens.len(), "token"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn people(app: &App) -> Markup {
    html! {
        h2 #people { "People" }
        table aria-labelledby="people" {
            thead { tr { th { "Name" } th { "User name" } th { "Password" } th { "Portal" } } }
            tbody { @for account in app.auth.accounts().listed(PEOPLE) { tr {
                td { (account.display_name) }
                td { code { (account.username) } }
                td { code { (account.password) } }
                td { (match account.role {
                    AccountRole::Patient => "Patient",
                    AccountRole::Provider => "Practice",
                    AccountRole::Staff => "Practice (staff)",
                    AccountRole::Administrator => "Practice (administrator)",
                }) }
            } } }
        }
    }
}
