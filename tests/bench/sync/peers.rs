//! The same searches by what others would use: npm `fhirclient` with `better-sqlite3`, PyPI `fhirpy` with
//! `sqlite3`. Neither encrypts, and neither makes anything searchable.

use crate::pull::Pulled;
use crate::server::Server;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) struct Peer {
    pub(crate) name: &'static str,
    program: &'static str,
    script: &'static str,
}

pub(crate) const PEERS: [Peer; 2] = [
    Peer {
        name: "fhirclient + better-sqlite3",
        program: "node",
        script: "tests/bench/sync/peers/fhirclient.mjs",
    },
    Peer {
        name: "fhirpy + sqlite3",
        program: "tests/interop/.venv/bin/python",
        script: "tests/bench/sync/peers/fhirpy_pull.py",
    },
];

/// Resources per second, without the start of the program.
pub(crate) fn measure(peer: &Peer, server: &Server, pulled: &Pulled) -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = if peer.program.contains('/') {
        root.join(peer.program).into_os_string()
    } else {
        peer.program.into()
    };
    let mut child = Command::new(program)
        .arg(root.join(peer.script))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("make bench-sync installs it");
    let given = json!({
        "base": server.fhir_base(),
        "token": pulled.access_token,
        "searches": searches(server, pulled),
        "database": folder.path().join("peer.db"),
    });
    let mut input = child.stdin.take().expect("its input");
    input
        .write_all(given.to_string().as_bytes())
        .expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{} failed", peer.name);
    let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let number = |name: &str| said[name].as_f64().expect("a number");
    // What is referred to is not searched for.
    let all = f64::from(u32::try_from(pulled.records).expect("a count"));
    assert!(
        number("records") > 0.95 * all,
        "{} found {} of {all}",
        peer.name,
        number("records")
    );
    number("records") / number("seconds")
}

/// The searches of the pull, relative to the base; the pages behind the first are found by following links.
fn searches<'a>(server: &Server, pulled: &'a Pulled) -> Vec<&'a str> {
    let base = format!("{}/", server.fhir_base().trim_end_matches('/'));
    let requests = pulled.requests.iter();
    requests
        .filter_map(|url| url.strip_prefix(&base))
        .filter(|path| path.contains('?') && !path.contains("_page="))
        .collect()
}
