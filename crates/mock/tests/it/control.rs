//! The tester's controls under `/_mock`.

use crate::portal::Decision;
use crate::tester::{Tester, exchange};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};

const ALL: &str = "launch/patient patient/*.rs";

async fn plan(tester: &Tester, fault: &Value) {
    let url = format!("{}/faults", tester.mock.control());
    let request = tester
        .http
        .post(url)
        .header("Content-Type", "application/json");
    let answer = request.body(fault.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn the_log_tells_every_request_but_not_those_of_the_tester() {
    let tester = Tester::new().await;
    let (client_id, answer) = tester.tokens(&tester.patient().clone(), ALL).await;
    let token = answer["access_token"].as_str().unwrap();
    tester.fhir(token, "Observation?_count=5").await;
    let log = tester
        .get(&format!("{}/requests", tester.mock.control()))
        .await;
    let last = log.as_array().unwrap().last().unwrap();
    assert_eq!(
        last,
        &json!({
            "method": "GET", "path": "/fhir/Observation", "query": "_count=5", "status": 200,
            "client_id": client_id, "passed": ["RFC 6750 §2.1: the access token is valid"],
        })
    );
    assert!(!log.to_string().contains("_mock"));
}

#[tokio::test]
async fn the_counts_are_those_of_the_data() {
    let tester = Tester::new().await;
    let counts = tester
        .get(&format!("{}/counts", tester.mock.control()))
        .await;
    assert_eq!(counts["Patient"], 2);
    assert!(counts["Observation"].as_u64().unwrap() > 100);
}

#[tokio::test]
async fn every_token_that_was_given_out_is_listed_so_that_testers_can_look_for_leaks() {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    let tokens = tester
        .get(&format!("{}/tokens", tester.mock.control()))
        .await;
    assert!(tokens.as_array().unwrap().contains(&json!(token)));
}

#[tokio::test]
async fn access_that_is_switched_off_ends_every_grant_and_on_again_a_new_sign_in_works() {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    let switch = |enabled: bool| {
        let request = tester
            .http
            .post(format!("{}/access", tester.mock.control()));
        let request = request.header("Content-Type", "application/json");
        request
            .body(json!({ "enabled": enabled }).to_string())
            .send()
    };
    assert_eq!(
        switch(false).await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        tester.fhir(&token, "Patient").await.0,
        StatusCode::UNAUTHORIZED
    );
    switch(true).await.unwrap();
    assert_eq!(
        tester.fhir(&token, "Patient").await.0,
        StatusCode::UNAUTHORIZED
    );
    let token = tester.access_token(ALL).await;
    assert_eq!(tester.fhir(&token, "Patient").await.0, StatusCode::OK);
}

#[rstest]
#[case::status(json!({"kind": "status", "status": 503, "body": "later"}), 503)]
#[case::busy(json!({"kind": "too_many_requests", "retry_after": 2}), 429)]
#[tokio::test]
async fn a_fault_happens_as_often_as_it_was_asked_for(#[case] fault: Value, #[case] status: u16) {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    plan(
        &tester,
        &json!({"endpoint": "fhir", "fault": fault, "times": 2}),
    )
    .await;
    let url = format!("{}/Patient", tester.mock.fhir_base());
    let mut seen = Vec::new();
    for _ in 0..3 {
        let answer = tester
            .http
            .get(&url)
            .bearer_auth(&token)
            .send()
            .await
            .unwrap();
        if status == 429 && answer.status() == 429 {
            assert_eq!(answer.headers()["Retry-After"], "2");
        }
        seen.push(answer.status().as_u16());
    }
    assert_eq!(seen, [status, status, 200]);
}

#[rstest]
#[case::not_json(json!({"kind": "not_json"}))]
#[case::truncated(json!({"kind": "truncated"}))]
#[case::xml(json!({"kind": "xml_answer"}))]
#[case::dropped(json!({"kind": "drop"}))]
#[tokio::test]
async fn a_spoilt_answer_cannot_be_read(#[case] fault: Value) {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    plan(&tester, &json!({"endpoint": "fhir", "fault": fault})).await;
    let url = format!("{}/Patient", tester.mock.fhir_base());
    let ask = || tester.http.get(&url).bearer_auth(&token).send();
    let read = match ask().await {
        Ok(answer) => answer.json::<Value>().await.is_ok(),
        Err(_) => false,
    };
    assert!(!read);
    assert!(
        ask().await.unwrap().json::<Value>().await.is_ok(),
        "once only"
    );
}

#[tokio::test]
async fn planned_faults_are_forgotten_on_request() {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    plan(
        &tester,
        &json!({"endpoint": "fhir", "fault": {"kind": "drop"}, "times": 99}),
    )
    .await;
    let url = format!("{}/faults", tester.mock.control());
    tester.http.delete(url).send().await.unwrap();
    assert_eq!(tester.fhir(&token, "Patient").await.0, StatusCode::OK);
}

#[tokio::test]
async fn an_unknown_fault_is_refused() {
    let tester = Tester::new().await;
    let url = format!("{}/faults", tester.mock.control());
    let request = tester
        .http
        .post(url)
        .header("Content-Type", "application/json");
    let answer = request
        .body(r#"{"endpoint":"fhir","fault":{"kind":"rain"}}"#)
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_client_error());
}

#[tokio::test]
async fn the_clock_is_turned_and_tokens_age_with_it() {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    let url = format!("{}/clock", tester.mock.control());
    let before = tester.get(&url).await["now"].as_i64().unwrap();
    let request = tester
        .http
        .post(&url)
        .header("Content-Type", "application/json");
    let after: Value = request
        .body(r#"{"seconds": 3599}"#)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!((3599..3610).contains(&(after["now"].as_i64().unwrap() - before)));
    assert_eq!(tester.fhir(&token, "Patient").await.0, StatusCode::OK);
    tester.mock.turn_clock(2);
    assert_eq!(
        tester.fhir(&token, "Patient").await.0,
        StatusCode::UNAUTHORIZED
    );
    tester.mock.turn_clock(-3601);
    assert_eq!(
        tester.fhir(&token, "Patient").await.0,
        StatusCode::OK,
        "and back"
    );
}

/// A client whose clock is wrong learns by it (RFC 9110 §6.6.1), so it must not tell the computer's time.
#[tokio::test]
async fn the_date_of_answers_is_that_of_the_clock() {
    let tester = Tester::new().await;
    let year = async || {
        let url = format!("{}/metadata", tester.mock.fhir_base());
        let answer = tester.http.get(url).send().await.unwrap();
        let date = answer.headers()["Date"].to_str().unwrap().to_owned();
        let parsed = jiff::fmt::rfc2822::parse(&date).unwrap();
        i32::from(parsed.year())
    };
    let before = year().await;
    tester.mock.turn_clock(10 * 366 * 86_400);
    assert_eq!(year().await, before + 10);
}

#[tokio::test]
async fn a_lost_answer_did_what_was_asked() {
    let tester = Tester::new().await;
    let scope = "launch/patient offline_access patient/*.rs";
    let (client_id, answer) = tester.tokens(&tester.patient().clone(), scope).await;
    plan(
        &tester,
        &json!({"endpoint": "token", "fault": {"kind": "lost_answer"}}),
    )
    .await;
    let token = answer["refresh_token"].as_str().unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", client_id.as_str()),
    ];
    assert!(tester.token(&form).send().await.is_err(), "no answer");
    let again = tester.token(&form).send().await.unwrap();
    assert_eq!(
        again.status(),
        StatusCode::BAD_REQUEST,
        "it was rotated all the same"
    );
}

#[tokio::test]
async fn the_first_requests_can_go_well() {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    plan(
        &tester,
        &json!({"endpoint": "fhir", "fault": {"kind": "status", "status": 503}, "after": 2}),
    )
    .await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let url = format!("{}/Patient", tester.mock.fhir_base());
        let answer = tester
            .http
            .get(url)
            .bearer_auth(&token)
            .send()
            .await
            .unwrap();
        seen.push(answer.status().as_u16());
    }
    assert_eq!(seen, [200, 200, 503, 200]);
}

