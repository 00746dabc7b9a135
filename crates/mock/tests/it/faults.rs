//! C42, D30: what goes wrong on purpose with codes, tokens and id_tokens.

use crate::portal::Decision;
use crate::tester::{Tester, error, exchange};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use reqwest::StatusCode;
use rstest::rstest;
use satchel_mock::{Endpoint, FaultKind, IdTokenFault};
use serde_json::{Value, json};
use std::collections::HashMap;

const SCOPE: &str = "openid fhirUser launch/patient offline_access patient/*.rs";

fn refresh<'a>(client_id: &'a str, tokens: &'a Value) -> [(&'static str, &'a str); 3] {
    [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ("client_id", client_id),
    ]
}

#[rstest]
#[case::expired(FaultKind::ExpiredToken, 200)]
#[case::revoked(FaultKind::RevokedToken, 400)]
#[tokio::test]
async fn a_good_token_ends_early_and_the_grant_with_it_or_not(
    #[case] fault: FaultKind,
    #[case] refreshed: u16,
) {
    let tester = Tester::new().await;
    let (client_id, tokens) = tester.tokens(tester.patient(), SCOPE).await;
    let token = tokens["access_token"].as_str().unwrap();
    tester.mock.fault(Endpoint::Fhir, fault, 1);
    let url = format!("{}/Patient", tester.mock.fhir_base());
    let request = tester.http.get(&url).bearer_auth(token);
    let refused = request.send().await.unwrap();
    let challenge = refused.headers()["WWW-Authenticate"].to_str().unwrap();
    assert!(challenge.contains("invalid_token"), "{challenge}");
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let again = tester.fhir_status(token, "Patient").await;
    assert_eq!(again, StatusCode::UNAUTHORIZED, "it has really ended");
    let answer = tester.token(&refresh(&client_id, &tokens)).send();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status().as_u16(), refreshed);
    if refreshed == 200 {
        let tokens: Value = answer.json().await.unwrap();
        let token = tokens["access_token"].as_str().unwrap();
        assert_eq!(tester.fhir_status(token, "Patient").await, StatusCode::OK);
    }
}

#[rstest]
#[case(302)]
#[case(307)]
#[case(308)]
#[tokio::test]
async fn a_call_is_sent_to_another_origin(#[case] status: u16) {
    let tester = Tester::new().await;
    let token = tester.access_token(SCOPE).await;
    let fault = json!({"kind": "redirect_elsewhere", "status": status});
    let fault: FaultKind = serde_json::from_value(fault).unwrap();
    for endpoint in [Endpoint::Fhir, Endpoint::Token] {
        tester.mock.fault(endpoint, fault.clone(), 1);
    }
    let url = format!("{}/Patient?_count=1", tester.mock.fhir_base());
    let request = tester.http.get(&url).bearer_auth(&token);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), status);
    assert_eq!(
        answer.headers()["Location"],
        "https://elsewhere.example/fhir/Patient?_count=1"
    );
    let answer = tester.token(&[("grant_type", "x")]).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), status);
    assert_eq!(tester.fhir_status(&token, "Patient").await, StatusCode::OK);
}

async fn answer_with(tester: &Tester, client_id: &str, kind: FaultKind) -> HashMap<String, String> {
    tester.mock.fault(Endpoint::Authorize, kind, 1);
    let account = tester.patient().clone();
    tester
        .sign_in(client_id, SCOPE, &account, Decision::Approve)
        .await
}

