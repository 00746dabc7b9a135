//! F, as a server: Bulk Data export.

use crate::tester::{JWT_BEARER, Tester, es384};
use reqwest::{Response, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A backend service with a token.
pub(crate) struct Service {
    pub(crate) tester: Tester,
    token: String,
}

impl Service {
    pub(crate) async fn new(scope: &str) -> Self {
        Self::at(Tester::new().await, scope).await
    }

    pub(crate) async fn at(tester: Tester, scope: &str) -> Self {
        let token = token(&tester, scope).await;
        Self { tester, token }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.tester.mock.fhir_base())
    }

    pub(crate) async fn kick_off(&self, path: &str) -> Response {
        self.kick_off_with(path, "respond-async").await
    }

    pub(crate) async fn kick_off_with(&self, path: &str, prefer: &str) -> Response {
        let request = self
            .tester
            .http
            .get(self.url(path))
            .bearer_auth(&self.token);
        request.header("Prefer", prefer).send().await.unwrap()
    }

    pub(crate) async fn get(&self, url: &str) -> Response {
        let request = self.tester.http.get(url).bearer_auth(&self.token);
        request.send().await.unwrap()
    }

    /// The status address of an export that begins.
    pub(crate) async fn begin(&self, path: &str) -> String {
        let answer = self.kick_off(path).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED, "{path}");
        let address = answer.headers()["Content-Location"].to_str().unwrap();
        assert!(address.starts_with("http"), "absolute: {address}");
        address.to_owned()
    }

    /// The manifest, once it is there.
    pub(crate) async fn manifest(&self, path: &str) -> Value {
        let address = self.begin(path).await;
        self.ready(&address).await
    }

    /// The manifest behind a status address.
    pub(crate) async fn ready(&self, address: &str) -> Value {
        loop {
            let answer = self.get(address).await;
            if answer.status() == StatusCode::OK {
                return answer.json().await.unwrap();
            }
            assert_eq!(answer.status(), StatusCode::ACCEPTED);
        }
    }

    /// Every exported resource by type.
    async fn export(&self, path: &str) -> BTreeMap<String, Vec<Value>> {
        let manifest = self.manifest(path).await;
        let mut all = BTreeMap::new();
        for output in manifest["output"].as_array().unwrap() {
            let answer = self.get(output["url"].as_str().unwrap()).await;
            assert_eq!(answer.headers()["Content-Type"], "application/fhir+ndjson");
            let text = answer.text().await.unwrap();
            let resources: Vec<Value> = text
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            assert_eq!(output["count"].as_u64(), Some(resources.len() as u64));
            let kind = output["type"].as_str().unwrap().to_owned();
            assert!(
                resources
                    .iter()
                    .all(|one| one["resourceType"] == kind.as_str())
            );
            all.insert(kind, resources);
        }
        all
    }
}

async fn token(tester: &Tester, scope: &str) -> String {
    let key = es384();
    let client = tester
        .client(&json!({
            "grant_types": ["client_credentials"], "response_types": [], "redirect_uris": [],
            "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key.public]},
        }))
        .await;
    let claims = json!({
        "iss": client["client_id"], "sub": client["client_id"], "aud": tester.url("/auth/token"),
        "exp": client["client_id_issued_at"].as_i64().unwrap() + 200, "jti": "1",
    });
    let assertion = key.sign(&claims);
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", scope),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion.as_str()),
    ];
    let answer: Value = tester
        .token(&form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn f_a_system_export_gives_every_resource_once() {
    let service = Service::new("system/*.rs").await;
    let all = service.export("$export").await;
    let counts = service
        .tester
        .get(&format!("{}/counts", service.tester.mock.control()))
        .await;
    let exported: BTreeMap<&String, usize> =
        all.iter().map(|(kind, list)| (kind, list.len())).collect();
    for (kind, count) in counts.as_object().unwrap() {
        assert_eq!(exported[kind] as u64, count.as_u64().unwrap(), "{kind}");
    }
    for (kind, list) in &all {
        let ids: BTreeSet<&str> = list.iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), list.len(), "{kind}: none twice");
    }
}

