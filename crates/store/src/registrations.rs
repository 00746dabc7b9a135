//! Registrations: one per server and role. The secret itself is in the keychain.

use crate::error::{Result, StoreError};
use crate::open::Store;
use crate::rows::ClientRow;
use sqlx::Row;

impl Store {
    /// The registration with a server in a role.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn registration_get(&self, fhir_base: &str, role: &str) -> Result<Option<ClientRow>> {
        let row = sqlx::query(
            "SELECT client_id, auth_method, redirect_uris, key_name, key_alg, secret_expires_at,
                 registration_client_uri, created_at
             FROM registrations WHERE fhir_base = ? AND role = ?",
        )
        .bind(fhir_base)
        .bind(role)
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let redirect_uris: String = row.try_get("redirect_uris")?;
        Ok(Some(ClientRow {
            fhir_base: fhir_base.to_owned(),
            role: role.to_owned(),
            client_id: row.try_get("client_id")?,
            auth_method: row.try_get("auth_method")?,
            redirect_uris: serde_json::from_str(&redirect_uris)
                .map_err(|error| StoreError::Corrupt(error.to_string()))?,
            key_name: row.try_get("key_name")?,
            key_alg: row.try_get("key_alg")?,
            secret_expires_at: row.try_get("secret_expires_at")?,
            registration_client_uri: row.try_get("registration_client_uri")?,
            created_at: row.try_get("created_at")?,
        }))
    }

    /// Keeps a registration; an older one of the same server and role is replaced.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn registration_put(&self, row: &ClientRow) -> Result<()> {
        let redirect_uris = serde_json::to_string(&row.redirect_uris)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        sqlx::query(
            "INSERT OR REPLACE INTO registrations (fhir_base, role, client_id, auth_method,
                 redirect_uris, key_name, key_alg, secret_expires_at, registration_client_uri,
                 created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Forgets a registration.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn registration_delete(&self, fhir_base: &str, role: &str) -> Result<()> {
        sqlx::query("DELETE FROM registrations WHERE fhir_base = ? AND role = ?")
            .bind(fhir_base)
            .bind(role)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}
