//! The steps of a sync: where each one stands, so that a run that was cut off can go on.

use crate::error::Result;
use crate::open::Store;
use crate::rows::SyncStepRow;

impl Store {
    /// Begins a run: the steps of an earlier one are forgotten.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn sync_steps_begin(
        &self,
        connection_id: &str,
        run_id: &str,
        keys: &[String],
    ) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "DELETE FROM sync_steps
             WHERE connection_key = (SELECT key FROM connections WHERE id = ?)",
        )
        .bind(connection_id)
        .execute(&mut *transaction)
        .await?;
        for (position, key) in (0_i64..).zip(keys) {
            sqlx::query(
                "INSERT INTO sync_steps (connection_key, step_key, run_id, position, state)
                 SELECT key, ?, ?, ?, 'running' FROM connections WHERE id = ?",
            )
            .bind(key)
            .bind(run_id)
            .bind(position)
            .bind(connection_id)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The steps of the last run, in order.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn sync_steps_get(&self, connection_id: &str) -> Result<Vec<SyncStepRow>> {
        Ok(sqlx::query_as(
            "SELECT run_id, step_key, sync_steps.state, cursor, records FROM sync_steps
             JOIN connections ON connections.key = connection_key
             WHERE id = ? ORDER BY position",
        )
        .bind(connection_id)
        .fetch_all(&self.readers)
        .await?)
    }

    /// A step ended: `done` or `failed`.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn sync_step_finish(
        &self,
        connection_id: &str,
        step_key: &str,
        state: &str,
        problem_code: Option<&str>,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE sync_steps SET state = ?, problem_code = ?, cursor = NULL
             WHERE connection_key = (SELECT key FROM connections WHERE id = ?) AND step_key = ?",
        )
        .bind(state)
        .bind(problem_code)
        .bind(connection_id)
        .bind(step_key)
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}
