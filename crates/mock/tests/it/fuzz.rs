//! Whatever is sent: no panic, no 5xx that was not asked for, and the standard's kind of error.

use crate::tester::{Tester, VERIFIER};
use proptest::prelude::*;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use std::sync::OnceLock;
use tokio::runtime::Runtime;

struct Fuzzed {
    runtime: Runtime,
    tester: Tester,
    token: String,
}

fn fuzzed() -> &'static Fuzzed {
    static FUZZED: OnceLock<Fuzzed> = OnceLock::new();
    FUZZED.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        let (tester, token) = runtime.block_on(async {
            let tester = Tester::new().await;
            let token = tester.access_token("launch/patient patient/*.rs").await;
            (tester, token)
        });
        Fuzzed {
            runtime,
            tester,
            token,
        }
    })
}

/// Words that mean something somewhere, and words that mean nothing.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "Patient",
            "Observation",
            "Binary",
            "_search",
            "$export",
            "$everything",
            "metadata",
            "everyone",
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "S256",
            "none",
            "private_key_jwt",
            "openid",
            "patient/*.rs",
            "launch",
            "2020-01",
            "ge2020",
            "1",
            "-1",
            "99999999999999999999",
            "",
            "%00",
            "../../etc/passwd",
            "a,b|c",
            "http://x|y",
            "null",
            "true",
            "{}",
            "[]",
            VERIFIER,
        ])
        .prop_map(str::to_owned),
        "\\PC{0,40}",
        "[a-zA-Z0-9_$.-]{1,30}",
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "grant_type",
            "code",
            "redirect_uri",
            "client_id",
            "client_secret",
            "code_verifier",
            "refresh_token",
            "scope",
            "client_assertion",
            "client_assertion_type",
            "token",
            "response_type",
            "state",
            "nonce",
            "aud",
            "code_challenge",
            "code_challenge_method",
            "launch",
            "patient",
            "category",
            "date",
            "_lastUpdated",
            "_count",
            "_include",
            "_revinclude",
            "_page",
            "_type",
            "_typeFilter",
            "_since",
            "_summary",
            "_id",
            "session",
            "csrf",
            "username",
            "password",
            "approve",
            "action",
        ])
        .prop_map(str::to_owned),
        "\\PC{1,12}",
    ]
}

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec((name(), word()), 0..8)
}

fn path() -> impl Strategy<Value = String> {
    let base = prop::sample::select(vec![
        "/fhir",
        "/auth/token",
        "/auth/register",
        "/auth/revoke",
        "/auth/introspect",
        "/auth/authorize",
        "/auth/sign-in",
        "/auth/patient",
        "/auth/consent",
        "/portal",
        "/portal/apps",
        "/portal/launch",
        "/bulk/jobs",
        "/bulk/files",
        "/app",
        "/.well-known",
        "/fhir/Patient/$export",
        "/fhir/Patient/%FF",
        "/fhir/%FF",
    ]);
    (base, prop::collection::vec(word(), 0..4)).prop_map(|(base, words)| {
        let mut path = base.to_owned();
        for word in words {
            path.push('/');
            path.extend(url::form_urlencoded::byte_serialize(word.as_bytes()));
        }
        path
    })
}

fn body() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let form = pairs().prop_map(|pairs| {
        let text = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        ("application/x-www-form-urlencoded", text.into_bytes())
    });
    let json = pairs().prop_map(|pairs| {
        let object: serde_json::Map<String, Value> = pairs
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        (
            "application/json",
            Value::Object(object).to_string().into_bytes(),
        )
    });
    let bytes = prop::collection::vec(any::<u8>(), 0..300)
        .prop_map(|bytes| ("application/octet-stream", bytes));
    let deep =
        (1_usize..3_000).prop_map(|depth| ("application/json", "[".repeat(depth).into_bytes()));
    prop_oneof![3 => form, 3 => json, 2 => bytes, 1 => deep]
}

async fn judge(path: &str, head: bool, answer: Response) {
    let status = answer.status();
    assert!(!status.is_server_error(), "{path}: {status}");
    if !status.is_client_error() || head {
        return;
    }
    let text = answer.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    if path.starts_with("/fhir/") {
        assert_eq!(
            body["resourceType"], "OperationOutcome",
            "{path} {status}: {text}"
        );
    }
    let endpoint = [
        "/auth/token",
        "/auth/register",
        "/auth/revoke",
        "/auth/introspect",
    ];
    if endpoint.contains(&path) && status != StatusCode::METHOD_NOT_ALLOWED {
        assert!(body["error"].is_string(), "{path} {status}: {text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_sent_breaks_the_server(
        method in prop::sample::select(vec!["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"]),
        path in path(),
        query in pairs(),
        (kind, body) in body(),
        authorization in prop_oneof![
            Just(None),
            Just(Some(true)),
            Just(Some(false)),
        ],
        header in prop::collection::vec(("[a-zA-Z-]{1,20}", "[ -~]{0,60}"), 0..3),
    ) {
        let fuzzed = fuzzed();
        let mut url = url::Url::parse(&fuzzed.tester.url(&path)).unwrap();
        url.query_pairs_mut().extend_pairs(query);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = fuzzed.tester.http.request(method.clone(), url).header("Content-Type", kind).body(body);
        request = match authorization {
            None => request,
            Some(true) => request.bearer_auth(&fuzzed.token).header("Prefer", "respond-async"),
            Some(false) => request.header("Authorization", "Basic Og=="),
        };
        for (name, value) in &header {
            let framing = ["host", "connection", "transfer-encoding", "content-length", "te", "upgrade", "expect", "trailer"];
            let name = name.to_ascii_lowercase();
            if let (Ok(name), Ok(value), false) = (HeaderName::try_from(&name), HeaderValue::try_from(value), framing.contains(&name.as_str())) {
                request = request.header(name, value);
            }
        }
        let head = method == Method::HEAD;
        fuzzed.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            judge(&path, head, answer).await;
        });
    }
}

#[test]
fn a_body_of_ten_megabytes_is_refused_and_not_kept() {
    let fuzzed = fuzzed();
    for path in ["/auth/token", "/auth/register", "/portal/sign-in"] {
        let request = fuzzed.tester.http.post(fuzzed.tester.url(path));
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let body = "a=".to_owned() + &"b".repeat(10 << 20);
        let status = fuzzed.runtime.block_on(async {
            request
                .body(body)
                .send()
                .await
                .map(|answer| answer.status())
        });
        // The server may close before it has read all.
        assert!(
            status.is_err() || status.unwrap() == StatusCode::PAYLOAD_TOO_LARGE,
            "{path}"
        );
    }
}
