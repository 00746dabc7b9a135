//! B: who may register, what becomes of a registration, and what a practice does with an app.

use crate::portal::Decision;
use crate::portals::Person;
use crate::tester::{REDIRECT, Tester, error, es384, exchange};
use reqwest::{Method, Response, StatusCode};
use rstest::rstest;
use satchel_mock::{Management, Policy, World};
use serde_json::{Value, json};

const SCOPE: &str = "openid launch/patient offline_access patient/*.rs";

fn public() -> Value {
    json!({"redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"})
}

async fn with(policy: Policy) -> Tester {
    Tester::at(World {
        patients: 1,
        policy,
        ..World::default()
    })
    .await
}

/// A request to the address where a registration is managed, with its token.
async fn manage(tester: &Tester, client: &Value, method: Method, body: Option<&Value>) -> Response {
    let address = client["registration_client_uri"].as_str().unwrap();
    let token = client["registration_access_token"].as_str().unwrap();
    let request = tester.http.request(method, address).bearer_auth(token);
    let request = match body {
        Some(body) => request
            .header("Content-Type", "application/json")
            .body(body.to_string()),
        None => request,
    };
    request.send().await.unwrap()
}

/// The whole record, as it is sent to replace a registration (RFC 7592 §2.2).
fn record(client: &Value) -> Value {
    let mut record = client.clone();
    let members = record.as_object_mut().unwrap();
    for name in [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
        "client_secret",
    ] {
        members.remove(name);
    }
    record
}

#[tokio::test]
async fn b15_registration_is_open_closed_for_the_introduced_or_for_approved_software() {
    let open = with(Policy::default()).await;
    assert_eq!(open.register(&public()).await.status(), StatusCode::CREATED);

    let closed = Tester::at(World {
        patients: 1,
        registration_closed: true,
        ..World::default()
    })
    .await;
    assert_eq!(
        closed.register(&public()).await.status(),
        StatusCode::NOT_FOUND
    );
    let smart = format!(
        "{}/.well-known/smart-configuration",
        closed.mock.fhir_base()
    );
    assert!(closed.get(&smart).await["registration_endpoint"].is_null());

    let introduced = Tester::at(World {
        patients: 1,
        initial_access_token: Some("letter".to_owned()),
        ..World::default()
    })
    .await;
    let refused = error(introduced.register(&public()).await).await;
    assert_eq!(
        refused,
        (StatusCode::UNAUTHORIZED, "invalid_token".to_owned())
    );

    let approver = es384();
    let approved = Tester::at(World {
        patients: 1,
        software_statement_keys: vec![approver.public.clone()],
        policy: Policy {
            software_statement_required: true,
            ..Policy::default()
        },
        ..World::default()
    })
    .await;
    let refused = error(approved.register(&public()).await).await;
    assert_eq!(refused.1, "unapproved_software_statement");
    let statement = approver.sign(&json!({"software_id": "app-1"}));
    let mut metadata = public();
    metadata["software_statement"] = statement.as_str().into();
    let answer = approved.register(&metadata).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(
        answer["software_statement"], statement,
        "given back as sent"
    );

    let manual = Tester::at(World {
        patients: 1,
        practice_approval: true,
        ..World::default()
    })
    .await;
    let client = manual.client(&json!({})).await;
    let url = manual
        .authorization_url(&manual.authorization(client["client_id"].as_str().unwrap(), SCOPE));
    let waits = manual.http.get(&url).send().await.unwrap();
    let location = waits.headers()["Location"].to_str().unwrap();
    assert!(location.contains("error=access_denied"), "{location}");
}