#[tokio::test]
async fn f10_the_status_says_how_far_it_is_and_then_gives_the_manifest() {
    let service = Service::new("system/*.rs").await;
    let address = service.begin("$export?_type=Patient").await;
    let running = service.get(&address).await;
    assert_eq!(running.status(), StatusCode::ACCEPTED);
    assert!(running.headers().contains_key("Retry-After"));
    assert!(running.headers()["X-Progress"].len() <= 100);
    let ready = service.get(&address).await;
    assert!(ready.headers().contains_key("Expires"));
    let manifest: Value = ready.json().await.unwrap();
    assert_eq!(manifest["request"], service.url("$export?_type=Patient"));
    assert_eq!(manifest["requiresAccessToken"], true);
    assert!(manifest["transactionTime"].as_str().unwrap().ends_with('Z'));
    assert_eq!(
        (&manifest["error"], &manifest["deleted"]),
        (&json!([]), &json!([]))
    );
    let output = &manifest["output"][0];
    assert_eq!(
        (&output["type"], &output["count"]),
        (&json!("Patient"), &json!(2))
    );
    let file = output["url"].as_str().unwrap();
    let stranger = service.tester.http.get(file).send().await.unwrap();
    assert_eq!(
        stranger.status(),
        StatusCode::UNAUTHORIZED,
        "requiresAccessToken"
    );
    let other = token(&service.tester, "system/*.rs").await;
    let other = service
        .tester
        .http
        .get(file)
        .bearer_auth(other)
        .send()
        .await
        .unwrap();
    assert_eq!(
        other.status(),
        StatusCode::NOT_FOUND,
        "another client's export"
    );
}

#[tokio::test]
async fn f1_patients_and_groups_leave_out_what_belongs_to_nobody() {
    let service = Service::new("system/*.rs").await;
    for path in ["Patient/$export", "Group/everyone/$export"] {
        let all = service.export(path).await;
        assert_eq!(all["Patient"].len(), 2, "{path}");
        assert!(!all.contains_key("Organization"), "{path}");
        assert!(all.contains_key("Observation"), "{path}");
    }
    let answer = service.kick_off("Group/unknown/$export").await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn f4_types_times_and_filters_narrow_it() {
    let service = Service::new("system/*.rs").await;
    let all = service.export("$export?_type=Observation,Condition").await;
    assert_eq!(all.keys().collect::<Vec<_>>(), ["Condition", "Observation"]);
    let filter = "Observation%3Fcategory%3Dlaboratory";
    let labs = service
        .export(&format!("$export?_type=Observation&_typeFilter={filter}"))
        .await;
    let expected = all["Observation"]
        .iter()
        .filter(|one| one["category"][0]["coding"][0]["code"] == "laboratory");
    assert_eq!(labs["Observation"].len(), expected.count());
    let two = service.export(&format!("$export?_type=Observation&_typeFilter={filter}&_typeFilter=Observation%3Fcategory%3Dvital-signs")).await;
    assert!(
        two["Observation"].len() > labs["Observation"].len(),
        "filters of a type add up"
    );
    let newest = all["Condition"]
        .iter()
        .map(|one| one["meta"]["lastUpdated"].as_str().unwrap())
        .max()
        .unwrap();
    let since = service
        .export(&format!(
            "$export?_type=Condition&_since={}",
            newest.replace('+', "%2B")
        ))
        .await;
    assert!(!since["Condition"].is_empty() && since["Condition"].len() < all["Condition"].len());
    let none = service
        .manifest("$export?_type=Condition&_since=2999-01-01T00:00:00Z")
        .await;
    assert_eq!(none["output"], json!([]));
}

#[tokio::test]
async fn f3_a_posted_export_may_name_patients() {
    let service = Service::new("system/*.rs").await;
    let own = service.tester.patient().patient_ids[0].clone();
    let parameters = json!({"resourceType": "Parameters", "parameter": [
        {"name": "_type", "valueString": "Condition"},
        {"name": "patient", "valueReference": {"reference": format!("Patient/{own}")}},
    ]});
    let request = service
        .tester
        .http
        .post(service.url("Patient/$export"))
        .bearer_auth(&service.token);
    let request = request
        .header("Prefer", "respond-async")
        .header("Content-Type", "application/fhir+json");
    let answer = request.body(parameters.to_string()).send().await.unwrap();
    let address = answer.headers()["Content-Location"]
        .to_str()
        .unwrap()
        .to_owned();
    service.get(&address).await;
    let manifest: Value = service.get(&address).await.json().await.unwrap();
    let file = service
        .get(manifest["output"][0]["url"].as_str().unwrap())
        .await;
    let reference = format!("Patient/{own}");
    for line in file.text().await.unwrap().lines() {
        let one: Value = serde_json::from_str(line).unwrap();
        assert_eq!(one["subject"]["reference"], reference.as_str());
    }
}

#[rstest]
#[case::format("$export?_outputFormat=text/csv")]
#[case::parameter("$export?_colour=red")]
#[case::kind("$export?_type=Basket")]
#[case::since("$export?_since=yesterday")]
#[case::filter("$export?_typeFilter=Observation")]
#[tokio::test]
async fn f_what_is_not_understood_is_an_operation_outcome(#[case] path: &str) {
    let service = Service::new("system/*.rs").await;
    let answer = service.kick_off(path).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["resourceType"], "OperationOutcome");
}

