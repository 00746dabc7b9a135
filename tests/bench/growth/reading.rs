//! What a person waits for in a full store: the summary, a page of a list, a search at each letter. Beside
//! each the bare SQL that it cannot do without.

use crate::import::Imported;
use rusqlite::Connection;
use satchel_core::view::{RecordFilter, Section};
use satchel_core::{Engine, EngineOptions};
use std::time::Instant;

/// How often each is done; the words and places differ.
const TIMES: usize = 60;
/// Rows that a list or a search asks for.
const ROWS: u64 = 50;
/// What people type, letter by letter.
const WORDS: [&str; 6] = [
    "blood pressure",
    "hemoglobin",
    "metformin",
    "influenza",
    "diabetes",
    "smith",
];

pub(crate) struct Reading {
    pub(crate) name: &'static str,
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) sql_p50_ms: f64,
}

pub(crate) async fn all(imported: &Imported) -> Vec<Reading> {
    let engine = Engine::open(EngineOptions::new(imported.profile.path()))
        .await
        .expect("it opens");
    let sql = open(imported);
    let connections = engine.connections().await.expect("connections");
    let id = connections[0].id.clone();
    let total = connections[0].record_count;
    let filter = |section| RecordFilter {
        connection_id: Some(id.clone()),
        section,
        resource_type: None,
    };
    let mut readings = Vec::new();

    let mut times = Vec::new();
    let mut floor = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        engine.chart(&id).await.expect("the chart");
        times.push(milliseconds(begun));
        floor.push(bare(
            &sql,
            "SELECT section, sum(records) FROM record_counts WHERE connection_key = 1 GROUP BY section",
            [],
        ));
    }
    readings.push(reading("summary", times, floor));

    for (name, section, of) in [
        ("first page of labs", Some(Section::Labs), 0),
        ("any page of labs", Some(Section::Labs), total / 4),
        ("any page of everything", None, total),
    ] {
        let mut times = Vec::new();
        let mut floor = Vec::new();
        for time in 0..TIMES as u64 {
            let offset = of * time / TIMES as u64;
            let begun = Instant::now();
            let page = engine.records_list(&filter(section), offset, ROWS).await;
            times.push(milliseconds(begun));
            page.expect("a page");
            let which = match section {
                Some(_) => "AND section = 'labs'",
                None => "",
            };
            floor.push(bare(
                &sql,
                &format!(
                    "SELECT * FROM records WHERE connection_key = 1 {which}
                     ORDER BY date_sort DESC, key LIMIT 50 OFFSET ?"
                ),
                [i64::try_from(offset).expect("a place")],
            ));
        }
        readings.push(reading(name, times, floor));
    }

    let mut times = Vec::new();
    let mut floor = Vec::new();
    for words in WORDS {
        for end in 1..=words.len() {
            let typed = &words[..end];
            let begun = Instant::now();
            engine
                .search(typed, &filter(None), ROWS)
                .await
                .expect("a search");
            times.push(milliseconds(begun));
            let expression: Vec<String> = typed
                .split_whitespace()
                .map(|word| format!("\"{word}\"*"))
                .collect();
            floor.push(bare(
                &sql,
                "SELECT records.* FROM records_fts JOIN records ON records.key = records_fts.rowid
                 WHERE records_fts MATCH ? ORDER BY rank LIMIT 50",
                [expression.join(" ")],
            ));
        }
    }
    readings.push(reading("search at each letter", times, floor));
    engine.close().await;
    readings
}

fn bare<P: rusqlite::Params>(database: &Connection, sql: &str, parameters: P) -> f64 {
    let begun = Instant::now();
    let mut statement = database.prepare_cached(sql).expect("a statement");
    let columns = statement.column_count();
    let mut rows = statement.query(parameters).expect("it runs");
    let mut bytes = 0;
    while let Some(row) = rows.next().expect("a row") {
        for column in 0..columns {
            let value = row.get_ref(column).expect("a value");
            bytes += value
                .as_bytes_or_null()
                .ok()
                .flatten()
                .map_or(8, <[u8]>::len);
        }
    }
    let taken = milliseconds(begun);
    assert!(bytes < usize::MAX, "the values are read");
    taken
}

fn open(imported: &Imported) -> Connection {
    let database = Connection::open(&imported.database).expect("it opens");
    let hex: String = imported
        .key
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    database
        .execute_batch(&format!(
            "PRAGMA key = \"x'{hex}'\"; PRAGMA temp_store = memory; PRAGMA cache_size = -16000;"
        ))
        .expect("the pragmas");
    database
}

fn milliseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}

fn reading(name: &'static str, mut times: Vec<f64>, mut floor: Vec<f64>) -> Reading {
    times.sort_by(f64::total_cmp);
    floor.sort_by(f64::total_cmp);
    Reading {
        name,
        p50_ms: times[times.len() / 2],
        p95_ms: times[times.len() * 95 / 100],
        sql_p50_ms: floor[floor.len() / 2],
    }
}
