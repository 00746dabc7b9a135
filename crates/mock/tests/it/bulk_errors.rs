//! F, as a server: what an export could not do, and exports that go wrong because a tester wants that.

use crate::bulk::Service;
use crate::tester::Tester;
use reqwest::StatusCode;
use rstest::rstest;
use satchel_mock::{Endpoint, FaultKind, Quirks, Scenario, World};
use serde_json::{Value, json};

const SCOPE: &str = "system/*.rs";

/// A service at a server in a named situation.
async fn at(scenario: &str) -> Service {
    let mut world = World {
        patients: 2,
        ..World::default()
    };
    let all = Scenario::shipped().unwrap();
    let scenario = all.iter().find(|one| one.name == scenario);
    scenario.unwrap().apply(&mut world).unwrap();
    Service::at(Tester::at(world).await, SCOPE).await
}

/// The lines of the error file that a manifest lists.
async fn errors(service: &Service, manifest: &Value) -> Vec<Value> {
    let listed = manifest["error"].as_array().unwrap();
    assert_eq!(listed.len(), 1, "{manifest}");
    assert_eq!(listed[0]["type"], "OperationOutcome");
    let file = service.get(listed[0]["url"].as_str().unwrap()).await;
    assert_eq!(file.headers()["Content-Type"], "application/fhir+ndjson");
    let text = file.text().await.unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(listed[0]["count"], lines.len());
    assert!(
        lines
            .iter()
            .all(|line| line["resourceType"] == "OperationOutcome")
    );
    lines
}

fn types(manifest: &Value) -> Vec<&str> {
    let output = manifest["output"].as_array().unwrap().iter();
    output.map(|file| file["type"].as_str().unwrap()).collect()
}

#[rstest]
#[case::parameter("$export?_type=Patient&_colour=red", "_colour")]
#[case::filter("$export?_type=Patient&_typeFilter=Patient%3Fcolour%3Dred", "colour")]
#[case::no_filter("$export?_type=Patient&_typeFilter=Patient", "_typeFilter")]
#[case::value(
    "$export?_type=Patient&_typeFilter=Patient%3Fbirthdate%3Dsoon",
    "birthdate"
)]
#[case::kind("$export?_type=Patient,Basket", "Basket")]
#[tokio::test]
async fn f12_f19_what_is_left_out_leniently_is_in_the_error_file(
    #[case] path: &str,
    #[case] named: &str,
) {
    let service = Service::new(SCOPE).await;
    let strict = service.kick_off(path).await;
    assert_eq!(
        strict.status(),
        StatusCode::BAD_REQUEST,
        "f6: else it is refused"
    );
    let answer = service
        .kick_off_with(path, "respond-async, handling=lenient")
        .await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let address = answer.headers()["Content-Location"]
        .to_str()
        .unwrap()
        .to_owned();
    let manifest = service.ready(&address).await;
    assert_eq!(types(&manifest), ["Patient"], "the rest is exported");
    assert_eq!(manifest["output"][0]["count"], 2);
    let lines = errors(&service, &manifest).await;
    assert_eq!(lines.len(), 1);
    let issue = &lines[0]["issue"][0];
    assert_eq!(
        (&issue["severity"], &issue["code"]),
        (&json!("information"), &json!("not-supported"))
    );
    assert!(
        issue["diagnostics"].as_str().unwrap().contains(named),
        "{issue}"
    );
}

