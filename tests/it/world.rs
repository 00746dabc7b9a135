//! A mock server, a profile folder and an engine, as each test needs them.

use crate::portal::{self, Decision};
use satchel_core::view::Role;
use satchel_core::{Engine, EngineOptions, Keychain, Problem, RedirectKind};
use satchel_mock::population::Account;
use satchel_mock::{MockServer, World};
use std::path::Path;
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

/// An engine on a profile folder, with the keychain of this session.
pub(crate) async fn engine(profile: &Path) -> Engine {
    Engine::open(EngineOptions::new(profile))
        .await
        .unwrap_or_else(|problem| panic!("run inside tests/session.sh: {:?}", problem.view()))
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

    /// Closes the engine and opens it anew, as a restart of the app does.
    pub(crate) async fn restart(&mut self) {
        self.engine.close().await;
        self.engine = engine(self.profile.path()).await;
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
