//! A whole chart from servers with the habits of real vendors: everything arrives, nothing twice.

use crate::world::setting_in;
use satchel_mock::{Quirks, World};
use std::collections::BTreeMap;

/// What the server holds of its one patient, by type.
async fn held(control: &str) -> BTreeMap<String, u64> {
    let url = format!("{control}/counts");
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

/// Habits with which a chart cannot arrive whole: links that are not followed, a type that cannot be read
/// or is not there, nobody who may register; and those of which a profile has to tell (`wild`).
const NOT_WHOLE: [&str; 13] = [
    "athena-practice",
    "aud-slash",
    "bluebutton",
    "documents-only",
    "failing",
    "kaiser-sandbox",
    "no-aud",
    "no-registration",
    "proxied",
    "refusing",
    "refusing-quietly",
    "veradigm",
    "circling",
];

/// What of a chart did not arrive from a server with these habits, or arrived anew the second time.
async fn pull(quirks: Quirks) -> Result<(), String> {
    let setting = setting_in(World {
        patients: 1,
        quirks,
        ..World::default()
    })
    .await;
    let id = setting.connect(&setting.patient().clone()).await;
    let said = |problem: satchel_core::Problem| format!("{:?}", problem.view());
    let report = setting.engine.sync(&id).await.map_err(said)?;
    if !report.complete || report.unreadable_records > 0 {
        return Err(format!("{report:?}"));
    }
    let held = held(setting.mock.control()).await;
    for step in &report.steps {
        let patients = [
            "Patient",
            "Condition",
            "Observation",
            "MedicationRequest",
            "Encounter",
            "CarePlan",
            "DocumentReference",
        ];
        if patients.contains(&step.resource_type.as_str()) {
            let filter = satchel_core::view::RecordFilter {
                connection_id: Some(id.clone()),
                section: None,
                resource_type: Some(step.resource_type.clone()),
            };
            let page = setting.engine.records_list(&filter, 0, 1).await;
            let stored = page.map_err(said)?.total;
            if stored != held[&step.resource_type] {
                let (kind, held) = (&step.resource_type, held[&step.resource_type]);
                return Err(format!("{kind}: {stored} of {held}"));
            }
        }
    }
    let again = setting.engine.sync(&id).await.map_err(said)?;
    match (
        again.new_records,
        again.changed_records,
        again.withdrawn_records,
    ) {
        (0, 0, 0) => Ok(()),
        _ => Err(format!("the second time: {again:?}")),
    }
}

#[tokio::test]
async fn g_a_chart_is_pulled_whole_from_each_vendor() {
    let mut all = Quirks::shipped().unwrap();
    for name in NOT_WHOLE {
        all.remove(name).unwrap();
    }
    let mut failed = BTreeMap::new();
    for (name, quirks) in all {
        let pulled = tokio::spawn(pull(quirks)).await;
        match pulled.unwrap_or_else(|panic| Err(panic.to_string())) {
            Ok(()) => {}
            Err(reason) => drop(failed.insert(name, reason)),
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[tokio::test]
async fn g3_a_page_link_outside_the_fhir_base_is_not_followed_and_that_is_said() {
    let quirks = Quirks::shipped().unwrap().remove("proxied").unwrap();
    let setting = setting_in(World {
        patients: 1,
        quirks,
        ..World::default()
    })
    .await;
    let id = setting.connect(&setting.patient().clone()).await;
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(!report.complete, "never a wrong complete");
    let observations = report
        .steps
        .iter()
        .find(|step| step.resource_type == "Observation")
        .unwrap();
    let problem = observations.problem.as_ref().unwrap();
    assert_eq!(problem.code, "sync.foreign_link");
    assert!(observations.records >= 50, "what came before stays");
    let outside = setting
        .mock
        .requests()
        .into_iter()
        .find(|one| one.path == "/pages");
    assert!(outside.is_none(), "no token leaves the base");
}
