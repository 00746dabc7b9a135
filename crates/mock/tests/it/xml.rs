//! FHIR in XML where it is asked for, and JSON everywhere else (FHIR R4, http.html#mime-type).

use crate::tester::Tester;
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};
use reqwest::{Method, Response, StatusCode};
use rstest::rstest;
use satchel_mock::{Quirks, World};
use serde_json::Value;

const SCOPE: &str = "launch/patient patient/*.rs";
const XML: &str = "application/fhir+xml; charset=utf-8";
const JSON: &str = "application/fhir+json; charset=utf-8";

/// The names of the elements from the root on, with their `value`.
fn elements(xml: &str) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(xml);
    let (mut path, mut found) = (Vec::<String>::new(), Vec::new());
    loop {
        let event = reader.read_event().unwrap();
        match &event {
            Event::Start(tag) | Event::Empty(tag) => {
                path.push(tag.name().as_ref().to_owned());
                let mut attributes = tag.attributes().map(|one| one.unwrap());
                let value = attributes.find(|one| one.key.as_ref() == "value");
                let value = value.map(|one| {
                    let value = one.normalized_value(XmlVersion::Implicit1_0);
                    value.unwrap().into_owned()
                });
                found.push((path.join("/"), value.unwrap_or_default()));
                if matches!(event, Event::Empty(_)) {
                    path.pop();
                }
            }
            Event::End(_) => {
                path.pop();
            }
            Event::Eof => {
                assert!(path.is_empty(), "every element ends");
                return found;
            }
            _ => {}
        }
    }
}

/// The values of the elements at a path.
fn values(xml: &str, path: &str) -> Vec<String> {
    let all = elements(xml).into_iter();
    all.filter(|(name, _)| name == path)
        .map(|(_, value)| value)
        .collect()
}

async fn get(tester: &Tester, token: &str, path: &str, accept: &str) -> Response {
    let url = if path.starts_with("http") {
        path.to_owned()
    } else {
        format!("{}/{path}", tester.mock.fhir_base())
    };
    let request = tester.http.get(url).header("Accept", accept);
    let request = if token.is_empty() {
        request
    } else {
        request.bearer_auth(token)
    };
    request.send().await.unwrap()
}

/// An answer in XML with that status.
async fn xml(answer: Response, status: StatusCode) -> String {
    assert_eq!(answer.status(), status);
    assert_eq!(answer.headers()["Content-Type"], XML);
    let text = answer.text().await.unwrap();
    assert!(text.contains(" xmlns=\"http://hl7.org/fhir\""), "{text}");
    text
}

#[tokio::test]
async fn g27_a_search_in_xml_has_the_same_records_as_in_json() {
    let tester = Tester::new().await;
    let token = tester.access_token(SCOPE).await;
    let own = tester.patient().patient_ids[0].clone();
    for path in [
        "Observation?_count=1000".to_owned(),
        "MedicationRequest?_include=MedicationRequest:medication".to_owned(),
        format!("Patient/{own}/$everything?_count=1000"),
    ] {
        let (_, bundle) = tester.fhir(&token, &path).await;
        let entries = bundle["entry"].as_array().unwrap();
        let text = xml(
            get(&tester, &token, &path, "application/fhir+xml").await,
            StatusCode::OK,
        )
        .await;
        assert_eq!(
            values(&text, "Bundle/total"),
            [bundle["total"].as_u64().unwrap().to_string()]
        );
        let ids = entries.iter().map(|entry| {
            let resource = &entry["resource"];
            let kind = resource["resourceType"].as_str().unwrap();
            let id = resource["id"].as_str().unwrap().to_owned();
            (format!("Bundle/entry/resource/{kind}/id"), id)
        });
        let ids: Vec<(String, String)> = ids.collect();
        let in_order = elements(&text).into_iter().filter(|(name, _)| {
            let parts: Vec<&str> = name.split('/').collect();
            parts.len() == 5 && name.starts_with("Bundle/entry/resource/") && parts[4] == "id"
        });
        assert_eq!(in_order.collect::<Vec<_>>(), ids, "{path}");
    }
}

