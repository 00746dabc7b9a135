//! The Tauri shell: window, deep link, single instance, browser; one thin command per use case.
//! It knows no HTTP, no SQL and no FHIR: all of that is behind [`satchel_core::Engine`].

mod browser;
mod clipboard;
mod commands;
mod deep_link;
mod directory;
mod idle;
mod notify;
mod options;
mod people;
mod privacy;
mod schedule;
mod state;
mod stay;
mod system_lock;
mod takeaway;
mod trace;

use state::AppState;
use std::process::ExitCode;
use tauri::{AppHandle, Manager, RunEvent};

/// Runs the app until its window is closed.
pub fn run() -> ExitCode {
    start_log();
    let options = match options::from_process() {
        Ok(options) => options,
        Err(message) => {
            tracing::error!("{message}");
            return ExitCode::from(2);
        }
    };
    let built = tauri::Builder::default()
        // First, so that a second process hands over and ends before it does anything else.
        .plugin(tauri_plugin_single_instance::init(
            |app, _arguments, _directory| {
                deep_link::show_window(app);
            },
        ))
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_opener::init())
        .plugin(stay::init())
        .manage(AppState::new(options))
        .manage(clipboard::Copied::default())
        .invoke_handler(tauri::generate_handler![
            commands::app_status,
            commands::app_retry,
            privacy::app_lock,
            privacy::app_unlock,
            privacy::app_start_anew,
            privacy::app_touched,
            privacy::privacy_get,
            privacy::privacy_set,
            privacy::passphrase_set,
            privacy::passphrase_remove,
            privacy::lock_at_start,
            privacy::text_copy,
            directory::servers_search,
            directory::server_logo,
            directory::server_open_management,
            directory::server_accept_move,
            directory::directories_list,
            directory::directory_import_url,
            directory::directory_import_text,
            directory::directory_remove,
            commands::server_check,
            commands::login_start,
            commands::login_reconnect,
            commands::login_open_browser,
            commands::login_cancel,
            commands::login_pending,
            commands::scope_presets,
            commands::launches_pending,
            commands::launch_accept,
            commands::launch_refuse,
            commands::access_check,
            commands::connections_list,
            commands::connection_remove,
            commands::connection_probe,
            commands::sync_start,
            commands::sync_cancel,
            schedule::schedule_get,
            schedule::schedule_choose,
            schedule::schedule_settings_set,
            commands::changes_get,
            commands::chart_get,
            commands::records_list,
            people::people_list,
            people::people_join,
            people::people_split,
            people::people_keep_apart,
            people::person_chart,
            people::person_records,
            people::overview_get,
            people::trend_get,
            people::timeline_list,
            people::timeline_years,
            people::records_take_apart,
            people::records_put_together,
            commands::record_get,
            commands::attachments_get,
            commands::attachment_fetch,
            commands::search,
            takeaway::access_log_list,
            takeaway::page_print,
            takeaway::records_export,
            takeaway::attachment_save,
            trace::trace_get,
            trace::trace_switch,
            trace::trace_clear,
            trace::trace_export,
        ])
        .setup(|app| {
            begin(app.handle());
            Ok(())
        })
        .build(tauri::generate_context!());
    run_to_the_end(built)
}

/// Until the window is closed; then what must not stay behind goes.
fn run_to_the_end(built: tauri::Result<tauri::App>) -> ExitCode {
    match built {
        Ok(app) => {
            app.run(|app, event| {
                if matches!(event, RunEvent::Exit) {
                    app.state::<clipboard::Copied>().clear();
                    tauri::async_runtime::block_on(app.state::<AppState>().close());
                }
            });
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(%error, "the window could not be opened");
            ExitCode::FAILURE
        }
    }
}

/// Opens the engine, and hears of links from then on.
fn begin(app: &AppHandle) {
    deep_link::register(app);
    let first_link = deep_link::listen(app);
    system_lock::watch(app);
    tauri::async_runtime::spawn(idle::watch(app.clone()));
    let handle = app.clone();
    tauri::async_runtime::spawn(async move {
        let state = handle.state::<AppState>();
        state.open(&handle).await;
        if let Some(link) = first_link {
            deep_link::received(&handle, link).await;
        }
    });
}

/// Warnings and errors to standard error; more with `SATCHEL_LOG`. No health data, no secrets.
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SATCHEL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
    if started.is_err() {
        tracing::debug!("a log was running already");
    }
}
