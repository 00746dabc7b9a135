//! Opening: the key, the pragmas, the migrations, and telling a wrong key from a damaged file.

use crate::error::{Result, StoreError};
use crate::write::PageWriter;
use sha2::{Digest, Sha256};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long to wait for another process.
const BUSY: Duration = Duration::from_secs(10);
/// Connections that read.
const READERS: u32 = 4;

/// The 32 bytes that encrypt the file. Never printed.
/// In one place, which is overwritten when nobody needs it any more: what is moved leaves copies behind.
#[derive(Clone)]
pub struct DatabaseKey(Arc<Zeroizing<[u8; 32]>>);

impl DatabaseKey {
    /// From the keychain's bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }

    /// The statement that gives the key to a connection; whoever asks for it overwrites it.
    pub(crate) fn pragma_key(&self) -> String {
        let raw = self.raw_key();
        // At once as long as it will be: a text that grows leaves copies of itself behind.
        let mut text = String::with_capacity(raw.len() + 16);
        for part in ["PRAGMA key = \"", raw.as_str(), "\";"] {
            text.push_str(part);
        }
        text
    }

    /// The raw-key form of SQLCipher: no key derivation, the key has 256 random bits already.
    pub(crate) fn raw_key(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(67));
        text.push_str("x'");
        for byte in self.0.iter() {
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 15)]));
        }
        text.push('\'');
        text
    }

    /// Tells this key from another without telling what it is.
    fn check_value(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"satchel database key check, version 1");
        hash.update(self.0.as_slice());
        hash.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

impl std::fmt::Debug for DatabaseKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseKey([secret])")
    }
}

/// The key for as long as the store is open: each connection is opened with it, and closing forgets it.
/// It is not among the options of the pools, which live for as long as anybody holds the store.
#[derive(Clone)]
pub(crate) struct HeldKey(Arc<Mutex<Option<DatabaseKey>>>);

impl HeldKey {
    fn new(key: &DatabaseKey) -> Self {
        Self(Arc::new(Mutex::new(Some(key.clone()))))
    }

    /// The key, unless it was forgotten.
    pub(crate) fn get(&self) -> Result<DatabaseKey> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone().ok_or(StoreError::Closed)
    }

    fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The store. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Store {
    /// One writer: writes of this process queue here instead of failing as busy.
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    /// Writes pages of records, while `writer` is held.
    pub(crate) pages: Arc<PageWriter>,
    key: HeldKey,
}

impl std::fmt::Debug for HeldKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HeldKey([secret])")
    }
}

impl Store {
    /// Opens the file, or makes it (readable by its owner only) in a folder that exists.
    ///
    /// # Errors
    /// [`StoreError::WrongKey`], [`StoreError::NotADatabase`] and [`StoreError::NewerSchema`] leave
    /// the file as it was; [`StoreError::DiskFull`], [`StoreError::ReadOnly`].
    pub async fn open(path: &Path, key: &DatabaseKey) -> Result<Self> {
        let check_path = check_path(path);
        let existed = path.metadata().is_ok_and(|file| file.len() > 0);
        if existed {
            refuse_wrong_key(&check_path, key)?;
        } else {
            write_private(&check_path, key.check_value().as_bytes())?;
            touch_private(path)?;
        }
        let options = connect_options(path);
        // A connection by itself, which says what is wrong with the file: a pool would try again.
        let mut first = options.connect().await?;
        give_key(&mut first, key).await?;
        let looked_at = look_at(&mut first).await;
        if let Err(error) = looked_at {
            // What is wrong was said already.
            let _ = first.close().await;
            return Err(error);
        }
        let key = HeldKey::new(key);
        let writer = keyed(&key)
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(60))
            // A transaction that a full disk ended is not counted as ended: that connection would refuse
            // each one that follows.
            .before_acquire(|connection, _| {
                Box::pin(async move { Ok(!connection.is_in_transaction()) })
            })
            .connect_with(options.clone())
            .await?;
        first.close().await?;
        let migrated = migrate(&writer).await;
        if let Err(error) = migrated {
            writer.close().await;
            return Err(error);
        }
        let readers = keyed(&key)
            .max_connections(READERS)
            .connect_lazy_with(options);
        let pages = Arc::new(PageWriter::new(path.to_owned(), key.clone()));
        Ok(Self {
            writer,
            readers,
            pages,
            key,
        })
    }

    /// Closes all connections, of all clones, and forgets the key; the write-ahead log is folded into the
    /// file. What is asked of the store from then on ends with [`StoreError::Closed`].
    pub async fn close(&self) {
        if let Ok(turn) = self.writer.acquire().await {
            self.pages.close();
            drop(turn);
        }
        // From here on nothing is opened any more, also if nobody waits until what is being read is read.
        self.key.forget();
        let (readers, writer) = (self.readers.close(), self.writer.close());
        readers.await;
        writer.await;
    }
}

