use super::*;
use serde_json::json;

fn said(record: &Value) -> Option<Fact> {
    let resource_type = record["resourceType"].as_str().unwrap();
    fact_of(resource_type, record, None)
}

/// Whether two records say the same of one thing, dates aside.
fn one_thing(one: &Value, other: &Value) -> bool {
    let (one, other) = (said(one).unwrap(), said(other).unwrap());
    one.keys.iter().any(|key| other.keys.contains(key))
}

fn lab(code: &Value, value: &Value) -> Value {
    json!({"resourceType": "Observation", "status": "final", "effectiveDateTime": "2024-03-01",
        "category": [{"coding": [{"code": "laboratory"}]}], "code": code, "valueQuantity": value})
}

fn loinc(code: &str) -> Value {
    json!({"coding": [{"system": "http://loinc.org", "code": code}]})
}

fn condition(code: &Value) -> Value {
    json!({"resourceType": "Condition", "code": code})
}

#[test]
fn any_coding_that_both_have_makes_them_one_thing() {
    let snomed = json!({"system": "http://snomed.info/sct", "code": "1"});
    let same = json!({"system": "urn:oid:2.16.840.1.113883.6.96", "code": "1"});
    let icd = json!({"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "J45"});
    let local = json!({"system": "https://ehr.example/codes", "code": "1"});
    let of =
        |codings: Vec<&Value>, text: &str| condition(&json!({"coding": codings, "text": text}));
    let both = of(vec![&snomed, &icd], "Asthma");
    assert!(one_thing(&both, &of(vec![&icd], "Bronchial asthma")));
    assert!(one_thing(&both, &of(vec![&same], "asthma (disorder)")));
    assert!(
        !one_thing(&both, &of(vec![&local], "Asthma")),
        "another system, the same text"
    );
    let bare = json!({"code": "1"});
    assert!(!one_thing(
        &of(vec![&snomed], "Asthma"),
        &of(vec![&bare], "Asthma")
    ));
}

#[test]
fn text_counts_only_where_neither_has_a_code() {
    let text = |text: &str| condition(&json!({ "text": text }));
    assert!(one_thing(&text("Knee  pain"), &text(" knee pain")));
    assert!(!one_thing(&text("Knee pain"), &text("Pain in the knee")));
    assert!(!one_thing(
        &text("Sodium"),
        &condition(&json!({"coding": [{"system": "s", "code": "c"}], "text": "Sodium"}))
    ));
}

#[test]
fn what_is_unknown_refuted_or_wrong_says_nothing() {
    let unknown = json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
        "code": "unknown"}], "text": "Unknown"});
    assert_eq!(said(&condition(&unknown)), None);
    let verified = |code: &str| {
        json!({"resourceType": "Condition", "code": {"text": "Gout"},
            "verificationStatus": {"coding": [{"code": code}]}})
    };
    assert_eq!(said(&verified("refuted")), None);
    assert_eq!(said(&verified("entered-in-error")), None);
    assert!(one_thing(
        &verified("confirmed"),
        &condition(&json!({"text": "gout"}))
    ));
    assert!(
        !one_thing(&verified("differential"), &verified("confirmed")),
        "a suspicion"
    );
    let mut wrong = lab(&loinc("1"), &json!({"value": 1}));
    wrong["status"] = json!("entered-in-error");
    assert_eq!(said(&wrong), None);
    assert_eq!(fact_of("Procedure", &condition(&loinc("1")), None), None);
    assert_eq!(fact_of("Condition", &Value::Null, None), None);
}

