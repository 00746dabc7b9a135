//! The figures, for people and for machines.

use crate::life::{MINUTE, Policy};
use crate::measure::{Cost, Trip};
use crate::scenario::{Load, Scenario};
use serde_json::{Value, json};

pub(crate) fn print_cost(cost: &Cost) {
    println!(
        "One installation with a chart of {} records, counted at the mock server:",
        cost.records
    );
    println!(
        "  {:<58} {:>4} requests",
        "register and sign in, without the portal's pages", cost.registration
    );
    let line = |title: &str, trip: Trip| {
        println!(
            "  {title:<58} {:>4} requests {:>8.1} kB",
            trip.requests,
            kilobytes(trip.bytes)
        );
    };
    line("first sync", cost.first);
    line(
        "nothing changed, asked for what changed since",
        cost.unchanged,
    );
    line(
        "nothing changed, everything read again (weekly)",
        cost.whole,
    );
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
fn kilobytes(bytes: i64) -> f64 {
    rounded(bytes as f64 / 1000.0)
}

pub(crate) fn cost_metrics(cost: &Cost) -> Value {
    json!({
        "records": cost.records,
        "registration_requests": cost.registration,
        "first_sync_requests": cost.first.requests,
        "first_sync_kb": kilobytes(cost.first.bytes),
        "unchanged_sync_requests": cost.unchanged.requests,
        "unchanged_sync_kb": kilobytes(cost.unchanged.bytes),
        "whole_sync_requests": cost.whole.requests,
        "whole_sync_kb": kilobytes(cost.whole.bytes),
        "mean_sync_requests": rounded(cost.mean_requests()),
    })
}

pub(crate) fn print_head(scenario: Scenario) {
    println!("\n{}", scenario.title());
    let parts = scenario.parts().iter();
    let heads = parts.map(|(name, _)| format!("{:>24}", name.replace('_', " ")));
    println!("  {:<14}{}", "", heads.collect::<String>());
}

pub(crate) fn print_line(policy: Policy, rates: &[(String, f64)]) {
    let cells = rates
        .chunks(2)
        .map(|pair| format!("{:>10.0} peak {:>8.0}", pair[0].1, pair[1].1));
    println!(
        "  {:<14}{}",
        policy.name().replace('_', " "),
        cells.collect::<String>()
    );
}

/// Mean and peak of requests per second, for each part of the time; each installation stands for `weight`.
pub(crate) fn rates(
    load: &Load,
    scenario: Scenario,
    cost: &Cost,
    weight: f64,
) -> Vec<(String, f64)> {
    let mut rates = Vec::new();
    for (name, part) in scenario.parts() {
        let minutes: Vec<f64> = (part.start / MINUTE..part.end / MINUTE)
            .map(|minute| weight * requests_in(load, minute, scenario, cost) / 60.0)
            .collect();
        #[expect(clippy::cast_precision_loss, reason = "a few thousand minutes")]
        let mean = minutes.iter().sum::<f64>() / minutes.len() as f64;
        let peak = minutes.iter().copied().fold(0.0, f64::max);
        rates.push((format!("{name}_mean"), rounded(mean)));
        rates.push((format!("{name}_peak"), rounded(peak)));
    }
    rates
}

/// A try while the server is away is one request that finds nobody. Who registers syncs at once.
fn requests_in(load: &Load, minute: u64, scenario: Scenario, cost: &Cost) -> f64 {
    let at = usize::try_from(minute).expect("a minute");
    let mut requests =
        f64::from(load.syncs[at]) * cost.mean_requests() + f64::from(load.failed[at]);
    if scenario == Scenario::Release {
        let first = u32::try_from(cost.registration + cost.first.requests).expect("few requests");
        requests += f64::from(load.registrations[at]) * f64::from(first);
    }
    requests
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
