//! A name that a record gets from another one.

use crate::error::Result;
use crate::open::Store;

impl Store {
    /// Ids of the records of a type that have this title.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn records_titled(
        &self,
        connection_id: &str,
        resource_type: &str,
        title: &str,
    ) -> Result<Vec<String>> {
        Ok(sqlx::query_scalar(
            "SELECT id FROM records
             WHERE connection_key = (SELECT key FROM connections WHERE id = ?)
               AND resource_type = ? AND title = ?",
        )
        .bind(connection_id)
        .bind(resource_type)
        .bind(title)
        .fetch_all(&self.readers)
        .await?)
    }

    /// Gives a stored record a title, and the words to find it by. Its JSON stays as it was received.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn record_name(
        &self,
        connection_id: &str,
        (resource_type, id): (&str, &str),
        title: &str,
        text: &str,
    ) -> Result<()> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let key: Option<i64> = sqlx::query_scalar(
            "UPDATE records SET title = ?
             WHERE connection_key = (SELECT key FROM connections WHERE id = ?)
               AND resource_type = ? AND id = ? RETURNING key",
        )
        .bind(title)
        .bind(connection_id)
        .bind(resource_type)
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(key) = key {
            sqlx::query("DELETE FROM records_fts WHERE rowid = ?")
                .bind(key)
                .execute(&mut *transaction)
                .await?;
            sqlx::query("INSERT INTO records_fts (rowid, title, body) VALUES (?, ?, ?)")
                .bind(key)
                .bind(title)
                .bind(text)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
