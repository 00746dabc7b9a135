//! G, as a server: every search that US Core demands (SHALL), asked with values taken from a record that is
//! there. The record is found; with a value that nobody has, it is not.

use crate::living::service;
use crate::tester::Tester;
use reqwest::StatusCode;
use satchel_mock::World;
use serde_json::Value;
use url::form_urlencoded;

async fn everything() -> (Tester, String) {
    let tester = Tester::at(World {
        patients: 8,
        ..World::default()
    })
    .await;
    let token = service(&tester, "system/*.rs").await;
    (tester, token)
}

/// Types with the combinations of parameters that a server SHALL support.
const SEARCHES: &[(&str, &[&str])] = &[
    ("Patient", &["_id"]),
    ("Patient", &["identifier"]),
    ("Patient", &["name"]),
    ("Patient", &["birthdate", "name"]),
    ("AllergyIntolerance", &["patient"]),
    ("CarePlan", &["patient", "category"]),
    ("CareTeam", &["patient", "status"]),
    ("Condition", &["patient"]),
    ("Condition", &["patient", "category"]),
    ("Coverage", &["patient"]),
    ("Device", &["patient"]),
    ("DiagnosticReport", &["patient"]),
    ("DiagnosticReport", &["patient", "category"]),
    ("DiagnosticReport", &["patient", "category", "date"]),
    ("DiagnosticReport", &["patient", "code"]),
    ("DocumentReference", &["patient"]),
    ("DocumentReference", &["_id"]),
    ("DocumentReference", &["patient", "category"]),
    ("DocumentReference", &["patient", "category", "date"]),
    ("DocumentReference", &["patient", "type"]),
    ("Encounter", &["patient"]),
    ("Encounter", &["_id"]),
    ("Encounter", &["patient", "date"]),
    ("FamilyMemberHistory", &["patient"]),
    ("Goal", &["patient"]),
    ("Immunization", &["patient"]),
    ("Location", &["name"]),
    ("Location", &["address"]),
    ("Organization", &["name"]),
    ("Organization", &["address"]),
    ("MedicationDispense", &["patient"]),
    ("MedicationRequest", &["patient", "intent"]),
    ("MedicationRequest", &["patient", "intent", "status"]),
    ("Observation", &["patient", "category"]),
    ("Observation", &["patient", "category", "date"]),
    ("Observation", &["patient", "code"]),
    ("Practitioner", &["identifier"]),
    ("Practitioner", &["name"]),
    ("PractitionerRole", &["practitioner"]),
    ("PractitionerRole", &["specialty"]),
    ("Procedure", &["patient"]),
    ("Procedure", &["patient", "date"]),
    ("QuestionnaireResponse", &["patient"]),
    ("QuestionnaireResponse", &["_id"]),
    ("RelatedPerson", &["_id"]),
    ("ServiceRequest", &["patient"]),
    ("ServiceRequest", &["_id"]),
    ("ServiceRequest", &["patient", "category"]),
    ("ServiceRequest", &["patient", "category", "authored"]),
    ("ServiceRequest", &["patient", "code"]),
    ("Specimen", &["_id"]),
];

/// The value of a search parameter that fits the record, taken from the elements that R4 names.
fn value_of(parameter: &str, record: &Value) -> Option<String> {
    let text = |pointers: &[&str]| {
        let mut found = pointers.iter().filter_map(|one| record.pointer(one));
        found
            .find_map(|value| value.as_str().or_else(|| value["start"].as_str()))
            .map(str::to_owned)
    };
    let reference = |pointers: &[&str]| text(pointers);
    let token = |pointers: &[&str]| {
        let coding = pointers.iter().find_map(|one| record.pointer(one))?;
        match coding.as_str() {
            Some(code) => Some(code.to_owned()),
            None => Some(format!(
                "{}|{}",
                coding["system"].as_str()?,
                coding
                    .get("code")
                    .or_else(|| coding.get("value"))?
                    .as_str()?
            )),
        }
    };
    let day = |pointers: &[&str]| text(pointers).map(|time| time.chars().take(10).collect());
    match parameter {
        "_id" => text(&["/id"]),
        "patient" => reference(&[
            "/patient/reference",
            "/subject/reference",
            "/beneficiary/reference",
        ]),
        "category" => token(&["/category/0/coding/0", "/category/0"]),
        "code" => token(&["/code/coding/0"]),
        "type" => token(&["/type/coding/0", "/type/0/coding/0"]),
        "status" | "intent" => token(&[&format!("/{parameter}")]),
        "identifier" => token(&["/identifier/0"]),
        "specialty" => token(&["/specialty/0/coding/0"]),
        "practitioner" => reference(&["/practitioner/reference"]),
        "name" => text(&["/name/0/family", "/name"]),
        "address" => text(&["/address/0/city", "/address/city"]),
        "birthdate" => text(&["/birthDate"]),
        "authored" => day(&["/authoredOn", "/authored"]),
        "date" => day(&[
            "/effectiveDateTime",
            "/effectivePeriod",
            "/period",
            "/performedDateTime",
            "/performedPeriod",
            "/date",
        ]),
        _ => None,
    }
}

