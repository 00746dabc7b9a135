//! What the mock server bears with 100, 10,000 and 100,000 people: requests per second of a
//! token-checked search page, records per second of a bulk export, and how much memory it took.
//!
//! Run by `make bench-mock`: release build, the server in its own process, loopback HTTP, the load from
//! this process on the same cores. Search pages are measured for a few people again and again ("known"),
//! and for other people each time ("new", whose charts must be made first). The floor is the same
//! number of requests for the discovery document: HTTP, without token, search or records.
//! `SATCHEL_BENCH_SECONDS` says for how long each is measured.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement that cannot go on stops with the reason, and prints its figures; it lives in real time"
)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use futures::StreamExt as _;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Client;
use serde_json::{Value, json};

/// Requests under way at once.
const AT_ONCE: u64 = 8;

/// The memory that it may take, whatever the number of people.
const MOST_MB: f64 = 256.0;

struct Server {
    process: Child,
    ready: Value,
}

impl Server {
    fn start(people: u64) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_satchel-mock"))
            .args(["--patients", &people.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let out = process.stdout.take().expect("its output");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("its line");
        let ready = serde_json::from_str(&line).expect("one line of JSON");
        Server { process, ready }
    }

    fn text(&self, name: &str) -> &str {
        self.ready[name].as_str().expect("a member of the line")
    }

    /// The most memory it ever took, in megabytes.
    fn peak_mb(&self) -> f64 {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
        kilobytes.unwrap_or(f64::NAN) / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The access token of a backend service that may read everything.
async fn token(http: &Client, issuer: &str) -> String {
    let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key");
    let signer = EncodingKey::from_ec_der(pair.to_pkcs8v1().expect("its form").as_ref());
    let public = Jwk::from_encoding_key(&signer, Algorithm::ES384).expect("its public half");
    let mut public = serde_json::to_value(public).expect("JSON");
    public["kid"] = "bench".into();
    let metadata = json!({
        "client_name": "bench", "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["client_credentials"], "response_types": [], "redirect_uris": [],
        "scope": "system/*.rs", "jwks": {"keys": [public]},
    });
    let registration = http.post(format!("{issuer}/auth/register"));
    let registration = registration.header("Content-Type", "application/json");
    let answer = registration.body(metadata.to_string()).send().await;
    let client: Value = answer.expect("registered").json().await.expect("JSON");
    let id = client["client_id"].as_str().expect("a client_id");
    let endpoint = format!("{issuer}/auth/token");
    let claims = json!({
        "iss": id, "sub": id, "aud": endpoint, "jti": "1",
        "exp": jiff::Timestamp::now().as_second() + 120,
    });
    let mut header = Header::new(Algorithm::ES384);
    header.kid = Some("bench".to_owned());
    let assertion = jsonwebtoken::encode(&header, &claims, &signer).expect("signed");
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", "system/*.rs"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", &assertion),
    ];
    let answer = http.post(&endpoint).form(&form).send().await;
    let tokens: Value = answer.expect("a token").json().await.expect("JSON");
    tokens["access_token"].as_str().expect("a token").to_owned()
}

/// Requests per second, each of them answered with 200; `url` gives the n-th address.
async fn requests(http: &Client, token: &str, time: Duration, url: impl Fn(u64) -> String) -> f64 {
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let began = Instant::now();
    let worker = async || {
        while began.elapsed() < time {
            let url = url(next.fetch_add(1, Ordering::Relaxed));
            let answer = http
                .get(url)
                .bearer_auth(token)
                .send()
                .await
                .expect("an answer");
            assert_eq!(answer.status(), 200);
            drop(answer.bytes().await.expect("the whole answer"));
            done.fetch_add(1, Ordering::Relaxed);
        }
    };
    futures::future::join_all((0..AT_ONCE).map(|_| worker())).await;
    count(done.load(Ordering::Relaxed)) / began.elapsed().as_secs_f64()
}

/// Records and bytes per second of an export's `Observation` file, until `most` records have come.
async fn bulk(http: &Client, token: &str, fhir_base: &str, most: u64) -> (f64, f64) {
    let kick_off = http.get(format!("{fhir_base}/$export?_type=Observation"));
    let answer = kick_off
        .bearer_auth(token)
        .header("Prefer", "respond-async")
        .send()
        .await
        .expect("an export");
    let status = answer.headers()["Content-Location"].to_str();
    let status = status.expect("a status address").to_owned();
    let manifest: Value = loop {
        let answer = http.get(&status).bearer_auth(token).send().await;
        let answer = answer.expect("a status");
        if answer.status() == 200 {
            break answer.json().await.expect("a manifest");
        }
    };
    let file = manifest["output"][0]["url"].as_str().expect("a file");
    let began = Instant::now();
    let answer = http.get(file).bearer_auth(token).send().await;
    let mut pieces = answer.expect("the file").bytes_stream();
    let (mut lines, mut bytes) = (0_u64, 0_u64);
    while let Some(piece) = pieces.next().await {
        let piece = piece.expect("a piece");
        bytes += piece.len() as u64;
        lines += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
        if lines >= most {
            break;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    (count(lines) / seconds, count(bytes) / seconds)
}

fn count(number: u64) -> f64 {
    f64::from(u32::try_from(number.min(u64::from(u32::MAX))).unwrap_or(u32::MAX))
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[tokio::main]
async fn main() {
    let time = std::env::var("SATCHEL_BENCH_SECONDS").ok();
    let time = time.and_then(|text| text.parse().ok()).unwrap_or(8);
    let time = Duration::from_secs(time);
    let http = Client::builder().build().expect("a client");
    let mut metrics = json!({});
    let mut searches = Vec::new();
    let mut worst: f64 = 0.0;
    println!(
        " people  discovery/s  search/s (known)  search/s (new)  bulk records/s  bulk MB/s  peak MB"
    );
    for people in [100_u64, 10_000, 100_000] {
        let server = Server::start(people);
        let (issuer, base) = (server.text("issuer"), server.text("fhir_base"));
        let token = token(&http, issuer).await;
        let search = |person: u64| {
            let patient = (person + 1) * 10_000;
            format!("{base}/Observation?patient=pt-{patient}&category=laboratory&_count=50")
        };
        let floor = requests(&http, &token, time, |_| {
            format!("{base}/.well-known/smart-configuration")
        })
        .await;
        requests(&http, &token, time / 8, |n| search(n % 20)).await;
        let known = requests(&http, &token, time, |n| search(n % 20)).await;
        // A step that has no factor in common with the number of people comes to everybody.
        let new = requests(&http, &token, time, |n| search((n * 7919 + 31) % people)).await;
        // A million records of the largest population.
        let most = (people * 200).min(1_000_000);
        let (records, bytes) = bulk(&http, &token, base, most).await;
        let peak = server.peak_mb();
        println!(
            "{people:>7}  {floor:>11.0}  {known:>16.0}  {new:>14.0}  {records:>14.0}  {:>9.1}  {peak:>7.1}",
            bytes / 1e6
        );
        metrics[format!("patients_{people}")] = json!({
            "search_pages_per_second": known.round(),
            "search_pages_per_second_new_people": new.round(),
            "ratio_search_to_discovery": rounded(known / floor),
            "bulk_records_per_second": records.round(),
            "bulk_mb_per_second": rounded(bytes / 1e6),
            "peak_rss_mb": rounded(peak),
        });
        searches.push(known);
        worst = worst.max(peak);
    }
    metrics["ratio_search_100000_to_100"] = json!(rounded(searches[2] / searches[0]));
    metrics["peak_rss_mb"] = json!(rounded(worst));
    metrics["within_256_mb"] = json!(worst <= MOST_MB);
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned());
    let machine = json!({
        "os": std::env::consts::OS,
        "cpu": model,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "build": "release",
    });
    println!(
        "{}",
        json!({"bench": "mock", "machine": machine, "metrics": metrics})
    );
}
