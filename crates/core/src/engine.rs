//! The engine: what the window, the command line and an embedding program hold in their hand.

use crate::access::Fresh;
use crate::discovery_cache::DiscoveryCache;
use crate::identity::AppIdentity;
use crate::keychain::Keychain;
use crate::launch::Launches;
use crate::passphrase::{self, Key, KeyWays, LockStanding, Passphrase};
use crate::problem::{Problem, ProblemCode, Result};
use crate::schedule::{Surroundings, SystemSurroundings};
use crate::servers::{KnownServer, shipped_servers};
use crate::trace::Tracer;
use crate::view::{Event, Reachability};
use satchel_smart::http::{HttpClient, HttpPolicy};
use satchel_smart::{Clock, Random, SystemClock, SystemRandom};
use satchel_store::{DatabaseKey, Store};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;

pub(crate) const DATABASE_FILE: &str = "satchel.db";
pub(crate) const DATABASE_KEY_NAME: &str = "database-key";
/// Some servers take half a minute for the first page of a large chart.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Closing waits no longer for syncs to end.
const LONGEST_STOP: Duration = Duration::from_secs(2);
/// Logos that are fetched at a time.
const LOGOS_AT_A_TIME: usize = 4;

/// What an engine is made of.
#[derive(Clone)]
pub struct EngineOptions {
    /// Folder of the database; made when missing. Keychain entries are named after it.
    pub profile_dir: PathBuf,
    /// Who this app is to servers.
    pub identity: AppIdentity,
    /// Certificates (PEM or DER) to trust beside the system's, for a local certificate authority.
    pub extra_root_certificates: Vec<Vec<u8>>,
    /// Servers to offer beside the shipped ones; they come first.
    pub extra_servers: Vec<KnownServer>,
    /// Traces from the start, for testers (see [`crate::trace`]).
    pub trace: bool,
    /// The program that reads documents in a process of its own: called with
    /// [`READ_DOCUMENT`](crate::attachments::READ_DOCUMENT), it calls
    /// [`read_document_here`](crate::attachments::read_document_here). Without one they are read in this
    /// process, which a file made for it can bring down.
    pub document_reader: Option<PathBuf>,
    /// How long a server may be silent; a whole answer may take five times that.
    pub timeout: Duration,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Battery and network, for syncs by schedule.
    pub surroundings: Arc<dyn Surroundings>,
}

impl EngineOptions {
    /// Options with the system's clock and randomness.
    #[must_use]
    pub fn new(profile_dir: impl Into<PathBuf>) -> Self {
        Self {
            profile_dir: profile_dir.into(),
            identity: AppIdentity::default(),
            extra_root_certificates: Vec::new(),
            extra_servers: Vec::new(),
            trace: false,
            document_reader: None,
            timeout: TIMEOUT,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            surroundings: Arc::new(SystemSurroundings),
        }
    }
}

