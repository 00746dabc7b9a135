//! Up to when each step of a sync is complete.

use crate::error::Result;
use crate::open::Store;

/// The mark of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct SyncMarkRow {
    /// Search or read of the plan.
    pub step_key: String,
    /// Hash of what was asked with which scopes.
    pub asked: String,
    /// When the first page of the last complete run came, by the server's clock, RFC 3339.
    pub since: String,
    /// When everything was last asked for, RFC 3339.
    pub whole_at: String,
    /// Records found since then.
    pub found: i64,
}

impl Store {
    /// The marks of a connection.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn sync_marks_get(&self, connection_id: &str) -> Result<Vec<SyncMarkRow>> {
        Ok(sqlx::query_as(
            "SELECT step_key, asked, since, whole_at, found FROM sync_marks
             WHERE connection_key = (SELECT key FROM connections WHERE id = ?)",
        )
        .bind(connection_id)
        .fetch_all(&self.readers)
        .await?)
    }

    /// Sets the mark of a step.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn sync_mark_put(&self, connection_id: &str, mark: &SyncMarkRow) -> Result<()> {
        sqlx::query(
            "INSERT OR REPLACE INTO sync_marks (connection_key, step_key, asked, since, whole_at, found)
             SELECT key, ?, ?, ?, ?, ? FROM connections WHERE id = ?",
        )
        .bind(&mark.step_key)
        .bind(&mark.asked)
        .bind(&mark.since)
        .bind(&mark.whole_at)
        .bind(mark.found)
        .bind(connection_id)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Removes the mark of a step, if it has one.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn sync_mark_remove(&self, connection_id: &str, step_key: &str) -> Result<()> {
        sqlx::query(
            "DELETE FROM sync_marks WHERE step_key = ?
             AND connection_key = (SELECT key FROM connections WHERE id = ?)",
        )
        .bind(step_key)
        .bind(connection_id)
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}
