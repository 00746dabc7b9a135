//! What a source changed, and what it no longer gives.

use crate::bound::as_json;
use crate::error::Result;
use crate::open::Store;
use crate::pack::unpack;
use crate::read::COLUMNS;
use crate::rows::{RecordRow, RecordVersionRow};
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

    /// Marks those of the given `(type, id)` that are stored: their source says that it deleted them.
    /// They are kept. Gives how many were marked.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file; then none is marked.
    pub async fn records_withdraw(
        &self,
        connection_id: &str,
        deleted: &[(String, String)],
        at: &str,
    ) -> Result<u64> {
        let sql = "UPDATE records SET withdrawn_at = ?3
             WHERE connection_key = (SELECT key FROM connections WHERE id = ?1)
               AND (resource_type, id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?2))
               AND withdrawn_at IS NULL";
        let done = sqlx::query(sql)
            .bind(connection_id)
            .bind(as_json(deleted)?)
            .bind(at)
            .execute(&self.writer)
            .await?;
        Ok(done.rows_affected())
    }

    /// The highest key of a record: those that come after it were not there before.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn last_record_key(&self) -> Result<i64> {
        let sql = "SELECT coalesce(max(key), 0) FROM records";
        Ok(sqlx::query_scalar(sql).fetch_one(&self.readers).await?)
    }

    /// Records of a connection that came after `key` ([`Store::last_record_key`]), newest date first.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn records_after(
        &self,
        connection_id: &str,
        key: i64,
        limit: u32,
    ) -> Result<Vec<RecordRow>> {
        self.records_where("records.key > ?2", connection_id, key, limit)
            .await
    }

    /// Records of a connection that their source replaced at or after `since` (RFC 3339, UTC).
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn records_replaced(
        &self,
        connection_id: &str,
        since: &str,
        limit: u32,
    ) -> Result<Vec<RecordRow>> {
        let replaced =
            "records.key IN (SELECT record_key FROM record_versions WHERE replaced_at >= ?2)";
        self.records_where(replaced, connection_id, since.to_owned(), limit)
            .await
    }

    /// Records of a connection that were found missing at or after `since` (RFC 3339, UTC).
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn records_withdrawn(
        &self,
        connection_id: &str,
        since: &str,
        limit: u32,
    ) -> Result<Vec<RecordRow>> {
        self.records_where("withdrawn_at >= ?2", connection_id, since.to_owned(), limit)
            .await
    }

    /// Records of a connection, newest date first; `condition` is ours, and has `value` as `?2`.
    async fn records_where<T>(
        &self,
        condition: &str,
        connection_id: &str,
        value: T,
        limit: u32,
    ) -> Result<Vec<RecordRow>>
    where
        T: for<'q> sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + Send + 'static,
    {
        let sql = format!(
            "{COLUMNS} FROM records JOIN connections ON connections.key = records.connection_key
             WHERE connections.id = ?1 AND {condition}
             ORDER BY date_sort DESC, records.key LIMIT ?3"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(connection_id)
            .bind(value)
            .bind(limit)
            .fetch_all(&self.readers)
            .await?)
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
