//! Bulk Data Access: kick-off, status, manifest, files, delete, against a server in raw HTTP.

use crate::support::{Server, client};
use satchel_smart::bulk::{
    BulkClient, BulkError, CapabilityUrl, ExportJob, ExportLevel, ExportRequest, ExportStatus,
    Instant, TokenRule, TypeFilter,
};
use satchel_smart::secret::SecretString;
use serde_json::{Value, json};
use std::time::Duration;
use wiremock::ResponseTemplate;

const EXPORT: &str = "/fhir/Patient/$export";
const TIME: &str = "2026-01-01T00:00:00Z";

pub(crate) fn token() -> SecretString {
    SecretString::new("the-token".into())
}

pub(crate) fn bulk(server: &Server) -> BulkClient {
    BulkClient::new(client(), server.base.clone()).unwrap()
}

fn patients() -> ExportRequest {
    ExportRequest::new(ExportLevel::Patient)
}

fn accepted(server: &Server) -> ResponseTemplate {
    let at = server.url("/jobs/secret-7").to_string();
    ResponseTemplate::new(202).insert_header("Content-Location", at)
}

fn job(server: &Server) -> ExportJob {
    ExportJob {
        status_url: CapabilityUrl::new(server.url("/jobs/secret-7")),
        separate_status: false,
    }
}

fn outcome(code: &str, text: &str) -> Value {
    json!({"resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": code, "diagnostics": text}]})
}

pub(crate) fn header(request: &wiremock::Request, name: &str) -> Option<String> {
    let value = request.headers.get(name)?;
    Some(value.to_str().unwrap().to_owned())
}

async fn refused(response: ResponseTemplate, request: &ExportRequest) -> BulkError {
    let server = Server::start().await;
    server.answer("GET", EXPORT, response).await;
    bulk(&server).kick_off(request, &token()).await.unwrap_err()
}

async fn polled(response: ResponseTemplate) -> Result<ExportStatus, BulkError> {
    let server = Server::start().await;
    server.answer("GET", "/jobs/secret-7", response).await;
    bulk(&server).poll(&job(&server), &token()).await
}

#[tokio::test]
async fn f1_f2_f3_f6_a_get_asks_for_the_export_and_learns_where_to_ask_on() {
    let server = Server::start().await;
    server.answer("GET", EXPORT, accepted(&server)).await;
    let mut request = patients();
    request.since = Some(Instant::parse("2026-01-02T03:04:05+02:00").unwrap());
    request.type_filters = vec![TypeFilter::parse("Goal?lifecycle-status=active").unwrap()];
    let started = bulk(&server).kick_off(&request, &token()).await.unwrap();
    assert_eq!(started, job(&server));
    let sent = &server.requests(EXPORT).await[0];
    assert_eq!(header(sent, "accept").unwrap(), "application/fhir+json");
    assert_eq!(header(sent, "prefer").unwrap(), "respond-async");
    assert_eq!(header(sent, "authorization").unwrap(), "Bearer the-token");
    let query = sent.url.query().unwrap();
    assert!(query.contains("05%2B02%3A00") && !query.contains("token"));
}

#[tokio::test]
async fn f2_a_separate_status_is_believed_only_when_it_is_confirmed() {
    for (confirmed, applied) in [
        (true, "respond-async, separate-export-status"),
        (false, "x"),
    ] {
        let server = Server::start().await;
        let answer = accepted(&server).insert_header("Preference-Applied", applied);
        server.answer("GET", EXPORT, answer).await;
        let failed = ResponseTemplate::new(200)
            .insert_header("X-Export-Status", "500")
            .set_body_json(outcome("exception", "no"));
        server.answer("GET", "/jobs/secret-7", failed).await;
        let mut request = patients();
        request.separate_status = true;
        let bulk = bulk(&server);
        let job = bulk.kick_off(&request, &token()).await.unwrap();
        assert_eq!(job.separate_status, confirmed);
        let sent = &server.requests(EXPORT).await[0];
        assert!(
            header(sent, "prefer")
                .unwrap()
                .contains("separate-export-status")
        );
        let polled = bulk.poll(&job, &token()).await;
        match confirmed {
            true => assert!(matches!(polled, Err(BulkError::Failed { status: 500, .. }))),
            false => assert!(matches!(polled, Err(BulkError::BadManifest(_)))),
        }
    }
}