#[rstest]
#[case::https_of_the_host("https://app.example/cb", true)]
#[case::https_below_the_host("https://login.app.example/cb", true)]
#[case::https_elsewhere("https://evil.example/cb", false)]
#[case::https_that_ends_alike("https://evilapp.example/cb", false)]
#[case::loopback("http://127.0.0.1/cb", true)]
#[case::loopback_6("http://[::1]/cb", true)]
#[case::reversed("example.app:/cb", true)]
#[case::reversed_and_below("example.app.desktop:/cb", true)]
#[case::another_name("example.evil:/cb", false)]
#[tokio::test]
async fn b16_a_redirect_belongs_to_the_host_of_client_uri_where_the_server_asks_for_it(
    #[case] uri: &str,
    #[case] belongs: bool,
) {
    let strict = with(Policy {
        strict_redirects: true,
        ..Policy::default()
    })
    .await;
    let mut metadata = public();
    metadata["redirect_uris"] = json!([uri]);
    metadata["client_uri"] = "https://app.example/".into();
    let answer = strict.register(&metadata).await;
    if belongs {
        assert_eq!(answer.status(), StatusCode::CREATED);
    } else {
        assert_eq!(error(answer).await.1, "invalid_redirect_uri");
    }
    let usual = with(Policy::default()).await;
    assert_eq!(
        usual.register(&metadata).await.status(),
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn b18_the_answer_is_201_json_that_nobody_stores_with_all_that_was_registered() {
    let tester = with(Policy::default()).await;
    let metadata = json!({
        "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "client_name": "An app", "client_uri": "https://app.example/", "contacts": ["help@app.example"],
        "software_id": "4711", "software_version": "1.2", "scope": "openid patient/*.rs",
        "policy_uri": "https://app.example/policy", "tos_uri": "https://app.example/tos",
        "nobody_knows_this": true,
    });
    let answer = tester.register(&metadata).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(answer.headers()["Content-Type"], "application/json");
    assert_eq!(answer.headers()["Cache-Control"], "no-store");
    let answer: Value = answer.json().await.unwrap();
    for (name, value) in metadata.as_object().unwrap() {
        if name == "nobody_knows_this" {
            assert!(answer[name].is_null(), "unknown members are ignored");
        } else {
            assert_eq!(&answer[name], value, "{name}");
        }
    }
    assert_eq!(answer["client_secret_expires_at"], 0);
    assert!(answer["client_id_issued_at"].is_number());
    // What the server chose is told too (RFC 7591 §2).
    let answer: Value = tester
        .register(&json!({"redirect_uris": [REDIRECT]}))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(answer["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(answer["grant_types"], json!(["authorization_code"]));
    assert_eq!(answer["response_types"], json!(["code"]));
}

#[tokio::test]
async fn b20_b26_a_secret_ends_and_reading_or_replacing_the_registration_gives_a_new_one() {
    let tester = with(Policy {
        secret_lifetime: Some(600),
        ..Policy::default()
    })
    .await;
    let metadata = json!({"token_endpoint_auth_method": "client_secret_post"});
    let first = tester.client(&metadata).await;
    let client_id = first["client_id"].as_str().unwrap();
    let now = tester.mock.now();
    let ends = first["client_secret_expires_at"].as_i64().unwrap();
    assert!((now + 590..=now + 600).contains(&ends), "{ends}");
    // A wrong code tells that the client itself was let in.
    let lets_in = async |client: &Value| {
        let mut form = exchange(client_id, "no-code");
        form.push(("client_secret", client["client_secret"].as_str().unwrap()));
        error(tester.token(&form).send().await.unwrap()).await.1
    };
    assert_eq!(lets_in(&first).await, "invalid_grant");
    tester.mock.turn_clock(601);
    assert_eq!(lets_in(&first).await, "invalid_client");

    let read = manage(&tester, &first, Method::GET, None).await;
    let second: Value = read.json().await.unwrap();
    assert_eq!(second["client_id"], first["client_id"]);
    for name in ["client_secret", "registration_access_token"] {
        assert_ne!(second[name], first[name], "{name}");
    }
    assert!(second["client_secret_expires_at"].as_i64().unwrap() > ends);
    assert_eq!(lets_in(&second).await, "invalid_grant");
    assert_eq!(lets_in(&first).await, "invalid_client");
    let again = manage(&tester, &first, Method::GET, None).await;
    assert_eq!(again.status(), StatusCode::UNAUTHORIZED, "the old token");

    let third = manage(&tester, &second, Method::PUT, Some(&record(&second))).await;
    let third: Value = third.json().await.unwrap();
    assert_ne!(third["client_secret"], second["client_secret"]);
    assert_eq!(lets_in(&third).await, "invalid_grant");
    assert_eq!(lets_in(&second).await, "invalid_client");
}

#[tokio::test]
async fn b25_address_and_token_come_together_or_not_at_all() {
    let full = with(Policy::default()).await;
    let client = full.client(&json!({})).await;
    let address = client["registration_client_uri"].as_str().unwrap();
    assert!(address.starts_with(full.mock.issuer()), "{address}");
    let read = manage(&full, &client, Method::GET, None).await;
    assert_eq!(read.json::<Value>().await.unwrap(), client);
    for header in [None, Some("Basic eDp5"), Some("Bearer wrong")] {
        let mut request = full.http.get(address);
        if let Some(header) = header {
            request = request.header("Authorization", header);
        }
        let refused = request.send().await.unwrap();
        assert!(refused.headers().contains_key("WWW-Authenticate"));
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{header:?}");
    }
    let other = full.client(&json!({})).await;
    let mut mixed = client.clone();
    mixed["registration_access_token"] = other["registration_access_token"].clone();
    let refused = manage(&full, &mixed, Method::DELETE, None).await;
    assert_eq!(
        refused.status(),
        StatusCode::UNAUTHORIZED,
        "another's token"
    );

    let none = with(Policy {
        registration_management: Management::None,
        ..Policy::default()
    })
    .await;
    let client = none.client(&json!({})).await;
    assert!(client["registration_client_uri"].is_null());
    assert!(client["registration_access_token"].is_null());
}

#[tokio::test]
async fn b29_deleting_kills_the_client_its_secret_its_token_and_every_grant_at_once() {
    let tester = with(Policy::default()).await;
    let client = tester
        .client(&json!({"token_endpoint_auth_method": "client_secret_post"}))
        .await;
    let client_id = client["client_id"].as_str().unwrap();
    let secret = client["client_secret"].as_str().unwrap();
    let answer = tester
        .sign_in(client_id, SCOPE, tester.patient(), Decision::Approve)
        .await;
    let mut form = exchange(client_id, &answer["code"]);
    form.push(("client_secret", secret));
    let tokens = tester.token(&form).send().await.unwrap();
    let tokens: Value = tokens.json().await.unwrap();
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(tester.fhir_status(token, "Patient").await, StatusCode::OK);

    let deleted = manage(&tester, &client, Method::DELETE, None).await;
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    assert_eq!(deleted.text().await.unwrap(), "");
    assert_eq!(
        tester.fhir_status(token, "Patient").await,
        StatusCode::UNAUTHORIZED
    );
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ("client_id", client_id),
        ("client_secret", secret),
    ];
    let refused = error(tester.token(&refresh).send().await.unwrap()).await;
    assert_eq!(refused.1, "invalid_client");
    let url = tester.authorization_url(&tester.authorization(client_id, SCOPE));
    let page = tester.http.get(url).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::BAD_REQUEST, "no redirect");
    let again = manage(&tester, &client, Method::DELETE, None).await;
    assert_eq!(again.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn b30_401_is_for_the_unknown_403_for_the_unwanted_405_for_what_is_not_done() {
    let tester = with(Policy {
        registration_management: Management::ReadOnly,
        ..Policy::default()
    })
    .await;
    let client = tester.client(&json!({})).await;
    let read = manage(&tester, &client, Method::GET, None).await;
    assert_eq!(read.status(), StatusCode::OK);
    for method in [Method::PUT, Method::DELETE] {
        let refused = manage(&tester, &client, method, Some(&record(&client))).await;
        assert_eq!(refused.headers()["Allow"], "GET");
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
    let tester = with(Policy::default()).await;
    let client = tester.client(&json!({})).await;
    let client_id = client["client_id"].as_str().unwrap();
    let refused = manage(&tester, &client, Method::PATCH, None).await;
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert!(tester.mock.set_app_access(client_id, None, false));
    for method in [Method::GET, Method::PUT] {
        let refused = manage(&tester, &client, method, Some(&record(&client))).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    }
    tester.mock.remove_client(client_id);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let refused = manage(&tester, &client, method, Some(&record(&client))).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn b31_a_blocked_app_is_an_unknown_client_and_unblocked_as_before() {
    let tester = with(Policy::default()).await;
    let client = tester.client(&json!({})).await;
    let client_id = client["client_id"].as_str().unwrap();
    let answer = tester
        .sign_in(client_id, SCOPE, tester.patient(), Decision::Approve)
        .await;
    let tokens = tester.token(&exchange(client_id, &answer["code"]));
    let tokens: Value = tokens.send().await.unwrap().json().await.unwrap();
    let token = tokens["access_token"].as_str().unwrap();
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ("client_id", client_id),
    ];
    let office = Person::sign_in(&tester, &tester.administrator().clone()).await;
    let press = async |action| {
        let fields = [("client_id", client_id), ("action", action)];
        office.press("/portal/practice", &fields).await
    };
    press("block").await;
    assert!(office.home().await.contains("Unblock"));
    let read = manage(&tester, &client, Method::GET, None).await;
    assert_eq!(read.status(), StatusCode::FORBIDDEN);
    let refused = error(tester.token(&refresh).send().await.unwrap()).await;
    assert_eq!(
        refused,
        (StatusCode::UNAUTHORIZED, "invalid_client".to_owned())
    );
    assert_eq!(
        tester.fhir_status(token, "Patient").await,
        StatusCode::UNAUTHORIZED
    );
    press("unblock").await;
    let read = manage(&tester, &client, Method::GET, None).await;
    assert_eq!(read.status(), StatusCode::OK);
    assert_eq!(tester.fhir_status(token, "Patient").await, StatusCode::OK);
    let refreshed = tester.token(&refresh).send().await.unwrap();
    assert_eq!(refreshed.status(), StatusCode::OK);
}

#[tokio::test]
async fn b40_registration_may_need_somebody_who_is_signed_in_and_ends_with_that_grant() {
    let app = json!({"client_id": "the-app", "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code"], "token_endpoint_auth_method": "none"});
    let tester = Tester::at(World {
        patients: 1,
        clients: vec![app],
        policy: Policy {
            registration_after_sign_in: true,
            ..Policy::default()
        },
        ..World::default()
    })
    .await;
    let refused = error(tester.register(&public()).await).await;
    assert_eq!(
        refused,
        (StatusCode::UNAUTHORIZED, "invalid_token".to_owned())
    );
    let scope = "launch/patient patient/*.rs";
    let answer = tester
        .sign_in("the-app", scope, tester.patient(), Decision::Approve)
        .await;
    let tokens = tester.token(&exchange("the-app", &answer["code"]));
    let tokens: Value = tokens.send().await.unwrap().json().await.unwrap();
    let token = tokens["access_token"].as_str().unwrap();
    let key = es384();
    let metadata = json!({"software_id": "the-app", "jwks": {"keys": [key.public]}});
    let register = async || {
        let request = tester.http.post(tester.url("/auth/register"));
        let request = request.bearer_auth(token).body(metadata.to_string());
        request.send().await.unwrap()
    };
    let installed: Value = register().await.json().await.unwrap();
    let client_id = installed["client_id"].as_str().unwrap();
    let ask = async |jti: &str| {
        let assertion = key.sign(&json!({
            "iss": client_id, "sub": client_id, "aud": tester.url("/auth/token"),
            "exp": tester.mock.now() + 100, "jti": jti,
        }));
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion.as_str()),
        ];
        tester.token(&form).send().await.unwrap()
    };
    assert_eq!(ask("1").await.status(), StatusCode::OK);
    let revoke = [("token", token), ("client_id", "the-app")];
    let request = tester.http.post(tester.url("/auth/revoke")).form(&revoke);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(error(ask("2").await).await.1, "invalid_grant");
    assert_eq!(register().await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn b43_the_portals_list_each_installation_and_a_person_acts_on_their_own_grants_only() {
    let tester = Tester::new().await;
    let register = async |version: &str| {
        let client = tester
            .client(&json!({"client_name": "Listed app", "software_version": version}))
            .await;
        client["client_id"].as_str().unwrap().to_owned()
    };
    let (old, new) = (register("1.0.3").await, register("2.4.1").await);
    let (ana, ben) = (
        tester.mock.accounts()[0].clone(),
        tester.mock.accounts()[1].clone(),
    );
    let mut tokens = Vec::new();
    for (client_id, account) in [(&old, &ana), (&new, &ana), (&new, &ben)] {
        let answer = tester
            .sign_in(client_id, SCOPE, account, Decision::Approve)
            .await;
        let answer = tester.token(&exchange(client_id, &answer["code"]));
        let answer: Value = answer.send().await.unwrap().json().await.unwrap();
        tokens.push(answer["access_token"].as_str().unwrap().to_owned());
    }
    tester.fhir_status(&tokens[0], "Patient").await;
    let own = Person::sign_in(&tester, &ana).await;
    let office = Person::sign_in(&tester, &tester.administrator().clone()).await;
    for home in [own.home().await, office.home().await] {
        for shown in [
            "Listed app",
            "Version 1.0.3, registered ",
            "Version 2.4.1, registered ",
            "last used ",
            "never used",
            "Read all records",
        ] {
            assert!(home.contains(shown), "{shown}: {home}");
        }
    }
    let fields = [("client_id", new.as_str()), ("action", "off")];
    own.press("/portal/apps", &fields).await;
    let mut seen = Vec::new();
    for token in &tokens {
        seen.push(tester.fhir_status(token, "Patient").await.as_u16());
    }
    assert_eq!(seen, [200, 401, 200], "her own, of that installation");
}
