//! A clock that is wrong: not somebody's attack as a rule, and what an attack with an old id_token needs
//! (checklist D3, D30).

use super::rogue::{ends, nothing_gained};
use crate::portal::Decision;
use crate::world::{Setting, TurnedClock, setting_with_clock};
use rstest::rstest;
use satchel_mock::{Endpoint, FaultKind, IdTokenFault, World};
use std::sync::Arc;

async fn turned(seconds: i64) -> (Setting, Arc<TurnedClock>) {
    let (setting, clock) = setting_with_clock(World {
        patients: 1,
        ..World::default()
    })
    .await;
    clock.turn(seconds);
    (setting, clock)
}

#[rstest]
#[case::a_day_behind(-86_400, "1 day")]
#[case::a_day_ahead(86_400, "1 day")]
#[case::an_hour_ahead(3_600, "1 hour")]
#[case::a_year_behind(-365 * 86_400, "365 days")]
#[tokio::test]
async fn d30_a_clock_that_is(#[case] seconds: i64, #[case] by: &str) {
    let (setting, _clock) = turned(seconds).await;
    let callback = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    let result = setting.engine.login_finish(&callback).await;
    let words = if seconds < 0 { "behind" } else { "ahead of" };
    ends(result.clone(), "login.clock_wrong", by);
    ends(result, "login.clock_wrong", words);
    nothing_gained(&setting.engine).await;
}

#[rstest]
#[case::an_old_id_token(IdTokenFault::Expired, "expired")]
#[case::an_id_token_of_the_future(IdTokenFault::IatInFuture, "in the future")]
#[tokio::test]
async fn d30_a_wrong_clock_is_no_excuse_for(#[case] fault: IdTokenFault, #[case] names: &str) {
    let (setting, _clock) = turned(600).await;
    setting
        .mock
        .fault(Endpoint::Token, FaultKind::IdToken(fault), 1);
    let callback = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    let result = setting.engine.login_finish(&callback).await;
    ends(result, "login.id_token", names);
    nothing_gained(&setting.engine).await;
}
