//! Commands for the lock and for the privacy of the screen.

use crate::clipboard::Copied;
use crate::commands::{Answer, words};
use crate::state::AppState;
use satchel_core::view::{AppStatusView, PrivacySettingsView, PrivacyView};
use satchel_core::{Passphrase, Problem, ProblemCode};
use tauri::{AppHandle, State};

/// Locks now.
#[tauri::command]
pub(crate) async fn app_lock(app: AppHandle, state: State<'_, AppState>) -> Answer<()> {
    state.lock(&app).await
}

/// Unlocks with the passphrase.
#[tauri::command]
pub(crate) async fn app_unlock(
    app: AppHandle,
    state: State<'_, AppState>,
    passphrase: Passphrase,
) -> Answer<()> {
    state.unlock(&app, &passphrase).await
}

/// Erases a profile whose passphrase nobody knows any more, and begins anew.
#[tauri::command]
pub(crate) async fn app_start_anew(
    app: AppHandle,
    state: State<'_, AppState>,
) -> Answer<AppStatusView> {
    state.start_anew(&app).await?;
    Ok(state.status().await)
}

/// The person has touched the window.
#[tauri::command]
pub(crate) async fn app_touched(state: State<'_, AppState>) -> Answer<()> {
    state.activity.note();
    Ok(())
}

/// How the lock stands, and what was chosen.
#[tauri::command]
pub(crate) async fn privacy_get(state: State<'_, AppState>) -> Answer<PrivacyView> {
    state.read_privacy().await
}

/// Chooses.
#[tauri::command]
pub(crate) async fn privacy_set(
    state: State<'_, AppState>,
    settings: PrivacySettingsView,
) -> Answer<()> {
    let engine = state.engine().await?;
    engine
        .privacy_settings_set(&settings)
        .await
        .map_err(words)?;
    state.read_privacy().await.map(drop)
}

/// Sets a passphrase, or another one.
#[tauri::command]
pub(crate) async fn passphrase_set(
    state: State<'_, AppState>,
    current: Option<Passphrase>,
    passphrase: Passphrase,
    at_start: bool,
) -> Answer<()> {
    let engine = state.engine().await?;
    let set = engine.passphrase_set(current.as_ref(), &passphrase, at_start);
    set.await.map_err(words)?;
    state.read_privacy().await.map(drop)
}

/// Takes the passphrase away.
#[tauri::command]
pub(crate) async fn passphrase_remove(
    state: State<'_, AppState>,
    current: Passphrase,
) -> Answer<()> {
    let engine = state.engine().await?;
    engine.passphrase_remove(&current).await.map_err(words)?;
    state.read_privacy().await.map(drop)
}

/// Whether the passphrase is asked for at start.
#[tauri::command]
pub(crate) async fn lock_at_start(
    state: State<'_, AppState>,
    current: Passphrase,
    on: bool,
) -> Answer<()> {
    let engine = state.engine().await?;
    engine.lock_at_start(&current, on).await.map_err(words)?;
    state.read_privacy().await.map(drop)
}

/// Copies a text; if the person wants that, it is taken out of the clipboard again.
#[tauri::command]
pub(crate) async fn text_copy(
    app: AppHandle,
    state: State<'_, AppState>,
    copied: State<'_, Copied>,
    text: String,
) -> Answer<()> {
    let cleared = match state.privacy().await {
        Some(privacy) => privacy.settings.clear_clipboard,
        None => true,
    };
    copied
        .copy(&app, text, cleared)
        .map_err(|error| Problem::with_detail(ProblemCode::Internal, error).view())
}
