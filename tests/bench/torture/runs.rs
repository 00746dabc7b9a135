//! One run: harm is done, then the file is looked at, then a sync goes on to its end.

use crate::child::{Act, Order};
use crate::cut::Cut;
use crate::disk::Disk;
use crate::file::{Content, content, sound};
use crate::portal::{self, Decision};
use rand::Rng;
use rand::rngs::StdRng;
use satchel_core::view::Role;
use satchel_core::{Engine, EngineOptions, RedirectKind};
use satchel_mock::{MockServer, World};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The harm that is done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Harm {
    KillSync,
    KillTwice,
    KillRefresh,
    KillRotation,
    CutNetwork,
    FullDisk,
    TurnClock,
    TwoAtOnce,
}

impl Harm {
    pub(crate) fn draw(random: &mut StdRng) -> Self {
        match random.random_range(0..100) {
            0..45 => Self::KillSync,
            45..55 => Self::KillTwice,
            55..62 => Self::KillRefresh,
            62..69 => Self::KillRotation,
            69..81 => Self::CutNetwork,
            81..91 => Self::FullDisk,
            91..95 => Self::TurnClock,
            _ => Self::TwoAtOnce,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KillSync => "killed in a sync",
            Self::KillTwice => "killed, and killed again",
            Self::KillRefresh => "killed in a token refresh",
            Self::KillRotation => "killed in a key rotation",
            Self::CutNetwork => "network cut",
            Self::FullDisk => "disk full",
            Self::TurnClock => "clock turned",
            Self::TwoAtOnce => "two programs at once",
        }
    }
}

pub(crate) struct Done {
    /// The harm came about.
    pub(crate) struck: bool,
    /// What is not as it should be.
    pub(crate) wrong: Option<String>,
}

/// A person who has signed in and not synced yet.
struct Person {
    mock: MockServer,
    profile: TempDir,
    connection: String,
}

impl Person {
    /// `lifetime`: of an access token, in seconds.
    async fn new(lifetime: i64) -> Self {
        let world = World {
            patients: 2,
            token_lifetime_seconds: lifetime,
            ..World::default()
        };
        let mock = MockServer::start(world).await.expect("the mock server");
        let profile = TempDir::new().expect("a folder");
        let engine = open(profile.path()).await;
        let connection = sign_in(&engine, &mock).await;
        engine.close().await;
        Self {
            mock,
            profile,
            connection,
        }
    }

    fn order(&self, act: Act) -> Order<'_> {
        Order {
            profile: self.profile.path(),
            connection: &self.connection,
            act,
            proxy: None,
            turn: 0,
        }
    }

    /// The sync that goes on, to its end, and what the file holds then.
    async fn finish(&self) -> Result<Content, String> {
        let engine = open(self.profile.path()).await;
        let report = engine.sync(&self.connection).await;
        engine.close().await;
        let report = report.map_err(|problem| format!("{:?}", problem.view()))?;
        if !report.complete {
            return Err(format!("the sync that went on is not complete: {report:?}"));
        }
        sound(self.profile.path()).await?;
        content(self.profile.path(), &self.connection).await
    }
}

async fn open(profile: &Path) -> Engine {
    let engine = Engine::open(EngineOptions::new(profile)).await;
    engine.unwrap_or_else(|problem| panic!("run inside tests/session.sh: {:?}", problem.view()))
}

async fn sign_in(engine: &Engine, mock: &MockServer) -> String {
    let person = mock.accounts()[0].clone();
    let login = engine
        .login_start(mock.fhir_base(), Role::Patient, RedirectKind::Scheme, None)
        .await
        .expect("the login begins");
    let patient = person.patient_ids.first().map(String::as_str);
    let callback = portal::sign_in(
        &login.view.authorization_url,
        &person.username,
        &person.password,
        patient,
        Decision::Approve,
    )
    .await;
    engine.login_finish(&callback).await.expect("signed in")
}

