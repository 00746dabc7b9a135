//! The redirect that comes back from the browser, and the link by which a portal opens the app: text
//! that any program can hand over.

use super::{CountedRandom, StoppedClock, assert_plain, base, is_loopback, policy};
use satchel_smart::authorization::{
    AuthorizationCode, AuthorizationRequest, CallbackError, PendingAuthorization, callback_state,
};
use satchel_smart::discovery::SmartConfiguration;
use satchel_smart::launch::LaunchRequest;
use std::sync::OnceLock;
use url::{Url, form_urlencoded};

const REDIRECTS: [&str; 3] = [
    "org.satchel.app:/callback/abc",
    "http://127.0.0.1:49152/callback/abc",
    "https://satchel.example/callback/abc",
];

/// A server that names no issuer, one that does, and one that promises to name it in every answer.
fn configurations() -> &'static [SmartConfiguration; 3] {
    static MADE: OnceLock<[SmartConfiguration; 3]> = OnceLock::new();
    MADE.get_or_init(|| {
        let document = r#"{"authorization_endpoint":"https://ehr.example/authorize",
            "token_endpoint":"https://ehr.example/token","code_challenge_methods_supported":["S256"]}"#;
        let none = SmartConfiguration::read(&policy(false), &base(), document.as_bytes()).unwrap();
        let mut named = none.clone();
        named.issuer = Some("https://ehr.example/fhir".to_owned());
        let mut promised = named.clone();
        promised.iss_parameter_supported = true;
        [none, named, promised]
    })
}

fn pending(configuration: &SmartConfiguration, redirect: &str, first: u8) -> PendingAuthorization {
    let request = AuthorizationRequest {
        configuration: configuration.clone(),
        fhir_base: base(),
        audience: satchel_smart::authorization::Audience::Base,
        client_id: "client-1".to_owned(),
        redirect_uri: redirect.to_owned(),
        scope: "openid patient/*.rs".to_owned(),
        launch: None,
        prompt: None,
    };
    request
        .start(&StoppedClock(0), &CountedRandom::from(first))
        .unwrap()
        .1
}

fn accept(
    text: &str,
    configuration: &SmartConfiguration,
    redirect: &str,
) -> Result<AuthorizationCode, CallbackError> {
    pending(configuration, redirect, 1).accept(text, &StoppedClock(0))
}

pub(crate) fn run(data: &[u8]) -> bool {
    let mut taken = false;
    let text = String::from_utf8_lossy(data);
    let state = callback_state(&text);
    for redirect in REDIRECTS {
        for configuration in configurations() {
            match accept(&text, configuration, redirect) {
                Ok(code) => {
                    taken = true;
                    assert!(state.is_ok(), "accepted, but its state cannot be read");
                    assert_accepted(&text, configuration, redirect, &code);
                }
                Err(error) => assert_refused(&error),
            }
        }
    }
    if let Ok(launch) = LaunchRequest::parse(&text, &policy(true)) {
        assert_launch(&text, &launch);
    }
    taken
}

fn assert_accepted(
    text: &str,
    configuration: &SmartConfiguration,
    redirect: &str,
    code: &AuthorizationCode,
) {
    assert!(text.len() <= 8 * 1024);
    let url = Url::parse(text.trim()).unwrap();
    let address = url.as_str().split(['?', '#']).next().unwrap();
    assert_eq!(address, redirect, "it came to another address");
    let query: Vec<(String, String)> = form_urlencoded::parse(url.query().unwrap().as_bytes())
        .into_owned()
        .collect();
    let all = |name: &str| -> Vec<&str> {
        let named = query.iter().filter(|(found, _)| found == name);
        named.map(|(_, value)| value.as_str()).collect()
    };
    let login = pending(configuration, redirect, 1);
    assert_eq!(
        all("state"),
        [login.state()],
        "its state is not the login's"
    );
    assert_eq!(callback_state(text).as_deref(), Ok(login.state()));
    assert_eq!(all("code").len(), 1, "not one code");
    assert!(!all("code")[0].is_empty() && all("code")[0].is_ascii());
    assert!(all("error").is_empty(), "an error was taken for a success");
    assert!(all("error_description").len() <= 1);
    match (all("iss").as_slice(), &configuration.issuer) {
        ([], _) => assert!(!configuration.iss_parameter_supported, "iss was promised"),
        ([found], Some(issuer)) => assert_eq!(found, issuer, "another issuer"),
        ([_], None) => {}
        _ => panic!("iss is there twice"),
    }
    assert_eq!(
        format!("{code:?}"),
        "AuthorizationCode(https://ehr.example/fhir, [secret])"
    );
    let other_login = pending(configuration, redirect, 2);
    assert_eq!(
        other_login.accept(text, &StoppedClock(0)).unwrap_err(),
        CallbackError::StateMismatch,
        "another login took it"
    );
    let late = pending(configuration, redirect, 1).accept(text, &StoppedClock(601));
    assert_eq!(late.unwrap_err(), CallbackError::Expired);
}

fn assert_refused(error: &CallbackError) {
    let description = match error {
        CallbackError::Denied { description } => description,
        CallbackError::ServerError { code, description } => {
            assert_plain(code, 100);
            description
        }
        CallbackError::IssuerMismatch { found, .. } => {
            assert_plain(found.as_deref().unwrap_or_default(), 200);
            return;
        }
        _ => return,
    };
    assert_plain(description.as_deref().unwrap_or_default(), 500);
}

fn assert_launch(text: &str, launch: &LaunchRequest) {
    assert!(text.len() <= 8 * 1024);
    let base = Url::parse(launch.fhir_base.as_str()).unwrap();
    super::assert_protected("iss", &base, true);
    assert!(base.scheme() == "https" || is_loopback(&base));
    assert!(base.query().is_none());
    let value = launch.launch.expose();
    assert!(!value.is_empty() && value.len() <= 4 * 1024 && !value.contains(char::is_control));
    let url = Url::parse(text.trim()).unwrap();
    for name in ["iss", "launch"] {
        let times = url.query_pairs().filter(|(found, _)| found == name).count();
        assert_eq!(times, 1, "{name} is there {times} times");
    }
    let shown = format!("{launch:?}");
    assert!(shown.ends_with("launch: [secret] }"), "{shown}");
}
