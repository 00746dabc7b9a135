//! How cost grows with the number of records: time, memory and room of an import, and how long lists,
//! summaries and searches take afterwards.
//!
//! Run by `make bench-growth`: release build, real keychain, real SQLCipher. Each size is imported from
//! NDJSON by the command line, in a process of its own, into a new profile; its floor is the same rows by
//! bare prepared statements into the same encrypted schema. Then the engine opens the profile and reads;
//! the floor of a reading is its bare SQL over the same file. `SATCHEL_BENCH_SIZES` (such as
//! `1000,10000`) changes the sizes.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on stops with the reason, and prints its figures"
)]

#[path = "../sync/floors.rs"]
#[expect(dead_code, reason = "nothing is downloaded here")]
mod floors;
mod import;
mod reading;

use serde_json::{Map, json};

/// What a size cost.
struct Cost {
    size: usize,
    imported: import::Imported,
    floor: floors::Insert,
    readings: Vec<reading::Reading>,
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let sizes = std::env::var("SATCHEL_BENCH_SIZES").unwrap_or_default();
    let mut sizes: Vec<usize> = sizes
        .split(',')
        .filter_map(|size| size.parse().ok())
        .collect();
    if sizes.is_empty() {
        sizes = vec![1_000, 10_000, 100_000, 1_000_000];
    }
    println!(
        "   records   seconds   records/s   floor s   against it   MB above idle   bytes/record   of JSON"
    );
    let idle = import::import(10).memory_mb;
    let costs: Vec<Cost> = sizes
        .into_iter()
        .map(|size| {
            let imported = import::import(size);
            let floor = runtime.block_on(floors::insert(&imported.database, &imported.key));
            let readings = runtime.block_on(reading::all(&imported));
            let cost = Cost {
                size,
                imported,
                floor,
                readings,
            };
            print_cost(&cost, idle);
            cost
        })
        .collect();
    print_readings(&costs);
    let metrics: Map<String, serde_json::Value> = costs
        .iter()
        .map(|cost| (cost.size.to_string(), metrics(cost, idle)))
        .collect();
    println!(
        "{}",
        json!({
            "bench": "growth",
            "machine": {
                "os": std::env::consts::OS,
                "cores": std::thread::available_parallelism().map_or(0, usize::from),
                "build": "release",
            },
            "metrics": metrics,
        })
    );
}

fn metrics(cost: &Cost, idle: f64) -> serde_json::Value {
    let readings: Map<String, serde_json::Value> = cost
        .readings
        .iter()
        .map(|reading| {
            let figures = json!({
                "p95_ms": rounded(reading.p95_ms),
                "ratio_to_sql": rounded(reading.p50_ms / reading.sql_p50_ms),
            });
            (reading.name.to_owned(), figures)
        })
        .collect();
    json!({
        "records_per_second": (number(cost.size) / cost.imported.seconds).round(),
        "ratio_to_floor": rounded(cost.imported.seconds / cost.floor.seconds),
        "mb_above_idle": rounded(cost.imported.memory_mb - idle),
        "disk_to_json": rounded(number(cost.imported.file_bytes) / number(cost.floor.json_bytes)),
        "readings": readings,
    })
}

fn print_cost(cost: &Cost, idle: f64) {
    println!(
        "{:>10}  {:>8.2}  {:>10.0}  {:>8.2}  {:>10.2}x  {:>14.0}  {:>13.0}  {:>8.2}",
        cost.size,
        cost.imported.seconds,
        number(cost.size) / cost.imported.seconds,
        cost.floor.seconds,
        cost.imported.seconds / cost.floor.seconds,
        cost.imported.memory_mb - idle,
        number(cost.imported.file_bytes) / number(cost.size),
        number(cost.imported.file_bytes) / number(cost.floor.json_bytes),
    );
}

fn print_readings(costs: &[Cost]) {
    println!("\n   records   reading                          p50 ms    p95 ms   bare SQL p50 ms");
    for cost in costs {
        for reading in &cost.readings {
            println!(
                "{:>10}   {:<30}  {:>7.2}   {:>7.2}  {:>16.2}",
                cost.size, reading.name, reading.p50_ms, reading.p95_ms, reading.sql_p50_ms,
            );
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts and sizes")]
fn number(value: usize) -> f64 {
    value as f64
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
