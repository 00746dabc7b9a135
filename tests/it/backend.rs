//! The backend service: tokens of any length, renewed and ended as if they were short; apart from
//! people's own records.

use crate::world::{Setting, code, setting, setting_with_clock};
use satchel_core::view::{AccessView, ConnectionStateView, Role};
use satchel_core::{AssertionAudience, RedirectKind};
use satchel_mock::{Endpoint, FaultKind, Leniency, World};

const YEAR: i64 = 31_536_000;

fn world(lifetime: i64) -> World {
    World {
        patients: 1,
        token_lifetime_seconds: lifetime,
        ..World::default()
    }
}

async fn connect(setting: &Setting) -> String {
    setting
        .engine
        .connect_backend(setting.mock.fhir_base())
        .await
        .unwrap()
}

async fn access(setting: &Setting, id: &str) -> AccessView {
    setting.engine.connection(id).await.unwrap().access.unwrap()
}

async fn stopped(setting: &Setting, id: &str) -> Option<String> {
    let report = setting.engine.sync(id).await.unwrap();
    report.problem.map(|problem| problem.code)
}

async fn still_good(setting: &Setting, token: &str) -> bool {
    let request = reqwest::Client::new().get(format!("{}/Patient", setting.mock.fhir_base()));
    request.bearer_auth(token).send().await.unwrap().status() != 401
}

#[tokio::test]
async fn e8_a_token_is_asked_for_again_when_less_than_a_minute_remains() {
    let (setting, clock) = setting_with_clock(world(300)).await;
    let id = connect(&setting).await;
    assert_eq!(stopped(&setting, &id).await, None);
    assert_eq!(setting.renewed(), 1);
    setting.pass(&clock, 250);
    assert_eq!(stopped(&setting, &id).await, None);
    assert_eq!(setting.renewed(), 2);
}

#[tokio::test]
async fn e8_a_job_survives_the_end_of_its_token_on_the_way() {
    let (setting, _clock) = setting_with_clock(world(300)).await;
    let id = connect(&setting).await;
    let ended = FaultKind::Status {
        status: 401,
        body: String::new(),
        content_type: String::new(),
    };
    setting.mock.fault(Endpoint::Fhir, ended, 1);
    assert_eq!(
        stopped(&setting, &id).await,
        None,
        "a 401 on the way, and a new token"
    );
    assert_eq!(setting.renewed(), 2);
    let report = setting
        .engine
        .connection(&id)
        .await
        .unwrap()
        .last_sync
        .unwrap();
    assert!(report.complete, "{report:?}");
}

#[tokio::test]
async fn e9_e10_e11_a_year_is_written_down_but_used_for_a_day_and_then_given_back() {
    let (setting, clock) = setting_with_clock(world(YEAR)).await;
    let id = connect(&setting).await;
    let shown = access(&setting, &id).await;
    assert!(shown.long_lived && shown.renewable);
    let end: jiff::Timestamp = shown.expires_at.parse().unwrap();
    let begin: jiff::Timestamp = shown.obtained_at.unwrap().parse().unwrap();
    assert!((end.as_second() - begin.as_second() - YEAR).abs() < 60);
    let old = setting.mock.tokens().remove(0);
    setting.pass(&clock, 86_000);
    assert_eq!(stopped(&setting, &id).await, None);
    assert_eq!(setting.renewed(), 1, "the same for a day");
    setting.pass(&clock, 1_000);
    assert_eq!(stopped(&setting, &id).await, None);
    assert_eq!(setting.renewed(), 2, "however good the old one still is");
    assert!(!still_good(&setting, &old).await, "it was revoked");
    assert!(access(&setting, &id).await.superseded.is_empty());
}

