//! Reading: where the token goes, and what each answer means.

use crate::support::{Server, client, policy};
use satchel_smart::fhir::binary::BinaryContent;
use satchel_smart::fhir::client::{FhirClient, FhirError};
use satchel_smart::http::FhirBaseUrl;
use satchel_smart::secret::SecretString;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, ResponseTemplate};

fn token() -> SecretString {
    SecretString::new("at-1".into())
}

fn reader(server: &Server) -> FhirClient {
    FhirClient::new(client(), server.base.clone())
}

fn fhir(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status)
        .set_body_raw(body.to_owned(), "application/fhir+json;charset=utf-8")
}

async fn search(answer: ResponseTemplate) -> FhirError {
    let server = Server::start().await;
    server.answer("GET", "/fhir/Goal", answer).await;
    let reader = reader(&server);
    reader
        .search_page(&reader.search_url("Goal", &[]), &token())
        .await
        .unwrap_err()
}

#[tokio::test]
async fn g2_the_token_is_in_the_header_and_nowhere_else() {
    let server = Server::start().await;
    server
        .answer(
            "GET",
            "/fhir/Goal",
            fhir(200, r#"{"resourceType":"Bundle","type":"searchset"}"#),
        )
        .await;
    let reader = reader(&server);
    let url = reader.search_url("Goal", &[("patient", "p 1"), ("category", "http://x|y")]);
    reader.search_page(&url, &token()).await.unwrap();
    let request = &server.requests("/fhir/Goal").await[0];
    assert_eq!(request.headers["authorization"], "Bearer at-1");
    assert_eq!(request.headers["accept"], "application/fhir+json");
    assert_eq!(
        request.url.query(),
        Some("patient=p+1&category=http%3A%2F%2Fx%7Cy")
    );
}

#[tokio::test]
async fn g3_g4_a_next_link_to_elsewhere_gets_no_request_at_all() {
    let (server, other) = (Server::start().await, Server::start().await);
    let next = other.url("/fhir/Goal?page=2&secret=1");
    let body =
        serde_json::json!({"resourceType": "Bundle", "link": [{"relation": "next", "url": next}]})
            .to_string();
    server.answer("GET", "/fhir/Goal", fhir(200, &body)).await;
    let reader = reader(&server);
    let page = reader
        .search_page(&reader.search_url("Goal", &[]), &token())
        .await
        .unwrap();
    for foreign in [
        page.next.unwrap(),
        server.url("/fhirx/Goal"),
        server.url("/admin"),
    ] {
        match reader.search_page(&foreign, &token()).await {
            Err(FhirError::ForeignNextLink { url }) => assert!(!url.contains("secret")),
            other => panic!("{other:?}"),
        }
    }
    assert!(other.mock.received_requests().await.unwrap().is_empty());
    assert_eq!(server.mock.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn g3_f14_a_redirect_does_not_carry_the_token_out_of_the_base() {
    let (server, other) = (Server::start().await, Server::start().await);
    for to in [other.url("/fhir/Goal"), server.url("/elsewhere")] {
        server.mock.reset().await;
        let answer = ResponseTemplate::new(302).insert_header("location", to.as_str());
        server.answer("GET", "/fhir/Goal", answer).await;
        let reader = reader(&server);
        let refused = reader
            .search_page(&reader.search_url("Goal", &[]), &token())
            .await;
        assert!(matches!(refused, Err(FhirError::Http(_))), "{refused:?}");
        assert!(server.requests("/elsewhere").await.is_empty());
    }
    assert!(other.mock.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn g11_g13_g14_statuses_and_what_they_mean() {
    let outcome = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"forbidden","diagnostics":"no"}]}"#;
    assert!(matches!(
        search(fhir(401, outcome)).await,
        FhirError::Unauthorized
    ));
    assert!(
        matches!(search(fhir(403, outcome)).await, FhirError::Forbidden { outcome: Some(o) } if o.is_error())
    );
    assert!(matches!(
        search(fhir(403, "<html>")).await,
        FhirError::Forbidden { outcome: None }
    ));
    assert!(matches!(
        search(fhir(404, outcome)).await,
        FhirError::NotFound
    ));
    assert!(matches!(search(fhir(410, "")).await, FhirError::Gone));
    assert!(matches!(
        search(fhir(400, outcome)).await,
        FhirError::Outcome { status: 400, .. }
    ));
    assert!(matches!(
        search(fhir(500, "<html>")).await,
        FhirError::UnexpectedStatus(500)
    ));
    assert!(matches!(
        search(fhir(503, "")).await,
        FhirError::UnexpectedStatus(503)
    ));
}

#[tokio::test]
async fn g14_retry_after_in_seconds_or_as_a_date() {
    let wait = |error: FhirError| match error {
        FhirError::TooManyRequests { retry_after } => retry_after,
        other => panic!("{other:?}"),
    };
    let date = "Thu, 01 Jan 2026 00:00:00 GMT";
    let dated = |status, retry: &str| {
        fhir(status, "")
            .insert_header("date", date)
            .insert_header("retry-after", retry)
    };
    assert_eq!(
        wait(search(dated(429, "12")).await),
        Some(Duration::from_secs(12))
    );
    assert_eq!(
        wait(search(dated(503, "Thu, 01 Jan 2026 00:00:30 GMT")).await),
        Some(Duration::from_secs(30))
    );
    assert_eq!(
        wait(search(dated(429, "Wed, 31 Dec 2025 23:00:00 GMT")).await),
        Some(Duration::ZERO)
    );
    assert_eq!(wait(search(dated(429, "soon")).await), None);
    assert_eq!(wait(search(fhir(429, "")).await), None);
    let reset = |value: &str| {
        fhir(429, "")
            .insert_header("date", date)
            .insert_header("x-ratelimit-reset", value)
    };
    assert_eq!(
        wait(search(reset("7")).await),
        Some(Duration::from_secs(7)),
        "where there is no Retry-After"
    );
    let time = 1_767_225_600 + 9;
    assert_eq!(
        wait(search(reset(&time.to_string())).await),
        Some(Duration::from_secs(9))
    );
    assert_eq!(wait(search(reset("later")).await), None);
}

#[tokio::test]
async fn g15_what_the_server_says_stands_behind_each_refusal_as_text() {
    let outcome = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"forbidden",
        "details":{"text":"Closed\u202e for <b>you</b>"}}]}"#;
    for status in [400, 403, 422, 500] {
        let error = search(fhir(status, outcome)).await.to_string();
        assert!(
            error.contains("error forbidden: Closed"),
            "{status}: {error}"
        );
        assert!(!error.contains('\u{202e}'), "{error}");
    }
    let quiet = search(fhir(403, "")).await.to_string();
    assert_eq!(quiet, "the FHIR server refuses this");
}

