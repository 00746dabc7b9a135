//! One thin command per use case. Each either gives a view or a problem with words.

use crate::browser;
use crate::deep_link;
use crate::state::{AppState, interrupted};
use satchel_core::Problem;
use satchel_core::view::{
    AccessCheckView, AppStatusView, AttachmentView, ChangesView, ChartView, ConnectionView,
    LaunchRequestView, LoginStartedView, ProblemView, RecordDetailView, RecordFilter, RecordKey,
    RecordPageView, Role, ScopePresetView, SearchHitView, ServerCheckView,
};
use tauri::{AppHandle, State};

pub(crate) type Answer<T> = Result<T, ProblemView>;

#[expect(
    clippy::needless_pass_by_value,
    reason = "used as a function in map_err"
)]
pub(crate) fn words(problem: Problem) -> ProblemView {
    problem.view()
}

/// How the engine stands.
#[tauri::command]
pub(crate) async fn app_status(state: State<'_, AppState>) -> Answer<AppStatusView> {
    Ok(state.status().await)
}

/// Tries to open the engine again, for example after a keychain was started.
#[tauri::command]
pub(crate) async fn app_retry(app: AppHandle, state: State<'_, AppState>) -> Answer<AppStatusView> {
    state.open(&app).await;
    Ok(state.status().await)
}

/// Asks a server what it can do.
#[tauri::command]
pub(crate) async fn server_check(
    state: State<'_, AppState>,
    base: String,
) -> Answer<ServerCheckView> {
    state
        .engine()
        .await?
        .server_check(&base)
        .await
        .map_err(words)
}

/// The choices of how much to ask a server for.
#[tauri::command]
pub(crate) async fn scope_presets(
    state: State<'_, AppState>,
    base: String,
    role: Role,
) -> Answer<Vec<ScopePresetView>> {
    let engine = state.engine().await?;
    engine.scope_presets(&base, role).await.map_err(words)
}

/// Begins a login and opens the browser. A backend service is never begun from the window.
#[tauri::command]
pub(crate) async fn login_start(
    app: AppHandle,
    state: State<'_, AppState>,
    base: String,
    role: Role,
    preset: Option<String>,
) -> Answer<LoginStartedView> {
    let engine = state.engine().await?;
    let way_back = browser::way_back(role, preset).await;
    let login = engine
        .login_begin(&base, &way_back.options)
        .await
        .map_err(words)?;
    browser::open(&app, &engine, &login, way_back)
        .await
        .map_err(words)?;
    Ok(login.view)
}

/// Signs in again on a connection.
#[tauri::command]
pub(crate) async fn login_reconnect(
    app: AppHandle,
    state: State<'_, AppState>,
    connection_id: String,
) -> Answer<LoginStartedView> {
    let engine = state.engine().await?;
    let way_back = browser::way_back(Role::Patient, None).await;
    let login = engine
        .login_begin_again(&connection_id, &way_back.options)
        .await
        .map_err(words)?;
    browser::open(&app, &engine, &login, way_back)
        .await
        .map_err(words)?;
    Ok(login.view)
}

/// Opens the portal of the pending login again.
#[tauri::command]
pub(crate) async fn login_open_browser(
    app: AppHandle,
    state: State<'_, AppState>,
    connection_id: String,
) -> Answer<()> {
    let engine = state.engine().await?;
    let pending = engine.logins_pending().await.map_err(words)?;
    let wanted = pending
        .into_iter()
        .find(|login| login.connection_id == connection_id);
    match wanted {
        Some(login) => browser::open_again(&app, &engine, &login)
            .await
            .map_err(words),
        None => Ok(()),
    }
}

/// Launches by a portal that wait for the person's yes.
#[tauri::command]
pub(crate) async fn launches_pending(state: State<'_, AppState>) -> Answer<Vec<LaunchRequestView>> {
    Ok(state.engine().await?.launches_pending())
}

/// The person says yes to a launch: the sign-in begins.
#[tauri::command]
pub(crate) async fn launch_accept(
    app: AppHandle,
    state: State<'_, AppState>,
    id: String,
) -> Answer<LoginStartedView> {
    let engine = state.engine().await?;
    let way_back = browser::way_back(Role::Patient, None).await;
    let login = engine
        .launch_accept(&id, &way_back.options)
        .await
        .map_err(words)?;
    browser::open(&app, &engine, &login, way_back)
        .await
        .map_err(words)?;
    Ok(login.view)
}

