//! What the portals show: the connected apps, the practice's decisions, and buttons that open apps.

use jiff::Timestamp;
use maud::{Markup, html};

use super::clients::{Client, Practice};
use super::pages;
use super::scopes;
use super::state::{AuthState, Grant, Inner, Login};
use crate::population::{Account, AccountRole};

/// Patients offered for a launch.
const OFFERED_PATIENTS: usize = 50;

/// The sign-in page of the portals; `message` says why the last try failed.
pub(super) fn sign_in(auth: &AuthState, message: Option<&str>) -> Markup {
    let content = html! {
        p { "Patients see the apps that are connected to their records here; a practice decides which "
            "apps its patients may use." }
        @if let Some(message) = message {
            p.alarm role="alert" { (message) }
        }
        form method="post" action="/portal/sign-in" {
            (pages::credentials())
        }
        (pages::demo_people(auth))
    };
    pages::page("Riverbend Health", "Portal", &content)
}

/// What somebody who is signed in sees.
pub(super) fn home(auth: &AuthState, login: &Login, account: &Account) -> Markup {
    let inner = auth.lock();
    let mut clients: Vec<(&String, &Client)> = inner.clients.iter().collect();
    clients.sort_by(|(one_id, one), (other_id, other)| {
        (&one.name, one_id).cmp(&(&other.name, other_id))
    });
    let content = html! {
        p { "Signed in as " strong { (account.display_name) } "." }
        (connected(&inner, login, account, &clients))
        @if account.role == AccountRole::Administrator {
            (practice(&inner, login, &account.practice, &clients))
        } @else {
            (launches(auth, login, account, &clients))
        }
        form method="post" action="/portal/sign-out" {
            (csrf(login))
            div.actions { button.second type="submit" id="sign-out" { "Sign out" } }
        }
    };
    pages::page(pages::portal_of(account), "Home", &content)
}

fn csrf(login: &Login) -> Markup {
    html! { input type="hidden" name="csrf" value=(login.csrf); }
}

/// A button that does one thing to one app.
fn button(login: &Login, path: &str, client_id: &str, action: &str, words: &str) -> Markup {
    html! {
        form.inline method="post" action=(path) {
            (csrf(login))
            input type="hidden" name="client_id" value=(client_id);
            button.second type="submit" name="action" value=(action) { (words) }
        }
    }
}

/// "Apps connected to my records".
fn connected(
    inner: &Inner,
    login: &Login,
    account: &Account,
    clients: &[(&String, &Client)],
) -> Markup {
    let of = |client_id: &str| -> Vec<&Grant> {
        let grants = inner.grants.values();
        grants
            .filter(|grant| {
                grant.alive && grant.account == Some(login.account) && grant.client_id == client_id
            })
            .collect()
    };
    let connected: Vec<_> = clients
        .iter()
        .map(|(id, client)| (*id, *client, of(id)))
        .filter(|(_, _, grants)| !grants.is_empty())
        .collect();
    html! {
        h2 #connected { (match account.role {
            AccountRole::Patient => "Apps connected to my records",
            _ => "Apps that I use",
        }) }
        @if connected.is_empty() {
            p { "No app is connected." }
        }
        @for (id, client, grants) in connected {
            section.app aria-label=(client.name) data-client=(id) {
                h3 { (client.name) }
                p { (installation(client)) " " (last_used(&grants)) }
                ul { @for scope in scopes_of(&grants) { li { (scopes::in_words(&scope)) } } }
                div.actions {
                    @if grants.iter().all(|grant| grant.suspended) {
                        p { strong { "Switched off. " } "It reads nothing until you switch it on." }
                        (button(login, "/portal/apps", id, "on", "Switch on"))
                    } @else {
                        (button(login, "/portal/apps", id, "off", "Switch off"))
                    }
                    (button(login, "/portal/apps", id, "disconnect", "Disconnect"))
                }
            }
        }
    }
}

fn scopes_of(grants: &[&Grant]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for scope in grants.iter().flat_map(|grant| &grant.scopes) {
        if !all.contains(scope) {
            all.push(scope.clone());
        }
    }
    all
}

fn in_words(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map(|time| time.strftime("%-d %B %Y, %H:%M UTC").to_string())
        .unwrap_or_default()
}

