//! Files of records from the disk: the same lines, from anywhere.

use super::report::{self, FileReport};
use super::write::{Stop, Writer, Writing};
use crate::access_log::LogEntry;
use crate::connection::ConnectionState;
use crate::engine::Engine;
use crate::lockfile;
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::{AccessAct, BulkReportView, Event, ImportReportView, Role};
use satchel_smart::bulk::{BulkError, NdjsonReader};
use satchel_store::ConnectionRow;
use std::path::{Path, PathBuf};
use tokio::io::AsyncReadExt;

/// What stands in place of a server's address.
pub(crate) const IMPORTED: &str = "urn:satchel:imported:";
/// Small, as what is compressed may be a hundred times as much.
const PIECE: usize = 32 * 1024;
const LINES: usize = 4_000;
const BYTES: usize = 4 * 1024 * 1024;

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
            patient: None,
            only_members: false,
            is_group: false,
            writing: tokio::sync::Mutex::default(),
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

async fn import_file(writer: &Writer, path: &Path) -> Result<FileReport> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unreadable = |error: std::io::Error| {
        let detail = format!("{name}: {}", error.kind());
        Problem::with_detail(ProblemCode::DirectoryUnreadable, detail)
    };
    let stopped = |stop: Stop| match stop {
        Stop::Problem(problem) => problem,
        Stop::File(error) => {
            let detail = format!("{name}: {error}");
            Problem::with_detail(ProblemCode::ImportFailed, detail)
        }
    };
    let mut file = tokio::fs::File::open(path).await.map_err(unreadable)?;
    let mut reader = NdjsonReader::new();
    let mut writing = Writing::new(&name, None);
    let mut piece = vec![0; PIECE];
    loop {
        let damaged = |error: BulkError| stopped(error.into());
        // Whether that was all.
        let taken = match file.read(&mut piece).await {
            Ok(0) => reader.finish().map(|()| true).map_err(damaged),
            Ok(read) => reader.push(&piece[..read]).map(|()| false).map_err(damaged),
            Err(error) => Err(unreadable(error)),
        };
        let is_end = *taken.as_ref().unwrap_or(&true);
        let (lines, bytes) = reader.ready();
        if is_end || lines >= LINES || bytes >= BYTES {
            let written = writer.write(&mut writing, reader.take()).await;
            written.map_err(stopped)?;
        }
        if let Err(problem) = taken {
            // What came before stays.
            writer.flush(&mut writing).await.map_err(stopped)?;
            return Err(problem);
        }
        if is_end {
            writer.finish(&mut writing).await.map_err(stopped)?;
            return Ok(writing.report);
        }
    }
}
