//! What real servers do that a client must bear, as it was reported in public: each line of
//! docs/failure-modes.md is a test, most of them here, over the whole product.

mod faults;
mod limits;
mod page;
mod payloads;
mod search;
mod sign_in;
mod tokens;
mod whole;

use crate::faults::chart;
use crate::world::{Setting, setting_in};
use satchel_core::KnownServer;
use satchel_core::view::{
    RecordFilter, RecordKey, RecordSummaryView, SyncReportView, SyncStepView,
};
use satchel_mock::{Quirks, World};
use serde_json::{Value, json};

/// The habits that ship under a name.
fn habits(name: &str) -> Quirks {
    let mut all = Quirks::shipped().expect("they read");
    all.remove(name)
        .unwrap_or_else(|| panic!("no habits {name}"))
}

/// Habits that no vendor is known for alone.
fn made_of(habits: Value) -> Quirks {
    serde_json::from_value(habits).expect("habits")
}

/// A server with these habits, and these records of one person beside the patient's own.
async fn server_with(quirks: Quirks, records: &[Value]) -> Setting {
    let folder = tempfile::tempdir().expect("a folder");
    let mut all = records.to_vec();
    if all.iter().all(|record| record["resourceType"] != "Patient") {
        all.extend(chart::records().into_iter().take(1));
    }
    chart::write(folder.path(), &all);
    setting_in(World {
        patients: 0,
        load: Some(folder.path().to_owned()),
        quirks,
        ..World::default()
    })
    .await
}

/// A server with these habits and a chart of some forty records.
async fn server(quirks: Quirks) -> Setting {
    server_with(quirks, &chart::records()).await
}

impl Setting {
    /// The engine knows of the server's habits.
    async fn told(&mut self, habits: Value) {
        let server: KnownServer = serde_json::from_value(json!({
            "fhirBase": self.mock.fhir_base(), "name": "A vendor", "description": "", "habits": habits,
        }))
        .expect("a server");
        self.reopen(|options| options.extra_servers.push(server))
            .await;
    }

    /// Signs in and pulls the chart.
    async fn pulled(&self) -> (String, SyncReportView) {
        let id = self.connect(self.patient()).await;
        let report = self.engine.sync(&id).await.expect("a report");
        (id, report)
    }

    /// How many records of a type are here.
    async fn here(&self, id: &str, kind: &str) -> u64 {
        let filter = RecordFilter {
            connection_id: Some(id.to_owned()),
            resource_type: Some(kind.to_owned()),
            section: None,
        };
        let page = self.engine.records_list(&filter, 0, 1).await;
        page.expect("a list").total
    }

    /// The row of a record.
    async fn row(&self, connection: &str, kind: &str, id: &str) -> RecordSummaryView {
        let key = RecordKey {
            connection_id: connection.to_owned(),
            resource_type: kind.to_owned(),
            id: id.to_owned(),
        };
        let detail = self.engine.record_get(&key).await;
        detail.expect("the record is here").summary
    }

    /// The queries with which a path was asked for.
    fn queries(&self, path: &str) -> Vec<String> {
        let requests = self.mock.requests().into_iter();
        let those = requests.filter(|one| one.path == path);
        those.map(|one| one.query).collect()
    }
}

fn step<'a>(report: &'a SyncReportView, kind: &str) -> &'a SyncStepView {
    let found = report.steps.iter().find(|step| step.resource_type == kind);
    found.unwrap_or_else(|| panic!("no step {kind}"))
}

/// Every record of the small chart is here.
async fn assert_whole(setting: &Setting, id: &str, report: &SyncReportView) {
    assert!(report.complete, "{report:#?}");
    let all = chart::records();
    let count = setting
        .engine
        .connection(id)
        .await
        .expect("it")
        .record_count;
    assert_eq!(count, all.len() as u64, "{report:#?}");
}

/// A record about the patient of the small chart.
fn about(kind: &str, id: &str, more: Value) -> Value {
    chart::about(kind, id, more)
}
