//! Commands for what leaves the window: on paper, into files; and what was done with the records.

use crate::commands::{Answer, words};
use crate::state::AppState;
use satchel_core::problem::ProblemCode;
use satchel_core::view::{AccessLogView, ChartOf, RecordKey};
use satchel_core::{ExportFormat, Problem};
use std::path::{Path, PathBuf};
use tauri::{AppHandle, Manager, State, WebviewWindow};
use tauri_plugin_opener::OpenerExt;

/// What was done with the records, the newest first.
#[tauri::command]
pub(crate) async fn access_log_list(
    state: State<'_, AppState>,
    limit: u32,
) -> Answer<Vec<AccessLogView>> {
    let engine = state.engine().await?;
    engine.access_log(limit).await.map_err(words)
}

/// Opens the system's print dialog for what the window shows, which also saves PDF; it is written down.
#[tauri::command]
pub(crate) async fn page_print(
    window: WebviewWindow,
    state: State<'_, AppState>,
    of: ChartOf,
    records: u32,
) -> Answer<()> {
    let engine = state.engine().await?;
    engine.printed(&of, records.into()).await.map_err(words)?;
    window
        .print()
        .map_err(|error| Problem::with_detail(ProblemCode::Internal, error).view())
}

/// Writes the records of a chart into a new folder among the person's downloads, shows it there, and
/// gives its path.
#[tauri::command]
pub(crate) async fn records_export(
    app: AppHandle,
    state: State<'_, AppState>,
    of: ChartOf,
    format: ExportFormat,
) -> Answer<String> {
    let engine = state.engine().await?;
    let folder = downloads(&app)?;
    let folder = engine
        .export_into(&of, format, &folder)
        .await
        .map_err(words)?;
    if let Err(error) = app.opener().reveal_item_in_dir(&folder) {
        tracing::info!(%error, "the folder of the export could not be opened");
    }
    Ok(folder.display().to_string())
}

/// Writes one content of a document among the person's downloads, and gives its path. With `open`, what other
/// programs show safely (PDF, pictures) is opened in the one that the person has for it; anything else is
/// shown in its folder.
#[tauri::command]
pub(crate) async fn attachment_save(
    app: AppHandle,
    state: State<'_, AppState>,
    key: RecordKey,
    position: u32,
    open: bool,
) -> Answer<String> {
    let engine = state.engine().await?;
    let folder = downloads(&app)?;
    let position = usize::try_from(position).unwrap_or(usize::MAX);
    let file = engine
        .attachment_save(&key, position, &folder)
        .await
        .map_err(words)?;
    let shown = if open && is_harmless(&file) {
        app.opener()
            .open_path(file.display().to_string(), None::<&str>)
    } else {
        app.opener().reveal_item_in_dir(&file)
    };
    if let Err(error) = shown {
        tracing::info!(%error, "the document could not be shown by another program");
    }
    Ok(file.display().to_string())
}

/// The ending is made from the bytes, not from what a server says.
fn is_harmless(file: &Path) -> bool {
    let ending = file.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ["pdf", "png", "jpg", "gif", "tiff", "webp"].contains(&ending))
}

/// Where people look for what they saved.
fn downloads(app: &AppHandle) -> Answer<PathBuf> {
    let places = app.path();
    places
        .download_dir()
        .or_else(|_| places.document_dir())
        .or_else(|_| places.home_dir())
        .map_err(|error| Problem::with_detail(ProblemCode::ExportFailed, error).view())
}
