//! The authorization request, and everything that may come back.

use crate::support::{FrozenClock, REDIRECT, SeededRandom, Server, query};
use proptest::prelude::*;
use satchel_smart::SystemRandom;
use satchel_smart::authorization::{
    AuthorizationCode, AuthorizationError, CallbackError, PendingAuthorization, StoredPending,
    callback_state,
};
use std::collections::HashSet;

/// The callback with these parameters after the right state.
async fn accept(parameters: &str) -> Result<AuthorizationCode, CallbackError> {
    let (server, clock) = (Server::start().await, FrozenClock::new());
    let (sent, pending) = server.login(&clock);
    pending.accept(
        &format!("{REDIRECT}?state={}&{parameters}", sent["state"]),
        &clock,
    )
}

#[tokio::test]
async fn c1_c2_c8_c9_the_request_has_all_that_smart_wants_and_no_launch() {
    let (server, clock) = (Server::start().await, FrozenClock::new());
    let (url, pending) = server
        .request()
        .start(&clock, &SeededRandom::new())
        .unwrap();
    let sent = query(&url);
    assert!(url.as_str().starts_with(server.url("/authorize").as_str()));
    assert_eq!(sent["response_type"], "code");
    assert_eq!(sent["client_id"], "client-1");
    assert_eq!(sent["redirect_uri"], REDIRECT);
    assert_eq!(
        sent["scope"],
        "launch/patient openid fhirUser patient/Condition.rs"
    );
    assert_eq!(sent["aud"], server.base.as_str());
    assert_eq!(sent["code_challenge_method"], "S256");
    assert_eq!(sent["code_challenge"].len(), 43);
    assert_eq!(sent["state"], pending.state());
    assert!(sent["nonce"].len() >= 22 && sent["nonce"] != sent["state"]);
    let names: HashSet<_> = sent.keys().map(String::as_str).collect();
    assert_eq!(names.len(), url.query_pairs().count(), "none twice");
    assert!(!names.contains("launch") && !names.contains("max_age"));
}

#[tokio::test]
async fn c4_c5_state_nonce_and_challenge_are_new_each_time() {
    let (server, clock) = (Server::start().await, FrozenClock::new());
    let mut seen = HashSet::new();
    for _ in 0..50 {
        let (url, _) = server.request().start(&clock, &SystemRandom).unwrap();
        let sent = query(&url);
        for name in ["state", "nonce", "code_challenge"] {
            assert_eq!(sent[name].len(), 43, "256 bits");
            assert!(seen.insert(sent[name].clone()));
        }
    }
}

#[tokio::test]
async fn c8_no_nonce_without_openid_and_c10_launch_is_passed_on_unchanged() {
    let (server, clock) = (Server::start().await, FrozenClock::new());
    let mut request = server.request();
    request.scope = "launch patient/*.rs".into();
    request.launch = Some("a b/+&=é".into());
    let sent = query(&request.start(&clock, &SystemRandom).unwrap().0);
    assert!(!sent.contains_key("nonce"));
    assert_eq!(sent["launch"], "a b/+&=é");
}

#[tokio::test]
async fn c14_a_granular_scope_arrives_byte_for_byte() {
    let (server, clock) = (Server::start().await, FrozenClock::new());
    let scope = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
    let mut request = server.request();
    request.scope = scope.into();
    assert_eq!(
        query(&request.start(&clock, &SystemRandom).unwrap().0)["scope"],
        scope
    );
}

#[tokio::test]
async fn c23_the_endpoints_own_query_is_kept_and_must_not_be_ours() {
    let (server, clock) = (Server::start().await, FrozenClock::new());
    let mut request = server.request();
    request.configuration.authorization_endpoint = Some(server.url("/authorize?tenant=a%20b"));
    let sent = query(&request.start(&clock, &SystemRandom).unwrap().0);
    assert_eq!(
        (sent["tenant"].as_str(), sent["response_type"].as_str()),
        ("a b", "code")
    );
    for ours in ["state", "aud", "code_challenge", "redirect_uri"] {
        let mut request = server.request();
        request.configuration.authorization_endpoint =
            Some(server.url(&format!("/authorize?{ours}=x")));
        let refused = request.start(&clock, &SystemRandom).unwrap_err();
        assert_eq!(
            refused,
            AuthorizationError::EndpointHasParameter(ours.into())
        );
    }
}

