//! Documents: which contents a record refers to, their words in the index, and what became of those that
//! are not here. Triggers of the schema note what is to be read once more, in the transaction that stores
//! it, so that neither a crash nor another way in (an export, a file) leaves a document unfindable.

use crate::bound::as_json;
use crate::error::Result;
use crate::open::Store;
use crate::pack::{Packer, unpack};
use crate::page::each_word_once;
use rusqlite::{Transaction, params};

/// A content that a record refers to or holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttachmentIn {
    /// Id of the `Binary` that it is stored as; none when it is in the record itself.
    pub content_id: Option<String>,
    /// It is at the record's server, and can be asked for there.
    pub at_server: bool,
    /// Size as the record states it.
    pub size: Option<u64>,
    /// Changes when the record says something else of it: then it is fetched again.
    pub stated: String,
    /// Its text, where that is dear to read out again.
    pub text: Option<String>,
}

/// What was read of a record that [`Store::records_to_read`] gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentIn {
    /// As it was given.
    pub key: i64,
    /// As it was given.
    pub mark: i64,
    /// Its contents, in their order.
    pub attachments: Vec<AttachmentIn>,
    /// Its own title, when its contents have words.
    pub title: String,
    /// Its own words.
    pub body: String,
    /// The words of its contents; empty when they have none.
    pub words: String,
}

/// A content that is not here.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct MissingRow {
    /// Id of the `Binary`.
    pub id: String,
    /// Title of a record that refers to it.
    pub title: Option<String>,
    /// Size in bytes, as far as it is known.
    pub size: Option<i64>,
    /// waiting, failed, gone, refused, wrong or too_large.
    pub state: String,
    /// How often it was asked for in vain.
    pub tries: i64,
}

const MISSING: &str = "SELECT missing.id, missing.size, missing.state, missing.tries,
     (SELECT records.title FROM attachments JOIN records ON records.key = attachments.record_key
      WHERE attachments.connection_key = missing.connection_key AND content_id = missing.id
      LIMIT 1) AS title
     FROM contents_missing AS missing
     WHERE missing.connection_key = (SELECT key FROM connections WHERE id = ?)";

impl Store {
    /// Writes down what was read of records: their contents, and the words to find them by. One that was
    /// queued again meanwhile stays to be read.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file; then nothing is written.
    pub async fn documents_read(&self, read: Vec<DocumentIn>) -> Result<()> {
        self.write_many(move |transaction| {
            for document in &read {
                let taken = transaction
                    .prepare_cached(
                        "DELETE FROM records_to_read WHERE record_key = ? AND mark = ?",
                    )?
                    .execute([document.key, document.mark])?;
                if taken == 1 {
                    put(transaction, document)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Contents to ask for: those never asked for, those that failed, those that were refused fewer than
    /// `tries` times, those too large that are not larger than `largest`.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn contents_due(
        &self,
        connection_id: &str,
        largest: u64,
        tries: u32,
    ) -> Result<Vec<MissingRow>> {
        let sql = format!(
            "{MISSING} AND (missing.state IN ('waiting', 'failed')
                 OR (missing.state = 'too_large' AND missing.size <= ?)
                 OR (missing.state IN ('gone', 'refused', 'wrong') AND missing.tries < ?))
             ORDER BY missing.id"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(connection_id)
            .bind(as_i64(largest))
            .bind(tries)
            .fetch_all(&self.readers)
            .await?)
    }

    /// What became of a content that is not here.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn content_missing(
        &self,
        connection_id: &str,
        id: &str,
    ) -> Result<Option<MissingRow>> {
        let sql = format!("{MISSING} AND missing.id = ?");
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(connection_id)
            .bind(id)
            .fetch_optional(&self.readers)
            .await?)
    }

    /// These contents are referred to by records that are no documents: asked for like the others, unless
    /// they are here.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn contents_wanted(&self, connection_id: &str, ids: &[String]) -> Result<()> {
        let ids = as_json(ids)?;
        sqlx::query(
            "INSERT OR IGNORE INTO contents_missing (connection_key, id, state)
             SELECT connections.key, wanted.value, 'waiting'
             FROM connections, json_each(?2) AS wanted
             WHERE connections.id = ?1 AND NOT EXISTS (SELECT 1 FROM records
                 WHERE connection_key = connections.key AND resource_type = 'Binary'
                   AND records.id = wanted.value)",
        )
        .bind(connection_id)
        .bind(ids)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// A content could not be had.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn content_failed(
        &self,
        connection_id: &str,
        id: &str,
        state: &str,
        size: Option<u64>,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE contents_missing SET state = ?, size = coalesce(?, size), tries = tries + 1
             WHERE id = ? AND connection_key = (SELECT key FROM connections WHERE id = ?)",
        )
        .bind(state)
        .bind(size.map(as_i64))
        .bind(id)
        .bind(connection_id)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// These contents came; they may be the same as before.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn contents_came(&self, connection_id: &str, ids: &[String]) -> Result<()> {
        let ids = as_json(ids)?;
        sqlx::query(
            "DELETE FROM contents_missing WHERE id IN (SELECT value FROM json_each(?))
               AND connection_key = (SELECT key FROM connections WHERE id = ?)",
        )
        .bind(ids)
        .bind(connection_id)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// The JSON of the records that refer to this content, byte for byte.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn content_owners(&self, connection_id: &str, id: &str) -> Result<Vec<String>> {
        let found: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT json FROM attachments JOIN records ON records.key = attachments.record_key
             WHERE attachments.connection_key = (SELECT key FROM connections WHERE id = ?)
               AND content_id = ?",
        )
        .bind(connection_id)
        .bind(id)
        .fetch_all(&self.readers)
        .await?;
        found.into_iter().map(unpack).collect()
    }

    /// The texts that were kept of a record's contents: position and text.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn attachment_texts(
        &self,
        connection_id: &str,
        resource_type: &str,
        id: &str,
    ) -> Result<Vec<(u32, String)>> {
        let rows: Vec<(u32, Vec<u8>)> = sqlx::query_as(
            "SELECT position, text FROM attachments WHERE text IS NOT NULL AND record_key =
                 (SELECT records.key FROM records JOIN connections ON connections.key = connection_key
                  WHERE connections.id = ? AND resource_type = ? AND records.id = ?)
             ORDER BY position",
        )
        .bind(connection_id)
        .bind(resource_type)
        .bind(id)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|(position, text)| Ok((position, unpack(text)?)))
            .collect()
    }
}

