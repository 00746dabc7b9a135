//! The import, as a person would do it: a file of records and the command line.

use satchel_core::{Keychain, Problem};
use satchel_mock::population::{Generated, generate};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// People whose records are repeated under new ids.
const PEOPLE: usize = 20;

pub(crate) struct Imported {
    pub(crate) seconds: f64,
    /// The most that the process held.
    pub(crate) memory_mb: f64,
    pub(crate) file_bytes: usize,
    pub(crate) database: PathBuf,
    pub(crate) key: Zeroizing<Vec<u8>>,
    pub(crate) profile: TempDir,
}

pub(crate) fn import(size: usize) -> Imported {
    let profile = TempDir::new().expect("a folder");
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("records.ndjson");
    write(&file, size);
    // Makes the profile and its key: not what is measured.
    run(profile.path(), &["connections".as_ref()]);
    let begun = Instant::now();
    let memory_mb = run(
        profile.path(),
        &[
            "import".as_ref(),
            "--source".as_ref(),
            "Bench".as_ref(),
            file.as_ref(),
        ],
    );
    let seconds = begun.elapsed().as_secs_f64();
    let path = profile.path().canonicalize().expect("the folder is there");
    let database = path.join("satchel.db");
    Imported {
        seconds,
        memory_mb,
        file_bytes: usize::try_from(database.metadata().expect("the file").len()).expect("a size"),
        database,
        key: key(&path).expect("the key"),
        profile,
    }
}

fn key(profile: &Path) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let keychain = Keychain::new("org.satchel.desktop", profile);
    let key = runtime.block_on(keychain.get("database-key"))?;
    Ok(key.expect("the profile has a key"))
}

/// Runs the command line; gives the most memory that it held, in megabytes.
fn run(profile: &Path, arguments: &[&std::ffi::OsStr]) -> f64 {
    let own = std::env::current_exe().expect("this program has a path");
    let program = own
        .ancestors()
        .nth(2)
        .expect("target/release")
        .join("satchel");
    let mut child = Command::new(program)
        .arg("--profile")
        .arg(profile)
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()
        .expect("cargo build --release --package satchel-cli");
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0.0_f64;
    loop {
        peak = peak.max(held(&status));
        if let Some(ended) = child.try_wait().expect("it runs") {
            assert!(ended.success(), "{ended}");
            return peak;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The most that a process held so far, in megabytes; 0 when it is gone.
fn held(status: &Path) -> f64 {
    let text = std::fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
    kilobytes
        .and_then(|text| text.parse::<f64>().ok())
        .map_or(0.0, |kilobytes| kilobytes / 1024.0)
}

fn write(path: &Path, size: usize) {
    let people = generate(PEOPLE, 1);
    let own: Vec<&Generated> = people
        .resources
        .iter()
        .filter(|one| one.patient.is_some())
        .collect();
    let mut file = BufWriter::new(std::fs::File::create(path).expect("a file"));
    for (number, one) in own.iter().cycle().take(size).enumerate() {
        let id = format!("\"id\":\"{}\"", one.id);
        let other = format!("\"id\":\"{}-{}\"", one.id, number / own.len());
        writeln!(file, "{}", one.json.replacen(&id, &other, 1)).expect("written");
    }
    file.flush().expect("written");
}
