//! Storing a page: records, index, search text, counts and cursor in one transaction.
//!
//! What costs here is work per statement, and sqlx's is several times that of the insert itself. So
//! pages are written by prepared statements over a connection of their own (rusqlite, on the same
//! SQLite); everything else in this crate is sqlx. Who writes is decided by sqlx's writer: a page is
//! written while it is held, so that the two never wait for each other's locks.

use crate::error::{Result, StoreError};
use crate::open::{HeldKey, Store};
use crate::pack::unpack;
use crate::page::{Meeting, Page, Row};
use crate::provenance;
use crate::rows::SavedPage;
use rusqlite::{
    Connection, OpenFlags, OptionalExtension, ToSql, Transaction, TransactionBehavior, params,
    params_from_iter,
};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long to wait for another process.
const BUSY: Duration = Duration::from_secs(10);
/// Statements that stay prepared.
const STATEMENTS: usize = 32;

/// The connection that writes pages; opened when the first one comes.
pub(crate) struct PageWriter {
    path: PathBuf,
    key: HeldKey,
    connection: Mutex<Option<Connection>>,
}

impl std::fmt::Debug for PageWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageWriter")
    }
}

/// A page and where it belongs.
struct PageJob {
    connection_id: String,
    step_key: String,
    page: Page,
    next: Option<String>,
    fetched_at: String,
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
        page: Page,
        next: Option<&str>,
        fetched_at: &str,
    ) -> Result<SavedPage> {
        let job = PageJob {
            connection_id: connection_id.to_owned(),
            step_key: step_key.to_owned(),
            page,
            next: next.map(str::to_owned),
            fetched_at: fetched_at.to_owned(),
        };
        self.write_many(move |transaction| write(transaction, &job))
            .await
    }

    /// Has many rows written by prepared statements, in one transaction.
    ///
    /// # Errors
    /// Those of `work`, and [`StoreError`] of the file; then nothing is written.
    pub(crate) async fn write_many<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let pages = Arc::clone(&self.pages);
        let turn = self.writer.acquire().await?;
        // Runs to its end even when nobody waits for it any more: a page is whole or not there.
        tokio::task::spawn_blocking(move || {
            let written = pages.run(work);
            drop(turn);
            written
        })
        .await
        .map_err(|_| StoreError::Corrupt("the thread that writes ended".to_owned()))?
    }
}

impl PageWriter {
    pub(crate) fn new(path: PathBuf, key: HeldKey) -> Self {
        Self {
            path,
            key,
            connection: Mutex::new(None),
        }
    }

    /// Closes the connection; the next page opens it again.
    pub(crate) fn close(&self) {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *connection = None;
    }

    fn run<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut guard = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let connection = match &mut *guard {
            Some(connection) => connection,
            none => none.insert(self.open()?),
        };
        let done = in_transaction(connection, work);
        if done.is_err() {
            // Whatever state it is in: the next page begins anew.
            *guard = None;
        }
        done
    }

    fn open(&self) -> Result<Connection> {
        let key = self.key.get()?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.execute_batch(&Zeroizing::new(key.pragma_key()))?;
        // Foreign keys: the one that a record has is looked up in the same transaction.
        // The log is folded into the file after 32 MB, not 4: the pages of an index that are written again
        // and again go over once. (So for all that write: the smallest write would fold it in otherwise.)
        connection.execute_batch(
            "PRAGMA synchronous = normal; PRAGMA foreign_keys = off; PRAGMA temp_store = memory;
             PRAGMA secure_delete = on; PRAGMA cache_size = -32000; PRAGMA wal_autocheckpoint = 8000;",
        )?;
        Ok(connection)
    }
}

/// How many records a section and type has more, or less.
type Counted<'a> = HashMap<(&'a str, &'a str), i64>;

fn in_transaction<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T>,
) -> Result<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

