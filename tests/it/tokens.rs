//! Tokens: how they are renewed, what happens when an answer is lost, why access ended, and how it is
//! ended from here.

use crate::portal::Decision;
use crate::visitor::Visitor;
use crate::world::{Setting, code, setting, setting_in, setting_with_clock};
use satchel_core::view::{AccessView, ConnectionStateView, Role, ScopeGrantView};
use satchel_core::{Clock, RedirectKind, SystemClock};
use satchel_mock::population::AccountRole;
use satchel_mock::{Endpoint, FaultKind, Quirks, World};

const YEAR: i64 = 31_536_000;

fn one_person() -> World {
    World {
        patients: 1,
        ..World::default()
    }
}

async fn access(setting: &Setting, id: &str) -> AccessView {
    setting.engine.connection(id).await.unwrap().access.unwrap()
}

/// Why a sync did not get anywhere.
async fn stopped(setting: &Setting, id: &str) -> Option<String> {
    let report = setting.engine.sync(id).await.unwrap();
    report.problem.map(|problem| problem.code)
}

#[tokio::test]
async fn d29_a_token_is_renewed_a_minute_ahead_by_either_clock_and_not_before() {
    let (setting, clock) = setting_with_clock(one_person()).await;
    let id = setting.connect(setting.patient()).await;
    assert_eq!(stopped(&setting, &id).await, None);
    assert_eq!(setting.renewed(), 1, "good for an hour");
    setting.pass(&clock, 3_600 - 120);
    assert_eq!(stopped(&setting, &id).await, None);
    assert_eq!(setting.renewed(), 1, "two minutes left");
    setting.pass(&clock, 90);
    assert_eq!(stopped(&setting, &id).await, None);
    assert_eq!(setting.renewed(), 2, "half a minute left");
    clock.pass_unseen(3_590);
    assert_eq!(stopped(&setting, &id).await, None);
    assert_eq!(
        setting.renewed(),
        3,
        "the wall clock was set back meanwhile"
    );
}

#[tokio::test]
async fn d29_a_wall_clock_set_to_before_the_token_came_tells_nothing_and_the_token_is_renewed() {
    let (setting, clock) = setting_with_clock(one_person()).await;
    let id = setting.connect(setting.patient()).await;
    clock.turn(-YEAR);
    assert_eq!(stopped(&setting, &id).await, None);
    assert_eq!(setting.renewed(), 2);
}

#[tokio::test]
async fn d20_a_refresh_that_never_arrived_is_sent_again_and_nobody_notices() {
    let (setting, clock) = setting_with_clock(one_person()).await;
    let id = setting.connect(setting.patient()).await;
    setting.pass(&clock, 3_590);
    setting.mock.fault(Endpoint::Token, FaultKind::Drop, 1);
    assert!(
        stopped(&setting, &id).await.is_some(),
        "this time nothing came"
    );
    let connection = setting.engine.connection(&id).await.unwrap();
    assert_eq!(
        connection.state,
        ConnectionStateView::Connected,
        "and nothing is lost"
    );
    assert_eq!(stopped(&setting, &id).await, None);
}

#[tokio::test]
async fn d20_when_the_answer_was_lost_and_the_server_rotates_the_person_is_told_what_happened() {
    let (setting, clock) = setting_with_clock(one_person()).await;
    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();
    let before = setting.engine.connection(&id).await.unwrap().record_count;
    setting.pass(&clock, 3_590);
    setting
        .mock
        .fault(Endpoint::Token, FaultKind::LostAnswer, 1);
    assert!(stopped(&setting, &id).await.is_some());
    assert_eq!(
        stopped(&setting, &id).await.as_deref(),
        Some("access.answer_lost")
    );
    let asked = setting.asked("/auth/token");
    assert_eq!(
        stopped(&setting, &id).await.as_deref(),
        Some("access.answer_lost")
    );
    assert_eq!(setting.asked("/auth/token"), asked, "d28: no loop");
    let connection = setting.engine.connection(&id).await.unwrap();
    assert_eq!(connection.record_count, before, "d28: records stay");
    let again = setting.connect(setting.patient()).await;
    assert_eq!(again, id);
    assert_eq!(stopped(&setting, &id).await, None);
}

