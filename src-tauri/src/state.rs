//! The engine behind the commands. It may not be there yet, or not at all: without a keychain the
//! window still opens and says what to do.

use crate::notify;
use satchel_core::schedule::{Scheduler, SchedulerOptions};
use satchel_core::view::{AppStatusView, Event, ProblemView};
use satchel_core::{Engine, EngineOptions, Problem, ProblemCode};
use tauri::{AppHandle, Emitter};
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::{Mutex, RwLock};

/// The event under which everything reaches the window.
const EVENT: &str = "satchel";

/// A window that was closed should be gone soon; what a sync stored is safe either way.
const LONGEST_CLOSE: std::time::Duration = std::time::Duration::from_secs(3);

enum Stand {
    Opening,
    Ready(Engine),
    Failed(ProblemView),
}

/// Held by Tauri for all commands.
pub(crate) struct AppState {
    options: EngineOptions,
    stand: RwLock<Stand>,
    /// Syncs by schedule, while the engine is there.
    scheduler: Mutex<Option<Scheduler>>,
}

impl AppState {
    pub(crate) fn new(options: EngineOptions) -> Self {
        Self {
            options,
            stand: RwLock::new(Stand::Opening),
            scheduler: Mutex::default(),
        }
    }

    /// Opens the engine, or tries again.
    pub(crate) async fn open(&self, app: &AppHandle) {
        let mut stand = self.stand.write().await;
        if matches!(*stand, Stand::Ready(_)) {
            return;
        }
        *stand = match Engine::open(self.options.clone()).await {
            Ok(engine) => {
                forward_events(app.clone(), &engine);
                probe_all(engine.clone());
                *self.scheduler.lock().await = start_schedule(app, &engine).await;
                Stand::Ready(engine)
            }
            Err(problem) => {
                tracing::warn!(code = problem.code.code(), detail = ?problem.detail, "the engine could not be opened");
                Stand::Failed(problem.view())
            }
        };
        drop(stand);
        send(app, &Event::StatusChanged);
    }

    /// The engine, or why there is none. Waits while it is being opened.
    pub(crate) async fn engine(&self) -> Result<Engine, ProblemView> {
        loop {
            match &*self.stand.read().await {
                Stand::Ready(engine) => return Ok(engine.clone()),
                Stand::Failed(problem) => return Err(problem.clone()),
                Stand::Opening => {}
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// The app ends: the database is closed in good order, unless that takes too long.
    pub(crate) async fn close(&self) {
        drop(self.scheduler.lock().await.take());
        if let Stand::Ready(engine) = &*self.stand.read().await
            && tokio::time::timeout(LONGEST_CLOSE, engine.close())
                .await
                .is_err()
        {
            tracing::warn!("the database was still busy at the end");
        }
    }

    pub(crate) async fn status(&self) -> AppStatusView {
        let problem = self.engine().await.err();
        AppStatusView {
            ready: problem.is_none(),
            problem,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

fn send(app: &AppHandle, event: &Event) {
    if let Err(error) = app.emit(EVENT, event) {
        tracing::warn!(%error, "an event did not reach the window");
    }
}

fn forward_events(app: AppHandle, engine: &Engine) {
    let mut events = engine.subscribe();
    tauri::async_runtime::spawn(async move {
        loop {
            match events.recv().await {
                Ok(event) => send(&app, &event),
                // Some were missed: everything may be stale.
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {
                    send(&app, &Event::ConnectionsChanged);
                }
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            }
        }
    });
}

/// Without it the window works all the same, and the person syncs.
async fn start_schedule(app: &AppHandle, engine: &Engine) -> Option<Scheduler> {
    let (notices, shown) = unbounded_channel();
    notify::show_all(app.clone(), shown);
    let options = SchedulerOptions {
        notices: Some(notices),
        ..SchedulerOptions::default()
    };
    match engine.schedule_start(options).await {
        Ok(scheduler) => Some(scheduler),
        Err(problem) => {
            tracing::warn!(
                code = problem.code.code(),
                "the schedule could not be started"
            );
            None
        }
    }
}

/// At start every server is asked whether it is there, so that "offline" is shown when it is true.
fn probe_all(engine: Engine) {
    tauri::async_runtime::spawn(async move {
        let connections = match engine.connections().await {
            Ok(connections) => connections,
            Err(problem) => {
                tracing::warn!(
                    code = problem.code.code(),
                    "the connections could not be listed"
                );
                return;
            }
        };
        for connection in connections {
            if let Err(problem) = engine.probe(&connection.id).await {
                tracing::warn!(code = problem.code.code(), "a server could not be probed");
            }
        }
        // Connections that were removed while their server could not be reached.
        if let Err(problem) = engine.revocations_retry().await {
            tracing::warn!(
                code = problem.code.code(),
                "access could not be ended later"
            );
        }
    });
}

/// The problem of a task that did not come back.
pub(crate) fn interrupted(detail: impl ToString) -> ProblemView {
    Problem::with_detail(ProblemCode::Internal, detail).view()
}
