//! The way back from the browser by the operating system: a private-use URI scheme. A link is hostile
//! until the engine has found the pending login that it belongs to; it is never logged.

use crate::state::AppState;
use satchel_core::Engine;
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
                finish_login(&handle, url.into()).await;
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

/// Hands a link to the engine; on success the chart is pulled.
pub(crate) async fn finish_login(app: &AppHandle, link: String) {
    let state = app.state::<AppState>();
    let Ok(engine) = state.engine().await else {
        return;
    };
    match engine.login_finish(&link).await {
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