#[tokio::test]
async fn f3_where_get_is_not_allowed_and_where_patients_are_named_it_is_posted() {
    let server = Server::start().await;
    server
        .answer("GET", EXPORT, ResponseTemplate::new(405))
        .await;
    server.answer("POST", EXPORT, accepted(&server)).await;
    let mut request = patients();
    request.types = vec!["Goal".into()];
    bulk(&server).kick_off(&request, &token()).await.unwrap();
    let sent = server.requests(EXPORT).await;
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[1].url.query(), None);
    let posted: Value = serde_json::from_slice(&sent[1].body).unwrap();
    assert_eq!(posted["parameter"][0]["valueString"], "Goal");
    request.patients = vec!["p1".into()];
    bulk(&server).kick_off(&request, &token()).await.unwrap();
    let sent = server.requests(EXPORT).await;
    assert_eq!((sent.len(), sent[2].method.as_str()), (3, "POST"));
    assert_eq!(
        header(&sent[2], "content-type").unwrap(),
        "application/fhir+json"
    );
}

#[tokio::test]
async fn f6_a_relative_address_is_resolved_and_none_is_an_error() {
    let server = Server::start().await;
    let relative = ResponseTemplate::new(202).insert_header("Content-Location", "/jobs/secret-7");
    server.answer("GET", EXPORT, relative).await;
    let started = bulk(&server).kick_off(&patients(), &token()).await.unwrap();
    assert_eq!(started, job(&server));
    let error = refused(ResponseTemplate::new(202), &patients()).await;
    assert!(matches!(error, BulkError::NoStatusUrl));
}

#[tokio::test]
async fn f6_refusals_of_the_kick_off_have_their_meaning() {
    let answer = |status| ResponseTemplate::new(status);
    let plain = patients();
    assert!(matches!(
        refused(answer(401), &plain).await,
        BulkError::Unauthorized
    ));
    let forbidden = answer(403).set_body_json(outcome("forbidden", "no"));
    let error = refused(forbidden, &plain).await;
    assert!(matches!(error, BulkError::Forbidden { outcome: Some(_) }));
    assert!(matches!(
        refused(answer(404), &plain).await,
        BulkError::NotOffered
    ));
    let busy = answer(429).insert_header("Retry-After", "7");
    let wanted = Some(Duration::from_secs(7));
    let error = refused(busy, &plain).await;
    assert!(matches!(error, BulkError::Busy { retry_after } if retry_after == wanted));
    let error = refused(answer(400).set_body_json(outcome("invalid", "why")), &plain).await;
    assert!(error.to_string().contains("why"), "{error}");
}

#[tokio::test]
async fn f7_a_parameter_that_is_not_supported_is_named() {
    let mut request = patients();
    request.types = vec!["Goal".into()];
    request.elements = vec!["id".into()];
    let says = |text| ResponseTemplate::new(400).set_body_json(outcome("invalid", text));
    let named = |error| match error {
        BulkError::ParameterRefused { parameters, .. } => parameters,
        other => panic!("{other}"),
    };
    let one = named(refused(says("the parameter _elements is not supported"), &request).await);
    assert_eq!(one, ["_elements"]);
    let all = named(refused(says("something is wrong"), &request).await);
    assert_eq!(all, ["_type", "_elements"], "it may be any of them");
}

#[tokio::test]
async fn f7_leniency_is_asked_for_only_by_choice() {
    let server = Server::start().await;
    server.answer("GET", EXPORT, accepted(&server)).await;
    let mut request = patients();
    bulk(&server).kick_off(&request, &token()).await.unwrap();
    request.lenient = true;
    bulk(&server).kick_off(&request, &token()).await.unwrap();
    let sent = server.requests(EXPORT).await;
    assert_eq!(header(&sent[0], "prefer").unwrap(), "respond-async");
    assert_eq!(
        header(&sent[1], "prefer").unwrap(),
        "respond-async, handling=lenient"
    );
}

#[tokio::test]
async fn f8_f9_a_running_export_says_when_to_ask_again_and_how_far_it_is() {
    let running = ResponseTemplate::new(202)
        .insert_header("X-Progress", format!("half\t{}", "x".repeat(300)).as_str())
        .insert_header("Date", "Thu, 01 Jan 2026 00:00:00 GMT")
        .insert_header("Retry-After", "Thu, 01 Jan 2026 00:02:00 GMT");
    let ExportStatus::Running {
        progress,
        retry_after,
        partial,
    } = polled(running).await.unwrap()
    else {
        panic!("it runs");
    };
    let progress = progress.unwrap();
    assert_eq!(progress.chars().count(), 100);
    assert!(progress.starts_with("half x"), "{progress}");
    assert_eq!(retry_after, Some(Duration::from_secs(120)));
    assert_eq!(partial, None);
    let storm = ResponseTemplate::new(429).insert_header("Retry-After", "3");
    let wanted = ExportStatus::AskAgain {
        retry_after: Some(Duration::from_secs(3)),
        too_often: true,
    };
    assert_eq!(polled(storm).await.unwrap(), wanted);
}