#[tokio::test]
async fn d20_a_second_lost_answer_is_not_followed_by_a_third_try() {
    let (setting, clock) = setting_with_clock(one_person()).await;
    let id = setting.connect(setting.patient()).await;
    setting.pass(&clock, 3_590);
    setting.mock.fault(Endpoint::Token, FaultKind::Drop, 2);
    assert!(stopped(&setting, &id).await.is_some());
    assert!(stopped(&setting, &id).await.is_some());
    let asked = setting.asked("/auth/token");
    assert_eq!(
        stopped(&setting, &id).await.as_deref(),
        Some("access.answer_lost")
    );
    assert_eq!(setting.asked("/auth/token"), asked);
}

#[tokio::test]
async fn d20_a_server_that_says_no_in_clear_is_not_counted_as_lost() {
    let (setting, clock) = setting_with_clock(one_person()).await;
    let id = setting.connect(setting.patient()).await;
    setting.pass(&clock, 3_590);
    let busy = FaultKind::TokenError {
        error: "temporarily_unavailable".into(),
        status: 400,
    };
    setting.mock.fault(Endpoint::Token, busy, 3);
    for _ in 0..3 {
        assert_eq!(
            stopped(&setting, &id).await.as_deref(),
            Some("token.refused")
        );
    }
    assert_eq!(stopped(&setting, &id).await, None);
}

#[tokio::test]
async fn d39_each_end_of_access_is_told_apart_and_the_way_back_leads_there() {
    let setting = setting().await;
    let patient = setting.patient().clone();
    let id = setting.connect(&patient).await;
    setting.engine.sync(&id).await.unwrap();
    let before = setting.engine.connection(&id).await.unwrap().record_count;
    let issuer = setting.mock.issuer().to_owned();
    let person = Visitor::sign_in(&issuer, &patient).await;
    let home = person.home().await;
    let client = home.split("data-client=\"").nth(1).unwrap();
    let client = client.split('"').next().unwrap().to_owned();

    person
        .press("/apps", &[("client_id", &client), ("action", "off")])
        .await;
    assert_eq!(
        stopped(&setting, &id).await.as_deref(),
        Some("access.switched_off")
    );
    let connection = setting.engine.connection(&id).await.unwrap();
    assert_eq!(connection.record_count, before);
    assert_eq!(connection.access, None);

    let admin = setting
        .mock
        .accounts()
        .iter()
        .find(|one| one.role == AccountRole::Administrator);
    let admin = admin.unwrap().clone();
    let practice = Visitor::sign_in(&issuer, &admin).await;
    practice
        .press("/practice", &[("client_id", &client), ("action", "refuse")])
        .await;
    assert_eq!(
        again(&setting, &id, Decision::Approve).await.as_deref(),
        Some("access.not_approved")
    );
    let connection = setting.engine.connection(&id).await.unwrap();
    assert_eq!(connection.problem.unwrap().code, "access.not_approved");

    practice
        .press(
            "/practice",
            &[("client_id", &client), ("action", "approve")],
        )
        .await;
    assert_eq!(
        again(&setting, &id, Decision::Deny).await.as_deref(),
        Some("login.denied")
    );
    let connection = setting.engine.connection(&id).await.unwrap();
    assert_eq!(connection.problem.unwrap().code, "access.denied");

    assert_eq!(again(&setting, &id, Decision::Approve).await, None);
    assert_eq!(stopped(&setting, &id).await, None);

    let gone = FaultKind::TokenError {
        error: "invalid_client".into(),
        status: 401,
    };
    let unauthorized = FaultKind::Status {
        status: 401,
        body: String::new(),
        content_type: String::new(),
    };
    setting.mock.fault(Endpoint::Token, gone, 1);
    setting.mock.fault(Endpoint::Fhir, unauthorized, 1);
    assert_eq!(
        stopped(&setting, &id).await.as_deref(),
        Some("access.registration_gone")
    );
    assert_eq!(again(&setting, &id, Decision::Approve).await, None);
}

/// Signs in again; gives the problem, if there is one.
async fn again(setting: &Setting, id: &str, decision: Decision) -> Option<String> {
    let login = setting
        .engine
        .login_reconnect(id, RedirectKind::Scheme, None)
        .await
        .unwrap();
    let account = setting.patient();
    let address = &login.view.authorization_url;
    let callback = crate::portal::sign_in(
        address,
        &account.username,
        &account.password,
        None,
        decision,
    )
    .await;
    let finished = setting.engine.login_finish(&callback).await;
    finished.err().map(|problem| problem.code.code().to_owned())
}

