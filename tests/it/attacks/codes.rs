//! Codes that were injected, replayed or mangled (checklist H8, C37, C39).

use super::rogue::{Rogue, ends, foiled, query_of, victim};
use crate::portal::Decision;
use crate::world::{Setting, setting};
use rstest::rstest;
use satchel_core::Engine;
use satchel_mock::{Endpoint, FaultKind};

fn part(callback: &str, name: &str) -> String {
    query_of(callback)[name].clone()
}

fn swapped(callback: &str, name: &str, value: &str) -> String {
    callback.replace(&part(callback, name), value)
}

async fn stolen_code(setting: &Setting) -> String {
    let thief = victim().await;
    let options = satchel_core::LoginOptions::new(
        satchel_core::view::Role::Patient,
        &[satchel_core::RedirectKind::Scheme],
        None,
    );
    let login = thief
        .engine
        .login_begin(setting.mock.fhir_base(), &options)
        .await
        .unwrap();
    let person = &setting.mock.accounts()[1];
    let callback = crate::portal::sign_in(
        &login.view.authorization_url,
        &person.username,
        &person.password,
        None,
        Decision::Approve,
    )
    .await;
    part(&callback, "code")
}

async fn nothing_came_of_it(setting: &Setting, engine: &Engine) {
    assert_eq!(setting.renewed(), 0);
    assert!(setting.mock.tokens().is_empty(), "no token was given");
    super::rogue::nothing_gained(engine).await;
}

#[tokio::test]
async fn h8_a_foreign_code_with_our_state() {
    let setting = setting().await;
    let ours = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    let code = stolen_code(&setting).await;
    let result = setting
        .engine
        .login_finish(&swapped(&ours, "code", &code))
        .await;
    ends(result, "token.refused", "InvalidGrant");
    nothing_came_of_it(&setting, &setting.engine).await;
}

#[tokio::test]
async fn h8_our_code_with_a_foreign_state() {
    let setting = setting().await;
    let ours = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    let crossed = swapped(&ours, "state", &"A".repeat(43));
    let result = setting.engine.login_finish(&crossed).await;
    ends(result, "login.unknown_state", "no sign-in in progress");
    assert_eq!(setting.asked("/auth/token"), 0);
    setting
        .engine
        .login_finish(&ours)
        .await
        .expect("the right answer still counts");
}

#[tokio::test]
async fn h8_our_code_with_the_state_of_our_other_sign_in() {
    let (setting, rogue) = (setting().await, Rogue::start().await);
    let ours = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    let other = rogue.begin(&setting.engine).await.unwrap();
    let state = part(&other.view.authorization_url, "state");
    let result = setting
        .engine
        .login_finish(&swapped(&ours, "state", &state))
        .await;
    ends(result, "login.bad_callback", "another address");
    assert!(rogue.asked("/token").await.is_empty());
    assert_eq!(setting.asked("/auth/token"), 0);
}

#[tokio::test]
async fn h8_a_callback_that_is_played_again() {
    let setting = setting().await;
    let ours = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    let id = setting.engine.login_finish(&ours).await.unwrap();
    let result = setting.engine.login_finish(&ours).await;
    ends(result, "login.unknown_state", "no sign-in in progress");
    assert_eq!(
        setting.asked("/auth/token"),
        1,
        "the code was not shown again"
    );
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(
        report.complete,
        "and the connection is as it was: {report:?}"
    );
}

#[tokio::test]
async fn h8_a_callback_while_no_sign_in_waits() {
    let (setting, thief) = (setting().await, victim().await);
    let theirs = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    let result = thief.engine.login_finish(&theirs).await;
    foiled(
        &thief.engine,
        result,
        "login.unknown_state",
        "no sign-in in progress",
    )
    .await;
    assert_eq!(setting.asked("/auth/token"), 0);
}

#[rstest]
#[case::it_was_used_before(FaultKind::CodeReplayed)]
#[case::it_has_expired(FaultKind::ExpiredCode)]
#[tokio::test]
async fn c39_an_answer_with_an_old_code(#[case] fault: FaultKind) {
    let setting = setting().await;
    setting.mock.fault(Endpoint::Authorize, fault, 1);
    let ours = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    let result = setting.engine.login_finish(&ours).await;
    ends(result, "token.refused", "InvalidGrant");
    super::rogue::nothing_gained(&setting.engine).await;
    assert_eq!(setting.asked("/auth/token"), 1, "and is not tried again");
}

#[rstest]
#[case::no_code_at_all("", "login.bad_callback", "neither code nor error")]
#[case::an_empty_code("&code=", "login.bad_callback", "characters")]
#[case::a_code_with_a_line_break(
    "&code=a%0d%0aHost:%20evil.example",
    "login.bad_callback",
    "characters"
)]
#[case::a_code_in_other_letters("&code=%D1%81ode", "login.bad_callback", "characters")]
#[case::a_code_and_an_error("&code=c0de&error=server_error", "login.refused", "server_error")]
#[case::an_error_with_a_page_in_it(
    "&error=server_error&error_description=%3Cscript%3Ealert(1)%3C/script%3E",
    "login.refused",
    "server_error"
)]
#[tokio::test]
async fn c37_an_answer_without_one_good_code(
    #[case] rest: &str,
    #[case] code: &str,
    #[case] names: &str,
) {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    let login = rogue.begin(&victim.engine).await.unwrap();
    let callback = rogue.callback(&login).replace("code=c0de&", "") + rest;
    let result = victim.engine.login_finish(&callback).await;
    foiled(&victim.engine, result, code, names).await;
    assert!(rogue.asked("/token").await.is_empty(), "nothing was traded");
}
