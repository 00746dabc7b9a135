//! How often somebody may guess: passwords, client secrets and codes (RFC 6749 §10.10, RFC 9700
//! §4.16).

use std::collections::HashMap;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::answer::{OAuthError, Params};
use super::chance;
use super::state::AuthState;
use crate::accounts::AccountNumber;
use crate::population::Account;

/// How many wrong guesses there may be within [`RATE_SECONDS`].
const MOST_TRIES: usize = 10;

const RATE_SECONDS: i64 = 60;

/// How many names are remembered before the old ones are swept out.
const MOST_NAMES: usize = 10_000;

/// Wrong guesses of late, by what was guessed at.
#[derive(Default)]
pub(super) struct Guesses {
    wrong: HashMap<String, Vec<i64>>,
}

impl Guesses {
    /// How many seconds to wait before the next guess counts; `None` when it counts now.
    pub(super) fn wait(&self, what: &str, now: i64) -> Option<i64> {
        let recent = self
            .wrong
            .get(what)?
            .iter()
            .filter(|at| now - **at < RATE_SECONDS);
        let oldest = recent.clone().min()?;
        (recent.count() >= MOST_TRIES).then(|| (oldest + RATE_SECONDS - now).max(1))
    }

    /// Takes a wrong guess down.
    pub(super) fn was_wrong(&mut self, what: &str, now: i64) {
        let recent = |at: &i64| now - *at < RATE_SECONDS;
        if self.wrong.len() >= MOST_NAMES {
            self.wrong.retain(|_, tries| tries.iter().any(recent));
        }
        let tries = self.wrong.entry(what.to_owned()).or_default();
        tries.retain(recent);
        tries.push(now);
    }

    /// It was guessed right, or known.
    pub(super) fn was_right(&mut self, what: &str) {
        self.wrong.remove(what);
    }
}

/// Why somebody is not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignInRefused {
    Wrong,
    /// So many seconds are to be waited.
    TooOften(i64),
}

impl SignInRefused {
    /// What the page says, and with which status.
    pub(super) fn told(self) -> (StatusCode, &'static str) {
        match self {
            Self::Wrong => (StatusCode::UNAUTHORIZED, "User name or password is wrong."),
            Self::TooOften(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "The password was wrong too often. Wait a minute.",
            ),
        }
    }

    /// The page, with `Retry-After` where it helps.
    pub(super) fn on(self, mut page: Response) -> Response {
        if let Self::TooOften(seconds) = self {
            let seconds = HeaderValue::from(seconds);
            page.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        page
    }
}

/// 429 for a client that guesses; `error` is what a single wrong guess is told.
pub(super) fn too_often(error: &str, seconds: i64) -> OAuthError {
    OAuthError {
        status: StatusCode::TOO_MANY_REQUESTS,
        retry_after: Some(seconds),
        ..OAuthError::new(error, "it was wrong too often: wait")
    }
}

impl AuthState {
    /// The account whose name and password a form brings.
    ///
    /// # Errors
    /// When they are wrong, or were wrong too often.
    pub(super) fn account(&self, form: &Params) -> Result<(AccountNumber, Account), SignInRefused> {
        let username = form.get("username").unwrap_or_default().trim();
        let password = form.get("password").unwrap_or_default();
        let now = self.now();
        let what = format!("password of {}", username.to_lowercase());
        if let Some(seconds) = self.lock().guesses.wait(&what, now) {
            return Err(SignInRefused::TooOften(seconds));
        }
        let found = self.config.accounts.named(username);
        let found = found.filter(|(_, one)| chance::same_secret(&one.password, password));
        let mut inner = self.lock();
        if found.is_some() {
            inner.guesses.was_right(&what);
        } else {
            inner.guesses.was_wrong(&what, now);
        }
        found.ok_or(SignInRefused::Wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_wrong_guesses_in_a_minute_and_then_one_waits() {
        let mut guesses = Guesses::default();
        for second in 0..10 {
            assert_eq!(guesses.wait("x", second), None);
            guesses.was_wrong("x", second);
        }
        assert_eq!(guesses.wait("x", 10), Some(50));
        assert_eq!(guesses.wait("y", 10), None);
        assert_eq!(guesses.wait("x", 60), None, "the first was long ago");
        guesses.was_right("x");
        assert_eq!(guesses.wait("x", 10), None);
    }
}
