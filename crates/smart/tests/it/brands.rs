//! Bundles of brands, good and odd.

use crate::support::{Server, client, json_answer};
use satchel_smart::brands::{
    BrandBundle, BrandIdentifier, BrandLink, BrandMatchError, BrandsError, BundleAnswer,
    LogoSource, Skipped, fetch_bundle,
};
use satchel_smart::http::Reach;
use serde_json::{Value, json};
use std::time::Instant;
use url::Url;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, ResponseTemplate};

const GUIDE: &str = "http://hl7.org/fhir/smart-app-launch/StructureDefinition";
const PACK: &str = "http://hl7.org/fhir/StructureDefinition";

fn read(bundle: &Value) -> Result<BrandBundle, BrandsError> {
    BrandBundle::read(bundle.to_string().as_bytes(), &client(), Reach::Public)
}

fn bundle(entries: Value) -> Value {
    json!({"resourceType": "Bundle", "type": "collection", "timestamp": "2026-01-01T00:00:00Z", "entry": entries})
}

fn endpoint(id: &str, address: &str) -> Value {
    json!({"fullUrl": format!("https://dir.example/Endpoint/{id}"), "resource": {
        "resourceType": "Endpoint", "id": id, "status": "active", "address": address, "name": "Internal name",
        "extension": [{"url": format!("{PACK}/endpoint-fhir-version"), "valueCode": "4.0.1"}],
        "connectionType": {"code": "hl7-fhir-rest"},
    }})
}

fn organization(id: &str, name: &str, endpoints: &[&str]) -> Value {
    let endpoints: Vec<Value> = endpoints
        .iter()
        .map(|id| json!({"reference": format!("Endpoint/{id}")}))
        .collect();
    json!({"fullUrl": format!("https://dir.example/Organization/{id}"), "resource": {
        "resourceType": "Organization", "id": id, "active": true, "name": name,
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": format!("https://{id}.example")}],
        "endpoint": endpoints,
    }})
}

/// One organization and its endpoint, with members of the organization set.
fn one(members: Value) -> Value {
    let mut organization = organization("lakes", "Lakes Health", &["r4"]);
    crate::support::merge(&mut organization["resource"], members);
    bundle(json!([
        organization,
        endpoint("r4", "https://fhir.lakes.example/r4")
    ]))
}

fn brand_extensions(guide: &str) -> Value {
    json!([
        {"url": format!("{guide}/organization-brand"), "extension": [
            {"url": "brandLogo", "valueUrl": "https://lakes.example/logo.svg"},
            {"url": "brandLogoLicense", "valueUrl": "https://lakes.example/terms"},
        ]},
        {"url": format!("{guide}/organization-portal"), "extension": [
            {"url": "portalName", "valueString": "MyLakes"},
            {"url": "portalUrl", "valueUrl": "https://my.lakes.example"},
            {"url": "portalEndpoint", "valueReference": {"reference": "Endpoint/r4"}},
        ]},
    ])
}

#[test]
fn a25_a_brand_is_read_with_its_portal_places_and_endpoints() {
    for guide in [GUIDE, PACK] {
        let found = read(&one(json!({
            "extension": brand_extensions(guide),
            "alias": ["Lakeside", 7],
            "telecom": [{"system": "phone", "value": "1"}, {"system": "url", "value": "https://lakes.example"}],
            "address": [{"city": "Duluth", "state": "MN", "postalCode": "55802"}, {}],
            "contact": [{"address": {"city": "Ely", "state": "MN"}}],
        })))
        .unwrap();
        assert_eq!(found.timestamp.as_deref(), Some("2026-01-01T00:00:00Z"));
        assert!(found.skipped.is_empty());
        let [brand] = found.brands.as_slice() else {
            panic!("one brand")
        };
        assert_eq!(brand.name, "Lakes Health");
        assert_eq!(brand.aliases, ["Lakeside"]);
        assert_eq!(
            brand.website.as_ref().unwrap().as_str(),
            "https://lakes.example/"
        );
        let cities: Vec<_> = brand
            .places
            .iter()
            .map(|place| place.city.as_str())
            .collect();
        assert_eq!(cities, ["Duluth", "Ely"]);
        assert_eq!(brand.portals[0].name.as_deref(), Some("MyLakes"));
        assert_eq!(brand.endpoints.len(), 1, "named twice, there once");
        assert_eq!(
            brand.endpoints[0].address.as_str(),
            "https://fhir.lakes.example/r4"
        );
        let logo = brand.logo.as_ref().unwrap();
        assert_eq!(logo.source.as_str(), "https://lakes.example/logo.svg");
        assert_eq!(logo.license.as_ref().unwrap().path(), "/terms");
    }
}

