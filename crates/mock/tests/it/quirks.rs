//! Vendors' habits: each profile does what it says, and nothing is lost by it.

use crate::tester::Tester;
use reqwest::StatusCode;
use satchel_mock::{Quirks, World};
use serde_json::Value;
use std::collections::BTreeSet;

pub(crate) const SCOPE: &str = "openid fhirUser launch/patient offline_access patient/*.rs";

pub(crate) async fn at(name: &str) -> Tester {
    let quirks = Quirks::shipped().unwrap().remove(name).expect(name);
    Tester::at(World {
        patients: 1,
        quirks,
        ..World::default()
    })
    .await
}

/// The ids of the matches of a search, page by page, and how many entries there were.
pub(crate) async fn read(
    tester: &Tester,
    token: &str,
    query: &str,
) -> (BTreeSet<String>, usize, Vec<usize>) {
    let (mut ids, mut entries, mut pages) = (BTreeSet::new(), 0, Vec::new());
    let mut next = Some(query.to_owned());
    while let Some(path) = next {
        let (status, bundle) = tester.fhir(token, &path).await;
        assert_eq!(status, StatusCode::OK, "{bundle}");
        let matches = bundle["entry"].as_array().into_iter().flatten();
        let matches = matches.filter(|entry| entry["search"]["mode"] == "match");
        let page: Vec<String> = matches
            .map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned())
            .collect();
        pages.push(page.len());
        entries += page.len();
        ids.extend(page);
        let links = bundle["link"].as_array().unwrap().iter();
        let mut links = links.filter(|link| link["relation"] == "next");
        next = links
            .next()
            .map(|link| link["url"].as_str().unwrap().to_owned());
    }
    (ids, entries, pages)
}

pub(crate) async fn observations(tester: &Tester) -> u64 {
    let counts = tester
        .get(&format!("{}/counts", tester.mock.control()))
        .await;
    counts["Observation"].as_u64().unwrap()
}

#[tokio::test]
async fn epic_needs_a_category_hides_offline_access_and_adds_a_warning() {
    let tester = at("epic").await;
    let (_, tokens) = tester.tokens(&tester.patient().clone(), SCOPE).await;
    assert!(tokens["refresh_token"].is_string());
    assert!(!tokens["scope"].as_str().unwrap().contains("offline_access"));
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        tester.fhir(token, "Observation").await.0,
        StatusCode::BAD_REQUEST
    );
    let own = &tester.patient().patient_ids[0];
    assert_eq!(
        tester
            .fhir(token, &format!("Patient?patient={own}"))
            .await
            .0,
        StatusCode::BAD_REQUEST
    );
    let (_, labs) = tester.fhir(token, "Observation?category=laboratory").await;
    let (_, encounters) = tester.fhir(token, "Encounter").await;
    let class = &encounters["entry"][0]["resource"]["class"];
    assert_eq!(class["code"], "HOV", "local, and without a display");
    assert!(class["display"].is_null());
    let outcome = labs["entry"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["search"]["mode"] == "outcome");
    assert_eq!(
        outcome.unwrap()["resource"]["issue"][0]["severity"],
        "warning"
    );
}

#[tokio::test]
async fn oracle_answers_json_fhir_without_total_and_refuses_in_plain_text() {
    let tester = at("oracle").await;
    let (client_id, tokens) = tester.tokens(&tester.patient().clone(), SCOPE).await;
    assert_eq!(tokens["expires_in"], 600);
    let token = tokens["access_token"].as_str().unwrap();
    let url = format!("{}/Observation", tester.mock.fhir_base());
    let refused = tester
        .http
        .get(&url)
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(
        refused
            .text()
            .await
            .unwrap()
            .starts_with("Observation needs")
    );
    let own = &tester.patient().patient_ids[0];
    let request = tester
        .http
        .get(format!("{url}?patient={own}&_count=1000"))
        .bearer_auth(token);
    let answer = request.send().await.unwrap();
    assert_eq!(
        answer.headers()["Content-Type"],
        "application/json+fhir; charset=utf-8"
    );
    let page: Value = answer.json().await.unwrap();
    assert!(page["total"].is_null());
    let entries = |page: &Value| page["entry"].as_array().unwrap().len();
    assert_eq!(entries(&page), 50, "the first page ignores _count");
    let links = page["link"].as_array().unwrap().iter();
    let next = links.clone().find(|link| link["relation"] == "next");
    let next = next.unwrap()["url"].as_str().unwrap();
    let (_, page) = tester.fhir(token, next).await;
    assert_eq!(entries(&page), 100);
    for refused in [
        format!("Condition?_id=x&patient={own}"),
        format!("Condition?patient={own}&_lastUpdated=ge2020-01-01"),
        format!("Procedure?patient={own}&date=ge2020&_lastUpdated=ge2020-01-01T00:00:00Z"),
    ] {
        let request = tester
            .http
            .get(format!("{}/{refused}", tester.mock.fhir_base()));
        let answer = request.bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{refused}");
    }
    let (ids, _, _) = read(&tester, token, &format!("Observation?patient={own}")).await;
    assert_eq!(ids.len() as u64, observations(&tester).await);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh),
        ("client_id", &client_id),
    ];
    let refreshed: Value = tester
        .token(&form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(refreshed["patient"].is_null());
}

