//! What was fetched from where: for the person, without a word about anybody's health.

use crate::error::Result;
use crate::open::Store;

/// Entries that are kept; older ones go.
const KEPT: i64 = 10_000;

/// One entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct AccessLogRow {
    /// When it ended, RFC 3339.
    pub at: String,
    /// At which server.
    pub fhir_base: String,
    /// As whom: patient, provider or backend.
    pub role: String,
    /// sign_in, sync or remove.
    pub what: String,
    /// JSON: FHIR type to number of records received.
    pub types: String,
    /// Records received in all.
    pub records: i64,
    /// Code of what stopped it.
    pub problem: Option<String>,
}

impl Store {
    /// Adds an entry; the oldest go beyond ten thousand.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn access_log_add(&self, entry: &AccessLogRow) -> Result<()> {
        sqlx::query(
            "INSERT INTO access_log (at, fhir_base, role, what, types, records, problem)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&entry.at)
        .bind(&entry.fhir_base)
        .bind(&entry.role)
        .bind(&entry.what)
        .bind(&entry.types)
        .bind(entry.records)
        .bind(&entry.problem)
        .execute(&self.writer)
        .await?;
        sqlx::query("DELETE FROM access_log WHERE key <= (SELECT max(key) FROM access_log) - ?")
            .bind(KEPT)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// The last entries, newest first.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn access_log_get(&self, limit: u32) -> Result<Vec<AccessLogRow>> {
        Ok(sqlx::query_as(
            "SELECT at, fhir_base, role, what, types, records, problem FROM access_log
             ORDER BY key DESC LIMIT ?",
        )
        .bind(limit)
        .fetch_all(&self.readers)
        .await?)
    }

    /// Forgets all entries.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn access_log_clear(&self) -> Result<()> {
        sqlx::query("DELETE FROM access_log")
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}
