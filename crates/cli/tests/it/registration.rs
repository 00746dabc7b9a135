//! Registration from the terminal.

use crate::portal::Decision;
use crate::shell::Shell;
use satchel_mock::World;

#[tokio::test]
async fn b26_b28_what_the_server_holds_is_shown_and_the_key_is_exchanged() {
    let shell = Shell::new().await;
    let done = shell
        .connect(&["--no-sync", "--json"], Decision::Approve)
        .await
        .ok();
    let id = done.json()["id"].as_str().unwrap().to_owned();
    let before = shell
        .run(&["registration", &id, "--json"])
        .await
        .ok()
        .json();
    assert_eq!(before["readFromServer"], true);
    assert_eq!(before["clientName"], "Satchel");
    shell.run(&["keys", "rotate", &id]).await.ok();
    let after = shell
        .run(&["registration", &id, "--json"])
        .await
        .ok()
        .json();
    assert_eq!(after["clientId"], before["clientId"]);
    assert_ne!(after["keyIds"], before["keyIds"]);
    let words = shell.run(&["registration", &id]).await.ok();
    assert!(
        words.stdout.contains("Authentication: private_key_jwt"),
        "{words:?}"
    );
    assert!(
        shell
            .run(&["sync", &id])
            .await
            .ok()
            .stdout
            .contains("Problems")
    );
}

#[tokio::test]
async fn b14_an_initial_access_token_comes_from_a_file() {
    let shell = Shell::at(World {
        patients: 1,
        initial_access_token: Some("letter-of-introduction".to_owned()),
        ..World::default()
    })
    .await;
    let base = shell.mock.fhir_base().to_owned();
    let refused = shell.run(&["connect", &base]).await;
    assert_eq!(refused.code, 25, "{refused:?}");
    let file = shell.profile().join("letter");
    std::fs::write(&file, "letter-of-introduction\n").unwrap();
    let arguments = [
        "--no-sync",
        "--initial-access-token-file",
        file.to_str().unwrap(),
    ];
    shell.connect(&arguments, Decision::Approve).await.ok();
    std::fs::remove_file(&file).unwrap();
    let missing = shell
        .run(&[
            "connect",
            &base,
            "--initial-access-token-file",
            file.to_str().unwrap(),
        ])
        .await;
    assert_eq!(missing.code, 25, "{missing:?}");
}

#[tokio::test]
async fn a16_a_client_that_was_agreed_on_by_hand_with_its_secret_in_a_file() {
    let shell = Shell::at(World {
        patients: 1,
        registration_closed: true,
        ..World::default()
    })
    .await;
    let base = shell.mock.fhir_base().to_owned();
    assert_eq!(shell.run(&["connect", &base]).await.code, 20);
    let file = shell.profile().join("secret");
    std::fs::write(&file, "the-secret\n").unwrap();
    let identity = satchel_core::AppIdentity::default();
    let client = serde_json::json!({
        "client_id": "agreed-1", "client_secret": "the-secret", "redirect_uris": identity.redirect_uris(&base),
        "token_endpoint_auth_method": "client_secret_basic", "grant_types": ["authorization_code", "refresh_token"],
    });
    let url = format!("{}/clients", shell.mock.control());
    let request = reqwest::Client::new().post(url).body(client.to_string());
    let request = request.header("Content-Type", "application/json");
    assert!(request.send().await.unwrap().status().is_success());
    let secret = file.to_str().unwrap();
    let arguments = [
        "--client-id",
        "agreed-1",
        "--client-secret-file",
        secret,
        "--json",
    ];
    let done = shell
        .connect(&arguments, Decision::Approve)
        .await
        .ok()
        .json();
    assert_eq!(done["report"]["complete"], true);
    let alone = shell
        .run(&["connect", &base, "--client-secret-file", secret])
        .await;
    assert_eq!(alone.code, 2, "a secret without its client");
}

#[tokio::test]
async fn b8_the_apps_identity_is_a_file() {
    let shell = Shell::new().await;
    let file = shell.profile().join("identity.json");
    let path = file.to_str().unwrap().to_owned();
    std::fs::write(&file, r#"{"client_name": "Other Records"}"#).unwrap();
    let arguments = ["--identity", &path, "--no-sync", "--json"];
    let done = shell.connect(&arguments, Decision::Approve).await.ok();
    let id = done.json()["id"].as_str().unwrap().to_owned();
    let shown = shell
        .run(&["registration", &id, "--json"])
        .await
        .ok()
        .json();
    assert_eq!(shown["clientName"], "Other Records");
    std::fs::write(&file, r#"{"logo_uri": "http://plain.example/"}"#).unwrap();
    let bad = shell.run(&["--identity", &path, "connections"]).await;
    assert_eq!(bad.code, 77, "{bad:?}");
    assert!(bad.stderr.contains("logo_uri"), "{bad:?}");
}
