//! The access log: what was done with the person's records, for the person to read.

use crate::error::Result;
use crate::open::Store;

/// An entry of the access log. Holds no value of a record, no identifier and no token.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AccessLogRow {
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Server, as it was named then; none when it was all of them.
    pub server_name: Option<String>,
    /// Its host.
    pub host: Option<String>,
    /// What was done.
    pub act: String,
    /// FHIR types, with commas between.
    pub types: String,
    /// How many records.
    pub records: i64,
    /// `done`, `partly`, or the code of the problem.
    pub outcome: String,
}

impl Store {
    /// Adds an entry, and drops those from before `since`, in one transaction.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn access_log_add(&self, row: &AccessLogRow, since: &str) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM access_log WHERE at < ?")
            .bind(since)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO access_log (at, server_name, host, act, types, records, outcome)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&row.at)
        .bind(&row.server_name)
        .bind(&row.host)
        .bind(&row.act)
        .bind(&row.types)
        .bind(row.records)
        .bind(&row.outcome)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The newest entries from `since` on, newest first.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn access_log_list(&self, since: &str, limit: u32) -> Result<Vec<AccessLogRow>> {
        Ok(sqlx::query_as(
            "SELECT at, server_name, host, act, types, records, outcome FROM access_log
             WHERE at >= ? ORDER BY key DESC LIMIT ?",
        )
        .bind(since)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?)
    }
}
