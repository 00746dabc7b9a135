//! The process that is tortured: this program again, with its orders in the environment.

use jiff::{SignedDuration, Timestamp};
use satchel_core::{Clock, Engine, EngineOptions, SystemClock};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const PROFILE: &str = "SATCHEL_TORTURE_PROFILE";
const CONNECTION: &str = "SATCHEL_TORTURE_CONNECTION";
const ACT: &str = "SATCHEL_TORTURE_ACT";
const TURN: &str = "SATCHEL_TORTURE_TURN";

/// What the process does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Sync,
    Rotate,
}

/// How a process is started.
pub(crate) struct Order<'a> {
    pub(crate) profile: &'a Path,
    pub(crate) connection: &'a str,
    pub(crate) act: Act,
    /// All HTTP goes through this port, if any.
    pub(crate) proxy: Option<u16>,
    /// Somebody sets the wall clock by so many seconds in the middle.
    pub(crate) turn: i64,
}

impl Order<'_> {
    pub(crate) fn start(&self) -> Child {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command
            .env(PROFILE, self.profile)
            .env(CONNECTION, self.connection)
            .env(
                ACT,
                match self.act {
                    Act::Sync => "sync",
                    Act::Rotate => "rotate",
                },
            )
            .env(TURN, self.turn.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(port) = self.proxy {
            command.env("http_proxy", format!("http://127.0.0.1:{port}"));
        }
        command.spawn().expect("a process")
    }
}

pub(crate) fn ordered() -> bool {
    std::env::var_os(PROFILE).is_some()
}

/// Does what was ordered. Whether it succeeded is for the parent to find out from the file.
pub(crate) async fn obey() {
    let order = |name: &str| std::env::var(name).expect("an order");
    let turned = Arc::new(Turned::default());
    let seconds: i64 = order(TURN).parse().expect("seconds");
    let mut options = EngineOptions::new(order(PROFILE));
    options.clock = Arc::<Turned>::clone(&turned);
    let Ok(engine) = Engine::open(options).await else {
        return;
    };
    if seconds != 0 {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(150)).await;
            turned.0.store(seconds, Ordering::SeqCst);
        });
    }
    let id = order(CONNECTION);
    match order(ACT).as_str() {
        "rotate" => drop(engine.registration_rotate_key(&id).await),
        _ => drop(engine.sync(&id).await),
    }
    engine.close().await;
}

/// The system's clock, until somebody sets it.
#[derive(Debug, Default)]
struct Turned(AtomicI64);

impl Clock for Turned {
    fn now(&self) -> Timestamp {
        let turned = SignedDuration::from_secs(self.0.load(Ordering::SeqCst));
        SystemClock.now().checked_add(turned).expect("a time")
    }

    fn elapsed(&self) -> Duration {
        SystemClock.elapsed()
    }
}
