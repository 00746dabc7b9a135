//! What a person takes along is what other programs understand: a summary that keeps to the International
//! Patient Summary's "Bundle" and "Composition", and a table as RFC 4180 has it.

use crate::records::setting_with;
use crate::sources::both;
use crate::world::Setting;
use satchel_core::ExportFormat;
use satchel_core::problem::ProblemCode;
use satchel_core::view::{AccessAct, ChartOf, RecordFilter, Section};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::Path;

fn lab(patient: &str, id: &str, text: &str) -> Value {
    json!({
        "resourceType": "Observation", "id": id, "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "laboratory"}]}],
        "code": {"text": text, "coding": [{"system": "http://loinc.org", "code": "99999-7"}]},
        "subject": {"reference": format!("Patient/{patient}")},
        "effectiveDateTime": "2031-02",
        "valueQuantity": {"value": -1.50, "unit": "g/L, <spun>"},
    })
}

async fn taken(setting: &Setting, of: &ChartOf, format: ExportFormat, file: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let engine = &setting.engine;
    let saved = engine.export_into(of, format, folder.path()).await.unwrap();
    std::fs::read_to_string(saved.join(file)).unwrap()
}

/// Each `reference` in it.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("reference").and_then(Value::as_str));
            members
                .values()
                .for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_summary_is_a_document_that_is_whole_in_itself() {
    let setting = setting_with(|patient| {
        vec![
            lab(patient, "first", "<b>Ferritin</b> & iron"),
            json!({"resourceType": "Condition", "id": "over",
                "clinicalStatus": {"coding": [{"code": "resolved"}]},
                "category": [{"coding": [{"code": "problem-list-item"}]}],
                "code": {"text": "Long over"}, "subject": {"reference": format!("Patient/{patient}")}}),
        ]
    })
    .await;
    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();
    let base = setting.mock.fhir_base().to_string();

    let of = ChartOf::Connection { connection_id: id };
    let text = taken(&setting, &of, ExportFormat::Ips, "patient-summary.json").await;
    let bundle: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(bundle["type"], "document");
    assert!(
        bundle["identifier"]["value"]
            .as_str()
            .unwrap()
            .starts_with("urn:uuid:")
    );
    assert!(bundle["timestamp"].is_string());
    let entries = bundle["entry"].as_array().unwrap();
    let urls: Vec<&str> = entries
        .iter()
        .map(|one| one["fullUrl"].as_str().unwrap())
        .collect();
    assert_eq!(
        urls.iter().collect::<HashSet<_>>().len(),
        urls.len(),
        "each once"
    );

    let composition = &entries[0]["resource"];
    assert_eq!(composition["resourceType"], "Composition");
    assert_eq!(composition["type"]["coding"][0]["code"], "60591-5");
    let mut of_composition = Vec::new();
    references(composition, &mut of_composition);
    assert!(of_composition.len() > 10);
    for reference in of_composition {
        assert!(urls.contains(&reference), "{reference} is in the document");
    }
    let subject = composition["subject"]["reference"].as_str().unwrap();
    assert!(subject.starts_with(&format!("{}/Patient/", base.trim_end_matches('/'))));

    let sections = composition["section"].as_array().unwrap();
    let codes: Vec<&Value> = sections
        .iter()
        .map(|one| &one["code"]["coding"][0]["code"])
        .collect();
    for required in ["10160-0", "48765-2", "11450-4"] {
        assert!(codes.contains(&&json!(required)), "{required} is required");
    }
    for section in sections {
        let (has, says_why) = (
            section["entry"].is_array(),
            section["emptyReason"].is_object(),
        );
        assert!(has != says_why, "entries, or why there are none: {section}");
        let div = section["text"]["div"].as_str().unwrap();
        assert!(div.starts_with("<div xmlns=\"http://www.w3.org/1999/xhtml\">"));
    }
    assert!(
        text.contains("&lt;b&gt;Ferritin&lt;/b&gt; &amp; iron"),
        "markup is text"
    );
    assert!(!urls.iter().any(|url| url.ends_with("Condition/over")));
    // Names of who prescribed and where are in the document, as far as they are known here.
    let has = |kind: &str| {
        entries
            .iter()
            .any(|one| one["resource"]["resourceType"] == kind)
    };
    assert!(has("Practitioner") && has("Organization"));
}

