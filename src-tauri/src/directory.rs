//! Commands of the server picker: search, logos, directories.

use crate::browser;
use crate::commands::{Answer, words};
use crate::state::AppState;
use satchel_core::view::{DirectoryView, ServerView};
use tauri::{AppHandle, State};

/// Servers by name, place or portal.
#[tauri::command]
pub(crate) async fn servers_search(
    state: State<'_, AppState>,
    typed: String,
) -> Answer<Vec<ServerView>> {
    state
        .engine()
        .await?
        .servers_search(&typed)
        .await
        .map_err(words)
}

/// The logo of a server as a `data:` URL.
#[tauri::command]
pub(crate) async fn server_logo(
    state: State<'_, AppState>,
    base: String,
) -> Answer<Option<String>> {
    state
        .engine()
        .await?
        .server_logo(&base)
        .await
        .map_err(words)
}

/// Opens the provider's page for managing access in the browser.
#[tauri::command]
pub(crate) async fn server_open_management(
    app: AppHandle,
    state: State<'_, AppState>,
    base: String,
) -> Answer<()> {
    let engine = state.engine().await?;
    let url = engine.server_management_url(&base).await.map_err(words)?;
    browser::show(&app, &url);
    Ok(())
}

/// The person takes the server's new address.
#[tauri::command]
pub(crate) async fn server_accept_move(state: State<'_, AppState>, base: String) -> Answer<()> {
    state
        .engine()
        .await?
        .server_accept_move(&base)
        .await
        .map_err(words)
}

/// The imported directories.
#[tauri::command]
pub(crate) async fn directories_list(state: State<'_, AppState>) -> Answer<Vec<DirectoryView>> {
    state.engine().await?.directories().await.map_err(words)
}

/// Imports a directory from an address.
#[tauri::command]
pub(crate) async fn directory_import_url(
    state: State<'_, AppState>,
    address: String,
) -> Answer<DirectoryView> {
    state
        .engine()
        .await?
        .directory_import_url(&address)
        .await
        .map_err(words)
}

/// Imports a directory from a file that the window has read.
#[tauri::command]
pub(crate) async fn directory_import_text(
    state: State<'_, AppState>,
    name: String,
    text: String,
) -> Answer<DirectoryView> {
    state
        .engine()
        .await?
        .directory_import_bytes(&name, text.into_bytes())
        .await
        .map_err(words)
}

/// Forgets a directory.
#[tauri::command]
pub(crate) async fn directory_remove(state: State<'_, AppState>, id: String) -> Answer<()> {
    state
        .engine()
        .await?
        .directory_remove(&id)
        .await
        .map_err(words)
}
