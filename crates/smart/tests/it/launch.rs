//! The authorization request where it is more than the plain one: launched by an EHR, a prompt, a long
//! list of scopes.

use crate::support::{FrozenClock, REDIRECT, SeededRandom, Server, client, json_answer, query};
use satchel_smart::authorization::{AuthorizationForm, AuthorizationRequest, Prompt};
use satchel_smart::client_auth::ClientAuthentication;
use satchel_smart::discovery::SmartConfiguration;
use satchel_smart::launch::LaunchRequest;
use satchel_smart::scope::{Role, Scopes, Wanted, choose_scopes_for, registration_scopes};

fn begin(request: AuthorizationRequest) -> url::Url {
    let (url, _) = request
        .start(&FrozenClock::new(), &SeededRandom::new())
        .unwrap();
    url
}

#[tokio::test]
async fn c2_c10_an_ehr_launch_hands_its_value_back_unchanged_to_the_server_that_gave_it() {
    let server = Server::start().await;
    let value = "xyz+/=&%41 é";
    let mut link = url::Url::parse("org.satchel.app:/launch/patient").unwrap();
    link.query_pairs_mut()
        .append_pair("iss", server.base.as_str())
        .append_pair("launch", value);
    let launch = LaunchRequest::parse(link.as_str(), &crate::support::policy()).unwrap();
    let configuration = server.configuration();
    let url = begin(AuthorizationRequest {
        fhir_base: launch.fhir_base.clone(),
        scope: choose_scopes_for(Role::Patient, &configuration, None, true),
        launch: Some(launch.launch.expose().clone()),
        ..server.request()
    });
    let sent = query(&url);
    assert_eq!(sent["launch"], value);
    assert_eq!(sent["aud"], server.base.as_str());
    let scopes: Vec<&str> = sent["scope"].split(' ').collect();
    assert!(scopes.contains(&"launch") && !scopes.contains(&"launch/patient"));
    assert!(!format!("{launch:?}").contains("xyz"));
}

#[tokio::test]
async fn c18_context_that_was_asked_for_and_does_not_come_is_no_error() {
    let server = Server::start().await;
    let body =
        r#"{"access_token":"at","token_type":"Bearer","scope":"launch/patient","patient":"p-1"}"#;
    server
        .answer("POST", "/token", json_answer(200, body))
        .await;
    let clock = FrozenClock::new();
    let (url, pending) = AuthorizationRequest {
        scope: "launch/patient launch/encounter launch/imagingstudy?role=x patient/Goal.rs".into(),
        ..server.request()
    }
    .start(&clock, &SeededRandom::new())
    .unwrap();
    assert!(query(&url)["scope"].contains("launch/imagingstudy?role=x"));
    let callback = format!("{REDIRECT}?code=c&state={}", query(&url)["state"]);
    let tokens = pending
        .accept(&callback, &clock)
        .unwrap()
        .exchange(
            &client(),
            &ClientAuthentication::None,
            &clock,
            &SeededRandom::new(),
        )
        .await
        .unwrap();
    assert_eq!(tokens.launch_context.patient.as_deref(), Some("p-1"));
    assert_eq!(tokens.launch_context.encounter, None);
    assert!(tokens.launch_context.fhir_context.is_empty());
}

