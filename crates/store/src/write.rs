//! Storing a page: records, index, search text and cursor in one transaction, few statements.
//!
//! What costs here is sqlx's work per statement, so a page takes one look at what is there, then
//! many-row inserts. Records with the same bytes are left alone.

use crate::error::{Result, StoreError};
use crate::open::Store;
use crate::rows::{RecordIn, SavedPage};
use sha2::{Digest, Sha256};
use sqlx::query_builder::Separated;
use sqlx::{QueryBuilder, Row, Sqlite, Transaction};
use std::collections::HashMap;

/// Rows of one statement: 25 values each, below SQLite's limit of 32,766.
const ROWS: usize = 200;

/// A record with its hash and, once known, its row.
struct Hashed<'a> {
    record: RecordIn<'a>,
    hash: [u8; 32],
}

/// What is to be done with the records of a page.
#[derive(Default)]
struct Sorted<'a> {
    new: Vec<(i64, Hashed<'a>)>,
    changed: Vec<(i64, Hashed<'a>)>,
    unchanged: u64,
}

impl Store {
    /// Stores a page and the cursor behind it (`None`: there is no next page).
    ///
    /// # Errors
    /// [`StoreError::DiskFull`] and others; then nothing of the page is stored.
    /// [`StoreError::StateChanged`] when the connection is gone.
    pub async fn save_page(
        &self,
        connection_id: &str,
        step_key: &str,
        records: &[RecordIn<'_>],
        next: Option<&str>,
        fetched_at: &str,
    ) -> Result<SavedPage> {
        let hashed = hash_all(records);
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let connection: Option<i64> =
            sqlx::query_scalar("SELECT key FROM connections WHERE id = ?")
                .bind(connection_id)
                .fetch_optional(&mut *transaction)
                .await?;
        let connection = connection.ok_or(StoreError::StateChanged)?;
        let sorted = sort(&mut transaction, connection, hashed).await?;
        for rows in sorted.new.chunks(ROWS) {
            insert(&mut transaction, connection, rows, fetched_at).await?;
        }
        for (key, row) in &sorted.changed {
            replace(&mut transaction, connection, *key, row, fetched_at).await?;
        }
        sqlx::query(
            "UPDATE sync_steps SET cursor = ?, records = records + ?
             WHERE connection_key = ? AND step_key = ?",
        )
        .bind(next)
        .bind(i64::try_from(records.len()).unwrap_or(i64::MAX))
        .bind(connection)
        .bind(step_key)
        .execute(&mut *transaction)
        .await?;
        let saved = SavedPage {
            inserted: sorted.new.len() as u64,
            updated: sorted.changed.len() as u64,
            unchanged: sorted.unchanged,
        };
        transaction.commit().await?;
        Ok(saved)
    }
}

/// A page may hold the same record twice (included by several): the last one counts.
fn hash_all<'a>(records: &[RecordIn<'a>]) -> Vec<Hashed<'a>> {
    let mut place: HashMap<(&str, &str), usize> = HashMap::with_capacity(records.len());
    let mut hashed: Vec<Hashed<'a>> = Vec::with_capacity(records.len());
    for record in records {
        let one = Hashed {
            record: *record,
            hash: Sha256::digest(record.json.as_bytes()).into(),
        };
        match place.get(&(record.resource_type, record.id)) {
            Some(at) => hashed[*at] = one,
            None => {
                place.insert((record.resource_type, record.id), hashed.len());
                hashed.push(one);
            }
        }
    }
    hashed
}

