//! Finding what is stored by its words, with the text around them.

use crate::chart::{stored_filter, summary_view};
use crate::engine::Engine;
use crate::problem::Result;
use crate::summary;
use crate::view::{RecordFilter, SearchHitView, SnippetPart};
use std::collections::{HashMap, HashSet};

/// Characters of text around a match.
const SNIPPET: usize = 140;
/// Stands between two elements in the text that is searched (summary/text.rs).
const SEPARATOR: &str = " · ";

impl Engine {
    /// Full-text search among the records of `filter`: every word must begin a word of the record or of its
    /// documents. `limit` is at most 200.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn search(
        &self,
        words: &str,
        filter: &RecordFilter,
        limit: u64,
    ) -> Result<Vec<SearchHitView>> {
        let hits = self
            .inner
            .store
            .search(words, &stored_filter(filter), limit.min(200))
            .await?;
        let names = self.server_names().await?;
        let mut patients = HashMap::new();
        let mut views = Vec::with_capacity(hits.len());
        for hit in hits {
            let text = summary::of(&hit.row.resource_type, &hit.json).text;
            let mut text = for_reading(&text, &hit.row.title, words);
            let in_document = hit.in_document;
            let record = summary_view(hit.row, &names);
            if in_document {
                text = self.words_inside(&record.key).await?;
            }
            views.push(SearchHitView {
                snippet: snippet(&text, words),
                patient_name: self
                    .patient_name_of(&record.key.connection_id, &mut patients)
                    .await?,
                record,
                in_document,
            });
        }
        Ok(views)
    }

    /// Whose records a connection holds, asked once for each.
    async fn patient_name_of(
        &self,
        connection_id: &str,
        known: &mut HashMap<String, Option<String>>,
    ) -> Result<Option<String>> {
        if let Some(name) = known.get(connection_id) {
            return Ok(name.clone());
        }
        let row = self.connection_row(connection_id).await?;
        let name = self.patient_header(&row).await?.map(|header| header.name);
        known.insert(connection_id.to_owned(), name.clone());
        Ok(name)
    }
}

/// What a person reads of the text that is searched: nothing twice, not the title again, and a bare
/// code only where it is what was looked for.
fn for_reading(text: &str, title: &str, words: &str) -> String {
    let needles: Vec<String> = words
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let mut seen = HashSet::from([title.to_lowercase()]);
    let parts: Vec<&str> = text
        .split(SEPARATOR)
        .map(str::trim)
        .filter(|part| {
            let lower = part.to_lowercase();
            let code = !part.contains(char::is_whitespace);
            let wanted = !code || needles.iter().any(|needle| lower.starts_with(needle));
            !part.is_empty() && wanted && seen.insert(lower)
        })
        .collect();
    parts.join(SEPARATOR)
}

/// The text around the first match, with each match marked.
fn snippet(text: &str, words: &str) -> Vec<SnippetPart> {
    let needles: Vec<Vec<char>> = words
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().flat_map(char::to_lowercase).collect())
        .collect();
    let chars: Vec<char> = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .collect();
    // Lower-casing one character by its first lower-case form keeps positions equal.
    let lower: Vec<char> = chars
        .iter()
        .map(|c| c.to_lowercase().next().unwrap_or(*c))
        .collect();
    let match_at = |at: usize| {
        let begins = at == 0 || !lower[at - 1].is_alphanumeric();
        needles
            .iter()
            .filter(|n| begins && lower[at..].starts_with(n))
            .map(Vec::len)
            .max()
    };
    let Some(first) = (0..chars.len()).find(|at| match_at(*at).is_some()) else {
        let start: String = chars.iter().take(SNIPPET).collect();
        return if start.is_empty() {
            Vec::new()
        } else {
            vec![SnippetPart {
                text: start,
                matched: false,
            }]
        };
    };
    let from = first.saturating_sub(SNIPPET / 3);
    let to = (from + SNIPPET).min(chars.len());
    let mut parts = Vec::new();
    let mut plain = if from > 0 {
        String::from("…")
    } else {
        String::new()
    };
    let mut at = from;
    while at < to {
        if let Some(length) = match_at(at) {
            if !plain.is_empty() {
                parts.push(SnippetPart {
                    text: std::mem::take(&mut plain),
                    matched: false,
                });
            }
            let end = (at + length).min(chars.len());
            parts.push(SnippetPart {
                text: chars[at..end].iter().collect(),
                matched: true,
            });
            at = end;
        } else {
            plain.push(chars[at]);
            at += 1;
        }
    }
    if to < chars.len() {
        plain.push('…');
    }
    if !plain.is_empty() {
        parts.push(SnippetPart {
            text: plain,
            matched: false,
        });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, words: &str) -> Vec<String> {
        snippet(text, words)
            .into_iter()
            .filter(|part| part.matched)
            .map(|part| part.text)
            .collect()
    }

    #[test]
    fn a_snippet_marks_the_beginnings_of_words() {
        assert_eq!(marked("Hemoglobin A1c of Ümit", "hem ümi"), ["Hem", "Ümi"]);
        assert_eq!(marked("nothing here", "glob"), Vec::<String>::new());
        let long = format!("{} glucose {}", "x ".repeat(400), "y ".repeat(400));
        let parts = snippet(&long, "GLUC");
        assert!(parts.iter().map(|p| p.text.chars().count()).sum::<usize>() < SNIPPET + 10);
        assert!(parts.iter().any(|p| p.matched && p.text == "gluc"));
    }

    #[test]
    fn a_snippet_reads_like_words_and_not_like_codes() {
        let text = "survey · SDOH · 88124-3 · Food insecurity risk · Food insecurity risk · \
                    food security is low · Dr. Mei-Ling Chen · LA19952-3";
        assert_eq!(
            for_reading(text, "Food insecurity risk", "food"),
            "food security is low · Dr. Mei-Ling Chen"
        );
        assert!(for_reading(text, "", "88124").starts_with("88124-3 · "));
    }
}
