use super::*;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};
use std::path::PathBuf;

fn summary(value: &Value) -> RecordSummary {
    of(
        value["resourceType"].as_str().unwrap_or_default(),
        &value.to_string(),
    )
}

#[test]
fn a_lab_result_reads_as_a_person_would_say_it() {
    let row = summary(&json!({"resourceType": "Observation", "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4", "display": "Hemoglobin A1c"}]},
        "effectiveDateTime": "2024-03-01T08:30:00+01:00",
        "valueQuantity": {"value": 7.5, "comparator": ">", "unit": "%"},
        "referenceRange": [{"low": {"value": 4.0}, "high": {"value": 5.6}}],
        "interpretation": [{"coding": [{"code": "H"}]}],
        "subject": {"reference": "Patient/p1"}}));
    assert_eq!(row.section, Section::Labs);
    assert_eq!(row.title, "Hemoglobin A1c");
    assert_eq!(row.code.as_deref(), Some("http://loinc.org|4548-4"));
    assert_eq!(row.value.as_deref(), Some("> 7.5 %"));
    assert_eq!(row.range.as_deref(), Some("4.0 to 5.6 %"));
    assert_eq!(row.flag, Some(Flag::High));
    assert_eq!(row.subject.as_deref(), Some("Patient/p1"));
    assert_eq!(row.date.unwrap().sort_ms, Some(1_709_278_200_000));
    assert!(row.text.contains("Hemoglobin A1c") && row.text.contains("4548-4"));
}

#[test]
fn what_no_computer_can_hold_does_not_take_the_rest_away() {
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    for odd in ["1e400", r#""\ud800""#, &deep, &"9".repeat(400)] {
        let json = format!(
            r#"{{"resourceType":"Observation","id":"o","subject":{{"reference":"Patient/p","odd":{odd}}},
                "code":{{"coding":[{{"odd":{odd}}},{{"display":"Sodium"}}]}},
                "valueQuantity":{{"value":{odd},"unit":"mmol/L"}},"referenceRange":[{{"text":"{{}}"}}]}}"#
        );
        let row = of("Observation", &json);
        assert_eq!(row.title, "Sodium");
        assert_eq!(row.subject.as_deref(), Some("Patient/p"));
        assert_eq!(row.value, None);
    }
}

#[test]
fn a_row_reads_as_it_is_written() {
    let row = summary(&json!({"resourceType": "Observation", "status": "final",
        "code": {"text": "\u{202e}muidoS\u{202c} \u{200b}of\u{0} \u{1f469}\u{200d}\u{2695}"},
        "performer": [{"display": "Dr. \u{2066}Who"}],
        "valueQuantity": {"value": 5, "unit": "\u{202e}g/lomm"}}));
    assert_eq!(row.title, "muidoS of \u{1f469}\u{200d}\u{2695}");
    assert_eq!(row.performer.as_deref(), Some("Dr. Who"));
    assert_eq!(row.value.as_deref(), Some("5 g/lomm"));
    let nothing = summary(&json!({"resourceType": "Observation", "code": {"text": "\u{200b}"}}));
    assert_eq!(nothing.title, plain_name("Observation"));
}

#[test]
fn blood_pressure_is_one_value() {
    let row = summary(
        &json!({"resourceType": "Observation", "category": [{"coding": [{"code": "vital-signs"}]}],
        "code": {"text": "Blood pressure"}, "component": [
            {"code": {"coding": [{"code": "8480-6"}]}, "valueQuantity": {"value": 120, "unit": "mm[Hg]"}},
            {"code": {"coding": [{"code": "8462-4"}]}, "valueQuantity": {"value": 80, "unit": "mm[Hg]"}}]}),
    );
    assert_eq!(
        (row.section, row.value.as_deref()),
        (Section::Vitals, Some("120/80 mmHg"))
    );
}

#[rstest]
#[case("2019", Some(1_546_300_800_000), Precision::Year)]
#[case("2019-04", Some(1_554_076_800_000), Precision::Month)]
#[case("2019-04-02", Some(1_554_163_200_000), Precision::Day)]
#[case("2019-04-02T00:00:00Z", Some(1_554_163_200_000), Precision::Instant)]
#[case("2019-13-45", None, Precision::Day)]
#[case("next week", None, Precision::Instant)]
fn dates_keep_their_precision_and_nonsense_is_not_1970(
    #[case] text: &str,
    #[case] sort_ms: Option<i64>,
    #[case] precision: Precision,
) {
    let date = RecordDate::parse(text).unwrap();
    assert_eq!(
        (date.start.as_str(), date.sort_ms, date.precision),
        (text, sort_ms, precision)
    );
}

