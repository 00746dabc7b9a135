//! Sources that are synced by themselves: by a timer that starts the command line, by the app, and by both.

use crate::portal::Decision;
use crate::shell::Shell;
use satchel_core::schedule::{Conditions, Notice, Scheduler, SchedulerOptions, Surroundings};
use satchel_core::view::ScheduleSettingsView;
use satchel_core::{Clock, Engine, EngineOptions, SystemClock};
use satchel_mock::{Endpoint, FaultKind};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const HOUR: i64 = 3600;

/// A clock that runs, and that is so many seconds ahead.
#[derive(Debug, Default)]
struct Ahead(AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> jiff::Timestamp {
        let ahead = jiff::SignedDuration::from_secs(self.0.load(Ordering::SeqCst));
        SystemClock.now().checked_add(ahead).unwrap()
    }
}

/// Plugged in, and at home.
#[derive(Debug)]
struct AtHome;

impl Surroundings for AtHome {
    fn conditions(&self) -> Conditions {
        Conditions::default()
    }
}

/// The app on the same profile: the engine with its schedule.
struct App {
    engine: Engine,
    clock: Arc<Ahead>,
    notices: UnboundedReceiver<Notice>,
    _scheduler: Scheduler,
}

async fn engine(shell: &Shell, clock: &Arc<Ahead>) -> Engine {
    let mut options = EngineOptions::new(shell.profile());
    options.clock = Arc::<Ahead>::clone(clock);
    options.surroundings = Arc::new(AtHome);
    Engine::open(options).await.unwrap()
}

impl App {
    async fn start(shell: &Shell) -> Self {
        let clock = Arc::new(Ahead::default());
        let engine = engine(shell, &clock).await;
        let (sender, notices) = unbounded_channel();
        let options = SchedulerOptions {
            look_every: Duration::from_millis(20),
            notices: Some(sender),
        };
        let scheduler = engine.schedule_start(options).await.unwrap();
        Self {
            engine,
            clock,
            notices,
            _scheduler: scheduler,
        }
    }

