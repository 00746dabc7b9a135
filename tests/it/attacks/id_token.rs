//! id_tokens that do not hold. Nothing of an answer with one is kept (checklist D30).

use super::rogue::{Rogue, Signing, foiled, victim};
use rstest::rstest;
use satchel_core::{Clock, SystemClock};
use serde_json::{Value, json};

const NOW: fn() -> i64 = || SystemClock.now().as_second();

async fn attack(change: impl FnOnce(&mut super::rogue::Desk), names: &str) {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.change(change);
    let result = rogue.sign_in(&victim.engine).await;
    foiled(&victim.engine, result, "login.id_token", names).await;
    assert_eq!(rogue.asked("/token").await.len(), 1, "asked once only");
    let read = rogue.all_requests().await;
    let records = |path: &str| path.starts_with("/fhir/Patient");
    assert!(
        !read.iter().any(|one| records(one.url.path())),
        "nothing was read with it"
    );
}

#[rstest]
#[case::its_iss_is_another_server(json!({"iss": "https://other.example"}), "another issuer")]
#[case::its_iss_has_a_slash_more(json!({"iss": "{}/"}), "another issuer")]
#[case::it_has_no_iss(json!({"iss": null}), "claim is missing")]
#[case::its_aud_is_another_app(json!({"aud": "another-app"}), "another client")]
#[case::its_aud_lists_others_only(json!({"aud": ["one", "two"]}), "another client")]
#[case::it_has_no_aud(json!({"aud": null}), "claim is missing")]
#[case::its_azp_is_another_app(json!({"aud": ["rogue-client", "two"], "azp": "two"}), "another client")]
#[case::it_is_for_several_apps_and_names_none(json!({"aud": ["rogue-client", "two"]}), "another client")]
#[case::it_has_expired(json!({"exp": NOW() - 3_600, "iat": NOW() - 7_200}), "expired")]
#[case::it_never_expires(json!({"exp": null}), "claim is missing")]
#[case::its_exp_is_no_number(json!({"exp": "tomorrow"}), "claim is missing")]
#[case::it_is_issued_in_the_future(json!({"iat": NOW() + 7_200, "exp": NOW() + 9_000}), "in the future")]
#[case::it_has_no_iat(json!({"iat": null}), "claim is missing")]
#[case::it_counts_from_tomorrow_on(json!({"nbf": NOW() + 86_400}), "in the future")]
#[case::its_nonce_is_of_another_sign_in(json!({"nonce": "stolen"}), "another login")]
#[case::it_has_no_nonce(json!({"nonce": null}), "another login")]
#[case::it_is_about_nobody(json!({"sub": null}), "claim is missing")]
#[case::its_sub_is_empty(json!({"sub": ""}), "sub is empty")]
#[case::its_sub_is_endless(json!({"sub": "x".repeat(256)}), "too long")]
#[tokio::test]
async fn d30_an_id_token_with_a_wrong_claim(#[case] claims: Value, #[case] names: &str) {
    let change = |desk: &mut super::rogue::Desk| {
        let issuer = desk.metadata["issuer"].as_str().unwrap();
        let text = claims.to_string().replace("{}", issuer);
        desk.claims = serde_json::from_str(&text).unwrap();
    };
    attack(change, names).await;
}

#[rstest]
#[case::alg_none(json!({"alg": "none"}), Signing::Empty, "algorithm none")]
#[case::alg_none_in_capitals(json!({"alg": "NONE"}), Signing::Empty, "algorithm NONE")]
#[case::no_alg(json!({"alg": null}), Signing::Properly, "no alg")]
#[case::hs256_with_the_public_key_as_secret(json!({"alg": "HS256"}), Signing::PublicKeyAsSecret, "algorithm HS256")]
#[case::rs256_is_said_and_the_key_is_an_elliptic_curve(json!({"alg": "RS256"}), Signing::Properly, "not among")]
#[case::es384_is_said_and_the_key_is_p256(json!({"alg": "ES384"}), Signing::Properly, "not among")]
#[case::no_signature(json!({}), Signing::Empty, "signature")]
#[case::signed_by_a_stranger(json!({}), Signing::Stranger, "signature")]
#[case::the_strangers_kid_is_unknown(json!({"kid": "stranger"}), Signing::Stranger, "not among")]
#[case::the_key_comes_in_the_header(json!({"kid": null, "jwk": {"kty": "EC", "crv": "P-256"}}), Signing::Stranger, "signature")]
#[case::a_critical_extension(json!({"crit": ["exp"]}), Signing::Properly, "critical")]
#[tokio::test]
async fn d30_an_id_token_with_another_signature(
    #[case] header: Value,
    #[case] signing: Signing,
    #[case] names: &str,
) {
    let change = |desk: &mut super::rogue::Desk| {
        desk.header = header;
        desk.signing = signing;
    };
    attack(change, names).await;
}

#[tokio::test]
async fn d30_an_id_token_whose_header_says_where_to_fetch_the_key() {
    let (rogue, victim, thief) = (Rogue::start().await, victim().await, Rogue::start().await);
    rogue.change(|desk| {
        desk.signing = Signing::Stranger;
        desk.header = json!({"kid": null, "jku": format!("{}/jwks", thief.uri())});
    });
    let result = rogue.sign_in(&victim.engine).await;
    foiled(&victim.engine, result, "login.id_token", "signature").await;
    assert!(thief.all_requests().await.is_empty(), "nobody asked there");
}

#[rstest]
#[case::none_comes_although_openid_was_granted(json!({"id_token": null}), "missing")]
#[case::it_is_encrypted(json!({"id_token": "a.b.c.d.e"}), "compact JWS")]
#[case::it_is_no_token(json!({"id_token": "hello"}), "compact JWS")]
#[case::its_header_is_no_json(json!({"id_token": "AAAA.AAAA.AAAA"}), "JSON object")]
#[tokio::test]
async fn d30_an_answer_whose_id_token_is_none(#[case] tokens: Value, #[case] names: &str) {
    attack(|desk| desk.tokens = tokens, names).await;
}
