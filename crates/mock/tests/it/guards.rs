//! H: what keeps the server from being used for anything real, and from being guessed at.

use crate::portal::{self, Decision};
use crate::tester::{Tester, VERIFIER, error, exchange};
use reqwest::{Response, StatusCode};
use satchel_mock::{MockError, MockServer, World};
use serde_json::json;
use std::process::{Command, Stdio};
use std::time::Duration;
use url::Url;

const SCOPE: &str = "launch/patient patient/*.rs";

#[tokio::test]
async fn h15_other_machines_are_let_in_only_with_a_password_of_ones_own() {
    let everywhere = "0.0.0.0".parse().ok();
    let world = |password: Option<&str>| World {
        patients: 1,
        listen: everywhere,
        password: password.map(str::to_owned),
        ..World::default()
    };
    let refused = MockServer::start(world(None)).await.unwrap_err();
    assert!(matches!(refused, MockError::WellKnownPassword), "{refused}");
    let mock = MockServer::start(world(Some("own-password")))
        .await
        .unwrap();
    assert!(
        mock.people()
            .iter()
            .all(|one| one.password == "own-password")
    );
    let usual = Tester::new().await;
    let host = Url::parse(usual.mock.issuer()).unwrap();
    assert_eq!(host.host_str(), Some("127.0.0.1"));
}

#[test]
fn h15_the_program_says_that_it_is_for_synthetic_data_only() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_satchel-mock"))
        .args(["--patients", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let out = child.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
    child.kill().unwrap();
    let said = child.wait_with_output().unwrap().stderr;
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("synthetic data only"), "{said}");
    let refused = Command::new(env!("CARGO_BIN_EXE_satchel-mock"))
        .args(["--patients", "1", "--listen", "0.0.0.0"])
        .output()
        .unwrap();
    assert!(!refused.status.success() && refused.stdout.is_empty());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("needs a password of your own"), "{said}");
}

/// The seconds that somebody who guesses is told to wait.
fn wait(answer: &Response) -> i64 {
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    let seconds = answer.headers()["Retry-After"].to_str().unwrap();
    let seconds = seconds.parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    seconds
}

#[tokio::test]
async fn h16_a_password_is_guessed_ten_times_a_minute_at_both_doors() {
    let tester = Tester::new().await;
    let account = tester.patient().clone();
    let portal = async |password: &str| {
        let form = [
            ("username", account.username.as_str()),
            ("password", password),
        ];
        let request = tester.http.post(tester.url("/portal/sign-in")).form(&form);
        request.send().await.unwrap()
    };
    for _ in 0..10 {
        assert_eq!(portal("wrong").await.status(), StatusCode::UNAUTHORIZED);
    }
    let refused = portal(&account.password).await;
    let seconds = wait(&refused);
    assert!(refused.headers().get("Set-Cookie").is_none());
    // The sign-in for an app is the same person's door.
    let client_id = tester.public_client().await;
    let url = tester.authorization_url(&tester.authorization(&client_id, SCOPE));
    let page = tester.http.get(&url).send().await.unwrap();
    let cookie = page.headers()["Set-Cookie"].to_str().unwrap().to_owned();
    let mut form = portal::read_form(&page.text().await.unwrap(), &Url::parse(&url).unwrap());
    for (name, value) in [
        ("username", &account.username),
        ("password", &account.password),
    ] {
        form.fields.push((name.to_owned(), value.clone()));
    }
    let request = tester.http.post(form.action).form(&form.fields);
    let request = request.header("Cookie", cookie.split(';').next().unwrap());
    wait(&request.send().await.unwrap());
    tester.mock.turn_clock(seconds + 1);
    assert_eq!(
        portal(&account.password).await.status(),
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn h16_a_client_secret_is_guessed_ten_times_a_minute() {
    let tester = Tester::new().await;
    let client = tester
        .client(&json!({"token_endpoint_auth_method": "client_secret_basic"}))
        .await;
    let client_id = client["client_id"].as_str().unwrap();
    let ask = async |secret: &str| {
        let form = [("grant_type", "authorization_code"), ("code", "x")];
        let request = tester.token(&form).basic_auth(client_id, Some(secret));
        request.send().await.unwrap()
    };
    for _ in 0..10 {
        assert_eq!(error(ask("wrong").await).await.1, "invalid_client");
    }
    let secret = client["client_secret"].as_str().unwrap();
    let refused = ask(secret).await;
    let seconds = wait(&refused);
    assert_eq!(error(refused).await.1, "invalid_client");
    tester.mock.turn_clock(seconds + 1);
    assert_eq!(error(ask(secret).await).await.1, "invalid_grant");
}

#[tokio::test]
async fn h16_a_code_is_guessed_ten_times_a_minute() {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let answer = tester
        .sign_in(&client_id, SCOPE, tester.patient(), Decision::Approve)
        .await;
    for number in 0..10 {
        let guess = format!("{VERIFIER}{number}");
        let refused = tester.token(&exchange(&client_id, &guess)).send();
        assert_eq!(error(refused.await.unwrap()).await.1, "invalid_grant");
    }
    let form = exchange(&client_id, &answer["code"]);
    let refused = tester.token(&form).send().await.unwrap();
    let seconds = wait(&refused);
    assert_eq!(error(refused).await.1, "invalid_grant");
    let other = tester.public_client().await;
    let unknown = tester.token(&exchange(&other, "x")).send().await.unwrap();
    assert_eq!(unknown.status(), StatusCode::BAD_REQUEST, "others may try");
    tester.mock.turn_clock(seconds - 5);
    let refused = tester.token(&form).send().await.unwrap();
    assert!(wait(&refused) <= 6, "still");
}

#[tokio::test]
async fn h16_the_pages_are_not_framed_stored_or_named_and_their_forms_are_bound_to_them() {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let url = tester.authorization_url(&tester.authorization(&client_id, SCOPE));
    for address in [url.clone(), tester.url("/portal")] {
        let page = tester.http.get(&address).send().await.unwrap();
        let headers = page.headers();
        let policy = headers["Content-Security-Policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(headers["Cache-Control"], "no-store");
        assert_eq!(headers["Referrer-Policy"], "no-referrer");
        assert_eq!(headers["X-Content-Type-Options"], "nosniff");
    }
    let page = tester.http.get(&url).send().await.unwrap();
    let cookie = page.headers()["Set-Cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let mut form = portal::read_form(&page.text().await.unwrap(), &Url::parse(&url).unwrap());
    form.fields.retain(|(name, _)| name != "csrf");
    form.fields.push(("csrf".to_owned(), "guessed".to_owned()));
    let account = tester.patient();
    for (name, value) in [
        ("username", &account.username),
        ("password", &account.password),
    ] {
        form.fields.push((name.to_owned(), value.clone()));
    }
    let request = tester.http.post(form.action).form(&form.fields);
    let request = request.header("Cookie", cookie.split(';').next().unwrap());
    let refused = request
        .timeout(Duration::from_secs(10))
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(!refused.text().await.unwrap().contains("name=\"approve\""));
}