#[tokio::test]
async fn a6_c15_what_must_not_be_sent_is_not() {
    let (server, clock) = (Server::start().await, FrozenClock::new());
    let start = |change: fn(&mut satchel_smart::authorization::AuthorizationRequest)| {
        let mut request = server.request();
        change(&mut request);
        request.start(&clock, &SystemRandom).unwrap_err()
    };
    assert_eq!(
        start(|r| r.configuration.code_challenge_methods.clear()),
        AuthorizationError::PkceS256NotSupported
    );
    assert_eq!(
        start(|r| r.configuration.authorization_endpoint = None),
        AuthorizationError::NoAuthorizationEndpoint
    );
    assert_eq!(
        start(|r| r.scope = "openid \"x\"".into()),
        AuthorizationError::InvalidScope
    );
    assert_eq!(
        start(|r| r.redirect_uri = "nowhere".into()),
        AuthorizationError::InvalidRedirectUri
    );
}

#[tokio::test]
async fn c31_a_good_answer_is_accepted_with_unknown_parameters_ignored() {
    assert!(accept("code=abc&session_state=x&foo=1&foo=2").await.is_ok());
    assert!(accept("code=abc#_=_").await.is_ok());
}

#[tokio::test]
async fn c31_a_parameter_twice_is_refused() {
    for (twice, name) in [
        ("code=a&code=b", "code"),
        ("code=a&state=x", "state"),
        ("code=a&iss=x&iss=x", "iss"),
        ("error=a&error=a", "error"),
    ] {
        assert_eq!(
            accept(twice).await.unwrap_err(),
            CallbackError::DuplicateParameter(name)
        );
    }
}

#[tokio::test]
async fn c31_c33_only_the_exact_redirect_uri_counts() {
    let (server, clock) = (Server::start().await, FrozenClock::new());
    for address in [
        "org.satchel.app:/callback/abd",
        "org.satchel.app:/callback/abc/",
        "org.satchel.app://callback/abc",
        "org.satchel.app:/Callback/abc",
        "com.evil.app:/callback/abc",
        "https://app.satchel.example/callback/abc",
        "http://127.0.0.1:1/callback/abc",
    ] {
        let (sent, pending) = server.login(&clock);
        let callback = format!("{address}?code=abc&state={}", sent["state"]);
        assert_eq!(
            pending.accept(&callback, &clock).unwrap_err(),
            CallbackError::WrongRedirect,
            "{address}"
        );
    }
}

#[tokio::test]
async fn c28_a_loopback_answer_must_come_to_the_port_of_the_login() {
    let (server, clock) = (Server::start().await, FrozenClock::new());
    for (port, accepted) in [(4711, true), (4712, false)] {
        let mut request = server.request();
        request.redirect_uri = "http://127.0.0.1:4711/callback/abc".into();
        let (_, pending) = request.start(&clock, &SystemRandom).unwrap();
        let callback = format!(
            "http://127.0.0.1:{port}/callback/abc?code=abc&state={}",
            pending.state()
        );
        assert_eq!(
            pending.accept(&callback, &clock).is_ok(),
            accepted,
            "{port}"
        );
    }
}

