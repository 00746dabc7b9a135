//! Reading records: lists, one record, counts, everything.

use crate::bound::as_json;
use crate::error::{Result, StoreError};
use crate::open::Store;
use crate::pack::unpack;
use crate::rows::{RecordFilter, RecordRow, RecordsPage};
use futures::stream::{BoxStream, StreamExt};
use sqlx::{FromRow, QueryBuilder, Row, Sqlite, SqliteConnection};

/// The columns of a [`RecordRow`]: all but the JSON, which stands last so that it is not read.
pub(crate) const COLUMNS: &str = "SELECT connections.id AS connection_id, resource_type, records.id AS id,
    version_id, last_updated, fetched_at, malformed, records.section AS section, records.title AS title, code, subtitle, status,
    date_start, date_end, date_sort, date_precision, value_text, value_number, unit, range_text, flag, performer,
    withdrawn_at";

pub(crate) const FROM: &str =
    " FROM records JOIN connections ON connections.key = records.connection_key";

impl Store {
    /// A page of records, newest first; those without a date come last.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn records_list(
        &self,
        filter: &RecordFilter,
        offset: u64,
        limit: u64,
    ) -> Result<RecordsPage> {
        // What is counted and what is shown are of one moment.
        let mut reader = self.readers.begin().await?;
        let total = count(filter, &mut reader).await?;
        let limit = limit.min(total.saturating_sub(offset));
        // What is nearer to the end is counted from there.
        let behind = total.saturating_sub(offset).saturating_sub(limit);
        let (from, skipped) = if behind < offset {
            (From::End, behind)
        } else {
            (From::Beginning, offset)
        };
        let mut query = list(filter, from, limit, skipped);
        let rows = query.build_query_as().fetch_all(&mut *reader).await?;
        Ok(RecordsPage { rows, total })
    }

    /// One record with its JSON, byte for byte.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn record_get(
        &self,
        connection_id: &str,
        resource_type: &str,
        id: &str,
    ) -> Result<Option<(RecordRow, String)>> {
        let sql = format!(
            "{COLUMNS}, json{FROM} WHERE connections.id = ? AND resource_type = ? AND records.id = ?"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(connection_id)
            .bind(resource_type)
            .bind(id)
            .fetch_optional(&self.readers)
            .await?;
        match row {
            Some(row) => Ok(Some((
                RecordRow::from_row(&row)?,
                unpack(row.try_get("json")?)?,
            ))),
            None => Ok(None),
        }
    }

    /// Those of the given `(type, id)` that are stored.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn records_find(
        &self,
        connection_id: &str,
        wanted: &[(String, String)],
    ) -> Result<Vec<RecordRow>> {
        let wanted = as_json(wanted)?;
        let sql = format!(
            "{COLUMNS} FROM json_each(?2) AS wanted CROSS JOIN records
             JOIN connections ON connections.key = records.connection_key
             WHERE records.connection_key = (SELECT key FROM connections WHERE id = ?1)
               AND resource_type = wanted.value ->> 0 AND records.id = wanted.value ->> 1"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(connection_id)
            .bind(wanted)
            .fetch_all(&self.readers)
            .await?)
    }

    /// How many records each section holds.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn section_counts(&self, connection_id: &str) -> Result<Vec<(String, u64)>> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT section, sum(records) FROM record_counts
             WHERE connection_key = (SELECT key FROM connections WHERE id = ?)
             GROUP BY section HAVING sum(records) > 0",
        )
        .bind(connection_id)
        .fetch_all(&self.readers)
        .await?;
        Ok(named(rows))
    }

    /// How many records there are of each FHIR type.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn type_counts(&self, connection_id: Option<&str>) -> Result<Vec<(String, u64)>> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT resource_type, sum(records) FROM record_counts
             WHERE ?1 IS NULL OR connection_key = (SELECT key FROM connections WHERE id = ?1)
             GROUP BY resource_type HAVING sum(records) > 0 ORDER BY resource_type",
        )
        .bind(connection_id)
        .fetch_all(&self.readers)
        .await?;
        Ok(named(rows))
    }

    /// How many records there are.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn record_count(&self, connection_id: Option<&str>) -> Result<u64> {
        let filter = RecordFilter {
            connection_id: connection_id.map(str::to_owned),
            ..RecordFilter::default()
        };
        count(&filter, &mut *self.readers.acquire().await?).await
    }

    /// Every record `(type, id, JSON)`, by type and id; streamed.
    #[must_use]
    pub fn export(
        &self,
        connection_id: Option<&str>,
    ) -> BoxStream<'static, Result<(String, String, String)>> {
        let (readers, connection_id) = (self.readers.clone(), connection_id.map(str::to_owned));
        let (sender, receiver) = futures::channel::mpsc::channel(64);
        tokio::spawn(async move {
            let mut sender = sender;
            let mut rows = sqlx::query_as(
                "SELECT resource_type, id, json FROM records
                 WHERE ?1 IS NULL OR connection_key = (SELECT key FROM connections WHERE id = ?1)
                 ORDER BY connection_key, resource_type, id",
            )
            .bind(connection_id)
            .fetch(&readers);
            while let Some(row) = rows.next().await {
                let row = row.map_err(StoreError::from).and_then(
                    |(resource_type, id, json): (String, String, Vec<u8>)| {
                        Ok((resource_type, id, unpack(json)?))
                    },
                );
                if futures::SinkExt::send(&mut sender, row).await.is_err() {
                    return;
                }
            }
        });
        receiver.boxed()
    }

    /// `(type, id, SHA-256 of the JSON bytes in hex)` of every record, by type and id.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub async fn hashes(&self, connection_id: &str) -> Result<Vec<(String, String, String)>> {
        Ok(sqlx::query_as(
            "SELECT resource_type, id, lower(hex(hash)) FROM records
             WHERE connection_key = (SELECT key FROM connections WHERE id = ?)
             ORDER BY resource_type, id",
        )
        .bind(connection_id)
        .fetch_all(&self.readers)
        .await?)
    }
}

