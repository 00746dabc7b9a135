//! The trace, for testers: seen, switched, and written to a file where the person finds it.

use crate::state::AppState;
use satchel_core::trace::TraceView;
use satchel_core::view::ProblemView;
use satchel_core::{Problem, ProblemCode};
use tauri::{AppHandle, Manager, State};
use tauri_plugin_opener::OpenerExt;

/// What was traced.
#[tauri::command]
pub(crate) async fn trace_get(state: State<'_, AppState>) -> Result<TraceView, ProblemView> {
    Ok(state.engine().await?.trace())
}

/// Switches tracing on or off.
#[tauri::command]
pub(crate) async fn trace_switch(state: State<'_, AppState>, on: bool) -> Result<(), ProblemView> {
    state.engine().await?.trace_switch(on);
    Ok(())
}

/// Forgets what was traced.
#[tauri::command]
pub(crate) async fn trace_clear(state: State<'_, AppState>) -> Result<(), ProblemView> {
    state.engine().await?.trace_clear();
    Ok(())
}

/// Writes the trace as an HTTP Archive into the person's downloads, shows it there, and gives its path.
#[tauri::command]
pub(crate) async fn trace_export(
    app: AppHandle,
    state: State<'_, AppState>,
) -> Result<String, ProblemView> {
    let engine = state.engine().await?;
    let places = app.path();
    let folder = places
        .download_dir()
        .or_else(|_| places.document_dir())
        .or_else(|_| places.home_dir())
        .map_err(|error| Problem::with_detail(ProblemCode::ExportFailed, error).view())?;
    let file = engine
        .trace_export_into(&folder)
        .await
        .map_err(|problem| problem.view())?;
    if let Err(error) = app.opener().reveal_item_in_dir(&file) {
        tracing::info!(%error, "the folder of the trace could not be opened");
    }
    Ok(file.display().to_string())
}
