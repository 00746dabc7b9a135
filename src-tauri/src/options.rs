//! What the process was started with: `--profile DIR`, and for testers `SATCHEL_PROFILE`,
//! `SATCHEL_MOCK_SERVER` (a server to offer first) and `SATCHEL_TRUST_CERTIFICATE` (a local
//! certificate authority to trust besides the system's).

use satchel_core::{EngineOptions, KnownServer};
use std::path::PathBuf;

const IDENTIFIER: &str = "org.satchel.desktop";

/// Reads arguments and environment. A deep link arrives as the only argument and is left to the
/// deep-link plugin.
pub(crate) fn from_process() -> Result<EngineOptions, String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let profile = match arguments
        .iter()
        .position(|argument| argument == "--profile")
    {
        Some(at) => Some(PathBuf::from(
            arguments.get(at + 1).ok_or("--profile needs a folder")?,
        )),
        None => std::env::var_os("SATCHEL_PROFILE").map(PathBuf::from),
    };
    let profile = match profile {
        Some(profile) => profile,
        None => default_profile().ok_or("no home folder: give one with --profile")?,
    };
    let mut options = EngineOptions::new(profile);
    options.document_reader = std::env::current_exe().ok();
    if let Ok(fhir_base) = std::env::var("SATCHEL_MOCK_SERVER") {
        options.extra_servers.push(KnownServer {
            fhir_base,
            name: "Satchel mock server".into(),
            description: "On this computer, with synthetic people".into(),
            for_testing: true,
            client: None,
            habits: None,
        });
    }
    if let Some(path) = std::env::var_os("SATCHEL_TRUST_CERTIFICATE") {
        let certificate = std::fs::read(&path)
            .map_err(|error| format!("SATCHEL_TRUST_CERTIFICATE could not be read: {error}"))?;
        options.extra_root_certificates.push(certificate);
    }
    Ok(options)
}

/// The user's data folder: `$XDG_DATA_HOME` or `~/.local/share` on Linux, `~/Library/Application
/// Support` on macOS, `%APPDATA%` on Windows.
fn default_profile() -> Option<PathBuf> {
    satchel_core::default_data_dir().map(|data| data.join(IDENTIFIER))
}
