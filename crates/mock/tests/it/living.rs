//! A population that is large and that changes: charts made when asked for, records that come, are amended,
//! turn out to be wrong and are deleted as the clock is turned; people and practices that come and go.

use crate::portal::Decision;
use crate::tester::{JWT_BEARER, Key, Tester, es384, exchange};
use reqwest::StatusCode;
use satchel_mock::World;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const ALL: &str = "launch/patient openid fhirUser offline_access patient/*.rs";
const DAY: i64 = 86_400;

/// A backend service with a token for `scope`.
pub(crate) async fn service(tester: &Tester, scope: &str) -> String {
    let key: Key = es384();
    let registered = tester
        .client(&json!({
            "token_endpoint_auth_method": "private_key_jwt",
            "grant_types": ["client_credentials"],
            "response_types": [],
            "redirect_uris": [],
            "scope": scope,
            "jwks": {"keys": [key.public]},
        }))
        .await;
    let client_id = registered["client_id"].as_str().unwrap();
    let clock = tester
        .get(&format!("{}/clock", tester.mock.control()))
        .await;
    let assertion = key.sign(&json!({
        "iss": client_id, "sub": client_id, "aud": tester.url("/auth/token"),
        "exp": clock["now"].as_i64().unwrap() + 120, "jti": client_id,
    }));
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", scope),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &assertion),
    ];
    let answer: Value = tester
        .token(&form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    answer["access_token"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
        .to_owned()
}

/// Everything a search finds, page by page, by `Type/id`.
async fn found(tester: &Tester, token: &str, search: &str) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let mut next = Some(search.to_owned());
    while let Some(address) = next {
        let (status, page) = tester.fhir(token, &address).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        for entry in page["entry"].as_array().into_iter().flatten() {
            let one = &entry["resource"];
            let key = format!(
                "{}/{}",
                one["resourceType"].as_str().unwrap(),
                one["id"].as_str().unwrap()
            );
            all.insert(key, one.clone());
        }
        let links = page["link"].as_array().unwrap();
        let link = links.iter().find(|link| link["relation"] == "next");
        next = link.map(|link| link["url"].as_str().unwrap().to_owned());
    }
    all
}

async fn control(
    tester: &Tester,
    method: reqwest::Method,
    path: &str,
    body: Value,
) -> (StatusCode, Value) {
    let request = tester
        .http
        .request(method, format!("{}/{path}", tester.mock.control()));
    let request = request
        .header("Content-Type", "application/json")
        .body(body.to_string());
    let answer = request.send().await.unwrap();
    let status = answer.status();
    (status, answer.json().await.unwrap_or_default())
}

#[tokio::test]
async fn as_the_clock_is_turned_there_is_something_new_amended_wrong_and_deleted_to_find() {
    let long = World {
        patients: 2,
        token_lifetime_seconds: 31_536_000,
        ..World::default()
    };
    let tester = Tester::at(long).await;
    let token = tester.access_token(ALL).await;
    let before = found(&tester, &token, "Observation?_count=200").await;
    let clock = tester
        .get(&format!("{}/clock", tester.mock.control()))
        .await;
    let now = instant(clock["now"].as_i64().unwrap());
    let none = found(
        &tester,
        &token,
        &format!("Observation?_lastUpdated=gt{now}"),
    )
    .await;
    assert!(none.is_empty(), "nothing has changed yet");

    tester.mock.turn_clock(4 * DAY);
    let changed = found(
        &tester,
        &token,
        &format!("Observation?_lastUpdated=gt{now}"),
    )
    .await;
    let after = found(&tester, &token, "Observation?_count=200").await;
    let new: Vec<_> = changed
        .keys()
        .filter(|key| !before.contains_key(*key))
        .collect();
    assert_eq!(new.len(), 1, "a new result");
    let states: BTreeSet<&str> = changed
        .iter()
        .filter(|(key, _)| before.contains_key(*key))
        .map(|(_, one)| one["status"].as_str().unwrap())
        .collect();
    assert_eq!(states, BTreeSet::from(["amended", "entered-in-error"]));
    let gone: Vec<_> = before
        .keys()
        .filter(|key| !after.contains_key(*key))
        .collect();
    assert_eq!(gone.len(), 1, "a deleted one");
    let (status, outcome) = tester.fhir(&token, gone[0]).await;
    assert_eq!(status, StatusCode::GONE);
    assert_eq!(outcome["issue"][0]["code"], "deleted");
}

fn instant(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap().to_string()
}

