//! Taking records along: every resource byte for byte as it was received.

mod ips;
mod results;

use crate::access_log::LogEntry;
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::{AccessAct, ChartOf};
use futures::StreamExt;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};

/// The shape of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, ts_rs::TS)]
#[serde(rename_all = "camelCase")]
pub enum ExportFormat {
    /// One file per type, one resource per line. A resource that holds line breaks goes to a file
    /// of its own, so that its bytes stay.
    Ndjson,
    /// One `Bundle` of type `collection`.
    Bundle,
    /// One `Bundle` of type `document`: the summary, in the shape of the International Patient Summary.
    Ips,
    /// Laboratory results and vital signs as a table for a spreadsheet (CSV).
    Results,
}

/// What an export wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportReport {
    /// Files written.
    pub files: Vec<PathBuf>,
    /// Resources per type.
    pub resources: BTreeMap<String, u64>,
}

impl Engine {
    /// Writes the records of one connection, or of all, into `dir`, which is made when missing. Where
    /// several connections hold records, each gets a folder of its own, named after its identifier: no file
    /// mixes two people, and `Type/id` is not unique across sources.
    ///
    /// # Errors
    /// `record.not_found`, `export.failed`, `store.*`.
    pub async fn export(
        &self,
        connection_id: Option<&str>,
        format: ExportFormat,
        dir: &Path,
    ) -> Result<ExportReport> {
        let entry = match connection_id {
            Some(id) => LogEntry::at(&self.connection_row(id).await?, AccessAct::Exported),
            None => LogEntry::everywhere(AccessAct::Exported),
        };
        let report = match connection_id {
            Some(_) => self.export_to(connection_id, format, dir).await,
            None => self.export_all(format, dir).await,
        };
        self.log_access(with_counts(entry, &report).ended(&report))
            .await;
        report
    }

    /// As [`Engine::export`], of the sources of a chart, into a new folder inside of `folder` that is named
    /// after the time and says nothing of whose records it holds. Gives its path. A summary or a table is one
    /// file for all sources; of anything else each source has a folder of its own where there are several.
    ///
    /// # Errors
    /// `record.not_found`, `export.failed`, `store.*`.
    pub async fn export_into(
        &self,
        of: &ChartOf,
        format: ExportFormat,
        folder: &Path,
    ) -> Result<PathBuf> {
        let now = self.now().to_zoned_datetime(jiff::tz::TimeZone::system());
        let name = now.strftime("satchel-records-%Y-%m-%d-%H%M%S").to_string();
        let dir = folder.join(name);
        let connections = self.connections_of(of).await?;
        match (connections.as_slice(), format) {
            ([only], _) => {
                self.export(Some(only), format, &dir).await?;
            }
            (several, ExportFormat::Ips | ExportFormat::Results) => {
                let report = self.export_chart(of, format, &dir).await;
                for id in several {
                    let row = self.connection_row(id).await?;
                    let entry = LogEntry::at(&row, AccessAct::Exported);
                    self.log_access(with_counts(entry, &report).ended(&report))
                        .await;
                }
                report?;
            }
            (several, _) => {
                for id in several {
                    self.export(Some(id), format, &dir.join(id)).await?;
                }
            }
        }
        Ok(dir)
    }

    /// What is of the chart as a whole, in one file.
    async fn export_chart(
        &self,
        of: &ChartOf,
        format: ExportFormat,
        dir: &Path,
    ) -> Result<ExportReport> {
        tokio::fs::create_dir_all(dir).await.map_err(failed)?;
        let (path, resources) = if format == ExportFormat::Ips {
            let (json, resources) = self.summary_document(of).await?;
            let path = dir.join("patient-summary.json");
            write_private(&path, json.as_bytes()).await?;
            (path, resources)
        } else {
            let path = dir.join("results.csv");
            let written = self.write_results(of, &path).await?;
            (path, BTreeMap::from([("Observation".to_owned(), written)]))
        };
        Ok(ExportReport {
            files: vec![path],
            resources,
        })
    }

    async fn export_all(&self, format: ExportFormat, dir: &Path) -> Result<ExportReport> {
        let mut holding = Vec::new();
        for row in self.inner.store.connections_list().await? {
            if self.inner.store.record_count(Some(&row.id)).await? > 0 {
                holding.push(row.id);
            }
        }
        if holding.len() < 2 {
            let only = holding.first().map(String::as_str);
            return self.export_to(only, format, dir).await;
        }
        let mut whole = ExportReport::default();
        for id in holding {
            let part = self.export_to(Some(&id), format, &dir.join(&id)).await?;
            whole.files.extend(part.files);
            for (resource_type, count) in part.resources {
                *whole.resources.entry(resource_type).or_default() += count;
            }
        }
        Ok(whole)
    }

