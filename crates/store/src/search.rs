//! Full-text search. What a person types is never FTS5 syntax: each word becomes a quoted prefix.

use crate::bound::as_json;
use crate::error::Result;
use crate::open::Store;
use crate::pack::unpack;
use crate::read::COLUMNS;
use crate::rows::{RecordFilter, RecordRow, SearchHit};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};
use std::collections::{HashMap, HashSet};

/// Words beyond this many are ignored.
const WORDS: usize = 16;
/// The index of records, and what a match in title and text weighs.
const OWN: (&str, &str) = ("records_fts", "8.0, 1.0");
/// The index of documents' contents: of the same weights, a word inside of a document weighing less.
const INSIDE: (&str, &str) = ("attachments_fts", "8.0, 1.0, 0.5");

/// Up to so many matches are ranked by how well they match. What matches more records than that is too
/// general to be told apart by its words: then titles come first, and the newest of them.
const FEW: i64 = 500;

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
        filter: &RecordFilter,
        limit: u64,
    ) -> Result<Vec<SearchHit>> {
        let (Some(begun), Some(whole)) = (expression_of_records(words), expression_of_words(words))
        else {
            return Ok(Vec::new());
        };
        let expressions = (begun.as_str(), whole.as_str());
        let own = self.matches(OWN, expressions, filter, limit);
        let inside = self.matches(INSIDE, expressions, filter, limit);
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
        let keys: Vec<i64> = found.iter().map(|(one, _)| one.key).collect();
        let mut texts = self.json_of(&keys).await?;
        let hits = found.into_iter().map(|(one, in_document)| SearchHit {
            json: texts.remove(&one.key).unwrap_or_default(),
            row: one.row,
            in_document,
        });
        Ok(hits.collect())
    }

    /// The JSON of these records, byte for byte.
    async fn json_of(&self, keys: &[i64]) -> Result<HashMap<i64, String>> {
        let keys = as_json(keys)?;
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT records.key, records.json FROM json_each(?) AS wanted
             CROSS JOIN records ON records.key = wanted.value",
        )
        .bind(keys)
        .fetch_all(&self.readers)
        .await?;
        let unpacked = rows.into_iter().map(|(key, json)| Ok((key, unpack(json)?)));
        unpacked.collect()
    }

    /// How many records match, as far as it matters.
    async fn is_general(&self, index: &str, expression: String) -> Result<bool> {
        let counted = format!(
            "SELECT count(*) FROM (SELECT 1 FROM {index} WHERE {index} MATCH ?1 LIMIT {FEW} + 1)"
        );
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(counted))
            .bind(expression)
            .fetch_one(&self.readers)
            .await?;
        Ok(count > FEW)
    }

    async fn matches(
        &self,
        (index, weights): (&str, &str),
        (begun, whole): (&str, &str),
        filter: &RecordFilter,
        limit: u64,
    ) -> Result<Vec<Match>> {
        let sections = match filter.sections.as_slice() {
            [] => None,
            some => Some(as_json(some)?),
        };
        let sections = sections.as_deref();
        let ask = |sql: String, expression: String| async move {
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(expression)
                .bind(filter.connection_id.as_deref())
                .bind(i64::try_from(limit).unwrap_or(i64::MAX))
                .bind(filter.resource_type.as_deref())
                .bind(sections)
                .fetch_all(&self.readers)
                .await?;
            rows.iter().map(match_of).collect::<Result<Vec<Match>>>()
        };
        let (titled, whole) = (format!("title : ({begun})"), format!("title : ({whole})"));
        // Whole words are found without looking at all that begin so.
        if self.is_general(index, whole.clone()).await? {
            let found = ask(newest(index, -1000.0), whole).await?;
            if found.len() as u64 >= limit {
                return Ok(found);
            }
        }
        if !self.is_general(index, begun.to_owned()).await? {
            return ask(ranked(index, weights), begun.to_owned()).await;
        }
        let mut found = ask(newest(index, -1000.0), titled).await?;
        if (found.len() as u64) < limit {
            let known: HashSet<i64> = found.iter().map(|one| one.key).collect();
            let others = ask(newest(index, 0.0), begun.to_owned()).await?;
            found.extend(others.into_iter().filter(|one| !known.contains(&one.key)));
        }
        Ok(found)
    }
}

fn ranked(index: &str, weights: &str) -> String {
    format!(
        "{COLUMNS}, records.key AS key, bm25({index}, {weights}) AS rank FROM {index}
         JOIN records ON records.key = {index}.rowid
         JOIN connections ON connections.key = records.connection_key
         WHERE {index} MATCH ?1 AND (?2 IS NULL OR connections.id = ?2)
           AND (?4 IS NULL OR resource_type = ?4)
           AND (?5 IS NULL OR records.section IN (SELECT value FROM json_each(?5)))
         ORDER BY rank, date_sort DESC LIMIT ?3"
    )
}

/// The newest of those that came last.
fn newest(index: &str, rank: f64) -> String {
    format!(
        "WITH came AS MATERIALIZED (
             SELECT {index}.rowid AS key FROM {index}
             WHERE {index} MATCH ?1 AND (coalesce(?2, ?4, ?5) IS NULL OR EXISTS (
                 SELECT 1 FROM records WHERE records.key = {index}.rowid
                   AND (?2 IS NULL OR connection_key = (SELECT key FROM connections WHERE id = ?2))
                   AND (?4 IS NULL OR resource_type = ?4)
                   AND (?5 IS NULL OR section IN (SELECT value FROM json_each(?5)))))
             ORDER BY {index}.rowid DESC LIMIT {FEW}
         )
         {COLUMNS}, records.key AS key, {rank:?} AS rank FROM came
         JOIN records ON records.key = came.key
         JOIN connections ON connections.key = records.connection_key
         ORDER BY date_sort DESC LIMIT ?3"
    )
}

fn match_of(row: &SqliteRow) -> Result<Match> {
    Ok(Match {
        key: row.try_get("key")?,
        rank: row.try_get("rank")?,
        row: RecordRow::from_row(row)?,
    })
}

/// Every word begins a word of what is searched.
pub(crate) fn expression_of(words: &str) -> Option<String> {
    expression(words, |word| format!("\"{word}\"*"))
}

/// The same of records, of which there are many: a single letter is a word of its own, as in "vitamin D".
/// As a beginning it would find nearly everything, and take long to.
fn expression_of_records(words: &str) -> Option<String> {
    expression(words, |word| match word.len() {
        1 => format!("\"{word}\""),
        _ => format!("\"{word}\"*"),
    })
}

/// Every word stands in what is searched, as it is.
pub(crate) fn expression_of_words(words: &str) -> Option<String> {
    expression(words, |word| format!("\"{word}\""))
}

fn expression(words: &str, quoted: impl Fn(&str) -> String) -> Option<String> {
    let quoted: Vec<String> = words
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(WORDS)
        .map(quoted)
        .collect();
    (!quoted.is_empty()).then(|| quoted.join(" "))
}

#[cfg(test)]
mod tests {
    use super::{expression_of, expression_of_records};

    #[test]
    fn what_is_typed_is_never_syntax() {
        assert_eq!(
            expression_of("a1c AND \"x*").as_deref(),
            Some("\"a1c\"* \"AND\"* \"x\"*")
        );
        assert_eq!(
            expression_of_records("vitamin d").as_deref(),
            Some("\"vitamin\"* \"d\"")
        );
        assert_eq!(expression_of(" *()\"^- "), None);
        assert_eq!(expression_of("😀"), None);
    }
}
