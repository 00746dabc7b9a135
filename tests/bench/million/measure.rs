//! What one installation costs a server: counted at the mock server, over real HTTP, by syncs in processes
//! of their own whose bytes go through a proxy.

use crate::cut::Cut;
use crate::portal::{self, Decision};
use satchel_core::view::Role;
use satchel_core::{Clock, Engine, EngineOptions, RedirectKind, SystemClock};
use satchel_mock::{MockServer, RequestLogEntry, World};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const PROFILE: &str = "SATCHEL_MILLION_PROFILE";
const CONNECTION: &str = "SATCHEL_MILLION_CONNECTION";
const AHEAD: &str = "SATCHEL_MILLION_AHEAD";
const HOUR: i64 = 3600;

/// Requests, and bytes of the answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trip {
    pub(crate) requests: usize,
    pub(crate) bytes: i64,
}

/// What one installation costs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) records: u64,
    /// Requests of the app from a typed address to a signed-in person; the portal's pages are not in it.
    pub(crate) registration: usize,
    pub(crate) first: Trip,
    /// Nothing changed, and only what changed is asked for.
    pub(crate) unchanged: Trip,
    /// Nothing changed, and everything is read: once a week, or where a server cannot tell what changed.
    pub(crate) whole: Trip,
}

impl Cost {
    /// Requests of a sync, as the mean of a week.
    #[expect(clippy::cast_precision_loss, reason = "a few dozen requests")]
    pub(crate) fn mean_requests(&self) -> f64 {
        (6 * self.unchanged.requests + self.whole.requests) as f64 / 7.0
    }
}

/// The system's clock, so many seconds ahead.
#[derive(Debug)]
struct Ahead(i64);

impl Clock for Ahead {
    fn now(&self) -> jiff::Timestamp {
        let ahead = jiff::SignedDuration::from_secs(self.0);
        SystemClock.now().checked_add(ahead).expect("a time")
    }
}

pub(crate) fn ordered() -> bool {
    std::env::var_os(PROFILE).is_some()
}

/// The process that syncs.
pub(crate) async fn obey() {
    let order = |name: &str| std::env::var(name).expect("an order");
    let mut options = EngineOptions::new(order(PROFILE));
    options.clock = Arc::new(Ahead(order(AHEAD).parse().expect("seconds")));
    let engine = Engine::open(options).await.expect("the engine opens");
    let report = engine.sync(&order(CONNECTION)).await.expect("a sync");
    assert!(report.complete, "{report:?}");
    engine.close().await;
}

pub(crate) async fn measure() -> Cost {
    let mock = MockServer::start(World::default())
        .await
        .expect("the mock server starts");
    let folder = tempfile::TempDir::new().expect("a folder");
    let (connection, registration) = register(&mock, folder.path()).await;
    let port = url_port(mock.fhir_base());
    let sync = async |ahead: i64| sync(&mock, folder.path(), &connection, (port, ahead)).await;
    let first = sync(0).await;
    let unchanged = sync(24 * HOUR).await;
    let whole = sync(8 * 24 * HOUR).await;
    let engine = Engine::open(EngineOptions::new(folder.path()))
        .await
        .expect("the engine opens");
    let views = engine.connections().await.expect("connections");
    engine.close().await;
    Cost {
        records: views[0].record_count,
        registration,
        first,
        unchanged,
        whole,
    }
}

async fn register(mock: &MockServer, profile: &Path) -> (String, usize) {
    let engine = Engine::open(EngineOptions::new(profile))
        .await
        .expect("run inside tests/session.sh");
    let account = &mock.accounts()[0];
    let login = engine
        .login_start(mock.fhir_base(), Role::Patient, RedirectKind::Scheme, None)
        .await
        .expect("the login begins");
    let callback = portal::sign_in(
        &login.view.authorization_url,
        &account.username,
        &account.password,
        account.patient_ids.first().map(String::as_str),
        Decision::Approve,
    )
    .await;
    let connection = engine.login_finish(&callback).await.expect("signed in");
    engine.close().await;
    let requests = mock.requests();
    let ours = requests.iter().filter(|one| is_the_apps(one)).count();
    (connection, ours)
}

/// The rest are pages that the person's browser reads.
fn is_the_apps(request: &RequestLogEntry) -> bool {
    let path = request.path.as_str();
    path.contains("/.well-known/")
        || ["/auth/register", "/auth/token", "/auth/jwks"].contains(&path)
        || path.starts_with("/fhir/")
}

async fn sync(
    mock: &MockServer,
    profile: &Path,
    connection: &str,
    (port, ahead): (u16, i64),
) -> Trip {
    let before = mock.requests().len();
    let proxy = Cut::after(SocketAddr::from(([127, 0, 0, 1], port)), i64::MAX / 2).await;
    let own = std::env::current_exe().expect("this program");
    let mut command = Command::new(own);
    command
        .env(PROFILE, profile)
        .env(CONNECTION, connection)
        .env(AHEAD, ahead.to_string())
        .env("http_proxy", format!("http://127.0.0.1:{}", proxy.port))
        .env_remove("no_proxy")
        .env_remove("NO_PROXY");
    let done = tokio::task::spawn_blocking(move || command.status())
        .await
        .expect("a thread")
        .expect("a process");
    assert!(done.success(), "the sync went well");
    let trip = Trip {
        requests: mock.requests().len() - before,
        bytes: proxy.passed(),
    };
    assert!(trip.bytes > 0, "everything went through the proxy");
    trip
}

fn url_port(base: &str) -> u16 {
    let url = url::Url::parse(base).expect("an address");
    url.port().expect("a port")
}
