//! Bulk exports: each one's state and files, so that a restart goes on with them; and what a source says
//! that it deleted.

use crate::error::{Result, StoreError};
use crate::open::Store;
use sqlx::{QueryBuilder, Sqlite, Transaction};

/// An export. Its status address is a secret: it is printed nowhere.
#[derive(Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct BulkJobRow {
    /// UUID.
    pub id: String,
    /// Whose.
    pub connection_id: String,
    /// JSON: what is exported, without `_since`.
    pub scope: String,
    /// `exporting`, `downloading`, `done`, `partial`, `failed` or `cancelled`.
    pub state: String,
    /// Where the server is asked on.
    pub status_url: Option<String>,
    /// As it was written.
    pub transaction_time: Option<String>,
    /// JSON of the engine's own.
    pub detail: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub changed_at: String,
}

impl std::fmt::Debug for BulkJobRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkJobRow")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// A file of an export. Its address is a secret: it is printed nowhere.
#[derive(Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct BulkFileRow {
    /// Place in the manifest.
    pub position: i64,
    /// `output`, `deleted` or `outcome`.
    pub kind: String,
    /// Type of its lines.
    pub resource_type: Option<String>,
    /// Where it is.
    pub url: String,
    /// How many lines are announced.
    pub expected: Option<i64>,
    /// `waiting`, `done` or `failed`.
    pub state: String,
    /// JSON of the engine's own.
    pub report: Option<String>,
}

impl std::fmt::Debug for BulkFileRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkFileRow")
            .field("position", &self.position)
            .field("kind", &self.kind)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

const JOBS: &str = "SELECT bulk_jobs.id AS id, connections.id AS connection_id, scope,
    bulk_jobs.state AS state, status_url, transaction_time, detail, bulk_jobs.created_at AS created_at,
    changed_at FROM bulk_jobs JOIN connections ON connections.key = bulk_jobs.connection_key";