async fn sort<'a>(
    transaction: &mut Transaction<'_, Sqlite>,
    connection: i64,
    hashed: Vec<Hashed<'a>>,
) -> Result<Sorted<'a>> {
    let wanted: Vec<(&str, &str)> = hashed
        .iter()
        .map(|one| (one.record.resource_type, one.record.id))
        .collect();
    let wanted = serde_json::to_string(&wanted).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    let there = sqlx::query(
        "SELECT records.resource_type, records.id, records.key, records.hash
         FROM json_each(?2) AS wanted CROSS JOIN records
         WHERE records.connection_key = ?1
           AND records.resource_type = wanted.value ->> 0 AND records.id = wanted.value ->> 1",
    )
    .bind(connection)
    .bind(wanted)
    .fetch_all(&mut **transaction)
    .await?;
    let mut known: HashMap<(String, String), (i64, Vec<u8>)> = HashMap::with_capacity(there.len());
    for row in there {
        known.insert(
            (row.try_get(0)?, row.try_get(1)?),
            (row.try_get(2)?, row.try_get(3)?),
        );
    }
    let mut next: i64 = sqlx::query_scalar("SELECT coalesce(max(key), 0) FROM records")
        .fetch_one(&mut **transaction)
        .await?;
    let mut sorted = Sorted::default();
    for one in hashed {
        let identity = (
            one.record.resource_type.to_owned(),
            one.record.id.to_owned(),
        );
        match known.get(&identity) {
            Some((_, hash)) if hash.as_slice() == one.hash => sorted.unchanged += 1,
            Some((key, _)) => sorted.changed.push((*key, one)),
            None => {
                next += 1;
                sorted.new.push((next, one));
            }
        }
    }
    Ok(sorted)
}

const INSERT: &str =
    "INSERT INTO records (key, connection_key, resource_type, id, hash, version_id,
    last_updated, fetched_at, malformed, section, title, code, subtitle, status, date_start,
    date_end, date_sort, date_precision, value_text, value_number, unit, range_text, flag, subject,
    json) ";

async fn insert(
    transaction: &mut Transaction<'_, Sqlite>,
    connection: i64,
    rows: &[(i64, Hashed<'_>)],
    fetched_at: &str,
) -> Result<()> {
    let mut query = QueryBuilder::<Sqlite>::new(INSERT);
    query.push_values(rows, |values, (key, row)| {
        bind_row(values, *key, connection, row, fetched_at);
    });
    query
        .build()
        .persistent(rows.len() == ROWS)
        .execute(&mut **transaction)
        .await?;
    let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO records_fts (rowid, title, body) ");
    query.push_values(rows, |mut values, (key, row)| {
        values
            .push_bind(*key)
            .push_bind(row.record.index.title.as_str())
            .push_bind(row.record.index.text.as_str());
    });
    query
        .build()
        .persistent(rows.len() == ROWS)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn bind_row<'args>(
    mut values: Separated<'_, Sqlite, &'static str>,
    key: i64,
    connection: i64,
    row: &'args Hashed<'_>,
    fetched_at: &'args str,
) {
    let (record, index) = (&row.record, row.record.index);
    values
        .push_bind(key)
        .push_bind(connection)
        .push_bind(record.resource_type.to_owned())
        .push_bind(record.id.to_owned())
        .push_bind(row.hash.to_vec())
        .push_bind(record.version_id.map(str::to_owned))
        .push_bind(record.last_updated.map(str::to_owned))
        .push_bind(fetched_at.to_owned())
        .push_bind(record.malformed.map(str::to_owned))
        .push_bind(index.section.clone())
        .push_bind(index.title.clone())
        .push_bind(index.code.clone())
        .push_bind(index.subtitle.clone())
        .push_bind(index.status.clone())
        .push_bind(index.date_start.clone())
        .push_bind(index.date_end.clone())
        .push_bind(index.date_sort)
        .push_bind(index.date_precision.clone())
        .push_bind(index.value_text.clone())
        .push_bind(index.value_number)
        .push_bind(index.unit.clone())
        .push_bind(index.range_text.clone())
        .push_bind(index.flag.clone())
        .push_bind(index.subject.clone())
        .push_bind(record.json.to_owned());
}

/// A record whose bytes changed keeps its row.
async fn replace(
    transaction: &mut Transaction<'_, Sqlite>,
    connection: i64,
    key: i64,
    row: &Hashed<'_>,
    fetched_at: &str,
) -> Result<()> {
    sqlx::query("DELETE FROM records_fts WHERE rowid = ?")
        .bind(key)
        .execute(&mut **transaction)
        .await?;
    sqlx::query("DELETE FROM records WHERE key = ?")
        .bind(key)
        .execute(&mut **transaction)
        .await?;
    let rows = [(
        key,
        Hashed {
            record: row.record,
            hash: row.hash,
        },
    )];
    insert(transaction, connection, &rows, fetched_at).await
}
