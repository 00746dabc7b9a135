//! Commands about people whose records come from several sources.

use crate::commands::{Answer, words};
use crate::state::AppState;
use satchel_core::view::{
    ChartOf, ChartView, OverviewView, PeopleView, PersonView, RecordFilter, RecordKey,
    RecordPageView, TimelineFilter, TrendView, YearView,
};
use tauri::State;

/// People with several sources, and connections that may be of one person.
#[tauri::command]
pub(crate) async fn people_list(state: State<'_, AppState>) -> Answer<PeopleView> {
    state.engine().await?.people().await.map_err(words)
}

/// Two connections are of one person.
#[tauri::command]
pub(crate) async fn people_join(
    state: State<'_, AppState>,
    one: String,
    other: String,
) -> Answer<PersonView> {
    let engine = state.engine().await?;
    engine.people_join(&one, &other).await.map_err(words)
}

/// A connection is not of that person.
#[tauri::command]
pub(crate) async fn people_split(state: State<'_, AppState>, connection_id: String) -> Answer<()> {
    let engine = state.engine().await?;
    engine.people_split(&connection_id).await.map_err(words)
}

/// Two connections are not of one person.
#[tauri::command]
pub(crate) async fn people_keep_apart(
    state: State<'_, AppState>,
    one: String,
    other: String,
) -> Answer<()> {
    let engine = state.engine().await?;
    engine.people_keep_apart(&one, &other).await.map_err(words)
}

/// The chart of a person over all sources.
#[tauri::command]
pub(crate) async fn person_chart(
    state: State<'_, AppState>,
    person_id: String,
) -> Answer<ChartView> {
    let engine = state.engine().await?;
    engine.person_chart(&person_id).await.map_err(words)
}

/// A page of a person's records over all sources.
#[tauri::command]
pub(crate) async fn person_records(
    state: State<'_, AppState>,
    person_id: String,
    filter: RecordFilter,
    offset: u32,
    limit: u32,
) -> Answer<RecordPageView> {
    let engine = state.engine().await?;
    engine
        .person_records(&person_id, &filter, offset.into(), limit.into())
        .await
        .map_err(words)
}

/// The first page of a chart.
#[tauri::command]
pub(crate) async fn overview_get(state: State<'_, AppState>, of: ChartOf) -> Answer<OverviewView> {
    let engine = state.engine().await?;
    engine.overview(&of).await.map_err(words)
}

/// The same measurement as this one, over time.
#[tauri::command]
pub(crate) async fn trend_get(
    state: State<'_, AppState>,
    of: ChartOf,
    key: RecordKey,
) -> Answer<TrendView> {
    let engine = state.engine().await?;
    engine.trend(&of, &key).await.map_err(words)
}

/// A page of everything, newest first.
#[tauri::command]
pub(crate) async fn timeline_list(
    state: State<'_, AppState>,
    of: ChartOf,
    filter: TimelineFilter,
    offset: u32,
    limit: u32,
) -> Answer<RecordPageView> {
    let engine = state.engine().await?;
    engine
        .timeline(&of, &filter, offset.into(), limit.into())
        .await
        .map_err(words)
}

/// How much of it each year has.
#[tauri::command]
pub(crate) async fn timeline_years(
    state: State<'_, AppState>,
    of: ChartOf,
    filter: TimelineFilter,
) -> Answer<Vec<YearView>> {
    let engine = state.engine().await?;
    engine.timeline_years(&of, &filter).await.map_err(words)
}

/// The records that are shown as one with this are not the same.
#[tauri::command]
pub(crate) async fn records_take_apart(state: State<'_, AppState>, key: RecordKey) -> Answer<()> {
    let engine = state.engine().await?;
    engine.records_take_apart(&key).await.map_err(words)
}

/// What was taken apart from this record may be shown as one with it again.
#[tauri::command]
pub(crate) async fn records_put_together(state: State<'_, AppState>, key: RecordKey) -> Answer<()> {
    let engine = state.engine().await?;
    engine.records_put_together(&key).await.map_err(words)
}
