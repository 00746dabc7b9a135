//! `satchel bulk` and `satchel import`.

use crate::shell::{Done, Shell};
use satchel_mock::{Endpoint, FaultKind, World};

async fn service() -> (Shell, String) {
    let shell = Shell::at(World {
        patients: 2,
        token_lifetime_seconds: 300,
        ..World::default()
    })
    .await;
    let base = shell.mock.fhir_base().to_owned();
    let connect = ["connect", &base, "--role", "backend", "--no-sync"];
    shell.run(&connect).await.ok();
    let id = shell.connection().await;
    (shell, id)
}

async fn start(shell: &Shell, id: &str, more: &[&str]) -> Done {
    let mut arguments = vec![
        "bulk",
        "start",
        id,
        "--type",
        "Patient,Immunization",
        "--json",
    ];
    arguments.extend(more);
    shell.run(&arguments).await
}

#[tokio::test]
async fn f1_f23_an_export_from_the_command_line() {
    let (shell, id) = service().await;
    let job = start(&shell, &id, &[]).await.ok().json();
    assert_eq!(job["state"], "done");
    assert_eq!(job["complete"], true);
    let patients = &job["report"]["types"][1];
    assert_eq!(
        (
            patients["resourceType"].as_str(),
            patients["newRecords"].as_u64()
        ),
        (Some("Patient"), Some(2))
    );
    let listed = shell.run(&["bulk", "status"]).await.ok().stdout;
    assert!(listed.contains("complete\tsince the beginning"), "{listed}");
    let again = start(&shell, &id, &[]).await.ok().json();
    assert!(again["since"].is_string());
}

#[tokio::test]
async fn f11_an_export_that_is_only_asked_for_is_fetched_by_a_later_command() {
    let (shell, id) = service().await;
    let job = start(&shell, &id, &["--no-wait"]).await.ok().json();
    assert_eq!(job["state"], "exporting");
    let job = job["id"].as_str().unwrap().to_owned();
    let shown = shell.run(&["bulk", "status", &job, "--json"]).await.ok();
    assert!(!shown.stdout.contains("/bulk/"), "{shown:?}");
    let done = shell
        .run(&["bulk", "resume", &job[..8], "--json"])
        .await
        .ok();
    assert_eq!(done.json()["state"], "done");
    let other = start(&shell, &id, &["--no-wait", "--full"])
        .await
        .ok()
        .json();
    let other = other["id"].as_str().unwrap().to_owned();
    let cancelled = shell.run(&["bulk", "cancel", &other]).await.ok();
    assert!(cancelled.stdout.contains("cancelled"), "{cancelled:?}");
    assert_eq!(shell.run(&["bulk", "resume", &other]).await.code, 58);
    assert_eq!(shell.run(&["bulk", "resume", "nothing"]).await.code, 70);
}

#[tokio::test]
async fn f7_f10_f19_how_an_export_ends_is_in_the_exit_code() {
    let (shell, id) = service().await;
    let refused = start(&shell, &id, &["--elements", "id"]).await;
    assert_eq!(refused.code, 85);
    assert_eq!(refused.json()["problem"]["code"], "bulk.parameter_refused");
    assert!(refused.stderr.contains("--without"), "{refused:?}");
    start(&shell, &id, &["--elements", "id", "--without", "_elements"])
        .await
        .ok();
    let mock = &shell.mock;
    mock.fault(Endpoint::BulkStatus, FaultKind::FileGenerationFailed, 1);
    let failed = start(&shell, &id, &["--full"]).await;
    assert_eq!(
        (failed.code, failed.json()["state"].as_str()),
        (86, Some("failed"))
    );
    mock.fault(Endpoint::BulkStatus, FaultKind::SomeFileGenerationFailed, 9);
    let partial = start(&shell, &id, &["--full"]).await;
    assert_eq!(
        (partial.code, partial.json()["complete"].as_bool()),
        (94, Some(false))
    );
    assert_eq!(start(&shell, &id, &["--since", "yesterday"]).await.code, 95);
    let group = ["bulk", "start", &id, "--group", "nobody"];
    assert_eq!(shell.run(&group).await.code, 84);
}

#[tokio::test]
async fn f16_files_are_imported_and_are_no_server_to_sync_with() {
    let shell = Shell::new().await;
    let good = shell.profile().join("good.ndjson");
    let line =
        "{\"resourceType\":\"Goal\",\"id\":\"g\",\"description\":{\"text\":\"Walk daily\"}}\n";
    std::fs::write(&good, line).unwrap();
    let odd = shell.profile().join("odd.ndjson");
    std::fs::write(&odd, format!("{line}oops\n")).unwrap();
    let file = good.to_str().unwrap();
    let done = shell.run(&["import", file, "--json"]).await.ok().json();
    assert_eq!(done["report"]["types"][0]["newRecords"], 1);
    let found = shell.run(&["search", "walk"]).await.ok().stdout;
    assert!(found.contains("Walk daily"), "{found}");
    let partly = shell.run(&["import", odd.to_str().unwrap()]).await;
    assert_eq!(partly.code, 94);
    assert!(
        partly
            .stdout
            .contains("odd.ndjson line 2: the line is not JSON"),
        "{partly:?}"
    );
    let none = shell.profile().join("none.ndjson");
    assert_eq!(
        shell.run(&["import", none.to_str().unwrap()]).await.code,
        92
    );
    shell.run(&["sync"]).await.ok();
}

/// Every record byte for byte, by type.
async fn all(shell: &Shell) -> Vec<String> {
    let out = shell.profile().join("out");
    let folder = out.to_str().unwrap();
    let files = shell
        .run(&["export", "--out", folder, "--json"])
        .await
        .ok()
        .json();
    let mut lines = Vec::new();
    for file in files["files"].as_array().unwrap() {
        let text = std::fs::read_to_string(file.as_str().unwrap()).unwrap();
        lines.extend(text.lines().map(str::to_owned));
    }
    lines.sort();
    lines
}

#[tokio::test]
async fn f11_killed_again_and_again_an_export_ends_with_the_same_records() {
    let kinds = [
        "--type",
        "Patient,Condition,Observation,Encounter",
        "--no-wait",
    ];
    let ((quiet, a), (killed, b)) = (service().await, service().await);
    for (shell, id) in [(&quiet, &a), (&killed, &b)] {
        let mut start = vec!["bulk", "start", id.as_str()];
        start.extend(kinds);
        shell.run(&start).await.ok();
    }
    let first = async |shell: &Shell| {
        let jobs = shell.run(&["bulk", "status", "--json"]).await.ok().json();
        jobs[0]["id"].as_str().unwrap().to_owned()
    };
    let (undisturbed, job) = (first(&quiet).await, first(&killed).await);
    quiet.run(&["bulk", "resume", &undisturbed]).await.ok();
    // Files trickle, so that a kill hits the middle of one.
    assert!(killed.mock.plan_scenario("bulk-file-trickles"));
    for milliseconds in [300, 900, 1400, 1700, 2100, 2600, 3200] {
        let mut child = killed.command(&["bulk", "resume", &job]).spawn().unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
        child.kill().await.unwrap();
    }
    let done = killed
        .run(&["bulk", "resume", &job, "--json"])
        .await
        .ok()
        .json();
    assert_eq!(done["complete"], true, "{done}");
    let (wanted, found) = (all(&quiet).await, all(&killed).await);
    assert!(wanted.len() > 100 && wanted == found);
}