#[tokio::test]
async fn e12_a_year_long_token_without_refresh_is_shown_as_that_and_only_the_server_ends_it() {
    let world = World {
        patients: 1,
        token_lifetime_seconds: YEAR,
        quirks: Quirks::shipped().unwrap().remove("ecw").unwrap(),
        ..World::default()
    };
    let (setting, clock) = setting_with_clock(world).await;
    let id = setting.connect(setting.patient()).await;
    let shown = access(&setting, &id).await;
    assert!(shown.long_lived && !shown.renewable, "{shown:?}");
    let end: jiff::Timestamp = shown.expires_at.parse().unwrap();
    let begin: jiff::Timestamp = shown.obtained_at.unwrap().parse().unwrap();
    assert_eq!(
        shown.long_lived,
        end.as_second() - begin.as_second() > 3_600
    );
    for turn in [2 * YEAR, -4 * YEAR] {
        clock.turn(turn);
        assert_eq!(
            stopped(&setting, &id).await,
            None,
            "a wrong clock ends nothing: {turn}"
        );
    }
    assert_eq!(setting.asked("/auth/token"), 1, "never refreshed");
    setting.mock.turn_clock(2 * YEAR);
    assert_eq!(
        stopped(&setting, &id).await.as_deref(),
        Some("access.expired")
    );
}

#[tokio::test]
async fn d33_a_provider_is_named_beside_the_patient_and_a_patient_is_themselves() {
    let setting = setting().await;
    let provider = setting
        .mock
        .accounts()
        .iter()
        .find(|one| one.role == AccountRole::Provider);
    let provider = provider.unwrap().clone();
    let id = setting.connect(&provider).await;
    let before = setting
        .engine
        .connection(&id)
        .await
        .unwrap()
        .signed_in_as
        .unwrap();
    assert_eq!(
        (before.resource_type.as_str(), before.is_patient),
        ("Practitioner", false)
    );
    setting.engine.sync(&id).await.unwrap();
    let connection = setting.engine.connection(&id).await.unwrap();
    let who = connection.signed_in_as.unwrap();
    let name = who.name.unwrap();
    let family = provider.display_name.split(' ').next_back().unwrap();
    assert!(name.contains(family), "{name} / {}", provider.display_name);
    assert_ne!(Some(name), connection.patient_name);
    assert_eq!(connection.role, Role::Provider);

    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();
    let connection = setting.engine.connection(&id).await.unwrap();
    let who = connection.signed_in_as.unwrap();
    assert!(who.is_patient);
    assert_eq!(who.name, connection.patient_name);
}

#[tokio::test]
async fn d36_the_server_is_asked_whether_access_is_on() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    let told = setting.engine.access_check(&id).await.unwrap();
    assert_eq!(told.active, Some(true));
    assert!(told.expires_at.is_some());
    setting.mock.set_access(false);
    assert_eq!(code(setting.engine.access_check(&id).await), "access.ended");
    let connection = setting.engine.connection(&id).await.unwrap();
    assert_eq!(connection.state, ConnectionStateView::AccessLost);
}

#[tokio::test]
async fn d38_a_removal_while_the_server_is_away_ends_the_access_later() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();
    let token = setting.mock.tokens().remove(0);
    let away = |times| setting.mock.fault(Endpoint::Revoke, FaultKind::Drop, times);
    away(1);
    setting.engine.remove(&id).await.unwrap();
    assert!(
        setting.engine.connections().await.unwrap().is_empty(),
        "gone from here at once"
    );
    let waits = |hint: &'static str| {
        let (keychain, id) = (setting.keychain(), id.clone());
        async move { keychain.get(&format!("revoke/{id}/{hint}")).await.unwrap() }
    };
    assert!(waits("refresh_token").await.is_some() && waits("access_token").await.is_some());
    assert!(
        still_good(&setting, &token).await,
        "the server knows of nothing yet"
    );
    away(2);
    assert_eq!(
        setting.engine.revocations_retry().await.unwrap(),
        2,
        "still away"
    );
    assert_eq!(setting.engine.revocations_retry().await.unwrap(), 0);
    assert!(waits("refresh_token").await.is_none() && waits("access_token").await.is_none());
    assert!(!still_good(&setting, &token).await);
    let deleted = setting
        .mock
        .requests()
        .into_iter()
        .any(|one| one.method == "DELETE" && one.path.starts_with("/auth/register/"));
    assert!(deleted, "and the registration goes last");
}

