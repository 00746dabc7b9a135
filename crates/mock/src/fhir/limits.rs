//! How often an app may ask, where a vendor counts.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use super::answer;
use crate::context;
use crate::state::App;

const MINUTE: i64 = 60;

/// The requests of each app in its current minute.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    by_client: Mutex<HashMap<String, (i64, u32)>>,
}

/// 429 when the app has asked too often in this minute, with `X-RateLimit-Reset` in seconds and, as was
/// reported of the VA, without `Retry-After`.
pub(super) fn refusal(app: &App) -> Option<Response> {
    let most = app.quirks.requests_per_minute?;
    let client = context::client_id()?;
    let now = app.auth.now();
    let counted = {
        let mut all = app
            .limits
            .by_client
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (begin, count) = all.entry(client).or_insert((now, 0));
        if now - *begin >= MINUTE || now < *begin {
            (*begin, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        (*begin, *count)
    };
    if counted.1 <= most {
        return None;
    }
    let reset = counted.0 + MINUTE - now;
    let text = format!("at most {most} requests a minute");
    let mut refusal = answer::outcome(StatusCode::TOO_MANY_REQUESTS, "throttled", &text);
    let headers = refusal.headers_mut();
    for (name, value) in [
        ("x-ratelimit-limit", i64::from(most)),
        ("x-ratelimit-remaining", 0),
        ("x-ratelimit-reset", reset),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
    Some(refusal)
}
