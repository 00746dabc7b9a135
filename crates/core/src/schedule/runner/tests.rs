//! The loop, in a time that the test lets pass.

use super::*;
use crate::engine::lock;
use crate::schedule::Scheduler;
use crate::schedule::due::{Attempt, later};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn start() -> Timestamp {
    "2026-05-01T08:00:00Z".parse().unwrap()
}

fn attempt(at: Timestamp) -> Attempt {
    Attempt {
        at,
        failures: 0,
        asked_to_wait: Duration::ZERO,
    }
}

fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}

/// Sources in a time that passes only while the loop naps, as far as the test lets it.
struct Desktop {
    /// Seconds gone by, and how far they may go.
    gone: Mutex<(u64, u64)>,
    moved: Notify,
    stopped: Notify,
    turned: Mutex<i64>,
    source: Mutex<Source>,
    settings: Mutex<ScheduleSettingsView>,
    conditions: Mutex<Conditions>,
    told: Mutex<Option<Notice>>,
    /// Another process holds the lock.
    busy: Mutex<bool>,
    asked: Mutex<Vec<Timestamp>>,
}

impl Sources for Arc<Desktop> {
    fn now(&self) -> Timestamp {
        let turned = jiff::SignedDuration::from_secs(*lock(&self.turned));
        later(start(), self.elapsed()).checked_add(turned).unwrap()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(lock(&self.gone).0)
    }

    async fn nap(&self, time: Duration) {
        let mut left = time.as_secs();
        while left > 0 {
            let step = {
                let (gone, limit) = &mut *lock(&self.gone);
                let step = left.min(*limit - *gone);
                *gone += step;
                step
            };
            left -= step;
            if step == 0 {
                self.stopped.notify_one();
                self.moved.notified().await;
            }
        }
    }

    fn installation(&self) -> &[u8] {
        b"seed"
    }

    fn awake(&self, _since: Timestamp) {}

    async fn load(&self) -> Result<(Vec<Source>, ScheduleSettingsView)> {
        Ok((vec![lock(&self.source).clone()], *lock(&self.settings)))
    }

    async fn conditions(&self) -> Conditions {
        *lock(&self.conditions)
    }

    async fn sync(&self, _connection_id: &str) -> Option<Notice> {
        lock(&self.asked).push(self.now());
        if !*lock(&self.busy) {
            let mut source = lock(&self.source);
            source.last = Some(attempt(self.now()));
            source.synced_at = Some(self.now());
        }
        *lock(&self.told)
    }
}

fn desktop(last: Option<Attempt>) -> (Arc<Desktop>, Running) {
    let desktop = Arc::new(Desktop {
        gone: Mutex::new((0, 0)),
        moved: Notify::new(),
        stopped: Notify::new(),
        turned: Mutex::new(0),
        source: Mutex::new(Source {
            connection_id: "ana".into(),
            every: Some(DAY),
            connected: true,
            last,
            synced_at: last.map(|last| last.at),
        }),
        settings: Mutex::default(),
        conditions: Mutex::default(),
        told: Mutex::new(None),
        busy: Mutex::new(false),
        asked: Mutex::default(),
    });
    let (sender, notices) = unbounded_channel();
    let options = SchedulerOptions {
        notices: Some(sender),
        ..SchedulerOptions::default()
    };
    let task = Scheduler(tokio::spawn(run(Arc::clone(&desktop), options)));
    (
        desktop,
        Running {
            notices,
            _task: task,
        },
    )
}

struct Running {
    notices: UnboundedReceiver<Notice>,
    _task: Scheduler,
}

impl Desktop {
    fn asked(&self) -> usize {
        lock(&self.asked).len()
    }

    /// Lets time go by.
    async fn pass(&self, time: Duration) {
        self.stopped.notified().await;
        lock(&self.gone).1 += time.as_secs();
        self.moved.notify_one();
        self.stopped.notified().await;
        self.stopped.notify_one();
    }
}

#[tokio::test]
async fn a_desktop_that_stays_on_syncs_once_a_day() {
    let (desktop, _running) = desktop(Some(attempt(start())));
    desktop.pass(HOUR * 19).await;
    assert_eq!(desktop.asked(), 0);
    desktop.pass(DAY * 30 - HOUR * 19).await;
    assert!((25..=37).contains(&desktop.asked()), "{}", desktop.asked());
    let asked = lock(&desktop.asked).clone();
    let gaps: Vec<i64> = asked
        .windows(2)
        .map(|pair| seconds_between(pair[0], pair[1]))
        .collect();
    let spread = gaps.iter().max().unwrap() - gaps.iter().min().unwrap();
    assert!(spread <= 60, "one rhythm of its own: {gaps:?}");
}

