//! `satchel connect`: opens the browser the way the desktop does, waits for the callback, syncs.

use crate::commands::{connection_line, failed, sync_one};
use crate::output::{Output, report_lines};
use satchel_core::view::{ConnectionStateView, Role};
use satchel_core::{
    Engine, LoopbackListener, Problem, ProblemCode, RedirectKind, Result, StartedLogin,
};
use serde_json::json;
use std::time::Duration;

/// The engine's own limit is ten minutes; the terminal gives up with it.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often to look whether another process ended the login.
const LOOK: Duration = Duration::from_millis(300);

/// What was asked for.
pub(crate) struct Connect<'a> {
    pub(crate) fhir_base: &'a str,
    pub(crate) role: Role,
    pub(crate) redirect: RedirectKind,
    pub(crate) open_browser: bool,
    pub(crate) sync: bool,
}

pub(crate) async fn run(engine: &Engine, request: &Connect<'_>, output: &Output) -> Result<()> {
    let id = match request.role {
        Role::Backend => engine.connect_backend(request.fhir_base).await?,
        Role::Patient | Role::Provider => sign_in(engine, request, output).await?,
    };
    for note in engine.registration_notes(&id).await? {
        // That one is for those who ask with `satchel registration`.
        if note.code != ProblemCode::RegistrationUnmanaged.code() {
            output.note(&format!("{} {}", note.message, note.advice));
        }
    }
    if !request.sync {
        let connection = engine.connection(&id).await?;
        output.answer(&connection, || vec![connection_line(&connection)]);
        return Ok(());
    }
    let report = sync_one(engine, &id, output).await?;
    let connection = engine.connection(&id).await?;
    output.answer(
        &json!({ "connection": connection, "report": report }),
        || {
            let mut lines = vec![connection_line(&connection)];
            lines.extend(report_lines(&report));
            lines
        },
    );
    failed(&[report])
}

async fn sign_in(engine: &Engine, request: &Connect<'_>, output: &Output) -> Result<String> {
    if request.redirect != RedirectKind::Loopback {
        let login = engine
            .login_start(request.fhir_base, request.role, request.redirect, None)
            .await?;
        show(request, &login, output);
        return or_cancel(
            engine,
            &login,
            wait_for_another_process(engine, &login.view.connection_id),
        )
        .await;
    }
    let listener = LoopbackListener::bind()
        .await
        .map_err(|error| Problem::with_detail(ProblemCode::RedirectNotAvailable, error))?;
    let port = Some(listener.port());
    let login = engine
        .login_start(request.fhir_base, request.role, request.redirect, port)
        .await?;
    show(request, &login, output);
    let redirect_uri = login.redirect_uri.clone();
    or_cancel(engine, &login, async {
        let callback = listener
            .wait(&redirect_uri)
            .await
            .map_err(|error| Problem::with_detail(ProblemCode::RedirectNotAvailable, error))?;
        engine.login_finish(&callback).await
    })
    .await
}

/// The address is printed too: the browser may not open, or be on another screen.
fn show(request: &Connect<'_>, login: &StartedLogin, output: &Output) {
    output.note("Sign in at this address; it is open in your browser if there is one:");
    output.note(&login.view.authorization_url);
    if request.open_browser
        && let Err(error) = open::that_detached(&login.view.authorization_url)
    {
        output.note(&format!("(no browser could be started: {error})"));
    }
}

/// Ctrl-C and too long a wait give the login up cleanly.
async fn or_cancel(
    engine: &Engine,
    login: &StartedLogin,
    wait: impl Future<Output = Result<String>>,
) -> Result<String> {
    let problem = tokio::select! {
        done = wait => return done,
        _ = tokio::signal::ctrl_c() => ProblemCode::LoginCancelled,
        () = tokio::time::sleep(PATIENCE) => ProblemCode::LoginExpired,
    };
    engine.login_cancel(&login.view.connection_id).await?;
    Err(Problem::new(problem))
}

/// With a private-use scheme the operating system hands the callback to the app of this profile (or a
/// script gives it to `satchel callback`); that process ends the login in the shared database.
async fn wait_for_another_process(engine: &Engine, connection_id: &str) -> Result<String> {
    loop {
        tokio::time::sleep(LOOK).await;
        let pending = engine.login_pending().await?;
        if pending.is_some_and(|login| login.connection_id == connection_id) {
            continue;
        }
        match engine.connection(connection_id).await {
            Ok(connection) if connection.state == ConnectionStateView::Connected => {
                return Ok(connection.id);
            }
            Ok(connection) if connection.state == ConnectionStateView::Authorizing => {}
            // Ended badly there, or joined with an older connection to the same records.
            Ok(_) => return Err(Problem::new(ProblemCode::LoginRefused)),
            Err(problem) if problem.code == ProblemCode::NotFound => {
                let joined = engine
                    .connections()
                    .await?
                    .into_iter()
                    .find(|connection| connection.state == ConnectionStateView::Connected);
                return joined.map(|connection| connection.id).ok_or(problem);
            }
            Err(problem) => return Err(problem),
        }
    }
}
