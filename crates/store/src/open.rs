//! Opening: the key, the pragmas, the migrations, and telling a wrong key from a damaged file.

use crate::error::{Result, StoreError};
use crate::write::PageWriter;
use sha2::{Digest, Sha256};
use sqlx::Connection;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long to wait for another process.
const BUSY: Duration = Duration::from_secs(10);
/// Connections that read.
const READERS: u32 = 4;

/// The 32 bytes that encrypt the file. Never printed.
#[derive(Clone)]
pub struct DatabaseKey(Zeroizing<[u8; 32]>);

impl DatabaseKey {
    /// From the keychain's bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// [`DatabaseKey::raw_key`] in quotes, as a pragma's value stands in SQL.
    fn pragma(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("\"{}\"", *self.raw_key()))
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

/// The store. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Store {
    /// One writer: writes of this process queue here instead of failing as busy.
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    /// Writes pages of records, while `writer` is held.
    pub(crate) pages: Arc<PageWriter>,
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
        let options = connect_options(path, key);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(60))
            // A transaction that a full disk ended is not counted as ended: that connection would refuse
            // each one that follows.
            .before_acquire(|connection, _| {
                Box::pin(async move { Ok(!connection.is_in_transaction()) })
            })
            .connect_with(options.clone())
            .await?;
        let opened = prepare(&writer).await;
        if let Err(error) = opened {
            writer.close().await;
            return Err(error);
        }
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_lazy_with(options);
        let pages = Arc::new(PageWriter::new(path.to_owned(), key.clone()));
        Ok(Self {
            writer,
            readers,
            pages,
        })
    }

    /// Closes all connections; the write-ahead log is folded into the file.
    pub async fn close(&self) {
        if let Ok(turn) = self.writer.acquire().await {
            self.pages.close();
            drop(turn);
        }
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn connect_options(path: &Path, key: &DatabaseKey) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .pragma("key", key.pragma().to_string())
        .create_if_missing(true)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .pragma("temp_store", "memory")
        .pragma("secure_delete", "on")
        .pragma("cache_size", "-16000")
        .pragma("wal_autocheckpoint", "8000")
        .statement_cache_capacity(64)
}

async fn prepare(writer: &SqlitePool) -> Result<()> {
    sqlx::query("SELECT count(*) FROM sqlite_schema")
        .execute(writer)
        .await?;
    refuse_newer(writer).await?;
    MIGRATIONS.run(writer).await.map_err(|error| match error {
        MigrateError::Execute(error) => error.into(),
        other => StoreError::Corrupt(other.to_string()),
    })
}

/// A file of a newer version is refused before anything is written to it.
async fn refuse_newer(writer: &SqlitePool) -> Result<()> {
    let known = MIGRATIONS
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0);
    let table: Option<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE name = '_sqlx_migrations'")
            .fetch_optional(writer)
            .await?;
    if table.is_none() {
        return Ok(());
    }
    let found: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(writer)
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
