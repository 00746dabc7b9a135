//! Reading documents in a process of their own. A file can be made to fill the memory or to never end; then
//! that process ends, and the document has no text. It gets the document on its standard input and answers
//! on its standard output; it has no key, no database, no network to ask.

use super::{pdf, text};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// A document that takes longer is given up.
const LONGEST: Duration = Duration::from_secs(15);
/// What the process may take of the memory.
#[cfg(target_os = "linux")]
const MEMORY: u64 = 1024 * 1024 * 1024;

/// What [`crate::EngineOptions::document_reader`] is called with: a program that sees this as its first
/// argument calls [`read_document_here`] before anything else.
pub const READ_DOCUMENT: &str = "--read-document";

/// Reads the PDF on standard input, and writes its text to standard output.
#[must_use]
pub fn read_document_here() -> ExitCode {
    limit_memory();
    let mut bytes = Vec::new();
    if std::io::stdin().lock().read_to_end(&mut bytes).is_err() {
        return ExitCode::FAILURE;
    }
    let text = pdf::text_of(bytes, text::BYTE_LIMIT).unwrap_or_default();
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn limit_memory() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let limit = Rlimit {
            current: Some(MEMORY),
            maximum: Some(MEMORY),
        };
        // Without it the limits inside of the reader remain.
        let _ = setrlimit(Resource::As, limit);
        // What it was reading must not be left on the disk.
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        let _ = setrlimit(Resource::Core, none);
    }
}

/// The text of a PDF, read by this program in a process of its own; `None` where it has none, or where the
/// process was ended.
pub(super) async fn text_by(program: &Path, bytes: &[u8]) -> Option<String> {
    let mut child = Command::new(program)
        .arg(READ_DOCUMENT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    let (mut to, mut from) = (child.stdin.take()?, child.stdout.take()?);
    let work = async {
        let write = async {
            let written = to.write_all(bytes).await;
            drop(to);
            written
        };
        let mut text = Vec::new();
        let limit = u64::try_from(text::BYTE_LIMIT * 4).unwrap_or(u64::MAX);
        let mut from = (&mut from).take(limit);
        // One that ends before it has read all is seen by its status.
        let (_, read) = tokio::join!(write, from.read_to_end(&mut text));
        read.ok()?;
        let ended = child.wait().await.ok()?;
        ended.success().then_some(text)
    };
    let text = tokio::time::timeout(LONGEST, work).await.ok().flatten()?;
    String::from_utf8(text).ok().filter(|text| !text.is_empty())
}

#[cfg(all(test, unix))]
mod tests {
    use super::text_by;
    use std::path::Path;

    #[tokio::test]
    async fn a_reader_that_fails_or_is_not_there_costs_only_the_words() {
        for program in ["/bin/false", "/no/such/program"] {
            let text = text_by(Path::new(program), b"%PDF-1.4").await;
            assert_eq!(text, None, "{program}");
        }
    }
}
