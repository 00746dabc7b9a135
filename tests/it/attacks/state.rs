//! `state`: whose sign-in an answer belongs to (checklist C4, RFC 9700 §4.7).

use super::rogue::{Rogue, ends, foiled, query_of, victim};
use crate::portal::Decision;
use crate::world::setting;
use rstest::rstest;
use satchel_mock::{Endpoint, FaultKind};

#[tokio::test]
async fn c4_the_attackers_own_answer_is_slipped_to_somebody_else() {
    // Fixation: the attacker signs in and sends the link of the answer to the victim, whose records
    // would be the attacker's from then on.
    let (setting, victim) = (setting().await, victim().await);
    let theirs = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    let mine = Rogue::start().await;
    let login = mine.begin(&victim.engine).await.unwrap();
    ends(
        victim.engine.login_finish(&theirs).await,
        "login.unknown_state",
        "no sign-in in progress",
    );
    assert_eq!(setting.asked("/auth/token"), 0, "the code was not traded");
    let done = victim.engine.login_finish(&mine.callback(&login)).await;
    done.expect("what the person began goes on");
}

#[tokio::test]
async fn c4_a_state_that_the_server_changed() {
    let setting = setting().await;
    setting
        .mock
        .fault(Endpoint::Authorize, FaultKind::WrongState, 1);
    let callback = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    let result = setting.engine.login_finish(&callback).await;
    ends(result, "login.unknown_state", "no sign-in in progress");
    assert_eq!(setting.asked("/auth/token"), 0);
}

#[tokio::test]
async fn c4_a_state_that_the_server_left_out() {
    let setting = setting().await;
    setting
        .mock
        .fault(Endpoint::Authorize, FaultKind::MissingState, 1);
    let callback = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    let result = setting.engine.login_finish(&callback).await;
    ends(result, "login.bad_callback", "no state");
    assert_eq!(setting.asked("/auth/token"), 0);
}

#[tokio::test]
async fn c4_the_state_of_a_sign_in_that_was_given_up() {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    let login = rogue.begin(&victim.engine).await.unwrap();
    victim
        .engine
        .login_cancel(&login.view.connection_id)
        .await
        .unwrap();
    let result = victim.engine.login_finish(&rogue.callback(&login)).await;
    foiled(
        &victim.engine,
        result,
        "login.unknown_state",
        "no sign-in in progress",
    )
    .await;
    assert!(rogue.asked("/token").await.is_empty());
}

#[rstest]
#[case::it_is_empty("", "login.bad_callback", "no state")]
#[case::it_is_a_guess("0000", "login.unknown_state", "no sign-in in progress")]
#[case::it_is_cut_short("{short}", "login.unknown_state", "no sign-in in progress")]
#[case::it_has_a_blank_more("{}%20", "login.unknown_state", "no sign-in in progress")]
#[case::it_has_a_zero_byte_more("{}%00", "login.unknown_state", "no sign-in in progress")]
#[case::its_case_is_changed("{case}", "login.unknown_state", "no sign-in in progress")]
#[case::it_comes_twice("{}&state={}", "login.bad_callback", "state twice")]
#[case::it_is_one_for_a_database(
    "%27%20OR%201=1%20--",
    "login.unknown_state",
    "no sign-in in progress"
)]
#[tokio::test]
async fn c4_a_state_that_is_nearly_right(
    #[case] sent: &str,
    #[case] code: &str,
    #[case] names: &str,
) {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    let login = rogue.begin(&victim.engine).await.unwrap();
    let right = query_of(&login.view.authorization_url)["state"].clone();
    let turned: String = right
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect();
    let state = sent
        .replace("{short}", &right[..40])
        .replace("{case}", &turned)
        .replace("{}", &right);
    let callback = format!(
        "{}?code=c0de&state={state}&iss={}",
        login.redirect_uri,
        rogue.uri()
    );
    ends(victim.engine.login_finish(&callback).await, code, names);
    assert!(rogue.asked("/token").await.is_empty());
    let done = victim.engine.login_finish(&rogue.callback(&login)).await;
    done.expect("the right answer still counts");
}
