//! Bulk Data Access: the files of an export, and what documents in them point to.

use crate::bulk::{bulk, header, token};
use crate::support::{Server, client, policy};
use flate2::Compression;
use flate2::write::GzEncoder;
use satchel_smart::bulk::{BulkClient, BulkError, CapabilityUrl, Download, Line, TokenRule};
use satchel_smart::http::FhirBaseUrl;
use std::io::Write;
use wiremock::ResponseTemplate;

async fn opened(server: &Server, at: &str, rule: TokenRule) -> Result<Download, BulkError> {
    let url = CapabilityUrl::new(server.url(at));
    bulk(server).download(&url, rule, &token()).await
}

async fn lines(server: &Server, at: &str) -> Result<Vec<Line>, BulkError> {
    let mut download = opened(server, at, TokenRule::Required).await?;
    let mut all = Vec::new();
    while let Some(batch) = download.next_batch(10, 1_000_000).await? {
        all.extend(batch);
    }
    Ok(all)
}

#[tokio::test]
async fn f13_a_file_that_needs_no_token_gets_none() {
    let server = Server::start().await;
    server
        .answer("GET", "/file", ResponseTemplate::new(200))
        .await;
    for (rule, wanted) in [
        (TokenRule::Forbidden, None),
        (TokenRule::Required, Some("Bearer the-token".to_owned())),
    ] {
        opened(&server, "/file", rule).await.unwrap();
        let sent = server.requests("/file").await.pop().unwrap();
        assert_eq!(header(&sent, "authorization"), wanted);
        assert_eq!(header(&sent, "accept").unwrap(), "application/fhir+ndjson");
    }
}

#[tokio::test]
async fn f13_where_nothing_is_said_a_token_stays_at_the_fhir_server() {
    let (server, files) = (Server::start().await, Server::start().await);
    files
        .answer("GET", "/file", ResponseTemplate::new(200))
        .await;
    let url = CapabilityUrl::new(files.url("/file"));
    let bulk = bulk(&server);
    bulk.download(&url, TokenRule::NotSaid, &token())
        .await
        .unwrap();
    let sent = &files.requests("/file").await[0];
    assert_eq!(header(sent, "authorization"), None);
}

#[tokio::test]
async fn f14_a_redirect_to_another_host_gets_no_token_and_one_to_http_is_not_followed() {
    let (server, files) = (Server::start().await, Server::start().await);
    let to = |at: String| ResponseTemplate::new(302).insert_header("Location", at);
    server.answer("GET", "/near", to("/elsewhere".into())).await;
    server
        .answer("GET", "/elsewhere", to(files.url("/file").to_string()))
        .await;
    server
        .answer("GET", "/open", to("http://files.example/file".into()))
        .await;
    server.answer("GET", "/round", to("/round".into())).await;
    let line = ResponseTemplate::new(200).set_body_string("{}\n");
    files.answer("GET", "/file", line).await;
    assert_eq!(lines(&server, "/near").await.unwrap().len(), 1);
    let near = &server.requests("/elsewhere").await[0];
    assert!(header(near, "authorization").is_some(), "the same host");
    let far = &files.requests("/file").await[0];
    assert_eq!(header(far, "authorization"), None);
    let error = lines(&server, "/open").await.unwrap_err();
    assert!(error.to_string().contains("https"), "{error}");
    let error = lines(&server, "/round").await.unwrap_err();
    assert!(!error.to_string().contains("round"), "no path: {error}");
}

#[tokio::test]
async fn f14_a_server_elsewhere_does_not_send_us_to_this_machine() {
    let here = Server::start().await;
    here.answer("GET", "/file", ResponseTemplate::new(200))
        .await;
    for base in ["https://10.0.0.7/fhir", "https://ehr.example/fhir"] {
        let base = FhirBaseUrl::parse(base, &policy()).unwrap();
        let bulk = BulkClient::new(client(), base).unwrap();
        let url = CapabilityUrl::new(here.url("/file"));
        for rule in [TokenRule::Forbidden, TokenRule::Required] {
            let file = bulk.download(&url, rule, &token()).await;
            assert!(matches!(file, Err(BulkError::Http(_))));
        }
        let token = token();
        let content = bulk.attachment(&url, TokenRule::Forbidden, &token, 10);
        assert!(content.await.is_err());
    }
    assert!(here.requests("/file").await.is_empty());
}

