//! The portal is opened in the system's browser, never in a window of ours (RFC 8252 §8.12), and its
//! answer comes back by the operating system or by a loopback address.

use crate::deep_link;
use crate::state::AppState;
use satchel_core::view::{LoginStartedView, Role};
use satchel_core::{Engine, LoginOptions, LoopbackListener, Problem, RedirectKind, StartedLogin};
use std::time::Duration;
use tauri::{AppHandle, Manager};
use tauri_plugin_opener::OpenerExt;

/// The engine's own limit is ten minutes; listeners end with it.
const PATIENCE: Duration = Duration::from_secs(600);

/// The ways back that this platform has, the best first: the private-use scheme that is registered
/// with the system, and loopback, which works everywhere. A claimed https address needs an entry of
/// the installer that the plugin does not make on desktops yet.
const REDIRECTS: [RedirectKind; 2] = [RedirectKind::Scheme, RedirectKind::Loopback];

/// A login that is about to begin, with the listener that it may need.
pub(crate) struct WayBack {
    listener: Option<LoopbackListener>,
    pub(crate) options: LoginOptions,
}

/// Gets ready for whichever way back the server allows.
pub(crate) async fn way_back(role: Role, preset: Option<String>) -> WayBack {
    let listener = match LoopbackListener::bind().await {
        Ok(listener) => Some(listener),
        Err(error) => {
            tracing::warn!(%error, "no loopback address can be had");
            None
        }
    };
    let port = listener.as_ref().map(LoopbackListener::port);
    WayBack {
        listener,
        options: LoginOptions {
            preset,
            ..LoginOptions::new(role, &REDIRECTS, port)
        },
    }
}

/// Opens the browser for a login that was begun. Where the answer comes to the loopback address, it is
/// waited for there; otherwise the listener closes at once.
pub(crate) async fn open(
    app: &AppHandle,
    engine: &Engine,
    login: &StartedLogin,
    way_back: WayBack,
) -> Result<(), Problem> {
    let form = engine.login_form(&login.view.connection_id).await?;
    let mut address = login.view.authorization_url.clone();
    if let Some(mut listener) = way_back.listener {
        let long = form.map(|form| listener.offer(&form));
        let waits = login.redirect == RedirectKind::Loopback;
        if let Some(long) = &long {
            address.clone_from(long);
        }
        if waits {
            wait(app.clone(), listener, login.clone());
        } else if long.is_some() {
            hand_out(listener);
        }
    }
    show(app, &address);
    Ok(())
}

/// Opens the portal of a pending login once more.
pub(crate) async fn open_again(
    app: &AppHandle,
    engine: &Engine,
    login: &LoginStartedView,
) -> Result<(), Problem> {
    let form = engine.login_form(&login.connection_id).await?;
    let mut address = login.authorization_url.clone();
    if let (Some(form), Ok(mut listener)) = (form, LoopbackListener::bind().await) {
        address = listener.offer(&form);
        hand_out(listener);
    }
    show(app, &address);
    Ok(())
}

/// The browser is started, or not: the window shows the address with a copy button all the same.
pub(crate) fn show(app: &AppHandle, address: &str) {
    if let Err(error) = app.opener().open_url(address, None::<String>) {
        tracing::warn!(%error, "the browser could not be started");
    }
}

fn hand_out(listener: LoopbackListener) {
    tauri::async_runtime::spawn(async move {
        let done = tokio::time::timeout(PATIENCE, listener.hand_out()).await;
        if !matches!(done, Ok(Ok(()))) {
            tracing::info!("nobody came for the sign-in page");
        }
    });
}

fn wait(app: AppHandle, listener: LoopbackListener, login: StartedLogin) {
    tauri::async_runtime::spawn(async move {
        match tokio::time::timeout(PATIENCE, listener.wait(&login)).await {
            Ok(Ok(callback)) => {
                deep_link::show_window(&app);
                let state = app.state::<AppState>();
                match state.engine().await {
                    Ok(engine) => deep_link::finish_login(engine, &callback).await,
                    Err(_) => state.keep_link(callback).await,
                }
            }
            Ok(Err(error)) => tracing::warn!(%error, "the loopback address failed"),
            Err(_) => tracing::info!("no answer came to the loopback address"),
        }
    });
}
