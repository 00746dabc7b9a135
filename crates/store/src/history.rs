//! What a source changed, and what it no longer gives.

use crate::error::Result;
use crate::open::Store;
use crate::pack::unpack;
use crate::rows::RecordVersionRow;
use std::collections::HashSet;

impl Store {
    /// Marks the records of a type that a source no longer gives: those that are in none of its pages
    /// (`given`: [`crate::SavedPage::keys`] of all of them). They are kept. Gives how many were marked.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file; then none is marked.
    pub async fn withdraw_all_but(
        &self,
        connection_id: &str,
        resource_type: &str,
        given: &HashSet<i64>,
        at: &str,
    ) -> Result<u64> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let there: Vec<i64> = sqlx::query_scalar(
            "SELECT key FROM records WHERE withdrawn_at IS NULL AND resource_type = ?
             AND connection_key = (SELECT key FROM connections WHERE id = ?)",
        )
        .bind(resource_type)
        .bind(connection_id)
        .fetch_all(&mut *transaction)
        .await?;
        let mut marked = 0;
        for key in there.iter().filter(|key| !given.contains(key)) {
            sqlx::query("UPDATE records SET withdrawn_at = ? WHERE key = ?")
                .bind(at)
                .bind(key)
                .execute(&mut *transaction)
                .await?;
            marked += 1;
        }
        transaction.commit().await?;
        Ok(marked)
    }

    /// The earlier versions of a record, the latest first.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn record_versions(
        &self,
        connection_id: &str,
        resource_type: &str,
        id: &str,
    ) -> Result<Vec<RecordVersionRow>> {
        type Stored = (Option<String>, Option<String>, String, String, Vec<u8>);
        let rows: Vec<Stored> = sqlx::query_as(
            "SELECT old.version_id, old.last_updated, old.fetched_at, old.replaced_at, old.json
             FROM record_versions AS old JOIN records ON records.key = old.record_key
             WHERE connection_key = (SELECT key FROM connections WHERE id = ?)
               AND resource_type = ? AND records.id = ? ORDER BY old.key DESC",
        )
        .bind(connection_id)
        .bind(resource_type)
        .bind(id)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(
                |(version_id, last_updated, fetched_at, replaced_at, json)| {
                    Ok(RecordVersionRow {
                        version_id,
                        last_updated,
                        fetched_at,
                        replaced_at,
                        json: unpack(json)?,
                    })
                },
            )
            .collect()
    }
}
