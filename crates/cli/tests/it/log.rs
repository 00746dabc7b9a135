//! What was done with the records, in a terminal; and everything undone.

use crate::portal::Decision;
use crate::shell::Shell;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

#[tokio::test]
async fn h14_the_log_is_read_as_lines_and_as_json_the_newest_first() {
    let shell = Shell::new().await;
    shell.connect(&[], Decision::Approve).await.ok();
    let log = shell.run(&["log", "--json"]).await.ok().json();
    let acts: Vec<&str> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["act"].as_str().unwrap())
        .collect();
    assert_eq!(acts, ["synced", "signedIn", "registered"]);
    let synced = &log[0];
    assert!(synced["records"].as_u64().unwrap() > 100, "{synced}");
    assert_eq!(synced["complete"], true);
    let lines = shell.run(&["log", "--limit", "1"]).await.ok().stdout;
    assert_eq!(lines.lines().count(), 1, "{lines}");
    for part in ["Records were received", " records\t", "Condition, "] {
        assert!(lines.contains(part), "{part}: {lines}");
    }
    let id = shell.connection().await;
    assert!(!log.to_string().contains(&id));
}

#[tokio::test]
async fn h13_everything_is_erased_by_one_command_that_wants_a_yes() {
    let shell = Shell::new().await;
    shell.connect(&[], Decision::Approve).await.ok();
    assert_eq!(shell.run(&["erase"]).await.code, 2, "not without --yes");
    assert_eq!(shell.run(&["list", "--json"]).await.code, 0);
    let profile = shell.profile();
    let erased = shell.run(&["erase", "--yes", "--json"]).await.ok().json();
    assert_eq!(
        erased,
        serde_json::json!({"connections": 1, "serversNotTold": [], "unread": false})
    );
    assert!(!profile.exists(), "the folder held nothing else");
    let search = std::process::Command::new("secret-tool")
        .args(["search", "--all", "service", "org.satchel.desktop"])
        .output()
        .unwrap();
    let entries = [search.stdout, search.stderr].concat();
    let entries = String::from_utf8_lossy(&entries).into_owned();
    assert!(!entries.contains(profile.to_str().unwrap()), "{entries}");
}

fn files(folder: &Path) -> BTreeSet<(String, u64)> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap())
        // SQLite's own files come and go with each opening.
        .filter(|entry| !entry.file_name().to_string_lossy().contains("db-"))
        .map(|entry| {
            let size = entry.metadata().unwrap().len();
            (entry.file_name().into_string().unwrap(), size)
        })
        .collect()
}

#[tokio::test]
async fn h2_without_a_keychain_nobody_is_connected_nothing_is_written_and_what_is_stored_stays_shut()
 {
    let shell = Shell::new().await;
    shell.connect(&[], Decision::Approve).await.ok();
    let (before, asked) = (files(&shell.profile()), shell.mock.requests().len());
    let session = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/session.sh");
    let empty = tempfile::tempdir().unwrap();
    let connect = ["connect", shell.mock.fhir_base(), "--no-browser"];
    for profile in [shell.profile(), empty.path().to_owned()] {
        for words in [
            &connect[..],
            &["list"],
            &["sync"],
            &["log"],
            &["erase", "--yes"],
        ] {
            let output = tokio::process::Command::new(session)
                .args(["--no-keychain", env!("CARGO_BIN_EXE_satchel"), "--json"])
                .arg("--profile")
                .arg(&profile)
                .args(words)
                .output()
                .await
                .unwrap();
            let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(answer["problem"]["code"], "keychain.missing", "{words:?}");
            assert_eq!(output.status.code(), Some(60), "{words:?}");
        }
    }
    assert_eq!(shell.mock.requests().len(), asked, "no server was asked");
    assert_eq!(files(&shell.profile()), before);
    let lock = BTreeSet::from([("start.lock".to_owned(), 0)]);
    assert_eq!(files(empty.path()), lock, "one empty file, to take turns");
    let still = shell.run(&["list", "--json"]).await.ok().json();
    assert!(
        still["total"].as_u64().unwrap() > 100,
        "with a keychain again"
    );
}