#[tokio::test]
async fn f8_f10_the_status_is_asked_for_as_json_with_the_token() {
    let server = Server::start().await;
    server
        .answer("GET", "/jobs/secret-7", ResponseTemplate::new(202))
        .await;
    bulk(&server).poll(&job(&server), &token()).await.unwrap();
    let sent = &server.requests("/jobs/secret-7").await[0];
    assert_eq!(header(sent, "accept").unwrap(), "application/json");
    assert_eq!(header(sent, "authorization").unwrap(), "Bearer the-token");
}

#[tokio::test]
async fn f10_an_error_ends_the_export_unless_it_is_called_transient() {
    let says = |status, code| ResponseTemplate::new(status).set_body_json(outcome(code, "x"));
    let again = |status| {
        matches!(
            status,
            Ok(ExportStatus::AskAgain {
                too_often: false,
                ..
            })
        )
    };
    assert!(again(polled(says(500, "transient")).await));
    assert!(again(polled(says(404, "transient")).await));
    assert!(again(polled(ResponseTemplate::new(502)).await), "a gateway");
    let failed = polled(says(500, "exception")).await;
    assert!(matches!(failed, Err(BulkError::Failed { status: 500, .. })));
    assert!(matches!(
        polled(says(404, "not-found")).await,
        Err(BulkError::Gone)
    ));
    let no_manifest = ResponseTemplate::new(200).set_body_string("<html>");
    assert!(matches!(
        polled(no_manifest).await,
        Err(BulkError::BadManifest(_))
    ));
}

#[tokio::test]
async fn f12_f22_a_manifest_and_a_part_of_one() {
    let whole = json!({"transactionTime": TIME, "requiresAccessToken": false,
        "output": [{"type": "Goal", "url": "https://files.example/1"}]});
    let status = polled(ResponseTemplate::new(200).set_body_json(&whole))
        .await
        .unwrap();
    let ExportStatus::Complete(manifest) = status else {
        panic!("it is complete");
    };
    assert_eq!(manifest.output.len(), 1);
    let status = polled(ResponseTemplate::new(202).set_body_json(&whole))
        .await
        .unwrap();
    let ExportStatus::Running {
        partial: Some(part),
        ..
    } = status
    else {
        panic!("a part, and not done");
    };
    assert_eq!(part.transaction_time, TIME);
}

#[tokio::test]
async fn f23_an_export_is_deleted_and_one_that_is_not_there_is_as_good() {
    let server = Server::start().await;
    let gone = ResponseTemplate::new(404).set_body_json(outcome("not-found", "x"));
    server
        .answer_then("DELETE", "/jobs/secret-7", ResponseTemplate::new(202), gone)
        .await;
    let bulk = bulk(&server);
    bulk.delete(&job(&server), &token()).await.unwrap();
    bulk.delete(&job(&server), &token()).await.unwrap();
    let sent = &server.requests("/jobs/secret-7").await[0];
    assert_eq!(header(sent, "authorization").unwrap(), "Bearer the-token");
}

#[tokio::test]
async fn f11_no_error_tells_the_address_of_an_export_or_file() {
    let server = Server::start().await;
    let bulk = bulk(&server);
    let told = |error: BulkError| {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error} {error:?} {source:?}")
    };
    let nowhere = "http://127.0.0.1:1/jobs/secret-7?sig=secret-8";
    let job = ExportJob {
        status_url: CapabilityUrl::parse(nowhere).unwrap(),
        separate_status: false,
    };
    let token = token();
    let mut all = told(bulk.poll(&job, &token).await.unwrap_err());
    all += &told(bulk.delete(&job, &token).await.unwrap_err());
    let file = bulk
        .download(&job.status_url, TokenRule::Forbidden, &token)
        .await;
    all += &told(file.unwrap_err());
    let open = CapabilityUrl::new("http://files.example/secret-9".parse().unwrap());
    let file = bulk.download(&open, TokenRule::Forbidden, &token).await;
    all += &told(file.unwrap_err());
    assert!(!all.contains("secret"), "{all}");
    assert!(all.contains("http://files.example/…"), "{all}");
}
