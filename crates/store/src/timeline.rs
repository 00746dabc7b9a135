//! Everything of one connection, or of one person over all sources, by date.

use crate::error::Result;
use crate::open::Store;
use crate::read::COLUMNS;
use crate::rows::RecordRow;
use crate::side_by_side::{GroupRow, GroupsPage};
use sqlx::{FromRow, QueryBuilder, Row, Sqlite};

/// What of a timeline is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimelineFilter {
    /// Of this connection.
    pub connection_id: Option<String>,
    /// Of this person: then each group is one row.
    pub person_id: Option<String>,
    /// Only in this section.
    pub section: Option<String>,
    /// Only what its source says stands out.
    pub abnormal: bool,
}

/// How many rows of a timeline a year has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YearRow {
    /// The year, in universal time; none of what has no date.
    pub year: Option<i32>,
    /// How many rows.
    pub records: u64,
}

impl Store {
    /// A page of a timeline, newest first, what has no date last. `total` is that of all its years.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn timeline(
        &self,
        filter: &TimelineFilter,
        (offset, limit): (u64, u64),
    ) -> Result<GroupsPage> {
        let total = self.timeline_total(filter).await?;
        let Some(mut query) = self.places("WITH page (place, at) AS (", filter).await? else {
            return Ok(GroupsPage {
                rows: Vec::new(),
                total,
            });
        };
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
        let rows = match filter.person_id {
            Some(_) => self.with_others(rows).await?,
            None => rows
                .into_iter()
                .map(|(_, row)| GroupRow {
                    row,
                    others: Vec::new(),
                })
                .collect(),
        };
        Ok(GroupsPage { rows, total })
    }

    /// How many rows each year of a timeline has, the newest first; what has no date last.
    ///
    /// # Errors
    /// [`crate::StoreError`] of the file.
    pub async fn timeline_years(&self, filter: &TimelineFilter) -> Result<Vec<YearRow>> {
        let counted =
            "SELECT CAST(strftime('%Y', date_sort / 1000, 'unixepoch') AS INTEGER) AS year,
                count(*) AS records FROM (";
        let Some(mut query) = self.places(counted, filter).await? else {
            return Ok(Vec::new());
        };
        query.push(") GROUP BY year ORDER BY year IS NULL, year DESC");
        let rows: Vec<(Option<i32>, i64)> = query.build_query_as().fetch_all(&self.readers).await?;
        let years = rows.into_iter().map(|(year, records)| YearRow {
            year,
            records: u64::try_from(records).unwrap_or(0),
        });
        Ok(years.collect())
    }

    async fn timeline_total(&self, filter: &TimelineFilter) -> Result<u64> {
        let Some(mut query) = self.places("SELECT count(*) FROM (", filter).await? else {
            return Ok(0);
        };
        let total: i64 = query
            .push(")")
            .build_query_scalar()
            .fetch_one(&self.readers)
            .await?;
        Ok(u64::try_from(total).unwrap_or(0))
    }

    /// `before`, then key and date of every row of a timeline; `None` where there can be none.
    async fn places(
        &self,
        before: &str,
        filter: &TimelineFilter,
    ) -> Result<Option<QueryBuilder<Sqlite>>> {
        let sources = match (&filter.person_id, &filter.connection_id) {
            (Some(person_id), _) => self.sources_of(person_id).await?,
            (None, Some(connection_id)) => {
                sqlx::query_scalar("SELECT key FROM connections WHERE id = ?")
                    .bind(connection_id)
                    .fetch_all(&self.readers)
                    .await?
            }
            (None, None) => Vec::new(),
        };
        if sources.is_empty() {
            return Ok(None);
        }
        let mut query = QueryBuilder::<Sqlite>::new(before);
        for (position, source) in sources.iter().enumerate() {
            query.push(if position > 0 { " UNION ALL " } else { "" });
            query.push("SELECT key, date_sort FROM records ");
            if filter.abnormal {
                query.push("INDEXED BY records_flagged ");
            }
            query.push("WHERE connection_key = ").push_bind(*source);
            if filter.abnormal {
                query.push(" AND flag IS NOT NULL AND flag <> 'normal'");
            }
            if let Some(section) = &filter.section {
                query.push(" AND section = ").push_bind(section.clone());
            }
            if filter.person_id.is_some() {
                query.push(
                    " AND NOT EXISTS (SELECT 1 FROM record_facts
                     WHERE record_key = records.key AND group_key <> record_key)",
                );
            }
        }
        Ok(Some(query))
    }
}
