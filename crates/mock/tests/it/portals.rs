//! The portals: connected apps, the practice's decisions, launches, and the app's own callback page.

use crate::portal::Decision;
use crate::tester::{REDIRECT, Tester, error, exchange};
use reqwest::StatusCode;
use satchel_mock::World;
use satchel_mock::population::Account;
use serde_json::{Value, json};
use std::collections::HashMap;
use url::Url;

const SCOPE: &str = "openid launch/patient offline_access patient/*.rs";

/// Somebody signed in at a portal.
pub(crate) struct Person<'a> {
    tester: &'a Tester,
    cookie: String,
}

impl<'a> Person<'a> {
    pub(crate) async fn sign_in(tester: &'a Tester, account: &Account) -> Self {
        let form = [
            ("username", &account.username),
            ("password", &account.password),
        ];
        let request = tester.http.post(tester.url("/portal/sign-in")).form(&form);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let cookie = answer.headers()["Set-Cookie"].to_str().unwrap();
        assert!(cookie.contains("HttpOnly"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { tester, cookie }
    }

    pub(crate) async fn home(&self) -> String {
        let request = self.tester.http.get(self.tester.url("/portal"));
        let answer = request.header("Cookie", &self.cookie).send().await.unwrap();
        answer.text().await.unwrap()
    }

    /// Presses a button; gives the address to which the browser is sent, or the page.
    pub(crate) async fn press(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let home = self.home().await;
        let csrf = home.split("name=\"csrf\" value=\"").nth(1).unwrap();
        let csrf = csrf.split('"').next().unwrap();
        let mut form = vec![("csrf", csrf)];
        form.extend(fields);
        let request = self.tester.http.post(self.tester.url(path)).form(&form);
        let answer = request.header("Cookie", &self.cookie).send().await.unwrap();
        match answer.headers().get("Location") {
            Some(location) => location.to_str().unwrap().to_owned(),
            None => answer.text().await.unwrap(),
        }
    }
}

async fn refresh(tester: &Tester, client_id: &str, tokens: &Value) -> reqwest::Response {
    let token = tokens["refresh_token"].as_str().unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", client_id),
    ];
    tester.token(&form).send().await.unwrap()
}

/// The `error_description` of a refused token request.
async fn reason(answer: reqwest::Response) -> String {
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error"], "invalid_grant", "{body}");
    body["error_description"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn d39_a_person_switches_an_app_off_and_on_and_disconnects_it() {
    let tester = Tester::new().await;
    let account = tester.patient().clone();
    let (client_id, tokens) = tester.tokens(&account, SCOPE).await;
    let token = tokens["access_token"].as_str().unwrap();
    let person = Person::sign_in(&tester, &account).await;
    let home = person.home().await;
    assert!(
        home.contains("A tester&#39;s app") || home.contains("A tester's app"),
        "{home}"
    );
    assert!(
        home.contains("never used") && home.contains("Read all records"),
        "{home}"
    );
    tester.fhir(token, "Patient").await;
    assert!(person.home().await.contains("last used"), "{home}");

    person
        .press(
            "/portal/apps",
            &[("client_id", &client_id), ("action", "off")],
        )
        .await;
    assert_eq!(
        tester.fhir(token, "Patient").await.0,
        StatusCode::UNAUTHORIZED
    );
    let told = reason(refresh(&tester, &client_id, &tokens).await).await;
    assert!(told.contains("switched off in the portal"), "{told}");
    assert!(person.home().await.contains("Switch on"));

    person
        .press(
            "/portal/apps",
            &[("client_id", &client_id), ("action", "on")],
        )
        .await;
    assert_eq!(
        tester.fhir(token, "Patient").await.0,
        StatusCode::OK,
        "as before"
    );

    person
        .press(
            "/portal/apps",
            &[("client_id", &client_id), ("action", "disconnect")],
        )
        .await;
    assert_eq!(
        tester.fhir(token, "Patient").await.0,
        StatusCode::UNAUTHORIZED
    );
    assert!(person.home().await.contains("No app is connected."));
}

#[tokio::test]
async fn b43_one_persons_switch_is_not_another_persons() {
    let tester = Tester::new().await;
    let (ana, ben) = (
        tester.mock.accounts()[0].clone(),
        tester.mock.accounts()[1].clone(),
    );
    let (client_id, tokens) = tester.tokens(&ana, SCOPE).await;
    let other = Person::sign_in(&tester, &ben).await;
    other
        .press(
            "/portal/apps",
            &[("client_id", &client_id), ("action", "off")],
        )
        .await;
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(tester.fhir(token, "Patient").await.0, StatusCode::OK);
}

#[tokio::test]
async fn h16_a_button_works_only_from_the_portals_own_page_and_for_those_signed_in() {
    let tester = Tester::new().await;
    let account = tester.patient().clone();
    let (client_id, tokens) = tester.tokens(&account, SCOPE).await;
    let person = Person::sign_in(&tester, &account).await;
    let fields = [
        ("client_id", client_id.as_str()),
        ("action", "off"),
        ("csrf", "guessed"),
    ];
    let request = tester.http.post(tester.url("/portal/apps")).form(&fields);
    request
        .header("Cookie", &person.cookie)
        .send()
        .await
        .unwrap();
    tester
        .http
        .post(tester.url("/portal/apps"))
        .form(&fields)
        .send()
        .await
        .unwrap();
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        tester.fhir(token, "Patient").await.0,
        StatusCode::OK,
        "nothing happened"
    );
    let wrong = [
        ("username", account.username.as_str()),
        ("password", "wrong"),
    ];
    let refused = tester
        .http
        .post(tester.url("/portal/sign-in"))
        .form(&wrong)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(refused.headers().get("Set-Cookie").is_none());
}

#[tokio::test]
async fn b42_the_practice_approves_an_app_before_anybody_uses_it_and_can_switch_it_off() {
    let tester = Tester::at(World {
        patients: 2,
        practice_approval: true,
        ..World::default()
    })
    .await;
    let client_id = tester.public_client().await;
    let patient = tester.patient().clone();
    let begin = || async {
        let url = tester.authorization_url(&tester.authorization(&client_id, SCOPE));
        tester.http.get(url).send().await.unwrap()
    };
    let told = |answer: reqwest::Response| {
        let location = Url::parse(answer.headers()["Location"].to_str().unwrap()).unwrap();
        let pairs: HashMap<String, String> = location.query_pairs().into_owned().collect();
        (pairs["error"].clone(), pairs["error_description"].clone())
    };
    let waiting = (
        "access_denied".to_owned(),
        "the practice has not approved the app yet".to_owned(),
    );
    assert_eq!(told(begin().await), waiting);

    let own = Person::sign_in(&tester, &patient).await;
    let refused = own
        .press(
            "/portal/practice",
            &[("client_id", &client_id), ("action", "approve")],
        )
        .await;
    assert!(refused.contains("Only the practice"), "{refused}");
    assert_eq!(told(begin().await), waiting);

    let office = Person::sign_in(&tester, &tester.administrator().clone()).await;
    let decide = async |action: &str| {
        let fields = [("client_id", client_id.as_str()), ("action", action)];
        office.press("/portal/practice", &fields).await
    };
    assert!(office.home().await.contains("Waits for your approval"));
    decide("refuse").await;
    assert_eq!(told(begin().await).1, "the practice has refused the app");
    decide("approve").await;
    assert_eq!(begin().await.status(), StatusCode::OK);

    let answer = tester
        .sign_in(&client_id, SCOPE, &patient, Decision::Approve)
        .await;
    let tokens: Value = tester
        .token(&exchange(&client_id, &answer["code"]))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(tester.fhir(token, "Patient").await.0, StatusCode::OK);
    decide("off").await;
    assert_eq!(
        tester.fhir(token, "Patient").await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        reason(refresh(&tester, &client_id, &tokens).await).await,
        "the practice has switched the app off"
    );
    decide("on").await;
    assert_eq!(tester.fhir(token, "Patient").await.0, StatusCode::OK);
}

/// An app that can be opened from the portals.
async fn launchable(tester: &Tester) -> String {
    let client = tester
        .client(&json!({"initiate_login_uri": "org.example.tester:/launch"}))
        .await;
    client["client_id"].as_str().unwrap().to_owned()
}

/// The `launch` value with which the portal opened the app.
fn launch_of(tester: &Tester, address: &str) -> String {
    assert!(
        address.starts_with("org.example.tester:/launch?"),
        "{address}"
    );
    let pairs: HashMap<String, String> = Url::parse(address)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect();
    assert_eq!(pairs["iss"], tester.mock.fhir_base());
    pairs["launch"].clone()
}

fn launching(tester: &Tester, client_id: &str, launch: &str) -> Vec<(String, String)> {
    let scope = "launch openid fhirUser user/*.rs";
    let mut parameters = tester.authorization(client_id, scope);
    parameters.push(("launch".to_owned(), launch.to_owned()));
    parameters
}

#[tokio::test]
async fn c10_d13_an_ehr_launch_carries_what_is_open_and_asks_for_consent_only() {
    let tester = Tester::new().await;
    let client_id = launchable(&tester).await;
    let provider = tester.provider().clone();
    let person = Person::sign_in(&tester, &provider).await;
    let patient = provider.patient_ids[1].clone();
    let fields = [
        ("client_id", client_id.as_str()),
        ("patient", &patient),
        ("intent", "reconcile-medications"),
    ];
    let launch = launch_of(&tester, &person.press("/portal/launch", &fields).await);

    let url = tester.authorization_url(&launching(&tester, &client_id, &launch));
    let page = tester
        .http
        .get(&url)
        .header("Cookie", &person.cookie)
        .send()
        .await
        .unwrap();
    let cookie = page.headers()["Set-Cookie"]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let html = page.text().await.unwrap();
    assert!(
        html.contains("name=\"approve\"") && !html.contains("name=\"password\""),
        "{html}"
    );
    let mut form = crate::portal::read_form(&html, &Url::parse(&url).unwrap());
    form.fields.push(("approve".to_owned(), "yes".to_owned()));
    let request = tester
        .http
        .post(form.action)
        .form(&form.fields)
        .header("Cookie", cookie);
    let answer = request.send().await.unwrap();
    let location = Url::parse(answer.headers()["Location"].to_str().unwrap()).unwrap();
    let code = location
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned();
    let tokens: Value = tester
        .token(&exchange(&client_id, &code))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(tokens["patient"], patient.as_str());
    assert_eq!(tokens["need_patient_banner"], false, "the portal shows it");
    assert_eq!(tokens["intent"], "reconcile-medications");
    let token = tokens["access_token"].as_str().unwrap();
    let encounter = format!("Encounter/{}", tokens["encounter"].as_str().unwrap());
    let (_, encounter) = tester.fhir(token, &encounter).await;
    assert_eq!(
        encounter["subject"]["reference"],
        format!("Patient/{patient}")
    );
    let report = tokens["fhirContext"][0]["reference"].as_str().unwrap();
    assert!(
        report.starts_with("DiagnosticReport/"),
        "d13: neither Patient nor Encounter"
    );

    let again = tester.http.get(url).send().await.unwrap();
    let location = again.headers()["Location"].to_str().unwrap();
    assert!(
        location.contains("error=invalid_request"),
        "a launch is used once: {location}"
    );
}

#[tokio::test]
async fn c10_a_launch_without_the_portals_cookie_asks_who_it_is() {
    let tester = Tester::new().await;
    let client_id = launchable(&tester).await;
    let account = tester.patient().clone();
    let person = Person::sign_in(&tester, &account).await;
    let fields = [
        ("client_id", client_id.as_str()),
        ("patient", account.patient_ids[0].as_str()),
    ];
    let launch = launch_of(&tester, &person.press("/portal/launch", &fields).await);
    let url = tester.authorization_url(&launching(&tester, &client_id, &launch));
    let callback = crate::portal::sign_in(
        &url,
        &account.username,
        &account.password,
        None,
        Decision::Approve,
    )
    .await;
    assert!(
        callback.starts_with(REDIRECT) && callback.contains("code="),
        "{callback}"
    );
}

#[tokio::test]
async fn c10_a_launch_and_its_scope_go_together_and_are_for_one_app() {
    let tester = Tester::new().await;
    let client_id = launchable(&tester).await;
    let account = tester.patient().clone();
    let person = Person::sign_in(&tester, &account).await;
    let fields = [
        ("client_id", client_id.as_str()),
        ("patient", account.patient_ids[0].as_str()),
    ];
    let launch = launch_of(&tester, &person.press("/portal/launch", &fields).await);
    let other = launchable(&tester).await;
    let mut without = tester.authorization(&client_id, "launch user/*.rs");
    let unscoped = {
        let mut parameters = tester.authorization(&client_id, "launch/patient patient/*.rs");
        parameters.push(("launch".to_owned(), launch.clone()));
        parameters
    };
    without.retain(|(name, _)| name != "launch");
    for parameters in [
        without,
        unscoped,
        launching(&tester, &other, &launch),
        launching(&tester, &client_id, "guessed"),
    ] {
        let answer = tester
            .http
            .get(tester.authorization_url(&parameters))
            .send()
            .await
            .unwrap();
        let location = answer.headers()["Location"].to_str().unwrap().to_owned();
        assert!(location.contains("error=invalid_request"), "{location}");
    }
    tester.mock.turn_clock(301);
    let late = tester
        .http
        .get(tester.authorization_url(&launching(&tester, &client_id, &launch)))
        .send()
        .await
        .unwrap();
    assert!(
        late.headers()["Location"]
            .to_str()
            .unwrap()
            .contains("error=invalid_request")
    );
}

#[tokio::test]
async fn nobody_launches_a_chart_that_is_not_theirs() {
    let tester = Tester::new().await;
    let client_id = launchable(&tester).await;
    let (ana, ben) = (
        tester.mock.accounts()[0].clone(),
        tester.mock.accounts()[1].clone(),
    );
    let person = Person::sign_in(&tester, &ana).await;
    let fields = [
        ("client_id", client_id.as_str()),
        ("patient", ben.patient_ids[0].as_str()),
    ];
    let page = person.press("/portal/launch", &fields).await;
    assert!(page.contains("may not open that chart"), "{page}");
}

#[tokio::test]
async fn b12_b17_a_launch_address_is_held_to_the_rules_of_redirects() {
    let tester = Tester::new().await;
    let metadata = json!({"redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none", "initiate_login_uri": "javascript:alert(1)"});
    assert_eq!(
        error(tester.register(&metadata).await).await.1,
        "invalid_client_metadata"
    );
}

#[tokio::test]
async fn c25_the_callback_page_hands_over_and_leaves_no_trace() {
    let tester = Tester::new().await;
    let url = tester.url("/app/callback/x?code=the-code&state=a%26b");
    let answer = tester.http.get(url).send().await.unwrap();
    assert_eq!(answer.headers()["Cache-Control"], "no-store");
    assert_eq!(answer.headers()["Referrer-Policy"], "no-referrer");
    let html = answer.text().await.unwrap();
    assert!(
        html.contains("href=\"org.satchel.app:/callback/x?code=the-code&amp;state=a%26b\""),
        "{html}"
    );
    assert!(!html.contains("<script"));
    let log = tester
        .get(&format!("{}/requests", tester.mock.control()))
        .await;
    assert!(!log.to_string().contains("the-code"), "{log}");
}

#[tokio::test]
async fn c24_the_association_files_name_the_app() {
    let tester = Tester::new().await;
    let apple = tester
        .get(&tester.url("/.well-known/apple-app-site-association"))
        .await;
    let details = &apple["applinks"]["details"][0];
    assert!(
        details["appIDs"][0]
            .as_str()
            .unwrap()
            .ends_with(".org.satchel.app")
    );
    assert_eq!(details["components"][0]["/"], "/app/*");
    let android = tester
        .get(&tester.url("/.well-known/assetlinks.json"))
        .await;
    assert_eq!(android[0]["target"]["package_name"], "org.satchel.app");
    let windows = tester
        .get(&tester.url("/.well-known/windows-app-web-link"))
        .await;
    assert_eq!(windows[0]["paths"], json!(["/app/*"]));
}

#[tokio::test]
async fn d40_an_app_signs_the_person_out_and_is_told() {
    let tester = Tester::new().await;
    let after = "org.example.tester:/signed-out";
    let client = tester
        .client(&json!({"post_logout_redirect_uris": [after]}))
        .await;
    let client_id = client["client_id"].as_str().unwrap();
    let account = tester.patient().clone();
    let answer = tester
        .sign_in(client_id, SCOPE, &account, Decision::Approve)
        .await;
    let tokens: Value = tester
        .token(&exchange(client_id, &answer["code"]))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let hint = tokens["id_token"].as_str().unwrap();
    let person = Person::sign_in(&tester, &account).await;
    assert!(person.home().await.contains("Signed in as"));
    let ask = |form: Vec<(&str, &str)>| {
        let request = tester.http.post(tester.url("/auth/logout")).form(&form);
        request.header("Cookie", &person.cookie).send()
    };
    let elsewhere = vec![
        ("id_token_hint", hint),
        ("post_logout_redirect_uri", "https://evil.example/"),
    ];
    assert_eq!(
        ask(elsewhere).await.unwrap().status(),
        StatusCode::BAD_REQUEST
    );
    let forged = format!("{hint}x");
    assert_eq!(
        ask(vec![("id_token_hint", &forged)])
            .await
            .unwrap()
            .status(),
        StatusCode::BAD_REQUEST
    );
    assert!(person.home().await.contains("Signed in as"), "still");
    let right = vec![
        ("id_token_hint", hint),
        ("post_logout_redirect_uri", after),
        ("state", "s1"),
    ];
    let told = ask(right).await.unwrap();
    assert_eq!(told.headers()["Location"], format!("{after}?state=s1"));
    assert!(
        person.home().await.contains("name=\"password\""),
        "signed out"
    );
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        tester.fhir(token, "Patient").await.0,
        StatusCode::OK,
        "the app's own access is another matter"
    );
}
