//! What must hold for any bytes whatever, by target. The same functions are run by libFuzzer
//! (`make fuzz`, package `fuzz/`) and, on every build, over the whole corpus and over mutations of it
//! (`fuzzing.rs`). A target panics when a property does not hold, and says whether anything was taken. The properties are worked out anew
//! here, not by the code that they are about.
//!
//! An input with several parts has a line `%%` between them.

pub(crate) mod bundle_page;
pub(crate) mod callback_url;
pub(crate) mod discovery_document;
pub(crate) mod jwks_jwt;
pub(crate) mod token_answer;

use http::{HeaderMap, HeaderName, HeaderValue};
use satchel_smart::http::{Answer, FhirBaseUrl, HttpPolicy};
use satchel_smart::{Clock, Random};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use url::{Host, Url};

/// 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600;

fn now() -> jiff::Timestamp {
    jiff::Timestamp::from_second(NOW).unwrap()
}

/// A clock that stands still, so many seconds after the beginning.
struct StoppedClock(i64);

impl Clock for StoppedClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(NOW + self.0).unwrap()
    }
}

/// The same bytes in every run, from `0` on.
struct CountedRandom(AtomicU8);

impl CountedRandom {
    fn from(first: u8) -> Self {
        Self(AtomicU8::new(first))
    }
}

impl Random for CountedRandom {
    fn fill(&self, dest: &mut [u8]) {
        for byte in dest {
            *byte = self.0.fetch_add(37, Ordering::Relaxed);
        }
    }
}

fn policy(allow_http_on_loopback: bool) -> HttpPolicy {
    HttpPolicy {
        allow_http_on_loopback,
        timeout: Duration::from_secs(5),
        max_body_bytes: 1024 * 1024,
        ..HttpPolicy::default()
    }
}

fn base() -> FhirBaseUrl {
    FhirBaseUrl::parse("https://ehr.example/fhir", &policy(false)).unwrap()
}

/// The parts of an input; what is missing is empty, and the last part goes to the end.
fn parts<const N: usize>(data: &[u8]) -> [&[u8]; N] {
    const MARK: &[u8] = b"\n%%\n";
    let mut rest = data;
    let mut found = [&b""[..]; N];
    for (place, part) in found.iter_mut().enumerate() {
        let end = (place + 1 < N)
            .then(|| rest.windows(MARK.len()).position(|window| window == MARK))
            .flatten();
        match end {
            Some(end) => (*part, rest) = (&rest[..end], &rest[end + MARK.len()..]),
            None => (*part, rest) = (rest, b""),
        }
    }
    found
}

/// An answer from a head (status, then headers, a line each) and a body.
fn answer(url: &str, head: &[u8], body: &[u8]) -> Answer {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.trim().parse().ok());
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.trim().as_bytes()),
            HeaderValue::from_str(value.trim()),
        ) {
            headers.append(name, value);
        }
    }
    Answer {
        status: status.unwrap_or(200),
        headers,
        body: body.to_vec(),
        url: Url::parse(url).unwrap(),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.octets()[0] == 127,
        Some(Host::Ipv6(address)) => address.segments() == [0, 0, 0, 0, 0, 0, 0, 1],
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// https, or http on this machine where that is allowed; a host; nobody's name or password, and
/// nothing after a `#`.
fn assert_protected(name: &str, url: &Url, http_on_loopback: bool) {
    let protected = match url.scheme() {
        "https" => true,
        "http" => http_on_loopback && is_loopback(url),
        _ => false,
    };
    assert!(protected, "{name} is not protected: {url}");
    assert!(
        url.host_str().is_some_and(|host| !host.is_empty()),
        "{name} has no host: {url}"
    );
    let authority = url.as_str().split('/').nth(2).unwrap_or_default();
    assert!(
        !authority.contains('@'),
        "{name} has user information: {url}"
    );
    assert!(url.fragment().is_none(), "{name} has a fragment: {url}");
}

/// Words of a server as they may be shown: short, and without characters that steer a screen.
fn assert_plain(words: &str, limit: usize) {
    assert!(words.chars().count() <= limit, "too long: {words}");
    let steers = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!words.contains(steers), "not plain: {words:?}");
}