#[test]
fn laboratory_values_are_the_same_with_their_unit_as_numbers() {
    let of = |value: Value| lab(&loinc("2345-7"), &value);
    let seven = of(json!({"value": 7.0, "unit": "milligrams", "code": "mg/dL"}));
    assert!(one_thing(&seven, &of(json!({"value": 7, "code": "mg/dL"}))));
    for other in [
        json!({"value": 7, "code": "g/dL"}),
        json!({"value": 7.01, "code": "mg/dL"}),
        json!({"value": 7, "code": "mg/dL", "comparator": "<"}),
        json!({"value": 7}),
    ] {
        assert!(!one_thing(&seven, &of(other.clone())), "{other}");
    }
    assert!(!one_thing(
        &seven,
        &lab(&loinc("2345-8"), &json!({"value": 7, "code": "mg/dL"}))
    ));
    assert_eq!(
        said(&lab(&loinc("1"), &json!({"unit": "mg/dL"}))),
        None,
        "no value"
    );
    let mut vital = seven.clone();
    vital["category"] = json!([{"coding": [{"code": "vital-signs"}]}]);
    assert_eq!(said(&vital), None);
    let coded = |code: &str| {
        let mut record = lab(&loinc("1"), &Value::Null);
        record["valueQuantity"].take();
        record.as_object_mut().unwrap().remove("valueQuantity");
        record["valueCodeableConcept"] = json!({"coding": [{"system": "s", "code": code}]});
        record
    };
    assert!(one_thing(&coded("pos"), &coded("pos")));
    assert!(!one_thing(&coded("pos"), &coded("neg")));
}

#[test]
fn given_and_not_given_are_two_things() {
    let shot = |status: &str| {
        json!({"resourceType": "Immunization", "status": status, "vaccineCode": loinc("140"),
            "occurrenceDateTime": "2023"})
    };
    assert!(!one_thing(&shot("completed"), &shot("not-done")));
    let order = |refrain: bool| {
        json!({"resourceType": "MedicationRequest", "status": "active", "authoredOn": "2024",
            "medicationCodeableConcept": loinc("1"), "doNotPerform": refrain})
    };
    assert!(!one_thing(&order(true), &order(false)));
    let mut stated = order(false);
    stated["resourceType"] = json!("MedicationStatement");
    stated["effectiveDateTime"] = json!("2024");
    assert!(
        !one_thing(&order(false), &stated),
        "an order is no statement"
    );
    stated["effectiveDateTime"].take();
    assert_eq!(said(&stated), None, "without a date it may be any");
}

#[test]
fn the_medication_may_be_inside_or_another_record() {
    let whole = json!({"resourceType": "MedicationRequest", "authoredOn": "2024",
        "medicationCodeableConcept": loinc("1")});
    let inside = json!({"resourceType": "MedicationRequest", "authoredOn": "2024",
        "contained": [{"resourceType": "Medication", "id": "m", "code": loinc("1")}],
        "medicationReference": {"reference": "#m"}});
    let outside = json!({"resourceType": "MedicationRequest", "authoredOn": "2024",
        "medicationReference": {"reference": "Medication/m"}});
    assert!(one_thing(&whole, &inside));
    assert_eq!(medication_reference(&inside), None);
    assert_eq!(medication_reference(&outside), Some("Medication/m"));
    let medication = json!({"resourceType": "Medication", "code": loinc("1")});
    let named = fact_of("MedicationRequest", &outside, Some(&medication));
    assert_eq!(named, said(&whole));
    assert_eq!(said(&outside), None);
}

#[test]
fn dates_have_their_precision_and_instants_their_offset() {
    let date = |text: &str| FactDate::parse(text).unwrap();
    let coarser = |text: &str| date(text).coarser().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(coarser("2019"), [""]);
    assert_eq!(coarser("2019-04"), ["", "2019"]);
    assert_eq!(
        coarser("2019-04-02T23:00:00-05:00"),
        ["", "2019", "2019-04", "2019-04-02"]
    );
    assert_eq!(
        date("2024-03-01T23:00:00-05:00").own(),
        date("2024-03-02T04:00:00.000Z").own()
    );
    assert_eq!(date("2024-03-01T23:00:00").own(), "2024-03-01");
    for wrong in ["", "soon", "2024-13", "2024-02-30", "20é4", "2024-02-1"] {
        assert_eq!(FactDate::parse(wrong), None, "{wrong}");
    }
    let onset = |text: &str| {
        said(&json!({"resourceType": "Condition", "code": {"text": "Gout"}, "onsetDateTime": text}))
    };
    assert_eq!(
        onset("soon"),
        None,
        "a date that is none agrees with nothing"
    );
}

#[test]
fn what_is_kept_comes_back() {
    for record in [
        lab(&loinc("1"), &json!({"value": 1})),
        condition(&json!({"text": "Gout"})),
    ] {
        let fact = said(&record).unwrap();
        assert_eq!(Fact::of_text(&fact.to_text()), Some(fact));
    }
    assert_eq!(Fact::of_text(""), None);
    assert_eq!(Fact::of_text("2019|zz"), None);
}
