//! What changed since the last time (checklist G9): a step that was complete leaves the server's own date
//! of its first page; the next run asks for what changed since then, a little earlier to be safe. Servers
//! miss changes in that question (US Core, "Searching using lastUpdated"), so everything is asked for
//! again once a week, and whenever something else is asked or granted.

use super::fetch::FetchError;
use super::plan::{Search, SyncStep};
use super::run::Run;
use crate::digest;
use crate::engine::lock;
use crate::problem::Problem;
use jiff::{SignedDuration, Timestamp};
use satchel_store::SyncMarkRow;
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

/// Everything is asked for again after this long.
const WHOLE_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Records that were written while the last run read, and clocks of several machines behind one address.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

/// The marks as a run found them.
#[derive(Debug)]
pub(crate) struct Marks {
    before: HashMap<String, SyncMarkRow>,
    now: Timestamp,
    /// Steps of this run with something that could not be read: they are asked for whole again.
    doubted: Mutex<HashSet<String>>,
}

impl Marks {
    pub(super) fn of(rows: Vec<SyncMarkRow>, now: Timestamp) -> Self {
        Self {
            before: rows
                .into_iter()
                .map(|row| (row.step_key.clone(), row))
                .collect(),
            now,
            doubted: Mutex::default(),
        }
    }

    /// Tells one question from another.
    pub(super) fn question(&self, scopes: &str, search: &Search) -> String {
        digest::short_hex(format!("{scopes}\n{search:?}").as_bytes())
    }

    /// From when on to ask, when what was there before is complete and of the same question.
    pub(super) fn since(&self, step: &str, asked: &str, search: &Search) -> Option<String> {
        let mark = self.before.get(step).filter(|mark| mark.asked == asked)?;
        if !search.by_change || self.is_old(mark) {
            return None;
        }
        let since: Timestamp = mark.since.parse().ok()?;
        let since = since.checked_sub(OVERLAP).ok()?;
        // Whole seconds: not every server reads fractions.
        Timestamp::from_second(since.as_second())
            .ok()
            .map(|time| time.to_string())
    }

    fn is_old(&self, mark: &SyncMarkRow) -> bool {
        let Ok(whole_at) = mark.whole_at.parse::<Timestamp>() else {
            return true;
        };
        let age = self.now.duration_since(whole_at);
        // A clock that was set back tells nothing.
        age >= WHOLE_AFTER || age.is_negative()
    }

    /// Whether it is time to look again at what was read once.
    pub(super) fn is_due(&self, step: &str) -> bool {
        self.before.get(step).is_none_or(|mark| self.is_old(mark))
    }

    /// Whether any step was complete before: then this run may not meet all that is stored.
    pub(super) fn are_there(&self) -> bool {
        !self.before.is_empty()
    }

    /// Whether the server had records of a step the last time.
    pub(super) fn has_some(&self, step: &str) -> bool {
        self.before.get(step).is_some_and(|mark| mark.found > 0)
    }

    /// Whether something of a step could not be read in this run.
    pub(super) fn is_doubted(&self, step: &str) -> bool {
        lock(&self.doubted).contains(step)
    }

    pub(super) fn doubt(&self, step: &str) {
        lock(&self.doubted).insert(step.to_owned());
    }
}

impl Run {
    /// A step is complete up to `began`. Without a date the next run asks for everything.
    pub(super) async fn keep_mark(
        &self,
        step: &SyncStep,
        asked: &str,
        began: Option<Timestamp>,
        whole: bool,
    ) -> Result<(), FetchError> {
        let marks = &self.marks;
        let Some(began) = began.filter(|_| !marks.is_doubted(&step.key)) else {
            return Ok(());
        };
        let before = marks.before.get(&step.key).filter(|_| !whole);
        let records = i64::try_from(lock(&self.tally).records_of(&step.key)).unwrap_or(i64::MAX);
        let mark = SyncMarkRow {
            step_key: step.key.clone(),
            asked: asked.to_owned(),
            since: began.to_string(),
            whole_at: before.map_or_else(|| marks.now.to_string(), |mark| mark.whole_at.clone()),
            found: before.map_or(0, |mark| mark.found).saturating_add(records),
        };
        self.engine
            .inner
            .store
            .sync_mark_put(&self.connection_id, &mark)
            .await
            .map_err(|error| FetchError::Problem(Problem::from(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(since: &str, whole_at: &str, now: &str) -> Marks {
        let row = SyncMarkRow {
            step_key: "Goal".into(),
            asked: "q".into(),
            since: since.into(),
            whole_at: whole_at.into(),
            found: 3,
        };
        Marks::of(vec![row], now.parse().unwrap())
    }

    #[test]
    fn g9_since_is_the_servers_date_less_an_overlap_and_everything_is_due_after_a_week() {
        let search = Search {
            by_change: true,
            ..Search::default()
        };
        let asks = |marks: &Marks, question: &str| marks.since("Goal", question, &search);
        let fresh = marks(
            "2026-05-01T10:00:00.5Z",
            "2026-05-01T09:00:00Z",
            "2026-05-07T09:00:00Z",
        );
        assert_eq!(asks(&fresh, "q").as_deref(), Some("2026-05-01T09:50:00Z"));
        assert_eq!(asks(&fresh, "another question"), None);
        assert_eq!(fresh.since("Condition", "q", &search), None);
        assert_eq!(
            fresh.since("Goal", "q", &Search::default()),
            None,
            "not listed"
        );
        for now in ["2026-05-08T09:00:00Z", "2026-04-30T09:00:00Z"] {
            let old = marks("2026-05-01T10:00:00Z", "2026-05-01T09:00:00Z", now);
            assert_eq!(asks(&old, "q"), None, "{now}");
            assert!(old.is_due("Goal"));
        }
    }
}