async fn ids(tester: &Tester, token: &str, kind: &str, pairs: &[(&str, String)]) -> Vec<String> {
    let query: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .append_pair("_count", "1000")
        .finish();
    let (status, bundle) = tester.fhir(token, &format!("{kind}?{query}")).await;
    assert_eq!(status, StatusCode::OK, "{kind}?{query}: {bundle}");
    let entries = bundle["entry"].as_array().into_iter().flatten();
    entries
        .map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn g26_us_cores_searches_find_what_is_there_and_nothing_else() {
    let (tester, token) = everything().await;
    for (kind, parameters) in SEARCHES {
        search(&tester, &token, kind, parameters).await;
    }
}

async fn search(tester: &Tester, token: &str, kind: &str, parameters: &[&str]) {
    let (_, all) = tester.fhir(token, &format!("{kind}?_count=1000")).await;
    let records = all["entry"]
        .as_array()
        .unwrap_or_else(|| panic!("no {kind} in the population"));
    let (record, pairs) = records
        .iter()
        .map(|entry| &entry["resource"])
        .find_map(|record| {
            let values = parameters.iter();
            let pairs: Option<Vec<(&str, String)>> = values
                .map(|name| Some((*name, value_of(name, record)?)))
                .collect();
            Some((record, pairs?))
        })
        .unwrap_or_else(|| panic!("no {kind} has all of {parameters:?}"));
    let id = record["id"].as_str().unwrap();
    let found = ids(tester, token, kind, &pairs).await;
    assert!(
        found.iter().any(|one| one == id),
        "{kind}/{id} by {pairs:?}"
    );
    // Each parameter counts: with a value that nobody has nothing is found.
    for position in 0..pairs.len() {
        let mut other = pairs.clone();
        other[position].1 = match other[position].0 {
            "date" | "authored" | "birthdate" => "1801-01-01".to_owned(),
            _ => "nobody-has-this".to_owned(),
        };
        let found = ids(tester, token, kind, &other).await;
        assert!(found.is_empty(), "{kind} by {other:?}: {found:?}");
    }
}

/// What the capability statement promises is what is answered (US Core, "Server CapabilityStatement").
#[tokio::test]
async fn g1_g27_the_statement_lists_what_can_be_searched_and_strict_handling_refuses_the_rest() {
    let (tester, token) = everything().await;
    let token = token.as_str();
    let statement = tester
        .get(&format!("{}/metadata", tester.mock.fhir_base()))
        .await;
    let types = statement["rest"][0]["resource"].as_array().unwrap();
    for one in types {
        let kind = one["type"].as_str().unwrap();
        for parameter in one["searchParam"].as_array().unwrap() {
            let (name, value) = (
                parameter["name"].as_str().unwrap(),
                match parameter["type"].as_str().unwrap() {
                    "date" => "2020-01-01",
                    _ => "x",
                },
            );
            let strict = tester
                .http
                .get(format!("{}/{kind}?{name}={value}", tester.mock.fhir_base()))
                .bearer_auth(token)
                .header("Prefer", "handling=strict")
                .send()
                .await
                .unwrap();
            assert_eq!(strict.status(), StatusCode::OK, "{kind}?{name}");
            let bundle: Value = strict.json().await.unwrap();
            let own = bundle["link"][0]["url"].as_str().unwrap();
            assert!(own.contains(&format!("{name}={value}")), "{own}");
        }
        let refused = tester
            .http
            .get(format!("{}/{kind}?colour=red", tester.mock.fhir_base()))
            .bearer_auth(token)
            .header("Prefer", "handling=strict")
            .send()
            .await
            .unwrap();
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{kind}");
    }
}
