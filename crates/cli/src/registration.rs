//! What the command line does about registrations: hands in what was agreed on, shows what the server
//! holds, exchanges the key. Secrets come from files, never from arguments, which other users can read.

use crate::output::Output;
use satchel_core::view::{RegistrationView, Role};
use satchel_core::{AppIdentity, Engine, Problem, ProblemCode, Result};
use serde_json::json;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What `connect` may be given for a server that does not register everybody.
#[derive(Debug, clap::Args)]
pub(crate) struct Agreed {
    /// The client_id that the server's operator gave out for this app, where apps cannot register
    /// themselves
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// File with the client secret that belongs to it
    #[arg(long, value_name = "FILE", requires = "client_id")]
    client_secret_file: Option<PathBuf>,
    /// File with the initial access token that the server's operator gave out for registering
    #[arg(long, value_name = "FILE", conflicts_with = "client_id")]
    initial_access_token_file: Option<PathBuf>,
}

/// Gives the engine what was agreed on, before it connects.
pub(crate) async fn hand_in(
    engine: &Engine,
    base: &str,
    role: Role,
    agreed: &Agreed,
) -> Result<()> {
    if let Some(file) = &agreed.initial_access_token_file {
        let token = read(file, ProblemCode::RegistrationTokenNeeded)?;
        engine.registration_introduce(base, token).await?;
    }
    if let Some(client_id) = &agreed.client_id {
        let secret = match &agreed.client_secret_file {
            Some(file) => Some(read(file, ProblemCode::RegistrationUnusable)?),
            None => None,
        };
        engine
            .registration_set_client(base, role, client_id, secret)
            .await?;
    }
    Ok(())
}

fn read(file: &Path, code: ProblemCode) -> Result<Zeroizing<String>> {
    let text = std::fs::read_to_string(file).map(Zeroizing::new);
    text.map_err(|error| {
        Problem::with_detail(code, format!("{} cannot be read: {error}", file.display()))
    })
}

/// The identity of a file, in place of Satchel's own.
pub(crate) fn identity(file: &Path) -> Result<AppIdentity> {
    let text = read(file, ProblemCode::BadIdentity)?;
    Ok(AppIdentity::from_json(&text)?)
}

/// `satchel registration`: what the server holds about this app.
pub(crate) async fn show(engine: &Engine, id: &str, output: &Output) -> Result<()> {
    let view = engine.registration_read(id).await?;
    output.answer(&view, || lines(&view));
    Ok(())
}

fn lines(view: &RegistrationView) -> Vec<String> {
    let mut lines = vec![
        format!("{}: {}", view.server_name, view.client_id),
        format!(
            "Read from the server: {}",
            if view.read_from_server {
                "now"
            } else {
                "no, as it was made"
            }
        ),
        format!("Registered: {}", view.created_at),
        format!("Authentication: {}", view.token_endpoint_auth_method),
    ];
    let mut line = |name: &str, value: Option<&str>| {
        lines.extend(
            value
                .filter(|v| !v.is_empty())
                .map(|v| format!("{name}: {v}")),
        );
    };
    line("Installation", view.installation_client_id.as_deref());
    line("Name", view.client_name.as_deref());
    line("Version", view.software_version.as_deref());
    line("Keys", Some(&view.key_ids.join(" ")));
    line("Secret ends", view.secret_expires_at.as_deref());
    line("Redirects", Some(&view.redirect_uris.join(" ")));
    line("Grant types", Some(&view.grant_types.join(" ")));
    line("Scope", view.scope.as_deref());
    for note in &view.notes {
        lines.push(format!("{} {}", note.message, note.advice));
    }
    lines
}

/// `satchel keys rotate`.
pub(crate) async fn rotate(engine: &Engine, id: &str, output: &Output) -> Result<()> {
    engine.registration_rotate_key(id).await?;
    let answer = json!({ "rotated": id });
    output.answer(&answer, || {
        vec!["This installation has another key there now.".to_owned()]
    });
    Ok(())
}

/// `satchel keys public`.
pub(crate) async fn public_keys(engine: &Engine, output: &Output) -> Result<()> {
    let set = engine.public_keys().await?;
    let value: serde_json::Value = serde_json::from_str(&set).unwrap_or_default();
    output.answer(&value, || vec![set.clone()]);
    Ok(())
}