#[tokio::test]
async fn pages_stay_stable_while_the_data_change() {
    let long = World {
        patients: 1,
        token_lifetime_seconds: 31_536_000,
        ..World::default()
    };
    let tester = Tester::at(long).await;
    let token = tester.access_token(ALL).await;
    let before = found(&tester, &token, "Observation?_count=200").await;
    let (_, first) = tester.fhir(&token, "Observation?_count=10").await;
    tester.mock.turn_clock(9 * DAY);
    let next = first["link"]
        .as_array()
        .unwrap()
        .iter()
        .find(|link| link["relation"] == "next")
        .unwrap();
    let mut rest = found(&tester, &token, next["url"].as_str().unwrap()).await;
    for entry in first["entry"].as_array().unwrap() {
        let one = &entry["resource"];
        rest.insert(
            format!("Observation/{}", one["id"].as_str().unwrap()),
            one.clone(),
        );
    }
    let seen: BTreeSet<_> = rest.keys().collect();
    let expected: BTreeSet<_> = before.keys().collect();
    let missed: Vec<_> = expected.difference(&seen).collect();
    assert!(
        seen.is_subset(&expected),
        "what came later is on no page of an earlier search"
    );
    assert!(
        missed.len() <= 3,
        "only what was deleted meanwhile is missing: {missed:?}"
    );
}

