//! Lists of one person's records from several sources, each group as one row.

use crate::bound::as_json;
use crate::error::Result;
use crate::facts::Identity;
use crate::open::Store;
use crate::read::{COLUMNS, FROM};
use crate::rows::RecordRow;
use sqlx::{FromRow, QueryBuilder, Row, Sqlite};

/// A row, and the records of other sources that it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupRow {
    /// The record that stands in the list.
    pub row: RecordRow,
    /// Those that say the same, by source.
    pub others: Vec<RecordRow>,
}

/// A page of such rows.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupsPage {
    /// The rows.
    pub rows: Vec<GroupRow>,
    /// How many there are in all.
    pub total: u64,
}

/// So far into a list it is cheaper to collect the rows that others stand for than to look at each.
const FAR: u64 = 20_000;

/// The rows that another one stands for.
const HIDDEN: &str = "record_facts WHERE group_key <> record_key
    AND person_key = (SELECT key FROM people WHERE id = ";

impl Store {
    /// A page of a person's records, newest first, those without a date last; only of this section and
    /// FHIR type, where they are given. Each source is read in the order of its index, and only as far
    /// as the page needs.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn person_records(
        &self,
        person_id: &str,
        section: Option<&str>,
        resource_type: Option<&str>,
        (offset, limit): (u64, u64),
    ) -> Result<GroupsPage> {
        let sources = self.sources_of(person_id).await?;
        if sources.is_empty() {
            return Ok(GroupsPage {
                rows: Vec::new(),
                total: 0,
            });
        }
        let (stored, hidden) = self
            .person_totals(person_id, section, resource_type)
            .await?;
        let mut query = QueryBuilder::<Sqlite>::new("WITH page (place, at) AS (");
        for (position, source) in sources.iter().enumerate() {
            if position > 0 {
                query.push(" UNION ALL ");
            }
            query.push(match (section, resource_type) {
                // As in a list of one source: of a type alone, sorted.
                (None, Some(_)) => {
                    "SELECT key, +date_sort AS date_sort FROM records WHERE connection_key = "
                }
                _ => "SELECT key, date_sort FROM records WHERE connection_key = ",
            });
            query.push_bind(*source);
            push_kind(&mut query, section, resource_type);
            if hidden > 0 && offset < FAR {
                query.push(
                    " AND NOT EXISTS (SELECT 1 FROM record_facts
                     WHERE record_key = records.key AND group_key <> record_key)",
                );
            } else if hidden > 0 {
                query.push(format!(" AND key NOT IN (SELECT record_key FROM {HIDDEN}"));
                query.push_bind(person_id).push("))");
            }
        }
        query.push(" ORDER BY date_sort DESC, key LIMIT ");
        query.push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
        query.push(" OFFSET ");
        query.push_bind(i64::try_from(offset).unwrap_or(i64::MAX));
        query.push(") ");
        query.push(COLUMNS);
        query.push(
            ", records.key AS key FROM page JOIN records ON records.key = page.place
             JOIN connections ON connections.key = records.connection_key
             ORDER BY page.at DESC, page.place",
        );
        let found = query.build().fetch_all(&self.readers).await?;
        let mut rows = Vec::with_capacity(found.len());
        for row in &found {
            rows.push((row.try_get("key")?, RecordRow::from_row(row)?));
        }
        Ok(GroupsPage {
            rows: self.with_others(rows).await?,
            total: stored.saturating_sub(hidden),
        })
    }

    /// How many rows the lists of a person have, for each section.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn person_counts(&self, person_id: &str) -> Result<Vec<(String, u64)>> {
        let sql = format!(
            "SELECT section, sum(records) FROM (
                 SELECT section, records FROM record_counts WHERE connection_key IN
                     (SELECT connection_key FROM person_connections
                      WHERE person_key = (SELECT key FROM people WHERE id = ?1))
                 UNION ALL SELECT section, -1 FROM {HIDDEN}?1))
             GROUP BY section HAVING sum(records) > 0"
        );
        let rows: Vec<(String, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(person_id)
            .fetch_all(&self.readers)
            .await?;
        Ok(rows
            .into_iter()
            .map(|(section, count)| (section, u64::try_from(count).unwrap_or(0)))
            .collect())
    }

    /// The records that say the same as this one, itself included, by source; none when it is alone.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn group_of(&self, record: Identity<'_>) -> Result<Vec<RecordRow>> {
        let sql = format!(
            "{COLUMNS}{FROM} JOIN record_facts ON record_key = records.key
             WHERE group_key = (SELECT group_key FROM record_facts WHERE record_key = {ONE})
             ORDER BY records.connection_key"
        );
        self.rows_by(&sql, record).await
    }

    /// The records that the person keeps apart from this one.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn kept_apart_from(&self, record: Identity<'_>) -> Result<Vec<RecordRow>> {
        let sql = format!(
            "{COLUMNS}{FROM} WHERE records.key IN
                 (SELECT other FROM records_apart WHERE one = {ONE}
                  UNION SELECT one FROM records_apart WHERE other = {ONE})
             ORDER BY records.connection_key"
        );
        self.rows_by(&sql, record).await
    }

    async fn rows_by(
        &self,
        sql: &str,
        (connection_id, resource_type, id): Identity<'_>,
    ) -> Result<Vec<RecordRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql.to_owned()))
            .bind(connection_id)
            .bind(resource_type)
            .bind(id)
            .fetch_all(&self.readers)
            .await?)
    }

    pub(crate) async fn sources_of(&self, person_id: &str) -> Result<Vec<i64>> {
        Ok(sqlx::query_scalar(
            "SELECT connection_key FROM person_connections
             JOIN connections ON connections.key = connection_key
                 AND connections.patient_id = person_connections.patient_id
             WHERE person_key = (SELECT key FROM people WHERE id = ?)
             ORDER BY connection_key",
        )
        .bind(person_id)
        .fetch_all(&self.readers)
        .await?)
    }

    pub(crate) async fn with_others(&self, rows: Vec<(i64, RecordRow)>) -> Result<Vec<GroupRow>> {
        let keys: Vec<i64> = rows.iter().map(|(key, _)| *key).collect();
        let keys = as_json(&keys)?;
        let sql = format!(
            "{COLUMNS}, group_key FROM json_each(?) AS wanted
             JOIN record_facts ON group_key = wanted.value AND group_key <> record_key
             JOIN records ON records.key = record_key
             JOIN connections ON connections.key = records.connection_key
             ORDER BY records.connection_key"
        );
        let found = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(keys)
            .fetch_all(&self.readers)
            .await?;
        let mut groups: Vec<GroupRow> = Vec::with_capacity(rows.len());
        let mut places = std::collections::HashMap::new();
        for (key, row) in rows {
            places.insert(key, groups.len());
            groups.push(GroupRow {
                row,
                others: Vec::new(),
            });
        }
        for row in &found {
            let group: i64 = row.try_get("group_key")?;
            if let Some(place) = places.get(&group) {
                groups[*place].others.push(RecordRow::from_row(row)?);
            }
        }
        Ok(groups)
    }

    /// How many records there are, and how many of them another one stands for.
    async fn person_totals(
        &self,
        person_id: &str,
        section: Option<&str>,
        resource_type: Option<&str>,
    ) -> Result<(u64, u64)> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT coalesce(sum(records), 0) FROM record_counts AS records WHERE connection_key IN
                 (SELECT connection_key FROM person_connections
                  WHERE person_key = (SELECT key FROM people WHERE id = ",
        );
        query.push_bind(person_id).push("))");
        push_kind(&mut query, section, resource_type);
        let stored: i64 = query.build_query_scalar().fetch_one(&self.readers).await?;
        let mut query = QueryBuilder::<Sqlite>::new(format!("SELECT count(*) FROM {HIDDEN}"));
        query.push_bind(person_id).push(")");
        if let Some(section) = section {
            query.push(" AND section = ").push_bind(section.to_owned());
        }
        if let Some(resource_type) = resource_type {
            query.push(
                " AND EXISTS (SELECT 1 FROM records WHERE records.key = record_key
                 AND resource_type = ",
            );
            query.push_bind(resource_type.to_owned()).push(")");
        }
        let hidden: i64 = query.build_query_scalar().fetch_one(&self.readers).await?;
        let number = |count: i64| u64::try_from(count).unwrap_or(0);
        Ok((number(stored), number(hidden)))
    }
}

/// The key of a record by source, type and id.
const ONE: &str = "(SELECT key FROM records
    WHERE connection_key = (SELECT key FROM connections WHERE id = ?1)
        AND resource_type = ?2 AND id = ?3)";

fn push_kind(query: &mut QueryBuilder<Sqlite>, section: Option<&str>, resource_type: Option<&str>) {
    if let Some(section) = section {
        query.push(" AND section = ").push_bind(section.to_owned());
    }
    if let Some(resource_type) = resource_type {
        query
            .push(" AND resource_type = ")
            .push_bind(resource_type.to_owned());
    }
}
