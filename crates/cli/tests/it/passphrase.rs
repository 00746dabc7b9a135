//! A locked profile in a terminal. Here nobody types: standard input is a pipe, or nothing at all.

use crate::portal::Decision;
use crate::shell::{Done, Shell};
use std::process::Stdio;
use tokio::io::AsyncWriteExt;

const OLD: &str = "old words that nobody guesses";
const NEW: &str = "new words that nobody guesses";

/// Runs it with these lines on standard input.
async fn told(shell: &Shell, arguments: &[&str], lines: &[&str]) -> Done {
    let mut command = shell.command(arguments);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    stdin.write_all(text.as_bytes()).await.unwrap();
    drop(stdin);
    child.wait_with_output().await.unwrap().into()
}

async fn locked() -> Shell {
    let shell = Shell::new().await;
    shell.connect(&[], Decision::Approve).await.ok();
    let set = ["passphrase", "set", "--passphrase-stdin", "--json"];
    let set = told(&shell, &set, &[OLD]).await.ok().json();
    assert_eq!(
        set,
        serde_json::json!({"passphrase": true, "atStart": true})
    );
    shell
}

#[tokio::test]
async fn a_locked_profile_asks_and_is_opened_by_a_line_of_standard_input_only() {
    let shell = locked().await;
    for arguments in [
        &["list"][..],
        &["connections"],
        &["sync", "--due"],
        &["export", "--out", "x"],
    ] {
        let refused = shell.run(arguments).await;
        assert_eq!(refused.code, 103, "{arguments:?}: {refused:?}");
        assert!(refused.stdout.is_empty(), "{refused:?}");
    }
    let list = ["list", "--passphrase-stdin", "--json"];
    let wrong = told(&shell, &list, &[NEW]).await;
    assert_eq!(wrong.code, 104, "{wrong:?}");
    assert_eq!(
        told(&shell, &list, &[]).await.code,
        104,
        "nothing is no passphrase"
    );
    let right = told(&shell, &list, &[OLD]).await.ok().json();
    assert!(right["total"].as_u64().unwrap() > 100);
    let log = told(&shell, &["log", "--passphrase-stdin"], &[OLD])
        .await
        .ok();
    assert!(
        log.stdout
            .contains("this computer\tA wrong passphrase was given"),
        "{log:?}"
    );
    assert!(!log.stdout.contains("words"), "{log:?}");
    let status = shell.run(&["passphrase"]).await.ok();
    assert_eq!(
        status.stdout,
        "A passphrase is set. It is asked for whenever Satchel is started.\n"
    );
}

#[tokio::test]
async fn what_the_command_reads_itself_comes_after_the_passphrase() {
    let shell = locked().await;
    let link = "org.satchel.app:/callback?code=c&state=nobody";
    let callback = ["callback", "--passphrase-stdin", "--json"];
    let answer = told(&shell, &callback, &[OLD, link]).await.json();
    assert_eq!(answer["problem"]["code"], "login.unknown_state");
}

#[tokio::test]
async fn a_passphrase_is_changed_and_removed_by_who_knows_it() {
    let shell = locked().await;
    let set = [
        "passphrase",
        "set",
        "--not-at-start",
        "--passphrase-stdin",
        "--json",
    ];
    assert_eq!(told(&shell, &set, &[NEW, NEW]).await.code, 104);
    assert_eq!(told(&shell, &set, &[OLD, "short"]).await.code, 106);
    let changed = told(&shell, &set, &[OLD, NEW]).await.ok().json();
    assert_eq!(
        changed,
        serde_json::json!({"passphrase": true, "atStart": false})
    );
    shell.run(&["list"]).await.ok();
    assert_eq!(
        shell.run(&["passphrase", "remove"]).await.code,
        103,
        "nobody was asked"
    );
    let remove = ["passphrase", "remove", "--passphrase-stdin"];
    assert_eq!(told(&shell, &remove, &[OLD]).await.code, 104);
    let removed = told(&shell, &remove, &[NEW]).await.ok();
    assert_eq!(removed.stdout, "No passphrase is set.\n");
    assert_eq!(told(&shell, &remove, &[NEW]).await.code, 107);
    shell.run(&["list"]).await.ok();
}

#[tokio::test]
async fn without_the_passphrase_it_can_be_erased_and_says_that_no_server_was_told() {
    let shell = locked().await;
    let erased = shell.run(&["erase", "--yes"]).await.ok();
    assert!(erased.stdout.contains("no server was told"), "{erased:?}");
}

#[tokio::test]
async fn with_the_passphrase_erasing_tells_the_servers() {
    let shell = locked().await;
    let erase = ["erase", "--yes", "--passphrase-stdin", "--json"];
    assert_eq!(told(&shell, &erase, &[NEW]).await.code, 104);
    let erased = told(&shell, &erase, &[OLD]).await.ok().json();
    let told = serde_json::json!({"connections": 1, "serversNotTold": [], "unread": false});
    assert_eq!(erased, told);
}

#[tokio::test]
async fn the_wordiest_log_holds_neither_the_key_nor_words_of_records() {
    let shell = Shell::new().await;
    shell.connect(&[], Decision::Approve).await.ok();
    let list = ["search", "hypertension", "--json"];
    let said = shell
        .command(&list)
        .env("SATCHEL_LOG", "trace")
        .output()
        .await;
    let log = Done::from(said.unwrap()).ok().stderr;
    assert!(log.lines().count() > 3, "it does say something: {log}");
    for word in ["PRAGMA key", "x'", "SELECT", "hypertension"] {
        assert!(!log.contains(word), "{word}: {log}");
    }
}
