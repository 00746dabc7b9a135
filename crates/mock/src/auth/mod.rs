//! The authorization server: discovery, registration, sign-in and consent, tokens, introspection,
//! revocation.
//!
//! OAuth 2.0 with PKCE as SMART App Launch 2.2 uses it, OpenID Connect for who signed in. It is
//! strict where a real server may be, so that a client that passes here has kept the rules.

mod answer;
mod assertion;
mod authorize;
mod brands;
mod chance;
mod clients;
mod hosting;
mod id_token;
mod introspect;
mod jwks;
mod key_sets;
mod limits;
mod logout;
mod manage;
mod metadata;
mod pages;
mod portal;
mod portal_pages;
mod register;
mod revoke;
pub(crate) mod scopes;
mod sign_in;
mod software;
mod state;
mod token;
mod wellknown;

use axum::Router;
use axum::routing::{get, post};

use crate::state::App;

pub(crate) use state::{AccessGrant, AuthConfig, AuthState};

/// The practice that some access tokens name.
pub(crate) const PRACTICE_CLAIM: &str = "a-1.Practice-195900";

/// How the portal looks, for apps that it opens.
const STYLE: &str = "/smart-style.json";

/// What programs call, those in a browser included: both discovery documents, keys, registration and
/// tokens.
pub(crate) fn router_for_programs() -> Router<App> {
    Router::new()
        .route("/.well-known/openid-configuration", get(wellknown::openid))
        .route(
            "/fhir/.well-known/smart-configuration",
            get(wellknown::smart),
        )
        .route("/auth/jwks", get(wellknown::jwks))
        .route("/auth/register", post(register::create))
        .route(
            "/auth/register/{client_id}",
            get(manage::read).put(manage::update).delete(manage::delete),
        )
        .route("/auth/token", post(token::handle))
        .route("/auth/revoke", post(revoke::handle))
        .route("/auth/introspect", post(introspect::handle))
        .route(STYLE, get(wellknown::style))
        .route("/brands", get(brands::bundle))
        .route("/brands/logo.svg", get(brands::logo))
}

/// Whether programs call this address, those in a browser included.
pub(crate) fn is_for_programs(path: &str) -> bool {
    let exact = [
        STYLE,
        "/.well-known/openid-configuration",
        "/auth/jwks",
        "/auth/token",
        "/auth/revoke",
        "/auth/introspect",
    ];
    exact.contains(&path) || path.starts_with("/auth/register") || path.starts_with("/brands")
}

/// What people go to: the sign-in, the portals, the app's callback page.
pub(crate) fn router_for_people() -> Router<App> {
    Router::new()
        .route("/auth/authorize", get(authorize::get).post(authorize::post))
        .route("/auth/sign-in", post(sign_in::sign_in))
        .route("/auth/patient", post(sign_in::patient))
        .route("/auth/consent", post(sign_in::consent))
        .route("/auth/logout", get(logout::get).post(logout::post))
        .route("/auth/style.css", get(pages::style))
        .route(
            "/.well-known/apple-app-site-association",
            get(hosting::apple),
        )
        .route("/.well-known/assetlinks.json", get(hosting::android))
        .route("/.well-known/windows-app-web-link", get(hosting::windows))
        .route("/app/{*path}", get(hosting::hand_over))
        .route("/portal", get(portal::home))
        .route("/portal/sign-in", post(portal::sign_in))
        .route("/portal/sign-out", post(portal::sign_out))
        .route("/portal/apps", post(portal::change_own))
        .route("/portal/practice", post(portal::change_practice))
        .route("/portal/launch", post(portal::launch))
}
