//! Fetching the files of an export: a few at a time, each line by line, each again once when it was cut
//! short or is gone (checklist F13 to F19).

use super::follow::{Follow, is_network, kept, step_of};
use super::parts::{file_row, files_of};
use super::report::FileReport;
use super::write::{Stop, Writing};
use crate::problem::{Problem, ProblemCode, Result};
use futures::StreamExt;
use satchel_smart::bulk::{
    BulkError, CapabilityUrl, Deletion, Download, ExportStatus, LineFault, Manifest, TokenRule,
};
use satchel_store::BulkFileRow;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Files that are fetched at a time.
const AT_A_TIME: usize = 3;
/// Lines, and bytes of them, that are written at a time.
const LINES: usize = 4_000;
const BYTES: usize = 4 * 1024 * 1024;
/// So often a file that is busy or cannot be reached is asked for again.
const TRIES: u32 = 5;
const LONGEST_WAIT: Duration = Duration::from_secs(60);

impl Follow {
    /// Fetches the files that wait: first what was deleted, then everything else.
    pub(super) async fn fetch_files(&self) -> Result<()> {
        let id = self.job.lock().await.row.id.clone();
        let files = self.engine.inner.store.bulk_files_get(&id).await?;
        let total = files.len();
        let waiting: Vec<BulkFileRow> = files
            .into_iter()
            .filter(|file| file.state == "waiting")
            .collect();
        let mut done = total - waiting.len();
        let (deleted, others): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|file| file.kind == "deleted");
        for (files, at_a_time) in [(deleted, 1), (others, AT_A_TIME)] {
            let mut fetched = futures::stream::iter(files)
                .map(|file| {
                    let id = id.clone();
                    async move { (step_of(&file), self.fetch_file(&id, file).await) }
                })
                .buffer_unordered(at_a_time);
            while let Some((step, result)) = fetched.next().await {
                result?;
                done += 1;
                self.announce(step, done, total);
            }
        }
        Ok(())
    }

    /// Fetches one file and writes down how that ended. An error concerns the whole export.
    async fn fetch_file(&self, job_id: &str, mut file: BulkFileRow) -> Result<()> {
        let name = match (&file.resource_type, file.kind.as_str()) {
            (Some(kind), "output") => format!("{kind} {}", file.position + 1),
            (_, kind) => format!("{kind} {}", file.position + 1),
        };
        let mut so_far = FileReport::default();
        let (mut again, mut tries, mut renewed) = (false, 0, false);
        let (state, mut report) = loop {
            let (report, ended) = self.read_file(&file, &name).await;
            let error = match ended {
                Ok(()) => match miscount(&file, &report) {
                    None => break ("done", report),
                    Some(reason) if again => {
                        let mut report = report;
                        report.error(&name, None, reason);
                        break ("failed", report);
                    }
                    Some(_) => BulkError::Truncated,
                },
                Err(Stop::File(error)) => error,
                Err(Stop::Problem(problem)) => return Err(problem),
            };
            match &error {
                BulkError::Gone | BulkError::Truncated if !again => {
                    again = true;
                    file.url = self.address_again(&file).await?;
                }
                BulkError::Unauthorized if !renewed => {
                    renewed = true;
                    let token = self.token().await?;
                    let replaced = self.engine.replace_token(&self.connection_id, &token);
                    replaced.await?;
                }
                BulkError::Busy { retry_after } if tries < TRIES => {
                    tries += 1;
                    let wait = retry_after.unwrap_or(Duration::from_secs(1 << tries));
                    tokio::time::sleep(wait.min(LONGEST_WAIT)).await;
                }
                BulkError::Http(http) if http.is_unreachable() && tries < 2 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                _ => {
                    let problem_text = error.to_string();
                    let problem = Problem::from(error);
                    if is_network(problem.code) || problem.code == ProblemCode::ServerBusy {
                        return Err(problem);
                    }
                    let mut report = report;
                    report.error(&name, None, problem_text);
                    break ("failed", report);
                }
            }
            keep_counts(&mut so_far, &report);
        };
        add_counts(&mut report, &so_far);
        if state == "failed" {
            report.report.failed_files += 1;
        }
        let json = serde_json::to_string(&report)
            .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?;
        let store = &self.engine.inner.store;
        kept(
            store
                .bulk_file_finish(job_id, file.position, state, &json)
                .await,
        )
    }

    async fn read_file(
        &self,
        file: &BulkFileRow,
        name: &str,
    ) -> (FileReport, std::result::Result<(), Stop>) {
        let (rule, organized, attachments) = {
            let job = self.job.lock().await;
            let detail = &job.detail;
            (detail.token, detail.organized, detail.attachments)
        };
        let expected = file.resource_type.as_deref().filter(|_| !organized);
        let expected = match file.kind.as_str() {
            "output" => expected,
            _ => None,
        };
        let mut writing = Writing::new(name, expected);
        if attachments {
            writing = writing.following_documents();
        }
        let ended = match file.kind.as_str() {
            "deleted" => self.read_deleted(file, rule, name, writing.report()).await,
            _ => self.read_records(file, rule, &mut writing).await,
        };
        let (mut report, documents) = writing.ended();
        if ended.is_ok()
            && let Err(problem) = self.fetch_documents(documents, rule, &mut report).await
        {
            return (report, Err(Stop::Problem(problem)));
        }
        (report, ended)
    }

    async fn open(
        &self,
        file: &BulkFileRow,
        rule: TokenRule,
    ) -> std::result::Result<Download, Stop> {
        let token = self.token().await?;
        let url = CapabilityUrl::parse(&file.url);
        let url = url.ok_or(BulkError::BadManifest("the url of a file is none"))?;
        Ok(self.client.download(&url, rule, &token).await?)
    }

    async fn read_records(
        &self,
        file: &BulkFileRow,
        rule: TokenRule,
        to: &mut Writing<'_>,
    ) -> std::result::Result<(), Stop> {
        let mut download = self.open(file, rule).await?;
        loop {
            match download.next_batch(LINES, BYTES).await {
                Ok(Some(lines)) => {
                    let count = lines.len() as u64;
                    self.writer.write(to, lines).await?;
                    self.records.fetch_add(count, Ordering::Relaxed);
                }
                Ok(None) => return self.writer.finish(to).await,
                Err(error) => {
                    self.writer.flush(to).await?;
                    return Err(error.into());
                }
            }
        }
    }

    async fn read_deleted(
        &self,
        file: &BulkFileRow,
        rule: TokenRule,
        name: &str,
        report: &mut FileReport,
    ) -> std::result::Result<(), Stop> {
        let mut download = self.open(file, rule).await?;
        let at = self.engine.now().to_string();
        while let Some(lines) = download.next_batch(LINES, BYTES).await? {
            for line in lines {
                report.lines += 1;
                let deletion = match Deletion::read(&line) {
                    Ok(deletion) => deletion,
                    Err(LineFault::CutShort) => return Err(BulkError::Truncated.into()),
                    Err(fault) => {
                        report.error(name, Some(line.number), fault);
                        continue;
                    }
                };
                for _ in 0..deletion.unreadable {
                    let reason = "an entry does not say what was deleted";
                    report.error(name, Some(line.number), reason);
                }
                let store = &self.engine.inner.store;
                let marked = store.records_withdraw(&self.connection_id, &deletion.deleted, &at);
                report.report.deleted_records += marked.await.map_err(Problem::from)?;
            }
        }
        Ok(())
    }

    /// Where the file is now: the manifest is read again, once for all files; what it says of files
    /// that are not fetched yet counts from then on (checklist F17).
    async fn address_again(&self, file: &BulkFileRow) -> Result<String> {
        let mut reread = self.reread.lock().await;
        let job = self.job.lock().await;
        let store = &self.engine.inner.store;
        let known = store.bulk_files_get(&job.row.id).await?;
        if !std::mem::replace(&mut *reread, true)
            && let Some(at) = job.at_server()
        {
            let token = self.token().await?;
            let rows = match self.client.poll(&at, &token).await {
                Ok(ExportStatus::Complete(manifest)) => rows_again(&manifest, &known),
                // Then it is asked for where it was.
                _ => Vec::new(),
            };
            let row = job.to_row(self.engine.now())?;
            kept(store.bulk_files_put(&row, &rows).await)?;
        }
        let now = store.bulk_files_get(&job.row.id).await?;
        let now = now.into_iter().find(|one| one.position == file.position);
        Ok(now.map_or_else(|| file.url.clone(), |now| now.url))
    }
}

