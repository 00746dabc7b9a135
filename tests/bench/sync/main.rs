//! How fast a whole chart is pulled, against its two floors, all in one run:
//!
//! (a) the same requests by a bare reqwest loop, the answers thrown away;
//! (b) the same rows by bare prepared statements into the same encrypted schema.
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

#[derive(Default)]
struct Seconds {
    download: Vec<f64>,
    insert: Vec<f64>,
    pull: Vec<f64>,
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
    let mut seconds = Seconds::default();
    let (mut resources, mut peak_mb, mut idle_mb, mut bytes) = (0, 0.0_f64, 0.0, 0);

    println!("round  download s  insert s  pull s");
    for round in 0..=rounds {
        let pulled = pull::pull(&server, &chart.patient).await;
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
        println!(
            "{round:>5}  {:>10.3}  {:>8.3}  {:>6.3}{}",
            download.seconds,
            insert.seconds,
            pulled.seconds,
            if round == 0 { "  (warming up)" } else { "" }
        );
        if round > 0 {
            seconds.download.push(download.seconds);
            seconds.insert.push(insert.seconds);
            seconds.pull.push(pulled.seconds);
        }
        resources = pulled.records;
        bytes = download.bytes;
        idle_mb = pulled.idle_mb;
        peak_mb = peak_mb.max(pulled.peak_mb);
    }

    let (download, insert, pull) = (
        median(&mut seconds.download),
        median(&mut seconds.insert),
        median(&mut seconds.pull),
    );
    let count = f64::from(u32::try_from(resources).expect("a count"));
    println!("\n{resources} resources, {bytes} bytes of answers; medians of {rounds} rounds:");
    println!("                         s     resources/s   pull against it");
    for (name, time) in [
        ("(a) download only", download),
        ("(b) insert only", insert),
        ("whole pull", pull),
    ] {
        println!(
            "{name:<20} {time:>6.3}  {:>12.0}  {:>10.2}x",
            count / time,
            pull / time
        );
    }
    println!(
        "{}",
        json!({
            "bench": "sync",
            "machine": machine(),
            "metrics": {
                "resources": resources,
                "rounds": rounds,
                "resources_per_second": (count / pull).round(),
                "download_resources_per_second": (count / download).round(),
                "insert_resources_per_second": (count / insert).round(),
                "ratio_to_download": rounded(pull / download),
                "ratio_to_insert": rounded(pull / insert),
                "ratio_to_floor": rounded(pull / download.max(insert)),
                "peak_rss_mb": rounded(peak_mb),
                "idle_rss_mb": rounded(idle_mb),
            }
        })
    );
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