fn put(transaction: &Transaction<'_>, document: &DocumentIn) -> Result<()> {
    for attachment in &document.attachments {
        want(transaction, document.key, attachment)?;
    }
    transaction
        .prepare_cached("DELETE FROM attachments WHERE record_key = ?")?
        .execute([document.key])?;
    for (position, attachment) in (0_i64..).zip(&document.attachments) {
        let text = attachment.text.as_deref();
        transaction
            .prepare_cached(
                "INSERT INTO attachments (record_key, position, connection_key, content_id, stated, text)
                 SELECT key, ?, connection_key, ?, ?, ? FROM records WHERE key = ?",
            )?
            .execute(params![
                position,
                attachment.content_id,
                attachment.stated,
                text.map(|text| Packer::new().pack(text)),
                document.key
            ])?;
    }
    transaction
        .prepare_cached("DELETE FROM attachments_fts WHERE rowid = ?")?
        .execute([document.key])?;
    if !document.words.is_empty() {
        transaction
            .prepare_cached(
                "INSERT INTO attachments_fts (rowid, title, body, document) VALUES (?, ?, ?, ?)",
            )?
            .execute(params![
                document.key,
                document.title,
                each_word_once(&document.body),
                each_word_once(&document.words)
            ])?;
    }
    Ok(())
}

/// A content that is not here is to be fetched; one of which the record now says something else, too.
fn want(transaction: &Transaction<'_>, key: i64, attachment: &AttachmentIn) -> Result<()> {
    let Some(id) = attachment
        .content_id
        .as_ref()
        .filter(|_| attachment.at_server)
    else {
        return Ok(());
    };
    let size = attachment.size.map(as_i64);
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO contents_missing (connection_key, id, size, state)
             SELECT connection_key, content_id, ?, 'waiting' FROM attachments
             WHERE record_key = ? AND content_id = ? AND stated <> ?",
        )?
        .execute(params![size, key, id, attachment.stated])?;
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO contents_missing (connection_key, id, size, state)
             SELECT connection_key, ?2, ?3, 'waiting' FROM records AS owner
             WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM records AS content
                 WHERE content.connection_key = owner.connection_key
                   AND content.resource_type = 'Binary' AND content.id = ?2)",
        )?
        .execute(params![key, id, size])?;
    Ok(())
}

fn as_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