/// The person says no to a launch.
#[tauri::command]
pub(crate) async fn launch_refuse(state: State<'_, AppState>, id: String) -> Answer<()> {
    state.engine().await?.launch_refuse(&id);
    Ok(())
}

/// Asks the server whether access is still on.
#[tauri::command]
pub(crate) async fn access_check(
    state: State<'_, AppState>,
    connection_id: String,
) -> Answer<AccessCheckView> {
    let engine = state.engine().await?;
    engine.access_check(&connection_id).await.map_err(words)
}

/// Gives the pending login up.
#[tauri::command]
pub(crate) async fn login_cancel(state: State<'_, AppState>, connection_id: String) -> Answer<()> {
    state
        .engine()
        .await?
        .login_cancel(&connection_id)
        .await
        .map_err(words)
}

/// The login that waits for the person.
#[tauri::command]
pub(crate) async fn login_pending(state: State<'_, AppState>) -> Answer<Option<LoginStartedView>> {
    state.engine().await?.login_pending().await.map_err(words)
}

/// All connections.
#[tauri::command]
pub(crate) async fn connections_list(state: State<'_, AppState>) -> Answer<Vec<ConnectionView>> {
    state.engine().await?.connections().await.map_err(words)
}

/// Removes a connection with its keys and data.
#[tauri::command]
pub(crate) async fn connection_remove(
    state: State<'_, AppState>,
    connection_id: String,
) -> Answer<()> {
    let engine = state.engine().await?;
    // In a task of its own: closing the window must not leave it half removed.
    tauri::async_runtime::spawn(async move { engine.remove(&connection_id).await })
        .await
        .map_err(interrupted)?
        .map_err(words)
}

/// Asks a server whether it is there.
#[tauri::command]
pub(crate) async fn connection_probe(
    state: State<'_, AppState>,
    connection_id: String,
) -> Answer<()> {
    state
        .engine()
        .await?
        .probe(&connection_id)
        .await
        .map_err(words)
}

/// Begins a sync; progress comes by events.
#[tauri::command]
pub(crate) async fn sync_start(state: State<'_, AppState>, connection_id: String) -> Answer<()> {
    deep_link::sync(state.engine().await?, connection_id);
    Ok(())
}

/// Stops a sync.
#[tauri::command]
pub(crate) async fn sync_cancel(state: State<'_, AppState>, connection_id: String) -> Answer<()> {
    state.engine().await?.sync_cancel(&connection_id);
    Ok(())
}

/// A chart.
#[tauri::command]
pub(crate) async fn chart_get(
    state: State<'_, AppState>,
    connection_id: String,
) -> Answer<ChartView> {
    state
        .engine()
        .await?
        .chart(&connection_id)
        .await
        .map_err(words)
}

/// What the last sync changed.
#[tauri::command]
pub(crate) async fn changes_get(
    state: State<'_, AppState>,
    connection_id: String,
) -> Answer<ChangesView> {
    let engine = state.engine().await?;
    engine.changes(&connection_id).await.map_err(words)
}

/// A page of records.
#[tauri::command]
pub(crate) async fn records_list(
    state: State<'_, AppState>,
    filter: RecordFilter,
    offset: u32,
    limit: u32,
) -> Answer<RecordPageView> {
    let engine = state.engine().await?;
    engine
        .records_list(&filter, offset.into(), limit.into())
        .await
        .map_err(words)
}

/// One record.
#[tauri::command]
pub(crate) async fn record_get(
    state: State<'_, AppState>,
    key: RecordKey,
) -> Answer<RecordDetailView> {
    state.engine().await?.record_get(&key).await.map_err(words)
}

/// The contents of a document.
#[tauri::command]
pub(crate) async fn attachments_get(
    state: State<'_, AppState>,
    key: RecordKey,
) -> Answer<Vec<AttachmentView>> {
    state.engine().await?.attachments(&key).await.map_err(words)
}

/// Fetches one content of a document, also a large one.
#[tauri::command]
pub(crate) async fn attachment_fetch(
    state: State<'_, AppState>,
    key: RecordKey,
    position: usize,
) -> Answer<()> {
    let engine = state.engine().await?;
    engine.attachment_fetch(&key, position).await.map_err(words)
}

/// Full-text search.
#[tauri::command]
pub(crate) async fn search(
    state: State<'_, AppState>,
    words: String,
    filter: RecordFilter,
    limit: u32,
) -> Answer<Vec<SearchHitView>> {
    let engine = state.engine().await?;
    engine
        .search(&words, &filter, limit.into())
        .await
        .map_err(|problem| problem.view())
}
