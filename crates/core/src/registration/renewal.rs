//! Secrets that end (`client_secret_expires_at`, RFC 7591 §3.2.1): renewed before, never after.

use crate::engine::Engine;
use crate::problem::Result;
use satchel_store::ClientRow;

/// A secret is renewed in its last quarter, but not earlier than this before its end.
const WEEK: i64 = 7 * 86_400;

impl Engine {
    pub(super) fn secret_expired(&self, row: &ClientRow) -> bool {
        has_ended(row, self.now())
    }

    pub(super) fn ends_soon(&self, row: &ClientRow) -> bool {
        is_due(row, self.now())
    }

    /// The registration with a secret that lasts, where the server gives one (RFC 7592 §2.1 and §2.2: an
    /// answer to reading or updating may carry a new secret). Where it does not, the registration is given
    /// back as it was.
    pub(super) async fn renew_if_due(&self, row: ClientRow) -> Result<ClientRow> {
        if row.is_static || !self.ends_soon(&row) {
            return Ok(row);
        }
        let mut row = row;
        for update in [false, true] {
            let asked = if update {
                self.update_at_server(row.clone(), None).await
            } else {
                self.read_at_server(row.clone()).await
            };
            row = match asked {
                Ok(renewed) => renewed,
                Err(problem) => {
                    let code = problem.code.code();
                    tracing::info!(code, "the secret could not be renewed");
                    return Ok(row);
                }
            };
            if !self.ends_soon(&row) {
                tracing::info!("the secret was renewed");
                break;
            }
        }
        Ok(row)
    }

    /// Before a token is asked for: the same, one at a time.
    pub(crate) async fn with_lasting_secret(&self, row: ClientRow) -> Result<ClientRow> {
        if row.is_static || !self.ends_soon(&row) {
            return Ok(row);
        }
        let _alone = self.alone().await?;
        let stored = self.inner.store.registration_get(&row.fhir_base, &row.role);
        self.renew_if_due(stored.await?.unwrap_or(row)).await
    }
}

/// The end; 0 is never, nothing is unknown.
fn end(row: &ClientRow) -> Option<i64> {
    row.secret_expires_at.filter(|at| *at != 0)
}

fn has_ended(row: &ClientRow, now: jiff::Timestamp) -> bool {
    end(row).is_some_and(|at| at <= now.as_second())
}

fn is_due(row: &ClientRow, now: jiff::Timestamp) -> bool {
    let Some(end) = end(row) else {
        return false;
    };
    let since = row.secret_since.as_deref().unwrap_or(&row.created_at);
    let since = since.parse::<jiff::Timestamp>();
    let life = since.map_or(WEEK, |since| end.saturating_sub(since.as_second()));
    let left = end.saturating_sub(now.as_second());
    left > 0 && left <= (life / 4).clamp(0, WEEK)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: &str = "2026-01-01T00:00:00Z";
    const DAY: i64 = 86_400;

    fn row(life: i64) -> ClientRow {
        let made: jiff::Timestamp = MADE.parse().unwrap();
        ClientRow {
            created_at: MADE.to_owned(),
            secret_expires_at: Some(made.as_second() + life),
            ..ClientRow::default()
        }
    }

    fn after(seconds: i64) -> jiff::Timestamp {
        let made: jiff::Timestamp = MADE.parse().unwrap();
        jiff::Timestamp::from_second(made.as_second() + seconds).unwrap()
    }

    #[test]
    fn b20_a_secret_is_renewed_before_its_end_and_never_after() {
        for (life, at, due, ended) in [
            (100 * DAY, DAY, false, false),
            (100 * DAY, 92 * DAY, false, false),
            (100 * DAY, 93 * DAY, true, false),
            (100 * DAY, 100 * DAY - 1, true, false),
            (100 * DAY, 100 * DAY, false, true),
            (100 * DAY, 101 * DAY, false, true),
            (3600, 2000, false, false),
            (3600, 2800, true, false),
        ] {
            let (row, now) = (row(life), after(at));
            assert_eq!(
                (is_due(&row, now), has_ended(&row, now)),
                (due, ended),
                "{life} {at}"
            );
        }
    }

    #[test]
    fn b20_zero_is_never_and_nothing_is_unknown() {
        for end in [Some(0), None] {
            let row = ClientRow {
                secret_expires_at: end,
                ..row(1)
            };
            let late = after(1_000 * DAY);
            assert!(!is_due(&row, late) && !has_ended(&row, late));
        }
    }

    #[test]
    fn b26_the_life_of_a_renewed_secret_begins_when_it_was_given() {
        let mut row = row(100 * DAY);
        row.secret_since = Some(after(99 * DAY).to_string());
        assert!(!is_due(&row, after(99 * DAY)));
    }
}
