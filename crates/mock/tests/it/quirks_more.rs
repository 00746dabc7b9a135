//! More habits: how records are written, how pages are linked, how servers refuse.

use crate::quirks::{SCOPE, at, observations, read};
use crate::tester::Tester;
use reqwest::{Response, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn raw(tester: &Tester, token: &str, path: &str) -> Response {
    let request = tester
        .http
        .get(format!("{}/{path}", tester.mock.fhir_base()));
    let request = request.header("Accept", "application/fhir+json");
    request.bearer_auth(token).send().await.unwrap()
}

fn resources(bundle: &Value) -> Vec<Value> {
    let entries = bundle["entry"].as_array().unwrap().iter();
    entries.map(|entry| entry["resource"].clone()).collect()
}

fn link(bundle: &Value, relation: &str) -> Option<String> {
    let mut links = bundle["link"].as_array().unwrap().iter();
    let found = links.find(|link| link["relation"] == relation)?;
    Some(found["url"].as_str().unwrap().to_owned())
}

/// Every `reference` in a value.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(members) => {
            found.extend(
                members
                    .get("reference")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            members.values().for_each(|item| references(item, found));
        }
        _ => {}
    }
}

#[tokio::test]
async fn contained_medications_stand_inside_in_searches_reads_and_nowhere_else() {
    let tester = at("contained").await;
    let token = tester.access_token(SCOPE).await;
    let (_, bundle) = tester.fhir(&token, "MedicationRequest?_count=100").await;
    let all = resources(&bundle);
    assert!(all.len() > 1);
    for one in &all {
        assert_eq!(one["medicationReference"], json!({"reference": "#med"}));
        assert!(one["medicationCodeableConcept"].is_null());
        let inside = &one["contained"][0];
        assert_eq!(
            (&inside["resourceType"], &inside["id"]),
            (&json!("Medication"), &json!("med"))
        );
        assert!(inside["code"].is_object(), "{one}");
        let key = format!("MedicationRequest/{}", one["id"].as_str().unwrap());
        assert_eq!(&tester.fhir(&token, &key).await.1, one);
    }
    let (_, conditions) = tester.fhir(&token, "Condition").await;
    assert!(
        resources(&conditions)
            .iter()
            .all(|one| one["contained"].is_null())
    );
}

#[tokio::test]
async fn absolute_references_are_addresses_that_can_be_read() {
    let tester = at("absolute-references").await;
    let token = tester.access_token(SCOPE).await;
    let base = format!("{}/", tester.mock.fhir_base());
    let own = &tester.patient().patient_ids[0];
    let (_, bundle) = tester
        .fhir(&token, &format!("Patient/{own}/$everything?_count=1000"))
        .await;
    let mut found = Vec::new();
    references(&bundle["entry"], &mut found);
    assert!(found.len() > 100);
    for reference in &found {
        assert!(reference.starts_with(&base), "{reference}");
    }
    let some: BTreeSet<&String> = found.iter().collect();
    for reference in some.into_iter().take(20) {
        assert_eq!(
            tester.fhir(&token, reference).await.0,
            StatusCode::OK,
            "{reference}"
        );
    }
    let (_, documents) = tester.fhir(&token, "DocumentReference").await;
    let text = documents.to_string();
    assert!(
        text.contains(&format!("\"url\":\"{base}Binary/")),
        "attachments too"
    );
}

#[tokio::test]
async fn html_in_text_marks_up_notes_and_gives_every_record_a_narrative() {
    let tester = at("html-in-text").await;
    let token = tester.access_token(SCOPE).await;
    let own = &tester.patient().patient_ids[0];
    let (_, bundle) = tester
        .fhir(&token, &format!("Patient/{own}/$everything?_count=1000"))
        .await;
    let mut notes = 0;
    for one in resources(&bundle) {
        let div = one["text"]["div"].as_str().unwrap();
        assert!(
            div.starts_with("<div xmlns=\"http://www.w3.org/1999/xhtml\">"),
            "{div}"
        );
        assert!(
            !div.contains("<script") && !div.contains(" on"),
            "it does nothing: {div}"
        );
        let mut reader = quick_xml::Reader::from_str(div);
        while !matches!(reader.read_event().unwrap(), quick_xml::events::Event::Eof) {}
        for note in one["note"].as_array().into_iter().flatten() {
            let text = note["text"].as_str().unwrap();
            assert!(
                text.starts_with("<p style") && text.ends_with("&nbsp;</p>"),
                "{text}"
            );
            notes += 1;
        }
    }
    assert!(notes > 0);
}

