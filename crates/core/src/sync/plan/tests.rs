//! What is asked of which server.

use super::*;

fn capability(types: &[(&str, &[&str])]) -> CapabilityStatement {
    let resources: Vec<_> = types
        .iter()
        .map(|(name, revincludes)| {
            serde_json::json!({"type": name, "interaction": [{"code": "search-type"}, {"code": "read"}],
                "searchParam": [{"name": "patient", "type": "reference"}],
                "searchRevInclude": revincludes})
        })
        .collect();
    let json = serde_json::json!({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1",
        "rest": [{"mode": "server", "resource": resources}]});
    CapabilityStatement::parse(&json.to_string()).unwrap()
}

fn step<'a>(plan: &'a SyncPlan, key: &str) -> &'a SyncStep {
    plan.steps.iter().find(|step| step.key == key).unwrap()
}

#[test]
fn d16_the_plan_is_built_from_the_granted_scopes() {
    let granted = Scopes::parse("launch/patient patient/Condition.rs patient/Patient.rs");
    let capability = capability(&[("Patient", &[]), ("Condition", &[]), ("Observation", &[])]);
    let plan = SyncPlan::new(&granted, &capability, Some("p1"));
    assert!(matches!(
        step(&plan, "Condition").request,
        StepRequest::Search(_)
    ));
    assert_eq!(
        step(&plan, "Observation").request,
        StepRequest::Skip(SkipReason::NotShared)
    );
    assert_eq!(
        step(&plan, "Immunization").request,
        StepRequest::Skip(SkipReason::NotOffered)
    );
}

#[test]
fn g1_an_empty_statement_prunes_nothing() {
    let granted = Scopes::parse("patient/*.rs");
    let plan = SyncPlan::new(&granted, &capability(&[]), Some("p1"));
    assert!(matches!(
        step(&plan, "Goal").request,
        StepRequest::Search(_)
    ));
}

fn search(plan: &SyncPlan, key: &str) -> Search {
    match &step(plan, key).request {
        StepRequest::Search(search) => search.clone(),
        other => panic!("{key}: {other:?}"),
    }
}

fn plan(types: &[(&str, &[&str])]) -> SyncPlan {
    SyncPlan::new(
        &Scopes::parse("patient/*.rs"),
        &capability(types),
        Some("p1"),
    )
}

#[test]
fn g12_a_server_that_demands_a_category_has_the_list_to_fall_back_on() {
    let search = search(
        &plan(&[("Observation", &["Provenance:target"])]),
        "Observation",
    );
    let attempts = search.attempts(None);
    assert_eq!(attempts.len(), 4, "with and without what comes along");
    let asks = |parameters: &Parameters, name: &str, value: &str| {
        parameters.contains(&(name.to_owned(), value.to_owned()))
    };
    let provenance = |p: &Parameters| asks(p, "_revinclude", "Provenance:target");
    assert!(provenance(&attempts[0].searches[0]));
    assert!(!provenance(&attempts[1].searches[0]));
    for attempt in &attempts[2..] {
        assert!(
            attempt
                .searches
                .iter()
                .any(|p| asks(p, "category", "laboratory"))
        );
        assert!(attempt.searches.iter().all(|p| asks(p, "patient", "p1")));
    }
}

#[test]
fn g20_medications_are_asked_for_by_a_list_of_intents_and_then_one_by_one() {
    let attempts = search(&plan(&[("MedicationRequest", &[])]), "MedicationRequest").attempts(None);
    let intent = |p: &Parameters| {
        p.iter()
            .find(|(name, _)| name == "intent")
            .map(|(_, v)| v.clone())
    };
    assert_eq!(intent(&attempts[0].searches[0]), None);
    let list = intent(&attempts[1].searches[0]).unwrap();
    assert!(list.starts_with("order,plan,"), "{list}");
    let alone: Vec<_> = attempts[2].searches.iter().filter_map(intent).collect();
    assert_eq!(alone.join(","), list);
}