#[tokio::test]
async fn f7_lenient_handling_takes_an_unknown_parameter() {
    let service = Service::new("system/*.rs").await;
    let request = service
        .tester
        .http
        .get(service.url("$export?_colour=red"))
        .bearer_auth(&service.token);
    let answer = request
        .header("Prefer", "respond-async, handling=lenient")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let request = service
        .tester
        .http
        .get(service.url("$export"))
        .bearer_auth(&service.token);
    assert_eq!(
        request.send().await.unwrap().status(),
        StatusCode::BAD_REQUEST,
        "f2: Prefer is needed"
    );
}

#[tokio::test]
async fn e2_an_export_reaches_as_far_as_the_scopes() {
    let service = Service::new("system/Patient.rs system/Condition.rs").await;
    let all = service.export("$export").await;
    assert_eq!(all.keys().collect::<Vec<_>>(), ["Condition", "Patient"]);
    let refused = service.kick_off("$export?_type=Observation").await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let person = service
        .tester
        .access_token("launch/patient patient/*.rs")
        .await;
    let request = service
        .tester
        .http
        .get(service.url("$export"))
        .bearer_auth(person);
    let answer = request
        .header("Prefer", "respond-async")
        .send()
        .await
        .unwrap();
    assert_eq!(
        answer.status(),
        StatusCode::FORBIDDEN,
        "a person's token exports nothing"
    );
}

#[tokio::test]
async fn f_an_export_is_cancelled_or_expires() {
    let service = Service::new("system/*.rs").await;
    let address = service.begin("$export?_type=Patient").await;
    let request = service
        .tester
        .http
        .delete(&address)
        .bearer_auth(&service.token);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(service.get(&address).await.status(), StatusCode::NOT_FOUND);

    let address = service.begin("$export?_type=Patient").await;
    service.get(&address).await;
    let manifest: Value = service.get(&address).await.json().await.unwrap();
    let file = manifest["output"][0]["url"].as_str().unwrap();
    assert_eq!(service.get(file).await.status(), StatusCode::OK);
    service.tester.mock.turn_clock(3601);
    let token = token(&service.tester, "system/*.rs").await;
    let late = service
        .tester
        .http
        .get(file)
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(late.status(), StatusCode::NOT_FOUND);
}