#[tokio::test]
async fn f18_an_incremental_export_tells_what_was_deleted() {
    let long = World {
        patients: 4,
        token_lifetime_seconds: 31_536_000,
        ..World::default()
    };
    let tester = Tester::at(long).await;
    let token = service(&tester, "system/*.rs").await;
    let clock = tester
        .get(&format!("{}/clock", tester.mock.control()))
        .await;
    let since = instant(clock["now"].as_i64().unwrap());
    tester.mock.turn_clock(4 * DAY);
    let manifest = export(&tester, &token, &format!("$export?_since={since}")).await;
    let deleted = manifest["deleted"].as_array().unwrap();
    assert_eq!(deleted.len(), 1);
    assert_eq!(deleted[0]["type"], "Bundle");
    let lines = lines(&tester, &token, deleted[0]["url"].as_str().unwrap()).await;
    let mut gone = BTreeSet::new();
    for bundle in &lines {
        assert_eq!(bundle["type"], "transaction");
        for entry in bundle["entry"].as_array().unwrap() {
            assert_eq!(entry["request"]["method"], "DELETE");
            gone.insert(entry["request"]["url"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(gone.len(), 4, "one of each person");
    for file in manifest["output"].as_array().unwrap() {
        for one in self::lines(&tester, &token, file["url"].as_str().unwrap()).await {
            let key = format!(
                "{}/{}",
                one["resourceType"].as_str().unwrap(),
                one["id"].as_str().unwrap()
            );
            assert!(!gone.contains(&key), "{key} is in both");
        }
    }
    let full = export(&tester, &token, "$export?_type=Observation").await;
    assert_eq!(
        full["deleted"],
        json!([]),
        "a full export has nothing to take back"
    );
}

async fn export(tester: &Tester, token: &str, path: &str) -> Value {
    let request = tester
        .http
        .get(format!("{}/{path}", tester.mock.fhir_base()))
        .bearer_auth(token);
    let answer = request
        .header("Prefer", "respond-async")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let status = answer.headers()["Content-Location"]
        .to_str()
        .unwrap()
        .to_owned();
    loop {
        let answer = tester
            .http
            .get(&status)
            .bearer_auth(token)
            .send()
            .await
            .unwrap();
        if answer.status() == StatusCode::OK {
            return answer.json().await.unwrap();
        }
    }
}

async fn lines(tester: &Tester, token: &str, url: &str) -> Vec<Value> {
    let text = tester
        .http
        .get(url)
        .bearer_auth(token)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn a_hundred_thousand_people_are_there_at_once() {
    let tester = Tester::at(World {
        patients: 100_000,
        ..World::default()
    })
    .await;
    let token = service(&tester, "system/*.rs").await;
    let (status, last) = tester.fhir(&token, "Patient/pt-1000000000").await;
    assert_eq!(status, StatusCode::OK, "{last}");
    assert_eq!(
        tester.fhir(&token, "Patient/pt-1000010000").await.0,
        StatusCode::NOT_FOUND
    );
    let own = found(&tester, &token, "Condition?patient=pt-1000000000").await;
    assert!(
        own.values()
            .all(|one| one["subject"]["reference"] == "Patient/pt-1000000000")
    );
    assert!(!own.is_empty());
    // Without a patient there is a page and a next one, but nobody counts.
    let (_, page) = tester.fhir(&token, "Encounter?_count=30").await;
    assert_eq!(page["entry"].as_array().unwrap().len(), 30);
    assert!(page.get("total").is_none());
    let mut people = BTreeSet::new();
    let mut next = Some("Patient?_count=1000".to_owned());
    for _ in 0..3 {
        let (_, page) = tester.fhir(&token, &next.unwrap()).await;
        for entry in page["entry"].as_array().unwrap() {
            assert!(people.insert(entry["resource"]["id"].as_str().unwrap().to_owned()));
        }
        let links = page["link"].as_array().unwrap();
        next = links
            .iter()
            .find(|link| link["relation"] == "next")
            .map(|link| link["url"].as_str().unwrap().to_owned());
    }
    assert_eq!(people.len(), 3000);
    let (status, costly) = tester.fhir(&token, "Observation?_summary=count").await;
    assert_eq!(
        (status, costly["issue"][0]["code"].as_str()),
        (StatusCode::FORBIDDEN, Some("too-costly"))
    );
}

#[tokio::test]
async fn a_search_without_a_patient_gives_each_record_once_however_the_pages_fall() {
    let tester = Tester::at(World {
        patients: 70,
        ..World::default()
    })
    .await;
    let token = service(&tester, "system/*.rs").await;
    let mut seen = BTreeMap::new();
    let mut next = Some("Coverage?_count=7".to_owned());
    while let Some(address) = next {
        let (_, page) = tester.fhir(&token, &address).await;
        let entries = page["entry"].as_array().cloned().unwrap_or_default();
        assert!(entries.len() <= 7);
        for entry in entries {
            *seen
                .entry(entry["resource"]["id"].as_str().unwrap().to_owned())
                .or_insert(0) += 1;
        }
        let links = page["link"].as_array().unwrap();
        next = links
            .iter()
            .find(|link| link["relation"] == "next")
            .map(|link| link["url"].as_str().unwrap().to_owned());
    }
    assert!(seen.values().all(|times| *times == 1));
    let exported = export(&tester, &token, "$export?_type=Coverage").await;
    let exported = lines(
        &tester,
        &token,
        exported["output"][0]["url"].as_str().unwrap(),
    )
    .await;
    assert_eq!(exported.len(), seen.len());
    let counts = tester
        .get(&format!("{}/counts", tester.mock.control()))
        .await;
    assert_eq!(counts["Coverage"], exported.len());
}

#[tokio::test]
async fn a_provider_finds_one_of_very_many_by_name_at_the_sign_in() {
    let tester = Tester::at(World {
        patients: 3000,
        ..World::default()
    })
    .await;
    let client_id = tester.public_client().await;
    let mut doctor = tester.provider().clone();
    doctor.patient_ids = vec!["pt-20000000".to_owned()];
    let answer = tester
        .sign_in(&client_id, ALL, &doctor, Decision::Approve)
        .await;
    let tokens: Value = tester
        .token(&exchange(&client_id, &answer["code"]))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(tokens["patient"], "pt-20000000");
}

#[tokio::test]
async fn people_and_practices_come_and_go_while_the_server_runs() {
    use reqwest::Method;
    let tester = Tester::new().await;
    let (status, _) = control(
        &tester,
        Method::POST,
        "practices",
        json!({"id": "hillside", "name": "Hillside"}),
    )
    .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (_, patient) = control(
        &tester,
        Method::POST,
        "people",
        json!({"practice": "hillside"}),
    )
    .await;
    let (_, doctor) = control(
        &tester,
        Method::POST,
        "people",
        json!({"role": "provider", "practice": "hillside", "username": "dr.hill"}),
    )
    .await;
    assert_eq!(doctor["practice"], "hillside");
    let chart = patient["patient_ids"][0].as_str().unwrap().to_owned();
    // The new patient signs in; the chart is there.
    let mut account = tester.patient().clone();
    account.username = patient["username"].as_str().unwrap().to_owned();
    account.patient_ids = vec![chart.clone()];
    let (_, tokens) = tester.tokens(&account, ALL).await;
    let token = tokens["access_token"].as_str().unwrap().to_owned();
    assert!(!found(&tester, &token, "Observation").await.is_empty());
    // The doctor of the other practice does not see the first practice's patients.
    let mut hill = tester.provider().clone();
    hill.username = "dr.hill".to_owned();
    hill.patient_ids = vec![chart.clone()];
    let (_, tokens) = tester.tokens(&hill, "openid user/*.rs").await;
    let doctors = tokens["access_token"].as_str().unwrap();
    let seen = found(&tester, doctors, "Patient").await;
    assert_eq!(
        seen.keys().collect::<Vec<_>>(),
        [&format!("Patient/{chart}")]
    );
    assert_eq!(
        tester.fhir(doctors, "Patient/pt-10000").await.0,
        StatusCode::FORBIDDEN
    );

    let (status, _) = control(
        &tester,
        Method::DELETE,
        "people",
        json!({"username": account.username}),
    )
    .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(
        tester.fhir(&token, "Observation").await.0,
        StatusCode::UNAUTHORIZED
    );
    let (status, _) = control(
        &tester,
        Method::DELETE,
        "practices",
        json!({"id": "hillside"}),
    )
    .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(
        tester.fhir(doctors, "Patient").await.0,
        StatusCode::UNAUTHORIZED
    );
    for (path, body) in [
        ("practices", json!({"id": "riverbend"})),
        ("practices", json!({"id": "nowhere"})),
        ("people", json!({"username": "nobody"})),
        ("clients", json!({"client_id": "nobody"})),
    ] {
        assert_eq!(
            control(&tester, Method::DELETE, path, body).await.0,
            StatusCode::NOT_FOUND
        );
    }
    let (status, _) = control(
        &tester,
        Method::POST,
        "people",
        json!({"practice": "nowhere"}),
    )
    .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_trusted_person_chooses_whose_records_and_sees_no_others() {
    use reqwest::Method;
    let tester = Tester::at(World {
        patients: 3,
        ..World::default()
    })
    .await;
    let (_, aunt) = control(&tester, Method::POST, "people", json!({
        "username": "aunt.maria", "display_name": "Maria Aunt", "patient_ids": ["pt-10000", "pt-20000"],
    })).await;
    assert_eq!(aunt["fhir_user"], "RelatedPerson/aunt.maria");
    let mut account = tester.patient().clone();
    account.username = "aunt.maria".to_owned();
    account.patient_ids = vec!["pt-20000".to_owned()];
    let (_, tokens) = tester.tokens(&account, ALL).await;
    assert_eq!(tokens["patient"], "pt-20000");
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        tester.fhir(token, "Patient/pt-10000").await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        tester.fhir(token, "Patient/pt-20000").await.0,
        StatusCode::OK
    );
}

#[tokio::test]
async fn an_app_is_listed_switched_and_removed_by_the_tester() {
    use reqwest::Method;
    let tester = Tester::new().await;
    let (client_id, tokens) = tester.tokens(&tester.patient().clone(), ALL).await;
    let token = tokens["access_token"].as_str().unwrap();
    let (_, apps) = control(&tester, Method::GET, "clients", json!({})).await;
    assert_eq!(apps[0]["client_id"], client_id.as_str());
    assert!(apps[0].get("registration_access_token").is_none());
    for (enabled, expected) in [(false, StatusCode::UNAUTHORIZED), (true, StatusCode::OK)] {
        control(
            &tester,
            Method::POST,
            "access",
            json!({"client_id": client_id, "enabled": enabled}),
        )
        .await;
        assert_eq!(tester.fhir(token, "Patient").await.0, expected);
    }
    let (status, _) = control(
        &tester,
        Method::DELETE,
        "clients",
        json!({"client_id": client_id}),
    )
    .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(
        tester.fhir(token, "Patient").await.0,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_fault_for_one_app_leaves_the_others_alone() {
    use reqwest::Method;
    let tester = Tester::new().await;
    let (one, ones) = tester.tokens(&tester.patient().clone(), ALL).await;
    let (_, others) = tester.tokens(&tester.patient().clone(), ALL).await;
    for endpoint in ["fhir", "token"] {
        let fault = json!({"endpoint": endpoint, "client_id": one, "times": 1, "fault": {"kind": "status", "status": 503}});
        control(&tester, Method::POST, "faults", fault).await;
    }
    let read = async |tokens: &Value| {
        tester
            .fhir_status(tokens["access_token"].as_str().unwrap(), "Patient")
            .await
    };
    assert_eq!(read(&others).await, StatusCode::OK);
    assert_eq!(read(&ones).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(read(&ones).await, StatusCode::OK);
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", ones["refresh_token"].as_str().unwrap()),
        ("client_id", &one),
    ];
    assert_eq!(
        tester.token(&refresh).send().await.unwrap().status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(
        tester.token(&refresh).send().await.unwrap().status(),
        StatusCode::OK
    );
}
