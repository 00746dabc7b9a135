//! Full-text search. What a person types is never FTS5 syntax: each word becomes a quoted prefix.

use crate::error::Result;
use crate::open::Store;
use crate::read::COLUMNS;
use crate::rows::SearchHit;

/// Words beyond this many are ignored.
const WORDS: usize = 16;

impl Store {
    /// Records in which every word begins a word of the title or text; a match in the title weighs
    /// more. An empty search finds nothing.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file; never because of what was typed.
    pub async fn search(
        &self,
        words: &str,
        connection_id: Option<&str>,
        limit: u64,
    ) -> Result<Vec<SearchHit>> {
        let Some(expression) = expression_of(words) else {
            return Ok(Vec::new());
        };
        let sql = format!(
            "{COLUMNS} FROM records_fts
             JOIN records ON records.key = records_fts.rowid
             JOIN connections ON connections.key = records.connection_key
             WHERE records_fts MATCH ?1 AND (?2 IS NULL OR connections.id = ?2)
             ORDER BY bm25(records_fts, 8.0, 1.0), date_sort DESC LIMIT ?3"
        );
        let rows = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(expression)
            .bind(connection_id)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.readers)
            .await?;
        Ok(rows.into_iter().map(|row| SearchHit { row }).collect())
    }
}

pub(crate) fn expression_of(words: &str) -> Option<String> {
    let quoted: Vec<String> = words
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(WORDS)
        .map(|word| format!("\"{word}\"*"))
        .collect();
    (!quoted.is_empty()).then(|| quoted.join(" "))
}

#[cfg(test)]
mod tests {
    use super::expression_of;

    #[test]
    fn what_is_typed_is_never_syntax() {
        assert_eq!(
            expression_of("a1c AND \"x*").as_deref(),
            Some("\"a1c\"* \"AND\"* \"x\"*")
        );
        assert_eq!(expression_of(" *()\"^- "), None);
        assert_eq!(expression_of("😀"), None);
    }
}
