//! Sync: pages, refresh, faults, offline reading.

use crate::world::{setting, setting_in};
use satchel_core::view::{
    ConnectionStateView, Event, Reachability, RecordFilter, Section, StepOutcome,
};
use satchel_mock::{Endpoint, FaultKind, Quirks, World};

#[tokio::test]
async fn the_chart_arrives_and_is_read_offline_after_a_restart() {
    let mut setting = setting().await;
    let id = setting.connect(&setting.patient().clone()).await;
    let mut events = setting.engine.subscribe();
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(report.complete && report.new_records > 100, "{report:?}");
    let mut fractions = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let Event::SyncProgress(progress) = event {
            fractions.push(progress.fraction);
        }
    }
    assert!(
        fractions.windows(2).all(|pair| pair[0] <= pair[1]),
        "progress never goes back"
    );
    assert!((fractions.last().unwrap() - 1.0).abs() < 1e-9);

    setting.mock = satchel_mock::MockServer::start(World {
        patients: 1,
        ..World::default()
    })
    .await
    .unwrap();
    setting.restart().await;
    setting.engine.probe(&id).await.unwrap();
    let chart = setting.engine.chart(&id).await.unwrap();
    assert_eq!(chart.connection.reachability, Reachability::Offline);
    assert!(chart.connection.last_synced_at.is_some());
    assert!(!chart.patient.unwrap().name.is_empty());
    for section in [
        Section::Problems,
        Section::Medications,
        Section::Labs,
        Section::Vitals,
        Section::Documents,
    ] {
        let filter = RecordFilter {
            connection_id: Some(id.clone()),
            section: Some(section),
            resource_type: None,
        };
        let page = setting.engine.records_list(&filter, 0, 50).await.unwrap();
        assert!(page.total > 0, "{section:?}");
        let detail = setting.engine.record_get(&page.rows[0].key).await.unwrap();
        assert!(detail.json.starts_with('{'));
    }
    assert!(
        !setting
            .engine
            .search("hemog", &Default::default(), 20)
            .await
            .unwrap()
            .is_empty()
    );
    let report = setting.engine.sync(&id).await.unwrap();
    assert_eq!(report.problem.unwrap().code, "network.unreachable");
    assert!(
        setting
            .engine
            .chart(&id)
            .await
            .unwrap()
            .connection
            .record_count
            > 100,
        "what is stored stays"
    );
}

#[tokio::test]
async fn a_document_is_here_with_its_content() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();
    let filter = RecordFilter {
        connection_id: Some(id),
        section: Some(Section::Documents),
        resource_type: Some("DocumentReference".into()),
    };
    let page = setting.engine.records_list(&filter, 0, 100).await.unwrap();
    let mut texts = 0;
    let mut of_pdf = 0;
    for row in &page.rows {
        for attachment in setting.engine.attachments(&row.key).await.unwrap() {
            match (&attachment.text, attachment.missing) {
                (Some(text), None) => {
                    assert!(text.len() > 20);
                    texts += 1;
                    of_pdf += usize::from(attachment.content_type == "application/pdf");
                }
                (None, None) => panic!("{} has no text", attachment.content_type),
                (_, Some(_)) => {}
            }
        }
    }
    assert!(
        texts > of_pdf && of_pdf > 0,
        "{texts} texts, {of_pdf} of PDFs"
    );
}

#[tokio::test]
async fn d23_an_expired_token_is_refreshed_once_for_all_that_wait() {
    let setting = setting_in(World {
        patients: 1,
        token_lifetime_seconds: 61,
        ..World::default()
    })
    .await;
    let id = setting.connect(setting.patient()).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(report.complete, "{report:?}");
    let tokens = setting
        .mock
        .requests()
        .iter()
        .filter(|r| r.path == "/auth/token")
        .count();
    assert!(
        (2..=4).contains(&tokens),
        "{tokens} calls of the token endpoint"
    );
}

#[tokio::test]
async fn g13_a_401_in_the_middle_refreshes_once_and_the_page_is_asked_again() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    setting.mock.fault(
        Endpoint::Fhir,
        FaultKind::Status {
            status: 401,
            body: String::new(),
            content_type: String::new(),
        },
        1,
    );
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(report.complete, "{report:?}");
}

