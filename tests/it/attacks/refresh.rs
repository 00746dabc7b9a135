//! A renewed sign-in that is not the one that was renewed (checklist D12, D14, D25, D34).

use super::rogue::{Desk, Rogue, Victim, said, victim_with};
use crate::world::TurnedClock;
use rstest::rstest;
use satchel_core::view::ConnectionStateView;
use serde_json::{Value, json};
use std::sync::Arc;

/// Signed in, and the access token has ended.
async fn due(change: impl FnOnce(&mut Desk)) -> (Rogue, Victim, String) {
    let clock = Arc::new(TurnedClock::default());
    let rogue = Rogue::start().await;
    let victim = victim_with(|options| options.clock = clock.clone()).await;
    let id = rogue.sign_in(&victim.engine).await.unwrap();
    clock.pass(290);
    rogue.change(change);
    (rogue, victim, id)
}

async fn used(rogue: &Rogue, token: &str) -> bool {
    let bearer = format!("Bearer {token}");
    let all = rogue.all_requests().await;
    all.iter().any(|one| {
        one.headers
            .get("authorization")
            .is_some_and(|value| value == &bearer)
    })
}

#[rstest]
#[case::for_another_person(json!({}), json!({"sub": "person-2"}))]
#[case::by_another_issuer(json!({}), json!({"iss": "https://other.example"}))]
#[case::for_another_app(json!({}), json!({"aud": "another-app"}))]
#[case::for_another_patient(json!({"patient": "p2"}), json!({}))]
#[tokio::test]
async fn d34_a_sign_in_that_is_renewed(#[case] tokens: Value, #[case] claims: Value) {
    let (rogue, victim, id) = due(|desk| {
        desk.tokens = tokens;
        desk.tokens["access_token"] = "another-token".into();
        desk.claims = claims;
    })
    .await;
    let report = victim.engine.sync(&id).await.unwrap();
    said(
        &report.problem.unwrap(),
        "access.other_person",
        "another person or another app",
    );
    let connection = victim.engine.connection(&id).await.unwrap();
    assert_eq!(connection.state, ConnectionStateView::AccessLost);
    assert!(
        !used(&rogue, "another-token").await,
        "the new token was not used"
    );
}

#[tokio::test]
async fn d25_a_renewed_sign_in_that_may_more_than_the_person_allowed() {
    let (rogue, victim, id) = due(|desk| {
        desk.tokens = json!({"scope": "launch/patient openid fhirUser offline_access patient/*.cruds user/*.cruds",
            "access_token": "wider-token"});
    })
    .await;
    let before = victim.engine.connection(&id).await.unwrap().access.unwrap();
    let report = victim.engine.sync(&id).await.unwrap();
    assert!(report.complete, "what was allowed is read: {report:?}");
    let after = victim.engine.connection(&id).await.unwrap().access.unwrap();
    assert_eq!(after.scopes, before.scopes, "nothing more is taken");
    assert!(used(&rogue, "wider-token").await);
}

#[rstest]
#[case::is_of_another_type(json!({"token_type": "DPoP"}), "token_type")]
#[case::has_a_header_of_its_own(json!({"access_token": "a\r\nX-Evil: 1"}), "access_token")]
#[tokio::test]
async fn d12_a_renewed_token_that(#[case] tokens: Value, #[case] names: &str) {
    let (rogue, victim, id) = due(|desk| desk.tokens = tokens).await;
    let report = victim.engine.sync(&id).await.unwrap();
    said(&report.problem.unwrap(), "token.bad_answer", names);
    assert!(
        rogue.asked("/fhir/Condition").await.is_empty(),
        "nothing was read with it"
    );
}
