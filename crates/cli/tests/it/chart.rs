//! Reading and taking along what was pulled.

use crate::portal::Decision;
use crate::shell::Shell;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::Path;

async fn connected() -> Shell {
    let shell = Shell::new().await;
    shell.connect(&[], Decision::Approve).await.ok();
    shell
}

#[tokio::test]
async fn records_are_listed_shown_and_found() {
    let shell = connected().await;
    let all = shell.run(&["list", "--json"]).await.ok().json();
    let conditions = shell
        .run(&["list", "--type", "Condition", "--json"])
        .await
        .ok()
        .json();
    assert!(conditions["total"].as_u64() < all["total"].as_u64());
    let first = &conditions["rows"][0];
    let title = first["title"].as_str().unwrap();
    let lines = shell
        .run(&["list", "--type", "Condition"])
        .await
        .ok()
        .stdout;
    assert!(lines.contains(title), "{lines}");

    let name = format!("Condition/{}", first["key"]["id"].as_str().unwrap());
    let shown = shell.run(&["show", &name]).await.ok().stdout;
    assert!(shown.starts_with(title), "{shown}");
    let json = shell.run(&["show", &name, "--json"]).await.ok().json();
    assert!(
        json["json"]
            .as_str()
            .unwrap()
            .contains("\"resourceType\":\"Condition\"")
    );

    let word = title
        .split_whitespace()
        .find(|word| word.len() > 3)
        .unwrap();
    let found = shell.run(&["search", word, "--json"]).await.ok().json();
    assert!(
        found
            .as_array()
            .unwrap()
            .iter()
            .any(|hit| hit["record"]["title"] == title)
    );
    let nothing = shell.run(&["search", "qqqqqq", "--json"]).await.ok().json();
    assert_eq!(nothing, serde_json::json!([]));
}

/// `Type/id` and the exact text of every resource in exported files.
fn exported(folder: &Path, bundle: bool) -> BTreeMap<String, String> {
    #[derive(serde::Deserialize)]
    struct Entry<'a> {
        #[serde(borrow)]
        resource: &'a RawValue,
    }
    #[derive(serde::Deserialize)]
    struct Bundle<'a> {
        #[serde(borrow)]
        entry: Vec<Entry<'a>>,
    }
    let mut all = BTreeMap::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let resources: Vec<String> = if bundle {
            let bundle: Bundle<'_> = serde_json::from_str(&text).unwrap();
            bundle
                .entry
                .iter()
                .map(|entry| entry.resource.get().to_owned())
                .collect()
        } else {
            text.lines().map(str::to_owned).collect()
        };
        for resource in resources {
            let value: Value = serde_json::from_str(&resource).unwrap();
            let name = format!("{}/{}", value["resourceType"], value["id"]).replace('"', "");
            assert!(all.insert(name, resource).is_none(), "nothing twice");
        }
    }
    all
}

#[tokio::test]
async fn an_export_is_byte_for_byte_what_the_server_sent() {
    let shell = connected().await;
    let total = shell.run(&["connections", "--json"]).await.ok().json()[0]["recordCount"]
        .as_u64()
        .unwrap();
    let (lines, bundle) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let out = |folder: &tempfile::TempDir| folder.path().to_str().unwrap().to_owned();
    shell
        .run(&["export", "--format", "ndjson", "--out", &out(&lines)])
        .await
        .ok();
    let report = shell
        .run(&[
            "export",
            "--format",
            "bundle",
            "--out",
            &out(&bundle),
            "--json",
        ])
        .await
        .ok()
        .json();
    assert!(report["files"][0].is_string(), "{report}");
    let (lines, bundle) = (exported(lines.path(), false), exported(bundle.path(), true));
    assert_eq!(lines.len() as u64, total);
    assert_eq!(lines, bundle);

    // The server's own bytes, asked for by a program that is not ours.
    let token = reqwest::get(format!("{}/tokens", shell.mock.control()))
        .await
        .unwrap();
    let token: Vec<String> = token.json().await.unwrap();
    let http = reqwest::Client::new();
    for name in [
        "Patient/",
        "Condition/",
        "Observation/",
        "DocumentReference/",
    ] {
        let (name, text) = lines.iter().find(|(key, _)| key.starts_with(name)).unwrap();
        let url = format!("{}/{name}", shell.mock.fhir_base());
        let answer = http.get(url).bearer_auth(&token[0]).send().await.unwrap();
        assert_eq!(&answer.text().await.unwrap(), text, "{name}");
    }
}

#[tokio::test]
async fn an_export_never_writes_over_files_that_are_there() {
    let shell = connected().await;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    shell.run(&["export", "--out", out]).await.ok();
    let before = exported(folder.path(), false);
    let again = shell.run(&["export", "--out", out, "--json"]).await;
    assert_eq!(exported(folder.path(), false), before, "{again:?}");
}

#[tokio::test]
async fn removing_leaves_no_record_and_no_key() {
    let shell = connected().await;
    let id = shell.connection().await;
    let removed = shell.run(&["remove", &id[..8], "--json"]).await.ok().json();
    assert_eq!(removed["removed"], id.as_str());
    assert_eq!(shell.run(&["list", "--json"]).await.ok().json()["total"], 0);
    assert_eq!(
        shell.run(&["connections", "--json"]).await.ok().json(),
        serde_json::json!([])
    );
    let profile = shell.profile();
    let search = std::process::Command::new("secret-tool")
        .args(["search", "--all", "service", "org.satchel.desktop"])
        .output()
        .unwrap();
    let entries = String::from_utf8_lossy(&search.stdout).into_owned()
        + &String::from_utf8_lossy(&search.stderr);
    let own: Vec<&str> = entries
        .lines()
        .filter(|line| line.contains(profile.to_str().unwrap()) && line.contains("username"))
        .collect();
    assert!(
        own.iter().all(|line| line.contains("database-key")),
        "{own:?}"
    );
    let access = shell.mock.tokens();
    let answer = reqwest::Client::new()
        .get(format!("{}/Patient", shell.mock.fhir_base()))
        .bearer_auth(&access[0])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401, "the access was revoked");
}

#[tokio::test]
async fn two_syncs_at_once_never_run_together_and_lose_nothing() {
    let shell = connected().await;
    let (one, two) = tokio::join!(
        shell.run(&["sync", "--json"]),
        shell.run(&["sync", "--json"])
    );
    for done in [&one, &two] {
        let refused = done.code != 0;
        assert_eq!(
            refused,
            done.json()["problem"]["code"] == "sync.already_running",
            "{done:?}"
        );
    }
    assert!(one.code == 0 || two.code == 0, "one of them ran");
    let again = shell.run(&["sync", "--json"]).await.ok().json();
    assert_eq!(again[0]["newRecords"], 0);
}

#[tokio::test]
async fn g28_patients_are_looked_up_by_providers_only_and_never_all_of_them() {
    let shell = connected().await;
    let connections = shell.run(&["connections", "--json"]).await.ok().json();
    let id = connections[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        shell.run(&["patients", &id, "--name", "a"]).await.code,
        50,
        "a patient"
    );
    assert_eq!(shell.run(&["patients", &id]).await.code, 96, "everybody");
    assert_eq!(
        shell
            .run(&["patients", &id, "--birthdate", "1980-01-01"])
            .await
            .code,
        2
    );
}
