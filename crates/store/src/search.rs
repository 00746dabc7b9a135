//! Full-text search. What a person types is never FTS5 syntax: each word becomes a quoted prefix.

use crate::error::Result;
use crate::open::Store;
use crate::read::COLUMNS;
use crate::rows::{RecordRow, SearchHit};
use sqlx::{FromRow, Row};
use std::collections::HashSet;

/// Words beyond this many are ignored.
const WORDS: usize = 16;
/// The index of records, and what a match in title and text weighs.
const OWN: (&str, &str) = ("records_fts", "8.0, 1.0");
/// The index of documents' contents: of the same weights, a word inside of a document weighing less.
const INSIDE: (&str, &str) = ("attachments_fts", "8.0, 1.0, 0.5");

/// A record that was found.
struct Match {
    key: i64,
    /// The smaller, the better.
    rank: f64,
    row: RecordRow,
}

impl Store {
    /// Records in which every word begins a word of the title, the text, or of a document of theirs; a
    /// match in the title weighs more, one in a document less. An empty search finds nothing.
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
        let own = self.matches(OWN, &expression, connection_id, limit);
        let inside = self.matches(INSIDE, &expression, connection_id, limit);
        let (own, inside) = futures::try_join!(own, inside)?;
        let known: HashSet<i64> = own.iter().map(|found| found.key).collect();
        let mut found: Vec<(Match, bool)> = own.into_iter().map(|one| (one, false)).collect();
        let others = inside.into_iter().filter(|one| !known.contains(&one.key));
        found.extend(others.map(|one| (one, true)));
        found.sort_by(|(one, _), (other, _)| {
            let by_rank = one.rank.total_cmp(&other.rank);
            by_rank.then_with(|| other.row.date_sort.cmp(&one.row.date_sort))
        });
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let hits = found.into_iter().map(|(one, in_document)| SearchHit {
            row: one.row,
            in_document,
        });
        Ok(hits.collect())
    }

    async fn matches(
        &self,
        (index, weights): (&str, &str),
        expression: &str,
        connection_id: Option<&str>,
        limit: u64,
    ) -> Result<Vec<Match>> {
        let sql = format!(
            "{COLUMNS}, records.key AS key, bm25({index}, {weights}) AS rank FROM {index}
             JOIN records ON records.key = {index}.rowid
             JOIN connections ON connections.key = records.connection_key
             WHERE {index} MATCH ?1 AND (?2 IS NULL OR connections.id = ?2)
             ORDER BY rank, date_sort DESC LIMIT ?3"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(expression.to_owned())
            .bind(connection_id)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.readers)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Match {
                    key: row.try_get("key")?,
                    rank: row.try_get("rank")?,
                    row: RecordRow::from_row(row)?,
                })
            })
            .collect()
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
