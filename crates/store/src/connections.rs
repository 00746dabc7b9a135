//! Connections, and the tokens that commit with their state.

use crate::error::{Result, StoreError};
use crate::open::Store;
use crate::rows::{ConnectionRow, TokenRow};
use sqlx::{Row, Sqlite, Transaction};
use zeroize::Zeroizing;

const COLUMNS: &str = "SELECT id, fhir_base, server_name, role, state, state_detail, patient_id,
    fhir_user, created_at, last_synced_at, last_sync, access FROM connections";

impl Store {
    /// Adds a connection.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn connection_insert(&self, row: &ConnectionRow) -> Result<()> {
        sqlx::query(
            "INSERT INTO connections (id, fhir_base, server_name, role, state, state_detail,
                 patient_id, fhir_user, created_at, last_synced_at, last_sync)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&row.id)
        .bind(&row.fhir_base)
        .bind(&row.server_name)
        .bind(&row.role)
        .bind(&row.state)
        .bind(&row.state_detail)
        .bind(&row.patient_id)
        .bind(&row.fhir_user)
        .bind(&row.created_at)
        .bind(&row.last_synced_at)
        .bind(&row.last_sync)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// One connection.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn connection_get(&self, id: &str) -> Result<Option<ConnectionRow>> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE id = ?"));
        Ok(sqlx::query_as(sql)
            .bind(id)
            .fetch_optional(&self.readers)
            .await?)
    }

    /// All connections, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn connections_list(&self) -> Result<Vec<ConnectionRow>> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY key"));
        Ok(sqlx::query_as(sql).fetch_all(&self.readers).await?)
    }

    /// Changes the state, if it is still the expected one.
    ///
    /// # Errors
    /// [`StoreError::StateChanged`] when it is not.
    pub async fn connection_update_state(
        &self,
        id: &str,
        expected: &str,
        new: &str,
        detail: Option<&str>,
    ) -> Result<()> {
        let done = sqlx::query(
            "UPDATE connections SET state = ?, state_detail = ? WHERE id = ? AND state = ?",
        )
        .bind(new)
        .bind(detail)
        .bind(id)
        .bind(expected)
        .execute(&self.writer)
        .await?;
        one_row(done.rows_affected())
    }

    /// Signed in: tokens and state in one transaction.
    ///
    /// # Errors
    /// [`StoreError::StateChanged`] when the state is no longer `expected`; nothing is stored then.
    pub async fn connection_connected(
        &self,
        id: &str,
        expected: &str,
        tokens: &TokenRow,
        patient_id: Option<&str>,
        fhir_user: Option<&str>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let done = sqlx::query(
            "UPDATE connections SET state = 'connected', state_detail = NULL, patient_id = ?,
                 fhir_user = ? WHERE id = ? AND state = ?",
        )
        .bind(patient_id)
        .bind(fhir_user)
        .bind(id)
        .bind(expected)
        .execute(&mut *transaction)
        .await?;
        one_row(done.rows_affected())?;
        put_tokens(&mut transaction, id, tokens).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The stored tokens.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn tokens_get(&self, id: &str) -> Result<Option<TokenRow>> {
        let row = sqlx::query(
            "SELECT access_token, refresh_token, expires_at, scope FROM tokens
             JOIN connections ON connections.key = connection_key WHERE id = ?",
        )
        .bind(id)
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        Ok(Some(TokenRow {
            access_token: Zeroizing::new(row.try_get(0)?),
            refresh_token: row.try_get::<Option<String>, _>(1)?.map(Zeroizing::new),
            expires_at: row.try_get(2)?,
            scope: row.try_get(3)?,
            access: None,
        }))
    }

    /// What is known of the access beside its tokens.
    ///
    /// # Errors
    /// [`StoreError::StateChanged`] when there is no such connection.
    pub async fn connection_access_set(&self, id: &str, access: &str) -> Result<()> {
        let done = sqlx::query("UPDATE connections SET access = ? WHERE id = ?")
            .bind(access)
            .bind(id)
            .execute(&self.writer)
            .await?;
        one_row(done.rows_affected())
    }

    /// New tokens of a connection that stays as it is.
    ///
    /// # Errors
    /// [`StoreError::StateChanged`] when there is no such connection.
    pub async fn tokens_rotate(&self, id: &str, tokens: &TokenRow) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        put_tokens(&mut transaction, id, tokens).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Access has ended: the tokens go, and the state says so, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::StateChanged`] when there is no such connection.
    pub async fn tokens_clear_with_state(
        &self,
        id: &str,
        state: &str,
        detail: Option<&str>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let done = sqlx::query("UPDATE connections SET state = ?, state_detail = ? WHERE id = ?")
            .bind(state)
            .bind(detail)
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        one_row(done.rows_affected())?;
        sqlx::query(
            "DELETE FROM tokens WHERE connection_key = (SELECT key FROM connections WHERE id = ?)",
        )
        .bind(id)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A sync ended. `synced_at` moves only when the server was really read.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn sync_finished(
        &self,
        id: &str,
        synced_at: Option<&str>,
        report: &str,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE connections SET last_synced_at = coalesce(?, last_synced_at), last_sync = ?
             WHERE id = ?",
        )
        .bind(synced_at)
        .bind(report)
        .bind(id)
        .execute(&self.writer)
        .await?;
        // What a sync stored goes from the write-ahead log into the file itself, and to the disk.
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_all(&self.writer)
            .await?;
        Ok(())
    }

    /// Removes a connection with everything that belongs to it, and gives the space back.
    ///
    /// # Errors
    /// [`StoreError`] of the file; then nothing was removed.
    pub async fn connection_remove(&self, id: &str) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        for sql in [
            "DELETE FROM records_fts WHERE rowid IN (SELECT records.key FROM records
             JOIN connections ON connections.key = connection_key WHERE connections.id = ?)",
            "DELETE FROM attachments_fts WHERE rowid IN (SELECT record_key FROM attachments
             JOIN connections ON connections.key = connection_key WHERE connections.id = ?)",
        ] {
            sqlx::query(sql).bind(id).execute(&mut *transaction).await?;
        }
        sqlx::query("DELETE FROM connections WHERE id = ?")
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        // Segments of the search index still hold deleted words until they are merged.
        for sql in [
            "INSERT INTO records_fts (records_fts) VALUES ('optimize')",
            "INSERT INTO attachments_fts (attachments_fts) VALUES ('optimize')",
        ] {
            sqlx::query(sql).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        let mut writer = self.writer.acquire().await?;
        sqlx::query("PRAGMA incremental_vacuum")
            .fetch_all(&mut *writer)
            .await?;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_all(&mut *writer)
            .await?;
        Ok(())
    }
}

fn one_row(affected: u64) -> Result<()> {
    if affected == 1 {
        Ok(())
    } else {
        Err(StoreError::StateChanged)
    }
}

async fn put_tokens(
    transaction: &mut Transaction<'_, Sqlite>,
    id: &str,
    tokens: &TokenRow,
) -> Result<()> {
    let done = sqlx::query(
        "INSERT INTO tokens (connection_key, access_token, refresh_token, expires_at, scope)
         SELECT key, ?, ?, ?, ? FROM connections WHERE id = ?
         ON CONFLICT (connection_key) DO UPDATE SET access_token = excluded.access_token,
             refresh_token = excluded.refresh_token, expires_at = excluded.expires_at,
             scope = excluded.scope",
    )
    .bind(tokens.access_token.as_str())
    .bind(tokens.refresh_token.as_ref().map(|token| token.as_str()))
    .bind(&tokens.expires_at)
    .bind(&tokens.scope)
    .bind(id)
    .execute(&mut **transaction)
    .await?;
    one_row(done.rows_affected())?;
    if let Some(access) = &tokens.access {
        sqlx::query("UPDATE connections SET access = ? WHERE id = ?")
            .bind(access)
            .bind(id)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}