#[test]
fn g16_a_missing_value_says_why_and_a_missing_date_stays_unknown() {
    let row = summary(
        &json!({"resourceType": "Observation", "code": {"text": "Smoking"},
        "dataAbsentReason": {"coding": [{"code": "asked-declined"}]}}),
    );
    assert_eq!(row.value.as_deref(), Some("Asked, but declined"));
    assert_eq!(row.date, None);
}

#[test]
fn g11_entered_in_error_is_said() {
    let row = summary(
        &json!({"resourceType": "Condition", "code": {"text": "Asthma"},
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "verificationStatus": {"coding": [{"code": "entered-in-error"}]}}),
    );
    assert_eq!(row.status.as_deref(), Some("Entered in error"));
}

#[test]
fn a_contained_medication_gives_its_name() {
    let row = summary(
        &json!({"resourceType": "MedicationRequest", "status": "active",
        "contained": [{"resourceType": "Medication", "id": "m", "code": {"text": "Axid"}}],
        "medicationReference": {"reference": "#m"}}),
    );
    assert_eq!(
        (row.title.as_str(), row.status.as_deref()),
        ("Axid", Some("Active"))
    );
    assert!(row.references.is_empty());
}

#[test]
fn references_and_attachment_urls_are_collected_once() {
    let row = summary(
        &json!({"resourceType": "DocumentReference", "subject": {"reference": "Patient/1"},
        "author": [{"reference": "Practitioner/2"}, {"reference": "Practitioner/2"}],
        "content": [{"attachment": {"contentType": "text/plain", "url": "Binary/3"}}]}),
    );
    let mut references = row.references;
    references.sort();
    assert_eq!(references, ["Binary/3", "Patient/1", "Practitioner/2"]);
}

#[test]
fn the_real_records_all_have_a_title_in_words() {
    let folder = std::env::var_os("SATCHEL_SHARED_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    if !folder.is_dir() {
        println!("no shared data here: skipped");
        return;
    }
    let mut seen = 0_u32;
    for entry in ["synthea", "us-core", "bluebutton"] {
        for file in std::fs::read_dir(folder.join(entry)).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let lines: Vec<&str> = match path.extension().and_then(|e| e.to_str()) {
                Some("ndjson") => text.lines().collect(),
                _ => vec![text.as_str()],
            };
            for line in lines {
                let value: Value = serde_json::from_str(line).unwrap();
                let Some(resource_type) = value["resourceType"].as_str() else {
                    continue;
                };
                let row = of(resource_type, line);
                assert!(
                    !row.title.is_empty() && row.title != resource_type,
                    "{}",
                    path.display()
                );
                if let Some(given) = ["effectiveDateTime", "performedDateTime", "authoredOn"]
                    .iter()
                    .find_map(|name| value[*name].as_str())
                {
                    let date = row
                        .date
                        .unwrap_or_else(|| panic!("{} has {given}", path.display()));
                    assert!(date.sort_ms.is_some(), "{given}");
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 10_000, "{seen}");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        Just("code".to_owned()),
        Just("coding".to_owned()),
        Just("text".to_owned()),
        Just("valueQuantity".to_owned()),
        Just("value".to_owned()),
        Just("name".to_owned()),
        Just("category".to_owned()),
        Just("period".to_owned()),
        Just("content".to_owned()),
        Just("attachment".to_owned()),
        Just("reference".to_owned()),
        Just("subject".to_owned()),
        "[a-z]{1,8}",
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(name.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_that_a_server_sends_breaks_the_summary(
        value in any_json(),
        kind in prop::sample::select(vec!["Observation", "Patient", "DocumentReference", "Claim", "Goal", "Nonsense"]),
    ) {
        let row = of(kind, &value.to_string());
        prop_assert!(!row.title.trim().is_empty());
    }

    #[test]
    fn not_even_text_that_is_no_json(text in ".{0,200}") {
        prop_assert!(!of("Condition", &text).title.is_empty());
    }
}