pub(crate) struct Bench {
    person: Person,
    /// The profile as it was after the sign-in.
    before: TempDir,
    expected: Content,
    undisturbed: Duration,
    bytes: u64,
    answers: i64,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        // Two hours: no token ends while the runs go on.
        let person = Person::new(7_200).await;
        let before = TempDir::new().expect("a folder");
        copy(person.profile.path(), before.path());
        let counter = Cut::after(address(&person.mock), i64::MAX / 2).await;
        let mut order = person.order(Act::Sync);
        order.proxy = Some(counter.port);
        let begun = Instant::now();
        wait(order.start()).await;
        let undisturbed = begun.elapsed();
        let expected = content(person.profile.path(), &person.connection)
            .await
            .expect("an undisturbed sync");
        assert!(expected.records > 100, "a chart worth the name");
        let bytes = size(person.profile.path());
        let answers = counter.passed();
        Self {
            person,
            before,
            expected,
            undisturbed,
            bytes,
            answers,
        }
    }

    pub(crate) fn records(&self) -> u64 {
        self.expected.records
    }

    pub(crate) fn undisturbed_ms(&self) -> u128 {
        self.undisturbed.as_millis()
    }

    pub(crate) async fn run(&mut self, harm: Harm, random: &mut StdRng) -> Done {
        let (struck, outcome) = match harm {
            Harm::KillRefresh => {
                let person = Person::new(30).await;
                let struck = kill(&person.order(Act::Sync), self.moment(random, 0.5)).await;
                (struck, after(&person, &self.expected).await)
            }
            Harm::KillRotation => {
                let person = Person::new(30).await;
                let struck = kill(&person.order(Act::Rotate), self.moment(random, 0.4)).await;
                (struck, after(&person, &self.expected).await)
            }
            Harm::TurnClock => {
                // A token ends by the turned clock and is exchanged: not the shared person's.
                let person = Person::new(7_200).await;
                let turn = random.random_range(-400_000..400_000);
                let order = person.order(Act::Sync);
                wait(Order { turn, ..order }.start()).await;
                (true, after(&person, &self.expected).await)
            }
            Harm::FullDisk => self.full_disk(random).await,
            _ => {
                restore(self.before.path(), self.person.profile.path());
                let struck = self.disturb(harm, random).await;
                (struck, after(&self.person, &self.expected).await)
            }
        };
        Done {
            struck,
            wrong: outcome.err(),
        }
    }

    async fn disturb(&self, harm: Harm, random: &mut StdRng) -> bool {
        let order = self.person.order(Act::Sync);
        match harm {
            Harm::KillTwice => {
                let first = kill(&order, self.moment(random, 0.9)).await;
                kill(&order, self.moment(random, 0.9)).await || first
            }
            Harm::CutNetwork => {
                let bytes = random.random_range(1..self.answers);
                let cut = Cut::after(address(&self.person.mock), bytes).await;
                let order = Order {
                    proxy: Some(cut.port),
                    ..order
                };
                wait(order.start()).await;
                cut.happened()
            }
            Harm::TwoAtOnce => {
                let (one, two) = (order.start(), order.start());
                tokio::join!(wait(one), wait(two));
                true
            }
            _ => kill(&order, self.moment(random, 0.95)).await,
        }
    }

    async fn full_disk(&self, random: &mut StdRng) -> (bool, Result<(), String>) {
        let path = self.person.profile.path();
        restore(self.before.path(), path);
        let least = size(self.before.path()) + 64 * 1024;
        let room = random.random_range(least..least.max(self.bytes) + 512 * 1024);
        let Some(disk) = Disk::mount(path, room) else {
            return (false, after(&self.person, &self.expected).await);
        };
        copy(self.before.path(), path);
        wait(self.person.order(Act::Sync).start()).await;
        disk.grow();
        let full = content(path, &self.person.connection).await;
        let struck = full.as_ref().is_ok_and(|found| *found != self.expected);
        let outcome = match full {
            Ok(_) => after(&self.person, &self.expected).await,
            Err(reason) => Err(reason),
        };
        (struck, outcome)
    }

    fn moment(&self, random: &mut StdRng, share: f64) -> Duration {
        self.undisturbed.mul_f64(random.random_range(0.0..share))
    }
}

/// The file right after the harm, and at the end.
async fn after(person: &Person, expected: &Content) -> Result<(), String> {
    sound(person.profile.path()).await?;
    let ended = person.finish().await?;
    if ended == *expected {
        Ok(())
    } else {
        Err(format!(
            "{} records where {} are, or others",
            ended.records, expected.records
        ))
    }
}

/// Whether it was killed, and had not ended by itself.
async fn kill(order: &Order<'_>, after: Duration) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    let mut child = order.start();
    tokio::time::sleep(after).await;
    let _ = child.kill();
    child.wait().is_ok_and(|status| status.signal() == Some(9))
}

async fn wait(mut child: Child) {
    let ended = tokio::task::spawn_blocking(move || child.wait()).await;
    ended.expect("the thread").expect("the process ends");
}

fn address(mock: &MockServer) -> SocketAddr {
    let after = mock.fhir_base().rsplit(':').next().unwrap_or_default();
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    SocketAddr::from(([127, 0, 0, 1], digits.parse().expect("a port")))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file())
        .collect()
}

fn size(folder: &Path) -> u64 {
    let files = files(folder);
    files
        .iter()
        .filter_map(|path| path.metadata().ok())
        .map(|file| file.len())
        .sum()
}

fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let name = path.file_name().expect("a name");
        std::fs::copy(&path, to.join(name)).expect("copied");
    }
}

/// The profile as it was.
fn restore(before: &Path, profile: &Path) {
    for path in files(profile) {
        std::fs::remove_file(path).expect("removed");
    }
    copy(before, profile);
}
