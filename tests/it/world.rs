//! A mock server, a profile folder and an engine, as each test needs them.

use crate::portal::{self, Decision};
use satchel_core::view::Role;
use satchel_core::{
    Clock, Engine, EngineOptions, Keychain, Problem, Random, RedirectKind, SystemClock,
};
use satchel_mock::population::Account;
use satchel_mock::{MockServer, World};
use satchel_store::{DatabaseKey, Store};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;

pub(crate) struct Setting {
    pub(crate) mock: MockServer,
    pub(crate) engine: Engine,
    profile: TempDir,
}

/// A server with two people, and a new installation.
pub(crate) async fn setting() -> Setting {
    setting_in(World {
        patients: 2,
        ..World::default()
    })
    .await
}

pub(crate) async fn setting_in(world: World) -> Setting {
    let mock = MockServer::start(world)
        .await
        .expect("the mock server starts");
    let profile = TempDir::new().expect("a folder");
    let engine = engine(profile.path()).await;
    Setting {
        mock,
        engine,
        profile,
    }
}

/// A clock that runs, and can be turned: the wall clock and the steady one, each by itself.
#[derive(Debug, Default)]
pub(crate) struct TurnedClock {
    wall: AtomicI64,
    steady: AtomicU64,
}

impl TurnedClock {
    /// As time goes by: both clocks.
    pub(crate) fn pass(&self, seconds: u32) {
        self.turn(seconds.into());
        self.steady.fetch_add(seconds.into(), Ordering::SeqCst);
    }

    /// Somebody sets the wall clock.
    pub(crate) fn turn(&self, seconds: i64) {
        self.wall.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The steady clock alone: as when the wall clock was set back meanwhile.
    pub(crate) fn pass_unseen(&self, seconds: u32) {
        self.steady.fetch_add(seconds.into(), Ordering::SeqCst);
    }
}

impl Clock for TurnedClock {
    fn now(&self) -> jiff::Timestamp {
        let turned = jiff::SignedDuration::from_secs(self.wall.load(Ordering::SeqCst));
        SystemClock.now().checked_add(turned).expect("a time")
    }

    fn elapsed(&self) -> Duration {
        SystemClock.elapsed() + Duration::from_secs(self.steady.load(Ordering::SeqCst))
    }
}

impl Setting {
    /// Time goes by, at the server too.
    pub(crate) fn pass(&self, clock: &TurnedClock, seconds: u32) {
        clock.pass(seconds);
        self.mock.turn_clock(seconds.into());
    }
}

/// As [`setting_in`], with a clock of the engine's own.
pub(crate) async fn setting_with_clock(world: World) -> (Setting, Arc<TurnedClock>) {
    let clock = Arc::new(TurnedClock::default());
    let mock = MockServer::start(world)
        .await
        .expect("the mock server starts");
    let profile = TempDir::new().expect("a folder");
    let mut options = EngineOptions::new(profile.path());
    options.clock = Arc::<TurnedClock>::clone(&clock);
    // As the app and the command line do: documents are read in a process of their own.
    options.document_reader = Some(env!("CARGO_BIN_EXE_satchel-desktop").into());
    let engine = Engine::open(options)
        .await
        .expect("run inside tests/session.sh");
    let setting = Setting {
        mock,
        engine,
        profile,
    };
    (setting, clock)
}

/// An engine on a profile folder, with the keychain of this session.
pub(crate) async fn engine(profile: &Path) -> Engine {
    Engine::open(EngineOptions::new(profile))
        .await
        .unwrap_or_else(|problem| panic!("run inside tests/session.sh: {:?}", problem.view()))
}

/// As [`setting`], with randomness of the test's own.
pub(crate) async fn setting_of(random: Arc<dyn Random>) -> Setting {
    let world = World {
        patients: 2,
        ..World::default()
    };
    let mock = MockServer::start(world)
        .await
        .expect("the mock server starts");
    let profile = TempDir::new().expect("a folder");
    let options = EngineOptions {
        random,
        ..EngineOptions::new(profile.path())
    };
    let engine = Engine::open(options).await.expect("the engine opens");
    Setting {
        mock,
        engine,
        profile,
    }
}

impl Setting {
    pub(crate) fn profile(&self) -> &Path {
        self.profile.path()
    }

    pub(crate) fn patient(&self) -> &Account {
        &self.mock.accounts()[0]
    }

    pub(crate) fn keychain(&self) -> Keychain {
        let path = self
            .profile
            .path()
            .canonicalize()
            .expect("the folder is there");
        Keychain::new("org.satchel.desktop", &path)
    }

    /// The profile's database, beside the engine.
    pub(crate) async fn store(&self) -> Store {
        let key = self.keychain().get("database-key").await.unwrap().unwrap();
        let key = DatabaseKey::from_bytes(key.as_slice().try_into().unwrap());
        Store::open(&self.profile().join("satchel.db"), &key)
            .await
            .unwrap()
    }

    /// Closes the engine and opens it anew, as a restart of the app does.
    pub(crate) async fn restart(&mut self) {
        self.engine.close().await;
        self.engine = engine(self.profile.path()).await;
    }

    /// As [`Setting::restart`], so many seconds later.
    pub(crate) async fn restart_later(&mut self, seconds: u32) {
        self.engine.close().await;
        let clock = TurnedClock::default();
        clock.pass(seconds);
        let mut options = EngineOptions::new(self.profile.path());
        options.clock = Arc::new(clock);
        self.engine = Engine::open(options).await.expect("it opens again");
    }

    /// Begins a login by private-use scheme and goes through the portal; gives the callback URL.
    pub(crate) async fn callback_of(&self, account: &Account, decision: Decision) -> String {
        let role = match account.role {
            satchel_mock::population::AccountRole::Patient => Role::Patient,
            _ => Role::Provider,
        };
        let login = self
            .engine
            .login_start(self.mock.fhir_base(), role, RedirectKind::Scheme, None)
            .await
            .expect("the login begins");
        let patient = account.patient_ids.first().map(String::as_str);
        portal::sign_in(
            &login.view.authorization_url,
            &account.username,
            &account.password,
            patient,
            decision,
        )
        .await
    }

    /// A whole login; gives the connection.
    pub(crate) async fn connect(&self, account: &Account) -> String {
        let callback = self.callback_of(account, Decision::Approve).await;
        self.engine
            .login_finish(&callback)
            .await
            .expect("the login ends well")
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        let requests = self.mock.requests();
        requests.iter().filter(|one| one.path == path).count()
    }

    /// How many tokens or pairs of tokens were given out.
    pub(crate) fn renewed(&self) -> usize {
        let requests = self.mock.requests();
        let given =
            |one: &&satchel_mock::RequestLogEntry| one.path == "/auth/token" && one.status == 200;
        requests.iter().filter(given).count()
    }

    /// A login that must not succeed; gives the problem's code.
    pub(crate) async fn failed_login(&self) -> String {
        let callback = self.callback_of(self.patient(), Decision::Approve).await;
        code(self.engine.login_finish(&callback).await)
    }
}

/// The code of the problem that must be there.
pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, Problem>) -> String {
    result.expect_err("a problem").code.code().to_owned()
}