fn write(transaction: &Transaction<'_>, job: &PageJob) -> Result<SavedPage> {
    let source: Option<i64> = transaction
        .prepare_cached("SELECT key FROM connections WHERE id = ?")?
        .query_row([&job.connection_id], |row| row.get(0))
        .optional()?;
    let source = source.ok_or(StoreError::StateChanged)?;
    let mut saved = SavedPage::default();
    let mut counted = Counted::new();
    let mut before: Vec<(String, String)> = Vec::new();
    for row in &job.page.rows {
        if let Some(key) = insert(transaction, source, row, &job.fetched_at)? {
            saved.inserted += 1;
            saved.of_type(&row.resource_type).inserted += 1;
            saved.keys.push(key);
            provenance::put(transaction, source, key, &row.about)?;
            *counted
                .entry((&row.index.section, &row.resource_type))
                .or_default() += 1;
        } else {
            let there = find(transaction, source, row)?;
            saved.keys.push(there.key);
            let is_same = there.hash.as_slice() == row.hash;
            if is_same || stays(transaction, &job.page, row, &there)? {
                saved.unchanged += 1;
                saved.of_type(&row.resource_type).kept += u64::from(!is_same);
                if there.withdrawn {
                    give_back(transaction, there.key)?;
                }
            } else {
                saved.updated += 1;
                saved.of_type(&row.resource_type).updated += 1;
                replace(transaction, there.key, row, &job.fetched_at)?;
                provenance::put(transaction, source, there.key, &row.about)?;
                if there.section != row.index.section {
                    *counted
                        .entry((&row.index.section, &row.resource_type))
                        .or_default() += 1;
                    before.push((there.section, row.resource_type.clone()));
                }
            }
        }
    }
    for (section, resource_type) in &before {
        *counted.entry((section, resource_type)).or_default() -= 1;
    }
    count(transaction, source, &counted)?;
    transaction
        .prepare_cached(
            "UPDATE sync_steps SET cursor = ?, records = records + ?
             WHERE connection_key = ? AND step_key = ?",
        )?
        .execute(params![
            job.next,
            i64::try_from(job.page.received).unwrap_or(i64::MAX),
            source,
            job.step_key
        ])?;
    Ok(saved)
}

/// The columns of a record that change with its bytes, in the order of [`values`].
macro_rules! columns {
    () => {
        "hash, version_id, last_updated, fetched_at, malformed, section, title, code, subtitle,
         status, date_start, date_end, date_sort, date_precision, value_text, value_number, unit,
         range_text, flag, subject, performer, json"
    };
}

fn values<'a>(row: &'a Row, fetched_at: &'a &str) -> [&'a dyn ToSql; 22] {
    let index = &row.index;
    [
        &row.hash,
        &row.version_id,
        &row.last_updated,
        fetched_at,
        &row.malformed,
        &index.section,
        &index.title,
        &index.code,
        &index.subtitle,
        &index.status,
        &index.date_start,
        &index.date_end,
        &index.date_sort,
        &index.date_precision,
        &index.value_text,
        &index.value_number,
        &index.unit,
        &index.range_text,
        &index.flag,
        &index.subject,
        &index.performer,
        &row.packed,
    ]
}

/// The row of a record that was not there; `None` when it was.
fn insert(
    transaction: &Transaction<'_>,
    source: i64,
    row: &Row,
    fetched_at: &str,
) -> Result<Option<i64>> {
    let mut statement = transaction.prepare_cached(concat!(
        "INSERT INTO records (connection_key, resource_type, id, ",
        columns!(),
        ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (connection_key, resource_type, id) DO NOTHING"
    ))?;
    let identity: [&dyn ToSql; 3] = [&source, &row.resource_type, &row.id];
    let all = identity.into_iter().chain(values(row, &fetched_at));
    if statement.execute(params_from_iter(all))? == 0 {
        return Ok(None);
    }
    let key = transaction.last_insert_rowid();
    insert_words(transaction, key, row)?;
    note_to_read(transaction, source, key, row)?;
    Ok(Some(key))
}