    /// Minutes go by, in steps that do not look like a sleep of the machine.
    async fn pass_minutes(&self, minutes: i64) {
        for _ in 0..minutes * 2 {
            self.clock.0.fetch_add(30, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// The machine sleeps for hours, and is awake for six minutes.
    async fn sleep_hours(&self, hours: i64) {
        self.clock.0.fetch_add(hours * HOUR, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.pass_minutes(6).await;
    }

    /// Waits for a notice. A busy machine notices late that it woke, and then the minutes after that count.
    async fn next_notice(&mut self) -> Option<Notice> {
        for _ in 0..300 {
            if let Ok(notice) = self.notices.try_recv() {
                return Some(notice);
            }
            self.pass_minutes(1).await;
        }
        None
    }

    async fn synced_at(&self) -> Option<String> {
        self.engine.connections().await.unwrap()[0]
            .last_synced_at
            .clone()
    }

    /// Waits until a sync has ended that was not there before.
    async fn next_sync(&self, before: Option<&str>) -> String {
        for _ in 0..300 {
            match self.synced_at().await {
                Some(at) if before != Some(at.as_str()) => return at,
                _ => self.pass_minutes(1).await,
            }
        }
        panic!("no sync came");
    }
}

/// How often a sync has begun: each reads what the server can do, and nothing else does.
fn syncs(shell: &Shell) -> usize {
    let requests = shell.mock.requests();
    requests
        .iter()
        .filter(|one| one.path == "/fhir/Patient" || one.path.starts_with("/fhir/Patient/"))
        .count()
}

async fn signed_in() -> Shell {
    let shell = Shell::new().await;
    shell.connect(&["--no-sync"], Decision::Approve).await.ok();
    shell
}

/// A sync as it would have been made so many hours ago.
async fn synced_hours_ago(shell: &Shell, hours: i64) {
    let clock = Arc::new(Ahead(AtomicI64::new(-hours * HOUR)));
    let engine = engine(shell, &clock).await;
    let id = engine.connections().await.unwrap()[0].id.clone();
    assert!(engine.sync(&id).await.unwrap().complete);
    engine.close().await;
}

async fn due(shell: &Shell) -> Value {
    shell.run(&["sync", "--due", "--json"]).await.ok().json()[0].clone()
}

fn hours_until(next_at: &Value) -> f64 {
    let at: jiff::Timestamp = next_at.as_str().unwrap().parse().unwrap();
    at.duration_since(SystemClock.now()).as_secs_f64() / 3600.0
}

#[tokio::test]
async fn a_timer_syncs_what_is_due_and_nothing_else() {
    let shell = signed_in().await;
    let first = due(&shell).await;
    assert_eq!(first["due"], true, "never synced: {first}");
    assert!(first["report"]["newRecords"].as_u64().unwrap() > 0);
    let requests = shell.mock.requests().len();
    let second = due(&shell).await;
    assert_eq!(
        (&second["due"], &second["report"]),
        (&Value::Bool(false), &Value::Null)
    );
    assert!((19.0..29.0).contains(&hours_until(&second["nextAt"])));
    assert_eq!(shell.mock.requests().len(), requests, "nobody was asked");
    let words = shell.run(&["sync", "--due"]).await.ok().stdout;
    assert!(words.contains("daily\tnext at 20"), "{words}");
}

#[tokio::test]
async fn how_often_is_chosen_for_each_source_and_the_rest_for_all() {
    let shell = signed_in().await;
    due(&shell).await;
    let id = shell.connection().await;
    let set = async |arguments: &[&str]| {
        let all = [&["schedule", "--json"], arguments].concat();
        shell.run(&all).await.ok().json()
    };
    let schedule = set(&[&id[..8], "--every", "3h"]).await;
    let one = &schedule["connections"][0];
    assert_eq!(
        (&one["connectionId"], &one["every"]),
        (&id.into(), &"3h".into())
    );
    assert!((2.3..3.7).contains(&hours_until(&one["nextAt"])), "{one}");
    let schedule = set(&["--on-battery", "yes", "--notify-sign-in", "no"]).await;
    assert_eq!(
        schedule["settings"],
        serde_json::json!({"alsoOnBattery": true, "alsoOnMetered": false,
            "notifySignIn": false, "notifyNewRecords": false})
    );
    let off = set(&[one["connectionId"].as_str().unwrap(), "--every", "off"]).await;
    assert_eq!(off["connections"][0]["nextAt"], Value::Null);
    assert_eq!(off["settings"]["alsoOnBattery"], true, "it stays");
    let words = shell.run(&["schedule"]).await.ok().stdout;
    assert!(words.contains("off\tnot by itself") && words.contains("On battery too: yes"));
    assert_eq!(shell.run(&["schedule", "x", "--every", "2h"]).await.code, 2);
    assert_eq!(shell.run(&["schedule", "--every", "daily"]).await.code, 2);
}

#[tokio::test]
async fn a_source_that_needs_the_person_waits_for_the_sign_in() {
    let shell = signed_in().await;
    shell.mock.set_access(false);
    assert_eq!(shell.run(&["sync"]).await.code, 41);
    let requests = shell.mock.requests().len();
    let waits = due(&shell).await;
    assert_eq!(
        (&waits["wait"], &waits["nextAt"]),
        (&"signIn".into(), &Value::Null)
    );
    assert_eq!(shell.mock.requests().len(), requests, "nobody was asked");
}

#[tokio::test]
async fn a_busy_server_is_left_alone_for_as_long_as_it_asks_and_other_failures_are_tried_soon() {
    let shell = signed_in().await;
    let busy = FaultKind::TooManyRequests {
        retry_after: Some(7200),
    };
    shell.mock.fault(Endpoint::Metadata, busy, 1);
    assert_eq!(shell.run(&["sync", "--due"]).await.code, 55);
    let after = due(&shell).await;
    assert!(
        (1.99..2.5).contains(&hours_until(&after["nextAt"])),
        "{after}"
    );
    let broken = FaultKind::Drop;
    shell.mock.fault(Endpoint::Metadata, broken, 2);
    assert_eq!(shell.run(&["sync"]).await.code, 52, "the person may always");
    let after = due(&shell).await;
    assert_eq!(after["wait"], "afterFailure");
    assert!(hours_until(&after["nextAt"]) < 0.3, "{after}");
}

/// What NetworkManager says of a telephone's network.
struct Telephone;

#[zbus::interface(name = "org.freedesktop.NetworkManager")]
impl Telephone {
    #[zbus(property)]
    fn metered(&self) -> u32 {
        3
    }
}

#[tokio::test]
async fn on_a_metered_network_a_timer_waits_unless_the_person_said_otherwise() {
    let _telephone = zbus::connection::Builder::session()
        .unwrap()
        .name("org.freedesktop.NetworkManager")
        .unwrap()
        .serve_at("/org/freedesktop/NetworkManager", Telephone)
        .unwrap()
        .build()
        .await
        .unwrap();
    let bus = std::env::var("DBUS_SESSION_BUS_ADDRESS").unwrap();
    let shell = signed_in().await;
    synced_hours_ago(&shell, 30).await;
    let due_there = async || {
        let mut command = shell.command(&["sync", "--due", "--json"]);
        let output = command.env("DBUS_SYSTEM_BUS_ADDRESS", &bus).output().await;
        crate::shell::Done::from(output.unwrap()).ok().json()[0].clone()
    };
    let put_off = due_there().await;
    assert_eq!(
        (&put_off["due"], &put_off["wait"], &put_off["report"]),
        (&true.into(), &"metered".into(), &Value::Null)
    );
    shell.run(&["schedule", "--on-metered", "yes"]).await.ok();
    let allowed = due_there().await;
    assert_eq!(allowed["report"]["complete"], true, "{allowed}");
}

#[tokio::test]
async fn the_app_syncs_soon_after_its_start_and_after_a_night_and_tells_no_more_than_that() {
    let shell = signed_in().await;
    let mut app = App::start(&shell).await;
    let settings = ScheduleSettingsView {
        notify_new_records: true,
        ..ScheduleSettingsView::default()
    };
    app.engine.schedule_settings_set(&settings).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(app.synced_at().await, None, "not at once");
    app.pass_minutes(5).await;
    let first = app.next_sync(None).await;
    assert_eq!(app.notices.recv().await, Some(Notice::NewRecords));
    app.pass_minutes(60).await;
    assert_eq!(app.synced_at().await.as_deref(), Some(first.as_str()));
    app.sleep_hours(30).await;
    let second = app.next_sync(Some(&first)).await;
    assert!(app.notices.try_recv().is_err(), "nothing new");

    shell.mock.set_access(false);
    app.sleep_hours(30).await;
    assert_eq!(app.next_notice().await, Some(Notice::SignInNeeded));
    let requests = shell.mock.requests().len();
    app.sleep_hours(30).await;
    assert_eq!(
        shell.mock.requests().len(),
        requests,
        "it waits for the person"
    );
    assert_eq!(app.synced_at().await, Some(second));
}

#[tokio::test]
async fn the_app_and_the_command_line_are_never_at_one_source_together() {
    let shell = signed_in().await;
    let app = App::start(&shell).await;
    // The command line is at it when the app's time comes.
    let slow = FaultKind::Delay { ms: 4000 };
    shell.mock.fault(Endpoint::Metadata, slow.clone(), 1);
    let command = shell.command(&["sync", "--json"]).spawn().unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    app.pass_minutes(5).await;
    let schedule = app.engine.schedule().await.unwrap();
    assert!(schedule.connections[0].due, "the app's time has come");
    assert_eq!(app.synced_at().await, None, "the other one is at it");
    let done = crate::shell::Done::from(command.wait_with_output().await.unwrap()).ok();
    assert_eq!(done.json()[0]["complete"], true);
    let (asked, first) = (syncs(&shell), app.synced_at().await.unwrap());
    app.pass_minutes(10).await;
    assert_eq!(syncs(&shell), asked, "what the other one did counts");
    assert!(!app.engine.schedule().await.unwrap().connections[0].due);

    // The app is at it when the person types.
    shell.mock.fault(Endpoint::Metadata, slow, 1);
    app.clock.0.fetch_add(30 * HOUR, Ordering::SeqCst);
    app.pass_minutes(6).await;
    let refused = shell.run(&["sync", "--json"]).await;
    assert_eq!(
        (refused.code, &refused.json()["problem"]["code"]),
        (57, &"sync.already_running".into())
    );
    app.next_sync(Some(&first)).await;
}