#[tokio::test]
async fn c19_prompt_is_sent_where_it_is_known_and_max_age_never() {
    let server = Server::start().await;
    let with = |raw: &str| SmartConfiguration {
        raw: raw.into(),
        ..server.configuration()
    };
    let knows = with(r#"{"prompt_values_supported":["none","login","consent"]}"#);
    for (scope, configuration, expected) in [
        ("openid offline_access", &knows, Some(Prompt::Consent)),
        ("openid", &knows, None),
        ("openid offline_access", &with("{}"), None),
        (
            "openid offline_access",
            &with(r#"{"prompt_values_supported":["login"]}"#),
            None,
        ),
    ] {
        assert_eq!(
            Prompt::for_offline_access(scope, configuration),
            expected,
            "{scope}"
        );
    }
    for (prompt, word) in [
        (Some(Prompt::Login), Some("login")),
        (Some(Prompt::Consent), Some("consent")),
        (None, None),
    ] {
        let sent = query(&begin(AuthorizationRequest {
            prompt,
            ..server.request()
        }));
        assert_eq!(sent.get("prompt").map(String::as_str), word);
        assert!(!sent.contains_key("max_age"));
    }
}

#[tokio::test]
async fn c20_a_long_request_becomes_a_form_only_where_that_is_offered() {
    let server = Server::start().await;
    let granular: Vec<String> = (0..60)
        .map(|n| {
            format!("patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/c|{n}")
        })
        .collect();
    let mut offers = server.configuration();
    offers.capabilities.push("authorize-post".into());
    offers.authorization_endpoint = Some(server.url("/authorize?tenant=a%20b"));
    let long = AuthorizationRequest {
        configuration: offers.clone(),
        scope: granular.join(" "),
        ..server.request()
    };
    let url = begin(long.clone());
    let form = AuthorizationForm::of(&url, &offers).unwrap();
    assert_eq!(form.action, server.url("/authorize?tenant=a+b"));
    let fields: std::collections::HashMap<_, _> = form.fields.iter().cloned().collect();
    let mut whole = query(&url);
    whole.remove("tenant");
    assert_eq!(fields, whole, "nothing is lost, nothing is added");
    assert_eq!(fields["scope"], long.scope);
    assert!(!format!("{form:?}").contains(&fields["state"]));

    assert_eq!(
        AuthorizationForm::of(&url, &server.configuration()),
        None,
        "not offered"
    );
    let short = begin(AuthorizationRequest {
        configuration: offers.clone(),
        ..server.request()
    });
    assert_eq!(AuthorizationForm::of(&short, &offers), None, "short enough");
}

#[tokio::test]
async fn c16_a_part_of_the_chart_is_asked_for_by_name_and_finer_only_where_that_is_listed() {
    let server = Server::start().await;
    let limit = "category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
    let wanted = [
        Wanted {
            resource_type: "Patient".into(),
            query: None,
        },
        Wanted {
            resource_type: "Observation".into(),
            query: Some(limit.into()),
        },
    ];
    let mut configuration = server.configuration();
    configuration.scopes_supported = vec!["patient/*.rs".into()];
    let chosen = |configuration: &SmartConfiguration| {
        choose_scopes_for(Role::Patient, configuration, Some(&wanted), false)
    };
    assert!(chosen(&configuration).ends_with("patient/Patient.rs patient/Observation.rs"));
    configuration
        .scopes_supported
        .push(format!("patient/Observation.rs?{limit}"));
    assert!(chosen(&configuration).ends_with(&format!("patient/Observation.rs?{limit}")));
    configuration.capabilities = vec!["permission-v1".into()];
    configuration.scopes_supported = Vec::new();
    assert!(chosen(&configuration).ends_with("patient/Patient.read patient/Observation.read"));
}

#[tokio::test]
async fn b9_what_is_registered_covers_everything_that_is_ever_asked_for() {
    let server = Server::start().await;
    for listed in [
        vec![],
        vec!["patient/*.rs".to_owned()],
        vec!["patient/Goal.rs".to_owned()],
    ] {
        let configuration = SmartConfiguration {
            scopes_supported: listed,
            ..server.configuration()
        };
        let registered = Scopes::parse(&registration_scopes(Role::Patient, &configuration));
        let part = [Wanted {
            resource_type: "Condition".into(),
            query: None,
        }];
        for wanted in [None, Some(&part[..])] {
            for launched in [true, false] {
                let asked = choose_scopes_for(Role::Patient, &configuration, wanted, launched);
                for scope in asked.split(' ') {
                    assert!(registered.contains(scope), "{scope}");
                }
            }
        }
    }
    let service = registration_scopes(Role::System, &server.configuration());
    assert!(service.split(' ').all(|scope| scope.starts_with("system/")));
}
