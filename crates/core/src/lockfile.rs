//! Advisory locks between processes of one profile: the app and the command line share a database.

use crate::problem::{Problem, ProblemCode, Result};
use std::fs::{File, TryLockError};
use std::path::PathBuf;

/// Held until dropped.
#[derive(Debug)]
pub(crate) struct FileLock {
    _file: File,
}

fn open(path: &PathBuf) -> Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map_err(|error| Problem::with_detail(ProblemCode::StoreReadOnly, error))
}

/// Waits for the lock.
pub(crate) async fn lock(path: PathBuf) -> Result<FileLock> {
    tokio::task::spawn_blocking(move || {
        let file = open(&path)?;
        file.lock()
            .map_err(|error| Problem::with_detail(ProblemCode::StoreFailed, error))?;
        Ok(FileLock { _file: file })
    })
    .await
    .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))?
}

/// Takes the lock when nobody holds it.
pub(crate) fn try_lock(path: &PathBuf) -> Result<Option<FileLock>> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(FileLock { _file: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(Problem::with_detail(ProblemCode::StoreFailed, error))
        }
    }
}
