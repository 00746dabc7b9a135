//! The description of the control API, held against the code and against the running server.

use crate::tester::Tester;
use reqwest::Method;
use satchel_mock::{Endpoint, FaultKind};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::from_str(include_str!("../../openapi.json")).unwrap()
}

/// `METHOD path` of every route in a source file.
fn routes(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in source.split(".route(").skip(1) {
        let call = part.split(".route(").next().unwrap();
        let call = call.split('}').next().unwrap();
        let (path, handlers) = call.split_once(',').unwrap();
        let path = match path.trim().trim_matches('"') {
            "PAGE" => "/_mock/ui",
            path => path,
        };
        for method in ["get", "post", "put", "delete"] {
            if handlers.contains(&format!("{method}(")) {
                found.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    found
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let mut code = routes(include_str!("../../src/control.rs"));
    code.extend(routes(include_str!("../../src/ui.rs")));
    let mut described = BTreeSet::new();
    for (path, operations) in document()["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    assert_eq!(described, code);
    assert!(code.len() > 10);
}

/// How many variants an enum of the faults has.
fn variants(name: &str) -> usize {
    let source = include_str!("../../src/faults.rs");
    let declared = source.split(&format!("pub enum {name} {{")).nth(1).unwrap();
    let declared = declared.split("\n}\n").next().unwrap();
    let is_variant = |line: &&str| {
        line.starts_with("    ") && line.as_bytes().get(4).is_some_and(u8::is_ascii_uppercase)
    };
    declared.lines().filter(is_variant).count()
}

#[test]
fn every_fault_and_endpoint_that_is_described_can_be_planned() {
    let planned = &document()["components"]["schemas"]["Planned"]["properties"];
    for endpoint in planned["endpoint"]["enum"].as_array().unwrap() {
        serde_json::from_value::<Endpoint>(endpoint.clone()).unwrap();
    }
    for kind in planned["fault"]["properties"]["kind"]["enum"]
        .as_array()
        .unwrap()
    {
        let fault = json!({
            "kind": kind, "status": 500, "ms": 1, "content_type": "x", "megabytes": 1, "error": "x",
            "fault": "expired",
        });
        serde_json::from_value::<FaultKind>(fault)
            .unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
    let described = planned["fault"]["properties"]["fault"]["enum"]
        .as_array()
        .unwrap();
    for fault in described {
        serde_json::from_value::<FaultKind>(json!({"kind": "id_token", "fault": fault}))
            .unwrap_or_else(|error| panic!("{fault}: {error}"));
    }
    assert_eq!(
        variants("IdTokenFault"),
        described.len(),
        "each wrong id_token is described"
    );
    let listed = planned["fault"]["properties"]["kind"]["enum"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(
        variants("FaultKind"),
        listed,
        "each kind of fault is described"
    );
}

#[tokio::test]
async fn every_operation_answers_as_it_is_described() {
    let tester = Tester::new().await;
    let served = tester.get(&tester.url("/_mock/openapi.json")).await;
    assert_eq!(served, document());
    for (path, operations) in document()["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let mut request = tester.http.request(method, tester.url(path));
            let body = &operation["requestBody"]["content"]["application/json"]["example"];
            if !body.is_null() {
                request = request
                    .header("Content-Type", "application/json")
                    .body(body.to_string());
            }
            if path.starts_with("/_mock/ui/") {
                request = request.form(&[("name", "busy"), ("seconds", "1"), ("enabled", "true")]);
            }
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16().to_string();
            let expected = &operation["responses"][&status];
            assert!(!expected.is_null(), "{path}: {status}");
            if let Some(kind) = expected["content"]
                .as_object()
                .and_then(|content| content.keys().next())
            {
                let given = answer.headers()["Content-Type"].to_str().unwrap();
                assert!(given.starts_with(kind.as_str()), "{path}: {given}");
            }
        }
    }
}
