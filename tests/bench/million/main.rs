//! What a million installations do to one server: the requests and bytes of one sync are measured against
//! the mock server, then the schedule's own `next_due` is asked for each installation, day after day.
//!
//! Run by `make simulate-million`; `SATCHEL_BENCH_INSTALLATIONS` changes how many are computed, each of
//! which stands for its share of the million. What the figures mean is in docs/million.md.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on stops with the reason, and prints its figures"
)]

#[path = "../torture/cut.rs"]
#[expect(dead_code, reason = "nothing is cut here: only the bytes are counted")]
mod cut;
mod life;
mod measure;
#[path = "../../it/portal.rs"]
#[expect(dead_code, reason = "nobody denies consent here")]
mod portal;
mod scenario;
mod table;

use life::Policy;
use scenario::{Load, Scenario};
use serde_json::{Value, json};

const MILLION: f64 = 1_000_000.0;

fn main() {
    if measure::ordered() {
        runtime().block_on(measure::obey());
        return;
    }
    let cost = runtime().block_on(measure::measure());
    table::print_cost(&cost);
    let wanted = std::env::var("SATCHEL_BENCH_INSTALLATIONS").ok();
    let installations = wanted
        .and_then(|text| text.parse().ok())
        .filter(|wanted| *wanted > 0)
        .unwrap_or(100_000_u32);
    let weight = MILLION / f64::from(installations);
    println!(
        "\nA million installations, each with one source, once a day; {installations} are computed, each\n\
         stands for {weight}. Requests per second; a peak is the fullest minute."
    );
    let mut metrics = table::cost_metrics(&cost);
    metrics["installations"] = MILLION.into();
    metrics["computed"] = installations.into();
    for scenario in Scenario::ALL {
        table::print_head(scenario);
        for policy in Policy::ALL {
            let load: Load = scenario.run(policy, installations.into());
            let line = table::rates(&load, scenario, &cost, weight);
            table::print_line(policy, &line);
            for (name, rate) in line {
                metrics[format!("{}_{}_{name}", scenario.name(), policy.name())] = rate.into();
            }
        }
    }
    println!("{}", report(metrics));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("a runtime")
}

fn report(metrics: Value) -> Value {
    let machine = json!({
        "os": std::env::consts::OS,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
    });
    json!({"bench": "million", "machine": machine, "metrics": metrics})
}