/// The files of a manifest that was read again, in their old places: by kind, type and order.
fn rows_again(manifest: &Manifest, known: &[BulkFileRow]) -> Vec<BulkFileRow> {
    let mut free: Vec<&BulkFileRow> = known.iter().collect();
    let mut rows = Vec::new();
    for (kind, file) in files_of(manifest) {
        let fits = |one: &&BulkFileRow| one.kind == kind && one.resource_type == file.resource_type;
        if let Some(place) = free.iter().position(fits) {
            rows.push(file_row(kind, file, free.remove(place).position));
        }
    }
    rows
}

/// In which way a file has more or fewer lines than was announced.
fn miscount(file: &BulkFileRow, report: &FileReport) -> Option<String> {
    let expected = u64::try_from(file.expected?).ok()?;
    (expected != report.lines)
        .then(|| format!("{expected} lines were announced and {} came", report.lines))
}

/// What an attempt that failed has stored is stored.
fn keep_counts(so_far: &mut FileReport, report: &FileReport) {
    for one in &report.report.types {
        let sum = so_far.of_type(&one.resource_type);
        sum.new_records += one.new_records;
        sum.changed_records += one.changed_records;
    }
    so_far.report.deleted_records += report.report.deleted_records;
}

fn add_counts(report: &mut FileReport, so_far: &FileReport) {
    for one in &so_far.report.types {
        let sum = report.of_type(&one.resource_type);
        sum.new_records += one.new_records;
        sum.changed_records += one.changed_records;
    }
    report.report.deleted_records += so_far.report.deleted_records;
}
