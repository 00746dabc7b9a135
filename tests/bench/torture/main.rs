//! What a sync survives: processes that are killed at random moments, networks that are cut at random
//! bytes, disks that are full at random sizes, clocks that are turned, two programs at once. After each
//! the database must open, hold no half page, and a sync that goes on must end with the very content of
//! one that nobody disturbed.
//!
//! Each fault of the mock server, alone and in pairs, is `make torture-faults`.
//!
//! Run by `make torture-sync` (`RUNS=300 SEED=...`): real processes of this program, killed by SIGKILL;
//! real keychain, real SQLCipher, the mock server over loopback HTTP. A run that fails says its number and
//! seed, and stays on the disk to be looked at.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on stops with the reason, and prints its figures; it lives in real time"
)]

mod child;
mod cut;
mod disk;
#[path = "../../it/faults/mod.rs"]
mod faults;
mod file;
mod matrix;
#[path = "../../it/portal.rs"]
#[expect(dead_code, reason = "nobody denies consent here")]
mod portal;
mod runs;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;
use std::collections::BTreeMap;

fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

#[derive(Default)]
struct Kind {
    runs: u64,
    equal: u64,
    /// Runs in which the harm was done: the process really was killed, the disk really full.
    struck: u64,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let good = runtime.block_on(async {
        if child::ordered() {
            child::obey().await;
            return true;
        }
        if std::env::args().any(|word| word == "faults") {
            return matrix::play(number("SEED", 20_261_125)).await;
        }
        torture(number("RUNS", 300), number("SEED", 20_261_125)).await
    });
    std::process::exit(i32::from(!good));
}

async fn torture(runs: u64, seed: u64) -> bool {
    let mut random = StdRng::seed_from_u64(seed);
    let mut bench = runs::Bench::new().await;
    println!(
        "{} records; a sync takes {} ms undisturbed; seed {seed}",
        bench.records(),
        bench.undisturbed_ms()
    );
    let mut kinds: BTreeMap<&str, Kind> = BTreeMap::new();
    let mut wrong = Vec::new();
    for number in 1..=runs {
        let harm = runs::Harm::draw(&mut random);
        let done = bench.run(harm, &mut random).await;
        let kind = kinds.entry(harm.name()).or_default();
        kind.runs += 1;
        kind.struck += u64::from(done.struck);
        match done.wrong {
            None => kind.equal += 1,
            Some(reason) => {
                println!("run {number} ({}): {reason}", harm.name());
                wrong.push(number);
            }
        }
        if number % 25 == 0 {
            println!("{number} of {runs}, {} wrong", wrong.len());
        }
    }
    println!(
        "\n{:<28} {:>6} {:>8} {:>8}",
        "harm", "runs", "struck", "equal"
    );
    for (name, kind) in &kinds {
        println!(
            "{name:<28} {:>6} {:>8} {:>8}",
            kind.runs, kind.struck, kind.equal
        );
    }
    let equal: u64 = kinds.values().map(|kind| kind.equal).sum();
    let struck: u64 = kinds.values().map(|kind| kind.struck).sum();
    println!(
        "{}",
        json!({
            "bench": "torture-sync",
            "machine": {
                "os": std::env::consts::OS,
                "cores": std::thread::available_parallelism().map_or(0, usize::from),
            },
            "metrics": {
                "runs": runs,
                "equal": equal,
                "struck": struck,
                "wrong": wrong,
                "seed": seed,
            }
        })
    );
    equal == runs
}
