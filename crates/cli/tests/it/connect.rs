//! Signing in from the terminal, in each role and by each redirect.

use crate::portal::{self, Decision};
use crate::shell::{Shell, waiting};
use reqwest::redirect::Policy;
use satchel_mock::{TlsOptions, World};
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn a_tester_connects_and_the_chart_is_there() {
    let shell = Shell::new().await;
    let done = shell.connect(&[], Decision::Approve).await.ok();
    assert!(done.stdout.contains("connected"), "{done:?}");
    assert!(done.stdout.contains("Problems	"), "{done:?}");
    let listed = shell.run(&["connections"]).await.ok();
    assert!(listed.stdout.contains("records"), "{listed:?}");
}

#[tokio::test]
async fn with_json_there_is_one_value_on_stdout_and_words_on_stderr() {
    let shell = Shell::new().await;
    let done = shell.connect(&["--json"], Decision::Approve).await.ok();
    let answer = done.json();
    assert_eq!(answer["connection"]["state"], "connected");
    assert_eq!(answer["report"]["complete"], true);
    assert!(answer["report"]["newRecords"].as_u64().unwrap() > 100);
}

#[tokio::test]
async fn connect_can_leave_the_sync_for_later() {
    let shell = Shell::new().await;
    let done = shell
        .connect(&["--no-sync", "--json"], Decision::Approve)
        .await
        .ok();
    assert_eq!(done.json()["recordCount"], 0);
    let synced = shell.run(&["sync", "--json"]).await.ok().json();
    assert_eq!(synced[0]["complete"], true);
}