#[tokio::test]
async fn of_several_sources_the_summary_is_one_and_the_log_tells_it_of_each() {
    let both = both().await;
    let person_id = both.join().await;
    let of = ChartOf::Person { person_id };
    let setting = &both.setting;
    let text = taken(setting, &of, ExportFormat::Ips, "patient-summary.json").await;
    let bundle: Value = serde_json::from_str(&text).unwrap();
    let entries = bundle["entry"].as_array().unwrap();
    let patients = entries
        .iter()
        .filter(|one| one["resource"]["resourceType"] == "Patient");
    let hosts: HashSet<&str> = patients
        .map(|one| one["fullUrl"].as_str().unwrap())
        .collect();
    assert_eq!(hosts.len(), 2, "as each of the two has them: {hosts:?}");
    let subject = bundle["entry"][0]["resource"]["subject"]["reference"].as_str();
    assert!(hosts.contains(subject.unwrap()));

    let log = setting.engine.access_log(2).await.unwrap();
    for entry in &log {
        assert_eq!(entry.act, AccessAct::Exported);
        assert!(entry.records > 2, "{entry:?}");
    }
    assert_ne!(log[0].host, log[1].host);
}

#[tokio::test]
async fn results_are_a_table_of_all_of_them_without_formulas() {
    let formula = "=HYPERLINK(\"https://evil.example\",\"Sodium\")";
    let setting = setting_with(|patient| vec![lab(patient, "formula", formula)]).await;
    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();
    let mut results = 0;
    for section in [Section::Labs, Section::Vitals] {
        let filter = RecordFilter {
            connection_id: Some(id.clone()),
            section: Some(section),
            resource_type: Some("Observation".to_owned()),
        };
        results += setting
            .engine
            .records_list(&filter, 0, 1)
            .await
            .unwrap()
            .total;
    }
    assert!(results > 20);

    let of = ChartOf::Connection { connection_id: id };
    let text = taken(&setting, &of, ExportFormat::Results, "results.csv").await;
    let text = text.strip_prefix('\u{feff}').expect("the mark of UTF-8");
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let names = table.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len() as u64, results);
    let cell = |row: &csv::StringRecord, name: &str| {
        let place = names.iter().position(|one| one == name).unwrap();
        row[place].to_owned()
    };
    let ours = rows
        .iter()
        .find(|row| cell(row, "Record id") == "formula")
        .unwrap();
    assert_eq!(cell(ours, "Test"), format!("'{formula}"));
    assert_eq!(cell(ours, "Number"), "-1.5", "a number stays one");
    assert_eq!(cell(ours, "Unit"), "g/L, <spun>");
    assert_eq!(cell(ours, "Date"), "2031-02", "no day is made up");
    assert_eq!(cell(ours, "Code"), "99999-7");
}

#[tokio::test]
async fn a_summary_of_many_people_is_refused_and_nothing_is_written() {
    let setting = setting_with(|_| vec![]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.ndjson");
    let people = ["a", "b"].map(|id| format!("{{\"resourceType\":\"Patient\",\"id\":\"{id}\"}}\n"));
    std::fs::write(&file, people.concat()).unwrap();
    let imported = setting
        .engine
        .import_ndjson(&[file], "People")
        .await
        .unwrap();
    let of = ChartOf::Connection {
        connection_id: imported.connection_id,
    };
    let out = folder.path().join("out");
    let refused = setting
        .engine
        .export_into(&of, ExportFormat::Ips, &out)
        .await;
    assert_eq!(refused.unwrap_err().code, ProblemCode::ExportFailed);
    assert_eq!(files_in(&out), 0);
}

#[tokio::test]
async fn files_of_one_person_have_a_summary_too() {
    let setting = setting_with(|_| vec![]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("person.ndjson");
    let person = "{\"resourceType\":\"Patient\",\"id\":\"a\"}\n".to_owned();
    std::fs::write(&file, person + &lab("a", "only", "Ferritin").to_string()).unwrap();
    let imported = setting.engine.import_ndjson(&[file], "One").await.unwrap();
    let of = ChartOf::Connection {
        connection_id: imported.connection_id,
    };
    let text = taken(&setting, &of, ExportFormat::Ips, "patient-summary.json").await;
    let bundle: Value = serde_json::from_str(&text).unwrap();
    let subject = &bundle["entry"][0]["resource"]["subject"]["reference"];
    assert_eq!(subject, &bundle["entry"][1]["fullUrl"]);
    assert!(subject.as_str().unwrap().ends_with(".invalid/Patient/a"));
}

fn files_in(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| if path.is_dir() { files_in(&path) } else { 1 })
        .sum()
}