#[tokio::test]
async fn long_ids_are_longer_than_the_standard_allows_and_can_be_used() {
    let tester = at("long-ids").await;
    let token = tester.access_token(SCOPE).await;
    let (_, bundle) = tester.fhir(&token, "Observation?_count=5").await;
    for one in resources(&bundle) {
        let id = one["id"].as_str().unwrap();
        assert!(id.len() > 64, "{id}");
        let (_, same) = tester.fhir(&token, &format!("Observation/{id}")).await;
        assert_eq!(same, one);
        let (_, found) = tester.fhir(&token, &format!("Observation?_id={id}")).await;
        assert_eq!(resources(&found), std::slice::from_ref(&one));
        let form = tester
            .http
            .post(format!("{}/Observation/_search", tester.mock.fhir_base()));
        let posted = form
            .bearer_auth(&token)
            .form(&[("_id", id)])
            .send()
            .await
            .unwrap();
        let posted = resources(&posted.json().await.unwrap());
        assert_eq!(posted, std::slice::from_ref(&one));
        if let Some(encounter) = one["encounter"]["reference"].as_str() {
            assert!(encounter.len() > 64);
            assert_eq!(
                tester.fhir(&token, encounter).await.0,
                StatusCode::OK,
                "{encounter}"
            );
        }
        let own = format!("Patient/{}", tester.patient().patient_ids[0]);
        assert_eq!(one["subject"]["reference"], own.as_str());
    }
    let urls = bundle["entry"].as_array().unwrap().iter();
    for url in urls.map(|entry| entry["fullUrl"].as_str().unwrap()) {
        assert_eq!(tester.fhir(&token, url).await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn sparse_records_lack_values_dates_and_status() {
    let tester = at("sparse").await;
    let token = tester.access_token(SCOPE).await;
    let (_, bundle) = tester.fhir(&token, "Observation?_count=1000").await;
    let all = resources(&bundle);
    let count = |fits: &dyn Fn(&Value) -> bool| all.iter().filter(|one| fits(one)).count();
    assert_eq!(all.len() as u64, observations(&tester).await);
    assert!(count(&|one| one["dataAbsentReason"]["coding"][0]["code"] == "masked") > 0);
    assert!(count(&|one| one["valueCodeableConcept"]["text"] == "see comment") > 0);
    assert!(
        count(&|one| one["effectiveDateTime"].is_null() && one["effectivePeriod"].is_null()) > 0
    );
    assert!(
        count(&|one| one["valueQuantity"].is_object()) > all.len() / 3,
        "most stay"
    );
    let (_, bundle) = tester.fhir(&token, "Condition?_count=1000").await;
    let conditions = resources(&bundle);
    assert!(conditions.iter().any(|one| one["clinicalStatus"].is_null()));
    assert!(
        conditions
            .iter()
            .any(|one| one["clinicalStatus"].is_object())
    );
    let (_, again) = tester.fhir(&token, "Condition?_count=1000").await;
    assert_eq!(conditions, resources(&again), "always the same ones");
}

#[rstest]
#[case("previous")]
#[case("prev")]
#[tokio::test]
async fn pages_lead_back(#[case] relation: &str) {
    let tester = at(relation).await;
    let token = tester.access_token(SCOPE).await;
    let (_, first) = tester.fhir(&token, "Observation").await;
    assert_eq!(link(&first, relation), None);
    let (_, second) = tester.fhir(&token, &link(&first, "next").unwrap()).await;
    let (_, third) = tester.fhir(&token, &link(&second, "next").unwrap()).await;
    let (_, back) = tester.fhir(&token, &link(&third, relation).unwrap()).await;
    assert_eq!(back["entry"], second["entry"]);
    let (_, back) = tester.fhir(&token, &link(&back, relation).unwrap()).await;
    assert_eq!(back["entry"], first["entry"]);
}

#[tokio::test]
async fn circling_leads_from_the_last_page_to_itself() {
    let tester = at("circling").await;
    let token = tester.access_token(SCOPE).await;
    let (_, mut page) = tester.fhir(&token, "Observation?_count=100").await;
    let mut seen = 0;
    loop {
        seen += page["entry"].as_array().unwrap().len() as u64;
        let (this, next) = (link(&page, "self").unwrap(), link(&page, "next").unwrap());
        if this == next {
            break;
        }
        page = tester.fhir(&token, &next).await.1;
    }
    assert_eq!(seen, observations(&tester).await);
}

#[tokio::test]
async fn wrong_total_counts_the_page_only() {
    let tester = at("wrong-total").await;
    let token = tester.access_token(SCOPE).await;
    let (_, page) = tester.fhir(&token, "Observation").await;
    assert_eq!(page["total"], 20);
    assert!(link(&page, "next").is_some());
    let (ids, _, _) = read(&tester, &token, "Observation").await;
    assert_eq!(ids.len() as u64, observations(&tester).await);
}

#[tokio::test]
async fn hasty_forgets_a_page_after_a_minute() {
    let tester = at("hasty").await;
    let token = tester.access_token(SCOPE).await;
    let (_, page) = tester.fhir(&token, "Observation?_count=5").await;
    let next = link(&page, "next").unwrap();
    tester.mock.turn_clock(59);
    assert_eq!(tester.fhir(&token, &next).await.0, StatusCode::OK);
    tester.mock.turn_clock(2);
    assert_eq!(tester.fhir(&token, &next).await.0, StatusCode::GONE);
}

#[tokio::test]
async fn failing_is_a_500_with_an_operation_outcome_at_one_type() {
    let tester = at("failing").await;
    let token = tester.access_token(SCOPE).await;
    let (status, outcome) = tester.fhir(&token, "Goal").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(outcome["issue"][0]["code"], "exception");
    assert_eq!(tester.fhir(&token, "Condition").await.0, StatusCode::OK);
}

#[rstest]
#[case("html-errors", Some("text/html; charset=utf-8"))]
#[case("empty-errors", None)]
#[tokio::test]
async fn refusals_without_an_operation_outcome(#[case] name: &str, #[case] kind: Option<&str>) {
    let tester = at(name).await;
    let token = tester
        .access_token("launch/patient patient/Patient.rs")
        .await;
    for (path, token, status) in [
        ("Basket", token.as_str(), StatusCode::NOT_FOUND),
        ("Condition", &token, StatusCode::FORBIDDEN),
        ("Patient", "wrong", StatusCode::UNAUTHORIZED),
    ] {
        let answer = raw(&tester, token, path).await;
        assert_eq!(answer.status(), status);
        let given = answer.headers().get("Content-Type");
        assert_eq!(given.map(|kind| kind.to_str().unwrap()), kind);
        let text = answer.text().await.unwrap();
        assert_eq!(
            text.contains("INVALID-MAP-TARGET"),
            kind.is_some(),
            "{text}"
        );
        assert!(kind.is_some() || text.is_empty());
    }
    assert_eq!(tester.fhir(&token, "Patient").await.0, StatusCode::OK);
}

#[tokio::test]
async fn va_counts_the_requests_of_a_minute() {
    let tester = at("va").await;
    let token = tester.access_token(SCOPE).await;
    for _ in 0..60 {
        assert_eq!(tester.fhir_status(&token, "Patient").await, StatusCode::OK);
    }
    tester.mock.turn_clock(20);
    let refused = raw(&tester, &token, "Patient").await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(!refused.headers().contains_key("Retry-After"));
    let reset = refused.headers()["X-RateLimit-Reset"].to_str().unwrap();
    let reset: i64 = reset.parse().unwrap();
    assert!((1..=40).contains(&reset), "{reset}");
    let other = tester.access_token(SCOPE).await;
    assert_eq!(
        tester.fhir_status(&other, "Patient").await,
        StatusCode::OK,
        "another app"
    );
    tester.mock.turn_clock(reset);
    assert_eq!(tester.fhir_status(&token, "Patient").await, StatusCode::OK);
}

#[tokio::test]
async fn raw_binaries_come_as_themselves_whatever_is_asked_for() {
    let tester = at("raw-binaries").await;
    let token = tester.access_token(SCOPE).await;
    let (_, documents) = tester.fhir(&token, "DocumentReference").await;
    let mut seen = 0;
    for one in resources(&documents) {
        let attachment = &one["content"][0]["attachment"];
        let Some(url) = attachment["url"]
            .as_str()
            .filter(|url| url.starts_with("Binary/"))
        else {
            continue;
        };
        let answer = raw(&tester, &token, url).await;
        assert_eq!(
            answer.headers()["Content-Type"],
            attachment["contentType"].as_str().unwrap()
        );
        seen += 1;
    }
    assert!(seen > 0);
}

#[tokio::test]
async fn plain_json_says_so_on_pages_records_and_refusals() {
    let tester = at("plain-json").await;
    let token = tester.access_token(SCOPE).await;
    let own = format!("Patient/{}", tester.patient().patient_ids[0]);
    for path in ["Patient", &own, "Patient/nobody", "metadata"] {
        let answer = raw(&tester, &token, path).await;
        assert_eq!(
            answer.headers()["Content-Type"],
            "application/json",
            "{path}"
        );
    }
}

#[tokio::test]
async fn bluebutton_names_no_patient_and_gives_the_records_all_the_same() {
    let tester = at("bluebutton").await;
    let scope = "openid launch/patient patient/Patient.read patient/Coverage.read";
    let (_, tokens) = tester.tokens(&tester.patient().clone(), scope).await;
    assert!(tokens["patient"].is_null());
    let token = tokens["access_token"].as_str().unwrap();
    let (_, bundle) = tester.fhir(token, "Coverage").await;
    let own = format!("Patient/{}", tester.patient().patient_ids[0]);
    assert_eq!(
        resources(&bundle)[0]["beneficiary"]["reference"],
        own.as_str()
    );
}

#[tokio::test]
async fn no_registration_is_a_404() {
    let tester = at("no-registration").await;
    let answer = tester
        .register(&json!({"redirect_uris": [crate::tester::REDIRECT]}))
        .await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}