#[tokio::test]
async fn switched_off_in_the_portal_is_said_and_the_records_stay() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();
    let before = setting.engine.connection(&id).await.unwrap().record_count;
    setting.mock.set_access(false);
    let report = setting.engine.sync(&id).await.unwrap();
    assert_eq!(report.problem.unwrap().code, "access.ended");
    let connection = setting.engine.connection(&id).await.unwrap();
    assert_eq!(connection.state, ConnectionStateView::AccessLost);
    assert_eq!(connection.problem.unwrap().code, "access.ended");
    assert_eq!(connection.record_count, before);
    setting.mock.set_access(true);
    assert_eq!(
        setting.connect(setting.patient()).await,
        id,
        "signing in again continues the connection"
    );
    assert!(setting.engine.sync(&id).await.unwrap().complete);
}

#[tokio::test]
async fn a_truncated_page_is_a_failure_and_the_rest_goes_on() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    // The first request of the FHIR part, and its second try.
    setting.mock.fault(Endpoint::Fhir, FaultKind::Truncated, 8);
    let report = setting.engine.sync(&id).await.unwrap();
    let failed = report
        .steps
        .iter()
        .filter(|s| s.outcome == StepOutcome::Failed)
        .count();
    let complete = report
        .steps
        .iter()
        .filter(|s| s.outcome == StepOutcome::Complete)
        .count();
    assert!(
        !report.complete && failed >= 1 && complete > 10,
        "{report:?}"
    );
    assert!(report.problem.is_none());
    assert!(
        setting.engine.sync(&id).await.unwrap().complete,
        "the next sync gets what was missing"
    );
}

#[tokio::test]
async fn what_is_no_bundle_is_refused() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    setting.mock.fault(Endpoint::Fhir, FaultKind::NotABundle, 1);
    let report = setting.engine.sync(&id).await.unwrap();
    let failed: Vec<_> = report
        .steps
        .iter()
        .filter(|s| s.outcome == StepOutcome::Failed)
        .collect();
    assert_eq!(failed.len(), 1, "{report:?}");
    assert_eq!(failed[0].problem.as_ref().unwrap().code, "sync.bad_page");
}

#[tokio::test]
async fn a_malformed_entry_is_kept_raw_and_flagged_and_the_rest_goes_on() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    setting
        .mock
        .fault(Endpoint::Fhir, FaultKind::MalformedEntry, 1);
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(report.unreadable_records >= 1, "{report:?}");
    let filter = RecordFilter {
        connection_id: Some(id),
        section: Some(Section::Other),
        resource_type: None,
    };
    let page = setting.engine.records_list(&filter, 0, 1000).await.unwrap();
    let flagged: Vec<_> = page
        .rows
        .iter()
        .filter(|row| row.malformed.is_some())
        .collect();
    assert_eq!(flagged.len() as u64, report.unreadable_records);
    let kept = setting.engine.record_get(&flagged[0].key).await.unwrap();
    assert!(!kept.json.is_empty());
}

#[tokio::test]
async fn g4_next_links_in_a_circle_or_to_another_place_are_not_followed() {
    // One that counts its records and gave them all loops at the end only: that is no loss (wild::search).
    let quirks: Quirks = serde_json::from_value(serde_json::json!({"no_total": true})).unwrap();
    for fault in [FaultKind::LoopingNext, FaultKind::ForeignNext] {
        let world = World {
            quirks: quirks.clone(),
            ..World::default()
        };
        let setting = setting_in(world).await;
        let id = setting.connect(setting.patient()).await;
        setting.mock.fault(Endpoint::Fhir, fault.clone(), 50);
        let report = setting.engine.sync(&id).await.unwrap();
        assert!(
            report
                .steps
                .iter()
                .any(|s| s.outcome == StepOutcome::Failed),
            "{fault:?}: {report:?}"
        );
    }
}

#[tokio::test]
async fn g8_records_of_another_patient_are_not_stored() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    setting
        .mock
        .fault(Endpoint::Fhir, FaultKind::OtherPatient, 1);
    let report = setting.engine.sync(&id).await.unwrap();
    let found = report
        .steps
        .iter()
        .filter_map(|s| s.problem.as_ref())
        .any(|p| p.code == "sync.other_patient");
    assert!(found, "{report:?}");
}

#[tokio::test]
async fn g14_a_busy_server_is_waited_for() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    setting.mock.fault(
        Endpoint::Fhir,
        FaultKind::TooManyRequests {
            retry_after: Some(1),
        },
        2,
    );
    assert!(setting.engine.sync(&id).await.unwrap().complete);
}