#[test]
fn a25_the_linked_brand_is_the_one_whose_identifier_fits() {
    let lakes = organization("lakes", "Lakes", &["r4"]);
    let hills = organization("hills", "Hills", &["r4"]);
    let r4 = endpoint("r4", "https://fhir.example/r4");
    let link = |value: Option<&str>| BrandLink {
        bundle: Url::parse("https://dir.example/brands").unwrap(),
        identifier: value.map(|value| BrandIdentifier {
            system: Some("urn:ietf:rfc:3986".into()),
            value: value.into(),
        }),
    };
    let found = read(&bundle(json!([lakes, hills, r4]))).unwrap();
    assert_eq!(
        found
            .linked(&link(Some("https://hills.example")))
            .unwrap()
            .name,
        "Hills"
    );
    assert_eq!(
        found.linked(&link(Some("https://else.example"))),
        Err(BrandMatchError::None)
    );
    assert_eq!(found.linked(&link(None)), Err(BrandMatchError::Several));
    let twice = read(&bundle(json!([hills, hills, r4]))).unwrap();
    assert_eq!(
        twice.linked(&link(Some("https://hills.example"))),
        Err(BrandMatchError::Several)
    );
    let alone = read(&bundle(json!([hills, r4]))).unwrap();
    assert_eq!(
        alone.linked(&link(None)).unwrap().name,
        "Hills",
        "not Endpoint.name"
    );
}

#[test]
fn a25_an_affiliate_has_what_the_brand_above_it_has() {
    let mut clinic = organization("clinic", "Hill Clinic", &[]);
    clinic["resource"]["partOf"] = json!({"reference": "Organization/lakes"});
    let mut far = organization("far", "Far", &[]);
    far["resource"]["partOf"] = json!({"reference": "https://dir.example/Organization/clinic"});
    let mut above = organization("lakes", "Lakes", &["r4"]);
    above["resource"]["extension"] = brand_extensions(GUIDE);
    let found = read(&bundle(json!([
        clinic,
        far,
        above,
        endpoint("r4", "https://fhir.example/r4")
    ])))
    .unwrap();
    assert_eq!(found.brands[0].endpoints, found.brands[2].endpoints);
    assert_eq!(found.brands[0].portals, found.brands[2].portals);
    assert!(found.brands[0].logo.is_some());
    assert!(
        found.brands[1].endpoints.is_empty(),
        "two steps are one too many"
    );
    assert_eq!(found.skipped.get(&Skipped::NoEndpoint), Some(&1));
}

#[test]
fn odd_entries_are_counted_and_spoil_nothing() {
    let mut r3 = endpoint("r3", "https://fhir.example/r3");
    r3["resource"]["extension"][0]["valueCode"] = json!("3.0.2");
    let mut dicom = endpoint("d", "https://d.example");
    dicom["resource"]["connectionType"]["code"] = json!("dicom-wado-rs");
    let mut off = endpoint("off", "https://fhir.example/off");
    off["resource"]["status"] = json!("off");
    let mut closed = organization("closed", "Closed", &["r4"]);
    closed["resource"]["active"] = json!(false);
    let long = "x".repeat(10 * 1024 * 1024);
    let found = read(&bundle(json!([
        7, null, {}, {"resource": []}, {"resource": {"resourceType": "Location"}},
        organization("a", "", &["r4"]), organization("b", &long, &["r4"]), closed,
        organization("none", "No endpoint", &["absent"]),
        organization("c", "Good \u{202e}one\n", &["r4", "r3", "off", "http", "js", "lan", "bare"]),
        endpoint("r4", "https://fhir.example/r4"), r3, dicom, off,
        endpoint("http", "http://fhir.example/r4"), endpoint("js", "javascript:alert(1)"),
        endpoint("lan", "https://192.168.0.7/fhir"), endpoint("bare", "fhir.example/r4"),
    ])))
    .unwrap();
    let good = found
        .brands
        .iter()
        .find(|brand| brand.name == "Good  one")
        .unwrap();
    assert_eq!(good.endpoints.len(), 1);
    let counted = |reason| found.skipped.get(&reason).copied().unwrap_or(0);
    let counts = [
        (Skipped::NotABrand, 5),
        (Skipped::NoName, 2),
        (Skipped::Inactive, 1),
        (Skipped::OtherVersion, 2),
        (Skipped::EndpointOff, 1),
        (Skipped::BadAddress, 3),
        (Skipped::PrivateAddress, 1),
        (Skipped::NoEndpoint, 1),
    ];
    for (reason, expected) in counts {
        assert_eq!(counted(reason), expected, "{reason:?}");
    }
}

#[test]
fn h10_a_bundle_from_the_own_network_may_name_it() {
    let entries = bundle(json!([
        organization("a", "A", &["r4"]),
        endpoint("r4", "http://127.0.0.1:8080/fhir")
    ]));
    let bytes = entries.to_string();
    let near = BrandBundle::read(bytes.as_bytes(), &client(), Reach::Anywhere).unwrap();
    assert_eq!(near.brands[0].endpoints.len(), 1);
    let far = BrandBundle::read(bytes.as_bytes(), &client(), Reach::Public).unwrap();
    assert!(far.brands[0].endpoints.is_empty());
}

