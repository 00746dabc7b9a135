//! Each failure has its exit code, its sentence, and leaves what is stored.

use crate::portal::Decision;
use crate::shell::Shell;
use rstest::rstest;
use serde_json::Value;
use std::collections::BTreeSet;

#[tokio::test]
async fn every_problem_has_a_code_and_an_exit_code_of_its_own() {
    let shell = Shell::new().await;
    let all = shell.run(&["problems", "--json"]).await.ok().json();
    let all = all.as_array().unwrap();
    let exits: BTreeSet<u64> = all
        .iter()
        .map(|one| one["exitCode"].as_u64().unwrap())
        .collect();
    let codes: BTreeSet<&str> = all
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert_eq!((exits.len(), codes.len()), (all.len(), all.len()));
    assert!(
        exits.iter().all(|code| (10..=125).contains(code)),
        "{exits:?}"
    );
    for problem in all {
        let sentence = problem["message"].as_str().unwrap();
        assert!(sentence.ends_with('.') && sentence.len() > 15, "{sentence}");
        assert!(!problem["advice"].as_str().unwrap().is_empty(), "{problem}");
    }
}

#[tokio::test]
async fn the_table_of_the_readme_is_what_the_program_says() {
    let shell = Shell::new().await;
    let all = shell.run(&["problems", "--json"]).await.ok().json();
    let rows: Vec<String> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap();
            format!(
                "| {} | `{}` | {} |",
                one["exitCode"],
                text("code"),
                text("message")
            )
        })
        .collect();
    let readme = include_str!("../../README.md");
    let table: Vec<&str> = readme
        .lines()
        .filter(|line| {
            line.contains("` | ") && line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit()
        })
        .collect();
    assert_eq!(table, rows);
}

/// The problem that a command must end with: in words, as JSON, and as its exit code.
async fn problem(shell: &Shell, arguments: &[&str]) -> String {
    let words = shell.run(arguments).await;
    let mut json: Vec<&str> = arguments.to_vec();
    json.push("--json");
    let json = shell.run(&json).await;
    let view = json.json()["problem"].clone();
    let all = shell.run(&["problems", "--json"]).await.json();
    let known = all
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["code"] == view["code"])
        .unwrap()
        .clone();
    assert_eq!(
        json.code,
        i32::try_from(known["exitCode"].as_i64().unwrap()).unwrap()
    );
    assert_eq!(words.code, json.code);
    assert!(
        words.stderr.contains(view["message"].as_str().unwrap()),
        "{words:?}"
    );
    assert!(words.stdout.is_empty(), "{words:?}");
    view["code"].as_str().unwrap().to_owned()
}

#[rstest]
#[case::no_url("my clinic", "server.not_a_url")]
#[case::http("http://ehr.example.org/fhir", "server.not_https")]
#[case::nobody_there("http://127.0.0.1:9/fhir", "network.unreachable")]
#[tokio::test]
async fn an_address_that_is_no_smart_server_is_refused(#[case] base: &str, #[case] code: &str) {
    let shell = Shell::new().await;
    assert_eq!(problem(&shell, &["connect", base]).await, code);
}

#[tokio::test]
async fn a_web_server_that_is_no_fhir_server_is_refused() {
    let shell = Shell::new().await;
    let base = shell.mock.fhir_base().replace("/fhir", "/elsewhere");
    assert_eq!(
        problem(&shell, &["connect", &base]).await,
        "server.not_fhir"
    );
}

#[tokio::test]
async fn what_is_not_stored_is_not_found() {
    let shell = Shell::new().await;
    for arguments in [
        &["show", "Patient/none"][..],
        &["show", "nonsense"],
        &["sync", "none"],
        &["remove", "none"],
    ] {
        assert_eq!(
            problem(&shell, arguments).await,
            "record.not_found",
            "{arguments:?}"
        );
    }
}

#[tokio::test]
async fn denied_consent_is_said() {
    let shell = Shell::new().await;
    let done = shell.connect(&["--json"], Decision::Deny).await;
    assert_eq!(done.json()["problem"]["code"], "login.denied");
}

#[tokio::test]
async fn when_the_server_is_away_a_sync_fails_and_the_records_stay() {
    let mut shell = Shell::new().await;
    shell.connect(&[], Decision::Approve).await.ok();
    let before = shell.run(&["list", "--json"]).await.ok().json()["total"].clone();
    let other = Shell::new().await;
    std::mem::replace(&mut shell.mock, other.mock).stop().await;
    let done = shell.run(&["sync", "--json"]).await;
    assert!(done.code >= 10, "{done:?}");
    let report: Value = done.json();
    assert_eq!(
        report[0]["problem"]["code"], "network.unreachable",
        "{report}"
    );
    assert_eq!(
        shell.run(&["list", "--json"]).await.ok().json()["total"],
        before
    );
    assert_eq!(
        shell.run(&["connections", "--json"]).await.ok().json()[0]["reachability"],
        "unknown"
    );
}

#[tokio::test]
async fn a_wrong_command_line_is_exit_code_2() {
    let shell = Shell::new().await;
    for arguments in [
        &["fly"][..],
        &["connect"],
        &["connect", "x", "--role", "cook"],
        &["export"],
        &["search"],
    ] {
        let done = shell.run(arguments).await;
        assert_eq!(done.code, 2, "{done:?}");
        assert!(done.stderr.starts_with("error:"), "{done:?}");
    }
}

#[tokio::test]
async fn h2_without_a_keychain_it_says_what_to_install_and_writes_nothing_secret() {
    let profile = tempfile::tempdir().unwrap();
    let session = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/session.sh");
    let output = tokio::process::Command::new(session)
        .args([
            "--no-keychain",
            env!("CARGO_BIN_EXE_satchel"),
            "connections",
            "--json",
            "--profile",
        ])
        .arg(profile.path())
        .output()
        .await
        .unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["problem"]["code"], "keychain.missing", "{output:?}");
    assert!(
        answer["problem"]["advice"]
            .as_str()
            .unwrap()
            .contains("gnome-keyring")
    );
    assert!(!profile.path().join("satchel.db").exists());
}

#[tokio::test]
async fn h_no_token_and_no_name_is_said_by_commands_that_fail_or_stands_in_their_arguments() {
    let shell = Shell::new().await;
    let begun = shell.begin(&[]).await;
    let line = std::fs::read(format!("/proc/{}/cmdline", begun.pid())).unwrap();
    let account = shell.mock.accounts()[0].clone();
    let callback = shell
        .decide(&begun.address, &account, Decision::Approve)
        .await;
    reqwest::get(&callback).await.unwrap();
    let mut said = begun.end().await.ok().stderr;
    shell.mock.set_access(false);
    said += &shell.run(&["sync"]).await.stderr;
    said += &shell.callback(&callback).await.stderr;
    said += &String::from_utf8_lossy(&line);
    let family = account.display_name.split(' ').next_back().unwrap();
    for secret in shell
        .mock
        .tokens()
        .iter()
        .map(String::as_str)
        .chain([family])
    {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}
