//! Answers that are too large, too slow, cut off, or not what they say (checklist A24, D12, D19).

use super::rogue::{Rogue, foiled, json_answer, said, victim, victim_with};
use crate::world::setting_in;
use rstest::rstest;
use satchel_core::EngineOptions;
use satchel_core::view::Role;
use satchel_mock::{Endpoint, FaultKind, World};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use wiremock::ResponseTemplate;

/// Blanks before it: what JSON allows, and nobody needs.
fn ten_megabytes(of: &Value) -> ResponseTemplate {
    let body = format!("{}{of}", " ".repeat(10 * 1024 * 1024));
    ResponseTemplate::new(200).set_body_raw(body, "application/json")
}

#[rstest]
#[case::its_description(
    "/fhir/.well-known/smart-configuration",
    "network.too_large",
    "smart-configuration is larger than"
)]
#[case::a_registration("/register", "network.too_large", "register is larger than")]
#[case::tokens("/token", "network.too_large", "token is larger than")]
#[case::its_keys("/jwks", "login.id_token", "jwks is larger than")]
#[tokio::test]
async fn a24_ten_megabytes_of(#[case] path: &str, #[case] code: &str, #[case] names: &str) {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.answer(path, ten_megabytes(&json!({})));
    let result = rogue.sign_in(&victim.engine).await;
    foiled(&victim.engine, result, code, names).await;
}

#[tokio::test]
async fn a24_ten_megabytes_of_the_issuers_metadata_vouch_for_nobody() {
    let (rogue, victim, honest) = (Rogue::start().await, victim().await, Rogue::start().await);
    let metadata = honest.change(|desk| desk.metadata.clone());
    honest.answer(
        "/.well-known/openid-configuration",
        ten_megabytes(&metadata),
    );
    rogue.says(&json!({"issuer": honest.uri()}));
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "server.issuer_mismatch",
        "is not the expected",
    )
    .await;
}

/// So many blanks in one gzip member (RFC 1951 §3.2.6, RFC 1952): one letter, and "the last one 258 times
/// more" again and again, thirteen bits each.
fn blanks_by_gzip(count: usize) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let (mut bits, mut filled) = (0_u8, 0);
    let mut push = |bit: bool| {
        bits |= u8::from(bit) << filled;
        filled += 1;
        if filled == 8 {
            file.push(std::mem::take(&mut bits));
            filled = 0;
        }
    };
    let letter = 0x50_u32;
    let again = 0xc5_u32 << 5;
    let code = |word: u32, length: u32| (0..length).rev().map(move |at| word >> at & 1 == 1);
    [true, true, false]
        .into_iter()
        .chain(code(letter, 8))
        .for_each(&mut push);
    for _ in 0..count / 258 {
        code(again, 13).for_each(&mut push);
    }
    code(0, 7 + 8).for_each(&mut push);
    file
}

async fn page_ends(
    answer: ResponseTemplate,
    change: impl FnOnce(&mut EngineOptions),
    code: &str,
    names: &str,
) {
    let (rogue, victim) = (Rogue::start().await, victim_with(change).await);
    let id = rogue.sign_in(&victim.engine).await.unwrap();
    rogue.answer("/fhir/Condition", answer);
    let report = victim.engine.sync(&id).await.unwrap();
    let step = report.steps.iter().find_map(|step| step.problem.clone());
    said(&report.problem.or(step).unwrap(), code, names);
    let kept = victim.engine.connection(&id).await.unwrap().record_count;
    assert!(kept <= 1, "nothing of that page is kept");
}

#[tokio::test]
async fn a24_a_page_of_records_that_is_a_bomb() {
    let bomb = blanks_by_gzip(70 * 1024 * 1024);
    assert!(bomb.len() < 1024 * 1024);
    let answer = ResponseTemplate::new(200)
        .insert_header("Content-Encoding", "gzip")
        .set_body_raw(bomb, "application/fhir+json");
    page_ends(answer, |_| {}, "sync.bad_page", "is larger than").await;
}

#[tokio::test]
async fn a24_tokens_that_are_a_bomb() {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    let bomb: &[u8] = include_bytes!("../../../crates/smart/tests/it/blanks.gz");
    let answer = ResponseTemplate::new(200).insert_header("Content-Encoding", "gzip");
    rogue.answer("/token", answer.set_body_raw(bomb, "application/json"));
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "network.too_large",
        "is larger than",
    )
    .await;
}

const SOON: Duration = Duration::from_millis(300);

#[rstest]
#[case::its_description("/fhir/.well-known/smart-configuration")]
#[case::a_registration("/register")]
#[case::tokens("/token")]
#[tokio::test]
async fn a24_a_server_that_is_silent_about(#[case] path: &str) {
    let (rogue, victim) = (
        Rogue::start().await,
        victim_with(|options| options.timeout = SOON).await,
    );
    rogue.answer(
        path,
        ResponseTemplate::new(200).set_delay(Duration::from_secs(20)),
    );
    let began = Instant::now();
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "network.timed_out",
        "did not answer in time",
    )
    .await;
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a24_an_answer_that_drips() {
    // A piece each fifth of a second: never silent for long, and never done.
    let setting = setting_in(World {
        patients: 1,
        ..World::default()
    })
    .await;
    let victim = victim_with(|options| options.timeout = SOON).await;
    setting
        .mock
        .fault(Endpoint::SmartConfiguration, FaultKind::Drip { ms: 200 }, 1);
    let login = victim.engine.login_start(
        setting.mock.fhir_base(),
        Role::Patient,
        satchel_core::RedirectKind::Scheme,
        None,
    );
    let began = Instant::now();
    foiled(
        &victim.engine,
        login.await,
        "network.timed_out",
        "did not answer in time",
    )
    .await;
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
}

#[rstest]
#[case::an_error_with_status_200(json!({"error": "invalid_grant"}), "token.refused", "InvalidGrant")]
#[case::an_error_with_words_of_its_own(
    json!({"error": "<b>no</b>", "error_description": "call \u{202e}0800"}), "token.refused", "<b>no</b>")]
#[case::no_access_token(json!({"token_type": "Bearer"}), "token.bad_answer", "required member")]
#[case::no_type(json!({"access_token": "a"}), "token.bad_answer", "required member")]
#[case::a_list(json!([1, 2]), "token.bad_answer", "required member")]
#[tokio::test]
async fn d19_tokens_that_are(#[case] body: Value, #[case] code: &str, #[case] names: &str) {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.answer("/token", json_answer(200, &body));
    let result = rogue.sign_in(&victim.engine).await;
    foiled(&victim.engine, result, code, names).await;
}

#[rstest]
#[case::of_another_type(json!({"token_type": "DPoP"}), "token_type")]
#[case::with_a_header_of_their_own(json!({"access_token": "a\r\nX-Evil: 1"}), "access_token")]
#[case::that_are_empty(json!({"access_token": ""}), "access_token")]
#[case::for_a_patient_that_is_a_path(json!({"patient": "../Patient"}), "patient")]
#[case::for_a_patient_that_is_a_query(json!({"patient": "p1&_count=9999"}), "patient")]
#[tokio::test]
async fn d12_tokens(#[case] tokens: Value, #[case] names: &str) {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.change(|desk| desk.tokens = tokens);
    let result = rogue.sign_in(&victim.engine).await;
    foiled(&victim.engine, result, "token.bad_answer", names).await;
}
