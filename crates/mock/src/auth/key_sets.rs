//! Keys that a client publishes itself (`jwks_uri`, RFC 7591 §2; SMART "Registering a client"): fetched
//! when they are needed, and not kept for longer than the client says.

use std::time::Duration;

use axum::http::header;
use serde_json::Value;
use url::{Host, Url};

use super::metadata::check_key;
use super::state::AuthState;
use crate::context;

/// How long keys are kept when the client does not say.
const KEPT_SECONDS: i64 = 300;

/// The longest that they are kept, whatever the client says.
const LONGEST_SECONDS: i64 = 86_400;

/// The largest key set.
const MOST_BYTES: usize = 256 * 1024;

/// Where a client publishes its keys, and until when those that were fetched count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeySet {
    pub(super) uri: String,
    pub(super) until: i64,
}

/// Whether keys may be published there: https, or plain http on this computer.
pub(super) fn is_allowed(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else {
        return false;
    };
    let here = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        _ => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && here)
}

/// Fetches the keys of the client that asks, if it publishes them itself and those at hand are too old.
/// What cannot be fetched counts as no keys.
pub(super) async fn renew(auth: &AuthState) {
    let Some(client_id) = context::client_id() else {
        return;
    };
    let now = auth.now();
    let published = {
        let inner = auth.lock();
        let client = inner.clients.get(&client_id);
        client.and_then(|client| client.key_set.clone())
    };
    let Some(set) = published.filter(|set| now >= set.until) else {
        return;
    };
    let (keys, seconds) = match fetch(&set.uri).await {
        Ok(fetched) => fetched,
        Err(error) => {
            tracing::info!(%error, "the keys of a client cannot be fetched");
            (Vec::new(), 0)
        }
    };
    let mut inner = auth.lock();
    let client = inner.clients.get_mut(&client_id);
    if let Some(client) = client.filter(|client| client.key_set.as_ref() == Some(&set)) {
        client.keys = keys;
        client.key_set = Some(KeySet {
            until: now.saturating_add(seconds),
            ..set
        });
    }
}

/// The usable keys, and for how long they may be kept.
async fn fetch(uri: &str) -> Result<(Vec<Value>, i64), reqwest::Error> {
    let http = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let mut answer = http.get(uri).send().await?.error_for_status()?;
    let kept = answer
        .headers()
        .get(header::CACHE_CONTROL)
        .and_then(|value| value.to_str().ok())
        .map_or(KEPT_SECONDS, max_age);
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        body.extend_from_slice(&piece);
        if body.len() > MOST_BYTES {
            return Ok((Vec::new(), 0));
        }
    }
    let set: Value = serde_json::from_slice(&body).unwrap_or_default();
    let keys = set["keys"].as_array().cloned().unwrap_or_default();
    let usable = keys.into_iter().filter(|key| check_key(key).is_ok());
    Ok((usable.collect(), kept))
}

/// The `max-age` of a `Cache-Control` (RFC 9111 §5.2.2); nothing is kept that must not be.
fn max_age(value: &str) -> i64 {
    let mut directives = value.split(',').map(str::trim);
    if directives
        .clone()
        .any(|one| matches!(one, "no-store" | "no-cache"))
    {
        return 0;
    }
    let seconds = directives.find_map(|one| one.strip_prefix("max-age=")?.parse::<i64>().ok());
    seconds.unwrap_or(KEPT_SECONDS).clamp(0, LONGEST_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://app.example/jwks", true)]
    #[case("http://127.0.0.1:1/jwks", true)]
    #[case("http://app.example/jwks", false)]
    #[case("http://localhost/jwks", false)]
    #[case("file:///jwks", false)]
    #[case("jwks", false)]
    fn where_keys_may_be(#[case] uri: &str, #[case] allowed: bool) {
        assert_eq!(is_allowed(uri), allowed);
    }

    #[rstest]
    #[case("max-age=60", 60)]
    #[case("public, max-age=60", 60)]
    #[case("max-age=60, no-cache", 0)]
    #[case("no-store", 0)]
    #[case("public", KEPT_SECONDS)]
    #[case("max-age=99999999", LONGEST_SECONDS)]
    fn how_long_keys_are_kept(#[case] value: &str, #[case] seconds: i64) {
        assert_eq!(max_age(value), seconds);
    }
}
