//! What can go wrong with the file.

/// Result of the store's calls.
pub(crate) type Result<T> = std::result::Result<T, StoreError>;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The key does not open the file; it was not touched.
    #[error("the key does not open this database")]
    WrongKey,
    /// The key is right but the file is no database of ours.
    #[error("the file is not a database, or is damaged")]
    NotADatabase,
    /// Made by a newer version; it was not touched.
    #[error("the database has schema {found}, this version knows {known}")]
    NewerSchema {
        /// Schema version of the file.
        found: i64,
        /// Newest version known here.
        known: i64,
    },
    /// No space left.
    #[error("no space left on the disk")]
    DiskFull,
    /// The file or its folder may not be written.
    #[error("the database may not be written")]
    ReadOnly,
    /// Another process holds it for too long.
    #[error("the database is busy")]
    Locked,
    /// It was closed, and its key forgotten.
    #[error("the database was closed")]
    Closed,
    /// The expected state was not the stored one.
    #[error("the connection changed in between")]
    StateChanged,
    /// The content contradicts itself.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// The operating system's.
    #[error("the file could not be used")]
    Io(#[source] std::io::Error),
    /// Anything else from SQLite.
    #[error("the database failed")]
    Sql(#[source] Box<dyn std::error::Error + Send + Sync>),
}

const SQLITE_BUSY: i32 = 5;
const SQLITE_LOCKED: i32 = 6;
const SQLITE_READONLY: i32 = 8;
const SQLITE_IOERR: i32 = 10;
const SQLITE_CORRUPT: i32 = 11;
const SQLITE_FULL: i32 = 13;
const SQLITE_CANTOPEN: i32 = 14;
const SQLITE_NOTADB: i32 = 26;
/// Extended code of a write that failed: on a full disk some file systems give this instead.
const SQLITE_IOERR_WRITE: i32 = SQLITE_IOERR | (3 << 8);

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error
            .as_database_error()
            .and_then(|database| database.code())
            .and_then(|code| code.parse::<i32>().ok());
        match code {
            Some(code) => of_code(code).unwrap_or_else(|| Self::Sql(error.into())),
            None => match error {
                sqlx::Error::Io(error) => error.into(),
                sqlx::Error::PoolTimedOut => Self::Locked,
                sqlx::Error::PoolClosed => Self::Closed,
                other => Self::Sql(other.into()),
            },
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        error
            .sqlite_error()
            .and_then(|failure| of_code(failure.extended_code))
            .unwrap_or_else(|| Self::Sql(error.into()))
    }
}

/// What an (extended) result code of SQLite means here, where it means something of its own.
fn of_code(code: i32) -> Option<StoreError> {
    if code == SQLITE_IOERR_WRITE {
        return Some(StoreError::DiskFull);
    }
    Some(match code & 0xff {
        SQLITE_FULL => StoreError::DiskFull,
        SQLITE_NOTADB => StoreError::NotADatabase,
        SQLITE_BUSY | SQLITE_LOCKED => StoreError::Locked,
        SQLITE_READONLY | SQLITE_CANTOPEN => StoreError::ReadOnly,
        SQLITE_CORRUPT => StoreError::Corrupt("SQLite found it".to_owned()),
        _ => return None,
    })
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly
            }
            _ => Self::Io(error),
        }
    }
}