#[tokio::test]
async fn g27_a_record_and_the_capability_statement_in_xml() {
    let tester = Tester::new().await;
    let token = tester.access_token(SCOPE).await;
    let own = tester.patient().patient_ids[0].clone();
    let (_, json) = tester.fhir(&token, &format!("Patient/{own}")).await;
    for accept in ["application/fhir+xml", "application/xml", "text/xml"] {
        let answer = get(&tester, &token, &format!("Patient/{own}"), accept).await;
        assert!(answer.headers().contains_key("ETag"));
        let text = xml(answer, StatusCode::OK).await;
        assert_eq!(values(&text, "Patient/id"), [own.as_str()]);
        assert_eq!(
            values(&text, "Patient/birthDate"),
            [json["birthDate"].as_str().unwrap()]
        );
    }
    let statement = get(&tester, "", "metadata?_format=xml", "application/json").await;
    let text = xml(statement, StatusCode::OK).await;
    assert_eq!(values(&text, "CapabilityStatement/fhirVersion"), ["4.0.1"]);
    let formats = values(&text, "CapabilityStatement/format");
    assert!(formats.contains(&"application/fhir+xml".to_owned()));
    let url = format!("{}/metadata", tester.mock.fhir_base());
    let head = tester.http.request(Method::HEAD, url);
    let head = head.header("Accept", "application/fhir+xml").send().await;
    assert_eq!(head.unwrap().headers()["Content-Type"], XML);
}

#[tokio::test]
async fn g27_every_refusal_in_xml_is_an_operation_outcome() {
    let tester = Tester::new().await;
    let token = tester
        .access_token("launch/patient patient/Patient.rs")
        .await;
    for (path, token, status) in [
        ("Patient", "", StatusCode::UNAUTHORIZED),
        ("Patient", "wrong", StatusCode::UNAUTHORIZED),
        ("Observation", token.as_str(), StatusCode::FORBIDDEN),
        ("Basket", &token, StatusCode::NOT_FOUND),
        ("Patient/nobody", &token, StatusCode::NOT_FOUND),
        ("a/b/c/d/e", &token, StatusCode::NOT_FOUND),
        (
            "Patient?birthdate=yesterday",
            &token,
            StatusCode::BAD_REQUEST,
        ),
        ("Patient?_count=many", &token, StatusCode::BAD_REQUEST),
        ("?_page=none", &token, StatusCode::GONE),
        ("$export", &token, StatusCode::BAD_REQUEST),
    ] {
        let answer = get(&tester, token, path, "application/fhir+xml").await;
        let challenged = answer.headers().contains_key("WWW-Authenticate");
        let text = xml(answer, status).await;
        assert_eq!(values(&text, "OperationOutcome/issue/severity"), ["error"]);
        assert!(
            text.find("<severity") < text.find("<code"),
            "R4's order: {text}"
        );
        assert_eq!(values(&text, "OperationOutcome/issue/code").len(), 1);
        let needs = status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN;
        assert_eq!(challenged, needs, "{path}");
    }
    let put = tester
        .http
        .put(format!("{}/Patient/1", tester.mock.fhir_base()));
    let put = put.header("Accept", "application/fhir+xml").send().await;
    xml(put.unwrap(), StatusCode::METHOD_NOT_ALLOWED).await;
}

#[rstest]
#[case::none("", "")]
#[case::anything("", "*/*")]
#[case::plain("", "application/json")]
#[case::fhirclient("", "application/json, text/plain, */*")]
#[case::both("", "application/fhir+xml;q=0.8, application/fhir+json")]
#[case::parameter("?_format=json", "application/fhir+xml")]
#[case::parameter_in_full("?_format=application/fhir%2Bjson", "application/fhir+xml")]
#[tokio::test]
async fn g27_json_stays_as_it_was(#[case] query: &str, #[case] accept: &str) {
    let tester = Tester::new().await;
    let token = tester.access_token(SCOPE).await;
    let (id, own) = (&tester.patient().patient_ids[0], tester.mock.fhir_base());
    let plain = tester.http.get(format!("{own}/Patient/{id}"));
    let plain = plain.bearer_auth(&token).send().await.unwrap();
    let path = format!("Patient/{id}{query}");
    let answer = get(&tester, &token, &path, accept).await;
    assert_eq!(answer.headers()["Content-Type"], JSON);
    assert_eq!(answer.bytes().await.unwrap(), plain.bytes().await.unwrap());
}