#[tokio::test]
async fn the_system_browser_is_opened_at_the_address_that_is_printed() {
    let shell = Shell::new().await;
    let folder = tempfile::tempdir().unwrap();
    let (program, seen) = (folder.path().join("xdg-open"), folder.path().join("seen"));
    let script = format!(
        "#!/bin/sh\nprintf %s \"$1\" > '{0}.new'; mv '{0}.new' '{0}'\n",
        seen.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        folder.path().display(),
        std::env::var("PATH").unwrap()
    );
    let mut command = shell.command(&["connect", shell.mock.fhir_base()]);
    let begun = waiting(command.env("PATH", path)).await;
    for _ in 0..200 {
        if seen.exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(std::fs::read_to_string(&seen).unwrap(), begun.address);
}

#[tokio::test]
async fn c29_with_the_private_use_scheme_another_process_brings_the_callback() {
    let shell = Shell::new().await;
    let begun = shell.begin(&["--redirect", "scheme", "--json"]).await;
    let account = shell.mock.accounts()[0].clone();
    let callback = shell
        .decide(&begun.address, &account, Decision::Approve)
        .await;
    assert!(callback.starts_with("org.satchel.app:/"), "{callback}");

    let garbage = shell
        .callback("org.satchel.app:/callback/x?code=guess&state=guess")
        .await;
    assert_ne!(garbage.code, 0, "a stranger's link does not end it");
    shell.callback(&callback).await.ok();
    assert_eq!(begun.end().await.ok().json()["report"]["complete"], true);

    let again = shell.callback(&callback).await;
    assert_ne!(again.code, 0, "a state is used once");
    assert_eq!(
        shell.run(&["connections", "--json"]).await.ok().json()[0]["state"],
        "connected"
    );
}

#[tokio::test]
async fn a_callback_of_a_megabyte_is_refused() {
    let shell = Shell::new().await;
    let done = shell
        .callback(&format!(
            "org.satchel.app:/callback?x={}",
            "a".repeat(1 << 20)
        ))
        .await;
    assert!(done.code >= 10, "{done:?}");
}

#[tokio::test]
async fn a_provider_picks_a_patient() {
    let shell = Shell::new().await;
    let begun = shell.begin(&["--role", "provider", "--json"]).await;
    let mut provider = shell.mock.accounts().last().unwrap().clone();
    provider.patient_ids.swap(0, 1);
    let callback = shell
        .decide(&begun.address, &provider, Decision::Approve)
        .await;
    reqwest::get(&callback).await.unwrap();
    let answer = begun.end().await.ok().json();
    assert_eq!(answer["connection"]["role"], "provider");
    let patient = format!("Patient/{}", provider.patient_ids[0]);
    let shown = shell.run(&["show", &patient, "--json"]).await.ok().json();
    assert_eq!(
        shown["summary"]["key"]["id"],
        provider.patient_ids[0].as_str()
    );
}

#[tokio::test]
async fn e_a_backend_service_needs_no_person() {
    let shell = Shell::new().await;
    let arguments = [
        "connect",
        shell.mock.fhir_base(),
        "--role",
        "backend",
        "--json",
    ];
    let answer = shell.run(&arguments).await.ok().json();
    assert_eq!(answer["connection"]["role"], "backend");
    let people = shell
        .run(&["list", "--type", "Patient", "--json"])
        .await
        .ok()
        .json();
    assert_eq!(people["total"], 2);
    let line = shell.run(&["connections"]).await.ok().stdout;
    assert!(line.contains("all patients"), "{line}");
}

#[tokio::test]
async fn without_a_page_of_ours_on_the_web_an_https_redirect_is_not_offered() {
    let shell = Shell::new().await;
    let arguments = [
        "connect",
        shell.mock.fhir_base(),
        "--redirect",
        "https",
        "--json",
    ];
    let done = shell.run(&arguments).await;
    assert_eq!(
        done.json()["problem"]["code"],
        "login.redirect_not_available",
        "{done:?}"
    );
}

#[tokio::test]
async fn ctrl_c_gives_the_login_up_cleanly() {
    let shell = Shell::new().await;
    let begun = shell.begin(&[]).await;
    let killed = std::process::Command::new("kill")
        .args(["-INT", &begun.pid().to_string()])
        .status();
    assert!(killed.unwrap().success());
    let done = begun.end().await;
    assert!(done.code >= 10, "{done:?}");
    shell.connect(&[], Decision::Approve).await.ok();
}

#[tokio::test]
async fn a9_a_server_with_its_own_authority_is_reached_when_it_is_trusted() {
    let shell = Shell::at(World {
        patients: 1,
        tls: Some(TlsOptions::default()),
        ..World::default()
    })
    .await;
    let refused = shell
        .run(&["connect", shell.mock.fhir_base(), "--json"])
        .await;
    assert_eq!(refused.json()["problem"]["code"], "network.not_trusted");

    let authority = shell.mock.ca_certificate().unwrap().to_owned();
    let trust = ["--trust-certificate", authority.to_str().unwrap(), "--json"];
    let begun = shell.begin(&trust).await;
    let pem = std::fs::read(&authority).unwrap();
    let browser = reqwest::Client::builder()
        .redirect(Policy::none())
        .tls_certs_merge([reqwest::Certificate::from_pem(&pem).unwrap()]);
    let account = &shell.mock.accounts()[0];
    let person = (account.username.as_str(), account.password.as_str());
    let callback =
        portal::sign_in_by(browser, &begun.address, person, None, Decision::Approve).await;
    reqwest::get(&callback).await.unwrap();
    assert_eq!(begun.end().await.ok().json()["report"]["complete"], true);
}

#[tokio::test]
async fn c11_a_launch_of_an_unknown_server_needs_a_yes_and_without_one_nothing_is_sent() {
    let shell = Shell::new().await;
    let base = shell.mock.fhir_base();
    let link = format!("org.satchel.app:/launch?iss={base}&launch=xyz%2B1");
    let host = url::Url::parse(base).unwrap();
    let refused = shell.run(&["launch", &link]).await;
    assert_eq!(refused.code, 35, "{refused:?}");
    assert!(
        refused.stderr.contains(host.host_str().unwrap()),
        "{refused:?}"
    );
    assert!(!refused.stderr.contains("xyz"), "{refused:?}");
    assert!(shell.mock.requests().is_empty());

    let mut command = shell.command(&["launch", &link, "--yes", "--no-browser"]);
    let begun = waiting(&mut command).await;
    assert!(
        begun.address.contains("launch=xyz%2B1"),
        "{}",
        begun.address
    );

    let bad = shell
        .run(&["launch", "org.satchel.app:/launch?launch=x"])
        .await;
    assert_eq!(bad.code, 73, "{bad:?}");
}

#[tokio::test]
async fn c16_how_much_is_asked_for_can_be_chosen_by_name() {
    let shell = Shell::new().await;
    let base = shell.mock.fhir_base().to_owned();
    let listed = shell.run(&["scopes", &base, "--json"]).await.ok().json();
    assert_eq!(listed[1]["id"], "summary");
    let done = shell
        .connect(&["--json", "--scopes", "summary"], Decision::Approve)
        .await
        .ok();
    let connection = &done.json()["connection"];
    let granted = connection["granted"].as_array().unwrap();
    assert!(granted.iter().any(|one| one == "Problems"), "{granted:?}");
    assert!(granted.iter().all(|one| one != "Documents"), "{granted:?}");
    let id = connection["id"].as_str().unwrap();
    let told = shell.run(&["access", id, "--json"]).await.ok().json();
    assert_eq!(told["active"], true);
    let wrong = shell.run(&["connect", &base, "--scopes", "nonsense"]).await;
    assert_eq!(wrong.code, 76, "{wrong:?}");
}