#[tokio::test]
async fn c42_a_code_comes_back_that_was_used_before_has_expired_or_is_very_long() {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let redeem = async |code: &str| {
        let form = exchange(&client_id, code);
        tester.token(&form).send().await.unwrap()
    };
    // The app's own first code is the first that can be replayed.
    let first = answer_with(&tester, &client_id, FaultKind::CodeReplayed).await;
    assert_eq!(error(redeem(&first["code"]).await).await.1, "invalid_grant");
    let good = tester
        .sign_in(&client_id, SCOPE, tester.patient(), Decision::Approve)
        .await;
    assert_eq!(redeem(&good["code"]).await.status(), StatusCode::OK);
    let replayed = answer_with(&tester, &client_id, FaultKind::CodeReplayed).await;
    let seen = [&first["code"], &good["code"]];
    assert!(seen.contains(&&replayed["code"]), "seen before");
    let refused = error(redeem(&replayed["code"]).await).await;
    assert_eq!(refused.1, "invalid_grant");

    let expired = answer_with(&tester, &client_id, FaultKind::ExpiredCode).await;
    let refused = error(redeem(&expired["code"]).await).await;
    assert_eq!(refused.1, "invalid_grant");
    let long = answer_with(&tester, &client_id, FaultKind::LongCode).await;
    assert!(long["code"].len() > 4000);
    assert_eq!(redeem(&long["code"]).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn c42_the_answer_has_more_parameters_or_is_in_the_fragment() {
    let tester = Tester::new().await;
    let client_id = tester.public_client().await;
    let more = answer_with(&tester, &client_id, FaultKind::ExtraParameters).await;
    for name in ["code", "state", "iss", "session_state", "next"] {
        assert!(more.contains_key(name), "{name}");
    }
    tester
        .mock
        .fault(Endpoint::Authorize, FaultKind::FragmentResponse, 1);
    let account = tester.patient();
    let url = tester.authorization_url(&tester.authorization(&client_id, SCOPE));
    let (name, password) = (&account.username, &account.password);
    let location = crate::portal::sign_in(&url, name, password, None, Decision::Approve).await;
    let location = url::Url::parse(&location).unwrap();
    assert_eq!(location.query(), None);
    assert!(location.fragment().unwrap().contains("code="), "{location}");
}

/// An id_token, and the key set after it was given.
async fn id_token(tester: &Tester, fault: Option<IdTokenFault>) -> (String, String, Value) {
    let client_id = tester.public_client().await;
    let answer = tester
        .sign_in(&client_id, SCOPE, tester.patient(), Decision::Approve)
        .await;
    if let Some(fault) = fault {
        tester
            .mock
            .fault(Endpoint::Token, FaultKind::IdToken(fault), 1);
    }
    let tokens = tester.token(&exchange(&client_id, &answer["code"]));
    let tokens: Value = tokens.send().await.unwrap().json().await.unwrap();
    let token = tokens["id_token"].as_str().unwrap().to_owned();
    let keys = tester.get(&tester.url("/auth/jwks")).await;
    (client_id, token, keys)
}

/// The claims, if a published key signed them.
fn verified(token: &str, keys: &Value) -> Option<Value> {
    let header = jsonwebtoken::decode_header(token).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["kty"] == "RSA")
        .filter(|key| header.kid.as_deref().is_none_or(|kid| key["kid"] == kid))
        .find_map(|key| {
            let key = DecodingKey::from_jwk(&serde_json::from_value(key.clone()).ok()?).ok()?;
            let decoded = jsonwebtoken::decode::<Value>(token, &key, &validation);
            decoded.ok().map(|decoded| decoded.claims)
        })
}

/// Whether the claims are wrong in that way; `was` are those of a good id_token.
fn is_wrong(fault: IdTokenFault, is: &Value, was: &Value) -> bool {
    match fault {
        IdTokenFault::WrongAudience => is["aud"] == "another-client",
        IdTokenFault::WrongIssuer => is["iss"] == "https://other-issuer.example",
        IdTokenFault::WrongNonce => is["nonce"] == "another-nonce",
        IdTokenFault::NoNonce => is["nonce"].is_null(),
        IdTokenFault::Expired => is["exp"].as_i64() < was["iat"].as_i64(),
        IdTokenFault::NoExp => is["exp"].is_null(),
        IdTokenFault::IatInFuture => is["iat"].as_i64() > was["exp"].as_i64(),
        IdTokenFault::NoSubject => is["sub"].is_null(),
        IdTokenFault::WrongSubject => is["sub"].is_string() && is["sub"] != was["sub"],
        IdTokenFault::LongSubject => is["sub"].as_str().unwrap().len() == 256,
        IdTokenFault::WrongAzp => {
            is["aud"].as_array().unwrap().len() == 2 && is["azp"] != is["aud"][0]
        }
        IdTokenFault::ForeignFhirUser => is["fhirUser"]
            .as_str()
            .unwrap()
            .starts_with("https://other-issuer.example/"),
        _ => false,
    }
}

/// What is wrong, by the claims and those of a good id_token of the same person; all else is as it was.
#[rstest]
#[case::wrong_audience(IdTokenFault::WrongAudience, &["aud"])]
#[case::wrong_issuer(IdTokenFault::WrongIssuer, &["iss"])]
#[case::wrong_nonce(IdTokenFault::WrongNonce, &["nonce"])]
#[case::no_nonce(IdTokenFault::NoNonce, &["nonce"])]
#[case::expired(IdTokenFault::Expired, &["exp", "iat"])]
#[case::no_exp(IdTokenFault::NoExp, &["exp"])]
#[case::iat_in_future(IdTokenFault::IatInFuture, &["exp", "iat"])]
#[case::no_subject(IdTokenFault::NoSubject, &["sub"])]
#[case::wrong_subject(IdTokenFault::WrongSubject, &["sub"])]
#[case::long_subject(IdTokenFault::LongSubject, &["sub"])]
#[case::wrong_azp(IdTokenFault::WrongAzp, &["aud", "azp"])]
#[case::foreign_fhir_user(IdTokenFault::ForeignFhirUser, &["fhirUser"])]
#[tokio::test]
async fn d30_an_id_token_has_one_wrong_claim_and_a_right_signature(
    #[case] fault: IdTokenFault,
    #[case] spoilt: &[&str],
) {
    let tester = Tester::new().await;
    let (good_client, token, keys) = id_token(&tester, None).await;
    let good = verified(&token, &keys).unwrap();
    let (client_id, token, keys) = id_token(&tester, Some(fault)).await;
    let claims = verified(&token, &keys).expect("the signature holds");
    assert!(is_wrong(fault, &claims, &good), "{claims}");
    for (name, value) in good.as_object().unwrap() {
        match name.as_str() {
            name if spoilt.contains(&name) => {}
            "aud" => assert_eq!(
                (value, &claims["aud"]),
                (&json!(good_client), &json!(client_id))
            ),
            "iat" | "exp" => {
                let later = claims[name].as_i64().unwrap() - value.as_i64().unwrap();
                assert!((0..30).contains(&later), "{name}");
            }
            _ => assert_eq!(&claims[name], value, "{name}"),
        }
    }
}

#[tokio::test]
async fn d30_an_id_token_is_signed_with_a_key_of_yesterday_of_tomorrow_or_of_no_name() {
    let tester = Tester::new().await;
    let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid;
    let (_, token, before) = id_token(&tester, None).await;
    assert!(verified(&token, &before).is_some());
    let first = kid(&token);

    let (_, token, keys) = id_token(&tester, Some(IdTokenFault::RotatedKey)).await;
    assert_eq!(kid(&token), first, "as before");
    assert!(verified(&token, &keys).is_none(), "and no longer published");
    assert!(verified(&token, &before).is_some());
    let (_, token, keys) = id_token(&tester, None).await;
    assert!(verified(&token, &keys).is_some(), "the next is right");

    let late = IdTokenFault::UnpublishedKey { seconds: 60 };
    let (_, token, keys) = id_token(&tester, Some(late)).await;
    assert!(verified(&token, &keys).is_none(), "not published yet");
    tester.mock.turn_clock(61);
    let keys = tester.get(&tester.url("/auth/jwks")).await;
    assert!(verified(&token, &keys).is_some(), "now it is");

    let (_, token, keys) = id_token(&tester, Some(IdTokenFault::NoKid)).await;
    assert_eq!(kid(&token), None);
    let rsa = keys["keys"].as_array().unwrap().iter();
    assert_eq!(rsa.filter(|key| key["kty"] == "RSA").count(), 2);
    assert!(verified(&token, &keys).is_some());
}