#[rstest]
#[case("", "text/html")]
#[case("", "application/pdf;q=1, application/fhir+json;q=0")]
#[case("?_format=text/turtle", "*/*")]
#[tokio::test]
async fn g27_what_is_not_here_is_406(#[case] query: &str, #[case] accept: &str) {
    let tester = Tester::new().await;
    let path = format!("metadata{query}");
    let answer = get(&tester, "", &path, accept).await;
    assert_eq!(answer.status(), StatusCode::NOT_ACCEPTABLE);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["resourceType"], "OperationOutcome");
    let refused = get(&tester, "", "Patient", accept).await;
    assert_eq!(
        refused.status(),
        StatusCode::UNAUTHORIZED,
        "a refusal is told all the same"
    );
}

#[tokio::test]
async fn g27_the_links_of_a_search_keep_its_format() {
    let tester = Tester::new().await;
    let token = tester.access_token(SCOPE).await;
    let mut next = "Observation?_count=20&_format=xml".to_owned();
    let (mut seen, mut pages) = (0, 0);
    loop {
        // As a browser would follow them.
        let text = xml(
            get(&tester, &token, &next, "application/json").await,
            StatusCode::OK,
        )
        .await;
        seen += values(&text, "Bundle/entry/resource/Observation/id").len();
        pages += 1;
        let relations = values(&text, "Bundle/link/relation");
        let urls = values(&text, "Bundle/link/url");
        match relations.iter().position(|relation| relation == "next") {
            Some(position) => next.clone_from(&urls[position]),
            None => break,
        }
    }
    let (_, all) = tester.fhir(&token, "Observation?_summary=count").await;
    assert_eq!(Some(seen as u64), all["total"].as_u64());
    assert!(pages > 1);
}

#[tokio::test]
async fn g27_a_binary_is_itself_json_or_xml() {
    let tester = Tester::new().await;
    let token = tester.access_token(SCOPE).await;
    let (_, documents) = tester.fhir(&token, "DocumentReference").await;
    let mut urls = documents["entry"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| {
            let attachment = &entry["resource"]["content"][0]["attachment"];
            let kind = attachment["contentType"].as_str()?;
            Some((attachment["url"].as_str()?.to_owned(), kind.to_owned()))
        });
    let (url, kind) = urls.find(|(_, kind)| kind.contains("pdf")).unwrap();
    let (_, json) = tester.fhir(&token, &url).await;
    for accept in ["application/pdf", "*/*", "text/html", "application/xml"] {
        let itself = get(&tester, &token, &url, accept).await;
        assert_eq!(itself.status(), StatusCode::OK, "{accept}");
        assert_eq!(itself.headers()["Content-Type"], kind.as_str(), "{accept}");
    }
    let answer = get(&tester, &token, &url, "application/fhir+xml").await;
    let text = xml(answer, StatusCode::OK).await;
    assert_eq!(
        values(&text, "Binary/data"),
        [json["data"].as_str().unwrap()]
    );
    assert_eq!(values(&text, "Binary/contentType"), [kind]);
}

#[tokio::test]
async fn g27_what_is_no_fhir_is_never_xml() {
    let tester = Tester::new().await;
    for path in [
        "/fhir/.well-known/smart-configuration",
        "/.well-known/openid-configuration",
        "/auth/jwks",
    ] {
        let answer = get(&tester, "", &tester.url(path), "application/fhir+xml").await;
        let kind = answer.headers()["Content-Type"].to_str().unwrap();
        assert!(kind.contains("json"), "{path}: {kind}");
    }
}

#[tokio::test]
async fn xml_first_speaks_json_only_when_it_is_named() {
    let quirks = Quirks::shipped().unwrap().remove("xml-first").unwrap();
    let world = World {
        patients: 1,
        quirks,
        ..World::default()
    };
    let tester = Tester::at(world).await;
    let token = tester.access_token(SCOPE).await;
    for accept in ["*/*", "application/*", ""] {
        let text = xml(
            get(&tester, &token, "Patient", accept).await,
            StatusCode::OK,
        )
        .await;
        assert_eq!(values(&text, "Bundle/entry/resource/Patient/id").len(), 1);
    }
    xml(
        get(&tester, "", "Patient", "*/*").await,
        StatusCode::UNAUTHORIZED,
    )
    .await;
    for accept in [
        "application/json",
        "application/fhir+json",
        "application/json, */*",
    ] {
        let answer = get(&tester, &token, "Patient", accept).await;
        assert_eq!(answer.headers()["Content-Type"], JSON, "{accept}");
    }
    let (_, statement) = tester.fhir(&token, "metadata").await;
    assert_eq!(statement["format"][0], "application/fhir+xml");
}
