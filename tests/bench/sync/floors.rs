//! What nothing can be faster than: the same requests without storing, the same rows without asking.

use futures::{StreamExt, stream};
use rusqlite::{Connection, ToSql, params_from_iter, types::Value};
use satchel_core::summary;
use satchel_store::{DatabaseKey, IndexIn, Page, RecordIn, Store};
use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

/// The engine keeps as many requests in flight.
const CONCURRENCY: usize = 4;
/// Rows of one transaction: as many as the engine writes together at most. With 500, a page of its plan, this
/// loop is slower than the whole pull of a large chart, and no floor.
const PAGE: usize = 4_000;
const SCHEMA: &str = include_str!("../../../crates/store/schema.sql");

pub(crate) struct Download {
    pub(crate) seconds: f64,
    pub(crate) bytes: usize,
}

/// Floor (a).
pub(crate) async fn download(requests: &[String], token: &str) -> Download {
    let client = reqwest::Client::new();
    let begun = Instant::now();
    let sizes: Vec<usize> = stream::iter(requests)
        .map(|url| {
            let request = client.get(url).bearer_auth(token);
            async move {
                let answer = request.send().await.expect("an answer");
                assert!(answer.status().is_success(), "{url}: {}", answer.status());
                answer.bytes().await.expect("a body").len()
            }
        })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    Download {
        seconds: begun.elapsed().as_secs_f64(),
        bytes: sizes.iter().sum(),
    }
}

pub(crate) struct Insert {
    pub(crate) seconds: f64,
    pub(crate) rows: u64,
    /// Bytes of the records' JSON.
    pub(crate) json_bytes: usize,
}

struct Row {
    json_bytes: usize,
    values: Vec<Value>,
    search: [Value; 3],
}

/// Floor (b): rows are read into memory first; only the inserts are timed.
pub(crate) async fn insert(database: &Path, key: &[u8]) -> Insert {
    let texts = texts(database, key).await;
    let (columns, rows) = read_rows(database, key, &texts);
    let folder = tempfile::tempdir().expect("a folder");
    let mut to = open(&folder.path().join("bare.db"), key);
    to.execute_batch(SCHEMA).expect("the same schema");
    to.execute(
        "INSERT INTO connections (key, id, fhir_base, server_name, role, state, created_at)
         VALUES (1, 'c', 'b', 's', 'patient', 'connected', 't')",
        [],
    )
    .expect("a connection");
    let places = vec!["?"; columns].join(", ");
    let sql = format!("INSERT INTO records VALUES ({places})");
    let begun = Instant::now();
    for page in rows.chunks(PAGE) {
        let transaction = to.transaction().expect("a transaction");
        {
            let mut record = transaction.prepare_cached(&sql).expect("a statement");
            let mut words = transaction
                .prepare_cached("INSERT INTO records_fts (rowid, title, body) VALUES (?, ?, ?)")
                .expect("a statement");
            for row in page {
                let values = row.values.iter().map(|value| value as &dyn ToSql);
                record.execute(params_from_iter(values)).expect("a row");
                words
                    .execute(params_from_iter(&row.search))
                    .expect("its words");
            }
        }
        transaction.commit().expect("committed");
    }
    to.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .expect("folded in");
    Insert {
        seconds: begun.elapsed().as_secs_f64(),
        rows: rows.len() as u64,
        json_bytes: rows.iter().map(|row| row.json_bytes).sum(),
    }
}

/// The pragmas of the store.
fn open(path: &Path, key: &[u8]) -> Connection {
    let database = Connection::open(path).expect("it opens");
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    database
        .execute_batch(&format!(
            "PRAGMA key = \"x'{hex}'\"; PRAGMA auto_vacuum = incremental;
             PRAGMA journal_mode = wal; PRAGMA synchronous = normal; PRAGMA foreign_keys = on;
             PRAGMA temp_store = memory; PRAGMA secure_delete = on; PRAGMA cache_size = -16000;"
        ))
        .expect("the pragmas");
    database
}

/// `(type, id)` → length of the JSON, and the words that the store would index.
type Texts = HashMap<(String, String), (usize, String)>;

async fn texts(database: &Path, key: &[u8]) -> Texts {
    let key = DatabaseKey::from_bytes(key.try_into().expect("32 bytes"));
    let store = Store::open(database, &key).await.expect("it opens");
    let mut rows = store.export(None);
    let mut texts = Texts::new();
    while let Some(row) = rows.next().await {
        let (kind, id, json) = row.expect("a record");
        let record = RecordIn {
            index: IndexIn {
                text: summary::of(&kind, &json).text,
                ..IndexIn::default()
            },
            ..RecordIn::default()
        };
        let page = Page::of(vec![record]);
        let words = page.words().map(|(_, words)| words.to_owned()).collect();
        texts.insert((kind, id), (json.len(), words));
    }
    drop(rows);
    store.close().await;
    texts
}

fn read_rows(database: &Path, key: &[u8], texts: &Texts) -> (usize, Vec<Row>) {
    let from = open(database, key);
    let mut query = from
        .prepare("SELECT * FROM records ORDER BY key")
        .expect("a statement");
    let columns = query.column_count();
    let at = |name: &str| query.column_index(name).expect("a column");
    let (kind, id, title) = (at("resource_type"), at("id"), at("title"));
    let rows = query
        .query_map([], |row| {
            let values: Vec<Value> = (0..columns).map(|n| row.get(n)).collect::<Result<_, _>>()?;
            let (json_bytes, words) = texts[&(row.get(kind)?, row.get(id)?)].clone();
            let search = [values[0].clone(), values[title].clone(), Value::Text(words)];
            Ok(Row {
                json_bytes,
                values,
                search,
            })
        })
        .expect("rows")
        .collect::<Result<_, _>>()
        .expect("every row");
    (columns, rows)
}