/// Which of several installations it is: its version, and when it registered.
fn installation(client: &Client) -> String {
    let version = client.metadata.get("software_version");
    let version = version.and_then(serde_json::Value::as_str);
    let registered = client.metadata.get("client_id_issued_at");
    let registered = registered.and_then(serde_json::Value::as_i64);
    let version = version.map_or_else(String::new, |version| format!("Version {version}, r"));
    let version = if version.is_empty() {
        "R".to_owned()
    } else {
        version
    };
    format!(
        "{version}egistered {}.",
        in_words(registered.unwrap_or_default())
    )
}

/// For how many people of the practice it is connected, what it may do, and when it last read something.
fn used_by_anybody(inner: &Inner, client_id: &str) -> Markup {
    let grants = inner.grants.values();
    let grants: Vec<&Grant> = grants
        .filter(|grant| grant.alive && grant.client_id == client_id)
        .collect();
    html! {
        @if grants.is_empty() { "Nobody has connected it." } @else {
            (last_used(&grants)) " It may: "
            (scopes_of(&grants).iter().map(|scope| scopes::in_words(scope)).collect::<Vec<_>>().join("; ")) "."
        }
    }
}

fn last_used(grants: &[&Grant]) -> String {
    let granted = grants.iter().map(|grant| grant.granted_at).max();
    let used = grants.iter().filter_map(|grant| grant.last_used).max();
    let used = used.map_or_else(
        || "never used".to_owned(),
        |time| format!("last used {}", in_words(time)),
    );
    format!(
        "Connected {}; {used}.",
        in_words(granted.unwrap_or_default())
    )
}

/// What the practice decides.
fn practice(
    inner: &Inner,
    login: &Login,
    practice: &str,
    clients: &[(&String, &Client)],
) -> Markup {
    html! {
        h2 #practice { "Apps of the practice" }
        @if clients.is_empty() { p { "No app has registered." } }
        @for (id, client) in clients {
            section.app aria-label=(client.name) data-client=(id) {
                h3 { (client.name) }
                p { (installation(client)) " " (used_by_anybody(inner, id)) }
                p { (match client.practice.of(practice) {
                    Practice::Approved => "Approved: patients and staff may use it.",
                    Practice::Waiting => "Waits for your approval.",
                    Practice::Refused => "Refused.",
                    Practice::SwitchedOff => "Switched off for everybody.",
                    Practice::Blocked => "Blocked: this installation is no longer known here.",
                }) }
                div.actions {
                    @match client.practice.of(practice) {
                        Practice::Approved => {
                            (button(login, "/portal/practice", id, "off", "Switch off"))
                            (button(login, "/portal/practice", id, "block", "Block"))
                        }
                        Practice::Blocked => { (button(login, "/portal/practice", id, "unblock", "Unblock")) }
                        Practice::SwitchedOff => { (button(login, "/portal/practice", id, "on", "Switch on")) }
                        Practice::Waiting => {
                            (button(login, "/portal/practice", id, "approve", "Approve"))
                            (button(login, "/portal/practice", id, "refuse", "Refuse"))
                        }
                        Practice::Refused => { (button(login, "/portal/practice", id, "approve", "Approve")) }
                    }
                }
            }
        }
    }
}

/// Buttons that open apps with the chart that is open here.
fn launches(
    auth: &AuthState,
    login: &Login,
    account: &Account,
    clients: &[(&String, &Client)],
) -> Markup {
    let (charts, _) = auth.config.accounts.charts(account, "", OFFERED_PATIENTS);
    let launchable = clients
        .iter()
        .filter(|(_, client)| client.launch_url.is_some());
    let launchable: Vec<_> = launchable.collect();
    html! {
        h2 #open { "Open an app" }
        @if launchable.is_empty() {
            p { "No app has said where it can be opened (" code { "initiate_login_uri" } ")." }
        }
        @for (id, client) in launchable {
            form method="post" action="/portal/launch" data-client=(id) {
                (csrf(login))
                input type="hidden" name="client_id" value=(id);
                label.field { "Chart "
                    select name="patient" {
                        @for (patient, name) in &charts { option value=(patient) { (name) } }
                    }
                }
                @if account.role != AccountRole::Patient {
                    label.field { "What for "
                        select name="intent" {
                            option value="" { "Nothing in particular" }
                            option value="reconcile-medications" { "Reconcile medications" }
                        }
                    }
                }
                div.actions { button type="submit" { "Open " (client.name) } }
            }
        }
    }
}