#[tokio::test]
async fn what_was_missed_while_the_app_was_closed_runs_within_minutes_of_the_start() {
    let two_days_ago = "2026-04-29T08:00:00Z".parse().unwrap();
    let (desktop, _running) = desktop(Some(attempt(two_days_ago)));
    desktop.pass(Duration::from_secs(19)).await;
    assert_eq!(desktop.asked(), 0, "not at once");
    desktop.pass(MINUTE * 7).await;
    assert_eq!(desktop.asked(), 1);
}

#[tokio::test]
async fn what_was_missed_in_the_machines_sleep_waits_a_little_after_it() {
    let (desktop, _running) = desktop(Some(attempt(start())));
    desktop.pass(HOUR).await;
    // Asleep: the wall clock goes on, the nap does not.
    *lock(&desktop.turned) += 3 * 24 * 3600;
    desktop.pass(Duration::from_secs(79)).await;
    assert_eq!(desktop.asked(), 0, "not at once");
    desktop.pass(MINUTE * 7).await;
    assert_eq!(desktop.asked(), 1);
    desktop.pass(HOUR * 19).await;
    assert_eq!(desktop.asked(), 1);
}

#[tokio::test]
async fn a_turned_clock_costs_one_sync_at_most() {
    let (desktop, _running) = desktop(Some(attempt(start())));
    for turn in [-9_000_000, 9_000_000, -9_000_000] {
        let before = desktop.asked();
        *lock(&desktop.turned) += turn;
        desktop.pass(HOUR * 12).await;
        assert!(desktop.asked() <= before + 1, "after {turn}");
        desktop.pass(HOUR * 48).await;
        assert!(desktop.asked() > before, "it goes on after {turn}");
    }
}

#[tokio::test]
async fn while_the_person_is_needed_nothing_is_asked_and_a_sign_in_is_enough() {
    let (desktop, _running) = desktop(Some(attempt(start())));
    lock(&desktop.source).connected = false;
    desktop.pass(DAY * 10).await;
    assert_eq!(desktop.asked(), 0);
    lock(&desktop.source).connected = true;
    desktop.pass(MINUTE * 2).await;
    assert_eq!(desktop.asked(), 1);
}

#[tokio::test]
async fn on_battery_it_waits_for_a_plug_but_not_for_ever() {
    let (desktop, _running) = desktop(Some(attempt(start())));
    lock(&desktop.conditions).on_battery = true;
    desktop.pass(DAY * 2).await;
    assert_eq!(desktop.asked(), 0);
    lock(&desktop.conditions).on_battery = false;
    desktop.pass(MINUTE * 2).await;
    assert_eq!(desktop.asked(), 1, "plugged in");
    lock(&desktop.conditions).metered = true;
    desktop.pass(HOUR * 71).await;
    assert_eq!(desktop.asked(), 1);
    desktop.pass(HOUR * 2).await;
    assert_eq!(desktop.asked(), 2, "older than three intervals");
}

#[tokio::test]
async fn a_source_that_another_process_syncs_is_tried_no_more_than_each_second_minute() {
    let (desktop, _running) = desktop(Some(attempt(start())));
    *lock(&desktop.busy) = true;
    desktop.pass(HOUR * 29).await;
    let before = desktop.asked();
    assert!(before > 0, "it was due");
    desktop.pass(MINUTE * 60).await;
    assert!(
        desktop.asked() - before <= 30,
        "{}",
        desktop.asked() - before
    );
    // The other one ended, and wrote that down.
    lock(&desktop.source).last = Some(attempt(desktop.now()));
    *lock(&desktop.busy) = false;
    let before = desktop.asked();
    desktop.pass(HOUR * 19).await;
    assert_eq!(
        desktop.asked(),
        before,
        "what the other one did counts as ours"
    );
}

#[tokio::test]
async fn only_notices_that_the_person_wants_are_told() {
    let (desktop, mut running) = desktop(Some(attempt(start())));
    *lock(&desktop.told) = Some(Notice::NewRecords);
    desktop.pass(DAY * 2).await;
    assert!(desktop.asked() > 0);
    assert!(
        running.notices.try_recv().is_err(),
        "off, unless it was chosen"
    );
    lock(&desktop.settings).notify_new_records = true;
    desktop.pass(DAY * 2).await;
    assert_eq!(running.notices.try_recv(), Ok(Notice::NewRecords));
    *lock(&desktop.told) = Some(Notice::SignInNeeded);
    desktop.pass(DAY * 2).await;
    let last = std::iter::from_fn(|| running.notices.try_recv().ok()).last();
    assert_eq!(last, Some(Notice::SignInNeeded));
}
