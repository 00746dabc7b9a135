//! Lists of servers and their logos, meant to reach into the own network (checklist A27, H10).

use super::rogue::{Rogue, ends, victim};
use rstest::rstest;
use serde_json::json;

fn bundle(logo: &str, base: &str) -> Vec<u8> {
    json!({"resourceType": "Bundle", "type": "collection", "timestamp": "2026-01-01T00:00:00Z", "entry": [
        {"fullUrl": "https://a.example/Endpoint/e", "resource": {
            "resourceType": "Endpoint", "id": "e", "status": "active", "address": base,
            "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version",
                "valueCode": "4.0.1"}],
            "connectionType": {"code": "hl7-fhir-rest"}, "payloadType": [{"text": "none"}]}},
        {"fullUrl": "https://a.example/Organization/o", "resource": {
            "resourceType": "Organization", "id": "o", "active": true, "name": "Example Clinic",
            "identifier": [{"system": "urn:ietf:rfc:3986", "value": "https://a.example"}],
            "endpoint": [{"reference": "Endpoint/e"}],
            "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/organization-brand",
                "extension": [{"url": "brandLogo", "valueUrl": logo}]}]}}]})
    .to_string()
    .into_bytes()
}

/// A picture of one point.
const POINT: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[rstest]
#[case::on_this_computer("{}/logo.png")]
#[case::on_this_computer_by_name("{localhost}/logo.png")]
#[case::at_the_clouds_own_address("http://169.254.169.254/latest/meta-data")]
#[case::in_the_home_network("https://192.168.0.1/logo.png")]
#[case::that_is_a_file("file:///etc/passwd")]
#[case::that_is_a_page_with_a_script("data:text/html,<script>alert(1)</script>")]
#[tokio::test]
async fn h10_a_logo(#[case] logo: &str) {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    let logo = logo
        .replace(
            "{localhost}",
            &rogue.uri().replace("127.0.0.1", "localhost"),
        )
        .replace("{}", &rogue.uri());
    let base = "https://ehr.example/fhir";
    let list = victim
        .engine
        .directory_import_bytes("list.json", bundle(&logo, base))
        .await;
    list.unwrap();
    assert_eq!(victim.engine.server_logo(base).await.unwrap(), None);
    assert!(rogue.all_requests().await.is_empty(), "nobody was asked");
    let honest = bundle(POINT, base);
    victim
        .engine
        .directory_import_bytes("list.json", honest)
        .await
        .unwrap();
    let logo = victim.engine.server_logo(base).await.unwrap();
    assert!(logo.is_some(), "an honest one in its place is shown");
}

#[rstest]
#[case::on_this_computer("http://127.0.0.1:9/fhir")]
#[case::in_the_home_network("https://192.168.0.1/fhir")]
#[case::without_protection("http://ehr.example/fhir")]
#[case::that_is_a_script("javascript:alert(1)")]
#[tokio::test]
async fn h10_a_list_with_a_server(#[case] base: &str) {
    let victim = victim().await;
    let bytes = bundle("https://a.example/logo.png", base);
    let result = victim
        .engine
        .directory_import_bytes("list.json", bytes)
        .await;
    ends(
        result,
        "directory.empty",
        "no server that Satchel can connect to",
    );
    assert!(victim.engine.directories().await.unwrap().is_empty());
}

#[tokio::test]
async fn a24_a_list_that_redirects_to_another_host() {
    let (rogue, victim, thief) = (Rogue::start().await, victim().await, Rogue::start().await);
    let there = format!("{}/list", thief.uri());
    let redirect = wiremock::ResponseTemplate::new(302).insert_header("Location", there.as_str());
    rogue.answer("/list", redirect);
    let result = victim
        .engine
        .directory_import_url(&format!("{}/list", rogue.uri()))
        .await;
    ends(result, "network.redirected", "did not follow");
    assert!(thief.all_requests().await.is_empty());
}