#[tokio::test]
async fn two_syncs_of_one_connection_never_run_at_once() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    setting
        .mock
        .fault(Endpoint::Metadata, FaultKind::Delay { ms: 800 }, 1);
    let (first, second) = tokio::join!(setting.engine.sync(&id), async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        setting.engine.sync(&id).await
    });
    assert!(first.unwrap().complete);
    assert_eq!(crate::world::code(second), "sync.already_running");
}

#[tokio::test]
async fn a_second_sync_finds_everything_unchanged() {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    let first = setting.engine.sync(&id).await.unwrap();
    let second = setting.engine.sync(&id).await.unwrap();
    assert!(first.new_records > 0);
    assert_eq!((second.new_records, second.changed_records), (0, 0));
}

/// How many requests for records come before the first one for what others refer to.
async fn requests_before_references() -> (usize, Vec<(String, String, String)>) {
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    let before = setting.mock.requests().len();
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    let requests = setting.mock.requests();
    let records = requests[before..]
        .iter()
        .filter(|one| one.path.starts_with("/fhir/") && one.path != "/fhir/metadata");
    let first = records.clone().position(|one| {
        let kind = one.path.split('/').nth(2).unwrap_or_default();
        ["Practitioner", "Organization", "Binary", "Location"].contains(&kind)
    });
    (first.unwrap(), hashes(&setting, &id).await)
}

async fn hashes(setting: &crate::world::Setting, id: &str) -> Vec<(String, String, String)> {
    let key = setting.keychain().get("database-key").await.unwrap();
    let key = satchel_store::DatabaseKey::from_bytes(key.unwrap().as_slice().try_into().unwrap());
    let path = setting.profile().join("satchel.db");
    let store = satchel_store::Store::open(&path, &key).await.unwrap();
    let hashes = store.hashes(id).await.unwrap();
    store.close().await;
    hashes
}

#[rstest::rstest]
#[case::cut_short(FaultKind::Truncated)]
#[case::no_answer(FaultKind::Drop)]
#[case::server_error(FaultKind::Status { status: 500, body: String::new(), content_type: String::new() })]
#[tokio::test]
async fn what_others_refer_to_and_could_not_be_read_is_no_success_and_is_read_the_next_time(
    #[case] fault: FaultKind,
) {
    let (spared, whole) = requests_before_references().await;
    let setting = setting().await;
    let id = setting.connect(setting.patient()).await;
    setting.mock.plan(&satchel_mock::PlannedFault {
        endpoint: Endpoint::Fhir,
        fault,
        after: u32::try_from(spared).unwrap(),
        times: 1_000,
        client_id: None,
    });
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(!report.complete, "{report:?}");
    setting.mock.clear_faults();
    assert_ne!(hashes(&setting, &id).await.len(), whole.len());
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(report.complete, "{report:?}");
    assert_eq!(hashes(&setting, &id).await, whole, "nothing is missing");
}

#[tokio::test]
async fn after_a_sync_that_was_cut_off_what_others_refer_to_is_looked_at_again() {
    let mut setting = setting().await;
    let id = setting.connect(&setting.patient().clone()).await;
    setting.engine.sync(&id).await.unwrap();
    let asked = |setting: &crate::world::Setting, before: usize| {
        let requests = setting.mock.requests();
        let ours = requests[before..].iter();
        ours.filter(|one| one.path.starts_with("/fhir/Practitioner/"))
            .count()
    };
    let before = setting.mock.requests().len();
    setting.engine.sync(&id).await.unwrap();
    assert_eq!(asked(&setting, before), 0, "all are here");
    setting
        .mock
        .fault(Endpoint::Fhir, FaultKind::Delay { ms: 300 }, 100);
    let (cut_off, ()) = tokio::join!(setting.engine.sync(&id), async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        setting.engine.sync_cancel(&id);
    });
    assert!(!cut_off.unwrap().complete);
    setting.mock.clear_faults();
    // Too late to go on where it was.
    setting.restart_later(3_000).await;
    let before = setting.mock.requests().len();
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    assert!(asked(&setting, before) > 0, "they may have been missed");
    let before = setting.mock.requests().len();
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    assert_eq!(asked(&setting, before), 0);
}
