//! Settings by name.

use crate::error::Result;
use crate::open::Store;

impl Store {
    /// A setting.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn setting_get(&self, name: &str) -> Result<Option<String>> {
        Ok(
            sqlx::query_scalar("SELECT value FROM settings WHERE name = ?")
                .bind(name)
                .fetch_optional(&self.readers)
                .await?,
        )
    }

    /// Sets a setting.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn setting_set(&self, name: &str, value: &str) -> Result<()> {
        sqlx::query("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)")
            .bind(name)
            .bind(value)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}
