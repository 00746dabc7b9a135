//! The engine behind the commands. It may not be there yet, or not at all: without a keychain the
//! window still opens and says what to do.

use crate::clipboard::Copied;
use crate::commands::words;
use crate::deep_link;
use crate::idle::Activity;
use crate::notify;
use crate::system_lock;
use satchel_core::schedule::{Scheduler, SchedulerOptions};
use satchel_core::view::{AppStatusView, Event, PrivacyView, ProblemView};
use satchel_core::{Engine, EngineOptions, Passphrase, Problem, ProblemCode};
use std::collections::VecDeque;
use std::sync::Arc;
use tauri::{AppHandle, Emitter, Manager};
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::{Mutex, RwLock};

/// The event under which everything reaches the window.
const EVENT: &str = "satchel";

/// A window that was closed should be gone soon; what a sync stored is safe either way.
const LONGEST_CLOSE: std::time::Duration = std::time::Duration::from_secs(3);

/// Locking waits no longer for what is being read.
const LONGEST_LOCK: std::time::Duration = std::time::Duration::from_secs(8);
/// Links that are kept while it is locked.
const MOST_LINKS: usize = 4;

enum Stand {
    Opening,
    Ready(Engine),
    /// It waits for the passphrase; nothing of the engine is left.
    Locked,
    Failed(ProblemView),
}

/// Held by Tauri for all commands.
pub(crate) struct AppState {
    options: EngineOptions,
    stand: RwLock<Stand>,
    /// Syncs by schedule, while the engine is there.
    scheduler: Mutex<Option<Scheduler>>,
    /// What was chosen, while the engine is there: the lock must not wait for the keychain.
    privacy: Mutex<Option<PrivacyView>>,
    /// Links that came while it was locked; each is worthless without what is in the database.
    waiting_links: Mutex<VecDeque<String>>,
    pub(crate) activity: Activity,
}

impl AppState {
    pub(crate) fn new(options: EngineOptions) -> Self {
        let activity = Activity::new(Arc::clone(&options.clock));
        Self {
            options,
            stand: RwLock::new(Stand::Opening),
            scheduler: Mutex::default(),
            privacy: Mutex::default(),
            waiting_links: Mutex::default(),
            activity,
        }
    }

    /// Opens the engine, or tries again. What is locked stays so.
    pub(crate) async fn open(&self, app: &AppHandle) {
        let mut stand = self.stand.write().await;
        if matches!(*stand, Stand::Ready(_) | Stand::Locked) {
            return;
        }
        *stand = match Engine::open(self.options.clone()).await {
            Ok(engine) => self.begin(app, engine).await,
            Err(problem) if problem.code == ProblemCode::Locked => Stand::Locked,
            Err(problem) => {
                tracing::warn!(code = problem.code.code(), detail = ?problem.detail, "the engine could not be opened");
                Stand::Failed(problem.view())
            }
        };
        drop(stand);
        send(app, &Event::StatusChanged);
    }

    async fn begin(&self, app: &AppHandle, engine: Engine) -> Stand {
        forward_events(app.clone(), &engine);
        probe_all(engine.clone());
        *self.scheduler.lock().await = start_schedule(app, &engine).await;
        self.activity.note();
        self.keep_privacy(&engine).await;
        Stand::Ready(engine)
    }

    /// Locks: everything of the engine goes, and the window is loaded anew, so that nothing of a record is
    /// left in it.
    pub(crate) async fn lock(&self, app: &AppHandle) -> Result<(), ProblemView> {
        let mut stand = self.stand.write().await;
        let Stand::Ready(engine) = &*stand else {
            return Ok(());
        };
        // What the keychain does not say now was known before.
        let known = self.privacy.lock().await.is_some_and(|one| one.passphrase);
        if !known && !engine.lock_standing().await.map_err(words)?.passphrase {
            return Err(Problem::new(ProblemCode::NoPassphrase).view());
        }
        drop(self.scheduler.lock().await.take());
        match tokio::time::timeout(LONGEST_LOCK, engine.lock()).await {
            Ok(locked) => locked.map_err(words)?,
            // Nothing new is opened or read by then; what is being read ends by itself.
            Err(_) => tracing::warn!("the database was still busy when it was locked"),
        }
        *stand = Stand::Locked;
        *self.privacy.lock().await = None;
        drop(stand);
        app.state::<Copied>().clear();
        send(app, &Event::StatusChanged);
        for window in app.webview_windows().values() {
            if let Err(error) = window.reload() {
                tracing::warn!(%error, "the window could not be loaded anew");
            }
        }
        Ok(())
    }