/// A pool whose connections are opened with the key.
fn keyed(key: &HeldKey) -> SqlitePoolOptions {
    let key = key.clone();
    SqlitePoolOptions::new().after_connect(move |connection, _| {
        let key = key.get();
        Box::pin(async move {
            give_key(connection, &key.map_err(|_| sqlx::Error::PoolClosed)?).await?;
            // A pool whose connections cannot be made ready tries again until its patience ends. What keeps
            // the file from being read, the first statement tells at once; without these a connection is
            // slower and no less safe.
            if let Err(error) = connection.execute(PRAGMAS_THAT_READ).await {
                tracing::debug!(%error, "a connection stands as SQLite has it");
            }
            Ok(())
        })
    })
}

/// Gives a new connection the key, which SQLCipher takes before anything is read.
async fn give_key(connection: &mut SqliteConnection, key: &DatabaseKey) -> sqlx::Result<()> {
    // Shared, so that what the connection was told can be overwritten afterwards.
    let text = Arc::new(key.pragma_key());
    let given = connection.execute(AssertSqlSafe(Arc::clone(&text))).await;
    if let Some(text) = Arc::into_inner(text) {
        drop(Zeroizing::new(text));
    }
    given?;
    connection.execute(PRAGMAS).await.map(drop)
}

/// How each connection stands; nothing is read for these.
const PRAGMAS: &str =
    "PRAGMA foreign_keys = on; PRAGMA temp_store = memory; PRAGMA secure_delete = on;";

/// The same; for these the file is read. The first two stay in it.
const PRAGMAS_THAT_READ: &str = "PRAGMA auto_vacuum = incremental; PRAGMA journal_mode = wal;
    PRAGMA synchronous = normal; PRAGMA cache_size = -16000; PRAGMA wal_autocheckpoint = 8000;";

fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .busy_timeout(BUSY)
        .statement_cache_capacity(64)
        // Statements hold the key and words of records; slow ones would be written to the log as warnings.
        .disable_statement_logging()
}

/// Whether it can be read, and by this version.
async fn look_at(first: &mut SqliteConnection) -> Result<()> {
    first.execute(PRAGMAS_THAT_READ).await?;
    sqlx::query("SELECT count(*) FROM sqlite_schema")
        .execute(&mut *first)
        .await?;
    refuse_newer(first).await
}

async fn migrate(writer: &SqlitePool) -> Result<()> {
    MIGRATIONS.run(writer).await.map_err(|error| match error {
        MigrateError::Execute(error) => error.into(),
        other => StoreError::Corrupt(other.to_string()),
    })
}

/// A file of a newer version is refused before anything is written to it.
async fn refuse_newer(first: &mut SqliteConnection) -> Result<()> {
    let known = MIGRATIONS
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0);
    let table: Option<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE name = '_sqlx_migrations'")
            .fetch_optional(&mut *first)
            .await?;
    if table.is_none() {
        return Ok(());
    }
    let found: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(first)
        .await?;
    match found {
        Some(found) if found > known => Err(StoreError::NewerSchema { found, known }),
        _ => Ok(()),
    }
}

fn check_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".check");
    PathBuf::from(name)
}

fn refuse_wrong_key(check_path: &Path, key: &DatabaseKey) -> Result<()> {
    match std::fs::read_to_string(check_path) {
        Ok(stored) if stored.trim() == key.check_value() => Ok(()),
        Ok(_) => Err(StoreError::WrongKey),
        // Lost, not wrong: SQLCipher itself will say whether the key fits.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn private_options() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

fn touch_private(path: &Path) -> Result<()> {
    private_options().open(path)?;
    Ok(())
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write;
    let mut file = private_options().truncate(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}
