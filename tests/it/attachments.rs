//! The contents of documents: fetched once, each by itself, found by their words.

use crate::world::{Setting, TurnedClock, setting_with_clock};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use satchel_core::problem::ProblemCode;
use satchel_core::view::{
    AccessAct, AttachmentView, NarrativeNode, RecordFilter, RecordKey, StepOutcome, SyncReportView,
};
use satchel_mock::{Endpoint, FaultKind, MockServer, PlannedFault, World};
use satchel_store::{IndexIn, Page, RecordIn};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::Arc;

fn world() -> World {
    World {
        patients: 2,
        token_lifetime_seconds: 365 * 86_400,
        ..World::default()
    }
}

/// One page with these words, written by hand (ISO 32000-1, 7.5).
fn pdf(words: &str, catalog: &str, trailer: &str) -> Vec<u8> {
    let content = format!("BT /F1 12 Tf 72 700 Td ({words}) Tj ET");
    let objects = [
        format!("<< /Type /Catalog /Pages 2 0 R {catalog}>>"),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>"
            .to_owned(),
        format!(
            "<< /Length {} >>\nstream\n{content}\nendstream",
            content.len()
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
            .to_owned(),
    ];
    let mut file = "%PDF-1.4\n".to_owned();
    let mut places = String::new();
    for (number, object) in (1..).zip(&objects) {
        places += &format!("{:010} 00000 n \n", file.len());
        file += &format!("{number} 0 obj\n{object}\nendobj\n");
    }
    let table = file.len();
    file += &format!("xref\n0 6\n0000000000 65535 f \n{places}");
    file += &format!("trailer\n<< /Size 6 /Root 1 0 R {trailer}>>\nstartxref\n{table}\n%%EOF\n");
    file.into_bytes()
}

/// What a document is called and made of: id, stated media type, media type of the Binary, bytes.
type Made = (&'static str, &'static str, &'static str, Vec<u8>);

fn made() -> Vec<Made> {
    let html = "<html><script>scripted()</script><body><p>Seen for <b>quinsy</b></p></body></html>";
    let ccda = r#"<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><component><section>
        <title>Problems</title><text>Chilblains of both feet</text></section></component></ClinicalDocument>"#;
    let summary = r#"<?xml version="1.0" encoding="ISO-8859-1"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>
        <ClinicalDocument xmlns="urn:hl7-org:v3"><title>Discharge summary</title><effectiveTime value="20240102"/>
        <component><structuredBody>
        <component><section><title>Allergies</title><text><table><thead><tr><th>What</th></tr></thead><tbody><tr><td>Niñol&e;</td></tr></tbody></table></text></section></component>
        <component><section nullFlavor="NI"><title>Results</title><text/></section></component>
        </structuredBody></component></ClinicalDocument>"#;
    let summary = summary.chars().map(|letter| letter as u8).collect();
    let broken = pdf("brokenwords", "", "")[..300].to_vec();
    let locked = "/Encrypt << /Filter /Standard /V 1 /R 2 /O (x) /U (y) /P -4 >> ";
    vec![
        (
            "pdf",
            "application/pdf",
            "application/pdf",
            pdf("Lumbago since spring", "", ""),
        ),
        (
            "rtf",
            "application/rtf",
            "application/rtf",
            br"{\rtf1\ansi Ni\'f1o with \b scurvy\b0\par}".to_vec(),
        ),
        ("html", "text/html", "text/html", html.into()),
        ("ccda", "application/xml", "application/xml", ccda.into()),
        (
            "summary",
            "application/hl7-cda+xml",
            "application/hl7-cda+xml",
            summary,
        ),
        (
            "cutoff",
            "text/xml",
            "text/xml",
            ccda.replace("Chilblains", "Whitlow")[..ccda.len() - 40].into(),
        ),
        (
            "image",
            "image/png",
            "image/png",
            b"\x89PNG\r\n\x1a\n ipecacuanha".to_vec(),
        ),
        (
            "mislabelled",
            "text/plain",
            "text/plain",
            pdf("Farcy of the horse", "", ""),
        ),
        ("broken", "application/pdf", "application/pdf", broken),
        (
            "locked",
            "application/pdf",
            "application/pdf",
            pdf("lockedwords", "", locked),
        ),
    ]
}

fn reference(patient: &str, id: &str, content_type: &str, attachment: Value) -> Value {
    let mut attachment = attachment;
    attachment["contentType"] = json!(content_type);
    json!({"resourceType": "DocumentReference", "id": format!("doc-{id}"), "status": "current",
        "meta": {"lastUpdated": "2024-01-01T00:00:00Z"}, "type": {"text": format!("Letter {id}")},
        "subject": {"reference": format!("Patient/{patient}")},
        "category": [{"coding": [{"code": "clinical-note"}]}], "content": [{"attachment": attachment}]})
}

fn binary(id: &str, content_type: &str, data: &str) -> Value {
    json!({"resourceType": "Binary", "id": id, "contentType": content_type, "data": data,
        "meta": {"lastUpdated": "2024-01-01T00:00:00Z"}})
}

/// A person with these records beside the synthetic ones.
async fn setting_with(
    records: impl FnOnce(&str) -> Vec<Value>,
) -> (Setting, Arc<TurnedClock>, String) {
    let mock = MockServer::start(world()).await.unwrap();
    let patient = mock.accounts()[0].patient_ids[0].clone();
    mock.stop().await;
    let folder = tempfile::TempDir::new().unwrap();
    for (at, record) in records(&patient).iter().enumerate() {
        std::fs::write(folder.path().join(format!("{at}.json")), record.to_string()).unwrap();
    }
    let (setting, clock) = setting_with_clock(World {
        load: Some(folder.path().to_owned()),
        ..world()
    })
    .await;
    let id = setting.connect(setting.patient()).await;
    (setting, clock, id)
}

async fn setting_of_all_kinds() -> (Setting, Arc<TurnedClock>, String) {
    setting_with(|patient| {
        let mut all = vec![reference(
            patient,
            "inline",
            "text/plain",
            json!({"data": STANDARD.encode("Inline glanders")}),
        )];
        for (id, stated, content_type, bytes) in made() {
            let url = json!({"url": format!("Binary/b-{id}"), "size": bytes.len()});
            all.push(reference(patient, id, stated, url));
            all.push(binary(
                &format!("b-{id}"),
                content_type,
                &STANDARD.encode(&bytes),
            ));
        }
        all
    })
    .await
}

fn key(connection_id: &str, id: &str) -> RecordKey {
    RecordKey {
        connection_id: connection_id.to_owned(),
        resource_type: "DocumentReference".to_owned(),
        id: id.to_owned(),
    }
}

async fn content(setting: &Setting, connection_id: &str, id: &str) -> AttachmentView {
    let found = setting.engine.attachments(&key(connection_id, id)).await;
    found.unwrap().remove(0)
}

/// The ids of what is found, and whether each was found in its document.
async fn found(setting: &Setting, words: &str) -> Vec<(String, bool)> {
    let hits = setting
        .engine
        .search(words, &Default::default(), 20)
        .await
        .unwrap();
    let hits = hits.into_iter();
    hits.map(|hit| (hit.record.key.id, hit.in_document))
        .collect()
}

fn contents_asked(setting: &Setting) -> usize {
    let requests = setting.mock.requests();
    let contents = |one: &&satchel_mock::RequestLogEntry| one.path.starts_with("/fhir/Binary/");
    requests.iter().filter(contents).count()
}

#[tokio::test]
async fn a_word_inside_of_a_document_finds_the_record_that_it_belongs_to() {
    let (setting, _, id) = setting_of_all_kinds().await;
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(report.complete, "{report:?}");
    for (word, of) in [
        ("lumbago", "pdf"),
        ("niño scurv", "rtf"),
        ("quinsy", "html"),
        ("chilblains both", "ccda"),
        ("discharge allergies", "summary"),
        ("farcy", "mislabelled"),
        ("glanders", "inline"),
    ] {
        let there = found(&setting, word).await;
        assert_eq!(there, [(format!("doc-{of}"), true)], "{word}");
    }
    assert_eq!(
        found(&setting, "letter lumbago").await,
        [("doc-pdf".to_owned(), true)],
        "some words in the title, some inside"
    );
    for word in ["scripted", "ipecacuanha", "lockedwords"] {
        assert_eq!(found(&setting, word).await, [], "{word}");
    }
    let hits = setting
        .engine
        .search("spring", &Default::default(), 5)
        .await
        .unwrap();
    let marked = hits[0].snippet.iter().find(|part| part.matched).unwrap();
    assert_eq!(
        (hits[0].record.title.as_str(), marked.text.as_str()),
        ("Letter pdf", "spring")
    );
    let opened = content(&setting, &id, "doc-pdf").await;
    assert_eq!(opened.text.as_deref(), Some("Lumbago since spring"));
    for id_of in ["doc-broken", "doc-locked", "doc-image"] {
        let kept = content(&setting, &id, id_of).await;
        assert_eq!(kept.missing, None, "{id_of} is here, words or not");
    }
}

#[tokio::test]
async fn a_clinical_document_comes_with_its_sections_and_html_as_it_is() {
    let (setting, _, id) = setting_of_all_kinds().await;
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    let shown = content(&setting, &id, "doc-summary").await;
    let document = shown.clinical.expect("a clinical document");
    assert_eq!(document.title.as_deref(), Some("Discharge summary"));
    assert_eq!(document.date.as_deref(), Some("2024-01-02"));
    let [allergies, results] = document.sections.as_slice() else {
        panic!("{document:?}");
    };
    assert_eq!(allergies.title.as_deref(), Some("Allergies"));
    let [NarrativeNode::Table { head, body, .. }] = allergies.content.as_slice() else {
        panic!("{allergies:?}");
    };
    let text = |text: &str| vec![NarrativeNode::Text { text: text.into() }];
    assert_eq!(head[0][0].children, text("What"));
    assert_eq!(body[0][0].children, text("Niñol"), "and nothing of a file");
    assert_eq!(results.absent.as_deref(), Some("No information"));
    assert!(shown.text.is_some_and(|text| text.contains("Niñol")));

    let cut_off = content(&setting, &id, "doc-cutoff").await;
    assert_eq!(cut_off.clinical, None);
    assert!(cut_off.text.is_some_and(|text| text.contains("Whitlow")));
    let html = content(&setting, &id, "doc-html").await;
    assert!(html.html.is_some_and(|html| html.contains("<b>quinsy</b>")));
    let pdf = content(&setting, &id, "doc-pdf").await;
    assert_eq!((pdf.clinical, pdf.html), (None, None));

    // The documents of the synthetic people, too.
    let filter = RecordFilter {
        connection_id: Some(id),
        resource_type: Some("DocumentReference".into()),
        section: None,
    };
    let page = setting.engine.records_list(&filter, 0, 200).await.unwrap();
    let mut sections = 0;
    for row in page.rows {
        let shown = setting.engine.attachments(&row.key).await.unwrap();
        for document in shown.into_iter().filter_map(|one| one.clinical) {
            sections = sections.max(document.sections.len());
        }
    }
    assert!(sections >= 5, "{sections}");
}

#[tokio::test]
async fn a_content_is_asked_for_once_and_again_when_its_record_changed() {
    let (setting, _, id) = setting_of_all_kinds().await;
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    let first = contents_asked(&setting);
    assert!(first > 8, "{first}");
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    assert_eq!(
        contents_asked(&setting),
        first,
        "nothing changed, nothing is asked"
    );

    // The record that is here says something else of the same content.
    let store = setting.store().await;
    let (_, json) = store
        .record_get(&id, "DocumentReference", "doc-pdf")
        .await
        .unwrap()
        .unwrap();
    let amended = RecordIn {
        resource_type: "DocumentReference".to_owned(),
        id: "doc-pdf".to_owned(),
        json: json.replacen("current", "superseded", 1),
        index: IndexIn {
            section: "documents".to_owned(),
            title: "Letter pdf".to_owned(),
            ..IndexIn::default()
        },
        ..RecordIn::default()
    };
    let page = Page::of(vec![amended]);
    store
        .save_page(&id, "planted", page, None, "2026-01-01T00:00:00Z")
        .await
        .unwrap();
    store.close().await;
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    assert_eq!(contents_asked(&setting), first + 1);
    assert_eq!(setting.asked("/fhir/Binary/b-pdf"), 2);
    assert_eq!(
        found(&setting, "lumbago").await,
        [("doc-pdf".to_owned(), true)]
    );
}

fn remarks(report: &SyncReportView) -> String {
    let all = report.steps.iter().flat_map(|step| step.remarks.clone());
    all.collect::<Vec<_>>().join("\n")
}

/// Four documents that cannot be had, each for a reason of its own, and one that can.
async fn setting_of_failures() -> (Setting, Arc<TurnedClock>, String) {
    setting_with(|patient| {
        let at = |id: &str| json!({"url": format!("Binary/b-{id}")});
        let page = "<!DOCTYPE html><html><body>Please sign in</body></html>";
        vec![
            reference(patient, "gone", "application/pdf", at("gone")),
            reference(patient, "wrong", "application/pdf", at("wrong")),
            binary("b-wrong", "application/pdf", &STANDARD.encode(page)),
            reference(patient, "spoilt", "application/pdf", at("spoilt")),
            binary("b-spoilt", "application/pdf", "%%%"),
            reference(patient, "large", "text/plain", at("large")),
            binary(
                "b-large",
                "text/plain",
                &STANDARD.encode("tularemia ".repeat(50_000)),
            ),
            reference(patient, "good", "text/plain", at("good")),
            binary("b-good", "text/plain", &STANDARD.encode("Good strangury")),
        ]
    })
    .await
}

#[tokio::test]
async fn one_content_that_cannot_be_had_fails_only_itself_and_is_told_by_name() {
    let (setting, _, id) = setting_of_failures().await;
    setting.engine.document_limit_set(400_000).await.unwrap();
    let report = setting.engine.sync(&id).await.unwrap();
    assert_eq!(
        found(&setting, "strangury").await,
        [("doc-good".to_owned(), true)]
    );
    // What may go well the next time is no success.
    assert!(!report.complete);
    let failed = report
        .steps
        .iter()
        .find(|step| step.outcome == StepOutcome::Failed);
    assert_eq!(failed.unwrap().resource_type, "Practitioner", "{report:?}");
    for (name, why) in [
        ("Letter gone", "does not have"),
        ("Letter wrong", "something else"),
        ("Letter spoilt", "next sync"),
        ("Letter large", "larger"),
    ] {
        let said = remarks(&report);
        let line = said.lines().find(|line| line.starts_with(name));
        assert!(
            line.is_some_and(|line| line.contains(why)),
            "{name}: {said}"
        );
        let shown = content(&setting, &id, &name.replace("Letter ", "doc-")).await;
        assert!(
            shown.missing.is_some_and(|shown| shown.contains(why)),
            "{name}"
        );
        assert!(shown.can_fetch, "{name}");
    }
}

#[tokio::test]
async fn what_failed_is_asked_for_again_and_what_is_not_there_three_times_in_all() {
    let (setting, _, id) = setting_of_failures().await;
    setting.engine.document_limit_set(400_000).await.unwrap();
    for _ in 0..5 {
        setting.engine.sync(&id).await.unwrap();
    }
    let asked = |name: &str| setting.asked(&format!("/fhir/Binary/{name}"));
    assert_eq!((asked("b-gone"), asked("b-wrong")), (3, 3));
    assert!(asked("b-spoilt") >= 5, "a server's error may pass");
    assert_eq!((asked("b-large"), asked("b-good")), (1, 1));
}

#[tokio::test]
async fn an_answer_far_larger_than_the_document_states_is_asked_for_again() {
    let small = |patient: &str| {
        let stated = json!({"url": "Binary/b-small", "size": 14});
        let text = STANDARD.encode("Small quinsies");
        vec![
            reference(patient, "small", "text/plain", stated),
            binary("b-small", "text/plain", &text),
        ]
    };
    let is_small = |one: &satchel_mock::RequestLogEntry| one.path == "/fhir/Binary/b-small";
    // How many requests come before it, and then the same with an answer of 65 MB.
    let (undisturbed, _, id) = setting_with(small).await;
    undisturbed.engine.sync(&id).await.unwrap();
    let requests = undisturbed.mock.requests().into_iter();
    let fhir =
        requests.filter(|one| one.path.starts_with("/fhir/") && one.path != "/fhir/metadata");
    let fhir: Vec<_> = fhir
        .filter(|one| !one.path.contains("/.well-known/"))
        .collect();
    let before = fhir.iter().position(is_small).unwrap();

    let (setting, _, id) = setting_with(small).await;
    setting.mock.plan(&PlannedFault {
        endpoint: Endpoint::Fhir,
        fault: FaultKind::Huge { megabytes: 65 },
        client_id: None,
        after: u32::try_from(before).unwrap(),
        times: 1,
    });
    let report = setting.engine.sync(&id).await.unwrap();
    assert_eq!(setting.asked("/fhir/Binary/b-small"), 1);
    assert!(!report.complete, "{report:?}");
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(report.complete, "{report:?}");
    assert_eq!(content(&setting, &id, "doc-small").await.size, 14);
}

#[tokio::test]
async fn what_is_too_large_is_fetched_when_the_person_says_so_or_allows_more() {
    let (setting, _, id) = setting_of_failures().await;
    setting.engine.document_limit_set(400_000).await.unwrap();
    setting.engine.sync(&id).await.unwrap();
    let shown = content(&setting, &id, "doc-large").await;
    assert!(shown.too_large && shown.can_fetch);
    assert_eq!(found(&setting, "tularemia").await, []);
    let large = key(&id, "doc-large");
    setting.engine.attachment_fetch(&large, 0).await.unwrap();
    assert_eq!(content(&setting, &id, "doc-large").await.size, 500_000);
    assert_eq!(
        found(&setting, "tularemia").await,
        [("doc-large".to_owned(), true)]
    );

    let (other, _, id) = setting_of_failures().await;
    other.engine.document_limit_set(400_000).await.unwrap();
    other.engine.sync(&id).await.unwrap();
    other.engine.document_limit_set(1_000_000).await.unwrap();
    other.engine.sync(&id).await.unwrap();
    assert_eq!(other.asked("/fhir/Binary/b-large"), 2);
    assert_eq!(
        found(&other, "tularemia").await,
        [("doc-large".to_owned(), true)]
    );
}

#[tokio::test]
async fn g23_no_fhir_format_is_asked_for_a_content() {
    let (setting, _, id) = setting_of_all_kinds().await;
    setting.engine.sync(&id).await.unwrap();
    let store = setting.store().await;
    let (_, json) = store
        .record_get(&id, "Binary", "b-html")
        .await
        .unwrap()
        .unwrap();
    // As itself it comes without the server's meta.
    assert!(!json.contains("meta"), "{json}");
    store.close().await;
}

#[tokio::test]
async fn a_removed_connection_leaves_no_word_of_its_documents() {
    let (setting, _, id) = setting_of_all_kinds().await;
    setting.engine.sync(&id).await.unwrap();
    assert_eq!(found(&setting, "quinsy").await.len(), 1);
    setting.engine.remove(&id).await.unwrap();
    assert_eq!(found(&setting, "quinsy").await, []);
}

#[test]
fn a_file_made_to_bring_the_reader_down_brings_down_nothing_else() {
    let read = |bytes: &[u8]| {
        let mut reader = std::process::Command::new(env!("CARGO_BIN_EXE_satchel-desktop"))
            .arg(satchel_core::attachments::READ_DOCUMENT)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let _ = reader.stdin.take().unwrap().write_all(bytes);
        reader.wait_with_output().unwrap()
    };
    let good = read(&pdf("Lumbago since spring", "", ""));
    assert!(good.status.success());
    assert_eq!(
        String::from_utf8(good.stdout).unwrap(),
        "Lumbago since spring"
    );
    // Each of many objects is said to stand where one large array stands (ISO 32000-1, 7.5.7).
    let pairs: String = (10..60_000).map(|number| format!("{number} 0 ")).collect();
    let array = format!("[{}]", "0 ".repeat(100_000));
    let objects = format!(
        "%PDF-1.5\n1 0 obj\n<< /Type /ObjStm /N 59990 /First {} /Length {} >>\nstream\n{pairs}{array}\nendstream\nendobj\ntrailer << /Root 1 0 R >>\n",
        pairs.len(),
        pairs.len() + array.len()
    );
    let begun = std::time::Instant::now();
    let hostile = read(objects.as_bytes());
    assert!(hostile.stdout.is_empty());
    assert!(begun.elapsed() < std::time::Duration::from_secs(60));
}

#[tokio::test]
async fn a_document_is_saved_byte_for_byte_and_named_after_its_bytes() {
    let (setting, _, id) = setting_of_all_kinds().await;
    setting.engine.sync(&id).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, _, _, bytes) in made() {
        let key = key(&id, &format!("doc-{name}"));
        let saved = setting.engine.attachment_save(&key, 0, folder.path());
        let file = saved.await.unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), bytes, "{name}");
        let ending = file.extension().unwrap().to_str().unwrap();
        let expected = match name {
            "pdf" | "mislabelled" | "broken" | "locked" => "pdf",
            "rtf" => "rtf",
            "html" => "html",
            "ccda" | "summary" | "cutoff" => "xml",
            _ => "png",
        };
        assert_eq!(ending, expected, "{name}");
    }
    let nothing = setting
        .engine
        .attachment_save(&key(&id, "doc-pdf"), 7, folder.path())
        .await;
    assert_eq!(nothing.unwrap_err().code, ProblemCode::NotFound);
    let log = setting.engine.access_log(1).await.unwrap();
    assert_eq!(log[0].act, AccessAct::Exported);
    assert!(!log[0].complete);
}
