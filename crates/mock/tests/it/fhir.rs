//! G, as a server: reads, searches, pages, scopes.

use crate::tester::Tester;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ALL: &str = "launch/patient patient/*.rs";

fn resources(bundle: &Value) -> Vec<&Value> {
    let entries = bundle["entry"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    entries.iter().map(|entry| &entry["resource"]).collect()
}

fn matches(bundle: &Value) -> Vec<&Value> {
    let entries = bundle["entry"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    entries
        .iter()
        .filter(|entry| entry["search"]["mode"] == "match")
        .map(|entry| &entry["resource"])
        .collect()
}

/// The matches of a search, all pages of it.
async fn found(tester: &Tester, token: &str, query: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut next = Some(query.to_owned());
    while let Some(path) = next {
        let (status, bundle) = tester.fhir(token, &path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {bundle}");
        all.extend(matches(&bundle).into_iter().cloned());
        next = link(&bundle, "next");
    }
    all
}

fn link(bundle: &Value, relation: &str) -> Option<String> {
    let links = bundle["link"].as_array()?;
    let found = links.iter().find(|link| link["relation"] == relation)?;
    found["url"].as_str().map(str::to_owned)
}

fn ids(resources: &[Value]) -> BTreeSet<String> {
    resources
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

fn is_outcome(body: &Value) {
    assert_eq!(body["resourceType"], "OperationOutcome", "{body}");
    assert_eq!(body["issue"][0]["severity"], "error");
}

#[tokio::test]
async fn g27_without_a_good_token_everything_but_the_metadata_is_closed() {
    let tester = Tester::new().await;
    let url = format!("{}/Patient", tester.mock.fhir_base());
    let none = tester.http.get(&url).send().await.unwrap();
    assert_eq!(none.status(), StatusCode::UNAUTHORIZED);
    let challenge = none.headers()["WWW-Authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("Bearer"), "{challenge}");
    let wrong = tester
        .http
        .get(&url)
        .bearer_auth("wrong")
        .send()
        .await
        .unwrap();
    let challenge = wrong.headers()["WWW-Authenticate"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(challenge.contains("invalid_token"), "{challenge}");
    is_outcome(&wrong.json().await.unwrap());
}

#[tokio::test]
async fn g27_a_patients_token_shows_this_patient_and_nobody_else() {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    let own = tester.mock.accounts()[0].patient_ids[0].clone();
    let other = tester.mock.accounts()[1].patient_ids[0].clone();
    assert_ne!(own, other);
    assert_eq!(
        ids(&found(&tester, &token, "Patient").await),
        BTreeSet::from([own.clone()])
    );
    assert_eq!(
        tester.fhir(&token, &format!("Patient/{own}")).await.0,
        StatusCode::OK
    );
    let (status, body) = tester.fhir(&token, &format!("Patient/{other}")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    is_outcome(&body);
    let strangers = found(&tester, &token, &format!("Observation?patient={other}")).await;
    assert!(strangers.is_empty());
    for one in found(&tester, &token, "Observation").await {
        assert_eq!(one["subject"]["reference"], format!("Patient/{own}"));
    }
}

#[tokio::test]
async fn d17_scopes_are_enforced_type_by_type_and_letter_by_letter() {
    let tester = Tester::new().await;
    let token = tester
        .access_token("launch/patient patient/Condition.rs patient/Goal.r patient/Immunization.s")
        .await;
    for (path, status) in [
        ("Condition", StatusCode::OK),
        ("Observation", StatusCode::FORBIDDEN),
        ("Goal", StatusCode::FORBIDDEN),
        ("Immunization", StatusCode::OK),
    ] {
        let (got, body) = tester.fhir(&token, path).await;
        assert_eq!(got, status, "{path}");
        if status == StatusCode::FORBIDDEN {
            is_outcome(&body);
        }
    }
    let immunization = found(&tester, &token, "Immunization").await.remove(0);
    let path = format!("Immunization/{}", immunization["id"].as_str().unwrap());
    assert_eq!(
        tester.fhir(&token, &path).await.0,
        StatusCode::FORBIDDEN,
        "search only"
    );
}

#[tokio::test]
async fn g4_g26_pages_cover_every_resource_once_by_opaque_links() {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    let (_, whole) = tester.fhir(&token, "Observation?_count=1000").await;
    let total = whole["total"].as_u64().unwrap();
    assert!(total > 100 && link(&whole, "next").is_none(), "{total}");
    let (_, first) = tester.fhir(&token, "Observation?_count=7").await;
    assert_eq!(matches(&first).len(), 7);
    assert_eq!(first["total"].as_u64(), Some(total));
    assert_eq!(first["type"], "searchset");
    let next = link(&first, "next").unwrap();
    assert!(
        !next.contains("offset") && !next.contains("patient"),
        "{next}"
    );
    let paged = found(&tester, &token, "Observation?_count=7").await;
    assert_eq!(paged.len() as u64, total, "none twice, none missing");
    assert_eq!(ids(&paged).len() as u64, total);
}

#[tokio::test]
async fn g4_g26_a_page_link_is_for_the_one_who_searched() {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    let (_, first) = tester.fhir(&token, "Observation?_count=5").await;
    let next = link(&first, "next").unwrap();
    let account = tester.mock.accounts()[1].clone();
    let (_, answer) = tester.tokens(&account, ALL).await;
    let (status, body) = tester
        .fhir(answer["access_token"].as_str().unwrap(), &next)
        .await;
    assert_eq!(status, StatusCode::GONE);
    is_outcome(&body);
}

#[tokio::test]
async fn g26_searches_by_patient_category_and_code() {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    let own = tester.patient().patient_ids[0].clone();
    let all = found(&tester, &token, &format!("Observation?patient={own}")).await;
    let long = found(
        &tester,
        &token,
        &format!("Observation?patient=Patient/{own}"),
    )
    .await;
    assert_eq!(ids(&all), ids(&long));
    let category = |one: &Value, wanted: &str| {
        let concepts = one["category"].as_array().unwrap();
        concepts
            .iter()
            .any(|concept| concept["coding"][0]["code"] == wanted)
    };
    let labs = found(&tester, &token, "Observation?category=laboratory").await;
    assert!(!labs.is_empty() && labs.len() < all.len());
    assert!(labs.iter().all(|one| category(one, "laboratory")));
    let expected = all.iter().filter(|one| category(one, "laboratory")).count();
    assert_eq!(labs.len(), expected);
    let both = found(
        &tester,
        &token,
        "Observation?category=laboratory,vital-signs",
    )
    .await;
    assert!(both.len() > labs.len(), "a comma means or");
    let system = "http://terminology.hl7.org/CodeSystem/observation-category";
    let with_system = found(
        &tester,
        &token,
        &format!("Observation?category={system}|laboratory"),
    )
    .await;
    assert_eq!(ids(&with_system), ids(&labs));
    let other = found(
        &tester,
        &token,
        "Observation?category=http://other|laboratory",
    )
    .await;
    assert!(other.is_empty());
    let coding = &labs[0]["code"]["coding"][0];
    let code = coding["code"].as_str().unwrap();
    let by_code = found(
        &tester,
        &token,
        &format!("Observation?code=http://loinc.org|{code}"),
    )
    .await;
    assert!(!by_code.is_empty());
    assert!(
        by_code
            .iter()
            .all(|one| one["code"]["coding"][0]["code"] == code)
    );
}

#[rstest]
#[case::equal("eq2020", |year: i32| year == 2020)]
#[case::bare("2020", |year: i32| year == 2020)]
#[case::not("ne2020", |year: i32| year != 2020)]
#[case::greater("gt2020", |year: i32| year > 2020)]
#[case::from("ge2020", |year: i32| year >= 2020)]
#[case::less("lt2020", |year: i32| year < 2020)]
#[case::until("le2020", |year: i32| year <= 2020)]
#[case::after("sa2020", |year: i32| year > 2020)]
#[case::before("eb2020", |year: i32| year < 2020)]
#[tokio::test]
async fn g26_dates_are_compared_by_prefix(#[case] value: &str, #[case] fits: fn(i32) -> bool) {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    let year = |one: &Value| {
        one["effectiveDateTime"]
            .as_str()
            .map(|date| date[..4].parse::<i32>().unwrap())
    };
    let all = found(
        &tester,
        &token,
        "Observation?_count=1000&category=vital-signs",
    )
    .await;
    let found = found(
        &tester,
        &token,
        &format!("Observation?_count=1000&category=vital-signs&date={value}"),
    )
    .await;
    let expected: Vec<Value> = all
        .iter()
        .filter(|one| year(one).is_some_and(fits))
        .cloned()
        .collect();
    assert!(!all.is_empty());
    // Around New Year a moment in UTC may lie in the neighbouring year.
    let difference = ids(&found).symmetric_difference(&ids(&expected)).count();
    assert!(difference <= 2, "{difference} of {} differ", expected.len());
    assert!(expected.is_empty() || !found.is_empty());
}

#[tokio::test]
async fn g9_g26_last_updated_selects_what_changed_and_two_dates_make_a_span() {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    let all = found(&tester, &token, "Condition").await;
    let mut times: Vec<&str> = all
        .iter()
        .map(|one| one["meta"]["lastUpdated"].as_str().unwrap())
        .collect();
    times.sort_unstable();
    let newest = times[times.len() - 1].replace('+', "%2B");
    let some = found(
        &tester,
        &token,
        &format!("Condition?_lastUpdated=ge{newest}"),
    )
    .await;
    assert!(!some.is_empty() && some.len() < all.len());
    assert!(
        found(&tester, &token, "Condition?_lastUpdated=gt2999")
            .await
            .is_empty()
    );
    let span = found(
        &tester,
        &token,
        "Condition?_lastUpdated=ge1900&_lastUpdated=lt2999",
    )
    .await;
    assert_eq!(span.len(), all.len());
}

#[tokio::test]
async fn g17_g19_g26_includes_and_provenance_come_along_and_are_marked_so() {
    let tester = Tester::new().await;
    let token = tester.access_token("launch/patient patient/*.rs").await;
    let (_, bundle) = tester
        .fhir(&token, "MedicationRequest?_count=500&_include=MedicationRequest:requester&_revinclude=Provenance:target")
        .await;
    let mode = |kind: &str| -> Vec<&str> {
        let entries = bundle["entry"].as_array().unwrap().iter();
        entries
            .filter(|entry| entry["resource"]["resourceType"] == kind)
            .map(|entry| entry["search"]["mode"].as_str().unwrap())
            .collect()
    };
    assert!(
        !mode("MedicationRequest").is_empty()
            && mode("MedicationRequest").iter().all(|one| *one == "match")
    );
    assert!(
        !mode("Practitioner").is_empty()
            && mode("Practitioner").iter().all(|one| *one == "include")
    );
    assert!(
        !mode("Provenance").is_empty() && mode("Provenance").iter().all(|one| *one == "include")
    );
    let total = bundle["total"].as_u64().unwrap();
    assert_eq!(
        total as usize,
        mode("MedicationRequest").len(),
        "includes are not counted"
    );
    let keys: Vec<String> = resources(&bundle)
        .iter()
        .map(|one| format!("{}/{}", one["resourceType"], one["id"]))
        .collect();
    assert_eq!(
        keys.iter().collect::<BTreeSet<_>>().len(),
        keys.len(),
        "nothing twice"
    );
    let signs_one = |provenance: &&Value| {
        let targets = provenance["target"].as_array().unwrap().iter();
        targets
            .filter_map(|target| target["reference"].as_str())
            .any(|target| target.starts_with("MedicationRequest/"))
    };
    let all = resources(&bundle);
    let mut provenances = all
        .iter()
        .copied()
        .filter(|one| one["resourceType"] == "Provenance");
    assert!(provenances.all(|one| signs_one(&one)));
}

#[tokio::test]
async fn g23_g26_a_document_is_read_as_json_and_as_itself() {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    let mut seen = BTreeSet::new();
    for document in found(&tester, &token, "DocumentReference").await {
        let attachment = &document["content"][0]["attachment"];
        let kind = attachment["contentType"].as_str().unwrap().to_owned();
        let Some(url) = attachment["url"].as_str() else {
            // Inline, or announced and not there: real servers do both.
            continue;
        };
        let url = if url.starts_with("http") {
            url.to_owned()
        } else {
            format!("{}/{url}", tester.mock.fhir_base())
        };
        let (status, binary) = tester.fhir(&token, &url).await;
        assert_eq!(
            (status, &binary["resourceType"]),
            (StatusCode::OK, &json!("Binary"))
        );
        let native = tester
            .http
            .get(&url)
            .bearer_auth(&token)
            .header("Accept", "*/*")
            .send()
            .await
            .unwrap();
        assert_eq!(
            native.headers()["Content-Type"]
                .to_str()
                .unwrap()
                .split(';')
                .next(),
            kind.split(';').next()
        );
        let bytes = native.bytes().await.unwrap();
        match kind.split(';').next().unwrap() {
            "application/pdf" => assert!(bytes.starts_with(b"%PDF-")),
            "text/plain" => assert!(std::str::from_utf8(&bytes).is_ok()),
            "application/xml" | "text/xml" | "application/hl7-sdwg+xml" => assert!(
                std::str::from_utf8(&bytes)
                    .unwrap()
                    .contains("<ClinicalDocument")
            ),
            _ => {}
        }
        seen.insert(kind);
    }
    assert!(seen.len() >= 3, "PDF, text and C-CDA: {seen:?}");
}

#[tokio::test]
async fn g27_what_is_not_there_or_not_understood_is_an_operation_outcome() {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    for (path, status) in [
        ("Observation/none", StatusCode::NOT_FOUND),
        ("Basket", StatusCode::NOT_FOUND),
        ("Basket/1", StatusCode::NOT_FOUND),
        ("", StatusCode::NOT_FOUND),
        ("Observation?date=yesterday", StatusCode::BAD_REQUEST),
        ("Observation?_count=many", StatusCode::BAD_REQUEST),
        ("?_page=unknown", StatusCode::GONE),
    ] {
        let (got, body) = tester.fhir(&token, path).await;
        assert_eq!(got, status, "{path}");
        is_outcome(&body);
    }
}

#[tokio::test]
async fn g26_a_search_may_be_posted_and_only_counted() {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    let url = format!("{}/Observation/_search", tester.mock.fhir_base());
    let request = tester
        .http
        .post(url)
        .bearer_auth(&token)
        .form(&[("category", "laboratory"), ("_count", "3")]);
    let posted: Value = request.send().await.unwrap().json().await.unwrap();
    let (_, got) = tester
        .fhir(&token, "Observation?category=laboratory&_summary=count")
        .await;
    assert_eq!(posted["total"], got["total"]);
    assert_eq!(matches(&posted).len(), 3);
    assert!(got["entry"].is_null() && link(&got, "next").is_none());
}

#[tokio::test]
async fn g27_the_content_type_is_fhir_json() {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    let url = format!("{}/Patient", tester.mock.fhir_base());
    let answer = tester
        .http
        .get(url)
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(
        answer.headers()["Content-Type"],
        "application/fhir+json; charset=utf-8"
    );
}

#[tokio::test]
async fn d17_a_scope_with_a_category_reaches_that_category_only_on_search_and_on_read() {
    let tester = Tester::new().await;
    let system = "http://terminology.hl7.org/CodeSystem/observation-category";
    let scope = format!("launch/patient patient/Observation.rs?category={system}|laboratory");
    let (_, answer) = tester.tokens(&tester.patient().clone(), &scope).await;
    assert_eq!(answer["scope"], scope);
    let token = answer["access_token"].as_str().unwrap().to_owned();
    let whole = tester.access_token(ALL).await;
    let labs = found(&tester, &whole, "Observation?category=laboratory").await;
    let seen = found(&tester, &token, "Observation").await;
    assert_eq!(ids(&seen), ids(&labs));
    assert!(
        found(&tester, &token, "Observation?category=vital-signs")
            .await
            .is_empty()
    );
    let vital = &found(&tester, &whole, "Observation?category=vital-signs").await[0];
    let path = format!("Observation/{}", vital["id"].as_str().unwrap());
    assert_eq!(tester.fhir(&token, &path).await.0, StatusCode::FORBIDDEN);
    assert_eq!(
        tester.fhir(&token, "Condition").await.0,
        StatusCode::FORBIDDEN
    );

    let both = format!("{scope} patient/Observation.rs?category=vital-signs");
    let token = tester.access_token(&both).await;
    let more = found(&tester, &token, "Observation").await.len();
    let vitals = found(&tester, &whole, "Observation?category=vital-signs")
        .await
        .len();
    assert_eq!(more, labs.len() + vitals, "each scope adds its own");
}

#[tokio::test]
async fn a22_browser_apps_may_call_what_programs_call_and_nothing_else() {
    let tester = Tester::new().await;
    let fhir = tester.mock.fhir_base().to_owned();
    let preflight = |url: String| {
        let request = tester.http.request(reqwest::Method::OPTIONS, url);
        request
            .header("Origin", "https://app.example")
            .header("Access-Control-Request-Method", "POST")
            .header(
                "Access-Control-Request-Headers",
                "authorization, content-type",
            )
            .send()
    };
    for open in [
        format!("{fhir}/.well-known/smart-configuration"),
        format!("{fhir}/Patient"),
        tester.url("/.well-known/openid-configuration"),
        tester.url("/auth/jwks"),
        tester.url("/auth/token"),
        tester.url("/auth/register"),
        tester.url("/auth/revoke"),
        tester.url("/auth/introspect"),
    ] {
        let answer = preflight(open.clone()).await.unwrap();
        assert!(answer.status().is_success(), "{open}");
        assert_eq!(
            answer.headers()["Access-Control-Allow-Origin"],
            "https://app.example",
            "{open}"
        );
        let allowed = answer.headers()["Access-Control-Allow-Headers"]
            .to_str()
            .unwrap();
        assert!(allowed.contains("authorization"), "{allowed}");
        assert!(
            answer
                .headers()
                .get("Access-Control-Allow-Credentials")
                .is_none()
        );
    }
    for closed in [
        "/auth/authorize",
        "/auth/consent",
        "/portal",
        "/portal/apps",
        "/_mock/tokens",
    ] {
        let answer = preflight(tester.url(closed)).await.unwrap();
        assert!(
            answer
                .headers()
                .get("Access-Control-Allow-Origin")
                .is_none(),
            "{closed}"
        );
    }
    let request = tester
        .http
        .get(format!("{fhir}/Patient"))
        .header("Origin", "https://app.example");
    let refused = request.send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        refused.headers()["Access-Control-Allow-Origin"],
        "https://app.example",
        "an error can be read too"
    );
}

#[tokio::test]
async fn g10_g26_a_read_has_an_etag_and_is_not_sent_twice() {
    let tester = Tester::new().await;
    let token = tester.access_token(ALL).await;
    let condition = found(&tester, &token, "Condition").await.remove(0);
    let url = format!(
        "{}/Condition/{}",
        tester.mock.fhir_base(),
        condition["id"].as_str().unwrap()
    );
    let first = tester
        .http
        .get(&url)
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    let etag = first.headers()["ETag"].to_str().unwrap().to_owned();
    let version = condition["meta"]["versionId"].as_str().unwrap();
    assert_eq!(etag, format!("W/\"{version}\""));
    assert!(
        first.headers()["Last-Modified"]
            .to_str()
            .unwrap()
            .ends_with(" GMT")
    );
    let ask = |known: String| {
        let request = tester.http.get(&url).bearer_auth(&token);
        request.header("If-None-Match", known).send()
    };
    let second = ask(etag).await.unwrap();
    assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
    assert!(second.bytes().await.unwrap().is_empty());
    assert_eq!(
        ask("W/\"old\"".to_owned()).await.unwrap().status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn g24_everything_of_a_patient_comes_in_pages_as_far_as_the_scopes_reach() {
    let tester = Tester::new().await;
    let own = tester.patient().patient_ids[0].clone();
    let token = tester.access_token(ALL).await;
    let all = found(
        &tester,
        &token,
        &format!("Patient/{own}/$everything?_count=50"),
    )
    .await;
    assert_eq!(all[0]["id"], own.as_str(), "the patient first");
    let keys: BTreeSet<String> = all
        .iter()
        .map(|one| format!("{}/{}", one["resourceType"], one["id"]))
        .collect();
    assert_eq!(keys.len(), all.len(), "none twice");
    let conditions = found(&tester, &token, "Condition").await.len();
    let of = |kind: &str| all.iter().filter(|one| one["resourceType"] == kind).count();
    assert_eq!(of("Condition"), conditions);
    assert!(of("Observation") > 50);

    let narrow = tester
        .access_token("launch/patient patient/Patient.rs patient/Goal.rs")
        .await;
    let some = found(&tester, &narrow, &format!("Patient/{own}/$everything")).await;
    let kinds: BTreeSet<&str> = some
        .iter()
        .map(|one| one["resourceType"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, BTreeSet::from(["Goal", "Patient"]));
    let other = tester.mock.accounts()[1].patient_ids[0].clone();
    let path = format!("Patient/{other}/$everything");
    assert_eq!(tester.fhir(&token, &path).await.0, StatusCode::FORBIDDEN);
    assert_eq!(
        tester.fhir(&token, "Patient/none/$everything").await.0,
        StatusCode::NOT_FOUND
    );
}