#[tokio::test]
async fn g10_a_version_that_is_here_is_not_sent_again() {
    let server = Server::start().await;
    server
        .answer("GET", "/fhir/Organization/o", ResponseTemplate::new(304))
        .await;
    let reader = FhirClient::new(client(), server.base.clone());
    let kept = reader
        .read_if_changed("Organization", "o", "3", &token())
        .await;
    assert!(matches!(kept, Ok(None)), "{kept:?}");
    let asked = server.requests("/fhir/Organization/o").await;
    assert_eq!(asked[0].headers["if-none-match"], "W/\"3\"");
    let other = Server::start().await;
    let body = r#"{"resourceType":"Organization","id":"o","meta":{"versionId":"4"}}"#;
    other
        .answer("GET", "/fhir/Organization/o", fhir(200, body))
        .await;
    let reader = FhirClient::new(client(), other.base.clone());
    let changed = reader
        .read_if_changed("Organization", "o", "3", &token())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (changed.json.as_str(), changed.version_id.as_deref()),
        (body, Some("4"))
    );
}

#[tokio::test]
async fn pages_that_are_none() {
    assert!(matches!(
        search(fhir(200, "")).await,
        FhirError::NotJson { xml: false, .. }
    ));
    assert!(matches!(
        search(fhir(200, "<html></html>")).await,
        FhirError::NotJson { xml: false, .. }
    ));
    let xml = ResponseTemplate::new(200).set_body_raw(
        "<Bundle xmlns=\"http://hl7.org/fhir\"/>",
        "application/fhir+xml",
    );
    assert!(
        matches!(search(xml).await, FhirError::NotJson { xml: true, content_type: Some(t) } if t == "application/fhir+xml")
    );
    assert!(matches!(
        search(fhir(200, r#"{"resourceType":"Bundle","entry":[{"#)).await,
        FhirError::Truncated
    ));
    assert!(
        matches!(search(fhir(200, r#"{"resourceType":"Patient","id":"1"}"#)).await, FhirError::NotABundle { found } if found == "Patient")
    );
    let outcome =
        r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"processing"}]}"#;
    assert!(matches!(
        search(fhir(200, outcome)).await,
        FhirError::Outcome { status: 200, .. }
    ));
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_of_a_page_is_a_truncated_page() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/fhir+json\r\ncontent-length: 5000\r\n\r\n{\"resourceType\":\"Bundle\",";
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let base = FhirBaseUrl::parse(&format!("http://127.0.0.1:{port}/fhir"), &policy()).unwrap();
    let reader = FhirClient::new(client(), base);
    let cut = reader
        .search_page(&reader.search_url("Goal", &[]), &token())
        .await;
    assert!(matches!(cut, Err(FhirError::Truncated)), "{cut:?}");
}

#[tokio::test]
async fn g1_metadata_is_asked_for_without_a_token_first() {
    let server = Server::start().await;
    let statement = r#"{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[{"mode":"server","resource":[{"type":"Goal"}]}]}"#;
    let given = || Mock::given(method("GET")).and(path("/fhir/metadata"));
    given()
        .and(header("authorization", "Bearer at-1"))
        .respond_with(fhir(200, statement))
        .mount(&server.mock)
        .await;
    given()
        .respond_with(fhir(401, ""))
        .mount(&server.mock)
        .await;
    let found = reader(&server).capability(Some(&token())).await.unwrap();
    assert!(found.resource("Goal").unwrap().can_search());
    let requests = server.requests("/fhir/metadata").await;
    assert!(!requests[0].headers.contains_key("authorization") && requests.len() == 2);
    assert!(matches!(
        reader(&server).capability(None).await,
        Err(FhirError::Unauthorized)
    ));
}

#[tokio::test]
async fn a_read_keeps_the_resource_byte_for_byte() {
    let server = Server::start().await;
    let body = "{ \"resourceType\" : \"Goal\",\n \"id\":\"g.1\", \"meta\":{\"versionId\":\"2\"}, \"x\": 1.0e2, \"y\":\"\\u00e9\" }";
    server
        .answer("GET", "/fhir/Goal/g.1", fhir(200, body))
        .await;
    let goal = reader(&server).read("Goal", "g.1", &token()).await.unwrap();
    assert_eq!(
        (
            goal.json.as_str(),
            goal.id.as_str(),
            goal.version_id.as_deref()
        ),
        (body, "g.1", Some("2"))
    );
}

#[tokio::test]
async fn a_read_that_brings_something_else() {
    for (body, expected) in [
        (r#"{"resourceType":"Patient","id":"1"}"#, "Patient"),
        (r#"{"id":"1"}"#, "no resource"),
        ("[]", "no resource"),
    ] {
        let server = Server::start().await;
        server.answer("GET", "/fhir/Goal/1", fhir(200, body)).await;
        match reader(&server).read("Goal", "1", &token()).await {
            Err(FhirError::UnexpectedResource { found }) => assert_eq!(found, expected),
            other => panic!("{body}: {other:?}"),
        }
    }
    let server = Server::start().await;
    server
        .answer(
            "GET",
            "/fhir/Goal/1",
            fhir(200, r#"{"resourceType":"Goal","#),
        )
        .await;
    assert!(matches!(
        reader(&server).read("Goal", "1", &token()).await,
        Err(FhirError::Truncated)
    ));
}

#[tokio::test]
async fn d14_an_id_cannot_lead_out_of_its_type() {
    let server = Server::start().await;
    let answer = reader(&server)
        .read("Goal", "../../admin?x", &token())
        .await;
    assert!(matches!(answer, Err(FhirError::NotFound)));
    let requests = server.mock.received_requests().await.unwrap();
    assert!(
        requests
            .iter()
            .all(|request| request.url.path().starts_with("/fhir/Goal/")
                && request.url.query().is_none())
    );
}

#[tokio::test]
async fn a_binary_comes_as_a_resource_or_as_it_is() {
    let server = Server::start().await;
    server
        .answer(
            "GET",
            "/fhir/Binary/1",
            fhir(
                200,
                r#"{"resourceType":"Binary","id":"1","contentType":"text/plain","data":"aGk="}"#,
            ),
        )
        .await;
    server
        .answer(
            "GET",
            "/fhir/Binary/2",
            ResponseTemplate::new(200).set_body_raw(vec![0xff, 1, 2], "application/pdf"),
        )
        .await;
    let reader = reader(&server);
    assert!(
        matches!(reader.read_binary("1", &token(), 100).await.unwrap(), BinaryContent::Resource(r) if r.id == "1")
    );
    assert!(matches!(
        reader.read_binary("2", &token(), 100).await.unwrap(),
        BinaryContent::Native { content_type, bytes } if content_type == "application/pdf" && bytes == [0xff, 1, 2]
    ));
    assert!(matches!(
        reader.read("Binary", "2", &token()).await,
        Err(FhirError::NotJson { .. })
    ));
}
