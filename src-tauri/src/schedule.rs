//! When sources are synced by themselves.

use crate::state::AppState;
use satchel_core::schedule::Every;
use satchel_core::view::{ProblemView, ScheduleSettingsView, ScheduleView};
use tauri::State;

/// When each source is synced by itself.
#[tauri::command]
pub(crate) async fn schedule_get(state: State<'_, AppState>) -> Result<ScheduleView, ProblemView> {
    let engine = state.engine().await?;
    engine.schedule().await.map_err(|problem| problem.view())
}

/// How often a source is synced by itself.
#[tauri::command]
pub(crate) async fn schedule_choose(
    state: State<'_, AppState>,
    connection_id: String,
    every: Every,
) -> Result<(), ProblemView> {
    let engine = state.engine().await?;
    let chosen = engine.schedule_choose(&connection_id, every).await;
    chosen.map_err(|problem| problem.view())
}

/// Battery, network and notifications, for all sources.
#[tauri::command]
pub(crate) async fn schedule_settings_set(
    state: State<'_, AppState>,
    settings: ScheduleSettingsView,
) -> Result<(), ProblemView> {
    let engine = state.engine().await?;
    let set = engine.schedule_settings_set(&settings).await;
    set.map_err(|problem| problem.view())
}