#[tokio::test]
async fn athena_refuses_what_it_does_not_know_and_gives_small_pages() {
    let tester = at("athena").await;
    let token = tester.access_token(SCOPE).await;
    for refused in [
        "Condition?colour=red",
        "Condition?_lastUpdated=ge2020",
        "MedicationRequest",
    ] {
        assert_eq!(
            tester.fhir(&token, refused).await.0,
            StatusCode::BAD_REQUEST,
            "{refused}"
        );
    }
    assert_eq!(
        tester
            .fhir(&token, "MedicationRequest?intent=order,plan")
            .await
            .0,
        StatusCode::OK
    );
    let (ids, _, pages) = read(&tester, &token, "Observation?_count=500").await;
    assert_eq!(ids.len() as u64, observations(&tester).await);
    assert!(pages.iter().all(|entries| *entries <= 20));
    let own = &tester.patient().patient_ids[0];
    let (status, _) = tester
        .fhir(&token, &format!("Patient/{own}/$everything"))
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (_, statement) = tester.fhir(&token, "metadata").await;
    assert!(!statement.to_string().contains("everything"));
    let narrow = tester
        .access_token("launch/patient patient/Patient.rs")
        .await;
    let (status, bundle) = tester.fhir(&narrow, "Condition").await;
    assert_eq!(
        (status, &bundle["total"]),
        (StatusCode::OK, &Value::from(0))
    );
    assert_eq!(bundle["entry"].as_array().unwrap().len(), 1);
    let entry = &bundle["entry"][0];
    assert_eq!(entry["search"]["mode"], "outcome");
    assert_eq!(entry["resource"]["issue"][0]["code"], "invalid");
}

#[tokio::test]
async fn ecw_gives_no_refresh_token_a_relative_fhir_user_and_an_empty_last_page() {
    let tester = at("ecw").await;
    let (_, tokens) = tester.tokens(&tester.patient().clone(), SCOPE).await;
    assert!(tokens["refresh_token"].is_null());
    assert_eq!(tokens["expires_in"], "3600");
    let claims: Value =
        jsonwebtoken::dangerous::insecure_decode_claims(tokens["id_token"].as_str().unwrap())
            .unwrap();
    assert_eq!(
        claims["fhirUser"],
        format!("Patient/{}", tester.patient().patient_ids[0])
    );
    let (ids, _, pages) = read(
        &tester,
        tokens["access_token"].as_str().unwrap(),
        "Observation?_count=50",
    )
    .await;
    assert_eq!(ids.len() as u64, observations(&tester).await);
    assert_eq!(pages.last(), Some(&0));
}

#[tokio::test]
async fn repeating_gives_entries_twice_and_loses_none() {
    let tester = at("repeating").await;
    let token = tester.access_token(SCOPE).await;
    let (ids, entries, _) = read(&tester, &token, "Observation").await;
    assert_eq!(ids.len() as u64, observations(&tester).await);
    assert!(entries > ids.len());
}

#[tokio::test]
async fn proxied_leads_to_another_path_of_the_same_host() {
    let tester = at("proxied").await;
    let token = tester.access_token(SCOPE).await;
    let (_, bundle) = tester.fhir(&token, "Observation").await;
    let links = bundle["link"].as_array().unwrap().iter();
    let mut links = links.filter(|link| link["relation"] == "next");
    let next = links.next().unwrap()["url"].as_str().unwrap().to_owned();
    assert!(next.starts_with(&tester.url("/pages?")), "{next}");
    let (ids, _, _) = read(&tester, &token, "Observation").await;
    assert_eq!(
        ids.len() as u64,
        observations(&tester).await,
        "who follows it loses nothing"
    );
}
