//! Files of records from the disk: the same lines, from anywhere.

use super::report::{self, FileReport};
use super::write::{Seen, Stop, Wants, Writer, read_batch};
use crate::access_log::LogEntry;
use crate::connection::ConnectionState;
use crate::engine::Engine;
use crate::lockfile;
use crate::problem::{Problem, ProblemCode, Result};
use crate::sync::prepare::PreparedPage;
use crate::view::{AccessAct, BulkReportView, Event, ImportReportView, Role};
use satchel_smart::bulk::NdjsonReader;
use satchel_store::ConnectionRow;
use std::io::Read;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// What stands in place of a server's address.
pub(crate) const IMPORTED: &str = "urn:satchel:imported:";
/// Small, as what is compressed may be a hundred times as much.
const PIECE: usize = 32 * 1024;
const LINES: usize = 4_000;
const BYTES: usize = 8 * 1024 * 1024;

/// Whether a connection is not one, but files that were imported.
#[must_use]
pub(crate) fn is_imported(fhir_base: &str) -> bool {
    fhir_base.starts_with(IMPORTED)
}

impl Engine {
    /// Imports files of one resource per line (NDJSON, compressed by gzip or not) under a source of this
    /// name. The same name again adds to the same source; of the same record the newer one stays.
    ///
    /// # Errors
    /// `directory.unreadable` when a file cannot be read; `import.unreadable` when one is no such file
    /// (what came before stays); `sync.already_running`, `store.*`. Single lines that cannot be read are in
    /// the report.
    pub async fn import_ndjson(&self, files: &[PathBuf], source: &str) -> Result<ImportReportView> {
        let connection = self.imported_source(source).await?;
        let path = self
            .inner
            .profile_dir
            .join(format!("sync-{}.lock", connection.id));
        let busy = || Problem::new(ProblemCode::AlreadySyncing);
        let _between_processes = lockfile::try_lock(&path)?.ok_or_else(busy)?;
        let writer = Writer {
            engine: self.clone(),
            connection_id: connection.id.clone(),
            wants: Wants::default(),
        };
        let mut all = BulkReportView::default();
        let mut done = Ok(());
        for file in files {
            match import_file(&writer, file).await {
                Ok(read) => report::add(&mut all, read.report),
                Err(problem) => {
                    done = Err(problem);
                    break;
                }
            }
        }
        self.read_documents(&connection.id, &connection.fhir_base)
            .await?;
        self.inner
            .store
            .sync_finished(&connection.id, None, "")
            .await?;
        self.emit(Event::RecordsChanged {
            connection_id: connection.id.clone(),
        });
        self.emit(Event::ConnectionsChanged);
        let entry = LogEntry::at(&connection, AccessAct::Imported)
            .records(report::received(&all))
            .ended(&done)
            .whole(report::is_whole(&all));
        self.log_access(entry).await;
        done?;
        Ok(ImportReportView {
            complete: report::is_whole(&all),
            connection_id: connection.id,
            report: all,
        })
    }

    async fn imported_source(&self, name: &str) -> Result<ConnectionRow> {
        let encoded: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let base = format!("{IMPORTED}{encoded}");
        let connections = self.inner.store.connections_list().await?;
        if let Some(known) = connections.iter().find(|row| row.fhir_base == base) {
            return Ok(known.clone());
        }
        // A profile holds people's records or a service's, and the files belong to what is there.
        let service = connections
            .iter()
            .any(|row| Role::parse(&row.role) == Role::Backend);
        let role = if service {
            Role::Backend
        } else {
            Role::Patient
        };
        let mut bytes = [0_u8; 16];
        self.inner.random.fill(&mut bytes);
        let row = ConnectionRow {
            id: uuid::Builder::from_random_bytes(bytes)
                .into_uuid()
                .to_string(),
            fhir_base: base,
            server_name: name.to_owned(),
            role: role.as_str().to_owned(),
            state: ConnectionState::New.name().to_owned(),
            created_at: self.now().to_string(),
            ..ConnectionRow::default()
        };
        self.inner.store.connection_insert(&row).await?;
        Ok(row)
    }
}

/// Reads a file on a thread of its own, while what it held before is written.
async fn import_file(writer: &Writer, path: &Path) -> Result<FileReport> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (ready, mut batches) = mpsc::channel(1);
    let reading = tokio::task::spawn_blocking({
        let (path, name, wants) = (
            path.to_owned(),
            name.clone().into_owned(),
            writer.wants.clone(),
        );
        move || {
            let mut reading = Reading::new(&name, wants);
            let ended = reading.file(&path, &ready);
            (reading.seen, ended)
        }
    });
    let mut written = Ok(());
    let mut stored = Vec::new();
    while let Some(batch) = batches.recv().await {
        match writer.save(batch).await {
            Ok(one) => stored.push(one),
            Err(problem) => {
                written = Err(problem);
                break;
            }
        }
    }
    // The thread ends when nobody takes what it reads.
    drop(batches);
    let read = reading.await;
    let (mut seen, ended) =
        read.map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
    for one in stored {
        seen.count(&name, one);
    }
    written?;
    ended?;
    Ok(seen.report)
}

/// A file while it is read.
struct Reading<'a> {
    name: &'a str,
    wants: Wants,
    lines: NdjsonReader,
    seen: Seen,
}

impl<'a> Reading<'a> {
    fn new(name: &'a str, wants: Wants) -> Self {
        Self {
            name,
            wants,
            lines: NdjsonReader::new(),
            seen: Seen::default(),
        }
    }

    fn file(&mut self, path: &Path, ready: &mpsc::Sender<PreparedPage>) -> Result<()> {
        let ended = self.pieces(path, ready);
        // Also of a file that cannot be read to its end what came before stays.
        let last = self.batch(ready);
        ended.and(last)?;
        self.seen.ended().map_err(|stop| self.problem(stop))
    }

    fn pieces(&mut self, path: &Path, ready: &mpsc::Sender<PreparedPage>) -> Result<()> {
        let unreadable = |name: &str, error: std::io::Error| {
            let detail = format!("{name}: {}", error.kind());
            Problem::with_detail(ProblemCode::DirectoryUnreadable, detail)
        };
        let opened = std::fs::File::open(path);
        let mut file = opened.map_err(|error| unreadable(self.name, error))?;
        let mut piece = vec![0; PIECE];
        loop {
            let read = file.read(&mut piece);
            let read = read.map_err(|error| unreadable(self.name, error))?;
            let taken = match read {
                0 => self.lines.finish(),
                read => self.lines.push(&piece[..read]),
            };
            taken.map_err(|error| self.problem(error.into()))?;
            if read == 0 {
                return Ok(());
            }
            let (lines, bytes) = self.lines.ready();
            if lines >= LINES || bytes >= BYTES {
                self.batch(ready)?;
            }
        }
    }

    /// Hands on what was read.
    fn batch(&mut self, ready: &mpsc::Sender<PreparedPage>) -> Result<()> {
        let lines = self.lines.take();
        let batch = read_batch(&mut self.seen, (self.name, None), lines, &self.wants);
        if let Some(batch) = batch.map_err(|stop| self.problem(stop))? {
            let gone = |_| Problem::new(ProblemCode::Internal);
            ready.blocking_send(batch).map_err(gone)?;
        }
        Ok(())
    }

    fn problem(&self, stop: Stop) -> Problem {
        match stop {
            Stop::Problem(problem) => problem,
            Stop::File(error) => {
                let detail = format!("{}: {error}", self.name);
                Problem::with_detail(ProblemCode::ImportFailed, detail)
            }
        }
    }
}