#[tokio::test]
async fn answers_are_slow_huge_or_wrongly_named_and_still_right() {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    let url = format!("{}/Patient", tester.mock.fhir_base());
    let ask = || tester.http.get(&url).bearer_auth(&token).send();
    let right: Value = ask().await.unwrap().json().await.unwrap();
    for fault in [
        json!({"kind": "drip", "ms": 5}),
        json!({"kind": "huge", "megabytes": 3}),
        json!({"kind": "wrong_content_type", "content_type": "text/plain"}),
    ] {
        plan(&tester, &json!({"endpoint": "fhir", "fault": fault})).await;
        let answer = ask().await.unwrap();
        let kind = answer.headers()["Content-Type"]
            .to_str()
            .unwrap()
            .to_owned();
        let bytes = answer.bytes().await.unwrap();
        assert_eq!(kind == "text/plain", fault["kind"] == "wrong_content_type");
        assert_eq!(bytes.len() > 3 << 20, fault["kind"] == "huge");
        let read: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(read["entry"], right["entry"], "{fault}");
    }
}

#[rstest]
#[case::wrong_iss("wrong_iss", "iss", Some("https://other-issuer.example"))]
#[case::missing_iss("missing_iss", "iss", None)]
#[case::wrong_state("wrong_state", "state", Some("another-state"))]
#[case::missing_state("missing_state", "state", None)]
#[tokio::test]
async fn c42_the_way_back_to_the_app_is_spoilt(
    #[case] kind: &str,
    #[case] name: &str,
    #[case] value: Option<&str>,
) {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    plan(
        &tester,
        &json!({"endpoint": "authorize", "fault": {"kind": kind}}),
    )
    .await;
    let answer = tester
        .sign_in(&client_id, ALL, tester.patient(), Decision::Approve)
        .await;
    assert_eq!(answer.get(name).map(String::as_str), value);
    assert!(answer.contains_key("code"));
}

