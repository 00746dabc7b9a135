//! Pages taken apart: bytes kept, oddities kept and named.

use proptest::prelude::*;
use satchel_smart::fhir::bundle::{Entry, RawResource, SearchMode, SearchPage, parse_page};
use satchel_smart::fhir::client::FhirError;
use std::fmt::Write as _;
use std::time::Instant;
use url::Url;

fn request() -> Url {
    Url::parse("https://ehr.example/fhir/Goal?patient=1&_count=50").unwrap()
}

fn parse(body: &str) -> SearchPage {
    parse_page(body.as_bytes(), &request(), Some("application/fhir+json")).unwrap()
}

fn resource(entry: &Entry) -> &RawResource {
    match entry {
        Entry::Resource(resource) => resource,
        other => panic!("{other:?}"),
    }
}

#[test]
fn bytes_are_kept_exactly_as_received() {
    let odd = "{\"id\" :\t\"a\",\n  \"resourceType\": \"Goal\" , \"n\":1.50e+1,\"u\":\"\\u00e9é\\/\",\"z\":-0.0, \"dup\":1,\"dup\":2}";
    let body = format!(
        "\u{feff} {{\"resourceType\":\"Bundle\",\"entry\":[ {{\"resource\" : {odd} }} ]}}\n"
    );
    let page = parse(&body);
    assert_eq!(resource(&page.entries[0]).json, odd);
    assert_eq!(page.bytes, body.len());
}

#[test]
fn g4_g5_g6_links_total_and_modes() {
    let page = parse(
        r#"{"resourceType":"Bundle","type":"searchset","total":3,
        "link":[{"relation":"self","url":"https://ehr.example/fhir/Goal?patient=1"},{"relation":"next","url":"?_page=opaque%2F2"}],
        "entry":[
          {"fullUrl":"https://ehr.example/fhir/Goal/g","search":{"mode":"match"},
           "resource":{"resourceType":"Goal","id":"g","meta":{"versionId":"1","lastUpdated":"2024-02-03T04:05:06.789+00:00"}}},
          {"search":{"mode":"include"},"resource":{"resourceType":"Practitioner","id":"p"}},
          {"search":{"mode":"outcome"},"resource":{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"not-supported"}]}},
          {"resource":{"resourceType":"NobodyKnows","id":"n"}}]}"#,
    );
    assert_eq!(page.total, Some(3));
    assert_eq!(
        page.next.unwrap().as_str(),
        "https://ehr.example/fhir/Goal?_page=opaque%2F2"
    );
    assert!(page.warnings.is_empty(), "{:?}", page.warnings);
    let goal = resource(&page.entries[0]);
    assert_eq!(
        (goal.resource_type.as_str(), goal.id.as_str(), goal.mode),
        ("Goal", "g", SearchMode::Match)
    );
    assert_eq!(
        goal.last_updated.as_deref(),
        Some("2024-02-03T04:05:06.789+00:00")
    );
    assert_eq!(
        goal.full_url.as_deref(),
        Some("https://ehr.example/fhir/Goal/g")
    );
    assert_eq!(resource(&page.entries[1]).mode, SearchMode::Include);
    assert!(matches!(&page.entries[2], Entry::Outcome(outcome) if !outcome.is_error()));
    assert_eq!(
        resource(&page.entries[3]).resource_type,
        "NobodyKnows",
        "g8: unknown types are kept"
    );
}

#[test]
fn g7_a_parameter_that_the_server_ignored_is_named() {
    let page = parse(
        r#"{"resourceType":"Bundle","link":[{"relation":"self","url":"https://ehr.example/fhir/Goal?_count=50"}]}"#,
    );
    assert_eq!(
        page.warnings,
        ["the server ignored the search parameter patient"]
    );
}

#[test]
fn g8_an_empty_bundle_is_a_success() {
    for body in [
        r#"{"resourceType":"Bundle","type":"searchset","total":0}"#,
        r#"{"resourceType":"Bundle","entry":[]}"#,
        r#"{"resourceType":"Bundle","entry":null,"link":null,"total":null}"#,
    ] {
        let page = parse(body);
        assert!(
            page.entries.is_empty() && page.next.is_none() && page.warnings.is_empty(),
            "{body}"
        );
    }
}

#[test]
fn a_malformed_entry_is_kept_raw_and_the_rest_goes_on() {
    for bad in [
        r#"{"resource":{"resourceType":"Goal"}}"#,
        r#"{"resource":{"resourceType":"Goal","id":7}}"#,
        r#"{"resource":{"resourceType":"Goal","id":""}}"#,
        r#"{"resource":{"id":"x"}}"#,
        r#"{"resource":{"resourceType":["Goal"],"id":"x"}}"#,
        r#"{"resource": "a string" }"#,
        r#"{"resource":null}"#,
        r#"{"fullUrl":"urn:x"}"#,
        r#"{"resource":{"resourceType":"Goal","id":"x"},"search":7}"#,
        r#"{"resource":{"resourceType":"Goal","id":"x"},"fullUrl":[]}"#,
        "7",
        "null",
        "\"entry\"",
        "[ 1, 2 ]",
    ] {
        let good = r#"{"resource":{"resourceType":"Goal","id":"ok"}}"#;
        let page = parse(&format!(
            r#"{{"resourceType":"Bundle","entry":[{good}, {bad} ,{good}]}}"#
        ));
        assert_eq!(page.entries.len(), 3, "{bad}");
        assert_eq!(
            (
                resource(&page.entries[0]).id.as_str(),
                resource(&page.entries[2]).id.as_str()
            ),
            ("ok", "ok")
        );
        match &page.entries[1] {
            Entry::Malformed { raw, reason } => assert!(raw == bad && !reason.is_empty(), "{bad}"),
            other => panic!("{bad}: {other:?}"),
        }
    }
}