/// The embeddable engine. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) keychain: Keychain,
    pub(crate) http: HttpClient,
    pub(crate) policy: HttpPolicy,
    pub(crate) identity: AppIdentity,
    pub(crate) servers: Vec<KnownServer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) profile_dir: PathBuf,
    pub(crate) document_reader: Option<PathBuf>,
    pub(crate) reachability: Mutex<HashMap<String, Reachability>>,
    pub(crate) running: Mutex<HashMap<String, Arc<tokio::sync::Notify>>>,
    pub(crate) refreshing: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    pub(crate) fresh: Mutex<HashMap<String, Fresh>>,
    pub(crate) launches: Mutex<Launches>,
    pub(crate) registering: tokio::sync::Mutex<()>,
    /// Held while the groups of a person are made anew.
    pub(crate) settling: tokio::sync::Mutex<()>,
    /// Servers that said when to come again to register.
    pub(crate) registration_waits: Mutex<HashMap<String, jiff::Timestamp>>,
    pub(crate) discovered: DiscoveryCache,
    pub(crate) public_http: OnceLock<HttpClient>,
    pub(crate) logos: tokio::sync::Semaphore,
    pub(crate) tracer: Tracer,
    pub(crate) surroundings: Arc<dyn Surroundings>,
    /// Since when a schedule runs in this process, or since the machine woke.
    pub(crate) awake_since: Mutex<Option<jiff::Timestamp>>,
    /// How long servers asked to wait in the syncs that run now.
    pub(crate) asked_to_wait: Mutex<HashMap<String, Duration>>,
    events: broadcast::Sender<Event>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens the profile: the database key comes from the keychain (it is made at the first start),
    /// the encrypted database is opened and migrated.
    ///
    /// # Errors
    /// `app.locked` when the keychain holds the key only sealed with a passphrase; `keychain.*` when there
    /// is no keychain or it is locked; `store.*` when the database cannot be opened with that key. Nothing
    /// is changed in any case.
    pub async fn open(options: EngineOptions) -> Result<Self> {
        Self::open_with(options, None).await
    }

    /// Opens a locked profile with its passphrase.
    ///
    /// # Errors
    /// `lock.wrong_passphrase`; `lock.wait` after several wrong ones: then this one was not looked at;
    /// `lock.no_passphrase`; otherwise as [`Engine::open`].
    pub async fn unlock(options: EngineOptions, passphrase: &Passphrase) -> Result<Self> {
        let engine = Self::open_with(options, Some(passphrase)).await?;
        engine.log_unlocked().await;
        Ok(engine)
    }

    async fn open_with(options: EngineOptions, passphrase: Option<&Passphrase>) -> Result<Self> {
        options.identity.check()?;
        let profile_dir = prepare_profile(&options.profile_dir)?;
        let keychain = Keychain::new(&options.identity.keychain_service, &profile_dir);
        let path = profile_dir.join(DATABASE_FILE);
        let starting = crate::lockfile::lock(profile_dir.join("start.lock")).await?;
        let key = match passphrase {
            None => database_key(&keychain, &path, options.random.as_ref()).await?,
            Some(passphrase) => {
                let ways = KeyWays(&keychain);
                passphrase::open_guarded(&ways, &profile_dir, passphrase, options.clock.now())
                    .await?
            }
        };
        let store = Store::open(&path, &DatabaseKey::from_bytes(**key)).await?;
        drop(starting);
        let policy = HttpPolicy {
            allow_http_on_loopback: true,
            extra_root_certificates: options.extra_root_certificates,
            timeout: options.timeout,
            max_body_bytes: 64 * 1024 * 1024,
            public_hosts_only: false,
        };
        let http = HttpClient::new(policy.clone())?;
        let mut servers = options.extra_servers;
        servers.extend(shipped_servers());
        let (events, _) = broadcast::channel(256);
        let tracer = Tracer::new(options.trace, options.random.as_ref());
        let engine = Self {
            inner: Arc::new(Inner {
                store,
                keychain,
                http,
                policy,
                identity: options.identity,
                servers,
                clock: options.clock,
                random: options.random,
                profile_dir,
                document_reader: options.document_reader,
                reachability: Mutex::default(),
                running: Mutex::default(),
                refreshing: Mutex::default(),
                fresh: Mutex::default(),
                launches: Mutex::default(),
                registering: tokio::sync::Mutex::default(),
                settling: tokio::sync::Mutex::default(),
                registration_waits: Mutex::default(),
                discovered: DiscoveryCache::default(),
                public_http: OnceLock::new(),
                logos: tokio::sync::Semaphore::new(LOGOS_AT_A_TIME),
                tracer,
                surroundings: options.surroundings,
                awake_since: Mutex::default(),
                asked_to_wait: Mutex::default(),
                events,
            }),
        };
        engine.expire_pending_logins().await?;
        engine.settle_in_background().await?;
        Ok(engine)
    }

    /// Events from now on. They say what is stale; no records travel in them.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.inner.events.subscribe()
    }

    /// Stops what runs, closes the database, and forgets its key and what is known of tokens; the engine
    /// cannot be used afterwards.
    pub async fn close(&self) {
        self.stop_what_runs().await;
        self.inner.store.close().await;
        lock(&self.inner.fresh).clear();
        *lock(&self.inner.launches) = Launches::default();
        self.inner.tracer.forget();
    }

    /// Syncs that are stopped write down how far they came; what takes too long for that goes on next time
    /// as after a crash.
    async fn stop_what_runs(&self) {
        let stopping = tokio::time::Instant::now();
        loop {
            let running: Vec<_> = lock(&self.inner.running).values().cloned().collect();
            running.iter().for_each(|one| one.notify_one());
            if running.is_empty() || stopping.elapsed() > LONGEST_STOP {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// How the profile is locked, also when it cannot be opened.
    ///
    /// # Errors
    /// `keychain.*`, `store.*`.
    pub async fn lock_standing_of(options: &EngineOptions) -> Result<LockStanding> {
        let profile_dir = prepare_profile(&options.profile_dir)?;
        let keychain = Keychain::new(&options.identity.keychain_service, &profile_dir);
        passphrase::standing(&KeyWays(&keychain), &profile_dir, options.clock.now()).await
    }

    /// The folder of this profile.
    #[must_use]
    pub fn profile_dir(&self) -> &Path {
        &self.inner.profile_dir
    }

    pub(crate) fn emit(&self, event: Event) {
        // Nobody listening is no error.
        let _ = self.inner.events.send(event);
    }

    pub(crate) fn events(&self) -> broadcast::Sender<Event> {
        self.inner.events.clone()
    }

    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.inner.clock.now()
    }

    pub(crate) fn set_reachability(&self, connection_id: &str, reachability: Reachability) {
        let before = lock(&self.inner.reachability).insert(connection_id.to_owned(), reachability);
        if before != Some(reachability) {
            self.emit(Event::ConnectionsChanged);
        }
    }
}

/// A poisoned map is still a map: no holder of these locks leaves one half changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes the folder (only its owner may enter) and gives its canonical path, after which the
/// keychain entries are named.
pub(crate) fn prepare_profile(dir: &Path) -> Result<PathBuf> {
    let io = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::StorageFull => Problem::with_detail(ProblemCode::DiskFull, error),
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            Problem::with_detail(ProblemCode::StoreReadOnly, error)
        }
        _ => Problem::with_detail(ProblemCode::StoreFailed, error),
    };
    if !dir.exists() {
        std::fs::create_dir_all(dir).map_err(io)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700)).map_err(io)?;
        }
    }
    dir.canonicalize().map_err(io)
}

/// The database key: read from the keychain; made there when neither key nor database exists.
async fn database_key(keychain: &Keychain, database: &Path, random: &dyn Random) -> Result<Key> {
    let ways = KeyWays(keychain);
    if let Some(key) = ways.plain().await? {
        return Ok(key);
    }
    if ways.is_sealed().await? {
        return Err(Problem::new(ProblemCode::Locked));
    }
    if database.exists() {
        return Err(Problem::new(ProblemCode::KeyMissing));
    }
    let key = passphrase::make_key(random);
    ways.keep_plain(&key).await?;
    Ok(key)
}
