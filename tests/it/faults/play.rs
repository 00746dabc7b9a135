//! A person at a server that goes wrong, and what the file and the report must say afterwards.

use super::chart;
use super::kinds::Case;
use crate::portal::{self, Decision};
use satchel_core::view::{ConnectionStateView, Role, StepOutcome, SyncReportView, SyncStepView};
use satchel_core::{Engine, EngineOptions, Keychain, RedirectKind};
use satchel_mock::{MockServer, World};
use satchel_store::{DatabaseKey, Store};
use std::collections::{BTreeMap, BTreeSet};
use tempfile::TempDir;

/// What a file holds that its source still gives: type and id to hash.
type Content = BTreeMap<(String, String), String>;

/// How a run ended, when nothing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Everything is here, and that is what was said.
    Recovered,
    /// It was said what is missing, and why.
    Reported,
}

/// One server, and what an undisturbed sync of its one chart ends with.
pub(crate) struct Stage {
    mock: MockServer,
    expected: Content,
}

/// A new installation, signed in.
struct Person {
    profile: TempDir,
    engine: Engine,
    connection: String,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        chart::write(folder.path(), &chart::records());
        // Four entries a page: a chart of some forty records has several pages of some kinds.
        let quirks = serde_json::from_value(serde_json::json!({"most_entries": 4}));
        let world = World {
            patients: 0,
            load: Some(folder.path().to_owned()),
            quirks: quirks.expect("a habit"),
            token_lifetime_seconds: 50 * 365 * 86_400,
            refresh_lifetime_seconds: 50 * 365 * 86_400,
            ..World::default()
        };
        let mock = MockServer::start(world).await.expect("the mock server");
        let mut stage = Self {
            mock,
            expected: Content::new(),
        };
        let person = stage.person().await;
        let report = stage.sync(&person).await.expect("an undisturbed sync");
        assert!(report.complete, "{report:?}");
        stage.expected = content(&person).await;
        assert!(
            stage.expected.len() == chart::records().len(),
            "all of it: {:?}",
            stage.expected.keys()
        );
        person.engine.close().await;
        stage
    }

    async fn person(&self) -> Person {
        let profile = TempDir::new().expect("a folder");
        let engine = Engine::open(EngineOptions::new(profile.path()))
            .await
            .expect("run inside tests/session.sh");
        let connection = self.sign_in(&engine).await;
        Person {
            profile,
            engine,
            connection,
        }
    }

    async fn sign_in(&self, engine: &Engine) -> String {
        let person = &self.mock.accounts()[0];
        let login = engine
            .login_start(
                self.mock.fhir_base(),
                Role::Patient,
                RedirectKind::Scheme,
                None,
            )
            .await
            .expect("the login begins");
        let callback = portal::sign_in(
            &login.view.authorization_url,
            &person.username,
            &person.password,
            person.patient_ids.first().map(String::as_str),
            Decision::Approve,
        )
        .await;
        engine.login_finish(&callback).await.expect("signed in")
    }

    async fn sync(&self, person: &Person) -> Result<SyncReportView, String> {
        let report = person.engine.sync(&person.connection).await;
        report.map_err(|problem| format!("{:?}", problem.view()))
    }

    /// A sync in which that goes wrong, and one in which nothing does.
    pub(crate) async fn play(&self, case: &Case) -> Result<Ended, String> {
        let person = self.person().await;
        if case.again {
            let first = self.sync(&person).await?;
            if !first.complete {
                return Err(format!("nothing was disturbed yet: {first:?}"));
            }
            forget_marks(&person).await;
        }
        for fault in case.planned() {
            self.mock.plan(&fault);
        }
        let report = self.sync(&person).await;
        self.mock.clear_faults();
        let ended = self.judge(&report?, &content(&person).await)?;
        self.heal(&person).await?;
        person.engine.close().await;
        Ok(ended)
    }

    /// The report against what is here.
    fn judge(&self, report: &SyncReportView, here: &Content) -> Result<Ended, String> {
        self.check_steps(report, here)?;
        let equal = *here == self.expected;
        // What others refer to may be refused: that is told beside the records.
        let told = report
            .steps
            .last()
            .is_some_and(|step| !step.remarks.is_empty());
        if report.complete && told && !equal {
            return Ok(Ended::Reported);
        }
        if report.complete && report.unreadable_records == 0 {
            return match equal {
                true => Ok(Ended::Recovered),
                false => Err(format!("complete, but {}", self.difference(here))),
            };
        }
        let named = |step: &SyncStepView| step.problem.is_some() || !step.remarks.is_empty();
        let says_why = report.problem.is_some() || report.steps.iter().any(named);
        match says_why {
            true => Ok(Ended::Reported),
            false => Err(format!("not complete, and no reason: {report:?}")),
        }
    }

    /// A part that is called complete or empty has everything of its kind.
    fn check_steps(&self, report: &SyncReportView, here: &Content) -> Result<(), String> {
        let whole = |outcome| matches!(outcome, StepOutcome::Complete | StepOutcome::Empty);
        let mut ends: BTreeMap<&str, bool> = BTreeMap::new();
        for step in &report.steps {
            *ends.entry(&step.resource_type).or_insert(true) &=
                whole(step.outcome) && step.remarks.is_empty();
        }
        let stopped_before = report.problem.is_some();
        for (kind, is_whole) in ends {
            // What others refer to is called by the first of its kinds.
            if !is_whole || kind == "Practitioner" || stopped_before {
                continue;
            }
            let of_kind = |content: &Content| -> BTreeSet<String> {
                let keys = content.keys().filter(|(name, _)| name == kind);
                keys.map(|(_, id)| id.clone()).collect()
            };
            let missing = of_kind(&self.expected).difference(&of_kind(here)).count();
            if missing > 0 {
                return Err(format!("{kind} is called whole, and {missing} are missing"));
            }
        }
        Ok(())
    }

    fn difference(&self, here: &Content) -> String {
        let named = |(kind, id): &(String, String)| format!("{kind}/{id}");
        let missing = self.expected.keys().filter(|key| !here.contains_key(*key));
        let missing: Vec<String> = missing.map(named).take(5).collect();
        let other = here
            .iter()
            .filter(|(key, hash)| self.expected.get(*key) != Some(hash));
        let other: Vec<String> = other.map(|(key, _)| named(key)).take(5).collect();
        format!("missing are {missing:?}, other than at the source are {other:?}")
    }

    /// Nothing goes wrong any more: the next sync makes up for everything.
    async fn heal(&self, person: &Person) -> Result<(), String> {
        let connection = person.engine.connection(&person.connection).await;
        let connection = connection.map_err(|problem| format!("{:?}", problem.view()))?;
        if connection.state == ConnectionStateView::AccessLost {
            let same = self.sign_in(&person.engine).await;
            if same != person.connection {
                return Err("signing in again made another connection".to_owned());
            }
        }
        let mut report = self.sync(person).await?;
        // A renewal whose answer was lost is found out by the next one.
        if report
            .problem
            .as_ref()
            .is_some_and(|problem| problem.code.starts_with("access."))
        {
            self.sign_in(&person.engine).await;
            report = self.sync(person).await?;
        }
        if !report.complete {
            return Err(format!("the next sync is not complete: {report:?}"));
        }
        let here = content(person).await;
        match here == self.expected {
            true => Ok(()),
            false => Err(format!("after the next sync {}", self.difference(&here))),
        }
    }
}

