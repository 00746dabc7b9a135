//! When each source is synced by itself, and how the last attempt went.

use crate::error::Result;
use crate::open::Store;

/// The schedule of one connection. A connection without a row has the default of each column.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct ScheduleRow {
    /// Which connection.
    pub connection_id: String,
    /// How often, as the person chose; none where they chose nothing.
    pub every: Option<String>,
    /// When the last attempt ended, RFC 3339.
    pub attempted_at: Option<String>,
    /// How many attempts failed in a row.
    pub failures: i64,
    /// Seconds that the server asked to wait after the last attempt.
    pub asked_to_wait: i64,
}

impl Store {
    /// The schedules that were chosen or followed once.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn schedules_list(&self) -> Result<Vec<ScheduleRow>> {
        Ok(sqlx::query_as(
            "SELECT id AS connection_id, every, attempted_at, failures, asked_to_wait
             FROM schedules JOIN connections ON connections.key = connection_key",
        )
        .fetch_all(&self.readers)
        .await?)
    }

    /// How often a connection is synced by itself.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn schedule_choose(&self, connection_id: &str, every: &str) -> Result<()> {
        sqlx::query(
            "INSERT INTO schedules (connection_key, every)
             SELECT key, ? FROM connections WHERE id = ?
             ON CONFLICT (connection_key) DO UPDATE SET every = excluded.every",
        )
        .bind(every)
        .bind(connection_id)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// An attempt ended. `failed` counts one more failure in a row, or begins anew.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn schedule_attempted(
        &self,
        connection_id: &str,
        at: &str,
        failed: bool,
        asked_to_wait: i64,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO schedules (connection_key, attempted_at, failures, asked_to_wait)
             SELECT key, ?, ?, ? FROM connections WHERE id = ?
             ON CONFLICT (connection_key) DO UPDATE SET attempted_at = excluded.attempted_at,
                 failures = iif(excluded.failures, failures + 1, 0),
                 asked_to_wait = excluded.asked_to_wait",
        )
        .bind(at)
        .bind(i64::from(failed))
        .bind(asked_to_wait)
        .bind(connection_id)
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}
