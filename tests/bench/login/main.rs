//! What a sign-in costs beside the person and the server, and each of its round trips, with why it is
//! needed. Each round does the same requests by bare reqwest first: the floor. What is ours is the rest.
//!
//! Run by `make bench-login`: release build, mock server in its own process, real keychain, real
//! SQLCipher, loopback HTTP, a new profile each round. The first round warms up and is not counted.
//! `SATCHEL_BENCH_ROUNDS` changes their number.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on stops with the reason, and prints its figures"
)]

mod floor;
mod ours;
#[path = "../../it/portal.rs"]
#[expect(dead_code, reason = "nobody denies consent here")]
mod portal;
#[path = "../sync/server.rs"]
mod server;
mod trips;

use floor::{Bare, Taken};
use ours::{Done, Installation, TurnedClock};
use serde_json::{Value, json};
use server::Server;
use std::sync::Arc;
use std::time::Duration;

/// A description counts for ten minutes.
const OLD: i64 = 601;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure());
}

/// One thing that a person does, in every round.
struct Case {
    name: &'static str,
    title: &'static str,
    ours: Vec<f64>,
    floor: Vec<f64>,
    trips: Vec<(&'static trips::Trip, Vec<f64>)>,
}

impl Case {
    fn new(name: &'static str, title: &'static str) -> Self {
        Self {
            name,
            title,
            ours: Vec::new(),
            floor: Vec::new(),
            trips: Vec::new(),
        }
    }

    fn add(&mut self, counted: bool, floor: &Taken, done: &Done) {
        let seen: Vec<_> = done
            .requests
            .iter()
            .map(|(method, path)| trips::trip_of(method, path))
            .collect();
        let mut kinds: Vec<_> = seen.iter().map(|trip| trip.kind).collect();
        let mut bare: Vec<_> = floor.trips.keys().copied().collect();
        kinds.sort_unstable();
        bare.sort_unstable();
        assert_eq!(kinds, bare, "{}: the floor does what we do", self.name);
        if self.trips.is_empty() {
            self.trips = seen.into_iter().map(|trip| (trip, Vec::new())).collect();
        }
        if counted {
            self.ours.push(milliseconds(done.took));
            self.floor.push(milliseconds(floor.whole));
            for (trip, times) in &mut self.trips {
                times.push(milliseconds(floor.trips[trip.kind]));
            }
        }
    }

    /// Ours alone, round by round.
    fn own(&self) -> Vec<f64> {
        let pairs = self.ours.iter().zip(&self.floor);
        pairs.map(|(ours, floor)| ours - floor).collect()
    }

    fn ratio(&self) -> f64 {
        rounded(median(&self.ours) / median(&self.floor))
    }

    fn print(&self) {
        println!("\n{}", self.title);
        for (number, (trip, times)) in self.trips.iter().enumerate() {
            println!(
                "  {}. {:<4} {:<14} {:>6.2} ms  {}",
                number + 1,
                trip.method,
                trip.kind,
                median(times),
                trip.why
            );
        }
        let own = self.own();
        println!(
            "  {} round trips; whole {:.2} ms, floor {:.2} ms ({:.2}x), ours {:.2} ms (slowest {:.2})",
            self.trips.len(),
            median(&self.ours),
            median(&self.floor),
            self.ratio(),
            median(&own),
            own.iter().copied().fold(0.0, f64::max),
        );
    }
}

async fn measure() {
    let rounds = std::env::var("SATCHEL_BENCH_ROUNDS").ok();
    let rounds = rounds
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_usize);
    let arguments = ["--patients", "2", "--token-lifetime", "30"].map(AsRef::as_ref);
    let server = Server::start(&arguments);
    let people: Vec<(String, String)> = server
        .accounts()
        .iter()
        .filter(|one| one["role"] == "patient")
        .map(|one| server.account(one["patient_ids"][0].as_str().expect("an id")))
        .collect();
    let clock = Arc::new(TurnedClock::default());
    let mut turned = 0;
    let mut cases = [
        Case::new("cold", "First sign-in at a server that nobody knows yet:"),
        Case::new("second", "A second person signs in at the same server:"),
        Case::new("again", "The first person signs in again:"),
        Case::new(
            "refresh",
            "Is access still on? A refresh, and the question:",
        ),
        Case::new(
            "later",
            "The same ten minutes later, the description being old:",
        ),
    ];
    for round in 0..=rounds {
        let mut bare = Bare::new(server.fhir_base(), turned);
        let floors = [
            bare.sign_in(&people[0]).await,
            bare.sign_in(&people[1]).await,
            bare.sign_in(&people[0]).await,
            bare.check(false).await,
            bare.check(true).await,
        ];
        let installation = Installation::new(&server, &clock).await;
        let (id, cold) = installation.sign_in(&people[0]).await;
        let (_, second) = installation.sign_in(&people[1]).await;
        let again = installation.sign_in_again(&id, &people[0]).await;
        let refresh = installation.check(&id).await;
        turn(&server, &clock).await;
        turned += OLD;
        let later = installation.check(&id).await;
        installation.close().await;
        let done = [cold, second, again, refresh, later];
        for ((case, floor), done) in cases.iter_mut().zip(&floors).zip(&done) {
            case.add(round > 0, floor, done);
        }
    }
    println!(
        "Medians of {rounds} rounds; the time beside a round trip is the floor's, by bare reqwest."
    );
    for case in &cases {
        case.print();
    }
    println!("{}", summary(rounds, &cases));
}

/// The server's clock and ours.
async fn turn(server: &Server, clock: &TurnedClock) {
    let url = format!("{}/clock", server.control());
    let request = reqwest::Client::new().post(url);
    let answer = request.json(&json!({"seconds": OLD})).send().await;
    assert!(answer.expect("an answer").status().is_success());
    clock.turn(OLD);
}

fn summary(rounds: usize, cases: &[Case]) -> Value {
    let mut metrics = json!({
        "rounds": rounds,
        "round_trips_cold": cases[0].trips.len(),
        "ratio_to_floor": cases[0].ratio(),
        "own_ms_p50": rounded(median(&cases[0].own())),
        "floor_ms_p50": rounded(median(&cases[0].floor)),
    });
    for case in &cases[1..] {
        let name = case.name;
        metrics[format!("round_trips_{name}")] = case.trips.len().into();
        metrics[format!("ratio_to_floor_{name}")] = case.ratio().into();
        metrics[format!("own_ms_p50_{name}")] = rounded(median(&case.own())).into();
    }
    json!({"bench": "login", "machine": machine(), "metrics": metrics})
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn machine() -> Value {
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