#[tokio::test]
async fn c4_another_state_none_and_a_state_of_another_login_are_refused() {
    let (server, clock) = (Server::start().await, FrozenClock::new());
    let accept = |state: &str| {
        let (_, pending) = server.login(&clock);
        pending
            .accept(&format!("{REDIRECT}?code=abc{state}"), &clock)
            .unwrap_err()
    };
    let other = server
        .request()
        .start(&clock, &SystemRandom)
        .unwrap()
        .1
        .state()
        .to_owned();
    assert_eq!(
        accept(&format!("&state={other}")),
        CallbackError::StateMismatch
    );
    assert_eq!(accept("&state="), CallbackError::StateMismatch);
    assert_eq!(accept(""), CallbackError::MissingState);
}

#[tokio::test]
async fn c4_the_state_is_checked_before_an_error_is_believed() {
    let (server, clock) = (Server::start().await, FrozenClock::new());
    let (_, pending) = server.login(&clock);
    let refused = pending
        .accept(
            &format!("{REDIRECT}?error=access_denied&state=forged"),
            &clock,
        )
        .unwrap_err();
    assert_eq!(refused, CallbackError::StateMismatch);
}

#[tokio::test]
async fn c4_ten_minutes_and_no_more() {
    let server = Server::start().await;
    for (seconds, accepted) in [(600, true), (601, false), (86_400, false)] {
        let clock = FrozenClock::new();
        let (sent, pending) = server.login(&clock);
        clock.advance(seconds);
        let answer = pending.accept(
            &format!("{REDIRECT}?code=abc&state={}", sent["state"]),
            &clock,
        );
        match answer {
            Ok(_) => assert!(accepted, "{seconds}"),
            Err(error) => assert!(!accepted && error == CallbackError::Expired, "{seconds}"),
        }
    }
}

#[tokio::test]
async fn c34_c35_iss_in_the_response_must_equal_the_issuer() {
    let (server, clock) = (Server::start().await, FrozenClock::new());
    let issuer = server.base.as_str();
    let slash = format!("{issuer}/");
    for (promised, known, iss, accepted) in [
        (false, true, Some(issuer), true),
        (false, true, None, true),
        (false, true, Some("https://evil.example"), false),
        (false, true, Some(slash.as_str()), false),
        (true, true, Some(issuer), true),
        (true, true, None, false),
        (false, false, Some(slash.as_str()), true),
        (false, false, Some("https://whoever.example"), false),
        (true, false, Some("https://whoever.example"), false),
    ] {
        for answer in ["code=abc", "error=access_denied"] {
            let mut request = server.request();
            request.configuration.iss_parameter_supported = promised;
            if !known {
                request.configuration.issuer = None;
            }
            let (_, pending) = request.start(&clock, &SystemRandom).unwrap();
            let mut callback =
                url::Url::parse(&format!("{REDIRECT}?{answer}&state={}", pending.state())).unwrap();
            if let Some(iss) = iss {
                callback.query_pairs_mut().append_pair("iss", iss);
            }
            let refused = matches!(
                pending.accept(callback.as_str(), &clock),
                Err(CallbackError::IssuerMismatch { .. })
            );
            assert_eq!(refused, !accepted, "{promised} {known} {iss:?} {answer}");
        }
    }
}

#[tokio::test]
async fn c36_c37_errors_of_the_authorization_endpoint() {
    let denied = accept("error=access_denied&error_description=Not%0Aactivated%E2%80%AE")
        .await
        .unwrap_err();
    assert_eq!(
        denied,
        CallbackError::Denied {
            description: Some("Not activated".into())
        }
    );
    for code in [
        "invalid_scope",
        "unauthorized_client",
        "invalid_request",
        "unsupported_response_type",
        "server_error",
        "temporarily_unavailable",
        "login_required",
        "interaction_required",
        "consent_required",
        "account_selection_required",
        "something_new",
    ] {
        let refused = accept(&format!("error={code}")).await.unwrap_err();
        assert_eq!(
            refused,
            CallbackError::ServerError {
                code: code.into(),
                description: None
            }
        );
    }
    let both = accept("code=abc&error=server_error").await.unwrap_err();
    assert!(matches!(both, CallbackError::ServerError { .. }));
    let long = accept(&format!("error=x&error_description={}", "y".repeat(7000)))
        .await
        .unwrap_err();
    assert!(
        matches!(long, CallbackError::ServerError { description: Some(text), .. } if text.len() == 500)
    );
}

