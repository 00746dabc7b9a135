//! The mock server in its own process.

use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

pub(crate) struct Server {
    child: Child,
    ready: Value,
}

impl Server {
    /// Starts the release build that stands beside this program.
    pub(crate) fn start(arguments: &[&OsStr]) -> Self {
        let own = std::env::current_exe().expect("this program has a path");
        let folder = own.ancestors().nth(2).expect("target/release");
        let mut child = Command::new(folder.join("satchel-mock"))
            .args(["--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("cargo build --release --package satchel-mock");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("its first line");
        let ready = serde_json::from_str(&line).expect("one line of JSON");
        Self { child, ready }
    }

    pub(crate) fn fhir_base(&self) -> &str {
        self.ready["fhir_base"].as_str().expect("fhir_base")
    }

    pub(crate) fn control(&self) -> &str {
        self.ready["control"].as_str().expect("control")
    }

    pub(crate) fn accounts(&self) -> &[Value] {
        self.ready["accounts"].as_array().expect("accounts")
    }

    /// Username and password of the patient's own account.
    pub(crate) fn account(&self, patient: &str) -> (String, String) {
        let accounts = self.accounts();
        let own = accounts
            .iter()
            .find(|one| one["role"] == "patient" && one["patient_ids"][0] == patient)
            .expect("the patient has an account");
        let text = |name: &str| own[name].as_str().expect("text").to_owned();
        (text("username"), text("password"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