async fn still_good(setting: &Setting, token: &str) -> bool {
    let request = reqwest::Client::new().get(format!("{}/Patient", setting.mock.fhir_base()));
    request.bearer_auth(token).send().await.unwrap().status() != 401
}

#[tokio::test]
async fn d37_a_server_that_will_not_revoke_does_not_keep_a_connection_here() {
    let setting = setting_in(one_person()).await;
    let id = setting.connect(setting.patient()).await;
    let refuses = FaultKind::Status {
        status: 400,
        body: r#"{"error":"unsupported_token_type"}"#.into(),
        content_type: "application/json".into(),
    };
    setting.mock.fault(Endpoint::Revoke, refuses, 1);
    setting.engine.remove(&id).await.unwrap();
    assert_eq!(setting.asked("/auth/revoke"), 2, "the other token is tried");
    assert_eq!(
        setting.engine.revocations_retry().await.unwrap(),
        0,
        "and nothing waits"
    );
}

#[tokio::test]
async fn d16_a_refresh_token_counts_although_offline_access_is_not_among_the_granted_scopes() {
    let world = World {
        quirks: Quirks::shipped().unwrap().remove("epic").unwrap(),
        ..one_person()
    };
    let (setting, clock) = setting_with_clock(world).await;
    let id = setting.connect(setting.patient()).await;
    let shown = access(&setting, &id).await;
    let offline = shown
        .scopes
        .iter()
        .find(|one| one.scope == "offline_access");
    assert_eq!(offline.unwrap().granted, ScopeGrantView::Whole);
    assert!(shown.renewable);
    setting.pass(&clock, 3_590);
    assert_eq!(stopped(&setting, &id).await, None);
    assert_eq!(setting.renewed(), 2);
}

#[tokio::test]
async fn d32_who_signed_in_is_known_from_a_relative_reference_as_from_an_absolute_one() {
    let relative = Quirks::shipped().unwrap().remove("ecw").unwrap();
    for quirks in [Quirks::default(), relative] {
        let world = World {
            quirks,
            ..one_person()
        };
        let setting = setting_in(world).await;
        let id = setting.connect(setting.patient()).await;
        let connection = setting.engine.connection(&id).await.unwrap();
        let who = connection.signed_in_as.unwrap();
        assert_eq!(
            (who.resource_type.as_str(), who.is_patient),
            ("Patient", true)
        );
    }
}

#[tokio::test]
async fn c4_a_login_that_comes_back_after_ten_minutes_is_too_late_and_leaves_nothing() {
    let (setting, clock) = setting_with_clock(one_person()).await;
    let callback = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    clock.pass(601);
    assert_eq!(
        code(setting.engine.login_finish(&callback).await),
        "login.expired"
    );
    assert_eq!(setting.asked("/auth/token"), 0);
    let connections = setting.engine.connections().await.unwrap();
    assert_eq!(connections[0].state, ConnectionStateView::New);
    assert!(setting.engine.logins_pending().await.unwrap().is_empty());
}

#[tokio::test]
async fn c4_a_login_whose_browser_was_closed_lapses_by_itself() {
    let (mut setting, _clock) = setting_with_clock(one_person()).await;
    let base = setting.mock.fhir_base().to_owned();
    let begun = setting
        .engine
        .login_start(&base, Role::Patient, RedirectKind::Scheme, None)
        .await;
    let expires: jiff::Timestamp = begun.unwrap().view.expires_at.parse().unwrap();
    assert!(expires.duration_since(SystemClock.now()).as_secs() <= 600);
    setting.restart().await;
    assert_eq!(
        setting.engine.logins_pending().await.unwrap().len(),
        1,
        "the app may be closed meanwhile"
    );
    setting.restart_later(700).await;
    assert!(setting.engine.logins_pending().await.unwrap().is_empty());
    let connections = setting.engine.connections().await.unwrap();
    assert_eq!(connections[0].state, ConnectionStateView::New);
}
