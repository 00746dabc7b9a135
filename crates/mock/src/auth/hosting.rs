//! What a web server of the app's maker would host, for claimed-https redirects: the association
//! files by which an operating system gives the address to the app, and the page that a browser shows
//! when it does not, which hands over by the app's private-use scheme (RFC 8252 §7.2).

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;
use serde_json::json;

use super::pages;
use crate::state::App;

/// Everything below belongs to the app.
const CALLBACKS: &str = "/app/";

/// `GET /.well-known/apple-app-site-association`
pub(super) async fn apple(State(app): State<App>) -> Response {
    let id = format!("ABCDE12345.{}", app.auth.config.app_scheme);
    Json(json!({
        "applinks": { "details": [{ "appIDs": [id], "components": [{ "/": format!("{CALLBACKS}*") }] }] }
    }))
    .into_response()
}

/// `GET /.well-known/assetlinks.json`
pub(super) async fn android(State(app): State<App>) -> Response {
    let fingerprint = vec!["00"; 32].join(":");
    Json(json!([{
        "relation": ["delegate_permission/common.handle_all_urls"],
        "target": {
            "namespace": "android_app",
            "package_name": app.auth.config.app_scheme,
            "sha256_cert_fingerprints": [fingerprint],
        }
    }]))
    .into_response()
}

/// `GET /.well-known/windows-app-web-link`
pub(super) async fn windows(State(app): State<App>) -> Response {
    Json(json!([{
        "packageFamilyName": format!("{}_0000000000000", app.auth.config.app_scheme),
        "paths": [format!("{CALLBACKS}*")],
    }]))
    .into_response()
}

/// `GET /app/{path}`: the same path and query in the app's scheme. The page loads nothing, runs
/// nothing, is not stored, and tells nobody its address.
pub(super) async fn hand_over(State(app): State<App>, OriginalUri(uri): OriginalUri) -> Response {
    let path = uri.path().strip_prefix("/app").unwrap_or_default();
    let query = uri
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let target = format!("{}:{path}{query}", app.auth.config.app_scheme);
    let content = html! {
        meta http-equiv="refresh" content=(format!("0;url={target}"));
        p { "The app should open by itself." }
        div.actions { a.button href=(target) id="open" { "Open the app" } }
        p { "Nothing happens? The app may not be installed on this computer. You can close this page." }
    };
    let page = pages::page("Riverbend Health", "Back to the app", &content);
    pages::answer(StatusCode::OK, page)
}
