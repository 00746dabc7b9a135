//! A, C, D: lines of the checklist that have no better place.

use crate::portal::Decision;
use crate::portals::Person;
use crate::tester::{JWT_BEARER, Tester, VERIFIER, error, es384, exchange};
use reqwest::{Response, StatusCode};
use rstest::rstest;
use satchel_mock::{AssertionAudience, BasicEncoding, Leniency, Policy, RefreshExpiry, World};
use serde_json::{Value, json};
use std::collections::HashMap;
use url::Url;

const SCOPE: &str = "openid launch/patient offline_access patient/*.rs";

async fn with(policy: Policy) -> Tester {
    Tester::at(World {
        patients: 1,
        policy,
        ..World::default()
    })
    .await
}

async fn lenient(leniency: Leniency) -> Tester {
    Tester::at(World {
        patients: 1,
        lenient: vec![leniency],
        ..World::default()
    })
    .await
}

fn changed(
    mut parameters: Vec<(String, String)>,
    change: &[(&str, Option<&str>)],
) -> Vec<(String, String)> {
    for (name, value) in change {
        parameters.retain(|(known, _)| known != name);
        parameters.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
    }
    parameters
}

/// Signs in by a request that was changed; gives the answer's parameters.
async fn signed_in(tester: &Tester, parameters: &[(String, String)]) -> HashMap<String, String> {
    let account = tester.patient();
    let location = crate::portal::sign_in(
        &tester.authorization_url(parameters),
        &account.username,
        &account.password,
        None,
        Decision::Approve,
    )
    .await;
    Url::parse(&location)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect()
}

