//! `satchel connect`: opens the browser the way the desktop does, waits for the callback, syncs.

use crate::commands::{connection_line, failed, sync_one};
use crate::output::{Output, report_lines};
use satchel_core::view::{ConnectionStateView, Role};
use satchel_core::{
    Engine, LaunchReceived, LoginOptions, LoopbackListener, Problem, ProblemCode, RedirectKind,
    Result, StartedLogin,
};
use serde_json::json;
use std::io::IsTerminal;
use std::time::Duration;

/// The engine's own limit is ten minutes; the terminal gives up with it.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often to look whether another process ended the login.
const LOOK: Duration = Duration::from_millis(300);

/// Which server, and how it became known.
pub(crate) enum Server<'a> {
    /// A FHIR base URL that the person typed.
    Typed(&'a str),
    /// A link by which a portal opens us.
    Launch {
        /// The link.
        link: &'a str,
        /// The person has said yes to the server that it names.
        yes: bool,
    },
}

/// What was asked for.
pub(crate) struct Connect<'a> {
    pub(crate) server: Server<'a>,
    pub(crate) role: Role,
    pub(crate) redirect: RedirectKind,
    pub(crate) preset: Option<&'a str>,
    pub(crate) open_browser: bool,
    pub(crate) sync: bool,
}

pub(crate) async fn run(engine: &Engine, request: &Connect<'_>, output: &Output) -> Result<()> {
    let id = match (request.role, &request.server) {
        (Role::Backend, Server::Typed(base)) => engine.connect_backend(base).await?,
        _ => sign_in(engine, request, output).await?,
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
    let unavailable = |error| Problem::with_detail(ProblemCode::RedirectNotAvailable, error);
    let mut listener = match request.redirect {
        RedirectKind::Loopback => Some(LoopbackListener::bind().await.map_err(unavailable)?),
        _ => None,
    };
    let port = listener.as_ref().map(LoopbackListener::port);
    let options = LoginOptions {
        preset: request.preset.map(str::to_owned),
        ..LoginOptions::new(request.role, &[request.redirect], port)
    };
    let login = begin(engine, &request.server, &options, output).await?;
    let form = engine.login_form(&login.view.connection_id).await?;
    let address = match (&mut listener, form) {
        (Some(listener), Some(form)) => listener.offer(&form),
        _ => login.view.authorization_url.clone(),
    };
    show(request, &address, output);
    let Some(listener) = listener else {
        let waits = wait_for_another_process(engine, &login.view.connection_id);
        return or_cancel(engine, &login, waits).await;
    };
    or_cancel(engine, &login, async {
        let callback = listener.wait(&login).await.map_err(unavailable)?;
        engine.login_finish(&callback).await
    })
    .await
}

/// Begins the sign-in; for a server that a link names and that is not known, only after a yes.
async fn begin(
    engine: &Engine,
    server: &Server<'_>,
    options: &LoginOptions,
    output: &Output,
) -> Result<StartedLogin> {
    let (link, yes) = match server {
        Server::Typed(base) => return engine.login_begin(base, options).await,
        Server::Launch { link, yes } => (*link, *yes),
    };
    let question = match engine.launch_received(link, options).await? {
        LaunchReceived::Started(login) => return Ok(login),
        LaunchReceived::Asked(question) => question,
    };
    output.note(&format!(
        "A portal asks Satchel to connect to {} ({}), which it does not know.",
        question.host, question.fhir_base
    ));
    if yes || says_yes(output) {
        return engine.launch_accept(&question.id, options).await;
    }
    engine.launch_refuse(&question.id);
    Err(Problem::new(ProblemCode::LoginCancelled))
}

/// Asks at a terminal; without one the answer is no.
fn says_yes(output: &Output) -> bool {
    let input = std::io::stdin();
    if !input.is_terminal() {
        output.note("Nobody can be asked here; --yes says that it is the right one.");
        return false;
    }
    output.note("Is that where your records are? Type yes to connect:");
    let mut answer = String::new();
    let read = input.read_line(&mut answer).is_ok();
    read && answer.trim().eq_ignore_ascii_case("yes")
}

/// The address is printed too: the browser may not open, or be on another screen.
fn show(request: &Connect<'_>, address: &str, output: &Output) {
    output.note("Sign in at this address; it is open in your browser if there is one:");
    output.note(address);
    if request.open_browser {
        open_in_browser(address, output);
    }
}

/// Shows the portal's own sign-out.
pub(crate) fn open_browser(address: &str, output: &Output) {
    output.note(
        "The portal signs you out at this address; it is open in your browser if there is one:",
    );
    output.note(address);
    open_in_browser(address, output);
}

fn open_in_browser(address: &str, output: &Output) {
    if let Err(error) = open::that_detached(address) {
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