#[test]
fn odd_members_of_the_page_do_not_cost_its_entries() {
    let entry = r#"[{"resource":{"resourceType":"Goal","id":"ok"}}]"#;
    for odd in [
        r#""total":"17""#,
        r#""total":-1"#,
        r#""link":{"relation":"next"}"#,
        r#""link":[{"relation":"next"},7,{"relation":"next","url":"?p=2"}]"#,
        r#""total":1.5"#,
    ] {
        let page = parse(&format!(
            r#"{{"resourceType":"Bundle",{odd},"entry":{entry}}}"#
        ));
        assert_eq!(resource(&page.entries[0]).id, "ok", "{odd}");
    }
    let page = parse(&format!(
        r#"{{"resourceType":"Bundle","total":"17","entry":{entry}}}"#
    ));
    assert_eq!(page.total, Some(17));
    let page = parse(r#"{"resourceType":"Bundle","entry":{"resource":{}}}"#);
    assert!(page.entries.is_empty() && page.warnings.len() == 1);
}

#[test]
fn a_page_cut_anywhere_is_never_taken_for_a_whole_one() {
    let whole = r#"{"resourceType":"Bundle","total":"1","entry":[{"resource":{"resourceType":"Goal","id":"é"}},7],"x":[true,null]}"#;
    parse(whole);
    for end in 1..whole.len() {
        let cut = parse_page(&whole.as_bytes()[..end], &request(), None);
        assert!(
            matches!(cut, Err(FhirError::Truncated | FhirError::NotJson { .. })),
            "{end}: {cut:?}"
        );
    }
    assert!(matches!(
        parse_page(&whole.as_bytes()[..40], &request(), None),
        Err(FhirError::Truncated)
    ));
}

#[test]
fn what_is_no_bundle() {
    for (body, found) in [
        (r#"{"resourceType":"Patient","id":"1"}"#, "Patient"),
        ("{}", "no resource"),
        ("[]", "no resource"),
        ("7", "no resource"),
        (r#"{"resourceType":7,"entry":[]}"#, "no resource"),
    ] {
        match parse_page(body.as_bytes(), &request(), None) {
            Err(FhirError::NotABundle { found: f }) => assert_eq!(f, found, "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
    for (body, xml) in [
        ("<?xml version='1.0'?><Bundle/>", true),
        ("<html>", false),
        ("Bundle", false),
        ("", false),
    ] {
        assert!(
            matches!(parse_page(body.as_bytes(), &request(), None), Err(FhirError::NotJson { xml: x, .. }) if x == xml),
            "{body}"
        );
    }
    assert!(matches!(
        parse_page(&[b'{', 0xff], &request(), None),
        Err(FhirError::NotJson { .. })
    ));
}

#[test]
fn a_page_of_a_thousand_resources_is_parsed_in_order_and_in_no_time() {
    let filler = "x".repeat(900);
    let mut body = String::from(r#"{"resourceType":"Bundle","total":1000,"entry":["#);
    for n in 0..1000 {
        let comma = if n == 0 { "" } else { "," };
        write!(
            body,
            r#"{comma}{{"fullUrl":"urn:{n}","resource":{{"resourceType":"Observation","id":"o{n}","meta":{{"versionId":"1","lastUpdated":"2024-01-01T00:00:00Z"}},"note":[{{"text":"{filler}"}}]}},"search":{{"mode":"match"}}}}"#
        )
        .unwrap();
    }
    body.push_str("]}");
    let started = Instant::now();
    let page = parse(&body);
    let took = started.elapsed();
    assert_eq!(page.entries.len(), 1000);
    assert!(
        page.entries
            .iter()
            .enumerate()
            .all(|(n, entry)| resource(entry).id == format!("o{n}"))
    );
    assert!(
        took.as_millis() < 2000,
        "{took:?} for {} bytes, unoptimised",
        body.len()
    );
    println!("1,000 resources, {} bytes: {took:?}", body.len());
}

proptest! {
    #[test]
    fn whatever_arrives_does_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}\",:a-z0-9 ]{0,80}") {
        let _ = parse_page(&bytes, &request(), None);
        let _ = parse_page(format!(r#"{{"resourceType":"Bundle","entry":[{text}]}}"#).as_bytes(), &request(), None);
    }
}