impl Store {
    /// A new export.
    ///
    /// # Errors
    /// [`StoreError::StateChanged`] when its connection is gone.
    pub async fn bulk_job_insert(&self, row: &BulkJobRow) -> Result<()> {
        let done = sqlx::query(
            "INSERT INTO bulk_jobs (id, connection_key, scope, state, status_url, transaction_time,
                 detail, created_at, changed_at)
             SELECT ?, key, ?, ?, ?, ?, ?, ?, ? FROM connections WHERE id = ?",
        )
        .bind(&row.id)
        .bind(&row.scope)
        .bind(&row.state)
        .bind(&row.status_url)
        .bind(&row.transaction_time)
        .bind(&row.detail)
        .bind(&row.created_at)
        .bind(&row.changed_at)
        .bind(&row.connection_id)
        .execute(&self.writer)
        .await?;
        one_row(done.rows_affected())
    }

    /// One export.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn bulk_job_get(&self, id: &str) -> Result<Option<BulkJobRow>> {
        let sql = sqlx::AssertSqlSafe(format!("{JOBS} WHERE bulk_jobs.id = ?"));
        let row = sqlx::query_as(sql).bind(id);
        Ok(row.fetch_optional(&self.readers).await?)
    }

    /// The exports of one connection or of all, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn bulk_jobs_list(&self, connection_id: Option<&str>) -> Result<Vec<BulkJobRow>> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{JOBS} WHERE ?1 IS NULL OR connections.id = ?1 ORDER BY bulk_jobs.key DESC"
        ));
        let rows = sqlx::query_as(sql).bind(connection_id);
        Ok(rows.fetch_all(&self.readers).await?)
    }

    /// The last export of this scope that was done wholly.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn bulk_job_last(
        &self,
        connection_id: &str,
        scope: &str,
    ) -> Result<Option<BulkJobRow>> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{JOBS} WHERE connections.id = ? AND scope = ? AND bulk_jobs.state = 'done'
             ORDER BY bulk_jobs.key DESC LIMIT 1"
        ));
        let row = sqlx::query_as(sql).bind(connection_id).bind(scope);
        Ok(row.fetch_optional(&self.readers).await?)
    }

    /// An export moved on.
    ///
    /// # Errors
    /// [`StoreError::StateChanged`] when it is gone or was cancelled in between.
    pub async fn bulk_job_update(&self, row: &BulkJobRow) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        update(&mut transaction, row).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// An export, or a part of one, is at its end: its files are forgotten with their addresses, in the
    /// same transaction.
    ///
    /// # Errors
    /// [`StoreError::StateChanged`] when it is gone.
    pub async fn bulk_job_end(&self, row: &BulkJobRow) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        update(&mut transaction, row).await?;
        sqlx::query(
            "DELETE FROM bulk_files WHERE job_key = (SELECT key FROM bulk_jobs WHERE id = ?)",
        )
        .bind(&row.id)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The server was told that it is not needed any more: where it was is forgotten.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn bulk_job_forget(&self, id: &str) -> Result<()> {
        sqlx::query("UPDATE bulk_jobs SET status_url = NULL WHERE id = ?")
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// The export moved on, and these are files of it; one that is known keeps its state and report.
    ///
    /// # Errors
    /// [`StoreError::StateChanged`] when the export is gone.
    pub async fn bulk_files_put(&self, job: &BulkJobRow, files: &[BulkFileRow]) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        update(&mut transaction, job).await?;
        for chunk in files.chunks(500) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "INSERT INTO bulk_files (job_key, position, kind, resource_type, url, expected, state) ",
            );
            query.push_values(chunk, |mut values, file| {
                values
                    .push("(SELECT key FROM bulk_jobs WHERE id = ")
                    .push_bind_unseparated(job.id.clone())
                    .push_unseparated(")")
                    .push_bind(file.position)
                    .push_bind(file.kind.clone())
                    .push_bind(file.resource_type.clone())
                    .push_bind(file.url.clone())
                    .push_bind(file.expected)
                    .push_bind(file.state.clone());
            });
            query.push(
                " ON CONFLICT (job_key, position) DO UPDATE SET url = excluded.url,
                 expected = excluded.expected",
            );
            query.build().execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The files of an export, in order.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn bulk_files_get(&self, job_id: &str) -> Result<Vec<BulkFileRow>> {
        let rows = sqlx::query_as(
            "SELECT position, kind, resource_type, url, expected, bulk_files.state AS state, report
             FROM bulk_files JOIN bulk_jobs ON bulk_jobs.key = job_key
             WHERE bulk_jobs.id = ? ORDER BY position",
        );
        Ok(rows.bind(job_id).fetch_all(&self.readers).await?)
    }

    /// A file is at its end: `done` or `failed`.
    ///
    /// # Errors
    /// [`StoreError::StateChanged`] when it is gone.
    pub async fn bulk_file_finish(
        &self,
        job_id: &str,
        position: i64,
        state: &str,
        report: &str,
    ) -> Result<()> {
        let done = sqlx::query(
            "UPDATE bulk_files SET state = ?, report = ?
             WHERE job_key = (SELECT key FROM bulk_jobs WHERE id = ?) AND position = ?",
        )
        .bind(state)
        .bind(report)
        .bind(job_id)
        .bind(position)
        .execute(&self.writer)
        .await?;
        one_row(done.rows_affected())
    }
}

async fn update(transaction: &mut Transaction<'_, Sqlite>, row: &BulkJobRow) -> Result<()> {
    let done = sqlx::query(
        "UPDATE bulk_jobs SET state = ?, status_url = ?, transaction_time = ?, detail = ?,
             changed_at = ? WHERE id = ? AND state <> 'cancelled'",
    )
    .bind(&row.state)
    .bind(&row.status_url)
    .bind(&row.transaction_time)
    .bind(&row.detail)
    .bind(&row.changed_at)
    .bind(&row.id)
    .execute(&mut **transaction)
    .await?;
    one_row(done.rows_affected())
}

fn one_row(affected: u64) -> Result<()> {
    if affected == 1 {
        Ok(())
    } else {
        Err(StoreError::StateChanged)
    }
}
