//! One thin command per use case. Each either gives a view or a problem with words.

use crate::deep_link;
use crate::state::{AppState, interrupted};
use satchel_core::view::{
    AppStatusView, AttachmentView, ChartView, ConnectionView, LoginStartedView, ProblemView,
    RecordDetailView, RecordFilter, RecordKey, RecordPageView, Role, SearchHitView,
    ServerCheckView, ServerView,
};
use satchel_core::{Problem, RedirectKind};
use tauri::{AppHandle, State};
use tauri_plugin_opener::OpenerExt;

type Answer<T> = Result<T, ProblemView>;

#[expect(
    clippy::needless_pass_by_value,
    reason = "used as a function in map_err"
)]
fn words(problem: Problem) -> ProblemView {
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

/// Servers known by name.
#[tauri::command]
pub(crate) async fn servers_list(state: State<'_, AppState>) -> Answer<Vec<ServerView>> {
    Ok(state.engine().await?.servers())
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

/// Begins a login and opens the browser.
#[tauri::command]
pub(crate) async fn login_start(
    app: AppHandle,
    state: State<'_, AppState>,
    base: String,
    role: Role,
) -> Answer<LoginStartedView> {
    let engine = state.engine().await?;
    let login = engine
        .login_start(&base, role, RedirectKind::Scheme, None)
        .await
        .map_err(words)?;
    open_browser(&app, &login.view.authorization_url);
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
    let login = engine
        .login_reconnect(&connection_id, RedirectKind::Scheme, None)
        .await
        .map_err(words)?;
    open_browser(&app, &login.view.authorization_url);
    Ok(login.view)
}

/// Opens the portal of the pending login again.
#[tauri::command]
pub(crate) async fn login_open_browser(
    app: AppHandle,
    state: State<'_, AppState>,
    connection_id: String,
) -> Answer<()> {
    let pending = state.engine().await?.login_pending().await.map_err(words)?;
    if let Some(login) = pending.filter(|login| login.connection_id == connection_id) {
        open_browser(&app, &login.authorization_url);
    }
    Ok(())
}

/// The browser is started, or not: the window shows the address with a copy button all the same.
fn open_browser(app: &AppHandle, url: &str) {
    if let Err(error) = app.opener().open_url(url, None::<String>) {
        tracing::warn!(%error, "the browser could not be started");
    }
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

/// Full-text search.
#[tauri::command]
pub(crate) async fn search(
    state: State<'_, AppState>,
    words: String,
    connection_id: Option<String>,
    limit: u32,
) -> Answer<Vec<SearchHitView>> {
    let engine = state.engine().await?;
    engine
        .search(&words, connection_id.as_deref(), limit.into())
        .await
        .map_err(|problem| problem.view())
}