#[test]
fn a27_only_https_and_data_logos_are_kept() {
    let logo_of = |url: Value| {
        let extension = json!([{"url": format!("{GUIDE}/organization-brand"), "extension": [{"url": "brandLogo", "valueUrl": url}]}]);
        read(&one(json!({"extension": extension})))
            .unwrap()
            .brands
            .remove(0)
            .logo
    };
    for bad in [
        json!("http://lakes.example/l.png"),
        json!("javascript:alert(1)"),
        json!("file:///l.png"),
        json!("https://10.0.0.1/l.png"),
        json!(7),
        json!("https://u:p@lakes.example/l.png"),
    ] {
        assert_eq!(logo_of(bad.clone()), None, "{bad}");
    }
    let inline = logo_of(json!("data:image/png;base64,iVBORw0KGgo=")).unwrap();
    assert!(matches!(inline.source, LogoSource::Inline(_)));
}

#[test]
fn what_is_no_bundle_is_told_apart() {
    let read = |text: &str| BrandBundle::read(text.as_bytes(), &client(), Reach::Public);
    assert!(matches!(
        read("  <!DOCTYPE html><html>"),
        Err(BrandsError::Html)
    ));
    for text in [
        "",
        "{",
        "{\"resourceType\": \"Bundle\", \"entry\": [",
        "nonsense",
    ] {
        assert!(matches!(read(text), Err(BrandsError::NotJson(_))), "{text}");
    }
    for text in [
        "[]",
        "7",
        "{}",
        r#"{"resourceType":"Patient"}"#,
        r#"{"resourceType":"Bundle","entry":7}"#,
    ] {
        assert!(
            matches!(read(text), Err(BrandsError::NotABundle { .. })),
            "{text}"
        );
    }
    let deep = format!(
        r#"{{"resourceType":"Bundle","entry":{}{}}}"#,
        "[".repeat(5000),
        "]".repeat(5000)
    );
    assert!(read(&deep).is_err());
    assert!(
        read(r#"{"resourceType":"Bundle"}"#)
            .unwrap()
            .brands
            .is_empty()
    );
}

#[tokio::test]
async fn a26_a_bundle_is_fetched_again_only_when_it_changed() {
    let server = Server::start().await;
    let body = one(json!({})).to_string();
    Mock::given(method("GET"))
        .and(path("/brands"))
        .and(header("if-none-match", "W/\"1\""))
        .respond_with(ResponseTemplate::new(304))
        .mount(&server.mock)
        .await;
    let fresh = json_answer(200, &body).insert_header("etag", "W/\"1\"");
    server.answer("GET", "/brands", fresh).await;
    let url = server.url("/brands");
    let BundleAnswer::Fresh { bundle, etag } = fetch_bundle(&client(), &url, None, Reach::Public)
        .await
        .unwrap()
    else {
        panic!("nothing is kept yet")
    };
    assert_eq!(bundle.brands.len(), 1);
    assert_eq!(etag.as_deref(), Some("W/\"1\""));
    let again = fetch_bundle(&client(), &url, etag.as_deref(), Reach::Public)
        .await
        .unwrap();
    assert!(matches!(again, BundleAnswer::NotModified));
}

#[tokio::test]
async fn a_bundle_that_is_refused_or_too_large_is_a_clear_error() {
    let server = Server::start().await;
    server
        .answer("GET", "/gone", ResponseTemplate::new(410))
        .await;
    server
        .answer(
            "GET",
            "/away",
            ResponseTemplate::new(302).insert_header("location", "https://evil.example/b"),
        )
        .await;
    for at in ["/gone", "/away"] {
        let found = fetch_bundle(&client(), &server.url(at), None, Reach::Public).await;
        assert!(matches!(found, Err(BrandsError::Http(_))), "{at}");
    }
}

#[test]
fn fifty_thousand_brands_are_read() {
    let mut entries = Vec::new();
    for index in 0..50_000 {
        let id = format!("o{index}");
        entries.push(organization(&id, &format!("Clinic {index}"), &[&id]));
        entries.push(endpoint(&id, &format!("https://fhir{index}.example/r4")));
    }
    let bytes = bundle(Value::Array(entries)).to_string();
    assert!(bytes.len() < satchel_smart::brands::MAX_BUNDLE_BYTES);
    let start = Instant::now();
    let found = BrandBundle::read(bytes.as_bytes(), &client(), Reach::Public).unwrap();
    eprintln!("{} bytes in {:?}", bytes.len(), start.elapsed());
    assert_eq!(
        found
            .brands
            .iter()
            .filter(|brand| brand.endpoints.len() == 1)
            .count(),
        50_000
    );
}
