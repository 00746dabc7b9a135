//! Redirects that would carry a token, a code or a proof elsewhere (checklist A24, G3, H11).

use super::rogue::{Rogue, Victim, ends, foiled, json_answer, said, victim};
use rstest::rstest;
use serde_json::json;
use wiremock::ResponseTemplate;

fn to(status: u16, target: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).insert_header("Location", target)
}

async fn signed_in() -> (Rogue, Victim, Rogue, String) {
    let (rogue, victim, thief) = (Rogue::start().await, victim().await, Rogue::start().await);
    let id = rogue.sign_in(&victim.engine).await.unwrap();
    (rogue, victim, thief, id)
}

/// A search that ends badly, and the other server hears nothing of it.
async fn search_ends(
    answer: impl FnOnce(&Rogue, &Rogue) -> ResponseTemplate,
    code: &str,
    names: &str,
) {
    let (rogue, victim, thief, id) = signed_in().await;
    rogue.answer("/fhir/Condition", answer(&rogue, &thief));
    let report = victim.engine.sync(&id).await.unwrap();
    assert!(!report.complete);
    let problem = report
        .steps
        .iter()
        .find_map(|step| step.problem.clone())
        .unwrap();
    said(&problem, code, names);
    assert!(
        thief.all_requests().await.is_empty(),
        "nothing arrived there"
    );
    for request in rogue.all_requests().await {
        let path = request.url.path();
        let with_token = request.headers.contains_key("authorization");
        assert!(
            !with_token || path.starts_with("/fhir/"),
            "the token went to {path}"
        );
    }
}

#[rstest]
#[case::moved_for_good(301)]
#[case::found(302)]
#[case::see_other(303)]
#[case::for_the_moment(307)]
#[case::for_good(308)]
#[tokio::test]
async fn g3_records_that_redirect_to_another_host(#[case] status: u16) {
    let there = |_: &Rogue, thief: &Rogue| to(status, &format!("{}/fhir/Condition", thief.uri()));
    search_ends(there, "sync.foreign_link", "not followed").await;
}

#[tokio::test]
async fn g3_records_that_redirect_out_of_the_base_of_the_same_host() {
    let out = |rogue: &Rogue, _: &Rogue| to(302, &format!("{}/elsewhere", rogue.uri()));
    search_ends(out, "sync.foreign_link", "not followed").await;
}

#[tokio::test]
async fn g3_records_that_redirect_out_of_the_base_by_dots() {
    let out = |_: &Rogue, _: &Rogue| to(302, "/fhir/../elsewhere");
    search_ends(out, "sync.foreign_link", "not followed").await;
}

#[tokio::test]
async fn g3_records_that_redirect_to_a_host_with_a_name_before_the_at_sign() {
    let trick = |rogue: &Rogue, thief: &Rogue| {
        let host = thief.uri().replace("http://", "");
        let known = rogue.uri().replace("http://", "").replace(':', "%3A");
        to(302, &format!("http://{known}@{host}/fhir/Condition"))
    };
    search_ends(trick, "sync.foreign_link", "not followed").await;
}

#[tokio::test]
async fn g3_records_that_redirect_once_within_the_base_and_then_to_another_host() {
    let chain = |rogue: &Rogue, thief: &Rogue| {
        let there = format!("{}/fhir/Condition", thief.uri());
        rogue.answer("/fhir/Condition/more", to(302, &there));
        to(302, &format!("{}/fhir/Condition/more", rogue.uri()))
    };
    search_ends(chain, "sync.foreign_link", "not followed").await;
}

#[tokio::test]
async fn a24_records_that_redirect_in_a_circle() {
    let circle = |rogue: &Rogue, _: &Rogue| to(302, &format!("{}/fhir/Condition", rogue.uri()));
    search_ends(circle, "sync.foreign_link", "not followed").await;
}

#[tokio::test]
async fn g3_a_next_page_at_another_host() {
    let page = |_: &Rogue, thief: &Rogue| {
        let next = format!("{}/fhir/Condition?page=2", thief.uri());
        json_answer(
            200,
            &json!({"resourceType": "Bundle", "type": "searchset",
            "link": [{"relation": "next", "url": next}], "entry": []}),
        )
    };
    search_ends(page, "sync.foreign_link", "another").await;
}

#[rstest]
#[case::found(302)]
#[case::see_other(303)]
#[case::for_the_moment(307)]
#[case::for_good(308)]
#[tokio::test]
async fn h11_a_token_endpoint_that_redirects(#[case] status: u16) {
    let (rogue, victim, thief) = (Rogue::start().await, victim().await, Rogue::start().await);
    rogue.answer("/token", to(status, &format!("{}/token", thief.uri())));
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "network.redirected",
        "did not follow",
    )
    .await;
    assert!(
        thief.all_requests().await.is_empty(),
        "neither code nor proof got there"
    );
}

#[tokio::test]
async fn h11_a_description_that_lies_at_another_origin() {
    let (rogue, victim, thief) = (Rogue::start().await, victim().await, Rogue::start().await);
    let path = "/fhir/.well-known/smart-configuration";
    rogue.answer(path, to(302, &format!("{}{path}", thief.uri())));
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "network.redirected",
        "did not follow",
    )
    .await;
    assert!(thief.all_requests().await.is_empty());
}

#[rstest]
#[case::without_protection("http://ehr.example/fhir/.well-known/smart-configuration")]
#[case::on_this_computer("file:///etc/passwd")]
#[case::at_the_clouds_own_address("http://169.254.169.254/latest/meta-data/")]
#[tokio::test]
async fn h11_a_description_that_redirects_to_a_place(#[case] target: &str) {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    rogue.answer("/fhir/.well-known/smart-configuration", to(302, target));
    let result = rogue.sign_in(&victim.engine).await;
    foiled(
        &victim.engine,
        result,
        "network.redirected",
        "did not follow",
    )
    .await;
}

#[tokio::test]
async fn d37_a_revocation_endpoint_that_redirects_gets_no_token_to_another_host() {
    let (rogue, victim, thief, id) = signed_in().await;
    rogue.answer("/revoke", to(307, &format!("{}/revoke", thief.uri())));
    victim.engine.remove(&id).await.unwrap();
    assert!(victim.engine.connections().await.unwrap().is_empty());
    assert!(
        thief.all_requests().await.is_empty(),
        "no token arrived there"
    );
    ends(
        victim.engine.connection(&id).await,
        "record.not_found",
        "not stored",
    );
}

#[tokio::test]
async fn d20_a_refresh_that_is_redirected_loses_nothing() {
    let clock = std::sync::Arc::new(crate::world::TurnedClock::default());
    let (rogue, thief) = (Rogue::start().await, Rogue::start().await);
    let victim = super::rogue::victim_with(|options| options.clock = clock.clone()).await;
    let id = rogue.sign_in(&victim.engine).await.unwrap();
    clock.pass(290);
    rogue.answer("/token", to(307, &format!("{}/token", thief.uri())));
    for _ in 0..3 {
        let report = victim.engine.sync(&id).await.unwrap();
        said(
            &report.problem.unwrap(),
            "network.redirected",
            "did not follow",
        );
    }
    assert!(
        thief.all_requests().await.is_empty(),
        "no refresh token got there"
    );
    rogue.change(|desk| desk.answers.clear());
    let report = victim.engine.sync(&id).await.unwrap();
    assert!(report.complete, "and later it goes on: {report:?}");
}
