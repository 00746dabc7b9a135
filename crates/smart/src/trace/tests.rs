use super::*;
use crate::time::{SystemClock, SystemRandom};
use serde_json::{Value, json};

fn mask() -> Mask {
    Mask::new(&SystemRandom)
}

fn trace() -> Trace {
    let key = MaskKey::generate(&SystemRandom);
    Trace::new(Arc::new(SystemClock), &key, || {})
}

fn jwt(header: &Value, claims: &Value) -> String {
    use base64::Engine as _;
    let part =
        |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2lnbmF0dXJl", part(header), part(claims))
}

#[test]
fn h1_of_a_url_only_words_are_shown() {
    let mask = mask();
    for (url, shown) in [
        (
            "https://ehr.example.org/fhir/.well-known/smart-configuration",
            true,
        ),
        (
            "https://ehr.example.org:8443/Interconnect-FHIR-oauth/api/FHIR/R4/metadata",
            true,
        ),
        ("https://ehr.example.org/auth/oauth2/token", true),
        (
            "https://ehr.example.org/fhir/Observation?category=laboratory&_count=50",
            true,
        ),
        ("https://ehr.example.org/fhir/Patient/anna", false),
        ("https://ehr.example.org/fhir/Patient/4711", false),
        (
            "https://ehr.example.org/fhir/Patient/anna/_history/anna",
            false,
        ),
        ("https://ehr.example.org/fhir/Patient/_page/anna", false),
        ("https://ehr.example.org/fhir/Observation/_search", true),
        ("https://ehr.example.org/OAuth2/Auth/Token", true),
        ("https://ehr.example.org/fhir/Group/anna/$export", false),
        (
            "https://ehr.example.org/fhir/Observation?patient=anna",
            false,
        ),
        ("https://ehr.example.org/fhir?_getpages=anna", false),
        ("https://ehr.example.org/register/aZ81kQ02mmX", false),
        (
            "https://ehr.example.org/6f9619ff-8b86-d011-b42d-00c04fc964ff/token",
            false,
        ),
        ("org.satchel.app:/callback/x?code=anna&state=xyz", false),
    ] {
        let text = mask.url_text(url).url;
        assert_eq!(text == url, shown, "{url} became {text}");
        assert!(!text.contains("anna") && !text.contains("4711"), "{text}");
        assert!(Url::parse(&text).is_ok(), "{text} is a URL");
    }
    let shown = mask
        .url_text("https://anna:pw@ehr.example.org/fhir#anna")
        .url;
    assert_eq!(shown, "https://ehr.example.org/fhir");
    assert!(!mask.url_text("no url, a code").url.contains("code"));
}

#[test]
fn h1_equal_values_have_equal_names_and_only_under_one_key() {
    let (one, other) = (mask(), mask());
    let code =
        |mask: &Mask, value: &str| mask.url_text(&format!("https://e.org/cb?code={value}")).url;
    assert_eq!(code(&one, "abc"), code(&one, "abc"));
    assert_ne!(code(&one, "abc"), code(&one, "abd"));
    assert_ne!(code(&one, "abc"), code(&other, "abc"));
}

#[test]
fn h1_a_form_shows_what_is_asked_and_hides_with_what() {
    let assertion = jwt(
        &json!({"alg": "ES384", "kid": "k1", "typ": "JWT"}),
        &json!({"iss": "client-7", "sub": "client-7", "aud": "https://e.org/token", "jti": "secret-jti", "exp": 9}),
    );
    let form = format!(
        "grant_type=authorization_code&code=secret-code&code_verifier=secret-verifier&client_secret=secret-s&refresh_token=secret-r&token=secret-t&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fcallback&client_assertion={assertion}&anna=secret-x"
    );
    let body = mask().body("application/x-www-form-urlencoded", form.as_bytes());
    let shown = format!("{body:?}");
    assert!(!shown.contains("secret-"), "{shown}");
    assert!(!shown.contains(&assertion), "{shown}");
    let Content::Form(fields) = &body.content else {
        panic!("{body:?}")
    };
    assert_eq!(fields[0].value, "authorization_code");
    assert_eq!(fields[6].value, "http://127.0.0.1:9/callback");
    let (name, token) = &body.tokens[0];
    assert_eq!(
        (name.as_str(), &token["header"]["alg"]),
        ("client_assertion", &json!("ES384"))
    );
    assert_eq!(token["claims"]["sub"], "client-7");
    assert_eq!(token["claims"]["aud"], "https://e.org/token");
    assert!(
        token["claims"]["jti"]
            .as_str()
            .unwrap()
            .starts_with("hidden-")
    );
}

