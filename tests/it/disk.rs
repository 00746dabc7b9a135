//! The disk fills up in the middle of a sync.

use crate::portal::{self, Decision};
use crate::world::engine;
use satchel_core::view::Role;
use satchel_core::{Problem, RedirectKind};
use satchel_mock::{MockServer, World};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A disk of its own, a megabyte small. Mounting is for root; CI is.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(folder.path())
            .output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        mounted.then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn grow(&self) {
        let status = Command::new("mount")
            .args(["-o", "remount,size=64m"])
            .arg(self.path())
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_what_was_stored_stays() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("not run: mounting a small disk needs root");
        return;
    };
    let mock = MockServer::start(World {
        patients: 2,
        ..World::default()
    })
    .await
    .unwrap();
    let app = engine(disk.path()).await;
    let login = app
        .login_start(mock.fhir_base(), Role::Patient, RedirectKind::Scheme, None)
        .await
        .unwrap();
    let account = &mock.accounts()[0];
    let callback = portal::sign_in(
        &login.view.authorization_url,
        &account.username,
        &account.password,
        None,
        Decision::Approve,
    )
    .await;
    let id = app.login_finish(&callback).await.unwrap();

    let view = match app.sync(&id).await {
        Ok(report) => report.problem.unwrap(),
        Err(problem) => Problem::view(&problem),
    };
    assert_eq!(view.code, "store.disk_full", "{view:?}");
    let stored = app.connection(&id).await.unwrap();
    assert!(
        stored.last_synced_at.is_none(),
        "a sync that failed moves no date"
    );
    app.close().await;

    disk.grow();
    let app = engine(disk.path()).await;
    let after = app.connection(&id).await.unwrap();
    assert_eq!(after.record_count, stored.record_count);
    let report = app.sync(&id).await.unwrap();
    assert!(report.complete, "{report:?}");
    assert!(app.connection(&id).await.unwrap().record_count > 200);
}