/// What a new document, or the content of one, leaves to be read for the index; in the same transaction,
/// so that none is left unfindable. (Those that change are noted by triggers; on every insert a trigger
/// would cost more than the insert.)
fn note_to_read(transaction: &Transaction<'_>, source: i64, key: i64, row: &Row) -> Result<()> {
    match row.resource_type.as_str() {
        "DocumentReference" | "DiagnosticReport" | "Media" if row.index.has_attachments => {
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO records_to_read (record_key, mark) VALUES (?, random())",
                )?
                .execute([key])?;
        }
        "Binary" => {
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO records_to_read (record_key, mark)
                     SELECT record_key, random() FROM attachments
                     WHERE connection_key = ? AND content_id = ?",
                )?
                .execute(params![source, row.id])?;
            transaction
                .prepare_cached("DELETE FROM contents_missing WHERE connection_key = ? AND id = ?")?
                .execute(params![source, row.id])?;
        }
        _ => {}
    }
    Ok(())
}

fn insert_words(transaction: &Transaction<'_>, key: i64, row: &Row) -> Result<()> {
    transaction
        .prepare_cached("INSERT INTO records_fts (rowid, title, body) VALUES (?, ?, ?)")?
        .execute(params![key, row.index.title, row.index.text])?;
    Ok(())
}

/// A record as it stands in the file.
struct There {
    key: i64,
    hash: Vec<u8>,
    section: String,
    withdrawn: bool,
    version_id: Option<String>,
    last_updated: Option<String>,
}

fn find(transaction: &Transaction<'_>, source: i64, row: &Row) -> Result<There> {
    let there = transaction
        .prepare_cached(
            "SELECT key, hash, section, withdrawn_at IS NOT NULL, version_id, last_updated FROM records
             WHERE connection_key = ? AND resource_type = ? AND id = ?",
        )?
        .query_row(params![source, row.resource_type, row.id], |found| {
            Ok(There {
                key: found.get(0)?,
                hash: found.get(1)?,
                section: found.get(2)?,
                withdrawn: found.get(3)?,
                version_id: found.get(4)?,
                last_updated: found.get(5)?,
            })
        })?;
    Ok(there)
}

/// Whether the version that is here is the better one.
fn stays(transaction: &Transaction<'_>, page: &Page, row: &Row, there: &There) -> Result<bool> {
    let stored = || {
        let packed: Vec<u8> = transaction
            .prepare_cached("SELECT json FROM records WHERE key = ?")?
            .query_row([there.key], |found| found.get(0))?;
        unpack(packed)
    };
    page.judge.keeps_what_is_here(&Meeting {
        resource_type: &row.resource_type,
        id: &row.id,
        comes: (row.version_id.as_deref(), row.last_updated.as_deref()),
        is_here: (there.version_id.as_deref(), there.last_updated.as_deref()),
        stored: &stored,
    })
}

/// The source gives it again, and it is as it was.
fn give_back(transaction: &Transaction<'_>, key: i64) -> Result<()> {
    transaction
        .prepare_cached("UPDATE records SET withdrawn_at = NULL WHERE key = ?")?
        .execute([key])?;
    Ok(())
}

/// A record whose bytes changed keeps its row; what stood there is kept as an old version.
fn replace(transaction: &Transaction<'_>, key: i64, row: &Row, fetched_at: &str) -> Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO record_versions (record_key, version_id, last_updated, fetched_at,
                 replaced_at, json)
             SELECT key, version_id, last_updated, fetched_at, ?2, json FROM records WHERE key = ?1",
        )?
        .execute(params![key, fetched_at])?;
    let last: [&dyn ToSql; 1] = [&key];
    transaction
        .prepare_cached(concat!(
            "UPDATE records SET withdrawn_at = NULL, (",
            columns!(),
            ") = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE key = ?"
        ))?
        .execute(params_from_iter(
            values(row, &fetched_at).into_iter().chain(last),
        ))?;
    transaction
        .prepare_cached("DELETE FROM records_fts WHERE rowid = ?")?
        .execute([key])?;
    insert_words(transaction, key, row)
}

fn count(transaction: &Transaction<'_>, source: i64, counted: &Counted<'_>) -> Result<()> {
    for ((section, resource_type), more) in counted {
        transaction
            .prepare_cached(
                "INSERT INTO record_counts (connection_key, section, resource_type, records)
                 VALUES (?, ?, ?, ?)
                 ON CONFLICT (connection_key, section, resource_type)
                 DO UPDATE SET records = records + excluded.records",
            )?
            .execute(params![source, section, resource_type, more])?;
    }
    Ok(())
}
