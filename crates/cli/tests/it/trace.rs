//! `satchel trace`: any command, with what it does on the way.

use crate::portal::Decision;
use crate::shell::{Done, Shell, waiting};
use satchel_mock::{Endpoint, FaultKind};
use std::path::Path;

/// A traced `connect` by loopback, the whole way; gives the callback too.
async fn connect(shell: &Shell, har: &Path, before: &[&str]) -> (Done, String) {
    let mut words = before.to_vec();
    let har = har.to_str().unwrap();
    let base = shell.mock.fhir_base();
    words.extend(["trace", "--har", har, "connect", base, "--no-browser"]);
    let waiting = waiting(&mut shell.command(&words)).await;
    let account = shell.mock.accounts()[0].clone();
    let callback = shell
        .decide(&waiting.address, &account, Decision::Approve)
        .await;
    reqwest::get(&callback).await.unwrap();
    (waiting.end().await, callback)
}

#[tokio::test]
async fn h1_a_traced_sign_in_and_sync_are_told_step_by_step_without_secrets() {
    let shell = Shell::new().await;
    let folder = tempfile::tempdir().unwrap();
    let har = folder.path().join("connect.har");
    let (done, callback) = connect(&shell, &har, &["--json"]).await;
    let done = done.ok();
    assert_eq!(done.json()["connection"]["state"], "connected");
    let synced = shell.run(&["trace", "sync"]).await.ok();
    let archive = std::fs::read_to_string(&har).unwrap();

    let account = &shell.mock.accounts()[0];
    let name = done.json()["connection"]["patientName"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut hidden = shell.mock.tokens();
    assert!(hidden.len() >= 2);
    let pairs = callback.split(['?', '&']).skip(1);
    let values = pairs.filter_map(|pair| pair.split_once('='));
    let secret = values.filter(|(name, _)| ["code", "state"].contains(name));
    hidden.extend(secret.map(|(_, value)| value.to_owned()));
    hidden.extend(account.patient_ids.iter().cloned());
    hidden.extend(
        name.split(' ')
            .filter(|word| word.len() > 3)
            .map(str::to_owned),
    );
    hidden.push("eyJ".to_owned());
    for text in [&done.stderr, &synced.stderr, &archive] {
        for secret in &hidden {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
    for told in [
        "Sign-in: back from the portal",
        "✓ C34  It comes from the issuer that was asked",
        "grant_type=authorization_code",
        "client_assertion, decoded:",
        "id_token, decoded:",
        "✓ D30  Its signature holds",
    ] {
        assert!(
            done.stderr.contains(told),
            "{told:?} is not in {}",
            done.stderr
        );
    }
    let order = [
        "the browser came back",
        "C33",
        "C34",
        "/token → 200",
        "D11",
        "D31",
        "D12",
    ];
    let places: Vec<_> = order.iter().map(|part| done.stderr.find(part)).collect();
    assert!(
        places.is_sorted() && places[0].is_some(),
        "{places:?} in {}",
        done.stderr
    );
    assert!(synced.stderr.contains("\nSync, 127.0.0.1"), "{synced:?}");
    assert!(
        synced.stdout.contains("new"),
        "the command's own answer: {synced:?}"
    );
    let archive: serde_json::Value = serde_json::from_str(&archive).unwrap();
    assert_eq!(archive["log"]["version"], "1.2");
}

#[tokio::test]
async fn the_failed_check_is_the_last_one_the_exit_code_is_the_commands_and_the_archive_is_there() {
    let shell = Shell::new().await;
    let folder = tempfile::tempdir().unwrap();
    let har = folder.path().join("failed.har");
    shell
        .mock
        .fault(Endpoint::Authorize, FaultKind::WrongIss, 1);
    let (done, _) = connect(&shell, &har, &[]).await;
    assert_eq!(done.code, 36, "{done:?}");
    let checks: Vec<&str> = done
        .stderr
        .lines()
        .filter(|line| line.starts_with("  ✓ ") || line.starts_with("  ✗ "))
        .collect();
    let [.., check, problem] = checks.as_slice() else {
        panic!("{done:?}");
    };
    assert!(check.starts_with("  ✗ C34 "), "{done:?}");
    assert!(problem.contains("login.wrong_issuer"), "{done:?}");
    assert!(std::fs::read_to_string(&har).unwrap().contains("\"C34\""));
}

#[tokio::test]
async fn a_trace_needs_a_command_and_takes_no_trace() {
    let shell = Shell::new().await;
    for words in [
        &["trace"][..],
        &["trace", "trace", "sync"],
        &["trace", "nonsense"],
    ] {
        assert_eq!(shell.run(words).await.code, 2, "{words:?}");
    }
    let done = shell.run(&["trace", "connections", "--json"]).await.ok();
    assert_eq!(done.json(), serde_json::json!([]));
}