    /// As [`AppState::lock`], where nobody waits for the answer.
    pub(crate) async fn lock_or_warn(&self, app: &AppHandle) {
        if let Err(problem) = self.lock(app).await {
            tracing::warn!(code = %problem.code, "it could not be locked");
        }
    }

    /// The computer is locked, or about to sleep.
    pub(crate) async fn lock_with_system(&self, app: &AppHandle) {
        let chosen = self.privacy().await;
        if chosen.is_some_and(|one| one.passphrase && one.settings.lock_with_system) {
            self.lock_or_warn(app).await;
        }
    }

    /// Unlocks; links that came meanwhile are followed.
    pub(crate) async fn unlock(
        &self,
        app: &AppHandle,
        passphrase: &Passphrase,
    ) -> Result<(), ProblemView> {
        let mut stand = self.stand.write().await;
        if !matches!(*stand, Stand::Locked) {
            return Ok(());
        }
        let opened = match Engine::unlock(self.options.clone(), passphrase).await {
            // The command line took the passphrase away meanwhile.
            Err(problem) if problem.code == ProblemCode::NoPassphrase => {
                Engine::open(self.options.clone()).await
            }
            opened => opened,
        };
        *stand = self.begin(app, opened.map_err(words)?).await;
        drop(stand);
        send(app, &Event::StatusChanged);
        let links: Vec<String> = self.waiting_links.lock().await.drain(..).collect();
        for link in links {
            let app = app.clone();
            tauri::async_runtime::spawn(async move { deep_link::received(&app, link).await });
        }
        Ok(())
    }

    /// Nobody knows the passphrase: what is here is erased.
    pub(crate) async fn start_anew(&self, app: &AppHandle) -> Result<(), ProblemView> {
        let mut stand = self.stand.write().await;
        if !matches!(*stand, Stand::Locked) {
            return Ok(());
        }
        let erased = Engine::erase(self.options.clone(), None).await;
        erased.map_err(words)?;
        *stand = Stand::Opening;
        drop(stand);
        self.open(app).await;
        Ok(())
    }

    /// Keeps a link until it is unlocked; a few, the newest.
    pub(crate) async fn keep_link(&self, link: String) {
        if matches!(*self.stand.read().await, Stand::Locked) {
            let mut links = self.waiting_links.lock().await;
            links.push_back(link);
            if links.len() > MOST_LINKS {
                links.pop_front();
            }
        }
    }

    /// What was chosen, as far as it is known.
    pub(crate) async fn privacy(&self) -> Option<PrivacyView> {
        *self.privacy.lock().await
    }

    /// What was chosen, read anew.
    pub(crate) async fn read_privacy(&self) -> Result<PrivacyView, ProblemView> {
        let engine = self.engine().await?;
        let read = PrivacyView {
            hears_system: system_lock::IS_HEARD,
            ..engine.privacy().await.map_err(words)?
        };
        *self.privacy.lock().await = Some(read);
        Ok(read)
    }

    async fn keep_privacy(&self, engine: &Engine) {
        match engine.privacy().await {
            Ok(read) => *self.privacy.lock().await = Some(read),
            Err(problem) => tracing::warn!(
                code = problem.code.code(),
                "what was chosen for the lock could not be read"
            ),
        }
    }

    /// The engine, or why there is none. Waits while it is being opened.
    pub(crate) async fn engine(&self) -> Result<Engine, ProblemView> {
        loop {
            match &*self.stand.read().await {
                Stand::Ready(engine) => return Ok(engine.clone()),
                Stand::Locked => return Err(Problem::new(ProblemCode::Locked).view()),
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
        let locked = matches!(*self.stand.read().await, Stand::Locked);
        let standing = match locked {
            true => Engine::lock_standing_of(&self.options).await.ok(),
            false => None,
        };
        AppStatusView {
            ready: problem.is_none(),
            problem,
            locked,
            retry_at: standing.and_then(|one| one.retry_at.map(|at| at.to_string())),
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
