//! Links that the operating system hands over, by a private-use URI scheme: answers to sign-ins, and
//! launches by a portal. A link is hostile until the engine has found the pending login that it belongs
//! to, or the person has said yes to the server that it names; it is never logged.

use crate::browser;
use crate::state::AppState;
use satchel_core::view::Role;
use satchel_core::{Engine, LaunchReceived};
use tauri::{AppHandle, Manager};
use tauri_plugin_deep_link::DeepLinkExt;

/// Registers the scheme for this user where that is done at run time (Linux, Windows).
pub(crate) fn register(app: &AppHandle) {
    #[cfg(any(target_os = "linux", windows))]
    if let Err(error) = app.deep_link().register_all() {
        tracing::warn!(%error, "the deep link could not be registered; signing in by loopback still works");
    }
    #[cfg(not(any(target_os = "linux", windows)))]
    let _ = app;
}

/// Listens for links to the running app; gives the one that started it, if one did.
pub(crate) fn listen(app: &AppHandle) -> Option<String> {
    let handle = app.clone();
    app.deep_link().on_open_url(move |event| {
        show_window(&handle);
        for url in event.urls() {
            let handle = handle.clone();
            tauri::async_runtime::spawn(async move {
                received(&handle, url.into()).await;
            });
        }
    });
    match app.deep_link().get_current() {
        Ok(urls) => urls?.into_iter().next().map(Into::into),
        Err(error) => {
            tracing::warn!(%error, "the link that started the app could not be read");
            None
        }
    }
}

/// Hands a link to the engine: a launch, or the answer to a sign-in. While it is locked, the link waits.
pub(crate) async fn received(app: &AppHandle, link: String) {
    let state = app.state::<AppState>();
    let Ok(engine) = state.engine().await else {
        state.keep_link(link).await;
        return;
    };
    if engine.is_launch(&link) {
        launch(app, &engine, &link).await;
    } else {
        finish_login(engine, &link).await;
    }
}

/// A known server's sign-in begins; for an unknown one the window asks.
async fn launch(app: &AppHandle, engine: &Engine, link: &str) {
    let way_back = browser::way_back(Role::Patient, None).await;
    let opened = match engine.launch_received(link, &way_back.options).await {
        Ok(LaunchReceived::Started(login)) => browser::open(app, engine, &login, way_back).await,
        Ok(LaunchReceived::Asked(_)) => Ok(()),
        Err(problem) => {
            engine.launch_failed(&problem);
            Err(problem)
        }
    };
    if let Err(problem) = opened {
        tracing::info!(code = problem.code.code(), "a launch did not succeed");
    }
}

/// Ends a sign-in; on success the chart is pulled.
pub(crate) async fn finish_login(engine: Engine, link: &str) {
    match engine.login_finish(link).await {
        Ok(connection_id) => sync(engine, connection_id),
        // The engine has announced it to the window already.
        Err(problem) => tracing::info!(code = problem.code.code(), "a login did not succeed"),
    }
}

/// Pulls a chart in the background.
pub(crate) fn sync(engine: Engine, connection_id: String) {
    tauri::async_runtime::spawn(async move {
        if let Err(problem) = engine.sync(&connection_id).await {
            tracing::info!(code = problem.code.code(), "a sync could not be begun");
        }
    });
}

/// Brings the window to the front.
pub(crate) fn show_window(app: &AppHandle) {
    if let Some(window) = app.get_webview_window("main") {
        let shown = window
            .unminimize()
            .and_then(|()| window.show())
            .and_then(|()| window.set_focus());
        if let Err(error) = shown {
            tracing::debug!(%error, "the window could not be brought to the front");
        }
    }
}
