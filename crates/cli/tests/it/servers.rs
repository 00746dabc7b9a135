//! Finding a server at the terminal: lists imported from an address and from a file, searched, forgotten.

use crate::shell::Shell;
use serde_json::json;

#[tokio::test]
async fn a_list_is_imported_searched_and_forgotten() {
    let shell = Shell::new().await;
    let list = format!("{}/brands", shell.mock.issuer().trim_end_matches('/'));
    let imported = shell
        .run(&["servers", "import", &list, "--json"])
        .await
        .ok()
        .json();
    assert_eq!(imported["servers"], 1);
    let found = shell
        .run(&["servers", "search", "riverbend", "55000", "--json"])
        .await
        .ok()
        .json();
    assert_eq!(found[0]["fhirBase"], shell.mock.fhir_base());
    assert_eq!(found[0]["place"], "Riverbend, MN");
    let lists = shell.run(&["servers", "lists"]).await.ok();
    assert!(lists.stdout.contains(&list), "{}", lists.stdout);
    let id = imported["id"].as_str().unwrap();
    shell.run(&["servers", "forget", id]).await.ok();
    let gone = shell
        .run(&["servers", "search", "riverbend", "--json"])
        .await
        .ok()
        .json();
    assert_eq!(gone, json!([]));
}

#[tokio::test]
async fn a_file_says_what_was_left_out_and_what_is_no_list_is_refused() {
    let shell = Shell::new().await;
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("list.json");
    let bundle = json!({"resourceType": "Bundle", "entry": [
        {"resource": {"resourceType": "Organization", "id": "o", "name": "Lakes", "endpoint": [{"reference": "Endpoint/e"}]}},
        {"resource": {"resourceType": "Endpoint", "id": "e", "address": "https://fhir.lakes.example/r4"}},
        {"resource": {"resourceType": "Endpoint", "id": "f", "address": "http://fhir.lakes.example/r4"}},
    ]});
    std::fs::write(&file, bundle.to_string()).unwrap();
    let path = file.to_str().unwrap();
    let done = shell.run(&["servers", "import", path]).await.ok();
    assert!(
        done.stdout.contains("1 servers") && done.stdout.contains("badAddress 1"),
        "{}",
        done.stdout
    );
    std::fs::write(&file, "<html></html>").unwrap();
    assert_eq!(shell.run(&["servers", "import", path]).await.code, 90);
    assert_eq!(
        shell
            .run(&["servers", "import", "/nowhere.json"])
            .await
            .code,
        92
    );
}

#[tokio::test]
async fn a23_the_person_says_that_a_server_moved() {
    let shell = Shell::new().await;
    let base = shell.mock.fhir_base().to_owned();
    let done = shell.run(&["servers", "accept-move", &base]).await.ok();
    assert_eq!(done.stdout, "Accepted.\n");
    assert_eq!(
        shell
            .run(&["servers", "accept-move", "http://127.0.0.1:9/fhir"])
            .await
            .code,
        12
    );
}