async fn redeemed(tester: &Tester, client_id: &str, code: &str) -> Value {
    let answer = tester.token(&exchange(client_id, code)).send();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

#[rstest]
#[case::nothing(None)]
#[case::json(Some("application/json"))]
#[case::fhir(Some("application/fhir+json"))]
#[case::html(Some("text/html"))]
#[case::xml(Some("application/fhir+xml"))]
#[case::anything(Some("*/*"))]
#[tokio::test]
async fn a2_a3_the_configuration_is_json_whatever_is_accepted_and_open_to_everybody(
    #[case] accept: Option<&str>,
) {
    let tester = with(Policy::default()).await;
    for url in [
        format!(
            "{}/.well-known/smart-configuration",
            tester.mock.fhir_base()
        ),
        tester.url("/.well-known/openid-configuration"),
    ] {
        let mut request = tester.http.get(&url);
        if let Some(accept) = accept {
            request = request.header("Accept", accept);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let kind = answer.headers()["Content-Type"].to_str().unwrap();
        assert_eq!(kind.split(';').next(), Some("application/json"), "{url}");
        assert!(answer.json::<Value>().await.unwrap().is_object());
    }
}

#[tokio::test]
async fn a7_every_endpoint_is_an_absolute_url_of_this_server_and_is_there() {
    let tester = with(Policy::default()).await;
    let url = format!(
        "{}/.well-known/smart-configuration",
        tester.mock.fhir_base()
    );
    let document = tester.get(&url).await;
    let mut seen = 0;
    for (name, value) in document.as_object().unwrap() {
        let is_url = name.ends_with("_endpoint")
            || name.ends_with("_uri")
            || name == "issuer"
            || name.ends_with("_bundle");
        if !is_url {
            continue;
        }
        let url = Url::parse(value.as_str().unwrap()).unwrap();
        assert_eq!(
            url.origin(),
            Url::parse(tester.mock.issuer()).unwrap().origin()
        );
        assert!(url.fragment().is_none() && url.username().is_empty());
        if name != "issuer" {
            let status = tester.http.get(url).send().await.unwrap().status();
            assert_ne!(status, StatusCode::NOT_FOUND, "{name}");
        }
        seen += 1;
    }
    assert!(seen >= 9, "{document}");
}

#[tokio::test]
async fn a21_openid_discovery_has_every_member_and_the_key_set_an_rsa_key() {
    let tester = with(Policy::default()).await;
    let openid = tester
        .get(&tester.url("/.well-known/openid-configuration"))
        .await;
    for name in [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
    ] {
        assert!(openid[name].is_string(), "{name}");
    }
    for (name, wanted) in [
        ("response_types_supported", "code"),
        ("subject_types_supported", "public"),
        ("id_token_signing_alg_values_supported", "RS256"),
    ] {
        let list = openid[name].as_array().unwrap();
        assert!(list.contains(&json!(wanted)), "{name}");
    }
    let keys = tester.get(openid["jwks_uri"].as_str().unwrap()).await;
    let rsa: Vec<&Value> = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["kty"] == "RSA")
        .collect();
    assert_eq!(rsa.len(), 1);
    for member in ["n", "e", "kid"] {
        assert!(rsa[0][member].is_string(), "{member}");
    }
    for member in ["d", "p", "q", "x5c"] {
        assert!(rsa[0][member].is_null(), "{member}");
    }
}

#[tokio::test]
async fn c3_a_wrong_or_missing_aud_gets_no_code_and_resource_is_another_word_for_it() {
    let tester = with(Policy::default()).await;
    let client_id = tester.public_client().await;
    let right = tester.authorization(&client_id, SCOPE);
    let base = tester.mock.fhir_base().to_owned();
    let slash = format!("{base}/");
    for (aud, begins) in [
        (Some(base.as_str()), true),
        (Some(slash.as_str()), false),
        (Some("https://other.example/fhir"), false),
        (Some(tester.mock.issuer()), false),
        (None, false),
    ] {
        let url = tester.authorization_url(&changed(right.clone(), &[("aud", aud)]));
        let answer = tester.http.get(url).send().await.unwrap();
        assert_eq!(answer.status() == StatusCode::OK, begins, "{aud:?}");
        assert!(answer.headers().get("Location").is_none(), "{aud:?}");
    }
    let other_word = changed(right, &[("aud", None), ("resource", Some(&base))]);
    assert!(signed_in(&tester, &other_word).await.contains_key("code"));

    let lenient = lenient(Leniency::AudWithSlash).await;
    let client_id = lenient.public_client().await;
    let slash = format!("{}/", lenient.mock.fhir_base());
    let request = changed(
        lenient.authorization(&client_id, SCOPE),
        &[("aud", Some(&slash))],
    );
    assert!(signed_in(&lenient, &request).await.contains_key("code"));
    let twice = format!("{slash}/");
    let request = changed(request, &[("aud", Some(&twice))]);
    let url = lenient.authorization_url(&request);
    let refused = lenient.http.get(url).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}

/// RFC 7636, appendix B: the challenge of the verifier.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

#[rstest]
#[case::missing(None)]
#[case::blank(Some(""))]
#[case::wrong(Some("wrong-verifier-wrong-verifier-wrong-verifier"))]
#[case::the_challenge_itself(Some(CHALLENGE))]
#[tokio::test]
async fn c6_a_missing_blank_wrong_or_plain_verifier_is_refused(#[case] verifier: Option<&str>) {
    let tester = with(Policy::default()).await;
    let client_id = tester.public_client().await;
    let answer = signed_in(&tester, &tester.authorization(&client_id, SCOPE)).await;
    let mut form = exchange(&client_id, &answer["code"]);
    form.retain(|(name, _)| *name != "code_verifier");
    form.extend(verifier.map(|verifier| ("code_verifier", verifier)));
    let refused = error(tester.token(&form).send().await.unwrap()).await;
    assert_eq!(
        refused,
        (StatusCode::BAD_REQUEST, "invalid_grant".to_owned())
    );
}

#[rstest]
#[case::plain(&[("code_challenge_method", Some("plain"))])]
#[case::no_method(&[("code_challenge_method", None)])]
#[case::no_challenge(&[("code_challenge", None)])]
#[case::neither(&[("code_challenge", None), ("code_challenge_method", None)])]
#[tokio::test]
async fn c6_no_sign_in_begins_without_an_s256_challenge(#[case] change: &[(&str, Option<&str>)]) {
    let tester = with(Policy::default()).await;
    let client_id = tester.public_client().await;
    let request = changed(tester.authorization(&client_id, SCOPE), change);
    let url = tester.authorization_url(&request);
    let refused = tester.http.get(url).send().await.unwrap();
    let location = refused.headers()["Location"].to_str().unwrap();
    assert!(location.contains("error=invalid_request"), "{location}");
}

#[tokio::test]
async fn c7_a_verifier_for_a_request_without_challenge_is_refused() {
    let tester = lenient(Leniency::PkceOptional).await;
    let client_id = tester.public_client().await;
    let without = [("code_challenge", None), ("code_challenge_method", None)];
    let request = changed(tester.authorization(&client_id, SCOPE), &without);
    let answer = signed_in(&tester, &request).await;
    let with_verifier = tester.token(&exchange(&client_id, &answer["code"]));
    let refused = error(with_verifier.send().await.unwrap()).await;
    assert_eq!(refused.1, "invalid_grant", "a downgrade");
    let answer = signed_in(&tester, &request).await;
    let mut form = exchange(&client_id, &answer["code"]);
    form.retain(|(name, _)| *name != "code_verifier");
    let taken = tester.token(&form).send().await.unwrap();
    assert_eq!(taken.status(), StatusCode::OK, "without, from start to end");
    // Who sends a challenge is held to it here too.
    let answer = signed_in(&tester, &tester.authorization(&client_id, SCOPE)).await;
    let mut form = exchange(&client_id, &answer["code"]);
    form.retain(|(name, _)| *name != "code_verifier");
    let refused = error(tester.token(&form).send().await.unwrap()).await;
    assert_eq!(refused.1, "invalid_grant");
}

#[rstest]
#[case::public("none")]
#[case::confidential("client_secret_post")]
#[tokio::test]
async fn c41_consent_is_asked_at_every_sign_in(#[case] method: &str) {
    let tester = with(Policy::default()).await;
    let client = tester
        .client(&json!({"token_endpoint_auth_method": method}))
        .await;
    let client_id = client["client_id"].as_str().unwrap();
    let account = tester.patient().clone();
    for _ in 0..2 {
        let url = tester.authorization_url(&tester.authorization(client_id, SCOPE));
        let page = tester.http.get(&url).send().await.unwrap();
        let cookie = page.headers()["Set-Cookie"].to_str().unwrap().to_owned();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let url = Url::parse(&url).unwrap();
        let mut form = crate::portal::read_form(&page.text().await.unwrap(), &url);
        for (name, value) in [
            ("username", &account.username),
            ("password", &account.password),
        ] {
            form.fields.push((name.to_owned(), value.clone()));
        }
        let post = async |form: crate::portal::Form| {
            let request = tester.http.post(form.action).form(&form.fields);
            request.header("Cookie", &cookie).send().await.unwrap()
        };
        let page = post(form).await;
        assert_eq!(page.status(), StatusCode::OK, "no code yet");
        let html = page.text().await.unwrap();
        assert!(html.contains("name=\"approve\"") && html.contains("name=\"scope\""));
        let mut form = crate::portal::read_form(&html, &url);
        form.fields.push(("approve".to_owned(), "yes".to_owned()));
        let back = post(form).await;
        assert!(
            back.headers()["Location"]
                .to_str()
                .unwrap()
                .contains("code=")
        );
    }
}

#[tokio::test]
async fn c19_offline_access_may_need_a_prompt_for_consent() {
    let usual = with(Policy::default()).await;
    let strict = with(Policy {
        offline_needs_consent_prompt: true,
        ..Policy::default()
    })
    .await;
    for (tester, prompt, offline) in [
        (&usual, None, true),
        (&strict, None, false),
        (&strict, Some("login"), false),
        (&strict, Some("consent"), true),
        (&strict, Some("login consent"), true),
    ] {
        let client_id = tester.public_client().await;
        let request = changed(
            tester.authorization(&client_id, SCOPE),
            &[("prompt", prompt)],
        );
        let answer = signed_in(tester, &request).await;
        let tokens = redeemed(tester, &client_id, &answer["code"]).await;
        assert_eq!(tokens["refresh_token"].is_string(), offline, "{prompt:?}");
    }
}

#[tokio::test]
async fn d13_a_standalone_app_may_ask_for_the_visit_and_a_launched_one_is_told_how_to_look() {
    let tester = with(Policy::default()).await;
    let client_id = tester.public_client().await;
    let scope = "launch/patient launch/encounter patient/*.rs";
    let answer = signed_in(&tester, &tester.authorization(&client_id, scope)).await;
    let tokens = redeemed(&tester, &client_id, &answer["code"]).await;
    let token = tokens["access_token"].as_str().unwrap();
    let path = format!("Encounter/{}", tokens["encounter"].as_str().unwrap());
    let (_, encounter) = tester.fhir(token, &path).await;
    let patient = format!("Patient/{}", tokens["patient"].as_str().unwrap());
    assert_eq!(encounter["subject"]["reference"], patient);
    assert!(
        tokens["smart_style_url"].is_null(),
        "no portal is around it"
    );

    let client = tester
        .client(&json!({"initiate_login_uri": "org.example.tester:/launch"}))
        .await;
    let client_id = client["client_id"].as_str().unwrap();
    let account = tester.patient().clone();
    let person = Person::sign_in(&tester, &account).await;
    let fields = [
        ("client_id", client_id),
        ("patient", account.patient_ids[0].as_str()),
    ];
    let address = person.press("/portal/launch", &fields).await;
    let launch = address.split("launch=").nth(1).unwrap();
    let request = changed(
        tester.authorization(client_id, "launch patient/*.rs"),
        &[("launch", Some(launch))],
    );
    let answer = signed_in(&tester, &request).await;
    let tokens = redeemed(&tester, client_id, &answer["code"]).await;
    let style = tester
        .get(tokens["smart_style_url"].as_str().unwrap())
        .await;
    assert!(style["color_background"].as_str().unwrap().starts_with('#'));
    let smart = format!(
        "{}/.well-known/smart-configuration",
        tester.mock.fhir_base()
    );
    let smart = tester.get(&smart).await;
    let capabilities = smart["capabilities"].as_array().unwrap();
    for known in ["context-style", "context-standalone-encounter"] {
        assert!(capabilities.contains(&json!(known)), "{known}");
    }
}

#[rstest]
#[case::form_encoded(BasicEncoding::FormEncoded, true, false)]
#[case::as_is(BasicEncoding::AsIs, false, true)]
#[case::either(BasicEncoding::Either, true, true)]
#[tokio::test]
async fn d4_odd_secrets_are_taken_form_encoded_as_they_are_or_in_both_ways(
    #[case] encoding: BasicEncoding,
    #[case] encoded: bool,
    #[case] as_is: bool,
) {
    let tester = Tester::at(World {
        patients: 1,
        odd_secrets: true,
        policy: Policy {
            basic_encoding: encoding,
            ..Policy::default()
        },
        ..World::default()
    })
    .await;
    let client = tester
        .client(&json!({"token_endpoint_auth_method": "client_secret_basic"}))
        .await;
    let client_id = client["client_id"].as_str().unwrap();
    let secret = client["client_secret"].as_str().unwrap();
    assert!(
        ":+%/ ".chars().all(|letter| secret.contains(letter)),
        "{secret}"
    );
    let form_encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    assert_ne!(form_encoded, secret);
    // A wrong code tells that the client itself was let in.
    let lets_in = async |written: &str| {
        let form = [("grant_type", "authorization_code"), ("code", "x")];
        let request = tester.token(&form).basic_auth(client_id, Some(written));
        error(request.send().await.unwrap()).await.1 == "invalid_grant"
    };
    assert_eq!(lets_in(&form_encoded).await, encoded, "form-encoded");
    assert_eq!(lets_in(secret).await, as_is, "as it is");
    assert!(!lets_in("wrong").await);
}

#[rstest]
#[case::smart(AssertionAudience::TokenEndpoint, true, false)]
#[case::rfc7523bis(AssertionAudience::Issuer, false, true)]
#[case::either(AssertionAudience::Either, true, true)]
#[tokio::test]
async fn d9_an_assertion_is_for_the_token_endpoint_for_the_issuer_or_for_either(
    #[case] audience: AssertionAudience,
    #[case] endpoint: bool,
    #[case] issuer: bool,
) {
    let tester = with(Policy {
        assertion_audience: audience,
        ..Policy::default()
    })
    .await;
    let key = es384();
    let client = tester
        .client(&json!({
            "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key.public]},
            "grant_types": ["client_credentials"], "response_types": [], "redirect_uris": [],
        }))
        .await;
    let client_id = client["client_id"].as_str().unwrap();
    let lets_in = async |aud: &str, typ: &str, jti: &str| {
        let claims = json!({
            "iss": client_id, "sub": client_id, "aud": aud,
            "exp": tester.mock.now() + 100, "jti": jti,
        });
        let assertion = key.sign_as(typ, &claims);
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "system/*.rs"),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", assertion.as_str()),
        ];
        let status = tester.token(&form).send().await.unwrap().status();
        assert!(status == StatusCode::OK || status == StatusCode::UNAUTHORIZED);
        status == StatusCode::OK
    };
    let bis = "client-authentication+jwt";
    assert_eq!(
        lets_in(&tester.url("/auth/token"), "JWT", "1").await,
        endpoint
    );
    assert_eq!(lets_in(tester.mock.issuer(), bis, "2").await, issuer);
    assert_eq!(
        lets_in(tester.mock.issuer(), "JWT", "3").await,
        audience == AssertionAudience::Either,
        "rfc7523bis asks for its own typ"
    );
    assert!(!lets_in("https://other.example", bis, "4").await);
}