#[test]
fn g17_what_comes_along_is_what_the_server_lists_and_the_scopes_reach() {
    let listed = r#"{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[{"resource":[
        {"type":"MedicationRequest","searchInclude":["MedicationRequest:medication","MedicationRequest:encounter"]},
        {"type":"CareTeam"}]}]}"#;
    let capability = CapabilityStatement::parse(listed).unwrap();
    let extras = |scopes: &str, key: &str| {
        search(
            &SyncPlan::new(&Scopes::parse(scopes), &capability, Some("p1")),
            key,
        )
        .extras
    };
    let medication = (
        "_include".to_owned(),
        "MedicationRequest:medication".to_owned(),
    );
    assert_eq!(extras("patient/*.rs", "MedicationRequest"), [medication]);
    assert!(extras("patient/MedicationRequest.rs", "MedicationRequest").is_empty());
    assert!(extras("patient/*.rs", "CareTeam").is_empty());
}

#[test]
fn g9_only_what_changed_is_asked_for_where_the_server_lists_that() {
    let listed = r#"{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[{"resource":[
        {"type":"Condition","searchParam":[{"name":"patient"},{"name":"_lastUpdated"}]},
        {"type":"Goal","searchParam":[{"name":"patient"}]}]}]}"#;
    let capability = CapabilityStatement::parse(listed).unwrap();
    let plan = SyncPlan::new(&Scopes::parse("patient/*.rs"), &capability, Some("p1"));
    assert!(search(&plan, "Condition").by_change && !search(&plan, "Goal").by_change);
    let attempts = search(&plan, "Condition").attempts(Some("2026-05-01T10:00:00Z"));
    let since = (
        "_lastUpdated".to_owned(),
        "ge2026-05-01T10:00:00Z".to_owned(),
    );
    assert!(attempts[0].searches[0].contains(&since) && !attempts[0].whole);
    assert!(!attempts[1].searches[0].contains(&since) && attempts[1].whole);
}

#[test]
fn g24_everything_is_never_the_only_way() {
    let listed = r#"{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[{"resource":[
        {"type":"Patient","operation":[{"name":"everything"}]},{"type":"Condition"},{"type":"Goal"}]}]}"#;
    let capability = CapabilityStatement::parse(listed).unwrap();
    assert!(capability.resource("Patient").unwrap().offers("everything"));
    let plan = SyncPlan::new(&Scopes::parse("patient/*.rs"), &capability, Some("p1"));
    for key in ["Condition", "Goal"] {
        assert_eq!(
            search(&plan, key).at,
            key,
            "each type is asked for by itself"
        );
    }
}

#[test]
fn g22_a_summary_document_is_asked_for_where_that_is_offered() {
    let listed = r#"{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[{"resource":[
        {"type":"DocumentReference","operation":[{"name":"$docref"}]}]}]}"#;
    let capability = CapabilityStatement::parse(listed).unwrap();
    let plan = SyncPlan::new(&Scopes::parse("patient/*.rs"), &capability, Some("p1"));
    let docref = search(&plan, "docref");
    assert_eq!(docref.at, "DocumentReference/$docref");
    assert_eq!(docref.parameters, [("patient".to_owned(), "p1".to_owned())]);
    let without = SyncPlan::new(
        &Scopes::parse("patient/Condition.rs"),
        &capability,
        Some("p1"),
    );
    assert!(without.steps.iter().all(|step| step.key != "docref"));
}

#[test]
fn a_backend_service_asks_for_every_type_that_can_be_searched() {
    let granted = Scopes::parse("system/*.rs");
    let plan = SyncPlan::new(
        &granted,
        &capability(&[("Patient", &[]), ("Claim", &[])]),
        None,
    );
    let keys: Vec<_> = plan.steps.iter().map(|step| step.key.as_str()).collect();
    assert_eq!(keys, ["Claim", "Patient"]);
}
