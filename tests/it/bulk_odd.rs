//! Bulk exports at servers that do what the mock server does not: files at other hosts, manifests in
//! parts, parts of records, wrong counts.

use crate::world::{Setting, setting};
use satchel_core::view::{BulkJobView, BulkState, RecordKey};
use satchel_core::{BulkLevel, BulkOptions, BulkSince};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const TIME: &str = "2026-01-01T00:00:00Z";
const EXPORT: &str = "/fhir/Patient/$export";
const JOB: &str = "/jobs/1";

struct Odd {
    server: MockServer,
    setting: Setting,
    id: String,
}

fn json_of(value: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(value.to_string(), "application/json")
}

fn ndjson(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(text, "application/fhir+ndjson")
}

async fn answer(server: &MockServer, verb: &str, at: &str, with: ResponseTemplate) {
    let mock = Mock::given(method(verb)).and(path(at)).respond_with(with);
    mock.mount(server).await;
}

async fn answer_once(server: &MockServer, verb: &str, at: &str, with: ResponseTemplate) {
    let mock = Mock::given(method(verb)).and(path(at)).respond_with(with);
    mock.up_to_n_times(1).mount(server).await;
}

impl Odd {
    /// A server that registers a backend service and gives it a token.
    async fn start() -> Self {
        let server = MockServer::start().await;
        let at = |place: &str| format!("{}{place}", server.uri());
        let document = json!({
            "token_endpoint": at("/token"), "registration_endpoint": at("/register"),
            "authorization_endpoint": at("/authorize"),
            "capabilities": ["client-confidential-asymmetric", "permission-v2"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "grant_types_supported": ["client_credentials"],
            "scopes_supported": ["system/*.rs"]});
        let place = "/fhir/.well-known/smart-configuration";
        answer(&server, "GET", place, json_of(&document)).await;
        let register = |request: &Request| {
            let mut client: Value = serde_json::from_slice(&request.body).unwrap();
            client["client_id"] = "service-1".into();
            ResponseTemplate::new(201).set_body_raw(client.to_string(), "application/json")
        };
        let mock = Mock::given(method("POST")).and(path("/register"));
        mock.respond_with(register).mount(&server).await;
        let token = json!({"access_token": "the-token", "token_type": "bearer", "expires_in": 300,
            "scope": "system/*.rs"});
        answer(&server, "POST", "/token", json_of(&token)).await;
        let statement = json!({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"});
        answer(&server, "GET", "/fhir/metadata", json_of(&statement)).await;
        let accepted = ResponseTemplate::new(202).insert_header("Content-Location", at(JOB));
        answer(&server, "GET", EXPORT, accepted).await;
        answer(&server, "DELETE", JOB, ResponseTemplate::new(202)).await;
        let setting = setting().await;
        let base = format!("{}/fhir", server.uri());
        let id = setting.engine.connect_backend(&base).await.unwrap();
        Self {
            server,
            setting,
            id,
        }
    }

    fn at(&self, place: &str) -> String {
        format!("{}{place}", self.server.uri())
    }

    fn manifest(&self, output: &Value) -> Value {
        json!({"transactionTime": TIME, "request": self.at(EXPORT), "requiresAccessToken": true,
            "output": output, "error": []})
    }

    async fn export(&self) -> BulkJobView {
        let options = BulkOptions {
            since: BulkSince::Beginning,
            ..BulkOptions::default()
        };
        let engine = &self.setting.engine;
        let job = engine.bulk_start(&self.id, &options).await.unwrap();
        engine.bulk_resume(&job.id).await.unwrap()
    }

    fn key(&self, kind: &str, id: &str) -> RecordKey {
        RecordKey {
            connection_id: self.id.clone(),
            resource_type: kind.into(),
            id: id.into(),
        }
    }

    async fn json(&self, kind: &str, id: &str) -> String {
        let record = self.setting.engine.record_get(&self.key(kind, id)).await;
        record.unwrap().json
    }
}

async fn tokens_at(server: &MockServer, at: &str) -> Vec<Option<String>> {
    let requests = server.received_requests().await.unwrap();
    let there = requests.into_iter().filter(|one| one.url.path() == at);
    let token = |one: Request| {
        let value = one.headers.get("authorization")?;
        Some(value.to_str().unwrap().to_owned())
    };
    there.map(token).collect()
}

fn goal(id: &str, updated: &str, text: &str, tag: &str) -> String {
    let tag = match tag {
        "" => String::new(),
        tag => format!(r#","tag":[{{"code":"{tag}"}}]"#),
    };
    format!(
        r#"{{"resourceType":"Goal","id":"{id}","meta":{{"lastUpdated":"{updated}"{tag}}},"description":{{"text":"{text}"}}}}"#
    )
}

#[tokio::test]
async fn f13_f14_f24_files_and_documents_that_need_no_token_get_none() {
    let odd = Odd::start().await;
    let files = MockServer::start().await;
    let report = format!("{}/doc.txt?sig=1", files.uri());
    let note = json!({"resourceType": "DocumentReference", "id": "d1", "status": "current",
        "content": [{"attachment": {"contentType": "text/plain", "url": report}},
            {"attachment": {"contentType": "text/plain", "url": odd.at("/fhir/Binary/b1")}}]});
    let file = format!("{}/notes.ndjson?sig=2", files.uri());
    let mut manifest =
        odd.manifest(&json!([{"type": "DocumentReference", "url": file, "count": 1}]));
    manifest["requiresAccessToken"] = false.into();
    answer(&odd.server, "GET", JOB, json_of(&manifest)).await;
    answer(&files, "GET", "/notes.ndjson", ndjson(&note.to_string())).await;
    let plain = ResponseTemplate::new(200).set_body_raw("From elsewhere", "text/plain");
    answer(&files, "GET", "/doc.txt", plain).await;
    let binary = json!({"resourceType": "Binary", "id": "b1", "contentType": "text/plain", "data": "aGVyZQ=="});
    let binary =
        ResponseTemplate::new(200).set_body_raw(binary.to_string(), "application/fhir+json");
    answer(&odd.server, "GET", "/fhir/Binary/b1", binary).await;
    let job = odd.export().await;
    assert!(job.complete, "{job:?}");
    assert_eq!(job.report.attachments, 2);
    for (server, at) in [
        (&files, "/notes.ndjson"),
        (&files, "/doc.txt"),
        (&odd.server, "/fhir/Binary/b1"),
    ] {
        assert_eq!(tokens_at(server, at).await, [None], "{at}");
    }
    assert_eq!(
        tokens_at(&odd.server, JOB).await[0].as_deref(),
        Some("Bearer the-token")
    );
    let key = odd.key("DocumentReference", "d1");
    let read = odd.setting.engine.attachments(&key).await.unwrap();
    let texts = serde_json::to_string(&read).unwrap();
    assert!(
        texts.contains("From elsewhere") && texts.contains("here"),
        "{texts}"
    );
}

#[tokio::test]
async fn f24_where_a_token_is_needed_it_goes_to_the_server_itself_only() {
    let odd = Odd::start().await;
    let other = MockServer::start().await;
    let note = json!({"resourceType": "DocumentReference", "id": "d1", "status": "current",
        "content": [{"attachment": {"contentType": "text/plain", "url": format!("{}/doc.txt", other.uri())}},
            {"attachment": {"contentType": "text/plain", "url": odd.at("/content/1")}}]});
    let manifest = odd.manifest(&json!([{"type": "DocumentReference", "url": odd.at("/f/1")}]));
    answer(&odd.server, "GET", JOB, json_of(&manifest)).await;
    answer(&odd.server, "GET", "/f/1", ndjson(&note.to_string())).await;
    let plain = ResponseTemplate::new(200).set_body_raw("Content", "text/plain");
    answer(&odd.server, "GET", "/content/1", plain.clone()).await;
    answer(&other, "GET", "/doc.txt", plain).await;
    let job = odd.export().await;
    assert_eq!(
        (job.report.attachments, job.report.attachments_missing),
        (1, 1)
    );
    assert!(
        tokens_at(&other, "/doc.txt").await.is_empty(),
        "not asked at all"
    );
    let sent = Some("Bearer the-token".to_owned());
    assert_eq!(
        tokens_at(&odd.server, "/content/1").await,
        std::slice::from_ref(&sent)
    );
    assert_eq!(tokens_at(&odd.server, "/f/1").await, [sent]);
}

#[tokio::test]
async fn f21_the_newer_record_stays_and_a_part_never_replaces_a_whole() {
    let odd = Odd::start().await;
    let manifest = odd.manifest(&json!([{"type": "Goal", "url": odd.at("/f/1")}]));
    answer(&odd.server, "GET", JOB, json_of(&manifest)).await;
    let (old, new) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
    let first = [
        goal("whole", old, "whole", ""),
        goal("newer", new, "newer", ""),
        goal("part", old, "part", "SUBSETTED"),
        goal("twice", new, "the newer of two", ""),
        goal("twice", old, "the older of two", ""),
    ];
    answer_once(&odd.server, "GET", "/f/1", ndjson(&first.join("\n"))).await;
    let job = odd.export().await;
    assert!(job.complete);
    assert_eq!(job.report.types[0].left_as_they_were, 1);
    let second = [
        goal("whole", new, "a part of it", "SUBSETTED"),
        goal("newer", old, "older", ""),
        goal("part", new, "a newer part", "SUBSETTED"),
    ];
    answer_once(&odd.server, "GET", "/f/1", ndjson(&second.join("\n"))).await;
    let job = odd.export().await;
    let goals = &job.report.types[0];
    assert_eq!(
        (
            goals.received,
            goals.left_as_they_were,
            goals.changed_records
        ),
        (3, 2, 1)
    );
    assert_eq!(odd.json("Goal", "whole").await, first[0]);
    assert_eq!(odd.json("Goal", "newer").await, first[1]);
    assert_eq!(odd.json("Goal", "part").await, second[2]);
    assert_eq!(odd.json("Goal", "twice").await, first[3]);
    let third = [goal("part", new, "all of it", "")];
    answer(&odd.server, "GET", "/f/1", ndjson(&third[0])).await;
    odd.export().await;
    assert_eq!(odd.json("Goal", "part").await, third[0]);
}

#[tokio::test]
async fn f22_a_manifest_comes_in_parts_and_what_is_there_is_fetched_at_once() {
    let odd = Odd::start().await;
    let file = |n: u32| json!([{"url": odd.at(&format!("/f/{n}"))}]);
    let organized = |n: u32| {
        let mut manifest = odd.manifest(&file(n));
        manifest["outputOrganizedBy"] = "Patient".into();
        manifest
    };
    let early =
        ResponseTemplate::new(202).set_body_raw(organized(1).to_string(), "application/json");
    answer_once(&odd.server, "GET", JOB, early).await;
    let mut first = organized(1);
    first["link"] = json!([{"relation": "next", "url": odd.at("/jobs/1/2")}]);
    answer(&odd.server, "GET", JOB, json_of(&first)).await;
    let second = organized(2);
    answer_once(&odd.server, "GET", "/jobs/1/2", ResponseTemplate::new(202)).await;
    answer(&odd.server, "GET", "/jobs/1/2", json_of(&second)).await;
    let header = r#"{"resourceType":"Parameters","parameter":[{"name":"header"}]}"#;
    let patient = r#"{"resourceType":"Patient","id":"p1"}"#;
    let block = format!("{header}\n{patient}\n{}\n", goal("g1", TIME, "one", ""));
    answer(&odd.server, "GET", "/f/1", ndjson(&block)).await;
    let block = format!("{header}\n{}\n", goal("g2", TIME, "two", ""));
    answer(&odd.server, "GET", "/f/2", ndjson(&block)).await;
    let job = odd.export().await;
    assert!(job.complete, "{job:?}");
    let requests = odd.server.received_requests().await.unwrap();
    let paths: Vec<&str> = requests.iter().map(|one| one.url.path()).collect();
    assert_eq!(paths.iter().filter(|path| **path == "/f/1").count(), 1);
    let place = |wanted: &str| paths.iter().rposition(|path| *path == wanted).unwrap();
    assert!(place("/f/1") < place(JOB), "before the manifest was whole");
    assert!(odd.json("Goal", "g2").await.contains("two"));
    let kinds: Vec<_> = job
        .report
        .types
        .iter()
        .map(|one| one.resource_type.as_str())
        .collect();
    assert_eq!(kinds, ["Goal", "Patient"], "the headers are no records");
}

#[tokio::test]
async fn f17_fewer_lines_than_announced_are_asked_for_again_at_the_new_address() {
    let odd = Odd::start().await;
    let file = |at: &str| odd.manifest(&json!([{"type": "Goal", "url": odd.at(at), "count": 2}]));
    answer_once(&odd.server, "GET", JOB, json_of(&file("/f/old"))).await;
    answer(&odd.server, "GET", JOB, json_of(&file("/f/new"))).await;
    let (one, two) = (goal("1", TIME, "one", ""), goal("2", TIME, "two", ""));
    answer(&odd.server, "GET", "/f/old", ndjson(&one)).await;
    answer_once(
        &odd.server,
        "GET",
        "/f/new",
        ndjson(&format!("{one}\n{two}")),
    )
    .await;
    let job = odd.export().await;
    assert!(job.complete, "{job:?}");
    let goals = &job.report.types[0];
    assert_eq!((goals.received, goals.new_records), (2, 2));
    // The second time it is no better: told, and not called complete.
    answer(&odd.server, "GET", "/f/new", ndjson(&one)).await;
    let job = odd.export().await;
    assert_eq!(
        (job.state, job.report.failed_files),
        (BulkState::Partial, 1)
    );
    assert!(
        job.report.errors[0]
            .reason
            .contains("2 lines were announced and 1 came")
    );
}

#[tokio::test]
async fn f16_lines_that_cannot_be_read_are_told_by_number_kept_and_no_success() {
    let odd = Odd::start().await;
    let manifest = odd.manifest(&json!([{"type": "Goal", "url": odd.at("/f/1")}]));
    answer(&odd.server, "GET", JOB, json_of(&manifest)).await;
    let lines = [
        &goal("1", TIME, "one", ""),
        "{\"resourceType\":\"Goal\"",
        "",
        r#"{"resourceType":"Patient","id":"other"}"#,
        r#"{"resourceType":"Goal"}"#,
        &goal("2", TIME, "two", ""),
    ];
    answer(&odd.server, "GET", "/f/1", ndjson(&lines.join("\r\n"))).await;
    let job = odd.export().await;
    assert_eq!(job.state, BulkState::Partial);
    let told: Vec<_> = job
        .report
        .errors
        .iter()
        .map(|one| one.line.unwrap())
        .collect();
    assert_eq!(told, [2, 4, 5]);
    assert!(odd.json("Goal", "2").await.contains("two"));
    assert!(odd.json("Patient", "other").await.contains("other"));
    let view = serde_json::to_string(&job).unwrap();
    assert!(
        !view.contains("other\\\""),
        "nothing of a record is in the report"
    );
}

#[tokio::test]
async fn f3_f5_a_server_of_version_4_is_posted_to_and_one_that_ignores_a_filter_loses_nothing() {
    let odd = Odd::start().await;
    let group = "/fhir/Group/g/$export";
    answer(&odd.server, "GET", group, ResponseTemplate::new(405)).await;
    let accepted = ResponseTemplate::new(202).insert_header("Content-Location", JOB);
    answer(&odd.server, "POST", group, accepted).await;
    let output = json!([{"type": "Goal", "url": odd.at("/f/1")}, {"type": "Patient", "url": odd.at("/f/2")}]);
    answer(&odd.server, "GET", JOB, json_of(&odd.manifest(&output))).await;
    answer(
        &odd.server,
        "GET",
        "/f/1",
        ndjson(&goal("1", TIME, "one", "")),
    )
    .await;
    let patient = r#"{"resourceType":"Patient","id":"p1"}"#;
    answer(&odd.server, "GET", "/f/2", ndjson(patient)).await;
    let options = BulkOptions {
        level: Some(BulkLevel::Group("g".into())),
        types: vec!["Goal".into()],
        type_filters: vec!["Goal?lifecycle-status=active".into()],
        ..BulkOptions::default()
    };
    let engine = &odd.setting.engine;
    let job = engine.bulk_start(&odd.id, &options).await.unwrap();
    let job = engine.bulk_resume(&job.id).await.unwrap();
    assert!(job.complete && job.report.types.len() == 2, "{job:?}");
}
