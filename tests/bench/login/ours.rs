//! The thing measured: the engine's part of a sign-in, of the next ones, and of a refresh.

use crate::portal::{self, Decision};
use crate::server::Server;
use satchel_core::view::Role;
use satchel_core::{Clock, Engine, EngineOptions, RedirectKind, StartedLogin, SystemClock};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A clock that runs, and can be turned on together with the server's.
#[derive(Default)]
pub(crate) struct TurnedClock(AtomicI64);

impl TurnedClock {
    pub(crate) fn turn(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TurnedClock {
    fn now(&self) -> jiff::Timestamp {
        let turned = jiff::SignedDuration::from_secs(self.0.load(Ordering::SeqCst));
        SystemClock.now().checked_add(turned).expect("a time")
    }

    fn elapsed(&self) -> Duration {
        let turned = self.0.load(Ordering::SeqCst);
        SystemClock.elapsed() + Duration::from_secs(turned.unsigned_abs())
    }
}

/// What one case took without the person, and what it asked the server for.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) took: Duration,
    /// Method and path.
    pub(crate) requests: Vec<(String, String)>,
}

/// An installation of its own.
pub(crate) struct Installation<'a> {
    server: &'a Server,
    engine: Engine,
    _profile: TempDir,
}

impl<'a> Installation<'a> {
    pub(crate) async fn new(server: &'a Server, clock: &Arc<TurnedClock>) -> Self {
        let profile = TempDir::new().expect("a folder");
        let options = EngineOptions {
            clock: Arc::<TurnedClock>::clone(clock),
            ..EngineOptions::new(profile.path())
        };
        let engine = Engine::open(options)
            .await
            .expect("run inside tests/session.sh");
        Self {
            server,
            engine,
            _profile: profile,
        }
    }

    /// A sign-in at the server's address; gives the connection.
    pub(crate) async fn sign_in(&self, account: &(String, String)) -> (String, Done) {
        let begin = self.engine.login_start(
            self.server.fhir_base(),
            Role::Patient,
            RedirectKind::Scheme,
            None,
        );
        self.whole(begin, account).await
    }

    /// The same person signs in again on a connection.
    pub(crate) async fn sign_in_again(&self, id: &str, account: &(String, String)) -> Done {
        let begin = self.engine.login_reconnect(id, RedirectKind::Scheme, None);
        self.whole(begin, account).await.1
    }

    async fn whole(
        &self,
        begin: impl Future<Output = Result<StartedLogin, satchel_core::Problem>>,
        (name, password): &(String, String),
    ) -> (String, Done) {
        let mut done = Done::default();
        let login = self.part(&mut done, begin).await.expect("it begins");
        let url = &login.view.authorization_url;
        let callback = portal::sign_in(url, name, password, None, Decision::Approve).await;
        let end = self.engine.login_finish(&callback);
        let id = self.part(&mut done, end).await.expect("signed in");
        (id, done)
    }

    /// Whether access is still on: a refresh, as the token lives for half a minute only, and the question.
    pub(crate) async fn check(&self, id: &str) -> Done {
        let mut done = Done::default();
        let check = self.part(&mut done, self.engine.access_check(id)).await;
        assert_eq!(check.expect("it is asked").active, Some(true));
        done
    }

    async fn part<T>(&self, done: &mut Done, work: impl Future<Output = T>) -> T {
        let before = log(self.server).await.len();
        let begun = Instant::now();
        let answer = work.await;
        done.took += begun.elapsed();
        let text = |entry: &Value, name: &str| entry[name].as_str().expect("text").to_owned();
        let entries = log(self.server).await;
        let ours = entries[before..].iter();
        done.requests
            .extend(ours.map(|entry| (text(entry, "method"), text(entry, "path"))));
        answer
    }

    pub(crate) async fn close(self) {
        self.engine.close().await;
    }
}

/// The mock server's log of requests.
async fn log(server: &Server) -> Vec<Value> {
    let url = format!("{}/requests", server.control());
    let answer = reqwest::get(url).await.expect("the log");
    answer.json().await.expect("JSON")
}
