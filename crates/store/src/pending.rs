//! Pending logins: put once, taken once.

use crate::error::{Result, StoreError};
use crate::open::Store;
use crate::rows::PendingRow;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use zeroize::Zeroizing;

impl Store {
    /// Keeps a login that waits for its answer.
    ///
    /// # Errors
    /// [`StoreError::StateChanged`] when its connection is not there.
    pub async fn pending_put(&self, row: &PendingRow) -> Result<()> {
        let done = sqlx::query(
            "INSERT INTO pending_logins (state_hash, connection_key, created_at, expires_at,
                 authorization_url, payload)
             SELECT ?, key, ?, ?, ?, ? FROM connections WHERE id = ?",
        )
        .bind(&row.state_hash)
        .bind(&row.created_at)
        .bind(&row.expires_at)
        .bind(row.authorization_url.as_str())
        .bind(row.payload.as_str())
        .bind(&row.connection_id)
        .execute(&self.writer)
        .await?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(StoreError::StateChanged)
        }
    }

    /// Takes a pending login out: whoever asks second gets nothing.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn pending_take(&self, state_hash: &str) -> Result<Option<PendingRow>> {
        let row = sqlx::query(
            "DELETE FROM pending_logins WHERE state_hash = ?
             RETURNING state_hash, (SELECT id FROM connections WHERE key = connection_key),
                 created_at, expires_at, authorization_url, payload",
        )
        .bind(state_hash)
        .fetch_optional(&self.writer)
        .await?;
        row.map(|row| read(&row)).transpose()
    }

    /// The pending login of a connection, left where it is.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn pending_for_connection(&self, connection_id: &str) -> Result<Option<PendingRow>> {
        let row = sqlx::query(
            "SELECT state_hash, id, pending_logins.created_at, expires_at, authorization_url, payload
             FROM pending_logins JOIN connections ON connections.key = connection_key
             WHERE id = ? ORDER BY pending_logins.created_at DESC LIMIT 1",
        )
        .bind(connection_id)
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| read(&row)).transpose()
    }

    /// Gives the pending logins of a connection up.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn pending_delete_for_connection(&self, connection_id: &str) -> Result<()> {
        sqlx::query(
            "DELETE FROM pending_logins
             WHERE connection_key = (SELECT key FROM connections WHERE id = ?)",
        )
        .bind(connection_id)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Removes what has lapsed at `now` (RFC 3339, UTC); gives the connections concerned.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn pending_expire(&self, now: &str) -> Result<Vec<String>> {
        Ok(sqlx::query_scalar(
            "DELETE FROM pending_logins WHERE unixepoch(expires_at) <= unixepoch(?)
             RETURNING (SELECT id FROM connections WHERE key = connection_key)",
        )
        .bind(now)
        .fetch_all(&self.writer)
        .await?)
    }
}

fn read(row: &SqliteRow) -> Result<PendingRow> {
    Ok(PendingRow {
        state_hash: row.try_get(0)?,
        connection_id: row.try_get(1)?,
        created_at: row.try_get(2)?,
        expires_at: row.try_get(3)?,
        authorization_url: Zeroizing::new(row.try_get(4)?),
        payload: Zeroizing::new(row.try_get(5)?),
    })
}