async fn count(filter: &RecordFilter, reader: &mut SqliteConnection) -> Result<u64> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT coalesce(sum(records.records), 0) FROM record_counts AS records",
    );
    push_filter(&mut query, filter);
    let count: i64 = query.build_query_scalar().fetch_one(reader).await?;
    Ok(as_u64(count))
}

/// From which end a list is counted.
#[derive(Clone, Copy)]
enum From {
    Beginning,
    End,
}

/// A page of a list: what is skipped is skipped in the index alone.
fn list(filter: &RecordFilter, from: From, limit: u64, skipped: u64) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
    query.push(" FROM (SELECT records.key AS page_key FROM records");
    push_filter(&mut query, filter);
    // Sorted: in the index by date the records of one type stand among all others.
    query.push(match filter.resource_type {
        Some(_) if filter.sections.is_empty() => " ORDER BY +date_sort",
        _ => " ORDER BY date_sort",
    });
    query.push(match from {
        From::Beginning => " DESC, records.key LIMIT ",
        From::End => ", records.key DESC LIMIT ",
    });
    query.push_bind(as_i64(limit));
    query.push(" OFFSET ");
    query.push_bind(as_i64(skipped));
    query.push(
        ") CROSS JOIN records ON records.key = page_key
         JOIN connections ON connections.key = records.connection_key
         ORDER BY date_sort DESC, records.key",
    );
    query
}

fn push_filter(query: &mut QueryBuilder<Sqlite>, filter: &RecordFilter) {
    query.push(" WHERE 1");
    if let Some(connection_id) = &filter.connection_id {
        query.push(" AND records.connection_key = (SELECT key FROM connections WHERE id = ");
        query.push_bind(connection_id.clone());
        query.push(")");
    }
    if !filter.sections.is_empty() {
        query.push(" AND section IN (");
        let mut list = query.separated(", ");
        for section in &filter.sections {
            list.push_bind(section.clone());
        }
        query.push(")");
    }
    if let Some(resource_type) = &filter.resource_type {
        query.push(" AND resource_type = ");
        query.push_bind(resource_type.clone());
    }
}

fn named(rows: Vec<(String, i64)>) -> Vec<(String, u64)> {
    rows.into_iter()
        .map(|(name, count)| (name, as_u64(count)))
        .collect()
}

fn as_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn as_u64(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{From, list};
    use crate::RecordFilter;

    /// How SQLite would read this list.
    fn plan(sections: &[&str], resource_type: Option<&str>, from: From) -> String {
        let filter = RecordFilter {
            connection_id: Some("ana".to_owned()),
            sections: sections.iter().map(|&section| section.to_owned()).collect(),
            resource_type: resource_type.map(str::to_owned),
        };
        let file = rusqlite::Connection::open_in_memory().unwrap();
        file.execute_batch(include_str!("../schema.sql")).unwrap();
        let list = list(&filter, from, 50, 9).into_string();
        let sql = format!("EXPLAIN QUERY PLAN {list}");
        let mut statement = file.prepare(&sql).unwrap();
        // What is bound does not change the plan.
        let rows = statement.raw_query().mapped(|row| row.get::<_, String>(3));
        rows.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_list_reads_what_it_shows_and_little_else() {
        for from in [From::Beginning, From::End] {
            let everything = plan(&[], None, from);
            assert!(everything.contains("records_dated"), "{everything}");
            let section = plan(&["labs"], Some("Observation"), from);
            assert!(section.contains("records_section"), "{section}");
            for plan in [&everything, &section] {
                let sorted = plan.matches("ORDER BY").count();
                assert_eq!(sorted, 1, "the rows of the page, and no others: {plan}");
            }
            assert!(everything.contains("COVERING INDEX"), "{everything}");
            let kind = plan(&[], Some("MedicationRequest"), from);
            assert!(
                kind.contains("records_identity (connection_key=? AND resource_type=?)"),
                "{kind}"
            );
        }
    }
}
