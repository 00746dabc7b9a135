//! One measurement over time: the observations that measure the same thing as a given one.

use crate::error::Result;
use crate::facts::Identity;
use crate::open::Store;
use crate::pack::unpack;
use crate::read::COLUMNS;
use crate::rows::RecordRow;
use crate::search::expression_of_words;
use sqlx::{FromRow, Row};

impl Store {
    /// The observations of these connections with the code of the given one, or with its title where it has
    /// no code, with their JSON; the newest `limit` of those that are dated and that their source still
    /// gives. The full-text index finds them, so that no list has to be read for a few.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn measurements_like(
        &self,
        connections: &[String],
        record: Identity<'_>,
        limit: u64,
    ) -> Result<Vec<(RecordRow, String)>> {
        let (connection_id, resource_type, id) = record;
        let Some((given, _)) = self.record_get(connection_id, resource_type, id).await? else {
            return Ok(Vec::new());
        };
        // The code stands in the text that is indexed; its system does not.
        let code = given
            .code
            .as_deref()
            .map(|code| match code.rsplit_once('|') {
                Some((_, code)) => code,
                None => code,
            });
        let Some(expression) = expression_of_words(code.unwrap_or(&given.title)) else {
            return Ok(Vec::new());
        };
        let sql = format!(
            "{COLUMNS}, records.json AS json FROM records_fts
             JOIN records ON records.key = records_fts.rowid
             JOIN connections ON connections.key = records.connection_key
             WHERE records_fts MATCH ?1
               AND resource_type = 'Observation'
               AND connections.id IN (SELECT value FROM json_each(?2))
               AND CASE WHEN ?3 IS NULL THEN code IS NULL AND records.title = ?4 ELSE code = ?3 END
               AND date_sort IS NOT NULL AND withdrawn_at IS NULL
             ORDER BY date_sort DESC, records.key LIMIT ?5"
        );
        let ids = serde_json::Value::from(connections).to_string();
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(expression)
            .bind(ids)
            .bind(&given.code)
            .bind(&given.title)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.readers)
            .await?;
        rows.iter()
            .map(|row| {
                let json = unpack(row.try_get("json")?)?;
                Ok((RecordRow::from_row(row)?, json))
            })
            .collect()
    }
}