async fn refresh(tester: &Tester, client_id: &str, token: &Value) -> Response {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str().unwrap()),
        ("client_id", client_id),
    ];
    tester.token(&form).send().await.unwrap()
}

#[tokio::test]
async fn d25_a_refresh_answers_with_everything_that_is_required() {
    let tester = with(Policy::default()).await;
    let (client_id, first) = tester.tokens(tester.patient(), SCOPE).await;
    let answer = refresh(&tester, &client_id, &first["refresh_token"]).await;
    assert_eq!(answer.headers()["Cache-Control"], "no-store");
    assert_eq!(answer.headers()["Pragma"], "no-cache");
    let answer: Value = answer.json().await.unwrap();
    assert!(answer["access_token"].is_string() && answer["refresh_token"].is_string());
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 3600);
    assert_eq!(answer["scope"], first["scope"]);
    assert_eq!(answer["patient"], first["patient"]);
}

#[tokio::test]
async fn d26_a_random_refresh_token_and_a_revoked_grant_are_invalid_grant_and_401() {
    let tester = with(Policy::default()).await;
    let (client_id, tokens) = tester.tokens(tester.patient(), SCOPE).await;
    let refused = error(refresh(&tester, &client_id, &json!(VERIFIER)).await).await;
    let invalid = (StatusCode::BAD_REQUEST, "invalid_grant".to_owned());
    assert_eq!(refused, invalid);
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(tester.fhir_status(access, "Patient").await, StatusCode::OK);
    let form = [("token", access), ("client_id", &client_id)];
    let request = tester.http.post(tester.url("/auth/revoke")).form(&form);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(
        tester.fhir_status(access, "Patient").await,
        StatusCode::UNAUTHORIZED
    );
    let refused = error(refresh(&tester, &client_id, &tokens["refresh_token"]).await).await;
    assert_eq!(refused, invalid);
}