#[tokio::test]
async fn f4_types_that_are_all_unknown_are_not_everything() {
    let service = Service::new(SCOPE).await;
    let answer = service
        .kick_off_with("$export?_type=Basket", "respond-async, handling=lenient")
        .await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn f19_a_patient_who_is_not_there_is_a_warning() {
    let service = Service::new(SCOPE).await;
    let own = service.tester.patient().patient_ids[0].clone();
    let path = format!("Patient/$export?_type=Condition&patient={own},nobody");
    let manifest = service.manifest(&path).await;
    assert_eq!(types(&manifest), ["Condition"]);
    let lines = errors(&service, &manifest).await;
    assert_eq!(lines[0]["issue"][0]["severity"], "warning");
    assert!(lines[0].to_string().contains("Patient/nobody"));
}

#[tokio::test]
async fn f26_an_error_file_is_for_its_own_client_only() {
    let service = Service::new(SCOPE).await;
    let answer = service
        .kick_off_with(
            "$export?_type=Patient&_a=b",
            "respond-async, handling=lenient",
        )
        .await;
    let address = answer.headers()["Content-Location"]
        .to_str()
        .unwrap()
        .to_owned();
    let manifest = service.ready(&address).await;
    let url = manifest["error"][0]["url"].as_str().unwrap();
    for (url, expected) in [
        (url, StatusCode::UNAUTHORIZED),
        (address.as_str(), StatusCode::UNAUTHORIZED),
    ] {
        let stranger = service.tester.http.get(url).send().await.unwrap();
        assert_eq!(stranger.status(), expected);
    }
    // One without errors has no such file.
    let plain = service.manifest("$export?_type=Patient").await;
    assert_eq!(plain["error"], json!([]));
    let file = plain["output"][0]["url"]
        .as_str()
        .unwrap()
        .replace("Patient.ndjson", "errors.ndjson");
    assert_eq!(service.get(&file).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn f25_a_transient_error_passes_and_the_export_goes_on() {
    let service = at("bulk-transient-error").await;
    let address = service.begin("$export?_type=Patient").await;
    let failed = service.get(&address).await;
    assert_eq!(failed.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let outcome: Value = failed.json().await.unwrap();
    assert_eq!(outcome["issue"][0]["code"], "transient");
    let manifest = service.ready(&address).await;
    assert_eq!(types(&manifest), ["Patient"]);
}

#[tokio::test]
async fn f25_an_export_fails_for_good() {
    let service = at("bulk-export-fails").await;
    let address = service.begin("$export?_type=Patient").await;
    for _ in 0..3 {
        let failed = service.get(&address).await;
        assert_eq!(failed.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let outcome: Value = failed.json().await.unwrap();
        assert_eq!(outcome["issue"][0]["code"], "exception");
    }
    let next = service.manifest("$export?_type=Patient").await;
    assert_eq!(types(&next), ["Patient"], "only the first export");
}

#[tokio::test]
async fn f19_f25_a_file_that_could_not_be_made_is_an_error_in_its_place() {
    let service = at("bulk-file-missing").await;
    let address = service.begin("$export?_type=Condition,Patient").await;
    let manifest = service.ready(&address).await;
    assert_eq!(types(&manifest), ["Condition"]);
    let lines = errors(&service, &manifest).await;
    assert_eq!(lines[0]["issue"][0]["severity"], "error");
    assert!(lines[0].to_string().contains("Patient"));
    assert_eq!(service.ready(&address).await, manifest, "and stays so");
    let file = manifest["output"][0]["url"].as_str().unwrap();
    let missing = file.replace("Condition.ndjson", "Patient.ndjson");
    assert_eq!(service.get(file).await.status(), StatusCode::OK);
    assert_eq!(service.get(&missing).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn f25_a_file_is_gone_while_its_export_lives() {
    let service = at("bulk-file-expired").await;
    let address = service.begin("$export?_type=Patient").await;
    let manifest = service.ready(&address).await;
    let file = manifest["output"][0]["url"].as_str().unwrap();
    let gone = service.get(file).await;
    assert_eq!(gone.status(), StatusCode::GONE);
    assert_eq!(
        gone.json::<Value>().await.unwrap()["resourceType"],
        "OperationOutcome"
    );
    assert_eq!(
        service.ready(&address).await,
        manifest,
        "the manifest can be read again"
    );
    assert_eq!(
        service.get(file).await.status(),
        StatusCode::OK,
        "and then the file"
    );
}

#[tokio::test]
async fn f8_f9_f25_a_status_storm_has_retry_after_and_then_progress() {
    let service = at("bulk-status-storm").await;
    let address = service.begin("$export?_type=Patient").await;
    for _ in 0..5 {
        let busy = service.get(&address).await;
        assert_eq!(busy.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(busy.headers()["Retry-After"], "1");
    }
    let running = service.get(&address).await;
    assert_eq!(running.status(), StatusCode::ACCEPTED);
    assert_eq!(running.headers()["Retry-After"], "1");
    assert!((1..=100).contains(&running.headers()["X-Progress"].len()));
    assert_eq!(service.get(&address).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn f25_a_file_is_cut_off_in_the_middle_and_whole_the_next_time() {
    let service = at("bulk-file-cut-off").await;
    let manifest = service.manifest("$export?_type=Observation").await;
    let file = manifest["output"][0]["url"].as_str().unwrap();
    let mut answer = service.get(file).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let (mut got, mut broken) = (0, false);
    loop {
        match answer.chunk().await {
            Ok(Some(piece)) => got += piece.len(),
            Ok(None) => break,
            Err(_) => {
                broken = true;
                break;
            }
        }
    }
    assert!(broken, "it does not just end");
    let whole = service.get(file).await.bytes().await.unwrap();
    assert_eq!(got, whole.len() / 2);
}

#[rstest]
#[case("bulk-file-trickles", "application/fhir+ndjson")]
#[case("bulk-file-of-another-type", "text/html")]
#[tokio::test]
async fn f25_files_trickle_or_say_another_type(#[case] scenario: &str, #[case] kind: &str) {
    let service = at(scenario).await;
    let manifest = service.manifest("$export?_type=Patient").await;
    let started = std::time::Instant::now();
    let file = service
        .get(manifest["output"][0]["url"].as_str().unwrap())
        .await;
    assert_eq!(file.headers()["Content-Type"], kind);
    assert_eq!(file.text().await.unwrap().lines().count(), 2);
    let slow = started.elapsed() > std::time::Duration::from_secs(1);
    assert_eq!(slow, scenario == "bulk-file-trickles");
}

#[tokio::test]
async fn f6_another_export_while_one_is_prepared_is_429() {
    let quirks = Quirks::shipped().unwrap().remove("one-export").unwrap();
    let world = World {
        patients: 1,
        quirks,
        ..World::default()
    };
    let service = Service::at(Tester::at(world).await, SCOPE).await;
    let address = service.begin("$export?_type=Patient").await;
    let busy = service.kick_off("$export?_type=Patient").await;
    assert_eq!(busy.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(busy.headers().contains_key("Retry-After"));
    assert_eq!(
        busy.json::<Value>().await.unwrap()["issue"][0]["code"],
        "throttled"
    );
    service.ready(&address).await;
    service.begin("$export?_type=Patient").await;
}

#[tokio::test]
async fn f25_generic_faults_go_with_bulk_addresses() {
    let service = Service::new(SCOPE).await;
    let unavailable = FaultKind::Status {
        status: 503,
        body: String::new(),
        content_type: String::new(),
    };
    let address = service.begin("$export?_type=Patient").await;
    service
        .tester
        .mock
        .fault(Endpoint::BulkStatus, unavailable.clone(), 1);
    assert_eq!(
        service.get(&address).await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    let manifest = service.ready(&address).await;
    let file = manifest["output"][0]["url"].as_str().unwrap();
    service
        .tester
        .mock
        .fault(Endpoint::BulkFile, unavailable, 1);
    assert_eq!(
        service.get(file).await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(service.get(file).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn f_an_export_tells_records_as_a_search_does() {
    let quirks = Quirks::shipped()
        .unwrap()
        .remove("absolute-references")
        .unwrap();
    let world = World {
        patients: 1,
        quirks,
        ..World::default()
    };
    let service = Service::at(Tester::at(world).await, SCOPE).await;
    let manifest = service.manifest("$export?_type=DocumentReference").await;
    let file = service
        .get(manifest["output"][0]["url"].as_str().unwrap())
        .await;
    let text = file.text().await.unwrap();
    assert!(text.contains(&format!(
        "\"url\":\"{}/Binary/",
        service.tester.mock.fhir_base()
    )));
}
