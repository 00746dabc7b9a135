//! How fast a whole chart is pulled, against its two floors, all in one run:
//!
//! (a) the same requests by a bare reqwest loop, the answers thrown away;
//! (b) the same rows by bare prepared statements into the same encrypted schema;
//!
//! and against what others would use (`peers`). Then once more with nothing changed.
//!
//! Run by `make bench-sync`: release build, mock server in its own process, real keychain, real
//! SQLCipher, loopback HTTP. Each round does (a), (b) and a pull into a new profile; the first round
//! warms up and is not counted. `SATCHEL_BENCH_RESOURCES` and `SATCHEL_BENCH_ROUNDS` change the size.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on stops with the reason, and prints its figures"
)]

mod chart;
mod floors;
mod peers;
#[path = "../../it/portal.rs"]
#[expect(dead_code, reason = "nobody denies consent here")]
mod portal;
mod pull;
mod server;

use serde_json::json;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure());
}

fn setting(name: &str, otherwise: usize) -> usize {
    let given = std::env::var(name).ok();
    given
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

/// What all rounds measured.
#[derive(Default)]
struct Measured {
    download: Vec<f64>,
    insert: Vec<f64>,
    pull: Vec<f64>,
    again: Vec<f64>,
    peers: [Vec<f64>; peers::PEERS.len()],
    above_idle_mb: f64,
}

/// What is the same in each round.
struct Round {
    resources: u64,
    bytes: usize,
    json_bytes: usize,
    file_bytes: u64,
    again: pull::Again,
}

async fn measure() {
    let wanted = setting("SATCHEL_BENCH_RESOURCES", 10_000);
    let rounds = setting("SATCHEL_BENCH_ROUNDS", 5);
    let chart = chart::Chart::write(wanted);
    let server = server::Server::start(&[
        "--patients".as_ref(),
        "0".as_ref(),
        "--load".as_ref(),
        chart.folder.path().as_ref(),
    ]);
    println!("round  download s  insert s  pull s  again s");
    println!("warming up:");
    let mut last = round(&server, &chart.patient, &mut Measured::default()).await;
    let mut measured = Measured::default();
    for _ in 0..rounds {
        last = round(&server, &chart.patient, &mut measured).await;
    }
    report(rounds, &last, measured);
}

async fn round(server: &server::Server, patient: &str, measured: &mut Measured) -> Round {
    let pulled = pull::pull(server, patient).await;
    let download = floors::download(&pulled.requests, &pulled.access_token).await;
    let insert = floors::insert(&pulled.database, &pulled.key).await;
    assert_eq!(
        insert.rows, pulled.records,
        "the floor inserts what the pull stored"
    );
    assert!(
        download.bytes >= insert.json_bytes,
        "the floor downloads what the pull downloaded"
    );
    for (peer, rates) in peers::PEERS.iter().zip(&mut measured.peers) {
        rates.push(peers::measure(peer, server, &pulled));
    }
    measured.download.push(download.seconds);
    measured.insert.push(insert.seconds);
    measured.pull.push(pulled.seconds);
    measured.again.push(pulled.again.seconds);
    let above_idle_mb = pulled.peak_mb - pulled.idle_mb;
    measured.above_idle_mb = measured.above_idle_mb.max(above_idle_mb);
    println!(
        "{:>5}  {:>10.3}  {:>8.3}  {:>6.3}  {:>7.3}",
        measured.pull.len(),
        download.seconds,
        insert.seconds,
        pulled.seconds,
        pulled.again.seconds,
    );
    Round {
        resources: pulled.records,
        bytes: download.bytes,
        json_bytes: insert.json_bytes,
        file_bytes: pulled.file_bytes,
        again: pulled.again,
    }
}

fn report(rounds: usize, round: &Round, mut measured: Measured) {
    let (download, insert, pull) = (
        median(&mut measured.download),
        median(&mut measured.insert),
        median(&mut measured.pull),
    );
    let unchanged = median(&mut measured.again);
    let count = f64::from(u32::try_from(round.resources).expect("a count"));
    println!(
        "\n{} resources, {} bytes of answers; medians of {rounds} rounds:",
        round.resources, round.bytes
    );
    println!("                                    s     resources/s   pull against it");
    let rates = measured.peers.iter_mut().map(|rates| median(rates));
    let peers: Vec<f64> = rates.collect();
    let names = peers::PEERS.iter().map(|peer| peer.name);
    let mut rows = vec![
        ("(a) download only", download),
        ("(b) insert only", insert),
        ("whole pull", pull),
    ];
    rows.extend(names.zip(peers.iter().map(|rate| count / rate)));
    for (name, time) in rows {
        println!(
            "{name:<30} {time:>7.3}  {:>12.0}  {:>10.2}x",
            count / time,
            pull / time
        );
    }
    let again = &round.again;
    println!(
        "\nnothing changed: {unchanged:.3} s, {:.1} % of the first; {} requests for {} steps, {} rows written",
        100.0 * unchanged / pull,
        again.requests,
        again.steps,
        again.written,
    );
    let disk = ratio(round.file_bytes, round.json_bytes);
    println!(
        "disk: {} bytes, {disk:.2} of the records' JSON; memory: {:.0} MB above idle",
        round.file_bytes, measured.above_idle_mb,
    );
    let best = peers.into_iter().fold(0.0, f64::max);
    println!(
        "{}",
        json!({
            "bench": "sync",
            "machine": machine(),
            "metrics": {
                "resources": round.resources,
                "rounds": rounds,
                "resources_per_second": (count / pull).round(),
                "download_resources_per_second": (count / download).round(),
                "insert_resources_per_second": (count / insert).round(),
                "ratio_to_download": rounded(pull / download),
                "ratio_to_insert": rounded(pull / insert),
                "ratio_to_floor": rounded(pull / download.max(insert)),
                "ratio_to_best_peer": rounded(count / pull / best),
                "best_peer_resources_per_second": best.round(),
                "resync_share": rounded(unchanged / pull),
                "resync_requests": again.requests,
                "resync_steps": again.steps,
                "resync_rows_written": again.written,
                "disk_to_json": rounded(disk),
                "peak_rss_mb": rounded(measured.above_idle_mb),
            }
        })
    );
}

#[expect(clippy::cast_precision_loss, reason = "sizes of files")]
fn ratio(bytes: u64, of: usize) -> f64 {
    bytes as f64 / of as f64
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn machine() -> serde_json::Value {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned());
    json!({
        "os": std::env::consts::OS,
        "cpu": model,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "build": "release",
    })
}
