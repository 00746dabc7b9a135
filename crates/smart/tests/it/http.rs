//! Size, time and redirects.

use crate::support::{Server, client, json_answer, policy};
use satchel_smart::discovery::{DiscoveryError, discover};
use satchel_smart::http::{HttpClient, HttpError, HttpPolicy};
use std::time::Duration;
use wiremock::ResponseTemplate;

const WELL_KNOWN: &str = "/fhir/.well-known/smart-configuration";

async fn http_error(http: &HttpClient, server: &Server) -> HttpError {
    match discover(http, &server.base).await {
        Err(DiscoveryError::Http(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn redirect(status: u16, to: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).insert_header("location", to)
}

#[tokio::test]
async fn a24_a_body_larger_than_allowed_is_refused_announced_or_not() {
    let server = Server::start().await;
    let small = HttpClient::new(HttpPolicy {
        max_body_bytes: 1000,
        ..policy()
    })
    .unwrap();
    let body = vec![b' '; 1001];
    server
        .answer(
            "GET",
            WELL_KNOWN,
            ResponseTemplate::new(200).set_body_bytes(body),
        )
        .await;
    assert!(matches!(
        http_error(&small, &server).await,
        HttpError::TooLarge { limit: 1000, .. }
    ));
}

#[tokio::test]
async fn f15_the_limit_counts_after_decompression() {
    // 2 MB of blanks, compressed to some 2 kB by gzip.
    let bomb = include_bytes!("blanks.gz");
    let server = Server::start().await;
    let answer = ResponseTemplate::new(200)
        .insert_header("content-encoding", "gzip")
        .set_body_bytes(bomb.as_slice());
    server.answer("GET", WELL_KNOWN, answer).await;
    assert!(bomb.len() < 10_000);
    assert!(matches!(
        http_error(&client(), &server).await,
        HttpError::TooLarge { .. }
    ));
}

#[tokio::test]
async fn a24_a_server_that_does_not_answer_in_time() {
    let server = Server::start().await;
    let hasty = HttpClient::new(HttpPolicy {
        timeout: Duration::from_millis(200),
        ..policy()
    })
    .unwrap();
    let late = json_answer(200, "{}").set_delay(Duration::from_secs(20));
    server.answer("GET", WELL_KNOWN, late).await;
    let error = http_error(&hasty, &server).await;
    assert!(matches!(error, HttpError::Timeout { .. }) && error.is_unreachable());
}

#[tokio::test]
async fn a24_redirects_stay_at_their_origin() {
    let (server, other) = (Server::start().await, Server::start().await);
    let document = server.document().to_string();
    server
        .answer("GET", WELL_KNOWN, redirect(302, "/elsewhere"))
        .await;
    server
        .answer("GET", "/elsewhere", json_answer(200, &document))
        .await;
    assert!(discover(&client(), &server.base).await.is_ok());
    server.mock.reset().await;
    server
        .answer(
            "GET",
            WELL_KNOWN,
            redirect(301, other.url("/x?secret=1").as_str()),
        )
        .await;
    match http_error(&client(), &server).await {
        HttpError::Redirect { to, .. } => assert_eq!(to, other.url("/x").to_string()),
        error => panic!("{error:?}"),
    }
    assert!(other.mock.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a24_at_most_three_redirects() {
    let server = Server::start().await;
    server
        .answer("GET", WELL_KNOWN, redirect(307, WELL_KNOWN))
        .await;
    assert!(matches!(
        http_error(&client(), &server).await,
        HttpError::Redirect { .. }
    ));
    assert_eq!(server.requests(WELL_KNOWN).await.len(), 4);
}

#[tokio::test]
async fn no_url_in_an_error_shows_its_query() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let base = satchel_smart::http::FhirBaseUrl::parse(
        &format!("http://127.0.0.1:{port}/fhir"),
        &policy(),
    )
    .unwrap();
    let fhir = satchel_smart::fhir::client::FhirClient::new(client(), base);
    let url = fhir.search_url("Patient", &[("name", "Okonkwo")]);
    let error = fhir
        .search_page(&url, &"token-hush".to_owned().into())
        .await
        .unwrap_err();
    let mut text = format!("{error} {error:?}");
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    assert!(
        !text.contains("Okonkwo") && !text.contains("hush"),
        "{text}"
    );
}

#[test]
fn a_root_certificate_that_is_none_is_refused_at_once() {
    for bytes in [
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec(),
        b"junk".to_vec(),
    ] {
        let made = HttpClient::new(HttpPolicy {
            extra_root_certificates: vec![bytes],
            ..policy()
        });
        assert!(matches!(made, Err(HttpError::Setup(_))));
    }
}