async fn store(person: &Person) -> Store {
    let path = person.profile.path();
    let keychain = Keychain::new(
        "org.satchel.desktop",
        &path.canonicalize().expect("a folder"),
    );
    let key = keychain.get("database-key").await.expect("a keychain");
    let key = key
        .expect("the key")
        .as_slice()
        .try_into()
        .expect("32 bytes");
    Store::open(&path.join("satchel.db"), &DatabaseKey::from_bytes(key))
        .await
        .expect("the file opens")
}

/// As after a week: the next sync asks for everything.
async fn forget_marks(person: &Person) {
    let store = store(person).await;
    let marks = store
        .sync_marks_get(&person.connection)
        .await
        .expect("it reads");
    for mark in marks {
        let removed = store.sync_mark_remove(&person.connection, &mark.step_key);
        removed.await.expect("removed");
    }
    store.close().await;
}

async fn content(person: &Person) -> Content {
    let store = store(person).await;
    let hashes = store.hashes(&person.connection).await.expect("it reads");
    let gone = store
        .records_withdrawn(&person.connection, "", u32::MAX)
        .await
        .expect("it reads");
    let mut contents = BTreeMap::new();
    for (kind, id, _) in hashes.iter().filter(|(kind, ..)| kind == "Binary") {
        let stored = store.record_get(&person.connection, kind, id).await;
        let (_, json) = stored.expect("it reads").expect("it is there");
        contents.insert(id.clone(), said(&json));
    }
    store.close().await;
    let gone: BTreeSet<(String, String)> = gone
        .into_iter()
        .map(|row| (row.resource_type, row.id))
        .collect();
    hashes
        .into_iter()
        .map(|(kind, id, hash)| {
            let said = (kind == "Binary").then(|| contents.remove(&id)).flatten();
            ((kind, id), said.unwrap_or(hash))
        })
        .filter(|(key, _)| !gone.contains(key) && !key.1.starts_with("unreadable-"))
        .collect()
}

/// A content is the same whether it came as itself or in a record around it.
fn said(binary: &str) -> String {
    let record: serde_json::Value = serde_json::from_str(binary).expect("JSON");
    format!("{} {}", record["contentType"], record["data"])
}