#[test]
fn h1_an_answer_shows_its_form_and_hides_tokens_people_and_free_text() {
    let id_token = jwt(
        &json!({"alg": "RS256"}),
        &json!({"iss": "https://e.org", "sub": "anna-1", "aud": "client-7", "name": "Anna Berg", "email": "anna@x.org", "fhirUser": "Patient/anna-1", "profile": "https://social.example/anna", "nonce": "secret-nonce"}),
    );
    let answer = json!({
        "access_token": "secret-a", "refresh_token": "secret-r", "token_type": "Bearer", "expires_in": 3600,
        "scope": "openid patient/*.rs", "patient": "anna-1", "id_token": id_token, "more": {"anna": "Berg"},
        "client_secret": "secret-s", "registration_access_token": "secret-m",
        "error_description": "The code secret-code of Anna was used already",
    });
    let body = mask().body(
        "application/json; charset=utf-8",
        answer.to_string().as_bytes(),
    );
    let shown = format!("{body:?}").to_lowercase();
    for hidden in ["secret-", "anna", "berg"] {
        assert!(!shown.contains(hidden), "{hidden} is in {shown}");
    }
    let Content::Json(json) = &body.content else {
        panic!("{body:?}")
    };
    assert_eq!(json["expires_in"], 3600);
    assert_eq!(
        json["error_description"],
        "The code … of … was used already"
    );
    let claims = &body.tokens[0].1["claims"];
    assert_eq!(claims["iss"], "https://e.org");
    assert!(
        claims["fhirUser"]
            .as_str()
            .unwrap()
            .starts_with("Patient/hidden-")
    );
}

#[test]
fn h1_fhir_is_counted_not_shown() {
    for (bytes, wanted) in [
        (
            r#"{"resourceType":"Bundle","total":3,"entry":[{"resource":{"name":"Anna"}}]}"#,
            true,
        ),
        (
            r#"{"resourceType":"Patient","name":[{"text":"Anna"}]}"#,
            true,
        ),
        (r#"{"resourceType":{"Anna":1},"contacts":"Anna"}"#, false),
        (r#"[{"name":"Anna"}]"#, false),
        ("<Patient>Anna</Patient>", false),
        (r#"{"resourceType":"anna"}"#, true),
    ] {
        let body = mask().body("application/fhir+json", bytes.as_bytes());
        assert_eq!(
            matches!(body.content, Content::Fhir { .. }),
            wanted,
            "{body:?}"
        );
        assert!(
            !format!("{body:?}").to_lowercase().contains("anna"),
            "{body:?}"
        );
        assert_eq!(body.size, bytes.len());
    }
}

#[test]
fn b5_of_keys_only_the_public_half_is_shown() {
    let keys = json!({"keys": [{"kty": "EC", "crv": "P-384", "x": "xx", "y": "yy", "d": "secret-d", "kid": "k1"}, {"kty": "oct", "k": "secret-k", "kid": "secret-kid"}]});
    let body = mask().body("application/json", keys.to_string().as_bytes());
    let shown = format!("{body:?}");
    assert!(shown.contains("xx") && shown.contains("P-384"), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn h1_headers_are_shown_by_a_list() {
    let mut headers = ::http::HeaderMap::new();
    for (name, value) in [
        ("authorization", "Bearer secret-a"),
        ("accept", "application/json"),
        ("cookie", "secret-c"),
        ("x-anna", "secret-x"),
        ("location", "https://e.org/cb?code=secret-code"),
        ("content-location", "anna/berg"),
        ("www-authenticate", "Bearer realm=\"secret\""),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    let shown = format!("{:?}", mask().headers(&headers));
    assert!(
        !shown.contains("secret") && !shown.contains("anna"),
        "{shown}"
    );
    assert!(
        shown.contains("Bearer hidden-") && shown.contains("application/json"),
        "{shown}"
    );
}

#[tokio::test]
async fn checks_are_written_where_somebody_traces_and_in_tasks_that_carry_it() {
    check("C34", "nobody traces", true);
    let trace = trace();
    trace
        .scope(async {
            check("C33", "one", true);
            tokio::spawn(carry(async { check("C34", "two", true) }))
                .await
                .unwrap();
            let _ = checked::<(), ()>("D30", "three", Err(()));
        })
        .await;
    let numbers: Vec<_> = trace
        .steps()
        .into_iter()
        .map(|step| match step.event {
            StepEvent::Check(check) => (check.number, check.passed),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(numbers, [("C33", true), ("C34", true), ("D30", false)]);
}

#[tokio::test]
async fn a_trace_is_bounded_and_says_what_it_left_out() {
    let trace = trace();
    trace
        .scope(async {
            for _ in 0..MAX_STEPS + 5 {
                check("A1", "again", true);
            }
        })
        .await;
    assert_eq!((trace.steps().len(), trace.left_out()), (MAX_STEPS, 5));
    assert!(trace.bytes() <= MAX_BYTES);
}

#[tokio::test]
async fn of_an_answer_too_large_to_keep_only_the_size_is_told() {
    let trace = trace();
    let name = "x".repeat(1_500);
    let list: Vec<&str> = vec![&name; 200];
    let members = (0..10).map(|n| (format!("{}_supported", "a".repeat(n + 1)), json!(list)));
    let body = Value::Object(members.collect()).to_string().into_bytes();
    let size = body.len();
    trace
        .scope(async {
            let url = Url::parse("https://e.org/a").unwrap();
            let request = reqwest::Client::new().get(url.clone()).build().unwrap();
            let open = begin(&request).unwrap();
            open.end(Ok(&Answer {
                status: 200,
                headers: ::http::HeaderMap::new(),
                body,
                url,
            }));
        })
        .await;
    assert!(trace.bytes() <= MAX_BYTES, "{}", trace.bytes());
    let steps = trace.steps();
    let StepEvent::Exchange(exchange) = &steps[0].event else {
        panic!("{steps:?}")
    };
    let Outcome::Answered { body, .. } = &exchange.outcome else {
        panic!("{steps:?}")
    };
    assert_eq!((&body.content, body.size), (&Content::Hidden, size));
}