    async fn export_to(
        &self,
        connection_id: Option<&str>,
        format: ExportFormat,
        dir: &Path,
    ) -> Result<ExportReport> {
        tokio::fs::create_dir_all(dir).await.map_err(failed)?;
        match format {
            ExportFormat::Ndjson => self.export_ndjson(connection_id, dir).await,
            ExportFormat::Bundle => self.export_bundle(connection_id, dir).await,
            ExportFormat::Ips | ExportFormat::Results => {
                let connection_id = connection_id.unwrap_or_default().to_owned();
                let of = ChartOf::Connection { connection_id };
                self.export_chart(&of, format, dir).await
            }
        }
    }

    async fn export_ndjson(&self, connection_id: Option<&str>, dir: &Path) -> Result<ExportReport> {
        let mut files: BTreeMap<PathBuf, BufWriter<File>> = BTreeMap::new();
        let mut resources: BTreeMap<String, u64> = BTreeMap::new();
        let mut rows = self.inner.store.export(connection_id);
        while let Some(row) = rows.next().await {
            let (resource_type, _, json) = row?;
            let count = resources.entry(resource_type.clone()).or_default();
            *count += 1;
            if json.contains(['\n', '\r']) {
                let path = dir.join(format!("{resource_type}-{count}.json"));
                let mut file = create(&path).await?;
                file.write_all(json.as_bytes()).await.map_err(failed)?;
                files.insert(path, file);
                continue;
            }
            let path = dir.join(format!("{resource_type}.ndjson"));
            if !files.contains_key(&path) {
                let file = create(&path).await?;
                files.insert(path.clone(), file);
            }
            if let Some(file) = files.get_mut(&path) {
                file.write_all(json.as_bytes()).await.map_err(failed)?;
                file.write_all(b"\n").await.map_err(failed)?;
            }
        }
        let mut paths = Vec::with_capacity(files.len());
        for (path, mut file) in files {
            file.flush().await.map_err(failed)?;
            paths.push(path);
        }
        Ok(ExportReport {
            files: paths,
            resources,
        })
    }

    async fn export_bundle(&self, connection_id: Option<&str>, dir: &Path) -> Result<ExportReport> {
        let path = dir.join("bundle.json");
        let mut file = create(&path).await?;
        let mut resources: BTreeMap<String, u64> = BTreeMap::new();
        file.write_all(br#"{"resourceType":"Bundle","type":"collection","entry":["#)
            .await
            .map_err(failed)?;
        let mut rows = self.inner.store.export(connection_id);
        let mut first = true;
        while let Some(row) = rows.next().await {
            let (resource_type, _, json) = row?;
            if serde_json::from_str::<&serde_json::value::RawValue>(&json).is_err() {
                // Not JSON at all: it would break the Bundle. NDJSON keeps it.
                continue;
            }
            *resources.entry(resource_type).or_default() += 1;
            let before: &[u8] = if first {
                b"\n{\"resource\":"
            } else {
                b",\n{\"resource\":"
            };
            first = false;
            file.write_all(before).await.map_err(failed)?;
            file.write_all(json.as_bytes()).await.map_err(failed)?;
            file.write_all(b"}").await.map_err(failed)?;
        }
        file.write_all(b"\n]}\n").await.map_err(failed)?;
        file.flush().await.map_err(failed)?;
        Ok(ExportReport {
            files: vec![path],
            resources,
        })
    }
}

/// What was written is told with the act.
fn with_counts(entry: LogEntry, report: &Result<ExportReport>) -> LogEntry {
    match report {
        Ok(report) => entry.records(report.resources.iter().map(|(name, count)| (name, *count))),
        Err(_) => entry,
    }
}

/// A whole file that only its owner may read.
pub(crate) async fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = create(path).await?;
    file.write_all(bytes).await.map_err(failed)?;
    file.flush().await.map_err(failed)
}

/// Only its owner may read an exported file.
async fn create(path: &Path) -> Result<BufWriter<File>> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path).await.map(BufWriter::new).map_err(failed)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "used as a function in map_err"
)]
fn failed(error: std::io::Error) -> Problem {
    Problem::with_detail(ProblemCode::ExportFailed, error.kind())
}