#[tokio::test]
async fn c37_neither_code_nor_error_is_malformed_and_so_is_a_fragment_response() {
    for parameters in [
        "",
        "foo=1",
        "code=",
        "#code=abc",
        "code=a%00b",
        "code=%F0%9F%98%80",
    ] {
        assert!(
            matches!(accept(parameters).await, Err(CallbackError::Malformed(_))),
            "{parameters}"
        );
    }
}

#[tokio::test]
async fn a_deep_link_with_garbage_or_a_megabyte_is_refused_before_anything_is_looked_up() {
    let megabyte = format!("{REDIRECT}?state={}", "x".repeat(1_000_000));
    assert_eq!(callback_state(&megabyte), Err(CallbackError::TooLong));
    for garbage in [
        "",
        "garbage",
        "::::",
        "\u{0}\u{1}",
        "/callback?state=x",
        "?state=x",
    ] {
        assert!(
            matches!(callback_state(garbage), Err(CallbackError::Malformed(_))),
            "{garbage:?}"
        );
    }
    for none in [
        REDIRECT,
        "org.satchel.app:/x?code=1",
        "org.satchel.app:/x?state=",
    ] {
        assert_eq!(
            callback_state(none),
            Err(CallbackError::MissingState),
            "{none}"
        );
    }
    assert_eq!(
        callback_state("a:/x?state=1&state=2"),
        Err(CallbackError::DuplicateParameter("state"))
    );
    assert_eq!(
        callback_state("a:/x?state=a%2Bb&code=1").as_deref(),
        Ok("a+b")
    );
}

#[tokio::test]
async fn a_pending_login_survives_storage_and_shows_no_secret() {
    let (server, clock) = (Server::start().await, FrozenClock::new());
    let (sent, pending) = server.login(&clock);
    let stored = pending.to_stored();
    let json = serde_json::to_string(&stored).unwrap();
    let verifier = serde_json::from_str::<serde_json::Value>(&json).unwrap()["verifier"]
        .as_str()
        .unwrap()
        .to_owned();
    for text in [format!("{pending:?}"), format!("{stored:?}")] {
        assert!(
            !text.contains(&verifier)
                && !text.contains(&sent["state"])
                && !text.contains(&sent["nonce"]),
            "{text}"
        );
    }
    let stored: StoredPending = serde_json::from_str(&json).unwrap();
    let back = PendingAuthorization::from_stored(stored).unwrap();
    assert_eq!(
        (back.state(), back.redirect_uri()),
        (pending.state(), REDIRECT)
    );
    let code = back
        .accept(
            &format!("{REDIRECT}?code=hush-code&state={}", sent["state"]),
            &clock,
        )
        .unwrap();
    assert!(!format!("{code:?}").contains("hush"));
}

#[tokio::test]
async fn a_stored_login_without_its_verifier_is_refused() {
    let (server, clock) = (Server::start().await, FrozenClock::new());
    let (_, pending) = server.login(&clock);
    for (member, value) in [("verifier", "short"), ("state", "")] {
        let mut json = serde_json::to_value(pending.to_stored()).unwrap();
        json[member] = value.into();
        let stored: StoredPending = serde_json::from_value(json).unwrap();
        let refused = PendingAuthorization::from_stored(stored).unwrap_err();
        assert_eq!(refused, AuthorizationError::UnreadablePending, "{member}");
    }
}

proptest! {
    #[test]
    fn whatever_arrives_is_refused_without_a_panic(text in "\\PC{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = callback_state(&text);
        let _ = callback_state(&String::from_utf8_lossy(&bytes));
        let _ = callback_state(&format!("org.satchel.app:/callback/abc?{text}"));
    }
}