#[tokio::test]
async fn e11_a_token_that_could_not_be_given_back_is_listed_without_itself() {
    let (setting, clock) = setting_with_clock(world(YEAR)).await;
    let id = connect(&setting).await;
    let old = setting.mock.tokens().remove(0);
    setting.pass(&clock, 87_000);
    setting.mock.fault(Endpoint::Revoke, FaultKind::Drop, 1);
    assert_eq!(stopped(&setting, &id).await, None);
    assert!(still_good(&setting, &old).await);
    let listed = access(&setting, &id).await.superseded;
    assert_eq!(listed.len(), 1);
    let hash: String = <sha2::Sha256 as sha2::Digest>::digest(old.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(listed[0].sha256, hash);
    assert!(listed[0].expires_at.parse::<jiff::Timestamp>().is_ok());
    setting.pass(&clock, u32::try_from(YEAR).unwrap());
    assert_eq!(stopped(&setting, &id).await, None);
    let listed = access(&setting, &id).await.superseded;
    assert!(
        listed.iter().all(|one| one.sha256 != hash),
        "what has ended is forgotten"
    );
}

#[tokio::test]
async fn e12_a_clock_set_by_a_year_neither_kills_nor_revives_a_token() {
    let (setting, clock) = setting_with_clock(world(YEAR)).await;
    let id = connect(&setting).await;
    for turn in [-2 * YEAR, 4 * YEAR, -2 * YEAR] {
        clock.turn(turn);
        // Assertions are signed by the server's clock after its first refusal (checklist D6).
        assert_eq!(stopped(&setting, &id).await, None, "{turn}");
        assert_eq!(
            setting.engine.connection(&id).await.unwrap().state,
            ConnectionStateView::Connected
        );
    }
}

#[tokio::test]
async fn e13_a_year_long_token_stops_when_the_practice_says_no_after_one_more_request() {
    let (setting, _clock) = setting_with_clock(world(YEAR)).await;
    let id = connect(&setting).await;
    assert_eq!(stopped(&setting, &id).await, None);
    let asked = setting.asked("/auth/token");
    setting.mock.set_access(false);
    assert_eq!(
        stopped(&setting, &id).await.as_deref(),
        Some("access.refused")
    );
    assert_eq!(setting.asked("/auth/token"), asked + 1, "one re-request");
    assert_eq!(
        stopped(&setting, &id).await.as_deref(),
        Some("access.refused")
    );
    assert_eq!(setting.asked("/auth/token"), asked + 1, "and no more");
    let connection = setting.engine.connection(&id).await.unwrap();
    assert!(connection.record_count > 0, "what is stored stays");
}

#[tokio::test]
async fn e15_a_service_and_people_do_not_share_a_profile() {
    let people = setting().await;
    people.connect(people.patient()).await;
    let base = people.mock.fhir_base();
    assert_eq!(
        code(people.engine.connect_backend(base).await),
        "access.separate_profile"
    );
    let service = setting().await;
    connect(&service).await;
    for role in [Role::Patient, Role::Provider] {
        let begun = service
            .engine
            .login_start(service.mock.fhir_base(), role, RedirectKind::Scheme, None)
            .await;
        assert_eq!(code(begun), "access.separate_profile");
    }
    assert_eq!(service.engine.connections().await.unwrap().len(), 1);
}

#[tokio::test]
async fn d9_a_server_that_wants_its_issuer_as_the_audience_is_told_apart_by_a_setting() {
    let mut world = world(300);
    world.lenient = vec![Leniency::AssertionForIssuer];
    let (setting, clock) = setting_with_clock(world).await;
    let base = setting.mock.fhir_base().to_owned();
    setting
        .engine
        .set_assertion_audience(&base, AssertionAudience::Issuer)
        .await
        .unwrap();
    let id = connect(&setting).await;
    setting.pass(&clock, 290);
    assert_eq!(stopped(&setting, &id).await, None);
    let (strict, _) = setting_with_clock(self::world(300)).await;
    let base = strict.mock.fhir_base().to_owned();
    strict
        .engine
        .set_assertion_audience(&base, AssertionAudience::Issuer)
        .await
        .unwrap();
    assert_eq!(
        code(strict.engine.connect_backend(&base).await),
        "token.refused"
    );
    strict
        .engine
        .set_assertion_audience(&base, AssertionAudience::TokenEndpoint)
        .await
        .unwrap();
    connect(&strict).await;
}

#[tokio::test]
async fn e7_an_organisation_hosts_its_services_keys_where_it_can() {
    let organisation = wiremock::MockServer::start().await;
    let identity = satchel_core::AppIdentity {
        jwks_uri: Some(format!("{}/keys", organisation.uri())),
        ..satchel_core::AppIdentity::default()
    };
    let mock = satchel_mock::MockServer::start(world(300)).await.unwrap();
    let profile = tempfile::TempDir::new().unwrap();
    let mut options = satchel_core::EngineOptions::new(profile.path());
    options.identity = identity;
    let engine = satchel_core::Engine::open(options).await.unwrap();
    // The key is made at registration; until it is published the server knows none.
    let early = engine.connect_backend(mock.fhir_base()).await;
    assert!(early.is_err(), "{early:?}");
    let set = engine.public_keys().await.unwrap();
    assert!(
        set.contains("\"kid\"") && !set.contains("\"d\""),
        "public halves only"
    );
    let answer = wiremock::ResponseTemplate::new(200).set_body_raw(set, "application/json");
    wiremock::Mock::given(wiremock::matchers::path("/keys"))
        .respond_with(answer)
        .mount(&organisation)
        .await;
    mock.turn_clock(61);
    engine.connect_backend(mock.fhir_base()).await.unwrap();
    let registered = &mock.clients()[0];
    assert!(registered.to_string().contains("/keys"), "{registered}");
    assert_eq!(mock.clients().len(), 1, "registered once");
}
