//! A terminal: a profile folder, a mock server, the program.

use crate::portal::{self, Decision};
use satchel_mock::population::Account;
use satchel_mock::{MockServer, World};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

pub(crate) struct Shell {
    pub(crate) mock: MockServer,
    profile: TempDir,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it was not killed"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

impl Done {
    /// The one JSON value on standard output.
    pub(crate) fn json(&self) -> Value {
        let parsed = serde_json::from_str(&self.stdout);
        parsed.unwrap_or_else(|error| panic!("not one JSON value ({error}): {self:?}"))
    }

    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }
}

/// A `connect` that waits for the person.
pub(crate) struct Waiting {
    child: Child,
    pub(crate) address: String,
    stderr: BufReader<tokio::process::ChildStderr>,
}

impl Waiting {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    pub(crate) async fn end(mut self) -> Done {
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).await.unwrap();
        let mut done = Done::from(self.child.wait_with_output().await.unwrap());
        done.stderr = rest;
        done
    }
}

impl Shell {
    pub(crate) async fn new() -> Self {
        Self::at(World {
            patients: 2,
            ..World::default()
        })
        .await
    }

    pub(crate) async fn at(world: World) -> Self {
        Self {
            mock: MockServer::start(world).await.unwrap(),
            profile: TempDir::new().unwrap(),
        }
    }

    pub(crate) fn profile(&self) -> PathBuf {
        self.profile.path().canonicalize().unwrap()
    }

    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_satchel"));
        command
            .arg("--profile")
            .arg(self.profile())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub(crate) async fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Done {
        self.command(arguments).output().await.unwrap().into()
    }

    /// Begins `connect` and waits until it has said where to sign in.
    pub(crate) async fn begin(&self, more: &[&str]) -> Waiting {
        let mut arguments = vec!["connect", self.mock.fhir_base(), "--no-browser"];
        arguments.extend(more);
        waiting(&mut self.command(&arguments)).await
    }

    /// A person of this account decides; gives the address to which the browser is sent.
    pub(crate) async fn decide(
        &self,
        address: &str,
        account: &Account,
        decision: Decision,
    ) -> String {
        portal::sign_in(
            address,
            &account.username,
            &account.password,
            account.patient_ids.first().map(String::as_str),
            decision,
        )
        .await
    }

    /// `connect` by loopback, the whole way.
    pub(crate) async fn connect(&self, more: &[&str], decision: Decision) -> Done {
        let waiting = self.begin(more).await;
        let account = &self.mock.accounts()[0];
        let callback = self.decide(&waiting.address, account, decision).await;
        let page = reqwest::get(&callback).await.unwrap();
        assert!(page.status().is_success(), "{}", page.status());
        waiting.end().await
    }

    /// Gives a URL to `satchel callback`, on its standard input.
    pub(crate) async fn callback(&self, url: &str) -> Done {
        use tokio::io::AsyncWriteExt;
        let mut command = self.command(&["callback"]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that refuses early closes its end.
        let _ = stdin.write_all(url.as_bytes()).await;
        drop(stdin);
        child.wait_with_output().await.unwrap().into()
    }

    /// Identifier of the only connection.
    pub(crate) async fn connection(&self) -> String {
        let all = self.run(&["connections", "--json"]).await.ok().json();
        assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
        all[0]["id"].as_str().unwrap().to_owned()
    }
}

pub(crate) async fn waiting(command: &mut Command) -> Waiting {
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    loop {
        let mut line = String::new();
        let read = stderr.read_line(&mut line).await.unwrap();
        assert!(read > 0, "it ended: {said}");
        if line.starts_with("http") {
            let address = line.trim().to_owned();
            return Waiting {
                child,
                address,
                stderr,
            };
        }
        said.push_str(&line);
    }
}
