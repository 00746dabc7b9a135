//! Registrations: one per server and role. The secret itself is in the keychain.

use crate::error::{Result, StoreError};
use crate::open::Store;
use crate::rows::{ClientRow, InstallationRow, LooseRegistrationRow};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

const COLUMNS: &str = "SELECT fhir_base, role, client_id, auth_method, redirect_uris, key_name,
    key_alg, secret_expires_at, registration_client_uri, created_at, origin, registered, unmanaged,
    rotation, secret_since FROM registrations";

const STATIC: &str = "static";
const DYNAMIC: &str = "dynamic";

impl Store {
    /// The registration with a server in a role.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn registration_get(&self, fhir_base: &str, role: &str) -> Result<Option<ClientRow>> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE fhir_base = ? AND role = ?"));
        let row = sqlx::query(sql)
            .bind(fhir_base)
            .bind(role)
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(client_row).transpose()
    }

    /// All registrations.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn registrations_list(&self) -> Result<Vec<ClientRow>> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY created_at"));
        let rows = sqlx::query(sql).fetch_all(&self.readers).await?;
        rows.iter().map(client_row).collect()
    }

    /// Keeps a registration; an older one of the same server and role is replaced, and it hangs in the
    /// air no longer.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn registration_put(&self, row: &ClientRow) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        put(&mut transaction, row).await?;
        if let Some(name) = &row.key_name {
            sqlx::query("DELETE FROM loose_registrations WHERE key_name = ?")
                .bind(name)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets a registration; when it should also be deleted at the server, it is written down as
    /// loose in the same transaction.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn registration_delete(
        &self,
        fhir_base: &str,
        role: &str,
        loose: Option<&LooseRegistrationRow>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM registrations WHERE fhir_base = ? AND role = ?")
            .bind(fhir_base)
            .bind(role)
            .execute(&mut *transaction)
            .await?;
        if let Some(loose) = loose {
            put_loose(&mut transaction, loose).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Writes down that a registration hangs in the air, or how.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn loose_put(&self, row: &LooseRegistrationRow) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        put_loose(&mut transaction, row).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The registrations that hang in the air, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn loose_list(&self) -> Result<Vec<LooseRegistrationRow>> {
        Ok(sqlx::query_as(
            "SELECT key_name, fhir_base, role, client_id, state, since FROM loose_registrations
             ORDER BY since, key_name",
        )
        .fetch_all(&self.readers)
        .await?)
    }

    /// One of them is settled.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn loose_delete(&self, key_name: &str) -> Result<()> {
        sqlx::query("DELETE FROM loose_registrations WHERE key_name = ?")
            .bind(key_name)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// The client of this installation alone, for a connection.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn installation_get(&self, connection_id: &str) -> Result<Option<InstallationRow>> {
        Ok(sqlx::query_as(
            "SELECT client_id, key_name, key_alg, problem_code, installation_clients.created_at
             FROM installation_clients JOIN connections ON connections.key = connection_key
             WHERE id = ?",
        )
        .bind(connection_id)
        .fetch_optional(&self.readers)
        .await?)
    }

    /// Keeps it, in place of an older one.
    ///
    /// # Errors
    /// [`StoreError::StateChanged`] when there is no such connection.
    pub async fn installation_put(&self, connection_id: &str, row: &InstallationRow) -> Result<()> {
        let done = sqlx::query(
            "INSERT OR REPLACE INTO installation_clients (connection_key, client_id, key_name,
                 key_alg, problem_code, created_at)
             SELECT key, ?, ?, ?, ?, ? FROM connections WHERE id = ?",
        )
        .bind(&row.client_id)
        .bind(&row.key_name)
        .bind(&row.key_alg)
        .bind(&row.problem_code)
        .bind(&row.created_at)
        .bind(connection_id)
        .execute(&self.writer)
        .await?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(StoreError::StateChanged)
        }
    }
}

fn client_row(row: &SqliteRow) -> Result<ClientRow> {
    let redirect_uris: String = row.try_get("redirect_uris")?;
    let origin: String = row.try_get("origin")?;
    Ok(ClientRow {
        fhir_base: row.try_get("fhir_base")?,
        role: row.try_get("role")?,
        client_id: row.try_get("client_id")?,
        auth_method: row.try_get("auth_method")?,
        redirect_uris: serde_json::from_str(&redirect_uris)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?,
        key_name: row.try_get("key_name")?,
        key_alg: row.try_get("key_alg")?,
        secret_expires_at: row.try_get("secret_expires_at")?,
        registration_client_uri: row.try_get("registration_client_uri")?,
        created_at: row.try_get("created_at")?,
        is_static: origin == STATIC,
        registered: row.try_get("registered")?,
        unmanaged: row.try_get("unmanaged")?,
        rotation: row.try_get("rotation")?,
        secret_since: row.try_get("secret_since")?,
    })
}

async fn put(transaction: &mut Transaction<'_, Sqlite>, row: &ClientRow) -> Result<()> {
    let redirect_uris = serde_json::to_string(&row.redirect_uris)
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;
    sqlx::query(
        "INSERT OR REPLACE INTO registrations (fhir_base, role, client_id, auth_method,
             redirect_uris, key_name, key_alg, secret_expires_at, registration_client_uri,
             created_at, origin, registered, unmanaged, rotation,
             secret_since)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&row.fhir_base)
    .bind(&row.role)
    .bind(&row.client_id)
    .bind(&row.auth_method)
    .bind(redirect_uris)
    .bind(&row.key_name)
    .bind(&row.key_alg)
    .bind(row.secret_expires_at)
    .bind(&row.registration_client_uri)
    .bind(&row.created_at)
    .bind(if row.is_static { STATIC } else { DYNAMIC })
    .bind(&row.registered)
    .bind(row.unmanaged)
    .bind(&row.rotation)
    .bind(&row.secret_since)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn put_loose(
    transaction: &mut Transaction<'_, Sqlite>,
    row: &LooseRegistrationRow,
) -> Result<()> {
    sqlx::query(
        "INSERT OR REPLACE INTO loose_registrations (key_name, fhir_base, role, client_id, state,
             since)
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(&row.key_name)
    .bind(&row.fhir_base)
    .bind(&row.role)
    .bind(&row.client_id)
    .bind(&row.state)
    .bind(&row.since)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