#[tokio::test]
async fn f24_a_content_is_taken_up_to_its_limit_and_a_binary_as_it_is() {
    let server = Server::start().await;
    let binary = r#"{"resourceType":"Binary","id":"1","data":"aGVyZQ=="}"#;
    let answer = |body: &str, kind: &str| ResponseTemplate::new(200).set_body_raw(body, kind);
    let fhir = answer(binary, "application/fhir+json");
    server.answer("GET", "/fhir/Binary/1", fhir).await;
    server
        .answer("GET", "/text", answer("hello", "text/plain"))
        .await;
    let bulk = bulk(&server);
    let fetch = async |at: &str, limit| {
        let url = CapabilityUrl::new(server.url(at));
        bulk.attachment(&url, TokenRule::Required, &token(), limit)
            .await
    };
    let taken = fetch("/fhir/Binary/1", 1000).await.unwrap();
    assert_eq!(taken.resource.as_deref(), Some(binary));
    let text = fetch("/text", 5).await.unwrap();
    assert_eq!(
        (text.bytes.as_slice(), text.resource),
        (b"hello".as_slice(), None)
    );
    assert!(fetch("/text", 4).await.is_err());
    assert!(matches!(fetch("/none", 4).await, Err(BulkError::Gone)));
}

#[tokio::test]
async fn f15_compressed_files_are_read_whatever_the_header_says() {
    let text = "{\"resourceType\":\"Goal\",\"id\":\"1\"}\n".repeat(500);
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let server = Server::start().await;
    let answer = |body: &[u8]| ResponseTemplate::new(200).set_body_bytes(body);
    let said = |body: &[u8]| answer(body).insert_header("Content-Encoding", "gzip");
    server.answer("GET", "/said", said(&packed)).await;
    server.answer("GET", "/unsaid", answer(&packed)).await;
    server.answer("GET", "/false", said(text.as_bytes())).await;
    server
        .answer("GET", "/plain", answer(text.as_bytes()))
        .await;
    for at in ["/said", "/unsaid", "/false", "/plain"] {
        assert_eq!(lines(&server, at).await.unwrap().len(), 500, "{at}");
        let sent = &server.requests(at).await[0];
        assert_eq!(header(sent, "accept-encoding").unwrap(), "gzip");
    }
    let other = answer(&packed).insert_header("Content-Encoding", "br");
    server.answer("GET", "/other", other).await;
    let error = lines(&server, "/other").await.unwrap_err();
    assert!(matches!(error, BulkError::UnknownEncoding));
}

#[tokio::test]
async fn f15_a_decompression_bomb_is_not_let_off() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b'0'; 1024 * 1024];
    for _ in 0..64 {
        packed.write_all(&zeros).unwrap();
    }
    let server = Server::start().await;
    let bomb = ResponseTemplate::new(200).set_body_bytes(packed.finish().unwrap());
    server.answer("GET", "/bomb", bomb).await;
    let error = lines(&server, "/bomb").await.unwrap_err();
    assert!(matches!(error, BulkError::TooLarge));
}

#[tokio::test]
async fn f16_a_page_in_place_of_a_file_is_no_file_and_a_wrong_content_type_is() {
    let server = Server::start().await;
    let answer = |body: &str| ResponseTemplate::new(200).set_body_raw(body, "text/html");
    server
        .answer("GET", "/page", answer("\n<html>\n</html>"))
        .await;
    server
        .answer("GET", "/file", answer("{\"resourceType\":\"Goal\"}\r\n{}"))
        .await;
    let error = lines(&server, "/page").await.unwrap_err();
    assert!(matches!(error, BulkError::NotNdjson));
    assert_eq!(lines(&server, "/file").await.unwrap().len(), 2);
}

#[tokio::test]
async fn f17_what_a_file_that_is_gone_refused_or_busy_means() {
    let server = Server::start().await;
    for status in [404, 410, 401, 500] {
        let at = format!("/{status}");
        server
            .answer("GET", &at, ResponseTemplate::new(status))
            .await;
    }
    let busy = ResponseTemplate::new(429).insert_header("Retry-After", "2");
    server.answer("GET", "/429", busy).await;
    assert!(matches!(lines(&server, "/404").await, Err(BulkError::Gone)));
    assert!(matches!(lines(&server, "/410").await, Err(BulkError::Gone)));
    assert!(matches!(
        lines(&server, "/401").await,
        Err(BulkError::Unauthorized)
    ));
    let refused = lines(&server, "/500").await;
    assert!(matches!(
        refused,
        Err(BulkError::FileRefused { status: 500, .. })
    ));
    assert!(matches!(
        lines(&server, "/429").await,
        Err(BulkError::Busy { .. })
    ));
}