const DAY: i64 = 86_400;

/// After so many days without one, a refresh; and how each ends.
#[rstest]
#[case::a_year_by_default(Policy::default(), None, &[(364, 200), (364, 200), (366, 400)])]
#[case::sliding(Policy::default(), Some(10), &[(9, 200), (9, 200), (11, 400)])]
#[case::absolute(
    Policy { refresh_expiry: RefreshExpiry::Absolute, ..Policy::default() },
    Some(10),
    &[(5, 200), (4, 200), (2, 400)]
)]
#[case::idle(
    Policy { refresh_idle: Some(2 * DAY), ..Policy::default() },
    Some(10),
    &[(1, 200), (1, 200), (3, 400)]
)]
#[tokio::test]
async fn d27_a_refresh_token_ends_by_sliding_absolute_or_idle_time(
    #[case] policy: Policy,
    #[case] lifetime: Option<i64>,
    #[case] steps: &[(i64, u16)],
) {
    let usual = World::default();
    let tester = Tester::at(World {
        patients: 1,
        refresh_lifetime_seconds: lifetime
            .map_or(usual.refresh_lifetime_seconds, |days| days * DAY),
        policy,
        ..usual
    })
    .await;
    let (client_id, mut tokens) = tester.tokens(tester.patient(), SCOPE).await;
    for (days, status) in steps {
        tester.mock.turn_clock(days * DAY);
        let answer = refresh(&tester, &client_id, &tokens["refresh_token"]).await;
        assert_eq!(answer.status().as_u16(), *status, "after {days} days more");
        tokens = answer.json().await.unwrap();
    }
}