#[tokio::test]
async fn d31_the_signing_keys_are_rotated_and_an_es384_client_gets_es384() {
    let tester = Tester::new().await;
    let keys = async || tester.get(&tester.url("/auth/jwks")).await;
    let before = keys().await;
    let request = tester.http.post(format!("{}/keys", tester.mock.control()));
    assert_eq!(
        request.send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    let after = keys().await;
    for key in after["keys"].as_array().unwrap() {
        assert!(!before["keys"].as_array().unwrap().contains(key));
    }
    let client = tester
        .client(&json!({"id_token_signed_response_alg": "ES384"}))
        .await;
    let client_id = client["client_id"].as_str().unwrap();
    let answer = tester
        .sign_in(
            client_id,
            "openid launch/patient patient/*.rs",
            tester.patient(),
            Decision::Approve,
        )
        .await;
    let tokens = tester
        .token(&exchange(client_id, &answer["code"]))
        .send()
        .await
        .unwrap();
    let tokens: Value = tokens.json().await.unwrap();
    let token = tokens["id_token"].as_str().unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!(header.alg, Algorithm::ES384);
    let key = after["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == header.kid.as_deref().unwrap());
    let key =
        DecodingKey::from_jwk(&serde_json::from_value(key.unwrap().clone()).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::ES384);
    validation.set_audience(&[client_id]);
    jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap();
}

#[tokio::test]
async fn the_log_says_why_something_was_refused_and_tells_no_secret() {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let answer = tester
        .sign_in(&client_id, ALL, tester.patient(), Decision::Approve)
        .await;
    let mut form = exchange(&client_id, &answer["code"]);
    form.retain(|(name, _)| *name != "code_verifier");
    tester.token(&form).send().await.unwrap();
    let query = [("client_id", "x"), ("launch", "a-launch-token")];
    let request = tester.http.get(tester.url("/auth/authorize")).query(&query);
    request.send().await.unwrap();
    tester.fhir("wrong-token", "Patient").await;
    let log = tester
        .get(&format!("{}/requests", tester.mock.control()))
        .await;
    let reasons: Vec<&str> = log
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["reason"].as_str())
        .collect();
    assert!(
        reasons
            .iter()
            .any(|one| one.starts_with("invalid_grant: code_verifier")),
        "{reasons:?}"
    );
    assert!(
        reasons
            .iter()
            .any(|one| one.contains("not registered here")),
        "{reasons:?}"
    );
    assert!(
        reasons
            .iter()
            .any(|one| one.contains("unknown, expired or withdrawn")),
        "{reasons:?}"
    );
    for secret in [answer["code"].as_str(), "a-launch-token", "wrong-token"] {
        assert!(!log.to_string().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn the_testers_page_shows_what_happens_and_plans_what_goes_wrong() {
    let tester = Tester::new().await;
    tester.fhir("wrong-token", "Patient").await;
    let url = format!("{}/ui", tester.mock.control());
    let read = async || {
        tester
            .http
            .get(&url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    };
    let page = read().await;
    let request = tester.http.get(format!("{url}/requests"));
    let requests = request.send().await.unwrap().text().await.unwrap();
    for shown in [
        "GET /fhir/Patient",
        "unknown, expired or withdrawn",
        "http-equiv=\"refresh\"",
    ] {
        assert!(requests.contains(shown), "{shown}");
    }
    for shown in [
        tester.patient().username.as_str(),
        "Nothing is planned.",
        "/_mock/ui/requests",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(!page.contains("<script"));
    let press = |path: &str, form: [(&str, &str); 1], origin: &str| {
        let request = tester.http.post(format!("{url}/{path}")).form(&form);
        request.header("Origin", origin.to_owned()).send()
    };
    let own = tester.mock.issuer();
    let strange = press("scenario", [("name", "busy")], "https://evil.example")
        .await
        .unwrap();
    assert_eq!(strange.status(), StatusCode::FORBIDDEN);
    assert!(read().await.contains("Nothing is planned."));
    press("scenario", [("name", "busy")], own).await.unwrap();
    assert!(read().await.contains("too_many_requests"));
    press("calm", [("", "")], own).await.unwrap();
    assert!(read().await.contains("Nothing is planned."));
    let before = tester
        .get(&format!("{}/clock", tester.mock.control()))
        .await["now"]
        .as_i64()
        .unwrap();
    press("clock", [("seconds", "3600")], own).await.unwrap();
    let after = tester
        .get(&format!("{}/clock", tester.mock.control()))
        .await["now"]
        .as_i64()
        .unwrap();
    assert!((3600..3610).contains(&(after - before)));
}
